//! A database of its own for each test: SQLite in a file, and PostgreSQL from the machine's own package.
//!
//! The PostgreSQL server is started once per test binary, private to it, on a Unix socket in a temporary folder. It ends
//! with the test binary, however that ends. Where PostgreSQL is not installed its half of the tests says so and is left
//! out, unless `DNSCERT_TEST_ALL=1` demands all.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// A database that nobody else uses. It goes when this is dropped (PostgreSQL: when the test binary ends).
#[derive(Debug)]
pub struct Database {
    /// `sqlite` or `postgres`.
    pub engine: &'static str,
    /// Where to open it.
    pub url: String,
    _folder: Option<TempDir>,
}

/// An empty database of each kind that this machine has: SQLite always, PostgreSQL where it is installed.
pub fn databases() -> Result<Vec<Database>> {
    let mut databases = vec![sqlite()?];
    databases.extend(postgres()?);
    Ok(databases)
}

/// An empty SQLite database.
pub fn sqlite() -> Result<Database> {
    let folder = TempDir::new()?;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("records.sqlite").display());
    Ok(Database {
        engine: "sqlite",
        url,
        _folder: Some(folder),
    })
}

/// An empty PostgreSQL database, or `None` where PostgreSQL is not installed.
pub fn postgres() -> Result<Option<Database>> {
    static CLUSTER: OnceLock<Result<Option<Cluster>, String>> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let cluster = CLUSTER.get_or_init(|| Cluster::start().map_err(|error| format!("{error:#}")));
    let Some(cluster) = cluster.as_ref().map_err(|text| anyhow::anyhow!("{text}"))? else {
        return Ok(None);
    };
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let output = Command::new(cluster.programs.join("psql"))
        .args(["-q", "-U", "postgres", "-d", "postgres", "-h"])
        .arg(&cluster.folder)
        .args(["-c", &format!("CREATE DATABASE {name}")])
        .output()?;
    ensure!(
        output.status.success(),
        "CREATE DATABASE: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let url = format!("postgres://postgres@localhost/{name}?host={}", cluster.folder.display());
    Ok(Some(Database {
        engine: "postgres",
        url,
        _folder: None,
    }))
}

struct Cluster {
    programs: PathBuf,
    /// Holds data and socket; the server removes it when it ends.
    folder: PathBuf,
    // Its standard input is the server's life line: it closes when this process ends, even by a signal.
    _server: Child,
}

/// Makes a cluster, starts it, says its folder, waits for the end of its input, and removes it all.
const SCRIPT: &str = r#"
set -eu
folder=$(mktemp -d /tmp/dnscert-postgres.XXXXXX)
trap 'rm -rf "$folder"' EXIT
"$0/initdb" -D "$folder/data" -A trust -U postgres -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }
"$0/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=400 \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=32MB >"$folder/log" 2>&1 </dev/null &
server=$!
trap 'kill -QUIT $server 2>/dev/null; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
until "$0/pg_isready" -q -h "$folder"; do
    kill -0 $server 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
done
echo "$folder"
cat >/dev/null
"#;

impl Cluster {
    fn start() -> Result<Option<Self>> {
        let Some(programs) = programs() else {
            if all_demanded() {
                bail!("PostgreSQL is not installed, and DNSCERT_TEST_ALL demands it: apt-get install postgresql");
            }
            eprintln!("PostgreSQL is not installed: its half of the tests is left out (apt-get install postgresql)");
            return Ok(None);
        };
        // The server refuses to run as root; Debian's package makes the user `postgres` for it.
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh", "-c", SCRIPT]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", SCRIPT]);
            command
        };
        command
            .arg(&programs)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut server = command.spawn().context("cannot start the PostgreSQL server")?;
        let mut folder = String::new();
        let stdout = server.stdout.take().context("the server's output is piped")?;
        BufReader::new(stdout).read_line(&mut folder)?;
        ensure!(
            !folder.trim().is_empty(),
            "the PostgreSQL server did not start, see above"
        );
        Ok(Some(Self {
            programs,
            folder: folder.trim().into(),
            _server: server,
        }))
    }
}

/// Where Debian and others put the server's programs; the newest version wins.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        versions.push((version, entry.path().join("bin")));
    }
    versions.extend(["/usr/local/bin", "/usr/bin"].map(|folder| (0, Path::new(folder).to_owned())));
    versions.sort();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .find(|folder| folder.join("initdb").is_file())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

/// Whether a part of the tests that cannot run here is a failure (`cargo xtask test --all` sets it).
#[expect(
    clippy::disallowed_methods,
    reason = "the runner of the tests speaks to them by the environment"
)]
pub fn all_demanded() -> bool {
    std::env::var("DNSCERT_TEST_ALL").is_ok_and(|value| value == "1")
}
