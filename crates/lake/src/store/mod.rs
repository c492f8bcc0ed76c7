//! A copy of a lake in an object store: S3, Google Cloud Storage, Azure, or a folder.
//!
//! A lake is written in a folder, where commits and look-ups take milliseconds. [`publish()`] brings what was committed into the store, where any
//! number of machines read it ([`Snapshot::of_store`](crate::Snapshot::of_store), and whoever reads Delta tables).

mod publish;

use std::fmt;
use std::path::Path as Folder;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectMeta, ObjectStore, ObjectStoreExt as _, RetryConfig};
use url::Url;

pub use publish::{Published, publish};

use crate::error::Error;

/// Objects that are fetched or sent at the same time. More fills a thin line no faster; fewer waits for round trips.
const AT_ONCE: usize = 8;

/// What a store does not answer is asked again: more lets a command hang at a store that is down, less gives up at a hiccup.
const RETRY: RetryConfig = RetryConfig {
    backoff: BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(5),
        base: 2.0,
    },
    max_retries: 5,
    retry_timeout: Duration::from_secs(30),
};

/// A folder in an object store.
#[derive(Clone)]
pub struct Store {
    /// Without secrets: these stand in the options.
    url: Url,
    objects: Arc<dyn ObjectStore>,
    folder: Path,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

impl Store {
    /// The folder of a URL: `s3://BUCKET/FOLDER`, `gs://BUCKET/FOLDER`, `az://CONTAINER/FOLDER` or `file:///FOLDER`. How to get there and
    /// with what rights is told by options with the names that the stores' own tools read from the environment
    /// (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_NAME`, …); others are passed over.
    /// Nothing is asked yet. `Error::Store` for a URL of another kind, or options that cannot be.
    pub fn open(url: &str, options: impl IntoIterator<Item = (String, String)>) -> Result<Self, Error> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Store {
            attempt: "open",
            place: url.to_owned(),
            source,
        };
        let parsed = Url::parse(url).map_err(|error| failed(error.into()))?;
        let options = options
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value));
        // the builders are alike without a trait that says so
        macro_rules! built {
            ($builder:ty) => {{
                let builder = <$builder>::new().with_url(url).with_retry(RETRY);
                let configured = options.fold(builder, |builder, (name, value)| match name.parse() {
                    Ok(name) => builder.with_config(name, value),
                    Err(_) => builder,
                });
                configured.build().map(|store| Arc::new(store) as _)
            }};
        }
        let objects: object_store::Result<Arc<dyn ObjectStore>> = match parsed.scheme() {
            "s3" => built!(AmazonS3Builder),
            "gs" => built!(GoogleCloudStorageBuilder),
            "az" => built!(MicrosoftAzureBuilder),
            "file" => Ok(Arc::new(LocalFileSystem::new())),
            _ => return Err(failed("it has to begin with s3://, gs://, az:// or file:///".into())),
        };
        let objects = objects.map_err(|error| failed(error.into()))?;
        let folder = Path::from_url_path(parsed.path()).map_err(|error| failed(error.into()))?;
        Ok(Self {
            url: parsed,
            objects,
            folder,
        })
    }

    /// What holds the objects, for engines that read them.
    pub fn objects(&self) -> Arc<dyn ObjectStore> {
        self.objects.clone()
    }

    /// The URL up to the bucket or container: `s3://BUCKET`.
    pub fn root(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{}://{host}", self.url.scheme())
    }

    fn failed(&self, attempt: &'static str, path: &Path) -> impl FnOnce(object_store::Error) -> Error {
        let place = format!("{}/{path}", self.root());
        move |source| Error::Store {
            attempt,
            place,
            source: source.into(),
        }
    }

    /// The path of a name below the folder, its parts divided by `/`.
    fn path(&self, below: &str) -> Path {
        below.split('/').fold(self.folder.clone(), |path, part| path.join(part))
    }

    /// All objects below a name, by what of their name is below it.
    async fn list(&self, below: &str) -> Result<Vec<(String, ObjectMeta)>, Error> {
        let prefix = self.path(below);
        let objects: Vec<ObjectMeta> = self
            .objects
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(self.failed("list", &prefix))?;
        let named = objects.into_iter().filter_map(|object| {
            let parts = object.location.prefix_match(&prefix)?;
            let name: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
            Some((name.join("/"), object))
        });
        Ok(named.collect())
    }

    /// Brings into a folder what a reader needs before the data files: who gives passive DNS, and of each table's log what is
    /// not older than its last checkpoint.
    pub(crate) async fn fetch_logs(&self, into: &Folder) -> Result<(), Error> {
        let top = self.objects.list_with_delimiter(Some(&self.folder)).await;
        let top = top.map_err(self.failed("list", &self.folder))?;
        let mut wanted: Vec<String> = Vec::new();
        for object in &top.objects {
            wanted.extend(
                object
                    .location
                    .filename()
                    .filter(|name| *name == publish::SOURCES)
                    .map(str::to_owned),
            );
        }
        for table in &top.common_prefixes {
            let Some(table) = table.filename() else { continue };
            let log = format!("{table}/{}", publish::LOG);
            let names: Vec<String> = self.list(&log).await?.into_iter().map(|(name, _)| name).collect();
            let checkpoints = names.iter().filter(|name| name.contains(".checkpoint."));
            let last = checkpoints.filter_map(|name| publish::version(name)).max().unwrap_or(0);
            let needed = |name: &String| publish::version(name).is_none_or(|version| version >= last);
            wanted.extend(names.into_iter().filter(needed).map(|name| format!("{log}/{name}")));
        }
        if wanted.is_empty() {
            return Err(Error::Store {
                attempt: "find a lake in",
                place: self.url.to_string(),
                source: "nothing was published there".into(),
            });
        }
        let fetches = wanted.into_iter().map(|name| async move {
            let path = self.path(&name);
            let got = self.objects.get(&path).await.map_err(self.failed("fetch", &path))?;
            let octets = got.bytes().await.map_err(self.failed("fetch", &path))?;
            let file = into.join(&name);
            let written = async {
                if let Some(folder) = file.parent() {
                    tokio::fs::create_dir_all(folder).await?;
                }
                tokio::fs::write(&file, &octets).await
            };
            written.await.map_err(|source| Error::File {
                attempt: "write",
                path: file.clone(),
                source,
            })
        });
        stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// The path of a file that stands in a folder into which logs were fetched.
    pub(crate) fn path_of(&self, file: &Folder, fetched: &Folder) -> Option<String> {
        let below = file.strip_prefix(fetched).ok()?.to_str()?;
        Some(self.path(below).to_string())
    }
}
