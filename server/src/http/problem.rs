//! Errors on HTTP: problem details (RFC 9457) with the wire's own `code`, and the one place that says which HTTP status
//! an error code has.
//!
//! Never shows what an error was made of: an internal one is logged with an id, and the id alone is sent.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use embedenv_shared::code::{ErrorCode, Failure};
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds after which a refused client may try again.
const RETRY: &str = "60";
/// Seconds after which a server that was busy may be asked again.
const RETRY_SOON: &str = "2";

/// An error as an HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    failure: Failure,
}

impl Problem {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Failure::new(code, message).into()
    }

    /// The request came to a server it was not meant for (RFC 9110 section 15.5.20).
    pub fn misdirected() -> Self {
        let message = "this server does not go by the name in the Host header; its names are configured";
        Self { status: StatusCode::MISDIRECTED_REQUEST, failure: Failure::new(ErrorCode::Forbidden, message) }
    }

    /// Something that should not happen did: the log gets the whole of it, the client an id to ask about.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::logged(&chain(error))
    }

    pub(super) fn logged(cause: &str) -> Self {
        let mut id = [0; 8];
        // Without randomness the message still says what to look for.
        let _ = getrandom::fill(&mut id);
        let id = u64::from_le_bytes(id);
        tracing::error!(id = format!("{id:016x}"), cause, "a request failed");
        Self::new(ErrorCode::Internal, format!("the server failed; its log says why under {id:016x}"))
    }

    /// The answer to one guess more than there may be.
    pub(super) fn too_many_attempts() -> Self {
        Self::new(ErrorCode::TooManyAttempts, "too many failed attempts; wait a minute")
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn code(&self) -> ErrorCode {
        self.failure.code
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        &self.failure.message
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self { status: status_of(failure.code), failure }
    }
}

/// The HTTP status of an error code.
pub fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadJson | ErrorCode::BadRequest | ErrorCode::UnknownType | ErrorCode::BadPath => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::BadCredentials => StatusCode::UNAUTHORIZED,
        ErrorCode::NoCredits => StatusCode::PAYMENT_REQUIRED,
        ErrorCode::Forbidden | ErrorCode::ForbiddenTarget => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::UnknownJoinKey | ErrorCode::UnknownSpace => StatusCode::NOT_FOUND,
        ErrorCode::HandshakeTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::AlreadyExists
        | ErrorCode::IsAFolder
        | ErrorCode::NotAFolder
        | ErrorCode::NotRegular
        | ErrorCode::LimitReached
        | ErrorCode::Conflict
        | ErrorCode::AlreadyDone => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::NotText => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Unreachable => StatusCode::BAD_GATEWAY,
        ErrorCode::SandboxUnavailable | ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::QuotaExceeded => StatusCode::INSUFFICIENT_STORAGE,
    }
}

/// An error (RFC 9457).
// Members stand in this order.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Details<'a> {
    /// `about:blank`: the title is the status's own.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    /// What went wrong, for programs. It stays the same between versions.
    #[schema(value_type = String)]
    code: ErrorCode,
    /// The same for people.
    detail: &'a str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let details = Details {
            // RFC 9457: `about:blank` says that the title is the status's own.
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.failure.code,
            detail: &self.failure.message,
        };
        let body = serde_json::to_vec(&details).expect("texts and numbers always serialise");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let retry = match self.status {
            StatusCode::TOO_MANY_REQUESTS => Some(RETRY),
            StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_SOON),
            _ => None,
        };
        if let Some(seconds) = retry {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

/// The answer where no route is.
pub async fn not_found() -> Problem {
    Problem::new(ErrorCode::NotFound, "there is nothing at this address")
}

/// The answer where the route is there, for another method.
pub async fn method_not_allowed() -> Response<Body> {
    let failure = Failure::new(ErrorCode::BadRequest, "this address takes GET and HEAD");
    let mut response = Problem { status: StatusCode::METHOD_NOT_ALLOWED, failure }.into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// The answer where the route is there, for methods that `Allow` lists.
pub async fn other_method() -> Problem {
    let failure = Failure::new(ErrorCode::BadRequest, "this address takes other methods; Allow lists them");
    Problem { status: StatusCode::METHOD_NOT_ALLOWED, failure }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        write!(said, ": {source}").expect("writing to a string never fails");
        next = source.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn text(response: Response<Body>) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_problem_is_exact() {
        let response = Problem::new(ErrorCode::UnknownSpace, "no \"x\"").into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(
            text(response).await,
            r#"{"type":"about:blank","title":"Not Found","status":404,"code":"unknown_space","detail":"no \"x\""}"#
        );
        assert_eq!(Problem::misdirected().into_response().status(), 421);
    }

    #[tokio::test]
    async fn an_internal_error_keeps_its_cause_to_itself() {
        let error = std::io::Error::other("the password is hunter2");
        let response = Problem::internal(&error).into_response();
        assert_eq!(response.status(), 500);
        assert!(!text(response).await.contains("hunter2"));
    }

    #[test]
    fn every_code_has_a_status_of_an_error() {
        for &code in ErrorCode::ALL {
            assert!(status_of(code).is_client_error() || status_of(code).is_server_error(), "{code}");
        }
    }
}
