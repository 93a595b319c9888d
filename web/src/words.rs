//! What people are told: close codes, errors, reasons and exit statuses in words. What happened, what is safe, what to do.

pub mod catalogue;
pub mod details;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{Exit, JoinKey, ReadOnly};
use embedenv_shared::path::ProjectName;

use catalogue::{count, say};

use crate::state::languages::language_of;

/// The page's own code has failed.
pub fn page_failed() -> &'static str {
    say!("page-failed")
}

/// Something to be told on a page of its own or in a banner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub text: String,
    /// What the button says that tries again.
    pub again: &'static str,
}

fn notice(title: &str, text: impl Into<String>) -> Notice {
    Notice { title: title.to_owned(), text: text.into(), again: say!("notice.again") }
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
    let again = |text: &str| AfterClose::Again(Told::Message(text.to_owned()));
    AfterClose::Stop(match (code, error) {
        (4401, _) => notice(say!("close.key"), say!("close.key.text")),
        (4402, _) => notice(say!("close.credits"), say!("close.credits.text")),
        (4404, _) if joined => notice(say!("close.revoked"), say!("close.revoked.text")),
        (4404, _) => notice(say!("close.unknown"), say!("close.unknown.text")),
        (4410, _) => notice(say!("close.room"), say!("close.room.text")),
        (4429, _) => notice(say!("close.attempts"), say!("close.attempts.text")),
        (4503, error) => {
            let why = error.map_or("", |error| &error.message);
            notice(say!("close.sandbox"), say!("close.sandbox.text", why = why))
        }
        (1008, Some(error)) => match error.code {
            ErrorCode::LimitReached => {
                notice(say!("close.full"), say!("close.full.text", why = sentence(&error.message)))
            }
            _ => notice(say!("close.refused"), say!("close.refused.text", why = error.message)),
        },
        (4413, _) => return again(say!("close.output")),
        (1009, _) => return again(say!("close.too-large")),
        (1012, _) => return AfterClose::Again(Told::WhileAway(say!("close.restart").to_owned())),
        _ => return AfterClose::Again(Told::Nothing),
    })
}

/// The page was opened without a key.
pub fn no_key() -> Notice {
    notice(say!("no-key"), say!("no-key.text"))
}

/// The server does not answer, before the room was joined.
pub fn no_answer() -> Notice {
    notice(say!("no-answer"), say!("no-answer.text"))
}

/// The page's own scripts could not be loaded.
pub fn no_module(what: &str) -> String {
    say!("no-module", what = what)
}

/// A failed request: what was tried, and why it came to nothing.
pub fn failed(what: &str, failure: &Failure) -> String {
    let why = match failure.code {
        ErrorCode::NotFound => say!("why.not-there").to_owned(),
        ErrorCode::AlreadyExists => say!("why.exists").to_owned(),
        ErrorCode::Forbidden => say!("why.forbidden").to_owned(),
        ErrorCode::QuotaExceeded => say!("why.full").to_owned(),
        ErrorCode::SandboxUnavailable => say!("why.sandbox").to_owned(),
        ErrorCode::Unavailable => say!("why.unavailable").to_owned(),
        ErrorCode::NotRegular => say!("why.not-regular").to_owned(),
        _ => failure.message.trim().trim_end_matches('.').to_owned(),
    };
    say!("failed", what = what, why = why)
}

/// A message of the server's as a sentence without its full stop.
fn sentence(message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Since when there is no connection, and what waits for it.
pub fn away(since: &str, files: usize, commands: usize) -> String {
    let files_wait = (files > 0).then(|| count!("away.files", files));
    let commands_wait = (commands > 0).then(|| count!("away.commands", commands));
    match (files_wait, commands_wait) {
        (None, None) => say!("away.since", since = since),
        (Some(files), Some(commands)) => say!("away.both-wait", since = since, files = files, commands = commands),
        (Some(what), None) => count!("away.wait", files, since = since, what = what),
        (None, Some(what)) => count!("away.wait", commands, since = since, what = what),
    }
}

pub fn too_much_waits() -> &'static str {
    say!("too-much-waits")
}

/// How long and how often a link is good; `now` in milliseconds since 1970.
pub fn link_is_good(key: &JoinKey, now: u64) -> String {
    let left = key.uses.map(|uses| uses.saturating_sub(key.used));
    let time = key.expires.map(|expires| expires.saturating_sub(now) / 60_000);
    if time == Some(0) && key.expires.is_some_and(|expires| expires <= now) {
        return say!("link.expired").to_owned();
    }
    if left == Some(0) {
        return say!("link.used-up").to_owned();
    }
    if key.over {
        return say!("link.revoked").to_owned();
    }
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let time = time.map(|minutes| match minutes {
        0..120 => count!("link.minutes", number(minutes.max(1))),
        120..2880 => count!("link.hours", number(minutes / 60)),
        _ => count!("link.days", number(minutes / 1440)),
    });
    let uses = left.map(|left| count!("link.uses", left as usize));
    match (time, uses) {
        (None, None) => say!("link.until-end").to_owned(),
        (time, uses) => [time, uses].into_iter().flatten().collect::<Vec<_>>().join(", "),
    }
}

/// Commands that nobody can tell of.
pub fn uncertain(count: usize) -> String {
    count!("uncertain", count)
}

pub fn elsewhere(user: &str, project: &ProjectName) -> String {
    say!("person.elsewhere", user = user, project = project)
}

pub fn nowhere(user: &str) -> String {
    say!("person.nowhere", user = user)
}

/// What a program complained of, short enough for a message: its first lines that say something, without what is told to
/// terminals alone.
pub fn first_lines(text: &str) -> String {
    const LINES: usize = 3;
    const LENGTH: usize = 300;
    let plain = without_escapes(text);
    let lines = plain.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES);
    let said: String = lines.collect::<Vec<_>>().join(" ");
    match said.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said,
    }
}

/// The text without the sequences that begin with an escape character and set colours.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part
            .strip_prefix('[')
            .and_then(|rest| rest.find(|c: char| c.is_ascii_alphabetic()).map(|at| &rest[at + 1..]));
        plain.push_str(rest.unwrap_or(part));
    }
    plain
}

/// Why a file can't be edited.
pub fn read_only(why: ReadOnly) -> &'static str {
    match why {
        ReadOnly::NotText => say!("read-only.not-text"),
        ReadOnly::Binary => say!("read-only.binary"),
        ReadOnly::TooLarge => say!("read-only.too-large"),
        ReadOnly::Role => say!("read-only.role"),
    }
}

/// How a program ended and what it took, in words: "Exited with 0 after 1.2 s, 14 MB".
pub fn ended(exit: Exit) -> String {
    let how = match exit {
        Exit { code: Some(126), .. } => say!("ended.not-run").to_owned(),
        Exit { code: Some(127), .. } => say!("ended.not-found").to_owned(),
        Exit { code: Some(code), .. } => say!("ended.status", code = code),
        Exit { signal: Some(2), .. } => say!("ended.interrupted").to_owned(),
        Exit { signal: Some(9), .. } => say!("ended.killed").to_owned(),
        Exit { signal: Some(11), .. } => say!("ended.crashed").to_owned(),
        Exit { signal: Some(15), .. } => say!("ended.stopped").to_owned(),
        Exit { signal: Some(signal), .. } => say!("ended.signal", signal = signal),
        Exit { .. } => say!("ended").to_owned(),
    };
    let how = match exit.elapsed {
        Some(elapsed) => say!("ended.after", how = how, time = duration(elapsed)),
        None => how,
    };
    match exit.memory {
        Some(memory) => say!("ended.took", how = how, memory = memory_size(memory)),
        None => how,
    }
}

/// What is said aloud of the end of a run: "main.py ended: exit code 1 after 0.3 s".
pub fn ended_aloud(name: &str, exit: Exit) -> String {
    let how = match exit {
        Exit { code: Some(code), .. } => say!("aloud.code", code = code),
        Exit { signal: Some(2), .. } => say!("aloud.interrupted").to_owned(),
        Exit { signal: Some(15), .. } => say!("aloud.stopped").to_owned(),
        Exit { signal: Some(9), .. } => say!("aloud.killed").to_owned(),
        Exit { signal: Some(signal), .. } => say!("aloud.signal", signal = signal),
        Exit { .. } => return say!("aloud.ended", name = name),
    };
    let how = match exit.elapsed {
        Some(elapsed) => say!("ended.after", how = how, time = duration(elapsed)),
        None => how,
    };
    say!("aloud.ended.how", name = name, how = how)
}

/// A time in milliseconds for people: "40 ms", "1.2 s", "2 min 5 s", "1 h 3 min".
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..100 => format!("{milliseconds} ms"),
        100..60_000 => format!("{} s", tenths(seconds, milliseconds % 1000 / 100)),
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
        _ => format!("{} GB", tenths(bytes / (MIB << 10), bytes % (MIB << 10) * 10 / (MIB << 10))),
    }
}

/// A size for people.
pub fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    match bytes {
        0..KIB => count!("size.bytes", bytes as usize),
        KIB..1_048_576 => say!("size.kilobytes", size = tenths(bytes / KIB, bytes % KIB * 10 / KIB)),
        _ => say!("size.megabytes", size = tenths(bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576)),
    }
}

/// A number with one digit behind its point, as the language that is spoken writes it.
fn tenths(whole: u64, tenths: u64) -> String {
    format!("{whole}{}{tenths}", say!("number.point"))
}

/// What a file is written in, by its name, for the status line.
pub fn language(name: &str) -> &'static str {
    language_of(name).map_or_else(|| say!("language.plain-text"), |language| language.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::catalogue::{Language, speak};

    #[test]
    fn a_complaint_is_told_by_its_first_lines_and_without_colours() {
        let said = "\u{1b}[31m[error]\u{1b}[39m x.js: no\n\n  > 1 | (\nthree\nfour";
        assert_eq!(first_lines(said), "[error] x.js: no > 1 | ( three");
        assert_eq!(first_lines(&"é".repeat(400)).chars().count(), 301);
    }

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
        let exit = Exit { code: Some(0), elapsed: Some(1_234), memory: Some(14 << 20), ..Exit::default() };
        assert_eq!(ended(exit), "Exited with 0 after 1.2 s, 14 MB");
        assert_eq!(ended(Exit { code: Some(1), ..Exit::default() }), "Exited with 1");
        let stopped = Exit { signal: Some(2), elapsed: Some(300), memory: Some(900 << 10), ..Exit::default() };
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
        speak(Some(Language::new("de", "number.point = ,", Box::new(|_| "other".to_owned()))));
        assert_eq!([size(2048), duration(1_234), memory_size(3 << 29)], ["2,0 kB", "1,2 s", "1,5 GB"]);
        speak(None);
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
            minutes: None,
            spent: 0,
            over: false,
            people: Vec::new(),
            before: Vec::new(),
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
