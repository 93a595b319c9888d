//! The keys that a phone's keyboard lacks, as a row of buttons has them, and what Ctrl makes of a letter.

use crate::words::catalogue::find;

/// What one of the buttons does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Holds Ctrl for the next key.
    Control,
    /// A key, by its `key`, its `code` and its old number in key events.
    Key(&'static str, &'static str, u32),
    Text(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtraKey {
    /// What is on it.
    pub face: &'static str,
    /// What it is called in the catalogue of words: `key.ID`.
    pub id: &'static str,
    pub does: Does,
    /// It goes on while it is held.
    pub repeats: bool,
}

impl ExtraKey {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        find(&format!("key.{}", self.id)).unwrap_or(self.face)
    }
}

const fn key(face: &'static str, id: &'static str, key: &'static str, number: u32) -> ExtraKey {
    ExtraKey { face, id, does: Does::Key(key, key, number), repeats: false }
}

const fn arrow(face: &'static str, id: &'static str, key: &'static str, number: u32) -> ExtraKey {
    ExtraKey { face, id, does: Does::Key(key, key, number), repeats: true }
}

const fn text(face: &'static str, id: &'static str) -> ExtraKey {
    ExtraKey { face, id, does: Does::Text(face), repeats: false }
}

pub const EXTRA_KEYS: &[ExtraKey] = &[
    key("Esc", "escape", "Escape", 27),
    key("Tab", "tab", "Tab", 9),
    ExtraKey { face: "Ctrl", id: "control", does: Does::Control, repeats: false },
    arrow("←", "left", "ArrowLeft", 37),
    arrow("↑", "up", "ArrowUp", 38),
    arrow("↓", "down", "ArrowDown", 40),
    arrow("→", "right", "ArrowRight", 39),
    text("|", "pipe"),
    text("~", "tilde"),
    text("/", "slash"),
    text("-", "dash"),
];

/// What a terminal gets for a letter that is typed with Ctrl; what has no such form stays what it is.
pub fn controlled(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => byte & 0x1f,
        b'@'..=b'_' => byte & 0x1f,
        b' ' => 0,
        b'?' => 0x7f,
        _ => byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_name() {
        for key in EXTRA_KEYS {
            assert!(find(&format!("key.{}", key.id)).is_some(), "{}", key.id);
        }
    }

    #[test]
    fn letters_with_ctrl_are_what_terminals_know() {
        assert_eq!([b'c', b'C', b'[', b' ', b'?', b'1'].map(controlled), [3, 3, 27, 0, 127, b'1']);
    }
}
