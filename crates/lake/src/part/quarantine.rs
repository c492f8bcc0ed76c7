//! Where refused parts lie with the reason, until somebody has looked at them. Bounded: the oldest make room.

use std::fs;
use std::path::{Path, PathBuf};

use super::PartId;
use crate::error::Error;
use crate::journal::create_folder;

/// Parts that are kept aside. Chosen by us: with their largest size 400 MB; enough to see what is wrong with a vantage point.
const MOST_PARTS: usize = 200;

/// Puts a refused part aside. The same part again replaces itself.
pub(crate) fn set_aside(
    folder: &Path,
    probe: &str,
    part: &PartId,
    octets: &[u8],
    reason: &str,
) -> Result<PathBuf, Error> {
    create_folder(folder)?;
    make_room(folder)?;
    let path = folder.join(format!("{probe}-{part}.parquet"));
    let written = fs::write(&path, octets).and_then(|()| fs::write(path.with_extension("txt"), format!("{reason}\n")));
    written.map_err(|source| Error::File {
        attempt: "write",
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

fn make_room(folder: &Path) -> Result<(), Error> {
    let failed = |attempt, path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { attempt, path, source }
    };
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let entry = entry.map_err(failed("read", folder))?;
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let changed = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            parts.push((changed, path));
        }
    }
    parts.sort();
    let surplus = (parts.len() + 1).saturating_sub(MOST_PARTS);
    for (_, path) in parts.into_iter().take(surplus) {
        fs::remove_file(&path).map_err(failed("remove", &path))?;
        // the reason may be gone already
        let _ = fs::remove_file(path.with_extension("txt"));
    }
    Ok(())
}
