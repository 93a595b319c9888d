//! Commands without a terminal on the agent link: a text goes in, what is printed comes back, and nobody watches. Made for
//! what is over in a moment, such as a formatter.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::path::ProjectName;

/// Bytes that may go in; more are `too_large`.
pub const MAX_INPUT: usize = 2 * 1024 * 1024;
/// Bytes that may come out; a command that prints more is ended, and that is `too_large`.
pub const MAX_OUTPUT: usize = 1024 * 1024;
/// Bytes of what it says of errors that are kept; the rest is left out.
pub const MAX_ERRORS: usize = 32 * 1024;
/// The longest command line, in bytes.
pub const MAX_COMMAND: usize = 16 * 1024;
/// How long it may take; then it is ended, and that is `timed_out`.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Of one sandbox, so many run at once; one more is `limit_reached`.
pub const MAX_PIPES: usize = 2;

/// Runs a command line in a project's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipe {
    pub project: ProjectName,
    pub command: String,
    #[serde(with = "serde_bytes")]
    pub input: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piped {
    /// With what the command line ended, as its shell says it.
    pub code: i32,
    #[serde(with = "serde_bytes")]
    pub output: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub errors: Vec<u8>,
}
