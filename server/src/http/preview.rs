//! Previews: HTTP and WebSockets to what listens in a room's sandbox, each port on an origin of its own, over the link of
//! the room's agent.
//!
//! Whoever asks needs what [`crate::room::previews`] gave them, or an open port; the app sees none of it. A request never
//! wakes a sandbox. This module translates and passes on; who may see what is the room's.
//!
//! ```text
//! request ── which port? ── may they? ── as the app's ── upstream ── as the browser's
//!                                                     └─ 101: a task that carries both ways until either ends
//! ```

mod inside;
pub mod names;
mod pages;
mod rewrite;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use embedenv_shared::code::{ErrorCode, Failure};
use futures_util::StreamExt as _;
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::copy_bidirectional;
use tokio::time::timeout;

use super::Doors;
use super::problem::{self, Problem};
use super::quoting::encoded;
use crate::policy::Capability;
use crate::room::Room;
use crate::room::previews::{Access, Kept};
use names::{Name, Names};
use pages::Standing;
use rewrite::Asked;
use upstream::{Unanswered, Upstreams};

/// Addresses under this path of every preview are ours, and never reach an app.
const OWN: &str = "/.embedenv/";
/// How long a page that waits for a port is kept waiting before it asks again.
const WAIT: Duration = Duration::from_secs(25);
/// Answers of at most this many bytes are passed on without a look at whether they may still be seen at their end.
const SHORT: u64 = 256 * 1024;

/// What previews are served with.
#[derive(Debug)]
pub struct Previews {
    doors: Doors,
    upstreams: Upstreams,
    /// The origins whose page may listen to what an app's page says of itself.
    ide: Vec<String>,
    cookie: &'static str,
}

impl Previews {
    pub fn new(doors: Doors, ide: Vec<String>) -> Self {
        let upstreams = Upstreams::new(doors.registry.clone(), doors.tasks.clone());
        // Other origins of the same site can't set a cookie of this name, but it needs TLS.
        let cookie = if doors.names.is_https() { "__Host-embedenv_preview" } else { "embedenv_preview" };
        Self { doors, upstreams, ide, cookie }
    }
}

/// Stands in front of everything: a request to a port's name is no request to this server.
pub async fn guard(State(previews): State<Arc<Previews>>, request: Request, next: Next) -> Response<Body> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    // A target in absolute form overrides the header (RFC 9112 section 3.2.2).
    match authority.or(host).and_then(|host| previews.doors.names.find(host)) {
        Some(name) => previews.answer(name, request).await,
        None => next.run(request).await,
    }
}

/// What a member is told of a port: its address, and the way in for their browser.
pub(super) fn entrance(names: &Names, room: &Room, port: u16, ticket: &str) -> Result<(String, String), Failure> {
    let name = Name { port, room: room.id };
    let origin = names.origin(name).ok_or_else(|| {
        Failure::new(
            ErrorCode::Unavailable,
            "this server has no host name for previews; whoever runs it sets preview.host",
        )
    })?;
    Ok((format!("{origin}/"), format!("{origin}{OWN}enter?ticket={ticket}")))
}

#[derive(Debug, Deserialize)]
struct Entering {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    to: String,
}

impl Previews {
    async fn answer(&self, name: Name, request: Request) -> Response<Body> {
        let Some(room) = self.doors.registry.find(name.room) else { return Standing::Gone.answer(request.headers()) };
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
        let Some(peer) = peer else { return Problem::logged("a connection without an address").into_response() };
        if let Some(own) = request.uri().path().strip_prefix(OWN) {
            let (own, method) = (own.to_owned(), request.method().clone());
            if method != Method::GET {
                return problem::method_not_allowed().await.into_response();
            }
            return match &*own {
                "enter" => self.enter(&room, name, peer, request.uri(), request.headers()),
                "check" => self.check(&room, name, request.uri(), request.headers()),
                "ready" => self.ready(&room, name, request.headers()).await,
                "inside.js" => script(&self.ide),
                _ => problem::not_found().await.into_response(),
            };
        }
        self.pass_on(&room, name, peer, request).await
    }

    /// Lets a browser in, which keeps what it got as a cookie of this origin's alone.
    fn enter(&self, room: &Room, name: Name, peer: SocketAddr, uri: &Uri, asked: &HeaderMap) -> Response<Body> {
        let Ok(Query(Entering { ticket, to })) = Query::try_from_uri(uri) else { return Standing::Used.answer(asked) };
        let Kept { secret, lasts } = match room.previews.enter(name.port, &ticket) {
            Ok(kept) => kept,
            Err(_) if self.doors.attempts.failed(peer.ip(), &ticket).is_limited() => {
                return Problem::new(ErrorCode::TooManyAttempts, "too many failed attempts; wait a minute")
                    .into_response();
            }
            Err(_) => return Standing::Used.answer(asked),
        };
        // In a frame of the IDE's this origin is another site's: the cookie is kept for that site's pages alone.
        let place =
            if self.doors.names.is_secure_context() { "Secure; SameSite=None; Partitioned" } else { "SameSite=Lax" };
        let cookie = format!("{}={secret}; Path=/; Max-Age={}; HttpOnly; {place}", self.cookie, lasts.as_secs());
        let mut response = lead_to(&format!("{OWN}check?to={}", encoded(&to)));
        match HeaderValue::try_from(cookie) {
            Ok(cookie) => response.headers_mut().insert(SET_COOKIE, cookie),
            Err(error) => return Problem::internal(&error).into_response(),
        };
        response
    }

    /// Whether the browser has kept the cookie.
    fn check(&self, room: &Room, name: Name, uri: &Uri, asked: &HeaderMap) -> Response<Body> {
        if !matches!(self.access(room, name, asked), Some(Access::Pass { .. })) {
            return Standing::NoCookies.answer(asked);
        }
        let to = Query::<Entering>::try_from_uri(uri).map(|Query(entering)| entering.to).unwrap_or_default();
        lead_to(own_path(&to))
    }

    /// Answers when something listens.
    async fn ready(&self, room: &Room, name: Name, asked: &HeaderMap) -> Response<Body> {
        if self.access(room, name, asked).is_none() {
            return Standing::Private.answer(asked);
        }
        let status = match timeout(WAIT, room.listens(name.port)).await {
            Ok(()) => StatusCode::NO_CONTENT,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = status.into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// By what somebody may see a port.
    fn access(&self, room: &Room, name: Name, asked: &HeaderMap) -> Option<Access> {
        let said = asked.get(rewrite::TOKEN).and_then(|token| token.to_str().ok());
        room.previews.check(name.port, said.into_iter().chain(rewrite::cookies(asked, self.cookie)))
    }

    async fn pass_on(&self, room: &Arc<Room>, name: Name, peer: SocketAddr, mut request: Request) -> Response<Body> {
        let Some(access) = self.access(room, name, request.headers()) else {
            if let Some(token) = request.headers().get(rewrite::TOKEN).and_then(|token| token.to_str().ok())
                && self.doors.attempts.failed(peer.ip(), token).is_limited()
            {
                return Problem::new(ErrorCode::TooManyAttempts, "too many failed attempts; wait a minute")
                    .into_response();
            }
            return Standing::Private.answer(request.headers());
        };
        if let Some(refused) = self.refused(access, &request) {
            return refused.answer(request.headers());
        }
        if room.sandbox.link_now().is_none() {
            return Standing::Asleep.answer(request.headers());
        }
        let in_frame = inside::in_frame(request.method(), request.headers());
        let asked = wanted(request.headers());
        rewrite::request(
            request.headers_mut(),
            Asked { peer: peer.ip(), https: self.doors.names.is_https(), cookie: self.cookie },
        );
        if in_frame {
            inside::ask_plain(request.headers_mut());
        }
        let upgrades = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
        let mut response = match self.upstreams.ask(name, request).await {
            Ok(response) => response,
            Err(Unanswered::Nobody) => return Standing::Waiting(name.port).answer(&asked),
            Err(Unanswered::Failed(failure)) => return Standing::Broken(failure).answer(&asked),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(client) = upgrades else {
                let failure =
                    Problem::new(ErrorCode::Unreachable, "the app switches protocols, and nobody asked it to");
                return failure.into_response();
            };
            let app = hyper::upgrade::on(&mut response);
            self.tunnel(room.clone(), access, client, app);
            return response.map(|_| Body::empty());
        }
        rewrite::response(response.headers_mut(), self.cookie, in_frame);
        let response = while_good(room.clone(), access, response);
        if in_frame { inside::put_in(response) } else { response }
    }

    fn refused(&self, access: Access, request: &Request) -> Option<Standing> {
        let (method, headers) = (request.method(), request.headers());
        let upgrades = headers.contains_key(UPGRADE);
        let changes = upgrades || !(method.is_safe() && *method != Method::TRACE);
        if !changes || matches!(access, Access::Open { .. }) {
            return None;
        }
        if !Capability::Work.granted_to(access.role()) {
            return Some(Standing::Watching);
        }
        // With a header of ours it is no browser that was tricked.
        let by_cookie = !headers.contains_key(rewrite::TOKEN);
        (by_cookie && is_foreign(headers)).then_some(Standing::Foreign)
    }

    /// Carries an upgraded connection until either end closes it, or it may be seen no longer.
    fn tunnel(
        &self,
        room: Arc<Room>,
        access: Access,
        client: hyper::upgrade::OnUpgrade,
        app: hyper::upgrade::OnUpgrade,
    ) {
        let tasks = self.doors.tasks.clone();
        self.doors.tasks.spawn("preview", async move {
            let (client, app) = match tokio::try_join!(client, app) {
                Ok(both) => both,
                Err(error) => return tracing::debug!(%error, "an upgrade of a preview was not finished"),
            };
            let (mut client, mut app) = (TokioIo::new(client), TokioIo::new(app));
            tokio::select! {
                // Either end may break off at any time.
                _ = copy_bidirectional(&mut client, &mut app) => {}
                () = room.previews.over(access) => {}
                () = tasks.closing() => {}
            }
        });
    }
}

/// Whether a request comes from a page of another origin than the preview's own. Only browsers say where they are from.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let own = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
    !own
}

/// What of a request says how its answer is to look.
fn wanted(headers: &HeaderMap) -> HeaderMap {
    let accept = headers.get(axum::http::header::ACCEPT).cloned();
    accept.into_iter().map(|accept| (axum::http::header::ACCEPT, accept)).collect()
}

/// An answer that ends when it may be seen no longer. One that is short has ended before.
fn while_good(room: Arc<Room>, access: Access, response: Response<Incoming>) -> Response<Body> {
    if response.body().size_hint().upper().is_some_and(|most| most <= SHORT) {
        return response.map(Body::new);
    }
    response.map(|body| {
        let over = Box::pin(async move { room.previews.over(access).await });
        Body::from_stream(Body::new(body).into_data_stream().take_until(over))
    })
}

fn script(ide: &[String]) -> Response<Body> {
    let mut response = Response::new(Body::from(inside::script(ide)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn lead_to(to: &str) -> Response<Body> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// A path of this origin, so that nobody is led elsewhere.
fn own_path(to: &str) -> &str {
    let is_own = to.starts_with('/') && !to.starts_with("//") && !to.starts_with(OWN);
    let is_plain = to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own && is_plain { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for own in ["/", "/a/b?c=d#e", "/a//b", "/%2e%2e/"] {
            assert_eq!(own_path(own), own);
        }
        for other in [
            "",
            "x",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/\r\nx: y",
            "/.embedenv/enter",
            "/é",
        ] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_foreign() {
        let of = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            is_foreign(&headers)
        };
        assert!(
            !of("3000-x.localhost:8080", None) && !of("3000-x.localhost:8080", Some("http://3000-X.localhost:8080"))
        );
        for origin in ["null", "http://localhost:8080", "http://3001-x.localhost:8080", "http://3000-x.localhost", ""] {
            assert!(of("3000-x.localhost:8080", Some(origin)), "{origin}");
        }
    }
}
