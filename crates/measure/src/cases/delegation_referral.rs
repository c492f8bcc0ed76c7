//! delegation03: whether a referral to the zone fits the smallest datagram.

use std::net::{Ipv4Addr, Ipv6Addr};

use domain::base::iana::Rtype;
use domain::base::message_builder::{MessageBuilder, PushError, TreeCompressor};
use domain::base::{Name as WireName, Question, Ttl};
use domain::rdata::{A, Aaaa, Ns};
use model::Name;

use super::{Case, Emission, case};
use crate::record::OwnedName;
use crate::run::Run;
use crate::server::NsSet;

/// The case of this file.
pub const CASES: &[Case] = &[case!("delegation03", delegation03)];

/// What every answer without EDNS may have over UDP, in octets (RFC 1035 §4.2.1; IANA asks for it of top-level domains).
const LARGEST: usize = 512;

/// Longest domain name in octets (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 255;

/// Octets of the longest label with the one that counts them (RFC 1035 §2.3.4).
const LONGEST_LABEL: usize = 64;

/// TTL of the records; any does.
const TTL: Ttl = Ttl::from_secs(3_600);

/// delegation03: the referral fits, whatever the length of the name that is asked for. Nothing refers to the root.
pub async fn delegation03(run: &Run) -> Vec<Emission> {
    let delegation = run.delegation().await.filter(|delegation| !delegation.is_empty());
    let (Some(delegation), false) = (delegation, run.zone().is_root()) else {
        return Vec::new();
    };
    let parent = parent(run).await;
    // a referral that no message can hold does not fit either
    let size = referral_size(run.zone(), delegation, &parent).unwrap_or(usize::from(u16::MAX));
    let tag = if size > LARGEST {
        "REFERRAL_SIZE_TOO_LARGE"
    } else {
        "REFERRAL_SIZE_OK"
    };
    vec![Emission::new(tag).arg("size", size)]
}

/// The parent zone: as the walk found it, and where it did not walk, the closest name above that has an SOA record.
async fn parent(run: &Run) -> Name {
    if let Some(parent) = run.parent_zone().await {
        return parent.clone();
    }
    let mut above = run.zone().parent();
    while let Some(name) = above.filter(|name| !name.is_root()) {
        let found = run.lookup(&name, Rtype::SOA).await;
        if !found.alias && !found.records.is_empty() {
            return name;
        }
        above = name.parent();
    }
    Name::root()
}

/// Octets of the parent's referral with one address of each family as glue, where glue is to be expected.
fn referral_size(zone: &Name, delegation: &NsSet, parent: &Name) -> Result<usize, PushError> {
    let target = TreeCompressor::new(Vec::with_capacity(LARGEST));
    let builder = MessageBuilder::from_target(target).expect("an empty vector takes a header");
    let mut builder = builder.question();
    builder.push(Question::new_in(longest_below(zone), Rtype::A))?;
    let mut builder = builder.authority();
    for name in delegation.keys() {
        builder.push((zone.as_wire(), TTL, Ns::new(name.as_wire())))?;
    }
    let mut builder = builder.additional();
    let glue_for = |is_ipv4: bool| {
        let with_address = delegation
            .iter()
            .filter(|(_, addresses)| addresses.iter().any(|address| address.is_ipv4() == is_ipv4));
        let names: Vec<&Name> = with_address.map(|(name, _)| name).collect();
        let are_in_parent = names.iter().all(|name| name.is_at_or_below(parent));
        names.first().copied().filter(|_| are_in_parent)
    };
    if let Some(name) = glue_for(true) {
        builder.push((name.as_wire(), TTL, A::new(Ipv4Addr::UNSPECIFIED)))?;
    }
    if let Some(name) = glue_for(false) {
        builder.push((name.as_wire(), TTL, Aaaa::new(Ipv6Addr::UNSPECIFIED)))?;
    }
    Ok(builder.finish().into_target().len())
}

/// A name below `zone` that is as long as names can be; the zone itself where nothing fits before it.
fn longest_below(zone: &Name) -> OwnedName {
    let own = zone.as_wire().as_slice();
    let mut room = LONGEST_NAME - own.len();
    let mut octets = Vec::with_capacity(LONGEST_NAME);
    while room > 1 {
        // no label may be left with a single octet, which would count nothing
        let taken = match room {
            LONGEST_LABEL.. if room == LONGEST_LABEL + 1 => LONGEST_LABEL - 1,
            _ => room.min(LONGEST_LABEL),
        };
        octets.push((taken - 1) as u8);
        octets.extend(std::iter::repeat_n(b'x', taken - 1));
        room -= taken;
    }
    octets.extend(own);
    WireName::from_octets(octets).expect("labels of at most 63 octets, 255 in all")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn size(zone: &str, servers: &[(&str, &[&str])], parent: &str) -> usize {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let delegation = servers.iter().map(|(server, texts)| (name(server), addresses(texts)));
        referral_size(&name(zone), &delegation.collect(), &name(parent)).unwrap()
    }

    #[test]
    fn the_longest_name_has_255_octets_whatever_the_zone() {
        for length in 0..250_usize {
            let labels = "z".repeat(length).into_bytes();
            let zone: Vec<&str> = labels
                .chunks(50)
                .map(|label| std::str::from_utf8(label).unwrap())
                .collect();
            let zone = if zone.is_empty() {
                Name::root()
            } else {
                name(&zone.join("."))
            };
            let longest = longest_below(&zone);
            let own = zone.as_wire().as_slice().len();
            let expected = if own == LONGEST_NAME - 1 { own } else { LONGEST_NAME };
            assert_eq!(longest.as_slice().len(), expected, "{length}");
            assert!(Name::from_wire(&longest).is_at_or_below(&zone));
        }
    }

    #[test]
    fn a_referral_is_as_large_as_its_names_and_glue() {
        // header 12, question 255 + 4, NS 2 + 10 + 2 + length of the name before the zone, A 2 + 10 + 4, AAAA 2 + 10 + 16
        let both: &[&str] = &["192.0.2.1", "2001:db8::1"];
        let question = 12 + 255 + 4;
        let inside = size("a.test", &[("ns1.a.test", both), ("ns2.a.test", both)], "test");
        assert_eq!(inside, question + 2 * (2 + 10 + 4 + 2) + 16 + 28);
        let without_ipv6 = size("a.test", &[("ns1.a.test", &["192.0.2.1"]), ("ns2.a.test", &[])], "test");
        assert_eq!(without_ipv6, question + 2 * (2 + 10 + 4 + 2) + 16);
        // one name server with IPv4 outside the parent: no glue of that family
        let outside = size(
            "a.test",
            &[("ns1.a.test", both), ("ns.b.example", &["192.0.2.2"])],
            "test",
        );
        assert_eq!(outside, question + (2 + 10 + 4 + 2) + (2 + 10 + 3 + 2 + 8 + 1) + 28);
        let below_the_root = size("test", &[("ns1.a.example", both)], ".");
        assert_eq!(below_the_root, question + 2 + 10 + (4 + 2 + 8 + 1) + 16 + 28);
    }
}
