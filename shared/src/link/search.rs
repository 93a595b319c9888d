//! Searches on the agent link. A search is pulled: each call works for a few dozen milliseconds, answers with what it
//! found, and leaves its place in the agent, so that other file work goes in between and a slow reader holds up its own
//! search alone.

use serde::{Deserialize, Serialize};

use crate::id::SearchId;
use crate::path::ProjectName;
use crate::search::{FolderFiles, FoundFile, Outcome, Query, Replacing, Scope, Summary};

/// Searches that an agent keeps the place of; one more is `limit_reached`.
pub const MAX_SEARCHES: usize = 32;
/// Files of one [`Replace`]; the server asks for more one after another.
pub const MAX_REPLACE: usize = 64;

/// Begins a search. It is pulled by [`Pull`], until that has told its end, or is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seek {
    /// A number of the server's that no other search on this link has.
    pub search: SearchId,
    pub project: ProjectName,
    pub scope: Scope,
    pub what: Sought,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sought {
    /// The files themselves.
    Files,
    /// Places in them, and what would replace these.
    Text { query: Query, replace: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun;

/// More of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    pub search: SearchId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    pub found: Found,
    /// Set with the last: the agent has forgotten the search.
    pub end: Option<Summary>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Found {
    Files(Vec<FolderFiles>),
    Text(Vec<FoundFile>),
}

/// Nobody wants more of a search: a [`Pull`] under way ends soon, with [`crate::search::Cut::Cancelled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forget {
    pub search: SearchId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten;

/// Replaces hits in up to [`MAX_REPLACE`] files, each atomically and only if it still is the version named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replace(pub Replacing);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// In the order asked for.
    pub outcomes: Vec<Outcome>,
}
