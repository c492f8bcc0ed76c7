//! Questions as they stand in an address.

use axum::http::Uri;
use domain::base::Name as Wire;
use domain::base::iana::Rtype;
use lake::passive::{Fences, NamePattern, Query, Scope, ValuePattern};
use model::{Addresses, Name, Timestamp};

use super::Refused;

/// Answers that are given when a question names no limit.
pub(super) const LIMIT: usize = 10_000;
/// Answers that are given at most; limit 0 stands for it.
pub(super) const MOST_RESULTS: usize = 1_000_000;
/// Answers that can be left out at the beginning at most: each of them is looked up.
pub(super) const MOST_OFFSET: usize = 1_000_000;

/// Types of ANY-DNSSEC: DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, CDS, CDNSKEY, TA, DLV.
const DNSSEC: [u16; 10] = [43, 46, 47, 48, 50, 51, 59, 60, 32768, 32769];

/// A question to one of the tables.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// RRsets by their owners.
    Owner(Query<NamePattern>),
    /// Records by their values.
    Value(Query<ValuePattern>),
}

/// Further words of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters {
    /// What may be seen.
    pub scope: Scope,
    pub limit: Option<usize>,
    pub offset: usize,
    pub max_count: Option<u64>,
    pub fences: Fences,
    /// Times as RFC 3339 has them.
    pub humantime: bool,
    /// What answers must not match (flexible search).
    pub exclude: Option<String>,
    /// Counts and times too (flexible search).
    pub verbose: bool,
}

impl Parameters {
    /// None but what may be seen.
    pub fn within(scope: Scope) -> Self {
        Self {
            scope,
            limit: None,
            offset: 0,
            max_count: None,
            fences: Fences::default(),
            humantime: false,
            exclude: None,
            verbose: true,
        }
    }
}

fn wrong(what: &str, text: &str) -> Refused {
    let text: String = text.chars().take(100).collect();
    Refused::Question(format!("`{text}` is not {what}"))
}

/// The segments of an address behind `before`, each decoded.
pub(super) fn segments(uri: &Uri, before: &str) -> Result<Vec<String>, Refused> {
    let tail = uri.path().strip_prefix(before).unwrap_or_default();
    tail.split('/')
        .map(|segment| decoded(segment).ok_or_else(|| wrong("text in UTF-8", segment)))
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok()
}

/// The parameters of an address. Those that are not known say who asks, and are left aside.
pub(super) fn parameters(uri: &Uri, now: Timestamp, scope: &Scope) -> Result<Parameters, Refused> {
    let mut found = Parameters::within(scope.clone());
    for pair in uri.query().unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(&value.replace('+', " ")).ok_or_else(|| wrong("text in UTF-8", value))?;
        let number = || {
            value
                .parse::<usize>()
                .map_err(|_| wrong(&format!("a number for `{name}`"), &value))
        };
        let time = || {
            time(&value, now)
                .map(Some)
                .ok_or_else(|| wrong(&format!("a time for `{name}`"), &value))
        };
        match name {
            "limit" => found.limit = Some(number()?),
            "offset" => found.offset = number()?,
            "max_count" => found.max_count = Some(number()? as u64),
            "time_first_after" => found.fences.first_after = time()?,
            "time_first_before" => found.fences.first_before = time()?,
            "time_last_after" => found.fences.last_after = time()?,
            "time_last_before" => found.fences.last_before = time()?,
            "humantime" => found.humantime = is_true(&value),
            "verbose" => found.verbose = is_true(&value),
            "exclude" => found.exclude = Some(value),
            _ => {}
        }
    }
    if found.offset > MOST_OFFSET {
        return Err(Refused::Offset);
    }
    Ok(found)
}

fn is_true(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "t" | "true" | "1" | "y" | "yes" | "on"
    )
}

/// Seconds since 1970, or before now when negative.
fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let seconds: i64 = text.parse().ok()?;
    if seconds < 0 {
        now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()
    } else {
        Timestamp::from_second(seconds).ok()
    }
}

/// Types of a question; `None` for all.
pub(super) fn rtypes(text: Option<&String>) -> Result<Option<Vec<Rtype>>, Refused> {
    match text.map(|text| text.to_ascii_uppercase()).as_deref() {
        None | Some("" | "ANY") => Ok(None),
        Some("ANY-DNSSEC") => Ok(Some(DNSSEC.map(Rtype::from_int).to_vec())),
        Some(text) => {
            let rtypes = text
                .split(',')
                .map(|one| one.parse().map_err(|_| wrong("a type of the DNS", one)));
            rtypes.collect::<Result<_, _>>().map(Some)
        }
    }
}

/// Answers that are given at most.
pub(super) fn limit(parameters: &Parameters) -> usize {
    match parameters.limit {
        None => LIMIT,
        Some(0) => MOST_RESULTS,
        Some(limit) => limit.min(MOST_RESULTS),
    }
}

/// The question with its parameters.
pub(super) fn query<P: lake::passive::Pattern>(
    pattern: P,
    rtypes: Option<Vec<Rtype>>,
    bailiwick: Option<Name>,
    parameters: &Parameters,
) -> Query<P> {
    Query {
        rtypes,
        bailiwick,
        fences: parameters.fences,
        scope: parameters.scope.clone(),
        offset: parameters.offset,
        ..Query::new(pattern, limit(parameters))
    }
}

/// The question of `rrset/name/NAME/TYPE/BAILIWICK` and its likes.
pub(super) fn parse(segments: &[String], parameters: &Parameters) -> Result<Asked, Refused> {
    let segments: Vec<&String> = segments.iter().collect();
    let (table, kind, value, rest) = match segments.as_slice() {
        [table, kind, value, rest @ ..] if rest.len() <= 2 => (table.as_str(), kind.as_str(), value.as_str(), rest),
        _ => {
            return Err(Refused::Question(
                "a question is rrset/name/NAME, rrset/raw/HEX, rdata/name/NAME, rdata/ip/ADDR or rdata/raw/HEX"
                    .to_owned(),
            ));
        }
    };
    let rtypes = rtypes(rest.first().copied())?;
    let bailiwick = match rest.get(1) {
        Some(zone) => Some(zone.parse().map_err(|_| wrong("a bailiwick", zone))?),
        None => None,
    };
    let name = || {
        value
            .parse::<NamePattern>()
            .map_err(|error| Refused::Question(error.to_string()))
    };
    let octets = || hex::decode(value).map_err(|_| wrong("octets in hexadecimal digits", value));
    let of_owner = |pattern| Asked::Owner(query(pattern, rtypes.clone(), bailiwick, parameters));
    let of_value = |pattern| Asked::Value(query(pattern, rtypes.clone(), None, parameters));
    match (table, kind) {
        ("rrset", "name") => Ok(of_owner(name()?)),
        ("rrset", "raw") => {
            let wire = Wire::from_octets(octets()?).map_err(|_| wrong("a name on the wire", value))?;
            Ok(of_owner(NamePattern::Exact(Name::from_wire(&wire))))
        }
        ("rdata", "name") => Ok(of_value(ValuePattern::Name(name()?))),
        ("rdata", "raw") => Ok(of_value(ValuePattern::Raw(octets()?))),
        ("rdata", "ip") => Ok(of_value(
            addresses(value)?.ok_or_else(|| wrong("an address, a prefix or a range", value))?,
        )),
        _ => Err(wrong("a kind of question", &format!("{table}/{kind}"))),
    }
}

/// `192.0.2.1`, `192.0.2.0,24` or `192.0.2.0/24`, `192.0.2.1-192.0.2.9`; `None` for what is a name.
pub(super) fn addresses(text: &str) -> Result<Option<ValuePattern>, Refused> {
    let addresses = Addresses::read(text).map_err(|error| Refused::Question(error.to_string()))?;
    Ok(addresses.map(|addresses| match addresses {
        Addresses::One(address) => ValuePattern::Address(address),
        Addresses::Prefix(prefix) => ValuePattern::Prefix(prefix),
        Addresses::Range(first, last) => ValuePattern::Range(first, last),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn asked(address: &str) -> Result<Asked, Refused> {
        let uri: Uri = address.parse().unwrap();
        parse(&segments(&uri, "/")?, &parameters(&uri, now(), &Scope::ALL)?)
    }

    fn status(address: &str) -> u16 {
        use axum::response::IntoResponse;
        asked(address).map_or_else(|refused| refused.into_response().status().as_u16(), |_| 200)
    }

    #[test]
    fn an_address_is_a_question() {
        let Asked::Owner(query) =
            asked("/rrset/name/%2A.example.com/ns,mx/com?limit=0&time_last_after=-60&swclient=dnsdbq").unwrap()
        else {
            panic!()
        };
        assert_eq!(query.pattern.to_string(), "*.example.com");
        assert_eq!(query.rtypes, Some(vec![Rtype::NS, Rtype::MX]));
        assert_eq!(query.bailiwick, Some("com".parse().unwrap()));
        assert_eq!(query.limit, MOST_RESULTS);
        assert_eq!(
            query.fences.last_after,
            Some(Timestamp::from_second(1_699_999_940).unwrap())
        );
        let value = |address| match asked(address).unwrap() {
            Asked::Value(query) => query.pattern,
            Asked::Owner(query) => panic!("{query:?}"),
        };
        assert_eq!(
            value("/rdata/ip/2001%3Adb8%3A%3A1"),
            ValuePattern::Address("2001:db8::1".parse().unwrap())
        );
        assert_eq!(
            value("/rdata/ip/192.0.2.0,24"),
            ValuePattern::Prefix("192.0.2.0/24".parse().unwrap())
        );
        assert_eq!(
            value("/rdata/ip/192.0.2.1-192.0.2.9"),
            ValuePattern::Range("192.0.2.1".parse().unwrap(), "192.0.2.9".parse().unwrap())
        );
        assert_eq!(value("/rdata/raw/C0000201/A"), ValuePattern::Raw(vec![192, 0, 2, 1]));
        assert_eq!(
            asked("/rrset/raw/0161017a00").unwrap(),
            asked("/rrset/name/a.z").unwrap()
        );
    }

    #[test]
    fn what_is_no_question_says_so() {
        for address in [
            "/rrset/name",
            "/rrset/name/a..b",
            "/rrset/name/a/NOTYPE",
            "/rrset/name/a/A/b/c",
            "/rrset/raw/zz",
            "/rrset/raw/0161",
            "/rdata/ip/300.1.1.1",
            "/rdata/ip/192.0.2.0,33",
            "/rdata/ip/192.0.2.0%2F33",
            "/rdata/ip/2001:db8::,129",
            "/rdata/ip/192.0.2.9-192.0.2.1",
            "/rdata/ip/192.0.2.1-2001:db8::1",
            "/rdata/ip/www.example.com",
            "/rdata/txt/a",
            "/rrset/name/%FF",
            "/rrset/name/%",
            "/rrset/name/a?limit=-1",
            "/rrset/name/a?time_last_after=soon",
        ] {
            assert_eq!(status(address), 400, "{address}");
        }
        assert_eq!(status("/rrset/name/a?offset=1000001"), 416);
    }

    #[test]
    fn what_looks_like_addresses_and_is_none_is_no_name() {
        for text in [
            "300.1.1.1",
            "192.0.2.0/33",
            "2001:db8::/129",
            "192.0.2.9-192.0.2.1",
            "192.0.2.1-2001:db8::1",
        ] {
            let Err(Refused::Question(told)) = addresses(text) else {
                panic!("{text}");
            };
            assert!(told.starts_with(&format!("`{text}` is not a")), "{told}");
        }
        assert!(matches!(addresses("www.example.com"), Ok(None)));
        assert_eq!(
            asked("/rrset/name/300.1.1.1").unwrap(),
            asked("/rrset/name/300.1.1.1.").unwrap(),
            "who asks for a name gets it"
        );
    }

    proptest! {
        #[test]
        fn any_address_is_a_question_or_a_refusal(tail in "[ -~&&[^\"<>\\\\^`{|} #]]{0,80}") {
            if let Ok(uri) = format!("/{tail}").parse::<Uri>() {
                let _ = segments(&uri, "/").and_then(|segments| parse(&segments, &parameters(&uri, now(), &Scope::ALL)?));
            }
        }
    }
}
