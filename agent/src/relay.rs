//! The link over a pair of pipes, for engines that reach into a sandbox only so: bytes are carried between standard input
//! and output and the agent's own socket, which has an abstract name, so that it needs no folder that both can see.
//!
//! Two threads, one for each direction. Nothing of what is carried is looked at.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::thread;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::DumpableBehavior;

/// Bytes carried at once.
const BUFFER: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("cannot hide from debuggers")]
    Hide(#[source] Errno),
    #[error("no agent listens here")]
    Connect(#[source] Errno),
}

/// The whole life of `connect`: until either end is gone.
pub fn run(name: &OsStr) -> Result<(), RelayError> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(RelayError::Hide)?;
    let socket = connect(name).map_err(RelayError::Connect)?;
    thread::scope(|scope| {
        scope.spawn(|| inwards(&socket));
        outwards(&socket);
        // Nobody is left to carry anything for; a read of standard input could not be ended otherwise.
        std::process::exit(0)
    })
}

/// Carries standard input and output to the listener of this process, for as long as there is somebody at them.
pub fn attach(name: &OsStr) -> Result<(), Errno> {
    let socket = connect(name)?;
    let other = rustix::io::fcntl_dupfd_cloexec(&socket, 0)?;
    let start = |name: &str, carry: fn(&OwnedFd), socket: OwnedFd| {
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(move || carry(&socket)).map(drop).map_err(|_| Errno::AGAIN)
    };
    start("stdin", inwards, socket)?;
    start("stdout", outwards, other)
}

/// A listening socket of this name.
pub fn listen(name: &OsStr) -> Result<OwnedFd, Errno> {
    let socket = socket()?;
    rustix::net::bind(&socket, &address(name)?)?;
    rustix::net::listen(&socket, 1)?;
    Ok(socket)
}

fn connect(name: &OsStr) -> Result<OwnedFd, Errno> {
    let socket = socket()?;
    rustix::net::connect(&socket, &address(name)?)?;
    Ok(socket)
}

fn socket() -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

fn address(name: &OsStr) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new_abstract_name(name.as_bytes())
}

/// From standard input to the agent; at its end the agent is told that nothing more comes.
fn inwards(socket: &OwnedFd) {
    carry(std::io::stdin(), |bytes| rustix::net::send(socket, bytes, SendFlags::NOSIGNAL));
    // An agent that is gone needs not be told.
    let _ = rustix::net::shutdown(socket, Shutdown::Write);
}

/// From the agent to standard output. If nobody takes it any more, the agent's connection ends.
fn outwards(socket: &OwnedFd) {
    carry(socket, |bytes| rustix::io::write(std::io::stdout(), bytes));
    let _ = rustix::net::shutdown(socket, Shutdown::Both);
}

/// Carries bytes until there are no more, or nobody takes them.
fn carry(from: impl AsFd, mut to: impl FnMut(&[u8]) -> Result<usize, Errno>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let mut rest = match rustix::io::read(&from, &mut *buffer) {
            Ok(0) => return,
            Ok(count) => &buffer[..count],
            Err(Errno::INTR) => continue,
            Err(_) => return,
        };
        while !rest.is_empty() {
            match to(rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}
