//! What the server sends: text frames ([`ServerFrame`]) and the binary frames of terminals and documents.
//!
//! Plain clients are sent the frames of the reference alone, plus `error` and the one `joined`. Everything else
//! here is for full clients (`"protocol": 2`).

mod terminal;

use serde::{Deserialize, Serialize};

use crate::code::ErrorCode;
use crate::command::FrameId;
use crate::event::RoomEvent;
use crate::id::{DocumentId, MemberId, Role, RoomId, SessionId, UploadId};
use crate::link::files::Entry;
use crate::link::ports;
use crate::path::{ProjectName, WorkspacePath};
use crate::search::{FolderFiles, FoundFile, Outcome, Summary};
use crate::tree::Encoding;

pub use terminal::{Exit, Terminal, TerminalKind};

/// A text frame of the server. Members stand in the order written here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerFrame {
    // The reference's frames.
    Init {
        join: String,
        remaining_credits: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<String>,
    },
    /// A room was opened by a widget: the visitor's key to it. `joined` follows.
    Visited {
        join: String,
    },
    Joined(Box<Joined>),
    Msg {
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
    },
    TerminalData {
        data: String,
    },
    TerminalNewline {
        data: String,
    },
    TerminalDataEnd,
    Chunk {
        content: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encoding: Option<Encoding>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
    },
    End {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
    },
    Error {
        code: ErrorCode,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
    },
    /// Acknowledges a frame that carried an `id` and has no reply of its own.
    Done {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
    },

    // Full clients only.
    Pong {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
    },
    /// Status and headers of a `curl`, before its chunks.
    Response {
        id: Option<FrameId>,
        status: u16,
        headers: Vec<(String, String)>,
    },
    Projects {
        id: Option<FrameId>,
        projects: Vec<ProjectName>,
    },
    Listing {
        id: Option<FrameId>,
        project: ProjectName,
        path: WorkspacePath,
        entries: Vec<Entry>,
        /// Where the next page begins; absent on the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<u64>,
    },
    /// A watched folder changed; with no names, list it again.
    Changed {
        project: ProjectName,
        path: WorkspacePath,
        names: Vec<String>,
    },
    File {
        id: Option<FrameId>,
        content: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encoding: Option<Encoding>,
    },
    Piped {
        id: Option<FrameId>,
        code: i32,
        output: String,
        errors: String,
    },
    Opened {
        id: Option<FrameId>,
        document: DocumentId,
        project: ProjectName,
        path: WorkspacePath,
        /// Names the life of the document, below 2^53. After it changed, a copy of before must not be merged.
        epoch: u64,
        /// Absent when it can be edited; otherwise why it can't.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read_only: Option<ReadOnly>,
    },
    /// Where a document stands. `received` counts the update messages of this connection for this document that
    /// the server holds or has asked for anew by a sync step 1; `saved` says whether everything it holds is in the file.
    Document {
        document: DocumentId,
        received: u64,
        saved: bool,
        /// How the file's lines end; the document's all end in LF.
        eol: LineEnding,
        /// Why the last save failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    Saved {
        id: Option<FrameId>,
        document: DocumentId,
    },
    /// What the file was when somebody in the room opened it first; absent if it is so still.
    FirstText {
        id: Option<FrameId>,
        document: DocumentId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The file got another name or place while it was open.
    DocumentMoved {
        document: DocumentId,
        path: WorkspacePath,
    },
    /// The document is no longer held: its file was deleted, or can't be a document any more.
    DocumentClosed {
        document: DocumentId,
        reason: String,
    },
    /// Where an upload stands: what is before the offset is safe in the sandbox. Answers `upload` and each piece.
    UploadStands {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
        upload: UploadId,
        offset: u64,
    },
    /// A piece of an upload could not be taken, and no other will be on this connection.
    UploadFailed {
        upload: UploadId,
        code: ErrorCode,
        message: String,
    },
    /// Where a browser gets what it asked for, once and soon, and what that is called.
    Download {
        id: Option<FrameId>,
        address: String,
        name: String,
    },
    TerminalOpened {
        id: Option<FrameId>,
        terminal: SessionId,
    },
    /// A command without a terminal runs; both of its logs are attached from their start.
    ProcessStarted {
        id: Option<FrameId>,
        process: SessionId,
        errors: SessionId,
    },
    TerminalAttached {
        id: Option<FrameId>,
        terminal: SessionId,
        /// Offset of the first byte that will come.
        from: u64,
        /// Offset after the last byte there is now.
        head: u64,
    },
    /// A terminal as everybody in the room sees it, told when it is opened and whenever it changes.
    Terminal(Terminal),
    TerminalClosed {
        terminal: SessionId,
    },
    /// Output before `to` is lost to this reader. A binary snapshot of the screen and then output from `to` follow.
    TerminalGap {
        terminal: SessionId,
        from: u64,
        to: u64,
    },
    Ports {
        ports: Vec<u16>,
        /// The same ports with what is known of who listens.
        #[serde(default)]
        listeners: Vec<Listener>,
    },
    Sandbox {
        state: SandboxState,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Everybody in the room, told whenever it changes.
    People {
        people: Vec<Person>,
    },
    Key {
        id: Option<FrameId>,
        #[serde(flatten)]
        key: JoinKey,
    },
    Keys {
        id: Option<FrameId>,
        keys: Vec<JoinKey>,
    },
    Preview {
        id: Option<FrameId>,
        port: u16,
        /// The address of the port, for who may see it: its origin and `/`.
        url: String,
        /// Where a browser goes to be let in, once and soon; `&to=/PATH` leads on.
        enter: String,
    },
    PreviewLink {
        id: Option<FrameId>,
        link: PreviewLink,
        /// With its token, which is told only here.
        url: String,
    },
    Previews {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<FrameId>,
        links: Vec<PreviewLink>,
        open: Vec<OpenPort>,
    },
    /// Commands up to this number of the client's were carried out.
    Executed {
        seq: u64,
    },
    /// Something happened in the room, told to everybody.
    Event(RoomEvent),
    Events {
        id: Option<FrameId>,
        events: Vec<RoomEvent>,
        /// From this number on nothing is missing; of what was before, some may be kept.
        first: u64,
        /// The newest number; if it is not that of the last event here, there is more to ask for.
        last: u64,
    },
    /// Some of what a `find` has found.
    Found {
        id: Option<FrameId>,
        files: Vec<FoundFile>,
    },
    /// Some of a project's files.
    Files {
        id: Option<FrameId>,
        folders: Vec<FolderFiles>,
    },
    /// The end of a `find` or `files`.
    SearchEnd {
        id: Option<FrameId>,
        #[serde(flatten)]
        summary: Summary,
    },
    /// What became of some files of a `replace`.
    Replaced {
        id: Option<FrameId>,
        files: Vec<Outcome>,
    },
    DocumentToken {
        id: Option<FrameId>,
        token: String,
        /// What the address has to name besides.
        epoch: u64,
        /// Milliseconds since 1970.
        expires: u64,
    },
}

/// The one reply to `join` (and to a full client's `init`, after it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    pub user: String,
    pub color: String,
    pub role: Role,
    /// What only full clients get.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub full: Option<JoinedFull>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinedFull {
    pub protocol: u32,
    pub room: RoomId,
    pub member: MemberId,
    pub projects: Vec<ProjectName>,
    pub terminals: Vec<Terminal>,
    pub ports: Vec<u16>,
    /// The same ports with what is known of who listens.
    #[serde(default)]
    pub listeners: Vec<Listener>,
    pub people: Vec<Person>,
    pub sandbox: SandboxState,
    /// Names the life of the sandbox: after it changed, terminals of before are gone.
    pub sandbox_epoch: u64,
    /// The longest message the server takes, in bytes.
    pub max_message: u64,
    /// What to come back with, if the client named its instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// The client is who it was before; otherwise it is somebody new.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumed: bool,
    /// The highest number of its commands that were carried out.
    #[serde(default)]
    pub executed: u64,
    /// The one of these that was under way when a server was killed: it was carried out, or in part, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertain: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub member: MemberId,
    pub user: String,
    pub color: String,
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<WorkspacePath>,
    /// Has done nothing for a while, or looks at something else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idle: bool,
}

/// A join key that was made in a room. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinKey {
    pub number: u32,
    pub join: String,
    pub role: Role,
    pub created: u64,
    /// The name of who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// How many have come by it.
    pub used: u32,
    /// For how many minutes those who come by it may be in the room, counted for each of them; any number without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// For how many they were.
    #[serde(default)]
    pub spent: u64,
    /// Nobody comes by it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// Who is here by it.
    pub people: Vec<MemberId>,
    /// Names of who came by it before and may come back, who came last first; some of many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
}

/// A link to a port that somebody made. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewLink {
    pub number: u32,
    pub port: u16,
    /// The name of who made it.
    pub created_by: String,
    pub expires: u64,
}

/// A port that whoever knows its address sees, until `until`, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPort {
    pub port: u16,
    pub until: u64,
}

/// Something that listens on a port in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    pub port: u16,
    /// The process, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// What the process is called, at most [`MAX_PROGRAM`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// When it was first seen to listen, in milliseconds since 1970.
    pub since: u64,
}

/// Characters of a program's name that are told; the rest is cut off.
pub const MAX_PROGRAM: usize = 64;

impl From<&ports::Listener> for Listener {
    fn from(listener: &ports::Listener) -> Self {
        let name = |program: &ports::Program| {
            program.name.chars().filter(|letter| !letter.is_control()).take(MAX_PROGRAM).collect()
        };
        Self {
            port: listener.port,
            pid: listener.program.as_ref().map(|program| program.pid),
            program: listener.program.as_ref().map(name),
            since: listener.since,
        }
    }
}

/// How the lines of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnding {
    #[default]
    Lf,
    CrLf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadOnly {
    /// Not UTF-8: a document is sent, with U+FFFD where bytes were not text.
    NotText,
    /// Has NUL bytes: no text is sent.
    Binary,
    /// Over the limit for documents: its beginning is sent.
    TooLarge,
    /// The role does not allow it.
    Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxState {
    Starting,
    Ready,
    /// It ended by itself or could not be started; `sandbox-start` tries again. Files are safe.
    Gone,
}

impl ServerFrame {
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("frames always serialise")
    }

    pub fn done(id: Option<FrameId>) -> Self {
        Self::Done { id }
    }

    pub fn terminal_newline() -> Self {
        Self::TerminalNewline { data: String::new() }
    }
}

/// The longest document text that can be edited, in bytes.
pub const MAX_DOCUMENT: u64 = 2 * 1024 * 1024;

/// A binary frame between server and full client. Numbers are little endian.
///
/// | first byte | then |
/// | --- | --- |
/// | 1 output | terminal `u32`, offset `u64` of the first byte, bytes |
/// | 2 input | terminal `u32`, bytes |
/// | 3 document | document `u32`, one message of the y-protocols sync protocol |
/// | 4 snapshot | terminal `u32`, offset `u64` it shows, bytes that draw the screen on a reset terminal |
/// | 5 numbered input | terminal `u32`, `seq` `u64`, bytes |
/// | 6 piece | upload `u32`, offset `u64` of the first byte, bytes |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryFrame<'a> {
    Output {
        terminal: SessionId,
        offset: u64,
        bytes: &'a [u8],
    },
    Input {
        terminal: SessionId,
        bytes: &'a [u8],
    },
    /// Input that the client counts with its commands.
    NumberedInput {
        terminal: SessionId,
        seq: u64,
        bytes: &'a [u8],
    },
    Document {
        document: DocumentId,
        message: &'a [u8],
    },
    /// The next bytes of an upload.
    Piece {
        upload: UploadId,
        offset: u64,
        bytes: &'a [u8],
    },
    Snapshot {
        terminal: SessionId,
        offset: u64,
        bytes: &'a [u8],
    },
}

/// Bytes in front of the output in [`BinaryFrame::Output`] and of the screen in [`BinaryFrame::Snapshot`].
pub const OUTPUT_HEADER: usize = 13;
/// Bytes before the messages of a frame [`BinaryFrame::Document`].
pub const DOCUMENT_HEADER: usize = 5;

/// A binary frame that can't be read; `bad_request` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a binary frame of this protocol")]
pub struct BadBinaryFrame;

impl<'a> BinaryFrame<'a> {
    pub fn decode(frame: &'a [u8]) -> Result<Self, BadBinaryFrame> {
        let (&kind, rest) = frame.split_first().ok_or(BadBinaryFrame)?;
        let (id, rest) = rest.split_first_chunk().ok_or(BadBinaryFrame)?;
        let id = u32::from_le_bytes(*id);
        let with_offset = || rest.split_first_chunk().ok_or(BadBinaryFrame).map(|(o, b)| (u64::from_le_bytes(*o), b));
        Ok(match kind {
            1 => {
                let (offset, bytes) = with_offset()?;
                Self::Output { terminal: SessionId(id), offset, bytes }
            }
            2 => Self::Input { terminal: SessionId(id), bytes: rest },
            3 => Self::Document { document: DocumentId(id), message: rest },
            4 => {
                let (offset, bytes) = with_offset()?;
                Self::Snapshot { terminal: SessionId(id), offset, bytes }
            }
            5 => {
                let (seq, bytes) = with_offset()?;
                Self::NumberedInput { terminal: SessionId(id), seq, bytes }
            }
            6 => {
                let (offset, bytes) = with_offset()?;
                Self::Piece { upload: UploadId(id), offset, bytes }
            }
            _ => return Err(BadBinaryFrame),
        })
    }

    pub fn encode(self) -> Vec<u8> {
        let (kind, id, offset, bytes) = match self {
            Self::Output { terminal, offset, bytes } => (1, terminal.0, Some(offset), bytes),
            Self::Input { terminal, bytes } => (2, terminal.0, None, bytes),
            Self::Document { document, message } => (3, document.0, None, message),
            Self::Snapshot { terminal, offset, bytes } => (4, terminal.0, Some(offset), bytes),
            Self::NumberedInput { terminal, seq, bytes } => (5, terminal.0, Some(seq), bytes),
            Self::Piece { upload, offset, bytes } => (6, upload.0, Some(offset), bytes),
        };
        let mut frame = Vec::with_capacity(OUTPUT_HEADER + bytes.len());
        frame.push(kind);
        frame.extend_from_slice(&id.to_le_bytes());
        if let Some(offset) = offset {
            frame.extend_from_slice(&offset.to_le_bytes());
        }
        frame.extend_from_slice(bytes);
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_is_answered_by_exactly_three_members_in_order() {
        let frame = ServerFrame::Init { join: "k".into(), remaining_credits: 999, owner: None };
        assert_eq!(frame.to_text(), r#"{"type":"init","join":"k","remaining_credits":999}"#);
    }

    #[test]
    fn the_reference_terminal_frames_are_exact() {
        assert_eq!(ServerFrame::TerminalDataEnd.to_text(), r#"{"type":"terminal-data-end"}"#);
        assert_eq!(ServerFrame::terminal_newline().to_text(), r#"{"type":"terminal-newline","data":""}"#);
        assert_eq!(ServerFrame::End { id: None }.to_text(), r#"{"type":"end"}"#);
    }

    #[test]
    fn a_plain_joined_carries_nothing_of_the_full_protocol() {
        let joined = Joined { user: "u".into(), color: "#6366f1".into(), role: Role::Editor, full: None };
        let text = ServerFrame::Joined(Box::new(joined)).to_text();
        assert_eq!(text, r##"{"type":"joined","user":"u","color":"#6366f1","role":"editor"}"##);
    }

    #[test]
    fn every_frame_is_in_the_documentation() {
        let page = include_str!("../../docs/protocol.md");
        let unknown = [
            serde_json::from_str::<ServerFrame>(r#"{"type":"?"}"#).unwrap_err().to_string(),
            serde_json::from_str::<crate::command::FullRequest>(r#"{"type":"?"}"#).unwrap_err().to_string(),
        ];
        for error in unknown {
            // "unknown variant `?`, expected one of `a`, `b`, …"
            let types: Vec<_> = error.split('`').skip(3).step_by(2).collect();
            assert!(types.len() > 15, "{error}");
            for name in types {
                let (word, member) = (format!("`{name}`"), format!("\"type\":\"{name}\""));
                assert!(page.contains(&word) || page.contains(&member), "{name} is not in docs/protocol.md");
            }
        }
    }

    #[test]
    fn binary_frames_round_trip() {
        for frame in [
            BinaryFrame::Output { terminal: SessionId(7), offset: 1 << 40, bytes: b"out" },
            BinaryFrame::Input { terminal: SessionId(7), bytes: b"in" },
            BinaryFrame::Document { document: DocumentId(1), message: &[0, 0, 0] },
            BinaryFrame::Snapshot { terminal: SessionId(7), offset: 9, bytes: b"" },
            BinaryFrame::Piece { upload: UploadId(3), offset: 1 << 33, bytes: b"piece" },
        ] {
            assert_eq!(BinaryFrame::decode(&frame.encode()), Ok(frame));
        }
        for bad in [&[][..], &[1], &[9, 0, 0, 0, 0], &[1, 0, 0, 0, 0, 1]] {
            assert_eq!(BinaryFrame::decode(bad), Err(BadBinaryFrame));
        }
    }
}
