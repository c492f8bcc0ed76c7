//! A statement in a process of its own.
//!
//! What a statement computes cannot be stopped from outside while it does not wait for anything, and memory that it asks for and that is
//! not there ends the process. So a server has each answered by another process of the same program, and ends that.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::reader::StreamDecoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};

use crate::engine::Limits;
use crate::error::Error;

/// How much longer than its limit a statement may take before its process ends itself: it says more when the statement stops.
pub const GRACE: Duration = Duration::from_secs(2);

/// How much longer a server waits for the process: it opens the lake before its time begins, and may have a cluster to tell. One that takes longer
/// is stuck.
const LAST: Duration = Duration::from_secs(30);

/// Begins the line in which a process says its code: anything may stand before it.
const CODE: &str = "code of gRPC: ";

/// Octets that are read at a time.
const CHUNK: usize = 1 << 16;

/// Octets of what a process says of its failure.
const SAID: u64 = 1 << 16;

/// What a process says to its server of why it has no answer.
pub fn failure(error: &Error) -> String {
    format!("{CODE}{}\n{}", i32::from(code(error)), error.whole())
}

pub(crate) fn code(error: &Error) -> Code {
    match error {
        Error::Sql { .. } | Error::NoTable { .. } | Error::Refused { .. } => Code::InvalidArgument,
        Error::Memory { .. } => Code::ResourceExhausted,
        Error::Time { .. } => Code::DeadlineExceeded,
        Error::Unreachable { .. } | Error::Cluster { .. } => Code::Unavailable,
        Error::Lake(_) | Error::Read(_) | Error::Write(_) | Error::Serve { .. } => Code::Internal,
    }
}

/// How statements are handed to processes.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    /// The program: this one.
    pub program: PathBuf,
    /// Folder or URL of the lake.
    pub lake: String,
    pub limits: Limits,
    pub cluster: Option<String>,
}

/// An answer that a process gives.
pub(crate) struct Process {
    child: Child,
    rows: ChildStdout,
    decoder: StreamDecoder,
    /// What was read and is not decoded yet.
    read: Buffer,
    /// Rows that came with the columns.
    first: Option<RecordBatch>,
    deadline: Instant,
    limits: Limits,
}

impl Statements {
    /// Begins to answer a statement, or to say only its columns.
    pub async fn begin(&self, sql: &str, only_columns: bool) -> Result<Process, Status> {
        let failed =
            |error: std::io::Error| Status::internal(format!("cannot start a process for the statement: {error}"));
        let mut command = Command::new(&self.program);
        command
            .args(["--for-server", "--format", "arrow", "--lake", &self.lake])
            .args(["--memory", &(self.limits.memory >> 20).to_string()])
            .args(["--time", &self.limits.time.as_secs().to_string()]);
        if let Some(cluster) = &self.cluster {
            command.args(["--cluster", cluster]);
        }
        if only_columns {
            command.arg("--only-columns");
        }
        command
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let missing = || failed(std::io::Error::other("it has no pipes"));
        let mut input = child.stdin.take().ok_or_else(missing)?;
        let rows = child.stdout.take().ok_or_else(missing)?;
        let mut process = Process {
            child,
            rows,
            decoder: StreamDecoder::new(),
            read: Buffer::from_vec(Vec::<u8>::new()),
            first: None,
            deadline: Instant::now() + self.limits.time,
            limits: self.limits,
        };
        // one that ends before it has read the statement says why
        let _ = input.write_all(sql.as_bytes()).await;
        drop(input);
        while process.decoder.schema().is_none() {
            if !process.read_on().await? {
                return Err(Status::internal("the answer has no columns"));
            }
            process.first = process.decode()?;
        }
        Ok(process)
    }
}

impl Process {
    /// The columns.
    pub fn schema(&self) -> Option<SchemaRef> {
        self.decoder.schema()
    }

    /// When the time of the statement is over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The next rows; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Status> {
        if let Some(batch) = self.first.take() {
            return Ok(Some(batch));
        }
        loop {
            if let Some(batch) = self.decode()? {
                return Ok(Some(batch));
            }
            if !self.read_on().await? {
                return Ok(None);
            }
        }
    }

    fn decode(&mut self) -> Result<Option<RecordBatch>, Status> {
        let batch = self.decoder.decode(&mut self.read);
        batch.map_err(|error| Status::internal(format!("the answer of the process cannot be read: {error}")))
    }

    /// Reads more; `false` at the end of a whole answer.
    async fn read_on(&mut self) -> Result<bool, Status> {
        let mut chunk = vec![0; CHUNK];
        let Ok(count) = timeout_at(self.deadline + LAST, self.rows.read(&mut chunk)).await else {
            let _ = self.child.start_kill();
            let limit = self.limits.time.as_secs();
            return Err(Status::deadline_exceeded(format!(
                "the answer takes more than {limit} s"
            )));
        };
        let failed =
            |error: std::io::Error| Status::internal(format!("cannot hear the process of the statement: {error}"));
        let count = count.map_err(failed)?;
        chunk.truncate(count);
        if count > 0 {
            self.read = Buffer::from_vec(chunk);
            return Ok(true);
        }
        let mut said = Vec::new();
        if let Some(errors) = self.child.stderr.take() {
            errors.take(SAID).read_to_end(&mut said).await.map_err(failed)?;
        }
        let ended = self.child.wait().await.map_err(failed)?;
        if ended.success() {
            return Ok(false);
        }
        Err(self.why(ended, &String::from_utf8_lossy(&said)))
    }

    /// A process says a code of gRPC in a line, and then why; one that was ended says at most what its runtime had to say.
    fn why(&self, ended: ExitStatus, said: &str) -> Status {
        let coded = said.split_once(CODE).and_then(|(_, said)| said.split_once('\n'));
        if let Some((Ok(code), why)) = coded.map(|(code, why)| (code.parse::<i32>(), why)) {
            return Status::new(Code::from(code), why.trim_end());
        }
        // 9: by the system, which had none left
        if said.contains("memory allocation") || ended.signal() == Some(9) {
            let limit = self.limits.memory >> 20;
            return Status::resource_exhausted(format!("the answer takes more than {limit} MB of memory"));
        }
        Status::internal(format!("the process of the statement ended with {ended}"))
    }
}

impl Drop for Process {
    /// Nobody waits for it any more. It may still have to tell a cluster so.
    fn drop(&mut self) {
        if let Some(pid) = self
            .child
            .id()
            .and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()))
        {
            // one that has just ended needs no word
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}
