//! Help that is there: the tour, and the details of what went wrong.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::SandboxState;
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, KeyboardEvent};

use super::Workbench;
use crate::interop::page;
use crate::state::tour::Tour;
use crate::state::{Action, Connection as Shown};
use crate::words::details::{Circumstances, details};

/// Keys that are on the way to somewhere, and no action by themselves.
const ON_THE_WAY: [&str; 6] = ["Tab", "F6", "Shift", "Control", "Alt", "Meta"];

/// What a failure's message offers to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    StartSandbox,
    ConnectNow,
}

impl Workbench {
    /// Somebody has come for the first time: asks whether they want to be shown around.
    pub(super) fn offer_tour(&self) {
        // A page in a frame is explained by the page around it.
        if !self.state().own.toured && !self.state().is_framed {
            self.dispatch(Action::Tour(Some(Tour { at: 0 })));
        }
    }

    /// Shows somebody around who has asked for it.
    pub(crate) fn start_tour(&self) {
        self.dispatch(Action::Dialog(None));
        self.show_card(Tour { at: 1 });
        // The dialog goes first: while it is there, nothing else takes the keyboard.
        Timeout::new(0, || {
            page::focus(".tour .primary");
        })
        .forget();
    }

    pub(crate) fn step_tour(&self, forwards: bool) {
        let tour = self.state().tour;
        match tour.map(|tour| tour.step(forwards)) {
            Some(Some(tour)) => self.show_card(tour),
            Some(None) => self.end_tour(),
            None => {}
        }
    }

    /// It is not offered again; the palette has it.
    pub(crate) fn end_tour(&self) {
        let had_focus = page::has_focus_within(".tour");
        self.dispatch(Action::Tour(None));
        if !self.state().own.toured {
            // A switch takes true.
            let _ = self.change_setting("toured", true.into());
        }
        if had_focus {
            self.focus_editor();
        }
    }

    fn show_card(&self, tour: Tour) {
        if let Some(pane) = tour.card().pane
            && page::is_narrow()
        {
            self.show_pane(pane);
        }
        self.dispatch(Action::Tour(Some(tour)));
    }

    /// Somebody does something of their own: they need no tour.
    pub(super) fn acted(&self, event: &Event) {
        self.trail.borrow_mut().wander();
        if self.state().tour.is_none_or(|tour| tour.at > 0) {
            return;
        }
        let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key);
        let is_on_the_way = key.is_some_and(|key| ON_THE_WAY.contains(&key.as_str()));
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_at_tour = target.is_some_and(|target| target.closest(".tour").ok().flatten().is_some());
        if !is_on_the_way && !is_at_tour {
            self.end_tour();
        }
    }

    /// Something that was asked of the server has failed.
    pub(crate) fn fail(&self, what: &str, failure: &Failure) {
        let text = crate::words::failed(what, failure);
        self.dispatch(Action::Failed { text, failure: failure.clone() });
    }

    /// What can be done about a failure from here.
    pub(crate) fn way_out(&self, failure: Option<&Failure>) -> Option<Way> {
        match failure?.code {
            ErrorCode::SandboxUnavailable if self.works() && self.state().sandbox.state == SandboxState::Gone => {
                Some(Way::StartSandbox)
            }
            ErrorCode::Unavailable if self.state().connection != Shown::Connected => Some(Way::ConnectNow),
            _ => None,
        }
    }

    pub(crate) fn take_way(&self, way: Way) {
        match way {
            Way::StartSandbox => self.start_sandbox(),
            Way::ConnectNow => self.connection.hurry(),
        }
    }

    /// The details of a failure, to hand on.
    pub(crate) fn details(&self, text: &str, failure: Option<&Failure>, since: f64) -> String {
        let state = self.state();
        let connection = match &state.connection {
            Shown::Joining => "joining",
            Shown::JoiningAgain(_) => "joining again",
            Shown::Connected => "connected",
            Shown::Reconnecting(_) => "reconnecting",
            Shown::Offline(_) => "offline",
            Shown::Failed(_) => "failed",
        };
        let sandbox = match state.sandbox.state {
            SandboxState::Starting => "starting",
            SandboxState::Ready => "ready",
            SandboxState::Gone => "gone",
        };
        let role = state.me.as_ref().map_or("none yet", |me| if me.works() { "works" } else { "looks on" });
        let (time, browser) = (page::rfc3339(since), page::browser());
        details(text, failure, Circumstances { time: &time, connection, sandbox, role, browser: &browser })
    }
}
