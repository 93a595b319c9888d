//! Between a file's bytes and a document's text: line endings, the byte order mark, and what can't be edited.
//!
//! The lines of a document end in LF. A file whose lines all end in CRLF is converted when it is read and converted
//! back when it is written. In a file that mixes them a carriage return is a character like any other, so that every
//! file comes back byte for byte.

use embedenv_shared::frame::{LineEnding, MAX_DOCUMENT, ReadOnly};
use serde::{Deserialize, Serialize};

use super::merge::Edit;

/// A NUL among this many first bytes makes a file binary.
const SNIFFED: usize = 8 * 1024;
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a file has around its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    pub(super) eol: LineEnding,
    pub(super) byte_order_mark: bool,
}

/// The text of a file that can be edited, or as much as can be shown of another.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileText {
    Whole { text: String, form: Form },
    Excerpt { text: String, why: ReadOnly },
}

impl FileText {
    /// Reads the content of a file of `size` bytes, of which `bytes` is all or the beginning.
    pub(super) fn read(bytes: &[u8], size: u64) -> Self {
        if bytes[..bytes.len().min(SNIFFED)].contains(&0) {
            return Self::Excerpt { text: String::new(), why: ReadOnly::Binary };
        }
        if size.max(bytes.len() as u64) > MAX_DOCUMENT {
            return Self::Excerpt { text: beginning(&String::from_utf8_lossy(bytes)), why: ReadOnly::TooLarge };
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self::Excerpt { text: beginning(&String::from_utf8_lossy(bytes)), why: ReadOnly::NotText };
        };
        let (text, byte_order_mark) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let converted = text.replace("\r\n", "\n");
        if converted.len() < text.len() && with_crlf(&converted) == text {
            Self::Whole { text: converted, form: Form { eol: LineEnding::CrLf, byte_order_mark } }
        } else {
            Self::Whole { text: text.to_owned(), form: Form { eol: LineEnding::Lf, byte_order_mark } }
        }
    }
}

impl Form {
    /// A document's text as the bytes of its file.
    pub(super) fn to_file(self, text: &str) -> Vec<u8> {
        let mark = if self.byte_order_mark { BYTE_ORDER_MARK } else { "" };
        match self.eol {
            LineEnding::Lf => [mark, text].concat().into_bytes(),
            LineEnding::CrLf => [mark, &with_crlf(text)].concat().into_bytes(),
        }
    }
}

/// Edits that take the carriage returns away that stand before line feeds.
pub(super) fn plain_lines(text: &str) -> Vec<Edit> {
    text.match_indices("\r\n").map(|(at, _)| Edit { at, delete: 1, insert: String::new() }).collect()
}

/// A carriage return before each line feed that has none.
fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                out.push_str(line.strip_suffix('\r').unwrap_or(line));
                out.push_str("\r\n");
            }
            None => out.push_str(line),
        }
    }
    out
}

/// As much of a text as a document may have, cut after a line if there is one.
fn beginning(text: &str) -> String {
    let limit = MAX_DOCUMENT as usize;
    if text.len() <= limit {
        return text.to_owned();
    }
    let text = &text[..text.floor_char_boundary(limit)];
    text[..text.rfind('\n').map_or(text.len(), |at| at + 1)].to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> (String, Form) {
        match FileText::read(bytes, bytes.len() as u64) {
            FileText::Whole { text, form } => (text, form),
            excerpt @ FileText::Excerpt { .. } => panic!("{excerpt:?}"),
        }
    }

    fn excerpt(bytes: &[u8], size: u64) -> (String, ReadOnly) {
        match FileText::read(bytes, size) {
            FileText::Excerpt { text, why } => (text, why),
            whole @ FileText::Whole { .. } => panic!("{whole:?}"),
        }
    }

    #[test]
    fn a_crlf_file_has_plain_lines_inside_and_comes_back_exactly() {
        let (text, form) = whole(b"a\r\nb\r\n\r\nc");
        assert_eq!((text.as_str(), form.eol), ("a\nb\n\nc", LineEnding::CrLf));
        assert_eq!(form.to_file("a\nb\nnew\n"), b"a\r\nb\r\nnew\r\n");
        let (text, form) = whole("\u{feff}a\r\n".as_bytes());
        assert_eq!((text.as_str(), form.byte_order_mark), ("a\n", true));
        assert_eq!(form.to_file(&text), "\u{feff}a\r\n".as_bytes());
    }

    #[test]
    fn mixed_endings_are_left_alone() {
        for mixed in ["a\r\nb\n", "a\r\r\n", "a\rb", "\n\r"] {
            let (text, form) = whole(mixed.as_bytes());
            assert_eq!((text.as_str(), form.eol), (mixed, LineEnding::Lf));
        }
    }

    #[test]
    fn what_is_not_text_is_shown_and_not_edited() {
        assert_eq!(excerpt(b"caf\xe9\n", 5), ("caf\u{fffd}\n".to_owned(), ReadOnly::NotText));
        assert_eq!(excerpt(b"\x7fELF\0\0", 6), (String::new(), ReadOnly::Binary));
        let long = "0123456789abcde\n".repeat(MAX_DOCUMENT as usize / 16 + 1);
        let (text, why) = excerpt(long.as_bytes(), long.len() as u64);
        assert_eq!((text.len() as u64, why), (MAX_DOCUMENT, ReadOnly::TooLarge));
        assert_eq!(excerpt(b"the beginning\n", MAX_DOCUMENT + 1).1, ReadOnly::TooLarge);
        let (text, _) = excerpt(&vec![0xff; MAX_DOCUMENT as usize], MAX_DOCUMENT);
        assert!(text.len() as u64 <= MAX_DOCUMENT);
    }

    proptest! {
        #[test]
        fn every_text_file_comes_back_byte_for_byte(parts in proptest::collection::vec("(\r\n|\n|\r|é|x|\u{feff})", 0..20)) {
            let bytes = parts.concat().into_bytes();
            let (text, form) = whole(&bytes);
            prop_assert_eq!(form.to_file(&text), bytes);
        }
    }
}
