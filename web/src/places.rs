//! Finds in a text what can be gone to: files with a line, as people and programs write them, and addresses of the web.
//! Messages and terminals both use it. Pure; whether a file is there is for the caller to know.

use std::ops::Range;

use embedenv_shared::path::{ProjectName, WorkspacePath};

use crate::state::languages::language_of;

/// Something in a text that can be gone to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of the project, with line and column if they are named.
    Place {
        path: WorkspacePath,
        at: Option<(u32, u32)>,
    },
    Address,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    Place { text: &'a str, path: WorkspacePath, at: Option<(u32, u32)> },
    Address(&'a str),
}

/// What stands around a name and is not of it.
const AROUND: [char; 12] = ['(', ')', '[', ']', '<', '>', '"', '\'', '`', ',', ';', '!'];

/// The pieces of a message, in order; joined they are the text. `is_file` says whether there is a file by a path.
pub fn pieces<'a>(text: &'a str, home: &ProjectName, is_file: impl Fn(&WorkspacePath) -> bool) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    for Found { range, target } in find(text, home) {
        let word = &text[range.clone()];
        let piece = match target {
            Target::Address => Piece::Address(word),
            Target::Place { path, at } => {
                let is_likely = at.is_some() && looks_like_file(&path);
                if !is_likely && !is_file(&path) {
                    continue;
                }
                Piece::Place { text: word, path, at }
            }
        };
        if plain < range.start {
            pieces.push(Piece::Text(&text[plain..range.start]));
        }
        plain = range.end;
        pieces.push(piece);
    }
    if plain < text.len() {
        pieces.push(Piece::Text(&text[plain..]));
    }
    pieces
}

/// Whether a path would be taken for a file's by its looks alone.
pub fn looks_like_file(path: &WorkspacePath) -> bool {
    path.as_str().contains('/') || language_of(path.as_str()).is_some()
}

/// Everything in a text that may lead somewhere, in order. Paths that begin with the home of `project` are of it; other
/// absolute ones are nobody's here.
pub fn find(text: &str, project: &ProjectName) -> Vec<Found> {
    let home = format!("/home/user/{project}/");
    let mut found: Vec<Found> = Vec::new();
    for word in text.split_whitespace() {
        // Of this text, and so at a place in it.
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        if found.last().is_some_and(|last| last.range.end > start) {
            continue;
        }
        let inner = word.trim_matches(AROUND).trim_end_matches(['.', ':', '?']).trim_end_matches(AROUND);
        let from = start + (inner.as_ptr() as usize - word.as_ptr() as usize);
        if is_address(inner) {
            found.push(Found { range: from..from + inner.len(), target: Target::Address });
            continue;
        }
        let place = python(text, start, &home)
            .or_else(|| named_line(text, from, inner, &home))
            .or_else(|| place(inner, &home).map(|(range, path, at)| (from + range.start..from + range.end, path, at)));
        if let Some((range, path, at)) = place {
            found.push(Found { range, target: Target::Place { path, at } });
        }
    }
    found
}

/// Where a path stands, the path, and line and column.
type Place = (Range<usize>, WorkspacePath, Option<(u32, u32)>);

fn is_address(word: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        word.strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_alphanumeric() || first == '['))
    })
}

/// A path as programs print it: relative, or absolute within the project's home, or as an address of a file.
fn path(text: &str, home: &str) -> Option<WorkspacePath> {
    let text = text.strip_prefix("file://").unwrap_or(text);
    if text.contains("://") || text.contains(char::is_control) {
        return None;
    }
    WorkspacePath::parse(text.strip_prefix(home).unwrap_or(text)).ok()
}

/// Python's `File "a name.py", line 3`, from its first quote on.
fn python(text: &str, start: usize, home: &str) -> Option<Place> {
    let rest = &text[start..];
    let name = rest.strip_prefix("File \"")?;
    let (name, after) = name.split_once('"')?;
    let (line, length) = number(after.strip_prefix(", line ")?)?;
    let from = start + "File ".len();
    let end = from + name.len() + "\"\", line ".len() + length;
    Some((from..end, path(name, home)?, Some((line, 1))))
}

/// A shell's `run.sh: line 3: …`, and `"a.rb", line 3`.
fn named_line(text: &str, from: usize, name: &str, home: &str) -> Option<Place> {
    let after = text.get(from + name.len()..)?;
    let sign = [": line ", "\", line ", ", line "].into_iter().find(|sign| after.starts_with(sign))?;
    let (line, length) = number(&after[sign.len()..])?;
    Some((from..from + name.len() + sign.len() + length, path(name, home)?, Some((line, 1))))
}

/// `path`, `path:line`, `path:line:column`, `path:line:text`, `path(line,column)`, `path::test`, and any of them in
/// parentheses behind a word.
fn place(word: &str, home: &str) -> Option<Place> {
    if let Some((head, tail)) = word.rsplit_once('(') {
        if let Some(at) = pair(tail) {
            return Some((0..word.len(), path(head, home)?, Some(at)));
        }
        // `Main.main(Main.java:3`: the parenthesis behind it is cut off already.
        let offset = head.len() + 1;
        return place(tail, home).map(|(range, path, at)| (offset + range.start..offset + range.end, path, at));
    }
    let scheme = if word.starts_with("file://") { "file://".len() } else { 0 };
    let (name, rest) = match word[scheme..].find(':') {
        Some(colon) => word.split_at(scheme + colon),
        None => (word, ""),
    };
    let path = path(name, home)?;
    if rest.is_empty() || rest.starts_with("::") {
        return Some((0..name.len(), path, None));
    }
    let (line, length) = number(&rest[1..])?;
    let end = name.len() + 1 + length;
    let rest = &word[end..];
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((0..end, path, Some((line, 1)))),
        None => None,
        Some(rest) => match number(rest) {
            Some((column, length)) if !rest[length..].starts_with(char::is_alphanumeric) => {
                Some((0..end + 1 + length, path, Some((line, column))))
            }
            // What stands in the line, as grep prints it.
            _ => Some((0..end, path, Some((line, 1)))),
        },
    }
}

/// `line,column`, whole.
fn pair(text: &str) -> Option<(u32, u32)> {
    let (line, column) = text.split_once(',')?;
    let whole = |text: &str| number(text).filter(|(_, length)| *length == text.len()).map(|(number, _)| number);
    Some((whole(line)?, whole(column)?))
}

/// A number from 1 that a text begins with, and its length.
fn number(text: &str) -> Option<(u32, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..length].parse().ok().filter(|number| *number > 0)?;
    Some((number, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> ProjectName {
        ProjectName::parse("demo").unwrap()
    }

    /// Places in brackets with what they lead to, addresses in braces.
    fn shown(text: &str) -> String {
        let pieces = pieces(text, &demo(), |path| path.as_str() == "notes" || path.as_str() == "a.weird");
        let show = |piece: &Piece<'_>| match piece {
            Piece::Text(text) => (*text).to_owned(),
            Piece::Place { path, at, .. } => format!("[{path} {at:?}]"),
            Piece::Address(address) => format!("{{{address}}}"),
        };
        pieces.iter().map(show).collect()
    }

    /// The first place with a line that a program's text leads to, and the words that lead there.
    fn first(text: &str) -> Option<(&str, String)> {
        find(text, &demo()).into_iter().find_map(|Found { range, target }| match target {
            Target::Place { path, at: Some((line, column)) } => Some((&text[range], format!("{path}:{line}:{column}"))),
            _ => None,
        })
    }

    #[test]
    fn a_file_with_a_line_is_a_place_and_so_is_a_file_that_is_there() {
        assert_eq!(shown("see main.py:12, please"), "see [main.py Some((12, 1))], please");
        assert_eq!(shown("(src/a.rs:3:4)"), "([src/a.rs Some((3, 4))])");
        assert_eq!(shown("in `notes`."), "in `[notes None]`.");
        assert_eq!(shown("a.weird:7 is odd"), "[a.weird Some((7, 1))] is odd");
        assert_eq!(shown("bin/tool:9?\nyes"), "[bin/tool Some((9, 1))]?\nyes");
    }

    #[test]
    fn times_hosts_and_sentences_are_no_places() {
        for text in [
            "at 10:30 on localhost:8000",
            "example.com:80 e.g. this",
            "main.py",
            "main.py:x main.py:0 main.py:1x",
            "../x.py:3 /etc/passwd:1 /home/user/other/a.py:1",
            "a:b:c ::: :3 , . ()",
            "",
            "  \n ",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn addresses_of_the_web_are_links_and_nothing_else_is() {
        assert_eq!(shown("<https://a.example/x?y=1>!"), "<{https://a.example/x?y=1}>!");
        assert_eq!(shown("http://[::1]:80/a.py:3"), "{http://[::1]:80/a.py:3}");
        for text in ["javascript:alert(1)", "data:text/html,x", "https://", "http:///x", "file:///a.py:3"] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn programs_say_where_something_is_in_ways_of_their_own() {
        for (text, words, place) in [
            (r#"  File "main.py", line 3, in <module>"#, r#""main.py", line 3"#, "main.py:3:1"),
            (
                r#"  File "/home/user/demo/a b/x.py", line 12"#,
                r#""/home/user/demo/a b/x.py", line 12"#,
                "a b/x.py:12:1",
            ),
            (" --> src/main.rs:4:5", "src/main.rs:4:5", "src/main.rs:4:5"),
            ("thread 'main' panicked at src/main.rs:4:5:", "src/main.rs:4:5", "src/main.rs:4:5"),
            ("main.c:3:5: error: expected ';'", "main.c:3:5", "main.c:3:5"),
            ("./main.go:4:2: undefined: x", "./main.go:4:2", "main.go:4:2"),
            ("\t/home/user/demo/main.go:12 +0x1d", "/home/user/demo/main.go:12", "main.go:12:1"),
            ("    at run (/home/user/demo/lib/a.js:3:9)", "/home/user/demo/lib/a.js:3:9", "lib/a.js:3:9"),
            ("    at file:///home/user/demo/a.mjs:3:9", "file:///home/user/demo/a.mjs:3:9", "a.mjs:3:9"),
            ("test_a.py:7: AssertionError", "test_a.py:7", "test_a.py:7:1"),
            ("src/a.ts(3,5): error TS2304", "src/a.ts(3,5", "src/a.ts:3:5"),
            ("\tat Main.main(Main.java:5)", "Main.java:5", "Main.java:5:1"),
            ("run.sh: line 3: oops: command not found", "run.sh: line 3", "run.sh:3:1"),
            ("src/a.py:12:import os", "src/a.py:12", "src/a.py:12:1"),
        ] {
            assert_eq!(first(text), Some((words, place.to_owned())), "{text}");
        }
        let tests = find("FAILED test_a.py::test_x - assert", &demo());
        let path = WorkspacePath::parse("test_a.py").unwrap();
        assert!(tests.iter().any(|found| found.target == Target::Place { path: path.clone(), at: None }));
    }

    proptest::proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "([a-z./:(`,!é \"]|[0-9]|https://|File \"|, line 3|: line 1|\n){0,40}") {
            let joined: String = pieces(&text, &demo(), |_| true).iter().map(|piece| match piece {
                Piece::Text(text) | Piece::Place { text, .. } | Piece::Address(text) => *text,
            }).collect();
            proptest::prop_assert_eq!(joined, text);
        }
    }
}
