//! `dnscert ingest --watch`: files are taken in as they come, once, and the program ends when it is told to.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::centre::{dnscert, stdout};
use crate::ingest::{address_record, exchange, pcap};

/// Longer than anything here takes, however busy the machine is.
const AT_MOST: Duration = Duration::from_secs(120);

struct Watcher {
    child: Child,
    /// Lines of standard output and standard error, as they come.
    lines: Receiver<String>,
    /// Lines that came while others were waited for: the two outputs come in no order.
    unread: RefCell<Vec<String>>,
}

impl Watcher {
    fn start(folder: &Path, lake: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dnscert"))
            .args(["ingest", "--json", "--settle", "2", "--watch"])
            .arg(folder)
            .arg("--lake")
            .arg(lake)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, lines) = channel();
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let to = to.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = to.send(line);
                }
            });
        }
        let watcher = Self {
            child,
            lines,
            unread: RefCell::default(),
        };
        watcher.says("watching");
        watcher
    }

    /// Waits for a line that holds the text, and gives it.
    fn says(&self, text: &str) -> String {
        let mut unread = self.unread.borrow_mut();
        if let Some(place) = unread.iter().position(|line| line.contains(text)) {
            return unread.remove(place);
        }
        loop {
            match self.lines.recv_timeout(AT_MOST) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => unread.push(line),
                Err(_) => panic!("it never said `{text}`: {unread:?}"),
            }
        }
    }

    /// Ends it by a signal; what else it said, and its status.
    fn end(mut self, signal: &str) -> (Vec<String>, Option<i32>) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        (self.lines.iter().collect(), status.code())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn capture(host: u8) -> Vec<u8> {
    pcap(&exchange(
        &format!("h{host}.example"),
        7,
        0,
        [1, 0, 0],
        &address_record([203, 0, 113, host]),
    ))
}

fn counts(lake: &Path) -> String {
    let output = dnscert(&["pdns", "--lake", lake.to_str().unwrap(), "*.example", "--json"]);
    let mut counts = Vec::new();
    for line in stdout(&output).lines() {
        let found: serde_json::Value = serde_json::from_str(line).unwrap();
        counts.push(format!("{}{}", found["rrname"].as_str().unwrap(), found["count"]));
    }
    counts.join(" ")
}

#[tokio::test]
async fn files_that_come_are_taken_in_once_and_those_that_cannot_be_read_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, lake) = (folder.path().join("inbox"), folder.path().join("lake"));
    std::fs::create_dir(&inbox).unwrap();
    std::fs::write(inbox.join("a.pcap"), capture(1)).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", inbox.join("b.pcap")).unwrap();
    std::fs::write(inbox.join("c.txt"), "no capture").unwrap();
    std::fs::write(inbox.join(".hidden"), capture(9)).unwrap();

    let watcher = Watcher::start(&inbox, &lake);
    let receipt = watcher.says("a.pcap");
    assert!(receipt.contains("\"pairs\":1"), "{receipt}");
    watcher.says("cannot read");
    watcher.says("is no capture");

    // renamed into place, and the same octets once more
    std::fs::rename(inbox.join(".hidden"), inbox.join("d.pcap")).unwrap();
    watcher.says("d.pcap");
    std::fs::copy(inbox.join("d.pcap"), inbox.join("e.pcap")).unwrap();
    let receipt = watcher.says("e.pcap");
    assert!(receipt.contains("\"kept\":\"before\""), "{receipt}");

    // one that its writer stopped writing in the middle of a record, and went on
    let whole = capture(3);
    std::fs::write(inbox.join("f.pcap"), &whole[..60]).unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    std::fs::write(inbox.join("f.pcap"), &whole).unwrap();
    let receipt = watcher.says("f.pcap");
    assert!(receipt.contains("\"fault\":null"), "{receipt}");

    // one that grows after it was taken in
    let mut grown = std::fs::OpenOptions::new()
        .append(true)
        .open(inbox.join("a.pcap"))
        .unwrap();
    std::io::Write::write_all(&mut grown, &capture(4)[24..]).unwrap();
    watcher.says("changed after it was taken in");
    let all = "h1.example.1 h3.example.1 h9.example.1";
    assert_eq!(counts(&lake), all);
    let (said, status) = watcher.end("-TERM");
    assert_eq!(status, Some(0), "{said:?}");

    // started anew it knows all of them
    let watcher = Watcher::start(&inbox, &lake);
    watcher.says("changed after it was taken in");
    watcher.says("f.pcap");
    let (said, status) = watcher.end("-INT");
    assert_eq!(status, Some(0), "{said:?}");
    assert_eq!(counts(&lake), all);
    assert!(inbox.join("a.pcap").exists(), "nothing is moved");
}

#[test]
fn a_zone_file_that_is_written_anew_in_its_place_is_taken_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, lake) = (folder.path().join("inbox"), folder.path().join("lake"));
    std::fs::create_dir(&inbox).unwrap();
    let write = |serial: u32, host: &str| {
        let zone = format!(
            "example. 300 IN SOA ns.example. admin.example. {serial} 1 1 1 1\nexample. 300 IN NS ns.example.\n{host}.example. 300 IN NS ns.{host}.test.\n"
        );
        std::fs::write(inbox.join("example.zone"), zone).unwrap();
    };
    write(1, "a");
    let watcher = Watcher::start(&inbox, &lake);
    for serial in [1, 2] {
        if serial > 1 {
            write(serial, "b");
        }
        let receipt = watcher.says("\"form\":\"zone\"");
        assert!(
            receipt.contains(&format!("\"serial\":{serial}")) && receipt.contains("\"now\""),
            "{receipt}"
        );
    }
    drop(watcher);
    let again = Watcher::start(&inbox, &lake);
    let receipt = again.says("example.zone");
    assert!(receipt.contains("\"kept\":\"before\""), "{receipt}");
    assert_eq!(counts(&lake), "example.2 a.example.1 b.example.1");
}
