//! The query interface of CIRCL's passive DNS: objects of the Common Output Format, one a line, without a frame.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use lake::passive::cof::{ToCof, ZoneTimes};
use lake::passive::{Answers, End, ValuePattern};

use super::asked::{self, Asked, Parameters};
use super::caller::Caller;
use super::lines::{self, Gone, Lines};
use super::{Refused, dnsdb, passive};
use crate::App;

/// Records of a name or an address. `dribble-filter-rrtype` names types, `dribble-paginate-count` how many at a time; there are
/// more where the answer has `x-dribble-cursor`, which goes back as `dribble-paginate-cursor`.
pub async fn query(State(app): State<App>, _: Caller, headers: HeaderMap, uri: Uri) -> Result<Response, Refused> {
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
    let count = number("dribble-paginate-count")?;
    let parameters = Parameters {
        limit: count,
        offset: number("dribble-paginate-cursor")?.unwrap_or(0),
        ..Parameters::default()
    };
    if parameters.offset > asked::MOST_OFFSET {
        return Err(Refused::Offset);
    }
    let rtypes = asked::rtypes(header("dribble-filter-rrtype").as_ref())?;
    let question = match asked::addresses(&text) {
        Some(pattern @ (ValuePattern::Address(_) | ValuePattern::Prefix(_))) => {
            Asked::Value(asked::query(pattern, rtypes, None, &parameters))
        }
        _ => {
            let pattern = text
                .parse()
                .map_err(|error: model::NameError| Refused::Question(error.to_string()))?;
            Asked::Owner(asked::query(pattern, rtypes, None, &parameters))
        }
    };
    let passive = passive(&app).await?;
    let permit = dnsdb::permit(&app)?;
    let Some(count) = count else {
        return Ok(lines::answer(permit, None, move |lines| match question {
            Asked::Owner(query) => objects(&mut passive.rrsets(&query), lines),
            Asked::Value(query) => objects(&mut passive.rdata(&query), lines),
        }));
    };
    // whether there is more must be known before the first line
    let found = tokio::task::spawn_blocking(move || match question {
        Asked::Owner(query) => gathered(passive.rrsets(&query)),
        Asked::Value(query) => gathered(passive.rdata(&query)),
    });
    let (page, is_more) = found.await.map_err(crate::WebError::internal)?;
    let mut response = lines::answer(permit, None, move |lines| {
        page.iter().try_for_each(|line| lines.push(line))
    });
    let next = (parameters.offset + count).to_string();
    if let Some(next) = HeaderValue::from_str(&next).ok().filter(|_| is_more) {
        response.headers_mut().insert("x-dribble-cursor", next);
    }
    Ok(response)
}

fn objects<T: ToCof>(answers: &mut Answers<T>, lines: &mut Lines) -> Result<(), Gone> {
    answers.try_for_each(|seen| lines.push(&seen.cof(ZoneTimes::Both).line()))
}

fn gathered<T: ToCof>(mut answers: Answers<T>) -> (Vec<String>, bool) {
    let lines = answers.by_ref().map(|seen| seen.cof(ZoneTimes::Both).line()).collect();
    (lines, answers.end() == Some(End::Limit))
}
