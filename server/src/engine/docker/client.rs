//! Speaking with the engine: where it is, which version of its API, how long an answer may take, and what a refusal
//! means. Never says what is asked.

use std::future::Future;
use std::time::Duration;

use bollard::errors::Error;
use bollard::{ClientVersion, Docker};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use parking_lot::Mutex;
use tokio::time::timeout;

use crate::engine::EngineError;

/// An engine that takes longer for one answer is as good as none.
pub(super) const ANSWER: Duration = Duration::from_secs(8);
/// Characters of what the engine says that are kept.
const SAID: usize = 1000;

/// What a room is told where an engine has no room on its disk.
pub(super) const FULL: &str = "the engine's disk is full";

/// Whether that is what it says.
pub(super) fn is_full(said: &str) -> bool {
    said.contains("no space left on device")
}

/// The engine's API, found anew when it was gone: another version may have come back.
#[derive(Debug, Default)]
pub(crate) struct Client(Mutex<Option<Docker>>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{reason}")]
    Unreachable { reason: String },
    #[error("the engine refused to {what}: {message} (status {status})")]
    Refused { what: &'static str, status: u16, message: String },
}

impl Client {
    /// Asks the engine for one thing.
    pub(super) async fn ask<T, F>(&self, what: &'static str, call: impl FnOnce(Docker) -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.ask_within(ANSWER, what, call).await
    }

    /// Asks the engine for one thing that may take as long as this.
    pub(super) async fn ask_within<T, F>(
        &self,
        limit: Duration,
        what: &'static str,
        call: impl FnOnce(Docker) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let answer = timeout(limit, async { call(self.api().await?).await });
        let error = match answer.await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => refused(what, error),
            Err(_) => CallError::Unreachable { reason: format!("it took more than {} s to {what}", limit.as_secs()) },
        };
        if matches!(error, CallError::Unreachable { .. }) {
            *self.0.lock() = None;
        }
        Err(error)
    }

    /// Follows something that the engine tells bit by bit; each bit may take as long as `pause`.
    pub(super) async fn follow<T>(
        &self,
        what: &'static str,
        pause: Duration,
        call: impl for<'a> FnOnce(&'a Docker) -> BoxStream<'a, Result<T, Error>>,
        mut each: impl FnMut(T),
    ) -> Result<(), CallError> {
        let api = self.ask(what, |api| async { Ok(api) }).await?;
        let mut told = call(&api);
        loop {
            match timeout(pause, told.next()).await {
                Ok(Some(Ok(item))) => each(item),
                Ok(Some(Err(error))) => return Err(refused(what, error)),
                Ok(None) => return Ok(()),
                Err(_) => {
                    let reason = format!("it said nothing for {} s", pause.as_secs());
                    return Err(CallError::Unreachable { reason });
                }
            }
        }
    }

    /// The version of its API that is spoken: its own, or the newest that is known here.
    pub(super) async fn version(&self) -> Result<ClientVersion, CallError> {
        self.ask("tell its version", |api| async move { Ok(api.client_version()) }).await
    }

    async fn api(&self) -> Result<Docker, Error> {
        let known = self.0.lock().clone();
        match known {
            Some(api) => Ok(api),
            None => {
                // The usual places: DOCKER_HOST, with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the default socket.
                let api = Docker::connect_with_defaults()?.negotiate_version().await?;
                Ok(self.0.lock().insert(api).clone())
            }
        }
    }
}

impl CallError {
    /// What an error of the client's means, of something that was followed bit by bit.
    pub(super) fn of(what: &'static str, error: Error) -> Self {
        refused(what, error)
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unreachable { .. } => None,
        }
    }

    /// What a room is told when its sandbox can't be started. What the engine said may name the host's paths: that
    /// stays in the log.
    pub(super) fn starting(self) -> EngineError {
        let reason = match &self {
            Self::Unreachable { .. } => return self.silent(),
            Self::Refused { message, .. } if is_full(message) => FULL.to_owned(),
            Self::Refused { what, .. } => format!("the engine refused to {what}"),
        };
        EngineError::Start { reason, source: Some(std::io::Error::other(self)) }
    }

    /// Where the engine was looked for stays in the log, too.
    fn silent(self) -> EngineError {
        EngineError::Unreachable { source: std::io::Error::other(self) }
    }

    pub(super) fn connecting(self) -> EngineError {
        match self {
            Self::Unreachable { .. } => self.silent(),
            refused => EngineError::Connect(std::io::Error::other(refused)),
        }
    }

    pub(super) fn ending(self) -> EngineError {
        match self {
            Self::Unreachable { .. } => self.silent(),
            refused => EngineError::End { reason: refused.to_string() },
        }
    }

    pub(super) fn erasing(self) -> EngineError {
        match self {
            Self::Unreachable { .. } => self.silent(),
            refused => {
                let reason = "the engine did not".to_owned();
                EngineError::Erase { reason, source: Some(std::io::Error::other(refused)) }
            }
        }
    }
}

fn refused(what: &'static str, error: Error) -> CallError {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            CallError::Refused { what, status: status_code, message: message.chars().take(SAID).collect() }
        }
        Error::DockerStreamError { error } => {
            CallError::Refused { what, status: 500, message: error.chars().take(SAID).collect() }
        }
        other => CallError::Unreachable { reason: crate::telemetry::chain(&other).to_string() },
    }
}

/// What is gone already was to go.
pub(super) fn unless_gone(result: Result<(), CallError>) -> Result<(), CallError> {
    match result {
        Err(error) if error.status() == Some(404) => Ok(()),
        other => other,
    }
}
