//! What a key pair is good for.

use serde::{Deserialize, Serialize};

use super::LedgerError;
use crate::origin::is_source;

/// The most spaces and the most origins of a scope.
const MOST: usize = 50;
/// The longest name of a space.
const MAX_SPACE: usize = 64;

/// Nothing in it narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The spaces in which it opens rooms; all if empty.
    pub spaces: Vec<String>,
    /// The origins whose pages may say `init` with it; all if empty. Who is no page has none and may.
    pub origins: Vec<String>,
    /// It opens nothing over a WebSocket.
    pub rest_only: bool,
    /// It runs single programs and does nothing else, so that it may stand in an address.
    pub execute_only: bool,
}

impl Scope {
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        let is_space = |name: &String| (1..=MAX_SPACE).contains(&name.len());
        if self.spaces.len() > MOST || self.origins.len() > MOST || !self.spaces.iter().all(is_space) {
            return Err(LedgerError::Scope { most: MOST });
        }
        match self.origins.iter().find(|origin| *origin == "*" || !is_source(origin)) {
            Some(bad) => Err(LedgerError::Origin(bad.clone())),
            None => Ok(()),
        }
    }

    pub(super) fn stored(&self) -> String {
        serde_json::to_string(self).expect("texts always serialise")
    }

    pub(super) fn read(text: &str) -> Result<Self, LedgerError> {
        serde_json::from_str(text).map_err(|_| LedgerError::Unreadable("the scope of a key pair"))
    }

    /// Whether rooms of a space may be opened.
    pub fn allows_space(&self, space: &str) -> bool {
        self.spaces.is_empty() || self.spaces.iter().any(|listed| listed == space)
    }

    /// Whether a page of this origin, or somebody who is no page, may use it over a WebSocket.
    pub fn allows_socket(&self, origin: Option<&str>) -> bool {
        let is_listed = |origin: &str| self.origins.iter().any(|listed| crate::origin::matches(listed, origin));
        !self.rest_only && !self.execute_only && (self.origins.is_empty() || origin.is_none_or(is_listed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_allowed_and_no_list_allows_all() {
        let free = Scope::read("{}").unwrap();
        assert!(free.allows_space("any") && free.allows_socket(Some("https://any.org")) && free.allows_socket(None));
        let narrow = Scope {
            spaces: vec!["small".into()],
            origins: vec!["https://a.org".into(), "https://*.b.org".into()],
            rest_only: false,
            execute_only: false,
        };
        narrow.check().unwrap();
        assert!(narrow.allows_space("small") && !narrow.allows_space("default"));
        assert!(narrow.allows_socket(Some("https://a.org")) && narrow.allows_socket(Some("https://x.b.org")));
        assert!(narrow.allows_socket(None) && !narrow.allows_socket(Some("https://a.org.evil.org")));
        assert!(!Scope { execute_only: true, ..free.clone() }.allows_socket(None));
        assert!(!Scope { rest_only: true, ..free }.allows_socket(None));
        assert_eq!(Scope::read(&narrow.stored()).unwrap(), narrow);
    }

    #[test]
    fn what_is_no_space_and_no_origin_is_refused() {
        for bad in ["*", "a.org", "https://a.org/x"] {
            assert!(Scope { origins: vec![bad.into()], ..Scope::default() }.check().is_err(), "{bad}");
        }
        assert!(Scope { spaces: vec![String::new()], ..Scope::default() }.check().is_err());
        assert!(Scope { spaces: vec!["a".into(); 51], ..Scope::default() }.check().is_err());
    }
}
