//! The floor: a WebSocket of axum's on a pseudo-terminal, in one process, with nothing between.
//!
//! It runs whatever command the address names, with no sandbox, no account and no log: what any terminal in a browser
//! must do at least.
#![allow(unsafe_code)] // `AsyncFd::register`: the descriptor must stay open, and the one given is owned.

use std::collections::HashMap;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::broadcast;

/// What the bench program is started with to be the floor.
pub const ARGUMENT: &str = "--floor";
/// Bytes read from the pseudo-terminal at once.
const READ: usize = 64 * 1024;

/// The floor as a process of its own.
#[derive(Debug)]
pub struct Floor {
    _child: Child,
    address: String,
}

impl Floor {
    pub async fn start() -> Result<Self> {
        let mut child =
            Command::new(std::env::current_exe()?).arg(ARGUMENT).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let address = lines.next_line().await?.context("the floor did not start")?;
        Ok(Self { _child: child, address })
    }

    /// The address of a relay: what one who is there sends goes to all others.
    pub fn relay(&self, room: &str) -> String {
        format!("ws://{}/relay/{room}", self.address)
    }

    /// The address of a terminal that runs a command line.
    pub fn url(&self, command: &str) -> String {
        let encoded: String = command.bytes().map(|byte| format!("%{byte:02x}")).collect();
        format!("ws://{}/?command={encoded}", self.address)
    }
}

#[derive(Debug, Deserialize)]
struct Asked {
    command: String,
}

/// Serves until it is killed.
pub async fn serve() -> Result<()> {
    let relays = Relays::default();
    let router = Router::new().route("/", get(upgrade)).route("/relay/{room}", get(join)).with_state(relays);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| {
            // A socket that can't be set is slower, not wrong.
            let _ = stream.set_nodelay(true);
        }),
        router,
    )
    .await?)
}

/// The channels of each relay, by its name.
type Relays = Arc<Mutex<HashMap<String, broadcast::Sender<(usize, Bytes)>>>>;

/// Messages that wait for a slow one; a bench that needs more is not about a relay.
const WAITING: usize = 65_536;

async fn join(State(relays): State<Relays>, Path(room): Path<String>, upgrade: WebSocketUpgrade) -> Response {
    let channel = relays.lock().entry(room).or_insert_with(|| broadcast::channel(WAITING).0).clone();
    upgrade.on_upgrade(|socket| relay(socket, channel))
}

async fn relay(socket: WebSocket, channel: broadcast::Sender<(usize, Bytes)>) {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let me = LAST.fetch_add(1, Ordering::Relaxed);
    let mut others = channel.subscribe();
    let (mut sink, mut stream) = socket.split();
    let send = async {
        while let Ok((from, bytes)) = others.recv().await {
            if from != me && sink.send(Message::Binary(bytes)).await.is_err() {
                return;
            }
        }
    };
    let receive = async {
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Binary(bytes) = message {
                // Nobody else may be there.
                let _ = channel.send((me, bytes));
            }
        }
    };
    tokio::select! {
        () = send => {}
        () = receive => {}
    }
}

async fn upgrade(Query(asked): Query<Asked>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| async move {
        if let Err(error) = carry(socket, &asked.command).await {
            eprintln!("the floor's terminal failed: {error:#}");
        }
    })
}

async fn carry(mut socket: WebSocket, command: &str) -> Result<()> {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let slave = std::fs::OpenOptions::new().read(true).write(true).open(ptsname(&master, Vec::new())?.to_str()?)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    let mut child = Command::new("setsid")
        .args(["--ctty", "sh", "-c", command])
        .stdin(slave.try_clone()?)
        .stdout(slave.try_clone()?)
        .stderr(slave)
        .kill_on_drop(true)
        .spawn()?;
    // Safety: an `OwnedFd` is open until it is dropped, and the `AsyncFd` holds it until then.
    let master: AsyncFd<OwnedFd> = unsafe { AsyncFd::register(master) }?;
    let mut buffer = vec![0; READ];
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Binary(bytes))) => write(&master, &bytes).await?,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            ready = master.readable() => {
                let mut ready = ready?;
                match ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut buffer[..])?)) {
                    Ok(Ok(0) | Err(_)) => break,
                    Ok(Ok(n)) => socket.send(Message::Binary(buffer[..n].to_vec().into())).await?,
                    Err(_) => {}
                }
            }
        }
    }
    let _ = (master.as_raw_fd(), child.kill().await);
    Ok(())
}

async fn write(master: &AsyncFd<OwnedFd>, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        let mut ready = master.writable().await?;
        if let Ok(written) = ready.try_io(|fd| Ok(rustix::io::write(fd.get_ref(), bytes)?)) {
            bytes = &bytes[written?..];
        }
    }
    Ok(())
}
