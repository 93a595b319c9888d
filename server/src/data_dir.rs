//! The data directory, held by one server at a time: two would sweep away each other's rooms.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::time::{Instant, sleep};

const LOCK: &str = "lock";
/// A server that was killed while it started a program has it until that program runs: it is waited for, for this long.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Held until it is dropped, or its process is gone.
#[derive(Debug)]
pub(crate) struct DataDir {
    lock: File,
}

impl DataDir {
    /// Makes the directory if there is none, and takes it.
    pub(crate) async fn take(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { lock }),
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => sleep(PAUSE).await,
                Err(Errno::WOULDBLOCK) => {
                    let message = "another server uses it; end that one, or give this one another --data-dir";
                    return Err(io::Error::other(message));
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        // Closing alone would leave it to a child that has been forked and does not run its program yet.
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_server_at_a_time_has_it_however_many_hold_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let held = DataDir::take(&path).await.unwrap();
        let forked = held.lock.try_clone().unwrap();
        assert!(DataDir::take(&path).await.unwrap_err().to_string().contains("another server"));
        drop(held);
        let next = DataDir::take(&path).await.unwrap();
        drop((forked, next));
    }

    #[tokio::test]
    async fn what_a_killed_server_has_forked_lets_go_soon_and_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        fs::create_dir_all(&path).unwrap();
        let forked = File::create(path.join(LOCK)).unwrap();
        flock(&forked, FlockOperation::NonBlockingLockExclusive).unwrap();
        let (held, ()) = tokio::join!(DataDir::take(&path), async {
            tokio::task::yield_now().await;
            drop(forked);
        });
        held.unwrap();
    }
}
