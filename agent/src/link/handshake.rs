//! The handshake: a connection is a candidate until it has proved that it holds the link's secret.
//!
//! The agent proves itself first, over the server's nonce and its own; a candidate that is slow, wrong or silent is
//! dropped and leaves the link that stands untouched.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use embedenv_shared::link::{self as wire, Greeting, Kind, LINK_VERSION, SECRET, Speaker};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustix::io::Errno;
use sha2::Sha256;

use super::Incoming;
use crate::arguments::Secret;
use crate::poller::Interest;

/// How long a connection may take to prove itself.
const LIMIT: Duration = Duration::from_secs(5);
/// Connections that may be proving themselves at once; the oldest makes room.
pub const MAX_CANDIDATES: usize = 8;
/// The longest payload of a greeting that a server sends.
const MAX_GREETING: usize = 256;

/// A connection that has not proved itself.
#[derive(Debug)]
pub struct Candidate {
    pub id: u32,
    stream: OwnedFd,
    incoming: Incoming,
    /// Both nonces, once the server has said hello.
    nonces: Option<([u8; SECRET], [u8; SECRET])>,
    /// Whether descriptors can be sent on it.
    pub descriptors: bool,
    pub deadline: Instant,
    pub interest: Interest,
}

/// What became of a candidate.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Waiting,
    Proved,
    Refused,
}

impl Candidate {
    pub fn new(id: u32, stream: OwnedFd) -> Self {
        let deadline = Instant::now() + LIMIT;
        let (incoming, interest) = (Incoming::default(), Interest::default());
        Self { id, stream, incoming, nonces: None, descriptors: false, deadline, interest }
    }

    /// Reads once and answers what has arrived.
    pub fn readable(&mut self, secret: &Secret) -> Step {
        if self.incoming.receive(&self.stream).is_err() {
            return Step::Refused;
        }
        loop {
            let greeting = match self.incoming.next(MAX_GREETING) {
                Ok(None) => return Step::Waiting,
                Ok(Some((header, payload))) if header.kind == Kind::Greeting => wire::decode(payload).ok(),
                _ => return Step::Refused,
            };
            match (greeting, self.nonces) {
                (Some(Greeting::Hello { version: _, nonce, descriptors }), None) => {
                    self.descriptors = descriptors;
                    let Some(own) = nonce_of_our_own() else { return Step::Refused };
                    self.nonces = Some((nonce, own));
                    let proof = proof(secret, Speaker::Agent, &nonce, &own).finalize().into_bytes().into();
                    // A server of another version learns ours and ends the connection.
                    let welcome = Greeting::Welcome { version: LINK_VERSION, nonce: own, proof };
                    let frame = wire::encode(Kind::Greeting, 0, &welcome);
                    // The socket's buffer is empty: a frame this small fits or the connection is gone.
                    if rustix::io::write(&self.stream, &frame) != Ok(frame.len()) {
                        return Step::Refused;
                    }
                }
                (Some(Greeting::Proof { proof: claimed }), Some((server, agent))) => {
                    // `verify_slice` compares in constant time.
                    return match proof(secret, Speaker::Server, &server, &agent).verify_slice(&claimed) {
                        Ok(()) => Step::Proved,
                        Err(_) => Step::Refused,
                    };
                }
                _ => return Step::Refused,
            }
        }
    }

    /// The stream, and what was received after the proof.
    pub fn into_parts(self) -> (OwnedFd, Incoming) {
        (self.stream, self.incoming)
    }
}

impl AsFd for Candidate {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn nonce_of_our_own() -> Option<[u8; SECRET]> {
    let mut nonce = [0; SECRET];
    getrandom::fill(&mut nonce).map_err(|_| Errno::IO).ok()?;
    Some(nonce)
}

fn proof(secret: &Secret, speaker: Speaker, server: &[u8; SECRET], agent: &[u8; SECRET]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(&secret.0).expect("HMAC takes keys of any length");
    mac.update(&wire::proof_input(speaker, server, agent));
    mac
}
