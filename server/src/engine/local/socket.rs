//! The agent's socket: made outside the sandbox in the room's folder, and passed in as a descriptor, so that a restarted
//! server can connect again.
//!
//! A Unix socket's path has 108 bytes at most; the folder is named through its descriptor, so that a long data
//! directory does not matter.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

const NAME: &str = "link";

pub(super) fn listen(folder: &Path) -> io::Result<OwnedFd> {
    super::remove(&folder.join(NAME))?;
    let (_open, path) = short(folder)?;
    Ok(UnixListener::bind(path)?.into())
}

pub(super) async fn connect(folder: &Path) -> io::Result<UnixStream> {
    let (_open, path) = short(folder)?;
    UnixStream::connect(path).await
}

/// The socket's path through a descriptor, which must stay open while the path is used.
fn short(folder: &Path) -> io::Result<(File, PathBuf)> {
    let open = File::open(folder)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(NAME);
    Ok((open, path))
}
