//! resolver04 and resolver08: how little it tells others of what its users ask (RFC 9156, RFC 7871 §11.1).

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use model::Name;

use super::Gathered;
use super::asks::{Ask, SUBNET};
use crate::authority::seen::Seen;
use crate::cases::Emission;
use crate::question::CLIENT_SUBNET;

/// resolver04: it asks for no more of a name than the server needs to know.
pub(super) fn resolver04(gathered: &Gathered) -> Vec<Emission> {
    let (Some(seen), Some(whole)) = (&gathered.seen, gathered.names.name(Ask::Minimise)) else {
        return Vec::new();
    };
    let name_of = |seen: &Seen| seen.name.parse::<Name>().ok();
    let asked: Vec<Name> = seen
        .iter()
        .filter_map(name_of)
        .filter(|name| whole.is_at_or_below(name))
        .collect();
    let (full, short): (Vec<&Name>, Vec<&Name>) = asked.iter().partition(|name| **name == whole);
    let emission = match (full.is_empty(), short.is_empty()) {
        (true, true) => return Vec::new(),
        (_, false) => Emission::new("R04_MINIMISES").list("names", short),
        (false, true) => Emission::new("R04_DOES_NOT_MINIMISE"),
    };
    vec![emission.arg("resolver", gathered.resolver)]
}

/// resolver08: it does not tell servers where its users are.
pub(super) fn resolver08(gathered: &Gathered) -> Vec<Emission> {
    let Some(seen) = gathered.seen.as_ref().filter(|seen| !seen.is_empty()) else {
        return Vec::new();
    };
    let subnets = seen.iter().filter_map(|seen| seen.option(CLIENT_SUBNET));
    // a source prefix of zero says that the user wants nothing told (RFC 7871 §7.1.2)
    let told: Vec<&[u8]> = subnets
        .filter(|data| data.get(2).is_some_and(|prefix| *prefix > 0))
        .collect();
    let (ours, others): (Vec<&[u8]>, Vec<&[u8]>) = told.into_iter().partition(|data| data.starts_with(&SUBNET));
    let mut emitted = Vec::new();
    if !others.is_empty() {
        let subnets: BTreeSet<String> = others.into_iter().filter_map(subnet).collect();
        emitted.push(Emission::new("R08_SENDS_SUBNET").list("subnets", subnets));
    }
    if !ours.is_empty() {
        emitted.push(Emission::new("R08_PASSES_SUBNET_ON"));
    }
    if emitted.is_empty() {
        emitted.push(Emission::new("R08_NO_SUBNET"));
    }
    emitted
        .into_iter()
        .map(|emission| emission.arg("resolver", gathered.resolver))
        .collect()
}

/// The subnet of an option (RFC 7871 §6): family, prefix length, scope, address cut to the prefix.
fn subnet(data: &[u8]) -> Option<String> {
    let (head, rest) = data.split_first_chunk::<4>()?;
    match head[..2] {
        [0, 1] if rest.len() <= 4 => {
            let mut octets = [0; 4];
            octets[..rest.len()].copy_from_slice(rest);
            Some(format!("{}/{}", Ipv4Addr::from(octets), head[2]))
        }
        [0, 2] if rest.len() <= 16 => {
            let mut octets = [0; 16];
            octets[..rest.len()].copy_from_slice(rest);
            Some(format!("{}/{}", Ipv6Addr::from(octets), head[2]))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_read_as_they_are_sent() {
        for (data, expected) in [
            (&SUBNET[..], Some("203.0.113.0/24")),
            (
                &[0, 2, 56, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 1],
                Some("2001:db8:0:100::/56"),
            ),
            (&[0, 1, 0, 0], Some("0.0.0.0/0")),
            (&[0, 1, 40, 0, 1, 2, 3, 4, 5], None),
            (&[0, 3, 8, 0, 1], None),
            (&[0, 1], None),
        ] {
            assert_eq!(subnet(data).as_deref(), expected, "{data:?}");
        }
    }
}
