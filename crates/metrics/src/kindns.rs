//! KINDNS (kindns.org): which practices an operator follows, by what was measured and by what somebody attested, told apart.
//!
//! The categories and practices are those of the programme's pages for authoritative and recursive operators; the texts
//! were seen in part, and the extra practice of critical zones (diversity of software, place and network) is known to us from
//! memory and from reports of talks. What a measurement can see of a practice is often not the whole of it: that a zone is
//! signed shows, how its keys are kept does not. Only authoritative practices are measured here; those of resolvers are
//! attested.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::civil::Date;
use model::{Finding, Level};
use serde::{Deserialize, Serialize};

/// Days for which an attestation counts. Chosen by us: the programme asks its members to look again each year. Longer, and
/// words outlive the people who gave them; shorter, and small operators fill in forms for us.
pub const ATTESTED_DAYS: i32 = 400;

/// What somebody operates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// TLDs, their registries' zones, and zones of critical services (e-government, health, banking).
    CriticalZone,
    /// Any other zone.
    Zone,
    /// A resolver of a closed network.
    PrivateResolver,
    /// A resolver that a provider offers to its customers.
    SharedResolver,
    /// A resolver that anybody may use.
    PublicResolver,
}

/// One practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Practice {
    /// The zone is signed, and its keys are managed.
    Signed,
    /// Zone transfer is limited, by address and by TSIG.
    TransferLimited,
    /// The integrity of the zone file is controlled.
    ZoneIntegrity,
    /// Authoritative and recursive service do not share a server.
    Separated,
    /// At least two name servers, not in one subnet, at different sites.
    Redundant,
    /// The service is monitored.
    Monitored,
    /// Software, places and networks are diverse.
    Diverse,
    /// The resolver validates.
    Validates,
    /// The resolver minimises query names (RFC 9156).
    Minimises,
    /// The resolver offers DNS over TLS or HTTPS (RFC 7858, RFC 8484).
    Encrypts,
    /// Logs of queries are kept no longer than needed.
    LogsLimited,
    /// At least two distinct servers resolve.
    RedundantResolvers,
}

/// How much a practice is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requirement {
    /// Without it nobody joins.
    Must,
    /// Wanted.
    Should,
}

impl Category {
    /// Its practices in the programme's order.
    pub fn practices(self) -> &'static [(Practice, Requirement)] {
        use Practice as P;
        use Requirement::{Must, Should};
        const ZONE: [(Practice, Requirement); 7] = [
            (P::Signed, Must),
            (P::TransferLimited, Must),
            (P::ZoneIntegrity, Must),
            (P::Separated, Must),
            (P::Redundant, Must),
            (P::Monitored, Must),
            (P::Diverse, Must),
        ];
        const PUBLIC: [(Practice, Requirement); 6] = [
            (P::Validates, Must),
            (P::Minimises, Must),
            (P::Encrypts, Should),
            (P::LogsLimited, Must),
            (P::RedundantResolvers, Must),
            (P::Monitored, Must),
        ];
        const PRIVATE: [(Practice, Requirement); 4] = [
            (P::Validates, Must),
            (P::Encrypts, Should),
            (P::RedundantResolvers, Must),
            (P::Monitored, Must),
        ];
        match self {
            Category::CriticalZone => &ZONE,
            Category::Zone => &ZONE[..6],
            Category::PublicResolver => &PUBLIC,
            Category::SharedResolver | Category::PrivateResolver => &PRIVATE,
        }
    }
}

/// What somebody says of a practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// Of which one.
    pub practice: Practice,
    /// Whether it is followed.
    pub follows: bool,
    /// Who says so: organisation or person, in words.
    pub by: String,
    /// On which day.
    pub on: Date,
    /// How it is done, in words; may be empty.
    pub text: String,
}

/// What an assessment rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// A test case ran and found nothing against the practice.
    Passed {
        /// Id of the case.
        case: String,
    },
    /// A test case spoke against it.
    Found {
        /// What it said.
        finding: Finding,
    },
    /// The addresses of the name servers lie in so many subnets (/24 of IPv4, /48 of IPv6).
    Subnets {
        /// How many.
        count: usize,
    },
    /// Somebody said so.
    Attested {
        /// What.
        attestation: Attestation,
        /// Whether it is too old to count.
        is_stale: bool,
    },
}

/// How a practice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is followed.
    Holds,
    /// What can be measured of it holds; of the rest nobody said anything.
    HoldsInPart,
    /// It is not followed.
    Broken,
    /// Nobody knows.
    Unknown,
}

/// One practice with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The practice.
    pub practice: Practice,
    /// How much it is asked for.
    pub requirement: Requirement,
    /// How it stands: a measurement that speaks against it outweighs every attestation.
    pub standing: Standing,
    /// What the measurement says; `None` where it says nothing.
    pub measured: Option<bool>,
    /// What the newest attestation that counts says; `None` where there is none.
    pub attested: Option<bool>,
    /// All that it rests on, attestations that do not count included.
    pub evidence: Vec<Evidence>,
}

/// What was measured of a zone.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// All findings of its last round, INFO and below included: they show which cases ran.
    pub findings: &'a [Finding],
    /// Addresses of its name servers.
    pub addresses: &'a [IpAddr],
}

/// Assesses all practices of a category. `today` tells which attestations still count.
pub fn assess(
    category: Category,
    measured: Option<Measured<'_>>,
    attestations: &[Attestation],
    today: Date,
) -> Vec<Assessment> {
    let practices = category.practices().iter();
    practices
        .map(|(practice, requirement)| {
            let (seen, mut evidence) = measured.map_or((None, Vec::new()), |measured| look(*practice, &measured));
            let mut of_practice: Vec<&Attestation> = attestations
                .iter()
                .filter(|attestation| attestation.practice == *practice)
                .collect();
            of_practice.sort_by_key(|attestation| attestation.on);
            let is_stale = |attestation: &Attestation| (today - attestation.on).get_days() > ATTESTED_DAYS;
            let newest = of_practice.iter().rev().find(|attestation| !is_stale(attestation));
            let attested = newest.map(|attestation| attestation.follows);
            evidence.extend(of_practice.iter().map(|attestation| Evidence::Attested {
                attestation: (*attestation).clone(),
                is_stale: is_stale(attestation),
            }));
            Assessment {
                practice: *practice,
                requirement: *requirement,
                standing: standing(*practice, seen, attested),
                measured: seen,
                attested,
                evidence,
            }
        })
        .collect()
}

fn standing(practice: Practice, measured: Option<bool>, attested: Option<bool>) -> Standing {
    match (measured, attested) {
        (Some(false), _) => Standing::Broken,
        // what is seen from outside is the whole of it
        (Some(true), _) if practice == Practice::Separated => Standing::Holds,
        (Some(true), None) => Standing::HoldsInPart,
        (_, Some(true)) => Standing::Holds,
        (_, Some(false)) => Standing::Broken,
        (None, None) => Standing::Unknown,
    }
}

/// Cases that look at a practice, and tags that speak against it whatever their level.
fn watched_by(practice: Practice) -> (&'static [&'static str], &'static [&'static str]) {
    match practice {
        Practice::Signed => (
            &["dnssec02", "dnssec07", "dnssec08", "dnssec09", "dnssec10"],
            &["DS07_NOT_SIGNED", "DS07_NOT_SIGNED_ON_SERVER"],
        ),
        Practice::TransferLimited => (&["nameserver03"], &["AXFR_AVAILABLE"]),
        Practice::Separated => (&["nameserver01"], &["IS_A_RECURSOR"]),
        Practice::Redundant => (&["delegation01", "delegation02"], &[]),
        _ => (&[], &[]),
    }
}

/// What the measurement says of a practice, and why.
fn look(practice: Practice, measured: &Measured<'_>) -> (Option<bool>, Vec<Evidence>) {
    let (cases, tags) = watched_by(practice);
    let is_against = |finding: &&Finding| {
        let of_case = cases.contains(&finding.case.as_str());
        of_case && (finding.level >= Level::Error || tags.contains(&finding.tag.as_str()))
    };
    let against = measured.findings.iter().filter(is_against);
    let mut evidence: Vec<Evidence> = against
        .map(|finding| Evidence::Found {
            finding: finding.clone(),
        })
        .collect();
    let mut holds = (!evidence.is_empty()).then_some(false);
    if holds.is_none() {
        // a case that ran says something, be it at INFO or below
        let ran: BTreeSet<&str> = measured.findings.iter().map(|finding| finding.case.as_str()).collect();
        let passed = cases.iter().filter(|case| ran.contains(**case));
        evidence.extend(passed.map(|case| Evidence::Passed {
            case: (*case).to_owned(),
        }));
        holds = (!evidence.is_empty()).then_some(true);
    }
    if practice == Practice::Redundant && !measured.addresses.is_empty() {
        let count = subnets(measured.addresses);
        evidence.push(Evidence::Subnets { count });
        if count < 2 {
            holds = Some(false);
        }
    }
    (holds, evidence)
}

/// Distinct subnets of the addresses: /24 of IPv4 and /48 of IPv6, the smallest that are announced each by itself.
fn subnets(addresses: &[IpAddr]) -> usize {
    let subnet = |address: &IpAddr| match address {
        IpAddr::V4(v4) => (4, v4.octets()[..3].to_vec()),
        IpAddr::V6(v6) => (6, v6.octets()[..6].to_vec()),
    };
    let all: BTreeSet<(u8, Vec<u8>)> = addresses.iter().map(subnet).collect();
    // a server with an address of each family is still in one place: the family with more subnets decides
    let of = |family| all.iter().filter(|(of, _)| *of == family).count();
    of(4).max(of(6))
}
