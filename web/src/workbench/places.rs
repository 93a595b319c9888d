//! Places in files that programs print: which of them are there, and going to one.

use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::link::files::EntryKind;
use embedenv_shared::path::WorkspacePath;

use super::Workbench;
use crate::interop::terminal::Place;
use crate::places::{Found, Target, find, looks_like_file};
use crate::words::catalogue::say;

/// Places of one line that are looked after; the others are no links.
const MAX_PLACES: usize = 8;
/// Pages of one folder that are looked through for a file; in a longer folder it may be taken for missing.
const MAX_PAGES: usize = 4;

impl Workbench {
    /// The places in a line of a terminal whose files are there.
    pub(crate) async fn places_in(self, text: String) -> Vec<Place> {
        let Some(project) = self.project() else { return Vec::new() };
        let mut places = Vec::new();
        let likely = find(&text, &project).into_iter().filter_map(|Found { range, target }| match target {
            Target::Place { path, at } if at.is_some() || looks_like_file(&path) => Some((range, path, at)),
            _ => None,
        });
        for (range, path, at) in likely.take(MAX_PLACES) {
            if !self.has_file(&path).await {
                continue;
            }
            let units = |bytes: &str| u32::try_from(bytes.encode_utf16().count()).unwrap_or(u32::MAX);
            let (line, column) = at.unwrap_or((0, 0));
            let title = say!("terminal.place", path = path);
            let start = units(&text[..range.start]);
            places.push(Place { start, end: start + units(&text[range]), path: path.to_string(), title, line, column });
        }
        places
    }

    /// Shows a file where a program named it; line 0 is no line.
    pub(crate) fn go_to_printed(&self, path: &str, line: u32, column: u32) {
        if let Ok(path) = WorkspacePath::parse(path) {
            self.go_to_place(path, (line > 0).then_some((line, column)));
        }
    }

    /// Whether there is a file: as the tree has it, or as its folder says that is not in the tree.
    async fn has_file(&self, path: &WorkspacePath) -> bool {
        let Some(folder) = path.parent() else { return false };
        let known = {
            let state = self.state();
            let is_whole =
                |listed: &std::rc::Rc<crate::state::tree::Folder>| listed.next.is_none() && listed.problem.is_none();
            let is_known = state.tree.is_open(&folder) && state.tree.folder(&folder).is_some_and(is_whole);
            state.tree.entry(path).map(|entry| entry.kind).or(is_known.then_some(EntryKind::Folder))
        };
        if let Some(kind) = known {
            return is_file(kind);
        }
        let Some(project) = self.project() else { return false };
        let mut after = None;
        for _ in 0..MAX_PAGES {
            let list = FullRequest::List { project: project.clone(), path: folder.clone(), after, watch: false };
            let Ok(ServerFrame::Listing { entries, next, .. }) = self.connection.request(&list).await else {
                return false;
            };
            if let Some(entry) = entries.iter().find(|entry| Some(entry.name.as_str()) == path.name()) {
                return is_file(entry.kind);
            }
            after = next;
            if after.is_none() {
                return false;
            }
        }
        false
    }
}

fn is_file(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::File | EntryKind::Link)
}
