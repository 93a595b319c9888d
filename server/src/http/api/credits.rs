//! What a key pair has spent: every line of its account, and what it used by day.

use axum::extract::State;
use embedenv_shared::code::ErrorCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Refused;
use super::asked::Asked;
use super::paging::{self, Paging};
use super::pair::Pair;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{CreditRow, DAY, UsageRow};

/// Days of one answer, at most and if nobody says.
const MAX_DAYS: u32 = 366;
const DAYS: u32 = 30;

#[derive(Serialize, ToSchema)]
pub(super) struct Credits {
    /// What is left.
    credits: i64,
    entries: Vec<CreditEntry>,
    /// For the next page's `after`; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A line of the account. It is never changed.
#[derive(Serialize, ToSchema)]
pub(super) struct CreditEntry {
    /// `grant`, `charge` for a room that was opened, `refund` for one that could not be.
    kind: String,
    /// Negative for what was taken.
    amount: i64,
    /// What was left then.
    balance: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    /// The pair that spent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    created: u64,
}

impl From<CreditRow> for CreditEntry {
    fn from(row: CreditRow) -> Self {
        let CreditRow { kind, amount, balance_after, room, public_key, created, .. } = row;
        Self { kind, amount, balance: balance_after, room, public_key, created: created.unsigned_abs() }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    /// How many days of UTC back, today among them.
    #[param(minimum = 1, maximum = 366, default = 30)]
    days: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Usage {
    /// From the earliest on; days without any are left out.
    days: Vec<Day>,
}

/// A day of UTC.
#[derive(Serialize, ToSchema)]
struct Day {
    /// When it began.
    began: u64,
    /// Rooms that were opened.
    rooms: u64,
    /// Credits that were taken and not given back.
    spent: i64,
    granted: i64,
    /// The same by key pair; what was done in the console stands under one of its own.
    keys: Vec<DayOfKey>,
}

#[derive(Serialize, ToSchema)]
struct DayOfKey {
    public_key: String,
    rooms: u64,
    spent: i64,
}

/// Rows as they come, by day and pair.
fn by_day(rows: Vec<UsageRow>) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for UsageRow { day, public_key, rooms, spent, granted } in rows {
        let began = (day * DAY).unsigned_abs();
        if days.last().is_none_or(|last| last.began != began) {
            days.push(Day { began, rooms: 0, spent: 0, granted: 0, keys: Vec::new() });
        }
        let Some(last) = days.last_mut() else { continue };
        let rooms = rooms.unsigned_abs();
        last.rooms += rooms;
        last.spent += spent;
        last.granted += granted;
        last.keys.extend(public_key.map(|public_key| DayOfKey { public_key, rooms, spent }));
    }
    days
}

/// The lines of the pair's account, the newest first.
#[utoipa::path(get, path = "/api/v1/credits", tag = "credits", operation_id = "listCredits", params(Paging),
    responses((status = 200, description = "As asked.", body = Credits), Refused))]
pub(super) async fn list(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Asked(Paging { after, limit }): Asked<Paging>,
) -> Result<axum::Json<Credits>, Problem> {
    let limit = paging::limit(limit)?;
    let after = paging::mark(after)?;
    let rows = doors.registry.credits_of(&payer, after.as_ref(), limit + 1).await?;
    let (rows, next) = paging::page(rows, limit, |row| row.mark().to_string());
    Ok(axum::Json(Credits { credits: payer.balance, entries: rows.into_iter().map(CreditEntry::from).collect(), next }))
}

/// What the pair used, by day.
#[utoipa::path(get, path = "/api/v1/usage", tag = "credits", operation_id = "showUsage", params(Span),
    responses((status = 200, description = "As asked.", body = Usage), Refused))]
pub(super) async fn usage(
    State(doors): State<Doors>,
    Pair(payer): Pair,
    Asked(Span { days }): Asked<Span>,
) -> Result<axum::Json<Usage>, Problem> {
    let days = days.unwrap_or(DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Problem::new(ErrorCode::BadRequest, format!("days must be a whole number from 1 to {MAX_DAYS}")));
    }
    let days = doors.registry.usage_of(&payer, days).await?;
    Ok(axum::Json(Usage { days: by_day(days) }))
}
