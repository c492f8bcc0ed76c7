//! What became of one input, so that its figures can be reconciled with those of other tools.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::input::Compression;
use crate::message::MalformedReason;

/// The form of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// libpcap's own form.
    Pcap,
    /// pcapng.
    Pcapng,
    /// dnstap in Frame Streams.
    Dnstap,
    /// Packets of an interface, while they pass.
    Interface,
    /// C-DNS (RFC 8618) or one of its drafts.
    CDns,
    /// Zeek's dns.log, tab-separated.
    ZeekTsv,
    /// Zeek's dns.log, a JSON object on each line.
    ZeekJson,
    /// Suricata's EVE.
    SuricataEve,
    /// The Passive DNS Common Output Format.
    Cof,
}

/// Why packets were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// The link type is not read.
    UnknownLink,
    /// Headers below DNS are cut or contradict themselves.
    BadHeader,
    /// Fragments that are cut or lie beyond 64 KiB, and datagrams whose fragments contradict each other (counted once each).
    BadFragment,
    /// Datagrams of which a fragment never came (counted once each).
    MissingFragment,
    /// Too many queries were outstanding; these took no part in pairing.
    TooManyQueries,
    /// A dnstap frame that holds no DNS message.
    NotAMessage,
    /// Packets of an interface that came faster than they could be read.
    TooFast,
}

/// What became of one input. Each packet, and each message, is in exactly one of the places that the documentation of the fields
/// names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Name of the input.
    pub input: String,
    /// Its form.
    pub form: Form,
    /// How it was packed.
    pub compression: Compression,
    /// Its size as it lies on disk.
    pub octets: u64,
    /// SHA-256 of it as it lies on disk, in hexadecimal.
    pub sha256: String,
    /// Packets (dnstap: frames; C-DNS: messages) in it.
    pub packets: u64,
    /// DNS messages that could be read: `queries` and `responses`.
    pub dns_messages: u64,
    /// Messages with QR = 0.
    pub queries: u64,
    /// Messages with QR = 1: `pairs`, `vouched`, `continued`, `duplicates`, `wrong_id`, `wrong_port` and `no_query`.
    pub responses: u64,
    /// Queries with their response.
    pub pairs: u64,
    /// Responses whose query is not in the input, but for which a dnstap sender gives the time at which it was asked: many send
    /// responses alone. Their records are kept like those of `pairs`.
    pub vouched: u64,
    /// Further messages of a zone transfer over TCP (RFC 5936 §2.2): they belong to the query whose first response is in `pairs`.
    #[serde(default)]
    pub continued: u64,
    /// Queries without a response within the timeout.
    pub unmatched_queries: u64,
    /// Responses that belong to no query: all but `pairs`, `vouched` and `continued`.
    pub unmatched_responses: u64,
    /// Further responses to a query that was answered.
    pub duplicates: u64,
    /// Responses with another id than the queries outstanding for the same question, between the same ports.
    pub wrong_id: u64,
    /// Responses to another port than those from which the same question is outstanding.
    pub wrong_port: u64,
    /// Responses that nobody asked for.
    pub no_query: u64,
    /// Messages whose time lies before that of the message before.
    pub out_of_order: u64,
    /// Messages whose time is not told, or is one before there was DNS (November 1983, RFC 882), as clocks tell that were never set. They
    /// are counted and paired, and nothing else is kept of them: any minute would be a wrong one.
    #[serde(default)]
    pub undated: u64,
    /// dnstap frames whose sender's clock is off by more than a minute; they count for the time at which they came.
    pub wrong_clock: u64,
    /// Messages of which the capture or the sender cut off records; they are counted and paired, their records are not kept. What the
    /// capture cut before the end of the question is counted here alone.
    pub cut_messages: u64,
    /// Packets without DNS: other protocols, other ports, ICMP but for the unreachables.
    pub non_dns: u64,
    /// ICMP and ICMPv6 destination unreachable; what they quote is not DNS traffic.
    pub icmp_unreachable: u64,
    /// Fragments of IP packets, whether the whole could be put together or not.
    pub fragments: u64,
    /// TCP segments from or to a DNS port; messages found in them are in `dns_messages`.
    pub tcp_segments: u64,
    /// Holes in TCP streams that were given up.
    pub tcp_holes: u64,
    /// Octets of TCP streams that belong to no message that could be found.
    pub tcp_lost_octets: u64,
    /// Packets left out, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Octets on a DNS port that are no DNS message, by reason.
    pub malformed: BTreeMap<MalformedReason, u64>,
    /// How many of them went into quarantine; the rest was over the limit.
    pub quarantined: u64,
    /// Octets of those.
    pub quarantined_octets: u64,
    /// Matched responses whose records are not kept: neither authoritative nor a referral, truncated, of another class than IN or
    /// another opcode than QUERY.
    pub not_kept: u64,
    /// RRsets in matched authoritative responses and referrals that the server may speak for.
    pub rrsets: u64,
    /// RRsets in matched responses that the server may not speak for, or of which that is not proven.
    pub out_of_bailiwick: u64,
    /// RRsets there whose data is not of its type's form.
    pub unreadable_rrsets: u64,
    /// Time of the earliest packet.
    pub first: Option<Timestamp>,
    /// Time of the latest packet.
    pub last: Option<Timestamp>,
    /// Why the input could not be read to its end; what came before counts.
    pub fault: Option<String>,
}

impl Receipt {
    pub(crate) fn new(input: String, form: Form, compression: Compression) -> Self {
        Self {
            input,
            form,
            compression,
            octets: 0,
            sha256: String::new(),
            packets: 0,
            dns_messages: 0,
            queries: 0,
            responses: 0,
            pairs: 0,
            vouched: 0,
            continued: 0,
            undated: 0,
            unmatched_queries: 0,
            unmatched_responses: 0,
            duplicates: 0,
            wrong_id: 0,
            wrong_port: 0,
            no_query: 0,
            out_of_order: 0,
            wrong_clock: 0,
            cut_messages: 0,
            non_dns: 0,
            icmp_unreachable: 0,
            fragments: 0,
            tcp_segments: 0,
            tcp_holes: 0,
            tcp_lost_octets: 0,
            dropped: BTreeMap::new(),
            malformed: BTreeMap::new(),
            quarantined: 0,
            quarantined_octets: 0,
            not_kept: 0,
            rrsets: 0,
            out_of_bailiwick: 0,
            unreadable_rrsets: 0,
            first: None,
            last: None,
            fault: None,
        }
    }

    pub(crate) fn drop(&mut self, reason: DropReason) {
        *self.dropped.entry(reason).or_default() += 1;
    }

    /// All that is malformed.
    pub fn malformed_total(&self) -> u64 {
        self.malformed.values().sum()
    }
}
