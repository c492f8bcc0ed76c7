//! Flexible search: owner names or record data that match a pattern anywhere. There is no order that helps: all rows are looked at,
//! up to the bound of a question, and what is left then is said.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use lake::passive::{End, NamePattern, Query, Seen, ValuePattern};
use model::{Name, SeenIn, rdata_text};
use regex::{Regex, RegexBuilder};
use serde_json::{Value, json};

use super::asked::{self, Parameters};
use super::caller::Caller;
use super::lines::{Gone, Lines};
use super::{Refused, dnsdb, passive};
use crate::App;

/// By a regular expression.
pub async fn regex(State(app): State<App>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    search(&app, &caller, &uri, "/dnsdb/v2/regex/", compiled).await
}

/// By a pattern with `*`, `?` and `[…]`, which has to match the whole.
pub async fn glob(State(app): State<App>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    search(&app, &caller, &uri, "/dnsdb/v2/glob/", |text| {
        compiled(&from_glob(text))
    })
    .await
}

/// Expressions are matched in time linear in the text; this bounds what one may take in memory.
fn compiled(text: &str) -> Result<Regex, Refused> {
    let built = RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(1 << 20)
        .build();
    built.map_err(|error| Refused::Question(format!("the pattern cannot be understood: {error}").replace('\n', " ")))
}

fn from_glob(text: &str) -> String {
    let mut expression = String::from("^");
    for letter in text.chars() {
        match letter {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            '[' | ']' => expression.push(letter),
            '!' if expression.ends_with('[') => expression.push('^'),
            '-' => expression.push('-'),
            other => expression.push_str(&regex::escape(&other.to_string())),
        }
    }
    expression.push('$');
    expression
}

/// Octets of objects, as text, that are held until all rows were looked at: some 200 MB of memory. With more the answer is limited.
const MOST_HELD: usize = 32 << 20;

/// Rows after which it is looked whether anybody still reads.
const LOOKED_UP: usize = 4_096;

struct Search {
    pattern: Regex,
    exclude: Option<Regex>,
    parameters: Parameters,
    limit: usize,
}

impl Search {
    fn takes(&self, text: &str) -> bool {
        self.pattern.is_match(text) && self.exclude.as_ref().is_none_or(|exclude| !exclude.is_match(text))
    }

    /// Writes each different object that is found, until the limit, with what all rows of it say. What was seen on the wire and in
    /// zone files stays apart, as in look-ups.
    fn write(&self, rows: impl Iterator<Item = (Value, Times)>, lines: &mut Lines) -> Result<bool, Gone> {
        let mut objects: Vec<(Value, Times)> = Vec::new();
        let mut places: HashMap<_, usize> = HashMap::new();
        let most = self.parameters.offset.saturating_add(self.limit);
        let (mut is_all, mut held) = (true, 0);
        for (number, (object, times)) in rows.enumerate() {
            if number % LOOKED_UP == 0 && lines.is_unread() {
                return Err(Gone);
            }
            let kind = self.parameters.verbose.then_some(times.seen_in);
            let text = object.to_string();
            let octets = text.len();
            match places.entry((text, kind)) {
                Entry::Occupied(place) => {
                    let (_, of_object) = &mut objects[*place.get()];
                    of_object.absorb(&times);
                }
                Entry::Vacant(_) if objects.len() == most || held > MOST_HELD => {
                    is_all = false;
                    break;
                }
                Entry::Vacant(place) => {
                    held += octets;
                    place.insert(objects.len());
                    objects.push((object, times));
                }
            }
        }
        for (mut object, times) in objects.into_iter().skip(self.parameters.offset) {
            if let (true, Some(object)) = (self.parameters.verbose, object.as_object_mut()) {
                object.extend(times.members());
            }
            let object = object.to_string();
            let object = match self.parameters.humantime {
                true => dnsdb::human(&object),
                false => object,
            };
            lines.push(&format!(r#"{{"obj":{object}}}"#))?;
        }
        Ok(is_all)
    }
}

/// When and how often something was seen.
struct Times {
    seen_in: SeenIn,
    first: i64,
    last: i64,
    count: u64,
}

impl Times {
    fn of(seen: &impl Seen) -> Self {
        let (seen_in, first, last, count) = seen.seen();
        Self {
            seen_in,
            first: first.as_second(),
            last: last.as_second(),
            count,
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count = self.count.saturating_add(other.count);
    }

    fn members(&self) -> [(String, Value); 3] {
        let (first, last) = match self.seen_in {
            SeenIn::Wire => ("time_first", "time_last"),
            SeenIn::ZoneFile => ("zone_time_first", "zone_time_last"),
        };
        [
            ("count".to_owned(), self.count.into()),
            (first.to_owned(), self.first.into()),
            (last.to_owned(), self.last.into()),
        ]
    }
}

async fn search(
    app: &App,
    caller: &Caller,
    uri: &Uri,
    before: &str,
    compile: impl Fn(&str) -> Result<Regex, Refused>,
) -> Result<Response, Refused> {
    let parameters = asked::parameters(uri, app.clock.now(), &caller.scope)?;
    let segments = asked::segments(uri, before)?;
    let [kind, value, rest @ ..] = segments.as_slice() else {
        return Err(Refused::Question(
            "a search is rrnames/PATTERN or rdata/PATTERN".to_owned(),
        ));
    };
    let rtypes = asked::rtypes(rest.first())?;
    // what is left out and how many are given counts what is found, not what is looked at
    let everything = Parameters {
        limit: Some(0),
        offset: 0,
        ..parameters.clone()
    };
    let search = Search {
        pattern: compile(value)?,
        exclude: parameters.exclude.as_deref().map(compile).transpose()?,
        limit: asked::limit(&parameters),
        parameters,
    };
    let passive = passive(app).await?;
    let leave = caller.begin(app).await?;
    match kind.as_str() {
        "rrnames" => Ok(dnsdb::framed(leave, move |lines| {
            let mut answers = passive.rrsets(&all(NamePattern::Below(Name::root()), rtypes, &everything));
            let found = answers.by_ref().filter_map(|seen| {
                let name = lake::passive::cof::dotted(&seen.rrset.name);
                let object = || json!({ "rrname": name, "rrtype": seen.rrset.rtype.to_string() });
                search.takes(&name).then(|| (object(), Times::of(&seen)))
            });
            let is_all = search.write(found, lines)?;
            Ok(if is_all { answers.end() } else { Some(End::Limit) })
        })),
        "rdata" => Ok(dnsdb::framed(leave, move |lines| {
            let mut answers = passive.rdata(&all(ValuePattern::Any, rtypes, &everything));
            let found = answers.by_ref().filter_map(|seen| {
                let text = rdata_text(seen.rtype, &seen.rdata);
                let object = || {
                    json!({ "rdata": text, "rrtype": seen.rtype.to_string(), "raw_rdata": hex::encode_upper(&seen.rdata) })
                };
                search.takes(&text).then(|| (object(), Times::of(&seen)))
            });
            let is_all = search.write(found, lines)?;
            Ok(if is_all { answers.end() } else { Some(End::Limit) })
        })),
        other => Err(Refused::Question(format!(
            "`{}` is neither rrnames nor rdata",
            other.chars().take(50).collect::<String>()
        ))),
    }
}

fn all<P: lake::passive::Pattern>(
    pattern: P,
    rtypes: Option<Vec<domain::base::iana::Rtype>>,
    parameters: &Parameters,
) -> Query<P> {
    Query {
        limit: usize::MAX,
        ..asked::query(pattern, rtypes, None, parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_the_whole_text() {
        for (glob, text, is_match) in [
            ("*.shop.*", "www.shop.example.", true),
            ("shop.*", "www.shop.example.", false),
            ("a?.example.", "ab.example.", true),
            ("a[0-9].example.", "a7.example.", true),
            ("a[!0-9].example.", "a7.example.", false),
            ("a.c", "abc", false),
        ] {
            assert_eq!(
                compiled(&from_glob(glob)).unwrap().is_match(text),
                is_match,
                "{glob} {text}"
            );
        }
        assert!(compiled("a{1000}{1000}").is_err() && compiled("(").is_err());
    }
}
