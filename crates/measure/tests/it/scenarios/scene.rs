//! The small world of all scenarios: a root, the top-level domain `test` with two servers, the zone under test with two, and
//! beside it `other.test`.

use lab::World;
use toml::{Table, Value};

use super::file::{Edition, Scenario};

/// The world of one scenario.
pub struct Scene<'s> {
    scenario: &'s Scenario,
    /// The zone under test, or where the scenario tests one above, the one below `test`.
    pub child: String,
}

/// Servers: what scenarios call them, their NS names (`@` stands for the zone) and addresses.
const SERVERS: [(&str, &str, &str); 6] = [
    ("root", "a.root", "127.30.0.1"),
    ("p1", "p1.nic.test", "127.30.1.1"),
    ("p2", "p2.nic.test", "127.30.1.2"),
    ("ns1", "ns1.@", "127.30.2.1"),
    ("ns2", "ns2.@", "127.30.2.2"),
    ("other", "ns.other.test", "127.30.3.1"),
];

const ROOT: &str = "$TTL 3600\n@ SOA a.root. hostmaster.nic.test. 1 14400 3600 1209600 3600\n@ NS a.root.\n\
    a.root. A 127.30.0.1\ntest. NS p1.nic.test.\ntest. NS p2.nic.test.\np1.nic.test. A 127.30.1.1\n\
    p2.nic.test. A 127.30.1.2\n";

const PARENT: &str = "$TTL 3600\n@ SOA p1.nic hostmaster.nic 1 14400 3600 1209600 3600\n@ NS p1.nic\n@ NS p2.nic\n\
    p1.nic A 127.30.1.1\np2.nic A 127.30.1.2\nother NS ns.other\nns.other A 127.30.3.1\n";

const DELEGATION: &str = "@ NS ns1.@\n@ NS ns2.@\nns1.@ A 127.30.2.1\nns2.@ A 127.30.2.2\n";

const OTHER: &str = "$TTL 3600\n@ SOA ns hostmaster 1 14400 3600 1209600 3600\n@ NS ns\n@ MX 10 mail\nns A 127.30.3.1\n\
    mail A 192.0.2.25\nalias CNAME mail\nnsalias CNAME ns\nhere A 127.0.0.1\nloop CNAME loop\n";

impl<'s> Scene<'s> {
    pub fn of(scenario: &'s Scenario) -> Self {
        let child = match scenario.zone.as_str() {
            "." | "test" => "case.test",
            zone => zone,
        };
        Self {
            scenario,
            child: child.to_owned(),
        }
    }

    /// The world, put together as its files would be.
    pub fn world(&self) -> World {
        let scenario = self.scenario;
        let label = self.child.strip_suffix(".test").unwrap();
        let delegation = scenario
            .delegation
            .clone()
            .unwrap_or_else(|| DELEGATION.replace('@', label));
        let parent_signing = (scenario.signed_parent == Some(true)).then(Table::new);
        let mut zones = vec![
            zone(".", ".", "root.zone", None),
            zone("test", "test", "test.zone", parent_signing),
            zone(&self.child, &self.child, "child.zone", scenario.child.signing.clone()),
            zone("other.test", "other.test", "other.zone", None),
        ];
        let mut files = vec![
            ("root.zone", format!("{ROOT}{}", scenario.root)),
            ("test.zone", format!("{PARENT}{delegation}\n{}", scenario.parent)),
            ("child.zone", text(&scenario.child)),
            ("other.zone", format!("{OTHER}{}", scenario.other)),
        ];
        if let Some(second) = &scenario.second {
            zones.push(zone("second", &self.child, "second.zone", second.signing.clone()));
            files.push(("second.zone", text(second)));
        }
        let mut world = Table::new();
        world.insert("name".to_owned(), "scene".into());
        world.insert("zone".to_owned(), Value::Array(zones));
        world.insert(
            "server".to_owned(),
            Value::Array(SERVERS.map(|server| self.server(server)).to_vec()),
        );
        files.push(("world.toml", toml::to_string(&world).unwrap()));
        let parts: Vec<(&str, &str)> = files.iter().map(|(file, text)| (*file, text.as_str())).collect();
        World::from_parts(&parts).unwrap_or_else(|error| panic!("{} `{}`: {error}", scenario.case, scenario.name))
    }

    fn server(&self, (short, ns, address): (&str, &str, &str)) -> Value {
        let zones = match short {
            "root" => ".",
            "p1" | "p2" => "test",
            "ns2" if self.scenario.second.is_some() => "second",
            "other" => "other.test",
            _ => &self.child,
        };
        let faults = self.scenario.faults.get(short).cloned().unwrap_or_default();
        let mut server = Table::new();
        server.insert("name".to_owned(), ns.replace('@', &self.child).into());
        server.insert("addresses".to_owned(), vec![address.to_owned()].into());
        server.insert("zones".to_owned(), vec![zones.to_owned()].into());
        server.insert(
            "faults".to_owned(),
            Value::Array(faults.into_iter().map(Value::Table).collect()),
        );
        Value::Table(server)
    }
}

/// Whether scenarios may call a server so.
pub fn is_server(short: &str) -> bool {
    SERVERS.iter().any(|(known, ..)| *known == short)
}

/// The address of a server.
pub fn address(short: &str) -> &'static str {
    let known = SERVERS.iter().find(|(known, ..)| *known == short);
    known.unwrap_or_else(|| panic!("there is no server `{short}`")).2
}

fn zone(id: &str, name: &str, file: &str, signing: Option<Table>) -> Value {
    let mut zone = Table::new();
    zone.insert("id".to_owned(), id.into());
    zone.insert("name".to_owned(), name.into());
    zone.insert("file".to_owned(), file.into());
    if let Some(signing) = signing {
        zone.insert("signing".to_owned(), Value::Table(signing));
    }
    Value::Table(zone)
}

/// The text of a zone file.
fn text(edition: &Edition) -> String {
    let part = |given: &Option<String>, otherwise: &str| given.clone().unwrap_or_else(|| otherwise.to_owned());
    let soa = part(&edition.soa, "ns1 hostmaster 2026112301 14400 3600 1209600 3600");
    [
        "$TTL 3600".to_owned(),
        format!("@ SOA {soa}"),
        part(&edition.ns, "@ NS ns1\n@ NS ns2"),
        part(&edition.hosts, "ns1 A 127.30.2.1\nns2 A 127.30.2.2\nmail A 192.0.2.25"),
        part(&edition.mx, "@ MX 10 mail"),
        part(&edition.txt, "@ TXT \"v=spf1 mx -all\""),
        part(&edition.www, "www A 192.0.2.80"),
        part(&edition.more, ""),
        String::new(),
    ]
    .join("\n")
}
