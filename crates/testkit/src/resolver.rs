//! Real resolvers on loopback, each configured well or badly: Unbound, BIND, Knot Resolver and PowerDNS Recursor.
//!
//! They ask name servers at port 53, so that they need a network of their own.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::loopback::wait_until_listening;
use crate::program::stop;

/// Which resolver software.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// NLnet Labs Unbound.
    Unbound,
    /// ISC BIND.
    Bind,
    /// CZ.NIC Knot Resolver.
    Kresd,
    /// PowerDNS Recursor.
    Recursor,
}

impl Software {
    /// All of them.
    pub const ALL: [Software; 4] = [Software::Unbound, Software::Bind, Software::Kresd, Software::Recursor];

    /// The program.
    pub fn program(self) -> &'static str {
        match self {
            Software::Unbound => "/usr/sbin/unbound",
            Software::Bind => "/usr/sbin/named",
            Software::Kresd => "/usr/sbin/kresd",
            Software::Recursor => "/usr/sbin/pdns_recursor",
        }
    }
}

/// How it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Whether it validates.
    pub validates: bool,
    /// Whether it minimises names.
    pub minimises: bool,
    /// The one port from which it asks over UDP; `None` for all of them. Only Unbound and BIND can be told so.
    pub source_port: Option<u16>,
    /// Whether it serves anybody.
    pub serves: bool,
    /// Whether it asks over TCP. Only Unbound can be told not to.
    pub uses_tcp: bool,
    /// The room that it leaves for answers over UDP.
    pub buffer: u16,
}

impl Manner {
    /// As it should be.
    pub const GOOD: Manner = Manner {
        validates: true,
        minimises: true,
        source_port: None,
        serves: true,
        uses_tcp: true,
        buffer: 1232,
    };
}

/// Where the root is, and by which key it is known.
#[derive(Debug, Clone)]
pub struct Root {
    /// Names and addresses of its servers.
    pub servers: Vec<(String, Vec<IpAddr>)>,
    /// Its DS record data in presentation form: `12345 13 2 …`.
    pub ds: String,
}

/// A resolver that runs, at 127.0.0.1.
pub struct Resolver {
    folder: tempfile::TempDir,
    child: Option<Child>,
}

/// Where it listens.
const HERE: &str = "127.0.0.1";

impl Resolver {
    /// Starts the software and waits until it answers over TCP.
    pub fn start(software: Software, manner: Manner, root: &Root) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dnscert-resolver-")
            .tempdir()
            .context("making a folder")?;
        let path = folder.path();
        let write = |name: &str, text: &str| {
            std::fs::write(path.join(name), text).with_context(|| format!("writing `{name}` of {software:?}"))
        };
        write("hints", &hints(root))?;
        write("anchor", &format!(". 3600 IN DS {}\n", root.ds))?;
        let configuration = match software {
            Software::Unbound => unbound(path, manner),
            Software::Bind => bind(path, manner, root),
            Software::Kresd => kresd(path, manner, root),
            Software::Recursor => recursor(path, manner),
        };
        write("recursor.lua", &format!("addTA('.', \"{}\")\n", root.ds))?;
        let name = if software == Software::Recursor {
            "recursor.conf"
        } else {
            "resolver.conf"
        };
        write(name, &configuration)?;
        let log = std::fs::File::create(path.join("log")).context("making the log")?;
        let mut command = Command::new(software.program());
        match software {
            Software::Unbound => command.arg("-d").arg("-c").arg(path.join(name)),
            Software::Bind => command.arg("-g").arg("-c").arg(path.join(name)),
            Software::Kresd => command.arg("-n").arg("-c").arg(path.join(name)).arg(path),
            Software::Recursor => command.arg(format!("--config-dir={}", path.display())),
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {software:?}"))?;
        let mut resolver = Self {
            folder,
            child: Some(child),
        };
        let address: SocketAddr = format!("{HERE}:53").parse().context("reading an address")?;
        let child = &mut resolver.child;
        let answers = wait_until_listening(address, || {
            child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
        });
        if !answers {
            bail!("{software:?} does not answer:\n{}", resolver.log());
        }
        Ok(resolver)
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn hints(root: &Root) -> String {
    let mut text = String::new();
    for (name, addresses) in &root.servers {
        // writing to a String cannot fail
        let _ = writeln!(text, ". 3600000 IN NS {name}.");
        for address in addresses {
            let _ = writeln!(text, "{name}. 3600000 IN A {address}");
        }
    }
    text
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn unbound(folder: &Path, manner: Manner) -> String {
    let folder = folder.display();
    let modules = if manner.validates {
        "validator iterator"
    } else {
        "iterator"
    };
    let access = if manner.serves { "allow" } else { "refuse" };
    let ports = match manner.source_port {
        Some(port) => format!("  outgoing-port-avoid: 0-65535\n  outgoing-port-permit: {port}\n  outgoing-range: 1\n"),
        None => String::new(),
    };
    format!(
        "server:\n  directory: \"{folder}\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"{folder}/pid\"\n  use-syslog: no\n  \
         logfile: \"\"\n  do-daemonize: no\n  interface: {HERE}\n  do-ip6: no\n  do-not-query-localhost: no\n  \
         access-control: 127.0.0.0/8 {access}\n  root-hints: \"{folder}/hints\"\n  trust-anchor-file: \"{folder}/anchor\"\n  \
         module-config: \"{modules}\"\n  qname-minimisation: {minimises}\n  edns-buffer-size: {buffer}\n  \
         tcp-upstream: no\n  num-threads: 1\n  ede: yes\n{ports}{tcp}remote-control:\n  control-enable: no\n",
        minimises = yes(manner.minimises),
        buffer = manner.buffer,
        // a limit of none for questions to others, while users are served
        tcp = if manner.uses_tcp { "" } else { "  outgoing-num-tcp: 0\n" },
    )
}

fn bind(folder: &Path, manner: Manner, root: &Root) -> String {
    let folder = folder.display();
    let source = match manner.source_port {
        Some(port) => format!("query-source address {HERE} port {port};"),
        None => String::new(),
    };
    let (numbers, digest) = root.ds.rsplit_once(' ').unwrap_or_default();
    let anchor = format!(". static-ds {numbers} \"{digest}\";");
    format!(
        "options {{ directory \"{folder}\"; pid-file \"{folder}/pid\"; session-keyfile \"{folder}/session\";\n  \
         managed-keys-directory \"{folder}\"; listen-on port 53 {{ {HERE}; }}; listen-on-v6 {{ none; }};\n  \
         recursion yes; allow-recursion {{ {who}; }}; allow-query-cache {{ {who}; }}; {source}\n  dnssec-validation {validates};\n  \
         qname-minimization {minimises}; edns-udp-size {buffer}; empty-zones-enable no; notify no; version none; }};\n\
         trust-anchors {{ {anchor} }};\nzone \".\" {{ type hint; file \"hints\"; }};\ncontrols {{ }};\n",
        who = if manner.serves { "any" } else { "none" },
        validates = yes(manner.validates),
        minimises = if manner.minimises { "relaxed" } else { "off" },
        buffer = manner.buffer,
    )
}

fn kresd(folder: &Path, manner: Manner, root: &Root) -> String {
    let folder = folder.display();
    let hints: Vec<String> = root
        .servers
        .iter()
        .flat_map(|(name, addresses)| {
            addresses
                .iter()
                .map(move |address| format!("['{name}.'] = '{address}'"))
        })
        .collect();
    let anchor = if manner.validates {
        format!("trust_anchors.add('. IN DS {}')\n", root.ds)
    } else {
        String::new()
    };
    let refuse = "policy.add(policy.all(policy.REFUSE))\n";
    format!(
        "net.listen('{HERE}', 53, {{ kind = 'dns' }})\nnet.listen('{HERE}', 853, {{ kind = 'tls' }})\n\
         net.listen('{HERE}', 443, {{ kind = 'doh2' }})\nnet.ipv6 = false\noption('ALLOW_LOCAL', true)\noption('NO_MINIMIZE', {full})\n\
         modules = {{ 'hints > iterate' }}\nhints.root({{ {hints} }})\ntrust_anchors.remove('.')\n{anchor}net.bufsize({buffer})\n\
         cache.open(10 * MB, 'lmdb://{folder}/cache')\n{policy}",
        full = !manner.minimises,
        hints = hints.join(", "),
        buffer = manner.buffer,
        policy = if manner.serves { "" } else { refuse },
    )
}

fn recursor(folder: &Path, manner: Manner) -> String {
    let folder = folder.display();
    format!(
        "local-address={HERE}\nlocal-port=53\nsocket-dir={folder}\nhint-file={folder}/hints\nlua-config-file={folder}/recursor.lua\n\
         dont-query=\nquery-local-address={HERE}\nallow-from={who}\ndnssec={dnssec}\nqname-minimization={minimises}\n\
         edns-outgoing-bufsize={buffer}\nthreads=1\ndaemon=no\nwrite-pid=no\ndisable-syslog=yes\nsetuid=\nsetgid=\n\
         security-poll-suffix=\nserve-rfc1918=no\n",
        who = if manner.serves { "127.0.0.0/8" } else { "192.0.2.0/24" },
        dnssec = if manner.validates { "validate" } else { "off" },
        minimises = yes(manner.minimises),
        buffer = manner.buffer,
    )
}
