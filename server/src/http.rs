//! HTTP: the accept loop, the one table of routes, and what stands in front of every one of them.
//!
//! Translates between the web and the rooms; decides nothing about either.

pub mod accept;
pub mod address;
mod api;
pub mod assets;
pub mod attempts;
mod download;
pub mod headers;
pub mod host;
pub mod preview;
pub mod problem;
mod proxies;
mod quoting;
pub mod secure;
mod socket;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::execute::Executor;
use crate::ledger::Ledger;
use crate::mail::{MailError, Mailer};
use crate::metrics::Metrics;
use crate::room::registry::Registry;
use crate::tasks::Tasks;
use crate::webhooks::{Deliveries, Reach};
use accept::AcceptBounds;
use accept::tls::Tls;
use api::mails::Mails;
use api::rates::Rates;
use attempts::Attempts;
use headers::PagePolicy;
use host::{Hosts, LOOPBACK};
use preview::Previews;
use preview::places::Places;
use proxies::Proxies;

/// What every route may reach.
#[derive(Debug, Clone)]
pub struct Doors {
    pub config: Arc<Config>,
    pub registry: Arc<Registry>,
    pub accounts: Arc<Accounts>,
    /// Runs single programs.
    pub executor: Arc<Executor>,
    /// Guesses of credentials.
    pub attempts: Arc<Attempts>,
    pub(crate) mails: Arc<Mails>,
    /// Where webhooks may be.
    pub reach: Reach,
    pub metrics: Metrics,
    pub tasks: Tasks,
    /// Where previews are; known once the server listens.
    pub places: Arc<Places>,
}

/// The table of routes. What stands in front of all of them: names of ports are previews, foreign hosts are refused, and
/// every answer carries its headers.
fn routes(
    doors: Doors,
    pages: Arc<PagePolicy>,
    hosts: Arc<Hosts>,
    previews: Arc<Previews>,
    site_widget: Option<&str>,
) -> Router {
    let rates = Arc::new(Rates::new(doors.config.limits.api_requests));
    let metrics = doors.metrics.clone();
    Router::new()
        .route("/ws/spaces/{space}", get(socket::upgrade))
        .route("/ws/spaces/{space}/", get(socket::upgrade))
        .route("/ws/docs/{project}/{*path}", get(socket::document::upgrade))
        .route("/download/{ticket}", get(download::get))
        .route(
            "/embed/{widget}",
            get({
                let pages = pages.clone();
                async |State(doors): State<Doors>, Path(id): Path<String>, uri: Uri, headers: HeaderMap| {
                    let widget = doors.registry.widget(&id).await?;
                    assets::widget(pages, &widget, &uri, &headers)
                }
            }),
        )
        .merge(watch::routes())
        .merge(api::routes(rates, pages.clone()))
        .with_state(doors)
        .merge(assets::routes(pages.clone(), site_widget))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(pages, headers::guard))
        .layer(from_fn_with_state(hosts, host::guard))
        .layer(from_fn_with_state(previews, preview::guard))
        .layer(from_fn_with_state(metrics, watch::count))
}

/// A setting that only the web side can judge.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error(transparent)]
    Origin(#[from] headers::BadOrigin),
    #[error(transparent)]
    Host(#[from] host::BadHost),
    #[error(transparent)]
    Previews(#[from] preview::places::BadPlaces),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Security(#[from] secure::BadSecurity),
}

/// What doors are made of before the server listens.
#[derive(Debug, Clone)]
pub struct Inside {
    pub config: Arc<Config>,
    /// The widget of the public pages.
    pub site_widget: Option<String>,
    pub registry: Arc<Registry>,
    pub ledger: Ledger,
    pub metrics: Metrics,
    pub attempts: Arc<Attempts>,
    pub tasks: Tasks,
}

/// What the server listens with, and at which address that is.
#[derive(Debug)]
pub struct Listening {
    pub listener: TcpListener,
    pub address: SocketAddr,
}

/// The listeners of a server.
#[derive(Debug)]
pub struct Listeners {
    pub main: Listening,
    /// For previews below paths.
    pub paths: Option<Listening>,
    /// For what watches the server: plain HTTP always.
    pub metrics: Option<Listening>,
    /// For plain HTTP where the rest is not.
    pub redirect: Option<Listening>,
    /// What is spoken on those for people.
    pub tls: Option<Tls>,
}

/// Serves the routes on each listener until the server goes down.
pub fn serve(listeners: Listeners, inside: Inside) -> Result<(), WebError> {
    let Listeners { main, paths, metrics: watched, redirect, tls } = listeners;
    let Inside { config, site_widget, registry, ledger, metrics, attempts, tasks } = inside;
    let address = main.address;
    let public_url = config.public_url.as_deref();
    let places = Arc::new(Places::new(&config, address, paths.as_ref().map(|paths| paths.address))?);
    let pages = PagePolicy::new(public_url, &config.embed.origins, &places.source())?;
    let hosts = Hosts::new(public_url, &config.hosts)?;
    let path_hosts = Hosts::new(places.paths().map(|paths| paths.origin()), &config.hosts)?;
    let bounds = AcceptBounds {
        total: config.limits.connections,
        per_address: config.limits.connections_per_address,
        ..AcceptBounds::default()
    };
    let mailer = Mailer::new(&config.mail, tasks.clone())?;
    let reach = Reach::new(config.webhooks.inward.clone());
    Deliveries::start(ledger.clone(), mailer.clone(), reach.clone(), &tasks);
    crate::upkeep::start(config.clone(), ledger.clone(), &tasks);
    let accounts = Accounts::new(config.clone(), ledger, mailer, config.link_base(address));
    let mails = Arc::default();
    let executor = Arc::new(Executor::new(config.clone(), registry.clone(), tasks.clone()));
    let doors = Doors {
        config,
        registry,
        executor,
        accounts: Arc::new(accounts),
        attempts,
        mails,
        reach,
        metrics,
        tasks: tasks.clone(),
        places,
    };
    // The origins that the IDE's own page may have; one that came by another name hears nothing of what previews say.
    let own = match pages.public_origin() {
        Some(origin) => vec![origin.to_owned()],
        None => LOOPBACK.map(|name| format!("http://{name}:{}", address.port())).to_vec(),
    };
    let proxies = Arc::new(Proxies::new(doors.config.proxies.clone()));
    let previews = Arc::new(Previews::new(doors.clone(), own));
    if let Some(Listening { listener, .. }) = paths {
        let router = Router::new().fallback(preview::below).with_state(previews.clone());
        let router = router.layer(from_fn_with_state(Arc::new(path_hosts), host::guard));
        let router = router.layer(from_fn_with_state(proxies.clone(), proxies::guard));
        tasks.spawn("accept", accept::serve(listener, router, tls.clone(), bounds.clone(), tasks.clone()));
    }
    if let Some(Listening { listener, .. }) = watched {
        tasks.spawn("accept", accept::serve(listener, watch::own(doors.clone()), None, bounds.clone(), tasks.clone()));
    }
    if let (Some(Listening { listener, .. }), Some(origin)) = (redirect, pages.public_origin()) {
        let router = secure::redirect(origin);
        tasks.spawn("accept", accept::serve(listener, router, None, bounds.clone(), tasks.clone()));
    }
    let router = routes(doors, Arc::new(pages), Arc::new(hosts), previews, site_widget.as_deref());
    let router = router.layer(from_fn_with_state(proxies, proxies::guard));
    tasks.spawn("accept", accept::serve(main.listener, router, tls, bounds, tasks.clone()));
    Ok(())
}
