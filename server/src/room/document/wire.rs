//! The bytes of the sync protocol (y-protocols) in the lib0 encoding: what a client sends is taken apart here, with
//! every count and length held against the bytes that are there. Must never allocate by what a length claims.

use super::DocumentError;

/// Whole numbers of the encoding stop here, as JavaScript's do.
const MAX_NUMBER: u64 = (1 << 53) - 1;
/// The longest awareness message, in bytes: a name, a colour, a selection.
const MAX_AWARENESS: usize = 64 * 1024;

/// Reads the lib0 encoding. Each reading checks first.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn byte(&mut self) -> Result<u8, DocumentError> {
        let (&byte, rest) = self.rest.split_first().ok_or(DocumentError::Malformed)?;
        self.rest = rest;
        Ok(byte)
    }

    /// A variable-length whole number.
    pub(super) fn number(&mut self) -> Result<u64, DocumentError> {
        let mut number = 0;
        for shift in (0..56).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return if number <= MAX_NUMBER { Ok(number) } else { Err(DocumentError::Malformed) };
            }
        }
        Err(DocumentError::Malformed)
    }

    pub(super) fn number_u32(&mut self) -> Result<u32, DocumentError> {
        u32::try_from(self.number()?).map_err(|_| DocumentError::Malformed)
    }

    /// How many things follow, of at least `least` bytes each.
    pub(super) fn count(&mut self, least: usize) -> Result<usize, DocumentError> {
        let count = usize::try_from(self.number()?).map_err(|_| DocumentError::Malformed)?;
        if count > self.rest.len() / least { Err(DocumentError::Malformed) } else { Ok(count) }
    }

    /// Bytes with their length in front.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], DocumentError> {
        let length = self.count(1)?;
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(bytes)
    }

    /// Text with its length in bytes in front.
    pub(super) fn text(&mut self) -> Result<&'a str, DocumentError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| DocumentError::Malformed)
    }

    /// Nothing may follow.
    pub(super) fn end(self) -> Result<(), DocumentError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DocumentError::Malformed) }
    }
}

pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// What a client says it has: for each client id the clock it would see next.
pub(super) type StateVector = Vec<(u64, u32)>;

/// One message of the protocol, taken apart as far as the document needs it.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// What the client has; it wants what it lacks.
    Step1(StateVector),
    /// Both the answer to a step 1 and a later change: an update of version 1, not looked at yet.
    Update(&'a [u8]),
    /// Who is where.
    Awareness(Vec<Aware>),
    /// Who is where?
    AwarenessQuery,
}

/// Where one client of a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aware {
    pub client: u64,
    /// Counts what the client said of itself.
    pub clock: u64,
    /// JSON; `null` of one that is gone.
    pub state: String,
}

impl<'a> Message<'a> {
    /// The types are single bytes here: their longer spellings are refused, so that [`is_update`] can't be fooled.
    pub(super) fn read(message: &'a [u8]) -> Result<Self, DocumentError> {
        match message {
            [0, 0, rest @ ..] => {
                let mut reader = Reader::new(rest);
                let vector = reader.bytes()?;
                reader.end()?;
                read_state_vector(vector).map(Self::Step1)
            }
            [0, 1 | 2, rest @ ..] => {
                let mut reader = Reader::new(rest);
                let update = reader.bytes()?;
                reader.end()?;
                Ok(Self::Update(update))
            }
            [1, rest @ ..] => {
                let mut reader = Reader::new(rest);
                let awareness = reader.bytes()?;
                reader.end()?;
                read_awareness(awareness).map(Self::Awareness)
            }
            [3] => Ok(Self::AwarenessQuery),
            _ => Err(DocumentError::Malformed),
        }
    }
}

/// Whether a message would change the document: a sync step 2 or an update.
pub(super) fn is_update(message: &[u8]) -> bool {
    matches!(message, [0, 1 | 2, ..])
}

fn read_state_vector(bytes: &[u8]) -> Result<StateVector, DocumentError> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(2)?;
    let mut vector = Vec::with_capacity(count);
    for _ in 0..count {
        vector.push((reader.number()?, reader.number_u32()?));
    }
    reader.end()?;
    Ok(vector)
}

fn read_awareness(bytes: &[u8]) -> Result<Vec<Aware>, DocumentError> {
    if bytes.len() > MAX_AWARENESS {
        return Err(DocumentError::Malformed);
    }
    let mut reader = Reader::new(bytes);
    let count = reader.count(3)?;
    let mut aware = Vec::with_capacity(count);
    for _ in 0..count {
        aware.push(Aware {
            client: reader.number()?,
            clock: u64::from(reader.number_u32()?),
            state: reader.text()?.to_owned(),
        });
    }
    reader.end()?;
    Ok(aware)
}

/// How many bytes the first message of a frame takes.
pub(super) fn message_length(frame: &[u8]) -> Result<usize, DocumentError> {
    let kind = match frame {
        [0, _, ..] => 2,
        [1, ..] => 1,
        [3, ..] => return Ok(1),
        _ => return Err(DocumentError::Malformed),
    };
    let mut reader = Reader::new(&frame[kind..]);
    reader.bytes()?;
    Ok(frame.len() - reader.rest.len())
}

/// Who is where.
pub(super) fn awareness(aware: &[&Aware]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_number(&mut bytes, aware.len() as u64);
    for Aware { client, clock, state } in aware {
        put_number(&mut bytes, *client);
        put_number(&mut bytes, *clock);
        put_bytes(&mut bytes, state.as_bytes());
    }
    let mut message = vec![1];
    put_bytes(&mut message, &bytes);
    message
}

/// A sync step 1: asks for what is beyond this state vector.
pub(super) fn step1<'a>(clocks: impl ExactSizeIterator<Item = (&'a u64, &'a u32)>) -> Vec<u8> {
    let mut vector = Vec::new();
    put_number(&mut vector, clocks.len() as u64);
    for (&client, &clock) in clocks {
        put_number(&mut vector, client);
        put_number(&mut vector, u64::from(clock));
    }
    message(0, &vector)
}

/// A sync step 2: what the asker lacks.
pub(super) fn step2(update: &[u8]) -> Vec<u8> {
    message(1, update)
}

/// A change, for whoever has the document open.
pub(super) fn update(update: &[u8]) -> Vec<u8> {
    message(2, update)
}

fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(payload.len() + 12);
    message.extend([0, kind]);
    put_bytes(&mut message, payload);
    message
}

/// Whether a message is what its sender changed just now, and not all that it has and the server lacks.
pub(super) fn is_edit(message: &[u8]) -> bool {
    message.starts_with(&[0, 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_and_stop_at_53_bits() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), MAX_NUMBER] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            assert_eq!(Reader::new(&bytes).number().unwrap(), number);
        }
        let mut bytes = Vec::new();
        put_number(&mut bytes, MAX_NUMBER + 1);
        assert!(Reader::new(&bytes).number().is_err());
        assert!(Reader::new(&[0xff; 20]).number().is_err());
    }

    #[test]
    fn lengths_that_lie_are_refused_before_anything_is_reserved() {
        for lie in ["8080808001", "ffffffff0f", "ffffffffffffff0f", "80"] {
            let lie: Vec<u8> =
                (0..lie.len()).step_by(2).map(|i| u8::from_str_radix(&lie[i..i + 2], 16).unwrap()).collect();
            for kind in [&[0, 0][..], &[0, 1], &[0, 2], &[1]] {
                assert!(Message::read(&[kind, &lie].concat()).is_err());
                let mut inside = kind.to_vec();
                put_bytes(&mut inside, &lie);
                // What is in an update is checked by the update.
                assert!(is_update(&inside) || Message::read(&inside).is_err());
            }
        }
    }

    #[test]
    fn longer_spellings_of_a_message_type_are_refused() {
        assert!(Message::read(&[0x80, 0, 2, 2, 0, 0]).is_err());
        assert!(Message::read(&[0, 0x82, 0, 2, 0, 0]).is_err());
        assert!(is_update(&[0, 2, 2, 0, 0]) && is_update(&[0, 1]) && !is_update(&[0, 0, 1, 0]) && !is_update(&[1, 0]));
    }
}
