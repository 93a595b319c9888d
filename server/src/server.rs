//! The server as one value: made from a configuration, listening, and shut down in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use crate::config::Config;
use crate::data_dir::DataDir;
use crate::engine::choice::{self, Kind};
use crate::engine::docker::DockerEngine;
use crate::engine::local::{LocalEngine, LocalSettings};
use crate::engine::{Engine, EngineError, EngineHome};
use crate::http::assets::NoAgent;
use crate::http::attempts::Attempts;
use crate::http::{self, Inside, Listeners, Listening};
use crate::ledger::{Held, Ledger, LedgerError, Purpose, Token};
use crate::metrics::Metrics;
use crate::room::registry::{Opened, Registry, RegistryError, Sandboxes};
use crate::tasks::Tasks;

/// How long shutting down may take, from the signal to the last task's end.
pub const SHUTDOWN: Duration = Duration::from_secs(9);

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot use the data directory {path}")]
    DataDir {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot open the ledger")]
    Ledger(#[from] LedgerError),
    #[error("the agent is missing from this build")]
    Agent(#[from] NoAgent),
    #[error("the sandbox engine does not work here (`embedenv doctor` says more)")]
    Engine(#[from] EngineError),
    #[error("the rooms could not be taken up")]
    Rooms(#[from] RegistryError),
    #[error(transparent)]
    Web(#[from] http::WebError),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// A server that has taken up its rooms and is ready to listen.
#[derive(Debug)]
pub struct Server {
    inside: Inside,
    ledger: Ledger,
    /// Given back when the server has ended.
    _data_dir: DataDir,
    _database: Held,
}

/// A server that listens.
#[derive(Debug)]
pub struct Running {
    server: Server,
    address: SocketAddr,
    others: Others,
}

/// Where a server listens besides, if it does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Others {
    /// For what watches it.
    pub metrics: Option<SocketAddr>,
    /// For who comes by plain HTTP.
    pub redirect: Option<SocketAddr>,
}

impl Server {
    pub async fn new(config: Config) -> Result<Self, ServerError> {
        let config = Arc::new(config);
        let data_dir = DataDir::take(&config.data_dir)
            .await
            .map_err(|source| ServerError::DataDir { path: config.data_dir.display().to_string(), source })?;
        let ledger = Ledger::open(&config.data_dir, config.database_url.as_ref()).await?;
        let database = ledger.hold().await?;
        let home = EngineHome { data_dir: config.data_dir.clone(), agent: http::assets::agent()? };
        let tasks = Tasks::default();
        let metrics = Metrics::new();
        let engine: Arc<dyn Engine> = match choice::choose(&config, !ledger.rooms().await?.is_empty()).await? {
            Kind::Local => Arc::new(LocalEngine::new(home, LocalSettings::default())?),
            Kind::Docker => {
                let profiles = config.spaces.values().map(|space| &space.profile);
                Arc::new(DockerEngine::open(home, ledger.server_id(), profiles, tasks.clone()).await?)
            }
        };
        let registry = Registry::start(config.clone(), engine, ledger.clone(), metrics.clone(), tasks.clone()).await?;
        let attempts = Arc::new(Attempts::new(config.limits.failed_attempts));
        let site_widget = config.site.widget.clone();
        if let Some(widget) = &site_widget
            && let Err(error) = ledger.widget(widget).await
        {
            tracing::warn!(%widget, %error, "nothing runs on the public pages: site.widget names no widget that is good");
        }
        let inside = Inside { config, site_widget, registry, ledger: ledger.clone(), metrics, attempts, tasks };
        Ok(Self { inside, ledger, _data_dir: data_dir, _database: database })
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The same with a widget for the public pages, unless the configuration names one.
    #[must_use]
    pub fn with_site_widget(mut self, widget: String) -> Self {
        self.inside.site_widget.get_or_insert(widget);
        self
    }

    /// Listens on the configured address; port 0 takes a free one.
    pub async fn listen(self) -> Result<Running, ServerError> {
        let config = self.inside.config.clone();
        let bound = async {
            let tls = http::secure::tls(&config, &self.inside.tasks).await.map_err(http::WebError::from)?;
            let main = bind(config.listen).await?;
            let paths = bind_other(config.preview.listen).await?;
            let metrics = bind_other(config.metrics_listen).await?;
            let redirect = bind_other(config.tls.redirect).await?;
            let address_of = |other: &Option<Listening>| other.as_ref().map(|other| other.address);
            let others = Others { metrics: address_of(&metrics), redirect: address_of(&redirect) };
            let address = main.address;
            http::serve(Listeners { main, paths, metrics, redirect, tls }, self.inside.clone())?;
            Ok((address, others))
        };
        match bound.await {
            Ok((address, others)) => Ok(Running { server: self, address, others }),
            Err(error) => {
                // Its tasks would go on without it.
                self.close(Sandboxes::GoOn).await;
                Err(error)
            }
        }
    }

    /// Ends its tasks, with everything acknowledged on disk. Says whether all had ended in time.
    async fn close(&self, sandboxes: Sandboxes) -> bool {
        let end = Instant::now() + SHUTDOWN;
        self.inside.registry.shut_down(sandboxes).await;
        let ended = self.inside.tasks.close(end.saturating_duration_since(Instant::now())).await;
        self.ledger.close().await;
        ended
    }
}

async fn bind_other(wanted: Option<SocketAddr>) -> Result<Option<Listening>, ServerError> {
    match wanted {
        Some(wanted) => bind(wanted).await.map(Some),
        None => Ok(None),
    }
}

async fn bind(wanted: SocketAddr) -> Result<Listening, ServerError> {
    let failed = |source| ServerError::Listen { address: wanted, source };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { listener, address })
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn others(&self) -> Others {
        self.others
    }

    pub fn ledger(&self) -> &Ledger {
        &self.server.ledger
    }

    pub fn registry(&self) -> &Arc<Registry> {
        &self.server.inside.registry
    }

    /// Ends the server and leaves its sandboxes running for the next one. Everything acknowledged is on disk when this
    /// returns. Says whether every task had ended in time.
    pub async fn shutdown(self) -> bool {
        self.server.close(Sandboxes::GoOn).await
    }

    /// Ends the server and its sandboxes.
    pub async fn end(self) -> bool {
        self.server.close(Sandboxes::End).await
    }

    /// A code that makes its bearer this server's first operator; nothing if there is one.
    pub async fn operator_code(&self) -> Result<Option<String>, LedgerError> {
        match self.server.ledger.has_operator().await? {
            true => Ok(None),
            false => self.server.ledger.mint_token(Purpose::Operator, &Token::default()).await.map(Some),
        }
    }

    /// Opens a room for a key pair without a socket, for `embedenv try`.
    pub async fn open(&self, public_key: &str, secret_key: &str) -> Result<Opened, embedenv_shared::code::Failure> {
        let init = embedenv_shared::command::Init {
            public_key: public_key.to_owned(),
            secret_key: secret_key.to_owned(),
            idempotency_key: None,
            guest: embedenv_shared::command::Guest::default(),
        };
        self.server.inside.registry.open(crate::config::DEFAULT_SPACE, &init, None).await
    }
}
