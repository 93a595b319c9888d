//! The details of a failure, as a text to hand on: what was tried, what was said, when, in which page. No key and nothing of
//! the person's own machine but what browser it runs.

use embedenv_shared::code::Failure;

/// The version of the page, which is the server's: both come from one build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is known beside the failure itself.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// When, in RFC 3339.
    pub time: &'a str,
    pub connection: &'a str,
    pub sandbox: &'a str,
    pub role: &'a str,
    pub browser: &'a str,
}

/// The text. It is for programmers and for reports, and the same in each language.
pub fn details(text: &str, failure: Option<&Failure>, around: Circumstances<'_>) -> String {
    let mut lines = vec![format!("what: {text}")];
    if let Some(failure) = failure {
        lines.push(format!("code: {}", failure.code));
        lines.push(format!("server: {}", failure.message));
    }
    let Circumstances { time, connection, sandbox, role, browser } = around;
    lines.push(format!("time: {time}"));
    lines.push(format!("connection: {connection}"));
    lines.push(format!("sandbox: {sandbox}"));
    lines.push(format!("role: {role}"));
    lines.push(format!("version: {VERSION}"));
    lines.push(format!("browser: {browser}"));
    without_keys(&lines.join("\n")) + "\n"
}

/// Takes out what opens a room.
fn without_keys(text: &str) -> String {
    let mut parts = text.split("join=");
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let key = part.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.%".contains(c))).unwrap_or(part.len());
        said += "join=…";
        said += &part[key..];
    }
    said
}

#[cfg(test)]
mod tests {
    use embedenv_shared::code::ErrorCode;

    use super::*;

    #[test]
    fn details_say_what_was_tried_and_hold_no_key() {
        let failure = Failure::new(ErrorCode::NotFound, "no file at https://x/w#join=SECRET-1_2&user=Ada");
        let around = Circumstances {
            time: "2026-01-02T03:04:05Z",
            connection: "connected",
            sandbox: "ready",
            role: "editor",
            browser: "B/1",
        };
        let text = details("x could not be opened.", Some(&failure), around);
        assert!(text.starts_with("what: x could not be opened.\ncode: not_found\nserver: no file"), "{text}");
        assert!(text.contains("join=…&user=Ada") && !text.contains("SECRET"), "{text}");
        assert!(text.contains(VERSION) && text.contains("time: 2026-01-02T03:04:05Z"), "{text}");
    }
}
