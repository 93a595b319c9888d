//! What watches the server asks: whether it lives, whether it can take work, and what it counts.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use axum::middleware::Next;
use axum::routing::get;
use embedenv_shared::code::ErrorCode;

use super::Doors;
use super::problem::{self, Problem};
use crate::ledger::failed;
use crate::metrics;

/// On every address: it lives, and whether it can take work.
pub(super) fn routes() -> Router<Doors> {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready))
}

/// On an address of its own, for those who operate the server.
pub(super) fn own(doors: Doors) -> Router {
    Router::new()
        .route("/metrics", get(told))
        .merge(routes())
        .with_state(doors)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
}

/// Whether rooms can be opened now: the ledger answers, and the server does not go down.
async fn ready(State(doors): State<Doors>) -> Result<&'static str, Problem> {
    if doors.tasks.is_closing() {
        return Err(Problem::new(ErrorCode::Unavailable, "the server is going down"));
    }
    match doors.accounts.ledger().answers().await {
        Ok(()) => Ok("ready\n"),
        Err(error) => Err(Problem::new(ErrorCode::Unavailable, failed(error).message)),
    }
}

async fn told(State(doors): State<Doors>) -> ([(axum::http::HeaderName, HeaderValue); 1], String) {
    let text = doors.metrics.text(doors.registry.standing());
    ([(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE))], text)
}

/// Counts every answer.
pub(super) async fn count(State(metrics): State<metrics::Metrics>, request: Request, next: Next) -> Response<Body> {
    let response = next.run(request).await;
    metrics.answered(response.status().as_u16());
    response
}
