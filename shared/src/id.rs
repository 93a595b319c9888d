//! Names of things that live: rooms, members, terminals, documents. Each is a type of its own, so that one can
//! never be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Bytes of randomness in a room's id (80 bits; it is a name, not a credential).
pub const ROOM_ID_BYTES: usize = 10;

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A room: a workspace, its sandbox and the people in it. Written as 16 characters of lower-case base32
/// (RFC 4648 without padding), so that it fits a DNS label and a file name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub [u8; ROOM_ID_BYTES]);

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = 0u16;
        let mut bits = 0;
        for &byte in &self.0 {
            buffer = (buffer << 8) | u16::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                let index = usize::from((buffer >> bits) & 31);
                write!(f, "{}", BASE32[index] as char)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomId({self})")
    }
}

/// The text is not a room's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a room id")]
pub struct BadRoomId;

impl FromStr for RoomId {
    type Err = BadRoomId;

    fn from_str(text: &str) -> Result<Self, BadRoomId> {
        if text.len() != ROOM_ID_BYTES * 8 / 5 {
            return Err(BadRoomId);
        }
        let mut id = [0; ROOM_ID_BYTES];
        let mut buffer = 0u16;
        let mut bits = 0;
        let mut at = 0;
        for byte in text.bytes() {
            let value = BASE32.iter().position(|&c| c == byte).ok_or(BadRoomId)?;
            buffer = (buffer << 5) | value as u16;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                id[at] = (buffer >> bits) as u8;
                at += 1;
            }
        }
        Ok(Self(id))
    }
}

impl Serialize for RoomId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! number_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

number_ids! {
    /// A connection that joined a room, numbered within the room.
    MemberId;
    /// A pseudo-terminal in a sandbox with its log: a terminal, a run, or a plain client's shell.
    /// Chosen by the server, never used twice in the life of a sandbox.
    SessionId;
    /// A document open on one connection, numbered within the room.
    DocumentId;
    /// A byte stream between server and sandbox (a dialled port), numbered within one agent link.
    StreamId;
    /// An upload on one connection, numbered by its client.
    UploadId;
    /// A request on one agent link; its reply carries the same number.
    RequestId;
    /// A search of a sandbox's files, numbered within one agent link.
    SearchId;
}

/// What a client calls an upload, so that it can go on with it later: 16 to 64 letters, digits, `-` and `_`, chosen at
/// random. Whoever knows it can go on with the upload, too.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UploadKey(String);

/// The text can't name an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key of an upload has 16 to 64 letters, digits, '-' and '_'")]
pub struct BadUploadKey;

impl UploadKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UploadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadKey(…)")
    }
}

impl TryFrom<String> for UploadKey {
    type Error = BadUploadKey;

    fn try_from(text: String) -> Result<Self, BadUploadKey> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if is_plain && (16..=64).contains(&text.len()) { Ok(Self(text)) } else { Err(BadUploadKey) }
    }
}

impl From<UploadKey> for String {
    fn from(key: UploadKey) -> Self {
        key.0
    }
}

/// What a role may do is the server's policy table; here is only their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Watches everything, changes nothing.
    Viewer,
    /// Works in the room.
    Editor,
    /// Also ends the room and mints keys of any role.
    Owner,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_id_survives_its_text() {
        let id = RoomId([0, 1, 2, 3, 4, 250, 251, 252, 253, 255]);
        assert_eq!(id.to_string().len(), 16);
        assert_eq!(id.to_string().parse::<RoomId>(), Ok(id));
    }

    #[test]
    fn a_key_of_an_upload_can_not_name_another_file() {
        let key = |text: &str| UploadKey::try_from(text.to_owned());
        assert!(key("0123456789abcdef-_").is_ok());
        for bad in ["", "short", "../../../../../../etc", "0123456789abcde.", "0123456789abcdé", &"x".repeat(65)] {
            assert_eq!(key(bad), Err(BadUploadKey), "{bad}");
        }
    }

    #[test]
    fn text_that_is_no_room_id_is_refused() {
        for text in ["", "a", "AAAAAAAAAAAAAAAA", "aaaaaaaaaaaaaaa1", "aaaaaaaaaaaaaaaaa", "ääääääää"] {
            assert_eq!(text.parse::<RoomId>(), Err(BadRoomId), "{text}");
        }
    }
}
