//! Flight SQL as a program speaks it, over the network.

use std::time::Duration;

use arrow_flight::FlightInfo;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables, SqlInfo};
use datafusion::arrow::array::{AsArray as _, RecordBatch};

use datafusion::arrow::util::pretty::pretty_format_batches;
use futures_util::TryStreamExt as _;
use query::VIEWS;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::cluster::{Running, free_ports};
use crate::story::furnish;

const TOKEN: &str = "of-sixteen-characters-or-more";

struct World {
    _folder: TempDir,
    _server: Running,
    url: String,
}

impl World {
    async fn start(with_token: bool) -> Self {
        Self::with_seconds(with_token, "2").await
    }

    /// One that gives each answer so many seconds.
    async fn with_seconds(with_token: bool, seconds: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        furnish(&lake).await;
        let listen = format!("127.0.0.1:{}", free_ports());
        let file = folder.path().join("token");
        std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
        let mut arguments = vec![
            "flight-sql",
            "--lake",
            lake.to_str().unwrap(),
            "--listen",
            &listen,
            "--time",
            seconds,
        ];
        if with_token {
            arguments.extend(["--token-file", file.to_str().unwrap()]);
        }
        let server = Running::start(&arguments);
        Self {
            url: format!("http://{listen}"),
            _server: server,
            _folder: folder,
        }
    }

    async fn client(&self) -> FlightSqlServiceClient<Channel> {
        let endpoint = Endpoint::from_shared(self.url.clone()).unwrap();
        FlightSqlServiceClient::new(endpoint.connect().await.unwrap())
    }
}

async fn fetch(
    client: &mut FlightSqlServiceClient<Channel>,
    info: FlightInfo,
) -> Result<Vec<RecordBatch>, FlightError> {
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let rows = client.do_get(ticket).await?;
    rows.try_collect().await
}

async fn ask(client: &mut FlightSqlServiceClient<Channel>, sql: &str) -> Result<String, FlightError> {
    let info = client.execute(sql.to_owned(), None).await?;
    let columns = info.clone().try_decode_schema()?;
    let batches = fetch(client, info).await?;
    for batch in &batches {
        assert_eq!(batch.schema().fields(), columns.fields(), "as announced");
    }
    Ok(pretty_format_batches(&batches)?.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_asks_by_statement_and_by_prepared_statement() {
    let world = World::start(false).await;
    let mut client = world.client().await;
    let sql = "SELECT zone, count(*) AS n FROM sample GROUP BY zone ORDER BY zone";
    let told = ask(&mut client, sql).await.unwrap();
    assert!(told.contains("| nic.example  | 48 |"), "{told}");
    assert!(told.contains("| shop.example | 48 |"), "{told}");

    let mut prepared = client.prepare(sql.to_owned(), None).await.unwrap();
    assert_eq!(prepared.dataset_schema().unwrap().fields().len(), 2);
    let info = prepared.execute().await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    assert_eq!(pretty_format_batches(&batches).unwrap().to_string(), told);
    prepared.close().await.unwrap();

    for (sql, told) in [
        ("SELECT ownr FROM rrset", "line 1, column 8"),
        ("SELECT * FROM nothing", "there is no table `nothing`"),
        ("DELETE FROM sample", "DELETE is refused"),
        (
            "SELECT count(*) FROM sample a, sample b, sample c, sample d, sample e, sample f WHERE a.rtt_us * b.rtt_us + c.rtt_us > d.rtt_us - e.rtt_us + f.rtt_us",
            "more than 2 s",
        ),
    ] {
        let error = ask(&mut client, sql).await.unwrap_err().to_string();
        assert!(error.contains(told), "{sql}: {error}");
    }
}

/// Computes for minutes without waiting for anything.
pub const STUBBORN: &str = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b
    WHERE CAST(a.value AS TEXT) || CAST(b.value AS TEXT) LIKE '%z%'";

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_only_compute_or_take_all_memory_harm_no_other() {
    let world = World::start(false).await;
    let mut client = world.client().await;
    let stubborn = (0..4).map(|_| async {
        let mut client = world.client().await;
        ask(&mut client, STUBBORN).await.unwrap_err().to_string()
    });
    for told in futures_util::future::join_all(stubborn).await {
        assert!(told.contains("takes more than 2 s"), "{told}");
    }
    let greedy = "SELECT sum(length(repeat(owner, 100000000))) FROM rrset";
    let told = ask(&mut client, greedy).await.unwrap_err().to_string();
    assert!(told.contains("takes more than 512 MB of memory"), "{told}");
    let told = ask(&mut client, "SELECT count(*) AS n FROM sample").await.unwrap();
    assert!(told.contains("| 96 |"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_out_what_is_there() {
    let world = World::start(false).await;
    let mut client = world.client().await;
    let info = client.get_catalogs().await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    assert_eq!(batches[0].column(0).as_string::<i32>().value(0), "datafusion");
    let schemas = CommandGetDbSchemas {
        catalog: None,
        db_schema_filter_pattern: None,
    };
    let info = client.get_db_schemas(schemas).await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    assert_eq!(batches[0].column(1).as_string::<i32>().value(0), "public");
    let info = client.get_table_types().await.unwrap();
    let batches = fetch(&mut client, info).await.unwrap();
    assert_eq!(batches[0].column(0).as_string::<i32>().value(0), "VIEW");
    let info = client
        .get_sql_info(vec![SqlInfo::FlightSqlServerReadOnly])
        .await
        .unwrap();
    assert_eq!(fetch(&mut client, info).await.unwrap()[0].num_rows(), 1);

    for (pattern, expected) in [(None, VIEWS.len()), (Some("r%".to_owned()), 3)] {
        let tables = CommandGetTables {
            catalog: None,
            db_schema_filter_pattern: None,
            table_name_filter_pattern: pattern,
            table_types: Vec::new(),
            include_schema: true,
        };
        let info = client.get_tables(tables).await.unwrap();
        let batches = fetch(&mut client, info).await.unwrap();
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_do_not_read_on_keep_nobody_waiting_for_ever() {
    let world = World::start(false).await;
    let large = "SELECT a.zone, b.zone, c.zone, a.time FROM sample a, sample b, sample c";
    let mut open = Vec::new();
    // as many as are answered at a time
    for _ in 0..4 {
        let mut client = world.client().await;
        let info = client.execute(large.to_owned(), None).await.unwrap();
        let mut rows = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
        rows.try_next().await.unwrap();
        open.push((client, rows));
    }
    let mut client = world.client().await;
    let answer = tokio::time::timeout(Duration::from_secs(20), ask(&mut client, "SELECT count(*) FROM sample"));
    assert!(answer.await.unwrap().unwrap().contains("96"));
    // and who reads on later is told that it was not all
    for (_, rows) in open {
        let error = rows.try_collect::<Vec<_>>().await.unwrap_err().to_string();
        assert!(
            error.contains("not read in its time") || error.contains("more than 2 s"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_go_away_keep_nobody_waiting() {
    let world = World::with_seconds(false, "600").await;
    // no row comes of it before its time is over
    let endless = "SELECT count(*) FROM sample a, sample b, sample c, sample d, sample e";
    for _ in 0..4 {
        let mut client = world.client().await;
        let info = client.execute(endless.to_owned(), None).await.unwrap();
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        let asked = tokio::time::timeout(Duration::from_millis(100), async {
            client.do_get(ticket).await.unwrap().try_next().await
        });
        assert!(asked.await.is_err(), "it was answered");
    }
    let mut client = world.client().await;
    let answer = tokio::time::timeout(Duration::from_secs(60), ask(&mut client, "SELECT count(*) FROM sample"));
    assert!(answer.await.unwrap().unwrap().contains("96"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_the_token_is_told_nothing() {
    let world = World::start(true).await;
    let sql = "SELECT count(*) AS n FROM sample";
    let mut client = world.client().await;
    let error = ask(&mut client, sql).await.unwrap_err().to_string();
    assert!(error.contains("a token is needed"), "{error}");
    client.set_token("something else".to_owned());
    let error = ask(&mut client, sql).await.unwrap_err().to_string();
    assert!(error.contains("not the server's"), "{error}");
    assert!(client.get_catalogs().await.is_err());
    client.set_token(TOKEN.to_owned());
    assert!(ask(&mut client, sql).await.unwrap().contains("96"));

    let mut client = world.client().await;
    assert!(client.handshake("anybody", "something else").await.is_err());
    client.handshake("anybody", TOKEN).await.unwrap();
    assert!(ask(&mut client, sql).await.unwrap().contains("96"));
}

/// What a driver of another make (Go's, under Python) gets by statement, prepared statement and catalogue.
const DRIVER: &str = r#"
import sys
import adbc_driver_flightsql.dbapi as flight
place, token = sys.argv[1].replace("http://", "grpc://"), sys.argv[2]
with flight.connect(place, db_kwargs={"username": "me", "password": token}, autocommit=True) as lake:
    cursor = lake.cursor()
    cursor.execute("SELECT zone, count(*) FROM sample GROUP BY zone ORDER BY zone")
    print(cursor.fetchall())
    print(lake.adbc_get_info()["vendor_name"])
    print(lake.adbc_get_table_schema("zone_change").names)
    objects = lake.adbc_get_objects(depth="tables").read_all().to_pylist()
    print(sorted(t["table_name"] for c in objects for s in c["catalog_db_schemas"] for t in s["db_schema_tables"])[:3])
    try:
        cursor.execute("SELECT ownr FROM rrset")
    except Exception as error:
        print("line 1, column 8" in str(error))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_of_another_make_gets_the_same() {
    let Some(python) = testkit::program::python(env!("CARGO_TARGET_TMPDIR"), "adbc_driver_flightsql, pyarrow") else {
        let reason = "no Python has `adbc_driver_flightsql` and `pyarrow`; `cargo xtask test` as root installs them";
        testkit::program::leave_out(reason).unwrap();
        return;
    };
    let world = World::start(true).await;
    let mut command = tokio::process::Command::new(python);
    let output = command.args(["-c", DRIVER, &world.url, TOKEN]).output().await.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "[('nic.example', 48), ('shop.example', 48)]\ndnscert\n\
         ['time', 'zone', 'part', 'before', 'after', 'announced']\n['client', 'distinct_count', 'evidence']\nTrue\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn what_others_could_reach_needs_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short");
    std::fs::write(&short, "secret").unwrap();
    for (arguments, told) in [
        (vec!["--listen", "0.0.0.0:31337"], "--token-file is needed"),
        (vec!["--token-file", "/nowhere/token"], "/nowhere/token"),
        (
            vec!["--token-file", short.to_str().unwrap()],
            "fewer than 16 characters",
        ),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_dnscert-sql"))
            .arg("flight-sql")
            .args(&arguments)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains(told), "{arguments:?}: {text}");
    }
}
