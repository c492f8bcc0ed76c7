//! Why somebody answers for a target.

use std::net::IpAddr;

use language::{Arg, Language, texts};
use model::{Name, Prefix};
use serde::{Deserialize, Serialize};

use super::profile::ResponsibilityRole;

/// One reason. Reasons compare by how near they are to the target, the nearest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Because {
    /// It answers for the very zone.
    Zone {
        /// The zone.
        zone: Name,
        /// As what.
        role: ResponsibilityRole,
    },
    /// It answers for a zone in which the target lies.
    EnclosingZone {
        /// That zone.
        zone: Name,
        /// As what.
        role: ResponsibilityRole,
    },
    /// It answers for a name server: the target itself or at the target's address, or one that serves the zone.
    NameServer {
        /// Its name.
        server: Name,
        /// The zone that it serves; `None` when the server, or its address, is the target.
        zone: Option<Name>,
        /// As what.
        role: ResponsibilityRole,
    },
    /// It answers for a name server at this address.
    Address {
        /// The address.
        address: IpAddr,
        /// The zone that it serves; `None` when the address is the target.
        zone: Option<Name>,
        /// As what.
        role: ResponsibilityRole,
    },
    /// It answers for the addresses among which this one is.
    Prefix {
        /// The prefix.
        prefix: String,
        /// The address in it.
        address: IpAddr,
        /// The zone that it serves; `None` when the address is the target.
        zone: Option<Name>,
        /// As what.
        role: ResponsibilityRole,
    },
    /// It is the registrar with this number at IANA.
    Registrar {
        /// The number.
        number: u32,
        /// As what.
        role: ResponsibilityRole,
    },
}

impl Because {
    /// As what it answers.
    pub fn role(&self) -> ResponsibilityRole {
        match self {
            Because::Zone { role, .. }
            | Because::EnclosingZone { role, .. }
            | Because::NameServer { role, .. }
            | Because::Address { role, .. }
            | Because::Prefix { role, .. }
            | Because::Registrar { role, .. } => *role,
        }
    }

    /// The reason in words: "operates the zone example.test".
    pub fn text(&self, language: Language) -> String {
        let texts = texts(language);
        let role = texts.get(&format!("route-role-{}", self.role()));
        let mut args: Vec<(&str, Arg)> = vec![("role", role.into())];
        let id = match self {
            Because::Zone { zone, .. } => {
                args.push(("zone", zone.to_string().into()));
                "route-because-zone"
            }
            Because::EnclosingZone { zone, .. } if zone.is_root() => "route-because-root",
            Because::EnclosingZone { zone, .. } => {
                args.push(("zone", zone.to_string().into()));
                "route-because-enclosing-zone"
            }
            Because::NameServer { server, zone, .. } => {
                args.push(("server", server.to_string().into()));
                with_zone(
                    zone,
                    &mut args,
                    ["route-because-name-server", "route-because-name-server-of"],
                )
            }
            Because::Address { address, zone, .. } => {
                args.push(("address", address.to_string().into()));
                with_zone(zone, &mut args, ["route-because-address", "route-because-address-of"])
            }
            Because::Prefix {
                prefix, address, zone, ..
            } => {
                args.push(("prefix", prefix.into()));
                args.push(("address", address.to_string().into()));
                with_zone(zone, &mut args, ["route-because-prefix", "route-because-prefix-of"])
            }
            Because::Registrar { number, .. } => {
                args.push(("number", number.to_string().into()));
                "route-because-registrar"
            }
        };
        texts.format(id, args)
    }

    /// Smaller is nearer to the target: kind of reason, then how wide it is, then the order of roles.
    pub(super) fn distance(&self) -> (u8, usize, ResponsibilityRole) {
        let (kind, width) = match self {
            Because::Zone { .. } => (0, 0),
            Because::Registrar { .. } => (0, 0),
            Because::NameServer { zone: None, .. } => (0, 1),
            Because::Address { zone: None, .. } => (0, 2),
            Because::EnclosingZone { zone, .. } => (1, 255 - zone.label_count()),
            Because::NameServer { .. } => (2, 0),
            Because::Address { .. } => (3, 0),
            Because::Prefix { prefix, .. } => {
                let length = prefix.parse::<Prefix>().map_or(0, |prefix| prefix.length());
                (4, 128 - usize::from(length))
            }
        };
        (kind, width, self.role())
    }
}

fn with_zone(zone: &Option<Name>, args: &mut Vec<(&str, Arg)>, ids: [&'static str; 2]) -> &'static str {
    match zone {
        None => ids[0],
        Some(zone) => {
            args.push(("zone", zone.to_string().into()));
            ids[1]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_in_every_language() {
        let (zone, server): (Name, Name) = ("example.test".parse().unwrap(), "ns1.example.test".parse().unwrap());
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for language in Language::ALL {
            for &role in ResponsibilityRole::ALL {
                for of in [None, Some(zone.clone())] {
                    for because in [
                        Because::Zone {
                            zone: zone.clone(),
                            role,
                        },
                        Because::EnclosingZone {
                            zone: zone.clone(),
                            role,
                        },
                        Because::EnclosingZone {
                            zone: Name::root(),
                            role,
                        },
                        Because::NameServer {
                            server: server.clone(),
                            zone: of.clone(),
                            role,
                        },
                        Because::Address {
                            address,
                            zone: of.clone(),
                            role,
                        },
                        Because::Prefix {
                            prefix: "192.0.2.0/24".to_owned(),
                            address,
                            zone: of.clone(),
                            role,
                        },
                        Because::Registrar { number: 292, role },
                    ] {
                        let text = because.text(language);
                        assert!(!text.contains(['[', '{']), "{language}: {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_reason_reads_like_a_sentence() {
        let zone = "example.test".parse().unwrap();
        let because = Because::Zone {
            zone,
            role: ResponsibilityRole::Registry,
        };
        assert_eq!(because.text(Language::English), "registry of the zone example.test");
    }
}
