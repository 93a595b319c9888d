//! Join keys: derived from room, number and role under the server's secret, so that the database holds none and a
//! retry can return the same one.
//!
//! The text is `jk_` and URL-safe base64 of room (10 bytes), number (`u32` little endian), role (one byte) and the
//! first 20 bytes of an HMAC-SHA-256 over them: 160 bits that can't be guessed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedenv_shared::id::{ROOM_ID_BYTES, Role, RoomId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::secret::ServerSecret;
use super::{Ledger, LedgerError, now};

/// The key of the editor role that `init` answers with.
pub const EDITOR_KEY: u32 = 0;
/// The key of the owner role that a full client's `init` answers with.
pub const OWNER_KEY: u32 = 1;

/// Keys of a room by which somebody may come.
const MAX_LIVING: i64 = 256;
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

/// A key to be made, and what it is good for.
#[derive(Debug, Clone)]
pub struct NewJoinKey {
    pub role: Role,
    /// For how long somebody may come by it; without it, as long as the room is there.
    pub lasts: Option<Duration>,
    /// How many may come by it.
    pub uses: Option<u32>,
    /// For how many minutes those who come by it may be in the room, counted for each of them.
    pub minutes_most: Option<u32>,
    /// The name of who made it.
    pub created_by: Option<String>,
}

impl NewJoinKey {
    /// One that is good as long as its room.
    pub fn of(role: Role) -> Self {
        Self { role, lasts: None, uses: None, minutes_most: None, created_by: None }
    }
}

/// A key as the ledger has it. Its text is [`JoinKeys::mint`]'s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinKeyRow {
    pub number: u32,
    pub role: Role,
    /// Milliseconds since 1970, as all times here.
    pub created: i64,
    pub created_by: Option<String>,
    pub expires: Option<i64>,
    pub uses: Option<u32>,
    /// How many have come by it.
    pub used: u32,
    pub minutes_most: Option<u32>,
    /// Minutes for which those who came by it were in the room.
    pub minutes: u64,
    pub revoked: Option<i64>,
}

impl JoinKeyRow {
    /// Whether somebody may still come by it.
    pub fn is_good(&self) -> bool {
        let is_over = self.expires.is_some_and(|expires| expires <= now());
        let has_minutes = self.minutes_most.is_none_or(|most| self.minutes < u64::from(most));
        self.revoked.is_none() && !is_over && has_minutes && self.uses.is_none_or(|uses| self.used < uses)
    }
}

fn read(row: &AnyRow) -> Result<JoinKeyRow, LedgerError> {
    let number = |value: i64| u32::try_from(value).map_err(|_| LedgerError::Unreadable("a join key's number"));
    let role: String = row.try_get("role")?;
    let role = match role.as_str() {
        "viewer" => Role::Viewer,
        "editor" => Role::Editor,
        "owner" => Role::Owner,
        _ => return Err(LedgerError::Unreadable("a join key's role")),
    };
    let uses: Option<i64> = row.try_get("uses")?;
    let minutes_most: Option<i64> = row.try_get("minutes_most")?;
    Ok(JoinKeyRow {
        number: number(row.try_get("number")?)?,
        role,
        created: row.try_get("created")?,
        created_by: row.try_get("created_by")?,
        expires: row.try_get("expires")?,
        uses: uses.map(number).transpose()?,
        used: number(row.try_get("used")?)?,
        minutes_most: minutes_most.map(number).transpose()?,
        minutes: row.try_get::<i64, _>("minutes")?.unsigned_abs(),
        revoked: row.try_get("revoked")?,
    })
}

impl Ledger {
    /// A further key of a room.
    pub async fn mint_join_key(&self, room: RoomId, new: NewJoinKey) -> Result<JoinKeyRow, LedgerError> {
        let id = room.to_string();
        let created = now();
        let lasts = new.lasts.map(|lasts| i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX));
        let expires = lasts.map(|lasts| created.saturating_add(lasts));
        let mut transaction = self.store.writer.begin().await?;
        // Who makes keys of one room does so one after the other: each has the next number.
        sqlx::query("UPDATE rooms SET epoch = epoch WHERE room = $1").bind(&id).execute(&mut *transaction).await?;
        let living: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM join_keys WHERE room = $1 AND revoked IS NULL \
             AND (expires IS NULL OR expires > $2) AND (uses IS NULL OR used < uses) \
             AND (minutes_most IS NULL OR minutes < minutes_most)",
        )
        .bind(&id)
        .bind(created)
        .fetch_one(&mut *transaction)
        .await?;
        if living >= MAX_LIVING {
            return Err(LedgerError::TooManyJoinKeys);
        }
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM join_keys WHERE room = $1")
            .bind(&id)
            .fetch_one(&mut *transaction)
            .await?;
        let number = u32::try_from(last.unwrap_or(-1) + 1).map_err(|_| LedgerError::Unreadable("a key's number"))?;
        let NewJoinKey { role, uses, minutes_most, created_by, .. } = new;
        sqlx::query(
            "INSERT INTO join_keys (room, number, role, created, created_by, expires, uses, minutes_most) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&id)
        .bind(i64::from(number))
        .bind(stored_role(role))
        .bind(created)
        .bind(&created_by)
        .bind(expires)
        .bind(uses.map(i64::from))
        .bind(minutes_most.map(i64::from))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let (used, minutes, revoked) = (0, 0, None);
        Ok(JoinKeyRow { number, role, created, created_by, expires, uses, used, minutes_most, minutes, revoked })
    }

    /// What a key grants to who is in by it already. Forged, revoked and of a room that has ended all look the same.
    pub async fn check_join_key(&self, text: &str) -> Result<Claim, LedgerError> {
        let claim = self.join_keys.verify(text).ok_or(LedgerError::UnknownJoinKey)?;
        let row = sqlx::query(
            "SELECT 1 FROM join_keys JOIN rooms ON rooms.room = join_keys.room \
             WHERE join_keys.room = $1 AND number = $2 AND revoked IS NULL AND ended IS NULL \
             AND (minutes_most IS NULL OR join_keys.minutes < minutes_most)",
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

    /// Somebody comes by a key: takes one of its uses. Expired and used up look as if there were no such key.
    pub async fn use_join_key(&self, room: RoomId, number: u32) -> Result<(), LedgerError> {
        if [EDITOR_KEY, OWNER_KEY].contains(&number) {
            // Good as long as the room, and counted for nobody.
            return Ok(());
        }
        let taken = sqlx::query(
            "UPDATE join_keys SET used = used + 1 WHERE room = $1 AND number = $2 AND revoked IS NULL \
             AND (expires IS NULL OR expires > $3) AND (uses IS NULL OR used < uses) \
             AND (minutes_most IS NULL OR minutes < minutes_most)",
        )
        .bind(room.to_string())
        .bind(i64::from(number))
        .bind(now())
        .execute(&self.store.writer)
        .await?;
        if taken.rows_affected() == 1 { Ok(()) } else { Err(LedgerError::UnknownJoinKey) }
    }

    /// Counts minutes for which people who came by a key were in the room. Returns whether there are no more for it.
    pub async fn count_join_key(&self, room: RoomId, number: u32, minutes: u64) -> Result<bool, LedgerError> {
        let minutes = i64::try_from(minutes).map_err(|_| LedgerError::Unreadable("a number of minutes"))?;
        let counted = sqlx::query(
            "UPDATE join_keys SET minutes = minutes + $1 WHERE room = $2 AND number = $3 RETURNING minutes, minutes_most",
        )
        .bind(minutes)
        .bind(room.to_string())
        .bind(i64::from(number))
        .fetch_optional(&self.store.writer)
        .await?;
        let Some(counted) = counted else { return Ok(false) };
        let (minutes, most): (i64, Option<i64>) = (counted.try_get(0)?, counted.try_get(1)?);
        Ok(most.is_some_and(|most| minutes >= most))
    }

    /// All keys of a room that were made for links, in order.
    pub async fn join_keys_of(&self, room: RoomId) -> Result<Vec<JoinKeyRow>, LedgerError> {
        let rows = sqlx::query(
            "SELECT number, role, created, created_by, expires, uses, used, minutes_most, minutes, revoked FROM join_keys \
             WHERE room = $1 AND number > $2 ORDER BY number",
        )
        .bind(room.to_string())
        .bind(i64::from(OWNER_KEY))
        .fetch_all(&self.store.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    pub async fn revoke_join_key(&self, room: RoomId, number: u32) -> Result<(), LedgerError> {
        sqlx::query("UPDATE join_keys SET revoked = COALESCE(revoked, $1) WHERE room = $2 AND number = $3")
            .bind(now())
            .bind(room.to_string())
            .bind(i64::from(number))
            .execute(&self.store.writer)
            .await?;
        Ok(())
    }
}
