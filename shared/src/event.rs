//! What happened in a room, as everybody is told of it: chat, and who ran, created, renamed and deleted what. Types alone;
//! which events are kept, and for how long, is the server's.

use serde::{Deserialize, Serialize};

use crate::id::{MemberId, Role, SessionId};
use crate::link::files::Item;
use crate::path::{EntryName, ProjectName, WorkspacePath};

/// The longest message of a chat, in bytes.
pub const MAX_CHAT: usize = 4096;
/// As much of a command as is told, in characters.
const MAX_COMMAND: usize = 200;

/// One event of a room. The first has number 1, and each that follows one more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomEvent {
    pub number: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    pub by: Author,
    #[serde(flatten)]
    pub what: What,
}

/// Who did it, as they were then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub member: MemberId,
    pub user: String,
    pub color: String,
    pub role: Role,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    Chat {
        text: String,
    },
    /// A command was started, or a terminal opened if it names none.
    Ran {
        project: ProjectName,
        terminal: SessionId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command: Option<String>,
    },
    /// A project's files were laid out.
    Planted {
        project: ProjectName,
        files: usize,
    },
    Created {
        project: ProjectName,
        path: WorkspacePath,
        item: Item,
    },
    /// A whole file was written.
    Wrote {
        project: ProjectName,
        path: WorkspacePath,
    },
    /// Hits of a search were replaced, in so many files.
    Replaced {
        project: ProjectName,
        files: usize,
        hits: usize,
    },
    Renamed {
        project: ProjectName,
        path: WorkspacePath,
        name: EntryName,
    },
    /// An entry got another place; `to` is its new path.
    Moved {
        project: ProjectName,
        path: WorkspacePath,
        to: WorkspacePath,
    },
    Copied {
        project: ProjectName,
        path: WorkspacePath,
        to: WorkspacePath,
    },
    /// Files were uploaded into this folder.
    Uploaded {
        project: ProjectName,
        path: WorkspacePath,
    },
    Deleted {
        project: ProjectName,
        path: WorkspacePath,
    },
}

impl What {
    pub const fn is_chat(&self) -> bool {
        matches!(self, Self::Chat { .. })
    }

    /// As much of a command as is told in [`Self::Ran`].
    pub fn command(line: &str) -> String {
        line.chars().take(MAX_COMMAND).collect()
    }
}
