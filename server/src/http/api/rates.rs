//! How many requests an account makes in a minute, and the headers that tell it (`RateLimit-*`, of the IETF's draft "RateLimit
//! header fields for HTTP"). Counted for who proved who they are; guesses are counted elsewhere.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response};
use axum::middleware::Next;
use embedenv_shared::code::ErrorCode;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::http::problem::Problem;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
/// Accounts that are remembered before those that are at rest are forgotten.
const REMEMBERED: usize = 10_000;

type Limiter = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// Counts all accounts' requests.
#[derive(Debug)]
pub(crate) struct Rates {
    limiter: Limiter,
    per_minute: u32,
}

impl Rates {
    pub(crate) fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self { limiter: RateLimiter::dashmap(quota).with_middleware(), per_minute }
    }

    fn take(&self, account: &str) -> Standing {
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(&account.to_owned()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                // One more may be made each part of the minute.
                let used = u64::from(self.per_minute - remaining.min(self.per_minute));
                Standing { remaining, reset: (used * 60).div_ceil(u64::from(self.per_minute)), is_over: false }
            }
            Err(until) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                let seconds = (wait + Duration::from_millis(999)).as_secs().max(1);
                Standing { remaining: 0, reset: seconds, is_over: true }
            }
        }
    }
}

/// How an account stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    remaining: u32,
    /// Seconds until there are as many as ever, or until there is one again.
    reset: u64,
    is_over: bool,
}

/// Beside a request: who counts, and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    rates: Arc<Rates>,
    standing: Arc<OnceLock<Standing>>,
}

impl Pace {
    /// Counts a request of an account that proved itself, once.
    pub(super) fn keep(parts: &Parts, account: &str) -> Result<(), Problem> {
        let Some(pace) = parts.extensions.get::<Self>() else { return Ok(()) };
        let standing = pace.standing.get_or_init(|| pace.rates.take(account));
        match standing.is_over {
            true => Err(Problem::new(ErrorCode::TooManyAttempts, "too many requests in a minute; see Retry-After")),
            false => Ok(()),
        }
    }
}

/// Stands in front of the API's routes.
pub(super) async fn guard(State(rates): State<Arc<Rates>>, mut request: Request, next: Next) -> Response<Body> {
    let pace = Pace { rates, standing: Arc::default() };
    request.extensions_mut().insert(pace.clone());
    let mut response = next.run(request).await;
    if let Some(standing) = pace.standing.get() {
        let headers = response.headers_mut();
        headers.insert(LIMIT, HeaderValue::from(pace.rates.per_minute));
        headers.insert(REMAINING, HeaderValue::from(standing.remaining));
        headers.insert(RESET, HeaderValue::from(standing.reset));
        if standing.is_over {
            headers.insert(RETRY_AFTER, HeaderValue::from(standing.reset));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_so_many_requests_and_others_have_theirs() {
        let rates = Rates::new(3);
        let taken: Vec<_> = (0..4).map(|_| rates.take("a")).collect();
        assert_eq!(taken.iter().map(|standing| standing.remaining).collect::<Vec<_>>(), [2, 1, 0, 0]);
        assert_eq!(taken.iter().map(|standing| standing.is_over).collect::<Vec<_>>(), [false, false, false, true]);
        assert!((1..=20).contains(&taken[3].reset) && taken[0].reset == 20);
        assert!(!rates.take("b").is_over);
    }
}
