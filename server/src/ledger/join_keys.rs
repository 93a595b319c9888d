//! Join keys: derived from room, number and role under the server's secret, so that the database holds none and a
//! retry can return the same one.
//!
//! The text is `jk_` and URL-safe base64 of room (10 bytes), number (`u32` little endian), role (one byte) and the
//! first 20 bytes of an HMAC-SHA-256 over them: 160 bits that can't be guessed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedenv_shared::id::{ROOM_ID_BYTES, Role, RoomId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::Row as _;

use super::secret::ServerSecret;
use super::{Ledger, LedgerError, now};

/// The key of the editor role that `init` answers with.
pub const EDITOR_KEY: u32 = 0;
/// The key of the owner role that a full client's `init` answers with.
pub const OWNER_KEY: u32 = 1;

const PREFIX: &str = "jk_";
const CLAIM: usize = ROOM_ID_BYTES + 4 + 1;
const PROOF: usize = 20;

/// Makes and checks join keys.
pub struct JoinKeys {
    secret: [u8; 32],
}

impl std::fmt::Debug for JoinKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinKeys(…)")
    }
}

/// What a genuine join key says. Whether it is still good, the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub room: RoomId,
    pub number: u32,
    pub role: Role,
}

impl JoinKeys {
    pub(super) fn new(secret: &ServerSecret) -> Self {
        Self { secret: secret.derive("join keys", &[]) }
    }

    pub fn mint(&self, room: RoomId, number: u32, role: Role) -> String {
        let claim = encode(Claim { room, number, role });
        let proof = self.mac(&claim).finalize().into_bytes();
        let mut bytes = claim.to_vec();
        bytes.extend_from_slice(&proof[..PROOF]);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a key says, if this server made it. Takes the same time for every wrong proof.
    pub fn verify(&self, text: &str) -> Option<Claim> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (claim, proof) = bytes.split_first_chunk::<CLAIM>()?;
        if proof.len() != PROOF {
            return None;
        }
        self.mac(claim).verify_truncated_left(proof).ok()?;
        decode(claim)
    }

    fn mac(&self, claim: &[u8]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256>>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(claim);
        mac
    }
}

fn encode(claim: Claim) -> [u8; CLAIM] {
    let role = match claim.role {
        Role::Viewer => 0,
        Role::Editor => 1,
        Role::Owner => 2,
    };
    let mut bytes = [0; CLAIM];
    bytes[..ROOM_ID_BYTES].copy_from_slice(&claim.room.0);
    bytes[ROOM_ID_BYTES..CLAIM - 1].copy_from_slice(&claim.number.to_le_bytes());
    bytes[CLAIM - 1] = role;
    bytes
}

fn decode(bytes: &[u8; CLAIM]) -> Option<Claim> {
    let (room, rest) = bytes.split_first_chunk::<ROOM_ID_BYTES>()?;
    let (number, rest) = rest.split_first_chunk::<4>()?;
    let role = match rest {
        [0] => Role::Viewer,
        [1] => Role::Editor,
        [2] => Role::Owner,
        _ => return None,
    };
    Some(Claim { room: RoomId(*room), number: u32::from_le_bytes(*number), role })
}

/// A role as it stands in the database.
pub(super) fn stored_role(role: Role) -> String {
    format!("{role:?}").to_lowercase()
}

impl Ledger {
    /// A further key of a room.
    pub async fn mint_join_key(&self, room: RoomId, role: Role) -> Result<String, LedgerError> {
        let id = room.to_string();
        let mut transaction = self.store.writer.begin().await?;
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM join_keys WHERE room = ?")
            .bind(&id)
            .fetch_one(&mut *transaction)
            .await?;
        let number = u32::try_from(last.unwrap_or(-1) + 1).map_err(|_| LedgerError::Unreadable("a key's number"))?;
        sqlx::query("INSERT INTO join_keys (room, number, role, created) VALUES (?, ?, ?, ?)")
            .bind(&id)
            .bind(number)
            .bind(stored_role(role))
            .bind(now())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(self.join_keys.mint(room, number, role))
    }

    /// What a key grants. Forged, revoked and of a room that has ended all look the same.
    pub async fn check_join_key(&self, text: &str) -> Result<Claim, LedgerError> {
        let claim = self.join_keys.verify(text).ok_or(LedgerError::UnknownJoinKey)?;
        let row = sqlx::query(
            "SELECT 1 FROM join_keys JOIN rooms ON rooms.room = join_keys.room \
             WHERE join_keys.room = ? AND number = ? AND revoked IS NULL AND ended IS NULL",
        )
        .bind(claim.room.to_string())
        .bind(i64::from(claim.number))
        .fetch_optional(&self.store.readers)
        .await?;
        match row {
            Some(row) => {
                let _: i64 = row.try_get(0)?;
                Ok(claim)
            }
            None => Err(LedgerError::UnknownJoinKey),
        }
    }

    pub async fn revoke_join_key(&self, room: RoomId, number: u32) -> Result<(), LedgerError> {
        sqlx::query("UPDATE join_keys SET revoked = COALESCE(revoked, ?) WHERE room = ? AND number = ?")
            .bind(now())
            .bind(room.to_string())
            .bind(i64::from(number))
            .execute(&self.store.writer)
            .await?;
        Ok(())
    }
}
