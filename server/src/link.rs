//! The server's end of the link to one sandbox's agent: the handshake, calls with their replies, terminal bytes both
//! ways and dialled streams, all over one Unix stream.
//!
//! Two tasks: `reader` decodes what the agent sends and hands it on without waiting for anybody; `writer` sends what
//! the socket would not take at once. A sender writes straight to the socket while nothing is queued, so that a
//! keystroke costs no hop between tasks.
//!
//! The agent is treated as hostile: every frame is bounded, every reply must be one that was asked for, and silence
//! for [`SILENCE`] ends the link. This module must never know what a room does with what it hears.

mod inbox;
pub mod stream;
mod typing;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{RequestId, SessionId, StreamId};
use embedenv_shared::link::sessions::SessionState;
use embedenv_shared::link::{
    self as wire, Answer, Call, Event, Greeting, HEADER, Header, Kind, LINK_VERSION, LinkFrameError, MAX_FROM_AGENT,
    SECRET, Speaker,
};
use hmac::{Hmac, KeyInit as _, Mac};
use parking_lot::Mutex;
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::engine::{LinkSecret, LinkStream};
use crate::tasks::Tasks;
use inbox::Inbox;
use stream::{AgentStream, StreamEnds};
use typing::Typing;

/// How long the handshake with an agent may take.
pub const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a call waits for its reply, unless it names a time of its own; then it is `timed_out`.
pub const CALL: Duration = Duration::from_secs(30);
/// How often an agent that says nothing is asked whether it lives.
const PING: Duration = Duration::from_millis(2500);
/// An agent that says nothing for this long is given up, and the link with it.
pub const SILENCE: Duration = Duration::from_secs(5);
/// Bytes waiting to be sent to one agent; a sender beyond that waits ([`Link::ready`]).
const MAX_QUEUED: usize = 4 * 1024 * 1024;
/// Bytes of memory an empty queue keeps.
const KEPT: usize = 256 * 1024;
/// Calls under way at once on one link; one more waits for none and is `unavailable`.
const MAX_CALLS: usize = 1024;

/// What a link tells its room. Called from the link's reader task: it must return at once.
pub trait LinkListener: Send + Sync + 'static {
    /// The sessions the agent has. Told before anything else is, so that nothing that follows is of an unknown one.
    fn greeted(&self, sessions: Vec<SessionState>);
    /// Output of a session; `offset` is that of the first byte.
    fn output(&self, session: SessionId, offset: u64, bytes: &[u8]);
    fn event(&self, event: Event);
    /// A program has connected to the agent's proxy.
    fn accepted(&self, stream: AgentStream);
    /// The link is gone; nothing more will be told.
    fn lost(&self, why: &LinkError);
}

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the link to the sandbox broke")]
    Io(#[from] io::Error),
    #[error("the sandbox's agent sent a frame that can't be read")]
    Frame(#[from] LinkFrameError),
    #[error("the sandbox's agent speaks version {0} of the link, and this server {LINK_VERSION}")]
    Version(u32),
    #[error("the sandbox's agent could not prove itself")]
    Proof,
    #[error("the sandbox's agent said nothing for {} s", SILENCE.as_secs())]
    Silent,
    #[error("the sandbox's agent did not finish the handshake in {} s", HANDSHAKE.as_secs())]
    Handshake,
    #[error("the sandbox's agent broke the rules of the link: {0}")]
    Rules(&'static str),
    #[error("the link was closed")]
    Closed,
}

/// A link that has proved itself at both ends.
pub struct Link {
    write: OwnedWriteHalf,
    outgoing: Mutex<VecDeque<u8>>,
    /// Something was queued: the writer's to send.
    queued: Notify,
    /// The queue went below [`MAX_QUEUED`]: waiting senders may go on.
    drained: Notify,
    calls: Mutex<HashMap<RequestId, oneshot::Sender<Answer>>>,
    next_request: AtomicU32,
    next_stream: AtomicU32,
    streams: Mutex<HashMap<StreamId, Arc<StreamEnds>>>,
    typing: Typing,
    closed: CancellationToken,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("closed", &self.closed.is_cancelled()).finish_non_exhaustive()
    }
}

impl Link {
    /// Greets the agent at the other end, tells what sessions it has, and starts the link's tasks.
    pub async fn connect(
        stream: LinkStream,
        secret: &LinkSecret,
        listener: Arc<dyn LinkListener>,
        tasks: &Tasks,
    ) -> Result<Arc<Self>, LinkError> {
        let LinkStream { mut stream, descriptors } = stream;
        let sessions =
            timeout(HANDSHAKE, greet(&mut stream, secret, descriptors)).await.map_err(|_| LinkError::Handshake)??;
        let (read, write) = stream.into_split();
        let link = Arc::new(Self {
            write,
            outgoing: Mutex::new(VecDeque::new()),
            queued: Notify::new(),
            drained: Notify::new(),
            calls: Mutex::default(),
            next_request: AtomicU32::new(1),
            next_stream: AtomicU32::new(1),
            streams: Mutex::default(),
            typing: Typing::default(),
            closed: CancellationToken::new(),
        });
        // An end that is told right behind the greeting is of a session that is known by then.
        listener.greeted(sessions);
        tasks.spawn("link writer", writer(link.clone()));
        tasks.spawn("link reader", reader(link.clone(), read, listener));
        Ok(link)
    }

    /// Asks the agent and waits for the reply of that kind.
    pub async fn call<C: Call>(&self, call: C) -> Result<C::Reply, Failure> {
        self.call_within(CALL, call).await
    }

    pub async fn call_within<C: Call>(&self, limit: Duration, call: C) -> Result<C::Reply, Failure> {
        let asked = self.ask(call).await?;
        timeout(limit, asked)
            .await
            .unwrap_or_else(|_| Err(Failure::new(ErrorCode::TimedOut, "the sandbox did not answer in time")))
    }

    /// Asks the agent: returns once the question is on its way, with what waits for the answer, however long that takes.
    pub async fn ask<C: Call>(
        &self,
        call: C,
    ) -> Result<impl Future<Output = Result<C::Reply, Failure>> + use<'_, C>, Failure> {
        let id = RequestId(self.next_request.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        {
            let mut calls = self.calls.lock();
            if self.closed.is_cancelled() {
                return Err(gone());
            }
            if calls.len() >= MAX_CALLS {
                return Err(Failure::new(ErrorCode::Unavailable, "the sandbox has too many requests under way"));
            }
            calls.insert(id, reply);
        }
        // Forgets the call however this ends, a dropped future included.
        let forget = Forget { link: self, id };
        self.ready().await?;
        let frame = wire::encode_request(id, &call.into());
        self.send(&[&frame])?;
        Ok(async move {
            let _forget = forget;
            let answer: Answer = answer.await.map_err(|_| gone())?;
            C::Reply::try_from(answer?)
                .map_err(|_| Failure::new(ErrorCode::Internal, "the sandbox answered something else"))
        })
    }

    /// Types bytes into a session. Returns once they are on their way.
    pub async fn input(&self, session: SessionId, bytes: &[u8]) -> Result<Typed, Failure> {
        let rest = self.typing.directly(session, bytes);
        for chunk in rest.chunks(wire::MAX_CHUNK) {
            self.ready().await?;
            let header = Header::new(Kind::Input, session.0, chunk.len()).encode();
            self.typing.sent(session);
            self.send(&[&header, chunk])?;
        }
        Ok(if rest.is_empty() { Typed::Directly } else { Typed::InFrames })
    }

    /// Asks the agent to say when it has what was sent until now. Nothing waits for that here.
    pub fn handing_over(&self) -> Option<HandingOver> {
        let id = RequestId(self.next_request.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        {
            let mut calls = self.calls.lock();
            if calls.len() >= MAX_CALLS {
                return None;
            }
            calls.insert(id, reply);
        }
        let sent = self.send(&[&wire::encode_request(id, &wire::Ping.into())]);
        if sent.is_err() {
            self.calls.lock().remove(&id);
        }
        sent.ok().map(|()| HandingOver(answer))
    }

    /// Lets go of a session's terminal, so that it hangs up on its programs when the agent closes it.
    pub fn let_go(&self, session: SessionId) {
        self.typing.let_go(session);
    }

    /// Tells how far the fastest reader of a session has read.
    pub fn progress(&self, session: SessionId, offset: u64) {
        let header = Header::new(Kind::Progress, session.0, 8).encode();
        // A link that is gone has no ring to pace.
        let _ = self.send(&[&header, &offset.to_le_bytes()]);
    }

    /// Resolves when the link is gone.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Waits until there is room in the queue.
    async fn ready(&self) -> Result<(), Failure> {
        loop {
            let drained = self.drained.notified();
            if self.closed.is_cancelled() {
                return Err(gone());
            }
            if self.outgoing.lock().len() < MAX_QUEUED {
                return Ok(());
            }
            tokio::select! {
                () = drained => {}
                () = self.closed.cancelled() => {}
            }
        }
    }

    /// Sends a frame: at once if nothing waits before it, otherwise behind the queue.
    fn send(&self, parts: &[&[u8]]) -> Result<(), Failure> {
        if self.closed.is_cancelled() {
            return Err(gone());
        }
        let mut outgoing = self.outgoing.lock();
        let mut written = 0;
        if outgoing.is_empty() {
            let mut slices = [IoSlice::new(&[]), IoSlice::new(&[])];
            for (slice, part) in slices.iter_mut().zip(parts) {
                *slice = IoSlice::new(part);
            }
            match self.write.try_write_vectored(&slices) {
                Ok(n) => written = n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    self.closed.cancel();
                    return Err(gone());
                }
            }
        }
        for part in parts {
            let done = written.min(part.len());
            outgoing.extend(&part[done..]);
            written -= done;
        }
        if !outgoing.is_empty() {
            self.queued.notify_one();
        }
        Ok(())
    }
}

/// How input went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The terminal has it.
    Directly,
    /// It is on its way to the agent, which a server that is killed may take with it.
    InFrames,
}

/// What is on its way to the agent.
#[derive(Debug)]
pub struct HandingOver(oneshot::Receiver<Answer>);

impl HandingOver {
    /// Resolves when the agent has it, or the link is gone, of which others tell.
    pub async fn done(self) {
        let _ = self.0.await;
    }
}

struct Forget<'a> {
    link: &'a Link,
    id: RequestId,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.link.calls.lock().remove(&self.id);
    }
}

fn gone() -> Failure {
    Failure::new(ErrorCode::SandboxUnavailable, "the sandbox is not running")
}

/// Sends what is queued, as fast as the agent takes it.
async fn writer(link: Arc<Link>) {
    loop {
        tokio::select! {
            () = link.queued.notified() => {}
            () = link.closed.cancelled() => return,
        }
        loop {
            {
                let mut outgoing = link.outgoing.lock();
                if outgoing.is_empty() {
                    break;
                }
                let (front, back) = outgoing.as_slices();
                match link.write.try_write_vectored(&[IoSlice::new(front), IoSlice::new(back)]) {
                    Ok(n) => {
                        outgoing.drain(..n);
                        if outgoing.is_empty() && outgoing.capacity() > KEPT {
                            outgoing.shrink_to_fit();
                        }
                        if outgoing.len() < MAX_QUEUED {
                            link.drained.notify_waiters();
                        }
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => {
                        link.closed.cancel();
                        return;
                    }
                }
            }
            tokio::select! {
                ready = link.write.writable() => if ready.is_err() { link.closed.cancel(); return },
                () = link.closed.cancelled() => return,
            }
        }
    }
}

/// Hands on what the agent sends, until the link ends; then lets everybody know who waits.
async fn reader(link: Arc<Link>, read: OwnedReadHalf, listener: Arc<dyn LinkListener>) {
    let error = tokio::select! {
        result = hear(&link, read, listener.as_ref()) => match result { Ok(never) => match never {}, Err(error) => error },
        () = link.closed.cancelled() => LinkError::Closed,
    };
    link.closed.cancel();
    // Whoever keeps the link keeps its socket open; the other end is to see at once that nobody listens.
    let _ = rustix::net::shutdown(link.write.as_ref(), rustix::net::Shutdown::Both);
    link.calls.lock().clear();
    for (_, ends) in link.streams.lock().drain() {
        ends.reset();
    }
    link.drained.notify_waiters();
    listener.lost(&error);
}

async fn hear(
    link: &Arc<Link>,
    read: OwnedReadHalf,
    listener: &dyn LinkListener,
) -> Result<std::convert::Infallible, LinkError> {
    let mut inbox = Inbox::default();
    let mut last_heard = Instant::now();
    loop {
        match timeout(PING, inbox.receive(read.as_ref())).await {
            Ok(Ok(0)) => return Err(LinkError::Io(io::ErrorKind::UnexpectedEof.into())),
            Ok(Ok(_)) => last_heard = Instant::now(),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) if last_heard.elapsed() >= SILENCE => return Err(LinkError::Silent),
            Err(_) => {
                let frame = wire::encode_request(RequestId(0), &wire::Ping.into());
                // If it can't be sent, the writer sees why.
                let _ = link.send(&[&frame]);
                continue;
            }
        }
        let mut done = 0;
        while let Some((head, body)) = inbox.bytes()[done..].split_first_chunk::<HEADER>() {
            let header = Header::decode(head, MAX_FROM_AGENT)?;
            let length = header.length as usize;
            let Some(payload) = body.get(..length) else { break };
            match header.kind {
                Kind::Event => {
                    let event = wire::decode(payload)?;
                    heard(link, listener, event, &mut inbox)?;
                }
                _ => dispatch(link, listener, header, payload)?,
            }
            done += HEADER + length;
        }
        inbox.handled(done);
    }
}

/// Takes what the link itself must know, and hands on the rest.
fn heard(link: &Arc<Link>, listener: &dyn LinkListener, event: Event, inbox: &mut Inbox) -> Result<(), LinkError> {
    match &event {
        Event::Master(master) => {
            let descriptor = inbox.descriptor().ok_or(LinkError::Rules("a terminal without its descriptor"))?;
            link.typing.take(master, descriptor);
            return Ok(());
        }
        Event::Exited(exited) => link.typing.let_go(exited.session),
        Event::Accepted(accepted) => {
            listener.accepted(link.accept(accepted.stream)?);
            return Ok(());
        }
        _ => {}
    }
    listener.event(event);
    Ok(())
}

fn dispatch(link: &Arc<Link>, listener: &dyn LinkListener, header: Header, payload: &[u8]) -> Result<(), LinkError> {
    let stream = || link.streams.lock().get(&StreamId(header.channel)).cloned();
    match header.kind {
        Kind::Output => {
            let (offset, bytes) = payload.split_first_chunk().ok_or(LinkError::Rules("output without an offset"))?;
            listener.output(SessionId(header.channel), u64::from_le_bytes(*offset), bytes);
        }
        Kind::Reply => {
            // The reply to a ping has the number 0; others may have been given up meanwhile.
            if let Some(reply) = link.calls.lock().remove(&RequestId(header.channel)) {
                let _ = reply.send(wire::decode(payload)?);
            }
        }
        Kind::StreamData => {
            if let Some(ends) = stream()
                && !ends.arrived(payload)
            {
                return Err(LinkError::Rules("a stream sent more than its window"));
            }
        }
        Kind::StreamEnd => {
            if let Some(ends) = stream() {
                ends.ended();
            }
        }
        Kind::StreamCredit => {
            let bytes = payload.try_into().map_err(|_| LinkError::Rules("credit of another length"))?;
            if let Some(ends) = stream() {
                ends.credited(u32::from_le_bytes(bytes));
            }
        }
        Kind::StreamReset => {
            if let Some(ends) = link.streams.lock().remove(&StreamId(header.channel)) {
                ends.reset();
            }
        }
        Kind::Event => {}
        Kind::Greeting | Kind::Request | Kind::Input | Kind::Progress => {
            return Err(LinkError::Rules("a frame that only the server sends"));
        }
    }
    Ok(())
}

async fn greet(
    stream: &mut UnixStream,
    secret: &LinkSecret,
    descriptors: bool,
) -> Result<Vec<SessionState>, LinkError> {
    let mut server_nonce = [0; SECRET];
    getrandom::fill(&mut server_nonce).map_err(|error| io::Error::other(error.to_string()))?;
    say(stream, &Greeting::Hello { version: LINK_VERSION, nonce: server_nonce, descriptors }).await?;
    let Greeting::Welcome { version, nonce: agent_nonce, proof } = listen(stream).await? else {
        return Err(LinkError::Rules("no welcome"));
    };
    if version != LINK_VERSION {
        return Err(LinkError::Version(version));
    }
    let proved = |speaker| {
        let mut mac = <Hmac<Sha256>>::new_from_slice(&secret.0).expect("HMAC takes keys of any length");
        mac.update(&wire::proof_input(speaker, &server_nonce, &agent_nonce));
        mac
    };
    proved(Speaker::Agent).verify_slice(&proof).map_err(|_| LinkError::Proof)?;
    let proof = proved(Speaker::Server).finalize().into_bytes().into();
    say(stream, &Greeting::Proof { proof }).await?;
    match listen(stream).await? {
        Greeting::Ready { sessions } => Ok(sessions),
        _ => Err(LinkError::Rules("not ready after the proof")),
    }
}

async fn say(stream: &mut UnixStream, greeting: &Greeting) -> Result<(), LinkError> {
    Ok(stream.write_all(&wire::encode(Kind::Greeting, 0, greeting)).await?)
}

async fn listen(stream: &mut UnixStream) -> Result<Greeting, LinkError> {
    let mut head = [0; HEADER];
    stream.read_exact(&mut head).await?;
    let header = Header::decode(&head, MAX_FROM_AGENT)?;
    if header.kind != Kind::Greeting {
        return Err(LinkError::Rules("no greeting first"));
    }
    let mut payload = vec![0; header.length as usize];
    stream.read_exact(&mut payload).await?;
    Ok(wire::decode(&payload)?)
}
