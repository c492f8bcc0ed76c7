//! `dnscert zone transfer`, and a centre that transfers zones, from real servers.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use testkit::loopback::{free_port, wait_until};
use testkit::name_server::{NameServer, PROGRAMS, Software, TransferKey, ZoneText};
use testkit::program::are_installed;

use crate::centre::{Centre, dnscert, stdout};
use crate::kill::until;
use crate::resilience::healthz;
use crate::zone::{Folder, diff, errors, lines, status, zone};

/// How long a server may take to read another edition.
const PATIENCE: Duration = Duration::from_secs(30);

/// A key as a registry hands it out.
fn key() -> TransferKey {
    TransferKey {
        name: "transfer".to_owned(),
        secret: "3Ym1dVn5kDlxGXl8fYV9aQwC3WtOT7b0zJ2r9p4cQ6E=".to_owned(),
    }
}

fn edition(serial: u32, edit: impl Fn(String) -> String) -> ZoneText {
    let text = zone().replace("host 7 ", &format!("host {serial} "));
    ZoneText {
        name: "example.".to_owned(),
        text: format!("$ORIGIN example.\n{}", edit(text)),
    }
}

#[test]
fn a_zone_is_transferred_with_its_key_and_then_what_changed_from_each_software() {
    if !are_installed(PROGRAMS).unwrap() {
        return;
    }
    let folder = Folder::new();
    let key_file = folder.file("key", &format!("hmac-sha256:{}:{}\n", key().name, key().secret));
    let clause = format!(
        "key \"{}\" {{\n\talgorithm hmac-sha256;\n\tsecret \"{}\";\n}};\n",
        key().name,
        key().secret
    );
    let clause = folder.file("clause", &clause);
    let foreign = folder.file(
        "foreign",
        "hmac-sha256:transfer:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    );
    for software in Software::ALL {
        let (address, port) = (IpAddr::from([127, 0, 72, 1]), free_port().unwrap());
        let first = edition(7, |text| text);
        let mut server = NameServer::start_with(software, address, port, vec![first], Some(key())).unwrap();
        let into = folder.0.path().join(format!("{software:?}.zone.zst"));
        let from = format!("{address}:{port}");
        let transfer = |key: Option<&Path>, options: &[&str]| {
            let own = [
                "zone",
                "transfer",
                "example",
                "--from",
                &from,
                "--into",
                into.to_str().unwrap(),
            ];
            let key: Vec<&str> = key
                .into_iter()
                .flat_map(|key| ["--key", key.to_str().unwrap()])
                .collect();
            dnscert(&[&own[..], &["--json", "--timeout", "5"], &key, options].concat())
        };

        for (key, word) in [(None, "does not transfer"), (Some(foreign.as_path()), "zone `example`")] {
            let refused = transfer(key, &[]);
            let said = errors(&refused);
            assert!(status(&refused) == 3 && said.contains(word), "{software:?}: {said}");
            assert!(!into.exists());
        }

        let whole = transfer(Some(&key_file), &[]);
        assert_eq!(status(&whole), 0, "{software:?}: {}{}", errors(&whole), server.log());
        let told: serde_json::Value = serde_json::from_str(&stdout(&whole)).unwrap();
        assert_eq!(
            (&told["by"], &told["serial"]),
            (&"axfr".into(), &7.into()),
            "{software:?}"
        );
        let same = transfer(Some(&clause), &[]);
        let told: serde_json::Value = serde_json::from_str(&stdout(&same)).unwrap();
        assert_eq!(told["by"], "nothing", "{software:?}: {}", errors(&same));

        let second = edition(8, |text| {
            let text = text.replace("ns.child4 A 192.0.2.4\n", "ns.child4 A 192.0.2.44\n");
            text.replace("child3 NS ns.child3\n", "child3 NS ns.elsewhere.test.\nchild3 DS 1 8 2 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n")
        });
        let expected = folder.file("expected", &second.text);
        server.reload(second).unwrap();
        let mut changed = None;
        let came = wait_until(PATIENCE, || {
            let output = transfer(Some(&key_file), &[]);
            let told: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap_or_default();
            let is_new = told["serial"] == 8;
            changed = is_new.then_some(told);
            is_new
        });
        assert!(came, "{software:?}: {}", server.log());
        let changed = changed.unwrap();
        let by = if software == Software::PowerDns { "axfr" } else { "ixfr" };
        assert_eq!(
            (&changed["by"], &changed["serial_before"]),
            (&by.into(), &7.into()),
            "{software:?}"
        );
        let difference = diff(&expected, &into, &[]);
        assert_eq!((status(&difference), lines(&difference)), (0, vec![]), "{software:?}");
        let before = folder.0.path().join(format!("{software:?}.zone.zst.before"));
        assert_eq!(
            lines(&diff(&before, &into, &["--without-signing"])).len(),
            5,
            "{software:?}"
        );
    }
}

#[test]
fn a_transfer_that_lacks_most_names_is_refused_and_put_aside() {
    if !are_installed(PROGRAMS).unwrap() {
        return;
    }
    let folder = Folder::new();
    let key_file = folder.file("key", &format!("hmac-sha256:{}:{}", key().name, key().secret));
    let (address, port) = (IpAddr::from([127, 0, 72, 2]), free_port().unwrap());
    let zones = vec![edition(7, |text| text)];
    let mut server = NameServer::start_with(Software::Knot, address, port, zones, Some(key())).unwrap();
    let into = folder.0.path().join("example.zone.zst");
    let from = format!("{address}:{port}");
    let transfer = |options: &[&str]| {
        let own = [
            "zone",
            "transfer",
            "example",
            "--from",
            &from,
            "--into",
            into.to_str().unwrap(),
        ];
        dnscert(&[&own[..], &["--key", key_file.to_str().unwrap()], options].concat())
    };
    let whole = transfer(&[]);
    assert_eq!(status(&whole), 0, "{}", errors(&whole));
    let emptied = edition(9, |text| {
        text.lines()
            .take(6)
            .fold(String::new(), |text, line| text + line + "\n")
    });
    server.reload(emptied).unwrap();
    let mut refused = None;
    assert!(wait_until(PATIENCE, || {
        let output = transfer(&[]);
        let is_refused = status(&output) == 3;
        refused = is_refused.then(|| errors(&output));
        is_refused
    }));
    let said = refused.unwrap();
    assert!(said.contains("names are gone, more than 2 %"), "{said}");
    assert!(said.contains("example.zone.zst.refused"), "{said}");
    assert!(folder.0.path().join("example.zone.zst.refused").exists());
    let forced = transfer(&["--force"]);
    assert_eq!(status(&forced), 0, "{}", errors(&forced));
    assert!(stdout(&forced).contains("serial 7 to 9"), "{}", stdout(&forced));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_keeps_what_a_registry_transfers_and_says_when_it_cannot() {
    if !are_installed(PROGRAMS).unwrap() {
        return;
    }
    let (address, port) = (IpAddr::from([127, 0, 72, 3]), free_port().unwrap());
    let zones = vec![edition(7, |text| text)];
    let mut server = NameServer::start_with(Software::Knot, address, port, zones, Some(key())).unwrap();
    let section = format!(
        "[[transfer]]\nzone = \"example\"\nfrom = [\"{address}:{port}\"]\nkey_file = \"registry.key\"\nevery_minutes = 1\n\
         source = \"registry\"\nowner = \"Registry of example\"\nlicence = \"agreement\"\ntlp = \"TLP:AMBER\"\nlegal_basis = \"agreement\"\n"
    );
    // nothing listens there: zones that are transferred need no resolution
    let hints = [("a.root.test".parse().unwrap(), vec![IpAddr::from([127, 0, 72, 4])])];
    let mut centre = Centre::set_up(&hints, free_port().unwrap(), &section);
    let key_file = centre.home().join("registry.key");
    std::fs::write(&key_file, format!("hmac-sha256:{}:{}", key().name, key().secret)).unwrap();
    tokio::task::block_in_place(|| centre.start());
    let lake = centre.home().join("data/lake");
    let seen = |words: &[&str]| stdout(&dnscert(&[&["pdns", "--lake", lake.to_str().unwrap()], words].concat()));
    until("the delegations in passive DNS", async || {
        seen(&["child5.example", "--json"])
            .contains("\"zone_time_first\"")
            .then_some(())
    })
    .await;

    let second = edition(8, |text| {
        text.replace("child3 NS ns.child3\n", "child3 NS ns.elsewhere.test.\n")
    });
    server.reload(second).unwrap();
    // a centre that starts transfers at once
    tokio::task::block_in_place(|| {
        assert!(centre.stop());
        centre.start();
    });
    let change = until("the change of a delegation", async || {
        let lake = lake::Lake::open_read_only(&lake).await.ok()?;
        let changes = lake.zone_changes(None, model::Timestamp::MIN, model::Timestamp::MAX);
        changes.await.ok()?.into_iter().next()
    })
    .await;
    let told = (change.zone.to_string(), change.before, change.after);
    let hosts = |host: &str| vec![host.to_owned()];
    assert_eq!(
        told,
        (
            "child3.example".to_owned(),
            hosts("ns.child3.example"),
            hosts("ns.elsewhere.test")
        )
    );
    until("the new delegation in passive DNS", async || {
        seen(&["child3.example", "--type", "NS"])
            .contains("ns.elsewhere.test")
            .then_some(())
    })
    .await;

    server.stop();
    tokio::task::block_in_place(|| {
        assert!(centre.stop());
        centre.start();
    });
    let said = until("the condition in /healthz", async || {
        let said = healthz(&centre).await?.body;
        said.contains("transfers-failing").then_some(said)
    })
    .await;
    assert!(said.contains("example"), "{said}");
}

#[test]
fn a_key_or_a_server_that_cannot_be_read_is_named() {
    let folder = Folder::new();
    let into = folder.0.path().join("example.zone.zst");
    let run = |from: &str, key: &Path| {
        let own = [
            "zone",
            "transfer",
            "example",
            "--from",
            from,
            "--into",
            into.to_str().unwrap(),
        ];
        dnscert(&[&own[..], &["--timeout", "1", "--key", key.to_str().unwrap()]].concat())
    };
    let cases = [
        ("nonsense", "this is no key"),
        ("hmac-md4:name:AAAA", "`hmac-md4` is no algorithm"),
        ("hmac-sha256:a..b:AAAA", "`a..b` is no name of a key"),
        ("hmac-sha256:name:secret of mine", "not in Base64"),
        ("key \"name\" { algorithm hmac-sha256; };", "the key has no `secret`"),
    ];
    for (text, expected) in cases {
        let refused = run("127.0.0.1", &folder.file("key", text));
        let said = errors(&refused);
        assert!(status(&refused) == 3 && said.contains(expected), "{text}: {said}");
        assert!(!said.contains("secret of mine"), "{said}");
    }
    let good = folder.file("key", "hmac-sha256:name:AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(status(&run("ns1.example", &good)), 2);
    let closed = run(&format!("127.0.0.1:{}", free_port().unwrap()), &good);
    assert!(
        status(&closed) == 3 && errors(&closed).contains("connecting to 127.0.0.1"),
        "{}",
        errors(&closed)
    );
    assert!(!into.exists());
}
