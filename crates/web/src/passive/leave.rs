//! Leave to look something up: a place among those who do so at a time, and a look-up of the account's quota.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use csirt::Records;
use csirt::accounts::{self, Account};
use model::Id;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Refused;

/// Look-ups at a time. Each holds a thread and reads the disk; more would make all of them slow.
const AT_A_TIME: usize = 8;

/// Those of one account: half, so that nobody who asks much or reads slowly keeps all others out.
const OF_ACCOUNT: usize = AT_A_TIME / 2;

/// The places of look-ups.
#[derive(Debug)]
pub struct LookUps {
    all: Arc<Semaphore>,
    of_accounts: Mutex<HashMap<Id<Account>, Arc<Semaphore>>>,
}

impl Default for LookUps {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_A_TIME)),
            of_accounts: Mutex::default(),
        }
    }
}

impl LookUps {
    /// Places that are free.
    pub fn free(&self) -> usize {
        self.all.available_permits()
    }

    /// A place, and one look-up off the quota.
    pub(super) async fn begin(&self, records: &Records, account: Id<Account>) -> Result<Leave, Refused> {
        let of_account = {
            let mut of_accounts = self.of_accounts.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(OF_ACCOUNT));
            of_accounts.entry(account).or_insert_with(new).clone()
        };
        let place = |places: Arc<Semaphore>| places.try_acquire_owned().map_err(|_| Refused::Busy);
        let leave = Leave {
            _of_account: place(of_account)?,
            _of_all: place(self.all.clone())?,
        };
        match accounts::take_look_up(records, account).await? {
            Ok(()) => Ok(leave),
            Err(spent) => Err(Refused::Quota(spent)),
        }
    }
}

/// Held while something is looked up.
pub(super) struct Leave {
    _of_account: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}
