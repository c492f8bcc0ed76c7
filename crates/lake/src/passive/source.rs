//! Who gives passive DNS, and what may be done with it: `passive-sources.json` in the lake's folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use model::Tlp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::journal::sync_folder;

const FILE: &str = "passive-sources.json";

/// Somebody who gives passive DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The word by which rows name it: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    pub id: String,
    /// Whose data it is.
    pub owner: String,
    /// Under which licence or agreement it is used.
    pub licence: String,
    /// How far what it says may travel.
    pub tlp: Tlp,
    /// Why it may be processed: the law or contract that allows it.
    pub legal_basis: String,
}

/// Which sources a reader may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Sources of this label and of wider ones: `TLP:RED` takes all.
    pub tlp: Tlp,
    /// Only these; `None` for all.
    pub sources: Option<Vec<String>>,
}

impl Scope {
    /// All sources.
    pub const ALL: Scope = Scope {
        tlp: Tlp::Red,
        sources: None,
    };

    /// Whether it lets a source be seen.
    pub fn allows(&self, source: &Source) -> bool {
        source.tlp <= self.tlp && self.sources.as_ref().is_none_or(|ids| ids.contains(&source.id))
    }
}

/// Whether the text can be the word of a source.
pub(crate) fn is_id(text: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-_.".contains(&octet);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

fn path(lake: &Path) -> PathBuf {
    lake.join(FILE)
}

/// The sources of a lake, by their words; none where the file is missing.
pub(crate) fn read(lake: &Path) -> Result<BTreeMap<String, Source>, Error> {
    let path = path(lake);
    let failed = |source| Error::File {
        attempt: "read",
        path: path.clone(),
        source,
    };
    let octets = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        read => read.map_err(failed)?,
    };
    let sources: Vec<Source> = serde_json::from_slice(&octets).map_err(|error| failed(error.into()))?;
    Ok(sources.into_iter().map(|source| (source.id.clone(), source)).collect())
}

/// Puts these sources in the place of those that the file names, all at once.
pub(crate) fn write(lake: &Path, sources: &BTreeMap<String, Source>) -> Result<(), Error> {
    let path = path(lake);
    let whole: Vec<&Source> = sources.values().collect();
    let replace = || {
        let draft = path.with_extension("json.new");
        let mut file = File::create(&draft)?;
        serde_json::to_writer_pretty(&mut file, &whole)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        sync_folder(lake)
    };
    replace().map_err(|source| Error::File {
        attempt: "write",
        path: path.clone(),
        source,
    })
}
