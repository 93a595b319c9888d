//! What an operator of the server does: sees every account, grants credits, invites.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use embedenv_shared::code::ErrorCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use super::account::AccountBody;
use super::asked::{Asked, Body, whole};
use super::paging;
use super::pair::Person;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{AccountRole, Actor, Session, failed};

/// An operator who is logged in. To everybody else these addresses say so.
pub(super) struct Operator(pub(super) Session);

impl FromRequestParts<Doors> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Problem> {
        let Person(session) = Person::from_request_parts(parts, doors).await?;
        match session.account.role {
            AccountRole::Operator => Ok(Self(session)),
            AccountRole::Member => Err(Problem::new(ErrorCode::Forbidden, "this is for operators of the server")),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// The `next` of the page before.
    #[serde(default)]
    after: String,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Accounts {
    accounts: Vec<AccountBody>,
    /// For the next page's `after`; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grant {
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    #[serde(default, deserialize_with = "whole")]
    credits: Option<u64>,
    /// Until when they are good, in milliseconds since 1970; for good if left out.
    #[serde(default, deserialize_with = "whole")]
    expires: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Granted {
    /// What the account has now.
    credits: i64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invitation {
    #[schema(max_length = 254)]
    email: String,
}

/// The accounts of this server, by id.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "operators", operation_id = "listAccounts", security(("session" = [])), params(Paging),
    responses((status = 200, description = "As asked.", body = Accounts), Refused))]
pub(super) async fn list(
    State(doors): State<Doors>,
    _: Operator,
    Asked(Paging { after, limit }): Asked<Paging>,
) -> Result<axum::Json<Accounts>, Problem> {
    let limit = paging::limit(limit)?;
    let rows = doors.accounts.ledger().accounts(&after, limit + 1).await.map_err(failed)?;
    let (rows, next) = paging::page(rows, limit, |row| row.account.clone());
    Ok(axum::Json(Accounts { accounts: rows.into_iter().map(AccountBody::from).collect(), next }))
}

/// Grants credits to an account.
#[utoipa::path(post, path = "/api/v1/accounts/{account}/grants", tag = "operators", operation_id = "grantCredits", security(("session" = [])),
    request_body = Grant, params(("account" = String, Path)), responses((status = 201, description = "Granted.", body = Granted), Refused))]
pub(super) async fn grant(
    State(doors): State<Doors>,
    Operator(session): Operator,
    Path(account): Path<String>,
    Body(Grant { credits, expires }): Body<Grant>,
) -> Result<(StatusCode, axum::Json<Granted>), Problem> {
    let amount = i64::try_from(credits.unwrap_or(0)).unwrap_or(i64::MAX);
    let actor = Actor::Account(&session.account.account);
    let expires = expires.map(|at| i64::try_from(at).unwrap_or(i64::MAX));
    let credits = doors.accounts.ledger().grant_to(&account, actor, amount, expires).await.map_err(failed)?;
    Ok((StatusCode::CREATED, axum::Json(Granted { credits })))
}

/// Has an invitation go to an address.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "operators", operation_id = "invite", security(("session" = [])),
    request_body = Invitation, responses((status = 202, description = "A mail is on its way."), Refused))]
pub(super) async fn invite(
    State(doors): State<Doors>,
    _: Operator,
    Body(Invitation { email }): Body<Invitation>,
) -> Result<StatusCode, Problem> {
    doors.accounts.invite(&email).await?;
    Ok(StatusCode::ACCEPTED)
}
