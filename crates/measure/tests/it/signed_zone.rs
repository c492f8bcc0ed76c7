//! Zones signed by BIND's tools, and damaged afterwards.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The programs that it takes.
pub const PROGRAMS: [&str; 2] = ["/usr/bin/dnssec-keygen", "/usr/bin/dnssec-signzone"];

/// A signed zone.
pub struct Signed {
    /// Its records, one a line, as the signer wrote them.
    pub lines: Vec<String>,
    /// Its DS records for the parent.
    pub ds: String,
    /// Its key-signing key, as a DNSKEY record.
    pub anchor: String,
}

/// Whether the line is a signature over records of this type.
pub fn is_signature(line: &str, covered: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| *word != "RRSIG");
    words.nth(1) == Some(covered)
}

/// Changes one octet of the signature over these records.
pub fn bend(zone: &mut Signed, covered: &str) {
    for line in zone.lines.iter_mut().filter(|line| is_signature(line, covered)) {
        let at = line.len() - 40;
        let other = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
        line.replace_range(at..=at, other);
    }
}

/// A DS like this one with another digest.
pub fn change_digest(ds: &str) -> String {
    let at = ds.len() - 5;
    let other = if ds.as_bytes()[at] == b'0' { "1" } else { "0" };
    format!("{}{other}{}", &ds[..at], &ds[at + 1..])
}

pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

pub fn must_run(folder: &Path, program: &str, arguments: &[&str]) {
    let output = run(folder, program, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

/// Signs a zone of these records with two new keys, with further options of `dnssec-signzone`.
pub fn sign(folder: &Path, zone: &str, algorithm: &str, text: &str, options: &[&str]) -> Signed {
    let own = folder.join(format!("keys-{}", zone.trim_end_matches('.')));
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("zone"), text).unwrap();
    let size: &[&str] = if algorithm.contains("RSA") {
        &["-b", "2048"]
    } else {
        &[]
    };
    for kind in [&["-f", "KSK"][..], &[]] {
        let arguments = [&["-q", "-a", algorithm], size, kind, &[zone]].concat();
        must_run(&own, PROGRAMS[0], &arguments);
    }
    let arguments = [
        &["-q", "-P", "-S", "-O", "full", "-o", zone],
        options,
        &["-f", "signed", "zone"],
    ]
    .concat();
    must_run(&own, PROGRAMS[1], &arguments);
    let read = |file: PathBuf| std::fs::read_to_string(file).unwrap();
    let files = || std::fs::read_dir(&own).unwrap().map(|file| file.unwrap().path());
    let starts = |path: &PathBuf, with: &str| path.file_name().unwrap().to_str().unwrap().starts_with(with);
    let keys = files().filter(|path| path.extension().is_some_and(|ending| ending == "key"));
    let anchor = keys.map(read).find(|text| text.contains(" DNSKEY 257 ")).unwrap();
    let ds = files().find(|path| starts(path, "dsset-")).map(read).unwrap();
    Signed {
        lines: read(own.join("signed")).lines().map(str::to_owned).collect(),
        ds: ds.trim_end().to_owned(),
        anchor: anchor.lines().find(|line| !line.starts_with(';')).unwrap().to_owned(),
    }
}
