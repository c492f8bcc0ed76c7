//! How a zone will be delegated, as people type it when they announce a change.

use std::net::IpAddr;

use model::{Delegation, Ds, Name};

/// Reads lines of a name server with its glue (`ns1.example.net 192.0.2.1 2001:db8::1`), and of a DS record
/// (`DS 12345 13 2 0F…`, or the four parts with commas). `None` where nothing is typed. Where no DS record is typed, those of
/// `now` stay.
///
/// # Errors
/// The first line that is neither.
pub(crate) fn read<'t>(text: &'t str, now: Option<&Delegation>) -> Result<Option<Delegation>, &'t str> {
    let mut planned = Delegation::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let keyword = line.get(..2).filter(|word| word.eq_ignore_ascii_case("ds"));
        let values = keyword
            .and_then(|_| line[2..].strip_prefix(char::is_whitespace))
            .unwrap_or(line);
        if let Ok(ds) = values.parse::<Ds>() {
            planned.ds.insert(ds);
            continue;
        }
        let mut words = line.split_whitespace();
        let server: Option<Name> = words.next().and_then(|word| word.parse().ok());
        let addresses: Option<Vec<IpAddr>> = words.map(|word| word.parse().ok()).collect();
        let (Some(server), Some(addresses)) = (server.filter(|name| name.label_count() > 1), addresses) else {
            return Err(line);
        };
        planned.ns.entry(server).or_default().extend(addresses);
    }
    if planned == Delegation::default() {
        return Ok(None);
    }
    if let Some(now) = now {
        if planned.ds.is_empty() {
            planned.ds.clone_from(&now.ds);
        }
        if planned.ns.is_empty() {
            planned.ns.clone_from(&now.ns);
        }
    }
    Ok(Some(planned))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_glue_and_ds_records_are_read_as_people_type_them() {
        let now = read("ns1.old.example\nDS 7 13 2 0a0b", None).unwrap().unwrap();
        for (typed, servers, ds) in [
            ("ns1.new.example", "ns1.new.example", "7,13,2,0A0B"),
            (
                " NS1.New.Example.  192.0.2.1 2001:db8::1 \n\nns2.new.example",
                "ns1.new.example 192.0.2.1 2001:db8::1; ns2.new.example",
                "7,13,2,0A0B",
            ),
            ("ds 9 13 2 0c0d", "ns1.old.example", "9,13,2,0C0D"),
            ("ns.new.example\n9,13,2,0c0d", "ns.new.example", "9,13,2,0C0D"),
        ] {
            let read = read(typed, Some(&now)).unwrap().unwrap();
            let server = |(name, addresses): (&Name, &std::collections::BTreeSet<IpAddr>)| {
                let words = std::iter::once(name.to_string()).chain(addresses.iter().map(ToString::to_string));
                words.collect::<Vec<_>>().join(" ")
            };
            let seen: Vec<String> = read.ns.iter().map(server).collect();
            assert_eq!(seen.join("; "), servers, "{typed}");
            let seen: Vec<String> = read.ds.iter().map(|ds| ds.to_string().to_uppercase()).collect();
            assert_eq!(seen.join("; "), ds, "{typed}");
        }
        assert_eq!(read(" \n", Some(&now)), Ok(None));
    }

    #[test]
    fn a_line_that_is_neither_is_named() {
        for (typed, wrong) in [
            ("ns1.new.example 192.0.2.300", "ns1.new.example 192.0.2.300"),
            ("ns1.new.example\n192.0.2.1 ns1", "192.0.2.1 ns1"),
            ("DS 7 13 2 xyz", "DS 7 13 2 xyz"),
            ("we change it on Monday", "we change it on Monday"),
            ("servers", "servers"),
        ] {
            assert_eq!(read(typed, None), Err(wrong));
        }
    }

    proptest! {
        #[test]
        fn no_text_harms(text in any::<String>()) {
            let _ = read(&text, None);
        }
    }
}
