//! Test cases on what the zone says of itself: zone02 to zone06 (times of the SOA record), zone10 (that there is one). The
//! others stand in the files beside this one.

use domain::base::iana::Rtype;
use domain::rdata::Soa;

use super::zone_mail::{zone08, zone09};
use super::zone_primary::{zone01, zone07};
use super::zone_spf::zone11;
use super::{Case, Emission, case, reachable_servers};
use crate::question::Question;
use crate::record::{OwnedName, Record};
use crate::run::Run;

/// The cases of this group.
pub const CASES: &[Case] = &[
    case!("zone01", zone01),
    case!("zone02", zone02),
    case!("zone03", zone03),
    case!("zone04", zone04),
    case!("zone05", zone05),
    case!("zone06", zone06),
    case!("zone07", zone07),
    case!("zone08", zone08),
    case!("zone09", zone09),
    case!("zone10", zone10),
    case!("zone11", zone11),
];

/// The times of an SOA record, in seconds.
struct Times {
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
}

impl From<&Soa<OwnedName>> for Times {
    fn from(soa: &Soa<OwnedName>) -> Self {
        Self {
            refresh: soa.refresh().as_secs(),
            retry: soa.retry().as_secs(),
            expire: soa.expire().as_secs(),
            minimum: soa.minimum().as_secs(),
        }
    }
}

/// The SOA record as the first server gives it that answers with authority.
pub(super) async fn authoritative_soa(run: &Run) -> Option<Soa<OwnedName>> {
    let addresses = run.child_addresses().await.keys().copied();
    let asked = run.ask_all(addresses, &Question::plain(run.zone(), Rtype::SOA)).await;
    let authoritative = asked
        .iter()
        .filter_map(|(_, exchange)| exchange.response())
        .filter(|answer| answer.authoritative);
    let mut records = authoritative.flat_map(|answer| answer.answers(run.zone(), Rtype::SOA));
    records.find_map(Record::soa).cloned()
}

/// The times of that record, or what to say where there is none.
async fn times(run: &Run) -> Result<Times, Vec<Emission>> {
    let soa = authoritative_soa(run).await;
    soa.as_ref()
        .map(Times::from)
        .ok_or_else(|| vec![Emission::new("NO_RESPONSE_SOA_QUERY")])
}

/// zone02: is refresh long enough?
async fn zone02(run: &Run) -> Vec<Emission> {
    let Times { refresh, .. } = match times(run).await {
        Ok(times) => times,
        Err(said) => return said,
    };
    let required = run.limits().soa_refresh_min_secs;
    let tag = if refresh < required {
        "REFRESH_MINIMUM_VALUE_LOWER"
    } else {
        "REFRESH_MINIMUM_VALUE_OK"
    };
    vec![
        Emission::new(tag)
            .arg("refresh", refresh)
            .arg("required_refresh", required),
    ]
}

/// zone03: is retry shorter than refresh?
async fn zone03(run: &Run) -> Vec<Emission> {
    let Times { refresh, retry, .. } = match times(run).await {
        Ok(times) => times,
        Err(said) => return said,
    };
    let tag = if retry < refresh {
        "REFRESH_HIGHER_THAN_RETRY"
    } else {
        "REFRESH_LOWER_THAN_RETRY"
    };
    vec![Emission::new(tag).arg("retry", retry).arg("refresh", refresh)]
}

/// zone04: is retry long enough?
async fn zone04(run: &Run) -> Vec<Emission> {
    let Times { retry, .. } = match times(run).await {
        Ok(times) => times,
        Err(said) => return said,
    };
    let required = run.limits().soa_retry_min_secs;
    let tag = if retry < required {
        "RETRY_MINIMUM_VALUE_LOWER"
    } else {
        "RETRY_MINIMUM_VALUE_OK"
    };
    vec![Emission::new(tag).arg("retry", retry).arg("required_retry", required)]
}

/// zone05: is expire long enough, and longer than refresh?
async fn zone05(run: &Run) -> Vec<Emission> {
    let Times { refresh, expire, .. } = match times(run).await {
        Ok(times) => times,
        Err(said) => return said,
    };
    let required = run.limits().soa_expire_min_secs;
    let mut emitted = Vec::new();
    if expire < required {
        let emission = Emission::new("EXPIRE_MINIMUM_VALUE_LOWER").arg("expire", expire);
        emitted.push(emission.arg("required_expire", required));
    }
    if expire < refresh {
        emitted.push(
            Emission::new("EXPIRE_LOWER_THAN_REFRESH")
                .arg("expire", expire)
                .arg("refresh", refresh),
        );
    }
    if emitted.is_empty() {
        let emission = Emission::new("EXPIRE_MINIMUM_VALUE_OK")
            .arg("expire", expire)
            .arg("refresh", refresh);
        emitted.push(emission.arg("required_expire", required));
    }
    emitted
}

/// zone06: is minimum, the time for which absence is remembered, neither too short nor too long?
async fn zone06(run: &Run) -> Vec<Emission> {
    let Times { minimum, .. } = match times(run).await {
        Ok(times) => times,
        Err(said) => return said,
    };
    let limits = run.limits();
    let (lowest, highest) = (limits.soa_minimum_min_secs, limits.soa_minimum_max_secs);
    let say = |tag| Emission::new(tag).arg("minimum", minimum);
    vec![if minimum > highest {
        say("SOA_DEFAULT_TTL_MAXIMUM_VALUE_HIGHER").arg("highest_minimum", highest)
    } else if minimum < lowest {
        say("SOA_DEFAULT_TTL_MAXIMUM_VALUE_LOWER").arg("lowest_minimum", lowest)
    } else {
        let say = say("SOA_DEFAULT_TTL_MAXIMUM_VALUE_OK").arg("highest_minimum", highest);
        say.arg("lowest_minimum", lowest)
    }]
}

/// zone10: does each server give exactly one SOA record?
async fn zone10(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let said_before = emitted.len();
    for (address, exchange) in run
        .ask_all(servers.keys().copied(), &Question::plain(run.zone(), Rtype::SOA))
        .await
    {
        let say = |tag| {
            let names = servers.get(&address).into_iter().flatten();
            names.map(move |server| Emission::new(tag).arg("ns", server))
        };
        let Some(response) = exchange.response() else {
            emitted.extend(say("NO_RESPONSE"));
            continue;
        };
        let owners: Vec<_> = response.answer_type(Rtype::SOA).map(|record| &record.owner).collect();
        match owners[..] {
            [] => emitted.extend(say("NO_SOA_IN_RESPONSE")),
            [first, ..] if !owners.contains(&run.zone()) => {
                emitted.extend(say("WRONG_SOA").map(|emission| emission.arg("owner", first).arg("name", run.zone())))
            }
            [_] => {}
            [_, _, ..] => emitted.extend(say("MULTIPLE_SOA").map(|emission| emission.arg("count", owners.len()))),
        }
    }
    if emitted.len() == said_before {
        emitted.push(Emission::new("ONE_SOA"));
    }
    emitted
}
