//! What a host says of a room when it opens it: how long it stays, and what is written on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};

use super::Registry;
use crate::ledger::{failed, now};
use crate::room::Room;

/// Members of a room's metadata, and bytes of their names and values together.
pub const MAX_METADATA: usize = 32;
const MAX_METADATA_BYTES: usize = 4096;

/// As it was asked for.
#[derive(Debug, Clone, Default)]
pub struct Stay {
    /// Seconds from now after which the room ends, used or not.
    pub timeout: Option<u64>,
    pub metadata: BTreeMap<String, String>,
}

/// As it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Milliseconds since 1970.
    pub ends_at: Option<i64>,
    /// JSON.
    pub metadata: String,
}

impl Stay {
    /// `bad_request` for a time that is longer than rooms live, and `too_large` for metadata beyond its bounds.
    pub fn checked(&self, lifetime: Duration) -> Result<Checked, Failure> {
        let bytes: usize = self.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
        if self.metadata.len() > MAX_METADATA || bytes > MAX_METADATA_BYTES {
            let message = format!("metadata has {MAX_METADATA} members and {MAX_METADATA_BYTES} bytes at most");
            return Err(Failure::new(ErrorCode::TooLarge, message));
        }
        let metadata = serde_json::to_string(&self.metadata).expect("texts always serialise");
        Ok(Checked { ends_at: ends_at(self.timeout, lifetime)?, metadata })
    }

    /// What makes the same request again the same.
    pub fn fingerprint(&self) -> String {
        let metadata = serde_json::to_string(&self.metadata).expect("texts always serialise");
        match (self.timeout, self.metadata.is_empty()) {
            (None, true) => String::new(),
            (timeout, _) => format!("&timeout={}&metadata={metadata}", timeout.unwrap_or_default()),
        }
    }
}

/// When a room ends that ends so many seconds from now.
fn ends_at(timeout: Option<u64>, lifetime: Duration) -> Result<Option<i64>, Failure> {
    let Some(seconds) = timeout else { return Ok(None) };
    if seconds == 0 || seconds > lifetime.as_secs() {
        let message = format!("a room's timeout is 1 to {} seconds", lifetime.as_secs());
        return Err(Failure::new(ErrorCode::BadRequest, message));
    }
    Ok(Some(now().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))))
}

impl Registry {
    /// Sets anew when a room ends: so many seconds from now, or when it was not used for long. Returns when, in
    /// milliseconds since 1970.
    pub async fn set_timeout(&self, room: &Arc<Room>, timeout: Option<u64>) -> Result<Option<i64>, Failure> {
        let ends_at = ends_at(timeout, self.config.rooms.lifetime)?;
        self.ledger.set_end(room.id, ends_at).await.map_err(failed)?;
        room.ends_at.store(ends_at.unwrap_or(i64::MAX), Ordering::Relaxed);
        Ok(ends_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn stay(timeout: Option<u64>, metadata: &[(&str, &str)]) -> Stay {
        let metadata = metadata.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Stay { timeout, metadata }
    }

    #[test]
    fn what_is_asked_for_is_bounded() {
        let code = |stay: Stay| stay.checked(DAY).unwrap_err().code;
        assert_eq!(code(stay(Some(0), &[])), ErrorCode::BadRequest);
        assert_eq!(code(stay(Some(86_401), &[])), ErrorCode::BadRequest);
        assert_eq!(code(stay(None, &[("a", &"x".repeat(MAX_METADATA_BYTES))])), ErrorCode::TooLarge);
        let many: BTreeMap<String, String> = (0..=MAX_METADATA).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(code(Stay { timeout: None, metadata: many }), ErrorCode::TooLarge);
        let checked = stay(Some(60), &[("b", "2"), ("a", "\"")]).checked(DAY).unwrap();
        assert_eq!(checked.metadata, r#"{"a":"\"","b":"2"}"#);
        assert!(checked.ends_at.is_some_and(|at| (at - now() - 60_000).abs() < 5_000));
        assert_eq!(stay(None, &[]).checked(DAY).unwrap(), Checked { ends_at: None, metadata: "{}".to_owned() });
    }

    #[test]
    fn the_same_is_the_same_and_nothing_said_is_as_before() {
        assert_eq!(stay(None, &[]).fingerprint(), "");
        assert_ne!(stay(Some(5), &[]).fingerprint(), stay(Some(6), &[]).fingerprint());
        assert_ne!(stay(None, &[("a", "b")]).fingerprint(), stay(None, &[("a", "c")]).fingerprint());
    }
}
