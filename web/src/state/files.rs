//! The open files: which there are, in which groups of tabs, which one is shown, and what each tab says. The text is the
//! editor's.

use embedenv_shared::frame::ReadOnly;
use embedenv_shared::path::WorkspacePath;

use super::groups::{GroupId, Groups, Kept, Side};
use super::views::View;

/// Closed files that are remembered.
pub const MAX_CLOSED: usize = 20;

/// An open file, named so that it stays the same when its path changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// In the order in which they were opened.
    pub open: Vec<OpenFile>,
    /// The file shown in the group that is used.
    pub active: Option<FileId>,
    pub groups: Groups,
    /// Files that were closed, the last one at the end; an older one makes room.
    pub closed: Vec<WorkspacePath>,
    last: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    pub id: FileId,
    pub path: WorkspacePath,
    pub view: View,
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

    /// What its tab says.
    pub fn title(&self) -> String {
        self.view.title(self.name())
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
    /// Shows a view of an open file in the group that is used.
    View(View),
    /// Several files, each for good, in the groups that were remembered.
    Restore(Kept<WorkspacePath>),
    Keep(FileId),
    /// Shows an open file where it has a tab, in the group that is used if it has one there.
    Activate(FileId),
    ActivateIn(GroupId, FileId),
    UseGroup(GroupId),
    /// A new group at a side of another, with a file's tab.
    Split {
        beside: GroupId,
        side: Side,
        file: FileId,
    },
    MoveTab {
        file: FileId,
        from: GroupId,
        to: GroupId,
        at: usize,
    },
    Resize {
        at: Vec<usize>,
        share: u32,
    },
    JoinGroups,
    CloseTab(GroupId, FileId),
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
        self.open.iter().find(|file| file.path == *path && file.view == View::File)
    }

    /// The file that a tab shows or stands on.
    pub fn source(&self, id: FileId) -> FileId {
        self.get(id).and_then(|file| file.view.source()).unwrap_or(id)
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
            FilesAction::View(view) => self.show_view(view),
            FilesAction::Restore(kept) => {
                let groups = Groups::restored(&kept, &mut |path: &WorkspacePath| match self.find(path) {
                    Some(file) => file.id,
                    None => self.add(path.clone(), true),
                });
                self.groups = groups;
            }
            FilesAction::Keep(id) => self.change(id, |file| file.preview = false),
            FilesAction::Activate(id) => {
                let has_it = |group: &GroupId| self.groups.get(*group).is_some_and(|group| group.tabs.contains(&id));
                let active = Some(self.groups.active).filter(has_it);
                if let Some(group) = active.or_else(|| self.groups.in_order().into_iter().find(has_it)) {
                    self.groups.show(group, id);
                }
            }
            FilesAction::ActivateIn(group, id) => self.groups.show(group, id),
            FilesAction::UseGroup(group) if self.groups.get(group).is_some() => self.groups.active = group,
            FilesAction::UseGroup(_) => {}
            FilesAction::Split { beside, side, file } => {
                self.groups.split(beside, side, Some(file));
                self.change(file, |file| file.preview = false);
            }
            FilesAction::MoveTab { file, from, to, at } => {
                self.groups.move_tab(file, from, to, at);
                self.change(file, |file| file.preview = false);
            }
            FilesAction::Resize { at, share } => self.groups.resize(&at, share),
            FilesAction::JoinGroups => self.groups.join(),
            FilesAction::CloseTab(group, id) => self.groups.close_tab(group, id),
            FilesAction::Close(id) => self.groups.close(id),
            FilesAction::Access { id, access } => self.change(id, |file| file.access = access),
            FilesAction::Unsaved { id, unsaved } => self.change(id, |file| file.unsaved = unsaved),
            FilesAction::Problem { id, problem } => self.change(id, |file| file.problem = problem),
            FilesAction::Moved { id, path } => {
                let of_it = |file: &&mut OpenFile| file.id == id || file.view.source() == Some(id);
                self.open.iter_mut().filter(of_it).for_each(|file| file.path = path.clone());
            }
        }
        // A view goes with its file.
        let is_gone = |file: &&OpenFile| file.view.source().is_some_and(|source| !self.groups.has(source));
        let gone: Vec<FileId> = self.open.iter().filter(is_gone).map(|file| file.id).collect();
        for view in gone {
            self.groups.close(view);
        }
        let (open, closed) = std::mem::take(&mut self.open).into_iter().partition(|file| self.groups.has(file.id));
        self.open = open;
        self.remember_closed(closed);
        self.active = self.groups.active().active;
        self.groups.note_use();
    }

    fn remember_closed(&mut self, closed: Vec<OpenFile>) {
        for file in closed.into_iter().filter(|file| !file.preview && file.view == View::File) {
            self.closed.retain(|path| *path != file.path);
            self.closed.push(file.path);
        }
        let surplus = self.closed.len().saturating_sub(MAX_CLOSED);
        self.closed.drain(..surplus);
    }

    fn show(&mut self, path: WorkspacePath, keep: bool) {
        self.closed.retain(|closed| *closed != path);
        let group = self.groups.active;
        if let Some(file) = self.open.iter_mut().find(|file| file.path == path && file.view == View::File) {
            file.preview &= !keep;
            let id = file.id;
            return self.groups.show(group, id);
        }
        let of_group = |file: &&OpenFile| file.preview && self.groups.active().tabs.contains(&file.id);
        let before = self.open.iter().find(of_group).map(|file| file.id).filter(|_| !keep);
        let id = self.add(path, keep);
        self.groups.show(group, id);
        if let Some(before) = before {
            // It takes the place of the preview before.
            let tabs = &mut self.groups.active_mut().tabs;
            tabs.retain(|tab| *tab != id);
            tabs.iter_mut().filter(|tab| **tab == before).for_each(|tab| *tab = id);
        }
    }

    fn show_view(&mut self, view: View) {
        let Some(source) = view.source().and_then(|source| self.get(source)) else { return };
        let path = source.path.clone();
        let known = self.open.iter().find(|file| file.view == view).map(|file| file.id);
        let id = known.unwrap_or_else(|| self.add(path, true));
        self.change(id, |file| file.view = view);
        let group = self.groups.active;
        self.groups.show(group, id);
    }

    fn add(&mut self, path: WorkspacePath, keep: bool) -> FileId {
        self.last += 1;
        let id = FileId(self.last);
        let (view, access) = (View::File, Access::Opening);
        self.open.push(OpenFile { id, path, view, preview: !keep, unsaved: false, access, problem: None });
        id
    }

    fn change(&mut self, id: FileId, change: impl FnOnce(&mut OpenFile)) {
        if let Some(file) = self.open.iter_mut().find(|file| file.id == id) {
            change(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::views::Against;
    use super::*;

    fn path(text: &str) -> WorkspacePath {
        WorkspacePath::parse(text).unwrap()
    }

    fn show(files: &mut Files, text: &str, keep: bool) -> FileId {
        files.reduce(FilesAction::Show { path: path(text), keep });
        files.active.unwrap()
    }

    fn names(files: &Files) -> Vec<&str> {
        files.groups.active().tabs.iter().map(|id| files.get(*id).unwrap().name()).collect()
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
    fn closing_the_shown_tab_shows_the_one_that_was_used_before() {
        let mut files = Files::default();
        let ids = ["a", "b", "c", "d"].map(|name| show(&mut files, name, true));
        files.reduce(FilesAction::Activate(ids[0]));
        files.reduce(FilesAction::Activate(ids[2]));
        files.reduce(FilesAction::Close(ids[2]));
        assert_eq!(files.active, Some(ids[0]));
        files.reduce(FilesAction::Close(ids[3]));
        files.reduce(FilesAction::Close(ids[0]));
        assert_eq!(files.active, Some(ids[1]));
        files.reduce(FilesAction::Close(ids[1]));
        assert_eq!(files.active, None);
    }

    #[test]
    fn closing_a_tab_after_a_reload_shows_its_neighbour() {
        let mut files = Files::default();
        let tabs = ["a", "b", "c"].map(path).to_vec();
        files.reduce(FilesAction::Restore(Kept::Group { tabs, active: Some(path("b")), in_use: true }));
        files.reduce(FilesAction::Close(files.active.unwrap()));
        assert_eq!(files.active().unwrap().path, path("c"));
    }

    #[test]
    fn closed_files_are_remembered_the_last_one_at_the_end_until_they_are_open_again() {
        let mut files = Files::default();
        let ids = ["a", "b"].map(|name| show(&mut files, name, true));
        show(&mut files, "preview", false);
        let preview = files.active.unwrap();
        for id in [ids[1], ids[0], preview] {
            files.reduce(FilesAction::Close(id));
        }
        assert_eq!(files.closed, [path("b"), path("a")]);
        show(&mut files, "a", false);
        assert_eq!(files.closed, [path("b")]);
    }

    #[test]
    fn a_file_in_two_groups_is_open_until_its_last_tab_is_closed() {
        let mut files = Files::default();
        let id = show(&mut files, "a", true);
        let first = files.groups.active;
        files.reduce(FilesAction::Split { beside: first, side: Side::Right, file: id });
        let second = files.groups.active;
        // A preview of the other group stays where it is.
        let other = show(&mut files, "b", false);
        files.reduce(FilesAction::UseGroup(first));
        show(&mut files, "c", false);
        assert!(files.get(other).is_some());
        files.reduce(FilesAction::CloseTab(first, id));
        assert!(files.get(id).is_some());
        files.reduce(FilesAction::Activate(id));
        assert_eq!((files.groups.active, files.active), (second, Some(id)));
        files.reduce(FilesAction::CloseTab(second, id));
        assert_eq!(files.get(id), None);
    }

    #[test]
    fn what_was_open_comes_back_in_its_groups() {
        let mut files = Files::default();
        let id = show(&mut files, "a", true);
        files.reduce(FilesAction::Split { beside: files.groups.active, side: Side::Down, file: id });
        show(&mut files, "b", true);
        let kept = files.groups.kept(&|id| files.get(id).map(|file| file.path.clone()));
        let mut again = Files::default();
        again.reduce(FilesAction::Restore(kept));
        assert_eq!(again.open.len(), 2);
        assert_eq!(names(&again), ["a", "b"]);
        assert_eq!(again.find(&path("b")).map(|file| file.id), again.active);
    }

    #[test]
    fn views_of_a_file_are_tabs_of_their_own_that_move_and_go_with_it() {
        let mut files = Files::default();
        let id = show(&mut files, "a.md", true);
        files.reduce(FilesAction::View(View::Preview(id)));
        files.reduce(FilesAction::View(View::Compare(id, Against::Saved)));
        files.reduce(FilesAction::View(View::Preview(id)));
        assert_eq!(files.open.len(), 3, "a view is there once");
        let preview = files.active().unwrap();
        assert_eq!((preview.title().as_str(), files.source(preview.id)), ("Preview a.md", id));
        assert_eq!(show(&mut files, "a.md", true), id, "the file itself is found by its path");
        files.reduce(FilesAction::Moved { id, path: path("b.md") });
        assert!(files.open.iter().all(|file| file.path == path("b.md")));
        files.reduce(FilesAction::Close(id));
        assert_eq!((files.open.len(), files.closed.clone()), (0, vec![path("b.md")]));
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
