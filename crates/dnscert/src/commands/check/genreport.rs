//! What each server said to the questions of edns01 and edns02, in the line form of ISC's genreport.

use std::collections::BTreeMap;

use measure::Report;

/// `example. @192.0.2.1 (ns1.example.): dns=ok edns=ok …`, a line for each server.
pub fn lines(report: &Report) -> impl Iterator<Item = String> {
    let mut results: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (_, finding) in &report.findings {
        if let (Some(server), Some(words)) = (finding.args.get("ns"), finding.args.get("results")) {
            results.entry(server).or_default().push(words.replace(';', " "));
        }
    }
    results.into_iter().map(|(server, words)| {
        let (name, address) = server.split_once('/').unwrap_or((server, ""));
        let (zone, name) = (absolute(&report.zone.to_string()), absolute(name));
        format!("{zone} @{address} ({name}): {}", words.join(" "))
    })
}

fn absolute(name: &str) -> String {
    if name == "." {
        name.to_owned()
    } else {
        format!("{name}.")
    }
}
