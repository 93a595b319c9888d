//! How the settings of TLS are meant, and the way from plain HTTP to where it is spoken.

use axum::Router;
use axum::http::Uri;
use axum::response::Redirect;

use super::accept::tls::{BadTls, Tls, TlsFiles};
use crate::config::Config;
use crate::tasks::Tasks;

#[derive(Debug, thiserror::Error)]
pub enum BadSecurity {
    #[error("tls.certificate and tls.key go together, and one of them is not set")]
    Half,
    #[error("with tls.certificate or tls.redirect, public_url must be set and begin with https://")]
    Address,
    #[error(transparent)]
    Tls(#[from] BadTls),
}

/// The TLS that the server is to speak, if it is to.
pub async fn tls(config: &Config, tasks: &Tasks) -> Result<Option<Tls>, BadSecurity> {
    let is_https = config.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    if config.tls.redirect.is_some() && !is_https {
        return Err(BadSecurity::Address);
    }
    match (config.tls.certificate.clone(), config.tls.key.clone()) {
        (Some(_), Some(_)) if !is_https => Err(BadSecurity::Address),
        (Some(certificate), Some(key)) => Ok(Some(Tls::start(TlsFiles { certificate, key }, tasks).await?)),
        (None, None) => Ok(None),
        _ => Err(BadSecurity::Half),
    }
}

/// Sends everything on to the public address, whatever name it was asked under.
pub(super) fn redirect(public_origin: &str) -> Router {
    let origin = public_origin.to_owned();
    Router::new().fallback(async move |uri: Uri| {
        let rest = uri.path_and_query().map_or("/", |rest| rest.as_str());
        Redirect::permanent(&format!("{origin}{rest}"))
    })
}
