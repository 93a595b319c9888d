//! The tree's rows, top to bottom, and where the keyboard goes among them.

use embedenv_shared::link::files::{EntryKind, Item};
use embedenv_shared::path::{EntryName, WorkspacePath};

use super::{Naming, Tree};

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
    /// A folder has more entries than are shown.
    More {
        folder: WorkspacePath,
        depth: usize,
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

impl Tree {
    /// Everything the tree shows.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        self.add_rows(&WorkspacePath::root(), 0, &mut rows);
        rows
    }

    fn add_rows(&self, path: &WorkspacePath, depth: usize, rows: &mut Vec<Row>) {
        if let Some(Naming::New { folder, item }) = &self.naming
            && folder == path
        {
            rows.push(Row::Naming { folder: path.clone(), depth, item: *item, renames: None });
        }
        let Some(folder) = self.folder(path) else {
            return rows.push(Row::Note { folder: path.clone(), depth, text: "Loading…".to_owned() });
        };
        if let Some(problem) = &folder.problem {
            rows.push(Row::Note { folder: path.clone(), depth, text: problem.clone() });
        }
        let count = folder.entries.len();
        for (index, entry) in folder.entries.iter().take(folder.shown).enumerate() {
            // A name that is no path part of ours can be seen nowhere but here, and not be opened: it is left out.
            let Some(child) = child(path, &entry.name) else { continue };
            let is_folder = entry.kind == EntryKind::Folder;
            let open = is_folder.then(|| self.open.contains(&child));
            if matches!(&self.naming, Some(Naming::Rename { path }) if *path == child) {
                let item = if is_folder { Item::Folder } else { Item::File };
                rows.push(Row::Naming { folder: path.clone(), depth, item, renames: Some(child.clone()) });
            } else {
                let (name, place) = (entry.name.clone(), (index + 1, count));
                rows.push(Row::Entry(EntryRow { path: child.clone(), name, kind: entry.kind, depth, open, place }));
            }
            if open == Some(true) {
                self.add_rows(&child, depth + 1, rows);
            }
        }
        if folder.next.is_some() || count > folder.shown {
            rows.push(Row::More { folder: path.clone(), depth });
        }
        if count == 0 && folder.problem.is_none() && depth > 0 {
            rows.push(Row::Note { folder: path.clone(), depth, text: "Empty".to_owned() });
        }
    }

    /// The entry that takes the keyboard when the tree gets it: the selected one if it is shown, or the first.
    pub fn focused<'a>(&self, rows: &'a [Row]) -> Option<&'a WorkspacePath> {
        let selected = entries(rows).find(|row| Some(&row.path) == self.selected.as_ref());
        selected.or_else(|| entries(rows).next()).map(|row| &row.path)
    }

    /// The entry `steps` rows from the one that has the keyboard, ending at the first and last.
    pub fn step(&self, steps: isize) -> Option<WorkspacePath> {
        let rows = self.rows();
        let paths: Vec<&WorkspacePath> = entries(&rows).map(|row| &row.path).collect();
        let last = paths.len().checked_sub(1)?;
        let at = paths.iter().position(|path| Some(*path) == self.selected.as_ref()).unwrap_or(0);
        let to = at.saturating_add_signed(steps).min(last);
        Some(paths[to].clone())
    }

    /// The next entry, around the end, whose name begins with what was typed. With one letter the search begins after
    /// the selected entry, with more at it.
    pub fn find_by_typing(&self, typed: &str) -> Option<WorkspacePath> {
        let typed = typed.to_ascii_lowercase();
        let rows = self.rows();
        let all: Vec<&EntryRow> = entries(&rows).collect();
        let at = all.iter().position(|row| Some(&row.path) == self.selected.as_ref());
        let from = at.map_or(0, |at| at + usize::from(typed.chars().count() == 1));
        let around = all.iter().cycle().skip(from).take(all.len());
        around.into_iter().find(|row| row.name.to_ascii_lowercase().starts_with(&typed)).map(|row| row.path.clone())
    }
}

fn entries(rows: &[Row]) -> impl Iterator<Item = &EntryRow> {
    rows.iter().filter_map(|row| match row {
        Row::Entry(entry) => Some(entry),
        _ => None,
    })
}

/// The path of a listed name.
pub(super) fn child(folder: &WorkspacePath, name: &str) -> Option<WorkspacePath> {
    folder.join(&EntryName::parse(name).ok()?).ok()
}
