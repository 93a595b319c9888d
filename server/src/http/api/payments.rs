//! Credits that were paid for: a payment system says so in a message that it signs, as Standard Webhooks has it.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use embedenv_shared::code::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use super::asked::whole;
use super::pair::{NotForeign, guessed};
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{self, failed, now};
use crate::webhooks::{ID, SIGNATURE, TIMESTAMP, is_signed};

/// How far a message's time may be off, in seconds. What is older may be a copy.
const TOLERANCE: u64 = 5 * 60;
/// The longest message, in bytes, and the longest id, in characters.
const MAX_MESSAGE: usize = 16 * 1024;
const MAX_ID: usize = 200;

/// What was paid for.
#[derive(Deserialize, ToSchema)]
pub(super) struct Payment {
    /// Whose account it is.
    account: String,
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    #[serde(default, deserialize_with = "whole")]
    credits: Option<u64>,
    /// Until when they are good, in milliseconds since 1970; for good if left out.
    #[serde(default, deserialize_with = "whole")]
    expires: Option<u64>,
}

/// What the message is signed with.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "describes the headers")]
pub(super) struct Signed {
    /// The payment: one is granted once, however often it is told.
    #[param(rename = "webhook-id")]
    id: String,
    /// When it was sent, in seconds since 1970.
    #[param(rename = "webhook-timestamp")]
    timestamp: String,
    /// `v1,` and the HMAC-SHA-256 of id, time and body with dots between them, by `payments.secret`, in Base64.
    #[param(rename = "webhook-signature")]
    signature: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Paid {
    /// What the account has now.
    credits: i64,
}

/// Grants what was paid for. The same payment again grants nothing more.
#[utoipa::path(post, path = "/api/v1/payments", tag = "payments", operation_id = "pay", security(()), request_body = Payment, params(Signed),
    responses((status = 200, description = "Granted, now or before.", body = Paid), Refused))]
pub(super) async fn pay(State(doors): State<Doors>, request: Request) -> Result<axum::Json<Paid>, Problem> {
    let (mut parts, body) = request.into_parts();
    NotForeign::from_request_parts(&mut parts, &doors).await?;
    let body = axum::body::to_bytes(body, MAX_MESSAGE).await;
    let body =
        body.map_err(|_| Problem::new(ErrorCode::TooLarge, format!("a payment has {MAX_MESSAGE} bytes at most")))?;
    let not_signed = || {
        let failure =
            Failure::new(ErrorCode::BadCredentials, "the message is not signed as it ought to be, or too old");
        guessed(&parts, &doors, "payments", failure)
    };
    let seal = Seal::of(&parts.headers).ok_or_else(not_signed)?;
    let Some(secret) = &doors.config.payments_secret else {
        return Err(Problem::new(ErrorCode::NotFound, "this server takes no payments: payments.secret is not set"));
    };
    if !seal.holds(secret.reveal(), &body) {
        return Err(not_signed());
    }
    let payment: Payment =
        serde_json::from_slice(&body).map_err(|why| Problem::new(ErrorCode::BadRequest, why.to_string()))?;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let paid = ledger::Payment {
        payment: seal.id.to_owned(),
        account: payment.account,
        credits: number(payment.credits.unwrap_or(0)),
        expires: payment.expires.map(number),
    };
    let credits = doors.accounts.ledger().pay(&paid).await.map_err(failed)?;
    Ok(axum::Json(Paid { credits }))
}

/// What a message says to be signed with.
struct Seal<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
}

impl<'a> Seal<'a> {
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        let [id, timestamp, signature] = [ID, TIMESTAMP, SIGNATURE].map(|name| headers.get(name)?.to_str().ok());
        let seal = Self { id: id?, timestamp: timestamp?, signature: signature? };
        (!seal.id.is_empty() && seal.id.len() <= MAX_ID).then_some(seal)
    }

    /// Whether a message is signed by it, and new.
    fn holds(&self, secret: &[u8], body: &[u8]) -> bool {
        let Self { id, timestamp, signature } = self;
        let is_new = timestamp.parse().is_ok_and(|at: i64| now().div_euclid(1000).abs_diff(at) <= TOLERANCE);
        is_new && is_signed(secret, id, timestamp, body, signature)
    }
}
