//! Document tokens: what lets an editor of any make open one document, for a short while, as the member that asked for
//! it. Nothing of one is kept: the server's secret proves it.
//!
//! The text is `dt_` and URL-safe base64 of the first 20 bytes of an HMAC-SHA-256 over pass, project and path, and of the
//! pass in postcard.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedenv_shared::id::{Role, RoomId};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::secret::ServerSecret;
use super::{Ledger, LedgerError, now};

/// How long a token opens its document. A connection that stands by then goes on.
const LIFE: Duration = Duration::from_secs(10 * 60);

const PREFIX: &str = "dt_";
const PROOF: usize = 20;
/// The longest text that is looked at.
const MAX_TEXT: usize = 1024;

/// What a token lets its bearer do, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentPass {
    pub room: RoomId,
    /// The number of the join key that its member came with.
    pub key: u32,
    pub role: Role,
    pub user: String,
    pub color: String,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    pass: DocumentPass,
    /// Milliseconds since 1970.
    expires: i64,
}

/// Makes and checks document tokens.
pub(super) struct DocumentTokens {
    secret: [u8; 32],
}

impl std::fmt::Debug for DocumentTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DocumentTokens(…)")
    }
}

impl DocumentTokens {
    pub(super) fn new(secret: &ServerSecret) -> Self {
        Self { secret: secret.derive("document tokens", &[]) }
    }

    fn mint(&self, signed: &Signed, project: &ProjectName, path: &WorkspacePath) -> String {
        let claim = postcard::to_stdvec(signed).expect("a pass always serialises");
        let mut bytes = self.mac(&claim, project, path).finalize().into_bytes()[..PROOF].to_vec();
        bytes.extend_from_slice(&claim);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    fn verify(&self, text: &str, project: &ProjectName, path: &WorkspacePath) -> Option<Signed> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (proof, claim) = bytes.split_at_checked(PROOF)?;
        self.mac(claim, project, path).verify_truncated_left(proof).ok()?;
        postcard::from_bytes(claim).ok()
    }

    fn mac(&self, claim: &[u8], project: &ProjectName, path: &WorkspacePath) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256>>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        for part in [claim, project.as_str().as_bytes(), path.as_str().as_bytes()] {
            // Lengths keep neighbouring parts apart.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac
    }
}

impl Ledger {
    /// A token for one document, and when it expires, in milliseconds since 1970.
    pub fn mint_document_token(
        &self,
        pass: DocumentPass,
        project: &ProjectName,
        path: &WorkspacePath,
    ) -> (String, i64) {
        let expires = now() + LIFE.as_millis() as i64;
        (self.document_tokens.mint(&Signed { pass, expires }, project, path), expires)
    }

    /// What a token grants. Forged, expired, for another document and of a key that was revoked all look the same.
    pub async fn check_document_token(
        &self,
        text: &str,
        project: &ProjectName,
        path: &WorkspacePath,
    ) -> Result<DocumentPass, LedgerError> {
        let signed = self.document_tokens.verify(text, project, path).filter(|signed| signed.expires > now());
        let Some(Signed { pass, .. }) = signed else { return Err(LedgerError::UnknownDocumentToken) };
        let key = self.join_keys.mint(pass.room, pass.key, pass.role);
        match self.check_join_key(&key).await {
            Ok(_) => Ok(pass),
            Err(LedgerError::UnknownJoinKey) => Err(LedgerError::UnknownDocumentToken),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_document_and_can_not_be_changed() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = DocumentTokens::new(&ServerSecret::open(&folder.path().join("secret")).unwrap());
        let (project, path) = (ProjectName::parse("p").unwrap(), WorkspacePath::parse("a/b").unwrap());
        let pass = DocumentPass {
            room: RoomId([7; 10]),
            key: 3,
            role: Role::Viewer,
            user: "Ada".to_owned(),
            color: "#059669".to_owned(),
        };
        let token = tokens.mint(&Signed { pass: pass.clone(), expires: 5 }, &project, &path);
        let signed = tokens.verify(&token, &project, &path).unwrap();
        assert_eq!((signed.pass, signed.expires), (pass, 5));
        let other = WorkspacePath::parse("a/c").unwrap();
        assert!(tokens.verify(&token, &project, &other).is_none());
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(tokens.verify(&String::from_utf8(changed).unwrap(), &project, &path).is_none(), "at {at}");
        }
        for junk in ["", "dt_", "dt_AAAA", &token[3..], &"x".repeat(5000)] {
            assert!(tokens.verify(junk, &project, &path).is_none());
        }
    }
}
