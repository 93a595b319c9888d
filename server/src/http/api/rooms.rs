//! Rooms of a key pair: opened, looked at, ended.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::SandboxState;
use embedenv_shared::id::RoomId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use super::asked::Body;
use super::paging;
use super::pair::Pair;
use crate::config::DEFAULT_SPACE;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::RoomRow;
use crate::room::Room;
use crate::room::registry::{MAX_METADATA, Opened, Stay};

/// By which a request that is sent again is the same one.
const IDEMPOTENCY: &str = "idempotency-key";

/// A room that lives.
#[derive(Serialize, ToSchema)]
#[schema(as = Room)]
pub(super) struct RoomBody {
    room: String,
    space: String,
    created: u64,
    last_used: u64,
    sandbox: Standing,
    /// How many are connected.
    connections: usize,
    /// Minutes for which a sandbox of it ran.
    minutes: u64,
    /// When it ends whatever happens in it, in milliseconds since 1970, if its host said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<u64>,
    /// What its host wrote on it.
    metadata: BTreeMap<String, String>,
}

/// How a room's sandbox stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    Starting,
    Ready,
    /// It sleeps, or has ended by itself. Whoever comes wakes it; files are kept.
    Gone,
}

impl RoomBody {
    fn new(row: &RoomRow, room: &Room) -> Self {
        let sandbox = match room.sandbox.state() {
            SandboxState::Starting => Standing::Starting,
            SandboxState::Ready => Standing::Ready,
            SandboxState::Gone => Standing::Gone,
        };
        Self {
            room: row.room.to_string(),
            space: row.space.clone(),
            created: row.created.unsigned_abs(),
            last_used: row.last_used.unsigned_abs(),
            sandbox,
            connections: room.members.all().len(),
            minutes: row.minutes,
            ends_at: row.ends_at.map(i64::unsigned_abs),
            metadata: row.metadata(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Rooms {
    rooms: Vec<RoomBody>,
    /// For the next page's `after`; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    /// The default space if it is left out.
    space: Option<String>,
    /// Seconds from now after which it ends with its files, used or not; until then its sandbox stays awake. At most what
    /// the server lets rooms live. If it is left out it ends when it was not used for long.
    #[schema(minimum = 1)]
    timeout: Option<u64>,
    /// Texts by name, for its host's own use: 32 at most, of 4,096 bytes together.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoomChange {
    /// Seconds from now after which it ends; `null` if only for want of use.
    #[schema(minimum = 1)]
    #[serde(deserialize_with = "Option::deserialize")]
    timeout: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Sought {
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    #[serde(skip)]
    metadata: Vec<(String, String)>,
}

/// As [`Asked`], which takes no name twice.
impl<S: Send + Sync> FromRequestParts<S> for Sought {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let (members, others): (Vec<&str>, Vec<&str>) =
            query.split('&').partition(|part| part.split('=').next() == Some("metadata"));
        let bad = || Problem::new(ErrorCode::BadRequest, "metadata is NAME=VALUE");
        let member = |part: &str| {
            let text = part.split_once('=').map_or("", |(_, text)| text).replace('+', " ");
            let text = percent_encoding::percent_decode_str(&text).decode_utf8().map_err(|_| bad())?;
            let (name, value) = text.split_once('=').ok_or_else(bad)?;
            Ok((name.to_owned(), value.to_owned()))
        };
        if members.len() > MAX_METADATA {
            return Err(Problem::new(ErrorCode::TooLarge, format!("metadata has {MAX_METADATA} members at most")));
        }
        let metadata = members.into_iter().map(member).collect::<Result<_, Problem>>()?;
        let others = format!("/?{}", others.join("&")).parse().map_err(|_| bad())?;
        let Query(sought) =
            Query::<Self>::try_from_uri(&others).map_err(|why| Problem::new(ErrorCode::BadRequest, why.body_text()))?;
        Ok(Self { metadata, ..sought })
    }
}

/// A room that was opened, with what its host hands on.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenedRoom {
    room: String,
    space: String,
    /// A join key of an editor's: `/w#join=KEY` is the link.
    join: String,
    /// A join key of the owner's.
    owner: String,
    remaining_credits: i64,
}

/// The room of a path, if it is the pair's: another one looks like none.
pub(super) async fn room_of(
    doors: &Doors,
    pair: &Pair,
    room: &str,
) -> Result<(std::sync::Arc<Room>, RoomRow), Problem> {
    let room: RoomId = room.parse().map_err(|_| Failure::new(ErrorCode::NotFound, "there is no such room"))?;
    Ok(doors.registry.room_of(&pair.0, room).await?)
}

/// The rooms that live, by id.
#[utoipa::path(get, path = "/api/v1/rooms", tag = "rooms", operation_id = "listRooms", params(Sought,
    ("metadata" = Option<Vec<String>>, Query, description = "`NAME=VALUE`, once or several times: rooms alone whose metadata have all of them")),
    responses((status = 200, description = "As asked.", body = Rooms), Refused))]
pub(super) async fn list(
    State(doors): State<Doors>,
    pair: Pair,
    Sought { after, limit, metadata }: Sought,
) -> Result<axum::Json<Rooms>, Problem> {
    let limit = paging::limit(limit)?;
    let rows = doors.registry.rooms_of(&pair.0, &after, limit + 1, &metadata).await?;
    let (rows, next) = paging::page(rows, limit, |row| row.room.to_string());
    let rooms = rows.iter().filter_map(|row| Some(RoomBody::new(row, &*doors.registry.find(row.room)?)));
    Ok(axum::Json(Rooms { rooms: rooms.collect(), next }))
}

/// Opens a room for one credit. Sent again with the same `Idempotency-Key` within two days it is the same room, and costs
/// nothing more.
#[utoipa::path(post, path = "/api/v1/rooms", tag = "rooms", operation_id = "openRoom", request_body = NewRoom,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 256 characters; good once with these parameters", min_length = 1, max_length = 256)),
    responses((status = 201, description = "Made.", body = OpenedRoom, headers(("Location" = String, description = "Where the room is"))), Refused))]
pub(super) async fn open(
    State(doors): State<Doors>,
    pair: Pair,
    headers: HeaderMap,
    Body(NewRoom { space, timeout, metadata }): Body<NewRoom>,
) -> Result<impl IntoResponse, Problem> {
    let space = space.unwrap_or_else(|| DEFAULT_SPACE.to_owned());
    let key = headers.get(IDEMPOTENCY).map(|key| {
        let bad = |_| Failure::new(ErrorCode::BadRequest, "Idempotency-Key must be visible ASCII");
        key.to_str().map_err(bad)
    });
    let opened = doors.registry.open_for_pair(pair.0, &space, key.transpose()?, Stay { timeout, metadata }).await?;
    let Opened { room, join, owner, remaining_credits } = opened;
    let id = room.id.to_string();
    let location = AppendHeaders([(LOCATION, format!("/api/v1/rooms/{id}"))]);
    let body = OpenedRoom { room: id, space: room.space.clone(), join, owner, remaining_credits };
    Ok((StatusCode::CREATED, location, axum::Json(body)))
}

/// How a room stands.
#[utoipa::path(get, path = "/api/v1/rooms/{room}", tag = "rooms", operation_id = "showRoom",
    params(("room" = String, Path)), responses((status = 200, description = "As asked.", body = RoomBody), Refused))]
pub(super) async fn show(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
) -> Result<axum::Json<RoomBody>, Problem> {
    let (room, row) = room_of(&doors, &pair, &room).await?;
    Ok(axum::Json(RoomBody::new(&row, &room)))
}

/// Sets anew when a room ends, counted from now.
#[utoipa::path(patch, path = "/api/v1/rooms/{room}", tag = "rooms", operation_id = "changeRoom", request_body = RoomChange,
    params(("room" = String, Path)), responses((status = 200, description = "Done.", body = RoomBody), Refused))]
pub(super) async fn change(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(RoomChange { timeout }): Body<RoomChange>,
) -> Result<axum::Json<RoomBody>, Problem> {
    let (room, row) = room_of(&doors, &pair, &room).await?;
    let ends_at = doors.registry.set_timeout(&room, timeout).await?;
    Ok(axum::Json(RoomBody::new(&RoomRow { ends_at, ..row }, &room)))
}

/// Ends a room, with its files. Who is in it is told.
#[utoipa::path(delete, path = "/api/v1/rooms/{room}", tag = "rooms", operation_id = "endRoom",
    params(("room" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn end(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
) -> Result<StatusCode, Problem> {
    let (room, _) = room_of(&doors, &pair, &room).await?;
    doors.registry.end(&room).await;
    Ok(StatusCode::NO_CONTENT)
}
