//! nameserver15: whether a server tells which software it runs.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::iana::{Class, OptRcode, Rtype};
use futures_util::future::join_all;
use model::Name;

use super::{Case, Emission, case};
use crate::exchange::Exchange;
use crate::question::Question;
use crate::run::Run;
use crate::server::Server;

/// The case of this file.
pub const CASES: &[Case] = &[case!("nameserver15", nameserver15)];

/// Names under which servers tell their version, in class CH.
const VERSIONS: [&str; 2] = ["version.bind", "version.server"];

/// Most characters of a version that are shown. Chosen by us: a version is a word or two; a hostile text is not passed on.
const SHOWN: usize = 200;

/// nameserver15: no server reveals its version. It asks the servers that answer at all.
pub async fn nameserver15(run: &Run) -> Vec<Emission> {
    let soa = Question::plain(run.zone(), Rtype::SOA);
    let questions = VERSIONS.map(|name| {
        let name: Name = name.parse().expect("a constant name is a name");
        Question::plain(&name, Rtype::TXT).class(Class::CH)
    });
    let asked = run.child_addresses().await.keys().map(async |address| {
        run.ask(*address, &soa).await.response()?;
        let answers = join_all(questions.iter().map(|question| run.ask(*address, question))).await;
        Some((*address, answers))
    });
    let mut revealed: BTreeMap<(String, &Name), BTreeSet<Server>> = BTreeMap::new();
    let mut failed: BTreeMap<&Name, BTreeSet<Server>> = BTreeMap::new();
    let (mut discreet, mut wrong_class) = (BTreeSet::new(), BTreeSet::new());
    for (address, answers) in join_all(asked).await.into_iter().flatten() {
        let servers = run.servers_at(address);
        let mut is_discreet = true;
        for (question, answer) in questions.iter().zip(&answers) {
            let Some(texts) = texts(answer) else {
                failed
                    .entry(&question.name)
                    .or_default()
                    .extend(servers.iter().cloned());
                continue;
            };
            for (class, text) in texts {
                if class != Class::CH {
                    wrong_class.extend(servers.iter().cloned());
                }
                if !text.is_empty() {
                    is_discreet = false;
                    let to = revealed.entry((text, &question.name)).or_default();
                    to.extend(servers.iter().cloned());
                }
            }
        }
        if is_discreet {
            discreet.extend(servers);
        }
    }
    let mut emitted = Vec::new();
    for ((text, name), servers) in revealed {
        let say = Emission::new("N15_SOFTWARE_VERSION").list("ns_list", servers);
        emitted.push(say.arg("query_name", name).arg("string", text));
    }
    for (name, servers) in failed {
        let say = Emission::new("N15_ERROR_ON_VERSION_QUERY").list("ns_list", servers);
        emitted.push(say.arg("query_name", name));
    }
    for (tag, servers) in [("N15_NO_VERSION_REVEALED", discreet), ("N15_WRONG_CLASS", wrong_class)] {
        if !servers.is_empty() {
            emitted.push(Emission::new(tag).list("ns_list", servers));
        }
    }
    emitted
}

/// The texts in an answer, each with its class; `None` where there is no answer, or SERVFAIL.
fn texts(exchange: &Exchange) -> Option<Vec<(Class, String)>> {
    let response = exchange
        .response()
        .filter(|response| response.rcode != OptRcode::SERVFAIL)?;
    let records = response.answers(&exchange.question.name, Rtype::TXT);
    Some(
        records
            .filter_map(|record| Some((record.class, readable(&record.txt()?))))
            .collect(),
    )
}

/// A text as it can be shown: without blanks around it, and `\DDD` for octets that are no characters (RFC 1035 §5.1).
fn readable(octets: &[u8]) -> String {
    let text = match std::str::from_utf8(octets) {
        Ok(text) => text.trim_matches([' ', '\t']).to_owned(),
        Err(_) => {
            let escape = |octet: &u8| match octet {
                b' '..=b'~' | b'\t' => char::from(*octet).to_string(),
                _ => format!("\\{octet:03}"),
            };
            let text: String = octets.iter().map(escape).collect();
            text.trim_matches([' ', '\t']).to_owned()
        }
    };
    let escape = |letter: char| match letter.is_control() {
        true => format!("\\{:03}", u32::from(letter)),
        false => letter.to_string(),
    };
    text.chars().take(SHOWN).map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_made_readable() {
        for (octets, shown) in [
            (&b" 9.20.1-Debian\t "[..], "9.20.1-Debian"),
            (b"", ""),
            (b" \t ", ""),
            ("serveur é".as_bytes(), "serveur é"),
            (b"a\x1b[31mb", "a\\027[31mb"),
            (b" a\x1b\xff\t", "a\\027\\255"),
            (b"\n", "\\010"),
        ] {
            assert_eq!(readable(octets), shown);
        }
        assert_eq!(readable(&[b'x'; 1000]).len(), SHOWN);
    }
}
