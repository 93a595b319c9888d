//! The names that ports go by: `{port}-{room}.{preview host}`, one origin for each, none of them the IDE's.
//!
//! By default the host is `localhost`, whose every name browsers take for this machine; elsewhere a wildcard name is
//! configured (`preview.host`). Pure.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use axum::http::uri::Authority;
use embedenv_shared::id::RoomId;

use crate::http::host::LOOPBACK;

/// The preview host where none is configured.
const DEFAULT: &str = "localhost";

/// A port of a room, as the first label of a host name or the name of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    pub port: u16,
    pub room: RoomId,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.port, self.room)
    }
}

/// The text names no port of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a room's port")]
pub struct BadName;

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let (port, room) = text.split_once('-').ok_or(BadName)?;
        // One spelling each: no sign, no zero ahead.
        let number: u16 = port.parse().map_err(|_| BadName)?;
        if number == 0 || number.to_string() != port {
            return Err(BadName);
        }
        Ok(Self { port: number, room: room.parse().map_err(|_| BadName)? })
    }
}

/// Where previews are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    https: bool,
    /// In lower case.
    host: String,
    /// The port in their addresses, where it is not the scheme's own.
    port: Option<u16>,
    /// People may come from elsewhere than this machine, where nothing is `localhost` to them.
    reachable: bool,
}

/// A preview host that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no host name for previews: a name that every {{port}}-{{room}} stands before, with an optional port, and not the server's own"
)]
pub struct BadPreviewHost(String);

impl Names {
    /// `configured` is `preview.host`; without it, previews are at `localhost`, at the port that the server is reached at.
    pub fn new(
        configured: Option<&str>,
        public_url: Option<&str>,
        listening: SocketAddr,
    ) -> Result<Self, BadPreviewHost> {
        let public = public_url.and_then(|url| url.split_once("://"));
        let https = public.is_some_and(|(scheme, _)| scheme == "https");
        let public: Option<Authority> =
            public.and_then(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default().parse().ok());
        if let Some(text) = configured {
            let bad = || BadPreviewHost(text.to_owned());
            let authority: Authority = text.parse().map_err(|_| bad())?;
            let host = authority.host().to_ascii_lowercase();
            let is_name = host.split('.').all(is_label) && host.parse::<std::net::Ipv4Addr>().is_err();
            let is_own = public.as_ref().is_some_and(|public| public.host().eq_ignore_ascii_case(&host)) && https;
            if !is_name || is_own || authority.as_str().contains('@') {
                return Err(bad());
            }
            let port = authority.port_u16().or_else(|| public.as_ref().and_then(Authority::port_u16));
            return Ok(Self { https, host, port, reachable: true });
        }
        let is_local = public.as_ref().is_none_or(|public| LOOPBACK.contains(&public.host()));
        let port = match &public {
            Some(public) if is_local => public.port_u16(),
            _ => Some(listening.port()).filter(|port| *port != 80),
        };
        Ok(Self { https: https && is_local, host: DEFAULT.to_owned(), port, reachable: is_local })
    }

    /// The port that a `Host` header names, whatever port of the server's it says.
    pub fn find(&self, host: &str) -> Option<Name> {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let (label, rest) = name.split_once('.')?;
        if rest.eq_ignore_ascii_case(&self.host) { label.to_ascii_lowercase().parse().ok() } else { None }
    }

    /// The origin of a port. `None` where people can't reach it by any name.
    pub fn origin(&self, name: Name) -> Option<String> {
        let scheme = if self.https { "https" } else { "http" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        self.reachable.then(|| format!("{scheme}://{name}.{}{port}", self.host))
    }

    /// What the IDE's policy lets it show in frames: every port's origin, and nothing else.
    pub fn source(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://*.{}{port}", self.host)
    }

    /// Whether people reach them by any name.
    pub fn is_reachable(&self) -> bool {
        self.reachable
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether a cookie may be kept in a frame of another site: such cookies must be `Secure`, which browsers allow with
    /// TLS and for this machine's own names.
    pub fn is_secure_context(&self) -> bool {
        self.https || self.host == DEFAULT
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "ac4rajbl6tb4vka4";

    fn names(configured: Option<&str>, public_url: Option<&str>) -> Names {
        Names::new(configured, public_url, "127.0.0.1:8080".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_name_has_one_spelling_and_fits_a_label() {
        let name: Name = format!("65535-{ROOM}").parse().unwrap();
        assert_eq!(name.to_string(), format!("65535-{ROOM}"));
        assert!(name.to_string().len() <= 63);
        for bad in ["", "-", ROOM, "0-x", &format!("0-{ROOM}"), &format!("03000-{ROOM}"), &format!("+1-{ROOM}")] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert!(format!("65536-{ROOM}").parse::<Name>().is_err() && format!("1-{ROOM}x").parse::<Name>().is_err());
    }

    #[test]
    fn origins_are_where_people_reach_the_server() {
        let name: Name = format!("3000-{ROOM}").parse().unwrap();
        let origin = |configured, public| names(configured, public).origin(name);
        let some = |origin: &str| Some(origin.replace("ROOM", ROOM));
        assert_eq!(origin(None, None), some("http://3000-ROOM.localhost:8080"));
        assert_eq!(origin(None, Some("http://localhost:9000/")), some("http://3000-ROOM.localhost:9000"));
        assert_eq!(origin(None, Some("https://ide.example.com")), None);
        let host = Some("Preview.example.com");
        assert_eq!(origin(host, Some("https://ide.example.com")), some("https://3000-ROOM.preview.example.com"));
        assert_eq!(origin(host, Some("http://ide.example.com:81")), some("http://3000-ROOM.preview.example.com:81"));
        assert_eq!(origin(Some("p.example:82"), None), some("http://3000-ROOM.p.example:82"));
        for bad in ["", "a b", "*.example.com", "x@y", "192.0.2.1", "http://x", "ide.example.com"] {
            let at = "127.0.0.1:1".parse().unwrap();
            assert!(Names::new(Some(bad), Some("https://ide.example.com"), at).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hosts_are_found_and_neighbours_are_not() {
        let names = names(None, None);
        let good = Some(Name { port: 3000, room: ROOM.parse().unwrap() });
        for host in ["3000-ROOM.localhost", "3000-ROOM.localhost:8080", "3000-ROOM.LOCALHOST:1"] {
            assert_eq!(names.find(&host.replace("ROOM", ROOM)), good, "{host}");
        }
        for host in [
            "localhost",
            "localhost:8080",
            "x.3000-ROOM.localhost",
            "3000-ROOM.localhost.evil.example",
            "3000-ROOM.evil.example",
            "3000-ROOM.localhost:x",
            "3000-ROOM.localhost.",
            "3000-ROOM",
            "3000-.localhost",
            "-ROOM.localhost",
        ] {
            assert_eq!(names.find(&host.replace("ROOM", ROOM)), None, "{host}");
        }
    }
}
