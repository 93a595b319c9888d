//! Answers in pages: how many lines one has, where it begins, and where the next one does.

use embedenv_shared::code::ErrorCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::problem::Problem;
use crate::ledger::Mark;

/// Lines of one answer, at most and if nobody says.
const MAX_PAGE: u32 = 100;
const PAGE: u32 = 50;

/// Which page of lines of which the newest come first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// The `next` of the page before.
    pub(super) after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub(super) limit: Option<u32>,
}

/// How many lines are asked for.
pub(super) fn limit(said: Option<u32>) -> Result<u32, Problem> {
    let limit = said.unwrap_or(PAGE);
    match (1..=MAX_PAGE).contains(&limit) {
        true => Ok(limit),
        false => {
            let message = format!("limit must be a whole number from 1 to {MAX_PAGE}");
            Err(Problem::new(ErrorCode::BadRequest, message))
        }
    }
}

/// Behind which line, among those whose newest come first.
pub(super) fn mark(after: Option<String>) -> Result<Option<Mark>, Problem> {
    let after = after.filter(|after| !after.is_empty());
    let read = after.map(|after| after.parse()).transpose();
    read.map_err(|why| Problem::new(ErrorCode::BadRequest, format!("after: {why}")))
}

/// A page of rows, of which one more than `limit` was looked for, and behind what the next page begins, if there is one.
pub(super) fn page<T>(mut rows: Vec<T>, limit: u32, mark: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| has_more).map(mark);
    (rows, next)
}
