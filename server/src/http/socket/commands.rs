//! The reference's commands, from either kind of client.

use embedenv_shared::code::Failure;
use embedenv_shared::command::{Command, FrameId};
use embedenv_shared::event::What;
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
    let mut answer = Answer::Quietly;
    let done = match command {
        Command::Project(plan) => {
            let files = plan.files.len();
            room.plant(project.clone(), plan).await?;
            answer = Answer::With(ServerFrame::Msg { message: "project created".to_owned(), id });
            What::Planted { project, files }
        }
        Command::Create { path, item } => {
            room.create(project.clone(), path.clone(), item).await?;
            What::Created { project, path, item }
        }
        Command::Write { path, content } => {
            room.write(project.clone(), path.clone(), content).await?;
            What::Wrote { project, path }
        }
        Command::Rename { path, name } => {
            room.rename(project.clone(), path.clone(), name.clone()).await?;
            What::Renamed { project, path, name }
        }
        Command::Delete { path } => {
            room.delete(project.clone(), path.clone()).await?;
            What::Deleted { project, path }
        }
        Command::Shell(shell) => {
            let line = shell.line().map(What::command);
            match room.shell(&seat.member, &project, shell).await? {
                ShellOutcome::Started(terminal) => What::Ran { project, terminal, command: line },
                ShellOutcome::Done => return Ok(Answer::Quietly),
                ShellOutcome::NothingRuns => return Ok(Answer::With(ServerFrame::TerminalDataEnd)),
            }
        }
        Command::Curl(curl) => {
            // Started in order; later commands don't wait for its answer.
            room.start_curl(&seat.member, id, curl)?;
            return Ok(Answer::Elsewhere);
        }
    };
    room.events.note(room, &seat.member, done).await;
    Ok(answer)
}
