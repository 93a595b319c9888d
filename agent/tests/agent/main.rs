//! The agent as it is: the real program, started as an ordinary child on a listening socket and a home in a temporary
//! folder, and spoken to over the link.

#![allow(clippy::unwrap_used)] // The harness belongs to the tests: what fails there fails the test.
#![allow(unreachable_pub)] // A test exports nothing; `pub` says what the harness offers.

mod carrying;
mod commands;
mod files;
mod handshake;
mod harness;
mod limits;
mod output;
mod pipes;
mod ports;
mod processes;
mod searching;
mod sessions;
mod trees;
mod waiting;
mod watching;
