//! Ways to what programs serve: the page's own, links for others, and ports that anybody may see.

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::{OpenPort, PreviewLink, ServerFrame};

use super::Workbench;
use crate::interop::page;
use crate::state::preview::Address;
use crate::words;
use crate::words::catalogue::say;

/// A way into a preview, good once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entrance {
    pub(crate) port: u16,
    /// The port's own origin, with a `/` behind it.
    pub(crate) base: String,
    pub(crate) enter: String,
}

/// Who may see ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) links: Vec<PreviewLink>,
    pub(crate) open: Vec<OpenPort>,
}

impl Workbench {
    pub(crate) async fn enter_preview(&self, to: &Address) -> Result<Entrance, String> {
        match self.connection.request(&FullRequest::Preview { port: to.port }).await {
            Ok(ServerFrame::Preview { port, url, enter, .. }) if is_reachable(&url) => {
                Ok(Entrance { port, base: url, enter: format!("{enter}&to={}", to.encoded_path()) })
            }
            Ok(_) => Err(say!("preview.no-host").to_owned()),
            Err(Failure { code: ErrorCode::Unavailable, .. }) => Err(say!("preview.no-host").to_owned()),
            Err(failure) => Err(words::failed(&say!("preview.failed", port = to.port), &failure)),
        }
    }

    /// A link to a port for others, good for so many seconds, and its address.
    pub(crate) async fn share_port(&self, port: u16, ttl: u64) -> Result<String, String> {
        match self.connection.request(&FullRequest::PreviewShare { port, ttl }).await {
            Ok(ServerFrame::PreviewLink { url, .. }) => Ok(url),
            Ok(_) => Err(say!("failed.no-key").to_owned()),
            Err(failure) => Err(words::failed(say!("failed.link"), &failure)),
        }
    }

    pub(crate) async fn shared_ports(&self) -> Result<Shared, String> {
        match self.connection.request(&FullRequest::Previews).await {
            Ok(ServerFrame::Previews { links, open, .. }) => Ok(Shared { links, open }),
            Ok(_) => Err(say!("failed.no-keys").to_owned()),
            Err(failure) => Err(words::failed(say!("failed.links"), &failure)),
        }
    }

    pub(crate) async fn revoke_port_link(&self, link: u32) -> Result<(), String> {
        let revoked = self.connection.request(&FullRequest::PreviewRevoke { link }).await;
        revoked.map(drop).map_err(|failure| words::failed(say!("failed.revoke"), &failure))
    }

    /// Lets anybody see a port for so many seconds, or nobody any more.
    pub(crate) async fn open_to_all(&self, port: u16, ttl: Option<u64>) -> Result<(), String> {
        let request = match ttl {
            Some(ttl) => FullRequest::PortOpen { port, ttl },
            None => FullRequest::PortClose { port },
        };
        let done = self.connection.request(&request).await;
        done.map(drop).map_err(|failure| words::failed(&say!("preview.open.failed", port = port), &failure))
    }
}

/// Whether this browser finds a preview there: names of the server's own machine lead to this one.
fn is_reachable(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
    !host.ends_with(".localhost") || page::is_at_home()
}
