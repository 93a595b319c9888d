//! Commands without a terminal that members start and feed. Their logs are sessions like all others; what differs is how
//! they begin, and that whoever feeds one is told when it has taken that.

use std::collections::BTreeMap;
use std::sync::Arc;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FrameId;
use embedenv_shared::event::What;
use embedenv_shared::frame::{ServerFrame, TerminalKind};
use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::{Bounds, Feed, MAX_FEED};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use tokio::sync::oneshot;

use super::Room;
use super::members::Member;
use super::sessions::{NewSession, Piping};

/// The longest time after which a process may be told to be killed, in milliseconds: 30 days.
pub const MAX_TIMEOUT: u64 = 30 * 24 * 60 * 60 * 1000;

/// What a member or a backend wants run.
#[derive(Debug)]
pub struct NewProcess {
    pub project: ProjectName,
    pub folder: WorkspacePath,
    pub command: String,
    pub environment: BTreeMap<String, String>,
    pub is_fed: bool,
    pub bounds: Bounds,
}

impl NewProcess {
    /// As the session that it becomes; `bad_request` for a time that nothing may take.
    pub fn checked(self) -> Result<NewSession, Failure> {
        if self.bounds.elapsed.is_some_and(|most| !(1..=MAX_TIMEOUT).contains(&most)) {
            let message = format!("a timeout is 1 to {MAX_TIMEOUT} milliseconds");
            return Err(Failure::new(ErrorCode::BadRequest, message));
        }
        if self.command.is_empty() {
            return Err(Failure::new(ErrorCode::BadRequest, "a command says something"));
        }
        let piping = Some(Piping { is_fed: self.is_fed, bounds: self.bounds });
        let (folder, environment) = (self.folder, self.environment);
        let command = NewSession::command(TerminalKind::Process, self.project, self.command);
        Ok(NewSession { folder, environment, piping, ..command })
    }
}

impl Room {
    /// Starts a process for a member, who reads both of its logs from the first byte on.
    pub async fn start_process(
        self: &Arc<Self>,
        member: &Arc<Member>,
        id: Option<FrameId>,
        process: NewProcess,
    ) -> Result<(), Failure> {
        let (project, ran) = (process.project.clone(), What::command(&process.command));
        let new = NewSession { opener: Some(member.who), ..process.checked()? };
        // What is still waiting to be saved is in the files before a command reads them.
        self.documents.flush(self).await;
        let opened = self
            .open_session(new, |log| {
                log.attach(member.id, member.outbox.wake());
            })
            .await?;
        let process = opened.session.id;
        let errors = opened.session.errors.unwrap_or(process);
        member.outbox.send(&ServerFrame::ProcessStarted { id, process, errors });
        opened.logs().for_each(|log| member.read(log.clone()));
        self.events.note(self, member, What::Ran { project, terminal: process, command: Some(ran) }).await;
        Ok(())
    }

    /// Feeds a process. The bytes are on their way when this returns; `done`, or an `error`, goes to the member's outbox once
    /// it has taken them, or will not.
    pub async fn feed(
        self: &Arc<Self>,
        member: &Member,
        id: Option<FrameId>,
        process: SessionId,
        bytes: Vec<u8>,
        ends: bool,
    ) -> Result<(), Failure> {
        if bytes.len() > MAX_FEED {
            return Err(Failure::new(
                ErrorCode::TooLarge,
                format!("a process is fed {MAX_FEED} bytes at once at most"),
            ));
        }
        self.sessions.get(process)?.lease(|lease| lease.check(member.who))?;
        let link = self.link().await?;
        let outbox = member.outbox.clone();
        let (told, sent) = oneshot::channel();
        self.spawn("feed", async move {
            let taken = match link.ask(Feed { session: process, bytes, ends }).await {
                Ok(taken) => taken,
                Err(failure) => return drop(told.send(Err(failure))),
            };
            let _ = told.send(Ok(()));
            tokio::select! {
                outcome = taken => outbox.send(&match outcome {
                    Ok(_) => ServerFrame::done(id),
                    Err(Failure { code, message }) => ServerFrame::Error { code, message, id },
                }),
                // Nobody is there any more to be told.
                () = outbox.closed() => {}
            }
        });
        sent.await.unwrap_or_else(|_| Err(Failure::new(ErrorCode::Unavailable, "the server is going down")))
    }
}
