//! Frames of the server, read from their text. By hand: what serde derives for an enum with this many variants is a tenth
//! of the page's code. The test reads what the shared types write, frame by frame, so that the two can't part.

mod search;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::FrameId;
use embedenv_shared::event::{Author, RoomEvent, What};
use embedenv_shared::frame::{
    Exit, JoinKey, Joined, JoinedFull, LineEnding, Listener, OpenPort, Person, PreviewLink, ReadOnly, SandboxState,
    ServerFrame, Terminal, TerminalKind,
};
use embedenv_shared::id::{DocumentId, MemberId, Role, RoomId, SessionId, UploadId};
use embedenv_shared::link::files::{Entry, EntryKind, Item};
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use embedenv_shared::tree::Encoding;
use serde_json::{Map, Value};

/// The frame is not one that this page knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable;

type Read<T> = Result<T, Unreadable>;

/// Reads one text message of the server's.
pub fn read(text: &str) -> Read<ServerFrame> {
    let Ok(Value::Object(members)) = serde_json::from_str(text) else { return Err(Unreadable) };
    let mut frame = Members(members);
    let kind = frame.text("type")?;
    frame.read(&kind)
}

/// The members of an object; each is taken out once.
struct Members(Map<String, Value>);

impl Members {
    fn read(&mut self, kind: &str) -> Read<ServerFrame> {
        Ok(match kind {
            "joined" => ServerFrame::Joined(Box::new(self.joined()?)),
            "msg" => ServerFrame::Msg { message: self.text("message")?, id: self.id() },
            "chunk" => ServerFrame::Chunk { content: self.text("content")?, encoding: self.encoding(), id: self.id() },
            "end" => ServerFrame::End { id: self.id() },
            "error" => ServerFrame::Error { code: self.error_code()?, message: self.text("message")?, id: self.id() },
            "done" => ServerFrame::Done { id: self.id() },
            "pong" => ServerFrame::Pong { id: self.id() },
            "response" => {
                ServerFrame::Response { status: self.number("status")?, headers: self.headers()?, id: self.id() }
            }
            "projects" => ServerFrame::Projects { projects: self.projects()?, id: self.id() },
            "listing" => ServerFrame::Listing {
                project: self.project("project")?,
                path: self.path("path")?,
                entries: self.list("entries", Members::entry)?,
                next: self.number_if_any("next"),
                id: self.id(),
            },
            "changed" => ServerFrame::Changed {
                project: self.project("project")?,
                path: self.path("path")?,
                names: self.texts("names")?,
            },
            "file" => ServerFrame::File { content: self.text("content")?, encoding: self.encoding(), id: self.id() },
            "piped" => ServerFrame::Piped {
                code: self.status("code").ok_or(Unreadable)?,
                output: self.text("output")?,
                errors: self.text("errors")?,
                id: self.id(),
            },
            "opened" => ServerFrame::Opened {
                document: self.document()?,
                project: self.project("project")?,
                path: self.path("path")?,
                epoch: self.number("epoch")?,
                read_only: self.read_only()?,
                id: self.id(),
            },
            "upload-stands" => ServerFrame::UploadStands {
                upload: UploadId(self.number("upload")?),
                offset: self.number("offset")?,
                id: self.id(),
            },
            "upload-failed" => ServerFrame::UploadFailed {
                upload: UploadId(self.number("upload")?),
                code: self.error_code()?,
                message: self.text("message")?,
            },
            "download" => {
                ServerFrame::Download { address: self.text("address")?, name: self.text("name")?, id: self.id() }
            }
            "document" => ServerFrame::Document {
                document: self.document()?,
                received: self.number("received")?,
                saved: self.flag("saved")?,
                // An older server, whose files the page of a newer one has open, does not say.
                eol: if self.text("eol").is_ok_and(|eol| eol == "crlf") { LineEnding::CrLf } else { LineEnding::Lf },
                problem: self.text("problem").ok(),
            },
            "saved" => ServerFrame::Saved { document: self.document()?, id: self.id() },
            "first-text" => {
                ServerFrame::FirstText { document: self.document()?, text: self.text("text").ok(), id: self.id() }
            }
            "document-moved" => ServerFrame::DocumentMoved { document: self.document()?, path: self.path("path")? },
            "document-closed" => {
                ServerFrame::DocumentClosed { document: self.document()?, reason: self.text("reason")? }
            }
            "terminal-opened" => ServerFrame::TerminalOpened { terminal: self.terminal_id()?, id: self.id() },
            "terminal-attached" => ServerFrame::TerminalAttached {
                terminal: self.terminal_id()?,
                from: self.number("from")?,
                head: self.number("head")?,
                id: self.id(),
            },
            "terminal" => ServerFrame::Terminal(self.terminal()?),
            "terminal-closed" => ServerFrame::TerminalClosed { terminal: self.terminal_id()? },
            "terminal-gap" => ServerFrame::TerminalGap {
                terminal: self.terminal_id()?,
                from: self.number("from")?,
                to: self.number("to")?,
            },
            "ports" => ServerFrame::Ports {
                ports: self.numbers("ports")?,
                listeners: self.list("listeners", Members::listener)?,
            },
            "sandbox" => ServerFrame::Sandbox { state: self.sandbox("state")?, message: self.text("message").ok() },
            "people" => ServerFrame::People { people: self.list("people", Members::person)? },
            "event" => ServerFrame::Event(self.event()?),
            "events" => ServerFrame::Events {
                events: self.list("events", Members::event)?,
                first: self.number("first")?,
                last: self.number("last")?,
                id: self.id(),
            },
            "executed" => ServerFrame::Executed { seq: self.number("seq")? },
            "visited" => ServerFrame::Visited { join: self.text("join")? },
            "preview" => ServerFrame::Preview {
                port: self.number("port")?,
                url: self.text("url")?,
                enter: self.text("enter")?,
                id: self.id(),
            },
            "preview-link" => ServerFrame::PreviewLink {
                link: self.members("link")?.preview_link()?,
                url: self.text("url")?,
                id: self.id(),
            },
            "previews" => ServerFrame::Previews {
                links: self.list("links", Members::preview_link)?,
                open: self.list("open", Members::open_port)?,
                id: self.id(),
            },
            "key" => ServerFrame::Key { key: self.join_key()?, id: self.id() },
            "keys" => ServerFrame::Keys { keys: self.list("keys", Members::join_key)?, id: self.id() },
            // Else they are frames of plain clients, which a full one is not sent.
            kind => return self.search(kind).unwrap_or(Err(Unreadable)),
        })
    }

    fn joined(&mut self) -> Read<Joined> {
        Ok(Joined {
            user: self.text("user")?,
            color: self.text("color")?,
            role: self.role()?,
            full: Some(JoinedFull {
                protocol: self.number("protocol")?,
                room: self.room()?,
                member: MemberId(self.number("member")?),
                projects: self.projects()?,
                terminals: self.list("terminals", Members::terminal)?,
                ports: self.numbers("ports")?,
                listeners: self.list("listeners", Members::listener)?,
                people: self.list("people", Members::person)?,
                sandbox: self.sandbox("sandbox")?,
                sandbox_epoch: self.number("sandbox_epoch")?,
                max_message: self.number("max_message")?,
                resume: self.text("resume").ok(),
                resumed: self.flag("resumed").unwrap_or_default(),
                executed: self.number("executed")?,
                uncertain: self.number_if_any("uncertain"),
            }),
        })
    }

    fn terminal(&mut self) -> Read<Terminal> {
        Ok(Terminal {
            terminal: self.terminal_id()?,
            title: self.text("title")?,
            kind: match self.text("kind")?.as_str() {
                "terminal" => TerminalKind::Terminal,
                "run" => TerminalKind::Run,
                "shell" => TerminalKind::Shell,
                "process" => TerminalKind::Process,
                "errors" => TerminalKind::Errors,
                _ => return Err(Unreadable),
            },
            project: self.project("project")?,
            cols: self.number("cols")?,
            rows: self.number("rows")?,
            driver: self.member_if_any("driver"),
            opener: self.member_if_any("opener"),
            locked: self.flag("locked").unwrap_or_default(),
            errors: self.number("errors").ok().map(SessionId),
            exit: match self.0.remove("exit") {
                Some(Value::Object(exit)) => {
                    let mut exit = Members(exit);
                    Some(Exit {
                        code: exit.status("code"),
                        signal: exit.status("signal"),
                        elapsed: exit.number_if_any("elapsed"),
                        memory: exit.number_if_any("memory"),
                        cpu: exit.number_if_any("cpu"),
                        timed_out: exit.flag("timed_out").unwrap_or_default(),
                    })
                }
                _ => None,
            },
        })
    }

    fn listener(&mut self) -> Read<Listener> {
        Ok(Listener {
            port: self.number("port")?,
            pid: self.number("pid").ok(),
            program: self.text("program").ok(),
            since: self.number("since")?,
        })
    }

    fn member_if_any(&mut self, name: &str) -> Option<MemberId> {
        self.number(name).ok().map(MemberId)
    }

    fn preview_link(&mut self) -> Read<PreviewLink> {
        Ok(PreviewLink {
            number: self.number("number")?,
            port: self.number("port")?,
            created_by: self.text("created_by")?,
            expires: self.number("expires")?,
        })
    }

    fn open_port(&mut self) -> Read<OpenPort> {
        Ok(OpenPort { port: self.number("port")?, until: self.number("until")? })
    }

    fn join_key(&mut self) -> Read<JoinKey> {
        Ok(JoinKey {
            number: self.number("number")?,
            join: self.text("join")?,
            role: self.role()?,
            created: self.number("created")?,
            created_by: self.text("created_by").ok(),
            expires: self.number_if_any("expires"),
            uses: self.number("uses").ok(),
            used: self.number("used")?,
            minutes: self.number("minutes").ok(),
            spent: self.number("spent").unwrap_or_default(),
            over: self.flag("over").unwrap_or_default(),
            people: self.numbers("people")?.into_iter().map(MemberId).collect(),
            before: self.texts("before").unwrap_or_default(),
        })
    }

    fn event(&mut self) -> Read<RoomEvent> {
        let mut by = self.members("by")?;
        Ok(RoomEvent {
            number: self.number("number")?,
            at: self.number("at")?,
            by: Author {
                member: MemberId(by.number("member")?),
                user: by.text("user")?,
                color: by.text("color")?,
                role: by.role()?,
            },
            what: self.what()?,
        })
    }

    fn what(&mut self) -> Read<What> {
        let kind = self.text("kind")?;
        if kind == "chat" {
            return Ok(What::Chat { text: self.text("text")? });
        }
        let project = self.project("project")?;
        Ok(match kind.as_str() {
            "ran" => What::Ran { project, terminal: self.terminal_id()?, command: self.text("command").ok() },
            "planted" => What::Planted { project, files: self.number("files")? },
            "created" => What::Created {
                project,
                path: self.path("path")?,
                item: if self.text("item")? == "folder" { Item::Folder } else { Item::File },
            },
            "wrote" => What::Wrote { project, path: self.path("path")? },
            "replaced" => What::Replaced { project, files: self.number("files")?, hits: self.number("hits")? },
            "renamed" => What::Renamed {
                project,
                path: self.path("path")?,
                name: EntryName::parse(&self.text("name")?).map_err(|_| Unreadable)?,
            },
            "moved" => What::Moved { project, path: self.path("path")?, to: self.path("to")? },
            "copied" => What::Copied { project, path: self.path("path")?, to: self.path("to")? },
            "uploaded" => What::Uploaded { project, path: self.path("path")? },
            "deleted" => What::Deleted { project, path: self.path("path")? },
            _ => return Err(Unreadable),
        })
    }

    fn person(&mut self) -> Read<Person> {
        Ok(Person {
            member: MemberId(self.number("member")?),
            user: self.text("user")?,
            color: self.text("color")?,
            role: self.role()?,
            project: self.project("project").ok(),
            path: self.path("path").ok(),
            idle: self.flag("idle").unwrap_or_default(),
        })
    }

    fn entry(&mut self) -> Read<Entry> {
        Ok(Entry {
            name: self.text("name")?,
            kind: match self.text("kind")?.as_str() {
                "folder" => EntryKind::Folder,
                "file" => EntryKind::File,
                "link" => EntryKind::Link,
                "other" => EntryKind::Other,
                _ => return Err(Unreadable),
            },
            size: self.number("size")?,
            modified: self.number("modified")?,
        })
    }

    fn text(&mut self, name: &str) -> Read<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Unreadable),
        }
    }

    fn number<T: TryFrom<u64>>(&mut self, name: &str) -> Read<T> {
        let number = self.number_if_any(name).ok_or(Unreadable)?;
        T::try_from(number).map_err(|_| Unreadable)
    }

    fn number_if_any(&mut self, name: &str) -> Option<u64> {
        self.0.remove(name).as_ref().and_then(Value::as_u64)
    }

    fn status(&mut self, name: &str) -> Option<i32> {
        self.0.remove(name).as_ref().and_then(Value::as_i64).and_then(|status| i32::try_from(status).ok())
    }

    fn flag(&mut self, name: &str) -> Read<bool> {
        self.0.remove(name).as_ref().and_then(Value::as_bool).ok_or(Unreadable)
    }

    fn values(&mut self, name: &str) -> Read<Vec<Value>> {
        match self.0.remove(name) {
            Some(Value::Array(values)) => Ok(values),
            _ => Err(Unreadable),
        }
    }

    fn list<T>(&mut self, name: &str, read: fn(&mut Members) -> Read<T>) -> Read<Vec<T>> {
        let mut items = Vec::new();
        for value in self.values(name)? {
            let Value::Object(members) = value else { return Err(Unreadable) };
            items.push(read(&mut Members(members))?);
        }
        Ok(items)
    }

    fn texts(&mut self, name: &str) -> Read<Vec<String>> {
        let mut texts = Vec::new();
        for value in self.values(name)? {
            let Value::String(text) = value else { return Err(Unreadable) };
            texts.push(text);
        }
        Ok(texts)
    }

    fn members(&mut self, name: &str) -> Read<Members> {
        let Some(Value::Object(members)) = self.0.remove(name) else { return Err(Unreadable) };
        Ok(Members(members))
    }

    fn numbers<T: TryFrom<u64>>(&mut self, name: &str) -> Read<Vec<T>> {
        let number = |value: Value| value.as_u64().and_then(|number| T::try_from(number).ok()).ok_or(Unreadable);
        self.values(name)?.into_iter().map(number).collect()
    }

    fn projects(&mut self) -> Read<Vec<ProjectName>> {
        let mut projects = Vec::new();
        for name in self.texts("projects")? {
            projects.push(ProjectName::parse(&name).map_err(|_| Unreadable)?);
        }
        Ok(projects)
    }

    /// Pairs of a header's name and value.
    fn headers(&mut self) -> Read<Vec<(String, String)>> {
        let mut headers = Vec::new();
        for value in self.values("headers")? {
            let pair = value.as_array().map(Vec::as_slice);
            let Some([Value::String(name), Value::String(value)]) = pair else { return Err(Unreadable) };
            headers.push((name.clone(), value.clone()));
        }
        Ok(headers)
    }

    fn id(&mut self) -> Option<FrameId> {
        match self.0.remove("id")? {
            Value::String(text) => Some(FrameId::Text(text)),
            value => value.as_u64().map(FrameId::Number),
        }
    }

    fn encoding(&mut self) -> Option<Encoding> {
        (self.text("encoding").as_deref() == Ok("base64")).then_some(Encoding::Base64)
    }

    fn error_code(&mut self) -> Read<ErrorCode> {
        let text = self.text("code")?;
        // One that a newer server knows is still told in its words.
        Ok(ErrorCode::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(ErrorCode::Internal))
    }

    fn read_only(&mut self) -> Read<Option<ReadOnly>> {
        let Ok(text) = self.text("read_only") else { return Ok(None) };
        Ok(Some(match text.as_str() {
            "not-text" => ReadOnly::NotText,
            "binary" => ReadOnly::Binary,
            "too-large" => ReadOnly::TooLarge,
            "role" => ReadOnly::Role,
            _ => return Err(Unreadable),
        }))
    }

    fn sandbox(&mut self, name: &str) -> Read<SandboxState> {
        Ok(match self.text(name)?.as_str() {
            "starting" => SandboxState::Starting,
            "ready" => SandboxState::Ready,
            "gone" => SandboxState::Gone,
            _ => return Err(Unreadable),
        })
    }

    fn role(&mut self) -> Read<Role> {
        Ok(match self.text("role")?.as_str() {
            "viewer" => Role::Viewer,
            "editor" => Role::Editor,
            "owner" => Role::Owner,
            _ => return Err(Unreadable),
        })
    }

    fn room(&mut self) -> Read<RoomId> {
        self.text("room")?.parse().map_err(|_| Unreadable)
    }

    fn project(&mut self, name: &str) -> Read<ProjectName> {
        ProjectName::parse(&self.text(name)?).map_err(|_| Unreadable)
    }

    fn path(&mut self, name: &str) -> Read<WorkspacePath> {
        WorkspacePath::parse_or_root(&self.text(name)?).map_err(|_| Unreadable)
    }

    fn document(&mut self) -> Read<DocumentId> {
        self.number("document").map(DocumentId)
    }

    fn terminal_id(&mut self) -> Read<SessionId> {
        self.number("terminal").map(SessionId)
    }
}

#[cfg(test)]
mod tests;
