//! Webhooks of the pair's account: where it hears of what happens, and what became of each message.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use embedenv_shared::code::ErrorCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Asked, Body};
use super::paging::{self, Paging};
use super::pair::Pair;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{DeliveryRow, WebhookRow, failed};
use crate::webhooks;

#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookBody {
    webhook: String,
    url: String,
    /// The events that it hears of: `room.started`, `room.ended`, `room.failed`, `run.finished`, `credits.low`.
    events: Vec<String>,
    created: u64,
}

impl From<WebhookRow> for WebhookBody {
    fn from(WebhookRow { webhook, url, events, created }: WebhookRow) -> Self {
        let events = events.into_iter().map(|event| event.as_str().to_owned()).collect();
        Self { webhook, url, events, created: created.unsigned_abs() }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Webhooks {
    webhooks: Vec<WebhookBody>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    /// Where it is: `https://`, at no private, local or reserved address.
    #[schema(max_length = 2048)]
    url: String,
    /// The events that it is to hear of; all if empty.
    #[schema(max_items = 10)]
    #[serde(default)]
    events: Vec<String>,
}

/// A webhook with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeWebhook {
    webhook: WebhookBody,
    /// What each message is signed with, as Standard Webhooks has it: `webhook-signature` is the HMAC-SHA-256 of
    /// `webhook-id`, `webhook-timestamp` and the body, with dots between them.
    secret: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Deliveries {
    deliveries: Vec<Delivery>,
    /// For the next page's `after`; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A message to a webhook. It is kept for a while (`retention.deliveries`).
#[derive(Serialize, ToSchema)]
struct Delivery {
    delivery: String,
    event: String,
    created: u64,
    /// How often it was tried.
    tries: u64,
    /// When it is tried next; absent once it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_try: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<u64>,
    /// The status that the last try was answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u64>,
    /// Why the last try did not do.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Self {
        let DeliveryRow { delivery, event, created, tries, next_try, delivered, status, problem } = row;
        let [next_try, delivered, status] = [next_try, delivered, status].map(|number| number.map(i64::unsigned_abs));
        let (created, tries) = (created.unsigned_abs(), tries.unsigned_abs());
        Self { delivery, event, created, tries, next_try, delivered, status, problem }
    }
}

/// All webhooks.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "listWebhooks",
    responses((status = 200, description = "As asked.", body = Webhooks), Refused))]
pub(super) async fn list(State(doors): State<Doors>, Pair(payer): Pair) -> Result<axum::Json<Webhooks>, Problem> {
    let rows = doors.accounts.ledger().webhooks(payer.account()).await.map_err(failed)?;
    Ok(axum::Json(Webhooks { webhooks: rows.into_iter().map(WebhookBody::from).collect() }))
}

/// Makes a webhook.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "createWebhook", request_body = NewWebhook,
    responses((status = 201, description = "Made. The secret is in this answer and nowhere else.", body = MadeWebhook), Refused))]
pub(super) async fn create(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Body(NewWebhook { url, events }): Body<NewWebhook>,
) -> Result<(StatusCode, axum::Json<MadeWebhook>), Problem> {
    doors.reach.check(&url).map_err(|bad| Problem::new(ErrorCode::BadRequest, bad.to_string()))?;
    let made = doors.accounts.ledger().create_webhook(payer.account(), &url, &events).await;
    let (row, secret) = made.map_err(failed)?;
    Ok((StatusCode::CREATED, axum::Json(MadeWebhook { webhook: row.into(), secret: webhooks::shown(&secret) })))
}

/// Has a webhook hear nothing more, also not of what has happened.
#[utoipa::path(delete, path = "/api/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "revokeWebhook",
    params(("webhook" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn revoke(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Path(webhook): Path<String>,
) -> Result<StatusCode, Problem> {
    doors.accounts.ledger().revoke_webhook(payer.account(), &webhook).await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a webhook hear of a `webhook.test`, so that one sees whether it does.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook}/tests", tag = "webhooks", operation_id = "testWebhook",
    params(("webhook" = String, Path)), responses((status = 202, description = "It is on its way."), Refused))]
pub(super) async fn test(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Path(webhook): Path<String>,
) -> Result<StatusCode, Problem> {
    doors.accounts.ledger().test_webhook(payer.account(), &webhook).await.map_err(failed)?;
    Ok(StatusCode::ACCEPTED)
}

/// What a webhook was to hear, the newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{webhook}/deliveries", tag = "webhooks", operation_id = "listDeliveries",
    params(("webhook" = String, Path), Paging), responses((status = 200, description = "As asked.", body = Deliveries), Refused))]
pub(super) async fn deliveries(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Path(webhook): Path<String>,
    Asked(Paging { after, limit }): Asked<Paging>,
) -> Result<axum::Json<Deliveries>, Problem> {
    let limit = paging::limit(limit)?;
    let after = paging::mark(after)?;
    let ledger = doors.accounts.ledger();
    let rows = ledger.deliveries(payer.account(), &webhook, after.as_ref(), limit + 1).await.map_err(failed)?;
    let (rows, next) = paging::page(rows, limit, |row| row.mark().to_string());
    Ok(axum::Json(Deliveries { deliveries: rows.into_iter().map(Delivery::from).collect(), next }))
}

/// Delivers something once more, whatever became of it.
#[utoipa::path(post, path = "/api/v1/webhooks/{webhook}/deliveries/{delivery}/retries", tag = "webhooks", operation_id = "redeliver",
    params(("webhook" = String, Path), ("delivery" = String, Path)), responses((status = 202, description = "It is on its way."), Refused))]
pub(super) async fn redeliver(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Path((webhook, delivery)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    doors.accounts.ledger().redeliver(payer.account(), &webhook, &delivery).await.map_err(failed)?;
    Ok(StatusCode::ACCEPTED)
}
