//! A connection outward: its bytes are counted, and when it has ended that is written down, with its host.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::{Egress, IDLE};

#[derive(Debug)]
pub(super) struct Carried {
    stream: TcpStream,
    egress: Arc<Egress>,
    host: String,
    begun: Instant,
    moved: Moved,
    /// Given back when the connection has ended.
    _place: OwnedSemaphorePermit,
}

/// Bytes that a connection has carried, both ways.
#[derive(Debug, Clone, Default)]
pub(super) struct Moved(Arc<AtomicU64>);

impl Moved {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Does the work of a connection until it is done or nothing has moved for [`IDLE`].
    pub(super) async fn while_moving(&self, work: impl Future) {
        let mut work = std::pin::pin!(work);
        let mut before = self.get();
        loop {
            tokio::select! {
                _ = &mut work => return,
                () = sleep(IDLE) => {}
            }
            if self.get() == before {
                return;
            }
            before = self.get();
        }
    }
}

impl Carried {
    pub(super) fn new(stream: TcpStream, egress: Arc<Egress>, place: OwnedSemaphorePermit, host: String) -> Self {
        // It works without, only later.
        let _ = stream.set_nodelay(true);
        Self { stream, egress, host, begun: Instant::now(), moved: Moved::default(), _place: place }
    }

    pub(super) fn moved(&self) -> Moved {
        self.moved.clone()
    }

    fn count(&self, bytes: usize) -> io::Result<()> {
        self.moved.0.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.egress.count(bytes) { Ok(()) } else { Err(io::Error::other("the room has carried as much as it may")) }
    }
}

impl AsyncRead for Carried {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        Poll::Ready(self.count(buffer.filled().len() - before))
    }
}

impl AsyncWrite for Carried {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        Poll::Ready(self.count(written).map(|()| written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        let (bytes, elapsed) = (self.moved.get(), self.begun.elapsed());
        tracing::debug!(host = self.host, bytes, ?elapsed, "traffic out has ended");
    }
}
