//! The proxy for traffic out, as programs see it: a port of the loopback. Each connection becomes a stream to the server,
//! which alone knows what it is for; nothing of it is looked at here.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use embedenv_shared::id::StreamId;
use embedenv_shared::link::ports::FROM_AGENT;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::poller::Interest;

/// Connections that the kernel holds while there are as many as may be.
const BACKLOG: i32 = 128;

#[derive(Debug)]
pub struct Proxy {
    listener: OwnedFd,
    pub port: u16,
    next: u32,
    pub interest: Interest,
}

impl Proxy {
    pub fn listen(port: u16) -> Result<Self, Errno> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let listener = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        rustix::net::sockopt::set_socket_reuseaddr(&listener, true)?;
        rustix::net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        rustix::net::listen(&listener, BACKLOG)?;
        Ok(Self { listener, port, next: 0, interest: Interest::default() })
    }

    /// The next connection that waits, if one does.
    pub fn accept(&mut self) -> Option<OwnedFd> {
        loop {
            match rustix::net::accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok(socket) => return Some(socket),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(_) => return None,
            }
        }
    }

    /// A number that `taken` does not have.
    pub fn number(&mut self, taken: impl Fn(StreamId) -> bool) -> StreamId {
        loop {
            let id = StreamId(FROM_AGENT | self.next);
            self.next = self.next.wrapping_add(1) & !FROM_AGENT;
            if !taken(id) {
                return id;
            }
        }
    }
}

impl AsFd for Proxy {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
