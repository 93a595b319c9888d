//! What tabs show besides text: pictures, previews, and what has changed in a file.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use embedenv_shared::tree::content_bytes;
use yew::Callback;

use super::Workbench;
use crate::interop::page;
use crate::interop::views::Bytes;
use crate::state::Action;
use crate::state::files::{FileId, FilesAction};
use crate::state::groups::{GroupId, Side};
use crate::state::settings::Pane;
use crate::state::views::{self, Against, View};
use crate::words;
use crate::words::catalogue::say;

/// Who shows files that are not text, each with the file's path and whom to tell that it has changed.
#[derive(Default)]
pub(crate) struct Lookers {
    list: RefCell<Vec<(u32, WorkspacePath, Callback<()>)>>,
    last: Cell<u32>,
}

/// Somebody looks at a file until this is dropped.
pub(crate) struct Look {
    workbench: Workbench,
    number: u32,
}

impl Drop for Look {
    fn drop(&mut self) {
        self.workbench.lookers.list.borrow_mut().retain(|(number, ..)| *number != self.number);
    }
}

impl Workbench {
    /// Shows how the open file looks, in its group or in one beside it.
    pub(super) fn preview_active(&self, beside: bool) {
        let active = self.state().files.active.map(|id| self.state().files.source(id));
        let Some(id) = active else { return self.alert(say!("view.no-file")) };
        self.preview(id, beside);
    }

    /// Whether the open file has something to be looked at besides its text.
    pub(super) fn previews_active(&self) -> bool {
        self.state().files.active().is_some_and(|file| views::has_preview(&file.path))
    }

    pub(crate) fn preview(&self, id: FileId, beside: bool) {
        let Some(path) = self.state().files.get(id).map(|file| file.path.clone()) else { return };
        if !views::has_preview(&path) {
            return self.alert(say!("view.none"));
        }
        if self.has_editor(id) {
            self.show_view(View::Preview(id), beside);
        }
    }

    pub(super) fn compare_active(&self, against: Against) {
        let active = self.state().files.active.map(|id| self.state().files.source(id));
        match active {
            Some(id) => self.compare(id, against),
            None => self.alert(say!("compare.no-file")),
        }
    }

    /// Shows what has changed in a file.
    pub(crate) fn compare(&self, id: FileId, against: Against) {
        let is_picture = self.state().files.get(id).is_none_or(|file| views::picture(&file.path).is_some());
        if is_picture {
            return self.alert(say!("compare.picture"));
        }
        if self.has_editor(id) {
            self.show_view(View::Compare(id, against), false);
        }
    }

    /// Whether there is a text to be looked at; if not, that is told.
    fn has_editor(&self, id: FileId) -> bool {
        let is_there = self.documents.editor(id).is_some();
        if !is_there {
            self.alert(say!("view.not-yet"));
        }
        is_there
    }

    fn show_view(&self, view: View, beside: bool) {
        self.uncover_text();
        let known = self.state().files.open.iter().find(|file| file.view == view).map(|file| file.id);
        if let Some(id) = known {
            return self.activate(id);
        }
        let from = self.state().files.groups.active;
        self.dispatch(Action::Files(FilesAction::View(view)));
        let shown = self.state().files.active;
        let Some(id) = shown.filter(|_| beside && !page::is_narrow()) else { return };
        // A group that is there already, or a new one at the right; the keyboard stays with the text.
        let next = {
            let order = self.state().files.groups.in_order();
            let at = order.iter().position(|group| *group == from).unwrap_or_default();
            order.get(at + 1).copied()
        };
        match next {
            Some(to) => self.dispatch(Action::Files(FilesAction::MoveTab { file: id, from, to, at: usize::MAX })),
            None => {
                self.dispatch(Action::Files(FilesAction::Split { beside: from, side: Side::Right, file: id }));
                self.dispatch(Action::Files(FilesAction::CloseTab(from, id)));
            }
        }
        if let Some(source) = view.source() {
            self.dispatch(Action::Files(FilesAction::ActivateIn(from, source)));
        }
        self.focus_editor();
    }

    /// Brings the editors into sight where there is room for one pane at a time.
    fn uncover_text(&self) {
        let layout = self.state().layout;
        let is_elsewhere = layout.pane != Pane::Editor || layout.aside.is_some();
        if is_elsewhere && page::is_narrow() {
            self.show_pane(Pane::Editor);
        }
    }

    /// Has the editor of a tab do something that it knows by name: a file's own in its group, or that of what has changed in it.
    pub(super) fn perform_in_editor(&self, id: FileId, group: GroupId, name: &str) {
        self.uncover_text();
        let source = self.state().files.source(id);
        if source == id {
            self.documents.perform(id, group, name);
        } else if let Some(editor) = self.documents.editor(source) {
            editor.perform_in_view(id, name);
        }
    }

    /// The bytes of a file as it is on disk, or why there are none.
    pub(crate) async fn bytes_of(&self, path: &WorkspacePath) -> Result<Vec<u8>, String> {
        let Some(project) = self.project() else { return Err(say!("format.no-connection").to_owned()) };
        let name = path.name().unwrap_or_default();
        match self.connection.request(&FullRequest::Read { project, path: path.clone() }).await {
            Ok(ServerFrame::File { content, encoding, .. }) => {
                content_bytes(content, encoding).map_err(|_| say!("view.damaged", name = name))
            }
            Ok(_) => Err(say!("view.damaged", name = name)),
            Err(failure) => Err(words::failed(&say!("view.unread", name = name), &failure)),
        }
    }

    /// A picture that a Markdown file names.
    pub(crate) async fn picture_at(self, path: String) -> Bytes {
        let path = WorkspacePath::parse(&path).ok()?;
        let mime = views::any_picture(&path)?;
        Some((self.bytes_of(&path).await.ok()?, mime))
    }

    /// Asks to be told of changes in a folder, unless the tree shows it and does so.
    pub(super) fn watch_folder(&self, folder: &WorkspacePath) {
        if let Some(project) = self.project().filter(|_| !self.state().tree.is_open(folder)) {
            let watch = FullRequest::List { project, path: folder.clone(), after: None, watch: true };
            self.connection.ask(&watch, |_| {});
        }
    }

    /// Tells `changed` whenever the file has changed on disk.
    pub(crate) fn look_at(&self, path: WorkspacePath, changed: Callback<()>) -> Rc<Look> {
        if let Some(folder) = path.parent() {
            self.watch_folder(&folder);
        }
        let number = self.lookers.last.get() + 1;
        self.lookers.last.set(number);
        self.lookers.list.borrow_mut().push((number, path, changed));
        Rc::new(Look { workbench: self.clone(), number })
    }

    /// Entries of a watched folder have changed; with no names, any of them.
    pub(super) fn files_changed(&self, project: &ProjectName, folder: &WorkspacePath, names: &[String]) {
        if self.project().as_ref() != Some(project) {
            return;
        }
        self.rules_changed(folder, names);
        let concerned: Vec<Callback<()>> = {
            let list = self.lookers.list.borrow();
            let is_it = |path: &WorkspacePath| {
                path.parent().as_ref() == Some(folder)
                    && (names.is_empty() || names.iter().any(|name| path.name() == Some(name.as_str())))
            };
            list.iter().filter(|(_, path, _)| is_it(path)).map(|(.., changed)| changed.clone()).collect()
        };
        for changed in concerned {
            changed.emit(());
        }
    }
}
