//! Commands in a room, told while they run as server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use embedenv_shared::code::ErrorCode;
use embedenv_shared::frame::Exit;
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
use crate::room::commands::{Running, Told};

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
}

/// Runs a command, in a terminal that everybody in the room sees. The answer is a stream of events whose data is JSON:
/// `started` (`terminal`: its number), `output` (`text`: what it printed, as it comes), `lost` (`bytes`: how many were not taken
/// in time), and at last `ended` (`code` or `signal`, `elapsed` in milliseconds, `memory` in bytes). Whoever ends the request
/// ends the command; what it has left in the background when it ends by itself goes on.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/commands", tag = "commands", operation_id = "runCommand", request_body = NewCommand,
    params(("room" = String, Path)),
    responses((status = 200, description = "It runs.", content_type = "text/event-stream", body = CommandEvent), Refused))]
pub(super) async fn run(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(NewCommand { project, command }): Body<NewCommand>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let room = room_to_work_in(&doors, &pair, &room).await?;
    if command.is_empty() {
        return Err(Problem::new(ErrorCode::BadRequest, "a command says something"));
    }
    let running = room.run_command(project_of(&project)?, command).await?;
    Ok(Sse::new(told(running)).keep_alive(KeepAlive::new().interval(PULSE)))
}

fn told(running: Running) -> impl Stream<Item = Result<Event, Infallible>> {
    let started = event("started", &json!({"terminal": running.session.id}));
    let rest = stream::unfold(running, async |mut running| {
        let event = match running.next().await? {
            Told::Output(text) => event("output", &json!({"text": text})),
            Told::Lost(bytes) => event("lost", &json!({"bytes": bytes})),
            Told::Ended(Exit { code, signal, elapsed, memory }) => {
                event("ended", &Ended { code, signal, elapsed, memory })
            }
        };
        Some((event, running))
    });
    stream::once(std::future::ready(started)).chain(rest).map(Ok)
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).json_data(data).expect("what is made here always serialises")
}
