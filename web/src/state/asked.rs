//! What the page around a frame may ask of the page in it: one fixed table, each row with arguments that are checked here.
//! Knows no room: what a role allows is decided where it is carried out, and on the server.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::path::WorkspacePath;
use serde_json::{Map, Value, json};

use super::embed::{MAX_CODE, MAX_RUN, Place, View, theme};
use super::settings::Theme;

/// Files that are written and removed at once; with more, nothing is done.
pub const MAX_DIFF: usize = 1000;
/// Files that are opened at once.
const MAX_OPENED: usize = 20;
/// Bytes that are typed at once.
const MAX_TYPED: usize = 64 * 1024;
/// Things that are asked for and not answered yet; another one is refused.
pub const MAX_UNDER_WAY: usize = 256;

/// Files of a snapshot; of a project with more there is none.
pub const MAX_SNAPSHOT_FILES: usize = 1000;
/// Bytes of a snapshot; of a project with more there is none.
pub const MAX_SNAPSHOT: usize = 8 * 1024 * 1024;

/// Something that is asked for, with its checked arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    Apply(Diff),
    Snapshot,
    /// Tells of changes in every folder from now on.
    Watch,
    Open(Vec<Place>),
    /// Shows a file that is open.
    Current(WorkspacePath),
    Theme(Theme),
    View(View),
    PreviewUrl,
    Preview(Destination),
    Run(String),
    /// Types into a terminal; without one, into the one that is shown.
    Write {
        text: String,
        terminal: Option<u32>,
    },
    OpenTerminal,
    Stop {
        terminal: Option<u32>,
    },
    Ports,
    /// The room of the page's blocks has this key; empty if it is to be opened.
    Room(String),
}

/// Files that shall be there as they are here, and those that shall not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    pub create: Vec<(WorkspacePath, String)>,
    pub destroy: Vec<WorkspacePath>,
}

/// Where the preview shall go; without a port, within the one that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub port: Option<u16>,
    /// Begins with `/`.
    pub path: String,
}

/// What was asked for, and the number of its answer; of what has no number, nothing is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub id: u64,
    pub what: Result<Ask, Failure>,
}

/// Reads one message of the page around. `None` if it is none that could be answered.
pub fn read(text: &str) -> Option<Asked> {
    let message: Value = serde_json::from_str(text).ok()?;
    let id = message.get("id")?.as_u64()?;
    let method = message.get("method")?.as_str()?;
    let none = Map::new();
    let args = match message.get("args") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(args)) => args,
        Some(_) => return Some(Asked { id, what: Err(bad("args has to be an object")) }),
    };
    Some(Asked { id, what: ask(method, args) })
}

/// The table.
fn ask(method: &str, args: &Map<String, Value>) -> Result<Ask, Failure> {
    Ok(match method {
        "fs.apply" => Ask::Apply(diff(args)?),
        "fs.snapshot" => Ask::Snapshot,
        "fs.watch" => Ask::Watch,
        "editor.open" => Ask::Open(places(args)?),
        "editor.current" => Ask::Current(path(text(args, "file")?)?),
        "editor.theme" => {
            Ask::Theme(theme(text(args, "theme")?).ok_or_else(|| bad("theme has to be the name of a theme"))?)
        }
        "editor.view" => {
            let wants = "view has to be default, editor, preview, both, terminal or split";
            Ask::View(View::parse(text(args, "view")?).ok_or_else(|| bad(wants))?)
        }
        "preview.url" => Ask::PreviewUrl,
        "preview.go" => Ask::Preview(destination(text(args, "url")?)?),
        "run" => Ask::Run(command(text(args, "command")?)?),
        "terminal.write" => Ask::Write { text: typed(text(args, "text")?)?, terminal: terminal(args)? },
        "terminal.open" => Ask::OpenTerminal,
        "terminal.stop" => Ask::Stop { terminal: terminal(args)? },
        "ports" => Ask::Ports,
        "room" => Ask::Room(text(args, "join")?.to_owned()),
        _ => return Err(Failure::new(ErrorCode::UnknownType, "there is nothing of this name to be asked for")),
    })
}

/// Why something that could be read is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Busy,
    NotJoined,
    NotOpen,
    NoTerminal,
    Locked,
    Full,
    SnapshotTooLarge,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (code, message) = match refusal {
            Refusal::Busy => (ErrorCode::LimitReached, format!("{MAX_UNDER_WAY} things are asked for already")),
            Refusal::NotJoined => (ErrorCode::Unavailable, "the room is not joined yet".to_owned()),
            Refusal::NotOpen => (ErrorCode::NotFound, "this file is not open".to_owned()),
            Refusal::NoTerminal => (ErrorCode::NotFound, "there is no such terminal".to_owned()),
            Refusal::Locked => (ErrorCode::Forbidden, "whoever opened this terminal keeps it to themselves".to_owned()),
            Refusal::Full => (ErrorCode::LimitReached, "too much waits for the connection".to_owned()),
            Refusal::SnapshotTooLarge => {
                let most = MAX_SNAPSHOT / 1024 / 1024;
                (ErrorCode::TooLarge, format!("the project has more than {MAX_SNAPSHOT_FILES} files, or {most} MiB"))
            }
        };
        Self::new(code, message)
    }
}

/// The answer to what was asked under a number.
pub fn answer(id: u64, outcome: Result<Value, Failure>) -> String {
    match outcome {
        Ok(result) => json!({"id": id, "result": result}),
        Err(Failure { code, message }) => json!({"id": id, "error": {"code": code, "message": message}}),
    }
    .to_string()
}

/// What the page around gives when the two have shaken hands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// As in an address's fragment: the key above all.
    pub link: String,
    /// Files that are written before anything is shown.
    pub files: Diff,
    /// Files that are written where there are none of the name.
    pub seeds: Diff,
    pub code: Option<String>,
    /// The frame is one of several blocks of the page.
    pub is_block: bool,
}

impl Given {
    /// Leaves out what can't be used, and says that.
    pub fn read(text: &str) -> (Self, Option<Failure>) {
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        let link = message.get("link").and_then(Value::as_str).unwrap_or_default().to_owned();
        let code = message.get("code").and_then(Value::as_str).filter(|code| code.len() <= MAX_CODE);
        let is_block = message.get("block").and_then(Value::as_bool).unwrap_or_default();
        let mut problem = None;
        let mut diff = |name: &str| match message.get(name).filter(|files| !files.is_null()).map(created) {
            None => Diff::default(),
            Some(Ok(create)) => Diff { create, destroy: Vec::new() },
            Some(Err(failure)) => {
                problem = Some(failure);
                Diff::default()
            }
        };
        let (files, seeds) = (diff("files"), diff("seeds"));
        (Self { link, files, seeds, code: code.map(str::to_owned), is_block }, problem)
    }
}

fn bad(message: &str) -> Failure {
    Failure::new(ErrorCode::BadRequest, message)
}

fn text<'a>(args: &'a Map<String, Value>, name: &str) -> Result<&'a str, Failure> {
    let text = args.get(name).and_then(Value::as_str);
    text.ok_or_else(|| bad(&format!("{name} has to be a text")))
}

fn path(text: &str) -> Result<WorkspacePath, Failure> {
    let refused = |why: String| Failure::new(ErrorCode::BadPath, why);
    let path = WorkspacePath::parse(text).map_err(|error| refused(error.to_string()))?;
    if path.is_root() { Err(refused("the path names the project itself".to_owned())) } else { Ok(path) }
}

fn diff(args: &Map<String, Value>) -> Result<Diff, Failure> {
    let create = args.get("create").map(created).transpose()?.unwrap_or_default();
    let destroy = match args.get("destroy") {
        None => Vec::new(),
        Some(Value::Array(paths)) => {
            let path_of = |value: &Value| path(value.as_str().ok_or_else(|| bad("destroy has to be a list of paths"))?);
            paths.iter().take(MAX_DIFF + 1).map(path_of).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(bad("destroy has to be a list of paths")),
    };
    if create.len() + destroy.len() > MAX_DIFF {
        return Err(too_many());
    }
    Ok(Diff { create, destroy })
}

fn created(files: &Value) -> Result<Vec<(WorkspacePath, String)>, Failure> {
    let Value::Object(files) = files else { return Err(bad("the files have to be an object of paths and texts")) };
    if files.len() > MAX_DIFF {
        return Err(too_many());
    }
    let file = |(name, content): (&String, &Value)| {
        let content = content.as_str().ok_or_else(|| bad("what a file holds has to be a text"))?;
        Ok((path(name)?, content.to_owned()))
    };
    files.iter().map(file).collect()
}

fn too_many() -> Failure {
    Failure::new(ErrorCode::TooLarge, format!("more than {MAX_DIFF} files at once; nothing was done"))
}

fn places(args: &Map<String, Value>) -> Result<Vec<Place>, Failure> {
    let Some(Value::Array(files)) = args.get("files") else { return Err(bad("files has to be a list of paths")) };
    if files.is_empty() || files.len() > MAX_OPENED {
        return Err(bad(&format!("files has to be a list of 1 to {MAX_OPENED} paths")));
    }
    let place = |file: &Value| {
        let file = file.as_str().and_then(Place::parse);
        file.ok_or_else(|| Failure::new(ErrorCode::BadPath, "this is no path in the project"))
    };
    files.iter().map(place).collect()
}

fn command(text: &str) -> Result<String, Failure> {
    if text.trim().is_empty() || text.len() > MAX_RUN || text.contains('\0') {
        return Err(bad(&format!("command has to be a line of 1 to {MAX_RUN} bytes")));
    }
    Ok(text.to_owned())
}

fn typed(text: &str) -> Result<String, Failure> {
    if text.len() > MAX_TYPED {
        return Err(Failure::new(ErrorCode::TooLarge, format!("text is longer than {MAX_TYPED} bytes")));
    }
    Ok(text.to_owned())
}

fn terminal(args: &Map<String, Value>) -> Result<Option<u32>, Failure> {
    match args.get("terminal") {
        None | Some(Value::Null) => Ok(None),
        Some(number) => {
            let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
            number.map(Some).ok_or_else(|| bad("terminal has to be the number of a terminal"))
        }
    }
}

/// `/about`, or `http://localhost:8000/about`. Leads nowhere but into the sandbox.
fn destination(url: &str) -> Result<Destination, Failure> {
    let outside =
        || Failure::new(ErrorCode::ForbiddenTarget, "the preview shows what the sandbox serves, and nothing else");
    if url.contains(char::is_control) || url.contains('\\') {
        return Err(outside());
    }
    if url.starts_with('/') && !url.starts_with("//") {
        return Ok(Destination { port: None, path: url.to_owned() });
    }
    let rest = url.strip_prefix("http://").ok_or_else(outside)?;
    let (host, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    let port = host.strip_prefix("localhost:").or_else(|| host.strip_prefix("127.0.0.1:")).ok_or_else(outside)?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(outside)?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(Destination { port: Some(port), path: format!("{slash}{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask_for(method: &str, args: Value) -> Result<Ask, Failure> {
        read(&json!({"id": 1, "method": method, "args": args}).to_string()).unwrap().what
    }

    fn code(outcome: Result<Ask, Failure>) -> ErrorCode {
        outcome.unwrap_err().code
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let at = |text: &str| WorkspacePath::parse(text).unwrap();
        let diff = Diff { create: vec![(at("a/b.py"), "x".into())], destroy: vec![at("c")] };
        assert_eq!(ask_for("fs.apply", json!({"create": {"a/b.py": "x"}, "destroy": ["c"]})), Ok(Ask::Apply(diff)));
        assert_eq!(ask_for("fs.snapshot", json!({})), Ok(Ask::Snapshot));
        assert_eq!(ask_for("fs.watch", json!({})), Ok(Ask::Watch));
        assert!(matches!(ask_for("editor.open", json!({"files": ["a:L3", "b"]})), Ok(Ask::Open(it)) if it.len() == 2));
        assert_eq!(ask_for("editor.current", json!({"file": "a"})), Ok(Ask::Current(at("a"))));
        assert_eq!(ask_for("editor.theme", json!({"theme": "paper"})), Ok(Ask::Theme(Theme::Paper)));
        assert_eq!(ask_for("editor.view", json!({"view": "split"})), Ok(Ask::View(View::Split)));
        assert_eq!(ask_for("preview.url", json!(null)), Ok(Ask::PreviewUrl));
        assert_eq!(ask_for("run", json!({"command": "ls"})), Ok(Ask::Run("ls".into())));
        let write = Ask::Write { text: "x\r".into(), terminal: Some(2) };
        assert_eq!(ask_for("terminal.write", json!({"text": "x\r", "terminal": 2})), Ok(write));
        assert_eq!(ask_for("terminal.open", json!({})), Ok(Ask::OpenTerminal));
        assert_eq!(ask_for("terminal.stop", json!({})), Ok(Ask::Stop { terminal: None }));
        assert_eq!(ask_for("ports", json!({})), Ok(Ask::Ports));
    }

    #[test]
    fn what_is_wrong_has_a_stable_code() {
        assert_eq!(code(ask_for("eval", json!({}))), ErrorCode::UnknownType);
        assert_eq!(code(ask_for("__proto__", json!({}))), ErrorCode::UnknownType);
        assert_eq!(code(ask_for("ports", json!([]))), ErrorCode::BadRequest);
        assert_eq!(code(ask_for("fs.apply", json!({"create": {"../x": ""}}))), ErrorCode::BadPath);
        assert_eq!(code(ask_for("fs.apply", json!({"create": {"x": 1}}))), ErrorCode::BadRequest);
        assert_eq!(code(ask_for("fs.apply", json!({"create": ["x"]}))), ErrorCode::BadRequest);
        assert_eq!(code(ask_for("fs.apply", json!({"destroy": [""]}))), ErrorCode::BadPath);
        let many: Map<String, Value> = (0..=MAX_DIFF).map(|at| (format!("f{at}"), json!(""))).collect();
        assert_eq!(code(ask_for("fs.apply", json!({"create": many}))), ErrorCode::TooLarge);
        assert_eq!(code(ask_for("editor.open", json!({"files": []}))), ErrorCode::BadRequest);
        assert_eq!(code(ask_for("editor.open", json!({"files": ["/etc/../../x"]}))), ErrorCode::BadPath);
        assert_eq!(code(ask_for("run", json!({"command": " "}))), ErrorCode::BadRequest);
        assert_eq!(code(ask_for("terminal.write", json!({"text": "x", "terminal": -1}))), ErrorCode::BadRequest);
        assert_eq!(code(ask_for("terminal.write", json!({"text": "x".repeat(MAX_TYPED + 1)}))), ErrorCode::TooLarge);
    }

    #[test]
    fn what_has_no_number_is_not_answered() {
        for text in ["", "null", "[]", "7", r#"{"method":"ports"}"#, r#"{"id":"1","method":"ports"}"#, r#"{"id":1}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_preview_leads_nowhere_but_into_the_sandbox() {
        let to = |url: &str| destination(url).map(|to| (to.port, to.path)).map_err(|failure| failure.code);
        assert_eq!(to("/a?b#c"), Ok((None, "/a?b#c".into())));
        assert_eq!(to("http://localhost:8000"), Ok((Some(8000), "/".into())));
        assert_eq!(to("http://127.0.0.1:3000/x?y"), Ok((Some(3000), "/x?y".into())));
        for out in [
            "",
            "about",
            "//evil.example/",
            "http://localhost/",
            "http://localhost:8000@evil.example/",
            "http://169.254.169.254:80/",
            "javascript:alert(1)",
            "https://localhost:1/",
            "/\\evil.example",
            "http://localhost:0/",
            "http://localhost:70000/",
        ] {
            assert_eq!(to(out), Err(ErrorCode::ForbiddenTarget), "{out}");
        }
    }

    #[test]
    fn what_the_page_around_gives_is_checked() {
        let (given, problem) = Given::read(r#"{"link":"join=k","files":{"a.py":"1"},"code":"1"}"#);
        assert_eq!((given.link.as_str(), problem), ("join=k", None));
        assert_eq!((given.files.create.len(), given.code.as_deref()), (1, Some("1")));
        let (given, problem) = Given::read(r#"{"files":{"/../a":"1"},"link":7}"#);
        assert_eq!((given, problem.unwrap().code), (Given::default(), ErrorCode::BadPath));
        assert_eq!(Given::read("nonsense"), (Given::default(), None));
    }
}
