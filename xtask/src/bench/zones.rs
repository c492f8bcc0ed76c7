//! `bench zones` serves a thousand signed zones on twenty servers, 20 ms away, and lets `dnscert check --zones` test them in
//! one run and `zonemaster-cli`, many processes at a time, as many of them as fit into the time. Then `dnscert check` tests
//! a zone with 88 name servers and one twenty of whose servers are silent.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::lab::Lab;
use super::{Watched, binary, watch};

/// Zones that we test in one run.
const ZONES: usize = 1_000;
/// Zones that zonemaster-cli tests: more would only take longer, each is a process of its own.
const ZONES_OF_PEER: usize = 60;
/// Processes of zonemaster-cli at a time. On two cores more only wait for one another: each needs half a second of processor.
const PROCESSES: usize = 12;
/// Servers that the zones share.
const SERVERS: usize = 20;
const LATENCY_MS: u32 = 20;

/// Prints zones per minute, memory, and the seconds of the hard zones.
pub fn compare(folder: &Path) -> Result<(), String> {
    let ours = binary()?;
    write_world(folder)?;
    let _lab = Lab::start(&ours, folder)?;
    let hints = folder.join("root.hints").display().to_string();
    let common = ["--no-ipv6", "--hints", &hints];

    let run = |limit: &str| -> Result<(f64, f64), String> {
        let mut many = Command::new(&ours);
        many.arg("check").arg("--zones").arg(folder.join("zones")).args(common);
        many.args(["--jobs", "200", "--max-per-target", limit]);
        let many = judged(&mut many)?;
        Ok((ZONES as f64 * 60.0 / many.seconds, many.peak_mb))
    };
    let (polite, _) = run("400")?;
    let (rate, peak_mb) = run("0")?;
    let begun = Instant::now();
    let mut peer = Command::new("sh");
    let script = format!(
        "head -n {ZONES_OF_PEER} {} | xargs -P {PROCESSES} -I ZONE sh -c \
         'zonemaster-cli ZONE --no-ipv6 --level CRITICAL --raw --hints {hints} >/dev/null 2>&1 || true'",
        folder.join("zones").display()
    );
    super::run(peer.args(["-c", &script]))?;
    let rate_of_peer = ZONES_OF_PEER as f64 * 60.0 / begun.elapsed().as_secs_f64();
    println!("{ZONES} zones, {LATENCY_MS} ms away");
    println!("  dnscert         {rate:>9.0} zones a minute, {peak_mb:.0} MB at the most");
    println!("   by default     {polite:>9.0} zones a minute, for it asks no server more than 400 questions a second");
    println!(
        "  zonemaster-cli  {rate_of_peer:>9.0} zones a minute, {PROCESSES} processes at a time ({ZONES_OF_PEER} zones)"
    );
    println!("  ratio           {:>9.1}", rate / rate_of_peer);

    for (zone, what) in [
        ("crowd.test", "88 name servers"),
        ("silent.test", "22 name servers, 20 of them silent"),
    ] {
        let mut one = Command::new(&ours);
        one.args(["check", zone]).args(common);
        let one = judged(&mut one)?;
        println!("{what}: {:.2} s, {:.0} MB at the most", one.seconds, one.peak_mb);
    }
    Ok(())
}

/// Runs a check to its end. 0 and 1 are verdicts; anything else is work that was not done.
fn judged(command: &mut Command) -> Result<Watched, String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let watched = watch(command)?;
    match watched.status.code() {
        Some(0 | 1) => Ok(watched),
        _ => Err(format!("{command:?} ended with {}", watched.status)),
    }
}

fn write_world(folder: &Path) -> Result<(), String> {
    let soa = "$TTL 3600\n@ SOA ns1.nic.test. hostmaster.nic.test. 2026110101 14400 3600 1209600 3600\n";
    let mut world = "name = \"bench\"\nabout = \"Very many zones, and hard ones\"\nseed = 1\n".to_owned();
    let mut files = vec![
        (
            "root.zone".to_owned(),
            format!(
                "{soa}@ NS a.root-bench.test.\n@ NS b.root-bench.test.\na.root-bench.test. A 127.20.0.1\n\
                 b.root-bench.test. A 127.20.0.2\ntest. NS ns1.nic.test.\ntest. NS ns2.nic.test.\n\
                 ns1.nic.test. A 127.20.1.1\nns2.nic.test. A 127.20.1.2\n"
            ),
        ),
        (
            "root-bench.zone".to_owned(),
            format!("{soa}@ NS ns1.nic.test.\n@ NS ns2.nic.test.\na A 127.20.0.1\nb A 127.20.0.2\n"),
        ),
    ];
    let mut zones = vec![
        (".".to_owned(), "root.zone".to_owned()),
        ("root-bench.test".to_owned(), "root-bench.zone".to_owned()),
    ];
    let mut tld = format!(
        "{soa}@ NS ns1.nic\n@ NS ns2.nic\nns1.nic A 127.20.1.1\nns2.nic A 127.20.1.2\nroot-bench NS ns1.nic\nroot-bench NS ns2.nic\n"
    );
    let mut served: Vec<Vec<String>> = vec![Vec::new(); SERVERS];
    for server in 1..=SERVERS {
        tld.push_str(&format!("ns{server}.hosting A 127.20.2.{server}\n"));
    }
    tld.push_str("hosting NS ns1.hosting\nhosting NS ns2.hosting\n");
    let mut hosting = format!("{soa}@ NS ns1\n@ NS ns2\n");
    for server in 1..=SERVERS {
        hosting.push_str(&format!("ns{server} A 127.20.2.{server}\n"));
    }
    files.push(("hosting.zone".to_owned(), hosting));
    zones.push(("hosting.test".to_owned(), "hosting.zone".to_owned()));
    for server in &mut served[..2] {
        server.push("hosting.test".to_owned());
    }
    // half as many kinds of zone as servers: each kind on a pair of them
    for pair in 0..SERVERS / 2 {
        let text = format!(
            "{soa}@ NS ns{}.hosting.test.\n@ NS ns{}.hosting.test.\nwww A 127.20.3.1\n@ MX 10 mail\nmail A 127.20.3.2\n",
            2 * pair + 1,
            2 * pair + 2
        );
        files.push((format!("pair{pair}.zone"), text));
    }
    let mut names = String::new();
    for number in 0..ZONES {
        let (name, pair) = (format!("z{number:04}"), number % (SERVERS / 2));
        for server in [2 * pair, 2 * pair + 1] {
            tld.push_str(&format!("{name} NS ns{}.hosting\n", server + 1));
            served[server].push(format!("{name}.test"));
        }
        zones.push((format!("{name}.test"), format!("pair{pair}.zone")));
        names.push_str(&format!("{name}.test\n"));
    }
    let mut servers = vec![
        (
            "a.root-bench.test".to_owned(),
            "127.20.0.1".to_owned(),
            vec![".".to_owned()],
            false,
        ),
        (
            "b.root-bench.test".to_owned(),
            "127.20.0.2".to_owned(),
            vec![".".to_owned()],
            false,
        ),
    ];
    for server in 1..=2 {
        let zones = ["test", "root-bench.test", "nic.test"].map(str::to_owned).to_vec();
        servers.push((
            format!("ns{server}.nic.test"),
            format!("127.20.1.{server}"),
            zones,
            false,
        ));
    }
    zones.push(("nic.test".to_owned(), "nic.zone".to_owned()));
    files.push((
        "nic.zone".to_owned(),
        format!("{soa}@ NS ns1\n@ NS ns2\nns1 A 127.20.1.1\nns2 A 127.20.1.2\n"),
    ));
    tld.push_str("nic NS ns1.nic\nnic NS ns2.nic\n");
    for (at, zones) in served.into_iter().enumerate() {
        let name = format!("ns{}.hosting.test", at + 1);
        servers.push((name, format!("127.20.2.{}", at + 1), zones, false));
    }
    for (zone, network, count, silent) in [("crowd", 40, 88, 0), ("silent", 41, 22, 20)] {
        let mut text = soa.to_owned();
        for server in 1..=count {
            let line = format!("ns{server} A 127.20.{network}.{server}\n");
            text.push_str(&format!("@ NS ns{server}\n{line}"));
            tld.push_str(&format!(
                "{zone} NS ns{server}.{zone}\nns{server}.{zone} A 127.20.{network}.{server}\n"
            ));
            let name = format!("ns{server}.{zone}.test");
            let address = format!("127.20.{network}.{server}");
            servers.push((name, address, vec![format!("{zone}.test")], server <= silent));
        }
        files.push((format!("{zone}.zone"), text));
        zones.push((format!("{zone}.test"), format!("{zone}.zone")));
    }
    files.push(("test.zone".to_owned(), tld));
    zones.push(("test".to_owned(), "test.zone".to_owned()));
    for (name, address, zones, is_silent) in servers {
        let zones: Vec<String> = zones.iter().map(|zone| format!("\"{zone}\"")).collect();
        world.push_str(&format!(
            "\n[[server]]\nname = \"{name}\"\naddresses = [\"{address}\"]\nzones = [{}]\nlatency = \"{LATENCY_MS}ms\"\n",
            zones.join(", ")
        ));
        if is_silent {
            world.push_str("faults = [{ fault = \"silent\" }]\n");
        }
    }
    for (zone, file) in zones {
        world.push_str(&format!(
            "\n[[zone]]\nname = \"{zone}\"\nfile = \"{file}\"\nsigning = {{}}\n"
        ));
    }
    files.push(("world.toml".to_owned(), world));
    files.push(("zones".to_owned(), names));
    files.push((
        "root.hints".to_owned(),
        ". 3600000 NS a.root-bench.test.\n. 3600000 NS b.root-bench.test.\n\
         a.root-bench.test. 3600000 A 127.20.0.1\nb.root-bench.test. 3600000 A 127.20.0.2\n"
            .to_owned(),
    ));
    fs::create_dir_all(folder).map_err(|error| format!("could not make `{}`: {error}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| format!("could not write `{}`: {error}", path.display()))?;
    }
    Ok(())
}
