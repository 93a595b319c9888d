//! The page and its files: addresses, encodings and how long a browser may keep them.
//!
//! Files with their content's hash in the name are kept for good; pages never, since each response has a nonce of its
//! own. Serves what was bundled and nothing else: a name is looked up, never opened as a path.

mod embedded;
mod preview;
mod public;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum::routing::{MethodRouter, get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedenv_shared::code::ErrorCode;
use sha2::{Digest as _, Sha256};

use super::headers::{Nonce, Page, PagePolicy, RESOURCE_POLICY};
use super::problem::Problem;
use super::quoting::escaped;
use crate::ledger::Widget;
use embedded::File;
pub use embedded::{NoAgent, agent};

/// Stands in pages where the response's nonce goes.
const NONCE: &str = "{{__TRUNK_NONCE__}}";
/// For names with their content's hash in them.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// For pages.
const ASK_FIRST: &str = "no-cache";
/// For what keeps its name when it changes.
const FOR_AN_HOUR: &str = "public, max-age=3600";

const ICON: &[u8] = include_bytes!("../../../static/favicon.svg");
/// Rooms are nobody's to index; the pages that say what this is may be.
const ROBOTS: &str = "User-agent: *\nAllow: /$\nAllow: /docs\nAllow: /playground\nAllow: /site/\nDisallow: /\n";

#[derive(Debug, Clone)]
struct Site {
    policy: Arc<PagePolicy>,
    /// The widget by which visitors of the public pages open rooms; empty for none.
    widget: Arc<str>,
    file: fn(&str) -> Option<File>,
}

/// The routes of the page and its files.
///
/// | address | is |
/// | --- | --- |
/// | `/`, `/docs`, `/docs/PAGE`, `/playground` | the public pages: what this server is, how it is used, and a try |
/// | `/playground/templates.json` | what rooms of the playground begin with |
/// | `/w`, `/embed` | the IDE, alone and in a frame |
/// | `/console` | accounts and what is theirs |
/// | `/assets/NAME`, `/js/NAME`, `/site/NAME` | their files |
/// | `/embed.js`, `/embed.mjs`, `/embed.d.ts` | what pages of others load, and its types |
/// | `/oembed` | a frame for an address, for programs that show links |
/// | `/favicon.svg`, `/favicon.ico`, `/robots.txt` | what browsers and robots ask for |
pub fn routes<S: Clone + Send + Sync + 'static>(policy: Arc<PagePolicy>, widget: Option<&str>) -> Router<S> {
    routes_of(Site { policy, widget: widget.unwrap_or_default().into(), file: embedded::file })
}

/// The page in a frame of a site that shows a widget: pages of its listed origins alone may frame it, and it looks as the
/// widget's owner has chosen.
pub fn widget(
    policy: Arc<PagePolicy>,
    widget: &Widget,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response<Body>, Problem> {
    let framed_by = widget.origins.join(" ");
    let site = Site { policy, widget: Arc::default(), file: embedded::file };
    site.page_with(Page::Embed, widget.look.as_str(), uri, headers, |policy, nonce| {
        policy.framed_by(Page::Embed, &framed_by, nonce)
    })
}

fn routes_of<S: Clone + Send + Sync + 'static>(site: Site) -> Router<S> {
    let icon = get(async |headers: HeaderMap| icon(&headers));
    Router::new()
        .route("/w", get(async |site: State<Site>, uri: Uri, headers: HeaderMap| site.page(Page::Ide, &uri, &headers)))
        .route(
            "/embed",
            get(async |site: State<Site>, uri: Uri, headers: HeaderMap| site.page(Page::Embed, &uri, &headers)),
        )
        .route(
            "/console",
            get(async |site: State<Site>, uri: Uri, headers: HeaderMap| site.page(Page::Console, &uri, &headers)),
        )
        .route("/embed.js", for_hosts("embed.js"))
        .route("/embed.mjs", for_hosts("embed.mjs"))
        .route("/embed.d.ts", for_hosts("embed.d.ts"))
        .route("/oembed", get(preview::oembed))
        .route("/assets/{name}", get(asset))
        .route("/js/{name}", get(script))
        .route("/favicon.svg", icon.clone())
        .route("/favicon.ico", icon)
        .route("/robots.txt", get(async || ([(CACHE_CONTROL, FOR_AN_HOUR)], ROBOTS)))
        .merge(public::routes())
        .with_state(site)
}

/// A file for pages of others, which any of them may load and read. It keeps its name when it changes.
fn for_hosts(name: &'static str) -> MethodRouter<Site> {
    get(async move |State(site): State<Site>, headers: HeaderMap| {
        let mut response = site.encoded(name, &headers, FOR_AN_HOUR)?;
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        Ok::<_, Problem>(response)
    })
}

async fn asset(site: State<Site>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    site.hashed("assets", &name, &headers)
}

async fn script(site: State<Site>, Path(name): Path<String>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    site.hashed("js", &name, &headers)
}

fn icon(asked: &HeaderMap) -> Response<Body> {
    let file = File { bytes: Cow::Borrowed(ICON), sha256: Sha256::digest(ICON).into() };
    answer(file, asked, HeaderValue::from_static("image/svg+xml"), FOR_AN_HOUR)
}

impl Site {
    /// A page with a nonce of its own. It has no validator: a 304 would renew the headers of a kept page and so part
    /// its nonce from its policy's.
    fn page(&self, page: Page, uri: &Uri, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
        self.page_with(page, "", uri, headers, |policy, nonce| policy.page(page, nonce))
    }

    fn page_with(
        &self,
        page: Page,
        look: &str,
        uri: &Uri,
        headers: &HeaderMap,
        policy: impl FnOnce(&PagePolicy, &Nonce) -> HeaderMap,
    ) -> Result<Response<Body>, Problem> {
        let html = self.html(if page == Page::Console { "console.html" } else { "index.html" })?;
        let mut html = preview::with_links(&html, self, uri, headers);
        if !look.is_empty() {
            let meta = format!("<meta name=\"embedenv-look\" content=\"{}\"></head>", escaped(look));
            html = html.replacen("</head>", &meta, 1);
        }
        self.with_nonce(&html, policy)
    }

    /// A page of the bundle, as text.
    fn html(&self, name: &str) -> Result<String, Problem> {
        let file = (self.file)(name).ok_or_else(not_built)?;
        String::from_utf8(file.bytes.into_owned()).map_err(|error| Problem::internal(&error))
    }

    /// The answer with a page and the nonce that its policy names.
    fn with_nonce(
        &self,
        html: &str,
        policy: impl FnOnce(&PagePolicy, &Nonce) -> HeaderMap,
    ) -> Result<Response<Body>, Problem> {
        let nonce = Nonce::new().map_err(|error| Problem::internal(&error))?;
        let mut response = Response::new(Body::from(html.replace(NONCE, &nonce.to_string())));
        *response.headers_mut() = policy(&self.policy, &nonce);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(ASK_FIRST));
        Ok(response)
    }

    /// A file whose name changes with its content, in the encoding that was made ready for it.
    fn hashed(&self, folder: &str, name: &str, asked: &HeaderMap) -> Result<Response<Body>, Problem> {
        let none = || Problem::new(ErrorCode::NotFound, "there is no such file");
        if name.contains(['/', '\\']) || name.starts_with('.') || name.ends_with(".br") || name.ends_with(".gz") {
            return Err(none());
        }
        self.encoded(&format!("{folder}/{name}"), asked, FOR_GOOD)
    }

    /// A file of the bundle, in the encoding that was made ready for it.
    fn encoded(&self, path: &str, asked: &HeaderMap, keep: &'static str) -> Result<Response<Body>, Problem> {
        let none = || Problem::new(ErrorCode::NotFound, "there is no such file");
        let kind = HeaderValue::from_static(content_type(path));
        let encoded = encodings(asked).into_iter().find_map(|encoding| {
            let suffix = if encoding == "br" { "br" } else { "gz" };
            (self.file)(&format!("{path}.{suffix}")).map(|file| (file, encoding))
        });
        let mut response = match encoded {
            Some((file, encoding)) => {
                let mut response = answer(file, asked, kind, keep);
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
                response
            }
            None => answer((self.file)(path).ok_or_else(none)?, asked, kind, keep),
        };
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
        Ok(response)
    }
}

fn not_built() -> Problem {
    let message = "this program was built without its pages; `cargo xtask build` puts them in";
    Problem::new(ErrorCode::Unavailable, message)
}

/// The file, or 304 when the browser has it.
fn answer(file: File, asked: &HeaderMap, kind: HeaderValue, keep: &'static str) -> Response<Body> {
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&file.sha256[..16]));
    let mut response = Response::new(Body::empty());
    if has(asked, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        }
        .into();
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response.headers_mut().insert(ETAG, HeaderValue::try_from(tag).expect("base64 in quotes"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

/// Whether the browser says that it holds `tag` (RFC 9110 section 13.1.2: a weak comparison).
fn has(asked: &HeaderMap, tag: &str) -> bool {
    let held = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    held.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
}

/// The encodings a browser takes that files are kept in, the better one first (RFC 9110 section 12.5.3).
fn encodings(asked: &HeaderMap) -> Vec<&'static str> {
    let said = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let weights: Vec<(&str, f32)> = said
        .flat_map(|value| value.split(','))
        .filter_map(|part| {
            let mut members = part.split(';').map(str::trim);
            let name = members.next()?;
            let weight = members.find_map(|member| member.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok())?;
            Some((name, weight))
        })
        .collect();
    let weight = |encoding: &str| {
        let of =
            |name: &str| weights.iter().find(|(said, _)| said.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight);
        of(encoding).or_else(|| of("*")).unwrap_or(0.0)
    };
    let (br, gzip) = (weight("br"), weight("gzip"));
    let both = if gzip > br { [("gzip", gzip), ("br", br)] } else { [("br", br), ("gzip", gzip)] };
    both.into_iter().filter(|(_, weight)| *weight > 0.0).map(|(encoding, _)| encoding).collect()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "ts" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
