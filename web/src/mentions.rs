//! Finds in a message what can be gone to: files with a line, and addresses of the web. Pure; what comes of it is text
//! and links, and never markup.

use embedenv_shared::path::WorkspacePath;

use crate::words;

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    /// `text` names a file, with its line and column if it names them.
    Place {
        text: &'a str,
        path: WorkspacePath,
        at: Option<(u32, u32)>,
    },
    Address(&'a str),
}

/// What stands around a name and is not of it.
const AROUND: [char; 12] = ['(', ')', '[', ']', '<', '>', '"', '\'', '`', ',', ';', '!'];

/// The pieces of a text, in order; joined they are the text. `is_file` says whether there is a file by a path.
pub fn pieces(text: &str, is_file: impl Fn(&WorkspacePath) -> bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    for word in text.split_whitespace() {
        // Of this text, and so at a place in it.
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let inner = word.trim_matches(AROUND).trim_end_matches(['.', ':', '?']);
        let inner = inner.trim_end_matches(AROUND);
        let from = start + (inner.as_ptr() as usize - word.as_ptr() as usize);
        let piece = if is_address(inner) { Some(Piece::Address(inner)) } else { place(inner, &is_file) };
        if let Some(piece) = piece {
            if plain < from {
                pieces.push(Piece::Text(&text[plain..from]));
            }
            plain = from + inner.len();
            pieces.push(piece);
        }
    }
    if plain < text.len() {
        pieces.push(Piece::Text(&text[plain..]));
    }
    pieces
}

fn is_address(word: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        word.strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_alphanumeric() || first == '['))
    })
}

/// `path`, `path:line` or `path:line:column`.
fn place<'a>(word: &'a str, is_file: impl Fn(&WorkspacePath) -> bool) -> Option<Piece<'a>> {
    if word.contains("://") {
        return None;
    }
    let mut parts = word.splitn(3, ':');
    let path = WorkspacePath::parse(parts.next()?).ok()?;
    let mut number = || parts.next().map(|part| part.parse::<u32>().ok().filter(|number| *number > 0));
    let (line, column) = (number(), number());
    let at = match (line, column) {
        (None, _) => None,
        (Some(line), None) => Some((line?, 1)),
        (Some(line), Some(column)) => Some((line?, column?)),
    };
    let is_likely = at.is_some() && (path.as_str().contains('/') || words::known_language(path.as_str()).is_some());
    (is_likely || is_file(&path)).then_some(Piece::Place { text: word, path, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places in brackets with what they lead to, addresses in braces.
    fn shown(text: &str) -> String {
        let pieces = pieces(text, |path| path.as_str() == "notes" || path.as_str() == "a.weird");
        let show = |piece: &Piece<'_>| match piece {
            Piece::Text(text) => (*text).to_owned(),
            Piece::Place { path, at, .. } => format!("[{path} {at:?}]"),
            Piece::Address(address) => format!("{{{address}}}"),
        };
        pieces.iter().map(show).collect()
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
            "main.py:x main.py:0 main.py:1:y",
            "../x.py:3 /etc/passwd:1",
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

    proptest::proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "([a-z./:(`,!é ]|[0-9]|https://|\n){0,40}") {
            let joined: String = pieces(&text, |_| true).iter().map(|piece| match piece {
                Piece::Text(text) | Piece::Place { text, .. } | Piece::Address(text) => *text,
            }).collect();
            proptest::prop_assert_eq!(joined, text);
        }
    }
}
