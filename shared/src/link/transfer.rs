//! Carrying entries about on the agent link: moving, copying, uploads in pieces and a folder as an archive. Every path is
//! beneath a project's folder, as in [`super::files`].

use serde::{Deserialize, Serialize};

use super::files::Version;
use crate::id::{StreamId, UploadKey};
use crate::path::{ProjectName, WorkspacePath};

/// Entries that one copy makes; a tree with more is `too_large`.
pub const MAX_COPY_ENTRIES: u64 = 100_000;
/// Bytes that one copy makes; more are `too_large`. The disk's quota is mostly lower.
pub const MAX_COPY_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// The longest file that is uploaded, in bytes; a longer one is `too_large` before anything is sent.
pub const MAX_UPLOAD: u64 = 4 * 1024 * 1024 * 1024;
/// Bytes in one piece of an upload; a longer one is `too_large`.
pub const MAX_PIECE: usize = 256 * 1024;
/// Unfinished uploads that a sandbox keeps; one more is `limit_reached`.
pub const MAX_UNFINISHED: usize = 256;
/// Archives that an agent writes at once; one more is `limit_reached`.
pub const MAX_ARCHIVES: usize = 4;
/// Entries of one archive. One with more is cut short, which whoever reads it sees by its missing end.
pub const MAX_ARCHIVE_ENTRIES: usize = 100_000;
/// The last bytes of a whole archive: the "end of central directory record" (APPNOTE.TXT 4.3.16) without a comment.
pub const ARCHIVE_END: usize = 22;
/// Entries that are chosen for one archive, and bytes of their paths; with more it is `too_large`, and their folder is to be
/// taken whole.
pub const MAX_CHOSEN: usize = 10_000;
pub const MAX_CHOSEN_BYTES: usize = 1024 * 1024;
/// What that record begins with.
pub const ARCHIVE_END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";

/// Gives an entry another place in its project, open files and all; never overwrites. A link itself is moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    pub project: ProjectName,
    pub from: WorkspacePath,
    pub to: WorkspacePath,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved;

/// Copies an entry with all it holds; never overwrites. Links are copied as links. All or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub project: ProjectName,
    pub from: WorkspacePath,
    pub to: WorkspacePath,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied;

/// A file that comes in pieces. Its name for itself is the client's; the same one goes on where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub project: ProjectName,
    pub path: WorkspacePath,
    pub key: UploadKey,
    /// Bytes of the whole file.
    pub size: u64,
    /// Replace what stands there; otherwise that is `already_exists`.
    pub overwrite: bool,
}

/// Begin an upload, or go on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginUpload(pub Upload);

/// Where an upload stands: the bytes before this are safe in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadStands {
    pub offset: u64,
}

/// The next bytes of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadPiece {
    pub key: UploadKey,
    pub size: u64,
    pub offset: u64,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Where an upload stands after a piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadGrew {
    pub offset: u64,
}

/// Puts an upload that is whole into its place, atomically. The mode of a file that it replaces is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishUpload(pub Upload);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadFinished {
    pub version: Version,
}

/// Forgets an upload and what of it was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbortUpload {
    pub key: UploadKey,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadAborted;

/// A folder as a zip archive, made while it is read. On success its bytes travel as [`super::Kind::StreamData`] within
/// [`super::STREAM_WINDOW`]. It is whole if its last [`ARCHIVE_END`] bytes begin with [`ARCHIVE_END_SIGNATURE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// A number of the server's that no open stream has.
    pub stream: StreamId,
    pub project: ProjectName,
    pub path: WorkspacePath,
    /// Entries within `path` that alone are wanted, [`MAX_CHOSEN`] at most; all of it if there are none.
    pub only: Vec<WorkspacePath>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archiving;
