//! What people are told: close codes, errors, reasons and exit statuses in words. What happened, what is safe, what to do.

pub mod catalogue;
pub mod details;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{Exit, JoinKey, ReadOnly};
use embedenv_shared::path::ProjectName;

/// The page's own code has failed.
pub const PAGE_FAILED: &str =
    "This page has failed and has to be loaded again. What the room has received is safe; copy what you typed last.";

/// Something to be told on a page of its own or in a banner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub text: String,
    /// What the button says that tries again.
    pub again: &'static str,
}

fn notice(title: &str, text: impl Into<String>) -> Notice {
    Notice { title: title.to_owned(), text: text.into(), again: "Try again" }
}

/// What follows from the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterClose {
    /// It is tried again by itself.
    Again(Told),
    /// Trying again by itself is of no use.
    Stop(Notice),
}

/// What is said of a connection that broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Nothing,
    Message(String),
    /// True only until the page is connected again.
    WhileAway(String),
}

/// What a closed connection means: its close code, the error before it, and whether the room was joined.
pub fn after_close(code: u16, error: Option<&Failure>, joined: bool) -> AfterClose {
    let safe = "What the room has saved is safe.";
    AfterClose::Stop(match (code, error) {
        (4401, _) => notice("The key was not accepted", "Ask whoever gave you the link for a new one."),
        (4402, _) => notice("There are no credits left", "The host of this room has to get new credits."),
        (4404, _) if joined => notice(
            "Your access has ended",
            format!("The link you came with was taken back. {safe} Ask for a new link."),
        ),
        (4404, _) => notice(
            "This link does not work",
            "Its key is not known here, has expired or was taken back. Ask for a new link.",
        ),
        (4410, _) => {
            notice("The room has ended", "Its time was over or its host ended it. Ask for a link to a new one.")
        }
        (4429, _) => notice(
            "Too many attempts",
            "From your address came too many attempts with keys that don't work. Wait a minute, then try again.",
        ),
        (4503, error) => notice(
            "The sandbox did not start",
            format!("{} The room's files are safe. Try again in a moment.", error.map_or("", |error| &error.message)),
        ),
        (1008, Some(error)) => match error.code {
            ErrorCode::LimitReached => notice("The room is full", format!("{}.", sentence(&error.message))),
            _ => notice("The server refused to let you in", format!("It said: {}.", error.message)),
        },
        (4413, _) => {
            return AfterClose::Again(Told::Message(
                "Output came faster than this page could take it; it has joined again.".into(),
            ));
        }
        (1009, _) => {
            return AfterClose::Again(Told::Message(
                "Something was larger than the server takes in one message, and was not sent.".into(),
            ));
        }
        (1012, _) => {
            return AfterClose::Again(Told::WhileAway(
                "The server is being restarted. The page comes back by itself.".into(),
            ));
        }
        _ => return AfterClose::Again(Told::Nothing),
    })
}

/// The page was opened without a key.
pub fn no_key() -> Notice {
    notice(
        "This link is not complete",
        "It has to end in #join= and a key. Copy the whole link again, or ask whoever gave it to you.",
    )
}

/// The server does not answer, before the room was joined.
pub fn no_answer() -> Notice {
    notice("The server does not answer", "It is tried again by itself. Check your network if this stays.")
}

/// The page's own scripts could not be loaded.
pub fn no_module(what: &str) -> String {
    format!("The {what} could not be loaded. Check your network, then reload the page; the room's files are safe.")
}

/// A failed request: what was tried, and why it came to nothing.
pub fn failed(what: &str, failure: &Failure) -> String {
    let why = match failure.code {
        ErrorCode::NotFound => "it is not there any more".to_owned(),
        ErrorCode::AlreadyExists => "there is something by that name already".to_owned(),
        ErrorCode::Forbidden => "your link allows looking on and nothing else".to_owned(),
        ErrorCode::QuotaExceeded => "the room's disk is full. Delete something first".to_owned(),
        ErrorCode::SandboxUnavailable => "the sandbox does not run. Start it again".to_owned(),
        ErrorCode::Unavailable => "there is no connection. Try again when it is back".to_owned(),
        ErrorCode::NotRegular => "it is neither a file nor a folder".to_owned(),
        _ => failure.message.trim().trim_end_matches('.').to_owned(),
    };
    format!("{what}: {why}.")
}

/// A message of the server's as a sentence without its full stop.
fn sentence(message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Since when there is no connection, and what waits for it.
pub fn away(since: &str, files: usize, commands: usize) -> String {
    let count = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        more => Some(format!("{more} {what}s")),
    };
    let waiting: Vec<String> = [count(files, "file"), count(commands, "command")].into_iter().flatten().collect();
    match (waiting.is_empty(), files + commands) {
        (true, _) => format!("since {since}"),
        (false, 1) => format!("since {since}, {} waits", waiting.join(" and ")),
        (false, _) => format!("since {since}, {} wait", waiting.join(" and ")),
    }
}

pub fn too_much_waits() -> &'static str {
    "This was not typed: too much waits for the connection already."
}

/// How long and how often a link is good; `now` in milliseconds since 1970.
pub fn link_is_good(key: &JoinKey, now: u64) -> String {
    let left = key.uses.map(|uses| uses.saturating_sub(key.used));
    let time = key.expires.map(|expires| expires.saturating_sub(now) / 60_000);
    if time == Some(0) && key.expires.is_some_and(|expires| expires <= now) {
        return "has expired".to_owned();
    }
    if left == Some(0) {
        return "is used up".to_owned();
    }
    if key.over {
        return "is revoked".to_owned();
    }
    let time = time.map(|minutes| match minutes {
        0..2 => "for a minute".to_owned(),
        2..120 => format!("for {minutes} minutes"),
        120..2880 => format!("for {} hours", minutes / 60),
        _ => format!("for {} days", minutes / 1440),
    });
    let uses = left.map(|left| if left == 1 { "for one more".to_owned() } else { format!("for {left} more") });
    match (time, uses) {
        (None, None) => "until the room ends".to_owned(),
        (time, uses) => [time, uses].into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

/// Commands that nobody can tell of.
pub fn uncertain(count: usize) -> String {
    let what = if count == 1 { "A command was".to_owned() } else { format!("{count} commands were") };
    format!(
        "{what} on the way when the connection broke, and may have been carried out or not. Look before you repeat."
    )
}

pub fn elsewhere(user: &str, project: &ProjectName) -> String {
    format!("{user} is in the project {project}.")
}

pub fn nowhere(user: &str) -> String {
    format!("{user} has no file in front.")
}

/// Why a file can't be edited.
pub fn read_only(why: ReadOnly) -> &'static str {
    match why {
        ReadOnly::NotText => {
            "Read-only: this file is not text in UTF-8. Bytes that are not text are shown as \u{fffd}. Download it to see it as it is."
        }
        ReadOnly::Binary => "This file is not text, so there is nothing to edit. Download it to use it.",
        ReadOnly::TooLarge => {
            "Read-only: this file is over 2 MB, and only its beginning is shown. Download it to see all of it."
        }
        ReadOnly::Role => {
            "Read-only: your link lets you look on. Ask the host for a link of an editor to change files."
        }
    }
}

/// How a program ended and what it took, in words: "Exited with 0 after 1.2 s, 14 MB".
pub fn ended(exit: Exit) -> String {
    let how = match exit {
        Exit { code: Some(126), .. } => "Could not be run (exit code 126)".to_owned(),
        Exit { code: Some(127), .. } => "A command was not found (exit code 127)".to_owned(),
        Exit { code: Some(code), .. } => format!("Exited with {code}"),
        Exit { signal: Some(2), .. } => "Interrupted".to_owned(),
        Exit { signal: Some(9), .. } => "Killed (signal 9)".to_owned(),
        Exit { signal: Some(11), .. } => "Crashed: it touched memory that was not its own (signal 11)".to_owned(),
        Exit { signal: Some(15), .. } => "Stopped (signal 15)".to_owned(),
        Exit { signal: Some(signal), .. } => format!("Ended by signal {signal}"),
        Exit { .. } => "Ended".to_owned(),
    };
    let after = exit.elapsed.map(|elapsed| format!(" after {}", duration(elapsed))).unwrap_or_default();
    let took = exit.memory.map(|memory| format!(", {}", memory_size(memory))).unwrap_or_default();
    format!("{how}{after}{took}")
}

/// What is said aloud of the end of a run: "main.py ended: exit code 1 after 0.3 s".
pub fn ended_aloud(name: &str, exit: Exit) -> String {
    let how = match exit {
        Exit { code: Some(code), .. } => format!("exit code {code}"),
        Exit { signal: Some(2), .. } => "interrupted".to_owned(),
        Exit { signal: Some(15), .. } => "stopped".to_owned(),
        Exit { signal: Some(9), .. } => "killed".to_owned(),
        Exit { signal: Some(signal), .. } => format!("signal {signal}"),
        Exit { .. } => return format!("{name} ended"),
    };
    let after = exit.elapsed.map(|elapsed| format!(" after {}", duration(elapsed))).unwrap_or_default();
    format!("{name} ended: {how}{after}")
}

/// A time in milliseconds for people: "40 ms", "1.2 s", "2 min 5 s", "1 h 3 min".
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..100 => format!("{milliseconds} ms"),
        100..60_000 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// An amount of memory, without digits that mean nothing.
fn memory_size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    match bytes {
        0..MIB => format!("{} kB", bytes.div_ceil(1024)),
        MIB..1_073_741_824 => format!("{} MB", bytes / MIB),
        _ => format!("{}.{} GB", bytes / (MIB << 10), bytes % (MIB << 10) * 10 / (MIB << 10)),
    }
}

/// A size for people.
pub fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..KIB => format!("{bytes} bytes"),
        KIB..1_048_576 => format!("{}.{} kB", bytes / KIB, bytes % KIB * 10 / KIB),
        _ => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

/// The language of what has none.
pub const PLAIN_TEXT: &str = "Plain text";

/// What a file is written in, by its name, for the status line.
pub fn language(name: &str) -> &'static str {
    let lower = name.to_ascii_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "py" => "Python",
        "js" | "mjs" | "cjs" | "jsx" => "JavaScript",
        "ts" | "mts" | "tsx" => "TypeScript",
        "rs" => "Rust",
        "c" | "h" => "C",
        "cc" | "cpp" | "cxx" | "hpp" => "C++",
        "go" => "Go",
        "java" => "Java",
        "html" | "htm" => "HTML",
        "css" => "CSS",
        "json" => "JSON",
        "md" | "markdown" => "Markdown",
        "sh" | "bash" => "Shell",
        _ if lower == "makefile" => "Makefile",
        _ => PLAIN_TEXT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_do_not_work_stop_the_page_and_broken_connections_do_not() {
        for code in [4401, 4402, 4404, 4410, 4429, 4503] {
            assert!(matches!(after_close(code, None, false), AfterClose::Stop(_)), "{code}");
        }
        for code in [1000, 1005, 1006, 1009, 1011, 1012, 4408, 4413] {
            assert!(matches!(after_close(code, None, true), AfterClose::Again(_)), "{code}");
        }
    }

    #[test]
    fn a_full_room_and_a_revoked_link_are_told_apart_from_a_bad_one() {
        let title = |outcome| match outcome {
            AfterClose::Stop(notice) => notice.title,
            AfterClose::Again(_) => panic!("it stops"),
        };
        let full = Failure::new(ErrorCode::LimitReached, "the room has its 50 members already");
        assert_eq!(title(after_close(1008, Some(&full), false)), "The room is full");
        assert_eq!(title(after_close(4404, None, true)), "Your access has ended");
        assert_eq!(title(after_close(4404, None, false)), "This link does not work");
    }

    #[test]
    fn errors_say_what_was_tried_and_why_it_came_to_nothing() {
        let failure = Failure::new(ErrorCode::BadPath, "the path must not contain '..'");
        assert_eq!(failed("x could not be made", &failure), "x could not be made: the path must not contain '..'.");
    }

    #[test]
    fn the_end_of_a_program_is_told_with_what_it_took() {
        let exit = Exit { code: Some(0), signal: None, elapsed: Some(1_234), memory: Some(14 << 20) };
        assert_eq!(ended(exit), "Exited with 0 after 1.2 s, 14 MB");
        assert_eq!(ended(Exit { code: Some(1), ..Exit::default() }), "Exited with 1");
        let stopped = Exit { code: None, signal: Some(2), elapsed: Some(300), memory: Some(900 << 10) };
        assert_eq!(ended(stopped), "Interrupted after 0.3 s, 900 kB");
        let failed = Exit { code: Some(1), elapsed: Some(300), ..Exit::default() };
        assert_eq!(ended_aloud("main.py", failed), "main.py ended: exit code 1 after 0.3 s");
        assert_eq!(ended_aloud("main.py", stopped), "main.py ended: interrupted after 0.3 s");
        let times = [duration(9), duration(100), duration(59_999), duration(125_000), duration(3_780_000)];
        assert_eq!(times, ["9 ms", "0.1 s", "59.9 s", "2 min 5 s", "1 h 3 min"]);
        assert_eq!(memory_size(3 << 29), "1.5 GB");
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!([size(3), size(2048), size(5 << 20)], ["3 bytes", "2.0 kB", "5.0 MB"]);
    }

    #[test]
    fn what_waits_is_said_with_its_number() {
        assert_eq!(away("14:03", 0, 0), "since 14:03");
        assert_eq!(away("14:03", 1, 0), "since 14:03, 1 file waits");
        assert_eq!(away("14:03", 0, 2), "since 14:03, 2 commands wait");
        assert_eq!(away("14:03", 1, 1), "since 14:03, 1 file and 1 command wait");
    }

    #[test]
    fn a_link_says_how_long_and_how_often_it_is_good() {
        let key = |expires, uses, used| JoinKey {
            number: 2,
            join: String::new(),
            role: embedenv_shared::id::Role::Viewer,
            created: 0,
            created_by: None,
            expires,
            uses,
            used,
            over: false,
            people: Vec::new(),
        };
        let said = |expires: Option<u64>, uses, used| link_is_good(&key(expires, uses, used), 1_000_000);
        assert_eq!(said(None, None, 7), "until the room ends");
        assert_eq!(said(Some(1_000_000 + 3_600_000), None, 0), "for 60 minutes");
        assert_eq!(said(Some(1_000_000 + 8 * 86_400_000), Some(5), 4), "for 8 days, for one more");
        assert_eq!(said(Some(1_000_000), Some(5), 0), "has expired");
        assert_eq!(said(None, Some(5), 5), "is used up");
        assert_eq!(link_is_good(&JoinKey { over: true, ..key(None, None, 0) }, 0), "is revoked");
    }
}
