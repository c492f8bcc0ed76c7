//! Small worlds of a root and whatever else a test needs, and cases run by a profile of one's own.

use std::net::IpAddr;

use lab::{Lab, World};
use measure::{CheckPlan, Internet, Profile, Settings, Undelegated, check};

use crate::case_in_lab::{lines, name, noon};

/// Address of the root server.
pub const ROOT: &str = "127.12.0.1";

/// A world whose root server serves `.` and every zone of `zones` that no server of `servers` lists.
///
/// Servers are name, address, zones; zones are name and records without the SOA record. The root zone's text must
/// delegate what the servers serve.
pub async fn world(root: &str, zones: &[(&str, &str)], servers: &[(&str, &str, &[&str])]) -> Lab {
    let all = [(".", root)].into_iter().chain(zones.iter().copied());
    let is_elsewhere = |zone: &str| servers.iter().any(|(_, _, served)| served.contains(&zone));
    let at_root: Vec<&str> = all
        .clone()
        .map(|(zone, _)| zone)
        .filter(|zone| !is_elsewhere(zone))
        .collect();
    let mut text = "name = 'small'\n".to_owned();
    let mut files = Vec::new();
    for (number, (zone, records)) in all.enumerate() {
        text.push_str(&format!("[[zone]]\nname = '{zone}'\nfile = '{number}'\n"));
        let apex = if zone == "." {
            "@ NS a.root.\na.root. A 127.12.0.1\n"
        } else {
            ""
        };
        let soa = "$TTL 60\n@ SOA a.root. h.root. 1 14400 3600 604800 60\n";
        files.push((number.to_string(), format!("{soa}{apex}{records}\n")));
    }
    let servers = servers.iter().copied();
    for (server, address, served) in servers.chain([("a.root", ROOT, at_root.as_slice())]) {
        let served: Vec<String> = served.iter().map(|zone| format!("'{zone}'")).collect();
        let served = served.join(", ");
        text.push_str(&format!(
            "[[server]]\nname = '{server}'\naddresses = ['{address}']\nzones = [{served}]\n"
        ));
    }
    let files = files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    let parts: Vec<(&str, &str)> = [("world.toml", text.as_str())].into_iter().chain(files).collect();
    Lab::start(World::from_parts(&parts).unwrap(), 0, noon()).await.unwrap()
}

/// The lab's way out over IPv4 alone: servers on IPv6 are known, and not asked.
pub fn over_ipv4(lab: &Lab) -> Internet {
    Internet::open(Settings {
        hints: lab.hints(),
        port: lab.port(),
        ipv6: false,
        ..Settings::default()
    })
    .unwrap()
}

/// A plan for one case, judged by `profile`.
pub fn plan(zone: &str, case: &str, profile: Profile) -> CheckPlan {
    CheckPlan {
        zone: name(zone),
        undelegated: None,
        cases: Some(vec![case.to_owned()]),
        profile,
    }
}

/// Name servers as they are given for an undelegated test.
pub fn given(servers: &[(&str, &str)]) -> Undelegated {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    let ns = servers.iter().map(|(server, text)| (name(server), address(text)));
    Undelegated {
        ns: ns.collect(),
        ds: Vec::new(),
    }
}

/// What a plan comes to, one message a line.
pub async fn said_by(lab: &Lab, plan: &CheckPlan) -> Vec<String> {
    let report = check(&over_ipv4(lab).inquiry(), plan, noon()).await;
    lines(report.findings.into_iter().map(|(_, finding)| finding))
}
