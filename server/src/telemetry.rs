//! Logs: `tracing` to standard error, for people or as JSON. Keys and contents of files must never reach it.

use std::error::Error;
use std::fmt;
use std::io::IsTerminal as _;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt as lines, registry};

use crate::config::{Log, LogFormat};

/// The filter is not in the language of `EnvFilter`.
#[derive(Debug, thiserror::Error)]
#[error("the setting log.filter can't be read: {0}")]
pub struct BadFilter(String);

/// Starts logging for this process. A second call changes nothing.
pub fn start(log: &Log) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| BadFilter(error.to_string()))?;
    let filter = filter.and(filter_fn(may_be_told));
    // Colours are for people at a terminal.
    let layer = lines::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let layer = match log.format {
        LogFormat::Human => layer.compact().with_filter(filter).boxed(),
        LogFormat::Json => layer.json().with_filter(filter).boxed(),
    };
    let started = registry().with(layer).try_init();
    // In tests the first of many servers in one process has started it already.
    let _ = started;
    Ok(())
}

/// Whatever the setting says: at their most talkative libraries tell all that goes over a connection, keys too.
fn may_be_told(of: &Metadata<'_>) -> bool {
    *of.level() <= Level::DEBUG || of.target().starts_with(env!("CARGO_PKG_NAME"))
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
