//! The file tree: folders that were listed, which are open, what is selected, and the rows that follow from it.

mod rows;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use embedenv_shared::link::files::{Entry, EntryKind, Item};
use embedenv_shared::path::WorkspacePath;

pub use rows::{EntryRow, Row};

/// Entries of one folder shown at first, and added by each "show more".
pub const SHOWN: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    folders: BTreeMap<WorkspacePath, Folder>,
    pub open: BTreeSet<WorkspacePath>,
    pub selected: Option<WorkspacePath>,
    pub naming: Option<Naming>,
}

/// A folder as it was listed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub entries: Vec<Entry>,
    /// Where its next page begins, if there is one.
    pub next: Option<u64>,
    pub shown: usize,
    /// Why it could not be listed.
    pub problem: Option<String>,
}

impl Default for Folder {
    fn default() -> Self {
        Self { entries: Vec::new(), next: None, shown: SHOWN, problem: None }
    }
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
    Select(Option<WorkspacePath>),
    Name(Option<Naming>),
    ShowMore(WorkspacePath),
    Moved {
        from: WorkspacePath,
        to: WorkspacePath,
    },
}

impl Tree {
    pub fn folder(&self, path: &WorkspacePath) -> Option<&Folder> {
        self.folders.get(path)
    }

    pub fn is_open(&self, path: &WorkspacePath) -> bool {
        path.is_root() || self.open.contains(path)
    }

    /// What is at a path, if its folder was listed.
    pub fn entry(&self, path: &WorkspacePath) -> Option<&Entry> {
        let folder = self.folders.get(&path.parent()?)?;
        folder.entries.iter().find(|entry| Some(entry.name.as_str()) == path.name())
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

    pub fn reduce(&mut self, action: TreeAction) {
        match action {
            TreeAction::Listed { path, mut entries, next } => {
                entries.sort_unstable_by(in_order);
                let shown = self.folders.get(&path).map_or(SHOWN, |folder| folder.shown);
                self.folders.insert(path.clone(), Folder { entries, next, shown, problem: None });
                self.forget_missing(&path);
            }
            TreeAction::Failed { path, problem } => {
                self.folders.entry(path).or_default().problem = Some(problem);
            }
            TreeAction::Open(path) => {
                self.open.insert(path);
            }
            TreeAction::Close(path) => {
                if self.selected.as_ref().is_some_and(|selected| selected.is_within(&path)) {
                    self.selected = Some(path.clone());
                }
                self.folders.remove(&path);
                self.open.remove(&path);
            }
            TreeAction::Select(path) => self.selected = path,
            TreeAction::Name(naming) => {
                if let Some(Naming::New { folder, .. }) = &naming
                    && !folder.is_root()
                {
                    self.open.insert(folder.clone());
                }
                self.naming = naming;
            }
            TreeAction::ShowMore(path) => {
                if let Some(folder) = self.folders.get_mut(&path) {
                    folder.shown += SHOWN;
                }
            }
            TreeAction::Moved { from, to } => self.moved(&from, &to),
        }
    }

    /// What a new listing of `parent` no longer has is no longer open, nor selected.
    fn forget_missing(&mut self, parent: &WorkspacePath) {
        let Some(folder) = self.folders.get(parent) else { return };
        let is_missing = |path: &WorkspacePath| {
            let Some(rest) = path.as_str().strip_prefix(parent.as_str()) else { return false };
            let first = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
            let beneath = path.is_within(parent) && path != parent;
            beneath && folder.next.is_none() && !folder.entries.iter().any(|entry| entry.name == first)
        };
        let gone: Vec<WorkspacePath> = self.open.iter().filter(|path| is_missing(path)).cloned().collect();
        let selected_is_gone = self.selected.as_ref().is_some_and(is_missing);
        for path in gone {
            self.open.remove(&path);
            self.folders.remove(&path);
        }
        if selected_is_gone {
            self.selected = None;
        }
    }

    /// An entry was renamed here: what is open and selected beneath it follows.
    fn moved(&mut self, from: &WorkspacePath, to: &WorkspacePath) {
        let renamed = |path: &WorkspacePath| {
            let rest = path.is_within(from).then(|| &path.as_str()[from.as_str().len()..])?;
            WorkspacePath::parse(&format!("{to}{rest}")).ok()
        };
        self.open = self.open.iter().map(|path| renamed(path).unwrap_or_else(|| path.clone())).collect();
        let folders = std::mem::take(&mut self.folders);
        self.folders = folders.into_iter().map(|(path, folder)| (renamed(&path).unwrap_or(path), folder)).collect();
        if let Some(path) = self.selected.as_ref().and_then(renamed) {
            self.selected = Some(path);
        }
        let name = to.name().unwrap_or_default();
        if let Some(folder) = from.parent().and_then(|parent| self.folders.get_mut(&parent))
            && let Some(entry) = folder.entries.iter_mut().find(|entry| Some(entry.name.as_str()) == from.name())
        {
            name.clone_into(&mut entry.name);
        }
    }
}

/// Folders first, then by name, with capital letters beside small ones.
fn in_order(one: &Entry, other: &Entry) -> Ordering {
    let is_file = |entry: &Entry| entry.kind != EntryKind::Folder;
    let letters = |entry: &Entry| entry.name.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<u8>>();
    let by_kind = is_file(one).cmp(&is_file(other));
    by_kind.then_with(|| letters(one).cmp(&letters(other))).then_with(|| one.name.cmp(&other.name))
}

#[cfg(test)]
mod tests;
