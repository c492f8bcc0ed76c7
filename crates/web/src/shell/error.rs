//! What a handler may fail with. The reader sees a calm page with an operation id; the log has the whole chain.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A failure of a handler. The shell draws its page in the reader's language, or JSON below `/api/`.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// There is no such thing, or the reader may not know of it.
    #[error("not found")]
    NotFound,
    /// The reader must sign in first and then goes on to `next`.
    #[error("sign-in needed")]
    SignIn {
        /// Path to go on to.
        next: String,
    },
    /// The reader sees the thing but may not do this to it.
    #[error("forbidden")]
    Forbidden,
    /// The form bears no proof that it came from our page (another site, or older than a day).
    #[error("form without proof of its origin")]
    Unproven,
    /// What is asked does not fit the present state; the text is in English and from the rules.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The request cannot be understood.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The body is larger than forms are.
    #[error("request too large")]
    TooLarge,
    /// Too often from one address; try again after so many seconds.
    #[error("too many requests")]
    TooMany {
        /// Whole seconds to wait.
        retry_secs: u64,
    },
    /// What was to be stored could not be, or what is stored could not be read: no room, no database. Nothing was changed.
    #[error("the stores do not serve")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Our own fault.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// After how many seconds it is worth another try when the stores do not serve: somebody has to make room first.
const UNAVAILABLE_SECS: u64 = 60;

/// The failure as the shell finds it in a response that has yet to be drawn.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Stem of its texts: `portal-error-STEM-title`, `portal-error-STEM-text`.
    pub stem: &'static str,
    /// What may be shown besides: the rule that stands against it.
    pub detail: Option<String>,
    /// Id under which the log has the cause.
    pub operation: Option<String>,
}

impl WebError {
    /// An internal error with its cause.
    pub fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        WebError::Internal(Box::new(cause))
    }

    /// The status that it answers with.
    pub fn status(&self) -> StatusCode {
        match self {
            WebError::NotFound => StatusCode::NOT_FOUND,
            WebError::SignIn { .. } => StatusCode::SEE_OTHER,
            WebError::Forbidden | WebError::Unproven => StatusCode::FORBIDDEN,
            WebError::Conflict(_) => StatusCode::CONFLICT,
            WebError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            WebError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            WebError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            WebError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            WebError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<csirt::Error> for WebError {
    fn from(error: csirt::Error) -> Self {
        match error {
            csirt::Error::NotFound { .. } => WebError::NotFound,
            csirt::Error::Forbidden { .. } => WebError::Forbidden,
            csirt::Error::Conflict { .. } => WebError::Conflict(error.to_string()),
            csirt::Error::Invalid { .. } => WebError::Invalid(error.to_string()),
            csirt::Error::TooMany { wait_secs } => WebError::TooMany { retry_secs: wait_secs },
            csirt::Error::Store(_) => WebError::Unavailable(Box::new(error)),
            other => WebError::internal(other),
        }
    }
}

impl From<lake::Error> for WebError {
    fn from(error: lake::Error) -> Self {
        match error {
            lake::Error::File { .. } | lake::Error::Busy { .. } => WebError::Unavailable(Box::new(error)),
            other => WebError::internal(other),
        }
    }
}

impl From<askama::Error> for WebError {
    fn from(error: askama::Error) -> Self {
        WebError::internal(error)
    }
}

/// Stem of the texts for a status that no handler of ours chose.
pub fn stem(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not-found",
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => "forbidden",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::TOO_MANY_REQUESTS => "too-many",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        status if status.is_server_error() => "internal",
        _ => "invalid",
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut failure = Failure {
            stem: stem(status),
            detail: None,
            operation: None,
        };
        let mut response = status.into_response();
        match self {
            WebError::SignIn { next } => {
                let place = format!("/signin?next={}", encode(&next));
                if let Ok(place) = place.parse() {
                    response.headers_mut().insert(header::LOCATION, place);
                }
                return response;
            }
            WebError::Unproven => failure.stem = "unproven",
            WebError::Conflict(detail) => {
                failure.stem = "conflict";
                failure.detail = Some(detail);
            }
            WebError::Invalid(detail) => failure.detail = Some(detail),
            WebError::TooMany { retry_secs } => {
                response.headers_mut().insert(header::RETRY_AFTER, retry_secs.into());
            }
            WebError::Internal(cause) | WebError::Unavailable(cause) => {
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    response
                        .headers_mut()
                        .insert(header::RETRY_AFTER, UNAVAILABLE_SECS.into());
                }
                let operation = format!("{:016x}", rand::random::<u64>());
                let mut chain = cause.to_string();
                let mut next = cause.source();
                while let Some(cause) = next {
                    chain = format!("{chain}: {cause}");
                    next = cause.source();
                }
                tracing::error!(operation, "a page failed: {chain}");
                failure.operation = Some(operation);
            }
            WebError::NotFound | WebError::Forbidden | WebError::TooLarge => {}
        }
        response.extensions_mut().insert(failure);
        response
    }
}

/// Percent-encodes all that could end or change a query value.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, octet| {
        if octet.is_ascii_alphanumeric() || b"/-._~".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            encoded.push_str(&format!("%{octet:02X}"));
        }
        encoded
    })
}
