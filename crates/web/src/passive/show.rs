//! `GET /passive`: what was seen of a name or a value, with a bar for each time, and ways on: from a value to the names that have it.

use askama::Template;
use axum::extract::{Query as Words, State};
use axum::http::StatusCode;
use axum::response::Response;
use csirt::accounts::{self, Capability};
use lake::Passive;
use lake::passive::{Answers, End, NamePattern, Scope, SeenRecord, SeenRrset, ValuePattern, values};
use model::{Name, SeenIn, Timestamp, rdata_text};
use serde::Deserialize;

use super::Refused;
use super::asked::{self, Asked, Parameters};
use crate::charts::{Svg, seen_bar};
use crate::paging::{address, sought};
use crate::{App, Errors, Page, WebError, shell};

/// Answers on one page at most.
const ROWS: usize = 25;
/// Octets that the rows of one page may have, by estimate: with its style sheet a page has 50 KB at most.
const WEIGHT: usize = 22_000;
/// Records of one RRset that are shown; the rest is counted.
const RECORDS: usize = 8;

/// What the reader asked for, as it stands in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// A name, `*.NAME`, `NAME.*`, an address or a prefix.
    pub q: String,
    /// `value` for names that have it as a value; otherwise the records of a name.
    pub of: String,
    /// A type; all when empty.
    pub rtype: String,
    /// Answers that stand on earlier pages.
    pub from: String,
}

/// One answer.
struct Row {
    name: Name,
    rtype: String,
    bailiwick: Option<Name>,
    data: Vec<Datum>,
    /// Records that are not shown.
    more: usize,
    first: Timestamp,
    last: Timestamp,
    count: u64,
    is_zone_file: bool,
}

/// The data of one record, with where it leads.
struct Datum {
    text: String,
    /// Names and addresses in it.
    ways: Vec<Way>,
}

impl Row {
    /// Octets that it takes on the page, by estimate.
    fn weight(&self) -> usize {
        let of_way = |way: &Way| 120 + way.text.len() + way.others.len() + way.own.as_ref().map_or(0, String::len);
        let of_datum = |datum: &Datum| 60 + 2 * datum.text.len() + datum.ways.iter().map(of_way).sum::<usize>();
        800 + 4 * self.name.to_string().len() + self.data.iter().map(of_datum).sum::<usize>()
    }
}

impl Datum {
    /// Whether the data is one name or address and nothing else.
    fn is_way(&self) -> bool {
        matches!(&self.ways[..], [way] if way.text == self.text.trim_end_matches('.'))
    }
}

/// A value by which records are found.
struct Way {
    text: String,
    /// The names that have it.
    others: String,
    /// Its own records, when it is a name.
    own: Option<String>,
}

#[derive(Template)]
#[template(path = "passive/show.html")]
struct Show {
    page: Page,
    errors: Errors,
    wanted: Wanted,
    choices: Vec<(String, String)>,
    /// Whether there is anything to look into.
    is_there: bool,
    was_asked: bool,
    rows: Vec<Row>,
    /// Whether not all could be looked at.
    is_cut: bool,
    previous: Option<String>,
    next: Option<String>,
}

impl Show {
    /// The bar of a row, on the time that all rows together span.
    fn bar(&self, row: &Row) -> Svg {
        let from = self.rows.iter().map(|row| row.first).min().unwrap_or(row.first);
        let to = self.rows.iter().map(|row| row.last).max().unwrap_or(row.last);
        seen_bar((from, to), (row.first, row.last), self.page.texts())
    }

    /// First and last time of all rows.
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let from = self.rows.iter().map(|row| row.first).min()?;
        Some((from, self.rows.iter().map(|row| row.last).max()?))
    }
}

/// The address of the page for a search.
pub(crate) fn path(q: &str, of: &str) -> String {
    address("/passive", &[("q", q), ("of", of)])
}

/// The page.
pub async fn show(State(app): State<App>, page: Page, Words(wanted): Words<Wanted>) -> Result<Response, WebError> {
    page.right(Capability::SeeWatchList)?;
    let wanted = Wanted {
        q: sought(&wanted.q),
        rtype: sought(&wanted.rtype),
        ..wanted
    };
    let mut errors = Errors::default();
    let from = wanted.from.trim().parse::<usize>().unwrap_or(0).min(asked::MOST_OFFSET);
    let account = page.account()?.id;
    let access = accounts::passive_access(&app.records, account).await?;
    let question = question(&wanted, from, super::scope(&access), &mut errors);
    let passive = app.lake.passive().await?;
    let is_there = passive.is_some();
    let mut found = None;
    if let (Some(passive), Some(question)) = (passive, question) {
        match app.lookups.begin(&app.records, account).await {
            Err(Refused::Web(error)) => return Err(error),
            Err(Refused::Quota(_)) => errors.add("q", "passive-quota"),
            Err(_) => errors.add("q", "passive-busy"),
            Ok(leave) => {
                let looked = tokio::task::spawn_blocking(move || {
                    let found = look(&passive, &question);
                    drop(leave);
                    found
                });
                found = Some(looked.await.map_err(WebError::internal)?);
            }
        }
    }
    let was_asked = found.is_some();
    let (mut rows, end) = found.unwrap_or_default();
    let is_short = cut(&mut rows);
    let link = |from: usize| {
        let from = if from == 0 { String::new() } else { from.to_string() };
        address(
            "/passive",
            &[
                ("q", &wanted.q),
                ("of", &wanted.of),
                ("rtype", &wanted.rtype),
                ("from", &from),
            ],
        )
    };
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let choices = [("", "passive-of-owner"), ("value", "passive-of-value")];
    let choices = choices.map(|(word, id)| (word.to_owned(), page.t(id))).to_vec();
    shell::show_with(
        status,
        Show {
            choices,
            is_there,
            was_asked,
            is_cut: end == Some(End::Rows),
            previous: (from > 0).then(|| link(from.saturating_sub(ROWS))),
            next: (is_short || end == Some(End::Limit)).then(|| link(from + rows.len())),
            rows,
            errors,
            wanted,
            page,
        },
    )
}

/// Cuts what would make the page too heavy; whether there was such.
fn cut(rows: &mut Vec<Row>) -> bool {
    let mut weight = 0;
    let fits = rows.iter().take_while(|row| {
        weight += row.weight();
        weight <= WEIGHT
    });
    let fits = fits.count().max(1);
    let is_short = fits < rows.len();
    rows.truncate(fits);
    is_short
}

/// The question of a filled form; `None` for an empty one, or one with an error.
fn question(wanted: &Wanted, from: usize, scope: Scope, errors: &mut Errors) -> Option<Asked> {
    if wanted.q.is_empty() {
        return None;
    }
    let parameters = Parameters {
        limit: Some(ROWS),
        offset: from,
        ..Parameters::within(scope)
    };
    let Ok(rtypes) = asked::rtypes(Some(&wanted.rtype)) else {
        errors.add("rtype", "passive-type-wrong");
        return None;
    };
    let Ok(addresses) = asked::addresses(&wanted.q) else {
        errors.add("q", "passive-wrong");
        return None;
    };
    if let Some(pattern) = addresses {
        return Some(Asked::Value(asked::query(pattern, rtypes, None, &parameters)));
    }
    let Ok(pattern) = wanted.q.parse::<NamePattern>() else {
        errors.add("q", "passive-wrong");
        return None;
    };
    Some(match wanted.of.as_str() {
        "value" => Asked::Value(asked::query(ValuePattern::Name(pattern), rtypes, None, &parameters)),
        _ => Asked::Owner(asked::query(pattern, rtypes, None, &parameters)),
    })
}

fn look(passive: &Passive, question: &Asked) -> (Vec<Row>, Option<End>) {
    fn gathered<T>(mut answers: Answers<T>, row: impl Fn(T) -> Row) -> (Vec<Row>, Option<End>) {
        let rows = answers.by_ref().map(row).collect();
        (rows, answers.end())
    }
    match question {
        Asked::Owner(query) => gathered(passive.rrsets(query), of_rrset),
        Asked::Value(query) => gathered(passive.rdata(query), of_record),
    }
}

fn of_rrset(seen: SeenRrset) -> Row {
    let rrset = seen.rrset;
    Row {
        data: rrset
            .rdata
            .iter()
            .take(RECORDS)
            .map(|rdata| datum(rrset.rtype, rdata))
            .collect(),
        more: rrset.rdata.len().saturating_sub(RECORDS),
        name: rrset.name,
        rtype: rrset.rtype.to_string(),
        bailiwick: Some(rrset.bailiwick),
        first: rrset.first,
        last: rrset.last,
        count: rrset.count,
        is_zone_file: rrset.seen_in == SeenIn::ZoneFile,
    }
}

fn of_record(seen: SeenRecord) -> Row {
    Row {
        data: vec![datum(seen.rtype, &seen.rdata)],
        more: 0,
        name: seen.name,
        rtype: seen.rtype.to_string(),
        bailiwick: None,
        first: seen.first,
        last: seen.last,
        count: seen.count,
        is_zone_file: seen.seen_in == SeenIn::ZoneFile,
    }
}

/// Letters of a record's data that are shown: a long key must not fill the page.
const LETTERS: usize = 160;

fn datum(rtype: domain::base::iana::Rtype, rdata: &[u8]) -> Datum {
    let whole = rdata_text(rtype, rdata);
    let mut text: String = whole.chars().take(LETTERS).collect();
    if text.len() < whole.len() {
        text.push('…');
    }
    let way = |value| match value {
        ValuePattern::Address(address) => {
            let text = address.to_string();
            Some(Way {
                others: path(&text, ""),
                own: None,
                text,
            })
        }
        ValuePattern::Name(NamePattern::Exact(name)) => {
            let text = name.to_string();
            Some(Way {
                others: path(&text, "value"),
                own: Some(path(&text, "")),
                text,
            })
        }
        _ => None,
    };
    let ways = values(rtype, rdata).into_iter().filter_map(way).collect();
    Datum { text, ways }
}
