//! What the command line says and with which status it ends.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use jiff::Timestamp;
use lab::{Change, Event, Fault, FaultRule, Lab, World};

use testkit::loopback::{free_port, wait_until_listening};

use crate::centre::{Centre, dnscert, hints_file, stderr, stdout};

async fn pocket() -> Lab {
    Lab::start(World::shipped("pocket").unwrap(), 0, Timestamp::now())
        .await
        .unwrap()
}

fn write_hints(folder: &Path, lab: &Lab) -> String {
    let hints = folder.join("root.hints");
    std::fs::write(&hints, hints_file(&lab.hints())).unwrap();
    hints.to_str().unwrap().to_owned()
}

/// Runs a check off the asynchronous threads, where the lab answers it.
async fn check(arguments: Vec<String>) -> std::process::Output {
    tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = ["check"]
            .into_iter()
            .chain(arguments.iter().map(String::as_str))
            .collect();
        dnscert(&words)
    })
    .await
    .unwrap()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_zone_ends_with_status_0_and_a_broken_one_with_status_1() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let arguments = words(&format!("good.test --hints {hints} --port {} --no-ipv6", lab.port()));
    let output = check(arguments.clone()).await;
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));

    for server in ["ns1.good.test", "ns2.good.test"] {
        let rule = FaultRule::of(Fault::Silent);
        lab.apply(&Event::new(Change::AddFault {
            server: server.to_owned(),
            rule,
        }))
        .unwrap();
    }
    let output = check(arguments.clone()).await;
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let text = stdout(&output);
    for part in ["CRITICAL", "why", "mend", "basic02"] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    let raw = check([arguments, words("--raw")].concat()).await;
    let line = stdout(&raw)
        .lines()
        .find(|line| line.contains("CRITICAL"))
        .unwrap()
        .to_owned();
    let parts: Vec<&str> = line.split_whitespace().collect();
    assert!(
        parts[0].parse::<f64>().is_ok() && parts[1] == "CRITICAL" && parts[2] == "basic02",
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_names_the_vantage_point_in_every_form_and_after_it_was_kept() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let saved = folder.path().join("exchanges.json").to_str().unwrap().to_owned();
    let common = format!(
        "good.test --hints {hints} --port {} --no-ipv6 --test basic01 --level info",
        lab.port()
    );
    let said = async |arguments: String| {
        let output = check(words(&arguments)).await;
        assert_eq!(output.status.code(), Some(0), "{arguments}: {}", stderr(&output));
        stdout(&output)
    };
    let text = said(format!("{common} --from nbo1 --save {saved}")).await;
    assert!(text.contains("Seen from the vantage point nbo1"), "{text}");
    let text = said(format!("{common} --from nbo1 --language fr")).await;
    assert!(text.contains("Vu depuis le point d’observation nbo1"), "{text}");
    let raw = said(format!("{common} --from nbo1 --raw")).await;
    assert!(
        !raw.is_empty() && raw.lines().all(|line| line.ends_with(" vantage_point=nbo1")),
        "{raw}"
    );
    lab.stop().await;

    let kept: serde_json::Value = serde_json::from_str(
        &said(format!(
            "good.test --restore {saved} --test basic01 --level info --json"
        ))
        .await,
    )
    .unwrap();
    assert_eq!(kept["vantage_point"], "nbo1");
    let findings = kept["findings"].as_array().unwrap();
    assert!(
        !findings.is_empty() && findings.iter().all(|finding| finding["vantage_point"] == "nbo1"),
        "{kept}"
    );
    let other = check(words(&format!("good.test --restore {saved} --from fra1"))).await;
    assert_eq!(other.status.code(), Some(2));
    assert!(stderr(&other).contains("--from"), "{}", stderr(&other));

    for (name, is_one) in [
        ("", false),
        ("two\nlines", false),
        (&"a".repeat(256), false),
        ("fra 1", true),
    ] {
        let output = check(vec!["--list-tests".to_owned(), "--from".to_owned(), name.to_owned()]).await;
        assert_eq!(output.status.code(), Some(if is_one { 0 } else { 2 }), "{name:?}");
    }
}

#[test]
fn all_test_cases_are_listed_one_a_line() {
    let output = dnscert(&["check", "--list-tests"]);
    assert_eq!(output.status.code(), Some(0));
    let listed = stdout(&output);
    let listed: Vec<&str> = listed.lines().collect();
    assert!(
        listed.contains(&"basic01") && listed.contains(&"nameserver15"),
        "{listed:?}"
    );
    assert!(listed.len() > 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_read_from_files() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let routes = file("routes.txt", "127.10.3.0/24 64500\n");
    let registry = "Address Block,Name,RFC,Allocation Date,Globally Reachable\n127.10.3.2/32,Documentation (here),x,2031-02,False\n";
    let registry = file("ipv4.csv", registry);
    let common = format!(
        "good.test --hints {hints} --port {} --no-ipv6 --level debug --json",
        lab.port()
    );
    let cases = "--test address01 --test connectivity03";
    let output = check(words(&format!(
        "{common} {cases} --routes {routes} --special-registry {registry}"
    )))
    .await;
    let document: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let tags: Vec<&str> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["tag"].as_str())
        .collect();
    assert!(
        tags.contains(&"A01_DOCUMENTATION_ADDR") && tags.contains(&"IPV4_ONE_ASN"),
        "{tags:?}"
    );

    let broken = file("broken.txt", "nonsense\n");
    let output = check(words(&format!("{common} --routes {broken}"))).await;
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("broken.txt") && said.contains("line 1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_exchanges_are_judged_only_as_what_they_are() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let saved = folder.path().join("exchanges.json").to_str().unwrap().to_owned();
    let other = folder.path().join("other.hints").to_str().unwrap().to_owned();
    std::fs::write(&other, ". 1 NS ns.other.test.\nns.other.test. 1 A 127.0.0.9\n").unwrap();
    let (ns, port) = ("--ns ns1.good.test/127.10.3.1", lab.port());
    let kept = check(words(&format!(
        "good.test --hints {hints} --port {port} --no-ipv6 {ns} --save {saved} --raw"
    )))
    .await;
    lab.stop().await;
    // said again or left out, what it was kept with holds
    for same in [String::new(), format!("--hints {hints} --port {port} --no-ipv6 {ns}")] {
        let again = check(words(&format!("good.test --restore {saved} --raw {same}"))).await;
        assert_eq!(again.status.code(), kept.status.code(), "{}", stderr(&again));
        let tags = |output| -> Vec<String> {
            let lines = stdout(output);
            let words = lines.lines().map(|line| line.split_whitespace().skip(1).take(3));
            let mut tags: Vec<String> = words.map(|words| words.collect::<Vec<_>>().join(" ")).collect();
            tags.sort();
            tags
        };
        assert_eq!(tags(&again), tags(&kept), "{same}");
    }
    for (arguments, named) in [
        ("plain.test".to_owned(), "of good.test, not of plain.test"),
        ("good.test --port 5".to_owned(), "--port"),
        ("good.test --ns ns1.other.test".to_owned(), "--ns"),
        (format!("good.test --ds 1,8,2,{}", "00".repeat(32)), "--ds"),
        (format!("good.test --hints {other}"), "--hints"),
        ("good.test --no-ipv4".to_owned(), "--no-ipv4"),
    ] {
        let refused = check(words(&format!("{arguments} --restore {saved}"))).await;
        assert_eq!(refused.status.code(), Some(2), "{arguments}: {}", stdout(&refused));
        assert!(stderr(&refused).contains(named), "{arguments}: {}", stderr(&refused));
    }
}

#[test]
fn there_is_no_port_0() {
    let output = dnscert(&["check", "example", "--port", "0"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

/// Runs a world in the background until the end of `with`, which is given what it has said.
fn with_world(arguments: &[&str], with: impl FnOnce(&str)) {
    let control = format!("127.0.0.1:{}", free_port().unwrap());
    let mut world = std::process::Command::new(env!("CARGO_BIN_EXE_dnscert"))
        .args(["lab", "run", "pocket", "--control", &control])
        .args(arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(world.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said: Vec<String> = said.take_while(|line| !line.starts_with("events at")).collect();
    with(&said.join("\n"));
    world.kill().unwrap();
    world.wait().unwrap();
}

#[test]
fn a_world_says_how_it_is_checked_and_what_it_says_works() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files").to_str().unwrap().to_owned();
    let port = free_port().unwrap().to_string();
    with_world(&["--port", &port, "--files", &files], |said| {
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix("check a zone: dnscert "))
            .unwrap();
        let line = line.replace("ZONE", "good.test");
        let checked = dnscert(&line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(
            checked.status.code(),
            Some(0),
            "{line}\n{}{}",
            stdout(&checked),
            stderr(&checked)
        );
    });
    // without files the same lines are printed, in the form of the file
    with_world(&["--port", &port], |said| {
        let hints = folder.path().join("printed.hints");
        let printed: Vec<&str> = said.lines().filter(|line| line.contains(" 3600000 ")).collect();
        std::fs::write(&hints, printed.join("\n")).unwrap();
        let hints = hints.to_str().unwrap();
        let checked = dnscert(&["check", "good.test", "--hints", hints, "--port", &port, "--no-ipv6"]);
        assert_eq!(
            checked.status.code(),
            Some(0),
            "{said}\n{}{}",
            stdout(&checked),
            stderr(&checked)
        );
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_are_watched_all_or_none() {
    let lab = pocket().await;
    let (hints, port) = (lab.hints(), lab.port());
    tokio::task::spawn_blocking(move || {
        let centre = Centre::set_up(&hints, port, "");
        let list = || stdout(&centre.run(&["watch", "list"]));
        let refused = centre.run(&["watch", "add", "good.test", "nosuch.test", "nor.this.test"]);
        assert_eq!(refused.status.code(), Some(3), "{}", stdout(&refused));
        for zone in ["nosuch.test", "nor.this.test"] {
            assert!(
                stderr(&refused).contains(&format!("{zone}: its parent does not delegate it")),
                "{}",
                stderr(&refused)
            );
        }
        assert_eq!(list(), "");
        let added = centre.run(&["watch", "add", "good.test", "plain.test"]);
        assert!(added.status.success(), "{}", stderr(&added));
        assert!(
            stdout(&added).contains("good.test: watched every 60 s, delegated to 2 name servers"),
            "{}",
            stdout(&added)
        );
        let again = centre.run(&["watch", "add", "shop.example", "good.test"]);
        assert!(
            stderr(&again).contains("good.test: watched already"),
            "{}",
            stderr(&again)
        );
        assert_eq!(list().lines().count(), 2);

        let unknown = centre.run(&["watch", "add", "nosuch.test", "--unknown"]);
        assert!(
            stdout(&unknown).contains("nothing is expected of its delegation yet"),
            "{}",
            stdout(&unknown)
        );

        let file = centre.home().join("zones.csv");
        let mut text = "zone,interval,region\ntest,300,EU\n".to_owned();
        (0..2_000).for_each(|number| text.push_str(&format!("z{number}.test\n")));
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let refused = centre.run(&["watch", "import", file]);
        assert!(stderr(&refused).contains("and 1980 more"), "{}", stderr(&refused));
        let imported = centre.run(&["watch", "import", file, "--unknown"]);
        assert_eq!(
            stdout(&imported),
            "2001 zones are watched, 2000 of them without an expectation\n",
            "{}",
            stderr(&imported)
        );
        assert_eq!(list().lines().count(), 2_004);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_exchanges_are_judged_again_without_asking() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let saved = folder.path().join("exchanges.json").to_str().unwrap().to_owned();
    let common = format!(
        "good.test --hints {hints} --port {} --no-ipv6 --json --level debug",
        lab.port()
    );
    let first = check(words(&format!("{common} --save {saved}"))).await;
    lab.stop().await;
    let again = check(words(&format!("{common} --restore {saved}"))).await;
    let findings = |output| -> Vec<(String, serde_json::Value)> {
        let document: serde_json::Value = serde_json::from_str(&stdout(output)).unwrap();
        let findings = document["findings"].as_array().unwrap();
        findings
            .iter()
            .map(|finding| (finding["tag"].to_string(), finding["args"].clone()))
            .collect()
    };
    assert!(!findings(&first).is_empty());
    assert_eq!(findings(&first), findings(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_document_has_the_shape_that_its_schema_gives() {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/schemas/check.schema.json"
    ))
    .unwrap();
    let schema = jsonschema::options()
        .should_validate_formats(true)
        .build(&serde_json::from_str(&text).unwrap())
        .unwrap();
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let rule = FaultRule::of(Fault::Silent);
    lab.apply(&Event::new(Change::AddFault {
        server: "ns2.good.test".to_owned(),
        rule,
    }))
    .unwrap();
    for zone in ["good.test", "plain.test", "gone.test", "."] {
        let arguments = format!(
            "{zone} --hints {hints} --port {} --no-ipv6 --json --level debug3 --language fr",
            lab.port()
        );
        let output = check(words(&arguments)).await;
        let document = serde_json::from_str(&stdout(&output)).unwrap();
        let wrong: Vec<String> = schema
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        assert!(wrong.is_empty(), "{zone}: {wrong:#?}");
        assert!(
            document["findings"].as_array().is_some_and(|all| !all.is_empty()),
            "{zone}"
        );
    }
    let mut document = serde_json::json!({"version": 1, "zone": "example"});
    assert!(!schema.is_valid(&document));
    document["version"] = 2.into();
    assert!(!schema.is_valid(&document));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_zones_are_told_a_line_each_and_bad_lines_are_named() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let list = folder.path().join("zones").to_str().unwrap().to_owned();
    std::fs::write(
        &list,
        b"# ours\ngood.test\nplain.test\n\na..b\n\xff\xfe\ngone.test\r\nshop.example",
    )
    .unwrap();
    let common = format!("--zones {list} --hints {hints} --port {} --no-ipv6", lab.port());
    let output = check(words(&common)).await;
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stdout(&output);
    let mut lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    lines.sort_by_key(|words| words[1]);
    let told: Vec<(&str, &str)> = lines.iter().map(|words| (words[0], words[1])).collect();
    let expected = [
        ("CRITICAL", "gone.test"),
        ("NOTICE", "good.test"),
        ("WARNING", "plain.test"),
        ("NOTICE", "shop.example"),
    ];
    assert_eq!(told, expected, "{said}");
    for part in [
        "line 5: ",
        "`a..b`",
        "line 6: ",
        "1 CRITICAL, 1 WARNING, 2 NOTICE, 2 not read",
    ] {
        assert!(
            stderr(&output).contains(part),
            "`{part}` is missing in {}",
            stderr(&output)
        );
    }
    let documents = check(words(&format!("{common} --json"))).await;
    let zones: std::collections::BTreeSet<String> = stdout(&documents)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["zone"].to_string())
        .collect();
    assert_eq!(zones.len(), 4, "{zones:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_cases_and_the_lines_of_genreport_are_there_for_the_asking() {
    let lab = pocket().await;
    let folder = tempfile::tempdir().unwrap();
    let hints = write_hints(folder.path(), &lab);
    let common = format!("good.test --hints {hints} --port {} --no-ipv6", lab.port());
    let lines = check(words(&format!("{common} --genreport"))).await;
    let usual =
        "dns=ok edns=ok edns1=ok edns@512=ok ednsopt=ok edns1opt=ok do=ok ednsflags=ok optlist=ok,nsid ednstcp=ok";
    assert_eq!(
        stdout(&lines),
        format!("good.test. @127.10.3.1 (ns1.good.test.): {usual}\ngood.test. @127.10.3.2 (ns2.good.test.): {usual}\n")
    );
    let full = stdout(&check(words(&format!("{common} --genreport --deep"))).await);
    assert!(
        full.lines()
            .all(|line| line.contains(usual) && line.ends_with(" edns1subnet=ok")),
        "{full}"
    );
    let raw = |output: std::process::Output| -> Vec<String> {
        let cases = stdout(&output);
        cases
            .lines()
            .filter_map(|line| line.split_whitespace().nth(2).map(str::to_owned))
            .collect()
    };
    let usual = raw(check(words(&format!("{common} --raw --level info"))).await);
    let deep = raw(check(words(&format!("{common} --raw --level info --deep"))).await);
    let has = |cases: &[String], case: &str| cases.iter().any(|other| other == case);
    assert!(has(&usual, "edns03") && !has(&usual, "edns01"), "{usual:?}");
    assert!(
        ["edns01", "edns02", "edns03", "edns04", "edns06"]
            .iter()
            .all(|case| has(&deep, case)),
        "{deep:?}"
    );
}

#[test]
fn a_wrong_command_line_ends_with_status_2_and_names_what_is_wrong() {
    for (arguments, named) in [
        (&["check"][..], "ZONE"),
        (&["check", "a..b"], "a..b"),
        (&["check", "example.test", "--test", "dnssec99"], "dnssec99"),
        (&["check", "example.test", "--ds", "1,2,3"], "1,2,3"),
        (
            &["check", "example.test", "--ns", "ns1.example.test/192.0.2.300"],
            "192.0.2.300",
        ),
        (&["check", "example.test", "--level", "fatal"], "fatal"),
        (&["chekc"], "chekc"),
        (&["check-resolver", "one.one.one.one"], "one.one.one.one"),
        (
            &[
                "check-resolver",
                "192.0.2.1",
                "--zone",
                "measure.example",
                "--authority",
                "192.0.2.1:dns",
            ],
            "192.0.2.1:dns",
        ),
    ] {
        let output = dnscert(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(named), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn what_cannot_be_done_ends_with_status_3_and_names_the_file() {
    for arguments in [
        &["check", "example.test", "--hints", "/nowhere/root.hints"][..],
        &["check", "example.test", "--restore", "/nowhere/exchanges.json"],
        &["serve", "--config", "/nowhere/dnscert.toml"],
    ] {
        let output = dnscert(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains("/nowhere/"),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn init_never_overwrites_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("centre").to_str().unwrap().to_owned();
    assert!(dnscert(&["init", &home]).status.success());
    let before = std::fs::read(folder.path().join("centre/dnscert.toml")).unwrap();
    let again = dnscert(&["init", &home]);
    assert_eq!(again.status.code(), Some(3));
    assert!(stderr(&again).contains("there already"), "{}", stderr(&again));
    assert_eq!(
        before,
        std::fs::read(folder.path().join("centre/dnscert.toml")).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_nothing_bad_in_a_new_centre_and_says_how_to_mend_a_silent_dns() {
    let lab = pocket().await;
    tokio::task::block_in_place(|| {
        let centre = Centre::set_up(&lab.hints(), lab.port(), "");
        let healthy = centre.run(&["doctor"]);
        assert_eq!(healthy.status.code(), Some(0), "{}", stdout(&healthy));
        assert!(
            stdout(&healthy).contains("2 of 2 root servers answer over IPv4"),
            "{}",
            stdout(&healthy)
        );
        let deaf = Centre::set_up(&lab.hints(), free_port().unwrap(), "");
        let ill = deaf.run(&["doctor"]);
        assert_eq!(ill.status.code(), Some(1), "{}", stdout(&ill));
        assert!(
            stdout(&ill).contains("0 of 2 root servers") && stdout(&ill).contains("mend:"),
            "{}",
            stdout(&ill)
        );
    });
}

#[test]
fn a_world_changes_by_command_while_it_runs() {
    let (port, control) = (
        free_port().unwrap().to_string(),
        format!("127.0.0.1:{}", free_port().unwrap()),
    );
    let mut world = std::process::Command::new(env!("CARGO_BIN_EXE_dnscert"))
        .args(["lab", "run", "pocket", "--port", &port, "--control", &control])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert!(wait_until_listening(control.parse().unwrap(), || matches!(
        world.try_wait(),
        Ok(None)
    )));
    let folder = tempfile::tempdir().unwrap();
    let hints = folder.path().join("root.hints");
    std::fs::write(
        &hints,
        ". 60 NS a.root-pocket.test.\na.root-pocket.test. 60 A 127.10.0.1\n",
    )
    .unwrap();
    let check = || {
        let hints = hints.to_str().unwrap();
        dnscert(&[
            "check",
            "plain.test",
            "--hints",
            hints,
            "--port",
            &port,
            "--no-ipv6",
            "--raw",
        ])
        .status
        .code()
    };
    let send = |event: &str| dnscert(&["lab", "event", event, "--world", "pocket", "--control", &control]);
    assert_eq!(check(), Some(0));
    for server in ["ns1.good.test", "ns2.good.test"] {
        let sent = send(&format!(
            r#"{{"name": "outage", "change": {{"cut": {{"server": "{server}"}}}}}}"#
        ));
        assert!(sent.status.success(), "{}", stderr(&sent));
    }
    assert_eq!(check(), Some(1));
    assert!(send("repair:outage").status.success());
    assert_eq!(check(), Some(0));
    let unknown = send("no-such-event");
    assert!(
        !unknown.status.success() && stderr(&unknown).contains("no-such-event"),
        "{}",
        stderr(&unknown)
    );
    world.kill().unwrap();
    world.wait().unwrap();
}

#[test]
fn the_secret_is_replaced_and_the_old_one_kept_beside_it() {
    let centre = Centre::set_up(&[], free_port().unwrap(), "");
    let read = |name: &str| std::fs::read(centre.home().join("data").join(name));
    let first = read("secret").unwrap();
    let output = centre.run(&["secret", "rotate"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("data/secret"), "{}", stdout(&output));
    assert_eq!(read("secret.old").unwrap(), first);
    assert_ne!(read("secret").unwrap(), first);
    assert!(read("secret.next").is_err());
    let doctor = stdout(&centre.run(&["doctor"]));
    assert!(
        doctor.contains("good      all second factors can be checked"),
        "{doctor}"
    );
}
