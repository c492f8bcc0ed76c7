//! A server of S3 over a folder, which takes signed requests only.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const KEY: &str = "of-the-tests";
const SECRET: &str = "of-the-tests-only";

/// A running server with an empty bucket, on a port of loopback. It ends with its value.
pub struct S3 {
    folder: tempfile::TempDir,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl S3 {
    /// The name of its bucket.
    pub const BUCKET: &str = "observations";

    /// Starts a server.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join(Self::BUCKET))?;
        let files = FileSystem::new(folder.path()).map_err(|error| anyhow!("a server of S3: {error:?}"))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a server of S3")?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                // a connection that fails is its client's
                tokio::spawn(async move {
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self {
            folder,
            address,
            serving,
        })
    }

    /// The folder in which its objects stand as files.
    pub fn objects(&self) -> PathBuf {
        self.folder.path().join(Self::BUCKET)
    }

    /// What a client has in its environment to reach it.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}
