//! The Passive DNS Common Output Format (draft-dulaunoy-dnsop-passive-dns-cof-13): an object on each line.
//!
//! Whoever gives it has judged it already: it goes to passive DNS with its times and counts. Without `bailiwick` the zone is not known;
//! it is kept on behalf of the root, the one zone in which every name lies. Where both kinds of times are the same, the time on the
//! wire is a copy that clients without zone times need, and the RRset was seen in a zone file.

use model::{Name, PassiveRrset, SeenIn};
use serde_json::Value;

use super::data::{data, name, rtype};
use super::{LeftOut, Object, Place, Refused, second, seconds_of};
use crate::message::MalformedReason;

pub(super) fn line(object: &Object, place: &mut Place<'_>) -> Result<(), Refused> {
    let missing = || Refused::from(MalformedReason::Field);
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let owner = name(text("rrname").ok_or_else(missing)?)?;
    let rtype = object.get("rrtype").and_then(rtype).ok_or_else(missing)?;
    let texts: Vec<&str> = match object.get("rdata") {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or_else(missing)?,
        _ => return Err(missing()),
    };
    if texts.is_empty() {
        return Err(missing());
    }
    let rdata = texts.into_iter().map(|text| data(rtype, text));
    let mut rdata = rdata.collect::<Result<Vec<_>, _>>()?;
    rdata.sort();
    rdata.dedup();
    let bailiwick = match object.get("bailiwick") {
        None | Some(Value::Null) => Name::root(),
        Some(zone) => name(zone.as_str().ok_or_else(missing)?)?,
    };
    let count = match object.get("count") {
        None => 1,
        Some(count) => count.as_u64().ok_or_else(missing)?.clamp(1, i64::MAX as u64),
    };
    let (wire, zone_file) = (times(object, "time")?, times(object, "zone_time")?);
    let seen = match (wire, zone_file) {
        (None, None) => return Err(missing()),
        (Some(wire), None) => vec![(SeenIn::Wire, wire)],
        (Some(wire), Some(zone_file)) if wire != zone_file => {
            vec![(SeenIn::Wire, wire), (SeenIn::ZoneFile, zone_file)]
        }
        (_, Some(zone_file)) => vec![(SeenIn::ZoneFile, zone_file)],
    };
    if !owner.is_at_or_below(&bailiwick) {
        place.receipt.leave_out(LeftOut::OutOfBailiwick);
        return Ok(());
    }
    for (seen_in, (first, last)) in seen {
        let (first, last) = (second(first)?, second(last)?);
        place.receipt.saw(first, last);
        place.receipt.rrsets += 1;
        let rrset = PassiveRrset {
            name: owner.clone(),
            rtype,
            bailiwick: bailiwick.clone(),
            rdata: rdata.clone(),
            seen_in,
            first,
            last,
            count,
        };
        place.sink.rrset(rrset).map_err(Refused::Sink)?;
    }
    Ok(())
}

/// First and last second of one kind; `None` where they are not told.
fn times(object: &Object, kind: &str) -> Result<Option<(i64, i64)>, MalformedReason> {
    let time = |end: &str| -> Result<Option<i64>, MalformedReason> {
        let seconds = object.get(&format!("{kind}_{end}"));
        let milliseconds = object.get(&format!("{kind}_{end}_ms"));
        let time = match (seconds, milliseconds) {
            (Some(seconds), _) => seconds_of(seconds),
            (None, Some(milliseconds)) => seconds_of(milliseconds).map(|time| time.div_euclid(1000)),
            (None, None) => return Ok(None),
        };
        let time = time.ok_or(MalformedReason::Time)?;
        second(time).map(|_| Some(time))
    };
    match (time("first")?, time("last")?) {
        (Some(first), Some(last)) if first <= last => Ok(Some((first, last))),
        (None, None) => Ok(None),
        _ => Err(MalformedReason::Time),
    }
}
