//! One question in, octets out: the server's whole behaviour, right or wrong. Pure but for chance, which is an argument.

mod hostile;
mod odd;
mod spoilt;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use domain::base::iana::{Class, Opcode, OptRcode, Rtype};
use domain::base::message_builder::{MessageBuilder, PushError, TreeCompressor};
use domain::base::opt::AllOptData;
use domain::base::{Message, Question};
use model::{Name, Transport};
use rand::{Rng, RngExt};

use crate::fault::{EdnsManner, Fault, FaultRule, LameReferral};
use crate::live_zone::{LiveZone, Signatures, Variant};
use crate::lookup::{Found, look_up};
use crate::odd::OddManner;
use crate::stage::{ServerState, Snapshot};
use crate::tamper::{Answer, Tampering};
use crate::zone_file::Record;

/// Largest answer over UDP that a server sends, in octets (the value of DNS flag day 2020).
const LARGEST_DATAGRAM: usize = 1232;

/// Largest answer over UDP without EDNS, in octets (RFC 1035 §4.2.1).
const CLASSIC_DATAGRAM: usize = 512;

/// How late `slow` answers when the rule does not say.
const SLOW: Duration = Duration::from_secs(2);

/// Where `other_source` answers from when the rule does not say.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 255, 255, 254));

/// Records in one message of a transfer.
const RECORDS_PER_TRANSFER_MESSAGE: usize = 50;

/// What a server does with a question.
#[derive(Debug, Default)]
pub(crate) struct Reaction {
    /// How long it waits first.
    pub delay: Duration,
    /// The messages it sends; none when it keeps silent.
    pub messages: Vec<Vec<u8>>,
    /// Whether it closes the TCP connection.
    pub close: bool,
    /// Pause after each octet over TCP.
    pub pace: Duration,
    /// The address from which it sends over UDP, when that is not the one asked.
    pub from: Option<IpAddr>,
}

/// The EDNS part of a question (RFC 6891).
#[derive(Debug, Clone, Copy)]
struct Edns {
    size: usize,
    version: u8,
    /// The version that the answer carries.
    answered: u8,
    dnssec: bool,
    nsid: bool,
}

/// A message in the making.
#[derive(Debug)]
struct Draft<'a> {
    query: &'a Message<[u8]>,
    question: Option<(Name, Question<domain::base::Name<Vec<u8>>>)>,
    rcode: OptRcode,
    recursion: bool,
    edns: Option<Edns>,
    /// Largest answer over UDP that the server sends, in octets.
    largest: usize,
    nsid: &'a Name,
    found: Found,
}

/// Reacts to the octets of a question that came to the server at `address`.
pub(crate) fn respond(
    octets: &[u8],
    transport: Transport,
    address: IpAddr,
    world: &Snapshot,
    random: &mut impl Rng,
) -> Reaction {
    let Some(server) = world.servers.get(&address) else {
        return Reaction::default();
    };
    let Ok(query) = Message::from_slice(octets) else {
        return Reaction::default();
    };
    if query.header().qr() || (transport == Transport::Udp && server.loss > 0.0 && random.random_bool(server.loss)) {
        return Reaction::default();
    }
    let mut draft = Draft {
        query,
        question: None,
        rcode: OptRcode::NOERROR,
        recursion: false,
        edns: edns_of(query),
        largest: LARGEST_DATAGRAM,
        nsid: &server.name,
        found: Found::default(),
    };
    let Ok(asked) = query.sole_question() else {
        // Whoever is cut off is cut off from nonsense too.
        let about_all: Vec<&FaultRule> = server
            .faults
            .iter()
            .filter(|rule| rule.qname.is_none() && rule.qtype.is_none() && rule.with.is_none())
            .collect();
        let manners = manners_of(&about_all);
        if about_all.iter().any(|rule| rule.fault == Fault::Silent) || odd::is_dropped(&manners, query, None) {
            return Reaction::default();
        }
        draft.rcode = if query.header().opcode() == Opcode::QUERY {
            OptRcode::FORMERR
        } else {
            OptRcode::NOTIMP
        };
        let message = draft.compose(transport);
        return Reaction {
            delay: server.latency,
            messages: odd::bend(&manners, &draft, transport, message).into_iter().collect(),
            ..Reaction::default()
        };
    };
    let qname = Name::from_wire(asked.qname());
    let as_asked = domain::base::name::ToName::to_vec(asked.qname());
    let question = Question::new(as_asked, asked.qtype(), asked.qclass());
    let features = odd::features(query, &question);
    draft.question = Some((qname.clone(), question));
    let rules: Vec<&FaultRule> = server
        .faults
        .iter()
        .filter(|rule| rule.is_about(&qname, asked.qtype(), transport, &features))
        .collect();
    if let Some(rule) = rules.iter().find(|rule| rule.fault == Fault::Hostile) {
        let zone = zone_for(&server.zones, &qname, Rtype::NS).map_or_else(Name::root, |zone| zone.name.clone());
        return hostile::react(rule.hostility, query, &qname, asked.qtype(), &zone, address, transport);
    }
    react(draft, &rules, transport, server, world, random)
}

fn manners_of(rules: &[&FaultRule]) -> Vec<OddManner> {
    let odd = rules.iter().filter(|rule| rule.fault == Fault::Odd);
    odd.map(|rule| rule.manner).collect()
}

fn react(
    mut draft: Draft<'_>,
    rules: &[&FaultRule],
    transport: Transport,
    server: &ServerState,
    world: &Snapshot,
    random: &mut impl Rng,
) -> Reaction {
    let rule = |fault: Fault| rules.iter().find(|rule| rule.fault == fault);
    let has = |fault: Fault| rule(fault).is_some();
    let mut reaction = Reaction {
        delay: server.latency,
        ..Reaction::default()
    };
    if has(Fault::Silent) {
        return reaction;
    }
    if let Some(slow) = rule(Fault::Slow) {
        reaction.delay += slow.delay.map_or(SLOW, |delay| delay.forward());
    }
    if has(Fault::UdpOnly) && transport == Transport::Tcp {
        reaction.close = true;
        return reaction;
    }
    if has(Fault::Garbage) {
        reaction.messages.push(garbage(random));
        return reaction;
    }
    if let Some(drops) = rule(Fault::DropsEdns)
        && draft.edns.is_some()
    {
        let asked = draft.edns.take();
        match drops.edns {
            EdnsManner::Ignores => {}
            EdnsManner::Silent => return reaction,
            EdnsManner::Version1 => draft.edns = asked.map(|edns| Edns { answered: 1, ..edns }),
            EdnsManner::Formerr => {
                draft.rcode = OptRcode::FORMERR;
                reaction.messages.push(draft.compose(transport));
                return reaction;
            }
        }
    }
    let manners = manners_of(rules);
    let qtype = draft.question.as_ref().map(|(_, question)| question.qtype());
    if odd::is_dropped(&manners, draft.query, qtype) {
        return reaction;
    }
    odd::prepare(&manners, &mut draft);
    if transport == Transport::Tcp && draft.is_for(Rtype::AXFR) {
        reaction.messages = transfer(&mut draft, has(Fault::OpenTransfer), server);
        return reaction;
    }
    fill(&mut draft, rules, server, world);
    odd::replace(&manners, &mut draft, transport);
    server.tampering.iter().for_each(|tampering| draft.tamper(tampering));
    if has(Fault::NotAuthoritative) {
        draft.found.authoritative = false;
    }
    if has(Fault::WrongQuestion)
        && let Some((_, question)) = &mut draft.question
    {
        let other: Name = "another-question.invalid".parse().expect("this is a name");
        *question = Question::new(other.as_wire().clone(), question.qtype(), question.qclass());
    }
    if has(Fault::BadAaaa) {
        draft.found.answer.iter_mut().for_each(spoilt::shorten_aaaa);
    }
    if has(Fault::LowerCase)
        && let Some((qname, question)) = &mut draft.question
    {
        *question = Question::new(qname.as_wire().clone(), question.qtype(), question.qclass());
    }
    let mut message = if has(Fault::Truncates) && transport == Transport::Udp {
        draft.truncated()
    } else {
        draft.compose(transport)
    };
    let is_truncated = message[2] & 0x02 != 0;
    if has(Fault::TruncatesWithoutOpt) && is_truncated {
        draft.edns = None;
        message = draft.truncated();
    }
    if has(Fault::WrongId) {
        message[1] ^= 0xff;
    }
    reaction
        .messages
        .extend(odd::bend(&manners, &draft, transport, message));
    reaction.from = rule(Fault::OtherSource).map(|rule| rule.from.unwrap_or(ELSEWHERE));
    reaction
}

/// Finds what the answer says.
fn fill(draft: &mut Draft<'_>, rules: &[&FaultRule], server: &ServerState, world: &Snapshot) {
    let has = |fault: Fault| rules.iter().any(|rule| rule.fault == fault);
    let Some((qname, question)) = draft.question.clone() else {
        return;
    };
    let (qtype, dnssec) = (question.qtype(), draft.edns.is_some_and(|edns| edns.dnssec));
    let told = spoilt::version_told(&question, rules);
    draft.rcode = match draft.query.header().opcode() {
        _ if draft.edns.is_some_and(|edns| edns.version > 0) => OptRcode::BADVERS,
        Opcode::QUERY if has(Fault::Servfail) => OptRcode::SERVFAIL,
        Opcode::QUERY if has(Fault::Refused) => OptRcode::REFUSED,
        Opcode::QUERY if told.is_some() => OptRcode::NOERROR,
        Opcode::QUERY if question.qclass() != Class::IN || matches!(qtype, Rtype::AXFR | Rtype::IXFR) => {
            OptRcode::REFUSED
        }
        Opcode::QUERY => OptRcode::NOERROR,
        _ => OptRcode::NOTIMP,
    };
    if draft.rcode != OptRcode::NOERROR {
        return;
    }
    if told.is_some() {
        draft.found = Found {
            authoritative: true,
            answer: told.into_iter().collect(),
            ..Found::default()
        };
        return;
    }
    if let Some(lame) = rules.iter().find(|rule| rule.fault == Fault::Lame) {
        if lame.referral == LameReferral::Upward {
            draft.found = spoilt::upward(world);
        }
        return;
    }
    let own = zone_for(&server.zones, &qname, qtype);
    if let Some(says) = rules.iter().find(|rule| rule.fault == Fault::Says) {
        draft.found = spoilt::said(says, own.filter(|_| dnssec));
        if says.nxdomain {
            draft.rcode = OptRcode::NXDOMAIN;
        }
        return;
    }
    draft.recursion = has(Fault::OpenRecursion);
    draft.found = match own {
        Some(zone) => look_up(&zone.data(&variant_of(rules)), &qname, qtype, dnssec),
        None => Found::default(),
    };
    let is_referral = draft.found.answer.is_empty() && !draft.found.authoritative;
    if draft.recursion && is_referral {
        if let Some(zone) = zone_for(&world.zones, &qname, qtype) {
            let resolved = look_up(&zone.data(&Variant::default()), &qname, qtype, dnssec);
            draft.found = Found {
                authoritative: false,
                additional: Vec::new(),
                ..resolved
            };
        }
    } else if own.is_none() && has(Fault::UpwardReferral) {
        draft.found = spoilt::upward(world);
    } else if own.is_none() {
        draft.rcode = OptRcode::REFUSED;
    }
    if draft.found.name_error {
        draft.rcode = OptRcode::NXDOMAIN;
    }
}

/// The deepest zone that holds the name; for DS the one above the name, which is the one that has it.
fn zone_for<'a>(zones: &'a [std::sync::Arc<LiveZone>], qname: &Name, qtype: Rtype) -> Option<&'a LiveZone> {
    let mut holding = zones.iter().filter(|zone| qname.is_at_or_below(&zone.name));
    let deepest = holding.next()?;
    if qtype == Rtype::DS && deepest.name == *qname {
        return Some(holding.next().unwrap_or(deepest));
    }
    Some(deepest)
}

fn variant_of(rules: &[&FaultRule]) -> Variant {
    let mut variant = Variant::default();
    for rule in rules {
        match rule.fault {
            Fault::ExpiredSignatures => variant.signatures = Signatures::Expired,
            Fault::NotYetValidSignatures => variant.signatures = Signatures::NotYetValid,
            Fault::WrongSignatures => variant.signatures = Signatures::Wrong,
            Fault::StaleSerial => variant.stale_serial = true,
            Fault::MissingDs => variant.without_ds.get_or_insert_default().extend(rule.qname.clone()),
            _ => {}
        }
    }
    variant
}

fn transfer(draft: &mut Draft<'_>, open: bool, server: &ServerState) -> Vec<Vec<u8>> {
    let asked = draft.question.as_ref().map(|(qname, _)| qname.clone());
    let zone = server
        .zones
        .iter()
        .find(|zone| Some(&zone.name) == asked.as_ref())
        .filter(|_| open);
    let Some(zone) = zone else {
        draft.rcode = OptRcode::REFUSED;
        return vec![draft.compose(Transport::Tcp)];
    };
    let data = zone.data(&Variant::default());
    let records: Vec<Record> = data.all.iter().chain(data.all.first()).cloned().collect();
    let compose = |part: &[Record]| {
        draft.found = Found {
            authoritative: true,
            answer: part.to_vec(),
            ..Found::default()
        };
        draft.compose(Transport::Tcp)
    };
    records.chunks(RECORDS_PER_TRANSFER_MESSAGE).map(compose).collect()
}

/// Octets that no parser takes for an answer: the counts promise more than there is.
fn garbage(random: &mut impl Rng) -> Vec<u8> {
    let mut octets = vec![0; random.random_range(13..64)];
    random.fill_bytes(&mut octets);
    octets[4..12].fill(0xff);
    octets
}

fn edns_of(query: &Message<[u8]>) -> Option<Edns> {
    let opt = query.opt()?;
    let nsid = opt
        .opt()
        .iter::<AllOptData<_, domain::base::Name<_>>>()
        .any(|option| matches!(option, Ok(AllOptData::Nsid(_))));
    Some(Edns {
        size: usize::from(opt.udp_payload_size()).max(CLASSIC_DATAGRAM),
        version: opt.version(),
        answered: 0,
        dnssec: opt.dnssec_ok(),
        nsid,
    })
}

impl Draft<'_> {
    fn is_for(&self, rtype: Rtype) -> bool {
        self.question
            .as_ref()
            .is_some_and(|(_, question)| question.qtype() == rtype)
    }

    /// Lets a test change what the answer says.
    fn tamper(&mut self, tampering: &Tampering) {
        let Some((qname, question)) = &self.question else {
            return;
        };
        let mut answer = Answer {
            qname: qname.clone(),
            qtype: question.qtype(),
            rcode: self.rcode,
            authoritative: self.found.authoritative,
            answer: std::mem::take(&mut self.found.answer),
            authority: std::mem::take(&mut self.found.authority),
            additional: std::mem::take(&mut self.found.additional),
        };
        tampering.apply(&mut answer);
        self.rcode = answer.rcode;
        self.found.authoritative = answer.authoritative;
        self.found.answer = answer.answer;
        self.found.authority = answer.authority;
        self.found.additional = answer.additional;
    }

    fn compose(&self, transport: Transport) -> Vec<u8> {
        let limit = match (transport, self.edns) {
            (Transport::Tcp, _) => usize::from(u16::MAX),
            (Transport::Udp, Some(edns)) => edns.size.min(self.largest),
            (Transport::Udp, None) => CLASSIC_DATAGRAM,
        };
        let fits = |message: &Vec<u8>| message.len() <= limit;
        let whole = self.write(&self.found.additional, false).ok().filter(fits);
        let without_additional = || {
            let may_go = !self.found.additional_needed;
            may_go.then(|| self.write(&[], false).ok().filter(fits)).flatten()
        };
        whole.or_else(without_additional).unwrap_or_else(|| self.truncated())
    }

    fn truncated(&self) -> Vec<u8> {
        self.write(&[], true)
            .expect("a header, a question and an OPT record fit a message")
    }

    fn write(&self, additional: &[Record], truncated: bool) -> Result<Vec<u8>, PushError> {
        let target = TreeCompressor::new(Vec::with_capacity(CLASSIC_DATAGRAM));
        let mut builder = MessageBuilder::from_target(target).expect("an empty vector takes a header");
        let asked = self.query.header();
        let header = builder.header_mut();
        header.set_id(asked.id());
        header.set_qr(true);
        header.set_opcode(asked.opcode());
        // Both are defined for QUERY alone.
        let is_query = asked.opcode() == Opcode::QUERY;
        header.set_rd(asked.rd() && is_query);
        header.set_cd(asked.cd() && is_query);
        header.set_ra(self.recursion);
        header.set_aa(self.found.authoritative);
        header.set_tc(truncated);
        header.set_rcode(self.rcode.rcode());
        let mut builder = builder.question();
        if let Some((_, question)) = &self.question {
            builder.push(question)?;
        }
        let mut builder = builder.answer();
        if !truncated {
            self.found.answer.iter().try_for_each(|record| builder.push(record))?;
        }
        let mut builder = builder.authority();
        if !truncated {
            self.found
                .authority
                .iter()
                .try_for_each(|record| builder.push(record))?;
        }
        let mut builder = builder.additional();
        additional.iter().try_for_each(|record| builder.push(record))?;
        if let Some(edns) = self.edns {
            builder.opt(|opt| {
                opt.set_udp_payload_size(LARGEST_DATAGRAM as u16);
                opt.set_version(edns.answered);
                opt.set_dnssec_ok(edns.dnssec);
                opt.set_rcode(self.rcode);
                if edns.nsid {
                    let name = self.nsid.to_string();
                    opt.push_raw_option(domain::base::iana::OptionCode::NSID, name.len() as u16, |target| {
                        domain::dep::octseq::OctetsBuilder::append_slice(target, name.as_bytes())
                    })?;
                }
                Ok(())
            })?;
        }
        Ok(builder.finish().into_target())
    }
}

#[cfg(test)]
mod tests;
