//! The file tree: folders that were listed, which are open, what is selected, and the rows that follow from it.
//!
//! A folder may have a hundred thousand entries: folders stand behind [`Rc`]s, and rows are made anew only when what they
//! show has changed.

mod changes;
mod rows;
mod selection;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use embedenv_shared::link::files::{Entry, EntryKind, Item};
use embedenv_shared::path::WorkspacePath;

use changes::Changes;
pub use changes::{Change, Since};
pub use rows::{EntryRow, Row, Rows};
pub use selection::{Clipboard, common_folder, copy_name};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    folders: BTreeMap<WorkspacePath, Rc<Folder>>,
    pub open: BTreeSet<WorkspacePath>,
    /// The entry that has the keyboard when the tree has it.
    pub selected: Option<WorkspacePath>,
    /// Everything that is selected, if that is more than one entry.
    marked: Rc<BTreeSet<WorkspacePath>>,
    /// Where a selection of several began.
    anchor: Option<WorkspacePath>,
    pub naming: Option<Naming>,
    /// What was cut or copied.
    pub clipboard: Option<Clipboard>,
    /// Entries whose names begin with a dot are not shown.
    pub hides: bool,
    /// Only entries with this in their names are shown, and what they stand in; `None` while there is no field for it.
    pub filter: Option<String>,
    changes: Changes,
    rows: Rc<Rows>,
}

/// A folder as it was listed last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    pub entries: Vec<Entry>,
    /// Where its next page begins, if there is one.
    pub next: Option<u64>,
    /// Why it could not be listed.
    pub problem: Option<String>,
}

/// The entry that is being named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    New { folder: WorkspacePath, item: Item },
    Rename { path: WorkspacePath },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeAction {
    /// All of a folder that has been listed so far.
    Listed {
        path: WorkspacePath,
        entries: Vec<Entry>,
        next: Option<u64>,
    },
    Failed {
        path: WorkspacePath,
        problem: String,
    },
    Open(WorkspacePath),
    Close(WorkspacePath),
    CloseAll,
    Select(Option<WorkspacePath>),
    /// Adds an entry to the selection, or takes it out.
    Toggle(WorkspacePath),
    /// Selects everything from where the selection began to this entry.
    Extend(WorkspacePath),
    SelectAll,
    Name(Option<Naming>),
    Moved {
        from: WorkspacePath,
        to: WorkspacePath,
    },
    Clipboard(Option<Clipboard>),
    Hide(bool),
    Filter(Option<String>),
    /// What an earlier page of this browser knew of the project's beginning.
    GoOn(Since),
}

impl Tree {
    pub fn folder(&self, path: &WorkspacePath) -> Option<&Rc<Folder>> {
        self.folders.get(path)
    }

    pub fn is_open(&self, path: &WorkspacePath) -> bool {
        path.is_root() || self.open.contains(path)
    }

    /// What is at a path, if its folder was listed.
    pub fn entry(&self, path: &WorkspacePath) -> Option<&Entry> {
        let folder = self.folders.get(&path.parent()?)?;
        folder.entries.get(folder.find(path.name()?)?)
    }

    pub fn is_folder(&self, path: &WorkspacePath) -> bool {
        path.is_root() || self.entry(path).is_some_and(|entry| entry.kind == EntryKind::Folder)
    }

    pub fn is_file(&self, path: &WorkspacePath) -> bool {
        self.entry(path).is_some_and(|entry| entry.kind == EntryKind::File)
    }

    /// Where a new entry goes: the selected folder, the folder of the selected file, or the project itself.
    pub fn place_for_new(&self) -> WorkspacePath {
        match &self.selected {
            Some(path) if self.is_folder(path) => path.clone(),
            Some(path) => path.parent().unwrap_or_else(WorkspacePath::root),
            None => WorkspacePath::root(),
        }
    }

    /// Every file in the folders that were listed, for the palette.
    pub fn known_files(&self) -> Vec<WorkspacePath> {
        let files = self.folders.iter().flat_map(|(folder, listed)| {
            let files = listed.entries.iter().filter(|entry| entry.kind != EntryKind::Folder);
            files.filter_map(|entry| rows::child(folder, &entry.name))
        });
        files.collect()
    }

    /// Everything the tree shows.
    pub fn rows(&self) -> &Rc<Rows> {
        &self.rows
    }

    /// How an entry differs from what this page found when it saw its folder first.
    pub fn change(&self, path: &WorkspacePath) -> Option<Change> {
        self.changes.of(path)
    }

    /// What is kept for later pages.
    pub fn since(&self) -> Since {
        self.changes.since()
    }

    /// Whether that is what it was in another state of the tree.
    pub fn is_since_as_in(&self, other: &Self) -> bool {
        self.changes == other.changes
    }

    pub fn reduce(&mut self, action: TreeAction) {
        let shows_as_before = matches!(
            action,
            TreeAction::Select(_)
                | TreeAction::Toggle(_)
                | TreeAction::Extend(_)
                | TreeAction::SelectAll
                | TreeAction::Clipboard(_)
        );
        match action {
            TreeAction::Listed { path, mut entries, next } => {
                entries.sort_unstable_by(in_order);
                let folder = Rc::new(Folder { entries, next, problem: None });
                self.changes.listed(&path, &folder);
                self.folders.insert(path.clone(), folder);
                self.forget_missing(&path);
            }
            TreeAction::Failed { path, problem } => {
                Rc::make_mut(self.folders.entry(path).or_default()).problem = Some(problem);
            }
            TreeAction::Open(path) => {
                self.open.insert(path);
            }
            TreeAction::Close(path) => self.close(&path),
            TreeAction::CloseAll => {
                for path in std::mem::take(&mut self.open) {
                    self.folders.remove(&path);
                }
                let top = self.selected.as_ref().and_then(|path| path.parts().next().map(WorkspacePath::parse));
                self.select(top.and_then(Result::ok));
            }
            TreeAction::Select(path) => self.select(path),
            TreeAction::Toggle(path) => self.toggle(path),
            TreeAction::Extend(path) => self.extend(path),
            TreeAction::SelectAll => self.select_all(),
            TreeAction::Name(naming) => {
                if let Some(Naming::New { folder, .. }) = &naming
                    && !folder.is_root()
                {
                    self.open.insert(folder.clone());
                }
                self.naming = naming;
            }
            TreeAction::Moved { from, to } => self.moved(&from, &to),
            TreeAction::Clipboard(clipboard) => self.clipboard = clipboard,
            TreeAction::Hide(hides) => self.hides = hides,
            TreeAction::Filter(filter) => self.filter = filter,
            TreeAction::GoOn(since) => self.changes.go_on(since, &self.folders),
        }
        if !shows_as_before {
            self.rows = Rc::new(Rows::of(self));
        }
    }

    fn close(&mut self, path: &WorkspacePath) {
        if self.selected.as_ref().is_some_and(|selected| selected.is_within(path)) {
            self.select(Some(path.clone()));
        }
        self.folders.remove(path);
        self.open.remove(path);
    }

    /// What a new listing of `parent` no longer has is no longer open, nor selected.
    fn forget_missing(&mut self, parent: &WorkspacePath) {
        let Some(folder) = self.folders.get(parent).filter(|folder| folder.next.is_none()).cloned() else { return };
        let is_missing = |path: &WorkspacePath| {
            let Some(rest) = path.as_str().strip_prefix(parent.as_str()) else { return false };
            let first = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
            path != parent && path.is_within(parent) && folder.find(first).is_none()
        };
        let folders = &mut self.folders;
        self.open.retain(|path| {
            let is_gone = is_missing(path);
            if is_gone {
                folders.remove(path);
            }
            !is_gone
        });
        if self.marked.iter().any(is_missing) {
            Rc::make_mut(&mut self.marked).retain(|path| !is_missing(path));
        }
        if self.selected.as_ref().is_some_and(is_missing) {
            self.selected = None;
        }
    }

    /// An entry got another path here: what is open and selected beneath it follows.
    fn moved(&mut self, from: &WorkspacePath, to: &WorkspacePath) {
        let follow = |path: WorkspacePath| moved_path(&path, from, to).unwrap_or(path);
        // Put in one by one: there are few, and the code that sorts them first is not small.
        for path in std::mem::take(&mut self.open) {
            self.open.insert(follow(path));
        }
        for (path, folder) in std::mem::take(&mut self.folders) {
            self.folders.insert(follow(path), folder);
        }
        for path in std::mem::take(Rc::make_mut(&mut self.marked)) {
            Rc::make_mut(&mut self.marked).insert(follow(path));
        }
        self.selected = self.selected.take().map(follow);
        self.anchor = self.anchor.take().map(follow);
        self.changes.moved(from, to);
        if from.parent() == to.parent()
            && let Some(folder) = from.parent().and_then(|parent| self.folders.get_mut(&parent))
            && let Some(at) = from.name().and_then(|name| folder.find(name))
        {
            let folder = Rc::make_mut(folder);
            to.name().unwrap_or_default().clone_into(&mut folder.entries[at].name);
            folder.entries.sort_unstable_by(in_order);
        }
    }
}

impl Folder {
    /// Where the entry of a name stands.
    fn find(&self, name: &str) -> Option<usize> {
        let files = self.entries.partition_point(|entry| entry.kind == EntryKind::Folder);
        let within = |from: usize, entries: &[Entry]| {
            entries.binary_search_by(|entry| by_name(&entry.name, name)).ok().map(|at| from + at)
        };
        within(0, &self.entries[..files]).or_else(|| within(files, &self.entries[files..]))
    }
}

/// The path that `path` has after `from` has become `to`, if it is in that.
fn moved_path(path: &WorkspacePath, from: &WorkspacePath, to: &WorkspacePath) -> Option<WorkspacePath> {
    let rest = path.is_within(from).then(|| &path.as_str()[from.as_str().len()..])?;
    WorkspacePath::parse(&format!("{to}{rest}")).ok()
}

/// Folders first, then by name.
fn in_order(one: &Entry, other: &Entry) -> Ordering {
    let is_file = |entry: &Entry| entry.kind != EntryKind::Folder;
    is_file(one).cmp(&is_file(other)).then_with(|| by_name(&one.name, &other.name))
}

/// By letters, with capital ones beside small ones.
fn by_name(one: &str, other: &str) -> Ordering {
    let small = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(small).cmp(other.bytes().map(small)).then_with(|| one.cmp(other))
}

/// Whether a name begins with a dot, as that of a hidden file does.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether `name` has `filter` in it, whatever the case of its letters.
fn fits(name: &str, filter: &str) -> bool {
    place_of(name, filter).is_some()
}

/// Where `filter` stands in `name`, in bytes, whatever the case of its letters.
pub fn place_of(name: &str, filter: &str) -> Option<std::ops::Range<usize>> {
    let (bytes, wanted) = (name.as_bytes(), filter.as_bytes());
    if wanted.is_empty() || wanted.len() > bytes.len() {
        return None;
    }
    let at = bytes.windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted))?;
    let place = at..at + wanted.len();
    // Ends of a match that cut a letter in two are none.
    (name.is_char_boundary(place.start) && name.is_char_boundary(place.end)).then_some(place)
}

#[cfg(test)]
mod tests;
