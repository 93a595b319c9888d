//! What was found of an engine on this machine: the words in which each engine says what it can enforce, and `doctor` tells
//! it.

use serde::Serialize;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    pub what: &'static str,
    pub state: State,
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Good,
    /// It works, with less than it could.
    Weaker,
    Missing,
}

pub(crate) fn finding(what: &'static str, state: State, detail: impl Into<String>, remedy: Option<String>) -> Finding {
    Finding { what, state, detail: detail.into(), remedy }
}

/// No engine has a quota of its own for homes.
pub(crate) fn watched_disk() -> Finding {
    let detail = "watched by the agent: writes through the server are refused, programs that write are stopped; what \
                  they wrote within a second stays";
    finding("disk of the home", State::Weaker, detail, None)
}
