//! Who asks, checked on every request so that a revocation holds at once: a key pair in HTTP's Basic scheme (RFC 7617), or a
//! browser that is logged in. What a browser sends by itself, its cookie, changes nothing: a page of ours adds a token of the
//! session's to whatever does.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv_shared::code::{ErrorCode, Failure};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use super::Refused;
use super::rates::Pace;
use crate::http::Doors;
use crate::http::headers::is_foreign;
use crate::http::problem::Problem;
use crate::ledger::{Payer, Session, failed};

/// The cookie of a session. With https it can be set by this host alone.
pub(super) const COOKIE_NAME: &str = "embedenv_session";
pub(super) const SECURE_COOKIE_NAME: &str = "__Host-embedenv_session";
/// What a page of ours says with whatever changes something.
const PAGE_TOKEN: &str = "x-embedenv-page";

/// Who proved to be allowed to spend: the holder of a pair, or somebody in the console, who has one there.
pub(super) struct Pair(pub(super) Payer);

/// Somebody who is logged in.
pub(super) struct Person(pub(super) Session);

impl FromRequestParts<Doors> for Pair {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Problem> {
        let payer = match parts.headers.get(AUTHORIZATION) {
            None if cookie(&parts.headers).is_some() => person(parts, doors).await?.payer,
            _ => pair(parts, doors).await?,
        };
        Pace::keep(parts, payer.account())?;
        Ok(Self(payer))
    }
}

impl FromRequestParts<Doors> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Problem> {
        let session = person(parts, doors).await?;
        Pace::keep(parts, &session.account.account)?;
        Ok(Self(session))
    }
}

/// A request that comes from no page of another origin. A secret key in a page would be everybody's, and a browser that
/// remembers something must not be made to use it.
pub(super) struct NotForeign;

impl<S: Send + Sync> FromRequestParts<S> for NotForeign {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match is_foreign(&parts.headers) {
            true => {
                let message = "the API is for backends, not for pages of other origins";
                Err(Problem::new(ErrorCode::Forbidden, message))
            }
            false => Ok(Self),
        }
    }
}

async fn pair(parts: &mut Parts, doors: &Doors) -> Result<Payer, Problem> {
    NotForeign::from_request_parts(parts, doors).await?;
    let said = parts.headers.get(AUTHORIZATION).and_then(|said| said.to_str().ok());
    let Some((public_key, secret_key)) = said.and_then(basic) else {
        return Err(Problem::new(
            ErrorCode::BadCredentials,
            "a key pair is needed: Authorization: Basic, with the public key as user and the secret key as password",
        ));
    };
    let payer = doors.registry.pair(&public_key, &secret_key).await;
    let payer = payer.map_err(|failure| guessed(parts, doors, &public_key, failure))?;
    match payer.scope.execute_only {
        true => {
            Err(Problem::new(ErrorCode::Forbidden, "this key pair runs single programs (/api/v2) and nothing else"))
        }
        false => Ok(payer),
    }
}

async fn person(parts: &mut Parts, doors: &Doors) -> Result<Session, Problem> {
    NotForeign::from_request_parts(parts, doors).await?;
    let Some(token) = cookie(&parts.headers) else {
        return Err(Problem::new(ErrorCode::BadCredentials, "nobody is logged in"));
    };
    let ledger = doors.accounts.ledger();
    let session = ledger.session(token).await.map_err(|error| guessed(parts, doors, token, failed(error)))?;
    if !parts.method.is_safe() {
        let said = parts.headers.get(PAGE_TOKEN).map(|said| said.as_bytes()).unwrap_or_default();
        if !bool::from(said.ct_eq(ledger.page_token(token).as_bytes())) {
            let message = "a session changes things only from its own page, which says so in X-Embedenv-Page";
            return Err(Problem::new(ErrorCode::Forbidden, message));
        }
    }
    Ok(session)
}

/// The answer to credentials that were refused. Those who guess are told to wait.
pub(super) fn guessed(parts: &Parts, doors: &Doors, presented: &str, failure: Failure) -> Problem {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    match peer {
        Some(peer) => guessed_from(peer, doors, presented, failure),
        None => failure.into(),
    }
}

pub(super) fn guessed_from(peer: SocketAddr, doors: &Doors, presented: &str, failure: Failure) -> Problem {
    let is_guess = failure.code == ErrorCode::BadCredentials;
    if is_guess && doors.attempts.failed(peer.ip(), presented).is_limited() {
        return Problem::too_many_attempts();
    }
    failure.into()
}

/// The token of the session that a browser says to have.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let said = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    said.flat_map(|line| line.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        [COOKIE_NAME, SECURE_COOKIE_NAME].contains(&name).then_some(value)
    })
}

pub(super) fn basic(said: &str) -> Option<(String, String)> {
    let (scheme, encoded) = said.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Who asks, as they see themselves.
#[derive(Serialize, ToSchema)]
pub(super) struct Key {
    /// In the console, the one that it has for itself.
    public_key: String,
    account: String,
    /// What is left.
    credits: i64,
}

/// Who one is, and what is left.
#[utoipa::path(get, path = "/api/v1/key", tag = "keys", operation_id = "showKey", responses((status = 200, description = "As asked.", body = Key), Refused))]
pub(super) async fn show(Pair(payer): Pair) -> axum::Json<Key> {
    axum::Json(Key {
        public_key: payer.public_key().to_owned(),
        account: payer.account().to_owned(),
        credits: payer.balance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_as_it_is_written() {
        let said = |text: &str| basic(&format!("Basic {}", STANDARD.encode(text)));
        assert_eq!(said("pk:sk:x"), Some(("pk".to_owned(), "sk:x".to_owned())));
        assert_eq!(said("pk"), None);
        for bad in ["", "Basic", "Basic !", "Bearer cGs6c2s="] {
            assert_eq!(basic(bad), None, "{bad}");
        }
        assert_eq!(basic("basic cGs6c2s="), Some(("pk".to_owned(), "sk".to_owned())));
    }

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers), None);
        headers.append(COOKIE, "a=b; embedenv_session=st_1; c".parse().unwrap());
        assert_eq!(cookie(&headers), Some("st_1"));
        headers.clear();
        headers.append(COOKIE, "x_embedenv_session=st_1".parse().unwrap());
        headers.append(COOKIE, "__Host-embedenv_session=st_2".parse().unwrap());
        assert_eq!(cookie(&headers), Some("st_2"));
    }
}
