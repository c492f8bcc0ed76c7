//! Each form of an answer, read back.

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use query::Format;

use crate::story::{furnished, rows, table, written};

const SQL: &str = "SELECT owner, rtype, rdata, count, CASE WHEN rtype = 'AAAA' THEN NULL ELSE 1 END AS maybe
    FROM rrset WHERE owner = 'www.shop.example' ORDER BY rtype";

fn check(batches: &[RecordBatch]) {
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    let batch = &batches[0];
    assert_eq!(batch.column(1).as_string::<i32>().value(1), "AAAA");
    assert_eq!(
        batch.column(2).as_list::<i32>().value(0).as_string::<i32>().value(0),
        "192.0.2.80"
    );
    assert_eq!(batch.column(3).as_primitive::<Int64Type>().values(), &[12, 4]);
    assert!(batch.column(4).is_null(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_and_arrow_keep_types() {
    let (_folder, engine) = furnished().await;
    let parquet = written(&engine, SQL, Format::Parquet).await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet))
        .unwrap()
        .build()
        .unwrap();
    check(&reader.map(Result::unwrap).collect::<Vec<_>>());

    let arrow = written(&engine, SQL, Format::Arrow).await.unwrap();
    let reader = StreamReader::try_new(arrow.as_slice(), None).unwrap();
    check(&reader.map(Result::unwrap).collect::<Vec<_>>());

    // an answer without rows is a file with columns
    let sql = "SELECT attempts FROM sample WHERE zone = 'other.example'";
    let parquet = written(&engine, sql, Format::Parquet).await.unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).unwrap();
    assert_eq!(
        builder.schema().field(0).data_type(),
        &datafusion::arrow::datatypes::DataType::Int32
    );
    let arrow = written(&engine, sql, Format::Arrow).await.unwrap();
    let reader = StreamReader::try_new(arrow.as_slice(), None).unwrap();
    let values = reader.map(|batch| batch.unwrap().column(0).as_primitive::<Int32Type>().len());
    assert_eq!(values.sum::<usize>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_has_a_header_and_texts_in_the_place_of_lists() {
    let (_folder, engine) = furnished().await;
    let csv = written(&engine, SQL, Format::Csv).await.unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    assert_eq!(
        reader.headers().unwrap(),
        vec!["owner", "rtype", "rdata", "count", "maybe"]
    );
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records[0], vec!["www.shop.example", "A", "192.0.2.80", "12", "1"]);
    assert_eq!(records[1], vec!["www.shop.example", "AAAA", "2001:db8::80", "4", ""]);

    let none = written(&engine, "SELECT zone, time FROM sample WHERE false", Format::Csv)
        .await
        .unwrap();
    assert_eq!(String::from_utf8(none).unwrap(), "zone,time\n");
    let times = written(&engine, "SELECT min(time) AS first FROM sample", Format::Csv)
        .await
        .unwrap();
    assert_eq!(String::from_utf8(times).unwrap(), "first\n2026-11-23T00:00:00Z\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_an_object_a_line_with_null() {
    let (_folder, engine) = furnished().await;
    let expected = serde_json::json!([
        { "owner": "www.shop.example", "rtype": "A", "rdata": ["192.0.2.80"], "count": 12, "maybe": 1 },
        { "owner": "www.shop.example", "rtype": "AAAA", "rdata": ["2001:db8::80"], "count": 4, "maybe": null },
    ]);
    assert_eq!(serde_json::Value::from(rows(&engine, SQL).await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_have_numbers_to_the_right_and_show_null_and_hide_nothing_that_moves_the_cursor() {
    let (_folder, engine) = furnished().await;
    let shown = table(&engine, SQL).await;
    let expected = "\
owner             rtype  rdata         count  maybe
----------------  -----  ------------  -----  -----
www.shop.example  A      192.0.2.80       12      1
www.shop.example  AAAA   2001:db8::80      4   NULL
";
    assert_eq!(shown, expected);
    let wild = table(
        &engine,
        "SELECT 'a' || chr(27) || '[2J' AS x, 'e\u{202e}vil' AS y, '東京' AS z, 1.5 AS n",
    )
    .await;
    let expected = "\
x           y             z       n
----------  ------------  ----  ---
a\\u{1b}[2J  e\\u{202e}vil  東京  1.5
";
    assert_eq!(wild, expected);
    let octets = table(
        &engine,
        "SELECT X'00ff' AS few, decode(repeat('0a', 33), 'hex') AS many, CAST(NULL AS BYTEA) AS none",
    )
    .await;
    let digits = "0a".repeat(32);
    assert_eq!(
        octets.lines().nth(2),
        Some(format!("00ff  {digits}… (33 octets)  NULL").as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_ends_at_its_rows() {
    let (_folder, engine) = furnished().await;
    let mut out = Vec::new();
    for (rows, expected) in [(5, (5, false)), (96, (96, true)), (0, (0, false))] {
        let answer = engine.ask("SELECT time FROM sample").await.unwrap();
        let written = query::write(answer, Format::Table { rows }, &mut out).await.unwrap();
        assert_eq!((written.rows, written.is_whole), expected);
    }
}
