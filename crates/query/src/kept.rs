//! A table of the lake as its files are, for DataFusion: which of them are read, and in what order their rows stand.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{
    ColumnStatistics, DFSchema, DataFusionError, Result, ScalarValue, Statistics, project_schema,
};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::{ObjectMeta, path::Path};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr, expressions::col};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use lake::{TableFile, TableFiles};

/// Bounds from the log prune files before they are opened; the files' own statistics prune row groups and pages.
#[derive(Debug)]
pub(crate) struct Kept {
    table: TableFiles,
    store: ObjectStoreUrl,
}

#[async_trait]
impl TableProvider for Kept {
    fn schema(&self) -> SchemaRef {
        self.table.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = DFSchema::try_from(self.schema())?;
        let predicate = conjunction(filters.iter().cloned())
            .map(|filter| state.create_physical_expr(filter, &schema))
            .transpose()?;
        let files = self.files(predicate.as_ref())?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema(), projection)?)));
        }
        let order = self.order()?;
        // where rows have an order each file is a stream of its own, to be merged; the others are dealt out to the processors
        let groups = match order {
            Some(_) => files.len(),
            None => state.config().target_partitions(),
        };
        let groups = FileGroup::new(files).split_files(groups.max(1));

        let mut options = state.default_table_options().parquet;
        options.global = state.config_options().execution.parquet.clone();
        // the conditions come to it when the plan is made: those that stay above a scan are pushed into it
        let source = ParquetSource::new(self.schema()).with_table_parquet_options(options);
        let scan = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_output_ordering(order.into_iter().collect())
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

impl Kept {
    /// A table whose files are in a store.
    pub fn new(table: TableFiles, store: ObjectStoreUrl) -> Self {
        Self { table, store }
    }

    /// The files that may hold rows for which the predicate holds, by what the log says of them.
    fn files(&self, predicate: Option<&Arc<dyn PhysicalExpr>>) -> Result<Vec<PartitionedFile>> {
        let files = &self.table.files;
        let statistics = files.iter().map(|file| Arc::new(self.statistics(file))).collect();
        let holds = match predicate {
            Some(predicate) => PruningPredicateBuilder::new()
                .with_file_schema(self.schema())
                .try_build(predicate.clone())?
                .prune(&PrunableStatistics::new(statistics, self.schema()))?,
            None => vec![true; files.len()],
        };
        let chosen = files.iter().zip(holds).filter(|(_, holds)| *holds);
        chosen.map(|(file, _)| self.partitioned(file)).collect()
    }

    fn statistics(&self, file: &TableFile) -> Statistics {
        let bounds = |first: ScalarValue, last: ScalarValue| ColumnStatistics {
            null_count: Precision::Exact(0),
            min_value: Precision::Exact(first),
            max_value: Precision::Exact(last),
            ..ColumnStatistics::new_unknown()
        };
        let column = |name: &str| match name {
            "zone" => file
                .zones
                .as_ref()
                .map(|(first, last)| bounds(first.as_str().into(), last.as_str().into())),
            "time" => file.times.map(|(first, last)| bounds(time(first), time(last))),
            _ => None,
        };
        let columns = self.table.schema.fields().iter();
        Statistics {
            num_rows: Precision::Exact(usize::try_from(file.rows).unwrap_or(usize::MAX)),
            total_byte_size: Precision::Absent,
            column_statistics: columns
                .map(|field| column(field.name()).unwrap_or_else(ColumnStatistics::new_unknown))
                .collect(),
        }
    }

    fn partitioned(&self, file: &TableFile) -> Result<PartitionedFile> {
        let location = match self.store == ObjectStoreUrl::local_filesystem() {
            true => Path::from_absolute_path(&file.path),
            false => Path::parse(file.path.to_string_lossy()),
        };
        Ok(PartitionedFile::new_from_meta(ObjectMeta {
            location: location.map_err(|error| DataFusionError::External(error.into()))?,
            last_modified: Default::default(),
            size: file.bytes,
            e_tag: None,
            version: None,
        }))
    }

    fn order(&self) -> Result<Option<LexOrdering>> {
        let column = |name: &&str| Ok(PhysicalSortExpr::new(col(name, &self.table.schema)?, SORT));
        let columns = self.table.order.iter().map(column).collect::<Result<Vec<_>>>()?;
        Ok(LexOrdering::new(columns))
    }
}

/// As [`TableFiles::order`] has it.
const SORT: datafusion::arrow::compute::SortOptions = datafusion::arrow::compute::SortOptions {
    descending: false,
    nulls_first: true,
};

fn time(time: jiff::Timestamp) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(time.as_microsecond()), Some("UTC".into()))
}
