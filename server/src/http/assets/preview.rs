//! What programs that show links and frames are told of the pages: `/oembed` (oEmbed 1.0, <https://oembed.com>), and what
//! stands in the pages' heads for them. Speaks of addresses alone: a room's key is in the fragment, which no server sees, and
//! where somebody hands it one anyway it is left out.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum::response::IntoResponse as _;
use embedenv_shared::code::ErrorCode;
use serde::Deserialize;
use serde_json::json;

use super::{FOR_AN_HOUR, Site};
use crate::http::problem::Problem;
use crate::http::quoting::{encoded, escaped};

const NAME: &str = "Embedenv";
const ABOUT: &str = "A workspace in the browser, on a sandbox that really runs code.";
/// Width and height of a frame whose asker sets no bounds, in CSS pixels.
const SIZE: (u32, u32) = (800, 480);
/// No frame is smaller, whatever bounds there are: there would be nothing to be seen in it.
const LEAST: (u32, u32) = (240, 160);
/// Parameters that are nobody's but who has them.
const SECRET: [&str; 1] = ["join"];

/// What is asked of `/oembed`.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    url: String,
    #[serde(default)]
    maxwidth: Option<u32>,
    #[serde(default)]
    maxheight: Option<u32>,
    #[serde(default)]
    format: Option<String>,
}

/// A frame for an address of this server's, as JSON.
pub(super) async fn oembed(
    State(site): State<Site>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let Query(asked) = asked.map_err(|rejection| Problem::new(ErrorCode::BadRequest, rejection.body_text()))?;
    if asked.format.as_deref().is_some_and(|format| format != "json") {
        let mut response = Problem::new(ErrorCode::BadRequest, "the only format is json").into_response();
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        return Ok(response);
    }
    let origin = origin(&site, &headers);
    let none = || Problem::new(ErrorCode::NotFound, "this is no address of a workspace on this server");
    let address = framed(&asked.url, &origin).ok_or_else(none)?;
    let bounded = |size: u32, least: u32, most: Option<u32>| size.min(most.unwrap_or(size)).max(least);
    let (width, height) = (bounded(SIZE.0, LEAST.0, asked.maxwidth), bounded(SIZE.1, LEAST.1, asked.maxheight));
    let html = format!(
        "<iframe src=\"{}\" title=\"{NAME}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\" style=\"border:0\" \
         allow=\"clipboard-read; clipboard-write; fullscreen\"></iframe>",
        escaped(&address)
    );
    let body = json!({
        "version": "1.0",
        "type": "rich",
        "title": NAME,
        "provider_name": NAME,
        "provider_url": origin,
        "width": width,
        "height": height,
        "html": html,
        "cache_age": 3600,
    });
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_AN_HOUR));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// A page's head with what is said of it: `uri` is what was asked for, and is public, but for a key.
pub(super) fn with_links(html: &str, site: &Site, uri: &Uri, headers: &HeaderMap) -> String {
    let origin = origin(site, headers);
    let own = format!("{origin}{}{}", uri.path(), query(uri).unwrap_or_default());
    let mut links = String::new();
    let said = [
        ("og:type", "website"),
        ("og:site_name", NAME),
        ("og:title", between(html, "<title>", "</title>").unwrap_or(NAME)),
        ("og:description", between(html, "<meta name=\"description\" content=\"", "\">").unwrap_or(ABOUT)),
        ("og:url", &escaped(&own)),
    ];
    for (property, content) in said {
        write!(links, "<meta property=\"{property}\" content=\"{content}\">").expect("writing to a string never fails");
    }
    if framed(&own, &origin).is_some() {
        let href = escaped(&format!("{origin}/oembed?url={}", encoded(&own)));
        write!(links, "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"{href}\" title=\"{NAME}\">")
            .expect("writing to a string never fails");
    }
    html.replacen("</head>", &format!("{links}</head>"), 1)
}

/// What stands in a page of ours between two marks, as it stands there.
fn between<'a>(html: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(html.split_once(start)?.1.split_once(end)?.0)
}

/// The address in a frame of what is at an address of this server's: the same, but for the page that refuses frames.
fn framed(url: &str, origin: &str) -> Option<String> {
    let rest = url.strip_prefix(origin).filter(|rest| rest.starts_with('/'))?;
    // A fragment is no part of it.
    let uri: Uri = rest.split('#').next().unwrap_or_default().parse().ok()?;
    let id = uri.path().strip_prefix("/embed/");
    let path = match uri.path() {
        "/w" | "/embed" => "/embed",
        path if id.is_some_and(|id| !id.is_empty() && !id.contains('/')) => path,
        _ => return None,
    };
    Some(format!("{origin}{path}{}", query(&uri).unwrap_or_default()))
}

/// What stands behind the path, from its `?` on, without what is nobody else's.
fn query(uri: &Uri) -> Option<String> {
    let is_public = |pair: &&str| !pair.is_empty() && !SECRET.contains(&pair.split('=').next().unwrap_or_default());
    let public: Vec<&str> = uri.query()?.split('&').filter(is_public).collect();
    (!public.is_empty()).then(|| format!("?{}", public.join("&")))
}

/// Where people reach this server: as it is configured, or as this request was sent.
fn origin(site: &Site, headers: &HeaderMap) -> String {
    if let Some(public) = site.policy.public_origin() {
        return public.to_owned();
    }
    // The guard of names has looked at it.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{}", host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://ide.example";

    #[test]
    fn only_the_server_s_own_workspaces_are_framed_and_keys_are_left_out() {
        let of = |url: &str| framed(url, OWN);
        assert_eq!(of("https://ide.example/embed").as_deref(), Some("https://ide.example/embed"));
        assert_eq!(of("https://ide.example/w?file=a.py").as_deref(), Some("https://ide.example/embed?file=a.py"));
        assert_eq!(of("https://ide.example/embed/id7").as_deref(), Some("https://ide.example/embed/id7"));
        let with_key = of("https://ide.example/embed?join=SECRET&view=editor#join=SECRET").unwrap();
        assert_eq!(with_key, "https://ide.example/embed?view=editor");
        for foreign in [
            "",
            "/embed",
            "https://ide.example",
            "https://ide.example/",
            "https://ide.example/assets/x.js",
            "https://ide.example/embed/",
            "https://ide.example/embed/a/b",
            "https://ide.example/wx",
            "https://ide.example.evil.example/embed",
            "https://ide.example@evil.example/embed",
            "http://ide.example/embed",
            "https://evil.example/embed",
        ] {
            assert_eq!(of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn nothing_in_an_address_is_markup() {
        assert_eq!(escaped("\"><script>'&"), "&quot;&gt;&lt;script&gt;&#39;&amp;");
        assert_eq!(encoded("https://a/b?c=d&e#f g"), "https%3A%2F%2Fa%2Fb%3Fc%3Dd%26e%23f%20g");
    }
}
