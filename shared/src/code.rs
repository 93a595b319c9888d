//! The stable codes: what an `error` frame says went wrong, and why a socket was closed.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// Why something was refused or failed. The text is stable; clients match on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[doc = $doc])* #[serde(rename = $text)] $name,)*
        }

        impl ErrorCode {
            /// Every code there is, in the order of the documentation.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name),*];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$name => $text),* }
            }
        }
    };
}

error_codes! {
    /// The frame is not JSON, or not an object.
    BadJson = "bad_json",
    /// A member of the frame is missing, of the wrong kind or out of range.
    BadRequest = "bad_request",
    /// The frame's or the command's type is not known here.
    UnknownType = "unknown_type",
    /// The path is not allowed, or leads out of the project.
    BadPath = "bad_path",
    /// There is nothing by that name.
    NotFound = "not_found",
    /// There is something by that name already.
    AlreadyExists = "already_exists",
    /// A file was expected and a folder found.
    IsAFolder = "is_a_folder",
    /// A folder was expected and something else found.
    NotAFolder = "not_a_folder",
    /// Neither a file nor a folder: a device, a socket, a named pipe.
    NotRegular = "not_regular",
    /// The file is not text in UTF-8.
    NotText = "not_text",
    /// The role does not allow it.
    Forbidden = "forbidden",
    /// A URL that does not point into the sandbox.
    ForbiddenTarget = "forbidden_target",
    /// Larger than the limit named in the message.
    TooLarge = "too_large",
    /// The room has as many of these as it may have.
    LimitReached = "limit_reached",
    /// The disk, memory or another quota of the room is used up.
    QuotaExceeded = "quota_exceeded",
    /// Something else happened at the same time, or the same key came with other parameters.
    Conflict = "conflict",
    /// A command of that number was carried out before.
    AlreadyDone = "already_done",
    /// The sandbox could not be started, or has ended.
    SandboxUnavailable = "sandbox_unavailable",
    /// Nothing listens there, or it hung up.
    Unreachable = "unreachable",
    /// It took longer than it may.
    TimedOut = "timed_out",
    /// The key pair is not valid.
    BadCredentials = "bad_credentials",
    /// The key pair has no credits left.
    NoCredits = "no_credits",
    /// The join key is unknown, revoked or expired.
    UnknownJoinKey = "unknown_join_key",
    /// No handshake came in time.
    HandshakeTimeout = "handshake_timeout",
    /// Too many failed attempts.
    TooManyAttempts = "too_many_attempts",
    /// The space named in the address does not exist.
    UnknownSpace = "unknown_space",
    /// The server is going down or at its limit; try again.
    Unavailable = "unavailable",
    /// The server failed; the log has the same id.
    Internal = "internal",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the server closed a WebSocket (RFC 6455 section 7.4, and 4000–4999 of our own).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The server is going down; come back.
    GoingDown = 1012,
    /// Not the WebSocket protocol.
    Protocol = 1002,
    /// A text that is not UTF-8.
    NotText = 1007,
    /// What was asked for is refused; the reason says why.
    Refused = 1008,
    /// A frame over the limit.
    TooBig = 1009,
    BadCredentials = 4401,
    NoCredits = 4402,
    UnknownJoinKey = 4404,
    HandshakeTimeout = 4408,
    /// The document of this connection has another epoch now, or is gone.
    DocumentClosed = 4409,
    /// The same client has come back on another connection.
    TakenOver = 4411,
    /// The room ended while the client was in it.
    RoomEnded = 4410,
    /// The reader fell too far behind.
    TooSlow = 4413,
    TooManyAttempts = 4429,
    /// The sandbox of an `init` could not be started.
    SandboxUnavailable = 4503,
}

impl CloseCode {
    /// The close code after a handshake that failed with `code`; `None` leaves the connection open.
    pub const fn after_handshake(code: ErrorCode) -> Option<Self> {
        match code {
            ErrorCode::BadCredentials => Some(Self::BadCredentials),
            ErrorCode::NoCredits => Some(Self::NoCredits),
            ErrorCode::UnknownJoinKey => Some(Self::UnknownJoinKey),
            ErrorCode::HandshakeTimeout => Some(Self::HandshakeTimeout),
            ErrorCode::TooManyAttempts => Some(Self::TooManyAttempts),
            _ => None,
        }
    }
}

/// What crosses the wire when something went wrong: a code for programs, a message for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub code: ErrorCode,
    pub message: String,
}

impl Failure {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_documentation() {
        let page = include_str!("../../docs/protocol.md");
        for code in ErrorCode::ALL {
            assert!(page.contains(&format!("\n| `{code}` |")), "{code} is not in docs/protocol.md");
        }
    }

    #[test]
    fn every_code_is_the_same_by_serde_and_by_name() {
        for &code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
