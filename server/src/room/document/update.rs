//! An update of version 1 from a client: taken apart, checked against what the document holds, and written anew.
//!
//! A document here is one text, so an update may hold strings, tombstones and deletions in the root text
//! [`ROOT`] and nothing else. [`Update::plan`] keeps what is new, in an order in which every part finds what it
//! leans on; an update that leans on what isn't there makes no plan. So the CRDT behind is only ever given updates
//! that integrate whole, and it never holds pending parts.
//!
//! The format is that of Yjs (`encodeStateAsUpdate`): per client the structs, then per client the deleted ranges.

use std::collections::{HashMap, HashSet};

use super::DocumentError;
use super::wire::{Reader, put_bytes, put_number};

/// The name of the one root text.
pub(super) const ROOT: &str = "content";
/// Clocks stop here: the CRDT subtracts them as signed numbers.
pub(super) const MAX_CLOCK: u32 = i32::MAX as u32;

const HAS_ORIGIN: u8 = 0x80;
const HAS_RIGHT_ORIGIN: u8 = 0x40;
const DELETED: u8 = 1;
const STRING: u8 = 4;

/// For each client id the clock of its next character: what the document holds.
pub(super) type Clocks = HashMap<u64, u32>;

/// One character ever inserted: who inserted it, and their how-manieth it was (in UTF-16 units).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) client: u64,
    pub(super) clock: u32,
}

/// A run of characters of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) client: u64,
    pub(super) clock: u32,
    pub(super) length: u32,
}

#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    Text(&'a str),
    Deleted,
}

/// An insertion: `length` units from `clock` on, between two characters that were neighbours when it was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Struct<'a> {
    id: Id,
    length: u32,
    origin: Option<Id>,
    right_origin: Option<Id>,
    content: Content<'a>,
}

impl Struct<'_> {
    fn end(&self) -> u32 {
        self.id.clock + self.length
    }

    /// Without its first `skip` units, which are there already.
    fn without(mut self, skip: u32) -> Result<Self, DocumentError> {
        if skip == 0 {
            return Ok(self);
        }
        if let Content::Text(text) = &mut self.content {
            let at = byte_of_unit(text, skip).ok_or(DocumentError::Malformed)?;
            *text = &text[at..];
        }
        self.id.clock += skip;
        self.length -= skip;
        self.origin = Some(Id { client: self.id.client, clock: self.id.clock - 1 });
        Ok(self)
    }
}

/// Where in the text its `unit`th UTF-16 unit begins; `None` inside a surrogate pair.
fn byte_of_unit(text: &str, unit: u32) -> Option<usize> {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units >= unit {
            return (units == unit).then_some(at);
        }
        units += character.len_utf16() as u32;
    }
    (units == unit).then_some(text.len())
}

#[derive(Debug)]
pub(super) struct Update<'a> {
    /// Each client's structs, without gaps.
    sections: Vec<Vec<Struct<'a>>>,
    deletions: Vec<Range>,
}

impl<'a> Update<'a> {
    /// Reads an update with at most `most` structs and as many deletions.
    pub(super) fn read(bytes: &'a [u8], most: usize) -> Result<Self, DocumentError> {
        let mut reader = Reader::new(bytes);
        let mut left = most;
        let mut seen = HashSet::new();
        let mut sections = Vec::new();
        for _ in 0..reader.count(3)? {
            let count = reader.count(3)?;
            let client = reader.number()?;
            let mut clock = reader.number_u32()?;
            if !seen.insert(client) {
                return Err(DocumentError::Malformed);
            }
            left = left.checked_sub(count).ok_or(DocumentError::TooLarge)?;
            let mut section = Vec::with_capacity(count);
            for _ in 0..count {
                let next = read_struct(&mut reader, Id { client, clock })?;
                clock = next.end();
                section.push(next);
            }
            sections.push(section);
        }
        let mut left = most;
        let mut deletions = Vec::new();
        for _ in 0..reader.count(2)? {
            let client = reader.number()?;
            let count = reader.count(2)?;
            left = left.checked_sub(count).ok_or(DocumentError::TooLarge)?;
            for _ in 0..count {
                let (clock, length) = (reader.number_u32()?, reader.number_u32()?);
                clock.checked_add(length).filter(|&end| end <= MAX_CLOCK).ok_or(DocumentError::Malformed)?;
                deletions.push(Range { client, clock, length });
            }
        }
        reader.end()?;
        Ok(Self { sections, deletions })
    }

    pub(super) fn structs(&self) -> usize {
        self.sections.iter().map(Vec::len).sum()
    }

    /// What is new to a document that holds `known`, in an order in which it can be integrated. Nobody but the
    /// server makes structs of the client `own`.
    pub(super) fn plan(self, known: &Clocks, own: u64) -> Result<Plan<'a>, DocumentError> {
        let mut queues = Vec::new();
        for section in self.sections {
            let Some(first) = section.first() else { continue };
            let client = first.id.client;
            let held = known.get(&client).copied().unwrap_or(0);
            if first.id.clock > held {
                return Err(DocumentError::Missing);
            }
            let mut queue: Vec<Struct<'a>> = Vec::new();
            for part in section.into_iter().filter(|part| part.end() > held) {
                queue.push(part.without(held.saturating_sub(part.id.clock))?);
            }
            if !queue.is_empty() {
                if client == own {
                    return Err(DocumentError::Malformed);
                }
                queue.reverse();
                queues.push((client, queue));
            }
        }
        let mut clocks = Ahead { known, ahead: HashMap::new() };
        let structs = in_order(queues, &mut clocks)?;
        let reaches = |range: &Range| range.clock + range.length <= clocks.of(range.client);
        if !self.deletions.iter().all(reaches) {
            return Err(DocumentError::Missing);
        }
        let text_bytes = structs.iter().map(|part| match part.content {
            Content::Text(text) => text.len() as u64,
            Content::Deleted => 0,
        });
        Ok(Plan { text_bytes: text_bytes.sum(), clocks: clocks.ahead, structs, deletions: self.deletions })
    }
}

fn read_struct<'a>(reader: &mut Reader<'a>, id: Id) -> Result<Struct<'a>, DocumentError> {
    let info = reader.byte()?;
    let mut read_id = |flag| -> Result<Option<Id>, DocumentError> {
        if info & flag == 0 {
            return Ok(None);
        }
        Ok(Some(Id { client: reader.number()?, clock: reader.number_u32()? }))
    };
    let origin = read_id(HAS_ORIGIN)?;
    let right_origin = read_id(HAS_RIGHT_ORIGIN)?;
    // With neither neighbour the parent is named; it is the root text (1) and not another item (0).
    if origin.is_none() && right_origin.is_none() && (reader.number()? != 1 || reader.text()? != ROOT) {
        return Err(DocumentError::NotText);
    }
    let (content, length) = match info & !(HAS_ORIGIN | HAS_RIGHT_ORIGIN) {
        DELETED => (Content::Deleted, reader.number()?),
        STRING => {
            let text = reader.text()?;
            (Content::Text(text), text.chars().map(|character| character.len_utf16() as u64).sum())
        }
        // Formats, embeds, nested types, map entries, gaps: nothing of a plain text.
        _ => return Err(DocumentError::NotText),
    };
    let end = u64::from(id.clock) + length;
    if length == 0 || end > u64::from(MAX_CLOCK) {
        return Err(DocumentError::Malformed);
    }
    Ok(Struct { id, length: length as u32, origin, right_origin, content })
}

/// The clocks of a document as they will be.
struct Ahead<'k> {
    known: &'k Clocks,
    ahead: Clocks,
}

impl Ahead<'_> {
    fn of(&self, client: u64) -> u32 {
        self.ahead.get(&client).or_else(|| self.known.get(&client)).copied().unwrap_or(0)
    }

    fn lacks(&self, id: &Id) -> bool {
        id.clock >= self.of(id.client)
    }
}

/// Puts structs in an order in which each finds its neighbours. A client whose next struct leans on another client's
/// waits on a stack; one that waits for itself through others can never be integrated.
fn in_order<'a>(
    mut queues: Vec<(u64, Vec<Struct<'a>>)>,
    clocks: &mut Ahead<'_>,
) -> Result<Vec<Struct<'a>>, DocumentError> {
    let places: HashMap<u64, usize> = queues.iter().enumerate().map(|(place, (client, _))| (*client, place)).collect();
    let mut waiting = vec![false; queues.len()];
    let mut order = Vec::with_capacity(queues.iter().map(|(_, queue)| queue.len()).sum());
    let mut stack = Vec::new();
    for first in 0..queues.len() {
        stack.push(first);
        while let Some(&place) = stack.last() {
            let Some(next) = queues[place].1.last() else {
                // Whoever waits for more than this client has waits in vain.
                stack.pop();
                if stack.is_empty() { break } else { return Err(DocumentError::Missing) }
            };
            match [next.origin, next.right_origin].into_iter().flatten().find(|id| clocks.lacks(id)) {
                None => {
                    clocks.ahead.insert(next.id.client, next.end());
                    order.extend(queues[place].1.pop());
                    waiting[place] = false;
                    // The client beneath looks again; the bottom one goes on.
                    if stack.len() > 1 {
                        stack.pop();
                    }
                }
                Some(lacked) => {
                    waiting[place] = true;
                    match places.get(&lacked.client) {
                        Some(&other) if !waiting[other] => stack.push(other),
                        _ => return Err(DocumentError::Missing),
                    }
                }
            }
        }
    }
    Ok(order)
}

/// What an update brings that is new.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// In an order in which they can be integrated.
    pub(super) structs: Vec<Struct<'a>>,
    /// Of characters that are there once the structs are; some may be deleted already.
    pub(super) deletions: Vec<Range>,
    /// The clocks of the clients that inserted something, afterwards.
    pub(super) clocks: Clocks,
    /// Bytes of text it inserts.
    pub(super) text_bytes: u64,
}

/// Writes an update. Each client's structs come without gaps, and stand together.
pub(super) fn encode(structs: &[Struct<'_>], deletions: &[Range]) -> Vec<u8> {
    let mut out = Vec::new();
    let sections = grouped(structs, |part| part.id.client);
    put_number(&mut out, sections.len() as u64);
    for (client, section) in sections {
        put_number(&mut out, section.len() as u64);
        put_number(&mut out, client);
        put_number(&mut out, u64::from(section[0].id.clock));
        for part in section {
            put_struct(&mut out, part);
        }
    }
    let sections = grouped(deletions, |range| range.client);
    put_number(&mut out, sections.len() as u64);
    for (client, ranges) in sections {
        put_number(&mut out, client);
        put_number(&mut out, ranges.len() as u64);
        for range in ranges {
            put_number(&mut out, u64::from(range.clock));
            put_number(&mut out, u64::from(range.length));
        }
    }
    out
}

fn put_struct(out: &mut Vec<u8>, part: &Struct<'_>) {
    let kind = match part.content {
        Content::Text(_) => STRING,
        Content::Deleted => DELETED,
    };
    let flag = |id: Option<Id>, flag| if id.is_some() { flag } else { 0 };
    out.push(kind | flag(part.origin, HAS_ORIGIN) | flag(part.right_origin, HAS_RIGHT_ORIGIN));
    for id in [part.origin, part.right_origin].into_iter().flatten() {
        put_number(out, id.client);
        put_number(out, u64::from(id.clock));
    }
    if part.origin.is_none() && part.right_origin.is_none() {
        out.push(1);
        put_bytes(out, ROOT.as_bytes());
    }
    match part.content {
        Content::Text(text) => put_bytes(out, text.as_bytes()),
        Content::Deleted => put_number(out, u64::from(part.length)),
    }
}

/// Items by client, clients in the order they first appear, items in theirs.
fn grouped<T>(items: &[T], client: impl Fn(&T) -> u64) -> Vec<(u64, Vec<&T>)> {
    let mut places = HashMap::new();
    let mut groups: Vec<(u64, Vec<&T>)> = Vec::new();
    for item in items {
        let client = client(item);
        let place = *places.entry(client).or_insert_with(|| {
            groups.push((client, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(item);
    }
    groups
}
