//! What listens in the sandbox: tells once of each port that is new, and opens one.

use embedenv_shared::frame::Listener;

use super::Workbench;
use crate::memory;
use crate::state::Action;
use crate::state::settings::Aside;

/// Ports of which it is remembered that they were told; the oldest make room, and may be told again.
const MAX_TOLD: usize = 100;

impl Workbench {
    /// Those that were there when this page came are no news.
    pub(super) fn know_ports(&self) {
        self.take_news();
    }

    pub(super) fn listeners_are(&self, listeners: Vec<Listener>) {
        if self.state().is_framed {
            let before = self.state().listeners.clone();
            self.tell_ports(&before, &listeners);
        }
        self.dispatch(Action::Listeners(listeners));
        if self.state().is_framed {
            self.follow_ports();
        }
        let new = self.take_news();
        // Who looks on can't ask it for anything.
        // In a frame that shows what is served it is seen by itself.
        let is_shown = self.state().is_framed && self.state().layout.aside == Some(Aside::Preview);
        if let Some(port) = new.filter(|_| self.works() && !is_shown) {
            self.dispatch(Action::NewPort(Some(port)));
        }
    }

    /// The newest of the ports that were not told yet. All of them count as told then.
    fn take_news(&self) -> Option<u16> {
        let mut told = memory::told_ports();
        let listeners = self.state().listeners.clone();
        let mut news = listeners.iter().filter(|listener| !told.contains(&listener.port)).collect::<Vec<_>>();
        news.sort_unstable_by_key(|listener| listener.since);
        let newest = news.last().map(|listener| listener.port)?;
        told.extend(news.iter().map(|listener| listener.port));
        let surplus = told.len().saturating_sub(MAX_TOLD);
        told.drain(..surplus);
        memory::keep_told_ports(&told);
        Some(newest)
    }

    pub(crate) fn dismiss_port(&self) {
        self.dispatch(Action::NewPort(None));
    }

    /// Opens a port beside the editors.
    pub(crate) fn open_port(&self, port: u16) {
        self.dismiss_port();
        self.preview_port(port);
    }
}
