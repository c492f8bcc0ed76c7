//! Several machines that answer together: a scheduler that divides what is to be done, and executors that do it.
//!
//! Whoever asks reads the logs of the lake, plans the whole question and prunes its files; what travels is that plan, in which
//! each table is a list of files. So all machines read one moment of the lake, and need no more of it than its files under the
//! same paths. The rest is Ballista's (docs/decisions/0025-scale-out.md).
//!
//! Nobody is asked who he is: whoever reaches a scheduler or an executor reads what its process may read.

mod client;
mod codec;
mod executor;
mod scheduler;

pub use client::Cluster;
pub use executor::{Executor, execute};
pub use scheduler::schedule;

use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::utils::default_session_builder;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{FunctionRegistry as _, SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

use crate::functions;
use crate::location::Stores;

/// Octets that a plan may have on its way. A file of a table takes some 400, so this is enough for 100,000 files; gRPC wants a bound, and
/// what is larger than a tenth of an executor's memory should not come as one message.
const MESSAGE_OCTETS: u32 = 64 << 20;

/// The scheduler calls executors. If they came for their work, nobody could tell them that it is not wanted any more, and a slip (a join
/// without a condition) would keep a processor for ever.
const POLICY: TaskSchedulingPolicy = TaskSchedulingPolicy::PushStaged;

/// Seconds between two words of an executor that it is there.
const PULSE: u64 = 2;

/// What every machine of a cluster knows by name: all functions of DataFusion, ours that need to know nothing of a lake, and
/// how stores are opened.
fn session(config: SessionConfig) -> datafusion::common::Result<SessionState> {
    let stores = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Stores::default()));
    let mut state = SessionStateBuilder::new_from_existing(default_session_builder(config)?)
        .with_runtime_env(stores.build_arc()?)
        .build();
    for function in functions::of_any_lake() {
        state.register_udf(Arc::new(function))?;
    }
    state.register_udaf(Arc::new(crate::sketches::union()))?;
    Ok(state)
}
