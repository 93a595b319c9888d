//! The link through the engine: what it carries from and to a container's pipes becomes one socket, so that the link is
//! the same on every engine. Bytes alone: descriptors stay where they are.
//!
//! One task a link. It ends with the socket or with the engine's connection, whichever is first.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use embedenv_shared::id::RoomId;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::time::timeout;

use crate::engine::LinkStream;
use crate::tasks::Tasks;

/// After the socket has ended, the engine has so long to end its part.
const GRACE: Duration = Duration::from_secs(2);
/// Characters of an agent's complaint that are logged.
const COMPLAINT: usize = 500;

/// What a container says.
pub(super) type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
/// What it is told.
pub(super) type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// Begins to carry.
pub(super) fn carry(room: RoomId, output: Output, mut input: Input, tasks: &Tasks) -> io::Result<LinkStream> {
    let (stream, ours) = UnixStream::pair()?;
    let (mut from_link, to_link) = ours.into_split();
    tasks.spawn("container link", async move {
        let mut told = Box::pin(hear(room, output, to_link));
        tokio::select! {
            () = &mut told => {}
            _ = async {
                // Where it ends by an error there is nobody left to be told.
                let _ = tokio::io::copy(&mut from_link, &mut input).await;
                input.shutdown().await
            } => {
                let _ = timeout(GRACE, told).await;
            }
        }
    });
    Ok(LinkStream { stream, descriptors: false })
}

/// Carries what the agent says, until it says no more or nobody listens.
async fn hear(room: RoomId, mut output: Output, mut link: OwnedWriteHalf) {
    while let Some(said) = output.next().await {
        match said {
            Ok(LogOutput::StdOut { message }) => {
                if link.write_all(&message).await.is_err() {
                    return;
                }
            }
            Ok(LogOutput::StdErr { message }) => {
                let text: String = String::from_utf8_lossy(&message).trim().chars().take(COMPLAINT).collect();
                tracing::warn!(%room, text, "an agent complains");
            }
            Ok(LogOutput::StdIn { .. } | LogOutput::Console { .. }) => {}
            Err(_) => return,
        }
    }
}
