//! The tree's work: listing, making, renaming, deleting.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::link::files::{Entry, Item};
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use gloo_timers::callback::Timeout;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::run::kept;
use crate::state::files::FilesAction;
use crate::state::tree::{Naming, TreeAction};
use crate::state::{Action, Dialog};
use crate::words;
use crate::words::catalogue::say;

/// Changes of a folder are gathered for this long before it is listed again, in milliseconds.
const GATHER: u32 = 40;

/// A folder is listed again later by a millisecond for so many entries.
const GATHERED: usize = 20;

/// Which folders are being listed.
#[derive(Default)]
pub(crate) struct Listings {
    folders: RefCell<BTreeMap<WorkspacePath, Listing>>,
    /// The welcome file is to be shown when the root is listed.
    pub(super) welcome: Cell<bool>,
}

enum Listing {
    /// It changed, and will be listed.
    Due {
        _timer: Timeout,
    },
    UnderWay {
        meanwhile: Meanwhile,
    },
}

/// What has happened to a folder since its listing was asked for.
#[derive(Clone, Copy, PartialEq)]
enum Meanwhile {
    Nothing,
    /// It changed: what comes is shown, and it is listed again.
    Changed,
    /// It was changed from here, and what is shown has that already: what comes may be of before and is not shown.
    Anew,
}

impl Listings {
    pub(super) fn lost(&self) {
        let due = std::mem::take(&mut *self.folders.borrow_mut());
        drop(due);
    }
}

impl Workbench {
    /// Lists every folder that is shown.
    pub(crate) fn list_all(&self) {
        self.list(WorkspacePath::root());
        let open: Vec<WorkspacePath> = self.state().tree.open.iter().cloned().collect();
        for folder in open {
            self.list(folder);
        }
        self.watch_all();
    }

    pub(super) fn folder_changed(&self, project: &ProjectName, path: WorkspacePath) {
        if self.project().as_ref() != Some(project) || !self.state().tree.is_open(&path) {
            return;
        }
        let mut folders = self.listings.folders.borrow_mut();
        match folders.get_mut(&path) {
            Some(Listing::UnderWay { meanwhile: Meanwhile::Anew }) => {}
            Some(Listing::UnderWay { meanwhile }) => *meanwhile = Meanwhile::Changed,
            Some(Listing::Due { .. }) => {}
            None => {
                let (workbench, folder) = (self.clone(), path.clone());
                let count = self.state().tree.folder(&path).map_or(0, |folder| folder.entries.len());
                // A long folder takes long to list: the more there is, the less often.
                let wait = GATHER + u32::try_from(count / GATHERED).unwrap_or(0);
                let timer = Timeout::new(wait, move || {
                    let due = workbench.listings.folders.borrow_mut().remove(&folder);
                    workbench.list(folder);
                    drop(due);
                });
                folders.insert(path, Listing::Due { _timer: timer });
            }
        }
    }

    /// Lists a folder and watches it.
    pub(super) fn list(&self, path: WorkspacePath) {
        let mut folders = self.listings.folders.borrow_mut();
        if let Some(Listing::UnderWay { meanwhile }) = folders.get_mut(&path) {
            *meanwhile = Meanwhile::Anew;
            return;
        }
        folders.insert(path.clone(), Listing::UnderWay { meanwhile: Meanwhile::Nothing });
        drop(folders);
        let workbench = self.clone();
        spawn_local(async move {
            let outcome = workbench.pages(&path).await;
            workbench.listed(path, outcome);
        });
    }

    /// All pages of a folder. What has come is shown now and then, the first page at once.
    async fn pages(&self, path: &WorkspacePath) -> Result<Vec<Entry>, Failure> {
        let mut entries: Vec<Entry> = Vec::new();
        let Some(project) = self.project() else { return Ok(entries) };
        // A folder that is shown stays as it is until it is known whole.
        let mut shown_at = if self.state().tree.folder(path).is_some() { usize::MAX } else { 1 };
        let mut after = None;
        loop {
            let list =
                FullRequest::List { project: project.clone(), path: path.clone(), after, watch: after.is_none() };
            let reply = self.connection.request(&list).await?;
            let ServerFrame::Listing { entries: page, next, .. } = reply else { return Ok(entries) };
            entries.extend(page);
            after = next;
            if next.is_none() {
                return Ok(entries);
            }
            if entries.len() >= shown_at {
                shown_at = 4 * entries.len();
                let entries = entries.clone();
                self.dispatch(Action::Tree(TreeAction::Listed { path: path.clone(), entries, next }));
            }
        }
    }

    fn listed(&self, path: WorkspacePath, outcome: Result<Vec<Entry>, Failure>) {
        let listing = self.listings.folders.borrow_mut().remove(&path);
        if matches!(listing, Some(Listing::UnderWay { meanwhile: Meanwhile::Anew })) {
            return self.list(path);
        }
        match outcome {
            Ok(entries) => {
                let is_root = path.is_root();
                self.dispatch(Action::Tree(TreeAction::Listed { path: path.clone(), entries, next: None }));
                if is_root {
                    self.welcome();
                }
                self.try_files_of(&path);
            }
            // It is listed again once there is a connection.
            Err(_) if !self.connection.is_up() => return,
            Err(failure) => {
                let problem = words::failed(say!("failed.listing"), &failure);
                self.dispatch(Action::Tree(TreeAction::Failed { path: path.clone(), problem }));
            }
        }
        if matches!(listing, Some(Listing::UnderWay { meanwhile: Meanwhile::Changed })) {
            self.list(path);
        }
    }

    pub(crate) fn open_folder(&self, path: WorkspacePath, open: bool) {
        if open {
            self.dispatch(Action::Tree(TreeAction::Open(path.clone())));
            self.list(path);
        } else {
            // That folder is watched for the run configurations in it, and all of them may be for the page around.
            let is_watched = path.as_str() == kept::FOLDER || self.watching.is_wanted();
            if let Some(project) = self.project().filter(|_| !is_watched) {
                self.connection.tell(&FullRequest::Unwatch { project, path: path.clone() });
            }
            self.dispatch(Action::Tree(TreeAction::Close(path)));
        }
    }

    /// Begins to name a new entry in the selected folder.
    pub(crate) fn name_new(&self, item: Item) {
        let folder = self.state().tree.place_for_new();
        let is_listed = self.state().tree.folder(&folder).is_some();
        self.dispatch(Action::Tree(TreeAction::Name(Some(Naming::New { folder: folder.clone(), item }))));
        if !is_listed {
            self.list(folder);
        }
    }

    /// Begins to rename the selected entry.
    pub(crate) fn rename_selected(&self) {
        let current = self.state().tree.current();
        if let Some(path) = current.filter(|_| self.works()) {
            self.dispatch(Action::Tree(TreeAction::Name(Some(Naming::Rename { path }))));
        }
    }

    /// Asks whether what is selected is to be deleted.
    pub(crate) fn ask_to_delete_selected(&self) {
        let paths = self.state().tree.chosen();
        if self.works() && !paths.is_empty() {
            self.dispatch(Action::Dialog(Some(Dialog::Delete(paths))));
        }
    }

    pub(crate) fn stop_naming(&self) {
        self.dispatch(Action::Tree(TreeAction::Name(None)));
    }

    /// The name was given: makes or renames the entry. Returns why the name can't be used, if it can't.
    pub(crate) fn give_name(&self, name: &str) -> Result<(), String> {
        let naming = self.state().tree.naming.clone();
        let (Some(naming), Some(project)) = (naming, self.project()) else { return Ok(()) };
        let unusable = |error: &dyn std::fmt::Display| say!("name.unusable", error = error);
        match naming {
            Naming::New { folder, item } => {
                // Slashes make the folders between, as a shell's user expects.
                let path = format!("{folder}/{}", name.trim());
                let path = WorkspacePath::parse(path.trim_start_matches('/')).map_err(|error| unusable(&error))?;
                self.stop_naming();
                self.focus_tree();
                self.create(project, path, item);
            }
            Naming::Rename { path } => {
                let name = EntryName::parse(name.trim()).map_err(|error| unusable(&error))?;
                let to = path.with_name(&name).map_err(|error| unusable(&error))?;
                self.stop_naming();
                self.focus_tree();
                if to != path {
                    self.rename(project, path, to, name);
                }
            }
        }
        Ok(())
    }

    fn create(&self, project: ProjectName, path: WorkspacePath, item: Item) {
        let workbench = self.clone();
        spawn_local(async move {
            let folders = workbench.missing_folders(&path);
            for folder in folders {
                let command = json!({"type": "create", "item": "folder"});
                // One that is there already will do.
                let _ = workbench.connection.command(&project, command, json!({"path": folder})).await;
            }
            let command = json!({"type": "create", "item": item});
            if let Err(failure) = workbench.connection.command(&project, command, json!({"path": path})).await {
                return workbench.fail(&say!("failed.making", path = path), &failure);
            }
            let parents = std::iter::successors(path.parent(), WorkspacePath::parent).filter(|path| !path.is_root());
            for parent in parents.collect::<Vec<_>>() {
                workbench.open_folder(parent, true);
            }
            workbench.list(path.parent().unwrap_or_else(WorkspacePath::root));
            workbench.dispatch(Action::Tree(TreeAction::Select(Some(path.clone()))));
            match item {
                Item::File => workbench.show_file(path, true),
                Item::Folder => workbench.focus_tree(),
            }
        });
    }

    /// Makes folders that came empty, beneath another.
    pub(super) async fn make_folders(&self, folders: Vec<String>, beneath: WorkspacePath) {
        let Some(project) = self.project().filter(|_| self.works()) else { return };
        for folder in folders {
            let path = match WorkspacePath::parse(format!("{beneath}/{folder}").trim_start_matches('/')) {
                Ok(path) => path,
                Err(error) => {
                    self.alert(say!("uploads.bad-name", path = folder, why = error));
                    continue;
                }
            };
            for path in self.missing_folders(&path).into_iter().chain([path]) {
                let command = json!({"type": "create", "item": "folder"});
                match self.connection.command(&project, command, json!({"path": path})).await {
                    Ok(()) => {}
                    // Others may have come with their files.
                    Err(failure) if failure.code == ErrorCode::AlreadyExists => {}
                    Err(failure) => return self.fail(&say!("failed.making", path = path), &failure),
                }
            }
        }
    }

    /// Folders on the way to a new entry that are not known to be there, outermost first.
    fn missing_folders(&self, path: &WorkspacePath) -> Vec<WorkspacePath> {
        let state = self.state();
        let parents = std::iter::successors(path.parent(), WorkspacePath::parent);
        let mut missing: Vec<WorkspacePath> = parents.filter(|path| !state.tree.is_folder(path)).collect();
        missing.reverse();
        missing
    }

    fn rename(&self, project: ProjectName, from: WorkspacePath, to: WorkspacePath, name: EntryName) {
        let workbench = self.clone();
        spawn_local(async move {
            let command = json!({"type": "rename"});
            let members = json!({"path": from, "name": name});
            if let Err(failure) = workbench.connection.command(&project, command, members).await {
                return workbench.fail(&say!("failed.renaming", path = from), &failure);
            }
            workbench.follow_move(&from, &to);
            // Its row is another one under the new name.
            workbench.focus_tree();
            workbench.dispatch(Action::Tree(TreeAction::Moved { from: from.clone(), to }));
            workbench.list_all();
        });
    }

    /// Tabs whose documents are not open are told of a move by nobody else.
    pub(super) fn follow_move(&self, from: &WorkspacePath, to: &WorkspacePath) {
        let open: Vec<_> = self.state().files.open.iter().map(|file| (file.id, file.path.clone())).collect();
        for (id, path) in open.into_iter().filter(|(_, path)| path.is_within(from)) {
            let rest = &path.as_str()[from.as_str().len()..];
            if let Ok(path) = WorkspacePath::parse(&format!("{to}{rest}")) {
                self.documents.set_path(id, path.as_str());
                self.dispatch(Action::Files(FilesAction::Moved { id, path }));
            }
        }
    }
}
