//! What the binary carries: the page's files and the program that runs inside sandboxes. A release build has them
//! inside; a debug build reads them from `target/embed` at run time.

use std::borrow::Cow;

use rust_embed::RustEmbed;

use crate::engine::Agent;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/embed"]
#[allow_missing = true]
struct Embedded;

/// One file of the page.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) bytes: Cow<'static, [u8]>,
    pub(super) sha256: [u8; 32],
}

/// Finds a file of the pages by its path in the bundle: those of the public ones are in `site/`.
pub(super) fn file(path: &str) -> Option<File> {
    let file = if path.starts_with("site/") { Embedded::get(path) } else { Embedded::get(&format!("web/{path}")) }?;
    Some(File { sha256: file.metadata.sha256_hash(), bytes: file.data })
}

/// The program that runs inside every sandbox.
pub fn agent() -> Result<Agent, NoAgent> {
    let file = Embedded::get("agent.gz").ok_or(NoAgent)?;
    Ok(Agent::new(file.metadata.sha256_hash(), file.data))
}

/// The binary was built before its agent was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this program was built without the agent that runs inside sandboxes; `cargo xtask build` puts it in")]
pub struct NoAgent;
