//! The data directory, held by one server at a time: two would sweep away each other's rooms.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

const LOCK: &str = "lock";

/// Held until it is dropped, or its process is gone.
#[derive(Debug)]
pub(crate) struct DataDir {
    _lock: File,
}

impl DataDir {
    /// Makes the directory if there is none, and takes it.
    pub(crate) fn take(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(Errno::WOULDBLOCK) => {
                Err(io::Error::other("another server uses it; end that one, or give this one another --data-dir"))
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_at_a_time_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let held = DataDir::take(&path).unwrap();
        assert!(DataDir::take(&path).unwrap_err().to_string().contains("another server"));
        drop(held);
        DataDir::take(&path).unwrap();
    }
}
