//! A machine that does a part of what is to be done.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::extension::SessionConfigExt as _;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;

use super::codec::Codec;
use super::{Cluster, MESSAGE_OCTETS, POLICY, PULSE, session};
use crate::error::Error;
use crate::location::Stores;

/// Seconds after which what is left of a question is removed from an executor's folder, if its scheduler has never said so.
const FORGOTTEN: u64 = 3_600;

/// Seconds between two looks for what is left.
const LOOK: u64 = 300;

/// How an executor works.
#[derive(Debug, Clone)]
pub struct Executor {
    /// Whom it asks for work. It waits for a scheduler that is not there yet, or not there any more.
    pub cluster: Cluster,
    /// Where it gives others what it has done: other executors and whoever asked. At the next port it takes work from the scheduler.
    pub listen: SocketAddr,
    /// Name or address under which they reach it; by default the one from which the scheduler sees it come.
    pub advertise: Option<String>,
    /// Folder for rows between two steps, and for sorts larger than the memory. It is the executor's alone.
    pub folder: PathBuf,
    /// Octets of memory for what sorts, groups and joins hold, all together. What is more goes to the folder where that is possible.
    pub memory: usize,
    /// Parts of questions that it does at the same time; none means as many as there are processors.
    pub parts: usize,
}

/// Does what the scheduler gives, until the process is asked to end (SIGTERM, Ctrl-C) and what runs is done.
pub async fn execute(executor: Executor) -> Result<(), Error> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Serve {
        what: "executor",
        source,
    };
    let port = executor.listen.port();
    let of_scheduler = port.checked_add(1).filter(|_| port > 0);
    let of_scheduler = of_scheduler.ok_or_else(|| failed(format!("port {port} and the next one are needed").into()))?;
    std::fs::create_dir_all(&executor.folder).map_err(|error| failed(error.into()))?;
    let folder = executor.folder.to_str().ok_or_else(|| {
        let name = executor.folder.display();
        failed(format!("the name of the folder {name} is not UTF-8").into())
    })?;
    let known = session(SessionConfig::new_with_ballista()).map_err(|error| failed(error.into()))?;
    let temporary = folder.to_owned();
    let runtime = move |_: &SessionConfig| {
        RuntimeEnvBuilder::new()
            .with_temp_file_path(temporary.clone())
            .with_object_store_registry(Arc::new(Stores::default()))
            .build_arc()
    };
    let config = ExecutorProcessConfig {
        bind_host: host(executor.listen),
        external_host: executor.advertise,
        port: executor.listen.port(),
        grpc_port: of_scheduler,
        scheduler_host: executor.cluster.host().to_owned(),
        scheduler_port: executor.cluster.port(),
        // any other number than 0 waits for the scheduler
        scheduler_connect_timeout_seconds: 1,
        vcores: executor.parts,
        task_scheduling_policy: POLICY,
        executor_heartbeat_interval_seconds: PULSE,
        work_dir: Some(folder.to_owned()),
        job_data_ttl_seconds: FORGOTTEN,
        job_data_clean_up_interval_seconds: LOOK,
        grpc_max_decoding_message_size: MESSAGE_OCTETS,
        grpc_max_encoding_message_size: MESSAGE_OCTETS,
        memory_pool_size: Some(u64::try_from(executor.memory).unwrap_or(u64::MAX)),
        override_runtime_producer: Some(Arc::new(runtime)),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&known))),
        override_physical_codec: Some(Arc::new(Codec::default())),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config))
        .await
        .map_err(|error| failed(error.into()))
}

/// As it stands before a colon and a port.
fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}
