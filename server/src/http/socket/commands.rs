//! The reference's commands, from either kind of client.

use embedenv_shared::code::Failure;
use embedenv_shared::command::{Command, FrameId};
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::path::ProjectName;

use crate::room::members::Seat;
use crate::room::shells::ShellOutcome;

/// How a frame is answered.
#[derive(Debug)]
pub(super) enum Answer {
    With(ServerFrame),
    /// No reply of its own: `done`, if the frame carried an id.
    Quietly,
    /// The replies are in the outbox already, or come later.
    Elsewhere,
}

/// Carries a command out.
pub(super) async fn carry_out(
    seat: &Seat,
    id: Option<FrameId>,
    project: ProjectName,
    command: Command,
) -> Result<Answer, Failure> {
    let room = seat.room();
    match command {
        Command::Project(plan) => {
            room.plant(project, plan).await?;
            return Ok(Answer::With(ServerFrame::Msg { message: "project created".to_owned(), id }));
        }
        Command::Create { path, item } => room.create(project, path, item).await?,
        Command::Write { path, content } => room.write(project, path, content).await?,
        Command::Rename { path, name } => room.rename(project, path, name).await?,
        Command::Delete { path } => room.delete(project, path).await?,
        Command::Shell(shell) => {
            if room.shell(&project, shell).await? == ShellOutcome::NothingRuns {
                return Ok(Answer::With(ServerFrame::TerminalDataEnd));
            }
        }
        Command::Curl(curl) => {
            // Started in order; later commands don't wait for its answer.
            room.start_curl(&seat.member, id, curl)?;
            return Ok(Answer::Elsewhere);
        }
    }
    Ok(Answer::Quietly)
}
