//! Who asks: by a token in `X-Api-Key` (DNSDB), as the password of `Basic` (CIRCL), or as `Bearer`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use csirt::accounts::{self, Account, Capability};
use lake::passive::Scope;

use super::Refused;
use super::leave::Leave;
use crate::App;

/// Somebody who may see passive DNS.
pub(super) struct Caller {
    /// Whose token it is.
    pub account: Account,
    /// What the account may see.
    pub scope: Scope,
}

impl Caller {
    /// Leave to look something up.
    pub async fn begin(&self, app: &App) -> Result<Leave, Refused> {
        app.lookups.begin(&app.records, self.account.id).await
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let token = token(&parts.headers).ok_or(Refused::Unknown)?;
        let found = accounts::by_token(&app.records, token.trim()).await?;
        let (account, _) = found.ok_or(Refused::Unknown)?;
        if !account.may(Capability::SeeWatchList) {
            return Err(Refused::Forbidden);
        }
        let access = accounts::passive_access(&app.records, account.id).await?;
        Ok(Self {
            account,
            scope: super::scope(&access),
        })
    }
}

fn token(headers: &HeaderMap) -> Option<String> {
    if let Some(key) = headers.get("x-api-key") {
        return Some(key.to_str().ok()?.to_owned());
    }
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.to_owned());
    }
    let octets = STANDARD
        .decode(value.trim())
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    // the name is for people; the token alone says whose it is
    let (_, password) = std::str::from_utf8(&octets).ok()?.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_where_each_client_puts_it() {
        let basic = format!("Basic {}", STANDARD.encode("team:sec:ret"));
        for (name, value, expected) in [
            ("x-api-key", "secret", Some("secret")),
            ("authorization", "Bearer secret", Some("secret")),
            ("authorization", basic.as_str(), Some("sec:ret")),
            ("authorization", "Basic %%%", None),
            ("authorization", "Digest secret", None),
            ("cookie", "secret", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(token(&headers).as_deref(), expected, "{value}");
        }
    }
}
