//! The server's secret: 32 random bytes in a file that only the server reads. Everything else that is secret is
//! derived from it, each for one purpose.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::LedgerError;

const LENGTH: usize = 32;
/// Readable by the server alone.
const MODE: u32 = 0o600;

pub(super) struct ServerSecret([u8; LENGTH]);

impl std::fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSecret(…)")
    }
}

impl ServerSecret {
    /// Reads the secret, or makes it. Two processes that make it at once end with the same one.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |source| LedgerError::Secret { path: path.display().to_string(), source };
        match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path).map_err(failed)?;
                read(path).map_err(failed)
            }
            other => other.map_err(failed),
        }
    }

    /// A secret for one purpose, bound to `parts`.
    pub(super) fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256>>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        for part in parts {
            // Lengths keep neighbouring parts apart.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn read(path: &Path) -> io::Result<ServerSecret> {
    let mut file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    let mut secret = [0; LENGTH];
    file.read_exact(&mut secret)?;
    Ok(ServerSecret(secret))
}

/// Writes a new secret beside the path and links it there, so that it is whole or not there at all.
fn make(path: &Path) -> io::Result<()> {
    let mut secret = [0; LENGTH];
    getrandom::fill(&mut secret).map_err(|error| io::Error::other(error.to_string()))?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&beside)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => {
            let folder = path.parent().unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        }
    }
}
