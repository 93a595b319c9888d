//! The tree's rows, top to bottom, and where the keyboard goes among them. A row is a few numbers until it is drawn.

use std::rc::Rc;

use embedenv_shared::link::files::{Entry, EntryKind, Item};
use embedenv_shared::path::{EntryName, WorkspacePath};

use super::{Folder, Naming, Tree, fits, is_hidden};
use crate::words::catalogue::say;

/// Everything the tree shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    folders: Vec<Shown>,
    lines: Vec<Line>,
}

/// A folder whose entries are among the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    path: WorkspacePath,
    folder: Rc<Folder>,
    depth: usize,
    /// How many of its entries are shown.
    count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Entry {
        folder: usize,
        entry: usize,
        /// Its place among the shown entries of its folder, from 1.
        place: usize,
        open: Option<bool>,
    },
    Naming(Row),
    Note(Row),
}

/// One line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    Entry(EntryRow),
    /// The box in which an entry gets its name: a new one of `item`, or the one at `path`.
    Naming {
        folder: WorkspacePath,
        depth: usize,
        item: Item,
        /// The entry that is renamed.
        renames: Option<WorkspacePath>,
    },
    /// Why a folder shows nothing.
    Note {
        folder: WorkspacePath,
        depth: usize,
        text: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    pub path: WorkspacePath,
    pub name: String,
    pub kind: EntryKind,
    pub depth: usize,
    /// Whether it is an open folder; `None` for what is no folder.
    pub open: Option<bool>,
    /// Its place among its folder's entries, from 1, and how many they are.
    pub place: (usize, usize),
}

impl Default for Rows {
    fn default() -> Self {
        let note = Row::Note { folder: WorkspacePath::root(), depth: 0, text: say!("tree.loading").to_owned() };
        Self { folders: Vec::new(), lines: vec![Line::Note(note)] }
    }
}

impl Rows {
    pub(super) fn of(tree: &Tree) -> Self {
        let mut rows = Self { folders: Vec::new(), lines: Vec::new() };
        rows.add(tree, &WorkspacePath::root(), 0);
        let filter = tree.filter.as_deref().unwrap_or_default();
        if rows.lines.is_empty() && !filter.is_empty() {
            let text = say!("tree.nothing-fits", filter = filter);
            rows.lines.push(Line::Note(Row::Note { folder: WorkspacePath::root(), depth: 0, text }));
        }
        rows
    }

    /// Adds what a folder shows.
    fn add(&mut self, tree: &Tree, path: &WorkspacePath, depth: usize) {
        let note = |text: &str| Line::Note(Row::Note { folder: path.clone(), depth, text: text.to_owned() });
        let filter = tree.filter.as_deref().filter(|filter| !filter.is_empty());
        if let Some(Naming::New { folder, item }) = &tree.naming
            && folder == path
        {
            let naming = Row::Naming { folder: path.clone(), depth, item: *item, renames: None };
            self.lines.push(Line::Naming(naming));
        }
        let Some(folder) = tree.folder(path) else {
            if filter.is_none() {
                self.lines.push(note(say!("tree.loading")));
            }
            return;
        };
        if let Some(problem) = &folder.problem {
            self.lines.push(note(problem));
        }
        let own = self.folders.len();
        self.folders.push(Shown { path: path.clone(), folder: folder.clone(), depth, count: 0 });
        let renamed = match &tree.naming {
            Some(Naming::Rename { path: renamed }) if renamed.parent().as_ref() == Some(path) => Some(renamed),
            _ => None,
        };
        let mut place = 0;
        for (at, entry) in folder.entries.iter().enumerate() {
            if tree.hides && is_hidden(&entry.name) {
                continue;
            }
            let is_folder = entry.kind == EntryKind::Folder;
            let child_path = if is_folder { child(path, &entry.name) } else { None };
            let open = is_folder.then(|| child_path.as_ref().is_some_and(|path| tree.open.contains(path)));
            let begins = self.lines.len();
            if renamed.and_then(WorkspacePath::name) == Some(&entry.name) {
                let item = if is_folder { Item::Folder } else { Item::File };
                let naming = Row::Naming { folder: path.clone(), depth, item, renames: renamed.cloned() };
                self.lines.push(Line::Naming(naming));
            } else {
                self.lines.push(Line::Entry { folder: own, entry: at, place: place + 1, open });
            }
            if open == Some(true)
                && let Some(child) = &child_path
            {
                self.add(tree, child, depth + 1);
            }
            // What fits, and what something that fits stands in.
            let has_more = self.lines.len() > begins + 1;
            if filter.is_some_and(|filter| !has_more && !fits(&entry.name, filter)) {
                self.lines.truncate(begins);
            } else {
                place += 1;
            }
        }
        self.folders[own].count = place;
        if folder.next.is_some() && filter.is_none() {
            self.lines.push(note(say!("tree.loading")));
        }
        if folder.entries.is_empty() && folder.problem.is_none() && depth > 0 && filter.is_none() {
            self.lines.push(note(say!("tree.empty-folder")));
        }
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The row at a place, from 0.
    pub fn get(&self, at: usize) -> Option<Row> {
        Some(match self.lines.get(at)? {
            Line::Entry { folder, entry, place, open } => {
                let Shown { path, folder, depth, count } = &self.folders[*folder];
                let entry = &folder.entries[*entry];
                // A name that is no path part of ours can be seen and not be opened.
                let child = child(path, &entry.name).unwrap_or_else(|| path.clone());
                Row::Entry(EntryRow {
                    path: child,
                    name: entry.name.clone(),
                    kind: entry.kind,
                    depth: *depth,
                    open: *open,
                    place: (*place, *count),
                })
            }
            Line::Naming(row) | Line::Note(row) => row.clone(),
        })
    }

    /// The entry of the row at a place, if it is one's.
    pub fn path(&self, at: usize) -> Option<WorkspacePath> {
        let (folder, entry) = self.entry(at)?;
        child(&folder.path, &entry.name)
    }

    fn entry(&self, at: usize) -> Option<(&Shown, &Entry)> {
        match self.lines.get(at)? {
            Line::Entry { folder, entry, .. } => {
                let shown = &self.folders[*folder];
                Some((shown, &shown.folder.entries[*entry]))
            }
            Line::Naming(_) | Line::Note(_) => None,
        }
    }

    /// The row in which an entry stands.
    pub fn place(&self, path: &WorkspacePath) -> Option<usize> {
        let (parent, name) = (path.parent()?, path.name()?);
        let own = self.folders.iter().position(|shown| shown.path == parent)?;
        let at = self.folders[own].folder.find(name)?;
        let is_it = |line: &Line| matches!(line, Line::Entry { folder, entry, .. } if *folder == own && *entry == at);
        self.lines.iter().position(is_it)
    }

    /// The row of the box in which an entry gets its name.
    pub fn naming(&self) -> Option<usize> {
        self.lines.iter().position(|line| matches!(line, Line::Naming(_)))
    }

    /// The row that takes the keyboard when the tree gets it: that of the selected entry if it is shown, or the first.
    pub fn focus(&self, tree: &Tree) -> Option<usize> {
        let selected = tree.selected.as_ref().and_then(|path| self.place(path));
        selected.or_else(|| self.lines.iter().position(|line| matches!(line, Line::Entry { .. })))
    }

    pub(super) fn focused(&self, tree: &Tree) -> Option<WorkspacePath> {
        self.path(self.focus(tree)?)
    }
}

impl Tree {
    /// The entry that has the keyboard when the tree has it.
    pub fn focused(&self) -> Option<WorkspacePath> {
        self.rows().focused(self)
    }

    /// The entry `steps` rows from the one that has the keyboard, ending at the first and last.
    pub fn step(&self, steps: isize) -> Option<WorkspacePath> {
        let rows = self.rows();
        let last = rows.len().checked_sub(1)?;
        let from = rows.focus(self)?;
        let to = from.saturating_add_signed(steps).min(last);
        // Rows that are no entries are stepped over, or stopped before.
        let ahead = |at: usize| rows.path(at);
        if to >= from {
            let on = (to..=last).find_map(ahead);
            on.or_else(|| (0..to).rev().find_map(ahead))
        } else {
            let back = (0..=to).rev().find_map(ahead);
            back.or_else(|| (to..=last).find_map(ahead))
        }
    }

    /// The next entry, around the end, whose name begins with what was typed. With one letter the search begins after
    /// the selected entry, with more at it.
    pub fn find_by_typing(&self, typed: &str) -> Option<WorkspacePath> {
        let typed = typed.to_ascii_lowercase();
        let rows = self.rows();
        let at = self.selected.as_ref().and_then(|path| rows.place(path));
        let from = at.map_or(0, |at| at + usize::from(typed.chars().count() == 1));
        let fits = |at: &usize| {
            let begins = |name: &str| name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(&typed));
            rows.entry(*at).is_some_and(|(_, entry)| begins(&entry.name))
        };
        (from..rows.len()).chain(0..from.min(rows.len())).find(fits).and_then(|at| rows.path(at))
    }
}

/// The path of a listed name.
pub(super) fn child(folder: &WorkspacePath, name: &str) -> Option<WorkspacePath> {
    folder.join(&EntryName::parse(name).ok()?).ok()
}
