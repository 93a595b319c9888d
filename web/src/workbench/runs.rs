//! Run configurations: finds them in the project's files, follows those files, keeps the project's own in
//! `.embedenv/run.toml`, and remembers which one Run is for.
//!
//! One look at a time: what changes meanwhile has it looked at again afterwards.

use std::cell::{Cell, RefCell};

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::link::files::{Entry, EntryKind};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use gloo_timers::callback::Timeout;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::interop::toml;
use crate::memory;
use crate::run::Configuration;
use crate::run::found::{Facts, found};
use crate::run::kept::{self, Kept, Problem};
use crate::state::runs::{Choice, RunsAction};
use crate::state::{Action, Dialog};
use crate::words::{self, catalogue::say};

/// Changes are gathered for this long before the project is looked at again, in milliseconds.
const GATHER: u32 = 400;
/// A file that says what can be run is read up to this size, in bytes; of a longer one nothing is found.
const MAX_FILE: u64 = 256 * 1024;
/// Entries at the root whose content says what can be run.
const SAYING: [&str; 5] = ["package.json", "Cargo.toml", "pyproject.toml", "src", kept::FOLDER];
const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// How far looking for configurations is.
#[derive(Default)]
pub(crate) struct Looking {
    due: RefCell<Option<Timeout>>,
    under_way: Cell<bool>,
    /// Something changed while it was looked.
    again: Cell<bool>,
    /// The root as it was looked at last; `None` if everything is to be read again.
    mark: RefCell<Option<Vec<Mark>>>,
    /// The text of `run.toml`, of which its first comment is kept when it is written.
    text: RefCell<String>,
    /// The problem that was told last, so that it is told once.
    told: RefCell<Option<Problem>>,
}

/// An entry at the root: its name, and of those that say what can be run, size and time of the last change.
type Mark = (String, u64, u64);

impl Workbench {
    /// A watched folder changed.
    pub(super) fn runs_may_change(&self, project: &ProjectName, path: &WorkspacePath) {
        if self.project().as_ref() != Some(project) {
            return;
        }
        if path.as_str() == kept::FOLDER {
            self.look_for_all_runs();
        } else if path.is_root() {
            self.look_for_runs();
        }
    }

    /// Looks anew, whatever seems to be the same: the room was joined, and watches nothing yet.
    pub(super) fn look_for_all_runs(&self) {
        *self.looking.mark.borrow_mut() = None;
        self.look_for_runs();
    }

    /// Looks what can be run here, soon.
    fn look_for_runs(&self) {
        if self.looking.under_way.get() {
            return self.looking.again.set(true);
        }
        let workbench = self.clone();
        let due = Timeout::new(GATHER, move || {
            let due = workbench.looking.due.borrow_mut().take();
            workbench.looking.under_way.set(true);
            let then = workbench.clone();
            spawn_local(async move {
                then.at_leisure().await;
                then.look().await;
                then.looking.under_way.set(false);
                if then.looking.again.take() {
                    then.look_for_runs();
                }
            });
            drop(due);
        });
        let before = self.looking.due.borrow_mut().replace(due);
        drop(before);
    }

    async fn look(&self) {
        let Some(root) = self.entries(WorkspacePath::root(), false).await else { return };
        let mark: Vec<Mark> = root.iter().map(mark).collect();
        if self.looking.mark.replace(Some(mark.clone())).is_some_and(|before| before == mark) {
            return;
        }
        let has_folder = |name: &str| root.iter().any(|entry| entry.name == name && entry.kind == EntryKind::Folder);
        let mut facts = Facts { root: root.iter().map(|entry| entry.name.clone()).collect(), ..Facts::default() };
        if has_folder("src") {
            let src = self.folder("src").await;
            facts.src = src.iter().map(|entry| entry.name.clone()).collect();
            if facts.src.contains("bin") {
                facts.bin = self.folder("src/bin").await.into_iter().map(|entry| entry.name).collect();
            }
        }
        if let Some(text) = self.small_file(&root, "package.json").await {
            facts.package = serde_json::from_str(&text).ok();
        }
        for name in MAKEFILES {
            if facts.makefile.is_none() {
                facts.makefile = self.small_file(&root, name).await;
            }
        }
        facts.cargo = self.toml_file(&root, "Cargo.toml").await;
        facts.pyproject = self.toml_file(&root, "pyproject.toml").await;
        let found = found(&facts);
        if self.state().runs.found != found {
            self.dispatch(Action::Runs(RunsAction::Found(found)));
        }
        let kept = if has_folder(kept::FOLDER) { self.look_at_kept().await } else { Some(Kept::default()) };
        if let Some(kept) = kept.filter(|kept| self.state().runs.kept != *kept) {
            self.tell_problem(kept.problem.as_ref());
            self.dispatch(Action::Runs(RunsAction::Kept(kept)));
        }
    }

    /// What `run.toml` says; what it said before if it can't be read as TOML now.
    async fn look_at_kept(&self) -> Option<Kept> {
        // Watched, since the tree may not show it.
        let path = WorkspacePath::parse(kept::FOLDER).ok()?;
        let entries = self.entries(path, true).await?;
        let name = kept::FILE.rsplit('/').next().unwrap_or_default();
        if !entries.iter().any(|entry| entry.name == name && entry.size <= MAX_FILE) {
            return Some(Kept::default());
        }
        let text = self.text_of(kept::FILE).await?;
        let parsed = toml::parse(&text).await;
        let kept = match parsed {
            Ok(value) => kept::read(&text, &value),
            Err(problem) => Kept { problem: Some(problem), ..self.state().runs.kept.clone() },
        };
        *self.looking.text.borrow_mut() = text;
        Some(kept)
    }

    fn tell_problem(&self, problem: Option<&Problem>) {
        if *self.looking.told.borrow() == problem.cloned() {
            return;
        }
        *self.looking.told.borrow_mut() = problem.cloned();
        if let Some(Problem { line, what }) = problem {
            self.alert(say!("run.mistake", file = kept::FILE, line = line, what = what));
        }
    }

    /// The first page of a folder, which is all of it but for the largest.
    async fn entries(&self, path: WorkspacePath, watch: bool) -> Option<Vec<Entry>> {
        let list = FullRequest::List { project: self.project()?, path, after: None, watch };
        match self.connection.request(&list).await {
            Ok(ServerFrame::Listing { entries, .. }) => Some(entries),
            _ => None,
        }
    }

    async fn folder(&self, path: &str) -> Vec<Entry> {
        match WorkspacePath::parse(path) {
            Ok(path) => self.entries(path, false).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    async fn small_file(&self, root: &[Entry], name: &str) -> Option<String> {
        let is_it = |entry: &&Entry| entry.name == name && entry.kind != EntryKind::Folder && entry.size <= MAX_FILE;
        root.iter().find(is_it)?;
        self.text_of(name).await
    }

    async fn toml_file(&self, root: &[Entry], name: &str) -> Option<Value> {
        // What is wrong with it is for its own tools to tell.
        toml::parse(&self.small_file(root, name).await?).await.ok()
    }

    async fn text_of(&self, path: &str) -> Option<String> {
        let read = FullRequest::Read { project: self.project()?, path: WorkspacePath::parse(path).ok()? };
        match self.connection.request(&read).await {
            Ok(ServerFrame::File { content, encoding: None, .. }) => Some(content),
            Err(failure) if failure.code == ErrorCode::NotFound => Some(String::new()),
            _ => None,
        }
    }

    /// Has Run be for something else from now on.
    pub(crate) fn choose_run(&self, choice: Choice) {
        if let Some(me) = &self.state().me {
            memory::keep_choice(me.room, &me.project, &choice);
        }
        self.dispatch(Action::Runs(RunsAction::Choose(choice)));
    }

    /// What was chosen in this project before.
    pub(super) fn restore_choice(&self) {
        let choice = self.state().me.as_ref().and_then(|me| memory::choice(me.room, &me.project));
        if let Some(choice) = choice {
            self.dispatch(Action::Runs(RunsAction::Choose(choice)));
        }
    }

    pub(crate) fn edit_runs(&self) {
        self.dispatch(Action::Dialog(Some(Dialog::Runs)));
    }

    /// Writes `run.toml`. Returns why that did not work, if it didn't.
    pub(crate) async fn keep_runs(
        &self,
        configurations: Vec<Configuration>,
        default: Option<String>,
    ) -> Result<(), String> {
        let Some(project) = self.project() else { return Ok(()) };
        let text = kept::written(&self.looking.text.borrow(), &configurations, default.as_deref());
        let members = json!({"path": kept::FILE, "content": text});
        let written = self.connection.command(&project, json!({"type": "write"}), members).await;
        written.map_err(|failure| words::failed(say!("run.edit.not-saved"), &failure))?;
        self.dispatch(Action::Runs(RunsAction::Kept(Kept { configurations, default, problem: None })));
        self.look_for_all_runs();
        Ok(())
    }
}

fn mark(entry: &Entry) -> Mark {
    let says = SAYING.contains(&entry.name.as_str()) || MAKEFILES.contains(&entry.name.as_str());
    let (size, modified) = if says { (entry.size, entry.modified) } else { (0, 0) };
    (entry.name.clone(), size, modified)
}
