//! Logging in and out, and what leads there: sign-ups, invitations, passwords. Answers say nothing of whether an address is
//! known.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use embedenv_shared::code::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::account::AccountBody;
use super::asked::Body;
use super::pair::{COOKIE_NAME, NotForeign, Person, SECURE_COOKIE_NAME, cookie, guessed_from};
use crate::accounts::LoggedIn;
use crate::config::SignUp;
use crate::http::Doors;
use crate::http::problem::Problem;
use crate::ledger::{SESSION_LIFE, SessionRow, failed};

/// What the console shows to who is not logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct Door {
    /// `open`, `invitation` or `closed`.
    sign_up: &'static str,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionBody {
    session: String,
    account: AccountBody,
    /// What a page says in `X-Embedenv-Page` with whatever changes something.
    page_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSignUp {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(max_length = 254)]
    email: String,
    #[schema(min_length = 10, max_length = 1024)]
    password: String,
    /// The token of an invitation to this address.
    invitation: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    /// What the mail's link carries.
    token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetUp {
    /// What the server printed when it started.
    code: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(max_length = 254)]
    email: String,
    #[schema(min_length = 10, max_length = 1024)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Forgotten {
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    /// What the mail's link carries.
    token: String,
    #[schema(min_length = 10, max_length = 1024)]
    password: String,
}

/// A browser that is logged in.
#[derive(Serialize, ToSchema)]
struct Browser {
    session: String,
    /// What the browser calls itself.
    browser: String,
    /// The one that asks.
    is_this: bool,
    created: u64,
    last_used: u64,
    expires: u64,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Sessions {
    sessions: Vec<Browser>,
}

/// How one gets in here.
#[utoipa::path(get, path = "/api/v1/door", tag = "sessions", operation_id = "showDoor", security(()),
    responses((status = 200, description = "As asked.", body = Door), Refused))]
pub(super) async fn door(State(doors): State<Doors>) -> axum::Json<Door> {
    let sign_up = match doors.accounts.sign_up_is() {
        SignUp::Open => "open",
        SignUp::Invitation => "invitation",
        SignUp::Closed => "closed",
    };
    axum::Json(Door { sign_up })
}

/// Begins a sign-up. What comes next stands in a mail to the address, also if it has an account already.
#[utoipa::path(post, path = "/api/v1/sign-ups", tag = "sessions", operation_id = "signUp", security(()), request_body = NewSignUp,
    responses((status = 202, description = "A mail is on its way."), Refused))]
pub(super) async fn sign_up(
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    _: NotForeign,
    Body(new): Body<NewSignUp>,
) -> Result<StatusCode, Problem> {
    mails(&doors, peer, &new.email)?;
    let NewSignUp { name, email, password, invitation } = new;
    let begun = doors.accounts.sign_up(&name, &email, password, invitation.as_deref()).await;
    begun.map_err(|failure| guessed_from(peer, &doors, invitation.as_deref().unwrap_or_default(), failure))?;
    Ok(StatusCode::ACCEPTED)
}

/// Makes the account of a sign-up, and logs its owner in.
#[utoipa::path(post, path = "/api/v1/sign-ups/confirmations", tag = "sessions", operation_id = "confirmSignUp", security(()),
    request_body = Confirmation, responses((status = 201, description = "Made.", body = SessionBody), Refused))]
pub(super) async fn confirm(
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    _: NotForeign,
    headers: HeaderMap,
    Body(Confirmation { token }): Body<Confirmation>,
) -> Result<Response, Problem> {
    entered(&doors, peer, &token, doors.accounts.confirm(&token, browser(&headers)).await)
}

/// Makes the first operator, for who has the code that the server printed.
#[utoipa::path(post, path = "/api/v1/operators", tag = "sessions", operation_id = "setUp", security(()), request_body = SetUp,
    responses((status = 201, description = "Made.", body = SessionBody), Refused))]
pub(super) async fn set_up(
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    _: NotForeign,
    headers: HeaderMap,
    Body(SetUp { code, name, email, password }): Body<SetUp>,
) -> Result<Response, Problem> {
    entered(&doors, peer, &code, doors.accounts.set_up(&code, &name, &email, password, browser(&headers)).await)
}

/// Logs in. The answer sets a cookie that is the session.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", operation_id = "logIn", security(()), request_body = LogIn,
    responses((status = 201, description = "Logged in.", body = SessionBody), Refused))]
pub(super) async fn log_in(
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    _: NotForeign,
    headers: HeaderMap,
    Body(LogIn { email, password }): Body<LogIn>,
) -> Result<Response, Problem> {
    entered(&doors, peer, &email, doors.accounts.log_in(&email, password, browser(&headers)).await)
}

/// Has a mail go to an address, if it has an account, whose link gives a new password.
#[utoipa::path(post, path = "/api/v1/password-resets", tag = "sessions", operation_id = "forgetPassword", security(()), request_body = Forgotten,
    responses((status = 202, description = "If the address has an account, a mail is on its way."), Refused))]
pub(super) async fn forget(
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    _: NotForeign,
    Body(Forgotten { email }): Body<Forgotten>,
) -> Result<StatusCode, Problem> {
    mails(&doors, peer, &email)?;
    doors.accounts.forget(&email).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sets the new password, and logs in. Every other browser is logged out.
#[utoipa::path(post, path = "/api/v1/password-resets/confirmations", tag = "sessions", operation_id = "resetPassword", security(()),
    request_body = Reset, responses((status = 201, description = "Set.", body = SessionBody), Refused))]
pub(super) async fn reset(
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    _: NotForeign,
    headers: HeaderMap,
    Body(Reset { token, password }): Body<Reset>,
) -> Result<Response, Problem> {
    entered(&doors, peer, &token, doors.accounts.reset(&token, password, browser(&headers)).await)
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/session", tag = "sessions", operation_id = "showSession", security(("session" = [])),
    responses((status = 200, description = "As asked.", body = SessionBody), Refused))]
pub(super) async fn show(
    State(doors): State<Doors>,
    Person(session): Person,
    headers: HeaderMap,
) -> axum::Json<SessionBody> {
    let page_token = doors.accounts.ledger().page_token(cookie(&headers).unwrap_or_default());
    axum::Json(SessionBody { session: session.session, account: session.account.into(), page_token })
}

/// Logs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "sessions", operation_id = "logOut", security(("session" = [])),
    responses((status = 204, description = "Done."), Refused))]
pub(super) async fn log_out(State(doors): State<Doors>, Person(session): Person) -> Result<Response, Problem> {
    doors.accounts.ledger().end_session(&session.account.account, &session.session).await.map_err(failed)?;
    Ok((StatusCode::NO_CONTENT, set_cookie(&doors, "", 0)).into_response())
}

/// The browsers that are logged in.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "sessions", operation_id = "listSessions", security(("session" = [])),
    responses((status = 200, description = "As asked.", body = Sessions), Refused))]
pub(super) async fn list(State(doors): State<Doors>, Person(session): Person) -> Result<axum::Json<Sessions>, Problem> {
    let rows = doors.accounts.ledger().sessions_of(&session.account.account).await.map_err(failed)?;
    let sessions = rows.into_iter().map(|row| {
        let SessionRow { session: id, browser, created, last_used, expires } = row;
        let [created, last_used, expires] = [created, last_used, expires].map(i64::unsigned_abs);
        Browser { is_this: id == session.session, session: id, browser, created, last_used, expires }
    });
    Ok(axum::Json(Sessions { sessions: sessions.collect() }))
}

/// Logs a browser out.
#[utoipa::path(delete, path = "/api/v1/sessions/{session}", tag = "sessions", operation_id = "endSession", security(("session" = [])),
    params(("session" = String, Path)), responses((status = 204, description = "Done."), Refused))]
pub(super) async fn end(
    State(doors): State<Doors>,
    Person(session): Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let ended = doors.accounts.ledger().end_session(&session.account.account, &id).await;
    // Whose session it is was proved: this one is a thing that isn't there.
    ended.map_err(|error| match failed(error) {
        failure if failure.code == ErrorCode::BadCredentials => Failure::new(ErrorCode::NotFound, "no such session"),
        failure => failure,
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Counts a mail that somebody has go to an address.
fn mails(doors: &Doors, peer: SocketAddr, email: &str) -> Result<(), Problem> {
    match doors.mails.may_go(peer.ip(), email) {
        true => Ok(()),
        false => {
            Err(Problem::new(ErrorCode::TooManyAttempts, "too many mails to this address or from here in an hour"))
        }
    }
}

/// The answer to who has come in, or to a guess.
fn entered(
    doors: &Doors,
    peer: SocketAddr,
    presented: &str,
    outcome: Result<LoggedIn, Failure>,
) -> Result<Response, Problem> {
    let LoggedIn { account, session } = outcome.map_err(|failure| guessed_from(peer, doors, presented, failure))?;
    let page_token = doors.accounts.ledger().page_token(&session.token);
    let cookie = set_cookie(doors, &session.token, SESSION_LIFE / 1000);
    let body = SessionBody { session: session.session, account: account.into(), page_token };
    Ok((StatusCode::CREATED, cookie, axum::Json(body)).into_response())
}

/// A session for a browser to keep, for so many seconds. No script reads it, and no other site has it sent.
fn set_cookie(doors: &Doors, token: &str, seconds: i64) -> AppendHeaders<[(axum::http::HeaderName, HeaderValue); 1]> {
    let is_secure = doors.config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let (name, secure) = if is_secure { (SECURE_COOKIE_NAME, "; Secure") } else { (COOKIE_NAME, "") };
    let text = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let value = HeaderValue::try_from(text).expect("tokens are URL-safe text");
    AppendHeaders([(SET_COOKIE, value)])
}

fn browser(headers: &HeaderMap) -> &str {
    headers.get(USER_AGENT).and_then(|said| said.to_str().ok()).unwrap_or_default()
}
