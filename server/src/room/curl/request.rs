//! The `curl` command's request, checked: where it may go, and what it may say.
//!
//! Targets are the sandbox's own addresses, spelled as the protocol spells them; every other spelling is refused, so
//! that nothing here ever resolves a name or reads an address in more than one way.

use std::collections::BTreeMap;

use bytes::Bytes;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::Curl;
use embedenv_shared::link::ports::Family;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::Full;

/// The longest URL, in bytes.
const MAX_URL: usize = 8 * 1024;
/// The most header fields, and bytes of them in all.
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// The hosts there are, and what each is dialled as. `localhost` is whatever listens.
const HOSTS: [(&str, Family); 4] =
    [("localhost", Family::Any), ("127.0.0.1", Family::V4), ("0.0.0.0", Family::V4), ("[::1]", Family::V6)];

/// A request that may be sent, and where.
#[derive(Debug, Clone)]
pub struct Request {
    pub port: u16,
    pub family: Family,
    pub(super) http: http::Request<Full<Bytes>>,
}

impl Request {
    /// Checks a command. What does not point into the sandbox is `forbidden_target`.
    pub fn check(curl: Curl) -> Result<Self, Failure> {
        let Target { authority, port, family, path } = target(&curl.url)?;
        let mut headers = headers(&curl.headers, curl.data.len())?;
        headers.entry(HOST).or_insert(HeaderValue::try_from(authority).map_err(|_| bad("the URL's host"))?);
        let mut http = http::Request::new(Full::new(Bytes::from(curl.data)));
        *http.method_mut() = method(&curl.method)?;
        *http.uri_mut() = path;
        *http.headers_mut() = headers;
        Ok(Self { port, family, http })
    }
}

struct Target {
    authority: String,
    port: u16,
    family: Family,
    /// In origin form: path and query.
    path: Uri,
}

fn target(url: &str) -> Result<Target, Failure> {
    if url.len() > MAX_URL {
        return Err(Failure::new(ErrorCode::TooLarge, format!("the URL is longer than {MAX_URL} bytes")));
    }
    let scheme = url.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://")).ok_or_else(forbidden)?;
    let rest = &url[scheme.len()..];
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = match authority.rfind(':').filter(|_| !authority.ends_with(']')) {
        Some(colon) => (&authority[..colon], &authority[colon + 1..]),
        None => (authority, ""),
    };
    let family = HOSTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(host)).map(|(_, family)| *family);
    let family = family.ok_or_else(forbidden)?;
    let port = match port {
        "" => 80,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or_else(|| bad("the URL's port"))?
        }
        _ => return Err(forbidden()),
    };
    let path = path.split('#').next().unwrap_or_default();
    Ok(Target { authority: authority.to_ascii_lowercase(), port, family, path: origin_form(path)? })
}

/// Path and query as they go over the wire. What may not stand there is percent-encoded, as a browser would.
fn origin_form(path: &str) -> Result<Uri, Failure> {
    let mut encoded = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        encoded.push('/');
    }
    for byte in path.bytes() {
        match byte {
            0..0x20 | 0x7f => return Err(bad("the URL's path: it has control characters")),
            b' ' | b'"' | b'<' | b'>' | b'`' | b'\\' | b'^' | b'{' | b'|' | b'}' | 0x80.. => {
                encoded.push_str(&format!("%{byte:02X}"));
            }
            _ => encoded.push(char::from(byte)),
        }
    }
    encoded.parse().map_err(|_| bad("the URL's path"))
}

fn method(method: &str) -> Result<Method, Failure> {
    match method.parse() {
        // It asks for a tunnel, and there is nobody at this end of one.
        Ok(Method::CONNECT) | Err(_) => Err(bad("the method")),
        Ok(method) => Ok(method),
    }
}

/// The headers as given, but for those that say how the body travels, which is not the client's to say.
fn headers(given: &BTreeMap<String, String>, body: usize) -> Result<HeaderMap, Failure> {
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if given.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let limits = format!("there are more than {MAX_HEADERS} headers, or {MAX_HEADER_BYTES} bytes of them");
        return Err(Failure::new(ErrorCode::TooLarge, limits));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let shown: String = name.chars().take(64).collect();
        let wrong = || bad(&format!("the header {shown:?}"));
        let name: HeaderName = name.parse().map_err(|_| wrong())?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|_| wrong())?;
        let is_length = name == CONTENT_LENGTH;
        if name == TRANSFER_ENCODING || name == UPGRADE || is_length && value != HeaderValue::from(body) {
            return Err(wrong());
        }
        if name != CONNECTION && !is_length && headers.insert(name, value).is_some() {
            return Err(wrong());
        }
    }
    Ok(headers)
}

fn bad(what: &str) -> Failure {
    Failure::new(ErrorCode::BadRequest, format!("{what} can't be sent"))
}

fn forbidden() -> Failure {
    let message = "the URL must begin with http:// and localhost, 127.0.0.1, [::1] or 0.0.0.0";
    Failure::new(ErrorCode::ForbiddenTarget, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, url: &str, headers: &[(&str, &str)], data: &str) -> Result<Request, Failure> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Request::check(Curl { method: method.into(), url: url.into(), headers, data: data.into() })
    }

    #[test]
    fn urls_into_the_sandbox_are_taken_apart() {
        for (url, host, port, family, path) in [
            ("http://localhost:8000/a?b=c#d", "localhost:8000", 8000, Family::Any, "/a?b=c"),
            ("HTTP://LocalHost", "localhost", 80, Family::Any, "/"),
            ("http://127.0.0.1:1?q", "127.0.0.1:1", 1, Family::V4, "/?q"),
            ("http://0.0.0.0:65535/", "0.0.0.0:65535", 65535, Family::V4, "/"),
            ("http://[::1]:3000/x", "[::1]:3000", 3000, Family::V6, "/x"),
            ("http://[::1]", "[::1]", 80, Family::V6, "/"),
            ("http://localhost:/", "localhost:", 80, Family::Any, "/"),
            ("http://localhost/hello world/ä?x={y}", "localhost", 80, Family::Any, "/hello%20world/%C3%A4?x=%7By%7D"),
            ("http://localhost/a%20b//../c", "localhost", 80, Family::Any, "/a%20b//../c"),
            ("http://localhost/@evil.example", "localhost", 80, Family::Any, "/@evil.example"),
        ] {
            let request = check("GET", url, &[], "").unwrap();
            assert_eq!((request.port, request.family), (port, family), "{url}");
            assert_eq!(request.http.uri().to_string(), path);
            assert_eq!(request.http.headers()[HOST], host);
        }
    }

    #[test]
    fn everything_else_is_a_forbidden_target() {
        for url in [
            "",
            "localhost:8000",
            "//localhost",
            "http:/localhost",
            "http:localhost",
            "http:\\\\localhost",
            " http://localhost",
            "https://localhost",
            "ftp://localhost",
            "file:///etc/passwd",
            "gopher://localhost",
            "http://",
            "http:///x",
            "http://example.com",
            "http://127.0.0.2",
            "http://127.1",
            "http://127.0.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.0.0.1",
            "http://017700000001",
            "http://0177.0.0.1",
            "http://0",
            "http://127.000.000.001",
            "http://127.0.0.1.",
            "http://localhost.",
            "http://localhost.evil.example",
            "http://evil.localhost",
            "http://169.254.169.254/latest/meta-data",
            "http://[::]",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::ffff:127.0.0.1]",
            "http://[::1%25lo]",
            "http://::1",
            "http://[::1",
            "http://user@localhost",
            "http://user:password@localhost",
            "http://localhost@evil.example",
            "http://localhost:80@evil.example",
            "http://evil.example:80#@localhost",
            "http://evil.example\\@localhost",
            "http://localhost\\@evil.example",
            "http://localhost%00",
            "http://local%68ost",
            "http://ⓛocalhost",
            "http://localhost\u{3002}",
            "http://１２７.0.0.1",
            "http://localhost :80",
            "http://localhost:80 ",
            "http://localhost:+80",
            "http://localhost:-1",
            "http://localhost:8a",
            "http://localhost:80:80",
            "http://localhost\r\nhost: x",
            "http://localhost\t",
        ] {
            let failure = check("GET", url, &[], "").unwrap_err();
            assert_eq!(failure.code, ErrorCode::ForbiddenTarget, "{url}: {failure}");
        }
    }

    #[test]
    fn requests_that_would_not_be_one_request_are_refused() {
        let code =
            |method: &str, url: &str, headers: &[(&str, &str)]| check(method, url, headers, "").unwrap_err().code;
        let url = "http://localhost/";
        assert_eq!(code("GET", "http://localhost/\r\nx", &[]), ErrorCode::BadRequest);
        assert_eq!(code("GET", "http://localhost/\0", &[]), ErrorCode::BadRequest);
        assert_eq!(code("GET", "http://localhost:0", &[]), ErrorCode::BadRequest);
        assert_eq!(code("GET", "http://localhost:65536", &[]), ErrorCode::BadRequest);
        assert_eq!(code("GET", &format!("http://localhost/{}", "x".repeat(MAX_URL)), &[]), ErrorCode::TooLarge);
        for method in ["", "GET /", "G\r\nT", "CONNECT", "ä"] {
            assert_eq!(code(method, url, &[]), ErrorCode::BadRequest, "{method}");
        }
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a\r\nb", "x"),
            ("a:", "x"),
            ("a", "x\r\ny: z"),
            ("a", "\0"),
            ("Transfer-Encoding", "chunked"),
            ("upgrade", "websocket"),
            ("content-length", "5"),
            ("content-length", "-0"),
        ] {
            assert_eq!(code("POST", url, &[(name, value)]), ErrorCode::BadRequest, "{name}: {value}");
        }
        assert_eq!(code("GET", url, &[("a", "x"), ("A", "y")]), ErrorCode::BadRequest);
        assert_eq!(code("GET", url, &[("a", &"x".repeat(MAX_HEADER_BYTES))]), ErrorCode::TooLarge);
    }

    #[test]
    fn the_rest_is_sent_as_given() {
        let given = [("Host", "other"), ("X-A", "ä"), ("content-length", "4"), ("connection", "keep-alive")];
        let request = check("PROPFIND", "http://localhost/", &given, "body").unwrap().http;
        assert_eq!(request.method(), "PROPFIND");
        assert_eq!(request.headers()[HOST], "other");
        assert_eq!(request.headers()["x-a"].as_bytes(), "ä".as_bytes());
        assert!(!request.headers().contains_key(CONNECTION));
        assert!(!request.headers().contains_key(CONTENT_LENGTH));
    }
}
