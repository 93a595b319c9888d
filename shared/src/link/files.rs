//! Files on the agent link. Every path is beneath a project's folder, which is made when it is first used; the
//! agent resolves it without following links out of that folder (`openat2` with `RESOLVE_BENEATH`).

use serde::{Deserialize, Serialize};

use crate::path::{EntryName, ProjectName, WorkspacePath};
use crate::tree::Plan;

/// Entries in one page of a listing.
pub const MAX_LISTING: usize = 4096;
/// Bytes in one piece of a file.
pub const MAX_READ: u32 = 1024 * 1024;
/// Folders watched at once in a sandbox; the longest unwatched one makes room.
pub const MAX_WATCHES: usize = 1024;

/// The projects there are: folders of the home whose names don't begin with a dot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projects;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectList {
    pub projects: Vec<ProjectName>,
}

/// One page of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub project: ProjectName,
    pub path: WorkspacePath,
    /// Where the last page ended ([`Listing::next`]); `None` for the first.
    pub after: Option<u64>,
    /// Tell changes of this folder from now on ([`Changed`]).
    pub watch: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Folders first, then by name, within this page.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub kind: EntryKind,
    /// Bytes; 0 for folders.
    pub size: u64,
    /// Milliseconds since 1970.
    pub modified: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Folder,
    File,
    /// A symbolic link, whatever it leads to.
    Link,
    /// A device, a socket or a named pipe.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwatch {
    pub project: ProjectName,
    pub path: WorkspacePath,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwatched;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatFile {
    pub project: ProjectName,
    pub path: WorkspacePath,
}

/// What the entry is and which version of it; links are followed within the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    pub kind: EntryKind,
    pub version: Version,
}

/// A file's version: it changes whenever the content does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970, of the last change of content.
    pub modified: u64,
    pub inode: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    pub project: ProjectName,
    pub path: WorkspacePath,
    pub offset: u64,
    /// At most [`MAX_READ`].
    pub length: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub version: Version,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Replaces a file atomically, creating it and its folders if missing. An existing file's mode is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    pub project: ProjectName,
    pub path: WorkspacePath,
    #[serde(with = "serde_bytes")]
    pub content: Vec<u8>,
    /// Write only if the file still is this version (`Some(None)`: only if there is none); otherwise `conflict`.
    pub expected: Option<Option<Version>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub version: Version,
}

/// A new empty file or folder, in a folder that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    pub project: ProjectName,
    pub path: WorkspacePath,
    pub item: Item,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    File,
    Folder,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created;

/// Gives an entry a new last part, in the same folder; never overwrites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    pub project: ProjectName,
    pub path: WorkspacePath,
    pub name: EntryName,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed;

/// Removes an entry, a folder with all it holds; a link itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    pub project: ProjectName,
    pub path: WorkspacePath,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted;

/// Writes a whole tree into a project, merging. All or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plant {
    pub project: ProjectName,
    pub plan: Plan,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted;

/// Entries of a watched folder came, went or changed. Gathered for some tens of milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub project: ProjectName,
    /// The watched folder.
    pub path: WorkspacePath,
    /// Which entries; empty when there were too many to tell: list it again.
    pub names: Vec<String>,
}

/// Names in one [`Changed`]; beyond that the list is left empty.
pub const MAX_CHANGED_NAMES: usize = 64;
