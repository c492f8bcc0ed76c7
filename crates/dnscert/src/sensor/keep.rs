//! Where what was seen goes: into the spool of a sensor, into a lake on this machine, or nowhere.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use lake::part::observed;
use lake::passive::{self, Brought, Source};
use model::{Clock as _, SystemClock};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::hand_over::Spool;

/// Rows that wait for a lake that somebody else writes to: some 400 MB of memory. What is more is lost.
const MOST_WAITING: usize = 1_000_000;

/// Where what was seen goes.
pub enum Keep {
    /// Into parts that are handed over.
    Spool(Spool),
    /// Into a lake.
    Lake(Box<IntoLake>),
    /// Nowhere: for receipts alone.
    Nowhere,
}

/// A lake on this machine, open only as long as something is brought in, so that others can write in between.
pub struct IntoLake {
    folder: PathBuf,
    source: Source,
    runtime: Handle,
    /// What came while somebody else wrote.
    waiting: Mutex<Brought>,
}

impl IntoLake {
    /// A lake's folder, and the source under which things are kept there. `runtime` carries the work out.
    pub fn new(folder: PathBuf, source: Source, runtime: Handle) -> Self {
        Self {
            folder,
            source,
            runtime,
            waiting: Mutex::default(),
        }
    }

    fn keep(&self, fresh: Brought) -> anyhow::Result<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.append(fresh);
        if waiting.is_empty() {
            return Ok(());
        }
        let receipt = format!("window/{}", Uuid::new_v4());
        let now = SystemClock.now();
        let take = passive::take_in(&self.folder, &receipt, &self.source, waiting.clone(), now);
        match self.runtime.block_on(take) {
            Ok(_) => *waiting = Brought::default(),
            Err(lake::Error::Busy { .. }) if waiting.rows() < MOST_WAITING => {
                tracing::debug!(rows = waiting.rows(), "somebody else writes to the lake: it waits");
            }
            Err(error) => {
                let rows = std::mem::take(&mut *waiting).rows();
                return Err(error).with_context(|| format!("keeping {rows} rows in `{}`", self.folder.display()));
            }
        }
        Ok(())
    }
}

impl Keep {
    /// Keeps something durably, or says that it is lost. Blocks on the disk.
    pub fn keep(&self, fresh: Brought) {
        let rows = fresh.rows();
        let kept = match self {
            // also when nothing came: something may wait
            Self::Lake(lake) => lake.keep(fresh),
            _ if rows == 0 => Ok(()),
            Self::Spool(spool) => into_spool(spool, fresh).inspect_err(|_| spool.lose(rows as u64)),
            Self::Nowhere => Ok(()),
        };
        if let Err(error) = kept {
            tracing::error!("what was seen is lost: {error:#}");
        }
    }

    /// At the end: what still waits for a lake is tried once more.
    pub fn finish(&self) -> anyhow::Result<()> {
        if let Self::Lake(lake) = self {
            lake.keep(Brought::default())?;
            let left = lake.waiting.lock().unwrap_or_else(PoisonError::into_inner).rows();
            if left > 0 {
                bail!(
                    "{left} rows are lost: somebody else writes to `{}`",
                    lake.folder.display()
                );
            }
        }
        Ok(())
    }
}

fn into_spool(spool: &Spool, fresh: Brought) -> anyhow::Result<()> {
    let window = Uuid::new_v4().to_string();
    for part in observed::seal(&window, fresh).context("sealing what was seen")? {
        spool.keep_part(part.id, &part.octets, part.rows, part.newest)?;
    }
    Ok(())
}
