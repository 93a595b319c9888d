//! Going back to where one was in the files, and forward again.

use super::Workbench;
use crate::state::files::FileId;
use crate::state::trail::Place;
use crate::state::views::View;

impl Workbench {
    /// The cursor of the shown file is there.
    pub(crate) fn note_place(&self, id: FileId, (line, column): (u32, u32)) {
        let state = self.state();
        if let Some(file) = state.files.get(id).filter(|file| file.view == View::File) {
            self.trail.borrow_mut().visit(&file.path, line, column);
        }
    }

    /// Goes to the place before the one where the cursor is, or after it.
    pub(super) fn step_place(&self, by: isize) {
        let place = self.trail.borrow_mut().step(by);
        let Some(Place { path, line, column }) = place else { return };
        self.wander();
        *self.wants_editor.borrow_mut() = Some(path.clone());
        self.show_file(path, false);
        let active = self.state().files.active;
        if let Some(id) = active {
            self.documents.go_to(id, line, column);
            self.focus_editor();
        }
    }
}
