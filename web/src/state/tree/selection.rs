//! Which entries are selected, what was cut or copied, and what a copy is called.

use std::collections::BTreeSet;
use std::rc::Rc;

use embedenv_shared::path::WorkspacePath;

use super::{Rows, Tree};

/// What was cut or copied, to be pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clipboard {
    pub paths: Vec<WorkspacePath>,
    /// It goes away where it was.
    pub is_cut: bool,
}

impl Tree {
    pub fn is_selected(&self, path: &WorkspacePath) -> bool {
        if self.marked.is_empty() { self.selected.as_ref() == Some(path) } else { self.marked.contains(path) }
    }

    /// Whether it was cut, and is still there.
    pub fn is_cut(&self, path: &WorkspacePath) -> bool {
        self.clipboard.as_ref().is_some_and(|clipboard| clipboard.is_cut && clipboard.paths.contains(path))
    }

    /// What a command is done with: what is selected, as far as it can be seen.
    pub fn chosen(&self) -> Vec<WorkspacePath> {
        if self.marked.is_empty() {
            return self.current().into_iter().collect();
        }
        topmost(&self.marked)
    }

    /// The entry that was selected last, if it can be seen: nothing is done with one in a folder that is closed.
    pub fn current(&self) -> Option<WorkspacePath> {
        self.selected.clone().filter(|path| self.rows.place(path).is_some())
    }

    pub(super) fn select(&mut self, path: Option<WorkspacePath>) {
        self.anchor.clone_from(&path);
        self.selected = path;
        if !self.marked.is_empty() {
            self.marked = Rc::default();
        }
    }

    pub(super) fn toggle(&mut self, path: WorkspacePath) {
        let selected = self.selected.clone();
        let marked = Rc::make_mut(&mut self.marked);
        if marked.is_empty() {
            marked.extend(selected);
        }
        if !marked.remove(&path) {
            marked.insert(path.clone());
        }
        if marked.len() < 2 {
            let only = marked.pop_first();
            self.select(Some(only.unwrap_or(path)));
        } else {
            self.anchor = Some(path.clone());
            self.selected = Some(path);
        }
    }

    pub(super) fn extend(&mut self, path: WorkspacePath) {
        let anchor = self.anchor.clone().or_else(|| self.selected.clone()).or_else(|| self.rows.focused(self));
        let (rows, anchor) = (self.rows.clone(), anchor.unwrap_or_else(|| path.clone()));
        let ends = rows.place(&anchor).zip(rows.place(&path));
        let Some((one, other)) = ends else { return self.select(Some(path)) };
        self.mark(&rows, one.min(other)..one.max(other) + 1);
        self.anchor = Some(anchor);
        self.selected = Some(path);
    }

    pub(super) fn select_all(&mut self) {
        if self.selected.is_none() {
            self.selected = self.rows.focused(self);
        }
        let rows = self.rows.clone();
        self.mark(&rows, 0..rows.len());
    }

    /// Selects the entries of these rows.
    fn mark(&mut self, rows: &Rows, places: std::ops::Range<usize>) {
        let mut marked = BTreeSet::new();
        for path in places.filter_map(|at| rows.path(at)) {
            marked.insert(path);
        }
        if marked.len() < 2 {
            marked.clear();
        }
        self.marked = Rc::new(marked);
    }
}

/// Entries without those that lie in another of them.
pub(super) fn topmost(paths: &BTreeSet<WorkspacePath>) -> Vec<WorkspacePath> {
    let is_within_another = |path: &&WorkspacePath| {
        std::iter::successors(path.parent(), WorkspacePath::parent).any(|parent| paths.contains(&parent))
    };
    paths.iter().filter(|path| !is_within_another(path)).cloned().collect()
}

/// The folder nearest to all of these entries that they are in.
pub fn common_folder(paths: &[WorkspacePath]) -> WorkspacePath {
    let mut folders = paths.iter().filter_map(WorkspacePath::parent);
    let Some(first) = folders.next() else { return WorkspacePath::root() };
    folders.fold(first, |common, folder| {
        let mut above = std::iter::successors(Some(common), WorkspacePath::parent);
        above.find(|above| above.is_root() || folder.is_within(above)).unwrap_or_else(WorkspacePath::root)
    })
}

/// What a copy of `name` is called: `name copy.ext`, and with a `number` from 2 on `name copy 2.ext`.
pub fn copy_name(name: &str, is_folder: bool, number: usize) -> String {
    let dot = name.rfind('.').filter(|dot| !is_folder && *dot > 0).unwrap_or(name.len());
    let (stem, ending) = name.split_at(dot);
    let stem = match stem.rsplit_once(" copy") {
        // A copy's copy counts on.
        Some((before, rest)) if rest.trim_start().chars().all(|letter| letter.is_ascii_digit()) => before,
        _ => stem,
    };
    if number < 2 { format!("{stem} copy{ending}") } else { format!("{stem} copy {number}{ending}") }
}
