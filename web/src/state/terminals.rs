//! The terminals of the room: their tabs, which one is shown, and what this page ran in which. What they print is
//! xterm.js's.

use std::collections::BTreeSet;

use embedenv_shared::command::TerminalSignal;
use embedenv_shared::frame::{Terminal, TerminalKind};
use embedenv_shared::id::SessionId;
use embedenv_shared::path::WorkspacePath;

use crate::words::{self, catalogue::say};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terminals {
    pub list: Vec<Terminal>,
    pub active: Option<SessionId>,
    /// What this page ran, and where, the last one last; as long as their terminals are there.
    pub runs: Vec<Run>,
    /// Programs that are being stopped, and the strongest signal that each was sent.
    pub stopping: Vec<(SessionId, TerminalSignal)>,
    /// Terminals whose output came faster than it could be shown.
    pub skipped: Vec<SessionId>,
    /// Terminals that were closed; what is still told of them, their end for example, brings none back.
    closed: BTreeSet<SessionId>,
}

/// Something that was run by this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub terminal: SessionId,
    pub what: Runnable,
    pub command: String,
    /// When it was started, in milliseconds since 1970.
    pub began: u64,
}

/// What can be run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runnable {
    File(WorkspacePath),
    /// A configuration, by its name.
    Named(String),
    /// A command line of before.
    Line(String),
}

impl Runnable {
    /// What it is called where it is spoken of.
    pub fn name(&self) -> &str {
        match self {
            Self::File(path) => path.name().unwrap_or_default(),
            Self::Named(name) => name,
            Self::Line(line) => line,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalsAction {
    /// All there are, as told on joining.
    Listed(Vec<Terminal>),
    /// One was opened or has changed.
    Changed(Terminal),
    Closed(SessionId),
    Activate(SessionId),
    Ran(Run),
    Skipped(SessionId),
    /// A program was sent a signal that is to stop it.
    Stopping(SessionId, TerminalSignal),
}

impl Terminals {
    pub fn get(&self, id: SessionId) -> Option<&Terminal> {
        self.list.iter().find(|terminal| terminal.terminal == id)
    }

    pub fn active(&self) -> Option<&Terminal> {
        self.get(self.active?)
    }

    /// The program that Stop is for: what this page ran last and still runs, or else a run in the shown terminal.
    pub fn running(&self) -> Option<&Terminal> {
        let ran = self.runs.iter().rev().filter_map(|run| self.get(run.terminal));
        let shown = self.active().filter(|terminal| terminal.kind == TerminalKind::Run);
        ran.chain(shown).find(|terminal| terminal.exit.is_none())
    }

    /// The strongest signal that a program was sent so that it stops.
    pub fn sent(&self, id: SessionId) -> Option<TerminalSignal> {
        self.stopping.iter().find(|(stopping, _)| *stopping == id).map(|(_, signal)| *signal)
    }

    /// What this page ran in a terminal.
    pub fn run_in(&self, terminal: SessionId) -> Option<&Run> {
        self.runs.iter().find(|run| run.terminal == terminal)
    }

    /// The terminal of the last run of the same thing: the next one takes its place.
    pub fn earlier(&self, what: &Runnable) -> Option<&Terminal> {
        let runs = self.runs.iter().rev().filter(|run| run.what == *what);
        runs.filter_map(|run| self.get(run.terminal)).next()
    }

    /// What is to be said of the program that this page ran.
    pub fn news(&self, action: &TerminalsAction) -> Option<String> {
        match action {
            TerminalsAction::Ran(run) => Some(say!("run.runs", name = run.what.name())),
            TerminalsAction::Changed(changed) => {
                let run = self.run_in(changed.terminal)?;
                let had_ended = self.get(changed.terminal)?.exit.is_some();
                let exit = changed.exit.filter(|_| !had_ended)?;
                Some(words::ended_aloud(run.what.name(), exit))
            }
            _ => None,
        }
    }

    pub fn reduce(&mut self, action: TerminalsAction) {
        match action {
            TerminalsAction::Listed(list) => {
                self.list = list;
                self.closed.clear();
                self.list.sort_unstable_by_key(|terminal| terminal.terminal);
                self.skipped.retain(|id| self.list.iter().any(|terminal| terminal.terminal == *id));
                self.runs.retain(|run| self.list.iter().any(|terminal| terminal.terminal == run.terminal));
                let list = &self.list;
                let runs = |id: SessionId| list.iter().any(|it| it.terminal == id && it.exit.is_none());
                self.stopping.retain(|(id, _)| runs(*id));
                if self.active().is_none() {
                    self.active = self.list.last().map(|terminal| terminal.terminal);
                }
            }
            TerminalsAction::Changed(changed) if self.closed.contains(&changed.terminal) => {}
            TerminalsAction::Changed(changed) => {
                if changed.exit.is_some() {
                    self.stopping.retain(|(id, _)| *id != changed.terminal);
                }
                match self.list.iter_mut().find(|terminal| terminal.terminal == changed.terminal) {
                    Some(terminal) => *terminal = changed,
                    None => {
                        let at = self.list.partition_point(|terminal| terminal.terminal < changed.terminal);
                        self.active.get_or_insert(changed.terminal);
                        self.list.insert(at, changed);
                    }
                }
            }
            TerminalsAction::Closed(id) => self.close(id),
            TerminalsAction::Activate(id) => self.active = Some(id),
            TerminalsAction::Ran(run) => {
                self.active = Some(run.terminal);
                self.runs.push(run);
            }
            TerminalsAction::Stopping(id, signal) => {
                self.stopping.retain(|(stopping, _)| *stopping != id);
                self.stopping.push((id, signal));
            }
            TerminalsAction::Skipped(id) => {
                if !self.skipped.contains(&id) {
                    self.skipped.push(id);
                }
            }
        }
    }

    /// Closes a tab; the one after it is shown, or the last.
    fn close(&mut self, id: SessionId) {
        self.closed.insert(id);
        let Some(at) = self.list.iter().position(|terminal| terminal.terminal == id) else { return };
        self.list.remove(at);
        self.skipped.retain(|skipped| *skipped != id);
        self.runs.retain(|run| run.terminal != id);
        self.stopping.retain(|(stopping, _)| *stopping != id);
        if self.active == Some(id) {
            self.active = self.list.get(at).or(self.list.last()).map(|terminal| terminal.terminal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedenv_shared::frame::Exit;
    use embedenv_shared::path::ProjectName;

    fn terminal(id: u32, kind: TerminalKind, exit: Option<i32>) -> Terminal {
        Terminal {
            terminal: SessionId(id),
            title: format!("Terminal {id}"),
            kind,
            project: ProjectName::parse("p").unwrap(),
            cols: 80,
            rows: 24,
            driver: None,
            opener: None,
            locked: false,
            exit: exit.map(|code| Exit { code: Some(code), ..Exit::default() }),
        }
    }

    fn file(path: &str) -> Runnable {
        Runnable::File(WorkspacePath::parse(path).unwrap())
    }

    fn ran(id: u32, path: &str) -> TerminalsAction {
        TerminalsAction::Ran(Run { terminal: SessionId(id), what: file(path), command: String::new(), began: 0 })
    }

    #[test]
    fn terminals_stand_in_order_and_the_first_is_shown() {
        let mut terminals = Terminals::default();
        for id in [2, 1, 3] {
            terminals.reduce(TerminalsAction::Changed(terminal(id, TerminalKind::Terminal, None)));
        }
        assert_eq!(terminals.list.iter().map(|t| t.terminal.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(terminals.active, Some(SessionId(2)));
        terminals.reduce(TerminalsAction::Closed(SessionId(2)));
        assert_eq!(terminals.active, Some(SessionId(3)));
        terminals.reduce(TerminalsAction::Changed(terminal(2, TerminalKind::Terminal, Some(0))));
        assert_eq!(terminals.list.len(), 2, "what is told of a closed terminal brings it not back");
    }

    #[test]
    fn stop_is_for_what_was_run_last_while_it_runs() {
        let mut terminals = Terminals::default();
        terminals.reduce(TerminalsAction::Changed(terminal(1, TerminalKind::Terminal, None)));
        assert_eq!(terminals.running(), None, "a shell is not stopped");
        terminals.reduce(TerminalsAction::Changed(terminal(2, TerminalKind::Run, None)));
        terminals.reduce(ran(2, "a.py"));
        terminals.reduce(TerminalsAction::Activate(SessionId(1)));
        assert_eq!(terminals.running().map(|t| t.terminal), Some(SessionId(2)));
        terminals.reduce(TerminalsAction::Changed(terminal(2, TerminalKind::Run, Some(0))));
        assert_eq!(terminals.running(), None);
        assert_eq!(terminals.earlier(&file("a.py")).map(|t| t.terminal), Some(SessionId(2)));
        assert_eq!(terminals.earlier(&file("b.py")), None);
    }

    #[test]
    fn of_two_runs_the_one_before_is_stopped_when_the_last_has_ended() {
        let mut terminals = Terminals::default();
        for (id, path) in [(1, "server.py"), (2, "test.py")] {
            terminals.reduce(TerminalsAction::Changed(terminal(id, TerminalKind::Run, None)));
            terminals.reduce(ran(id, path));
        }
        assert_eq!(terminals.running().map(|t| t.terminal), Some(SessionId(2)));
        terminals.reduce(TerminalsAction::Stopping(SessionId(2), TerminalSignal::Interrupt));
        terminals.reduce(TerminalsAction::Changed(terminal(2, TerminalKind::Run, Some(0))));
        assert_eq!((terminals.running().map(|t| t.terminal), terminals.sent(SessionId(2))), (Some(SessionId(1)), None));
        assert_eq!(terminals.earlier(&file("server.py")).map(|t| t.terminal), Some(SessionId(1)));
        terminals.reduce(TerminalsAction::Closed(SessionId(1)));
        assert_eq!(terminals.earlier(&file("server.py")), None);
    }

    #[test]
    fn joining_again_keeps_the_shown_terminal_if_it_is_still_there() {
        let mut terminals = Terminals::default();
        let two = || vec![terminal(1, TerminalKind::Terminal, None), terminal(2, TerminalKind::Terminal, None)];
        terminals.reduce(TerminalsAction::Listed(two()));
        terminals.reduce(TerminalsAction::Activate(SessionId(1)));
        terminals.reduce(TerminalsAction::Listed(two()));
        assert_eq!(terminals.active, Some(SessionId(1)));
        terminals.reduce(TerminalsAction::Listed(Vec::new()));
        assert_eq!(terminals.active(), None);
    }
}
