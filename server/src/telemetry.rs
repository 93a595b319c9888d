//! Logs: `tracing` to standard error, for people or as JSON. Keys and contents of files must never reach it.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// The filter is not in the language of `EnvFilter`.
#[derive(Debug, thiserror::Error)]
#[error("the setting log.filter can't be read: {0}")]
pub struct BadFilter(String);

/// Starts logging for this process. A second call changes nothing.
pub fn start(log: &Log) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| BadFilter(error.to_string()))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for people at a terminal.
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    let started = match log.format {
        LogFormat::Human => builder.compact().finish().try_init(),
        LogFormat::Json => builder.json().finish().try_init(),
    };
    // In tests the first of many servers in one process has started it already.
    let _ = started;
    Ok(())
}

/// An error with everything that caused it, on one line.
pub fn chain(error: &dyn Error) -> impl fmt::Display + '_ {
    struct Chain<'a>(&'a dyn Error);
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)?;
            let mut source = self.0.source();
            while let Some(error) = source {
                write!(f, ": {error}")?;
                source = error.source();
            }
            Ok(())
        }
    }
    Chain(error)
}
