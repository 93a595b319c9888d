//! Links to a room: made within bounds, listed with who is there by them, revoked, and their minutes counted.

use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::{CloseCode, ErrorCode, Failure};
use embedenv_shared::frame::JoinKey;
use embedenv_shared::id::Role;

use super::Registry;
use crate::ledger::{JoinKeyRow, NewJoinKey, failed};
use crate::room::Room;

/// The longest time for which a link may be good, in seconds: ten years.
const MAX_TTL: u64 = 10 * 366 * 24 * 3600;
/// The most that may come by one link which counts them.
const MAX_USES: u32 = 10_000;
/// The most minutes of a link which counts those: some two years of one person.
const MAX_MINUTES: u32 = 1_000_000;

/// A join key as somebody wants it.
#[derive(Debug, Clone, Copy)]
pub struct KeyWanted {
    pub role: Role,
    /// For how many seconds somebody may come by it; as long as the room is there without it.
    pub ttl: Option<u64>,
    /// How many may come by it.
    pub uses: Option<u32>,
    /// For how many minutes those who come by it may be in the room, counted for each of them.
    pub minutes: Option<u32>,
}

impl Registry {
    /// Another join key of a room. `by` is the name of who makes it.
    pub async fn mint(&self, room: &Room, by: Option<&str>, wanted: KeyWanted) -> Result<JoinKey, Failure> {
        let KeyWanted { role, ttl, uses, minutes } = wanted;
        let bad = |message: String| Err(Failure::new(ErrorCode::BadRequest, message));
        if ttl.is_some_and(|ttl| !(1..=MAX_TTL).contains(&ttl)) {
            return bad(format!("ttl must be a whole number of seconds from 1 to {MAX_TTL}"));
        }
        if uses.is_some_and(|uses| !(1..=MAX_USES).contains(&uses)) {
            return bad(format!("uses must be a whole number from 1 to {MAX_USES}"));
        }
        if minutes.is_some_and(|minutes| !(1..=MAX_MINUTES).contains(&minutes)) {
            return bad(format!("minutes must be a whole number from 1 to {MAX_MINUTES}"));
        }
        let lasts = ttl.map(Duration::from_secs);
        let new = NewJoinKey { role, lasts, uses, minutes_most: minutes, created_by: by.map(str::to_owned) };
        let row = self.ledger.mint_join_key(room.id, new).await.map_err(failed)?;
        Ok(self.describe(room, row))
    }

    /// The join keys that were made in a room, of roles up to `role`: those by which somebody may still come, and those
    /// by which somebody here came.
    pub async fn keys(&self, room: &Room, role: Role) -> Result<Vec<JoinKey>, Failure> {
        let rows = self.ledger.join_keys_of(room.id).await.map_err(failed)?;
        let keys = rows.into_iter().filter(|row| row.role <= role).map(|row| self.describe(room, row));
        Ok(keys.filter(|key| !key.over || !key.people.is_empty()).collect())
    }

    fn describe(&self, room: &Room, row: JoinKeyRow) -> JoinKey {
        let people = room.members.all().into_iter().filter(|member| member.key == row.number);
        let people: Vec<_> = people.map(|member| member.who).collect();
        JoinKey {
            number: row.number,
            join: self.ledger.join_keys().mint(room.id, row.number, row.role),
            role: row.role,
            created: row.created.unsigned_abs(),
            expires: row.expires.map(i64::unsigned_abs),
            uses: row.uses,
            used: row.used,
            minutes: row.minutes_most,
            spent: row.minutes,
            over: !row.is_good(),
            before: room.identities.before(row.number, &people),
            people,
            created_by: row.created_by,
        }
    }

    /// Revokes a join key of a room and sends away who came with it.
    pub async fn revoke(
        &self,
        room: &Arc<Room>,
        key: Option<&str>,
        number: Option<u32>,
        by: Role,
    ) -> Result<(), Failure> {
        let unknown = || Failure::new(ErrorCode::UnknownJoinKey, "the join key is unknown or has expired");
        let (number, role) = match (key, number) {
            (Some(key), None) => {
                let claim = self.ledger.check_join_key(key).await.map_err(failed)?;
                (claim.number, if claim.room == room.id { claim.role } else { return Err(unknown()) })
            }
            (None, Some(number)) => {
                let rows = self.ledger.join_keys_of(room.id).await.map_err(failed)?;
                let row = rows.iter().find(|row| row.number == number).ok_or_else(unknown)?;
                (number, row.role)
            }
            _ => return Err(Failure::new(ErrorCode::BadRequest, "a key is named by join or by number")),
        };
        if role > by {
            return Err(Failure::new(ErrorCode::Forbidden, "your role may not revoke a key of that role"));
        }
        self.ledger.revoke_join_key(room.id, number).await.map_err(failed)?;
        send_away(room, number, "the join key was revoked");
        Ok(())
    }

    /// Counts that so much time has passed for everybody who came to a room by a link, and sends away those whose link has
    /// no minutes left.
    pub(super) async fn count_keys(&self, room: &Arc<Room>, passed: Duration) {
        for (number, minutes) in room.attendance.passed(room.members.keys(), passed) {
            match self.ledger.count_join_key(room.id, number, minutes).await {
                Ok(false) => {}
                Ok(true) => send_away(room, number, "the minutes of the join key are used up"),
                Err(error) => {
                    tracing::warn!(room = %room.id, error = %crate::telemetry::chain(&error), "minutes of a join key could not be counted");
                    room.attendance.owe(number, minutes);
                }
            }
        }
    }

    /// Somebody new has come by a key: takes one of its uses.
    pub async fn came_by(&self, room: &Room, number: u32) -> Result<(), Failure> {
        self.ledger.use_join_key(room.id, number).await.map_err(failed)
    }
}

/// Who came by a key is here no more, nor comes back.
fn send_away(room: &Arc<Room>, number: u32, why: &str) {
    room.identities.revoke(number);
    room.previews.revoke_key(number);
    room.members.cut_off(Some(number), CloseCode::UnknownJoinKey, why);
    room.tell_people();
}
