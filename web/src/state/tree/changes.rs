//! What has changed since this page saw it first.
//!
//! Each folder's first whole listing is kept, and later listings are held against it. Times are compared with each other
//! alone, never with this machine's clock, which need not agree with the sandbox's; and events of the room would miss what
//! programs do. A folder that is first listed later begins then; all of what a new one holds is new.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use embedenv_shared::link::files::EntryKind;
use embedenv_shared::path::WorkspacePath;

use super::{Folder, moved_path, rows};

/// Entries that are marked at once; more are not.
const MAX_MARKED: usize = 20_000;

/// How an entry differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Added,
    Modified,
    /// A folder in which something differs.
    Within,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Changes {
    first: BTreeMap<WorkspacePath, Rc<Folder>>,
    added: Rc<BTreeSet<WorkspacePath>>,
    modified: Rc<BTreeSet<WorkspacePath>>,
}

impl Changes {
    pub(super) fn of(&self, path: &WorkspacePath) -> Option<Change> {
        if self.is_added(path) {
            return Some(Change::Added);
        }
        if self.modified.contains(path) {
            return Some(Change::Modified);
        }
        let has = |marks: &BTreeSet<WorkspacePath>| {
            let below = WorkspacePath::parse(&format!("{path}/\u{1}")).ok()?;
            marks.range(below..).next().map(|next| next.is_within(path))
        };
        let is_within = has(&self.added) == Some(true) || has(&self.modified) == Some(true);
        is_within.then_some(Change::Within)
    }

    /// Whether it, or something that it stands in, is new.
    fn is_added(&self, path: &WorkspacePath) -> bool {
        !self.added.is_empty()
            && std::iter::successors(Some(path.clone()), WorkspacePath::parent).any(|path| self.added.contains(&path))
    }

    /// A folder was listed; its entries stand in the tree's order.
    pub(super) fn listed(&mut self, path: &WorkspacePath, folder: &Rc<Folder>) {
        if folder.next.is_some() || self.is_added(path) {
            return;
        }
        let Some(first) = self.first.get(path).cloned() else {
            self.first.insert(path.clone(), folder.clone());
            return;
        };
        let is_of_it = |marked: &WorkspacePath| marked.parent().as_ref() == Some(path);
        for marks in [&mut self.added, &mut self.modified] {
            if marks.iter().any(is_of_it) {
                Rc::make_mut(marks).retain(|marked| !is_of_it(marked));
            }
        }
        let mut before = first.entries.iter().peekable();
        for entry in &folder.entries {
            while before.next_if(|other| super::in_order(other, entry).is_lt()).is_some() {}
            let marks = match before.peek() {
                Some(other) if other.name != entry.name || other.kind != entry.kind => &mut self.added,
                None => &mut self.added,
                // A folder's own time says that its list changed, which its entries say better.
                Some(other) if other.modified != entry.modified && entry.kind != EntryKind::Folder => {
                    &mut self.modified
                }
                Some(_) => continue,
            };
            if marks.len() < MAX_MARKED
                && let Some(child) = rows::child(path, &entry.name)
            {
                Rc::make_mut(marks).insert(child);
            }
        }
    }

    /// An entry got another path: what was known of it is known of it there, and to its new folder it is new.
    pub(super) fn moved(&mut self, from: &WorkspacePath, to: &WorkspacePath) {
        for (path, folder) in std::mem::take(&mut self.first) {
            self.first.insert(moved_path(&path, from, to).unwrap_or(path), folder);
        }
        for marks in [&mut self.added, &mut self.modified] {
            for path in std::mem::take(Rc::make_mut(marks)) {
                Rc::make_mut(marks).insert(moved_path(&path, from, to).unwrap_or(path));
            }
        }
    }
}
