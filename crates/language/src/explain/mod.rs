//! Findings in plain words: what was seen, why it matters, how to mend it, which standard says so.
//!
//! The texts stand in `explanations/LANGUAGE/GROUP.toml`: a table per test case, below it one per tag; what the case's own
//! table says (`why`, `rfc`, `kindns`) is the default of its tags. `{arg}` puts an argument in, `{arg:time}` one that counts
//! seconds. The English files alone carry what is the same in every language: `args`, `rfc`, `kindns` and `config`. A tag
//! that a language lacks is shown in English.

mod catalogue;
mod slot;

use std::collections::BTreeMap;

use model::{Finding, Language};
use serde::Serialize;

use catalogue::texts_on;
pub use catalogue::{ANY_CASE, explained};

/// A finding in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The language of its words: English where the language asked for lacks them.
    pub language: Language,
    /// What was seen, in one sentence that names the servers.
    pub what: String,
    /// Why it matters; empty where it does not.
    pub why: String,
    /// How to mend it; empty where there is nothing to mend.
    pub mend: String,
    /// Lines of configuration that mend it, by server program.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<Program, String>,
    /// The standards it rests on, separated by `; `; empty where there is none.
    pub rfc: String,
    /// The KINDNS practice that asks for it (kindns.org), as the address of its page; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kindns: String,
}

/// A name server or resolver program for which a text may carry lines of configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// BIND 9 (`named`).
    Bind,
    /// NSD.
    Nsd,
    /// Knot DNS.
    Knot,
    /// PowerDNS Authoritative Server.
    Powerdns,
    /// Unbound.
    Unbound,
    /// Knot Resolver.
    Kresd,
    /// PowerDNS Recursor.
    Recursor,
    /// Windows Server DNS, in PowerShell.
    Windows,
}

impl Program {
    /// Its name as its makers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Program::Bind => "BIND",
            Program::Nsd => "NSD",
            Program::Knot => "Knot DNS",
            Program::Powerdns => "PowerDNS",
            Program::Unbound => "Unbound",
            Program::Kresd => "Knot Resolver",
            Program::Recursor => "PowerDNS Recursor",
            Program::Windows => "Windows",
        }
    }
}

/// Says a finding in plain words of `language`, with its arguments put in.
///
/// A tag without a text is a mistake of ours that a test looks for; it is shown with its arguments as they are.
pub fn explain(finding: &Finding, language: Language) -> Explanation {
    let Some((case_facts, facts)) = texts_on(Language::English, &finding.case, &finding.tag) else {
        return unexplained(finding);
    };
    let (case_words, words, language) = match texts_on(language, &finding.case, &finding.tag) {
        Some((case_words, words)) => (case_words, words, language),
        None => (case_facts, facts, Language::English),
    };
    let fill = |text: &str| slot::fill(text, &finding.args, language);
    Explanation {
        language,
        what: fill(&words.what),
        why: fill(words.why.as_ref().unwrap_or(&case_words.why)),
        mend: fill(&words.mend),
        config: facts.config.clone(),
        rfc: facts.rfc.as_ref().unwrap_or(&case_facts.rfc).clone(),
        kindns: facts.kindns.as_ref().unwrap_or(&case_facts.kindns).clone(),
    }
}

fn unexplained(finding: &Finding) -> Explanation {
    let args = finding.args.iter().map(|(name, value)| format!("{name} {value}"));
    let args: Vec<String> = args.collect();
    Explanation {
        language: Language::English,
        what: format!("{} {}", finding.tag, args.join(", ")).trim_end().to_owned(),
        why: String::new(),
        mend: String::new(),
        config: BTreeMap::new(),
        rfc: String::new(),
        kindns: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use model::Level;

    use super::*;

    fn finding(case: &str, tag: &str, args: &[(&str, &str)]) -> Finding {
        Finding {
            case: case.to_owned(),
            tag: tag.to_owned(),
            level: Level::Error,
            args: args
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            vantage_point: None,
        }
    }

    #[test]
    fn a_finding_reads_as_a_sentence_that_names_the_servers() {
        let servers = "ns1.example/192.0.2.1;ns1.example/2001:db8::1;ns2.example/192.0.2.2";
        let args = [("ns_list", servers), ("rcode", "SERVFAIL")];
        let said = explain(
            &finding("dnssec07", "DS07_UNEXP_RCODE_RESP_DNSKEY", &args),
            Language::English,
        );
        assert_eq!(
            said.what,
            "The question for the keys of the zone is answered with SERVFAIL by ns1.example (192.0.2.1, 2001:db8::1) \
             and ns2.example (192.0.2.2)."
        );
        assert!(!said.why.is_empty() && !said.mend.is_empty() && said.rfc.starts_with("RFC 4035"));
    }

    #[test]
    fn what_several_cases_say_has_one_text() {
        let args = [("ns", "ns1.example/192.0.2.1")];
        let said = explain(&finding("zone10", "NO_RESPONSE", &args), Language::English);
        assert_eq!(said.what, "ns1.example (192.0.2.1) did not answer.");
    }

    #[test]
    fn a_tag_without_text_still_shows_what_it_carries() {
        let said = explain(&finding("zone99", "NEW_TAG", &[("ns", "a;b")]), Language::Arabic);
        assert_eq!(said.what, "NEW_TAG ns a;b");
    }
}
