//! The open files: which there are, which one is shown, and what each tab says. The text is the editor's.

use embedenv_shared::frame::ReadOnly;
use embedenv_shared::path::WorkspacePath;

/// An open file, named so that it stays the same when its path changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    pub open: Vec<OpenFile>,
    pub active: Option<FileId>,
    last: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    pub id: FileId,
    pub path: WorkspacePath,
    /// The next preview takes its place, until it is edited or opened for good.
    pub preview: bool,
    pub unsaved: bool,
    pub access: Access,
    /// Why the last save failed.
    pub problem: Option<String>,
}

impl OpenFile {
    pub fn name(&self) -> &str {
        self.path.name().unwrap_or_default()
    }
}

/// What can be done with an open file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    Opening,
    Editable,
    ReadOnly(ReadOnly),
    /// It was open and is gone; what was typed is still shown.
    Gone(String),
    /// It could not be opened.
    Failed(String),
}

impl Access {
    /// Whether an editor shows its text.
    pub fn has_text(&self) -> bool {
        !matches!(self, Self::Failed(_) | Self::ReadOnly(ReadOnly::Binary))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesAction {
    /// Shows a file, opening it if it is not; `keep` opens it for good.
    Show {
        path: WorkspacePath,
        keep: bool,
    },
    Keep(FileId),
    Activate(FileId),
    Close(FileId),
    Access {
        id: FileId,
        access: Access,
    },
    Unsaved {
        id: FileId,
        unsaved: bool,
    },
    Problem {
        id: FileId,
        problem: Option<String>,
    },
    Moved {
        id: FileId,
        path: WorkspacePath,
    },
}

impl Files {
    pub fn find(&self, path: &WorkspacePath) -> Option<&OpenFile> {
        self.open.iter().find(|file| file.path == *path)
    }

    pub fn get(&self, id: FileId) -> Option<&OpenFile> {
        self.open.iter().find(|file| file.id == id)
    }

    pub fn active(&self) -> Option<&OpenFile> {
        self.get(self.active?)
    }

    pub fn reduce(&mut self, action: FilesAction) {
        match action {
            FilesAction::Show { path, keep } => self.show(path, keep),
            FilesAction::Keep(id) => self.change(id, |file| file.preview = false),
            FilesAction::Activate(id) => self.active = Some(id),
            FilesAction::Close(id) => self.close(id),
            FilesAction::Access { id, access } => self.change(id, |file| file.access = access),
            FilesAction::Unsaved { id, unsaved } => self.change(id, |file| file.unsaved = unsaved),
            FilesAction::Problem { id, problem } => self.change(id, |file| file.problem = problem),
            FilesAction::Moved { id, path } => self.change(id, |file| file.path = path),
        }
    }

    fn show(&mut self, path: WorkspacePath, keep: bool) {
        if let Some(file) = self.open.iter_mut().find(|file| file.path == path) {
            file.preview &= !keep;
            self.active = Some(file.id);
            return;
        }
        self.last += 1;
        let id = FileId(self.last);
        let file = OpenFile { id, path, preview: !keep, unsaved: false, access: Access::Opening, problem: None };
        match self.open.iter_mut().find(|file| file.preview) {
            Some(preview) if !keep => *preview = file,
            _ => {
                let at = self.open.iter().position(|file| Some(file.id) == self.active);
                self.open.insert(at.map_or(self.open.len(), |at| at + 1), file);
            }
        }
        self.active = Some(id);
    }

    /// Closes a tab; the one after it is shown, or the last.
    fn close(&mut self, id: FileId) {
        let Some(at) = self.open.iter().position(|file| file.id == id) else { return };
        self.open.remove(at);
        if self.active == Some(id) {
            self.active = self.open.get(at).or(self.open.last()).map(|file| file.id);
        }
    }

    fn change(&mut self, id: FileId, change: impl FnOnce(&mut OpenFile)) {
        if let Some(file) = self.open.iter_mut().find(|file| file.id == id) {
            change(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> WorkspacePath {
        WorkspacePath::parse(text).unwrap()
    }

    fn show(files: &mut Files, text: &str, keep: bool) -> FileId {
        files.reduce(FilesAction::Show { path: path(text), keep });
        files.active.unwrap()
    }

    fn names(files: &Files) -> Vec<&str> {
        files.open.iter().map(OpenFile::name).collect()
    }

    #[test]
    fn a_preview_is_replaced_by_the_next_until_it_is_edited() {
        let mut files = Files::default();
        let first = show(&mut files, "a", false);
        show(&mut files, "b", false);
        assert_eq!(names(&files), ["b"]);
        assert_eq!(files.get(first), None);
        let second = files.active.unwrap();
        files.reduce(FilesAction::Keep(second));
        show(&mut files, "c", false);
        assert_eq!(names(&files), ["b", "c"]);
    }

    #[test]
    fn opening_for_good_keeps_a_preview() {
        let mut files = Files::default();
        let id = show(&mut files, "a", false);
        assert_eq!(show(&mut files, "a", true), id);
        show(&mut files, "b", false);
        assert_eq!(names(&files), ["a", "b"]);
        assert_eq!(show(&mut files, "a", false), id);
        assert!(!files.get(id).unwrap().preview);
    }

    #[test]
    fn closing_the_shown_tab_shows_its_neighbour() {
        let mut files = Files::default();
        let ids = ["a", "b", "c"].map(|name| show(&mut files, name, true));
        files.reduce(FilesAction::Activate(ids[1]));
        files.reduce(FilesAction::Close(ids[1]));
        assert_eq!(files.active, Some(ids[2]));
        files.reduce(FilesAction::Close(ids[2]));
        assert_eq!(files.active, Some(ids[0]));
        files.reduce(FilesAction::Close(ids[0]));
        assert_eq!(files.active, None);
    }

    #[test]
    fn a_file_keeps_its_tab_when_its_path_changes() {
        let mut files = Files::default();
        let id = show(&mut files, "a.py", true);
        files.reduce(FilesAction::Moved { id, path: path("src/b.py") });
        assert_eq!(files.find(&path("src/b.py")).unwrap().id, id);
        assert_eq!(names(&files), ["b.py"]);
    }
}
