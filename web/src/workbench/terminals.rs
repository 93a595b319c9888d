//! What people do with terminals besides typing: finding, splitting, ordering, naming, clearing, copying and pasting, and
//! looking at those that rang.

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::FullRequest;
use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::MAX_TITLE;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::interop::page;
use crate::interop::terminal::Way;
use crate::state::settings::{Pane, PanelTab};
use crate::state::terminals::TerminalsAction;
use crate::state::terminals::find::{Outcome, Query};
use crate::state::terminals::strip::MAX_PANES;
use crate::state::{Action, Dialog, TerminalMenu};
use crate::words::{self, catalogue::say};

impl Workbench {
    /// Somebody typed into a terminal, or the terminal answers its program.
    pub(crate) fn typed(&self, id: SessionId, bytes: Vec<u8>) {
        let bytes = self.with_control(bytes);
        if self.works() && self.may_touch(id) && !self.connection.type_in(id, &bytes) {
            self.alert(words::too_much_waits());
        }
    }

    fn active_terminal(&self) -> Option<SessionId> {
        self.state().terminals.active().map(|terminal| terminal.terminal)
    }

    fn change_terminals(&self, action: TerminalsAction) {
        self.dispatch(Action::Terminals(action));
    }

    /// The keyboard came to a terminal that is shown.
    pub(crate) fn use_terminal(&self, id: SessionId) {
        if self.active_terminal() != Some(id) {
            self.change_terminals(TerminalsAction::Activate(id));
        }
        self.look_at_terminals();
    }

    /// Opens a shell beside the shown terminal.
    pub(crate) fn split_terminal(&self) {
        let Some(beside) = self.active_terminal() else { return self.open_terminal(true) };
        if self.state().terminals.shown().len() >= MAX_PANES {
            return self.alert(say!("terminal.most", most = MAX_PANES));
        }
        self.show_panel_tab(PanelTab::Terminals);
        self.open_beside(beside);
    }

    pub(crate) fn take_out_terminal(&self) {
        if let Some(id) = self.active_terminal() {
            self.change_terminals(TerminalsAction::TakeOut(id));
        }
    }

    pub(crate) fn move_terminal(&self, id: SessionId, at: usize) {
        self.change_terminals(TerminalsAction::Move { id, at });
        self.change_terminals(TerminalsAction::Activate(id));
    }

    pub(crate) fn shift_terminal(&self, steps: i32) {
        if let Some(id) = self.active_terminal() {
            self.change_terminals(TerminalsAction::Shift { id, steps });
        }
    }

    /// Goes to another of the terminals that are shown together.
    pub(crate) fn step_terminal_pane(&self, steps: i32) {
        let to = self.active_terminal().and_then(|id| self.state().terminals.strip.beside(id, steps));
        if let Some(to) = to {
            self.change_terminals(TerminalsAction::Activate(to));
            self.terminals.focus(to);
        }
    }

    /// Whether a terminal stands beside the one in use.
    pub(super) fn has_panes(&self) -> bool {
        self.state().terminals.shown().len() > 1
    }

    pub(crate) fn step_terminal(&self, steps: i32) {
        let to = self.active_terminal().and_then(|id| self.state().terminals.strip.next(id, steps));
        if let Some(to) = to {
            self.show_terminal(to);
            self.terminals.focus(to);
        }
    }

    pub(crate) fn clear_terminal(&self) {
        let Some(id) = self.active_terminal() else { return };
        if let Some(terminal) = self.terminals.shown(id) {
            terminal.clear();
            terminal.focus();
        }
    }

    /// Begins to name a terminal on its tab.
    pub(crate) fn name_terminal(&self, id: SessionId) {
        if self.works() && self.may_touch(id) {
            self.show_panel_tab(PanelTab::Terminals);
            self.change_terminals(TerminalsAction::Name(Some(id)));
        }
    }

    pub(crate) fn name_active_terminal(&self) {
        if let Some(id) = self.active_terminal() {
            self.name_terminal(id);
        }
    }

    /// The terminal that was being named has its name; without one it keeps the one it had.
    pub(crate) fn terminal_named(&self, id: SessionId, title: Option<String>) {
        self.change_terminals(TerminalsAction::Name(None));
        let title = title.unwrap_or_default();
        let title: String = title.trim().chars().filter(|char| !char.is_control()).take(MAX_TITLE).collect();
        let before = self.state().terminals.get(id).map(|terminal| terminal.title.clone());
        if title.is_empty() || before.as_ref() == Some(&title) {
            return;
        }
        let workbench = self.clone();
        self.connection.order(&FullRequest::TerminalTitle { terminal: id, title }, move |reply| {
            if let Some(failure) = reply.err().filter(|failure| failure.code != ErrorCode::AlreadyDone) {
                workbench.fail(say!("failed.terminal-rename"), &failure);
            }
        });
    }

    /// Opens the bar over the terminal in use, with what is selected there.
    pub(crate) fn find_in_terminal(&self) {
        let Some(id) = self.active_terminal() else { return };
        self.show_panel_tab(PanelTab::Terminals);
        let before = self.state().terminals.find.as_ref().map(|find| find.terminal);
        let other = before.filter(|other| *other != id);
        if let Some(terminal) = other.and_then(|other| self.terminals.shown(other)) {
            terminal.close_find();
        }
        self.change_terminals(TerminalsAction::Find(id));
        // What is selected while the bar is open is what it found.
        let terminal = self.terminals.shown(id).filter(|_| before != Some(id));
        let selected = terminal.map(|terminal| terminal.selected_line()).unwrap_or_default();
        let query = self.state().terminals.find.as_ref().map(|find| find.query.clone()).unwrap_or_default();
        let text = if selected.is_empty() { query.text } else { selected };
        if !text.is_empty() {
            self.query_terminal(Query { text, ..query });
        }
    }

    /// Looks for something else.
    pub(crate) fn query_terminal(&self, query: Query) {
        self.change_terminals(TerminalsAction::Query(query));
        self.look_for(Way::Typing);
    }

    /// Goes to the next match, or to the one before.
    pub(crate) fn look_for(&self, way: Way) {
        let find = self.state().terminals.find.clone();
        if let Some(find) = find
            && let Some(terminal) = self.terminals.shown(find.terminal)
        {
            terminal.find(&find.query, way);
        }
    }

    pub(crate) fn found_in_terminal(&self, id: SessionId, at: u32, count: i32) {
        let find = self.state().terminals.find.clone();
        let Some(find) = find.filter(|find| find.terminal == id) else { return };
        let outcome = match u32::try_from(count) {
            Err(_) => Outcome::BadQuery,
            Ok(_) if find.query.text.is_empty() => Outcome::Nothing,
            Ok(count) => Outcome::Found { at, count },
        };
        if outcome != find.outcome {
            self.change_terminals(TerminalsAction::Found(outcome));
        }
    }

    /// Closes the bar, and gives the keyboard back.
    pub(crate) fn close_find_in_terminal(&self) {
        let id = self.state().terminals.find.as_ref().map(|find| find.terminal);
        self.change_terminals(TerminalsAction::CloseFind);
        if let Some(id) = id {
            if let Some(terminal) = self.terminals.shown(id) {
                terminal.close_find();
            }
            self.terminals.focus(id);
        }
    }

    pub(crate) fn copy_from_terminal(&self) {
        if let Some(terminal) = self.active_terminal().and_then(|id| self.terminals.shown(id)) {
            terminal.copy();
        }
    }

    pub(crate) fn select_all_in_terminal(&self) {
        if let Some(terminal) = self.active_terminal().and_then(|id| self.terminals.shown(id)) {
            terminal.select_all();
            terminal.focus();
        }
    }

    /// Whether something is selected in the terminal in use.
    pub(crate) fn has_terminal_selection(&self) -> bool {
        let terminal = self.active_terminal().and_then(|id| self.terminals.shown(id));
        terminal.is_some_and(|terminal| terminal.has_selection())
    }

    /// Pastes what the clipboard has. The browser may ask whether the page may read it.
    pub(crate) fn paste_into_terminal(&self) {
        let Some(id) = self.active_terminal() else { return };
        let workbench = self.clone();
        spawn_local(async move {
            let Some(text) = page::clipboard().await else {
                return workbench.alert(say!("terminal.no-clipboard"));
            };
            let Some(terminal) = workbench.terminals.shown(id) else { return };
            if terminal.is_asked_about(&text) {
                workbench.ask_about_paste(id, text);
            } else {
                terminal.paste(&text);
                terminal.focus();
            }
        });
    }

    /// Several lines are to be pasted.
    pub(crate) fn ask_about_paste(&self, id: SessionId, text: String) {
        if self.works() && self.may_touch(id) {
            self.dispatch(Action::Dialog(Some(Dialog::Paste { terminal: id, text })));
        }
    }

    /// They may be pasted; with `always`, so may all others from now on.
    pub(crate) fn paste_anyway(&self, id: SessionId, text: &str, always: bool) {
        self.dispatch(Action::Dialog(None));
        if always {
            // A switch takes what is true or false.
            let _ = self.change_setting("paste_unasked", true.into());
        }
        if let Some(terminal) = self.terminals.shown(id) {
            terminal.paste(text);
        }
        self.terminals.focus(id);
    }

    /// Opens the menu of a terminal at a place of the window in CSS pixels.
    pub(crate) fn show_terminal_menu(&self, id: SessionId, x: i32, y: i32) {
        self.use_terminal(id);
        let has_selection = self.has_terminal_selection();
        self.dispatch(Action::TerminalMenu(Some(TerminalMenu { id, has_selection, x, y })));
    }

    /// A program rang.
    pub(crate) fn rang(&self, id: SessionId) {
        let is_known = self.state().terminals.rung.contains(&id);
        let is_seen = self.sees_terminals() && self.state().terminals.shown().contains(&id);
        if !is_known && !is_seen {
            self.change_terminals(TerminalsAction::Rang(id));
        }
    }

    /// Those that are shown are looked at, if the page is.
    pub(crate) fn look_at_terminals(&self) {
        let has_rung = {
            let state = self.state();
            state.terminals.shown().iter().any(|id| state.terminals.rung.contains(id))
        };
        if has_rung && self.sees_terminals() {
            self.change_terminals(TerminalsAction::LookedAt);
        }
    }

    /// Whether the shown terminals are in sight.
    fn sees_terminals(&self) -> bool {
        let layout = self.state().layout;
        let is_in_sight = if page::is_narrow() {
            layout.pane == Pane::Terminal && layout.aside.is_none()
        } else {
            !layout.panel_folded && !layout.zen
        };
        page::is_visible() && is_in_sight && layout.panel_tab == PanelTab::Terminals
    }
}
