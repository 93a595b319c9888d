//! The terminals of the room: their tabs, which one is shown, and which one this page's Run goes to. What they print is
//! xterm.js's.

use std::collections::BTreeSet;

use embedenv_shared::frame::{Terminal, TerminalKind};
use embedenv_shared::id::SessionId;
use embedenv_shared::path::WorkspacePath;

use crate::words::{self, catalogue::say};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terminals {
    pub list: Vec<Terminal>,
    pub active: Option<SessionId>,
    /// What this page ran last, and where.
    pub run: Option<Run>,
    /// Terminals whose output came faster than it could be shown.
    pub skipped: Vec<SessionId>,
    /// Terminals that were closed; what is still told of them, their end for example, brings none back.
    closed: BTreeSet<SessionId>,
}

/// A file that was run by this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub terminal: SessionId,
    pub path: WorkspacePath,
    pub command: String,
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
}

impl Terminals {
    pub fn get(&self, id: SessionId) -> Option<&Terminal> {
        self.list.iter().find(|terminal| terminal.terminal == id)
    }

    pub fn active(&self) -> Option<&Terminal> {
        self.get(self.active?)
    }

    /// The program that Stop is for: what this page ran last, or else a run in the shown terminal, if it still runs.
    pub fn running(&self) -> Option<&Terminal> {
        let ran = self.run.as_ref().and_then(|run| self.get(run.terminal));
        let shown = self.active().filter(|terminal| terminal.kind == TerminalKind::Run);
        ran.into_iter().chain(shown).find(|terminal| terminal.exit.is_none())
    }

    /// The terminal of an earlier run of this file that has ended: the next run takes its place.
    pub fn spent(&self, path: &WorkspacePath) -> Option<SessionId> {
        let run = self.run.as_ref().filter(|run| run.path == *path)?;
        self.get(run.terminal).filter(|terminal| terminal.exit.is_some()).map(|terminal| terminal.terminal)
    }

    /// What is to be said of the program that this page ran.
    pub fn news(&self, action: &TerminalsAction) -> Option<String> {
        match action {
            TerminalsAction::Ran(run) => Some(say!("run.runs", path = run.path)),
            TerminalsAction::Changed(changed) => {
                let run = self.run.as_ref().filter(|run| run.terminal == changed.terminal)?;
                let had_ended = self.get(changed.terminal)?.exit.is_some();
                let exit = changed.exit.filter(|_| !had_ended)?;
                Some(say!("run.ended", path = run.path, how = words::ended(exit)))
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
                if self.active().is_none() {
                    self.active = self.list.last().map(|terminal| terminal.terminal);
                }
            }
            TerminalsAction::Changed(changed) if self.closed.contains(&changed.terminal) => {}
            TerminalsAction::Changed(changed) => {
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
                self.run = Some(run);
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
            exit: exit.map(|code| Exit { code: Some(code), signal: None }),
        }
    }

    fn ran(id: u32, file: &str) -> TerminalsAction {
        let path = WorkspacePath::parse(file).unwrap();
        TerminalsAction::Ran(Run { terminal: SessionId(id), path, command: String::new() })
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
        assert_eq!(terminals.spent(&WorkspacePath::parse("a.py").unwrap()), Some(SessionId(2)));
        assert_eq!(terminals.spent(&WorkspacePath::parse("b.py").unwrap()), None);
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
