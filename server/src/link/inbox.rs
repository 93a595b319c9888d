//! What has arrived from an agent and is not handled yet: bytes, and the descriptors that came with them.
//!
//! Bounded by one frame and by [`MAX_DESCRIPTORS`]. This module must never know what a frame means beyond its length.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use embedenv_shared::link::{HEADER, Header, MAX_FROM_AGENT};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Bytes read from the agent at once; a larger frame gets the room it announces.
const READ_BUFFER: usize = 256 * 1024;
/// Descriptors that have come and were not asked for yet; one more is closed.
const MAX_DESCRIPTORS: usize = 32;
/// Descriptors taken in one read; the agent sends them one by one.
const AT_ONCE: usize = 4;

#[derive(Debug)]
pub(super) struct Inbox {
    /// All of it initialised; the first `filled` bytes have arrived.
    bytes: Vec<u8>,
    filled: usize,
    descriptors: VecDeque<OwnedFd>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self { bytes: vec![0; READ_BUFFER], filled: 0, descriptors: VecDeque::new() }
    }
}

impl Inbox {
    /// Waits for bytes and reads once; 0 is the end. Nothing is lost if this is dropped.
    pub(super) async fn receive(&mut self, stream: &UnixStream) -> io::Result<usize> {
        loop {
            stream.readable().await?;
            match stream.try_io(Interest::READABLE, || self.read(stream)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }

    fn read(&mut self, stream: &UnixStream) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut room = [IoSliceMut::new(&mut self.bytes[self.filled..])];
        let received = recvmsg(stream, &mut room, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                let room = MAX_DESCRIPTORS - self.descriptors.len();
                self.descriptors.extend(descriptors.take(room));
            }
        }
        self.filled += received.bytes;
        Ok(received.bytes)
    }

    /// What has arrived and is not handled.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// The descriptor that came first of those that are here.
    pub(super) fn descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    /// Forgets the first `count` bytes and makes room for the frame that has begun.
    pub(super) fn handled(&mut self, count: usize) {
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
        let announced = self.bytes().first_chunk::<HEADER>().and_then(|head| Header::decode(head, MAX_FROM_AGENT).ok());
        let wanted = announced.map_or(0, |header| HEADER + header.length as usize).max(READ_BUFFER);
        if self.filled == 0 && self.bytes.len() > READ_BUFFER {
            self.bytes = vec![0; READ_BUFFER];
        } else if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
    }
}
