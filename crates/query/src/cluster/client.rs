//! Sends a plan to the scheduler, waits until it is done, and fetches the rows from the executors that have them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::client::BallistaClient;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobStatusParams, KeyValuePair, PartitionLocation,
    RemoveSessionParams, execute_query_result,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_core::version::insert_version_header;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan as _;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tonic::Request;
use tonic::transport::Channel;

use super::MESSAGE_OCTETS;
use super::codec::Codec;
use crate::error::Error;

/// Time to reach a scheduler. One that is there answers in a round trip.
const CONNECT: Duration = Duration::from_secs(5);

/// Time between two questions whether an answer is there: from the first, for quick ones, to the last.
const ASK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Time for a word to the scheduler that nobody waits for the answer of any more.
const FAREWELL: Duration = Duration::from_secs(2);

/// Machines that answer together, by the address of their scheduler. Read from `http://HOST:PORT` or `HOST:PORT`.
#[derive(Debug, Clone)]
pub struct Cluster {
    host: String,
    port: u16,
    farewells: TaskTracker,
}

impl FromStr for Cluster {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix("http://").unwrap_or(text);
        let place = bare.strip_suffix('/').unwrap_or(bare).rsplit_once(':');
        match place.map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) if !host.is_empty() && !host.contains('/') => Ok(Self {
                host: host.to_owned(),
                port,
                farewells: TaskTracker::new(),
            }),
            _ => Err(format!(
                "`{text}` is no address of a scheduler: it has the form http://HOST:PORT"
            )),
        }
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

type Scheduler = SchedulerGrpcClient<Channel>;

impl Cluster {
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until the scheduler has been told of all questions that nobody waits for any more, for at most two seconds.
    pub async fn settle(&self) {
        self.farewells.close();
        // it ends by itself what was not told, after some time
        let _ = timeout(FAREWELL, self.farewells.wait()).await;
    }

    /// The rows of a plan. When they are dropped before their end, what is still done for them is given up.
    pub(crate) async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
    ) -> Result<SendableRecordBatchStream, Error> {
        let schema = plan.schema();
        let encoded = PhysicalPlanNode::try_from_physical_plan(plan, &Codec::default()).and_then(|node| {
            let mut octets = Vec::new();
            node.try_encode(&mut octets).map(|()| octets)
        });
        let encoded = encoded.map_err(|error| self.failed(format!("the plan cannot be written: {error}")))?;
        let options = config.options().entries();
        let settings = options.into_iter().map(|entry| KeyValuePair {
            key: entry.key,
            value: entry.value,
        });
        let session = uuid::Uuid::now_v7().to_string();
        let mut request = Request::new(ExecuteQueryParams {
            query: Some(Query::PhysicalPlan(encoded)),
            settings: settings.collect(),
            operation_id: session.clone(),
            session_id: session.clone(),
        });
        insert_version_header(request.metadata_mut());

        let mut scheduler = self.scheduler().await?;
        let accepted = scheduler
            .execute_query(request)
            .await
            .map_err(|status| self.refused(&status))?;
        let id = match accepted.into_inner().result {
            Some(execute_query_result::Result::Success(accepted)) => accepted.job_id,
            other => return Err(self.failed(format!("it did not take the plan: {other:?}"))),
        };
        let job = Job {
            id,
            session,
            is_done: false,
            scheduler,
            farewells: self.farewells.clone(),
        };
        let (job, places) = self.wait(job).await?;
        let rows = stream::iter(places).then(fetch).try_flatten();
        // the job ends with its rows
        let rows = rows.map(move |rows| {
            let _ = &job;
            rows
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    async fn scheduler(&self) -> Result<Scheduler, Error> {
        let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| Error::Unreachable {
            scheduler: self.to_string(),
            source,
        };
        let config = GrpcClientConfig {
            connect_timeout_seconds: CONNECT.as_secs(),
            ..GrpcClientConfig::default()
        };
        let endpoint =
            create_grpc_client_endpoint(self.to_string(), Some(&config)).map_err(|error| unreachable(error.into()))?;
        let channel = endpoint.connect().await.map_err(|error| unreachable(error.into()))?;
        let octets = usize::try_from(MESSAGE_OCTETS).unwrap_or(usize::MAX);
        Ok(SchedulerGrpcClient::new(channel)
            .max_encoding_message_size(octets)
            .max_decoding_message_size(octets))
    }

    /// Where the rows are, when all is done.
    async fn wait(&self, mut job: Job) -> Result<(Job, Vec<PartitionLocation>), Error> {
        let mut pause = ASK.0;
        loop {
            let question = GetJobStatusParams { job_id: job.id.clone() };
            let answer = job.scheduler.get_job_status(question).await;
            let status = answer.map_err(|status| self.refused(&status))?.into_inner().status;
            match status.and_then(|status| status.status) {
                Some(Status::Successful(done)) => {
                    job.is_done = true;
                    return Ok((job, done.partition_location));
                }
                Some(Status::Failed(failed)) => {
                    job.is_done = true;
                    return Err(self.failed(in_short(failed.error)));
                }
                None | Some(Status::Queued(_) | Status::Running(_)) => {
                    sleep(pause).await;
                    pause = (pause * 2).min(ASK.1);
                }
            }
        }
    }

    fn refused(&self, status: &tonic::Status) -> Error {
        self.failed(status.message().to_owned())
    }

    fn failed(&self, message: String) -> Error {
        Error::Cluster {
            scheduler: self.to_string(),
            message,
        }
    }
}

/// What a scheduler says of a failed question holds the error in the form for debugging.
fn in_short(message: String) -> String {
    match message.split_once("ResourcesExhausted(\"") {
        Some((_, reason)) => {
            let reason = reason.split_once("\")").map_or(reason, |(reason, _)| reason);
            format!("an executor has too little memory (--memory): {reason}")
        }
        None => message,
    }
}

async fn fetch(place: PartitionLocation) -> datafusion::common::Result<SendableRecordBatchStream> {
    let lacks = |what| DataFusionError::Execution(format!("the scheduler does not say {what} of a part of the answer"));
    let layout = place.layout();
    let executor = place.executor_meta.ok_or_else(|| lacks("the executor"))?;
    let part = place.partition_id.ok_or_else(|| lacks("the number"))?;
    let octets = usize::try_from(MESSAGE_OCTETS).unwrap_or(usize::MAX);
    let lost = |error: ballista_core::error::BallistaError| {
        let (host, port) = (&executor.host, executor.port);
        DataFusionError::Context(
            format!("a part of the answer cannot be fetched from the executor {host}:{port}"),
            Box::new(error.into_datafusion()),
        )
    };
    let port = u16::try_from(executor.port).map_err(|_| lacks("a port"))?;
    let defaults = GrpcClientConfig::default();
    let mut client = BallistaClient::try_new(
        &executor.host,
        port,
        octets,
        false,
        None,
        defaults.io_retries_times,
        FETCH_AGAIN_MS,
        0,
        0,
    )
    .await
    .map_err(lost)?;
    client
        .fetch_partition(&executor.id, &part.into(), place.file_id, layout, true)
        .await
        .map_err(lost)
}

/// Milliseconds before an executor that did not answer is asked again, three times: enough for a lost connection; one that is dead stays so.
const FETCH_AGAIN_MS: u64 = 500;

/// A question that the scheduler knows. Dropping it tells the scheduler that nobody waits any more.
struct Job {
    id: String,
    session: String,
    is_done: bool,
    scheduler: Scheduler,
    farewells: TaskTracker,
}

impl Drop for Job {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (mut scheduler, job_id, session_id) = (self.scheduler.clone(), self.id.clone(), self.session.clone());
        let is_done = self.is_done;
        let farewell = async move {
            // what cannot be told is ended by the scheduler itself, later
            if is_done {
                let _ = scheduler
                    .clean_job_data(CleanJobDataParams {
                        job_id,
                        // all of them
                        remove_stage_ids: Vec::new(),
                    })
                    .await;
            } else {
                let _ = scheduler.cancel_job(CancelJobParams { job_id }).await;
            }
            let _ = scheduler.remove_session(RemoveSessionParams { session_id }).await;
        };
        self.farewells.spawn_on(farewell, &runtime);
    }
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn what_an_executor_lacks_is_told_without_its_wrapping() {
        let message = "Job failed due to stage 1 failed: Task failed due to runtime execution error: DataFusionError(Shared(External(\
             DataFusionError(Shared(ResourcesExhausted(\"Failed to allocate 130.1 KB for CrossJoinExec\"))))))";
        assert_eq!(
            in_short(message.to_owned()),
            "an executor has too little memory (--memory): Failed to allocate 130.1 KB for CrossJoinExec"
        );
        assert_eq!(in_short("Job cancelled".to_owned()), "Job cancelled");
    }
}
