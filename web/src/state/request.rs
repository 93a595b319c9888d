//! A request to a server in the sandbox as a person makes it up: what it says, whether it can be sent, and the same as a
//! command line of curl's. Pure; it is sent by `workbench::requests`.

use serde::de::IgnoredAny;

use crate::words::catalogue::say;
use serde::{Deserialize, Serialize};

/// Requests that are remembered; the oldest make room.
pub const MAX_HISTORY: usize = 20;
/// A request with a longer body is sent and not remembered, in bytes.
const MAX_REMEMBERED: usize = 64 * 1024;
pub const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
/// Names that the form completes.
pub const HEADERS: [&str; 14] = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "Cookie",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "Origin",
    "Range",
    "User-Agent",
    "X-Requested-With",
];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    pub method: String,
    /// As it was typed.
    pub port: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub kind: BodyKind,
    pub body: String,
}

/// What the body is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyKind {
    #[default]
    Nothing,
    Json,
    Form,
    Text,
}

impl BodyKind {
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Json, Self::Form, Self::Text];

    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => say!("request.kind.nothing"),
            Self::Json => say!("request.kind.json"),
            Self::Form => say!("request.kind.form"),
            Self::Text => say!("request.kind.text"),
        }
    }

    fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Json => Some("application/json"),
            Self::Form => Some("application/x-www-form-urlencoded"),
            Self::Text => Some("text/plain; charset=utf-8"),
        }
    }
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: METHODS[0].to_owned(),
            port: "8000".to_owned(),
            path: String::new(),
            headers: Vec::new(),
            kind: BodyKind::Nothing,
            body: String::new(),
        }
    }
}

impl Request {
    pub fn url(&self) -> String {
        format!("http://localhost:{}/{}", self.port.trim(), self.path.trim().trim_start_matches('/'))
    }

    /// The headers that have a name, and the one that says what the body is, if none of them does.
    pub fn all_headers(&self) -> Vec<(String, String)> {
        let named = self.headers.iter().filter(|(name, _)| !name.trim().is_empty());
        let mut headers: Vec<_> =
            named.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
        if let Some(kind) = self.kind.content_type()
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("Content-Type".to_owned(), kind.to_owned()));
        }
        headers
    }

    pub fn data(&self) -> Option<&str> {
        (self.kind != BodyKind::Nothing && !self.body.is_empty()).then_some(self.body.as_str())
    }

    /// Why it can't be sent as it is, if it can't.
    pub fn problem(&self) -> Option<String> {
        if !self.port.trim().parse::<u16>().is_ok_and(|port| port > 0) {
            return Some(say!("request.bad-port").to_owned());
        }
        let is_token =
            |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        let headers = self.all_headers();
        if let Some((name, _)) = headers.iter().find(|(name, _)| !is_token(name)) {
            return Some(say!("request.bad-name", name = name));
        }
        if let Some((name, _)) = headers.iter().find(|(_, value)| value.chars().any(|c| c.is_control() && c != '\t')) {
            return Some(say!("request.bad-value", name = name));
        }
        let twice = |at: usize| headers[..at].iter().any(|(name, _)| name.eq_ignore_ascii_case(&headers[at].0));
        if let Some(at) = (0..headers.len()).find(|at| twice(*at)) {
            return Some(say!("request.twice", name = headers[at].0));
        }
        None
    }

    /// What is wrong with a body that is said to be JSON. It can be sent all the same: a server's answer to it may be
    /// what is looked for.
    pub fn body_problem(&self) -> Option<String> {
        if self.kind != BodyKind::Json || self.body.trim().is_empty() {
            return None;
        }
        let error = serde_json::from_str::<IgnoredAny>(&self.body).err()?;
        let what = error.to_string();
        let what = what.split(" at line").next().unwrap_or_default();
        Some(say!("request.no-json", line = error.line(), what = what))
    }

    /// The same on a command line, for a shell inside the sandbox.
    pub fn curl(&self) -> String {
        let mut line = "curl -i".to_owned();
        match self.method.as_str() {
            "GET" => {}
            "HEAD" => line = "curl -I".to_owned(),
            method => line.push_str(&format!(" -X {method}")),
        }
        for (name, value) in self.all_headers() {
            line.push_str(&format!(" -H {}", quoted(&format!("{name}: {value}"))));
        }
        if let Some(body) = self.data() {
            line.push_str(&format!(" --data-raw {}", quoted(body)));
        }
        format!("{line} {}", quoted(&self.url()))
    }

    /// What it is called in the list of those before.
    pub fn title(&self) -> String {
        format!("{} :{}/{}", self.method, self.port.trim(), self.path.trim().trim_start_matches('/'))
    }
}

/// Puts a request before those of before, of which an equal one goes.
pub fn remember(history: &mut Vec<Request>, request: &Request) {
    if request.body.len() > MAX_REMEMBERED {
        return;
    }
    history.retain(|other| other != request);
    history.insert(0, request.clone());
    history.truncate(MAX_HISTORY);
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_brings_its_type_unless_a_header_says_another() {
        let mut request = Request { kind: BodyKind::Json, body: "{}".into(), ..Request::default() };
        assert_eq!(request.all_headers(), [("Content-Type".to_owned(), "application/json".to_owned())]);
        request.headers = vec![("content-type".into(), " text/x ".into()), (" ".into(), "x".into())];
        assert_eq!(request.all_headers(), [("content-type".to_owned(), "text/x".to_owned())]);
        request.kind = BodyKind::Nothing;
        assert_eq!(request.data(), None);
    }

    #[test]
    fn what_can_not_be_sent_says_why() {
        let fine = Request { path: "/a?b=1".into(), ..Request::default() };
        assert_eq!((fine.problem(), fine.url().as_str()), (None, "http://localhost:8000/a?b=1"));
        let port = |port: &str| Request { port: port.into(), ..Request::default() }.problem();
        assert!(port("0").is_some() && port("65536").is_some() && port("").is_some() && port(" 80 ").is_none());
        let header = |name: &str, value: &str| {
            Request { headers: vec![(name.into(), value.into()), ("Accept".into(), "x".into())], ..Request::default() }
                .problem()
        };
        assert!(header("a b", "x").is_some() && header("x", "a\nb").is_some() && header("accept", "y").is_some());
        assert_eq!(header("X-A", "y"), None);
    }

    #[test]
    fn a_body_that_is_no_json_is_told_with_its_line() {
        let said =
            |body: &str| Request { kind: BodyKind::Json, body: body.into(), ..Request::default() }.body_problem();
        assert_eq!(said("{\"a\": [1, 2]}"), None);
        assert_eq!(said("{\n\"a\": }").as_deref(), Some("Not JSON, line 2: expected value."));
    }

    #[test]
    fn as_a_command_line_everything_is_one_word() {
        let request = Request {
            method: "POST".into(),
            path: "it's".into(),
            headers: vec![("X-A".into(), "$(x)".into())],
            kind: BodyKind::Text,
            body: "a b".into(),
            ..Request::default()
        };
        assert_eq!(
            request.curl(),
            r"curl -i -X POST -H 'X-A: $(x)' -H 'Content-Type: text/plain; charset=utf-8' --data-raw 'a b' 'http://localhost:8000/it'\''s'"
        );
    }

    #[test]
    fn the_last_requests_are_remembered_once_each() {
        let mut history = Vec::new();
        for at in 0..25 {
            remember(&mut history, &Request { path: at.to_string(), ..Request::default() });
        }
        assert_eq!((history.len(), history[0].path.as_str()), (MAX_HISTORY, "24"));
        remember(&mut history, &Request { path: "20".into(), ..Request::default() });
        assert_eq!((history.len(), history[0].path.as_str(), history[1].path.as_str()), (MAX_HISTORY, "20", "24"));
    }
}
