//! `dnscert pdns`: what passive DNS has seen of a name, or of a value that records have.

mod table;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use lake::passive::cof::{ToCof, ZoneTimes, summary_line};
use lake::passive::{
    Answers, End, Fences, NamePattern, Passive, Query, Scope, SeenRecord, SeenRrset, ValuePattern, summarize,
};
use model::{Addresses, AddressesError};

use crate::cli::PdnsArgs;
use crate::config::Config;

/// Something was found.
const FOUND: u8 = 0;
/// Nothing was.
const NOTHING: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;

/// What is asked for, by the table that answers it.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    Owner(NamePattern),
    Value(ValuePattern),
}

/// Status 0 something found, 1 nothing found, 2 the command line is wrong.
pub async fn run(arguments: PdnsArgs) -> anyhow::Result<ExitCode> {
    let subject = match subject(&arguments) {
        Ok(subject) => subject,
        Err(error) => {
            eprintln!("dnscert pdns: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let folder = lake_folder(&arguments)?;
    let passive = Passive::open_read_only(&folder)
        .await
        .with_context(|| format!("opening the passive DNS in `{}`", folder.display()))?;
    // look-ups read files, which may block
    let found = tokio::task::spawn_blocking(move || {
        let count = match subject {
            Subject::Owner(pattern) => rrsets(&passive, &query(pattern, &arguments), &arguments),
            Subject::Value(pattern) => records(&passive, &query(pattern, &arguments), &arguments),
        };
        for damage in passive.damaged() {
            eprintln!(
                "`{}` cannot be read, its rows are left out: {}",
                damage.file.display(),
                damage.reason
            );
        }
        count
    });
    let found = found.await.context("looking it up")??;
    Ok(ExitCode::from(if found > 0 { FOUND } else { NOTHING }))
}

fn lake_folder(arguments: &PdnsArgs) -> anyhow::Result<PathBuf> {
    match &arguments.lake {
        Some(folder) => Ok(folder.clone()),
        None => Ok(Config::read(&arguments.config.config)?.lake_folder()),
    }
}

fn subject(arguments: &PdnsArgs) -> anyhow::Result<Subject> {
    let subject = any_subject(arguments)?;
    if let (Subject::Value(_), Some(zone)) = (&subject, &arguments.bailiwick) {
        bail!(
            "`--bailiwick {zone}` is for the RRsets of a name: records that are looked up by their value have no bailiwick"
        );
    }
    Ok(subject)
}

fn any_subject(arguments: &PdnsArgs) -> anyhow::Result<Subject> {
    if let Some(hex) = &arguments.raw {
        let digits = hex.strip_prefix("0x").unwrap_or(hex);
        let octets = hex::decode(digits).with_context(|| format!("`{hex}` is not octets in hexadecimal digits"))?;
        return Ok(Subject::Value(ValuePattern::Raw(octets)));
    }
    if let Some(text) = &arguments.rdata {
        return Ok(Subject::Value(match addresses(text)? {
            Some(addresses) => addresses,
            None => ValuePattern::Name(text.parse()?),
        }));
    }
    let text = arguments.subject.as_deref().unwrap_or_default();
    Ok(match addresses(text)? {
        Some(addresses) => Subject::Value(addresses),
        None => Subject::Owner(text.parse()?),
    })
}

/// `192.0.2.1`, `192.0.2.0/24` or `192.0.2.1-192.0.2.9`; `None` for what is a name.
fn addresses(text: &str) -> Result<Option<ValuePattern>, AddressesError> {
    Ok(Addresses::read(text)?.map(|addresses| match addresses {
        Addresses::One(address) => ValuePattern::Address(address),
        Addresses::Prefix(prefix) => ValuePattern::Prefix(prefix),
        Addresses::Range(first, last) => ValuePattern::Range(first, last),
    }))
}

fn query<P: lake::passive::Pattern>(pattern: P, arguments: &PdnsArgs) -> Query<P> {
    Query {
        rtypes: (!arguments.rtypes.is_empty()).then(|| arguments.rtypes.clone()),
        bailiwick: arguments.bailiwick.clone(),
        fences: Fences {
            last_after: arguments.after,
            first_before: arguments.before,
            ..Fences::default()
        },
        scope: match arguments.sources.is_empty() {
            true => Scope::ALL,
            false => Scope {
                sources: Some(arguments.sources.clone()),
                ..Scope::ALL
            },
        },
        ..Query::new(pattern, limit(arguments))
    }
}

/// Answers that are given at most; 0 stands for the most, as in DNSDB.
fn limit(arguments: &PdnsArgs) -> usize {
    match arguments.limit {
        0 => usize::MAX,
        limit => limit,
    }
}

fn rrsets(passive: &Passive, query: &Query<NamePattern>, arguments: &PdnsArgs) -> anyhow::Result<u64> {
    if arguments.explain {
        return Ok(explain(&passive.explain_rrsets(query)));
    }
    show(passive.rrsets(query), arguments, table::of_rrset, |seen: &SeenRrset| {
        &seen.sources
    })
}

fn records(passive: &Passive, query: &Query<ValuePattern>, arguments: &PdnsArgs) -> anyhow::Result<u64> {
    if arguments.explain {
        return Ok(explain(&passive.explain_rdata(query)));
    }
    show(
        passive.rdata(query),
        arguments,
        table::of_record,
        |seen: &SeenRecord| &seen.sources,
    )
}

/// Writes answers as they come, or as a table on a terminal. Returns how many there were.
fn show<T: ToCof>(
    mut answers: Answers<T>,
    arguments: &PdnsArgs,
    row: impl Fn(&T) -> table::Row,
    sources: impl Fn(&T) -> &Vec<String>,
) -> anyhow::Result<u64> {
    let is_table = !arguments.json && io::stdout().is_terminal();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = if arguments.summarize {
        let summary = summarize(&mut answers, None);
        if is_table {
            out.write_all(table::of_summary(&summary).as_bytes())
        } else {
            writeln!(out, "{}", summary_line(&summary))
        }
        .map(|()| summary.answers)
    } else if is_table {
        let rows: Vec<table::Row> = answers.by_ref().map(|seen| row(&seen)).collect();
        out.write_all(table::text(&rows).as_bytes()).map(|()| rows.len() as u64)
    } else {
        let lines = answers.by_ref();
        lines.try_fold(0, |count, seen| {
            let object = seen.cof(ZoneTimes::Both).with_sources(sources(&seen));
            writeln!(out, "{}", object.line()).map(|()| count + 1)
        })
    };
    let written = written.and_then(|count| out.flush().map(|()| count));
    let count = match written {
        // whoever read the lines has seen enough
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(1),
        written => written.context("writing the answers")?,
    };
    match answers.end() {
        Some(End::Limit) => eprintln!("There is more: --limit {} was reached.", arguments.limit),
        Some(End::Rows) => eprintln!("This is not all: too many rows had to be looked at. Ask for less at once."),
        Some(End::Complete) | None if count == 0 => eprintln!("Nothing was seen."),
        Some(End::Complete) | None => {}
    }
    Ok(count)
}

/// What would be read.
fn explain(read: &[lake::passive::Touched]) -> u64 {
    for file in read {
        let (groups, pages) = (file.row_groups, file.pages);
        println!(
            "{}  row groups {}/{}  pages {}/{}  {} octets",
            file.file, groups.1, groups.0, pages.1, pages.0, file.bytes
        );
    }
    read.len() as u64
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn asked(line: &str) -> Result<Subject, String> {
        let words = ["dnscert", "pdns"].into_iter().chain(line.split(' '));
        let Command::Pdns(arguments) = Cli::try_parse_from(words).map_err(|error| error.to_string())?.command else {
            return Err("another command".to_owned());
        };
        subject(&arguments).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn names_are_looked_up_as_owners_and_addresses_as_values() {
        let name = |text: &str| -> NamePattern { text.parse().unwrap() };
        let address = |text: &str| -> IpAddr { text.parse().unwrap() };
        for (line, expected) in [
            ("www.Example.com", Subject::Owner(name("www.example.com"))),
            ("*.example.com", Subject::Owner(name("*.example.com"))),
            ("www.*", Subject::Owner(name("www.*"))),
            ("a-b.example", Subject::Owner(name("a-b.example"))),
            ("192.0.2.1", Subject::Value(ValuePattern::Address(address("192.0.2.1")))),
            (
                "192.0.2.77/24",
                Subject::Value(ValuePattern::Prefix("192.0.2.0/24".parse().unwrap())),
            ),
            (
                "2001:db8::/32",
                Subject::Value(ValuePattern::Prefix("2001:db8::/32".parse().unwrap())),
            ),
            (
                "192.0.2.1-192.0.2.9",
                Subject::Value(ValuePattern::Range(address("192.0.2.1"), address("192.0.2.9"))),
            ),
            (
                "--rdata ns1.example.net",
                Subject::Value(ValuePattern::Name(name("ns1.example.net"))),
            ),
            (
                "--rdata 192.0.2.1",
                Subject::Value(ValuePattern::Address(address("192.0.2.1"))),
            ),
            ("--raw c0000201", Subject::Value(ValuePattern::Raw(vec![192, 0, 2, 1]))),
        ] {
            assert_eq!(asked(line), Ok(expected), "{line}");
        }
        for wrong in [
            "a..b",
            "--raw c00",
            "a.example --rdata b.example",
            "--type NOTYPE a.example",
            "--after soon a.example",
        ] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_named_and_not_left_aside() {
        for (line, reason) in [
            ("300.1.1.1", "`300.1.1.1` is not an address"),
            ("--rdata 300.1.1.1", "`300.1.1.1` is not an address"),
            ("192.0.2.0/33", "`192.0.2.0/33` is not an address prefix"),
            ("--rdata 2001:db8::/129", "`2001:db8::/129` is not an address prefix"),
            ("192.0.2.9-192.0.2.1", "its end is before its start"),
            ("192.0.2.1-2001:db8::1", "its ends are of two families"),
            ("a..b", "`a..b` is not a domain name"),
            (
                "--bailiwick example 192.0.2.1",
                "`--bailiwick example` is for the RRsets of a name",
            ),
            (
                "--bailiwick example --rdata 192.0.2.0/24",
                "records that are looked up by their value",
            ),
            (
                "--bailiwick example --rdata ns1.example.net",
                "records that are looked up by their value",
            ),
            (
                "--bailiwick example --raw c0000201",
                "records that are looked up by their value",
            ),
        ] {
            let error = asked(line).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
        }
        let name: NamePattern = "300.1.1.1.".parse().unwrap();
        assert_eq!(asked("300.1.1.1."), Ok(Subject::Owner(name)));
    }

    #[test]
    fn limit_0_is_the_most() {
        for (line, expected) in [
            ("a.example", 10_000),
            ("--limit 7 a.example", 7),
            ("--limit 0 a.example", usize::MAX),
        ] {
            let words = ["dnscert", "pdns"].into_iter().chain(line.split(' '));
            let Command::Pdns(arguments) = Cli::try_parse_from(words).unwrap().command else {
                panic!("{line}");
            };
            assert_eq!(limit(&arguments), expected, "{line}");
        }
    }
}
