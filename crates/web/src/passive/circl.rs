//! The query interface of CIRCL's passive DNS: objects of the Common Output Format, one a line, without a frame.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use lake::passive::cof::{ToCof, ZoneTimes};
use lake::passive::{Answers, End};

use super::asked::{self, Asked, Parameters};
use super::caller::Caller;
use super::lines::{self, Gone, Lines};
use super::{Refused, passive};
use crate::App;

/// Records of a name or an address. `dribble-filter-rrtype` names types, `dribble-paginate-count` how many at a time; there are
/// more where the answer has `x-dribble-cursor`, which goes back as `dribble-paginate-cursor`.
pub async fn query(State(app): State<App>, caller: Caller, headers: HeaderMap, uri: Uri) -> Result<Response, Refused> {
    let segments = asked::segments(&uri, "/pdns/query/")?;
    let text = segments.join("/");
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let number = |name: &str| -> Result<Option<usize>, Refused> {
        let read = |text: String| {
            text.parse()
                .map_err(|_| Refused::Question(format!("`{name}` is no number")))
        };
        header(name).map(read).transpose()
    };
    let count = number("dribble-paginate-count")?.map(|count| count.clamp(1, asked::MOST_RESULTS));
    let parameters = Parameters {
        // who asks for no pages wants everything
        limit: Some(count.unwrap_or(asked::MOST_RESULTS)),
        offset: number("dribble-paginate-cursor")?.unwrap_or(0),
        ..Parameters::within(caller.scope.clone())
    };
    if parameters.offset > asked::MOST_OFFSET {
        return Err(Refused::Offset);
    }
    let rtypes = asked::rtypes(header("dribble-filter-rrtype").as_ref())?;
    let question = match asked::addresses(&text)? {
        Some(pattern) => Asked::Value(asked::query(pattern, rtypes, None, &parameters)),
        None => {
            let pattern = text
                .parse()
                .map_err(|error: model::NameError| Refused::Question(error.to_string()))?;
            Asked::Owner(asked::query(pattern, rtypes, None, &parameters))
        }
    };
    let passive = passive(&app).await?;
    let leave = caller.begin(&app).await?;
    let Some(count) = count else {
        return Ok(lines::answer(leave, None, move |lines| match question {
            Asked::Owner(query) => objects(&mut passive.rrsets(&query), lines),
            Asked::Value(query) => objects(&mut passive.rdata(&query), lines),
        }));
    };
    // whether there is more must be known before the first line
    let found = tokio::task::spawn_blocking(move || {
        let found = match question {
            Asked::Owner(query) => gathered(passive.rrsets(&query)),
            Asked::Value(query) => gathered(passive.rdata(&query)),
        };
        // it stays with the work also where nobody waits for it any more
        (found, leave)
    });
    let ((page, end), leave) = found.await.map_err(crate::WebError::internal)?;
    let is_more = match end {
        Some(End::Rows) => {
            let reason = "too many rows would have to be looked at; ask for less at once";
            return Err(Refused::Question(reason.to_owned()));
        }
        end => end == Some(End::Limit),
    };
    let mut response = lines::answer(leave, None, move |lines| {
        page.iter().try_for_each(|line| lines.push(line))
    });
    let next = parameters.offset.saturating_add(count).to_string();
    if let Some(next) = HeaderValue::from_str(&next).ok().filter(|_| is_more) {
        response.headers_mut().insert("x-dribble-cursor", next);
    }
    Ok(response)
}

/// There is no frame that could say that there is more: an answer that is not whole is broken off.
fn objects<T: ToCof>(answers: &mut Answers<T>, lines: &mut Lines) -> Result<(), Gone> {
    for seen in answers.by_ref() {
        lines.push(&seen.cof(ZoneTimes::Both).line())?;
    }
    match answers.end() {
        Some(End::Limit | End::Rows) => Err(Gone),
        Some(End::Complete) | None => Ok(()),
    }
}

fn gathered<T: ToCof>(mut answers: Answers<T>) -> (Vec<String>, Option<End>) {
    let lines = answers.by_ref().map(|seen| seen.cof(ZoneTimes::Both).line()).collect();
    (lines, answers.end())
}
