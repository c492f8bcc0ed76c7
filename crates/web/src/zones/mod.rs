//! The watch list and the page of a zone: its delegation, servers, history, findings, and what is expected of it.

mod act;
mod delegation;
mod list;
mod over_time;
pub(crate) mod planned;
mod regions;
mod round;
mod show;

use axum::Router;
use axum::routing::{get, post};
use csirt::accounts::{self, PassiveAccess};
use csirt::directory::{Organisation, Responsibility, ResponsibilityKind};
use csirt::watch::Standing;
use model::{ChangedPart, Health, Name, Timestamp, ZoneChange};

use crate::{App, Page, WebError};

pub(crate) use round::{ServerState, fingerprint, server_text, servers};

/// Pages and actions below `/zones`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/zones", get(list::list).post(act::add))
        .route("/zones/{zone}", get(show::show))
        .route("/zones/{zone}/over-time", get(over_time::over_time))
        .route("/zones/{zone}/over-time/{file}", get(over_time::file))
        .route("/zones/{zone}/watch", post(act::change))
        .route("/zones/{zone}/remove", post(act::remove))
        .route("/zones/{zone}/expected", post(act::accept))
        .route("/zones/{zone}/announcements", post(act::announce))
        .route("/zones/{zone}/announcements/{id}/withdraw", post(act::withdraw))
}

/// So many changes of a delegation, the newest first. What registries' files say of it has no label of its own there, so `None` for an account
/// that may not see all of passive DNS.
async fn changes(
    app: &App,
    page: &Page,
    zone: &Name,
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> Result<Option<Vec<ZoneChange>>, WebError> {
    let access = accounts::passive_access(&app.records, page.account()?.id).await?;
    let all = PassiveAccess::default();
    if (access.tlp, &access.sources) != (all.tlp, &all.sources) {
        return Ok(None);
    }
    let mut changes = app.lake.zone_changes(Some(zone), from, to).await?;
    changes.reverse();
    changes.truncate(most);
    Ok(Some(changes))
}

/// The address of a zone's page. The root is `@` there, for browsers take a lone dot away; a zone whose name is `@` has its final dot.
pub(crate) fn path(zone: &Name) -> String {
    let name = zone.to_string();
    match name.as_str() {
        "." => "/zones/@".to_owned(),
        "@" => "/zones/@.".to_owned(),
        _ => format!("/zones/{}", crate::paging::segment(&name)),
    }
}

/// The zone that an address means; 404 for what is no name.
pub(crate) fn parse(zone: &str) -> Result<Name, WebError> {
    if zone == "@" {
        Ok(Name::root())
    } else {
        zone.parse().map_err(|_| WebError::NotFound)
    }
}

/// Id of the word for a part of a delegation.
pub(crate) fn part_text(part: ChangedPart) -> &'static str {
    match part {
        ChangedPart::Ns => "zone-part-ns",
        ChangedPart::Ds => "zone-part-ds",
        ChangedPart::Glue => "zone-part-glue",
    }
}

/// The zone that somebody answers for, where it is one.
pub(crate) fn as_zone(thing: &Responsibility) -> Option<Name> {
    if thing.kind == ResponsibilityKind::Zone {
        thing.value.parse().ok()
    } else {
        None
    }
}

/// Whether a zone is one of theirs: on the watch list, or by what the directory says they answer for.
pub(crate) fn is_of(zone: &Standing, organisations: &[Organisation]) -> bool {
    organisations.iter().any(|organisation| {
        let things = &organisation.profile.responsibilities;
        zone.organisation == Some(organisation.id)
            || things.iter().filter_map(as_zone).any(|theirs| theirs == zone.zone)
    })
}

/// Sorts zones by how they do, the worst first; those that do alike stay in the order that they had.
pub(crate) fn worst_first(zones: &mut [Standing]) {
    zones.sort_by_key(|zone| match zone.health {
        Health::Broken => 0,
        Health::Impaired => 1,
        Health::Unknown => 2,
        Health::Good => 3,
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_root_has_an_address_too() {
        assert_eq!(path(&Name::root()), "/zones/@");
        assert_eq!(parse("@").unwrap(), Name::root());
        let at: Name = "@".parse().unwrap();
        assert_eq!(path(&at), "/zones/@.");
        assert_eq!(parse("@.").unwrap(), at, "and so has the zone whose name is an at sign");
    }

    proptest! {
        #[test]
        fn a_name_is_found_again_under_its_address(text in ".{1,60}") {
            if let Ok(name) = text.parse::<Name>() {
                let path = path(&name);
                let segment = path.strip_prefix("/zones/").unwrap();
                let mut octets = Vec::new();
                let mut rest = segment.bytes();
                while let Some(octet) = rest.next() {
                    octets.push(match octet {
                        b'%' => u8::from_str_radix(&format!("{}{}", rest.next().unwrap() as char, rest.next().unwrap() as char), 16).unwrap(),
                        other => other,
                    });
                }
                prop_assert_eq!(parse(std::str::from_utf8(&octets).unwrap()).unwrap(), name);
            }
        }
    }
}
