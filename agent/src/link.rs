//! The agent's end of the link: one connected stream, whole frames in, whole frames out.
//!
//! Frames are decoded where they were received. A frame to send is written straight to the socket while nothing is
//! queued before it, so that a keystroke's echo costs one system call; what the socket would not take waits in one
//! buffer. Only control frames and the tails of others ever wait there: terminal output stays in its ring and stream
//! bytes stay in their sockets until [`Link::is_clear`]. This module must never know what a frame means.

pub mod handshake;

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use embedenv_shared::link::{HEADER, Header, Kind, LinkFrameError, MAX_TO_AGENT};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::poller::{Interest, Poller, Source};

/// Room kept for the next read. A larger frame gets the room it announces.
const READ_BUFFER: usize = 64 * 1024;
/// Bytes waiting to be sent beyond which no new work is begun whose answer would wait there too.
pub const BUSY: usize = 2 * 1024 * 1024;

/// The link ends.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("the server hung up")]
    HungUp,
    #[error("the link broke")]
    Io(#[from] Errno),
    #[error("the server sent a frame that can't be read")]
    Frame(#[from] LinkFrameError),
}

/// A connection whose server has proved itself.
#[derive(Debug)]
pub struct Link {
    stream: OwnedFd,
    /// Tells this connection from the ones before it: answers of an earlier one are not sent.
    pub generation: u64,
    /// Whether descriptors can be sent on it.
    pub descriptors: bool,
    incoming: Incoming,
    outgoing: Vec<u8>,
    /// Bytes of `outgoing` that are sent already.
    sent: usize,
    interest: Interest,
    broken: Option<Errno>,
}

impl Link {
    pub fn new(stream: OwnedFd, generation: u64, incoming: Incoming, descriptors: bool) -> Self {
        let interest = Interest::default();
        Self { stream, generation, descriptors, incoming, outgoing: Vec::new(), sent: 0, interest, broken: None }
    }

    /// Whether the next frame would go straight to the socket.
    pub fn is_clear(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Whether so much waits to be sent that answers should not be made for now.
    pub fn is_busy(&self) -> bool {
        self.outgoing.len() - self.sent > BUSY
    }

    /// Why the link can't be used any more, if so.
    pub fn broken(&self) -> Option<Errno> {
        self.broken
    }

    /// Sends a frame whose payload is `parts` one after another: now, or after what waits.
    pub fn send(&mut self, kind: Kind, channel: u32, parts: [&[u8]; 3]) {
        let header = Header::new(kind, channel, parts.iter().map(|part| part.len()).sum()).encode();
        self.write([&header, parts[0], parts[1], parts[2]]);
    }

    /// Sends a whole frame.
    pub fn send_frame(&mut self, frame: &[u8]) {
        self.write([frame, &[], &[], &[]]);
    }

    /// Sends a whole frame and a descriptor with it, unless something waits before it. Returns whether it did.
    pub fn send_with(&mut self, frame: &[u8], descriptor: BorrowedFd<'_>) -> bool {
        if self.broken.is_some() || !self.outgoing.is_empty() {
            return false;
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor];
        if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return false;
        }
        match sendmsg(&self.stream, &[IoSlice::new(frame)], &mut control, SendFlags::NOSIGNAL) {
            Ok(written) => self.outgoing.extend_from_slice(&frame[written..]),
            Err(Errno::AGAIN | Errno::INTR) => return false,
            Err(error) => {
                self.broken = Some(error);
                return false;
            }
        }
        true
    }

    fn write(&mut self, parts: [&[u8]; 4]) {
        if self.broken.is_some() {
            return;
        }
        let mut written = 0;
        if self.outgoing.is_empty() {
            let slices = parts.map(IoSlice::new);
            match rustix::io::writev(&self.stream, &slices) {
                Ok(n) => written = n,
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => {
                    self.broken = Some(error);
                    return;
                }
            }
        }
        for part in parts {
            let done = written.min(part.len());
            self.outgoing.extend_from_slice(&part[done..]);
            written -= done;
        }
    }

    /// Sends what waits, as far as the socket takes it.
    pub fn flush(&mut self) {
        while self.broken.is_none() && self.sent < self.outgoing.len() {
            match rustix::io::write(&self.stream, &self.outgoing[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(error) => self.broken = Some(error),
            }
        }
        self.sent = 0;
        self.outgoing.clear();
        if self.outgoing.capacity() > READ_BUFFER {
            self.outgoing = Vec::new();
        }
    }

    /// Reads once from the socket; whether there was something.
    pub fn receive(&mut self) -> Result<bool, LinkError> {
        self.incoming.receive(&self.stream)
    }

    /// Takes the received bytes out, so that frames can be read from them while answers are sent.
    pub fn take_incoming(&mut self) -> Incoming {
        std::mem::take(&mut self.incoming)
    }

    pub fn put_back(&mut self, incoming: Incoming) {
        self.incoming = incoming;
    }

    /// Watches for what there is to do.
    pub fn watch(&mut self, poller: &Poller) {
        let wanted = Interest { read: true, write: !self.outgoing.is_empty() };
        poller.set(&self.stream, Source::Link, &mut self.interest, wanted);
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Received bytes that are not handled yet.
#[derive(Debug, Default)]
pub struct Incoming {
    bytes: Vec<u8>,
    /// Where the first unhandled frame begins.
    at: usize,
}

impl Incoming {
    /// Reads once, with room for at least one whole frame if its header is known; whether there was something.
    pub fn receive(&mut self, stream: impl AsFd) -> Result<bool, LinkError> {
        if self.at == self.bytes.len() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..self.at);
        }
        self.at = 0;
        let announced = match self.bytes.first_chunk::<HEADER>() {
            Some(head) => HEADER + Header::decode(head, MAX_TO_AGENT)?.length as usize,
            None => HEADER,
        };
        if self.bytes.is_empty() && self.bytes.capacity() > 4 * READ_BUFFER {
            self.bytes = Vec::new();
        }
        let room = announced.saturating_sub(self.bytes.len()).max(READ_BUFFER);
        if self.bytes.capacity() - self.bytes.len() < room.min(READ_BUFFER) || self.bytes.capacity() < announced {
            self.bytes.reserve_exact(room);
        }
        match rustix::io::read(stream, spare_capacity(&mut self.bytes)) {
            Ok(0) => Err(LinkError::HungUp),
            Ok(_) => Ok(true),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The next whole frame, if it has arrived.
    pub fn next(&mut self, limit: usize) -> Result<Option<(Header, &[u8])>, LinkFrameError> {
        let rest = &self.bytes[self.at..];
        let Some((head, body)) = rest.split_first_chunk::<HEADER>() else { return Ok(None) };
        let header = Header::decode(head, limit)?;
        let Some(payload) = body.get(..header.length as usize) else { return Ok(None) };
        self.at += HEADER + payload.len();
        Ok(Some((header, payload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None).unwrap()
    }

    #[test]
    fn frames_survive_any_cut() {
        let (ours, theirs) = pair();
        let mut bytes = Vec::new();
        for size in [0usize, 1, 11, 70_000, 3] {
            bytes.extend(Header::new(Kind::Input, size as u32, size).encode());
            bytes.extend(vec![7; size]);
        }
        let mut incoming = Incoming::default();
        let mut seen = Vec::new();
        for chunk in bytes.chunks(613) {
            rustix::io::write(&theirs, chunk).unwrap();
            incoming.receive(&ours).unwrap();
            while let Some((header, payload)) = incoming.next(MAX_TO_AGENT).unwrap() {
                assert_eq!(header.length as usize, payload.len());
                seen.push(payload.len());
            }
        }
        assert_eq!(seen, [0, 1, 11, 70_000, 3]);
    }

    #[test]
    fn what_the_socket_does_not_take_waits_and_arrives_in_order() {
        let (ours, theirs) = pair();
        let mut link = Link::new(ours, 1, Incoming::default(), false);
        for number in 0..100u8 {
            link.send(Kind::Output, 1, [&[number; 30_000], &[], &[]]);
        }
        assert!(!link.is_clear());
        let mut incoming = Incoming::default();
        let mut expected = 0;
        while expected < 100 {
            link.flush();
            incoming.receive(&theirs).unwrap();
            while let Some((_, payload)) = incoming.next(MAX_TO_AGENT).unwrap() {
                assert_eq!(payload, [expected; 30_000]);
                expected += 1;
            }
        }
        assert!(link.is_clear());
    }
}
