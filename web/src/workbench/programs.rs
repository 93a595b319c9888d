//! Programs: terminals, Run and Stop, and requests to what listens in the sandbox.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::{FullRequest, TerminalSignal};
use embedenv_shared::frame::{ServerFrame, TerminalKind};
use embedenv_shared::id::SessionId;
use embedenv_shared::path::WorkspacePath;
use embedenv_shared::tree::content_bytes;
use futures_channel::oneshot;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::connection::More;
use crate::interop::page;
use crate::run::{Plan, plan};
use crate::state::settings::Pane;
use crate::state::terminals::{Run, TerminalsAction};
use crate::state::{Action, Occasion};

/// A press of Stop within this of the one before is the next stronger signal, in milliseconds.
const AGAIN: f64 = 5_000.0;
/// The most of a response's body that is shown, in bytes.
const MAX_BODY: usize = 512 * 1024;

/// How often Stop was pressed for one program.
#[derive(Default)]
pub(crate) struct StopPresses(Cell<Option<(SessionId, u32, f64)>>);

impl StopPresses {
    /// The signal for this press.
    fn press(&self, terminal: SessionId) -> TerminalSignal {
        let now = page::now();
        let count = match self.0.get() {
            Some((same, count, at)) if same == terminal && now - at < AGAIN => count + 1,
            _ => 1,
        };
        self.0.set(Some((terminal, count, now)));
        match count {
            1 => TerminalSignal::Interrupt,
            2 => TerminalSignal::Terminate,
            _ => TerminalSignal::Kill,
        }
    }
}

/// What a server in the sandbox answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// There was more than is shown.
    pub(crate) cut: bool,
}

impl Workbench {
    /// Opens an interactive shell; with `focus`, the keyboard goes there.
    pub(crate) fn open_terminal(&self, focus: bool) {
        self.open(None, focus, |_, _| {});
    }

    fn open(&self, command: Option<String>, focus: bool, then: impl FnOnce(&Self, SessionId) + 'static) {
        let Some(project) = self.project() else { return };
        let (cols, rows) = self.terminals.size();
        let request = FullRequest::TerminalOpen { project, cols, rows, command, title: None };
        let workbench = self.clone();
        self.connection.order(&request, move |reply| match reply {
            Ok(ServerFrame::TerminalOpened { terminal, .. }) => {
                workbench.terminals.opened(terminal);
                workbench.dispatch(Action::Terminals(TerminalsAction::Activate(terminal)));
                if focus {
                    workbench.terminals.focus(terminal);
                }
                then(&workbench, terminal);
            }
            Ok(_) => {}
            // It is among the room's terminals by now.
            Err(failure) if failure.code == ErrorCode::AlreadyDone => {}
            Err(failure) => workbench.fail("The terminal could not be opened", &failure),
        });
    }

    pub(crate) fn show_terminal(&self, id: SessionId) {
        self.dispatch(Action::Terminals(TerminalsAction::Activate(id)));
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
                workbench.fail("The terminal could not be locked or unlocked", &failure);
            }
        });
    }

    pub(crate) fn close_terminal(&self, id: SessionId) {
        let workbench = self.clone();
        self.connection.order(&FullRequest::TerminalClose { terminal: id }, move |reply| {
            if let Some(failure) = reply.err().filter(|failure| failure.code != ErrorCode::AlreadyDone) {
                workbench.fail("The terminal could not be closed", &failure);
            }
        });
    }

    /// Goes to the shown terminal, or opens one.
    pub(crate) fn focus_terminal(&self) {
        self.show_pane(Pane::Terminal);
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
    }

    /// Saves the shown file and runs it in a terminal of its own.
    pub(crate) fn run(&self) {
        let shown = self.state().files.active().map(|file| (file.id, file.path.clone()));
        let Some((id, path)) = shown else { return self.alert_until_run("Open the file to run first.") };
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
        if !self.works() {
            return self.alert("Your link lets you look on. Ask the host for a link of an editor to run programs.");
        }
        let command = match plan(&path) {
            Plan::Command(command) => command,
            Plan::Nothing(why) => return self.alert_until_run(why),
        };
        let spent = self.state().terminals.spent(&path);
        self.show_pane(Pane::Terminal);
        self.open(Some(command.clone()), true, move |workbench, terminal| {
            workbench.dispatch(Action::Terminals(TerminalsAction::Ran(Run { terminal, path, command })));
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
            let ran = state.terminals.run.as_ref().filter(|run| run.terminal == id).map(|run| run.path.clone());
            (state.terminals.get(id).map(|terminal| terminal.kind), ran)
        };
        match (kind, ran) {
            (_, Some(path)) => self.run_path(path),
            (Some(TerminalKind::Terminal), None) => {
                self.open(None, true, move |workbench, _| workbench.close_terminal(id));
            }
            _ => {}
        }
    }

    /// Stops what runs: interrupts it, and on further presses ends and at last kills it.
    pub(crate) fn stop(&self) {
        let running = self.state().terminals.running().map(|terminal| terminal.terminal);
        let Some(terminal) = running else { return self.alert("Nothing was run here that could be stopped.") };
        let signal = self.stop_presses.press(terminal);
        let workbench = self.clone();
        self.connection.ask(&FullRequest::TerminalSignal { terminal, signal }, move |reply| {
            if let Err(failure) = reply {
                workbench.fail("It could not be stopped", &failure);
            }
        });
    }

    /// Asks a server in the sandbox for something.
    pub(crate) async fn fetch(&self, method: &str, url: &str) -> Result<Response, Failure> {
        let Some(project) = self.project() else { return Ok(Response::default()) };
        let (sender, end) = oneshot::channel();
        let mut sender = Some(sender);
        let response = Rc::new(RefCell::new(Response::default()));
        let coming = response.clone();
        let mut over = move |outcome| {
            if let Some(sender) = sender.take() {
                // Who asked may have gone.
                let _ = sender.send(outcome);
            }
            More::IsOver
        };
        let members = json!({"method": method, "url": url});
        self.connection.each_reply(&project, json!({"type": "curl"}), members, move |reply| match reply {
            Ok(ServerFrame::Response { status, headers, .. }) => {
                let mut response = coming.borrow_mut();
                (response.status, response.headers) = (status, headers);
                More::Comes
            }
            Ok(ServerFrame::Chunk { content, encoding, .. }) => {
                let mut response = coming.borrow_mut();
                if response.body.len() < MAX_BODY {
                    response.body.extend(content_bytes(content, encoding).unwrap_or_default());
                } else {
                    response.cut = true;
                }
                More::Comes
            }
            Ok(_) => over(Ok(())),
            Err(failure) => over(Err(failure)),
        });
        match end.await {
            Ok(outcome) => outcome.map(|()| response.take()),
            Err(_) => Ok(response.take()),
        }
    }
}
