//! What is answered, what is refused, and how a mistake is told.

use query::{Error, Place};

use crate::story::{furnished, rows, table};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_would_do_more_than_read_is_refused_by_name() {
    let (folder, engine) = furnished().await;
    let before = files(folder.path());
    for (statement, word) in [
        ("INSERT INTO sample SELECT * FROM sample", "INSERT"),
        ("CREATE TABLE mine AS SELECT 1", "CREATE"),
        ("CREATE VIEW mine AS SELECT 1", "CREATE"),
        (
            "CREATE EXTERNAL TABLE mine STORED AS CSV LOCATION '/etc/passwd'",
            "CREATE",
        ),
        ("COPY (SELECT 1) TO 'mine.csv'", "COPY"),
        ("COPY sample TO 'mine.parquet'", "COPY"),
        ("DROP VIEW sample", "DROP"),
        ("DELETE FROM sample", "DELETE"),
        ("UPDATE sample SET zone = 'x'", "UPDATE"),
        ("TRUNCATE TABLE sample", "TRUNCATE"),
        ("SET datafusion.runtime.memory_limit = '100G'", "SET"),
        ("RESET datafusion.runtime.memory_limit", "RESET"),
        ("BEGIN", "BEGIN"),
        ("PREPARE mine AS SELECT 1", "PREPARE"),
        ("EXECUTE mine", "EXECUTE"),
        ("EXPLAIN INSERT INTO sample SELECT * FROM sample", "INSERT"),
        ("EXPLAIN ANALYZE COPY sample TO 'mine.parquet'", "COPY"),
    ] {
        match engine.ask(statement).await.map(|_| ()) {
            Err(error @ Error::Refused { .. }) => {
                assert!(error.to_string().contains(word), "{statement}: {error}");
                assert!(error.is_of_statement());
            }
            other => panic!("{statement}: {other:?}"),
        }
    }
    for statement in [
        "SELECT * INTO mine FROM sample",
        "WITH x AS (INSERT INTO sample SELECT * FROM sample) SELECT 1",
        "SELECT 1; DROP VIEW sample",
        "",
    ] {
        let error = engine.ask(statement).await.map(|_| ()).unwrap_err();
        assert!(error.is_of_statement(), "{statement}: {error}");
    }
    assert_eq!(files(folder.path()), before);
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_no_tables_and_unknown_tables_are_told_with_those_that_are_there() {
    let (folder, engine) = furnished().await;
    let parquet = files(folder.path())
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "parquet"));
    for name in [
        "'/etc/passwd'".to_owned(),
        format!("'{}'", parquet.unwrap().display()),
        "samples".to_owned(),
        "kept".to_owned(),
        "other.sample".to_owned(),
    ] {
        let error = engine
            .ask(&format!("SELECT * FROM {name}"))
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, Error::NoTable { .. }), "{name}: {error:?}");
        assert!(
            error.to_string().contains("there are sample, zone_change, rrset"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_is_told_with_its_place() {
    let (_folder, engine) = furnished().await;
    for (statement, message, line, column) in [
        ("SELECT zone FROM sample WHERE AND", "", 1, 31),
        ("SELECT\n  ownr FROM rrset", "ownr", 2, 3),
        ("SELECT zone, count(*) FROM sample GROUP BY probe", "zone", 1, 8),
    ] {
        match engine.ask(statement).await.map(|_| ()) {
            Err(Error::Sql { message: told, place }) => {
                assert!(told.contains(message), "{statement}: {told}");
                assert_eq!(place, Some(Place { line, column }), "{statement}: {told}");
            }
            other => panic!("{statement}: {other:?}"),
        }
    }
    for statement in [
        "SELECT nonsense(zone) FROM sample",
        "SELECT * FROM rrset WHERE in_zone(owner, 'a..b')",
        "SELECT * FROM rdata WHERE in_prefix(address, '192.0.2.1/24')",
    ] {
        let error = async {
            let mut answer = engine.ask(statement).await?;
            while let Some(batch) = answer.next().await {
                batch?;
            }
            Ok::<(), Error>(())
        };
        assert!(matches!(error.await, Err(Error::Sql { .. })), "{statement}");
    }
    // deeper than any question is: an error and not an overflow of the stack
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(engine.ask(&deep).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_columns_can_be_asked_for() {
    let (_folder, engine) = furnished().await;
    let tables = table(&engine, "SHOW TABLES").await;
    assert!(tables.contains("rrset") && !tables.contains("kept"), "{tables}");
    let described = table(&engine, "DESCRIBE rrset").await;
    assert!(
        described.contains("owner_order") && described.contains("Utf8"),
        "{described}"
    );
    assert!(table(&engine, "SHOW COLUMNS FROM sample").await.contains("rtt_us"));
    let series = rows(&engine, "SELECT count(*) AS n FROM generate_series(1, 9)").await;
    assert_eq!(series, [serde_json::json!({ "n": 9 })]);
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_read_names_and_addresses() {
    let (_folder, engine) = furnished().await;
    let found = rows(
        &engine,
        "SELECT reverse_name('www.Example.com.') AS reversed, canonical_name('Bücher.example') AS canonical,
            in_zone('www.example.com', 'EXAMPLE.com') AS inside, in_zone('badexample.com', 'example.com') AS beside,
            in_zone('example.com', '.') AS below_root, in_prefix('192.0.2.1', '192.0.2.0/24') AS of_prefix,
            in_prefix('2001:db8::1', '192.0.2.0/24') AS of_other_family, reverse_name('a..b') AS none",
    )
    .await;
    let expected = serde_json::json!({
        "reversed": "com.example.www.", "canonical": "xn--bcher-kva.example", "inside": true, "beside": false,
        "below_root": true, "of_prefix": true, "of_other_family": false, "none": null,
    });
    assert_eq!(found, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sketches_are_united_over_any_rows() {
    let (_folder, engine) = furnished().await;
    let found = rows(
        &engine,
        "SELECT sketch_count(sketch_union(names_sketch)) AS all, sum(names) AS summed,
            sketch_count(sketch_union(names_sketch) FILTER (WHERE false)) AS of_none,
            sketch_count(sketch_union(CASE WHEN names > 40 THEN names_sketch END)) AS of_one, sketch_count(X'0000ff') AS no_sketch
        FROM distinct_count",
    )
    .await;
    let expected = serde_json::json!({ "all": 60, "summed": 70, "of_none": null, "of_one": 50, "no_sketch": null });
    assert_eq!(found, [expected]);

    let told = async {
        let mut answer = engine
            .ask("SELECT sketch_union(X'00010200') FROM distinct_count")
            .await?;
        while let Some(batch) = answer.next().await {
            batch?;
        }
        Ok::<(), Error>(())
    };
    let told = told.await.unwrap_err().to_string();
    assert!(told.contains("sketch_union: it is no sketch"), "{told}");
}
