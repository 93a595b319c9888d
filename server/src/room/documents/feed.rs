//! What goes to everybody who has a document open: the latest updates in order, which each reader pulls at its own
//! cursor, and who is where. No queue for each reader: one that is slow costs nobody anything, gets what waits for it
//! in one frame, and gets the whole document when it has fallen further behind than [`MAX_KEPT`].
//!
//! This module does no I/O and must never wait.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use embedenv_shared::code::CloseCode;
use embedenv_shared::frame::ServerFrame;
use tokio::time::Instant;

use super::super::document::{Aware, Document, MAX_MESSAGES};
use super::super::members::SeatId;
use super::super::outbox::Outbox;
use super::whereabouts::Whereabouts;

/// Bytes of updates kept for readers that have not read them; beyond that the oldest go.
const MAX_KEPT: usize = 512 * 1024;
/// What one kept update costs besides its bytes.
const ENTRY: usize = 48;
/// How often one connection may have the whole document read in each [`READING_TIME`]: by asking what it lacks, and by
/// updates that have to be tried on a copy. Beyond that its messages are refused until the time is over.
pub(super) const MAX_READINGS: u64 = 32;
const READING_TIME: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The number of the first update that is kept.
    start: u64,
    kept: VecDeque<Entry>,
    bytes: usize,
    readers: HashMap<SeatId, Reader>,
    /// Readers that have read everything: once that is all of them, nothing has to be kept.
    at_head: usize,
    whereabouts: Whereabouts,
    /// The document has edits that are not written down, and can't be given whole until it has them.
    withheld: bool,
    /// Also of connections that closed the document just now, so that opening it again makes nothing cheaper.
    readings: HashMap<SeatId, Readings>,
}

/// What a connection had read in the current [`READING_TIME`].
#[derive(Debug)]
struct Readings {
    since: Instant,
    count: u64,
    /// It was told that this is too many.
    is_told: bool,
}

/// Whether a connection's message is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Taken,
    /// It has had too much read, and is to be told.
    Refused,
    /// The same, and it was told.
    Dropped,
}

#[derive(Debug)]
struct Entry {
    /// Who made it, and has it already.
    by: Option<SeatId>,
    message: Box<[u8]>,
}

/// One connection that has the document open.
#[derive(Debug)]
struct Reader {
    outbox: Arc<Outbox>,
    cursor: u64,
    /// Up to which of their moves it was told where the others are.
    moves: u64,
    /// Update messages of its that are held.
    received: u64,
    /// Update messages of its that could not be written down yet, and those that came after them.
    unkept: u64,
    /// Update messages of its that were refused. They count once a later one is held: before that the server lacks
    /// something.
    refused: u64,
    /// It asked for what it lacks while that could not be given.
    asked: bool,
    /// Where the document stands is to be told.
    standing_due: bool,
    /// Speaks the protocol of y-websocket. It takes a connection for dead on which it does not hear of itself.
    only_messages: bool,
}

/// What a reader gets when it pulls.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pulled {
    /// It has missed updates that are no longer kept, and needs the whole document.
    pub(super) fell_behind: bool,
    /// How many of its updates are held, if where the document stands is to be told.
    pub(super) standing: Option<u64>,
    /// Its question was put off, and the server asks it in turn what is missing here.
    pub(super) asked: bool,
    /// More waits for it.
    pub(super) more: bool,
}

impl Feed {
    fn head(&self) -> u64 {
        self.start + self.kept.len() as u64
    }

    /// Adds a reader that has been given, or will ask for, everything up to now.
    pub(super) fn add(&mut self, member: SeatId, outbox: Arc<Outbox>) {
        self.remove(member);
        let cursor = self.head();
        self.at_head += 1;
        let reader = Reader {
            outbox,
            cursor,
            moves: 0,
            received: 0,
            unkept: 0,
            refused: 0,
            asked: false,
            standing_due: false,
            only_messages: false,
        };
        self.readers.insert(member, reader);
    }

    /// Adds a reader that takes messages of the sync protocol and nothing else.
    pub(super) fn add_editor(&mut self, member: SeatId, outbox: Arc<Outbox>) {
        self.add(member, outbox);
        if let Some(reader) = self.readers.get_mut(&member) {
            reader.only_messages = true;
        }
    }

    /// Removes a reader. Nobody goes on seeing it.
    pub(super) fn remove(&mut self, member: SeatId) {
        let head = self.head();
        if let Some(reader) = self.readers.remove(&member)
            && reader.cursor == head
        {
            self.at_head -= 1;
        }
        self.forget_read();
        if self.whereabouts.left(member) {
            self.wake_all(None);
        }
    }

    pub(super) fn has(&self, member: SeatId) -> bool {
        self.readers.contains_key(&member)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// Tells every reader that takes frames.
    pub(super) fn tell(&self, frame: &ServerFrame) {
        for reader in self.readers.values().filter(|reader| !reader.only_messages) {
            reader.outbox.send(frame);
        }
    }

    /// Ends the reading of everybody: who takes frames is told why, and everybody else's connection closed.
    pub(super) fn end(&mut self, frame: &ServerFrame, reason: &str) {
        self.tell(frame);
        for reader in self.readers.values().filter(|reader| reader.only_messages) {
            reader.outbox.close(CloseCode::DocumentClosed, reason);
        }
        *self = Self::default();
    }

    /// An update for everybody but who made it.
    pub(super) fn push(&mut self, by: Option<SeatId>, message: Vec<u8>) {
        let head = self.head();
        self.bytes += ENTRY + message.len();
        self.kept.push_back(Entry { by, message: message.into_boxed_slice() });
        self.at_head = 0;
        for (member, reader) in &mut self.readers {
            if Some(*member) != by {
                reader.outbox.nudge();
            } else if reader.cursor == head {
                reader.cursor = head + 1;
                self.at_head += 1;
            }
        }
        while self.bytes > MAX_KEPT
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= ENTRY + oldest.message.len();
            self.start += 1;
        }
        self.forget_read();
    }

    /// The reader is given the whole document now.
    pub(super) fn is_given_all(&mut self, member: SeatId) {
        let head = self.head();
        if let Some(reader) = self.readers.get_mut(&member)
            && reader.cursor != head
        {
            reader.cursor = head;
            self.at_head += 1;
            self.forget_read();
        }
    }

    /// Puts what comes next for a reader behind what `out` holds, about `limit` bytes at most.
    pub(super) fn pull(&mut self, member: SeatId, limit: usize, out: &mut Vec<u8>) -> Pulled {
        let (start, head, moves) = (self.start, self.head(), self.whereabouts.moves());
        let Some(reader) = self.readers.get_mut(&member) else { return Pulled::default() };
        let mut pulled = Pulled { standing: reader.standing_due.then_some(reader.received), ..Pulled::default() };
        reader.standing_due = false;
        if reader.cursor < start && self.withheld {
            // It is told once everything is written down.
        } else if reader.cursor < start {
            pulled.fell_behind = true;
            pulled.asked = std::mem::take(&mut reader.asked);
            reader.cursor = head;
            self.at_head += 1;
        } else if reader.cursor < head {
            let from = out.len();
            for (count, entry) in self.kept.range((reader.cursor - start) as usize..).enumerate() {
                if out.len() - from >= limit || count == MAX_MESSAGES {
                    break;
                }
                reader.cursor += 1;
                if entry.by != Some(member) {
                    out.extend_from_slice(&entry.message);
                }
            }
            if reader.cursor == head {
                self.at_head += 1;
            } else {
                pulled.more = true;
            }
        }
        let seen = std::mem::replace(&mut reader.moves, moves);
        if seen < moves {
            let moved = self.whereabouts.since(seen, member, reader.only_messages);
            if !moved.is_empty() {
                out.extend(Document::awareness(&moved));
            }
        }
        self.forget_read();
        pulled
    }

    /// A member says where it is.
    pub(super) fn moved(&mut self, member: SeatId, aware: Aware) {
        if self.whereabouts.moved(member, aware) {
            self.forget_gone();
            let but = self.readers.get(&member).filter(|reader| !reader.only_messages).map(|_| member);
            self.wake_all(but);
        }
    }

    /// A member has typed as this client of Yjs, and so is who may say where it is.
    pub(super) fn typed(&mut self, member: SeatId, client: u64) {
        if self.whereabouts.typed(member, client) {
            self.wake_all(None);
        }
    }

    /// The reader wants to be told anew who is where.
    pub(super) fn tell_whereabouts(&mut self, member: SeatId) {
        if let Some(reader) = self.readers.get_mut(&member) {
            reader.moves = 0;
            reader.outbox.nudge();
        }
    }

    /// The reader's update is held.
    pub(super) fn received(&mut self, member: SeatId) {
        if let Some(reader) = self.readers.get_mut(&member) {
            let count = 1 + std::mem::take(&mut reader.refused);
            reader.count(count);
        }
    }

    /// The reader was asked for what its update leans on; its answer holds the update and counts, too.
    pub(super) fn asked_for(&mut self, member: SeatId) {
        if let Some(reader) = self.readers.get_mut(&member) {
            if reader.refused > 0 { reader.refused += 1 } else { reader.count(1) }
        }
    }

    /// The reader's update was refused.
    pub(super) fn refused(&mut self, member: SeatId) {
        if let Some(reader) = self.readers.get_mut(&member) {
            reader.refused += 1;
        }
    }

    /// The reader's update is in the document and not written down yet. Says whether it is the first of its.
    pub(super) fn unkept(&mut self, member: SeatId) -> bool {
        self.withheld = true;
        let Some(reader) = self.readers.get_mut(&member) else { return false };
        reader.unkept += 1 + std::mem::take(&mut reader.refused);
        reader.unkept == 1
    }

    /// The reader asks for what it lacks, which can't be given before everything is written down.
    pub(super) fn put_off(&mut self, member: SeatId) {
        self.withheld = true;
        if let Some(reader) = self.readers.get_mut(&member) {
            reader.asked = true;
        }
    }

    /// The reader could not be given the whole document after all, as [`Self::pull`] had said, and waits for it.
    pub(super) fn fall_behind(&mut self, member: SeatId, asked: bool) {
        self.withheld = true;
        if let Some(reader) = self.readers.get_mut(&member) {
            reader.asked |= asked;
        }
    }

    /// Everything is written down: updates that nobody has heard of are among it.
    pub(super) fn all_kept(&mut self) {
        if !std::mem::take(&mut self.withheld) {
            return;
        }
        (self.start, self.bytes, self.at_head) = (self.head() + 1, 0, 0);
        self.kept.clear();
        for reader in self.readers.values_mut() {
            reader.received += std::mem::take(&mut reader.unkept);
            reader.standing_due = true;
            reader.outbox.nudge();
        }
    }

    /// Whether a message of this connection is taken, by what it has had read.
    pub(super) fn turn(&mut self, member: SeatId, now: Instant) -> Turn {
        self.readings.retain(|_, readings| now.duration_since(readings.since) < READING_TIME);
        match self.readings.get_mut(&member) {
            Some(readings) if readings.count >= MAX_READINGS => {
                if std::mem::replace(&mut readings.is_told, true) {
                    Turn::Dropped
                } else {
                    Turn::Refused
                }
            }
            _ => Turn::Taken,
        }
    }

    /// A message of this connection had the whole document read.
    pub(super) fn has_read(&mut self, member: SeatId, count: u64, now: Instant) {
        self.readings.entry(member).or_insert(Readings { since: now, count: 0, is_told: false }).count += count;
    }

    /// Where the document stands is to be told to everybody.
    pub(super) fn tell_standing(&mut self) {
        for reader in self.readers.values_mut() {
            reader.standing_due = true;
            reader.outbox.nudge();
        }
    }

    fn wake_all(&self, but: Option<SeatId>) {
        for (_, reader) in self.readers.iter().filter(|(member, _)| Some(**member) != but) {
            reader.outbox.nudge();
        }
    }

    /// Nothing is kept that everybody has read.
    fn forget_read(&mut self) {
        if self.at_head == self.readers.len() && !self.kept.is_empty() {
            self.start = self.head();
            self.kept.clear();
            self.kept.shrink_to(64);
            self.bytes = 0;
        }
    }

    fn forget_gone(&mut self) {
        let told = self.readers.values().map(|reader| reader.moves).min();
        self.whereabouts.forget_gone(told.unwrap_or(self.whereabouts.moves()));
    }
}

impl Reader {
    /// Counts updates of its in their order: behind one that is not written down none counts.
    fn count(&mut self, updates: u64) {
        if self.unkept > 0 {
            self.unkept += updates;
            return;
        }
        self.received += updates;
        self.standing_due = true;
        self.outbox.nudge();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SeatId = SeatId(1);
    const BOB: SeatId = SeatId(2);

    fn feed() -> Feed {
        let mut feed = Feed::default();
        feed.add(ADA, Arc::default());
        feed.add(BOB, Arc::default());
        feed
    }

    fn pull(feed: &mut Feed, member: SeatId) -> (Vec<u8>, Pulled) {
        let mut out = Vec::new();
        let pulled = feed.pull(member, 1024, &mut out);
        (out, pulled)
    }

    fn aware(client: u64, clock: u64, state: &str) -> Aware {
        Aware { client, clock, state: state.to_owned() }
    }

    #[test]
    fn what_waits_comes_in_one_piece_and_nobody_hears_themselves() {
        let mut feed = feed();
        feed.push(Some(ADA), b"a".to_vec());
        feed.push(Some(BOB), b"b".to_vec());
        feed.push(None, b"c".to_vec());
        assert_eq!(pull(&mut feed, BOB).0, b"ac");
        assert_eq!(pull(&mut feed, ADA).0, b"bc");
        assert_eq!(feed.kept.len(), 0, "everybody has read everything");
        assert_eq!(pull(&mut feed, ADA), Default::default());
        feed.push(Some(ADA), b"d".to_vec());
        assert_eq!(pull(&mut feed, BOB).0, b"d");
        assert_eq!(feed.kept.len(), 0);
    }

    #[test]
    fn a_frame_has_its_limit_and_the_rest_comes_next() {
        let mut feed = feed();
        for n in 0..5 {
            feed.push(Some(ADA), vec![n; 600]);
        }
        let (first, pulled) = pull(&mut feed, BOB);
        assert!(first.len() == 1200 && pulled.more);
        pull(&mut feed, BOB);
        let (last, pulled) = pull(&mut feed, BOB);
        assert!(last == [4; 600] && !pulled.more);
    }

    #[test]
    fn who_falls_too_far_behind_gets_the_whole_document_and_costs_a_bounded_space() {
        let mut feed = feed();
        for _ in 0..1000 {
            feed.push(Some(ADA), vec![0; 1024]);
        }
        assert!(feed.bytes <= MAX_KEPT);
        let (out, pulled) = pull(&mut feed, BOB);
        assert!(out.is_empty() && pulled.fell_behind && !pulled.more);
        feed.push(Some(ADA), b"next".to_vec());
        assert_eq!(pull(&mut feed, BOB).0, b"next");
    }

    #[test]
    fn updates_that_were_not_written_down_are_told_of_when_they_are() {
        let mut feed = feed();
        feed.received(ADA);
        assert!(feed.unkept(ADA) && !feed.unkept(ADA), "it is told once");
        feed.asked_for(ADA);
        assert_eq!(pull(&mut feed, ADA).1.standing, Some(1), "what came after it does not count before it");
        feed.all_kept();
        let told = Pulled { fell_behind: true, standing: Some(4), ..Pulled::default() };
        assert_eq!(pull(&mut feed, ADA).1, told);
        assert!(pull(&mut feed, BOB).1.fell_behind);
        feed.push(Some(ADA), b"next".to_vec());
        assert_eq!(pull(&mut feed, BOB).0, b"next");
    }

    #[test]
    fn what_can_not_be_given_whole_yet_is_given_once_it_is_written_down() {
        let mut feed = feed();
        feed.unkept(ADA);
        feed.put_off(BOB);
        for _ in 0..1000 {
            feed.push(Some(ADA), vec![0; 1024]);
        }
        assert_eq!(pull(&mut feed, BOB), Default::default(), "it has fallen behind, and has to wait");
        feed.all_kept();
        let told = Pulled { fell_behind: true, asked: true, standing: Some(0), more: false };
        assert_eq!(pull(&mut feed, BOB).1, told);
        assert_eq!(pull(&mut feed, BOB), Default::default());
    }

    #[test]
    fn an_update_that_was_refused_counts_once_a_later_one_is_held() {
        let mut feed = feed();
        feed.refused(ADA);
        feed.asked_for(ADA);
        assert_eq!(pull(&mut feed, ADA).1.standing, None, "the server lacks something");
        feed.refused(ADA);
        feed.received(ADA);
        assert_eq!(pull(&mut feed, ADA).1.standing, Some(4));
    }

    #[test]
    fn a_connection_has_the_document_read_so_often_and_opening_it_again_makes_no_difference() {
        let (mut feed, now) = (feed(), Instant::now());
        for _ in 0..MAX_READINGS {
            assert_eq!(feed.turn(ADA, now), Turn::Taken);
            feed.has_read(ADA, 1, now);
        }
        assert_eq!((feed.turn(ADA, now), feed.turn(ADA, now)), (Turn::Refused, Turn::Dropped));
        assert_eq!(feed.turn(BOB, now), Turn::Taken);
        feed.remove(ADA);
        feed.add(ADA, Arc::default());
        assert_eq!(feed.turn(ADA, now), Turn::Dropped);
        assert_eq!(feed.turn(ADA, now + READING_TIME), Turn::Taken);
    }

    #[test]
    fn nobody_speaks_for_another_and_who_leaves_is_gone() {
        let mut feed = feed();
        feed.moved(ADA, aware(10, 1, "{}"));
        assert_eq!(pull(&mut feed, BOB).0, Document::awareness(&[&aware(10, 1, "{}")]));
        feed.moved(BOB, aware(10, 5, "{\"evil\":1}"));
        feed.moved(BOB, aware(20, 1, "{}"));
        feed.moved(BOB, aware(21, 1, "{}"));
        assert_eq!(pull(&mut feed, ADA).0, Document::awareness(&[&aware(20, 1, "{}")]));
        feed.moved(ADA, aware(10, 1, "{\"old\":1}"));
        assert_eq!(pull(&mut feed, BOB).0, b"");
        feed.remove(ADA);
        assert_eq!(pull(&mut feed, BOB).0, Document::awareness(&[&aware(10, 1, "null")]));
        feed.moved(BOB, aware(20, 2, "{}"));
        assert_eq!(feed.whereabouts.since(0, ADA, false).len(), 1, "everybody was told that Ada left");
        feed.add(ADA, Arc::default());
        feed.moved(ADA, aware(10, 3, "{}"));
        assert_eq!(pull(&mut feed, BOB).0, Document::awareness(&[&aware(10, 3, "{}")]));
    }
}
