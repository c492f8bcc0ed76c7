//! Lists by cursor, answers with an ETag, and the form of errors.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::caller::Refusal;
use crate::WebError;

/// Entries in one answer where the caller asks for no number.
const USUAL: usize = 100;
/// Entries in one answer at most.
const MOST: usize = 1000;

/// Where to go on and how much to give.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// `next` of the answer before; absent for the beginning.
    pub cursor: Option<String>,
    /// Entries wanted, 1 to 1000; 100 when absent.
    pub limit: Option<String>,
}

/// One part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to send as `cursor` for the following entries; null at the end.
    pub next: Option<String>,
}

impl<T> Listing<T> {
    /// The same part with each entry in the form that callers see.
    pub(super) fn map<U>(self, tell: impl FnMut(T) -> U) -> Listing<U> {
        Listing {
            items: self.items.into_iter().map(tell).collect(),
            next: self.next,
        }
    }
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the title says what the status says.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this very call.
    pub detail: Option<String>,
    /// A short word for programs: `not-found`.
    pub code: String,
    /// Id under which the log of the centre has the cause of an internal error.
    pub operation: Option<String>,
}

impl From {
    /// Cuts `items`, which must be sorted by `key`, after the cursor.
    pub(super) fn cut<T>(&self, items: Vec<T>, key: impl Fn(&T) -> String) -> Result<Listing<T>, Refusal> {
        let limit = match &self.limit {
            None => USUAL,
            Some(text) => match text.parse::<usize>() {
                Ok(limit @ 1..=MOST) => limit,
                _ => return Err(WebError::Invalid(format!("limit must be 1 to {MOST}")).into()),
            },
        };
        let mut rest = items
            .into_iter()
            .filter(|item| self.cursor.as_ref().is_none_or(|cursor| key(item) > *cursor));
        let items: Vec<T> = rest.by_ref().take(limit).collect();
        let next = if rest.next().is_some() {
            items.last().map(key)
        } else {
            None
        };
        Ok(Listing { items, next })
    }

    /// Cuts `items`, which have an order but no key of their own that sorts as text: their place is the key.
    pub(super) fn cut_by_place<T>(&self, items: Vec<T>) -> Result<Listing<T>, Refusal> {
        let placed = items.into_iter().enumerate().collect();
        Ok(self
            .cut(placed, |(place, _)| format!("{place:08}"))?
            .map(|(_, item)| item))
    }
}

/// The answer with its ETag, or 304 where the caller has it already.
pub(super) fn answer(headers: &HeaderMap, body: &impl Serialize) -> Result<Response, Refusal> {
    let json = serde_json::to_vec(body).map_err(WebError::internal)?;
    let tag = format!("\"{}\"", &hex::encode(Sha256::digest(&json))[..24]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    // Compression on the way makes a tag weak (RFC 9110 §8.8.3); for reading, weak comparison is right.
    let has = known.is_some_and(|list| {
        list.split(',')
            .any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
    });
    let mut response = if has {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], json).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// A body of JSON that may be anything: what is wrong with it is said in a problem.
pub(super) fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| WebError::Invalid(format!("the body is not the JSON that is due here: {error}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(cursor: Option<&str>, limit: &str) -> (Vec<u32>, Option<String>) {
        let from = From {
            cursor: cursor.map(str::to_owned),
            limit: Some(limit.to_owned()),
        };
        let listing = from.cut((10..20).collect(), |item| item.to_string()).unwrap();
        (listing.items, listing.next)
    }

    #[test]
    fn a_list_goes_on_after_its_cursor_and_says_when_it_ends() {
        assert_eq!(cut(None, "4"), (vec![10, 11, 12, 13], Some("13".to_owned())));
        assert_eq!(cut(Some("13"), "4"), (vec![14, 15, 16, 17], Some("17".to_owned())));
        assert_eq!(cut(Some("17"), "4"), (vec![18, 19], None));
        assert_eq!(cut(Some("zzz"), "4"), (vec![], None));
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        for limit in ["0", "1001", "-1", "many"] {
            let from = From {
                cursor: None,
                limit: Some(limit.to_owned()),
            };
            assert!(from.cut(vec![1], |item| item.to_string()).is_err(), "{limit}");
        }
    }
}
