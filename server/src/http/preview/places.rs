//! Where previews are: each port at a name of its own, or, where no such names lead to the server, all of them below paths
//! of one origin.

use std::net::SocketAddr;

use embedenv_shared::code::{ErrorCode, Failure};

use super::OWN;
use super::names::{BadPreviewHost, Name, Names};
use super::paths::{BadPreviewUrl, Paths};
use crate::config::Config;
use crate::http::quoting::encoded;
use crate::room::Room;
use crate::room::previews::Holder;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    names: Names,
    paths: Option<Paths>,
}

/// The settings say of no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlaces {
    #[error(transparent)]
    Host(#[from] BadPreviewHost),
    #[error(transparent)]
    Url(#[from] BadPreviewUrl),
}

impl Places {
    /// Names where they are configured, else paths where those are, else names of `localhost`. The addresses are those
    /// that the server listens on.
    pub fn new(config: &Config, listening: SocketAddr, paths: Option<SocketAddr>) -> Result<Self, BadPlaces> {
        let public_url = config.public_url.as_deref();
        let names = Names::new(config.preview.host.as_deref(), public_url, listening)?;
        let paths = paths.filter(|_| config.preview.host.is_none());
        let paths = paths.map(|at| Paths::new(config.preview.url.as_deref(), public_url, at)).transpose()?;
        Ok(Self { names, paths })
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Previews are below paths.
    pub fn paths(&self) -> Option<&Paths> {
        self.paths.as_ref()
    }

    /// Whether people reach them by TLS.
    pub fn is_https(&self) -> bool {
        self.paths.as_ref().map_or_else(|| self.names.is_https(), |paths| paths.origin().starts_with("https:"))
    }

    /// What the IDE's policy lets it show in frames.
    pub fn source(&self) -> String {
        self.paths.as_ref().map_or_else(|| self.names.source(), |paths| paths.origin().to_owned())
    }

    /// A member's way to a port: its address, and the way in for their browser.
    pub(in crate::http) fn entrance(
        &self,
        room: &Room,
        port: u16,
        holder: Holder,
    ) -> Result<(String, String), Failure> {
        let name = Name { port, room: room.id };
        if let Some(paths) = &self.paths {
            let base = paths.base(name, &room.previews.pass(holder, port)?);
            let enter = format!("{}enter?by=path", OWN.trim_start_matches('/'));
            return Ok((base.clone(), base + &enter));
        }
        let origin = self.origin(name)?;
        let ticket = room.previews.ticket(holder, port)?;
        Ok((format!("{origin}/"), format!("{origin}{OWN}enter?ticket={}", encoded(&ticket))))
    }

    /// A link to a port for whoever it is given to.
    pub(in crate::http) fn link(&self, room: &Room, port: u16, token: &str) -> Result<String, Failure> {
        let name = Name { port, room: room.id };
        match &self.paths {
            Some(paths) => Ok(paths.base(name, token)),
            None => Ok(format!("{}{OWN}enter?ticket={}", self.origin(name)?, encoded(token))),
        }
    }

    fn origin(&self, name: Name) -> Result<String, Failure> {
        self.names.origin(name).ok_or_else(|| {
            Failure::new(
                ErrorCode::Unavailable,
                "this server has no host name for previews; whoever runs it sets preview.host or preview.listen",
            )
        })
    }
}
