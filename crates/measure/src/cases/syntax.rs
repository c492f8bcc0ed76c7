//! Syntax: whether names are written as names of zones and hosts are (`Syntax-TP`, without syntax06).

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use domain::base::name::Label;
use domain::rdata::Soa;
use model::Name;

use super::syntax_mailbox::syntax06;
use super::{Case, Emission, case, first_response};
use crate::record::{OwnedName, Record};
use crate::run::Run;

/// The cases of this group.
pub const CASES: &[Case] = &[
    case!("syntax01", syntax01),
    case!("syntax02", syntax02),
    case!("syntax03", syntax03),
    case!("syntax04", syntax04),
    case!("syntax05", syntax05),
    case!("syntax06", syntax06),
    case!("syntax07", syntax07),
    case!("syntax08", syntax08),
];

/// The labels of a name, without the root's empty one.
fn labels(name: &Name) -> impl Iterator<Item = &Label> {
    name.as_wire().iter().filter(|label| !label.is_root())
}

/// Letters, digits and hyphens alone (RFC 1123 §2.1). That a label or a name is not too long is so for any that came in
/// a message.
fn is_ldh(label: &Label) -> bool {
    label.iter().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

/// Hyphens in the third and fourth place, which are kept for A-labels (RFC 3696 §5, RFC 5891 §4.2.3.1).
fn has_double_hyphen(label: &Label) -> bool {
    let octets = label.as_slice();
    octets.get(2..4) == Some(b"--") && !octets[..2].eq_ignore_ascii_case(b"xn")
}

/// syntax01: no letters that names of hosts do not have.
async fn syntax01(run: &Run) -> Vec<Emission> {
    let tag = if labels(run.zone()).all(is_ldh) {
        "ONLY_ALLOWED_CHARS"
    } else {
        "NON_ALLOWED_CHARS"
    };
    vec![Emission::new(tag).arg("domain", run.zone())]
}

/// syntax02: no label begins or ends with a hyphen.
async fn syntax02(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let mut emitted = Vec::new();
    for label in labels(zone) {
        let say = |tag| Emission::new(tag).arg("label", label).arg("domain", zone);
        if label.as_slice().first() == Some(&b'-') {
            emitted.push(say("INITIAL_HYPHEN"));
        }
        if label.as_slice().last() == Some(&b'-') {
            emitted.push(say("TERMINAL_HYPHEN"));
        }
    }
    if emitted.is_empty() {
        emitted.push(Emission::new("NO_ENDING_HYPHENS").arg("domain", zone));
    }
    emitted
}

/// syntax03: no label looks like an A-label without being one.
async fn syntax03(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let wrong = labels(zone).filter(|label| has_double_hyphen(label));
    let mut emitted: Vec<Emission> = wrong
        .map(|label| {
            let say = Emission::new("DISCOURAGED_DOUBLE_DASH");
            say.arg("label", label).arg("domain", zone)
        })
        .collect();
    if emitted.is_empty() {
        emitted.push(Emission::new("NO_DOUBLE_DASH").arg("domain", zone));
    }
    emitted
}

/// How the messages on names of hosts are called in a case, and their argument.
struct HostTags {
    letters: &'static str,
    numeric: &'static str,
    double_hyphen: &'static str,
    ok: &'static str,
    argument: &'static str,
}

const NAMESERVER: HostTags = HostTags {
    letters: "NAMESERVER_NON_ALLOWED_CHARS",
    numeric: "NAMESERVER_NUMERIC_TLD",
    double_hyphen: "NAMESERVER_DISCOURAGED_DOUBLE_DASH",
    ok: "NAMESERVER_SYNTAX_OK",
    argument: "nsname",
};
const MNAME: HostTags = HostTags {
    letters: "MNAME_NON_ALLOWED_CHARS",
    numeric: "MNAME_NUMERIC_TLD",
    double_hyphen: "MNAME_DISCOURAGED_DOUBLE_DASH",
    ok: "MNAME_SYNTAX_OK",
    argument: "nsname",
};
const MX: HostTags = HostTags {
    letters: "MX_NON_ALLOWED_CHARS",
    numeric: "MX_NUMERIC_TLD",
    double_hyphen: "MX_DISCOURAGED_DOUBLE_DASH",
    ok: "MX_SYNTAX_OK",
    argument: "mailtarget",
};

/// Judges the name of a host (syntax04, steps 3 to 5).
fn judge_host(name: &Name, tags: &HostTags) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let say = |tag| Emission::new(tag).arg(tags.argument, name);
    if !labels(name).all(is_ldh) {
        emitted.push(say(tags.letters));
    }
    if let Some(top) = labels(name).last()
        && top.iter().all(|octet| octet.is_ascii_digit())
    {
        emitted.push(say(tags.numeric).arg("label", top));
    }
    let double = labels(name).filter(|label| has_double_hyphen(label));
    emitted.extend(double.map(|label| say(tags.double_hyphen).arg("label", label)));
    if emitted.is_empty() {
        emitted.push(say(tags.ok));
    }
    emitted
}

/// syntax04: the names of the name servers are names of hosts.
async fn syntax04(run: &Run) -> Vec<Emission> {
    let in_delegation = run.delegation().await.into_iter().flat_map(|set| set.keys());
    let names: BTreeSet<&Name> = in_delegation
        .chain(run.zone_names().await.into_iter().flatten())
        .collect();
    names
        .into_iter()
        .flat_map(|name| judge_host(name, &NAMESERVER))
        .collect()
}

/// The SOA record of the first server that answers well, or else of the first that answers at all.
async fn first_soa(run: &Run) -> Option<Soa<OwnedName>> {
    let exchange = first_response(run, Rtype::SOA).await?;
    let mut records = exchange.response()?.answers(run.zone(), Rtype::SOA);
    records.find_map(Record::soa).cloned()
}

/// syntax05: RNAME has a dot where a mailbox has its at-sign.
async fn syntax05(run: &Run) -> Vec<Emission> {
    let Some(soa) = first_soa(run).await else {
        return vec![Emission::new("NO_RESPONSE_SOA_QUERY")];
    };
    let has_at_sign = soa.rname().iter().any(|label| label.as_slice().contains(&b'@'));
    let tag = if has_at_sign {
        "RNAME_MISUSED_AT_SIGN"
    } else {
        "RNAME_NO_AT_SIGN"
    };
    vec![Emission::new(tag).arg("rname", soa.rname())]
}

/// syntax07: MNAME is the name of a host.
async fn syntax07(run: &Run) -> Vec<Emission> {
    match first_soa(run).await {
        Some(soa) => judge_host(&Name::from_wire(soa.mname()), &MNAME),
        None => vec![Emission::new("NO_RESPONSE_SOA_QUERY")],
    }
}

/// syntax08: the names of the mail servers are names of hosts. "No mail here" (RFC 7505) names no host.
async fn syntax08(run: &Run) -> Vec<Emission> {
    let Some(exchange) = first_response(run, Rtype::MX).await else {
        return vec![Emission::new("NO_RESPONSE_MX_QUERY")];
    };
    let responses = exchange.response().into_iter();
    let records = responses.flat_map(|response| response.answers(run.zone(), Rtype::MX));
    let hosts: BTreeSet<Name> = records
        .filter_map(Record::mx)
        .map(|mx| Name::from_wire(mx.exchange()))
        .filter(|host| !host.is_root())
        .collect();
    hosts.iter().flat_map(|host| judge_host(host, &MX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_judged_label_by_label() {
        for (name, expected) in [
            ("ns1.example.test", &["NAMESERVER_SYNTAX_OK"][..]),
            ("xn--abc.xn--p1ai", &["NAMESERVER_SYNTAX_OK"]),
            ("XN--abc.test", &["NAMESERVER_SYNTAX_OK"]),
            ("1.2.3.test", &["NAMESERVER_SYNTAX_OK"]),
            ("a--b.test", &["NAMESERVER_SYNTAX_OK"]),
            (".", &["NAMESERVER_SYNTAX_OK"]),
            ("ns_1.test", &["NAMESERVER_NON_ALLOWED_CHARS"]),
            ("ns\\.1.test", &["NAMESERVER_NON_ALLOWED_CHARS"]),
            ("192.0.2.1", &["NAMESERVER_NUMERIC_TLD"]),
            ("ab--c.test", &["NAMESERVER_DISCOURAGED_DOUBLE_DASH"]),
            ("ab--.test", &["NAMESERVER_DISCOURAGED_DOUBLE_DASH"]),
            (
                "n_1.ab--c.xy--z.7",
                &[
                    "NAMESERVER_NON_ALLOWED_CHARS",
                    "NAMESERVER_NUMERIC_TLD",
                    "NAMESERVER_DISCOURAGED_DOUBLE_DASH",
                    "NAMESERVER_DISCOURAGED_DOUBLE_DASH",
                ],
            ),
        ] {
            let emitted = judge_host(&name.parse().unwrap(), &NAMESERVER);
            let tags: Vec<&str> = emitted.iter().map(|emission| emission.tag).collect();
            assert_eq!(tags, expected, "{name}");
        }
    }
}
