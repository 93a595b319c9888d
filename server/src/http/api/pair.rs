//! Who asks: a key pair in HTTP's Basic scheme (RFC 7617), checked on every request, so that a revocation holds at once.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedenv_shared::code::ErrorCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Refused;
use crate::http::Doors;
use crate::http::headers::is_foreign;
use crate::http::problem::Problem;
use crate::ledger::Payer;

/// The pair that a request proved to hold.
pub(super) struct Pair(pub(super) Payer);

impl FromRequestParts<Doors> for Pair {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Problem> {
        // A secret key in a page would be everybody's; a browser that remembers one must not be made to use it.
        if is_foreign(&parts.headers) {
            return Err(Problem::new(ErrorCode::Forbidden, "the API is for backends, not for pages of other origins"));
        }
        let said = parts.headers.get(AUTHORIZATION).and_then(|said| said.to_str().ok());
        let Some((public_key, secret_key)) = said.and_then(basic) else {
            return Err(Problem::new(
                ErrorCode::BadCredentials,
                "a key pair is needed: Authorization: Basic, with the public key as user and the secret key as password",
            ));
        };
        match doors.registry.pair(&public_key, &secret_key).await {
            Ok(payer) => Ok(Self(payer)),
            Err(failure) if failure.code == ErrorCode::BadCredentials => {
                let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
                if peer.is_some_and(|peer| doors.attempts.failed(peer, &public_key).is_limited()) {
                    return Err(Problem::too_many_attempts());
                }
                Err(failure.into())
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

fn basic(said: &str) -> Option<(String, String)> {
    let (scheme, encoded) = said.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// A key pair, as its holder sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Key {
    public_key: String,
    /// What is left.
    credits: i64,
}

/// Who one is, and what is left.
#[utoipa::path(get, path = "/api/v1/key", tag = "key", operation_id = "showKey", responses((status = 200, description = "As asked.", body = Key), Refused))]
pub(super) async fn show(Pair(payer): Pair) -> axum::Json<Key> {
    axum::Json(Key { public_key: payer.public_key().to_owned(), credits: payer.balance })
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
}
