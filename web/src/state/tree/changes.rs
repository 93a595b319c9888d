//! What has changed since this page saw it first.
//!
//! Each folder's first whole listing is kept, and later listings are held against it. Times are compared with each other
//! alone, never with this machine's clock, which need not agree with the sandbox's; and events of the room would miss what
//! programs do. A folder that is first listed later begins then; all of what a new one holds is new. What is known so is kept
//! by the browser for the project ([`Since`]), so that a page that comes later goes on from there.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use embedenv_shared::link::files::{Entry, EntryKind};
use embedenv_shared::path::WorkspacePath;
use serde::{Deserialize, Serialize};

use super::{Folder, moved_path, rows};

/// Entries that are marked at once; more are not.
const MAX_MARKED: usize = 20_000;

/// Entries of first listings that are kept beyond the page, and as many that are marked. Folders that would go beyond it begin
/// anew with the next page.
const MAX_KEPT: usize = 3_000;

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

/// What is kept of it beyond the page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Since {
    /// Folders by their paths as they were listed first.
    first: Vec<(WorkspacePath, Vec<First>)>,
    added: Vec<WorkspacePath>,
    modified: Vec<WorkspacePath>,
}

/// An entry's name, its kind, and when it had changed last.
type First = (String, EntryKind, u64);

impl Changes {
    pub(super) fn since(&self) -> Since {
        let mut left = MAX_KEPT;
        let mut first = Vec::new();
        for (path, folder) in &self.first {
            if let Some(rest) = left.checked_sub(folder.entries.len()) {
                left = rest;
                let entries = folder.entries.iter().map(|entry| (entry.name.clone(), entry.kind, entry.modified));
                first.push((path.clone(), entries.collect()));
            }
        }
        let kept = |marks: &BTreeSet<WorkspacePath>| marks.iter().take(MAX_KEPT).cloned().collect();
        Since { first, added: kept(&self.added), modified: kept(&self.modified) }
    }

    /// Goes on from what was kept; `folders` are as they were listed by now.
    pub(super) fn go_on(&mut self, since: Since, folders: &BTreeMap<WorkspacePath, Rc<Folder>>) {
        for (path, entries) in since.first {
            let entries = entries.into_iter().map(|(name, kind, modified)| Entry { name, kind, size: 0, modified });
            self.first.insert(path, Rc::new(Folder { entries: entries.collect(), ..Folder::default() }));
        }
        for (marks, kept) in [(&mut self.added, since.added), (&mut self.modified, since.modified)] {
            for path in kept {
                Rc::make_mut(marks).insert(path);
            }
        }
        for (path, folder) in folders {
            self.listed(path, folder);
        }
    }

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
