//! Names and data as octets: lower case, not compressed.

use domain::base::iana::Rtype;

/// Compression pointers of one name. A name has at most 127 labels, and a pointer that leads to another one says nothing.
const MOST_POINTERS: usize = 127;

/// Longest name in octets (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 255;

/// Walks over the labels of the name at `at` of a message, and gives where the name ends there. Each piece is labels that stand
/// together, with their lengths. `None` where it is no name: cut, too long, of another label type, or pointing forward.
///
/// The same rules as `domain` has for `ParsedName`, which keeps no labels and walks again for each use: with it, names took a third
/// of the time that a capture takes.
fn walk(message: &[u8], at: usize, mut piece: impl FnMut(&[u8])) -> Option<usize> {
    let (mut start, mut place) = (at, at);
    let (mut end, mut length, mut pointers) = (None, 1, 0);
    loop {
        match *message.get(place)? {
            0 => {
                piece(message.get(start..=place)?);
                return Some(end.unwrap_or(place + 1));
            }
            label @ 1..=63 => {
                length += 1 + usize::from(label);
                if length > LONGEST_NAME {
                    return None;
                }
                place += 1 + usize::from(label);
            }
            high @ 0xc0.. => {
                let target = usize::from(high & 0x3f) << 8 | usize::from(*message.get(place + 1)?);
                pointers += 1;
                if target >= place || pointers > MOST_POINTERS {
                    return None;
                }
                piece(message.get(start..place)?);
                end = end.or(Some(place + 2));
                (start, place) = (target, target);
            }
            _ => return None,
        }
    }
}

/// Where the name at `at` of a message ends there; `None` where it is no name.
pub(crate) fn name_end(message: &[u8], at: usize) -> Option<usize> {
    walk(message, at, |_| {})
}

/// Reads the name at `at` of a message and appends it in lower case; gives where it ends there.
pub(crate) fn push_name_at(message: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let begin = out.len();
    let end = walk(message, at, |piece| out.extend_from_slice(piece))?;
    // lengths are at most 63, below the upper-case letters
    out[begin..].make_ascii_lowercase();
    Some(end)
}

/// The name and each that is left when labels are taken off, the root last. The octets must be a name.
pub(crate) fn suffixes(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(name);
    std::iter::from_fn(move || {
        let now = rest?;
        let label = usize::from(*now.first()?);
        rest = if label == 0 { None } else { now.get(1 + label..) };
        Some(now)
    })
}

/// Whether a name is `zone` or lies below it; both in lower case.
pub(crate) fn is_at_or_below(name: &[u8], zone: &[u8]) -> bool {
    name.len() >= zone.len() && name.ends_with(zone) && suffixes(name).any(|suffix| suffix.len() == zone.len())
}

/// Appends the data of a record, names in it in lower case and not compressed: the types of RFC 1035, which may be compressed, and
/// those that RFC 3597 §4 and RFC 4034 §6.2 name beside them. `None` where the data is not of the type's form.
pub(crate) fn push_rdata(message: &[u8], rtype: Rtype, (start, end): (usize, usize), out: &mut Vec<u8>) -> Option<()> {
    // most of all records; those of other lengths are told apart below
    if matches!((rtype, end - start), (Rtype::A, 4) | (Rtype::AAAA, 16)) {
        out.extend_from_slice(&message[start..end]);
        return Some(());
    }
    // octets before the names, number of names, octets behind them (`None`: any number)
    let (before, names, behind) = match rtype {
        Rtype::NS
        | Rtype::MD
        | Rtype::MF
        | Rtype::CNAME
        | Rtype::MB
        | Rtype::MG
        | Rtype::MR
        | Rtype::PTR
        | Rtype::DNAME => (0, 1, Some(0)),
        Rtype::SOA => (0, 2, Some(20)),
        Rtype::MINFO | Rtype::RP => (0, 2, Some(0)),
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX => (2, 1, Some(0)),
        Rtype::PX => (2, 2, Some(0)),
        Rtype::SRV => (6, 1, Some(0)),
        Rtype::RRSIG | Rtype::SIG => (18, 1, None),
        Rtype::NSEC | Rtype::NXT => (0, 1, None),
        Rtype::SVCB | Rtype::HTTPS => (2, 1, None),
        Rtype::NAPTR => (naptr_strings(&message[start..end])?, 1, Some(0)),
        Rtype::A => (4, 0, Some(0)),
        Rtype::AAAA => (16, 0, Some(0)),
        _ => (0, 0, None),
    };
    out.extend_from_slice(message.get(start..start + before).filter(|_| start + before <= end)?);
    let mut at = start + before;
    for _ in 0..names {
        at = push_name_at(message, at, out)?;
    }
    let rest = message.get(at..end)?;
    if behind.is_some_and(|behind| rest.len() != behind) {
        return None;
    }
    out.extend_from_slice(rest);
    Some(())
}

/// Octets of order, preference and the three strings of a NAPTR record (RFC 3403 §4.1).
fn naptr_strings(rdata: &[u8]) -> Option<usize> {
    let mut at = 4;
    for _ in 0..3 {
        at += 1 + usize::from(*rdata.get(at)?);
    }
    Some(at)
}
