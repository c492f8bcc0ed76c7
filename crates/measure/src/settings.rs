//! Settings of the transport and of every inquiry made with it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

use model::Name;

use crate::dnssec::Anchor;

/// How the DNS is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Name of the vantage point that asks: what is found bears it. Default: none.
    pub vantage_point: Option<String>,
    /// Root name servers with their addresses; every walk begins here.
    pub hints: Vec<(Name, Vec<IpAddr>)>,
    /// Trust anchors, of the root or of zones below; with none, nothing is known to be secure or bogus.
    pub anchors: Vec<Anchor>,
    /// Port of all name servers: 53, or that of a lab.
    pub port: u16,
    /// Whether IPv4 addresses are asked.
    pub ipv4: bool,
    /// Whether IPv6 addresses are asked.
    pub ipv6: bool,
    /// How long one question may take over one transport, all attempts together. Default 2 s: with the third of it that TCP
    /// gets on a silent address it keeps a dead server within 3 s. Lower loses servers behind satellite links (600 ms).
    pub timeout: Duration,
    /// Datagrams sent for one question before it counts as unanswered, at least 1. Each waits longer than the one before.
    pub attempts: u32,
    /// Questions under way to one address at a time. Higher looks like an attack to rate limiters.
    pub per_server: usize,
    /// Questions per second to one address, over the burst that [`Settings::per_server_burst`] allows.
    pub per_server_rate: u32,
    /// Questions that may go to one address at once before [`Settings::per_server_rate`] holds.
    pub per_server_burst: u32,
    /// Pause between two odd questions to one address, as those of edns01 and edns02 are. The value of ISC's genreport
    /// (`-U`): a server that limits rates or logs what is odd is not burdened more than by the tool that it knows.
    pub odd_question_pause: Duration,
    /// Questions per second, whoever is asked; zero: no limit.
    pub rate: u32,
    /// How long answers of servers above the zone under test (the root's, top-level domains', its parent's about the parent itself),
    /// and those on addresses of names outside of it, serve all inquiries. Zero: each inquiry asks for itself. What is said of
    /// the zone under test is always asked anew. Longer than many zones at once take to come to the same server, else each
    /// asks it the same; and so short that an address that was changed counts soon.
    pub shared_for: Duration,
    /// For how long an address that was silent through a whole ladder gets one attempt in the inquiries that follow,
    /// instead of [`Settings::attempts`]. Longer than the usual polling interval, so that dead servers cost a polling
    /// round little.
    pub silent_for: Duration,
    /// Questions that one inquiry may put. Chosen by us: what a zone with a hundred servers inside of itself needs, each of which is
    /// asked for the addresses of all (consistency05), and half as much again. Lower, and such a zone cannot be tested; higher, and a
    /// hostile zone makes us ask so much more.
    pub inquiry_questions: usize,
    /// How long one inquiry may go on asking. Chosen by us: twenty times what a dead server costs.
    pub inquiry_time: Duration,
    /// Sockets open at one time. Must stay below the process's limit of open files.
    pub sockets: usize,
    /// Whether question names get random upper and lower case (draft-vixie-dnsext-dns0x20). An answer whose letters
    /// differ is asked again over TCP.
    pub case_randomization: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            vantage_point: None,
            hints: Vec::new(),
            anchors: Vec::new(),
            port: 53,
            ipv4: true,
            ipv6: true,
            timeout: Duration::from_secs(2),
            attempts: 2,
            per_server: 16,
            per_server_rate: 400,
            per_server_burst: 400,
            odd_question_pause: Duration::from_millis(113),
            rate: 0,
            shared_for: Duration::from_secs(30),
            silent_for: Duration::from_secs(90),
            inquiry_questions: 30_000,
            inquiry_time: Duration::from_secs(60),
            sockets: 400,
            case_randomization: false,
        }
    }
}

impl Settings {
    /// Whether the address's family is switched on.
    pub fn is_enabled(&self, address: IpAddr) -> bool {
        if address.is_ipv4() { self.ipv4 } else { self.ipv6 }
    }

    /// How long attempt `number` (from 0) waits: the attempts share the timeout, the later ones wait longer.
    pub fn wait(&self, number: u32) -> Duration {
        let attempts = self.attempts.max(1);
        let shares = attempts * (attempts + 1) / 2;
        self.timeout * (number + 1) / shares
    }

    /// The same, with a family switched off to none of whose root servers this machine has a route. Nothing is sent.
    /// Without this, a machine that has no IPv6 finds every server silent over IPv6.
    pub fn on_this_machine(mut self) -> Self {
        let has_route = |is_ipv4: bool| {
            let hints = self.hints.iter().flat_map(|(_, addresses)| addresses);
            let mut family = hints.filter(|address| address.is_ipv4() == is_ipv4).peekable();
            family.peek().is_none() || family.any(|address| route_to(*address, self.port).is_ok())
        };
        (self.ipv4, self.ipv6) = (self.ipv4 && has_route(true), self.ipv6 && has_route(false));
        self
    }
}

/// Connecting a UDP socket looks for a route and sends nothing.
fn route_to(address: IpAddr, port: u16) -> io::Result<()> {
    let any: IpAddr = if address.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    UdpSocket::bind((any, 0))?.connect((address, port))
}
