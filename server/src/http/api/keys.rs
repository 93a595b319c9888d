//! An account's key pairs, in the hands of who is logged in: made, narrowed, given a new secret, revoked. A pair makes no
//! other one, so that a leaked secret is gone with its pair.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Body, whole};
use super::pair::Person;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{Actor, KeyRow, NewKey, PairSettings, Scope, failed};

/// How long a secret stays good beside its next one if nobody says, in seconds: a day.
const OVERLAP: u64 = 24 * 60 * 60;

/// A key pair, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = KeyPair)]
pub(super) struct KeyBody {
    public_key: String,
    name: String,
    scope: ScopeBody,
    /// Credits it may take in all; any number if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<i64>,
    /// Rooms of it that may live at once; any number if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    rooms_most: Option<i64>,
    /// Minutes for which sandboxes of its rooms may run in all; any number if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes_most: Option<i64>,
    /// Credits it took and did not get back.
    spent: i64,
    /// Minutes for which sandboxes of its rooms ran.
    minutes: i64,
    created: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<u64>,
    /// Until when the secret before this one is good, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    former_until: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<u64>,
}

impl From<KeyRow> for KeyBody {
    fn from(row: KeyRow) -> Self {
        let KeyRow { public_key, name, scope, budget, rooms_most, minutes_most, spent, minutes, created, .. } = row;
        let [last_used, former_until, revoked] =
            [row.last_used, row.former_until, row.revoked].map(|at| at.map(i64::unsigned_abs));
        let (scope, created) = (scope.into(), created.unsigned_abs());
        Self {
            public_key,
            name,
            scope,
            budget,
            rooms_most,
            minutes_most,
            spent,
            minutes,
            created,
            last_used,
            former_until,
            revoked,
        }
    }
}

/// What a pair is good for. Nothing in it narrows nothing.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[schema(as = Scope)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ScopeBody {
    /// The spaces in which it opens rooms; all if empty.
    #[schema(max_items = 50)]
    spaces: Vec<String>,
    /// The origins whose pages may say `init` with it; all if empty.
    #[schema(max_items = 50)]
    origins: Vec<String>,
    /// It opens nothing over a WebSocket.
    rest_only: bool,
    /// It runs single programs (`/api/v2`) and does nothing else, so that it may stand in an address.
    execute_only: bool,
}

impl From<Scope> for ScopeBody {
    fn from(Scope { spaces, origins, rest_only, execute_only }: Scope) -> Self {
        Self { spaces, origins, rest_only, execute_only }
    }
}

/// A pair to be made, or all that is said of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeySettings {
    /// What it is called in lists.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[serde(default)]
    scope: ScopeBody,
    /// Credits it may take in all; any number if left out.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    #[serde(default, deserialize_with = "whole")]
    budget: Option<u64>,
    /// Rooms of it that may live at once; any number if left out.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    #[serde(default, deserialize_with = "whole")]
    rooms_most: Option<u64>,
    /// Minutes for which sandboxes of its rooms may run in all; any number if left out.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    #[serde(default, deserialize_with = "whole")]
    minutes_most: Option<u64>,
}

impl From<KeySettings> for PairSettings {
    fn from(settings: KeySettings) -> Self {
        let KeySettings { name, scope, budget, rooms_most, minutes_most } = settings;
        let ScopeBody { spaces, origins, rest_only, execute_only } = scope;
        let bound = |bound: Option<u64>| bound.map(|bound| i64::try_from(bound).unwrap_or(i64::MAX));
        let [budget, rooms_most, minutes_most] = [budget, rooms_most, minutes_most].map(bound);
        Self { name, scope: Scope { spaces, origins, rest_only, execute_only }, budget, rooms_most, minutes_most }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Keys {
    keys: Vec<KeyBody>,
}

/// A pair with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeKey {
    public_key: String,
    secret_key: String,
}

impl From<NewKey> for MadeKey {
    fn from(NewKey { public_key, secret_key, .. }: NewKey) -> Self {
        Self { public_key, secret_key }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// Seconds for which the secret so far stays good, too; a day if left out.
    #[schema(minimum = 0, maximum = 2_592_000)]
    #[serde(default, deserialize_with = "whole")]
    overlap: Option<u64>,
}

/// All pairs, revoked ones too.
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", operation_id = "listKeys", security(("session" = [])),
    responses((status = 200, description = "As asked.", body = Keys), Refused))]
pub(super) async fn list(State(doors): State<Doors>, Person(session): Person) -> Result<axum::Json<Keys>, Problem> {
    let rows = doors.accounts.ledger().keys_of(&session.account.account).await.map_err(failed)?;
    Ok(axum::Json(Keys { keys: rows.into_iter().map(KeyBody::from).collect() }))
}

/// Makes a pair.
#[utoipa::path(post, path = "/api/v1/keys", tag = "keys", operation_id = "createKey", security(("session" = [])), request_body = KeySettings,
    responses((status = 201, description = "Made. The secret is in this answer and nowhere else.", body = MadeKey), Refused))]
pub(super) async fn create(
    State(doors): State<Doors>,
    Person(session): Person,
    Body(settings): Body<KeySettings>,
) -> Result<(StatusCode, axum::Json<MadeKey>), Problem> {
    let account = &session.account.account;
    let made = doors.accounts.ledger().create_pair(account, Actor::Account(account), &settings.into()).await;
    Ok((StatusCode::CREATED, axum::Json(made.map_err(failed)?.into())))
}

/// Says anew what a pair is called and good for. It holds from the next request on.
#[utoipa::path(put, path = "/api/v1/keys/{key}", tag = "keys", operation_id = "changeKey", security(("session" = [])), request_body = KeySettings,
    params(("key" = String, Path)), responses((status = 200, description = "As it is now.", body = KeyBody), Refused))]
pub(super) async fn change(
    State(doors): State<Doors>,
    Person(session): Person,
    Path(key): Path<String>,
    Body(settings): Body<KeySettings>,
) -> Result<axum::Json<KeyBody>, Problem> {
    let account = &session.account.account;
    let changed = doors.accounts.ledger().change_pair(account, Actor::Account(account), &key, &settings.into()).await;
    Ok(axum::Json(changed.map_err(failed)?.into()))
}

/// Gives a pair a new secret. The one so far stays good for a while, so that nothing stands still in between.
#[utoipa::path(post, path = "/api/v1/keys/{key}/rotations", tag = "keys", operation_id = "rotateKey", security(("session" = [])), request_body = Rotation,
    params(("key" = String, Path)), responses((status = 201, description = "Made. The secret is in this answer and nowhere else.", body = MadeKey), Refused))]
pub(super) async fn rotate(
    State(doors): State<Doors>,
    Person(session): Person,
    Path(key): Path<String>,
    Body(Rotation { overlap }): Body<Rotation>,
) -> Result<(StatusCode, axum::Json<MadeKey>), Problem> {
    let account = &session.account.account;
    let overlap = i64::try_from(overlap.unwrap_or(OVERLAP).saturating_mul(1000)).unwrap_or(i64::MAX);
    let made = doors.accounts.ledger().rotate_pair(account, Actor::Account(account), &key, overlap).await;
    Ok((StatusCode::CREATED, axum::Json(made.map_err(failed)?.into())))
}

/// Has a pair open nothing more. Rooms that are open stay.
#[utoipa::path(delete, path = "/api/v1/keys/{key}", tag = "keys", operation_id = "revokeKey", security(("session" = [])),
    params(("key" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn revoke(
    State(doors): State<Doors>,
    Person(session): Person,
    Path(key): Path<String>,
) -> Result<StatusCode, Problem> {
    let account = &session.account.account;
    doors.accounts.ledger().revoke_key(Some(account), Actor::Account(account), &key).await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}
