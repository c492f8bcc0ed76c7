//! Where a lake is: in a folder, or published in an object store.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::object_store::ObjectStore;
use lake::Snapshot;
use lake::store::Store;
use url::Url;

use crate::error::Error;

/// A lake's location.
#[derive(Debug, Clone)]
pub enum Location {
    /// A folder.
    Folder(PathBuf),
    /// A folder in an object store, into which it was published.
    Store(Store),
}

impl Location {
    /// A folder's path, or a URL as [`Store::open`] takes it, with what is in the environment.
    pub fn read(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        Ok(match text.contains("://") {
            true => Self::Store(Store::open(text, environment)?),
            false => Self::Folder(text.into()),
        })
    }

    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Error> {
        Ok(match self {
            Self::Folder(folder) => {
                let folder = folder.canonicalize().map_err(|source| lake::Error::File {
                    attempt: "open",
                    path: folder.clone(),
                    source,
                })?;
                Snapshot::of(&folder).await?
            }
            Self::Store(store) => Snapshot::of_store(store).await?,
        })
    }
}

/// Stores as they are asked for, each with what is in the environment of the process.
#[derive(Debug, Default)]
pub(crate) struct Stores(DefaultObjectStoreRegistry);

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.0.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.0.get_store(url).or_else(|_| {
            let opened = Store::open(url.as_str(), std::env::vars());
            let store = opened.map_err(|error| DataFusionError::External(Box::new(error)))?;
            self.0.register_store(url, store.objects());
            Ok(store.objects())
        })
    }
}
