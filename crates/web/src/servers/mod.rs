//! `GET /servers/{address}`: one name server, by its address: the zones that it serves, how it does, what findings name it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use csirt::accounts::Capability;
use csirt::directory::{self, Organisation};
use csirt::watch::{self, health};
use model::{Finding, Health, Level, Name, Timestamp};

use crate::zones::{ServerState, servers};
use crate::{App, Page, WebError, shell};

/// Zones that are shown.
const ZONES: usize = 100;
/// Organisations that are named.
const OPERATORS: usize = 10;
/// Findings that are shown in full.
const FINDINGS: usize = 25;

/// Routes of the room.
pub fn router() -> Router<App> {
    Router::new().route("/servers/{address}", get(show))
}

/// A zone that the server serves or should serve.
struct Row {
    zone: Name,
    health: Health,
    server: ServerState,
    measured: Timestamp,
}

#[derive(Template)]
#[template(path = "servers/show.html")]
struct Show {
    page: Page,
    address: IpAddr,
    names: Vec<Name>,
    worst: Health,
    rows: Vec<Row>,
    more: usize,
    /// The organisations whose zones these are.
    operators: Vec<Organisation>,
    findings: Vec<(Name, Finding)>,
    more_findings: usize,
    may_route: bool,
}

async fn show(State(app): State<App>, page: Page, Path(address): Path<String>) -> Result<Response, WebError> {
    page.right(Capability::SeeWatchList)?;
    let address: IpAddr = address.parse().map_err(|_| WebError::NotFound)?;
    let mut rows = Vec::new();
    let mut findings = Vec::new();
    let mut operators = BTreeSet::new();
    for (watched, state) in watch::states_naming(&app.records, address).await? {
        let Some(state) = state else { continue };
        for server in servers(&state.round.servers) {
            if server.address == address {
                operators.extend(watched.watch.organisation);
                rows.push(Row {
                    zone: watched.watch.zone.clone(),
                    health: health(Some(&state)),
                    server,
                    measured: state.round.time,
                });
            }
        }
        let named = state
            .round
            .findings
            .iter()
            .filter(|finding| finding.level >= Level::Notice);
        let about = named.filter(|finding| names_server(finding, address));
        findings.extend(about.map(|finding| (watched.watch.zone.clone(), finding.clone())));
    }
    if rows.is_empty() && findings.is_empty() {
        return Err(WebError::NotFound);
    }
    let mut names: Vec<Name> = rows.iter().map(|row| row.server.name.clone()).collect();
    names.sort();
    names.dedup();
    let worst = rows
        .iter()
        .map(|row| row.server.health())
        .max()
        .unwrap_or(Health::Unknown);
    rows.sort_by(|a, b| (b.server.health(), &a.zone).cmp(&(a.server.health(), &b.zone)));
    findings.sort_by(|(a_zone, a), (b_zone, b)| {
        (b.level, &a.case, &a.tag, a_zone).cmp(&(a.level, &b.case, &b.tag, b_zone))
    });
    let (more, more_findings) = (
        rows.len().saturating_sub(ZONES),
        findings.len().saturating_sub(FINDINGS),
    );
    rows.truncate(ZONES);
    findings.truncate(FINDINGS);
    let mut known = Vec::new();
    for operator in operators.into_iter().take(OPERATORS) {
        // somebody may have taken the entry away meanwhile
        known.extend(directory::get(&app.records, operator).await.ok());
    }
    let may_route = page.has(Capability::SeeDirectory);
    shell::show(Show {
        page,
        address,
        names,
        worst,
        rows,
        more,
        operators: known,
        findings,
        more_findings,
        may_route,
    })
}

/// Whether one of the finding's arguments is this address, alone, in a list, or behind a server's name and a slash.
pub(crate) fn names_server(finding: &Finding, address: IpAddr) -> bool {
    let is_it = |text: &str| text.rsplit('/').next().and_then(|last| last.parse::<IpAddr>().ok()) == Some(address);
    finding.args.values().any(|value| value.split(';').any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_a_server_by_its_address_in_any_form() {
        let finding = |value: &str| Finding {
            case: "consistency01".to_owned(),
            tag: "ONE_SOA_SERIAL".to_owned(),
            level: Level::Warning,
            args: [("ns_list".to_owned(), value.to_owned())].into(),
            vantage_point: None,
        };
        let address = "192.0.2.1".parse().unwrap();
        for (value, named) in [
            ("192.0.2.1", true),
            ("ns1.example/192.0.2.1", true),
            ("ns1.example/192.0.2.9;ns2.example/192.0.2.1", true),
            ("ns1.example/192.0.2.11", false),
            ("192.0.2.1/24", false),
            ("", false),
        ] {
            assert_eq!(names_server(&finding(value), address), named, "{value}");
        }
    }
}
