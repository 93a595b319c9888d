//! One's own account: what it is, what was done with it, all of it as a file, and its end.

use axum::extract::State;
use axum::http::StatusCode;
use embedenv_shared::code::ErrorCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Asked, Body, whole};
use super::credits::CreditEntry;
use super::keys::KeyBody;
use super::paging::{self, Paging};
use super::pair::Person;
use super::webhooks::WebhookBody;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{AccountRole, AccountRow, AuditRow, failed};

/// Lines of each kind that an export has at most, the newest.
const EXPORTED: u32 = 100_000;

#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountBody {
    account: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    role: Role,
    /// What is left.
    credits: i64,
    /// A balance below this is told by mail and to webhooks; none is if it is zero.
    low_credits: i64,
    created: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccountRole)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Member,
    Operator,
}

impl From<AccountRow> for AccountBody {
    fn from(row: AccountRow) -> Self {
        let AccountRow { account, name, email, role, balance, low_credits, created } = row;
        let role = match role {
            AccountRole::Member => Role::Member,
            AccountRole::Operator => Role::Operator,
        };
        Self { account, name, email, role, credits: balance, low_credits, created: created.unsigned_abs() }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default)]
    name: Option<String>,
    /// From which balance on its owner is told that few credits are left; 0 for never.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    #[serde(default, deserialize_with = "whole")]
    low_credits: Option<u64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    current: String,
    #[schema(min_length = 10, max_length = 1024)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    /// The account's.
    password: String,
}

/// A line of the audit log.
#[derive(Serialize, ToSchema)]
struct AuditEntry {
    /// An account, a public key, or `command line`.
    actor: String,
    /// Such as `key.revoked`.
    action: String,
    /// To what.
    subject: String,
    created: u64,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let AuditRow { actor, action, subject, created, .. } = row;
        Self { actor, action, subject, created: created.unsigned_abs() }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Audit {
    entries: Vec<AuditEntry>,
    /// For the next page's `after`; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Everything that is kept of an account.
#[derive(Serialize, ToSchema)]
pub(super) struct Export {
    account: AccountBody,
    keys: Vec<KeyBody>,
    webhooks: Vec<WebhookBody>,
    credits: Vec<CreditEntry>,
    audit: Vec<AuditEntry>,
}

/// One's own account.
#[utoipa::path(get, path = "/api/v1/account", tag = "account", operation_id = "showAccount", security(("session" = [])),
    responses((status = 200, description = "As asked.", body = AccountBody), Refused))]
pub(super) async fn show(Person(session): Person) -> axum::Json<AccountBody> {
    axum::Json(session.account.into())
}

/// Gives the account another name, or has its owner told of few credits from another number on.
#[utoipa::path(patch, path = "/api/v1/account", tag = "account", operation_id = "changeAccount", security(("session" = [])),
    request_body = AccountChange, responses((status = 200, description = "As it is now.", body = AccountBody), Refused))]
pub(super) async fn change(
    State(doors): State<Doors>,
    Person(session): Person,
    Body(AccountChange { name, low_credits }): Body<AccountChange>,
) -> Result<axum::Json<AccountBody>, Problem> {
    let ledger = doors.accounts.ledger();
    let low = low_credits.map(|low| i64::try_from(low).unwrap_or(i64::MAX));
    ledger.change_account(&session.account.account, name.as_deref(), low).await.map_err(failed)?;
    Ok(axum::Json(ledger.account(&session.account.account).await.map_err(failed)?.into()))
}

/// Closes the account: nobody logs in any more, its keys and widgets open nothing, its rooms end with their files, and its
/// name and address are forgotten. It can't be taken back.
#[utoipa::path(delete, path = "/api/v1/account", tag = "account", operation_id = "closeAccount", security(("session" = [])),
    request_body = Closing, responses((status = 204, description = "Done."), Refused))]
pub(super) async fn close(
    State(doors): State<Doors>,
    Person(session): Person,
    Body(Closing { password }): Body<Closing>,
) -> Result<StatusCode, Problem> {
    let account = &session.account.account;
    doors.accounts.prove(account, password).await.map_err(not_this_one)?;
    doors.accounts.ledger().close_account(account).await.map_err(failed)?;
    doors.registry.end_rooms_of(&session.payer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another password. Every other browser is logged out.
#[utoipa::path(put, path = "/api/v1/password", tag = "account", operation_id = "changePassword", security(("session" = [])),
    request_body = PasswordChange, responses((status = 204, description = "Done."), Refused))]
pub(super) async fn change_password(
    State(doors): State<Doors>,
    Person(session): Person,
    Body(PasswordChange { current, password }): Body<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let changed = doors.accounts.change_password(&session.account.account, &session.session, current, password).await;
    changed.map_err(not_this_one)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was done with the account, the newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "account", operation_id = "listAudit", security(("session" = [])), params(Paging),
    responses((status = 200, description = "As asked.", body = Audit), Refused))]
pub(super) async fn audit(
    State(doors): State<Doors>,
    Person(session): Person,
    Asked(Paging { after, limit }): Asked<Paging>,
) -> Result<axum::Json<Audit>, Problem> {
    let limit = paging::limit(limit)?;
    let after = paging::mark(after)?;
    let ledger = doors.accounts.ledger();
    let rows = ledger.audit(&session.account.account, after.as_ref(), limit + 1).await.map_err(failed)?;
    let (rows, next) = paging::page(rows, limit, |row| row.mark().to_string());
    Ok(axum::Json(Audit { entries: rows.into_iter().map(AuditEntry::from).collect(), next }))
}

/// Everything that is kept of the account.
#[utoipa::path(get, path = "/api/v1/account/export", tag = "account", operation_id = "exportAccount", security(("session" = [])),
    responses((status = 200, description = "As asked.", body = Export), Refused))]
pub(super) async fn export(State(doors): State<Doors>, Person(session): Person) -> Result<axum::Json<Export>, Problem> {
    let ledger = doors.accounts.ledger();
    let account = session.account.account.clone();
    let keys = ledger.keys_of(&account).await.map_err(failed)?;
    let webhooks = ledger.webhooks(&account).await.map_err(failed)?;
    let credits = ledger.credits(&account, None, EXPORTED).await.map_err(failed)?;
    let audit = ledger.audit(&account, None, EXPORTED).await.map_err(failed)?;
    Ok(axum::Json(Export {
        account: session.account.into(),
        keys: keys.into_iter().map(KeyBody::from).collect(),
        webhooks: webhooks.into_iter().map(WebhookBody::from).collect(),
        credits: credits.into_iter().map(CreditEntry::from).collect(),
        audit: audit.into_iter().map(AuditEntry::from).collect(),
    }))
}

/// A wrong password of somebody who is logged in: 403, since 401 would say that they are not.
fn not_this_one(failure: embedenv_shared::code::Failure) -> Problem {
    match failure.code {
        ErrorCode::BadCredentials => Problem::new(ErrorCode::Forbidden, failure.message),
        _ => failure.into(),
    }
}
