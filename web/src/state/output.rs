//! What ran in the room and what the page has said: the rows of the panel Output. Who ran what is told by the room's
//! events, how it ended by its terminal; here it comes together.

use std::collections::BTreeMap;
use std::rc::Rc;

use embedenv_shared::code::Failure;
use embedenv_shared::event::{RoomEvent, What};
use embedenv_shared::frame::{Exit, Terminal};
use embedenv_shared::id::{MemberId, SessionId};

/// Runs that are listed; older ones are left out.
pub const MAX_ROWS: usize = 200;
/// Messages that are kept; the oldest make room.
pub const MAX_MESSAGES: usize = 200;
/// An event tells so many characters of a command; one that is as long may be cut, and is not run again.
const CUT: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// How programs ended whose terminals may be gone by now.
    ends: BTreeMap<SessionId, Exit>,
    /// Oldest first.
    pub messages: Vec<Message>,
}

/// Something that the page said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// In milliseconds since 1970.
    pub at: u64,
    pub text: String,
    /// What the server said, if it was the server.
    pub failure: Option<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputAction {
    Said(Message),
    ClearMessages,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub event: u64,
    pub terminal: SessionId,
    pub member: MemberId,
    pub user: String,
    pub command: String,
    /// The whole command is known.
    pub is_whole: bool,
    /// When it was started, in milliseconds since 1970.
    pub at: u64,
    pub standing: Standing,
    /// Its terminal can be shown.
    pub is_there: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Runs,
    Ended(Exit),
    /// Its terminal was closed, or went with its sandbox, before this page heard how it ended.
    Unknown,
}

impl Output {
    pub fn reduce(&mut self, action: OutputAction) {
        match action {
            OutputAction::Said(message) => {
                self.messages.push(message);
                let surplus = self.messages.len().saturating_sub(MAX_MESSAGES);
                self.messages.drain(..surplus);
            }
            OutputAction::ClearMessages => self.messages.clear(),
        }
    }

    /// Takes note of how a program ended.
    pub fn heard(&mut self, terminal: &Terminal) {
        if let Some(exit) = terminal.exit {
            self.ends.insert(terminal.terminal, exit);
        }
    }

    /// Another sandbox numbers its terminals anew.
    pub fn forget_ends(&mut self) {
        self.ends.clear();
    }

    /// Runs whose command or person fits what is looked for, newest first.
    pub fn rows(&self, events: &[Rc<RoomEvent>], terminals: &[Terminal], filter: &str) -> Vec<Row> {
        let filter = filter.trim().to_lowercase();
        let fits = |text: &str| text.to_lowercase().contains(&filter);
        let mut seen: Vec<SessionId> = Vec::new();
        let mut rows = Vec::new();
        for event in events.iter().rev() {
            let What::Ran { terminal, command: Some(command), .. } = &event.what else { continue };
            // Of events with one number, those before the last are of sandboxes that are gone.
            let is_last = !seen.contains(terminal);
            seen.push(*terminal);
            if rows.len() == MAX_ROWS {
                break;
            }
            if !fits(command) && !fits(&event.by.user) {
                continue;
            }
            let there = terminals.iter().find(|known| is_last && known.terminal == *terminal);
            let exit =
                there.and_then(|known| known.exit).or_else(|| self.ends.get(terminal).copied().filter(|_| is_last));
            let standing = match exit {
                Some(exit) => Standing::Ended(exit),
                None if there.is_some() => Standing::Runs,
                None => Standing::Unknown,
            };
            rows.push(Row {
                event: event.number,
                terminal: *terminal,
                member: event.by.member,
                user: event.by.user.clone(),
                command: command.clone(),
                is_whole: command.chars().count() < CUT,
                at: event.at,
                standing,
                is_there: there.is_some(),
            });
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedenv_shared::event::Author;
    use embedenv_shared::frame::TerminalKind;
    use embedenv_shared::id::Role;
    use embedenv_shared::path::ProjectName;

    fn ran(number: u64, terminal: u32, user: &str, command: Option<&str>) -> Rc<RoomEvent> {
        let by = Author { member: MemberId(1), user: user.to_owned(), color: String::new(), role: Role::Editor };
        let project = ProjectName::parse("p").unwrap();
        let what = What::Ran { project, terminal: SessionId(terminal), command: command.map(str::to_owned) };
        Rc::new(RoomEvent { number, at: number * 10, by, what })
    }

    fn terminal(id: u32, exit: Option<i32>) -> Terminal {
        Terminal {
            terminal: SessionId(id),
            title: String::new(),
            kind: TerminalKind::Run,
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

    #[test]
    fn runs_are_listed_newest_first_with_how_they_ended() {
        let mut output = Output::default();
        output.heard(&terminal(2, Some(1)));
        let events = [
            ran(1, 1, "Ada", Some("a")),
            ran(2, 2, "Bob", Some("b")),
            ran(3, 3, "Ada", None),
            ran(4, 4, "Ada", Some("d")),
        ];
        let rows = output.rows(&events, &[terminal(4, None)], "");
        let told: Vec<_> = rows.iter().map(|row| (row.command.as_str(), row.standing, row.is_there)).collect();
        let ended = Standing::Ended(Exit { code: Some(1), ..Exit::default() });
        assert_eq!(told, [("d", Standing::Runs, true), ("b", ended, false), ("a", Standing::Unknown, false)]);
        assert_eq!(output.rows(&events, &[], "bo").len(), 1);
    }

    #[test]
    fn a_terminal_of_a_sandbox_that_is_gone_is_not_the_one_of_its_number() {
        let output = Output::default();
        let events = [ran(1, 1, "Ada", Some("old")), ran(2, 1, "Ada", Some("new"))];
        let rows = output.rows(&events, &[terminal(1, Some(0))], "");
        assert!(rows[0].is_there && !rows[1].is_there);
        assert_eq!(rows[1].standing, Standing::Unknown);
    }

    #[test]
    fn the_oldest_messages_make_room() {
        let mut output = Output::default();
        for at in 0..=MAX_MESSAGES as u64 {
            output.reduce(OutputAction::Said(Message { at, text: String::new(), failure: None }));
        }
        assert_eq!((output.messages.len(), output.messages[0].at), (MAX_MESSAGES, 1));
    }
}
