//! The wire of Embedenv, and nothing else: what browser, server and agent say to each other.
//!
//! Owns ids, frames, error and close codes and the validated workspace path. It builds for the host and for
//! wasm32, and must never know a socket, a runtime or a file: no tokio, no axum, no web-sys.

pub mod code;
pub mod command;
pub mod event;
pub mod frame;
pub mod id;
pub mod link;
pub mod look;
pub mod path;
pub mod search;
pub mod tree;

/// The version of the full clients' protocol, sent as `"protocol": 2` in `init` or `join`.
pub const PROTOCOL: u32 = 2;

/// The longest message a client may send, in bytes, unless the server is configured otherwise.
/// A longer one is answered by close 1009.
pub const MAX_CLIENT_MESSAGE: usize = 16 * 1024 * 1024;
