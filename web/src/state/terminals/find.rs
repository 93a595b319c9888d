//! What is looked for in a terminal, and what there is of it. Looking is xterm.js's.

use embedenv_shared::id::SessionId;

use crate::words::catalogue::{count, say};

/// More matches than this are not counted, nor marked.
pub const MAX_COUNTED: u32 = 1000;

/// The bar that is open over a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    pub terminal: SessionId,
    pub query: Query,
    pub outcome: Outcome,
    /// Grows with each wish to look for something, so that the bar takes the keyboard once more.
    pub asked: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    pub text: String,
    pub case: bool,
    pub word: bool,
    pub regex: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Nothing was looked for.
    #[default]
    Nothing,
    /// Which match is shown, from 1 (none is with 0), and how many there are.
    Found { at: u32, count: u32 },
    /// The regular expression can't be read.
    BadQuery,
}

impl Outcome {
    pub fn words(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Found { count: 0, .. } => say!("terminal.found.none").to_owned(),
            Self::Found { at: 0, count } => count!("terminal.found.some", count as usize),
            Self::Found { at, count } if count >= MAX_COUNTED => {
                say!("terminal.found.at", at = at, count = say!("terminal.found.more", count = MAX_COUNTED))
            }
            Self::Found { at, count } => say!("terminal.found.at", at = at, count = count),
            Self::BadQuery => say!("terminal.found.bad").to_owned(),
        }
    }

    /// Whether there is nothing to go to.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Found { count: 0, .. } | Self::BadQuery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_said_in_few_words() {
        let said = [
            Outcome::Nothing,
            Outcome::Found { at: 0, count: 0 },
            Outcome::Found { at: 0, count: 7 },
            Outcome::Found { at: 3, count: 7 },
            Outcome::Found { at: 3, count: MAX_COUNTED },
            Outcome::BadQuery,
        ]
        .map(Outcome::words);
        assert_eq!(said, ["", "No results", "7 results", "3 of 7", "3 of 1000+", "Not an expression"]);
    }
}
