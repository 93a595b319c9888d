//! Open files: showing, saving, closing.

use embedenv_shared::command::FullRequest;
use embedenv_shared::path::WorkspacePath;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::interop::page;
use crate::state::files::{Access, FileId, FilesAction};
use crate::state::groups::{Group, GroupId, MAX_GROUPS, Side};
use crate::state::tree::TreeAction;
use crate::state::views::View;
use crate::state::{Action, Dialog, Occasion};
use crate::words;
use crate::words::catalogue::say;

impl Workbench {
    /// Shows a file; with `keep` for good, and with the keyboard in its editor.
    pub(crate) fn show_file(&self, path: WorkspacePath, keep: bool) {
        if keep {
            *self.wants_editor.borrow_mut() = Some(path.clone());
        }
        self.dispatch(Action::Files(FilesAction::Show { path, keep }));
        if self.state().is_framed {
            self.uncover_editors();
        }
        self.other_file();
        let active = self.state().files.active;
        if let Some(id) = active {
            self.try_again_if_gone(id);
            if keep && self.focus_file(id) {
                *self.wants_editor.borrow_mut() = None;
            }
        }
    }

    pub(crate) fn activate(&self, id: FileId) {
        self.wander();
        self.dispatch(Action::Files(FilesAction::Activate(id)));
        self.other_file();
        self.try_again_if_gone(id);
    }

    /// A folder was listed: files of it that were gone and are back are opened again.
    pub(super) fn try_files_of(&self, folder: &WorkspacePath) {
        let back: Vec<FileId> = {
            let state = self.state();
            let is_back =
                |path: &WorkspacePath| path.parent().as_ref() == Some(folder) && state.tree.entry(path).is_some();
            state.files.open.iter().filter(|file| is_back(&file.path)).map(|file| file.id).collect()
        };
        for id in back {
            self.try_again_if_gone(id);
        }
    }

    fn try_again_if_gone(&self, id: FileId) {
        let is_gone = |access: &Access| matches!(access, Access::Gone(_) | Access::Failed(_));
        if self.state().files.get(id).is_some_and(|file| is_gone(&file.access)) {
            self.documents.retry(self, id);
        }
    }

    /// Closes a tab; asks first if that would lose something.
    pub(crate) fn close_file(&self, id: FileId) {
        if self.documents.is_held(id) {
            self.close_file_anyway(id);
        } else {
            self.dispatch(Action::Dialog(Some(Dialog::Discard(id))));
        }
    }

    pub(crate) fn close_file_anyway(&self, id: FileId) {
        self.dispatch(Action::Files(FilesAction::Close(id)));
        self.other_file();
        self.keep_keyboard();
    }

    /// The keyboard goes from a tab that is closed to what is shown in its place, and where nothing is, to the tree.
    fn keep_keyboard(&self) {
        if page::is_touched() {
            // There it would bring up a keyboard.
            return;
        }
        let workbench = self.clone();
        spawn_local(async move {
            // What had it goes when the page is drawn.
            TimeoutFuture::new(0).await;
            if !page::is_nothing_focused() {
                return;
            }
            let shown = workbench.state().files.active().map(|file| (file.id, file.path.clone()));
            match shown {
                Some((id, path)) => {
                    if !workbench.focus_file(id) {
                        *workbench.wants_editor.borrow_mut() = Some(path);
                    }
                }
                None => workbench.focus_tree(),
            }
        });
    }

    /// Closes a tab of a group; the file, too, if it is its last one.
    pub(crate) fn close_tab(&self, group: GroupId, id: FileId) {
        let tabs = self.state().files.groups.list().iter().filter(|group| group.tabs.contains(&id)).count();
        if tabs > 1 {
            self.dispatch(Action::Files(FilesAction::CloseTab(group, id)));
            self.other_file();
            self.keep_keyboard();
        } else {
            self.close_file(id);
        }
    }

    pub(crate) fn activate_in(&self, group: GroupId, id: FileId) {
        self.wander();
        self.dispatch(Action::Files(FilesAction::ActivateIn(group, id)));
        self.other_file();
        self.try_again_if_gone(id);
    }

    /// Opens a previewed file for good.
    pub(crate) fn keep_in(&self, group: GroupId, id: FileId) {
        self.dispatch(Action::Files(FilesAction::Keep(id)));
        self.documents.focus(id, group);
    }

    pub(crate) fn use_group(&self, group: GroupId) {
        self.dispatch(Action::Files(FilesAction::UseGroup(group)));
        self.other_file();
    }

    /// Gives the keyboard to the group at a place, from 0; behind the last one, a new one is made.
    pub(super) fn focus_group(&self, at: usize) {
        let group = self.state().files.groups.in_order().get(at).copied();
        match group {
            Some(group) => self.use_group(group),
            None => return self.split_group(Side::Right),
        }
        self.focus_editor();
    }

    /// Shows the open file once more, in a new group at a side of its own.
    pub(crate) fn split_group(&self, side: Side) {
        let (beside, active) = (self.state().files.groups.active, self.state().files.active);
        let Some(file) = active else { return };
        self.split_beside(beside, side, file);
        self.focus_editor();
    }

    fn split_beside(&self, beside: GroupId, side: Side, file: FileId) {
        let before = self.state().files.groups.list().len();
        self.dispatch(Action::Files(FilesAction::Split { beside, side, file }));
        if self.state().files.groups.list().len() == before {
            self.alert(say!("groups.most", most = MAX_GROUPS));
        }
        self.other_file();
    }

    pub(crate) fn move_tab(&self, file: FileId, from: GroupId, to: GroupId, at: usize) {
        self.dispatch(Action::Files(FilesAction::MoveTab { file, from, to, at }));
        self.other_file();
        self.focus_editor();
    }

    /// Moves a tab into a new group at a side of another.
    pub(crate) fn move_tab_aside(&self, file: FileId, from: GroupId, beside: GroupId, side: Side) {
        let is_only = self.state().files.groups.get(from).is_some_and(|group| group.tabs.len() == 1);
        if from == beside && is_only {
            return;
        }
        let before = self.state().files.groups.active;
        self.split_beside(beside, side, file);
        if self.state().files.groups.active != before {
            self.dispatch(Action::Files(FilesAction::CloseTab(from, file)));
        }
        self.focus_editor();
    }

    /// Shows a file in the group at the right, which is made if there is none.
    pub(crate) fn open_aside(&self, path: WorkspacePath) {
        let (active, next, is_empty) = {
            let groups = &self.state().files.groups;
            let order = groups.in_order();
            let at = order.iter().position(|id| *id == groups.active).unwrap_or_default();
            (groups.active, order.get(at + 1).copied(), groups.active().tabs.is_empty())
        };
        match next {
            Some(next) => self.open_in(next, path),
            None if is_empty => return self.show_file(path, true),
            None => {
                self.carry_entries(vec![path]);
                self.open_carried_aside(active, Side::Right);
            }
        }
        self.focus_editor();
    }

    /// Entries are dragged out of the tree; none are any more.
    pub(crate) fn carry_entries(&self, paths: Vec<WorkspacePath>) {
        *self.carried.borrow_mut() = paths;
    }

    /// Whether files are dragged that can be opened where they are let go.
    pub(crate) fn carries_files(&self) -> bool {
        let carried = self.carried.borrow();
        carried.iter().any(|path| !self.state().tree.is_folder(path))
    }

    /// Opens the files that are dragged in a group, before the tab at a place of it.
    pub(crate) fn open_carried(&self, group: GroupId, at: usize) {
        let files = self.take_carried();
        for (place, path) in files.into_iter().enumerate() {
            self.open_in(group, path);
            let active = self.state().files.active;
            if let Some(file) = active {
                self.move_tab(file, group, group, at + place);
            }
        }
    }

    /// Opens them in a new group at a side of another.
    pub(crate) fn open_carried_aside(&self, beside: GroupId, side: Side) {
        let mut files = self.take_carried().into_iter();
        let Some(first) = files.next() else { return };
        let had_it = {
            let state = self.state();
            let known = state.files.find(&first).map(|file| file.id);
            known.is_some_and(|id| state.files.groups.get(beside).is_some_and(|group| group.tabs.contains(&id)))
        };
        let shown = self.state().files.groups.get(beside).and_then(|group| group.active);
        self.open_in(beside, first);
        let active = self.state().files.active;
        let Some(file) = active else { return };
        self.split_beside(beside, side, file);
        let made = self.state().files.groups.active;
        if made == beside {
            return;
        }
        if !had_it {
            self.dispatch(Action::Files(FilesAction::CloseTab(beside, file)));
        }
        // That group shows what it did.
        if let Some(shown) = shown {
            self.dispatch(Action::Files(FilesAction::ActivateIn(beside, shown)));
            self.dispatch(Action::Files(FilesAction::UseGroup(made)));
        }
        for path in files {
            self.open_in(made, path);
        }
        self.focus_editor();
    }

    fn open_in(&self, group: GroupId, path: WorkspacePath) {
        self.dispatch(Action::Files(FilesAction::UseGroup(group)));
        self.show_file(path, true);
    }

    fn take_carried(&self) -> Vec<WorkspacePath> {
        let mut carried = std::mem::take(&mut *self.carried.borrow_mut());
        carried.retain(|path| !self.state().tree.is_folder(path));
        carried
    }

    /// Moves the open tab by a number of places within its group.
    pub(super) fn shift_tab(&self, by: isize) {
        self.with_tab(|group, at, file| {
            let to = (at as isize + by).clamp(0, group.tabs.len() as isize - 1) as usize;
            FilesAction::MoveTab { file, from: group.id, to: group.id, at: if by > 0 { to + 1 } else { to } }
        });
    }

    /// Moves the open tab to the group that is `by` places from its own, if there is one.
    pub(super) fn move_to_group(&self, by: isize) {
        let (order, from, file) = {
            let files = &self.state().files;
            (files.groups.in_order(), files.groups.active, files.active)
        };
        let at = order.iter().position(|group| *group == from).unwrap_or_default();
        let to = at.checked_add_signed(by).and_then(|to| order.get(to)).copied();
        match (to, file) {
            (Some(to), Some(file)) => self.move_tab(file, from, to, usize::MAX),
            (None, Some(file)) => self.move_tab_aside(file, from, from, if by > 0 { Side::Right } else { Side::Left }),
            _ => {}
        }
    }

    /// Shows the tab that is a number of places from the open one, around the end.
    pub(super) fn step_tab(&self, by: isize) {
        self.with_tab(|group, at, _| {
            let count = group.tabs.len() as isize;
            FilesAction::ActivateIn(group.id, group.tabs[(at as isize + by).rem_euclid(count) as usize])
        });
        self.focus_editor();
    }

    fn with_tab(&self, act: impl FnOnce(&Group, usize, FileId) -> FilesAction) {
        let action = {
            let files = &self.state().files;
            let group = files.groups.active();
            let at = group.tabs.iter().position(|tab| Some(*tab) == group.active);
            at.map(|at| act(group, at, group.tabs[at]))
        };
        if let Some(action) = action {
            self.dispatch(Action::Files(action));
            self.other_file();
        }
    }

    /// Closes the tabs of the group but for the open one; those that would lose something stay.
    pub(super) fn close_others(&self) {
        self.close_held(|at, open| at != open);
    }

    /// Closes those behind the open one.
    pub(super) fn close_after(&self) {
        self.close_held(|at, open| at > open);
    }

    pub(super) fn close_saved(&self) {
        self.close_held(|_, _| true);
    }

    /// Closes all tabs of the group; for those that would lose something, people are asked.
    pub(super) fn close_all(&self) {
        self.close_held(|_, _| true);
        let group = self.state().files.groups.active().clone();
        if let Some(file) = group.tabs.first() {
            self.close_tab(group.id, *file);
        }
    }

    /// Closes those tabs of the group that `closes` says by their place and that of the open one, as far as nothing is lost
    /// with them.
    fn close_held(&self, closes: impl Fn(usize, usize) -> bool) {
        let group = self.state().files.groups.active().clone();
        let open = group.tabs.iter().position(|tab| Some(*tab) == group.active).unwrap_or_default();
        let tabs = group.tabs.iter().enumerate().filter(|(at, _)| closes(*at, open));
        for file in tabs.map(|(_, file)| *file) {
            let elsewhere =
                self.state().files.groups.list().iter().any(|other| other.id != group.id && other.tabs.contains(&file));
            if elsewhere || self.documents.is_held(file) {
                self.dispatch(Action::Files(FilesAction::CloseTab(group.id, file)));
            }
        }
        self.other_file();
    }

    pub(crate) fn copy_path_of(&self, id: FileId) {
        let path = self.state().files.get(id).map(|file| file.path.to_string());
        if let Some(path) = path {
            self.copy_text(path);
        }
    }

    /// Shows in the tree where the open file is.
    pub(super) fn reveal_active(&self) {
        self.show_files();
        self.reveal();
    }

    /// Opens the folders that the open file is in, and selects it there.
    fn reveal(&self) {
        let shown = self.state().files.active().filter(|file| file.view == View::File).map(|file| file.path.clone());
        let Some(path) = shown else { return };
        let mut above: Vec<WorkspacePath> = std::iter::successors(path.parent(), WorkspacePath::parent).collect();
        above.retain(|folder| !self.state().tree.is_open(folder));
        for folder in above.into_iter().rev() {
            self.open_folder(folder, true);
        }
        if self.state().tree.selected.as_ref() != Some(&path) {
            self.dispatch(Action::Tree(TreeAction::Select(Some(path))));
        }
    }

    /// Opens the file that was closed last.
    pub(super) fn reopen_file(&self) {
        let last = self.state().files.closed.last().cloned();
        if let Some(path) = last {
            self.show_file(path, true);
        }
    }

    /// Another file is shown than before.
    pub(super) fn other_file(&self) {
        let active = self.state().files.active;
        if let Some(id) = active {
            let at = self.documents.cursor(id);
            self.cursor.set(at);
            self.note_place(id, at);
        }
        self.show_manner();
        self.tell_place();
        self.reveal();
    }

    /// What was deleted here is no longer open.
    pub(super) fn close_within(&self, path: &WorkspacePath) {
        self.trail.borrow_mut().removed(path);
        let gone: Vec<FileId> =
            self.state().files.open.iter().filter(|file| file.path.is_within(path)).map(|file| file.id).collect();
        for id in gone {
            self.dispatch(Action::Files(FilesAction::Close(id)));
        }
    }

    pub(crate) fn save_active(&self) {
        let active = self.state().files.active.map(|id| self.state().files.source(id));
        if let Some(id) = active {
            self.save(id);
        }
    }

    /// Puts a document into its file now.
    pub(crate) fn save(&self, id: FileId) {
        let workbench = self.clone();
        spawn_local(async move {
            workbench.put_right(id).await;
            if let Err(why) = workbench.saved(id).await {
                let is_away = !workbench.connection.is_up();
                workbench.dispatch(if is_away {
                    Action::AlertUntil(Occasion::Connected, why)
                } else {
                    Action::Alert(why)
                });
            }
        });
    }

    /// Saves, and says why not if it could not be done.
    pub(super) async fn saved(&self, id: FileId) -> Result<(), String> {
        let (name, editable) = match self.state().files.get(id) {
            Some(file) => (file.name().to_owned(), file.access == Access::Editable),
            None => return Ok(()),
        };
        if !editable {
            return Ok(());
        }
        if !self.connection.is_up() {
            return Err(say!("file.not-saved-yet", name = name));
        }
        let Some(document) = self.documents.document(id) else { return Ok(()) };
        let saved = self.connection.request(&FullRequest::Save { document }).await;
        saved.map(drop).map_err(|failure| words::failed(&say!("failed.save", name = name), &failure))
    }

    /// Hands the text of an editor to the browser to keep, for when it can't be saved.
    pub(crate) fn keep_copy(&self, id: FileId) {
        let name = self.state().files.get(id).map(|file| file.name().to_owned());
        if let (Some(name), Some(text)) = (name, self.documents.text(id))
            && page::download(&name, text.as_bytes()).is_err()
        {
            self.alert(say!("failed.keep", name = name));
        }
    }

    pub(crate) fn focus_editor(&self) {
        let active = self.state().files.active;
        if let Some(id) = active {
            self.focus_file(id);
        }
    }

    /// Gives the keyboard to a file's editor in the group that is used. Returns whether there is one.
    fn focus_file(&self, id: FileId) -> bool {
        let group = self.state().files.groups.active;
        self.documents.focus(id, group)
    }

    /// Gives the keyboard to the tree as soon as what has changed is drawn.
    pub(crate) fn focus_tree(&self) {
        self.wants_tree.set(true);
        let workbench = self.clone();
        spawn_local(async move {
            // In case nothing of the tree has changed.
            TimeoutFuture::new(0).await;
            workbench.tree_is_drawn();
        });
    }

    /// The tree was drawn: it gets the keyboard, if it was to get it.
    pub(crate) fn tree_is_drawn(&self) {
        let is_naming = self.state().tree.naming.is_some();
        if !is_naming && self.wants_tree.take() {
            page::focus(".tree [tabindex=\"0\"]");
        }
    }
}
