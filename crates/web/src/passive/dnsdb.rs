//! The DNSDB API, version 2: lines of JSON in the Streaming API Framing.
//!
//! Each line is an object with `cond`, `obj` or `msg`. The first says `begin`, the last `succeeded`, `limited` or `failed`, so that
//! a reader knows whether it has everything; between them stand objects, and `ongoing` where nothing was found for a while.

use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use csirt::accounts;
use lake::passive::cof::{ToCof, ZoneTimes, summary_line};
use lake::passive::{Answers, End, summarize as sum_up};
use model::Timestamp;
use serde_json::{Value, json};

use super::asked::{self, Asked, Parameters};
use super::caller::Caller;
use super::leave::Leave;
use super::lines::{self, Gone, Lines};
use super::{Refused, passive};
use crate::App;

pub(super) const BEGIN: &str = r#"{"cond":"begin"}"#;
const ONGOING: &str = "{\"cond\":\"ongoing\"}\n";

/// An answer in the framing: `work` writes the objects and says why it ended.
pub(super) fn framed(
    leave: Leave,
    work: impl FnOnce(&mut Lines) -> Result<Option<End>, Gone> + Send + 'static,
) -> Response {
    lines::answer(leave, Some(ONGOING), move |lines| {
        lines.push(BEGIN)?;
        let end = work(lines)?;
        lines.push(match end {
            Some(End::Limit) => r#"{"cond":"limited","msg":"Query limit reached"}"#,
            Some(End::Rows) => r#"{"cond":"limited","msg":"Too many rows were looked at; ask for less at once"}"#,
            Some(End::Complete) | None => r#"{"cond":"succeeded"}"#,
        })
    })
}

/// RRsets or records, one object each.
pub async fn lookup(State(app): State<App>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    let parameters = asked::parameters(&uri, app.clock.now(), &caller.scope)?;
    let question = asked::parse(&asked::segments(&uri, "/dnsdb/v2/lookup/")?, &parameters)?;
    let passive = passive(&app).await?;
    let leave = caller.begin(&app).await?;
    Ok(framed(leave, move |lines| match question {
        Asked::Owner(query) => objects(passive.rrsets(&query), &parameters, lines),
        Asked::Value(query) => objects(passive.rdata(&query), &parameters, lines),
    }))
}

fn objects<T: ToCof>(mut answers: Answers<T>, parameters: &Parameters, lines: &mut Lines) -> Result<Option<End>, Gone> {
    for seen in answers.by_ref() {
        let object = seen.cof(ZoneTimes::Apart).line();
        let object = if parameters.humantime { human(&object) } else { object };
        lines.push(&format!(r#"{{"obj":{object}}}"#))?;
    }
    Ok(answers.end())
}

/// The object with its times as RFC 3339 has them.
pub(super) fn human(object: &str) -> String {
    let Ok(mut object) = serde_json::from_str::<Value>(object) else {
        return object.to_owned();
    };
    for name in ["time_first", "time_last", "zone_time_first", "zone_time_last"] {
        let time = object
            .get(name)
            .and_then(Value::as_i64)
            .and_then(|second| Timestamp::from_second(second).ok());
        if let Some(time) = time {
            object[name] = time.to_string().into();
        }
    }
    object.to_string()
}

/// How many there are, how often they were seen, from when to when: one object.
pub async fn summarize(State(app): State<App>, caller: Caller, uri: Uri) -> Result<Response, Refused> {
    let parameters = asked::parameters(&uri, app.clock.now(), &caller.scope)?;
    let question = asked::parse(&asked::segments(&uri, "/dnsdb/v2/summarize/")?, &parameters)?;
    let passive = passive(&app).await?;
    let leave = caller.begin(&app).await?;
    Ok(framed(leave, move |lines| {
        let (summary, end) = match question {
            Asked::Owner(query) => {
                let mut answers = passive.rrsets(&query);
                (sum_up(&mut answers, parameters.max_count), answers.end())
            }
            Asked::Value(query) => {
                let mut answers = passive.rdata(&query);
                (sum_up(&mut answers, parameters.max_count), answers.end())
            }
        };
        if summary.answers > 0 {
            let object = summary_line(&summary);
            let object = if parameters.humantime { human(&object) } else { object };
            lines.push(&format!(r#"{{"obj":{object}}}"#))?;
        }
        Ok(end)
    }))
}

/// What a caller may ask for, and how often.
pub async fn rate_limit(State(app): State<App>, caller: Caller) -> Result<Response, Refused> {
    let (reset, limit, remaining) = match accounts::allowance(&app.records, caller.account.id).await? {
        Some(left) => (json!(left.resets.as_second()), json!(left.quota), json!(left.remaining)),
        None => (json!("n/a"), json!("unlimited"), json!("n/a")),
    };
    let rate = json!({
        "reset": reset,
        "limit": limit,
        "remaining": remaining,
        "results_max": asked::MOST_RESULTS,
        "offset_max": asked::MOST_OFFSET,
    });
    Ok(one_line(&json!({ "rate": rate })))
}

/// Whether it is there.
pub async fn ping(_: Caller) -> Response {
    one_line(&json!({ "ping": "ok" }))
}

fn one_line(object: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{object}\n")).into_response()
}
