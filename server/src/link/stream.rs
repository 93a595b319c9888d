//! A dialled port, or an archive that is being made, as a byte stream: [`Link::dial`] and [`Link::archive`] give something
//! that reads and writes like a TCP connection.
//!
//! Each direction has a window ([`STREAM_WINDOW`]): a slow reader holds up its own stream only. Dropping the stream
//! resets it at the other end.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::StreamId;
use embedenv_shared::link::ports::{Dial, FROM_AGENT, Family, MAX_ACCEPTED, MAX_STREAMS};
use embedenv_shared::link::transfer::Archive;
use embedenv_shared::link::{Header, Kind, MAX_CHUNK, STREAM_WINDOW};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Link, LinkError};

impl Link {
    /// Connects to a port inside the sandbox.
    pub async fn dial(self: &Arc<Self>, port: u16, family: Family) -> Result<AgentStream, Failure> {
        let stream = self.new_stream()?;
        self.call(Dial { stream: stream.id, port, family }).await?;
        Ok(stream)
    }

    /// Has a folder read as an archive.
    pub async fn archive(
        self: &Arc<Self>,
        project: ProjectName,
        path: WorkspacePath,
        only: Vec<WorkspacePath>,
    ) -> Result<AgentStream, Failure> {
        let stream = self.new_stream()?;
        self.call(Archive { stream: stream.id, project, path, only }).await?;
        Ok(stream)
    }

    /// A stream that the agent is to be told of. Dropping it forgets it, also when that fails or is given up.
    fn new_stream(self: &Arc<Self>) -> Result<AgentStream, Failure> {
        let id = StreamId(self.next_stream.fetch_add(1, Ordering::Relaxed) & !FROM_AGENT);
        let ends = Arc::new(StreamEnds::default());
        {
            let mut streams = self.streams.lock();
            if streams.len() >= MAX_STREAMS {
                return Err(Failure::new(ErrorCode::LimitReached, "the sandbox has too many connections open"));
            }
            streams.insert(id, ends.clone());
        }
        Ok(AgentStream { link: self.clone(), id, ends })
    }
}

impl Link {
    /// Takes up a stream that the agent has opened.
    pub(super) fn accept(self: &Arc<Self>, id: StreamId) -> Result<AgentStream, LinkError> {
        let ends = Arc::new(StreamEnds::default());
        let mut streams = self.streams.lock();
        if id.0 & FROM_AGENT == 0 || streams.contains_key(&id) {
            return Err(LinkError::Rules("a stream with a number that is not free"));
        }
        // Twice: the agent may have forgotten some that are still being closed here.
        if streams.keys().filter(|id| id.0 & FROM_AGENT != 0).count() >= 2 * MAX_ACCEPTED {
            return Err(LinkError::Rules("more streams than an agent may open"));
        }
        streams.insert(id, ends.clone());
        drop(streams);
        Ok(AgentStream { link: self.clone(), id, ends })
    }
}

/// What both ends of a stream share: the link's reader fills it, the stream's holder empties it.
#[derive(Default)]
pub(super) struct StreamEnds(Mutex<Ends>);

struct Ends {
    incoming: VecDeque<u8>,
    /// The other end sends no more.
    incoming_ended: bool,
    /// Read by the holder and not yet granted again.
    ungranted: u32,
    /// Bytes the holder may still send.
    credit: u32,
    reset: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            incoming: VecDeque::new(),
            incoming_ended: false,
            ungranted: 0,
            credit: STREAM_WINDOW,
            reset: false,
            reader: None,
            writer: None,
        }
    }
}

impl StreamEnds {
    /// Takes bytes of the agent's; `false` when it sent more than it may.
    pub(super) fn arrived(&self, bytes: &[u8]) -> bool {
        let mut ends = self.0.lock();
        if ends.incoming.len() + bytes.len() > STREAM_WINDOW as usize {
            return false;
        }
        ends.incoming.extend(bytes);
        wake(&mut ends.reader);
        true
    }

    pub(super) fn ended(&self) {
        let mut ends = self.0.lock();
        ends.incoming_ended = true;
        wake(&mut ends.reader);
    }

    pub(super) fn credited(&self, bytes: u32) {
        let mut ends = self.0.lock();
        ends.credit = ends.credit.saturating_add(bytes).min(STREAM_WINDOW);
        wake(&mut ends.writer);
    }

    pub(super) fn reset(&self) {
        let mut ends = self.0.lock();
        ends.reset = true;
        wake(&mut ends.reader);
        wake(&mut ends.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// A connection to a port inside the sandbox, or an archive out of it.
pub struct AgentStream {
    link: Arc<Link>,
    id: StreamId,
    ends: Arc<StreamEnds>,
}

impl std::fmt::Debug for AgentStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AgentStream").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AgentStream {
    fn say(&self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        let header = Header::new(kind, self.id.0, payload.len()).encode();
        self.link.send(&[&header, payload]).map_err(|failure| io::Error::new(io::ErrorKind::BrokenPipe, failure))
    }
}

impl AsyncRead for AgentStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.ends.0.lock();
        if ends.incoming.is_empty() {
            if ends.incoming_ended {
                return Poll::Ready(Ok(()));
            }
            if ends.reset {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            ends.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (front, _) = ends.incoming.as_slices();
        let length = front.len().min(buf.remaining());
        buf.put_slice(&front[..length]);
        ends.incoming.drain(..length);
        ends.ungranted += length as u32;
        let grant = (ends.ungranted >= STREAM_WINDOW / 2).then(|| std::mem::take(&mut ends.ungranted));
        drop(ends);
        if let Some(grant) = grant {
            // A link that is gone resets the stream; there is nobody to grant to.
            let _ = self.say(Kind::StreamCredit, &grant.to_le_bytes());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for AgentStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut ends = self.ends.0.lock();
        if ends.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if ends.credit == 0 {
            ends.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = buf.len().min(MAX_CHUNK).min(ends.credit as usize);
        ends.credit -= length as u32;
        drop(ends);
        self.say(Kind::StreamData, &buf[..length])?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.say(Kind::StreamEnd, &[]))
    }
}

impl Drop for AgentStream {
    fn drop(&mut self) {
        if self.link.streams.lock().remove(&self.id).is_some() {
            // A link that is gone took the stream with it.
            let _ = self.say(Kind::StreamReset, &[]);
        }
    }
}
