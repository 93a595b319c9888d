//! A connection's bytes, with the one limit that hyper has none for: a peer that takes nothing of what it is sent.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::gate::Ticket;

/// The stream, and the place it takes, which it keeps through an upgrade to its end.
pub(super) struct Connection {
    stream: TcpStream,
    stall: Duration,
    /// When a write that does not go on is given up. Made with the first one that has to wait.
    deadline: Option<Pin<Box<Sleep>>>,
    is_stalled: bool,
    ticket: Arc<Ticket>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, stall: Duration, ticket: Arc<Ticket>) -> Self {
        Self { stream, stall, deadline: None, is_stalled: false, ticket }
    }

    /// Lets a write's outcome through, unless it has waited for too long.
    fn timed<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            if self.is_stalled {
                self.is_stalled = false;
                self.ticket.wait();
            }
            return outcome;
        }
        let stall = self.stall;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(stall)));
        if !self.is_stalled {
            self.is_stalled = true;
            self.ticket.work();
            deadline.as_mut().reset(Instant::now() + stall);
        }
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.timed(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.timed(cx, outcome)
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

/// While it lives, the connection has a request under way.
pub(super) struct Answering {
    ticket: Option<Arc<Ticket>>,
}

impl Answering {
    pub(super) fn new(ticket: Arc<Ticket>) -> Self {
        ticket.work();
        Self { ticket: Some(ticket) }
    }

    /// The connection never waits again.
    pub(super) fn for_good(mut self) {
        self.ticket = None;
    }

    /// The request is under way until its response's body has been handed on.
    pub(super) fn until_the_end_of(self, body: Body) -> AnsweringBody {
        AnsweringBody { body, _answering: self }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.wait();
        }
    }
}

pub(super) struct AnsweringBody {
    body: Body,
    _answering: Answering,
}

impl hyper::body::Body for AnsweringBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
