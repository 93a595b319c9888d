//! The `curl` command: one HTTP request to a server inside the sandbox.

mod exchange;
mod request;

pub use exchange::{HOLD, MAX_PIECE, Piece, Reply, fetch};
pub use request::Request;
