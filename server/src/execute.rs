//! Single programs: each is compiled and run once, in a sandbox of its own that ends with it, and what it printed is one answer.
//!
//! Owns which languages the sandboxes of a space have, and what a program may take. Sandboxes and their price are the registry's;
//! it must never keep a program's files or output beyond its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::Exit;
use embedenv_shared::link::sessions::Bounds;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use embedenv_shared::tree::{Plan, PlannedFile};
use semver::{Version, VersionReq};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::config::Config;
use crate::config::languages::Language;
use crate::ledger::Payer;
use crate::room::Room;
use crate::room::commands::{Running, Stream, Told};
use crate::room::processes::NewProcess;
use crate::room::registry::{Registry, Stay};
use crate::tasks::Tasks;

/// Files of one program.
pub const MAX_FILES: usize = 100;
/// Arguments of one program, and bytes of all of them.
pub const MAX_ARGUMENTS: usize = 100;
pub const MAX_ARGUMENT_BYTES: usize = 64 * 1024;
/// Bytes that a program prints to its output, and as many to its errors; it ends with more.
pub const MAX_OUTPUT: usize = 1024 * 1024;
/// How long a program and its compiler may run that say nothing of it.
pub const RUN: Duration = Duration::from_secs(3);
pub const COMPILE: Duration = Duration::from_secs(10);
/// How long a sandbox may take to say what languages it has.
const ASKING: Duration = Duration::from_secs(60);
/// The project in which programs lie.
const PROJECT: &str = "main";
/// Begins the answer of one language.
const MARK: &str = "\u{1}language ";

/// A language that sandboxes have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    pub name: String,
    pub version: String,
    pub language: Language,
}

impl Runtime {
    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.language.aliases.iter().any(|alias| alias == name)
    }

    /// Whether its version is what was asked for: itself, the beginning of one, or a range of npm's kind.
    fn is_version(&self, wanted: &str) -> bool {
        let wanted = wanted.trim();
        if wanted == "*" || wanted == self.version {
            return true;
        }
        // A number alone is that version, and not what would go with it.
        let exact = wanted.starts_with(|c: char| c.is_ascii_digit()) && !wanted.contains([' ', '|', '-']);
        let range = if exact { format!("={wanted}") } else { wanted.replace(' ', ",") };
        let mut parts = self.version.splitn(3, '.').map(|part| part.parse().unwrap_or(0));
        let mut part = || parts.next().unwrap_or(0);
        let version = Version::new(part(), part(), part());
        VersionReq::parse(&range).is_ok_and(|range| range.matches(&version))
    }
}

/// A program to be run once.
#[derive(Debug)]
pub struct Job {
    pub language: String,
    pub version: String,
    /// Name, if it has one, and content. The first is run.
    pub files: Vec<(Option<String>, Vec<u8>)>,
    pub arguments: Vec<String>,
    pub input: Vec<u8>,
    pub run: Bounds,
    pub compile: Bounds,
}

/// What became of one.
#[derive(Debug)]
pub struct Outcome {
    pub runtime: Runtime,
    pub run: Option<Stage>,
    pub compile: Option<Stage>,
}

/// What its compiler, or itself, printed, and how it ended.
#[derive(Debug, Default)]
pub struct Stage {
    pub output: String,
    pub errors: String,
    /// Both, as they were heard.
    pub both: String,
    pub exit: Exit,
    /// It printed more than it may, there.
    pub overflowed: Option<Stream>,
}

impl Stage {
    pub fn is_well(&self) -> bool {
        self.exit.code == Some(0) && self.overflowed.is_none()
    }
}

#[derive(Debug)]
pub struct Executor {
    config: Arc<Config>,
    registry: Arc<Registry>,
    tasks: Tasks,
    /// By space. Held while one is asked, so that it is asked once.
    found: tokio::sync::Mutex<BTreeMap<String, Arc<Vec<Runtime>>>>,
}

impl Executor {
    pub fn new(config: Arc<Config>, registry: Arc<Registry>, tasks: Tasks) -> Self {
        Self { config, registry, tasks, found: tokio::sync::Mutex::default() }
    }

    /// The languages that a pair's programs may be in; without one, those of the server's own space.
    pub async fn runtimes(&self, payer: Option<&Payer>) -> Result<Arc<Vec<Runtime>>, Failure> {
        let space = self.space(payer);
        let mut found = self.found.lock().await;
        if let Some(runtimes) = found.get(space) {
            return Ok(runtimes.clone());
        }
        let runtimes = Arc::new(self.ask(space).await?);
        found.insert(space.to_owned(), runtimes.clone());
        Ok(runtimes)
    }

    /// Runs a program. Whoever stops waiting ends it.
    pub async fn execute(&self, payer: Payer, job: Job) -> Result<Outcome, Failure> {
        let runtimes = self.runtimes(Some(&payer)).await?;
        let runtime =
            runtimes.iter().find(|runtime| runtime.is_called(&job.language) && runtime.is_version(&job.version));
        let runtime = runtime.cloned().ok_or_else(|| {
            let message = format!("{}-{} runtime is unknown", job.language, job.version);
            Failure::new(ErrorCode::BadRequest, message)
        })?;
        self.check(&job)?;
        let (plan, main) = planned(job.files, &runtime.language)?;
        let space = self.space(Some(&payer)).to_owned();
        let room = self.open(payer, space).await?;
        let project = project()?;
        room.room.plant(project.clone(), plan).await?;
        let process = |line: &str, arguments: &[String], is_fed, bounds| {
            let folder = WorkspacePath::root();
            let environment = BTreeMap::from([("MAIN".to_owned(), main.clone())]);
            NewProcess {
                project: project.clone(),
                folder,
                command: line_of(line, arguments),
                environment,
                is_fed,
                bounds,
            }
        };
        let mut outcome = Outcome { runtime, run: None, compile: None };
        if let Some(line) = &outcome.runtime.language.compile {
            let new = process(line, &[], false, job.compile).checked()?;
            let compiled = read(room.room.run_command(new, Vec::new()).await?).await;
            let is_well = compiled.is_well();
            outcome.compile = Some(compiled);
            if !is_well {
                return Ok(outcome);
            }
        }
        let new = process(&outcome.runtime.language.run, &job.arguments, !job.input.is_empty(), job.run).checked()?;
        outcome.run = Some(read(room.room.run_command(new, job.input).await?).await);
        Ok(outcome)
    }

    /// Opens a room for one program. In a task of its own: whoever goes away meanwhile must not leave a room behind.
    async fn open(&self, payer: Payer, space: String) -> Result<Ending, Failure> {
        let (registry, tasks) = (self.registry.clone(), self.tasks.clone());
        let (done, outcome) = oneshot::channel();
        self.tasks.spawn("program start", async move {
            let opened = registry.open_for_pair(payer, &space, None, Stay::default()).await;
            drop(done.send(opened.map(|opened| Ending { registry, tasks, room: opened.room })));
        });
        outcome.await.unwrap_or_else(|_| Err(Failure::new(ErrorCode::Unavailable, "the server is going down")))
    }

    fn space<'a>(&'a self, payer: Option<&'a Payer>) -> &'a str {
        payer.and_then(|payer| payer.scope.spaces.first()).unwrap_or(&self.config.execute.space)
    }

    fn check(&self, job: &Job) -> Result<(), Failure> {
        let longest = u64::try_from(self.config.execute.longest.as_millis()).unwrap_or(u64::MAX);
        let is_right = |bounds: &Bounds| bounds.elapsed.is_some_and(|most| (1..=longest).contains(&most));
        if !is_right(&job.run) || !is_right(&job.compile) {
            let message = format!("run_timeout and compile_timeout are 1 to {longest} milliseconds");
            return Err(Failure::new(ErrorCode::BadRequest, message));
        }
        let bytes: usize = job.arguments.iter().map(String::len).sum();
        if job.arguments.len() > MAX_ARGUMENTS || bytes > MAX_ARGUMENT_BYTES {
            let message = format!("args are {MAX_ARGUMENTS} at most, of {MAX_ARGUMENT_BYTES} bytes together");
            return Err(Failure::new(ErrorCode::TooLarge, message));
        }
        match job.arguments.iter().any(|argument| argument.contains('\0')) {
            true => Err(Failure::new(ErrorCode::BadRequest, "an argument has no character of code 0")),
            false => Ok(()),
        }
    }

    /// Asks a sandbox of a space for the version of every language that is configured.
    async fn ask(&self, space: &str) -> Result<Vec<Runtime>, Failure> {
        let languages = &self.config.languages;
        let line: String = languages
            .iter()
            .enumerate()
            .map(|(at, (_, language))| {
                format!(
                    "said=$({{ {}\n}} 2>&1 </dev/null) && printf '{MARK}{at}\\n%s\\n' \"$said\"\n",
                    language.version
                )
            })
            .collect();
        let bounds = Bounds { elapsed: Some(ASKING.as_millis() as u64), ..Bounds::default() };
        let process = NewProcess {
            project: project()?,
            folder: WorkspacePath::root(),
            command: line,
            environment: BTreeMap::new(),
            is_fed: false,
            bounds,
        };
        let room = self.registry.borrow_spare(space).await?;
        let running = room.run_command(process.checked()?, Vec::new());
        let said = timeout(ASKING, async { Ok::<_, Failure>(read(running.await?).await) }).await;
        self.registry.discard(room).await;
        let said =
            said.map_err(|_| Failure::new(ErrorCode::TimedOut, "the sandbox did not say what languages it has"))??;
        let answers = said.output.split(MARK).skip(1).filter_map(|answer| {
            let (at, text) = answer.split_once('\n')?;
            let (name, language) = languages.iter().nth(at.parse().ok()?)?;
            Some(Runtime { name: name.clone(), version: version_in(text)?, language: language.clone() })
        });
        Ok(answers.collect())
    }
}

/// A room that ends with the program that is run in it.
struct Ending {
    registry: Arc<Registry>,
    tasks: Tasks,
    room: Arc<Room>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let (registry, room) = (self.registry.clone(), self.room.clone());
        self.tasks.spawn("program end", async move { registry.end(&room).await });
    }
}

fn project() -> Result<ProjectName, Failure> {
    Ok(ProjectName::parse(PROJECT)?)
}

/// The files as they are written, and what the first is called.
fn planned(files: Vec<(Option<String>, Vec<u8>)>, language: &Language) -> Result<(Plan, String), Failure> {
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(Failure::new(ErrorCode::BadRequest, format!("files are 1 to {MAX_FILES}")));
    }
    let mut plan = Plan::default();
    for (at, (name, content)) in files.into_iter().enumerate() {
        let default = || if at == 0 { language.file.clone() } else { format!("file{at}.code") };
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(default);
        let path = WorkspacePath::parse(&name).map_err(Failure::from)?;
        if plan.files.iter().any(|file| file.path == path) {
            return Err(Failure::new(ErrorCode::BadRequest, format!("{path} stands twice in files")));
        }
        let mut above = path.parent();
        let mut folders = Vec::new();
        while let Some(folder) = above.filter(|folder| !folder.is_root() && !plan.folders.contains(folder)) {
            above = folder.parent();
            folders.push(folder);
        }
        plan.folders.extend(folders.into_iter().rev());
        plan.files.push(PlannedFile { path, content });
    }
    if let Some(file) = plan.files.iter().find(|file| plan.folders.contains(&file.path)) {
        let message = format!("{} is a file and a folder in files", file.path);
        return Err(Failure::new(ErrorCode::BadRequest, message));
    }
    let main = plan.files[0].path.to_string();
    Ok((plan, main))
}

/// A line that sees these arguments as its own.
fn line_of(line: &str, arguments: &[String]) -> String {
    let quoted = |word: &String| format!(" '{}'", word.replace('\'', r"'\''"));
    format!("set --{}\n{line}", arguments.iter().map(quoted).collect::<String>())
}

/// The first number with a point in it; a number alone if there is none.
fn version_in(text: &str) -> Option<String> {
    let numbers = || {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .map(|part| part.trim_matches('.'))
            .filter(|part| !part.is_empty())
    };
    numbers().find(|number| number.contains('.')).or_else(|| numbers().next()).map(str::to_owned)
}

/// Reads a command to its end, or until it has printed more than it may.
async fn read(mut running: Running) -> Stage {
    let mut stage = Stage::default();
    while let Some(told) = running.next().await {
        match told {
            Told::Output(of, text) => {
                let into = if of == Stream::Errors { &mut stage.errors } else { &mut stage.output };
                into.push_str(&text);
                let is_over = into.len() > MAX_OUTPUT;
                stage.both.push_str(&text);
                if is_over {
                    let most = into.floor_char_boundary(MAX_OUTPUT);
                    into.truncate(most);
                    stage.overflowed = Some(of);
                    return stage;
                }
            }
            // It printed faster than it was read, which is more than it may.
            Told::Lost(of, _) => {
                stage.overflowed = Some(of);
                return stage;
            }
            Told::Ended(exit) => stage.exit = exit,
        }
    }
    stage
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(version: &str) -> Runtime {
        let language = Language { aliases: vec!["py".into()], file: "main.py".into(), ..Language::default() };
        Runtime { name: "python".into(), version: version.into(), language }
    }

    #[test]
    fn a_version_is_asked_for_as_with_npm() {
        let python = runtime("3.11.2");
        for good in ["*", "3.11.2", "3.11", "3", "3.x", "^3.10", ">=3.9", "~3.11.0", ">=3.9 <4", "3.11.*"] {
            assert!(python.is_version(good), "{good}");
        }
        for bad in ["3.10", "2", "^2.0", "", "latest", "3.11.20"] {
            assert!(!python.is_version(bad), "{bad}");
        }
        assert!(runtime("17").is_version("17") && runtime("17").is_version("17.x"));
        assert!(python.is_called("py") && python.is_called("python") && !python.is_called("p"));
    }

    #[test]
    fn a_version_is_found_in_what_is_said() {
        for (said, version) in [
            ("Python 3.11.2", "3.11.2"),
            ("v20.19.2", "20.19.2"),
            ("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)", "5.2.15"),
            ("go version go1.19.8 linux/amd64", "1.19.8"),
            ("openjdk 21 2023-09-19", "21"),
            ("12.2.0", "12.2.0"),
        ] {
            assert_eq!(version_in(said).as_deref(), Some(version), "{said}");
        }
        assert_eq!(version_in("none"), None);
    }

    #[test]
    fn files_are_planned_with_their_folders_and_names() {
        let text = |name: Option<&str>| (name.map(str::to_owned), b"x".to_vec());
        let (plan, main) =
            planned(vec![text(None), text(Some("a/b/c.py")), text(Some("a/d.py"))], &runtime("3").language).unwrap();
        assert_eq!(main, "main.py");
        assert_eq!(plan.folders.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "a/b"]);
        for bad in [
            vec![],
            vec![text(Some("../x"))],
            vec![text(Some("x")), text(Some("x"))],
            vec![text(Some("x")), text(Some("x/y"))],
            vec![text(None); MAX_FILES + 1],
        ] {
            assert!(planned(bad, &runtime("3").language).is_err());
        }
    }

    #[test]
    fn an_argument_is_one_word_whatever_is_in_it() {
        assert_eq!(
            line_of("exec x \"$@\"", &["a b".into(), "it's $HOME".into()]),
            "set -- 'a b' 'it'\\''s $HOME'\nexec x \"$@\""
        );
        assert_eq!(line_of("x", &[]), "set --\nx");
    }
}
