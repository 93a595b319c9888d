//! Every frame that the shared types can write is read as what it was.

use embedenv_shared::code::Failure;
use embedenv_shared::link::files::Version;
use embedenv_shared::search::{Cut, FolderFiles, FoundFile, Hit, Outcome, Summary, VersionTag};

use super::*;

fn project() -> ProjectName {
    ProjectName::parse("demo").unwrap()
}

fn path() -> WorkspacePath {
    WorkspacePath::parse("src/a b.py").unwrap()
}

fn listeners() -> Vec<Listener> {
    vec![
        Listener { port: 80, pid: Some(7), program: Some("python3".to_owned()), since: 1_790_000_000_000 },
        Listener { port: 65_535, pid: None, program: None, since: 0 },
    ]
}

fn terminal(exit: Option<Exit>) -> Terminal {
    let (title, kind) = ("Terminal 3".to_owned(), TerminalKind::Run);
    let (driver, opener, locked) = (exit.map(|_| MemberId(1)), Some(MemberId(2)), exit.is_some());
    Terminal {
        terminal: SessionId(3),
        title,
        kind,
        project: project(),
        cols: 80,
        rows: 24,
        driver,
        opener,
        locked,
        errors: None,
        exit,
    }
}

fn join_key(uses: Option<u32>) -> JoinKey {
    JoinKey {
        number: 7,
        join: "jk_x".into(),
        role: Role::Viewer,
        created: 1 << 40,
        created_by: uses.map(|_| "Ada".to_owned()),
        expires: uses.map(|_| 1 << 41),
        uses,
        used: 3,
        minutes: uses.map(|_| 90),
        spent: 12,
        over: uses.is_some(),
        people: vec![MemberId(1), MemberId(2)],
        before: vec!["Ada".into()],
    }
}

fn person(path: Option<WorkspacePath>) -> Person {
    let (user, color) = ("Ana".to_owned(), "#112233".to_owned());
    let project = path.as_ref().map(|_| project());
    Person { member: MemberId(2), user, color, role: Role::Viewer, project, idle: path.is_some(), path }
}

fn event(what: What) -> RoomEvent {
    let by = Author { member: MemberId(2), user: "Ana".into(), color: "#112233".into(), role: Role::Owner };
    RoomEvent { number: 1 << 40, at: 1 << 41, by, what }
}

fn whats() -> [What; 13] {
    let ran = |command: Option<&str>| What::Ran {
        project: project(),
        terminal: SessionId(3),
        command: command.map(str::to_owned),
    };
    let created = |item| What::Created { project: project(), path: path(), item };
    [
        What::Chat { text: "<b>\n\"x\"".into() },
        ran(None),
        ran(Some("true")),
        What::Planted { project: project(), files: 3 },
        created(Item::File),
        created(Item::Folder),
        What::Wrote { project: project(), path: path() },
        What::Replaced { project: project(), files: 2, hits: 3 },
        What::Renamed { project: project(), path: path(), name: EntryName::parse("b").unwrap() },
        What::Moved { project: project(), path: path(), to: path() },
        What::Copied { project: project(), path: path(), to: path() },
        What::Uploaded { project: project(), path: WorkspacePath::root() },
        What::Deleted { project: project(), path: path() },
    ]
}

fn joined() -> ServerFrame {
    ServerFrame::Joined(Box::new(Joined {
        user: "Ana".into(),
        color: "#112233".into(),
        role: Role::Owner,
        full: Some(JoinedFull {
            protocol: 2,
            room: RoomId([7; 10]),
            member: MemberId(2),
            projects: vec![project()],
            terminals: vec![terminal(None)],
            ports: vec![80, 65_535],
            listeners: listeners(),
            people: vec![person(None), person(Some(path()))],
            sandbox: SandboxState::Ready,
            sandbox_epoch: 1 << 52,
            max_message: 16 << 20,
            resume: Some("rt_x".into()),
            resumed: true,
            executed: 7,
            uncertain: Some(7),
        }),
    }))
}

fn frames() -> Vec<ServerFrame> {
    let id = Some(FrameId::Number(9));
    let terminal_id = SessionId(3);
    let document = DocumentId(4);
    let exits = [
        Exit { code: Some(-1), ..Exit::default() },
        Exit { signal: Some(9), elapsed: Some(1_200), memory: Some(14 << 20), ..Exit::default() },
    ];
    let entry = |kind| Entry { name: "é \"x\"".into(), kind, size: 1 << 40, modified: 1 };
    let kinds = [EntryKind::Folder, EntryKind::File, EntryKind::Link, EntryKind::Other];
    let why = [ReadOnly::NotText, ReadOnly::Binary, ReadOnly::TooLarge, ReadOnly::Role];
    let opened = |read_only| ServerFrame::Opened {
        id: id.clone(),
        document,
        project: project(),
        path: path(),
        epoch: (1 << 53) - 1,
        read_only,
    };
    let mut frames = vec![
        joined(),
        ServerFrame::Msg { message: "m".into(), id: Some(FrameId::Text("t".into())) },
        ServerFrame::Chunk { content: "AA==".into(), encoding: Some(Encoding::Base64), id: id.clone() },
        ServerFrame::Chunk { content: "\n".into(), encoding: None, id: None },
        ServerFrame::End { id: id.clone() },
        ServerFrame::UploadStands { id: None, upload: UploadId(3), offset: 1 << 33 },
        ServerFrame::UploadStands { id: id.clone(), upload: UploadId(3), offset: 0 },
        ServerFrame::UploadFailed { upload: UploadId(3), code: ErrorCode::QuotaExceeded, message: "m".into() },
        ServerFrame::Download { id: id.clone(), address: "/download/x.y".into(), name: "é.zip".into() },
        ServerFrame::Done { id: id.clone() },
        ServerFrame::Pong { id: None },
        ServerFrame::Response { id: id.clone(), status: 404, headers: vec![("a".into(), "b".into())] },
        ServerFrame::Projects { id: id.clone(), projects: vec![project()] },
        ServerFrame::Listing {
            id: id.clone(),
            project: project(),
            path: WorkspacePath::root(),
            entries: kinds.map(entry).to_vec(),
            next: Some(4096),
        },
        ServerFrame::Changed { project: project(), path: path(), names: vec!["x".into()] },
        ServerFrame::File { id: id.clone(), content: String::new(), encoding: None },
        ServerFrame::Piped { id: id.clone(), code: -1, output: "x\n".into(), errors: "no".into() },
        opened(None),
        ServerFrame::Document {
            document,
            received: 5,
            saved: false,
            eol: LineEnding::CrLf,
            problem: Some("full".into()),
        },
        ServerFrame::Document { document, received: 0, saved: true, eol: LineEnding::Lf, problem: None },
        ServerFrame::FirstText { id: id.clone(), document, text: Some("a\n".into()) },
        ServerFrame::FirstText { id: id.clone(), document, text: None },
        ServerFrame::Saved { id: id.clone(), document },
        ServerFrame::DocumentMoved { document, path: path() },
        ServerFrame::DocumentClosed { document, reason: "gone".into() },
        ServerFrame::TerminalOpened { id: id.clone(), terminal: terminal_id },
        ServerFrame::Terminal(Terminal {
            kind: TerminalKind::Process,
            errors: Some(SessionId(4)),
            ..terminal(Some(Exit { signal: Some(9), cpu: Some(5), timed_out: true, ..Exit::default() }))
        }),
        ServerFrame::TerminalAttached { id: id.clone(), terminal: terminal_id, from: 1, head: 1 << 40 },
        ServerFrame::Terminal(terminal(None)),
        ServerFrame::TerminalClosed { terminal: terminal_id },
        ServerFrame::TerminalGap { terminal: terminal_id, from: 1, to: 2 },
        ServerFrame::Ports { ports: vec![80, 65_535], listeners: listeners() },
        ServerFrame::People { people: vec![person(None)] },
        ServerFrame::Events { id: id.clone(), events: whats().map(event).to_vec(), first: 2, last: 1 << 40 },
        ServerFrame::Visited { join: "jk".into() },
        ServerFrame::Preview { id: id.clone(), port: 65_535, url: "http://x/".into(), enter: "http://x/y?z".into() },
        ServerFrame::PreviewLink { id: id.clone(), link: preview_link(), url: "http://x/y?z".into() },
        ServerFrame::Previews {
            id: id.clone(),
            links: vec![preview_link()],
            open: vec![OpenPort { port: 1, until: 1 << 40 }],
        },
        ServerFrame::Executed { seq: 1 << 40 },
        ServerFrame::Key { id: id.clone(), key: join_key(None) },
        ServerFrame::Keys { id: id.clone(), keys: vec![join_key(None), join_key(Some(5))] },
    ];
    frames.extend(searched(&id));
    frames.extend(whats().map(|what| ServerFrame::Event(event(what))));
    frames.extend(why.map(|why| opened(Some(why))));
    frames.extend(exits.map(|exit| ServerFrame::Terminal(terminal(Some(exit)))));
    let states = [SandboxState::Starting, SandboxState::Ready, SandboxState::Gone];
    frames.extend(states.map(|state| ServerFrame::Sandbox { state, message: Some("m".into()) }));
    frames.extend(ErrorCode::ALL.iter().map(|&code| ServerFrame::Error { code, message: "m".into(), id: id.clone() }));
    frames
}

fn preview_link() -> PreviewLink {
    PreviewLink { number: u32::MAX, port: 80, created_by: "Ada".into(), expires: 1 << 40 }
}

/// What a search and a replacing are answered by.
fn searched(id: &Option<FrameId>) -> Vec<ServerFrame> {
    let hit = |replacement: Option<&str>| Hit {
        line: u32::MAX,
        column: 1,
        length: 3,
        before: "\t".into(),
        text: "é\"".into(),
        after: String::new(),
        replacement: replacement.map(str::to_owned),
    };
    let version = VersionTag(Version { size: 0, modified: u64::MAX, inode: 9 });
    let hits = vec![hit(None), hit(Some(""))];
    let outcome = |failure| Outcome { path: path(), hits: 2, failure };
    let failure = Failure { code: ErrorCode::Conflict, message: "m".into() };
    let mut frames = vec![
        ServerFrame::Found { id: id.clone(), files: vec![FoundFile { path: path(), version, hits, more: true }] },
        ServerFrame::Files {
            id: id.clone(),
            folders: vec![FolderFiles { path: WorkspacePath::root(), names: vec!["é".into()] }],
        },
        ServerFrame::Replaced { id: id.clone(), files: vec![outcome(None), outcome(Some(failure))] },
    ];
    let cuts = [None, Some(Cut::Hits), Some(Cut::Files), Some(Cut::Time), Some(Cut::Cancelled)];
    frames.extend(
        cuts.map(|cut| ServerFrame::SearchEnd {
            id: id.clone(),
            summary: Summary { files: 1, hits: 2, skipped: 3, cut },
        }),
    );
    frames
}

/// Fails to compile when a frame is added: it has to be in [`frames`] and in [`read`], or among those left out.
fn is_for_full_clients(frame: &ServerFrame) -> bool {
    match frame {
        ServerFrame::Init { .. }
        | ServerFrame::TerminalData { .. }
        | ServerFrame::TerminalNewline { .. }
        | ServerFrame::TerminalDataEnd
        // What this page does not ask for.
        | ServerFrame::ProcessStarted { .. }
        | ServerFrame::DocumentToken { .. } => false,
        ServerFrame::Joined(_)
        | ServerFrame::Msg { .. }
        | ServerFrame::Visited { .. }
        | ServerFrame::Preview { .. }
        | ServerFrame::PreviewLink { .. }
        | ServerFrame::Previews { .. }
        | ServerFrame::Chunk { .. }
        | ServerFrame::End { .. }
        | ServerFrame::Error { .. }
        | ServerFrame::Done { .. }
        | ServerFrame::Pong { .. }
        | ServerFrame::Response { .. }
        | ServerFrame::Projects { .. }
        | ServerFrame::Listing { .. }
        | ServerFrame::Changed { .. }
        | ServerFrame::File { .. }
        | ServerFrame::Piped { .. }
        | ServerFrame::Opened { .. }
        | ServerFrame::Document { .. }
        | ServerFrame::Saved { .. }
        | ServerFrame::FirstText { .. }
        | ServerFrame::DocumentMoved { .. }
        | ServerFrame::DocumentClosed { .. }
        | ServerFrame::TerminalOpened { .. }
        | ServerFrame::TerminalAttached { .. }
        | ServerFrame::Terminal(_)
        | ServerFrame::TerminalClosed { .. }
        | ServerFrame::TerminalGap { .. }
        | ServerFrame::Ports { .. }
        | ServerFrame::Sandbox { .. }
        | ServerFrame::People { .. }
        | ServerFrame::Event(_)
        | ServerFrame::Events { .. }
        | ServerFrame::UploadStands { .. }
        | ServerFrame::UploadFailed { .. }
        | ServerFrame::Download { .. }
        | ServerFrame::Executed { .. }
        | ServerFrame::Key { .. }
        | ServerFrame::Keys { .. }
        | ServerFrame::Found { .. }
        | ServerFrame::Files { .. }
        | ServerFrame::SearchEnd { .. }
        | ServerFrame::Replaced { .. } => true,
    }
}

#[test]
fn every_frame_is_read_as_it_was_written() {
    for frame in frames() {
        assert!(is_for_full_clients(&frame));
        assert_eq!(read(&frame.to_text()), Ok(frame));
    }
}

#[test]
fn what_is_no_frame_is_refused() {
    for text in ["", "[]", "{}", r#"{"type":"dance"}"#, r#"{"type":"ports"}"#, r#"{"type":"ports","ports":[70000]}"#] {
        assert_eq!(read(text), Err(Unreadable), "{text}");
    }
    assert_eq!(
        read(r#"{"type":"document-moved","document":1,"path":"../x"}"#),
        Err(Unreadable),
        "a path of the server's is held to the rules, too"
    );
}
