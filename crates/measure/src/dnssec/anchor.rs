//! Trust anchors: the keys that are trusted without proof, where every chain begins.

use domain::base::iana::SecurityAlgorithm;
use model::{Ds, Name};

use super::{Dnskey, key};

/// A trust anchor in the form of a DS (RFC 4033 §2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Anchor {
    /// The zone.
    pub zone: Name,
    /// Its key.
    pub ds: Ds,
}

/// The anchors of the IANA root, KSK-2017 and KSK-2024.
///
/// Source: <https://data.iana.org/root-anchors/root-anchors.xml>, `Klajeyz` valid from 2017-02-02 and `Kmyv6jo` valid from
/// 2024-07-18, as the file stood in November 2025 (RFC 9718). KSK-2024 signs the root from October 2026 on; KSK-2017
/// stays here until it is revoked, and for exchanges that were saved before.
const ROOT_ANCHORS: [&str; 2] = [
    "20326,8,2,E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    "38696,8,2,683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
];

/// The trust anchors of the public DNS.
pub fn root_anchors() -> Vec<Anchor> {
    let anchor = |text: &&str| Anchor {
        zone: Name::root(),
        ds: text.parse().expect("the table holds DS records"),
    };
    ROOT_ANCHORS.iter().map(anchor).collect()
}

/// A file of anchors that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// A record is wrong.
    #[error("the trust anchor in line {line}, `{text}`: {reason}")]
    Record {
        /// The line in which it begins, from 1.
        line: usize,
        /// What it says.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is none.
    #[error("the file has no DS and no DNSKEY record")]
    Empty,
}

/// Reads anchors as a zone file of DS and DNSKEY records, such as `. IN DS 20326 8 2 E06D…`.
///
/// TTL and class may be left out, records may span lines in parentheses, comments begin with `;`. Names are absolute with or
/// without the final dot.
pub fn parse_anchors(text: &str) -> Result<Vec<Anchor>, AnchorError> {
    let mut anchors = Vec::new();
    let mut record = String::new();
    let (mut first_line, mut depth) = (1, 0_i32);
    for (at, raw) in text.lines().enumerate() {
        let line = raw.split(';').next().unwrap_or_default();
        if record.trim().is_empty() {
            first_line = at + 1;
        }
        let count = |wanted: char| line.chars().filter(|c| *c == wanted).count() as i32;
        depth += count('(') - count(')');
        record.push_str(&line.replace(['(', ')'], " "));
        record.push(' ');
        if depth <= 0 {
            if !record.trim().is_empty() {
                anchors.push(parse_record(&record).map_err(|reason| wrong(first_line, &record, reason))?);
            }
            record.clear();
            depth = 0;
        }
    }
    if !record.trim().is_empty() {
        return Err(wrong(
            first_line,
            &record,
            "a parenthesis is opened and not closed".to_owned(),
        ));
    }
    if anchors.is_empty() {
        return Err(AnchorError::Empty);
    }
    Ok(anchors)
}

fn wrong(line: usize, record: &str, reason: String) -> AnchorError {
    AnchorError::Record {
        line,
        text: record.trim().chars().take(120).collect(),
        reason,
    }
}

fn parse_record(record: &str) -> Result<Anchor, String> {
    let mut words = record.split_whitespace();
    let owner = words.next().unwrap_or_default();
    let zone: Name = owner.parse().map_err(|error| format!("{error}"))?;
    let is_ttl_or_class =
        |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit()) || word.eq_ignore_ascii_case("IN");
    let mut rest = words.skip_while(is_ttl_or_class);
    let rtype = rest.next().ok_or("the record type is missing")?.to_ascii_uppercase();
    let fields: Vec<&str> = rest.collect();
    let [first, second, third, data @ ..] = &fields[..] else {
        return Err("it has fewer than four fields".to_owned());
    };
    let ds = match rtype.as_str() {
        "DS" => {
            let text = format!("{first},{second},{third},{}", data.concat());
            text.parse().map_err(|error| format!("{error}"))?
        }
        "DNSKEY" => {
            let flags = first.parse().map_err(|_| format!("`{first}` are no flags"))?;
            let protocol = second.parse().map_err(|_| format!("`{second}` is no protocol"))?;
            let algorithm = third.parse().map_err(|_| format!("`{third}` is no algorithm number"))?;
            let octets: Vec<u8> =
                domain::utils::base64::decode(&data.concat()).map_err(|_| "the key is not base64".to_owned())?;
            let key = Dnskey::new(flags, protocol, SecurityAlgorithm::from_int(algorithm), octets)
                .map_err(|_| "the key is too long".to_owned())?;
            key::ds_of(&zone, &key, SHA256).ok_or("it has no digest")?
        }
        _ => return Err(format!("`{rtype}` is neither DS nor DNSKEY")),
    };
    Ok(Anchor { zone, ds })
}

/// Digest type in which a key given as DNSKEY is kept.
const SHA256: u8 = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // KSK-2017 as the root publishes it.
    const KSK_2017: &str = "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=";

    #[test]
    fn a_key_of_the_root_is_the_anchor_that_iana_publishes() {
        let text = format!("; comment\n.  172800 IN DNSKEY 257 3 8 (\n  {KSK_2017} ) ; KSK\n");
        assert_eq!(parse_anchors(&text).unwrap(), root_anchors()[..1]);
    }

    #[test]
    fn ds_records_are_read_with_spaces_in_the_digest() {
        let text = ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D084 58E880409BBC683457104237C7F8EC8D\n\
                    . 38 DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16";
        assert_eq!(parse_anchors(text).unwrap(), root_anchors());
    }

    #[test]
    fn a_wrong_record_is_named_with_its_line() {
        for (text, line, reason) in [
            (
                "\n. IN DS 1 2 3",
                2,
                "`1,2,3,` is not a DS of the form KEYTAG,ALGORITHM,TYPE,DIGEST: it has not four parts",
            ),
            (". IN A 192.0.2.1 x y z", 1, "`A` is neither DS nor DNSKEY"),
            (". DNSKEY 257 3 8 (AwEA", 1, "a parenthesis is opened and not closed"),
            (". DNSKEY 257 3 8 %", 1, "the key is not base64"),
        ] {
            match parse_anchors(text) {
                Err(AnchorError::Record {
                    line: found,
                    reason: said,
                    ..
                }) => assert_eq!((found, said.as_str()), (line, reason)),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(parse_anchors("; nothing\n"), Err(AnchorError::Empty));
    }

    proptest! {
        #[test]
        fn any_text_is_anchors_or_an_error(text in "([. ]|DS|DNSKEY|IN|[0-9]{1,5}|[A-F]{2}|\\(|\\)|;|\n|\\PC){0,40}") {
            let _ = parse_anchors(&text);
        }
    }
}
