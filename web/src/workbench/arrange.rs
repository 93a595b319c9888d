//! Entries that are put elsewhere: moved by dragging, cut, copied, pasted, duplicated; and several deleted at once.

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::FullRequest;
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::interop::page;
use crate::state::Action;
use crate::state::tree::{Clipboard, TreeAction, copy_name, place_of};
use crate::words::catalogue::say;

/// Rows below a deleted one that are looked at for one that stays.
const MAX_LOOKED_AT: usize = 64;
/// Names that are tried for a copy.
const MAX_NAMES: usize = 100;
/// Folders that are opened for what the tree is narrowed to.
const MAX_OPENED: usize = 200;
/// They are opened this long after the last letter, in milliseconds.
const PAUSE: u32 = 150;

impl Workbench {
    /// Cuts or copies what is selected.
    pub(crate) fn take_chosen(&self, is_cut: bool) {
        let paths = self.state().tree.chosen();
        if !paths.is_empty() {
            self.dispatch(Action::Tree(TreeAction::Clipboard(Some(Clipboard { paths, is_cut }))));
        }
    }

    /// Puts what was cut or copied into the selected folder.
    pub(crate) fn paste(&self) {
        let (clipboard, folder) = {
            let state = self.state();
            (state.tree.clipboard.clone(), state.tree.place_for_new())
        };
        let Some(Clipboard { paths, is_cut }) = clipboard else { return };
        if is_cut {
            self.dispatch(Action::Tree(TreeAction::Clipboard(None)));
        }
        // What is pasted onto itself goes beside it.
        let beside = paths.first().filter(|path| **path == folder).and_then(WorkspacePath::parent);
        self.put(paths, beside.unwrap_or(folder), !is_cut);
    }

    /// Makes a copy of each selected entry beside it.
    pub(crate) fn duplicate(&self) {
        for path in self.state().tree.chosen() {
            if let Some(folder) = path.parent() {
                self.put(vec![path], folder, true);
            }
        }
    }

    /// Moves or copies entries into a folder. A copy finds a free name; a move never takes one that is taken.
    pub(crate) fn put(&self, paths: Vec<WorkspacePath>, folder: WorkspacePath, copies: bool) {
        let Some(project) = self.project().filter(|_| self.works()) else { return };
        let workbench = self.clone();
        spawn_local(async move {
            let mut last = None;
            for path in paths {
                let to = if copies {
                    workbench.copy_into(&project, &path, &folder).await
                } else {
                    workbench.move_into(&project, &path, &folder).await
                };
                last = to.or(last);
            }
            let Some(last) = last else { return };
            if !folder.is_root() {
                workbench.open_folder(folder.clone(), true);
            }
            workbench.list_all();
            workbench.dispatch(Action::Tree(TreeAction::Select(Some(last))));
            workbench.focus_tree();
        });
    }

    async fn move_into(
        &self,
        project: &ProjectName,
        path: &WorkspacePath,
        folder: &WorkspacePath,
    ) -> Option<WorkspacePath> {
        let to = folder.join(&EntryName::parse(path.name()?).ok()?).ok().filter(|to| to != path)?;
        let order = FullRequest::Move { project: project.clone(), path: path.clone(), to: to.clone() };
        if let Err(failure) = self.connection.ordered(&order).await {
            self.fail(&say!("failed.move", path = path), &failure);
            return None;
        }
        self.follow_move(path, &to);
        self.dispatch(Action::Tree(TreeAction::Moved { from: path.clone(), to: to.clone() }));
        Some(to)
    }

    async fn copy_into(
        &self,
        project: &ProjectName,
        path: &WorkspacePath,
        folder: &WorkspacePath,
    ) -> Option<WorkspacePath> {
        let name = path.name()?.to_owned();
        let is_folder = self.state().tree.is_folder(path);
        let is_beside = path.parent().as_ref() == Some(folder);
        for number in usize::from(is_beside)..MAX_NAMES {
            let name = if number == 0 { name.clone() } else { copy_name(&name, is_folder, number) };
            let to = EntryName::parse(&name).and_then(|name| folder.join(&name)).ok()?;
            let order = FullRequest::Copy { project: project.clone(), path: path.clone(), to: to.clone() };
            match self.connection.ordered(&order).await {
                Ok(()) => return Some(to),
                Err(failure) if failure.code == ErrorCode::AlreadyExists => {}
                Err(failure) => {
                    self.fail(&say!("failed.copy-entry", path = path), &failure);
                    return None;
                }
            }
        }
        self.alert(say!("failed.copies", path = path));
        None
    }

    pub(crate) fn delete(&self, paths: Vec<WorkspacePath>) {
        let Some(project) = self.project() else { return };
        let workbench = self.clone();
        let within = |path: &WorkspacePath| paths.iter().any(|deleted| path.is_within(deleted));
        let neighbour = {
            let state = self.state();
            let next = (1..).map_while(|steps| state.tree.step(steps).map(|path| (steps, path)));
            let next = next.take(MAX_LOOKED_AT).map(|(_, path)| path).find(|path| !within(path));
            next.or_else(|| paths.first().and_then(WorkspacePath::parent)).filter(|path| !path.is_root())
        };
        spawn_local(async move {
            let mut is_any_gone = false;
            for path in paths {
                let command = json!({"type": "delete"});
                match workbench.connection.command(&project, command, json!({"path": path})).await {
                    Err(failure) => workbench.fail(&say!("failed.delete", path = path), &failure),
                    Ok(()) => {
                        is_any_gone = true;
                        workbench.close_within(&path);
                        workbench.list(path.parent().unwrap_or_else(WorkspacePath::root));
                    }
                }
            }
            if is_any_gone {
                workbench.dispatch(Action::Tree(TreeAction::Select(neighbour)));
            }
            workbench.focus_tree();
        });
    }

    /// Copies the paths of what is selected, a line each.
    pub(crate) fn copy_paths(&self) {
        let paths = self.state().tree.chosen();
        self.copy_text(paths.iter().map(WorkspacePath::as_str).collect::<Vec<_>>().join("\n"));
    }

    /// Puts paths into the clipboard.
    pub(super) fn copy_text(&self, text: String) {
        let workbench = self.clone();
        spawn_local(async move {
            if !page::copy(&text).await {
                workbench.alert(say!("failed.copy-path"));
            }
        });
    }

    pub(crate) fn fold_all(&self) {
        let open: Vec<WorkspacePath> = self.state().tree.open.iter().cloned().collect();
        for path in open {
            self.open_folder(path, false);
        }
        self.dispatch(Action::Tree(TreeAction::CloseAll));
    }

    pub(crate) fn toggle_hidden(&self) {
        let hides = self.state().tree.hides;
        self.dispatch(Action::Tree(TreeAction::Hide(!hides)));
    }

    /// Opens the field that narrows the tree, and gives it the keyboard.
    pub(crate) fn filter_files(&self) {
        if self.state().tree.filter.is_none() {
            self.dispatch(Action::Tree(TreeAction::Filter(Some(String::new()))));
            self.list_all_files();
        }
        spawn_local(async {
            gloo_timers::future::TimeoutFuture::new(0).await;
            page::focus(".tree-filter input");
        });
    }

    /// Narrows the tree to what has this in its name.
    pub(crate) fn filter_by(&self, filter: String) {
        self.dispatch(Action::Tree(TreeAction::Filter(Some(filter.clone()))));
        let workbench = self.clone();
        spawn_local(async move {
            gloo_timers::future::TimeoutFuture::new(PAUSE).await;
            // Each letter on the way to a word fits far more folders than the word does.
            let is_last = workbench.state().tree.filter.as_ref() == Some(&filter);
            if is_last {
                workbench.open_for_filter();
            }
        });
    }

    /// Opens the folders in which something fits the filter, until it is taken away.
    pub(super) fn open_for_filter(&self) {
        let wanted: Vec<WorkspacePath> = {
            let state = self.state();
            let Some(filter) = state.tree.filter.as_deref().filter(|filter| !filter.is_empty()) else { return };
            let folders = state.all_files.folders_with(|name| place_of(name, filter).is_some(), MAX_OPENED);
            folders.into_iter().filter(|folder| !state.tree.is_open(folder)).collect()
        };
        for folder in wanted {
            self.opened_for_filter.borrow_mut().push(folder.clone());
            self.open_folder(folder, true);
        }
    }

    pub(crate) fn stop_filtering(&self) {
        self.dispatch(Action::Tree(TreeAction::Filter(None)));
        let selected = self.state().tree.selected.clone();
        for folder in self.opened_for_filter.take() {
            if !selected.as_ref().is_some_and(|selected| selected.is_within(&folder)) {
                self.open_folder(folder, false);
            }
        }
        self.focus_tree();
    }
}
