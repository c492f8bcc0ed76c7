//! The machine that divides what is to be done, and knows who does it. It keeps nothing on its disk.

use std::sync::Arc;

use ballista_core::utils::default_config_producer;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

use super::codec::Codec;
use super::{MESSAGE_OCTETS, POLICY, session};
use crate::error::Error;

/// Seconds without a word after which an executor is given up, and what it had is done again by others: five words
/// ([`PULSE`](super::PULSE)). Longer lets an answer wait for a dead machine; shorter takes one for dead that was busy for a moment.
const SILENCE: u64 = 10;

/// Seconds between two looks for executors that are silent.
const LOOK: u64 = 2;

/// Seconds for which the last executor that is gone is waited for, before what runs is given up. A machine that restarts takes less.
const WITHOUT_EXECUTORS: u64 = 30;

/// Seconds for which executors keep an answer that nobody has fetched. Longer than an answer may take to be read over a slow line, else it
/// ends in an error; for so long it takes room on their disks.
const UNFETCHED: u64 = 600;

/// Divides what comes to a listening socket among the executors that come to the same. Ends only with an error.
pub async fn schedule(listener: TcpListener) -> Result<(), Error> {
    let address = listener.local_addr().map_err(|source| Error::Serve {
        what: "scheduler",
        source: source.into(),
    })?;
    let config = SchedulerConfig {
        external_host: address.ip().to_string(),
        bind_port: address.port(),
        scheduling_policy: POLICY,
        executor_timeout_seconds: SILENCE,
        expire_dead_executor_interval_seconds: LOOK,
        no_executors_grace_period_seconds: WITHOUT_EXECUTORS,
        finished_job_data_clean_up_interval_seconds: UNFETCHED,
        finished_job_state_clean_up_interval_seconds: UNFETCHED,
        grpc_server_max_decoding_message_size: MESSAGE_OCTETS,
        grpc_server_max_encoding_message_size: MESSAGE_OCTETS,
        grpc_client_max_message_size: MESSAGE_OCTETS,
        override_physical_codec: Some(Arc::new(Codec::default())),
        override_session_builder: Some(Arc::new(session)),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_memory(
        config.scheduler_id.clone(),
        Arc::new(session),
        Arc::new(default_config_producer),
    );
    let failed = |source: ballista_core::error::BallistaError| Error::Serve {
        what: "scheduler",
        source: source.into(),
    };
    let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config))
        .await
        .map_err(failed)?;
    start_grpc_service_with_listener(listener, scheduler)
        .await
        .map_err(failed)
}
