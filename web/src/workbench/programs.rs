//! Programs: terminals, Run and Stop.

use std::cell::RefCell;
use std::collections::BTreeMap;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::command::{FullRequest, TerminalSignal};
use embedenv_shared::frame::{ServerFrame, TerminalKind};
use embedenv_shared::id::SessionId;
use embedenv_shared::path::WorkspacePath;
use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::interop::page;
use crate::run::{Configuration, Plan, plan};
use crate::state::settings::{Layout, Pane, PanelTab};
use crate::state::terminals::{Run, Runnable, TerminalsAction};
use crate::state::{Action, Occasion};
use crate::words::catalogue::say;

/// A program that was told to stop and goes on is sent the next stronger signal after this, in milliseconds: SIGINT,
/// SIGTERM, SIGKILL.
pub(crate) const PATIENCE: u32 = 5_000;
/// The same while another run of the same thing waits for its end.
const HASTE: u32 = 1_000;

/// Programs that are to end.
#[derive(Default)]
pub(crate) struct Stopping {
    /// When each is sent the next stronger signal.
    timers: RefCell<BTreeMap<SessionId, Timeout>>,
    /// What is started in the place of each when it has ended.
    then: RefCell<BTreeMap<SessionId, Start>>,
}

/// Something that is to be run.
struct Start {
    what: Runnable,
    command: String,
}

impl Workbench {
    /// Opens an interactive shell; with `focus`, the keyboard goes there.
    pub(crate) fn open_terminal(&self, focus: bool) {
        self.open(None, focus, None, |_, _| {});
    }

    /// Opens an interactive shell at the right of another terminal.
    pub(super) fn open_beside(&self, beside: SessionId) {
        self.open(None, true, Some(beside), |_, _| {});
    }

    fn open(
        &self,
        command: Option<String>,
        focus: bool,
        beside: Option<SessionId>,
        then: impl FnOnce(&Self, SessionId) + 'static,
    ) {
        let Some(project) = self.project() else { return };
        let (cols, rows) = self.terminals.size();
        let request = FullRequest::terminal(project, (cols, rows), command);
        let workbench = self.clone();
        self.terminals.ordered();
        self.connection.order(&request, move |reply| {
            workbench.terminals.answered();
            match reply {
                Ok(ServerFrame::TerminalOpened { terminal, .. }) => {
                    workbench.terminals.opened(terminal);
                    if let Some(beside) = beside {
                        workbench.dispatch(Action::Terminals(TerminalsAction::Split { beside, id: terminal }));
                    }
                    workbench.dispatch(Action::Terminals(TerminalsAction::Activate(terminal)));
                    if focus {
                        workbench.terminals.focus(terminal);
                    }
                    then(&workbench, terminal);
                }
                Ok(_) => {}
                // It is among the room's terminals by now.
                Err(failure) if failure.code == ErrorCode::AlreadyDone => {}
                Err(failure) => workbench.fail(say!("failed.terminal-open"), &failure),
            }
        });
    }

    pub(crate) fn show_terminal(&self, id: SessionId) {
        self.dispatch(Action::Terminals(TerminalsAction::Activate(id)));
        self.look_at_terminals();
    }

    /// Whether this page may type into a terminal: whoever opened it may keep it to themselves.
    pub(crate) fn may_touch(&self, id: SessionId) -> bool {
        let state = self.state();
        let me = state.me.as_ref().map(|me| me.member);
        state.terminals.get(id).is_none_or(|terminal| !terminal.locked || terminal.opener == me)
    }

    /// Locks the shown terminal, or unlocks it.
    pub(crate) fn lock_terminal(&self, id: SessionId, locked: bool) {
        let workbench = self.clone();
        self.connection.order(&FullRequest::TerminalLock { terminal: id, locked }, move |reply| {
            if let Some(failure) = reply.err().filter(|failure| failure.code != ErrorCode::AlreadyDone) {
                workbench.fail(say!("failed.terminal-lock"), &failure);
            }
        });
    }

    pub(crate) fn close_terminal(&self, id: SessionId) {
        let workbench = self.clone();
        self.connection.order(&FullRequest::TerminalClose { terminal: id }, move |reply| {
            if let Some(failure) = reply.err().filter(|failure| failure.code != ErrorCode::AlreadyDone) {
                workbench.fail(say!("failed.terminal-close"), &failure);
            }
        });
    }

    /// Shows one of the panel's tabs.
    pub(crate) fn show_panel_tab(&self, panel_tab: PanelTab) {
        self.show_pane(Pane::Terminal);
        self.change_layout(|layout| Layout { panel_tab, ..layout });
        self.look_at_terminals();
    }

    /// Goes to the shown terminal, or opens one.
    pub(crate) fn focus_terminal(&self) {
        self.show_panel_tab(PanelTab::Terminals);
        let active = self.state().terminals.active().map(|terminal| terminal.terminal);
        match active {
            Some(id) => self.terminals.focus(id),
            None if self.works() => self.open_terminal(true),
            None => {}
        }
    }

    pub(crate) fn show_pane(&self, pane: Pane) {
        let mut layout = self.state().layout.showing(pane);
        if page::is_narrow() {
            // It covers every pane there.
            layout.aside = None;
        }
        self.dispatch(Action::Layout(layout));
        self.look_at_terminals();
    }

    /// Runs what the Run button is for: the chosen configuration, or the open file.
    pub(crate) fn run_chosen(&self) {
        let chosen = self.state().runs.chosen().map(|configuration| configuration.name.clone());
        match chosen {
            Some(name) => self.run_named(&name),
            None => self.run(),
        }
    }

    /// Saves the shown file and runs it in a terminal of its own.
    pub(crate) fn run(&self) {
        let shown = self.state().files.active().map(|file| (file.id, file.path.clone()));
        let Some((id, path)) = shown else { return self.alert_until_run(say!("run.no-file")) };
        let workbench = self.clone();
        spawn_local(async move {
            // Without a connection it waits, and the edits go before it.
            if workbench.connection.is_up()
                && let Err(why) = workbench.saved(id).await
            {
                return workbench.alert(why);
            }
            workbench.run_path(path);
        });
    }

    /// Runs a file as it is on disk.
    pub(crate) fn run_path(&self, path: WorkspacePath) {
        match plan(&path) {
            Plan::Command(command) => self.begin(Start { what: Runnable::File(path), command }),
            Plan::Nothing(why) => {
                if self.state().runs.all().next().is_some() {
                    // What there is to run instead.
                    page::click(".run-more[aria-expanded=false]");
                }
                self.alert_until_run(why);
            }
        }
    }

    /// Runs a configuration. What is typed in open files is written before, as before every command.
    pub(crate) fn run_named(&self, name: &str) {
        let command = self.state().runs.get(name).map(Configuration::line);
        match command {
            Some(command) => self.begin(Start { what: Runnable::Named(name.to_owned()), command }),
            None => self.alert_until_run(say!("run.gone", name = name)),
        }
    }

    /// Runs again what was run before, as it is now.
    pub(crate) fn run_again(&self, what: Runnable) {
        match what {
            Runnable::File(path) => self.run_path(path),
            Runnable::Named(name) => self.run_named(&name),
            Runnable::Line(command) => self.begin(Start { what: Runnable::Line(command.clone()), command }),
        }
    }

    /// Runs a command line for what it is a run of.
    pub(super) fn run_as(&self, what: Runnable, command: String) {
        self.begin(Start { what, command });
    }

    /// Starts something. An earlier run of the same is stopped first, and the new one takes its place.
    fn begin(&self, start: Start) {
        if !self.works() {
            return self.alert(say!("run.looks-on"));
        }
        let earlier = self.state().terminals.earlier(&start.what).map(|it| (it.terminal, it.exit.is_none()));
        self.show_pane(Pane::Terminal);
        match earlier {
            Some((id, true)) => {
                self.show_terminal(id);
                self.stopping.then.borrow_mut().insert(id, start);
                self.end(id, HASTE);
            }
            Some((id, false)) => self.launch(start, Some(id)),
            None => self.launch(start, None),
        }
    }

    fn launch(&self, start: Start, spent: Option<SessionId>) {
        let Start { what, command } = start;
        self.open(Some(command.clone()), true, None, move |workbench, terminal| {
            let run = Run { terminal, what, command, began: page::now() as u64 };
            workbench.dispatch(Action::Terminals(TerminalsAction::Ran(run)));
            if let Some(spent) = spent {
                workbench.close_terminal(spent);
            }
        });
    }

    /// Says why nothing was run. When something is, that is over.
    fn alert_until_run(&self, why: impl Into<String>) {
        self.dispatch(Action::AlertUntil(Occasion::Ran, why.into()));
    }

    /// Starts again what ran in a terminal that has ended.
    pub(crate) fn start_again(&self, id: SessionId) {
        let (kind, ran) = {
            let state = self.state();
            let ran = state.terminals.run_in(id).map(|run| run.what.clone());
            (state.terminals.get(id).map(|terminal| terminal.kind), ran)
        };
        match (kind, ran) {
            (_, Some(what)) => self.run_again(what),
            (Some(TerminalKind::Terminal), None) => {
                self.open(None, true, None, move |workbench, _| workbench.close_terminal(id));
            }
            _ => {}
        }
    }

    /// Stops what runs: interrupts it, and if it goes on, or on a further press, ends and at last kills it.
    pub(crate) fn stop(&self) {
        let running = self.state().terminals.running().map(|terminal| terminal.terminal);
        let Some(terminal) = running else { return self.alert(say!("run.nothing-to-stop")) };
        self.stopping.then.borrow_mut().remove(&terminal);
        self.end(terminal, PATIENCE);
    }

    /// Sends a program the next stronger signal, and others after it for as long as it goes on.
    fn end(&self, terminal: SessionId, patience: u32) {
        let signal = match self.state().terminals.sent(terminal) {
            None => TerminalSignal::Interrupt,
            Some(TerminalSignal::Interrupt) => TerminalSignal::Terminate,
            Some(_) => TerminalSignal::Kill,
        };
        self.dispatch(Action::Terminals(TerminalsAction::Stopping(terminal, signal)));
        let workbench = self.clone();
        self.connection.ask(&FullRequest::TerminalSignal { terminal, signal }, move |reply| {
            if let Err(failure) = reply {
                workbench.fail(say!("failed.stop"), &failure);
            }
        });
        let before = if signal == TerminalSignal::Kill {
            self.stopping.timers.borrow_mut().remove(&terminal)
        } else {
            let workbench = self.clone();
            let timer = Timeout::new(patience, move || {
                let timer = workbench.stopping.timers.borrow_mut().remove(&terminal);
                let goes_on = workbench.state().terminals.get(terminal).is_some_and(|it| it.exit.is_none());
                // Without a connection nothing is known of it; a press of Stop goes on from here.
                if goes_on && workbench.connection.is_up() {
                    workbench.end(terminal, patience);
                }
                drop(timer);
            });
            self.stopping.timers.borrow_mut().insert(terminal, timer)
        };
        drop(before);
    }

    /// A program has ended: starts what waited for it.
    pub(super) fn run_ended(&self, terminal: SessionId) {
        let timer = self.stopping.timers.borrow_mut().remove(&terminal);
        drop(timer);
        let waiting = self.stopping.then.borrow_mut().remove(&terminal);
        if let Some(start) = waiting {
            self.launch(start, Some(terminal));
        }
    }
}
