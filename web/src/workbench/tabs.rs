//! Open files: showing, saving, closing.

use embedenv_shared::command::FullRequest;
use embedenv_shared::path::WorkspacePath;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::interop::page;
use crate::state::files::{Access, FileId, FilesAction};
use crate::state::{Action, Dialog, Occasion};
use crate::words;

impl Workbench {
    /// Shows a file; with `keep` for good, and with the keyboard in its editor.
    pub(crate) fn show_file(&self, path: WorkspacePath, keep: bool) {
        if keep {
            *self.wants_editor.borrow_mut() = Some(path.clone());
        }
        self.dispatch(Action::Files(FilesAction::Show { path, keep }));
        self.other_file();
        let active = self.state().files.active;
        if let Some(id) = active {
            self.try_again_if_gone(id);
            if keep && self.documents.focus(id) {
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
    }

    /// Another file is shown than before.
    fn other_file(&self) {
        let active = self.state().files.active;
        if let Some(id) = active {
            self.cursor.set(self.documents.cursor(id));
        }
        self.tell_place();
    }

    /// What was deleted here is no longer open.
    pub(super) fn close_within(&self, path: &WorkspacePath) {
        let gone: Vec<FileId> =
            self.state().files.open.iter().filter(|file| file.path.is_within(path)).map(|file| file.id).collect();
        for id in gone {
            self.dispatch(Action::Files(FilesAction::Close(id)));
        }
    }

    pub(crate) fn save_active(&self) {
        let active = self.state().files.active;
        if let Some(id) = active {
            self.save(id);
        }
    }

    /// Puts a document into its file now.
    pub(crate) fn save(&self, id: FileId) {
        let workbench = self.clone();
        spawn_local(async move {
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
            return Err(format!("{name} is not saved yet: there is no connection. It is saved when it comes back."));
        }
        let Some(document) = self.documents.document(id) else { return Ok(()) };
        let saved = self.connection.request(&FullRequest::Save { document }).await;
        saved.map(drop).map_err(|failure| words::failed(&format!("{name} could not be saved"), &failure))
    }

    /// Hands the text of an editor to the browser to keep, for when it can't be saved.
    pub(crate) fn keep_copy(&self, id: FileId) {
        let name = self.state().files.get(id).map(|file| file.name().to_owned());
        if let (Some(name), Some(text)) = (name, self.documents.text(id))
            && page::download(&name, text.as_bytes()).is_err()
        {
            self.alert(format!("{name} could not be handed to the browser."));
        }
    }

    pub(crate) fn focus_editor(&self) {
        let active = self.state().files.active;
        if let Some(id) = active {
            self.documents.focus(id);
        }
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
