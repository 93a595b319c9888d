//! Passwords as Argon2id hashes (RFC 9106), made and checked beside the runtime's threads: so many at once, so many waiting,
//! and no more. Knows nothing of whose they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use embedenv_shared::code::{ErrorCode, Failure};
use tokio::sync::Semaphore;

/// The shortest password, in characters, and the longest, in bytes.
pub const LEAST: usize = 10;
pub const MOST: usize = 1024;
/// How many are hashed at once: each takes 19 MiB and a processor for some dozen milliseconds.
const AT_ONCE: usize = 2;
/// How many may wait for that; who comes then is asked to come again.
const WAITING: usize = 64;

#[derive(Debug, Clone)]
pub struct Passwords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    slots: Semaphore,
    waiting: AtomicUsize,
    /// What is checked where there is no hash, so that it takes as long.
    nobody: String,
}

impl Passwords {
    pub fn new() -> Self {
        let nobody = hash(b"nobody has this one").expect("a text can be hashed");
        Self(Arc::new(Inner { slots: Semaphore::new(AT_ONCE), waiting: AtomicUsize::new(0), nobody }))
    }

    /// Checks that a password may be one, and hashes it.
    pub async fn hash(&self, password: String) -> Result<String, Failure> {
        if password.chars().count() < LEAST || password.len() > MOST {
            let message = format!("a password has from {LEAST} characters to {MOST} bytes");
            return Err(Failure::new(ErrorCode::BadRequest, message));
        }
        self.beside(move || hash(password.as_bytes())).await?.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            Failure::new(ErrorCode::Internal, "the server could not keep the password")
        })
    }

    /// Whether a password is the one that was hashed. Takes as long where there is none.
    pub async fn is_right(&self, password: String, hash: Option<String>) -> Result<bool, Failure> {
        if password.len() > MOST {
            return Ok(false);
        }
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.0.nobody.clone());
        let matches = self.beside(move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await? && exists)
    }

    async fn beside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let busy = || Failure::new(ErrorCode::Unavailable, "the server is busy; try again in a moment");
        let _waiting = Waiting::begin(&self.0.waiting).ok_or_else(busy)?;
        let _slot = self.0.slots.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| busy())
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

fn hash(password: &[u8]) -> argon2::password_hash::Result<String> {
    Argon2::default().hash_password(password).map(|hash| hash.to_string())
}

/// A place among those that wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Option<Self> {
        let place = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < WAITING).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_same_password_is_right_and_no_other() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash, passwords.hash("correct horse".to_owned()).await.unwrap());
        assert!(passwords.is_right("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.is_right("correct horsf".to_owned(), Some(hash)).await.unwrap());
        assert!(!passwords.is_right("nobody has this one".to_owned(), None).await.unwrap());
        assert!(!passwords.is_right("x".to_owned(), Some("no hash".to_owned())).await.unwrap());
        for bad in ["short", &"x".repeat(MOST + 1)] {
            assert_eq!(passwords.hash(bad.to_owned()).await.unwrap_err().code, ErrorCode::BadRequest);
        }
    }

    #[tokio::test]
    async fn who_comes_to_a_full_queue_is_asked_to_come_again() {
        let passwords = Passwords::new();
        let many = (0..WAITING + 8).map(|_| passwords.is_right("x".to_owned(), None));
        let outcomes = futures_util::future::join_all(many).await;
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!(refused >= 8 && refused < outcomes.len());
        assert!(passwords.is_right("x".to_owned(), None).await.is_ok());
    }
}
