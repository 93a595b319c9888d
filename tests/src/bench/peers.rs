//! Servers of others that hold Yjs documents, as npm has them: started for a bench, ended with it.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::sleep;

const FOLDER: &str = "../tests/peers";
/// How often it is asked whether a server listens, and how many times.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: usize = 200;

/// How a server wants to be spoken to.
#[derive(Debug, Default)]
pub(super) struct Speech {
    /// Sent once, before anything else.
    pub(super) hello: Vec<u8>,
    /// What stands before each message, both ways.
    pub(super) header: Vec<u8>,
    /// It answers who asks for the document.
    pub(super) asks: bool,
    /// An edit comes back to its author, too.
    pub(super) echoes: bool,
    /// Edits that come together are made one update, in which they are counted.
    pub(super) merges: bool,
}

pub(super) struct Peer {
    pub(super) name: &'static str,
    _child: Child,
    address: String,
    /// Each message begins with the document's name.
    names_document: bool,
}

impl Peer {
    /// Those that are installed.
    pub(super) async fn start_all() -> Result<Vec<Self>> {
        let mut peers = Vec::new();
        for (name, package, program, names_document) in [
            ("y-websocket", "y-websocket-2", "node_modules/y-websocket-2/bin/server.cjs", false),
            ("Hocuspocus", "@hocuspocus/server", "hocuspocus.mjs", true),
        ] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
            if folder.join("node_modules").join(package).exists() {
                peers.push(Self::start(name, &folder.join(program), names_document).await?);
            } else {
                eprintln!("without {name}: `npm ci` in tests/peers installs it");
            }
        }
        Ok(peers)
    }

    async fn start(name: &'static str, program: &Path, names_document: bool) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut node = Command::new("node");
        node.arg(program).env("HOST", "127.0.0.1").env("PORT", port.to_string());
        let child = node.stdout(Stdio::null()).kill_on_drop(true).spawn()?;
        let address = format!("127.0.0.1:{port}");
        for _ in 0..TRIES {
            if TcpStream::connect(&address).await.is_ok() {
                return Ok(Self { name, _child: child, address, names_document });
            }
            sleep(PAUSE).await;
        }
        bail!("{name} did not listen")
    }

    pub(super) fn url(&self, document: &str) -> String {
        format!("ws://{}/{document}", self.address)
    }

    pub(super) fn speech(&self, document: &str) -> Speech {
        if !self.names_document {
            return Speech { asks: true, echoes: true, ..Speech::default() };
        }
        // A length, which takes one byte in the lib0 encoding below 128, and the name.
        let header = [&[document.len() as u8], document.as_bytes()].concat();
        // The message `Auth` with an empty token: without it nothing is answered.
        let hello = [&header[..], &[2, 0, 0]].concat();
        Speech { hello, header, asks: true, echoes: true, merges: true }
    }
}
