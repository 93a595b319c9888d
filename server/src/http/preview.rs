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

mod addresses;
mod inside;
pub mod names;
mod pages;
mod paths;
pub mod places;
mod rewrite;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION, REFERRER_POLICY, SET_COOKIE, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect};
use embedenv_shared::code::ErrorCode;
use futures_util::StreamExt as _;
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::copy_bidirectional;
use tokio::time::timeout;

use super::Doors;
use super::headers::is_foreign;
use super::problem::{self, Problem};
use super::quoting::encoded;
use crate::policy::Capability;
use crate::room::Room;
use crate::room::previews::{Access, Kept};
use names::Name;
use pages::Standing;
use rewrite::{Asked, Given};
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
        let cookie = if doors.places.names().is_https() { "__Host-embedenv_preview" } else { "embedenv_preview" };
        Self { doors, upstreams, ide, cookie }
    }
}

/// Stands in front of everything: a request to a port's name is no request to this server.
pub async fn guard(State(previews): State<Arc<Previews>>, request: Request, next: Next) -> Response<Body> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    // A target in absolute form overrides the header (RFC 9112 section 3.2.2).
    match authority.or(host).and_then(|host| previews.doors.places.names().find(host)) {
        Some(name) => previews.answer(Way { name, secret: None }, request).await,
        None => next.run(request).await,
    }
}

/// Answers at the origin where previews are below paths.
pub async fn below(State(previews): State<Arc<Previews>>, mut request: Request) -> Response<Body> {
    let Some((name, secret, rest)) = paths::split(request.uri()) else {
        return problem::not_found().await.into_response();
    };
    let way = Way { name, secret: Some(secret.to_owned()) };
    let Some(rest) = rest else { return Redirect::permanent(&format!("{}/", way.prefix())).into_response() };
    *request.uri_mut() = rest;
    previews.answer(way, request).await
}

/// How a request came to a port: by a name of the port's own, or by a path with what lets somebody see it.
#[derive(Debug)]
struct Way {
    name: Name,
    secret: Option<String>,
}

impl Way {
    /// What all addresses of the port's begin with.
    fn prefix(&self) -> String {
        self.secret.as_ref().map(|secret| format!("/{}~{secret}", self.name)).unwrap_or_default()
    }

    /// Apps of others are at the same origin.
    fn is_shared(&self) -> bool {
        self.secret.is_some()
    }
}

#[derive(Debug, Deserialize)]
struct Entering {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    to: String,
}

impl Previews {
    async fn answer(&self, way: Way, request: Request) -> Response<Body> {
        let Some(room) = self.doors.registry.find(way.name.room) else {
            return Standing::Gone.answer(request.headers(), &way.prefix());
        };
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
        let Some(peer) = peer else { return Problem::logged("a connection without an address").into_response() };
        if let Some(own) = request.uri().path().strip_prefix(OWN) {
            let (own, method) = (own.to_owned(), request.method().clone());
            if method != Method::GET {
                return problem::method_not_allowed().await.into_response();
            }
            return match &*own {
                "enter" => self.enter(&room, &way, peer, request.uri(), request.headers()),
                "check" => self.check(&room, &way, request.uri(), request.headers()),
                "ready" => self.ready(&room, &way, request.headers()).await,
                "inside.js" => script(&self.ide, &way),
                _ => problem::not_found().await.into_response(),
            };
        }
        self.pass_on(&room, &way, peer, request).await
    }

    /// Lets a browser in, which keeps what it got as a cookie of this origin's alone.
    fn enter(&self, room: &Room, way: &Way, peer: SocketAddr, uri: &Uri, asked: &HeaderMap) -> Response<Body> {
        let prefix = way.prefix();
        let Ok(Query(Entering { ticket, to })) = Query::try_from_uri(uri) else {
            return Standing::Used.answer(asked, &prefix);
        };
        // The path has what lets one see the port, or the app's place says that it doesn't; there is nothing to keep.
        if way.is_shared() {
            return lead_to(&format!("{prefix}{}", own_path(&to)));
        }
        let Ok(Kept { secret, lasts }) = room.previews.enter(way.name.port, &ticket) else {
            if self.doors.attempts.failed(peer.ip(), &ticket).is_limited() {
                return Problem::too_many_attempts().into_response();
            }
            return Standing::Used.answer(asked, &prefix);
        };
        // In a frame of the IDE's this origin is another site's: the cookie is kept for that site's pages alone.
        let place = if self.doors.places.names().is_secure_context() {
            "Secure; SameSite=None; Partitioned"
        } else {
            "SameSite=Lax"
        };
        let cookie = format!("{}={secret}; Path=/; Max-Age={}; HttpOnly; {place}", self.cookie, lasts.as_secs());
        let mut response = lead_to(&format!("{OWN}check?to={}", encoded(&to)));
        match HeaderValue::try_from(cookie) {
            Ok(cookie) => response.headers_mut().insert(SET_COOKIE, cookie),
            Err(error) => return Problem::internal(&error).into_response(),
        };
        response
    }

    /// Whether the browser has kept the cookie.
    fn check(&self, room: &Room, way: &Way, uri: &Uri, asked: &HeaderMap) -> Response<Body> {
        if !matches!(self.access(room, way, asked), Some(Access::Pass { .. })) {
            return Standing::NoCookies.answer(asked, &way.prefix());
        }
        let to = Query::<Entering>::try_from_uri(uri).map(|Query(entering)| entering.to).unwrap_or_default();
        lead_to(own_path(&to))
    }

    /// Answers when something listens.
    async fn ready(&self, room: &Room, way: &Way, asked: &HeaderMap) -> Response<Body> {
        if self.access(room, way, asked).is_none() {
            return Standing::Private.answer(asked, &way.prefix());
        }
        let status = match timeout(WAIT, room.listens(way.name.port)).await {
            Ok(()) => StatusCode::NO_CONTENT,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = status.into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// By what somebody may see a port.
    fn access(&self, room: &Room, way: &Way, asked: &HeaderMap) -> Option<Access> {
        let port = way.name.port;
        if let Some(secret) = &way.secret {
            return room.previews.check(port, [&**secret].into_iter());
        }
        let said = asked.get(rewrite::TOKEN).and_then(|token| token.to_str().ok());
        room.previews.check(port, said.into_iter().chain(rewrite::cookies(asked, self.cookie)))
    }

    async fn pass_on(&self, room: &Arc<Room>, way: &Way, peer: SocketAddr, mut request: Request) -> Response<Body> {
        let (name, prefix) = (way.name, way.prefix());
        let Some(access) = self.access(room, way, request.headers()) else {
            let token = request.headers().get(rewrite::TOKEN).and_then(|token| token.to_str().ok());
            if let Some(presented) = way.secret.as_deref().or(token)
                && self.doors.attempts.failed(peer.ip(), presented).is_limited()
            {
                return Problem::too_many_attempts().into_response();
            }
            return Standing::Private.answer(request.headers(), &prefix);
        };
        if way.is_shared() && paths::is_preflight(request.method(), request.headers()) {
            let mut response = StatusCode::NO_CONTENT.into_response();
            paths::preflight(request.headers(), response.headers_mut());
            return response;
        }
        if let Some(refused) = self.refused(way, access, &request) {
            return refused.answer(request.headers(), &prefix);
        }
        if room.sandbox.link_now().is_none() {
            return Standing::Asleep.answer(request.headers(), &prefix);
        }
        let is_page = if way.is_shared() { inside::is_page } else { inside::in_frame };
        let is_page = is_page(request.method(), request.headers());
        let asked = wanted(request.headers());
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
        let https = self.doors.places.is_https();
        rewrite::request(request.headers_mut(), Asked { peer: peer.ip(), https, cookie: self.cookie });
        if way.is_shared() {
            paths::request(request.headers_mut(), https);
        }
        if is_page {
            inside::ask_plain(request.headers_mut());
        }
        let upgrades = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
        let mut response = match self.upstreams.ask(name, request).await {
            Ok(response) => response,
            Err(Unanswered::Nobody) => return Standing::Waiting(name.port).answer(&asked, &prefix),
            Err(Unanswered::Failed(failure)) => return Standing::Broken(failure).answer(&asked, &prefix),
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
        let secure_context = self.doors.places.names().is_secure_context();
        let given = Given { cookie: self.cookie, secure_context, in_frame: is_page };
        rewrite::response(response.headers_mut(), given);
        if way.is_shared() {
            paths::response(response.headers_mut(), &prefix, https, &host);
        }
        let response = while_good(room.clone(), access, response);
        if is_page { inside::put_in(response, &prefix) } else { response }
    }

    fn refused(&self, way: &Way, access: Access, request: &Request) -> Option<Standing> {
        let (method, headers) = (request.method(), request.headers());
        let upgrades = headers.contains_key(UPGRADE);
        let changes = upgrades || !(method.is_safe() && *method != Method::TRACE);
        if !changes || matches!(access, Access::Open { .. }) {
            return None;
        }
        if !Capability::Work.granted_to(access.role()) {
            return Some(Standing::Watching);
        }
        // Who says the secret was not tricked: a browser sends cookies by itself, and nothing else.
        let by_cookie = !way.is_shared() && !headers.contains_key(rewrite::TOKEN);
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

fn script(ide: &[String], way: &Way) -> Response<Body> {
    let mut response = Response::new(Body::from(inside::script(ide, &way.prefix())));
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
}
