//! What stands in for an app: nothing listens, nobody may see it, the room sleeps or has ended. A page for who looks at it
//! in a browser, problem details for everybody else.

use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse as _;
use embedenv_shared::code::{ErrorCode, Failure};

use crate::http::headers::Nonce;
use crate::http::problem::Problem;
use crate::http::quoting::escaped;

const PAGE: &str = include_str!("../../../../static/preview/page.html");

/// Why there is no app to be seen.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    /// Nobody without a link of this room's.
    Private,
    /// The way in was used already, or has expired.
    Used,
    /// The browser keeps no cookie here.
    NoCookies,
    /// Who watches the room only looks.
    Watching,
    /// It came from a page of another site.
    Foreign,
    /// Nothing listens yet.
    Waiting(u16),
    Asleep,
    Gone,
    Broken(Failure),
}

impl Standing {
    fn status(&self) -> StatusCode {
        match self {
            Self::Private | Self::Used => StatusCode::UNAUTHORIZED,
            Self::NoCookies | Self::Watching | Self::Foreign => StatusCode::FORBIDDEN,
            Self::Waiting(_) | Self::Asleep => StatusCode::SERVICE_UNAVAILABLE,
            Self::Gone => StatusCode::GONE,
            Self::Broken(failure) => crate::http::problem::status_of(failure.code),
        }
    }

    fn words(&self) -> (ErrorCode, String, String) {
        let plain = |code, title: &str, text: &str| (code, title.to_owned(), text.to_owned());
        match self {
            Self::Private => plain(
                ErrorCode::Forbidden,
                "This preview is private",
                "Open it from its workspace, or ask somebody there for a link.",
            ),
            Self::Used => plain(
                ErrorCode::BadCredentials,
                "This link opens nothing any more",
                "It was used already, has expired or was revoked. Open the preview from its workspace again.",
            ),
            Self::NoCookies => plain(
                ErrorCode::Forbidden,
                "This browser keeps no cookies here",
                "A preview needs one of its own. Open it in a tab of its own, or allow cookies for this site.",
            ),
            Self::Watching => plain(
                ErrorCode::Forbidden,
                "You watch this workspace",
                "Your role looks at what is served here and sends nothing to it.",
            ),
            Self::Foreign => plain(
                ErrorCode::Forbidden,
                "This came from another site",
                "Pages of other sites can't send anything to this preview.",
            ),
            Self::Waiting(port) => (
                ErrorCode::Unreachable,
                format!("Waiting for port {port}"),
                "Nothing listens there yet. This page shows it as soon as something does.".to_owned(),
            ),
            Self::Asleep => plain(
                ErrorCode::SandboxUnavailable,
                "The workspace is not running",
                "Open it, and what it serves can be seen here again once it has been started.",
            ),
            Self::Gone => {
                plain(ErrorCode::NotFound, "There is no such workspace", "It has ended, or the address is wrong.")
            }
            Self::Broken(failure) => {
                (failure.code, "The app can't be reached".to_owned(), format!("{}.", failure.message))
            }
        }
    }

    /// `prefix` is what the port's addresses begin with.
    pub(super) fn answer(&self, asked: &HeaderMap, prefix: &str) -> Response<Body> {
        let (code, title, text) = self.words();
        let mut response =
            if wants_page(asked) { self.page(&title, &text, prefix) } else { Problem::new(code, text).into_response() };
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }

    fn page(&self, title: &str, text: &str, prefix: &str) -> Response<Body> {
        let nonce = match Nonce::new() {
            Ok(nonce) => nonce.to_string(),
            Err(error) => return Problem::internal(&error).into_response(),
        };
        let waits = if matches!(self, Self::Waiting(_)) { "" } else { "hidden" };
        let page = PAGE
            .replace("{{TITLE}}", &escaped(title))
            .replace("{{TEXT}}", &escaped(text))
            .replace("{{WAITS}}", waits)
            .replace("{{PREFIX}}", prefix)
            .replace("{{NONCE}}", &nonce);
        let policy = format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; base-uri 'none'; \
             form-action 'none'"
        );
        let mut response = Response::new(Body::from(page));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::try_from(policy).expect("a nonce is ASCII without control characters"),
        );
        response
    }
}

fn wants_page(asked: &HeaderMap) -> bool {
    asked.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}
