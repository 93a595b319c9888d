//! The headers that say what a browser may do with a response. Every response has them; a page adds its own policy,
//! with a nonce of its own.
//!
//! Everything starts from `default-src 'none'`; nothing here ever says `unsafe-inline` or `unsafe-eval`.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::middleware::Next;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::origin::is_source;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
pub(super) const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// For whatever is no page: it loads nothing and is shown in nothing.
const NO_PAGE: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// For pages of the documentation.
const GUIDE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The terminal copies and pastes; the rest is nobody's.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), clipboard-read=(self), clipboard-write=(self), \
    display-capture=(), fullscreen=(self), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), \
    payment=(), usb=()";
/// A year, as long as preload lists ask for.
const HSTS: &str = "max-age=31536000";

/// What differs between servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePolicy {
    /// People reach the server by `https`.
    https: bool,
    /// Where that is, if it is configured: scheme, host and port.
    public_origin: Option<String>,
    /// The sources of `/embed`'s `frame-ancestors`.
    framed_by: String,
    /// The source of the IDE's `frame-src`: previews.
    previews: String,
}

/// A configured origin that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an origin such as https://example.com or https://*.example.com, and not *")]
pub struct BadOrigin(String);

impl PagePolicy {
    /// `framed_by` lists the origins whose pages may frame `/embed`; without any, all may. `previews` is the source of what
    /// the IDE shows in frames of its own.
    pub fn new(public_url: Option<&str>, framed_by: &[String], previews: &str) -> Result<Self, BadOrigin> {
        if let Some(bad) = framed_by.iter().find(|origin| !is_source(origin)) {
            return Err(BadOrigin(bad.clone()));
        }
        let https = public_url.is_some_and(|url| url.starts_with("https://"));
        let framed_by = if framed_by.is_empty() { "*".to_owned() } else { framed_by.join(" ") };
        let public_origin = public_url.map(origin_of);
        Ok(Self { https, public_origin, framed_by, previews: previews.to_owned() })
    }

    /// Where people reach the server, if it is configured.
    pub fn public_origin(&self) -> Option<&str> {
        self.public_origin.as_deref()
    }

    /// What a page's response carries, beside what every response does.
    pub fn page(&self, page: Page, nonce: &Nonce) -> HeaderMap {
        self.framed_by(page, &self.framed_by, nonce)
    }

    /// The same, where pages of `framed_by` alone may frame [`Page::Embed`]: sources of `frame-ancestors`.
    pub fn framed_by(&self, page: Page, framed_by: &str, nonce: &Nonce) -> HeaderMap {
        let policy = match page {
            Page::Reference => format!(
                "default-src 'none'; style-src 'nonce-{nonce}'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            Page::Public => format!(
                "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; \
                 connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            Page::Ide => self.ide(nonce, "'none'"),
            Page::Console => format!(
                "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
                 connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            Page::Embed => self.ide(nonce, framed_by),
        };
        let mut headers = HeaderMap::new();
        let policy = HeaderValue::try_from(policy).expect("sources and nonces are ASCII without control characters");
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        if page == Page::Embed {
            // A page that isolates itself may still frame this one.
            headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        } else {
            headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        }
        headers
    }

    /// What a page of the documentation carries: it is a file like any other, and has no nonce.
    pub fn guide() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(GUIDE));
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        headers
    }

    /// The IDE: scripts and the wasm module of its own, `<style>` elements that carry the nonce (the terminal writes
    /// some), images and fonts that documents show, and one socket home, which `'self'` includes.
    fn ide(&self, nonce: &Nonce, framed_by: &str) -> String {
        format!(
            "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
             style-src 'self' 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
             frame-src {}; base-uri 'none'; form-action 'none'; frame-ancestors {framed_by}",
            self.previews
        )
    }
}

/// An address without its path.
fn origin_of(url: &str) -> String {
    let end = url.find("://").and_then(|at| url[at + 3..].find(['/', '?', '#']).map(|end| at + 3 + end));
    url[..end.unwrap_or(url.len())].to_ascii_lowercase()
}

/// A page, by what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The REST API, described.
    Reference,
    /// Says what the server is, and opens rooms for its visitors; its editor writes `<style>` elements.
    Public,
    Ide,
    /// Accounts and what is theirs.
    Console,
    /// The IDE in a frame of another site's.
    Embed,
}

/// Whether a request comes from a page of another origin than it goes to. Only browsers say where they are from.
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
    !own
}

/// What one response's own scripts and styles are known by: 128 bits of the system's randomness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(STANDARD.encode(bytes)))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds to every response what it does not say itself.
pub async fn guard(State(policy): State<Arc<PagePolicy>>, request: Request, next: Next) -> Response<Body> {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    let defaults = [
        (CONTENT_SECURITY_POLICY, NO_PAGE),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (PERMISSIONS_POLICY, PERMISSIONS),
        (RESOURCE_POLICY, "same-origin"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if policy.https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREVIEWS: &str = "http://*.localhost:8080";

    #[test]
    fn a_setting_can_add_no_directive() {
        for good in ["*", "https://example.com", "http://localhost:3000", "https://*.example.com", "http://[::1]:80"] {
            assert!(PagePolicy::new(None, &[good.into()], PREVIEWS).is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "https://",
            "https://a b",
            "https://a; script-src *",
            "https://a,b",
            "https://a/b",
            "'unsafe-inline'",
            "data:",
            "https://ä.example",
            "https://a\r\nx: y",
        ] {
            assert!(PagePolicy::new(None, &[bad.into()], PREVIEWS).is_err(), "{bad}");
        }
    }

    #[test]
    fn frames_are_allowed_where_listed_and_nowhere_else() {
        let nonce = Nonce::new().unwrap();
        let ends = |policy: &PagePolicy, page, end: &str| {
            policy.page(page, &nonce)[CONTENT_SECURITY_POLICY].to_str().unwrap().ends_with(end)
        };
        let listed =
            PagePolicy::new(None, &["https://a.example".into(), "https://*.b.example".into()], PREVIEWS).unwrap();
        assert!(ends(&listed, Page::Embed, "frame-ancestors https://a.example https://*.b.example"));
        assert!(ends(&listed, Page::Ide, "frame-ancestors 'none'"));
        assert!(ends(&PagePolicy::new(None, &[], PREVIEWS).unwrap(), Page::Embed, "frame-ancestors *"));
        assert_ne!(nonce, Nonce::new().unwrap());
    }

    #[test]
    fn a_page_of_another_origin_is_foreign() {
        let of = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            is_foreign(&headers)
        };
        assert!(
            !of("3000-x.localhost:8080", None) && !of("3000-x.localhost:8080", Some("http://3000-X.localhost:8080"))
        );
        for origin in ["null", "http://localhost:8080", "http://3001-x.localhost:8080", "http://3000-x.localhost", ""] {
            assert!(of("3000-x.localhost:8080", Some(origin)), "{origin}");
        }
    }
}
