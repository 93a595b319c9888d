//! Join keys of a room: who comes, as what, how long and how often.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::JoinKey;
use embedenv_shared::id::{self, MemberId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Body, whole};
use super::pair::Pair;
use super::rooms::room_of;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::room::Room;
use crate::room::registry::KeyWanted;

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
    /// For how many minutes those who come by it may be in the room, counted for each of them; any number if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<u32>,
    /// For how many they were.
    spent: u64,
    /// The names of those who are here by it.
    people: Vec<String>,
    /// The names of those who came by it before and may come back, the last first; some of many.
    before: Vec<String>,
    /// Nobody comes by it any more; somebody is still here who did.
    over: bool,
}

impl JoinKeyBody {
    fn of(key: JoinKey, room: &Room) -> Self {
        let JoinKey { number, join, role, created, expires, uses, used, minutes, spent, over, people, before, .. } =
            key;
        let here = room.members.all();
        let name = |who: MemberId| here.iter().find(|member| member.who == who).map(|member| member.user.clone());
        let people = people.into_iter().filter_map(name).collect();
        Self { number, join, role: role.into(), created, expires, uses, used, minutes, spent, people, before, over }
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
    /// For how many minutes those who come by it may be in the room, counted for each of them; any number if absent.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[serde(default, deserialize_with = "whole")]
    minutes: Option<u64>,
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
    Ok(axum::Json(JoinKeys { keys: keys.into_iter().map(|key| JoinKeyBody::of(key, &room)).collect() }))
}

/// Makes another key.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/keys", tag = "join keys", operation_id = "mintJoinKey",
    request_body = NewJoinKey, params(("room" = String, Path)), responses((status = 201, description = "Made.", body = JoinKeyBody), Refused))]
pub(super) async fn mint(
    State(doors): State<Doors>,
    pair: Pair,
    Path(room): Path<String>,
    Body(NewJoinKey { role, ttl, uses, minutes }): Body<NewJoinKey>,
) -> Result<(StatusCode, axum::Json<JoinKeyBody>), Problem> {
    let (room, _) = room_of(&doors, &pair, &room).await?;
    // More than there can be is refused like any other number that is too large.
    let [uses, minutes] = [uses, minutes].map(|most| most.map(|most| u32::try_from(most).unwrap_or(u32::MAX)));
    let wanted = KeyWanted { role: role.into(), ttl, uses, minutes };
    let key = doors.registry.mint(&room, None, wanted).await?;
    Ok((StatusCode::CREATED, axum::Json(JoinKeyBody::of(key, &room))))
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
