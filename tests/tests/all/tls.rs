//! A server with a certificate of its own: everything that people use goes by TLS, and nothing goes without.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use embedenv::config::Config;
use embedenv_tests::TestServer;
use embedenv_tests::http::ask_at;
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertifiedKey, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;

const NAME: &str = "ide.example.com";

/// A certificate for the name, in files of this folder.
fn certificate(folder: &Path) -> Result<CertificateDer<'static>> {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
    std::fs::write(folder.join("certificate.pem"), cert.pem())?;
    std::fs::write(folder.join("key.pem"), KeyPair::serialize_pem(&signing_key))?;
    Ok(cert.der().clone())
}

fn secured(config: &mut Config, folder: &Path) {
    config.public_url = Some(format!("https://{NAME}"));
    config.tls.certificate = Some(folder.join("certificate.pem"));
    config.tls.key = Some(folder.join("key.pem"));
    config.tls.redirect = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
}

/// A connection that trusts this certificate alone.
async fn connect(server: SocketAddr, trusted: CertificateDer<'static>) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted)?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(server).await?;
    Ok(TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(NAME)?, stream).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_a_certificate_speaks_tls_and_nothing_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let trusted = certificate(folder.path())?;
    let server = TestServer::with(|config| secured(config, folder.path())).await?;

    let mut stream = connect(server.address(), trusted.clone()).await?;
    stream.write_all(format!("GET /w HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    ensure!(page.starts_with("HTTP/1.1 200 "), "{page}");
    ensure!(page.contains("strict-transport-security: max-age="), "{page}");

    let key = server.key(1).await?;
    let stream = connect(server.address(), trusted).await?;
    let address = format!("wss://{NAME}/ws/spaces/default/");
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream).await?;
    let init = json!({"type": "init", "public_key": key.public_key, "secret_key": key.secret_key});
    socket.send(Message::text(init.to_string())).await?;
    let frame = socket.next().await.context("an answer")??.into_text()?;
    ensure!(serde_json::from_str::<Value>(&frame)?["join"].is_string(), "{frame}");

    let plain = ask_at(server.address(), "GET", NAME, "/w", &[], b"").await?;
    ensure!(plain.status == 400 && plain.text().contains("https://"), "{}", plain.text());
    let redirect = server.running()?.others().redirect.context("an address for plain HTTP")?;
    let answer = ask_at(redirect, "GET", "evil.example", "/w?theme=dark", &[], b"").await?;
    ensure!(answer.status == 308, "{}", answer.head);
    ensure!(answer.field("location") == Some("https://ide.example.com/w?theme=dark"), "{}", answer.head);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_used_keeps_the_server_from_starting_and_says_why() -> Result<()> {
    let folder = tempfile::tempdir()?;
    certificate(folder.path())?;
    let other = tempfile::tempdir()?;
    certificate(other.path())?;
    let refused = async |change: &dyn Fn(&mut Config)| {
        let config = |config: &mut Config| {
            secured(config, folder.path());
            change(config);
        };
        let error = TestServer::with(config).await.map(drop).err().context("a server that starts")?;
        Ok::<_, anyhow::Error>(format!("{error:#}"))
    };
    let key = other.path().join("key.pem");
    for (change, said) in [
        (&(|config: &mut Config| config.tls.key = None) as &dyn Fn(&mut Config), "go together"),
        (&|config: &mut Config| config.public_url = None, "public_url"),
        (&|config: &mut Config| config.public_url = Some("http://ide.example.com".to_owned()), "public_url"),
        (&|config: &mut Config| config.tls.key = Some(key.clone()), "is not that of the certificate"),
        (&|config: &mut Config| config.tls.key = Some("/nowhere/key.pem".into()), "/nowhere/key.pem"),
        (&|config: &mut Config| config.tls.key = config.tls.certificate.clone(), "holds no private key"),
        (&|config: &mut Config| config.tls.certificate = config.tls.key.clone(), "holds no certificate"),
    ] {
        let error = refused(change).await?;
        ensure!(error.contains(said), "{said:?} is not in {error:?}");
    }
    Ok(())
}
