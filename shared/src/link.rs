//! Frames between the server and the agent in a sandbox: both ends of that link share these types.
//!
//! The link is one byte stream. A frame on it is a [`Header`] of 12 bytes and a payload:
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–3 | length of the payload, `u32` little endian |
//! | 4 | [`Kind`] |
//! | 5–7 | zero |
//! | 8–11 | channel, `u32` little endian: a session, a stream or a request, by the kind |
//!
//! Control payloads are [postcard](https://postcard.jamesmunns.com/wire-format); terminal and port bytes travel raw.
//! A request carries a number of the server's choosing; its reply carries the same number. What is said of a
//! session or a stream in one direction arrives in the order it was sent.
//!
//! The handshake, before anything else (each payload a [`Greeting`] in a [`Kind::Greeting`] frame):
//! server `Hello`, agent `Welcome` with its proof, server `Proof`, agent `Ready`. A proof is HMAC-SHA-256 under the
//! room's link secret over the speaker's label and both nonces ([`proof_input`]), so that neither end can be posed as.
//! A newer connection that has proved itself replaces the older one.
//!
//! An agent that is reached through pipes gets a [`Preamble`] ahead of all that, on its standard input.

pub mod files;
pub mod pipe;
pub mod ports;
pub mod search;
pub mod sessions;
pub mod transfer;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::code::Failure;
use crate::id::RequestId;

/// The version of this link. An agent of another version is ended and started anew; its files stay.
pub const LINK_VERSION: u32 = 8;
/// Length of a frame's header in bytes.
pub const HEADER: usize = 12;
/// The longest payload the server sends (a write of a whole client message and its path).
pub const MAX_TO_AGENT: usize = 24 * 1024 * 1024;
/// The longest payload an agent may send. The server ends a link that announces more: the agent is not trusted.
pub const MAX_FROM_AGENT: usize = 1024 * 1024 + 64 * 1024;
/// Length of the link's secret and of a nonce, in bytes.
pub const SECRET: usize = 32;
/// Bytes of a port stream that may be under way in one direction before the receiver grants more
/// ([`Kind::StreamCredit`]); a sender at zero waits.
pub const STREAM_WINDOW: u32 = 256 * 1024;
/// The most raw bytes in one output, input or stream frame.
pub const MAX_CHUNK: usize = 64 * 1024;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Handshake, both ways. Channel 0.
    Greeting = 1,
    /// Server to agent: a postcard [`Request`]. Channel: the request.
    Request = 2,
    /// Agent to server: a postcard `Result<Reply, Failure>`. Channel: the request.
    Reply = 3,
    /// Agent to server: a postcard [`Event`]. Channel 0.
    Event = 4,
    /// Server to agent: raw bytes typed into a session. Channel: the session.
    Input = 5,
    /// Agent to server: the offset of the first byte (`u64` little endian), then raw output. Channel: the session.
    Output = 6,
    /// Server to agent: the offset (`u64` little endian) up to which the fastest reader has read. Channel: the session.
    Progress = 7,
    /// Both ways: raw bytes of a stream, within the window. Channel: the stream.
    StreamData = 8,
    /// Both ways: no more bytes will come in this direction. Channel: the stream.
    StreamEnd = 9,
    /// Both ways: the receiver has room for this many more bytes (`u32` little endian). Channel: the stream.
    StreamCredit = 10,
    /// Both ways: the stream is gone, in both directions. Channel: the stream.
    StreamReset = 11,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        use Kind::*;
        [Greeting, Request, Reply, Event, Input, Output, Progress, StreamData, StreamEnd, StreamCredit, StreamReset]
            .into_iter()
            .find(|&kind| kind as u8 == byte)
    }
}

/// The first 12 bytes of every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub channel: u32,
    /// Length of the payload that follows, in bytes.
    pub length: u32,
}

/// A frame that can't be read. The link that carried it is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkFrameError {
    #[error("unknown kind of frame: {0}")]
    UnknownKind(u8),
    #[error("the reserved bytes of a frame's header are not zero")]
    Reserved,
    #[error("a frame of {0} bytes is longer than its limit")]
    TooLong(u32),
    #[error("the payload of a frame cannot be decoded")]
    Payload,
}

impl Header {
    pub fn new(kind: Kind, channel: u32, length: usize) -> Self {
        Self { kind, channel, length: u32::try_from(length).expect("a frame is shorter than 4 GiB") }
    }

    pub fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4] = self.kind as u8;
        bytes[8..].copy_from_slice(&self.channel.to_le_bytes());
        bytes
    }

    /// Reads a header; `limit` is the longest payload that the other end may send.
    pub fn decode(bytes: &[u8; HEADER], limit: usize) -> Result<Self, LinkFrameError> {
        let [l0, l1, l2, l3, kind, r0, r1, r2, c0, c1, c2, c3] = *bytes;
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        let kind = Kind::from_byte(kind).ok_or(LinkFrameError::UnknownKind(kind))?;
        if [r0, r1, r2] != [0; 3] {
            return Err(LinkFrameError::Reserved);
        }
        if length as usize > limit {
            return Err(LinkFrameError::TooLong(length));
        }
        Ok(Self { kind, channel: u32::from_le_bytes([c0, c1, c2, c3]), length })
    }
}

/// A whole frame of a control message.
pub fn encode<T: Serialize>(kind: Kind, channel: u32, message: &T) -> Vec<u8> {
    let mut frame = postcard::to_extend(message, vec![0; HEADER]).expect("control messages always serialise");
    let header = Header::new(kind, channel, frame.len() - HEADER).encode();
    frame[..HEADER].copy_from_slice(&header);
    frame
}

/// The control message in a payload; trailing bytes are an error.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, LinkFrameError> {
    match postcard::take_from_bytes(payload) {
        Ok((message, [])) => Ok(message),
        _ => Err(LinkFrameError::Payload),
    }
}

/// One step of the handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Greeting {
    /// Server: who are you? `descriptors` says that the agent's own can come with its frames: nothing stands between.
    Hello { version: u32, nonce: [u8; SECRET], descriptors: bool },
    /// Agent: I hold the secret.
    Welcome { version: u32, nonce: [u8; SECRET], proof: [u8; 32] },
    /// Server: so do I.
    Proof { proof: [u8; 32] },
    /// Agent: this is what I have.
    Ready { sessions: Vec<sessions::SessionState> },
}

/// What a proof is computed over: who speaks, then the server's nonce, then the agent's.
pub fn proof_input(speaker: Speaker, server: &[u8; SECRET], agent: &[u8; SECRET]) -> Vec<u8> {
    let label: &[u8] = match speaker {
        Speaker::Server => b"embedenv link server",
        Speaker::Agent => b"embedenv link agent",
    };
    [label, server, agent].concat()
}

/// What an agent that listens by name reads from its standard input, once, before the link's own bytes: the secret, the
/// number of filters (`u16` little endian), and for each its length in bytes (`u16` little endian) and itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Preamble {
    pub secret: [u8; SECRET],
    /// seccomp programs that the agent takes upon itself and all it starts, each instruction as the kernel lays it out.
    pub filters: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Preamble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Preamble(…, {} filters)", self.filters.len())
    }
}

/// More filters than any engine sends.
const MAX_FILTERS: u16 = 16;

impl Preamble {
    pub fn encode(&self) -> Vec<u8> {
        let length = |bytes: usize| u16::try_from(bytes).expect("filters are short and few").to_le_bytes();
        let mut bytes = self.secret.to_vec();
        bytes.extend(length(self.filters.len()));
        for filter in &self.filters {
            bytes.extend(length(filter.len()));
            bytes.extend(filter);
        }
        bytes
    }

    /// Reads no byte more than its own: what follows is the link's.
    pub fn read(from: &mut impl std::io::Read) -> std::io::Result<Self> {
        let mut secret = [0; SECRET];
        from.read_exact(&mut secret)?;
        let count = read_length(from)?;
        if count > MAX_FILTERS {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut filters = Vec::new();
        for _ in 0..count {
            let mut filter = vec![0; read_length(from)?.into()];
            from.read_exact(&mut filter)?;
            filters.push(filter);
        }
        Ok(Self { secret, filters })
    }
}

fn read_length(from: &mut impl std::io::Read) -> std::io::Result<u16> {
    let mut bytes = [0; 2];
    from.read_exact(&mut bytes)?;
    Ok(u16::from_le_bytes(bytes))
}

/// An end of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Server,
    Agent,
}

/// A request together with the reply it gets, so that a caller can't mistake one for another.
pub trait Call: Into<Request> {
    type Reply: TryFrom<Reply>;
}

macro_rules! calls {
    ($($(#[doc = $doc:literal])* $name:ident ( $request:ty ) -> $reply_name:ident ( $reply:ty );)*) => {
        /// What the server asks of an agent.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Request { $($(#[doc = $doc])* $name($request),)* }

        /// What an agent answers; each variant answers the request of the same line in [`Request`].
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Reply { $($reply_name($reply),)* }

        $(
            impl From<$request> for Request {
                fn from(request: $request) -> Self { Request::$name(request) }
            }

            impl TryFrom<Reply> for $reply {
                type Error = LinkFrameError;

                fn try_from(reply: Reply) -> Result<Self, LinkFrameError> {
                    match reply {
                        Reply::$reply_name(reply) => Ok(reply),
                        _ => Err(LinkFrameError::Payload),
                    }
                }
            }

            impl Call for $request { type Reply = $reply; }
        )*
    };
}

calls! {
    /// Is the agent alive and scheduled?
    Ping(Ping) -> Pong(Pong);
    /// Start a program on a new pseudo-terminal, or on pipes.
    Open(sessions::Open) -> Opened(sessions::Opened);
    /// Send a session's output from an offset on, and all that follows.
    Attach(sessions::Attach) -> Attached(sessions::Attached);
    /// Stop sending a session's output; its ring then overwrites.
    Detach(sessions::Detach) -> Detached(sessions::Detached);
    /// A stretch of a session's past output.
    Replay(sessions::Replay) -> Replayed(sessions::Replayed);
    Resize(sessions::Resize) -> Resized(sessions::Resized);
    /// Bytes for a process's standard input.
    Feed(sessions::Feed) -> Fed(sessions::Fed);
    /// What a session is called from now on.
    Title(sessions::Title) -> Titled(sessions::Titled);
    Signal(sessions::Signal) -> Signalled(sessions::Signalled);
    /// End a session and forget it.
    Close(sessions::Close) -> Closed(sessions::Closed);
    Projects(files::Projects) -> ProjectList(files::ProjectList);
    List(files::List) -> Listing(files::Listing);
    Unwatch(files::Unwatch) -> Unwatched(files::Unwatched);
    Stat(files::StatFile) -> Stated(files::Stated);
    Read(files::Read) -> Content(files::Content);
    Write(files::Write) -> Written(files::Written);
    Create(files::Create) -> Created(files::Created);
    Rename(files::Rename) -> Renamed(files::Renamed);
    Delete(files::Delete) -> Deleted(files::Deleted);
    Plant(files::Plant) -> Planted(files::Planted);
    Dial(ports::Dial) -> Dialled(ports::Dialled);
    /// Run a command without a terminal.
    Pipe(pipe::Pipe) -> Piped(pipe::Piped);
    Usage(Usage) -> Used(Used);
    /// Begin a search of a project's files.
    Seek(search::Seek) -> Begun(search::Begun);
    Pull(search::Pull) -> Pulled(search::Pulled);
    Forget(search::Forget) -> Forgotten(search::Forgotten);
    Replace(search::Replace) -> Replaced(search::Replaced);
    Move(transfer::Move) -> Moved(transfer::Moved);
    Copy(transfer::Copy) -> Copied(transfer::Copied);
    BeginUpload(transfer::BeginUpload) -> UploadStands(transfer::UploadStands);
    UploadPiece(transfer::UploadPiece) -> UploadGrew(transfer::UploadGrew);
    FinishUpload(transfer::FinishUpload) -> UploadFinished(transfer::UploadFinished);
    AbortUpload(transfer::AbortUpload) -> UploadAborted(transfer::UploadAborted);
    /// A folder as an archive, on a stream.
    Archive(transfer::Archive) -> Archiving(transfer::Archiving);
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong;

/// What the sandbox uses of its quotas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Bytes on disk in the home (allocated blocks, not apparent size).
    pub disk: u64,
    /// Files, folders and links in the home.
    pub inodes: u64,
    /// Processes in the sandbox, the agent included.
    pub processes: u32,
}

/// What an agent tells without being asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    Exited(sessions::Exited),
    Waiting(sessions::Waiting),
    Gap(sessions::Gap),
    Master(sessions::Master),
    Changed(files::Changed),
    Ports(ports::Listening),
    Accepted(ports::Accepted),
    /// The home is over its disk quota, and writers were stopped (`true`), or is under it again (`false`).
    OverQuota(bool),
}

/// The reply as it travels.
pub type Answer = Result<Reply, Failure>;

/// A whole request frame.
pub fn encode_request(id: RequestId, request: &Request) -> Vec<u8> {
    encode(Kind::Request, id.0, request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;

    #[test]
    fn header_round_trips_and_lies_are_refused() {
        let header = Header::new(Kind::Output, 7, 9);
        assert_eq!(Header::decode(&header.encode(), 9), Ok(header));
        assert_eq!(Header::decode(&header.encode(), 8), Err(LinkFrameError::TooLong(9)));
        let mut bytes = header.encode();
        bytes[4] = 99;
        assert_eq!(Header::decode(&bytes, 9), Err(LinkFrameError::UnknownKind(99)));
        bytes[4] = Kind::Output as u8;
        bytes[5] = 1;
        assert_eq!(Header::decode(&bytes, 9), Err(LinkFrameError::Reserved));
    }

    #[test]
    fn a_request_gets_the_reply_of_its_own_kind_only() {
        let frame = encode_request(RequestId(3), &sessions::Detach { session: SessionId(1) }.into());
        let request: Request = decode(&frame[HEADER..]).unwrap();
        assert_eq!(request, Request::Detach(sessions::Detach { session: SessionId(1) }));
        assert!(<sessions::Detach as Call>::Reply::try_from(Reply::Pong(Pong)).is_err());
    }

    #[test]
    fn a_preamble_is_read_to_its_own_end_and_a_cut_one_is_an_error() {
        let preamble = Preamble { secret: [7; SECRET], filters: vec![vec![1; 16], vec![], vec![2; 8]] };
        let bytes = preamble.encode();
        let mut rest = &[bytes.as_slice(), b"link"].concat()[..];
        assert_eq!(Preamble::read(&mut rest).unwrap(), preamble);
        assert_eq!(rest, b"link");
        for cut in 0..bytes.len() {
            assert!(Preamble::read(&mut &bytes[..cut]).is_err());
        }
    }

    #[test]
    fn trailing_bytes_are_an_error() {
        let mut frame = encode(Kind::Event, 0, &Event::OverQuota(true));
        frame.push(0);
        assert_eq!(decode::<Event>(&frame[HEADER..]), Err(LinkFrameError::Payload));
    }
}
