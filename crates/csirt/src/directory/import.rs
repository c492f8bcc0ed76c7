//! The directory as a file: taken in whole or not at all, given out complete (also as the copy on paper).

use std::collections::HashSet;

use super::profile::Profile;
use super::{check, csv_file, json_file, store};
use crate::Error;
use crate::records::{Actor, Records};

/// Largest file taken in, in octets; chosen by us: ten times a directory of 10,000 organisations.
const MAX_BYTES: usize = 64 << 20;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One row for each contact point, see `docs/directory.md`.
    Csv,
    /// `{"format": "dnscert-directory-1", "organisations": [PROFILE, …]}`.
    Json,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// All of it is in.
    Done(Summary),
    /// Nothing was changed, because of these.
    Refused(Vec<BadRow>),
}

/// Organisations of a file, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// New ones.
    pub created: u64,
    /// Known ones that differ.
    pub updated: u64,
    /// Known ones that were the same already.
    pub unchanged: u64,
}

/// Something in a file that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Line in the file, from 1, where that can be said.
    pub line: Option<u64>,
    /// Handle of the organisation, or empty.
    pub handle: String,
    /// Column or field, or empty when it is the row as a whole.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for BadRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.handle.is_empty() {
            write!(f, "`{}`: ", self.handle)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.reason)
    }
}

/// One organisation of a file with where it stands.
pub(super) struct Entry {
    pub profile: Profile,
    /// Line of each fault's field; the empty prefix is the entry itself.
    pub lines: Vec<(String, u64)>,
}

impl Entry {
    fn line_of(&self, field: &str) -> Option<u64> {
        let fits = |(prefix, _): &&(String, u64)| field.starts_with(prefix.as_str());
        self.lines
            .iter()
            .filter(fits)
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, line)| *line)
    }
}

/// What was read of a file before it is checked.
#[derive(Default)]
pub(super) struct Reading {
    pub entries: Vec<Entry>,
    pub bad: Vec<BadRow>,
}

/// Takes a file in. Each organisation of the file is afterwards exactly as the file says; those that are not in the file
/// stay as they are. Wrong content is `Refused` with every fault; `Err` is only for the records themselves.
pub async fn import(records: &Records, actor: Actor, format: Format, bytes: &[u8]) -> Result<Imported, Error> {
    let profiles = match parse(format, bytes) {
        Ok(profiles) => profiles,
        Err(bad) => return Ok(Imported::Refused(bad)),
    };
    let mut summary = Summary::default();
    let mut change = records.begin(actor).await?;
    for profile in profiles {
        let old = store::by_handle(change.db(), &profile.handle).await?;
        match &old {
            None => summary.created += 1,
            Some(old) if old.profile == profile => summary.unchanged += 1,
            Some(_) => summary.updated += 1,
        }
        store::save(&mut change, old.as_ref(), profile).await?;
    }
    change.commit().await?;
    Ok(Imported::Done(summary))
}

/// The whole directory as a file that [`import()`] takes.
pub async fn export(records: &Records, format: Format) -> Result<Vec<u8>, Error> {
    let organisations = store::all(records.db()).await?;
    let profiles: Vec<&Profile> = organisations.iter().map(|organisation| &organisation.profile).collect();
    Ok(match format {
        Format::Csv => csv_file::write(&profiles),
        Format::Json => json_file::write(&profiles),
    })
}

/// The profiles of a file in canonical form, or all that is wrong with it.
pub fn parse(format: Format, bytes: &[u8]) -> Result<Vec<Profile>, Vec<BadRow>> {
    if bytes.len() > MAX_BYTES {
        return Err(vec![BadRow::whole(format!(
            "the file has more than {MAX_BYTES} octets"
        ))]);
    }
    let Reading { entries, mut bad } = match format {
        Format::Csv => csv_file::read(bytes),
        Format::Json => json_file::read(bytes),
    };
    let mut handles = HashSet::new();
    let mut profiles = Vec::with_capacity(entries.len());
    for entry in &entries {
        let handle = &entry.profile.handle;
        let mut fault = |field: &str, reason: String| {
            let (line, handle) = (entry.line_of(field), handle.clone());
            let field = if format == Format::Csv {
                csv_file::column_of(field)
            } else {
                field.to_owned()
            };
            bad.push(BadRow {
                line,
                handle,
                field,
                reason,
            });
        };
        match check::canonical(&entry.profile) {
            Ok(profile) if !handles.insert(profile.handle.clone()) => {
                fault("handle", "the organisation stands here twice".to_owned());
            }
            Ok(profile) => profiles.push(profile),
            Err(faults) => faults.into_iter().for_each(|wrong| fault(&wrong.field, wrong.reason)),
        }
    }
    if bad.is_empty() {
        return Ok(profiles);
    }
    bad.sort_by_key(|row| row.line);
    Err(bad)
}

impl BadRow {
    pub(super) fn whole(reason: impl std::fmt::Display) -> Self {
        Self {
            line: None,
            handle: String::new(),
            field: String::new(),
            reason: reason.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CSV: &str = "handle,name,kind,region,person,channel_kind,channel_value,responsibilities\n";

    fn first(format: Format, text: &str) -> String {
        parse(format, text.as_bytes()).unwrap_err()[0].to_string()
    }

    #[test]
    fn every_bad_row_is_named_with_its_line() {
        let text = format!(
            "{CSV}a,A,registry,AF,,email,a@a.example,zone:a=registry\nb,,registry,AF,,email,nowhere,\n\nc,C,shop,AF,,,,\nc,D,other,AF,,,,zone:x\n"
        );
        let bad = parse(Format::Csv, text.as_bytes()).unwrap_err();
        let lines: Vec<String> = bad.iter().map(BadRow::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        line 3: `b`: name: it must be 1 to 300 characters on one line
        line 3: `b`: channel_value: it is not a mail address like security@example.net
        line 5: `c`: kind: `shop` is not one of registry, registrar, operator, resolver_operator, vendor, national_cert, registrant, other
        line 6: `c`: responsibilities: `zone:x` is not like zone:example.test=registry@2026-01-31
        ");
    }

    #[test]
    fn a_file_that_is_something_else_is_refused_with_a_reason() {
        insta::assert_snapshot!(first(Format::Csv, ""), @"line 1: the column `handle` is missing");
        insta::assert_snapshot!(first(Format::Csv, "a,b\n1,2\n"), @"line 1: there is no column `a`");
        insta::assert_snapshot!(first(Format::Json, "{"), @"line 1: EOF while parsing an object at line 1 column 1");
        insta::assert_snapshot!(first(Format::Json, "{\"format\":\"x\",\"organisations\":[]}"), @"format: it is not `dnscert-directory-1`");
        let nameless = r#"{"format":"dnscert-directory-1","organisations":[{"handle":"a"}]}"#;
        insta::assert_snapshot!(first(Format::Json, nameless), @"`a`: organisations[0]: missing field `name`");
    }

    proptest! {
        #[test]
        fn random_octets_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(Format::Csv, &bytes);
            let _ = parse(Format::Json, &bytes);
        }

        #[test]
        fn random_rows_are_refused_or_read(rows in "([a-z0-9\",;:=@./ -]{0,12}[,\n]){0,60}") {
            let _ = parse(Format::Csv, format!("{CSV}{rows}").as_bytes());
        }

        #[test]
        fn a_truncated_file_is_refused_or_read(end in 0_usize..400) {
            let text = format!("{CSV}a,A,registry,AF,Ada,email,a@a.example,zone:a=registry@2026-01-01;prefix:2001:db8::/32=operator\n");
            let _ = parse(Format::Csv, &text.as_bytes()[..end.min(text.len())]);
        }
    }
}
