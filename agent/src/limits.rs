//! What the sandbox may use, as far as the agent is the one to hold it to that.

pub mod disk;
mod usage;
pub mod writers;

/// Limits from the command line; `None` is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Processes and threads of programs.
    pub processes: Option<u64>,
    /// Open files of one program.
    pub open_files: Option<u64>,
    /// Bytes on disk in the home.
    pub disk: Option<u64>,
    /// Files, folders and links in the home.
    pub inodes: Option<u64>,
}
