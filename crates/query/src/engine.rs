//! Answers statements about a lake, from its tables as they were when the engine was opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::SessionConfigExt as _;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{TableProvider, view::ViewTable};
use datafusion::common::tree_node::TreeNode as _;
use datafusion::config::Dialect;
use datafusion::datasource::MemTable;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use futures_util::StreamExt as _;
use lake::passive::Source;
use tokio::time::{Instant, timeout_at};

use crate::cluster::Cluster;
use crate::error::Error;
use crate::functions;
use crate::kept::Kept;
use crate::location::Location;
use crate::ranges::Ranges;
use crate::statement;
use crate::views::{VIEWS, View};

/// What an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of memory for what sorts, groups and joins hold; batches on their way come on top, some 10 MB. Default 512 MB. Nothing
    /// is spilled to the disk: a lake's disk is the centre's. Higher may push the centre out of memory that stands beside;
    /// lower refuses questions over all names.
    pub memory: usize,
    /// Time from the statement to its last row. Default 60 s. Higher lets a slip (a join without a condition) take the processors from
    /// a centre for so long; lower cuts off questions over months.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 512 << 20,
            time: Duration::from_secs(60),
        }
    }
}

/// Answers statements about one lake.
pub struct Engine {
    context: SessionContext,
    limits: Limits,
    cluster: Option<Cluster>,
}

/// The rows of an answer, batch by batch.
pub struct Answer {
    stream: SendableRecordBatchStream,
    deadline: Instant,
    limits: Limits,
    /// The scheduler of the machines that answer.
    scheduler: Option<String>,
}

impl Engine {
    /// Opens the lake in a folder for reading, beside its writer. It sees what was committed until now; rows that wait in the journal of
    /// a running centre are not among them. `Error::Lake` when its logs cannot be read.
    pub async fn open(lake: &Path, limits: Limits) -> Result<Self, Error> {
        Self::open_at(&Location::Folder(lake.to_owned()), limits, None).await
    }

    /// As [`open`](Self::open), wherever the lake is, and with a cluster that answers if there is one. Its executors need the files under
    /// the same paths, or rights for the same store. The limit of memory is each executor's own there; what reads no file, and EXPLAIN
    /// ANALYZE, is answered here.
    pub async fn open_at(location: &Location, limits: Limits, cluster: Option<Cluster>) -> Result<Self, Error> {
        let snapshot = location.snapshot().await?;
        let engine = |error| Error::of(error, limits.memory);
        let context = context(limits, cluster.is_some()).map_err(engine)?;
        let store = match &snapshot.store {
            Some(store) => {
                let root = ObjectStoreUrl::parse(store.root()).map_err(engine)?;
                context.register_object_store(root.as_ref(), store.objects());
                root
            }
            None => ObjectStoreUrl::local_filesystem(),
        };
        for function in functions::all(&snapshot.sources) {
            context.register_udf(function);
        }
        context.register_udaf(crate::sketches::union());
        let mut tables: BTreeMap<&str, Arc<dyn TableProvider>> = BTreeMap::new();
        tables.insert("source", Arc::new(of_sources(&snapshot.sources).map_err(engine)?));
        for table in snapshot.tables {
            tables.insert(table.name, Arc::new(Kept::new(table, store.clone())));
        }
        for view in VIEWS {
            if let Some(table) = tables.remove(view.name) {
                register(&context, view, table).await.map_err(engine)?;
            }
        }
        Ok(Self {
            context,
            limits,
            cluster,
        })
    }

    /// Begins to answer a statement. `Error::Sql`, `NoTable` or `Refused` say what is wrong with it.
    pub async fn ask(&self, sql: &str) -> Result<Answer, Error> {
        let deadline = Instant::now() + self.limits.time;
        let stream = self.in_time(deadline, self.start(sql)).await?;
        Ok(Answer {
            stream,
            deadline,
            limits: self.limits,
            scheduler: self.cluster.as_ref().map(Cluster::to_string),
        })
    }

    /// The columns that the answer to a statement would have. Errors as of [`ask`](Self::ask).
    pub async fn columns(&self, sql: &str) -> Result<SchemaRef, Error> {
        let planned = async {
            let plan = self.plan(sql).await?;
            let plan = self.context.state().create_physical_plan(&plan).await;
            plan.map(|plan| plan.schema()).map_err(|error| self.failed(error))
        };
        self.in_time(Instant::now() + self.limits.time, planned).await
    }

    async fn in_time<T>(&self, deadline: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let limit = self.limits.time;
        timeout_at(deadline, work).await.unwrap_or(Err(Error::Time { limit }))
    }

    fn failed(&self, error: DataFusionError) -> Error {
        Error::of(error, self.limits.memory)
    }

    async fn start(&self, sql: &str) -> Result<SendableRecordBatchStream, Error> {
        let failed = |error| self.failed(error);
        let logical = self.plan(sql).await?;
        let state = self.context.state();
        let plan = state.create_physical_plan(&logical).await.map_err(failed)?;
        match &self.cluster {
            Some(cluster) if !matches!(logical, LogicalPlan::Analyze(_)) && reads_tables(&plan).map_err(failed)? => {
                cluster.run(plan, state.config()).await
            }
            _ => execute_stream(plan, self.context.task_ctx()).map_err(failed),
        }
    }

    async fn plan(&self, sql: &str) -> Result<LogicalPlan, Error> {
        let failed = |error| self.failed(error);
        let state = self.context.state();
        let statement = state.sql_to_statement(sql, &Dialect::Generic).map_err(failed)?;
        statement::check(&statement)?;
        for table in state.resolve_table_references(&statement).map_err(failed)? {
            let is_function = state.table_functions().contains_key(table.table());
            // that a schema is not there is an error of its own
            if !is_function && !self.context.table_exist(table.clone()).unwrap_or(false) {
                return Err(Error::NoTable {
                    name: table.to_string(),
                    there: VIEWS.iter().map(|view| view.name.to_owned()).collect(),
                });
            }
        }
        let plan = state.statement_to_plan(statement).await.map_err(failed)?;
        let only_reading = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        only_reading.verify_plan(&plan).map_err(failed)?;
        Ok(plan)
    }
}

/// Whether a plan reads tables, and not only what is said of them.
fn reads_tables(plan: &Arc<dyn ExecutionPlan>) -> datafusion::common::Result<bool> {
    plan.exists(|node| Ok(node.downcast_ref::<DataSourceExec>().is_some()))
}

impl Answer {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// The next rows; `None` when there are no more. After an error nothing comes.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Error>> {
        match timeout_at(self.deadline, self.stream.next()).await {
            Ok(batch) => batch.map(|batch| batch.map_err(|error| self.failed(error))),
            Err(_) => Some(Err(Error::Time {
                limit: self.limits.time,
            })),
        }
    }

    fn failed(&self, error: DataFusionError) -> Error {
        match &self.scheduler {
            Some(scheduler) => Error::Cluster {
                scheduler: scheduler.clone(),
                message: error.to_string(),
            },
            None => Error::of(error, self.limits.memory),
        }
    }
}

/// Parts into which a question to a cluster is divided at most: Ballista's own default. Fewer leave machines without work; more make
/// many small files between two steps.
const PARTS: usize = 16;

fn context(limits: Limits, is_for_cluster: bool) -> datafusion::common::Result<SessionContext> {
    let mut config = SessionConfig::new().with_information_schema(true);
    if is_for_cluster {
        config = config.with_target_partitions(PARTS).upgrade_for_ballista();
        // an aggregate that may stop early is read back by an executor as one with an order that it does not have (DataFusion 55.2)
        config.options_mut().optimizer.enable_distinct_aggregation_soft_limit = false;
    }
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // conditions are judged page by page of the columns that they are about, before others are read
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    // files are sorted: to merge them takes a row of each, to sort them anew takes all
    options.optimizer.prefer_existing_sort = true;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(limits.memory, 1.0)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_optimizer_rules(rules())
        .build();
    Ok(SessionContext::new_with_state(state))
}

/// DataFusion's rules and ours, which comes when conditions have been brought down to the tables, and before what occurs twice in
/// a condition is taken out of it and hidden from us.
fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let is_next = |rule: &Arc<dyn OptimizerRule + Send + Sync>| rule.name() == "common_sub_expression_eliminate";
    let place = rules.iter().position(is_next).unwrap_or(rules.len());
    rules.insert(place, Arc::new(Ranges));
    rules
}

/// Puts the plan of a view in the place of its name. The table itself has no name that a statement could say.
async fn register(
    context: &SessionContext,
    view: &View,
    table: Arc<dyn TableProvider>,
) -> datafusion::common::Result<()> {
    context.register_table("kept", table)?;
    let plan = context.state().create_logical_plan(view.sql).await?;
    context.deregister_table("kept")?;
    context.register_table(view.name, Arc::new(ViewTable::new(plan, Some(view.sql.to_owned()))))?;
    Ok(())
}

fn of_sources(sources: &[Source]) -> datafusion::common::Result<MemTable> {
    let column =
        |text: fn(&Source) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(sources.iter().map(text))) };
    let batch = RecordBatch::try_from_iter([
        ("source", column(|source| &source.id)),
        ("owner", column(|source| &source.owner)),
        ("licence", column(|source| &source.licence)),
        ("tlp", column(|source| source.tlp.as_str())),
        ("legal_basis", column(|source| &source.legal_basis)),
    ])?;
    MemTable::try_new(batch.schema(), vec![vec![batch]])
}
