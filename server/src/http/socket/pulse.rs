//! Whether a peer takes what it is sent, seen at the stream itself: a long message may be on its way for long, and what
//! counts is that bytes of it leave. The stream says what happens to it; nothing here sends or waits for bytes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// What is seen of one peer.
#[derive(Debug)]
pub(super) struct Pulse {
    /// A peer that takes nothing for so long has stalled.
    stall: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// When bytes left last, or something was begun to be sent.
    progress: Instant,
    /// The stream took no more.
    is_full: bool,
    /// When the peer made room last in a stream that was full: only a peer that lives does.
    made_room: Instant,
}

impl Pulse {
    pub(super) fn new(stall: Duration) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self { stall, seen: Mutex::new(Seen { progress: now, is_full: false, made_room: now }) })
    }

    /// Something is sent from now on.
    pub(super) fn begin(&self) {
        self.seen.lock().progress = Instant::now();
    }

    /// When the peer showed last that it lives by taking what was waiting for it.
    pub(super) fn made_room(&self) -> Instant {
        self.seen.lock().made_room
    }

    /// Returns when what is being sent has not gone on for too long.
    pub(super) async fn stalled(&self) {
        loop {
            let deadline = self.seen.lock().progress + self.stall;
            if Instant::now() >= deadline {
                return;
            }
            sleep_until(deadline).await;
        }
    }

    fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        let mut seen = self.seen.lock();
        match outcome {
            Poll::Pending => seen.is_full = true,
            Poll::Ready(Ok(count)) if *count > 0 => {
                seen.progress = Instant::now();
                if std::mem::take(&mut seen.is_full) {
                    seen.made_room = seen.progress;
                }
            }
            Poll::Ready(_) => {}
        }
    }
}

/// A stream whose writes are seen.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse }
    }

    pub(super) fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.pulse.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.pulse.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
