//! The addresses of ports where no wildcard name leads to the server: all on one origin, that of a second listener, each
//! below `/{port}-{room}~{secret}/`. The secret is what lets somebody see the port; the app never gets it.
//!
//! Apps share that origin. So that they share nothing else, each runs in a browser's sandbox without it, and cookies pass
//! in neither direction. Pure.

use std::net::SocketAddr;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LOCATION, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, LOCATION,
    ORIGIN, REFERER, REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};

use super::names::Name;

/// What an app's page may do: all but be of the origin that it shares.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox \
    allow-downloads allow-pointer-lock allow-presentation";
/// What of an answer would speak for the whole origin, or keep a page of no origin from what is its own.
const OF_THE_ORIGIN: [HeaderName; 7] = [
    SET_COOKIE,
    // A browser keeps what is typed there for the origin.
    WWW_AUTHENTICATE,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderName::from_static("cross-origin-opener-policy"),
];

/// Where previews by paths are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Scheme, host and port.
    origin: String,
}

/// The settings say of no place where people would find previews by paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPreviewUrl {
    #[error("{0:?} is not the address of previews: http:// or https://, a host, an optional port and no path")]
    NoOrigin(String),
    #[error("{0} is the server's own origin; what programs serve needs one of its own")]
    Own(String),
    #[error("public_url is https, so preview.url must say where preview.listen is reached by https")]
    Unsaid,
}

impl Paths {
    /// `url` is `preview.url`; without it, previews are at the server's own name and the port that is listened on.
    pub fn new(url: Option<&str>, public_url: Option<&str>, listening: SocketAddr) -> Result<Self, BadPreviewUrl> {
        let own = public_url.and_then(origin_of);
        let origin = match (url, &own) {
            (Some(url), _) => {
                let bad = || BadPreviewUrl::NoOrigin(url.to_owned());
                let origin = origin_of(url).ok_or_else(bad)?;
                if !url.trim_end_matches('/').eq_ignore_ascii_case(&origin) {
                    return Err(bad());
                }
                origin
            }
            (None, Some(own)) if own.starts_with("https:") => return Err(BadPreviewUrl::Unsaid),
            (None, Some(own)) => {
                let host = own.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
                format!("http://{}:{}", host.as_deref().unwrap_or("localhost"), listening.port())
            }
            (None, None) => format!("http://localhost:{}", listening.port()),
        };
        if own.as_ref() == Some(&origin) {
            return Err(BadPreviewUrl::Own(origin));
        }
        Ok(Self { origin })
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where a port is for who has the secret, with a `/` at its end.
    pub fn base(&self, name: Name, secret: &str) -> String {
        format!("{}/{name}~{secret}/", self.origin)
    }
}

/// Scheme, host and port of an address, in lower case.
fn origin_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?.as_str().to_ascii_lowercase();
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_web && !authority.contains('@')).then(|| format!("{}://{authority}", uri.scheme_str().unwrap_or_default()))
}

/// What a path names: a port, the secret, and what the app is asked for.
pub(super) fn split(uri: &Uri) -> Option<(Name, &str, Option<Uri>)> {
    let first = uri.path().strip_prefix('/')?.split('/').next()?;
    let (name, secret) = first.split_once('~')?;
    // It comes to stand in pages and scripts.
    if !secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return None;
    }
    let rest = uri.path_and_query()?.as_str().get(1 + first.len()..)?;
    Some((name.parse().ok()?, secret, rest.starts_with('/').then(|| rest.parse().ok()).flatten()))
}

/// Whether a request only asks whether another may be made (Fetch, "CORS-preflight request").
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to one: who knows the path may ask anything.
pub(super) fn preflight(asked: &HeaderMap, answer: &mut HeaderMap) {
    let same = |name| asked.get(name).cloned();
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Some(methods) = same(ACCESS_CONTROL_REQUEST_METHOD) {
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    if let Some(headers) = same(ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
    }
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}

/// What the app gets of a request less than at an origin of its own: no cookie, and nothing that holds the path.
pub(super) fn request(headers: &mut HeaderMap, https: bool) {
    headers.remove(COOKIE);
    headers.remove(REFERER);
    // Its own pages have no origin; the app takes them for its own.
    if headers.get(ORIGIN).is_some_and(|origin| origin == "null")
        && let Some(own) = headers.get(HOST).and_then(|host| host.to_str().ok()).map(|host| origin(https, host))
        && let Ok(own) = HeaderValue::try_from(own)
    {
        headers.insert(ORIGIN, own);
    }
}

/// What the browser gets of an answer: nothing that is the origin's, and all of the app's own below its path. `prefix` is
/// what its addresses begin with, `host` what the browser called the server.
pub(super) fn response(headers: &mut HeaderMap, prefix: &str, https: bool, host: &str) {
    for name in OF_THE_ORIGIN {
        headers.remove(name);
    }
    // Several policies hold all at once.
    headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    for name in [LOCATION, CONTENT_LOCATION] {
        let led = headers.get(&name).and_then(|to| to.to_str().ok()).and_then(|to| {
            let path = to.strip_prefix(&origin(https, host)).unwrap_or(to);
            HeaderValue::try_from(below(path, prefix)?).ok()
        });
        if let Some(led) = led {
            headers.insert(name, led);
        }
    }
}

fn origin(https: bool, host: &str) -> String {
    format!("{}://{host}", if https { "https" } else { "http" })
}

/// An absolute path below the prefix; `None` for what is no such path, or lies there already.
pub(super) fn below(path: &str, prefix: &str) -> Option<String> {
    let is_absolute = path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\");
    let is_there = path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    (is_absolute && !is_there).then(|| format!("{prefix}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "ac4rajbl6tb4vka4";

    #[test]
    fn previews_by_paths_have_an_origin_that_is_not_the_servers() {
        let at = "0.0.0.0:8081".parse().unwrap();
        let origin = |url, public| Paths::new(url, public, at).map(|paths| paths.origin);
        let good = |origin: &str| Ok(origin.to_owned());
        assert_eq!(origin(None, None), good("http://localhost:8081"));
        assert_eq!(origin(None, Some("http://192.0.2.7:8080/")), good("http://192.0.2.7:8081"));
        assert_eq!(origin(None, Some("http://[2001:db8::1]")), good("http://[2001:db8::1]:8081"));
        assert_eq!(origin(None, Some("https://ide.example.com")), Err(BadPreviewUrl::Unsaid));
        let public = Some("https://ide.example.com");
        assert_eq!(origin(Some("https://Apps.example.com/"), public), good("https://apps.example.com"));
        assert_eq!(origin(Some("https://ide.example.com:8443"), public), good("https://ide.example.com:8443"));
        assert!(matches!(origin(Some("https://IDE.example.com"), public), Err(BadPreviewUrl::Own(_))));
        for bad in ["http://", "https://a/b", "https://a?b", "https://u@a", "ftp://a"] {
            assert_eq!(origin(Some(bad), public), Err(BadPreviewUrl::NoOrigin(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_path_names_a_port_and_a_secret_and_the_rest_is_the_apps() {
        let name = Name { port: 3000, room: ROOM.parse().unwrap() };
        let base = Paths { origin: "http://h:1".to_owned() }.base(name, "1.x-_");
        assert_eq!(base, format!("http://h:1/3000-{ROOM}~1.x-_/"));
        let split = |path: &str| {
            let uri: Uri = path.replace("ROOM", ROOM).parse().unwrap();
            split(&uri).map(|(name, secret, rest)| (name, secret.to_owned(), rest.map(|uri| uri.to_string())))
        };
        let found = |secret: &str, rest: Option<&str>| Some((name, secret.to_owned(), rest.map(str::to_owned)));
        assert_eq!(split("/3000-ROOM~1.x/a/b?c=/d"), found("1.x", Some("/a/b?c=/d")));
        assert_eq!(split("/3000-ROOM~1.x/"), found("1.x", Some("/")));
        assert_eq!(split("/3000-ROOM~1.x"), found("1.x", None));
        assert_eq!(split("/3000-ROOM~1.x?q"), found("1.x", None));
        assert_eq!(split("/3000-ROOM~/~"), found("", Some("/~")));
        for none in [
            "/",
            "/3000-ROOM/",
            "/0-ROOM~x/",
            "//3000-ROOM~x/",
            "/3000-ROOM~'x/",
            "/3000-ROOM~%27/",
            "/x~y/3000-ROOM~x/",
        ] {
            assert_eq!(split(none), None, "{none}");
        }
    }

    #[test]
    fn only_absolute_paths_are_put_below_and_once() {
        for (path, put) in [("/", Some("/p/")), ("/a?b", Some("/p/a?b")), ("/pa", Some("/p/pa")), ("/p", Some("/p/p"))]
        {
            assert_eq!(below(path, "/p").as_deref(), put, "{path}");
        }
        for path in ["", "a", "./a", "//h/a", "/\\h", "http://h/", "#a", "?a", "/p/", "/p/a"] {
            assert_eq!(below(path, "/p"), None, "{path}");
        }
    }

    #[test]
    fn apps_share_an_origin_and_nothing_else() {
        let fields = |fields: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            headers
        };
        let mut asked =
            fields(&[("host", "h:1"), ("cookie", "a=1"), ("referer", "http://h:1/3000-x~secret/"), ("origin", "null")]);
        request(&mut asked, false);
        assert_eq!(asked, fields(&[("host", "h:1"), ("origin", "http://h:1")]));

        for (to, led) in [("/a", "/p/a"), ("http://h:1/a", "/p/a"), ("b", "b"), ("https://else/a", "https://else/a")] {
            let mut answer = fields(&[
                ("location", to),
                ("set-cookie", "a=1"),
                ("clear-site-data", "\"*\""),
                ("www-authenticate", "Basic"),
                ("referrer-policy", "unsafe-url"),
                ("content-security-policy", "sandbox allow-same-origin"),
                ("access-control-allow-origin", "http://h:1"),
                ("access-control-allow-credentials", "true"),
            ]);
            response(&mut answer, "/p", false, "h:1");
            let expected = fields(&[
                ("location", led),
                ("referrer-policy", "no-referrer"),
                ("content-security-policy", "sandbox allow-same-origin"),
                ("content-security-policy", SANDBOX),
                ("access-control-allow-origin", "*"),
                ("access-control-expose-headers", "*"),
            ]);
            assert_eq!(answer, expected);
        }
    }
}
