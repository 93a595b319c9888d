//! Commands in a room, told while they run as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{Exit, TerminalKind};
use embedenv_shared::link::sessions::Bounds;
use embedenv_shared::path::WorkspacePath;
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::Refused;
use super::asked::Body;
use super::files::{project_of, room_to_work_in};
use super::pair::Pair;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::room::commands::{Running, Stream as Printed, Told};
use crate::room::processes::NewProcess;
use crate::room::sessions::NewSession;

/// A comment is sent as often while a command says nothing, so that nothing on the way takes the connection for dead.
const PULSE: Duration = Duration::from_secs(15);

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCommand {
    /// In whose folder it runs.
    #[schema(min_length = 1)]
    project: String,
    /// A line for bash.
    #[schema(min_length = 1)]
    command: String,
    /// False for a command on pipes, whose output and errors are told apart. In a terminal if it is left out.
    #[serde(default = "in_a_terminal")]
    terminal: bool,
    /// The folder of the project in which it begins; the project's own if it is left out.
    folder: Option<String>,
    /// Variables on top of those of a login shell, or in their stead.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// What it reads, if it has no terminal; nothing if it is left out.
    #[schema(max_length = 16_777_216)]
    stdin: Option<String>,
    /// After how many milliseconds it is killed, if it has no terminal.
    #[schema(minimum = 1, maximum = 2_592_000_000_u64)]
    timeout: Option<u64>,
}

fn in_a_terminal() -> bool {
    true
}

/// One event of a command's stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(super) struct CommandEvent {
    event: EventName,
    /// JSON, as each event says.
    data: String,
}

/// What an event tells.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only described")]
enum EventName {
    Started,
    Output,
    Stdout,
    Stderr,
    Lost,
    Ended,
}

/// How a command ended: with a code, or by a signal.
#[derive(Serialize)]
struct Ended {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    /// From its start to its end, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed: Option<u64>,
    /// The most memory that one of its processes had resident, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    /// Processor time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<u64>,
    /// Its time was up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    timed_out: bool,
}

/// Runs a command, in a terminal that everybody in the room sees, or with `terminal` false on pipes. The answer is a stream of
/// events whose data is JSON: `started` (`terminal`: its number), `output` (`text`: what it printed, as it comes), `lost` (`bytes`:
/// how many were not taken in time), and at last `ended` (`code` or `signal`, `elapsed` and `cpu` in milliseconds, `memory` in
/// bytes, `timed_out`). Without a terminal the number is `process`, and `stdout` and `stderr` stand for `output`, which `lost` names in
/// `of`. Whoever ends the request ends the command; what a command in a terminal has left in the background when it ends by
/// itself goes on.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/commands", tag = "commands", operation_id = "runCommand", request_body = NewCommand,
    params(("room" = String, Path)),
    responses((status = 200, description = "It runs.", content_type = "text/event-stream", body = CommandEvent), Refused))]
pub(super) async fn run(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(wanted): Body<NewCommand>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    let (new, input) = wanted.checked()?;
    let running = room.run_command(new, input).await?;
    Ok(Sse::new(told(running)).keep_alive(KeepAlive::new().interval(PULSE)))
}

impl NewCommand {
    fn checked(self) -> Result<(NewSession, Vec<u8>), Problem> {
        if self.command.is_empty() {
            return Err(Problem::new(ErrorCode::BadRequest, "a command says something"));
        }
        let project = project_of(&self.project)?;
        let folder = WorkspacePath::parse_or_root(self.folder.as_deref().unwrap_or_default()).map_err(Failure::from)?;
        let environment = self.environment;
        if self.terminal {
            if self.stdin.is_some() || self.timeout.is_some() {
                let message = "stdin and timeout are for commands without a terminal";
                return Err(Problem::new(ErrorCode::BadRequest, message));
            }
            let new = NewSession::command(TerminalKind::Shell, project, self.command);
            return Ok((NewSession { folder, environment, ..new }, Vec::new()));
        }
        let input = self.stdin.unwrap_or_default().into_bytes();
        let bounds = Bounds { elapsed: self.timeout, ..Bounds::default() };
        let is_fed = !input.is_empty();
        let process = NewProcess { project, folder, command: self.command, environment, is_fed, bounds };
        Ok((process.checked()?, input))
    }
}

fn told(running: Running) -> impl Stream<Item = Result<Event, Infallible>> {
    let number = running.session.id;
    let started =
        if running.session.kind.is_piped() { json!({"process": number}) } else { json!({"terminal": number}) };
    let rest = stream::unfold(running, async |mut running| {
        let event = match running.next().await? {
            Told::Output(of, text) => event(name(of), &json!({"text": text})),
            Told::Lost(Printed::Terminal, bytes) => event("lost", &json!({"bytes": bytes})),
            Told::Lost(of, bytes) => event("lost", &json!({"bytes": bytes, "of": name(of)})),
            Told::Ended(Exit { code, signal, elapsed, memory, cpu, timed_out }) => {
                event("ended", &Ended { code, signal, elapsed, memory, cpu, timed_out })
            }
        };
        Some((event, running))
    });
    stream::once(std::future::ready(event("started", &started))).chain(rest).map(Ok)
}

/// What the event of output is called.
fn name(of: Printed) -> &'static str {
    match of {
        Printed::Terminal => "output",
        Printed::Output => "stdout",
        Printed::Errors => "stderr",
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).json_data(data).expect("what is made here always serialises")
}
