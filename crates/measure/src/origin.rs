//! Who announces an address, and in which prefix: from the table of routes where one is given, else by the look-up
//! service of Team Cymru's form (connectivity03 and connectivity04, "Cymru look-up").

use std::net::IpAddr;

use domain::base::iana::{OptRcode, Rtype};
use model::{Name, Prefix};

use crate::lookup::Lookup;
use crate::record::Record;
use crate::reverse;
use crate::run::Run;

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is announced.
    Announced {
        /// The narrowest prefix.
        prefix: Prefix,
        /// The AS numbers that announce it, in their order; empty where the service's text had none that could be read.
        asns: Vec<u32>,
    },
    /// Nobody announces it.
    Unannounced,
    /// The service has texts on it, and none could be read.
    Unreadable,
    /// The service did not answer, or what it says cannot be right.
    Failed,
}

impl Run {
    /// Who announces `address`; `None` in a lab that has no routes.
    pub(crate) async fn origin(&self, address: IpAddr) -> Option<Origin> {
        if let Some(routes) = &self.profile().routes {
            return Some(match routes.origin(address) {
                Some((prefix, asns)) => Origin::Announced {
                    prefix,
                    asns: asns.to_vec(),
                },
                None => Origin::Unannounced,
            });
        }
        let mut last = None;
        for zone in &self.profile().asn_zones {
            if !self.is_there(zone).await {
                continue;
            }
            let found = self.origin_by(zone, address).await;
            if found != Origin::Failed {
                return Some(found);
            }
            last = Some(found);
        }
        last
    }

    async fn origin_by(&self, zone: &Name, address: IpAddr) -> Origin {
        let table = zone.child(if address.is_ipv4() { "origin" } else { "origin6" });
        let Some(name) = table.ok().and_then(|table| reverse::below(address, &table)) else {
            return Origin::Failed;
        };
        judge(&self.lookup(&name, Rtype::TXT).await, address)
    }
}

fn judge(answer: &Lookup, address: IpAddr) -> Origin {
    match answer.rcode {
        // an alias that leads nowhere is the service's fault and says nothing of the address
        _ if answer.alias && answer.records.is_empty() => return Origin::Failed,
        Some(OptRcode::NXDOMAIN) => return Origin::Unannounced,
        Some(OptRcode::NOERROR) if answer.records.is_empty() => return Origin::Unannounced,
        Some(OptRcode::NOERROR) => {}
        _ => return Origin::Failed,
    }
    let texts = answer.records.iter().filter_map(Record::txt);
    let routes: Vec<(Prefix, Vec<u32>)> = texts.filter_map(|text| route_in(&text)).collect();
    if routes.iter().any(|(prefix, _)| !prefix.contains(address)) {
        return Origin::Failed;
    }
    let narrowest = routes.into_iter().max_by_key(|(prefix, _)| prefix.length());
    match narrowest {
        Some((prefix, asns)) => Origin::Announced { prefix, asns },
        None => Origin::Unreadable,
    }
}

/// Reads `64500 64501 | 192.0.2.0/24 | NL | ripencc | 2001-01-01`: prefix and origins.
fn route_in(text: &[u8]) -> Option<(Prefix, Vec<u32>)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut fields = text.split('|').map(str::trim);
    let (asns, prefix) = (fields.next()?, fields.next()?);
    let asns: Result<Vec<u32>, _> = asns.split_whitespace().map(str::parse).collect();
    let mut asns = asns.unwrap_or_default();
    asns.sort_unstable();
    asns.dedup();
    Some((prefix.parse().ok()?, asns))
}

#[cfg(test)]
mod tests {
    use domain::base::iana::Class;
    use domain::rdata::Txt;
    use proptest::prelude::*;

    use super::*;
    use crate::record::Data;

    fn answer(rcode: Option<OptRcode>, alias: bool, texts: &[&str]) -> Lookup {
        let name: Name = "7.2.0.192.origin.asn.test".parse().unwrap();
        let record = |text: &&str| Record {
            owner: name.clone(),
            class: Class::IN,
            ttl: 60,
            data: Data::Txt(Txt::build_from_slice(text.as_bytes()).unwrap()),
        };
        Lookup {
            rcode,
            records: texts.iter().map(record).collect(),
            alias,
            canonical: name.clone(),
            aliases: Vec::new(),
            exchange: None,
        }
    }

    fn judged(answer: &Lookup) -> String {
        match judge(answer, "192.0.2.7".parse().unwrap()) {
            Origin::Announced { prefix, asns } => format!("{prefix} {asns:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_answers_of_the_service_are_told_apart() {
        let ok = Some(OptRcode::NOERROR);
        for (answer, expected) in [
            (answer(Some(OptRcode::NXDOMAIN), false, &[]), "Unannounced"),
            (answer(ok, false, &[]), "Unannounced"),
            (answer(ok, true, &[]), "Failed"),
            (answer(Some(OptRcode::NXDOMAIN), true, &[]), "Failed"),
            (answer(None, false, &[]), "Failed"),
            (answer(ok, false, &["no routing data"]), "Unreadable"),
            (
                answer(ok, false, &["64501 64500 | 192.0.2.0/24 | NA"]),
                "192.0.2.0/24 [64500, 64501]",
            ),
            (answer(ok, false, &["x | 192.0.2.0/24 | NA"]), "192.0.2.0/24 []"),
            (
                answer(ok, false, &["1 | 192.0.0.0/16", "2 | 192.0.2.0/24", "3 | 192.0.0.0/8"]),
                "192.0.2.0/24 [2]",
            ),
            (
                answer(ok, false, &["1 | 192.0.2.0/24", "2 | 198.51.100.0/24"]),
                "Failed",
            ),
            (answer(ok, false, &["1 | 192.0.2.0/24", "a note"]), "192.0.2.0/24 [1]"),
        ] {
            assert_eq!(judged(&answer), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_route_or_none(text in proptest::collection::vec(any::<u8>(), 0..60), words in "[0-9 |./]{0,40}") {
            let _ = route_in(&text);
            let _ = route_in(words.as_bytes());
        }
    }
}
