//! Finding in files: a search follows what stands in its fields, one at a time; and the list of all files.

use std::cell::{Cell, RefCell};

use embedenv_shared::code::Failure;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::search::{Chosen, Outcome, Replacing, Scope};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::connection::More;
use crate::interop::page;
use crate::state::files::FilesAction;
use crate::state::go_to::AllFiles;
use crate::state::search::{Asked, RowId, SearchAction};
use crate::state::settings::{Layout, Pane, SideView};
use crate::state::{Action, Dialog};
use crate::words::catalogue::{count, say};

/// A search begins when typing pauses for this long, in milliseconds.
const PAUSE: u32 = 150;
/// Longest selected text that is taken for what to look for, in characters.
const MAX_TAKEN: usize = 200;

/// What is under way.
#[derive(Default)]
pub(crate) struct Searching {
    timer: RefCell<Option<Timeout>>,
    /// The request whose answers count.
    now: Cell<Option<u64>>,
    /// Counts searches: answers of an earlier one are for nobody.
    number: Cell<u64>,
    lists: Cell<bool>,
}

impl Workbench {
    /// Shows what finds in files, with what is selected to be looked for.
    pub(crate) fn open_search(&self) {
        let taken = page::selected_text();
        let taken = taken.lines().next().unwrap_or_default().trim();
        if !taken.is_empty() && taken.chars().count() <= MAX_TAKEN && !page::has_focus_within(".search") {
            let pattern = taken.to_owned();
            self.change_search(|asked| Asked { pattern, ..asked });
        }
        self.change_layout(|layout| Layout { side_view: SideView::Search, ..layout });
        self.show_pane(Pane::Files);
        spawn_local(async {
            // When it is drawn.
            TimeoutFuture::new(0).await;
            page::focus_and_select_all("#search-pattern");
        });
    }

    /// Shows the tree in the place of the search.
    pub(crate) fn show_files(&self) {
        self.change_layout(|layout| Layout { side_view: SideView::Files, ..layout });
        self.show_pane(Pane::Files);
        self.focus_tree();
    }

    /// Looks for something in one folder.
    pub(crate) fn find_in_folder(&self, folder: WorkspacePath) {
        let include = format!("./{folder}");
        self.change_search(|asked| Asked { has_details: true, include, ..asked });
        self.open_search();
    }

    /// Changes what is looked for; the search begins anew when that pauses.
    pub(crate) fn change_search(&self, change: impl FnOnce(Asked) -> Asked) {
        let before = self.state().search.asked.clone();
        let after = change(before.clone());
        if after == before {
            return;
        }
        let is_same_search =
            Asked { has_details: before.has_details, replaces: before.replaces, ..after.clone() } == before;
        let has_replacement = after.replaces || before.replaces;
        self.dispatch(Action::Search(SearchAction::Ask(after)));
        if !is_same_search || has_replacement {
            let workbench = self.clone();
            *self.searching.timer.borrow_mut() = Some(Timeout::new(PAUSE, move || workbench.search_now()));
        }
    }

    /// Begins the search that the fields say, in the place of the one before.
    pub(crate) fn search_now(&self) {
        // It may be the one that calls this, and goes when that is done.
        let _timer = self.searching.timer.borrow_mut().take();
        self.cancel_search();
        let asked = self.state().search.asked.clone();
        let Some(project) = self.project() else { return };
        if asked.pattern.is_empty() {
            return self.dispatch(Action::Search(SearchAction::Clear));
        }
        self.dispatch(Action::Search(SearchAction::Begun));
        let number = self.searching.number.get();
        let replace = asked.replaces.then(|| asked.replacement());
        let request = FullRequest::Find { project, query: asked.query(), scope: asked.scope(), replace };
        let workbench = self.clone();
        let id = self.connection.each_of(&request, move |reply| {
            if workbench.searching.number.get() != number {
                return if matches!(reply, Ok(ServerFrame::Found { .. })) { More::Comes } else { More::IsOver };
            }
            let (action, more) = match reply {
                Ok(ServerFrame::Found { files, .. }) => (SearchAction::Found(files), More::Comes),
                Ok(ServerFrame::SearchEnd { summary, .. }) => (SearchAction::Ended(summary), More::IsOver),
                Ok(_) => return More::IsOver,
                Err(Failure { message, .. }) => (SearchAction::Failed(message), More::IsOver),
            };
            if more == More::IsOver {
                workbench.searching.now.set(None);
            }
            workbench.dispatch(Action::Search(action));
            more
        });
        self.searching.now.set(Some(id));
    }

    /// What the search under way still finds is for nobody.
    fn cancel_search(&self) {
        self.searching.number.set(self.searching.number.get() + 1);
        if let Some(id) = self.searching.now.take() {
            self.connection.cancel(id);
        }
    }

    /// Empties the fields and what was found.
    pub(crate) fn clear_search(&self) {
        self.change_search(|asked| Asked { pattern: String::new(), ..asked });
        self.search_now();
        page::focus_and_select_all("#search-pattern");
    }

    /// Opens a hit at its place, or folds and unfolds a file's; with `keep`, for good and with the keyboard there.
    pub(crate) fn open_hit(&self, row: &RowId, keep: bool) {
        self.dispatch(Action::Search(SearchAction::Select(Some(row.clone()))));
        let RowId::Hit(path, spot) = row else { return };
        let length = self.state().search.length(row);
        self.show_file(path.clone(), keep);
        let active = self.state().files.active;
        if let Some(id) = active {
            self.documents.select(id, spot.line, spot.column, length);
            if keep {
                self.dispatch(Action::Files(FilesAction::Keep(id)));
            }
        }
        if keep || page::is_narrow() {
            self.show_pane(Pane::Editor);
        } else {
            // Going to a place takes the keyboard there, and whoever walks through hits goes on.
            spawn_local(async {
                TimeoutFuture::new(0).await;
                page::focus(".results [tabindex=\"0\"]");
            });
        }
    }

    /// Replaces a hit, a file's hits, or everything, which is asked about first.
    pub(crate) fn replace(&self, which: Option<RowId>) {
        match which {
            None => self.dispatch(Action::Dialog(Some(Dialog::ReplaceAll))),
            Some(row) => {
                let chosen = self.state().search.chosen(Some(&row));
                self.replace_in(chosen);
            }
        }
    }

    pub(crate) fn replace_all(&self) {
        let chosen = self.state().search.chosen(None);
        self.replace_in(chosen);
    }

    fn replace_in(&self, files: Vec<Chosen>) {
        let Some(project) = self.project() else { return };
        if files.is_empty() || !self.works() {
            return;
        }
        let asked = self.state().search.found_by.clone();
        let replacing = Replacing { project, query: asked.query(), with: asked.replacement(), files };
        let workbench = self.clone();
        let mut left: Vec<Outcome> = Vec::new();
        self.connection.each_of(&FullRequest::Replace(replacing), move |reply| {
            match reply {
                Ok(ServerFrame::Replaced { files, .. }) => {
                    left.extend(files.into_iter().filter(|outcome| outcome.failure.is_some()));
                    return More::Comes;
                }
                Ok(_) => workbench.tell_left(&left),
                Err(failure) => workbench.fail(say!("finder.replace.failed"), &failure),
            }
            workbench.search_now();
            More::IsOver
        });
    }

    /// Says which files were not replaced in, and why the first was not.
    fn tell_left(&self, left: &[Outcome]) {
        let Some(Outcome { failure: Some(failure), .. }) = left.first() else { return };
        self.dispatch(Action::Failed {
            text: count!("finder.replace.left", left.len(), why = failure.message),
            failure: failure.clone(),
        });
    }

    /// Has the project's files listed, to be gone to. Until the new list is whole, the one of before stays.
    pub(crate) fn list_all_files(&self) {
        let Some(project) = self.project() else { return };
        if self.searching.lists.replace(true) {
            return;
        }
        let (workbench, mut listed, mut shown) = (self.clone(), AllFiles::default(), 0);
        let is_first = self.state().all_files.is_empty();
        self.connection.each_of(&FullRequest::Files { project, scope: Scope::default() }, move |reply| {
            match reply {
                Ok(ServerFrame::Files { folders, .. }) => {
                    listed.add(&folders);
                    // Each time as many more, so that a long list is copied a few times alone.
                    if is_first && listed.len() >= 2 * shown {
                        shown = listed.len();
                        workbench.dispatch(Action::AllFiles(listed.clone()));
                    }
                    return More::Comes;
                }
                Ok(ServerFrame::SearchEnd { summary, .. }) => {
                    (listed.is_whole, listed.is_cut) = (true, summary.cut.is_some());
                    workbench.dispatch(Action::AllFiles(std::mem::take(&mut listed)));
                    workbench.open_for_filter();
                }
                // What is known of the files is still offered.
                Ok(_) | Err(_) => {}
            }
            workbench.searching.lists.set(false);
            More::IsOver
        });
    }

    /// Goes to a line of the open file.
    pub(crate) fn go_to_line(&self, line: u32, column: u32) {
        let active = self.state().files.active;
        if let Some(id) = active {
            self.documents.go_to(id, line, column);
            self.focus_editor();
        }
    }

    /// Files that were open last, the latest first.
    pub(crate) fn recent_files(&self) -> Vec<WorkspacePath> {
        let state = self.state();
        let active = state.files.active;
        let used = state.files.groups.used().filter_map(|id| state.files.get(id));
        let shown = active.and_then(|id| state.files.get(id)).map(|file| &file.path);
        let mut recent: Vec<WorkspacePath> = Vec::new();
        let open = used.chain(&state.files.open).map(|file| &file.path);
        for path in open.chain(state.files.closed.iter().rev()) {
            if Some(path) != shown && !recent.contains(path) {
                recent.push(path.clone());
            }
        }
        recent
    }
}
