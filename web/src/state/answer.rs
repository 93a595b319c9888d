//! How the answer of a server is shown: JSON laid out and coloured, text as it is, images, and bytes in hexadecimal. Pure,
//! and bounded: what would hold up the page is shown plainly or in part.

use std::fmt::Write as _;

/// JSON up to this length is laid out and coloured, in bytes; longer one is shown as it came.
const MAX_LAID_OUT: usize = 512 * 1024;
/// Pieces that are coloured; the rest stands there in one colour.
pub const MAX_COLOURED: usize = 3_000;
/// Bytes of text that are shown; all of it can be saved.
const MAX_TEXT: usize = 512 * 1024;
/// Bytes that are shown in hexadecimal.
const MAX_HEX: usize = 4 * 1024;
const INDENT: &str = "  ";
/// JSON that is nested deeper is not laid out.
const MAX_DEPTH: usize = 200;

/// What a body is shown as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    Json(Vec<Piece>),
    Text(String),
    /// An image of this type.
    Image(&'static str),
    Hex(String),
}

/// A part of laid-out JSON in one colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Plain,
    Name,
    String,
    Number,
    /// `true`, `false` and `null`.
    Word,
}

/// How to show a body that is said to be of a type. Whether something was left out stands beside it.
pub fn shown(body: &[u8], content_type: Option<&str>) -> (Shown, bool) {
    if body.is_empty() {
        return (Shown::Nothing, false);
    }
    let kind = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if let Some(image) = IMAGES.into_iter().find(|image| *image == kind) {
        return (Shown::Image(image), false);
    }
    // The last character may be cut in two where the body is.
    let text = match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&body[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    let Some(text) = text.filter(|text| !text.contains('\0')) else {
        let part = &body[..body.len().min(MAX_HEX)];
        return (Shown::Hex(hex(part)), part.len() < body.len());
    };
    let is_json = kind == "application/json" || kind.ends_with("+json");
    if is_json && let Some(pieces) = json(text) {
        return (Shown::Json(pieces), false);
    }
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (Shown::Text(text[..end].to_owned()), end < text.len())
}

/// Images that browsers show. SVG is among them: as an image it runs no script.
const IMAGES: [&str; 7] =
    ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml", "image/x-icon"];

/// JSON with a line for each member, in its own order and with its own numbers; `None` if it is none.
fn json(text: &str) -> Option<Vec<Piece>> {
    if text.len() > MAX_LAID_OUT || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return None;
    }
    let mut layout = Layout::default();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let begun = at;
        at += 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'{' | b'[' => {
                let rest = bytes[at..].iter().position(|byte| !byte.is_ascii_whitespace()).map(|next| at + next);
                let closes = rest.filter(|next| matches!(bytes[*next], b'}' | b']'));
                match closes {
                    Some(next) => {
                        layout.plain(if byte == b'{' { "{}" } else { "[]" });
                        at = next + 1;
                    }
                    None => {
                        layout.plain(if byte == b'{' { "{" } else { "[" });
                        layout.depth += 1;
                        if layout.depth > MAX_DEPTH {
                            return None;
                        }
                        layout.line();
                    }
                }
            }
            b'}' | b']' => {
                layout.depth -= 1;
                layout.line();
                layout.plain(if byte == b'}' { "}" } else { "]" });
            }
            b',' => {
                layout.plain(",");
                layout.line();
            }
            b':' => layout.plain(": "),
            b'"' => {
                while let Some(&byte) = bytes.get(at) {
                    at += if byte == b'\\' { 2 } else { 1 };
                    if byte == b'"' {
                        break;
                    }
                }
                let next = bytes[at..].iter().find(|byte| !byte.is_ascii_whitespace());
                let kind = if next == Some(&b':') { PieceKind::Name } else { PieceKind::String };
                layout.piece(kind, &text[begun..at]);
            }
            _ => {
                let end = |byte: &u8| byte.is_ascii_whitespace() || b",:]}".contains(byte);
                at = bytes[at..].iter().position(end).map_or(bytes.len(), |length| at + length);
                let word = &text[begun..at];
                let kind = if byte.is_ascii_alphabetic() { PieceKind::Word } else { PieceKind::Number };
                layout.piece(kind, word);
            }
        }
    }
    Some(layout.pieces)
}

#[derive(Default)]
struct Layout {
    pieces: Vec<Piece>,
    depth: usize,
}

impl Layout {
    fn line(&mut self) {
        self.plain("\n");
        for _ in 0..self.depth {
            self.plain(INDENT);
        }
    }

    fn plain(&mut self, text: &str) {
        self.piece(PieceKind::Plain, text);
    }

    /// Beyond the pieces that are coloured, everything goes on in one.
    fn piece(&mut self, kind: PieceKind, text: &str) {
        let is_full = self.pieces.len() >= MAX_COLOURED;
        match self.pieces.last_mut() {
            Some(last) if is_full || (last.kind == kind && kind == PieceKind::Plain) => last.text.push_str(text),
            _ => {
                let kind = if self.pieces.len() + 1 >= MAX_COLOURED { PieceKind::Plain } else { kind };
                self.pieces.push(Piece { kind, text: text.to_owned() });
            }
        }
    }
}

/// Sixteen bytes a line: their place, their values, and those that are letters.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (line, chunk) in bytes.chunks(16).enumerate() {
        let _ = write!(text, "{:06x} ", line * 16);
        for at in 0..16 {
            let _ = match chunk.get(at) {
                Some(byte) => write!(text, " {byte:02x}"),
                None => write!(text, "   "),
            };
        }
        let letter = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        let _ = writeln!(text, "  {}", chunk.iter().map(letter).collect::<String>());
    }
    text
}

/// What a status says (RFC 9110 and its registry).
pub fn status_words(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        418 => "I'm a teapot",
        422 => "Unprocessable Content",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn json_keeps_its_order_and_its_numbers_and_gets_lines() {
        let pieces = json(r#" {"b":1.50,"a":[true,"x\"y:"],"e":{},"f":[ ]} "#).unwrap();
        let lines = "{\n  \"b\": 1.50,\n  \"a\": [\n    true,\n    \"x\\\"y:\"\n  ],\n  \"e\": {},\n  \"f\": []\n}";
        assert_eq!(text(&pieces), lines);
        let kind = |word: &str| pieces.iter().find(|piece| piece.text == word).map(|piece| piece.kind);
        assert_eq!(kind("\"b\""), Some(PieceKind::Name));
        assert_eq!(kind("1.50"), Some(PieceKind::Number));
        assert_eq!(kind("true"), Some(PieceKind::Word));
        assert_eq!(kind("\"x\\\"y:\""), Some(PieceKind::String));
        assert_eq!(json("{\"a\":"), None);
    }

    #[test]
    fn of_much_json_the_beginning_is_coloured_and_all_is_there() {
        let much = format!("[{}]", vec!["{\"a\":1}"; 20_000].join(","));
        let pieces = json(&much).unwrap();
        assert_eq!(pieces.len(), MAX_COLOURED);
        assert_eq!(pieces.last().map(|piece| piece.kind), Some(PieceKind::Plain));
        assert_eq!(text(&pieces).matches("\"a\": 1").count(), 20_000);
        assert_eq!(json(&"[".repeat(120)), None);
    }

    #[test]
    fn what_is_no_text_is_an_image_or_hexadecimal() {
        assert_eq!(shown(b"\x89PNG", Some("image/png; x")), (Shown::Image("image/png"), false));
        let (Shown::Hex(dump), cut) = shown(&[0, 65, 255], None) else { panic!("it is no text") };
        assert_eq!((dump.as_str(), cut), ("000000  00 41 ff                                         .A.\n", false));
        assert!(matches!(shown(&vec![0; MAX_HEX + 1], None), (Shown::Hex(_), true)));
        assert_eq!(shown("aé".as_bytes().split_last().unwrap().1, None), (Shown::Text("a".into()), false));
        assert_eq!(shown(b"<p>", Some("text/html")), (Shown::Text("<p>".into()), false));
        assert_eq!(shown(b"{no", Some("application/json")), (Shown::Text("{no".into()), false));
        let (Shown::Text(part), true) = shown("é".repeat(MAX_TEXT).as_bytes(), None) else { panic!("it is cut") };
        assert!(part.len() <= MAX_TEXT);
    }
}
