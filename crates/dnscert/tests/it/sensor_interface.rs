//! A sensor that listens to an interface: a real server and a real client with a cable between them, each in a network of its own.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};

use testkit::name_server::{NameServer, Software};
use testkit::network::in_own_network;
use testkit::program::are_installed;

use crate::sensor::{Sensor, centre, in_lake, known, zone};

/// Nothing but the right to listen is left to the sensor.
const ONLY_LISTENING: [&str; 3] = [
    "/usr/bin/setpriv",
    "--bounding-set=-all,+net_raw",
    "--inh-caps=-all,+net_raw",
];

/// A network at the other end of a cable, as long as the program in it sleeps.
struct Beyond(Child);

impl Beyond {
    /// Lays the cable: `wire0` with 10.53.0.1 and fd53::1 here, `wire1` with 10.53.0.2 and fd53::2 there.
    fn cabled() -> Self {
        let asleep = Command::new("unshare")
            .args(["--net", "sleep", "600"])
            .stdin(Stdio::null())
            .spawn();
        let beyond = Self(asleep.unwrap());
        let process = beyond.0.id().to_string();
        let is_apart = || {
            let link = |of: &str| std::fs::read_link(format!("/proc/{of}/ns/net")).ok();
            let theirs = link(&process);
            theirs.is_some() && theirs != link("thread-self")
        };
        assert!(testkit::loopback::wait_until(
            std::time::Duration::from_secs(10),
            is_apart
        ));
        let ip = |words: &str| run(Command::new("ip").args(words.split(' ')));
        ip("link add wire0 type veth peer name wire1");
        ip(&format!("link set wire1 netns {process}"));
        for words in [
            "address add 10.53.0.1/24 dev wire0",
            "-6 address add fd53::1/64 dev wire0 nodad",
            "link set wire0 up",
        ] {
            ip(words);
        }
        for words in [
            "ip address add 10.53.0.2/24 dev wire1",
            "ip -6 address add fd53::2/64 dev wire1 nodad",
            "ip link set wire1 up",
        ] {
            beyond.run(words);
        }
        beyond
    }

    fn run(&self, words: &str) -> String {
        let process = self.0.id().to_string();
        run(Command::new("nsenter")
            .args(["-t", &process, "-n"])
            .args(words.split(' ')))
    }

    /// Asks for the address of a name.
    fn dig(&self, server: &str, name: &str, how: &str) {
        let said = self.run(&format!("dig @{server} {name} A +short +tries=1 +time=5 +noedns{how}"));
        assert_eq!(said.trim(), "192.0.2.80");
    }
}

impl Drop for Beyond {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

#[test]
fn what_passes_an_interface_is_seen_once_by_a_sensor_that_may_do_nothing_but_listen() {
    if !are_installed(&["/usr/sbin/nsd", "/usr/bin/dig", "/usr/bin/setpriv", "/usr/bin/nsenter"]).unwrap() {
        return;
    }
    let seen = in_own_network(|| {
        let beyond = Beyond::cabled();
        let mut centre = centre("");
        centre.start();
        let mut sensor = Sensor::registered(&centre, "fra1");
        let mut command = sensor.command(
            &ONLY_LISTENING,
            &["--interface", "wire0", "--interface", "lo", "--ring", "2"],
        );
        sensor.child = Some(command.spawn().unwrap());
        sensor.until("listening", || sensor.log().matches("listening").count() == 2);
        let ours: [IpAddr; 2] = ["10.53.0.1".parse().unwrap(), "fd53::1".parse().unwrap()];
        let _servers = ours.map(|address| NameServer::start(Software::Nsd, address, 53, vec![zone()]).unwrap());
        for number in 0..20 {
            beyond.dig("10.53.0.1", &format!("v4-{number}.example.test"), "");
            beyond.dig("fd53::1", &format!("v6-{number}.example.test"), "");
        }
        for number in 0..5 {
            beyond.dig("10.53.0.1", &format!("tcp-{number}.example.test"), " +tcp");
        }
        // to ourselves, over loopback, where each packet passes twice
        let here = run(Command::new("dig").args(["@10.53.0.1", "here.example.test", "A", "+short", "+noedns"]));
        assert_eq!(here.trim(), "192.0.2.80");
        sensor.until("all pairs", || sensor.pairs() == 46);
        sensor.until("all rows", || on(in_lake(&centre)).matched() == 46);
        let there = on(in_lake(&centre));

        // It is stopped while more passes than its ring holds: what it could not read is counted and shown.
        let signal =
            |name: &str| run(Command::new("kill").args([name, &sensor.child.as_ref().unwrap().id().to_string()]));
        signal("-STOP");
        let flood = UdpSocket::bind("10.53.0.1:0").unwrap();
        let to = SocketAddr::from(([10, 53, 0, 2], 53));
        for _ in 0..20_000 {
            // refused by who is not there
            let _ = flood.send_to(&[0; 1_200], to);
        }
        signal("-CONT");
        sensor.until("the lost packets", || known(&centre)["lost_packets"].as_u64() > Some(0));
        sensor.stop();
        assert!(centre.stop(), "{}", centre.log());
        there
    });
    let Some(there) = seen.unwrap() else { return };
    assert_eq!(there.seen.len(), 46);
    assert!(there.seen.values().all(|count| *count == 1), "{:?}", there.seen);
    assert_eq!((there.queries(), there.matched()), (46, 46));
    let over_tcp = there
        .traffic
        .iter()
        .filter_map(|cell| Some((cell.key.as_ref()?, cell.counts.matched)));
    let over_tcp: u64 = over_tcp
        .filter(|(key, _)| key.transport == model::Transport::Tcp)
        .map(|(_, matched)| matched)
        .sum();
    assert_eq!(over_tcp, 5);
}

#[test]
fn a_sensor_without_the_right_to_listen_says_what_it_lacks() {
    if !are_installed(&["/usr/bin/setpriv"]).unwrap() {
        return;
    }
    let done = in_own_network(|| {
        let centre = centre("");
        let sensor = Sensor::registered(&centre, "fra1");
        let nothing = ["/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all"];
        for (before, interface, told) in [
            (&nothing[..], "lo", "takes CAP_NET_RAW"),
            (&[], "wire9", "looking for the interface `wire9`"),
        ] {
            let ended = sensor.command(before, &["--interface", interface]).status().unwrap();
            assert_eq!(ended.code(), Some(3));
            assert!(sensor.log().contains(told), "{}", sensor.log());
        }
    });
    done.unwrap();
}
