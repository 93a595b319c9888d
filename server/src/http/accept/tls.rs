//! TLS in front of a listener: a certificate and its key from files, which are read again when they have changed.
//!
//! Never changes a certificate that works for one that does not: what can't be used is told in the log once, and the old
//! one stays.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, InconsistentKeys, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::tasks::Tasks;

/// What the first byte of a connection is that begins with a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 0x16;
/// How often it is looked whether the files have changed.
const RENEWED: Duration = Duration::from_secs(30);
/// The one protocol that is spoken here (RFC 7301).
const HTTP_1_1: &[u8] = b"http/1.1";

/// Where a certificate and its key are, both in PEM; the chain follows the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum BadTls {
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} holds no {what} in PEM")]
    Pem {
        path: PathBuf,
        what: &'static str,
        #[source]
        source: pem::Error,
    },
    #[error("{path} holds no certificate")]
    NoCertificate { path: PathBuf },
    #[error("the key in {key} is not that of the certificate in {certificate}, or of a kind that is not known here")]
    Key {
        certificate: PathBuf,
        key: PathBuf,
        #[source]
        source: rustls::Error,
    },
    #[error("TLS could not be set up")]
    Setup(#[source] rustls::Error),
}

/// Takes connections by TLS with the newest certificate there is.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    newest: Arc<Newest>,
}

impl Tls {
    /// Reads the files. They are looked at again and again until the server goes down.
    pub async fn start(files: TlsFiles, tasks: &Tasks) -> Result<Self, BadTls> {
        let tls = Self::read(files).await?;
        let (newest, closing) = (tls.newest.clone(), tasks.clone());
        tasks.spawn("certificate", async move {
            let mut renewed = interval(RENEWED);
            renewed.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = renewed.tick() => newest.look().await,
                    () = closing.closing() => return,
                }
            }
        });
        Ok(tls)
    }

    async fn read(files: TlsFiles) -> Result<Self, BadTls> {
        let provider = Arc::new(ring::default_provider());
        let changed = files.changed().await;
        let key = files.read(&provider).await?;
        let held = RwLock::new(Held { key, changed });
        let newest = Arc::new(Newest { files, provider: provider.clone(), held });
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = versions.map_err(BadTls::Setup)?.with_no_client_auth().with_cert_resolver(newest.clone());
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), newest })
    }

    /// Whether a connection that begins with this byte speaks TLS at all.
    pub(super) fn is_begun_by(byte: u8) -> bool {
        byte == HANDSHAKE
    }

    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("newest", &self.newest).finish_non_exhaustive()
    }
}

/// When each file was changed last; none if that can't be told.
type Changed = [Option<SystemTime>; 2];

impl TlsFiles {
    async fn changed(&self) -> Changed {
        let of = async |path| tokio::fs::metadata(path).await.and_then(|file| file.modified()).ok();
        [of(&self.certificate).await, of(&self.key).await]
    }

    async fn read(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, BadTls> {
        let read = async |path: &PathBuf| {
            tokio::fs::read(path).await.map_err(|source| BadTls::Read { path: path.clone(), source })
        };
        let certificates = read(&self.certificate).await?;
        let chain = CertificateDer::pem_slice_iter(&certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| BadTls::Pem { path: self.certificate.clone(), what: "certificate", source })?;
        if chain.is_empty() {
            return Err(BadTls::NoCertificate { path: self.certificate.clone() });
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key).await?).map_err(|source| BadTls::Pem {
            path: self.key.clone(),
            what: "private key",
            source,
        })?;
        let wrong = |source| BadTls::Key { certificate: self.certificate.clone(), key: self.key.clone(), source };
        let key = CertifiedKey::new(chain, provider.key_provider.load_private_key(key).map_err(wrong)?);
        match key.keys_match() {
            // A kind of key that does not tell its public half can't be compared; the handshake will show.
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Arc::new(key)),
            Err(source) => Err(wrong(source)),
        }
    }
}

/// What each handshake gets.
struct Newest {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    held: RwLock<Held>,
}

struct Held {
    key: Arc<CertifiedKey>,
    changed: Changed,
}

impl Newest {
    /// Takes the files anew if they have changed since they were looked at.
    async fn look(&self) {
        let changed = self.files.changed().await;
        if self.held.read().changed == changed {
            return;
        }
        // Whatever comes of it: what is wrong now is said once.
        self.held.write().changed = changed;
        match self.files.read(&self.provider).await {
            Ok(key) => {
                self.held.write().key = key;
                tracing::info!(certificate = %self.files.certificate.display(), "the certificate was read anew");
            }
            Err(error) => tracing::warn!(
                error = %crate::telemetry::chain(&error),
                "the certificate has changed and can't be used; the one before stays"
            ),
        }
    }
}

impl ResolvesServerCert for Newest {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.held.read().key.clone())
    }
}

/// Without what is in the files.
impl fmt::Debug for Newest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Newest").field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::CertifiedKey as Made;

    use super::*;

    /// A new certificate and its key.
    fn made() -> (Vec<u8>, String, String) {
        let Made { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.der().to_vec(), cert.pem(), signing_key.serialize_pem())
    }

    fn shown(tls: &Tls) -> Vec<u8> {
        tls.newest.held.read().key.cert[0].to_vec()
    }

    #[tokio::test]
    async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: folder.path().join("c.pem"), key: folder.path().join("k.pem") };
        // Files of one moment could be as old as each other.
        let mut age = 0;
        let mut put = |path: &PathBuf, text: &str| {
            std::fs::write(path, text).unwrap();
            age += 1;
            let time = SystemTime::now() - Duration::from_secs(1000 - age);
            std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        };
        let (first, certificate, key) = made();
        put(&files.certificate, &certificate);
        put(&files.key, &key);
        let tls = Tls::read(files.clone()).await.unwrap();
        assert_eq!(shown(&tls), first);

        // Half of it is new: its key does not fit yet.
        let (second, certificate, key) = made();
        put(&files.certificate, &certificate);
        tls.newest.look().await;
        assert_eq!(shown(&tls), first);
        put(&files.key, &key);
        tls.newest.look().await;
        assert_eq!(shown(&tls), second);

        put(&files.certificate, "nothing of the kind");
        tls.newest.look().await;
        assert_eq!(shown(&tls), second);
        std::fs::remove_file(&files.key).unwrap();
        tls.newest.look().await;
        assert_eq!(shown(&tls), second);
    }
}
