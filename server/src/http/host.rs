//! Whose names a request may come under: the server's own, else 421, before any route. A page of another site that has
//! its name resolved to this server (DNS rebinding) gets nothing.
//!
//! Never looks at anything but the request's target and its `Host`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, Response, Uri};
use axum::middleware::Next;
use axum::response::IntoResponse;

use super::problem::Problem;

/// Names that always mean this machine.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The address a connection came in at, as the accept loop tells it to handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedAt(pub SocketAddr);

/// The names a server goes by, besides those of the loopback and the address a connection came in at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<Name>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    /// In lower case; an IPv6 address stands in brackets.
    host: String,
    /// Any port if `None`.
    port: Option<u16>,
}

/// A configured host that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a host name with an optional port")]
pub struct BadHost(String);

impl Hosts {
    /// Takes the server's own address, and others as `name` or `name:port`; without a port, any port will do.
    pub fn new(public_url: Option<&str>, hosts: &[String]) -> Result<Self, BadHost> {
        let name = |text: &str| parse(text).ok_or_else(|| BadHost(text.to_owned()));
        let public = public_url.map(|url| {
            let (_, rest) = url.split_once("://").ok_or_else(|| BadHost(url.to_owned()))?;
            name(rest.split(['/', '?', '#']).next().unwrap_or_default())
        });
        let hosts = hosts.iter().map(|host| name(host));
        public.into_iter().chain(hosts).collect::<Result<_, _>>().map(Self)
    }

    fn has(&self, host: &str, received_at: Option<IpAddr>) -> bool {
        let Some(Name { host, port }) = parse(host) else { return false };
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        LOOPBACK.contains(&host.as_str())
            // An address can't be rebound to another.
            || literal.is_ok_and(|literal| Some(literal.to_canonical()) == received_at.map(|ip| ip.to_canonical()))
            || self.0.iter().any(|own| own.host == host && (own.port.is_none() || own.port == port))
    }

    /// Whether a request is meant for this server.
    pub fn allow(&self, uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> bool {
        let received_at = extensions.get::<ReceivedAt>().map(|at| at.0.ip());
        let mut said = headers.get_all(HOST).iter();
        let (Some(host), None) = (said.next(), said.next()) else { return false };
        let named = host.to_str().is_ok_and(|host| self.has(host, received_at));
        // A target in absolute form overrides the header (RFC 9112 section 3.2.2), so both must be ours.
        named && uri.authority().is_none_or(|authority| self.has(authority.as_str(), received_at))
    }
}

fn parse(text: &str) -> Option<Name> {
    if text.contains('@') {
        return None;
    }
    let authority: Authority = text.parse().ok()?;
    let host = authority.host().to_ascii_lowercase();
    let rest = &text[host.len()..];
    let port = match rest.strip_prefix(':') {
        Some(port) => Some(port.parse().ok()?),
        None if rest.is_empty() => None,
        None => return None,
    };
    (!host.is_empty()).then_some(Name { host, port })
}

/// Stands in front of every route.
pub async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response<Body> {
    if hosts.allow(request.uri(), request.headers(), request.extensions()) {
        next.run(request).await
    } else {
        Problem::misdirected().into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn own_names_are_allowed_and_all_others_are_not() {
        let hosts =
            Hosts::new(Some("https://IDE.example.com/x"), &["other.example:8443".into(), "[2001:db8::1]".into()])
                .unwrap();
        let at = Some("192.0.2.7".parse().unwrap());
        for own in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "ide.example.com",
            "ide.EXAMPLE.com:8443",
            "other.example:8443",
            "[2001:db8::1]:80",
            "192.0.2.7:8080",
        ] {
            assert!(hosts.has(own, at), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "127.1",
            "2130706433",
            "0x7f000001",
            "other.example",
            "other.example:80",
            "x@localhost",
            "localhost@evil.example",
            "localhost:",
            "localhost:80x",
            "localhost:99999",
            "localhost, evil.example",
            "localhost/evil",
            "[::2]",
            "[::1",
            "::1",
            "192.0.2.8",
            "sub.ide.example.com",
        ] {
            assert!(!hosts.has(foreign, at), "{foreign}");
        }
        assert!(!hosts.has("192.0.2.7", None));
        for bad in ["http://example.com", "", "a b", "x@example.com"] {
            assert!(Hosts::new(None, &[bad.into()]).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_foreign_host_gets_421_on_every_route() {
        let hosts = Arc::new(Hosts::default());
        let router = Router::new().route("/healthz", get(async || "ok")).layer(from_fn_with_state(hosts, guard));
        let status = async |uri: &str, hosts: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
        };
        assert_eq!(status("/healthz", &["localhost"]).await, 200);
        assert_eq!(status("/healthz", &["evil.example"]).await, 421);
        assert_eq!(status("/none", &["evil.example"]).await, 421);
        assert_eq!(status("/healthz", &[]).await, 421);
        assert_eq!(status("/healthz", &["localhost", "evil.example"]).await, 421);
        assert_eq!(status("http://evil.example/healthz", &["localhost"]).await, 421);
        assert_eq!(status("http://localhost/healthz", &["localhost"]).await, 200);
    }
}
