//! The terminals of the room: their tabs and how they stand, which one is shown, what this page ran in which, and which of
//! them rang. What they print is xterm.js's.

pub mod find;
pub mod strip;

use std::collections::BTreeSet;

use embedenv_shared::command::TerminalSignal;
use embedenv_shared::frame::{Terminal, TerminalKind};
use embedenv_shared::id::SessionId;
use embedenv_shared::path::WorkspacePath;

use crate::words::{self, catalogue::say};
use find::{Find, Outcome, Query};
use strip::{Kept, Strip};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terminals {
    /// By their ids; how they stand on this page is the strip's.
    pub list: Vec<Terminal>,
    pub strip: Strip,
    /// The one in use. Those that stand beside it are shown too.
    pub active: Option<SessionId>,
    /// What this page ran, and where, the last one last; as long as their terminals are there.
    pub runs: Vec<Run>,
    /// Programs that are being stopped, and the strongest signal that each was sent.
    pub stopping: Vec<(SessionId, TerminalSignal)>,
    /// Terminals whose output came faster than it could be shown.
    pub skipped: Vec<SessionId>,
    /// Terminals that rang while nobody looked at them here.
    pub rung: BTreeSet<SessionId>,
    /// The terminal that is being named.
    pub naming: Option<SessionId>,
    pub find: Option<Find>,
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
    /// As they stood before the page was loaded anew.
    Arrange(Kept),
    /// Puts a terminal to the right of another one.
    Split {
        beside: SessionId,
        id: SessionId,
    },
    /// Shows a terminal by itself again.
    TakeOut(SessionId),
    /// Puts a terminal before the one at a place of the order.
    Move {
        id: SessionId,
        at: usize,
    },
    Shift {
        id: SessionId,
        steps: i32,
    },
    /// The share of a terminal of what it and the next one have, in thousandths.
    Share {
        before: SessionId,
        share: u32,
    },
    Rang(SessionId),
    /// Somebody looks at the shown terminals.
    LookedAt,
    Name(Option<SessionId>),
    /// Opens the bar with which something is looked for.
    Find(SessionId),
    Query(Query),
    Found(Outcome),
    CloseFind,
}

impl Terminals {
    pub fn get(&self, id: SessionId) -> Option<&Terminal> {
        self.list.iter().find(|terminal| terminal.terminal == id)
    }

    pub fn active(&self) -> Option<&Terminal> {
        self.get(self.active?)
    }

    /// All of them, as they stand.
    pub fn in_order(&self) -> impl Iterator<Item = &Terminal> {
        self.strip.order().into_iter().filter_map(|id| self.get(id))
    }

    /// The terminals that are shown: the active one and those beside it.
    pub fn shown(&self) -> Vec<SessionId> {
        self.active.map(|id| self.strip.together(id)).unwrap_or_default()
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
            TerminalsAction::Ran(run) => {
                // What is quick has ended before it is known whose it was.
                let ended = self.get(run.terminal).and_then(|terminal| terminal.exit);
                let runs = || say!("run.runs", name = run.what.name());
                Some(ended.map_or_else(runs, |exit| words::ended_aloud(run.what.name(), exit)))
            }
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
                self.list.retain(|terminal| !terminal.kind.is_piped());
                self.closed.clear();
                self.list.sort_unstable_by_key(|terminal| terminal.terminal);
                self.forget_gone();
                if self.active().is_none() {
                    self.active = self.list.last().map(|terminal| terminal.terminal);
                }
            }
            // A command without a terminal is its client's affair.
            TerminalsAction::Changed(changed) if changed.kind.is_piped() || self.closed.contains(&changed.terminal) => {
            }
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
                        self.strip.follow(self.list.iter().map(|terminal| terminal.terminal));
                    }
                }
            }
            TerminalsAction::Closed(id) => self.close(id),
            TerminalsAction::Activate(id) => self.active = Some(id),
            TerminalsAction::Arrange(kept) => self.strip.restore(&kept),
            TerminalsAction::Split { beside, id } => {
                self.strip.split(beside, id);
            }
            TerminalsAction::TakeOut(id) => self.strip.take_out(id),
            TerminalsAction::Move { id, at } => self.strip.move_to(id, at),
            TerminalsAction::Shift { id, steps } => self.strip.shift(id, steps),
            TerminalsAction::Share { before, share } => self.strip.resize(before, share),
            TerminalsAction::Rang(id) => {
                if self.get(id).is_some() {
                    self.rung.insert(id);
                }
            }
            TerminalsAction::LookedAt => {
                for id in self.shown() {
                    self.rung.remove(&id);
                }
            }
            TerminalsAction::Name(naming) => self.naming = naming,
            TerminalsAction::Find(terminal) => {
                let before = self.find.take();
                let asked = before.as_ref().map_or(0, |find| find.asked) + 1;
                let query = before.map(|find| find.query).unwrap_or_default();
                self.find = Some(Find { terminal, query, outcome: Outcome::Nothing, asked });
            }
            TerminalsAction::Query(query) => {
                if let Some(find) = &mut self.find {
                    find.query = query;
                }
            }
            TerminalsAction::Found(outcome) => {
                if let Some(find) = &mut self.find {
                    find.outcome = outcome;
                }
            }
            TerminalsAction::CloseFind => self.find = None,
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
        let order = self.strip.order();
        let Some(at) = order.iter().position(|other| *other == id) else { return };
        if self.active == Some(id) {
            let together = self.strip.together(id);
            let place = together.iter().position(|other| *other == id).unwrap_or_default();
            let beside = together.get(place + 1).or(place.checked_sub(1).and_then(|at| together.get(at)));
            self.active = beside.or(order.get(at + 1)).or(at.checked_sub(1).and_then(|at| order.get(at))).copied();
        }
        self.list.retain(|terminal| terminal.terminal != id);
        self.forget_gone();
    }

    /// Forgets what was known of terminals that are no more.
    fn forget_gone(&mut self) {
        self.strip.follow(self.list.iter().map(|terminal| terminal.terminal));
        let is_there = |id: &SessionId| self.list.iter().any(|terminal| terminal.terminal == *id);
        self.skipped.retain(is_there);
        self.runs.retain(|run| is_there(&run.terminal));
        let runs = |id: SessionId| self.list.iter().any(|it| it.terminal == id && it.exit.is_none());
        self.stopping.retain(|(id, _)| runs(*id));
        self.rung.retain(is_there);
        self.naming = self.naming.filter(is_there);
        self.find = self.find.take().filter(|find| is_there(&find.terminal));
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
            errors: None,
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
    fn of_two_side_by_side_the_other_is_shown_when_one_is_closed() {
        let mut terminals = Terminals::default();
        terminals
            .reduce(TerminalsAction::Listed([1, 2, 3].map(|id| terminal(id, TerminalKind::Terminal, None)).into()));
        terminals.reduce(TerminalsAction::Split { beside: SessionId(1), id: SessionId(3) });
        terminals.reduce(TerminalsAction::Activate(SessionId(3)));
        assert_eq!(terminals.shown(), [SessionId(1), SessionId(3)]);
        terminals.reduce(TerminalsAction::Closed(SessionId(3)));
        assert_eq!((terminals.active, terminals.shown()), (Some(SessionId(1)), vec![SessionId(1)]));
    }

    #[test]
    fn a_bell_is_kept_until_somebody_looks() {
        let mut terminals = Terminals::default();
        terminals.reduce(TerminalsAction::Listed([1, 2].map(|id| terminal(id, TerminalKind::Terminal, None)).into()));
        terminals.reduce(TerminalsAction::Rang(SessionId(1)));
        terminals.reduce(TerminalsAction::Rang(SessionId(9)));
        terminals.reduce(TerminalsAction::LookedAt);
        assert_eq!(terminals.rung.iter().map(|id| id.0).collect::<Vec<_>>(), [1], "the second one is shown");
        terminals.reduce(TerminalsAction::Activate(SessionId(1)));
        terminals.reduce(TerminalsAction::LookedAt);
        assert!(terminals.rung.is_empty());
    }

    #[test]
    fn the_bar_keeps_what_was_looked_for_and_goes_with_its_terminal() {
        let mut terminals = Terminals::default();
        terminals.reduce(TerminalsAction::Listed(vec![terminal(1, TerminalKind::Terminal, None)]));
        terminals.reduce(TerminalsAction::Find(SessionId(1)));
        terminals.reduce(TerminalsAction::Query(Query { text: "x".into(), ..Query::default() }));
        terminals.reduce(TerminalsAction::Find(SessionId(1)));
        let find = terminals.find.clone().unwrap();
        assert_eq!((find.query.text.as_str(), find.asked), ("x", 2));
        terminals.reduce(TerminalsAction::Closed(SessionId(1)));
        assert_eq!(terminals.find, None);
    }

    #[test]
    fn what_is_over_before_it_is_known_whose_it_was_is_told_as_ended() {
        let mut terminals = Terminals::default();
        terminals.reduce(TerminalsAction::Changed(terminal(1, TerminalKind::Run, None)));
        terminals.reduce(TerminalsAction::Changed(terminal(2, TerminalKind::Run, Some(3))));
        let said = |id, path| terminals.news(&ran(id, path)).unwrap();
        assert!(!said(1, "a.py").contains('3'), "{}", said(1, "a.py"));
        assert!(said(2, "b.py").contains('3'), "{}", said(2, "b.py"));
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
