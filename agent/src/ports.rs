//! Ports: connections to what listens inside the sandbox, from programs to the proxy, and to archives that are being made,
//! carried over the link.
//!
//! Each direction of a stream has a window. Bytes for the server stay in their socket while it has granted nothing or
//! the link is not clear; bytes for a program that doesn't read wait here, at most a window of them. So a slow reader
//! at either end holds up its own stream only.

pub mod listening;
pub mod proxy;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{RequestId, StreamId};
use embedenv_shared::link::ports::{Accepted, Dial, Dialled, FROM_AGENT, Family, MAX_ACCEPTED, MAX_STREAMS};
use embedenv_shared::link::transfer::{Archive, Archiving};
use embedenv_shared::link::{self as wire, Event, Kind, MAX_CHUNK, Reply, STREAM_WINDOW};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType};

use crate::files::archive::Archives;
use crate::files::beneath::Home;
use crate::link::Link;
use crate::poller::{Interest, Poller, Source};
use proxy::Proxy;

/// How long a connection may take; something that listens and never accepts is given up.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes read from one stream before others get their turn.
const TURN: usize = 256 * 1024;

#[derive(Debug, Default)]
pub struct Streams {
    streams: BTreeMap<StreamId, Stream>,
    /// Where stream bytes are read to before they are sent.
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Stream {
    socket: OwnedFd,
    dialling: Option<Dialling>,
    /// For the program, which has not taken it yet.
    waiting: VecDeque<u8>,
    /// Taken by the program and not yet granted to the server again.
    ungranted: u32,
    /// Bytes the server has room for.
    credit: u32,
    /// The server sends no more.
    server_ended: bool,
    /// The program sends no more.
    program_ended: bool,
    /// The program takes no more.
    deaf: bool,
    interest: Interest,
}

#[derive(Debug, Clone, Copy)]
struct Dialling {
    request: RequestId,
    port: u16,
    /// To be tried if this one fails.
    then_v6: bool,
    deadline: Instant,
}

/// What is to be answered to a dial, if it is known by now.
pub type Answer = Option<(RequestId, Result<Reply, Failure>)>;

enum Outcome {
    Open,
    Gone,
    Reset,
}

fn unreachable(port: u16) -> Failure {
    Failure::new(ErrorCode::Unreachable, format!("nothing in the workspace answers on port {port}"))
}

impl Streams {
    pub fn dial(&mut self, request: RequestId, dial: &Dial) -> Answer {
        if self.streams.contains_key(&dial.stream) {
            let failure = Failure::new(ErrorCode::Conflict, format!("stream {} is open already", dial.stream));
            return Some((request, Err(failure)));
        }
        if self.streams.len() >= MAX_STREAMS {
            let message = format!("a workspace has at most {MAX_STREAMS} connections open");
            return Some((request, Err(Failure::new(ErrorCode::LimitReached, message))));
        }
        let deadline = Instant::now() + CONNECT;
        let dialling = Dialling { request, port: dial.port, then_v6: dial.family == Family::Any, deadline };
        self.connect(dial.stream, dialling, dial.family == Family::V6)
    }

    /// Has an archive made, whose bytes are a stream's.
    pub fn archive(&mut self, archives: &Archives, home: Arc<Home>, archive: Archive) -> Result<Reply, Failure> {
        let id = archive.stream;
        if self.streams.contains_key(&id) || self.streams.len() >= MAX_STREAMS {
            let message = format!("a workspace has at most {MAX_STREAMS} connections open");
            return Err(Failure::new(ErrorCode::LimitReached, message));
        }
        let unavailable =
            |errno: Errno| Failure::new(ErrorCode::Unavailable, format!("no archive can be made: {errno}"));
        let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let (ours, theirs) = pair.map_err(unavailable)?;
        // The writer waits for its reader; this end never does.
        rustix::io::ioctl_fionbio(&ours, true).map_err(unavailable)?;
        archives.begin(home, archive, theirs)?;
        self.streams.insert(id, Stream::new(ours, None));
        Ok(Reply::Archiving(Archiving))
    }

    fn connect(&mut self, id: StreamId, mut dialling: Dialling, v6: bool) -> Answer {
        let v6 = v6
            || (dialling.port != 0 && std::mem::take(&mut dialling.then_v6) && {
                match self.try_connect(id, Dialling { then_v6: true, ..dialling }, false) {
                    Ok(answer) => return answer,
                    Err(_) => true,
                }
            });
        match self.try_connect(id, dialling, v6) {
            Ok(answer) => answer,
            Err(_) => Some((dialling.request, Err(unreachable(dialling.port)))),
        }
    }

    fn try_connect(&mut self, id: StreamId, dialling: Dialling, v6: bool) -> Result<Answer, Errno> {
        let (family, address): (_, SocketAddr) = if v6 {
            (AddressFamily::INET6, SocketAddrV6::new(Ipv6Addr::LOCALHOST, dialling.port, 0, 0).into())
        } else {
            (AddressFamily::INET, SocketAddrV4::new(Ipv4Addr::LOCALHOST, dialling.port).into())
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        // It works without, only later.
        let _ = rustix::net::sockopt::set_tcp_nodelay(&socket, true);
        let connected = match rustix::net::connect(&socket, &address) {
            Ok(()) => true,
            Err(Errno::INPROGRESS) => false,
            Err(errno) => return Err(errno),
        };
        self.streams.insert(id, Stream::new(socket, (!connected).then_some(dialling)));
        Ok(connected.then_some((dialling.request, Ok(Reply::Dialled(Dialled)))))
    }

    /// Takes connections to the proxy, as many as there may be. Without a link there is nobody to answer them.
    pub fn accept(&mut self, proxy: &mut Proxy, link: Option<&mut Link>) {
        let Some(link) = link else {
            while proxy.accept().is_some() {}
            return;
        };
        while self.takes_more() {
            let Some(socket) = proxy.accept() else { return };
            let id = proxy.number(|id| self.streams.contains_key(&id));
            // It works without, only later.
            let _ = rustix::net::sockopt::set_tcp_nodelay(&socket, true);
            self.streams.insert(id, Stream::new(socket, None));
            link.send_frame(&wire::encode(Kind::Event, 0, &Event::Accepted(Accepted { stream: id })));
        }
    }

    /// Whether another connection to the proxy may be taken.
    pub fn takes_more(&self) -> bool {
        let accepted = self.streams.range(StreamId(FROM_AGENT)..).count();
        accepted < MAX_ACCEPTED && self.streams.len() < MAX_STREAMS
    }

    /// A socket is ready.
    pub fn ready(&mut self, id: StreamId, readable: bool, writable: bool, link: &mut Link) -> Answer {
        let stream = self.streams.get_mut(&id)?;
        if let Some(dialling) = stream.dialling {
            return match rustix::net::sockopt::socket_error(&stream.socket) {
                Ok(Ok(())) if writable => {
                    stream.dialling = None;
                    Some((dialling.request, Ok(Reply::Dialled(Dialled))))
                }
                Ok(Ok(())) => None,
                _ => {
                    self.streams.remove(&id);
                    if dialling.then_v6 {
                        self.connect(id, Dialling { then_v6: false, ..dialling }, true)
                    } else {
                        Some((dialling.request, Err(unreachable(dialling.port))))
                    }
                }
            };
        }
        let mut outcome = if writable { stream.deliver(id, link) } else { Outcome::Open };
        if readable && matches!(outcome, Outcome::Open) {
            self.scratch.resize(MAX_CHUNK, 0);
            outcome = stream.fetch(id, link, &mut self.scratch);
        }
        self.conclude(id, outcome, link);
        None
    }

    /// Bytes of the server's.
    pub fn data(&mut self, id: StreamId, bytes: &[u8], link: &mut Link) {
        // One that is gone was told to be; these bytes were under way.
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.server_ended || stream.waiting.len() + bytes.len() > STREAM_WINDOW as usize {
            self.conclude(id, Outcome::Reset, link);
            return;
        }
        stream.waiting.extend(bytes);
        let outcome = stream.deliver(id, link);
        self.conclude(id, outcome, link);
    }

    pub fn end(&mut self, id: StreamId, link: &mut Link) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.server_ended = true;
        let outcome = stream.deliver(id, link);
        self.conclude(id, outcome, link);
    }

    pub fn credit(&mut self, id: StreamId, bytes: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.credit = stream.credit.saturating_add(bytes).min(STREAM_WINDOW);
        }
    }

    pub fn reset(&mut self, id: StreamId) {
        self.streams.remove(&id);
    }

    /// The link is gone, and all streams with it.
    pub fn clear(&mut self) {
        self.streams.clear();
        self.scratch = Vec::new();
    }

    fn conclude(&mut self, id: StreamId, outcome: Outcome, link: &mut Link) {
        match outcome {
            Outcome::Open => return,
            Outcome::Gone => {}
            Outcome::Reset => link.send(Kind::StreamReset, id.0, [&[], &[], &[]]),
        }
        self.streams.remove(&id);
        if self.streams.is_empty() {
            self.scratch = Vec::new();
        }
    }

    pub fn observe(&mut self, poller: &Poller, clear: bool) {
        for (id, stream) in &mut self.streams {
            let dialling = stream.dialling.is_some();
            let wanted = Interest {
                read: !dialling && clear && stream.credit > 0 && !stream.program_ended,
                write: dialling || !stream.waiting.is_empty(),
            };
            poller.set(&stream.socket, Source::Stream(id.0), &mut stream.interest, wanted);
        }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.streams.values().filter_map(|stream| Some(stream.dialling?.deadline)).min()
    }

    /// Gives up what did not connect in time.
    pub fn on_time(&mut self, now: Instant) -> Vec<(RequestId, Result<Reply, Failure>)> {
        let mut answers = Vec::new();
        self.streams.retain(|_, stream| match stream.dialling {
            Some(dialling) if dialling.deadline <= now => {
                let message = format!("port {} of the workspace did not answer in time", dialling.port);
                answers.push((dialling.request, Err(Failure::new(ErrorCode::TimedOut, message))));
                false
            }
            _ => true,
        });
        answers
    }
}

impl Stream {
    fn new(socket: OwnedFd, dialling: Option<Dialling>) -> Self {
        Self {
            socket,
            dialling,
            waiting: VecDeque::new(),
            ungranted: 0,
            credit: STREAM_WINDOW,
            server_ended: false,
            program_ended: false,
            deaf: false,
            interest: Interest::default(),
        }
    }

    /// Gives the program what waits for it.
    fn deliver(&mut self, id: StreamId, link: &mut Link) -> Outcome {
        if self.dialling.is_some() {
            return Outcome::Open;
        }
        while !self.waiting.is_empty() {
            let count = if self.deaf {
                self.waiting.len()
            } else {
                match rustix::net::send(&self.socket, self.waiting.as_slices().0, rustix::net::SendFlags::NOSIGNAL) {
                    Ok(count) => count,
                    Err(Errno::AGAIN) => break,
                    Err(Errno::INTR) => continue,
                    Err(_) => {
                        // What it has said before can still be read.
                        self.deaf = true;
                        continue;
                    }
                }
            };
            self.waiting.drain(..count);
            self.ungranted += count as u32;
        }
        if self.ungranted >= STREAM_WINDOW / 2 && !self.server_ended {
            let grant = std::mem::take(&mut self.ungranted);
            link.send(Kind::StreamCredit, id.0, [&grant.to_le_bytes(), &[], &[]]);
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
            if self.server_ended && !self.deaf {
                self.deaf = true;
                // A connection that was reset meanwhile tells when it is read.
                let _ = rustix::net::shutdown(&self.socket, Shutdown::Write);
            }
        }
        self.outcome()
    }

    /// Sends the server what the program has said, as far as there is room for it.
    fn fetch(&mut self, id: StreamId, link: &mut Link, scratch: &mut [u8]) -> Outcome {
        let mut turn = TURN;
        while self.credit > 0 && turn > 0 && !self.program_ended && link.is_clear() {
            let most = scratch.len().min(self.credit as usize).min(turn);
            match rustix::io::read(&self.socket, &mut scratch[..most]) {
                Ok(0) => {
                    self.program_ended = true;
                    link.send(Kind::StreamEnd, id.0, [&[], &[], &[]]);
                }
                Ok(count) => {
                    link.send(Kind::StreamData, id.0, [&scratch[..count], &[], &[]]);
                    self.credit -= count as u32;
                    turn -= count;
                    if count < most {
                        break;
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => return Outcome::Reset,
            }
        }
        self.outcome()
    }

    fn outcome(&self) -> Outcome {
        let over = self.program_ended && self.server_ended && self.waiting.is_empty();
        if over { Outcome::Gone } else { Outcome::Open }
    }
}
