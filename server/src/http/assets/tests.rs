//! What each address of the page is answered with, and its golden headers.

use axum::http::Request;
use axum::middleware::from_fn_with_state;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::http::{headers, problem};

const PREVIEWS: &str = "http://*.localhost:8080";

/// A small page in the place of the real one.
fn sample(path: &str) -> Option<File> {
    let bytes: &[u8] = match path {
        "index.html" => {
            b"<head></head><script nonce=\"{{__TRUNK_NONCE__}}\"></script><style nonce=\"{{__TRUNK_NONCE__}}\"></style>"
        }
        "assets/app-1.wasm" => b"plain wasm",
        "assets/app-1.wasm.br" => b"brotli",
        "assets/app-1.wasm.gz" => b"gzip",
        "js/editor-1.js" => b"plain js",
        "embed.js" | "embed.mjs" => b"plain script",
        "embed.js.br" => b"brotli",
        "embed.d.ts" => b"types",
        "site/live/index.html" | "site/live/playground.html" | "site/live/docs-steps.html" => {
            b"<html data-widget=\"{{WIDGET}}\"><head><title>What &amp; why</title>\
              <meta name=\"description\" content=\"All of it\">\
              <script nonce=\"{{__TRUNK_NONCE__}}\"></script></head>"
        }
        "site/docs/index.html" | "site/docs/using.html" => b"<head></head>a guide",
        "site/docs/using.html.br" => b"a guide in brotli",
        "site/data/templates.json" => b"[]",
        "site/guide-1.js" => b"plain guide",
        _ => return None,
    };
    Some(File { bytes: Cow::Borrowed(bytes), sha256: Sha256::digest(bytes).into() })
}

fn site(https: bool) -> Router {
    let policy = Arc::new(
        PagePolicy::new(https.then_some("https://ide.example"), &["https://host.example".into()], PREVIEWS).unwrap(),
    );
    routes_of(Site { policy: policy.clone(), widget: "w_1".into(), file: sample })
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(policy, headers::guard))
}

async fn ask(router: Router, method: &str, path: &str, asked: &[(&str, &str)]) -> (Response<Body>, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in asked {
        request = request.header(*name, *value);
    }
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (Response::from_parts(parts, Body::empty()), body)
}

async fn fetch(path: &str, asked: &[(&str, &str)]) -> (Response<Body>, Vec<u8>) {
    ask(site(false), "GET", path, asked).await
}

/// Status and headers as text, sorted, with what differs between responses left out.
async fn shown(https: bool, path: &str) -> String {
    let (response, body) = ask(site(https), "GET", path, &[("accept-encoding", "br")]).await;
    let mut lines: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| !["etag", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    let mut text = format!("{path} {}\n{}\n", response.status().as_u16(), lines.join("\n"));
    let html = String::from_utf8(body).unwrap();
    if let Some((_, rest)) = html.split_once("nonce=\"") {
        let nonce = rest.split_once('"').unwrap().0;
        assert!(nonce.len() == 24 && !html.contains(NONCE));
        text = text.replace(nonce, "N");
    }
    text
}

#[tokio::test]
async fn headers_are_golden_on_every_route() {
    let mut all = String::new();
    for path in [
        "/",
        "/docs",
        "/docs/",
        "/docs/using",
        "/docs/steps",
        "/docs/none",
        "/playground",
        "/playground/templates.json",
        "/site/guide-1.js",
        "/w",
        "/embed",
        "/assets/app-1.wasm",
        "/js/editor-1.js",
        "/embed.js",
        "/embed.mjs",
        "/embed.d.ts",
        "/oembed?url=http%3A%2F%2Flocalhost%2Fembed",
        "/oembed",
        "/favicon.ico",
        "/robots.txt",
        "/none",
    ] {
        all.push_str(&shown(false, path).await);
        all.push('\n');
    }
    all.push_str(&shown(true, "/robots.txt").await);
    let golden = include_str!("headers.golden");
    assert_eq!(all, golden);
    assert!(!all.contains("unsafe-inline") && !all.contains("'unsafe-eval"));
}

#[tokio::test]
async fn oembed_answers_with_a_frame_for_its_own_addresses_and_no_key_is_in_it() {
    let at = |url: &str, more: &str| {
        let url =
            url.replace(':', "%3A").replace('/', "%2F").replace('?', "%3F").replace('&', "%26").replace('#', "%23");
        format!("/oembed?url={url}{more}")
    };
    let own = at("https://ide.example/w?file=a.py&join=SECRET#join=SECRET", "&maxwidth=600&maxheight=100");
    let (response, body) = ask(site(true), "GET", &own, &[]).await;
    assert_eq!(response.status(), 200);
    let said: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&said["type"], &said["version"]), (&"rich".into(), &"1.0".into()));
    assert_eq!((said["width"].as_u64(), said["height"].as_u64()), (Some(600), Some(160)));
    let html = said["html"].as_str().unwrap();
    assert!(html.contains("src=\"https://ide.example/embed?file=a.py\"") && !html.contains("SECRET"), "{html}");
    for (path, status) in [
        (at("https://evil.example/embed", ""), 404),
        (at("http://ide.example/embed", ""), 404),
        (at("https://ide.example/embed", "&format=xml"), 501),
        (at("https://ide.example/embed", "&maxwidth=x"), 400),
        ("/oembed".into(), 400),
    ] {
        assert_eq!(ask(site(true), "GET", &path, &[]).await.0.status(), status, "{path}");
    }
}

#[tokio::test]
async fn pages_say_in_their_heads_where_their_frame_is() {
    let (_, html) = fetch("/embed?file=%22%3E%3Cscript%3E&join=SECRET", &[("host", "LOCALHOST:8080")]).await;
    let html = String::from_utf8(html).unwrap();
    let href =
        "http://localhost:8080/oembed?url=http%3A%2F%2Flocalhost%3A8080%2Fembed%3Ffile%3D%2522%253E%253Cscript%253E\"";
    assert!(html.contains(href) && html.contains("og:title") && !html.contains("SECRET"), "{html}");
    let (_, start) = fetch("/", &[]).await;
    let start = String::from_utf8(start).unwrap();
    assert!(start.contains("\"og:title\" content=\"What &amp; why\"") && !start.contains("oembed?"), "{start}");
    assert!(start.contains("\"og:description\" content=\"All of it\""), "{start}");
}

#[tokio::test]
async fn each_response_has_a_nonce_of_its_own_in_page_and_policy() {
    let (first, html) = fetch("/w", &[]).await;
    let html = String::from_utf8(html).unwrap();
    let nonce = html.split_once("nonce=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    assert_eq!(html.matches(&nonce).count(), 2);
    assert!(first.headers()["content-security-policy"].to_str().unwrap().contains(&format!("'nonce-{nonce}'")));
    let (_, again) = fetch("/w", &[("if-none-match", "*")]).await;
    assert!(!String::from_utf8(again).unwrap().contains(&nonce));
}

#[tokio::test]
async fn files_come_in_the_best_encoding_the_browser_takes() {
    let wasm = "/assets/app-1.wasm";
    for (accepts, encoding, body) in [
        ("gzip, deflate, br, zstd", Some("br"), "brotli"),
        ("gzip", Some("gzip"), "gzip"),
        ("gzip;q=1.0, br;q=0.5", Some("gzip"), "gzip"),
        ("br;q=0, *", Some("gzip"), "gzip"),
        ("*", Some("br"), "brotli"),
        ("br;q=0, gzip;q=0", None, "plain wasm"),
        ("identity", None, "plain wasm"),
        ("br;q=x", None, "plain wasm"),
    ] {
        let (response, said) = fetch(wasm, &[("accept-encoding", accepts)]).await;
        let got = response.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap());
        assert_eq!((got, said.as_slice()), (encoding, body.as_bytes()), "{accepts}");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/wasm");
    }
    let (response, body) = fetch("/js/editor-1.js", &[("accept-encoding", "br")]).await;
    assert_eq!((response.headers().get(CONTENT_ENCODING), body.as_slice()), (None, &b"plain js"[..]));
}

#[tokio::test]
async fn what_the_browser_holds_is_not_sent_again() {
    let (first, _) = fetch("/js/editor-1.js", &[]).await;
    let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
    for held in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into()] {
        let (response, body) = fetch("/js/editor-1.js", &[("if-none-match", &held)]).await;
        assert_eq!((response.status().as_u16(), body.len()), (304, 0), "{held}");
        assert_eq!(response.headers()[CACHE_CONTROL], FOR_GOOD);
    }
    assert_eq!(fetch("/js/editor-1.js", &[("if-none-match", "\"x\"")]).await.0.status(), 200);
    let other = fetch("/assets/app-1.wasm", &[("accept-encoding", "br")]).await.0.headers()[ETAG].clone();
    assert_ne!(fetch("/assets/app-1.wasm", &[]).await.0.headers()[ETAG], other);
}

#[tokio::test]
async fn unknown_files_and_hostile_names_are_not_found() {
    for path in [
        "/assets/none.js",
        "/assets/app-1.wasm.br",
        "/assets/app-1.wasm.gz",
        "/assets/..%2findex.html",
        "/assets/%2e%2e%2findex.html",
        "/assets/..%5cindex.html",
        "/assets/.hidden",
        "/assets/%00",
        "/js/..%2f..%2fagent",
        "/assets/",
        "/index.html",
        "/docs/index",
        "/docs/none",
        "/docs/..%2findex",
        "/docs/using.html",
        "/docs/using.html.br",
        "/docs/a%00",
        "/site/live%2findex.html",
        "/site/guide-1.js.br",
        "/site/none.js",
    ] {
        let (response, body) = fetch(path, &[]).await;
        assert_eq!(response.status(), 404, "{path}");
        assert!(body.starts_with(b"{\"type\":\"about:blank\""), "{path}");
    }
}

#[tokio::test]
async fn head_says_what_get_would_and_sends_nothing() {
    let (response, body) = ask(site(false), "HEAD", "/js/editor-1.js", &[]).await;
    assert_eq!((response.status().as_u16(), body.len()), (200, 0));
    assert_eq!(response.headers()["content-length"], "8");
    let (response, _) = ask(site(false), "POST", "/w", &[]).await;
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn a_page_that_was_not_built_is_said_so() {
    let policy = Arc::new(PagePolicy::new(None, &[], PREVIEWS).unwrap());
    let router = routes_of(Site { policy, widget: Arc::default(), file: |_| None });
    for path in ["/w", "/", "/docs", "/docs/using", "/playground"] {
        let (response, body) = ask(router.clone(), "GET", path, &[]).await;
        assert_eq!(response.status(), 503, "{path}");
        assert!(String::from_utf8(body).unwrap().contains("cargo xtask build"), "{path}");
    }
}

#[tokio::test]
async fn pages_whose_visitors_open_rooms_are_told_by_which_widget() {
    for path in ["/", "/playground", "/docs/steps"] {
        let (response, html) = fetch(path, &[]).await;
        let html = String::from_utf8(html).unwrap();
        assert!(html.contains("data-widget=\"w_1\""), "{path}: {html}");
        let nonce = html.split_once("nonce=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        assert!(response.headers()["content-security-policy"].to_str().unwrap().contains(&nonce), "{path}");
    }
}

#[tokio::test]
async fn a_guide_is_sent_once_and_in_few_bytes() {
    let (response, body) = fetch("/docs/using", &[("accept-encoding", "br")]).await;
    assert_eq!(body, b"a guide in brotli");
    let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
    let (again, body) = fetch("/docs/using", &[("accept-encoding", "br"), ("if-none-match", &tag)]).await;
    assert_eq!((again.status().as_u16(), body.len()), (304, 0));
    assert!(again.headers().contains_key("content-security-policy"));
}
