//! Join keys of a room: who comes, as what, how long and how often.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::JoinKey;
use embedenv_shared::id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Body, whole};
use super::pair::Pair;
use super::rooms::room_of;
use crate::http::Doors;
use crate::http::problem::Problem;

#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Viewer,
    Editor,
    Owner,
}

impl From<Role> for id::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Editor => Self::Editor,
            Role::Owner => Self::Owner,
        }
    }
}

impl From<id::Role> for Role {
    fn from(role: id::Role) -> Self {
        match role {
            id::Role::Viewer => Self::Viewer,
            id::Role::Editor => Self::Editor,
            id::Role::Owner => Self::Owner,
        }
    }
}

/// A join key of a room.
#[derive(Serialize, ToSchema)]
#[schema(as = JoinKey)]
pub(super) struct JoinKeyBody {
    number: u32,
    /// `/w#join=KEY` is the link.
    join: String,
    role: Role,
    created: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    /// How many may come by it; any number if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u32>,
    used: u32,
    /// Nobody comes by it any more; somebody is still here who did.
    over: bool,
}

impl From<JoinKey> for JoinKeyBody {
    fn from(key: JoinKey) -> Self {
        let JoinKey { number, join, role, created, expires, uses, used, over, .. } = key;
        Self { number, join, role: role.into(), created, expires, uses, used, over }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct JoinKeys {
    keys: Vec<JoinKeyBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewJoinKey {
    role: Role,
    /// Seconds for which it is good; as long as the room lives if absent.
    #[schema(minimum = 1, maximum = 316_224_000)]
    #[serde(default, deserialize_with = "whole")]
    ttl: Option<u64>,
    /// How many may come by it; any number if absent.
    #[schema(minimum = 1, maximum = 10_000)]
    #[serde(default, deserialize_with = "whole")]
    uses: Option<u64>,
}

/// The keys by which somebody may come, and those by which somebody is here.
#[utoipa::path(get, path = "/api/v1/rooms/{room}/keys", tag = "join keys", operation_id = "listJoinKeys",
    params(("room" = String, Path)), responses((status = 200, description = "As asked.", body = JoinKeys), Refused))]
pub(super) async fn list(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
) -> Result<axum::Json<JoinKeys>, Problem> {
    let (room, _) = room_of(&doors, &pair, &room).await?;
    let keys = doors.registry.keys(&room, id::Role::Owner).await?;
    Ok(axum::Json(JoinKeys { keys: keys.into_iter().map(JoinKeyBody::from).collect() }))
}

/// Makes another key.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/keys", tag = "join keys", operation_id = "mintJoinKey",
    request_body = NewJoinKey, params(("room" = String, Path)), responses((status = 201, description = "Made.", body = JoinKeyBody), Refused))]
pub(super) async fn mint(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(NewJoinKey { role, ttl, uses }): Body<NewJoinKey>,
) -> Result<(StatusCode, axum::Json<JoinKeyBody>), Problem> {
    let (room, _) = room_of(&doors, &pair, &room).await?;
    // More than there can be is refused like any other number that is too large.
    let uses = uses.map(|uses| u32::try_from(uses).unwrap_or(u32::MAX));
    let key = doors.registry.mint(&room, None, role.into(), ttl, uses).await?;
    Ok((StatusCode::CREATED, axum::Json(key.into())))
}

/// Revokes a key. Who came by it is sent away at once.
#[utoipa::path(delete, path = "/api/v1/rooms/{room}/keys/{number}", tag = "join keys", operation_id = "revokeJoinKey",
    params(("room" = String, Path), ("number" = u32, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn revoke(
    State(doors): State<Doors>,
    pair: Pair,
    Path((room, number)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (room, _) = room_of(&doors, &pair, &room).await?;
    let number =
        number.parse().map_err(|_| Failure::new(ErrorCode::UnknownJoinKey, "there is no key of that number"))?;
    doors.registry.revoke(&room, None, Some(number), id::Role::Owner).await?;
    Ok(StatusCode::NO_CONTENT)
}
