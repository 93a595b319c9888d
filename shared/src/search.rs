//! Looking through the files of a project: what is looked for, what is found, and what is put in its place. Both wires
//! carry these types as they are; how a search is asked for and answered stands in `command`, `frame` and
//! `link::search`.
//!
//! Lines and columns count from 1. Columns and lengths are in UTF-16 code units, as editors in browsers count.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::Failure;
use crate::link::files::Version;
use crate::path::{ProjectName, WorkspacePath};

/// The longest pattern, and the longest text that replaces, in bytes; a longer one is `too_large`.
pub const MAX_PATTERN: usize = 16 * 1024;
/// Globs of one kind in a request; with more it is `too_large`.
pub const MAX_GLOBS: usize = 64;
/// The longest glob, in bytes; a longer one is `too_large`.
pub const MAX_GLOB: usize = 1024;
/// Hits of one search. It ends there and says [`Cut::Hits`].
pub const MAX_HITS: u32 = 10_000;
/// Hits told of one file; the file then has [`FoundFile::more`], and the search goes on with the next.
pub const MAX_FILE_HITS: u32 = 1000;
/// Bytes of a line that are shown before a hit, of the hit, and after it; what is longer is cut.
pub const MAX_SHOWN: usize = 160;
/// Files that one search looks into. It ends there and says [`Cut::Files`].
pub const MAX_LOOKED: u32 = 100_000;
/// Files in one list of a project. It ends there and says [`Cut::Files`].
pub const MAX_LISTED: u32 = 100_000;
/// The largest file that is looked into, in bytes. A larger one is counted as skipped, and is not replaced in.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;
/// The longest line that is looked at, in bytes. From a longer one on a file is left, and counted as skipped.
pub const MAX_LINE: usize = 4 * 1024 * 1024;
/// Files that one `replace` names; with more it is `too_large`.
pub const MAX_REPLACED: usize = 10_000;

/// What is looked for in lines of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    pub pattern: String,
    /// The pattern is a regular expression (of Rust's `regex`), not a text.
    #[serde(default)]
    pub regex: bool,
    /// Capital letters matter.
    #[serde(default)]
    pub case: bool,
    /// Only whole words.
    #[serde(default)]
    pub word: bool,
}

/// Which files are looked into. A glob names files or whole folders, anywhere in the project, or from its folder on if it
/// begins with `/` or `./`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// If there are any, only what one of them names.
    #[serde(default)]
    pub include: Vec<String>,
    /// Nothing that one of them names.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Also what `.gitignore` names, and folders of packages and caches.
    #[serde(default)]
    pub ignored: bool,
}

/// A file with its hits, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundFile {
    pub path: WorkspacePath,
    pub version: VersionTag,
    pub hits: Vec<Hit>,
    /// It has more than are told.
    pub more: bool,
}

/// One place in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    pub line: u32,
    pub column: u32,
    /// Its whole length, also when `text` is cut.
    pub length: u32,
    /// The line before it, its end only if it is long.
    pub before: String,
    pub text: String,
    /// The line after it.
    pub after: String,
    /// What would stand there, if the search came with what replaces.
    pub replacement: Option<String>,
}

/// Files of one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderFiles {
    /// `""` is the project's own.
    pub path: WorkspacePath,
    pub names: Vec<String>,
}

/// Why a search ended before it had seen everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// There are more hits than one search tells.
    Hits,
    /// There are more files than one search looks at.
    Files,
    /// It took longer than a search may.
    Time,
    /// Whoever asked wants no more.
    Cancelled,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Files that were looked into, or listed.
    pub files: u32,
    pub hits: u32,
    /// Files that were not looked into, or not to their end: too large, unreadable, or with a line that is too long. That
    /// a file is binary does not count.
    pub skipped: u32,
    pub cut: Option<Cut>,
}

/// A file in which hits are replaced, and the version that was searched: any other is a `conflict`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    pub path: WorkspacePath,
    pub version: VersionTag,
    /// Which hits; without, all of the file's.
    #[serde(default)]
    pub hits: Option<Vec<Spot>>,
}

/// Where a hit begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Spot {
    pub line: u32,
    pub column: u32,
}

/// What became of one file of a `replace`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub path: WorkspacePath,
    /// Hits that were replaced.
    pub hits: u32,
    /// Why the file is as it was.
    pub failure: Option<Failure>,
}

/// Hits of chosen files are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacing {
    pub project: ProjectName,
    pub query: Query,
    /// With a regular expression, `$1`, `$<name>` and `$&` stand for what was found; `$$` is a dollar sign.
    pub with: String,
    pub files: Vec<Chosen>,
}

/// A file's version as a text that clients hand back as they got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionTag(pub Version);

/// The text is no version of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version of a file")]
pub struct BadVersion;

impl fmt::Display for VersionTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version { size, modified, inode } = self.0;
        write!(f, "{size:x}-{modified:x}-{inode:x}")
    }
}

impl FromStr for VersionTag {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let mut parts = text.split('-').map(|part| u64::from_str_radix(part, 16).map_err(|_| BadVersion));
        let mut next = || parts.next().ok_or(BadVersion)?;
        let version = Version { size: next()?, modified: next()?, inode: next()? };
        if parts.next().is_some() { Err(BadVersion) } else { Ok(Self(version)) }
    }
}

impl TryFrom<String> for VersionTag {
    type Error = BadVersion;

    fn try_from(text: String) -> Result<Self, BadVersion> {
        text.parse()
    }
}

impl From<VersionTag> for String {
    fn from(tag: VersionTag) -> Self {
        tag.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_survives_its_text_and_other_texts_are_refused() {
        let tag = VersionTag(Version { size: 0, modified: u64::MAX, inode: 77 });
        assert_eq!(tag.to_string(), "0-ffffffffffffffff-4d");
        assert_eq!(tag.to_string().parse(), Ok(tag));
        for text in ["", "1-2", "1-2-3-4", "1-2-x", "1--3", "1-2-10000000000000000"] {
            assert_eq!(text.parse::<VersionTag>(), Err(BadVersion), "{text}");
        }
    }
}
