//! What a client sends as text: the handshake, the reference's `cmd` frames, and the full clients' requests.
//!
//! [`parse`] turns one text message into a [`ClientFrame`] or says what is wrong with it. It accepts every frame
//! the reference shows, with members beside the command or in it, and ignores members it does not know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::{ErrorCode, Failure};
use crate::frame::LineEnding;
use crate::id::{DocumentId, Role, SessionId, UploadId, UploadKey};
use crate::link::files::Item;
use crate::path::{EntryName, PathError, ProjectName, WorkspacePath};
use crate::search::{Query, Replacing, Scope};
use crate::tree::{Encoding, Node, Plan, content_bytes};

/// The highest number of a command; JavaScript counts no further.
pub const MAX_SEQ: u64 = (1 << 53) - 1;
/// The longest text `id` of a frame, in bytes.
pub const MAX_FRAME_ID: usize = 64;
/// The longest name that a client has for itself, in bytes.
pub const MAX_INSTANCE: usize = 64;
/// The longest name of a user, in characters.
pub const MAX_USER: usize = 64;
/// The longest key, token or idempotency key that is looked at, in bytes.
pub const MAX_KEY: usize = 256;

/// A client's own name for a frame; its reply carries it back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FrameId {
    Number(u64),
    Text(String),
}

/// One text message of a client.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientFrame {
    pub id: Option<FrameId>,
    /// The client's own count of what it has to have carried out, from 1: the same number again is the same command.
    pub seq: Option<u64>,
    pub body: ClientBody,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ClientBody {
    Init(Init),
    Join(Join),
    Visit(Visit),
    Command { project: ProjectName, command: Command },
    Full(FullRequest),
}

/// A host's backend opens a room.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Init {
    pub public_key: String,
    pub secret_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    #[serde(flatten)]
    pub guest: Guest,
}

impl std::fmt::Debug for Init {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Init").field("public_key", &self.public_key).field("guest", &self.guest).finish_non_exhaustive()
    }
}

/// A collaborator joins a room.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Join {
    pub join: String,
    /// What `joined` gave this client the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    #[serde(flatten)]
    pub guest: Guest,
}

impl std::fmt::Debug for Join {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Join").field("guest", &self.guest).finish_non_exhaustive()
    }
}

/// A visitor of somebody's page opens a room of their own by its widget.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Visit {
    /// The public id of the widget.
    pub widget: String,
    #[serde(flatten)]
    pub guest: Guest,
}

/// How someone appears, and which protocol they speak.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Guest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Names this running client, chosen at random by it. A full client that gives it may come back as who it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// [`crate::PROTOCOL`] for a full client; a plain one leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u32>,
}

/// The reference's commands. Paths are relative to the project.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Project(Plan),
    Create {
        path: WorkspacePath,
        item: Item,
    },
    Write {
        path: WorkspacePath,
        content: Vec<u8>,
    },
    Rename {
        path: WorkspacePath,
        name: EntryName,
    },
    Delete {
        path: WorkspacePath,
    },
    /// A command line, or a line of input for the one that runs; [`Shell::of`] knows the control keys.
    Shell(Shell),
    Curl(Curl),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shell {
    Line(String),
    /// `Ctrl+C`
    Interrupt,
    /// `Ctrl+D`
    EndOfInput,
    /// The command type `kill`.
    Kill,
}

impl Shell {
    /// What is typed, if that is no key.
    pub fn line(&self) -> Option<&str> {
        match self {
            Self::Line(line) => Some(line),
            Self::Interrupt | Self::EndOfInput | Self::Kill => None,
        }
    }

    fn of(command: String) -> Self {
        match command.as_str() {
            "Ctrl+C" => Self::Interrupt,
            "Ctrl+D" => Self::EndOfInput,
            _ => Self::Line(command),
        }
    }
}

/// One HTTP request to a server inside the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curl {
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub data: String,
}

/// What only full clients ask for. Each is answered by the frame named beside it (see [`crate::frame::ServerFrame`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FullRequest {
    /// `pong`: the connection lives.
    Ping,
    /// `projects`
    Projects,
    /// `listing`: one page of a folder; `watch` asks for `changed` frames about it.
    List {
        project: ProjectName,
        path: WorkspacePath,
        #[serde(default)]
        after: Option<u64>,
        #[serde(default)]
        watch: bool,
    },
    /// `done`
    Unwatch { project: ProjectName, path: WorkspacePath },
    /// `file`: a whole file as it is on disk, up to a client message's size.
    Read { project: ProjectName, path: WorkspacePath },
    /// `piped`: what a command line printed that was given `input` and no terminal, in the project's folder.
    Pipe {
        project: ProjectName,
        command: String,
        #[serde(default)]
        input: String,
    },
    /// `done`: the entry has another place in its project. Nothing is overwritten, and open documents follow.
    Move { project: ProjectName, path: WorkspacePath, to: WorkspacePath },
    /// `done`: there is a copy of the entry, with all it holds. Nothing is overwritten.
    Copy { project: ProjectName, path: WorkspacePath, to: WorkspacePath },
    /// `upload-stands`: a file in pieces begins, or goes on where it was.
    Upload {
        /// A number of the client's own, free on this connection.
        upload: UploadId,
        project: ProjectName,
        path: WorkspacePath,
        /// Names the upload over connections.
        key: UploadKey,
        size: u64,
        #[serde(default)]
        overwrite: bool,
    },
    /// `done`: the file is in its place. Names everything anew, so that it can be sent on another connection.
    UploadFinish {
        project: ProjectName,
        path: WorkspacePath,
        key: UploadKey,
        size: u64,
        #[serde(default)]
        overwrite: bool,
    },
    /// `done`: nothing is left of an unfinished upload.
    UploadAbort { key: UploadKey },
    /// `download`: an address at which a browser saves the file, or the folder as an archive, with these entries within it
    /// alone if there are any.
    Download {
        project: ProjectName,
        path: WorkspacePath,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        only: Vec<WorkspacePath>,
    },
    /// `opened`: a text file as a document; then document messages.
    Open { project: ProjectName, path: WorkspacePath },
    /// `done`: this connection no longer has the document open.
    Close { document: DocumentId },
    /// `saved` after the document's text is in its file.
    Save { document: DocumentId },
    /// `saved` after every line of the file ends so.
    LineEnding { document: DocumentId, eol: LineEnding },
    /// `first-text`: what the file was when somebody in the room opened it first.
    FirstText { document: DocumentId },
    /// `terminal-opened`: an interactive shell, or `command`, on a new terminal, already attached from offset 0.
    TerminalOpen {
        project: ProjectName,
        cols: u16,
        rows: u16,
        #[serde(default)]
        command: Option<String>,
        /// What its tab is called; by default `Terminal N`.
        #[serde(default)]
        title: Option<String>,
        /// Where in the project it begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<WorkspacePath>,
        /// Variables on top of those of a login shell, or in their stead.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        environment: BTreeMap<String, String>,
    },
    /// `process-started`: a command on pipes, its output and its errors each a log, attached from offset 0.
    ProcessStart {
        project: ProjectName,
        command: String,
        /// Where in the project it begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<WorkspacePath>,
        /// Variables on top of those of a login shell, or in their stead.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        environment: BTreeMap<String, String>,
        /// After how many milliseconds it is killed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout: Option<u64>,
        /// Whether it will be fed; otherwise it has no input.
        #[serde(default)]
        stdin: bool,
    },
    /// `done` once a process has taken what it was fed.
    ProcessInput {
        process: SessionId,
        #[serde(default)]
        data: String,
        /// How `data` is written; text if it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encoding: Option<Encoding>,
        /// Nothing follows.
        #[serde(default)]
        end: bool,
    },
    /// `terminal-attached`: send this terminal's output from `from` on.
    TerminalAttach {
        terminal: SessionId,
        #[serde(default)]
        from: u64,
    },
    /// `done`
    TerminalDetach { terminal: SessionId },
    /// `done`: the size that there is room for here. It is the terminal's while this member is who typed last.
    TerminalResize { terminal: SessionId, cols: u16, rows: u16 },
    /// `done`: while it is locked, only who opened it may touch it.
    TerminalLock { terminal: SessionId, locked: bool },
    /// `done`: what its tab is called from now on, for everybody.
    TerminalTitle { terminal: SessionId, title: String },
    /// `done`
    TerminalSignal { terminal: SessionId, signal: TerminalSignal },
    /// `done`
    TerminalClose { terminal: SessionId },
    /// `done` when a sandbox that had ended runs again.
    SandboxStart,
    /// `key`: a new join key of a role up to one's own.
    KeyMint {
        role: Role,
        /// For how many seconds somebody may come by it.
        #[serde(default)]
        ttl: Option<u64>,
        /// How many may come by it.
        #[serde(default)]
        uses: Option<u32>,
        /// For how many minutes those who come by it may be in the room, counted for each of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minutes: Option<u32>,
    },
    /// `keys`: the keys that were made, of roles up to one's own.
    Keys,
    /// `done`: nobody joins with this key any more, and who did is sent away. It is named by its text or its number.
    KeyRevoke {
        #[serde(default)]
        join: Option<String>,
        #[serde(default)]
        number: Option<u32>,
    },
    /// `document-token`: with what an editor of any make opens this file at `/ws/docs/{project}/{path}`, as this member.
    DocumentToken { project: ProjectName, path: WorkspacePath },
    /// `done`: everybody, the sender too, has been sent the message as an `event`.
    Chat { text: String },
    /// `events`: what happened after the event of this number, oldest first.
    Events {
        #[serde(default)]
        after: u64,
        #[serde(default)]
        limit: Option<usize>,
    },
    /// `found` as often as needed, then `search-end`: places in a project's files.
    Find {
        project: ProjectName,
        query: Query,
        #[serde(default)]
        scope: Scope,
        /// Also tell what each hit would be replaced by.
        #[serde(default)]
        replace: Option<String>,
    },
    /// `files` as often as needed, then `search-end`: every file of a project.
    Files {
        project: ProjectName,
        #[serde(default)]
        scope: Scope,
    },
    /// `replaced` as often as needed, then `end`: hits of chosen files are replaced.
    Replace(Replacing),
    /// `done`: this connection's `find` or `files` of that id ends early, if it is still under way.
    Cancel { request: FrameId },
    /// `preview`: an address at which this member's browser sees what listens on a port.
    Preview { port: u16 },
    /// `preview-link`: an address by which whoever has it sees a port, for `ttl` seconds.
    PreviewShare { port: u16, ttl: u64 },
    /// `done`: a link to a port opens nothing any more, and what came by it ends.
    PreviewRevoke { link: u32 },
    /// `previews`: the links to ports, and which ports anybody may see.
    Previews,
    /// `done`: whoever knows its address sees a port, for `ttl` seconds.
    PortOpen { port: u16, ttl: u64 },
    /// `done`: a port is the room's own again.
    PortClose { port: u16 },
    /// `done`: where this member is, told to the others.
    Here {
        #[serde(default)]
        project: Option<ProjectName>,
        #[serde(default)]
        path: Option<WorkspacePath>,
        /// Nobody is at this client just now.
        #[serde(default)]
        idle: bool,
    },
}

impl FullRequest {
    /// A terminal of so many columns and rows in a project's own folder, with an interactive shell or a command.
    pub fn terminal(project: ProjectName, (cols, rows): (u16, u16), command: Option<String>) -> Self {
        let (folder, environment) = (None, BTreeMap::new());
        Self::TerminalOpen { project, cols, rows, command, title: None, folder, environment }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TerminalSignal {
    Interrupt,
    Terminate,
    Kill,
    EndOfInput,
}

/// A frame that could not be read, with its id if it had a readable one.
#[derive(Debug, Clone, PartialEq)]
pub struct BadFrame {
    pub id: Option<FrameId>,
    pub failure: Failure,
}

/// Reads one text message.
pub fn parse(text: &str) -> Result<ClientFrame, BadFrame> {
    let envelope: Envelope = serde_json::from_str(text)
        .map_err(|error| BadFrame { id: None, failure: Failure::new(ErrorCode::BadJson, error.to_string()) })?;
    let id = match envelope.id {
        None | Some(serde_json::Value::Null) => None,
        Some(value) => match serde_json::from_value(value) {
            Ok(FrameId::Text(text)) if text.len() > MAX_FRAME_ID => {
                return Err(bad(None, format!("id is longer than {MAX_FRAME_ID} bytes")));
            }
            Ok(id) => Some(id),
            Err(_) => return Err(bad(None, "id must be a text or a whole number from 0")),
        },
    };
    let seq = match envelope.seq {
        None | Some(serde_json::Value::Null) => None,
        Some(value) => match value.as_u64() {
            Some(seq @ 1..=MAX_SEQ) => Some(seq),
            _ => return Err(bad(id, format!("seq must be a whole number from 1 to {MAX_SEQ}"))),
        },
    };
    let Some(kind) = envelope.kind.as_ref().and_then(serde_json::Value::as_str) else {
        return Err(bad(id, "the frame has no type"));
    };
    let body = match kind {
        "init" => member(text).map(ClientBody::Init),
        "join" => member(text).map(ClientBody::Join),
        "visit" => member(text).map(ClientBody::Visit),
        "cmd" => member::<CmdFrame>(text).and_then(CmdFrame::checked),
        _ => full(kind, text).map(ClientBody::Full),
    };
    match body {
        Ok(body) => Ok(ClientFrame { id, seq, body }),
        Err(failure) => Err(BadFrame { id, failure }),
    }
}

fn bad(id: Option<FrameId>, message: impl Into<String>) -> BadFrame {
    BadFrame { id, failure: Failure::new(ErrorCode::BadRequest, message) }
}

fn member<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::new(ErrorCode::BadRequest, error.to_string()))
}

fn full(kind: &str, text: &str) -> Result<FullRequest, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        if message.starts_with("unknown variant") {
            Failure::new(
                ErrorCode::UnknownType,
                format!("no frame of type {:?}", kind.chars().take(64).collect::<String>()),
            )
        } else if PATH_ERRORS.iter().any(|path_error| message.starts_with(&path_error.to_string())) {
            Failure::new(ErrorCode::BadPath, message)
        } else {
            Failure::new(ErrorCode::BadRequest, message)
        }
    })
}

const PATH_ERRORS: [PathError; 8] = [
    PathError::Empty,
    PathError::Absolute,
    PathError::Parent,
    PathError::Nul,
    PathError::NameTooLong,
    PathError::TooLong,
    PathError::TooDeep,
    PathError::NotOnePart,
];

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: Option<serde_json::Value>,
    id: Option<serde_json::Value>,
    seq: Option<serde_json::Value>,
}

/// A `cmd` frame as written: members stand beside the command or in it.
#[derive(Deserialize)]
struct CmdFrame {
    project_name: String,
    command: CommandMembers,
    #[serde(flatten)]
    beside: Members,
    file_structure: Option<Structure>,
}

#[derive(Deserialize)]
struct CommandMembers {
    #[serde(rename = "type")]
    kind: String,
    item: Option<String>,
    command: Option<String>,
    #[serde(flatten)]
    within: Members,
}

#[derive(Deserialize)]
struct Members {
    path: Option<String>,
    content: Option<String>,
    encoding: Option<Encoding>,
    name: Option<String>,
    method: Option<String>,
    url: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    data: Option<String>,
}

/// `file_structure` is a JSON text in the reference; the tree itself is accepted too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Structure {
    Text(String),
    Tree(Node),
}

impl CmdFrame {
    fn checked(self) -> Result<ClientBody, Failure> {
        let project = ProjectName::parse(&self.project_name)
            .map_err(|error| Failure::new(ErrorCode::BadPath, format!("project_name: {error}")))?;
        let CommandMembers { kind, item, command, within } = self.command;
        let beside = self.beside;
        let path = || -> Result<WorkspacePath, Failure> {
            let text = beside.path.as_deref().or(within.path.as_deref());
            Ok(WorkspacePath::parse(text.ok_or_else(|| missing("path"))?)?)
        };
        let command = match kind.as_str() {
            "project" => {
                let node = match self.file_structure.ok_or_else(|| missing("file_structure"))? {
                    Structure::Tree(node) => node,
                    Structure::Text(text) => member(&text)?,
                };
                Command::Project(Plan::from_tree(node)?)
            }
            "create" => Command::Create {
                path: path()?,
                item: match item.as_deref() {
                    Some("file") => Item::File,
                    Some("folder") => Item::Folder,
                    _ => return Err(Failure::new(ErrorCode::BadRequest, "item must be \"file\" or \"folder\"")),
                },
            },
            "write" => {
                let path = path()?;
                let content = beside.content.or(within.content).ok_or_else(|| missing("content"))?;
                let content = content_bytes(content, beside.encoding.or(within.encoding))
                    .map_err(|error| Failure::new(ErrorCode::BadRequest, format!("content: {error}")))?;
                Command::Write { path, content }
            }
            "rename" => {
                let path = path()?;
                let name = beside.name.as_deref().or(within.name.as_deref()).ok_or_else(|| missing("name"))?;
                Command::Rename { path, name: EntryName::parse(name)? }
            }
            "delete" => Command::Delete { path: path()? },
            "shell" => Command::Shell(Shell::of(command.ok_or_else(|| missing("command"))?)),
            "kill" => Command::Shell(Shell::Kill),
            "curl" => Command::Curl(Curl {
                method: beside.method.or(within.method).unwrap_or_else(|| "GET".to_owned()),
                url: beside.url.or(within.url).ok_or_else(|| missing("url"))?,
                headers: beside.headers.or(within.headers).unwrap_or_default(),
                data: beside.data.or(within.data).unwrap_or_default(),
            }),
            _ => {
                let kind: String = kind.chars().take(64).collect();
                return Err(Failure::new(ErrorCode::UnknownType, format!("no command of type {kind:?}")));
            }
        };
        Ok(ClientBody::Command { project, command })
    }
}

fn missing(member: &str) -> Failure {
    Failure::new(ErrorCode::BadRequest, format!("the frame has no {member}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> ErrorCode {
        parse(text).unwrap_err().failure.code
    }

    #[test]
    fn the_reference_create_is_read() {
        let frame = parse(
            r#"{"type":"cmd","project_name":"unified_workspace","command":{"type":"create","item":"file","name":"utils.py",
                "rpath":"","path":"project/utils.py","root":{},"targetElementData":{}}}"#,
        )
        .unwrap();
        let ClientBody::Command { project, command } = frame.body else { panic!("a command") };
        assert_eq!(project.as_str(), "unified_workspace");
        let path = WorkspacePath::parse("project/utils.py").unwrap();
        assert_eq!(command, Command::Create { path, item: Item::File });
    }

    #[test]
    fn hostile_frames_get_their_codes() {
        assert_eq!(code("nonsense"), ErrorCode::BadJson);
        assert_eq!(code("[]"), ErrorCode::BadJson);
        assert_eq!(code("{}"), ErrorCode::BadRequest);
        assert_eq!(code(r#"{"type":"dance"}"#), ErrorCode::UnknownType);
        assert_eq!(code(r#"{"type":"init"}"#), ErrorCode::BadRequest);
        assert_eq!(
            code(r#"{"type":"cmd","project_name":"../x","command":{"type":"shell","command":"ls"}}"#),
            ErrorCode::BadPath
        );
        assert_eq!(code(r#"{"type":"cmd","project_name":"p","command":{"type":"fly"}}"#), ErrorCode::UnknownType);
        assert_eq!(
            code(r#"{"type":"cmd","project_name":"p","command":{"type":"delete"},"path":"/etc"}"#),
            ErrorCode::BadPath
        );
        assert_eq!(code(r#"{"type":"list","project":"p","path":"../x"}"#), ErrorCode::BadPath);
        assert_eq!(code(r#"{"type":"list","project":"p"}"#), ErrorCode::BadRequest);
    }

    #[test]
    fn an_id_comes_back_with_the_error() {
        let bad = parse(r#"{"type":"cmd","id":7,"project_name":"p","command":{"type":"fly"}}"#).unwrap_err();
        assert_eq!(bad.id, Some(FrameId::Number(7)));
    }
}
