//! The validated workspace path: the only form in which a client's path reaches the rest of the code.
//!
//! A value of these types can be joined under a folder without leaving it by name; that a symbolic link leads
//! out is found where the file is opened, in the agent. Nothing here touches a disk.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code::{ErrorCode, Failure};

/// The longest name of one entry, in bytes (Linux `NAME_MAX`).
pub const MAX_NAME: usize = 255;
/// The longest path, in bytes (Linux `PATH_MAX`).
pub const MAX_PATH: usize = 4096;
/// How many folders deep a path may go.
pub const MAX_DEPTH: usize = 64;

/// What is wrong with a path. All of them are `bad_path` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the path is empty")]
    Empty,
    #[error("the path must be relative")]
    Absolute,
    #[error("the path must not contain '..'")]
    Parent,
    #[error("the path contains a NUL byte")]
    Nul,
    #[error("a name in the path is longer than {MAX_NAME} bytes")]
    NameTooLong,
    #[error("the path is longer than {MAX_PATH} bytes")]
    TooLong,
    #[error("the path is deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("the name must be one path part")]
    NotOnePart,
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        Failure::new(ErrorCode::BadPath, error.to_string())
    }
}

/// A path of an entry beneath a project's folder: `src/main.py`. Never absolute, never with `.` or `..`, at most
/// [`MAX_PATH`] bytes and [`MAX_DEPTH`] parts. The root of the project is the empty path, which only
/// [`WorkspacePath::root`] and [`WorkspacePath::parse_or_root`] make.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspacePath(String);

impl WorkspacePath {
    /// The project's folder itself.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// A client's path to an entry. `./a//b/` is read as `a/b`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let path = Self::parse_or_root(text)?;
        if path.is_root() { Err(PathError::Empty) } else { Ok(path) }
    }

    /// As [`WorkspacePath::parse`], but `""` and `"."` name the project's folder.
    pub fn parse_or_root(text: &str) -> Result<Self, PathError> {
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong);
        }
        if text.contains('\0') {
            return Err(PathError::Nul);
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        let mut clean = String::with_capacity(text.len());
        let mut depth = 0;
        for part in text.split('/') {
            match part {
                "" | "." => continue,
                ".." => return Err(PathError::Parent),
                _ if part.len() > MAX_NAME => return Err(PathError::NameTooLong),
                _ => {}
            }
            depth += 1;
            if depth > MAX_DEPTH {
                return Err(PathError::TooDeep);
            }
            if !clean.is_empty() {
                clean.push('/');
            }
            clean.push_str(part);
        }
        Ok(Self(clean))
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part; `None` for the root.
    pub fn name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// The folder it stands in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned())))
    }

    /// The entry `name` in this folder.
    pub fn join(&self, name: &EntryName) -> Result<Self, PathError> {
        if self.is_root() {
            return Ok(Self(name.0.clone()));
        }
        Self::parse(&format!("{}/{}", self.0, name.0))
    }

    /// The same entry under another last part.
    pub fn with_name(&self, name: &EntryName) -> Result<Self, PathError> {
        self.parent().ok_or(PathError::Empty)?.join(name)
    }

    /// Whether this is `other` or lies beneath it.
    pub fn is_within(&self, other: &Self) -> bool {
        other.is_root()
            || self.0 == other.0
            || (self.0.starts_with(&other.0) && self.0.as_bytes().get(other.0.len()) == Some(&b'/'))
    }

    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for WorkspacePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse_or_root(&text)
    }
}

impl From<WorkspacePath> for String {
    fn from(path: WorkspacePath) -> Self {
        path.0
    }
}

/// One part of a path: an entry's own name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntryName(String);

impl EntryName {
    pub fn parse(text: &str) -> Result<Self, PathError> {
        match text {
            "" => Err(PathError::Empty),
            "." => Err(PathError::NotOnePart),
            ".." => Err(PathError::Parent),
            _ if text.contains('\0') => Err(PathError::Nul),
            _ if text.contains('/') => Err(PathError::NotOnePart),
            _ if text.len() > MAX_NAME => Err(PathError::NameTooLong),
            _ => Ok(Self(text.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EntryName {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<EntryName> for String {
    fn from(name: EntryName) -> Self {
        name.0
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A project: a folder of its own in the sandbox user's home.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectName(EntryName);

impl ProjectName {
    pub fn parse(text: &str) -> Result<Self, PathError> {
        EntryName::parse(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_but_never_climb() {
        assert_eq!(WorkspacePath::parse("./a//b/").unwrap().as_str(), "a/b");
        assert_eq!(WorkspacePath::parse("a/../b"), Err(PathError::Parent));
        assert_eq!(WorkspacePath::parse("/etc/passwd"), Err(PathError::Absolute));
        assert_eq!(WorkspacePath::parse("a\0b"), Err(PathError::Nul));
        assert_eq!(WorkspacePath::parse("."), Err(PathError::Empty));
        assert_eq!(WorkspacePath::parse(&"n".repeat(256)), Err(PathError::NameTooLong));
        assert_eq!(WorkspacePath::parse(&"a/".repeat(2049)), Err(PathError::TooLong));
        assert_eq!(WorkspacePath::parse(&"a/".repeat(65)), Err(PathError::TooDeep));
        assert!(WorkspacePath::parse_or_root("").unwrap().is_root());
    }

    #[test]
    fn parents_names_and_containment() {
        let path = WorkspacePath::parse("src/lib/main.py").unwrap();
        assert_eq!(path.name(), Some("main.py"));
        assert_eq!(path.parent().unwrap().as_str(), "src/lib");
        assert!(path.is_within(&WorkspacePath::parse("src/lib").unwrap()));
        assert!(!path.is_within(&WorkspacePath::parse("src/li").unwrap()));
        assert!(path.is_within(&WorkspacePath::root()));
        let name = EntryName::parse("x.py").unwrap();
        assert_eq!(path.with_name(&name).unwrap().as_str(), "src/lib/x.py");
    }

    #[test]
    fn hostile_values_do_not_deserialise() {
        assert!(serde_json::from_str::<WorkspacePath>("\"../x\"").is_err());
        assert!(serde_json::from_str::<ProjectName>("\"a/b\"").is_err());
        assert!(serde_json::from_str::<ProjectName>("\"..\"").is_err());
    }
}
