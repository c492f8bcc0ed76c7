//! How the data files of the tables by zone and day stand in their Delta logs.

use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::data_file::DataFile;
use crate::delta::Logged;
use crate::row::{DAY, Row};

impl<R: Row> Logged for R {
    const NAME: &'static str = R::TABLE;
    const ABOUT: &'static str = R::COMMENT;
    const VERSION: u32 = R::SCHEMA_VERSION;
    const PARTITION: &'static str = DAY;
    type File = DataFile;

    fn columns() -> Vec<StructField> {
        R::delta_columns()
    }

    fn entry(file: &DataFile, modified: i64) -> Add {
        add(file, modified)
    }

    fn file(entry: &LogicalFileView) -> DataFile {
        data_file(entry)
    }

    fn path(file: &DataFile) -> &str {
        &file.path
    }
}

fn add(file: &DataFile, modified: i64) -> Add {
    let mut stats = serde_json::json!({ "numRecords": file.rows });
    if let (Some((first_zone, last_zone)), Some((first, last))) = (&file.zones, file.times) {
        let time = |time| {
            Timestamp::from_microsecond(time)
                .map(|time| format!("{time:.6}"))
                .unwrap_or_default()
        };
        stats["minValues"] = serde_json::json!({ "zone": first_zone, "time": time(first) });
        stats["maxValues"] = serde_json::json!({ "zone": last_zone, "time": time(last) });
        stats["nullCount"] = serde_json::json!({ "zone": 0, "time": 0 });
    }
    Add {
        path: file.path.clone(),
        partition_values: [(DAY.to_owned(), Some(file.day.to_string()))].into(),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: modified,
        stats: Some(stats.to_string()),
        ..Add::default()
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    num_records: u64,
    min_values: Ends,
    max_values: Ends,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ends {
    zone: Option<String>,
    time: Option<Timestamp>,
}

fn data_file(view: &LogicalFileView) -> DataFile {
    let stats: Stats = view
        .stats()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let day = view
        .partition_values_map()
        .remove(DAY)
        .flatten()
        .and_then(|day| day.parse().ok());
    // other writers give times to the millisecond, rounded down
    let last = |time: Timestamp| time.as_microsecond().saturating_add(999);
    DataFile {
        path: view.path().into_owned(),
        day: day.unwrap_or(Date::MIN),
        rows: stats.num_records,
        bytes: u64::try_from(view.size()).unwrap_or(0),
        zones: stats.min_values.zone.zip(stats.max_values.zone),
        times: stats
            .min_values
            .time
            .map(Timestamp::as_microsecond)
            .zip(stats.max_values.time.map(last)),
    }
}
