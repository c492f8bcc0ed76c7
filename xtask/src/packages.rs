//! The real servers and clients that the tests run against, as Debian packages.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::bench;
use crate::run::{is_installed, is_root};

/// One package, the program by which it is recognised, and what is left out without it.
pub struct Package {
    /// Name in Debian.
    pub name: &'static str,
    /// A program that it brings: on the search path, or an absolute path.
    pub program: &'static str,
    /// Which tests need it.
    pub needed_for: &'static str,
}

/// All packages that `cargo xtask test` uses.
pub const PACKAGES: &[Package] = &[
    Package {
        name: "postgresql",
        program: "/usr/lib/postgresql",
        needed_for: "the record tests on PostgreSQL",
    },
    Package {
        name: "dnsdbq",
        program: "dnsdbq",
        needed_for: "passive DNS as its clients ask for it",
    },
    Package {
        name: "nsd",
        program: "nsd",
        needed_for: "the loop with real name servers, and the verdicts on four",
    },
    Package {
        name: "knot",
        program: "knotd",
        needed_for: "the loop with real name servers, and the verdicts on four",
    },
    Package {
        name: "bind9",
        program: "named",
        needed_for: "the loop with real name servers, and the verdicts on four",
    },
    Package {
        name: "pdns-server",
        program: "pdns_server",
        needed_for: "the verdicts on four name servers",
    },
    Package {
        name: "pdns-backend-bind",
        program: "/usr/share/pdns-backend-bind",
        needed_for: "the verdicts on four name servers",
    },
    Package {
        name: "bind9-utils",
        program: "dnssec-signzone",
        needed_for: "the chain of trust beside other validators, and the verdicts on four name servers",
    },
    Package {
        name: "bind9-dnsutils",
        program: "delv",
        needed_for: "the chain of trust beside other validators",
    },
    Package {
        name: "ldnsutils",
        program: "ldns-verify-zone",
        needed_for: "the chain of trust beside other validators",
    },
    Package {
        name: "dnsviz",
        program: "dnsviz",
        needed_for: "the chain of trust beside other validators, and its table of faults",
    },
    Package {
        name: "unbound",
        program: "unbound",
        needed_for: "the tests of resolvers",
    },
    Package {
        name: "knot-resolver",
        program: "kresd",
        needed_for: "the tests of resolvers",
    },
    Package {
        name: "pdns-recursor",
        program: "pdns_recursor",
        needed_for: "the tests of resolvers",
    },
    Package {
        name: "fstrm-bin",
        program: "fstrm_replay",
        needed_for: "dnstap over a socket, by the writer of those who made it",
    },
    Package {
        name: "tshark",
        program: "tshark",
        needed_for: "the count of messages in real captures",
    },
    // Debian has one mail server at a time: it takes the place of another one that is installed.
    Package {
        name: "postfix",
        program: "postfix",
        needed_for: "notices by a real relay",
    },
    Package {
        name: "dovecot-imapd",
        program: "dovecot",
        needed_for: "a real mailbox, and passwords at the relay",
    },
    Package {
        name: "openssl",
        program: "openssl",
        needed_for: "certificates of the mail servers",
    },
    Package {
        name: "chromium",
        program: "chromium",
        needed_for: "the browser walk",
    },
    Package {
        name: "chromium-driver",
        program: "chromedriver",
        needed_for: "the browser walk",
    },
    Package {
        name: "fonts-noto-core",
        program: "/usr/share/fonts/truetype/noto",
        needed_for: "screenshots in Arabic",
    },
    Package {
        name: "fonts-noto-cjk",
        program: "/usr/share/fonts/opentype/noto",
        needed_for: "screenshots in Chinese",
    },
    Package {
        name: "python3-dnspython",
        program: "/usr/lib/python3/dist-packages/dns",
        needed_for: "the conformance scenarios",
    },
    Package {
        name: "iproute2",
        program: "ip",
        needed_for: "the conformance scenarios and the tests of resolvers",
    },
    Package {
        name: "python3-venv",
        program: "/usr/share/python-wheels",
        needed_for: "reading the lake's tables with Python's deltalake",
    },
];

/// Those of `packages` that are not installed.
pub fn missing(packages: &'static [Package]) -> Vec<&'static Package> {
    packages
        .iter()
        .filter(|package| !is_installed(package.program))
        .collect()
}

/// Installs what is missing when this is root on Debian or Ubuntu; returns what is missing still.
pub fn install(packages: &'static [Package]) -> Vec<&'static Package> {
    let wanted = missing(packages);
    if wanted.is_empty() || !is_root() || !Path::new("/etc/debian_version").exists() {
        return wanted;
    }
    let names: Vec<&str> = wanted.iter().map(|package| package.name).collect();
    println!("xtask: installing {}", names.join(" "));
    // Servers must not start by themselves: the tests start their own, on free ports.
    let policy = Path::new("/usr/sbin/policy-rc.d");
    let made_policy = !policy.exists() && std::fs::write(policy, "#!/bin/sh\nexit 101\n").is_ok();
    if made_policy {
        run_quietly(Command::new("chmod").args(["+x", "/usr/sbin/policy-rc.d"]));
    }
    run_quietly(Command::new("apt-get").args(["-qq", "update"]));
    run_quietly(
        Command::new("apt-get")
            .args(["-qq", "install", "-y", "--no-install-recommends"])
            .args(&names)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    );
    if made_policy && let Err(error) = std::fs::remove_file(policy) {
        eprintln!("xtask: could not remove {}: {error}", policy.display());
    }
    missing(packages)
}

fn run_quietly(command: &mut Command) {
    match command.stdin(Stdio::null()).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("xtask: {command:?} ended with {status}"),
        Err(error) => eprintln!("xtask: could not start {command:?}: {error}"),
    }
}

/// Prints the table of packages.
pub fn report() -> ExitCode {
    for package in PACKAGES.iter().chain(bench::CHECK_PEERS).chain(bench::SWEEP_PEERS) {
        let state = if is_installed(package.program) {
            "installed"
        } else {
            "missing"
        };
        println!("{:20} {state:10} {}", package.name, package.needed_for);
    }
    ExitCode::SUCCESS
}
