//! Plain clients' `shell` commands: one command at a time in each project, lines of input for it, and the keys that
//! stop it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::Failure;
use embedenv_shared::command::Shell;
use embedenv_shared::frame::TerminalKind;
use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{Signal, SignalKind};
use embedenv_shared::path::ProjectName;
use tokio::time::Instant;

use super::Room;
use super::members::Member;
use super::session::Session;
use super::sessions::NewSession;
use crate::link::Typed;

/// Interrupts within this time of each other go from SIGINT to SIGTERM to SIGKILL.
const ESCALATION: Duration = Duration::from_secs(5);

/// The command that runs in each project.
#[derive(Debug, Default)]
pub struct Shells {
    running: parking_lot::Mutex<HashMap<ProjectName, Slot>>,
    /// Held from looking whether a command runs until the new one is listed, so that two at once don't both start.
    starting: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Slot {
    session: Arc<Session>,
    interrupts: u32,
    interrupted: Option<Instant>,
}

/// What became of a `shell` frame.
#[derive(Debug, PartialEq, Eq)]
pub enum ShellOutcome {
    /// A command runs.
    Started(SessionId),
    /// The one that runs was given a line or a signal.
    Done,
    /// There was nothing to interrupt: `terminal-data-end` to the asker alone.
    NothingRuns,
}

impl Shells {
    fn current(&self, project: &ProjectName) -> Option<Arc<Session>> {
        let mut running = self.running.lock();
        if running.get(project).is_some_and(|slot| slot.session.has_ended()) {
            running.remove(project);
        }
        running.get(project).map(|slot| slot.session.clone())
    }

    /// The commands that run now, for a plain client that joins.
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.running.lock().values().map(|slot| slot.session.clone()).filter(|session| !session.has_ended()).collect()
    }

    pub(super) fn found(&self, session: Arc<Session>) {
        let slot = Slot { session: session.clone(), interrupts: 0, interrupted: None };
        self.running.lock().insert(session.project.clone(), slot);
    }

    /// Counts an interrupt and says which signal it is.
    fn interrupt(&self, project: &ProjectName) -> SignalKind {
        let mut running = self.running.lock();
        let Some(slot) = running.get_mut(project) else { return SignalKind::Interrupt };
        let now = Instant::now();
        if slot.interrupted.is_none_or(|last| now - last > ESCALATION) {
            slot.interrupts = 0;
        }
        slot.interrupted = Some(now);
        slot.interrupts += 1;
        match slot.interrupts {
            1 => SignalKind::Interrupt,
            2 => SignalKind::Terminate,
            _ => SignalKind::Kill,
        }
    }
}

impl Room {
    /// Runs a command line, feeds the one that runs, or stops it.
    pub async fn shell(
        self: &Arc<Self>,
        member: &Member,
        project: &ProjectName,
        shell: Shell,
    ) -> Result<ShellOutcome, Failure> {
        let shell = match shell {
            Shell::Line(line) => return self.line(member, project, line).await,
            other => other,
        };
        let Some(session) = self.shells.current(project) else { return Ok(ShellOutcome::NothingRuns) };
        session.lease(|lease| lease.check(member.who))?;
        let signal = match shell {
            Shell::Interrupt => self.shells.interrupt(project),
            Shell::EndOfInput => SignalKind::EndOfInput,
            Shell::Kill | Shell::Line(_) => SignalKind::Kill,
        };
        self.link().await?.call(Signal { session: session.id, signal }).await?;
        Ok(ShellOutcome::Done)
    }

    async fn line(
        self: &Arc<Self>,
        member: &Member,
        project: &ProjectName,
        line: String,
    ) -> Result<ShellOutcome, Failure> {
        let _starting = self.shells.starting.lock().await;
        if let Some(session) = self.shells.current(project) {
            session.lease(|lease| lease.check(member.who))?;
            let mut input = line.into_bytes();
            input.push(b'\n');
            let link = self.link().await?;
            self.documents.flush_before_line(self, &input).await;
            if link.input(session.id, &input).await? == Typed::InFrames
                && let Some(handing_over) = link.handing_over()
            {
                handing_over.done().await;
            }
            return Ok(ShellOutcome::Done);
        }
        self.documents.flush(self).await;
        let new = NewSession::command(TerminalKind::Shell, project.clone(), line);
        let opened = self
            .open_session(new, |session| {
                self.shells.found(session.clone());
                self.follow_by_plain(session);
            })
            .await;
        match opened {
            Ok(opened) => Ok(ShellOutcome::Started(opened.session.id)),
            Err(failure) => {
                self.shells.running.lock().remove(project);
                Err(failure)
            }
        }
    }
}
