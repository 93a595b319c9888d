//! A text file as a document that several people edit: a Yjs document on the server's side, and its log. Knows no room,
//! no roles and no sockets; whoever holds it sends what it answers and saves what it says.
//!
//! An update is in the log ([`log`], [`keeping`]) before the document takes it, and only then does anybody hear of it.
//!
//! What clients send is hostile until it was checked: lengths are held against the bytes that are there
//! ([`wire`]), an update must hold text and deletions alone and lean on nothing that is missing ([`update`]), and only
//! then is the CRDT given it ([`replica`]). An update that asks for more work, blocks or clients than a document may
//! cost makes it start a new life: the same text, nothing of its past, another epoch.

mod file;
mod keeping;
mod log;
mod merge;
mod replica;
#[cfg(test)]
mod tests;
mod update;
mod wire;

use std::time::Duration;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::frame::{LineEnding, MAX_DOCUMENT, ReadOnly};
use rustix::time::{ClockId, clock_gettime};

use file::{FileText, Form, plain_lines};
pub use keeping::Restored;
pub use log::{Compaction, Place, Prepared, Unreadable};
use log::{Fingerprint, Log, Record, fingerprint};
use merge::Edit;
use replica::{Broken, Replica};
use update::{Clocks, MAX_CLOCK, Plan, Update};
pub use wire::Aware;
use wire::Message;

/// Runs of text and tombstones a document may consist of, and structs or deletions one update may have; one costs
/// some 200 bytes. An update with more is refused; a document that may have more is counted, and starts a new life
/// if it has more than half as many, since counting costs as much as thousands of edits.
const MAX_BLOCKS: usize = 50_000;
/// Clients that ever typed in one life of a document: each page that is opened is another. With more it starts anew.
const MAX_CLIENTS: usize = 4096;
/// Processor time one update may cost. One that costs more was made to: the document starts a new life.
const MAX_WORK: Duration = Duration::from_millis(100);
/// What a trial on a copy costs, in readings of the whole document.
const TRIAL: u64 = 8;
/// Structs and deletions given to the CRDT at once, between looks at the time.
const PORTION: usize = 16;
/// Messages in one frame; a frame with more is refused.
pub const MAX_MESSAGES: usize = 1024;
/// Contents that were handed out to be written and may be in the file, without anybody having said so.
const MAX_UNCONFIRMED: usize = 16;
/// Room for what the CRDT adds when an update splits a character in two: it puts U+FFFD for each half.
const SPLIT_GROWTH: u64 = 8;

/// A document in memory.
#[derive(Debug)]
pub struct Document {
    replica: Replica,
    /// What the replica holds of each client.
    clocks: Clocks,
    epoch: u64,
    form: Form,
    /// Why the text can't be edited, being an excerpt of its file.
    excerpt: Option<ReadOnly>,
    /// The document's text as it is in the file, as far as is known: what both sides' changes started from.
    base: String,
    /// Contents that a write may have put into the file.
    unconfirmed: Vec<Fingerprint>,
    /// Where updates are kept; a document that nobody can edit has none.
    log: Option<Log>,
    /// Upper bounds, made exact when they reach the limit.
    most_bytes: u64,
    most_blocks: usize,
    /// Counts how often messages had all of it read.
    readings: u64,
}

/// What a file is opened as.
#[derive(Debug)]
pub enum Opening {
    Editable(Document),
    /// The document has as much of the file as can be shown, and refuses updates.
    ReadOnly {
        document: Document,
        why: ReadOnly,
    },
}

/// What came of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// For the sender alone, in this order.
    Replies(Vec<Vec<u8>>),
    /// The document holds the update. If it `changed` anything, `broadcast` is for everybody else. `typist` is the client
    /// of Yjs whose new text it brings, if it is an edit and brings that of one.
    Update { broadcast: Vec<u8>, changed: bool, typist: Option<u64> },
    /// Who is where, as far as the sender says; the document keeps none of it.
    Awareness(Vec<Aware>),
    /// The sender wants to know who is where.
    WantsAwareness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("the message is not one of the sync protocol, or its lengths do not fit")]
    Malformed,
    #[error("a document holds one text named \"{}\" and nothing else", update::ROOT)]
    NotText,
    /// Never told: what leans on something missing is answered by asking for it.
    #[error("the update leans on something that is missing")]
    Missing,
    #[error("a document has at most {} bytes and {MAX_BLOCKS} pieces", MAX_DOCUMENT)]
    TooLarge,
    #[error("a frame has at most {MAX_MESSAGES} messages of the sync protocol")]
    TooMany,
    #[error("this document can't be edited")]
    ReadOnly,
    #[error("the document started a new life")]
    Rebuilt,
    #[error("the file can't be edited as text any more")]
    Unreadable,
    #[error("the server could not write this edit down; it stays in the editor, and is asked for again")]
    NotKept,
}

impl DocumentError {
    /// Whether everybody has to open the document again, and the reason they are told.
    pub fn closes(self) -> Option<&'static str> {
        (self == Self::Rebuilt).then_some("The document was tidied up and has to be opened again.")
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let code = match error {
            DocumentError::Malformed | DocumentError::NotText => ErrorCode::BadRequest,
            DocumentError::Missing | DocumentError::Rebuilt => ErrorCode::Conflict,
            DocumentError::TooLarge | DocumentError::TooMany => ErrorCode::TooLarge,
            DocumentError::ReadOnly => ErrorCode::Forbidden,
            DocumentError::Unreadable => ErrorCode::NotText,
            DocumentError::NotKept => ErrorCode::Unavailable,
        };
        Failure::new(code, error.to_string())
    }
}

impl Document {
    pub fn new(text: &str, eol: LineEnding) -> Self {
        Self::of(text.to_owned(), Form { eol, byte_order_mark: false }, None)
    }

    /// Makes a document of a file of `size` bytes, of which `bytes` is all or the beginning.
    pub fn from_file(bytes: &[u8], size: u64) -> Opening {
        match FileText::read(bytes, size) {
            FileText::Whole { text, form } => Opening::Editable(Self::of(text, form, None)),
            FileText::Excerpt { text, why } => {
                let form = Form { eol: LineEnding::Lf, byte_order_mark: false };
                Opening::ReadOnly { document: Self::of(text, form, Some(why)), why }
            }
        }
    }

    fn of(text: String, form: Form, excerpt: Option<ReadOnly>) -> Self {
        let mut document = Self {
            replica: Replica::new(random(32), &text),
            clocks: Clocks::new(),
            epoch: random(53),
            form,
            excerpt,
            most_bytes: text.len() as u64,
            most_blocks: 1,
            base: text,
            unconfirmed: Vec::new(),
            log: None,
            readings: 0,
        };
        document.note_own();
        document
    }

    /// Names this life of the document, below 2^53. What belongs to another must not be merged with it.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    pub fn text(&self) -> String {
        self.replica.text()
    }

    /// The text as the bytes of its file.
    pub fn to_file(&self) -> Vec<u8> {
        self.form.to_file(&self.text())
    }

    /// The bytes to write to the file now. Until [`Self::saved`], they may be in the file or not. Nothing gets there that
    /// the log does not have: after a restart it would be taken for somebody else's edit.
    pub fn to_write(&mut self) -> Result<Vec<u8>, DocumentError> {
        self.be_kept()?;
        let bytes = self.to_file();
        if self.unconfirmed.len() == MAX_UNCONFIRMED {
            self.unconfirmed.remove(0);
        }
        let written = fingerprint(&bytes);
        self.unconfirmed.push(written);
        self.note(&Record::Writing(written));
        self.be_kept()?;
        Ok(bytes)
    }

    /// These bytes, from [`Self::to_write`], are in the file.
    pub fn saved(&mut self, written: &[u8]) {
        self.unconfirmed.clear();
        if let FileText::Whole { text, .. } = FileText::read(written, written.len() as u64) {
            self.base = text;
        }
        self.note_written();
    }

    /// Whether a message would change the document; whoever may only watch is not let through with it.
    pub fn is_update(message: &[u8]) -> bool {
        wire::is_update(message)
    }

    /// Whether a message asks for all that its client lacks.
    pub fn is_step_1(message: &[u8]) -> bool {
        matches!(message, [0, 0, ..])
    }

    /// The messages that stand one behind the other in a frame, [`MAX_MESSAGES`] at most.
    pub fn messages(frame: &[u8]) -> Result<Vec<&[u8]>, DocumentError> {
        let mut messages = Vec::new();
        let mut rest = frame;
        while !rest.is_empty() {
            if messages.len() == MAX_MESSAGES {
                return Err(DocumentError::TooMany);
            }
            let (message, after) = rest.split_at(wire::message_length(rest)?);
            messages.push(message);
            rest = after;
        }
        Ok(messages)
    }

    /// A message that holds the whole document. [`DocumentError::NotKept`] while there are edits in it that nobody may
    /// hear of yet.
    pub fn everything(&mut self) -> Result<Vec<u8>, DocumentError> {
        self.be_kept()?;
        Ok(wire::step2(&self.lacked_by(&[])?))
    }

    /// A message that asks for what the document lacks.
    pub fn question(&self) -> Vec<u8> {
        wire::step1(self.clocks.iter())
    }

    /// How often messages had all of the document read, however short they were: questions for what somebody lacks, and
    /// updates that had to be tried on a copy, [`TRIAL`] times each.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// A message of who is where, for a client.
    pub fn awareness(aware: &[&Aware]) -> Vec<u8> {
        wire::awareness(aware)
    }

    /// Takes one message of the sync protocol.
    pub fn receive(&mut self, message: &[u8]) -> Result<Received, DocumentError> {
        match Message::read(message)? {
            Message::Step1(vector) => {
                self.readings += 1;
                self.be_kept()?;
                let update = self.lacked_by(&vector)?;
                Ok(Received::Replies(vec![wire::step2(&update), self.question()]))
            }
            Message::Update(bytes) => {
                if self.excerpt.is_some() {
                    return Err(DocumentError::ReadOnly);
                }
                match Update::read(bytes, MAX_BLOCKS)?.plan(&self.clocks, self.replica.client()) {
                    Ok(plan) => {
                        let typist = plan.clocks.keys().copied().next();
                        let is_typing = wire::is_edit(message) && plan.clocks.len() == 1;
                        let (broadcast, changed) = self.take(plan)?;
                        Ok(Received::Update { broadcast, changed, typist: typist.filter(|_| is_typing) })
                    }
                    // Something before it got lost or was refused: the client is asked for all that is missing here.
                    Err(DocumentError::Missing) => Ok(Received::Replies(vec![self.question()])),
                    Err(error) => Err(error),
                }
            }
            Message::Awareness(aware) => Ok(Received::Awareness(aware)),
            Message::AwarenessQuery => Ok(Received::WantsAwareness),
        }
    }

    /// The file was changed by something else, and is now `size` bytes, of which `bytes` is all or the beginning.
    /// Brings that into the document, whose own edits stay. Returns a message for everybody, if the text changed.
    pub fn merge_file(&mut self, bytes: &[u8], size: u64) -> Result<Option<Vec<u8>>, DocumentError> {
        let FileText::Whole { text: new, form } = FileText::read(bytes, size) else {
            return Err(DocumentError::Unreadable);
        };
        if self.excerpt.is_some() {
            return Err(DocumentError::Unreadable);
        }
        let ours = self.unconfirmed.contains(&fingerprint(bytes));
        let current = self.text();
        let edits = if ours { Vec::new() } else { merge::merge(&self.base, &current, &new) };
        if merge::apply(&current, &edits).len() as u64 > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge);
        }
        // One line does not say how it would end.
        let eol = if new.contains('\n') { form.eol } else { self.form.eol };
        (self.base, self.form) = (new, Form { eol, ..form });
        self.unconfirmed.clear();
        self.edit(&current, &edits)
    }

    /// How the file's lines end.
    pub fn line_ending(&self) -> LineEnding {
        self.form.eol
    }

    /// Has all lines of the file end so, from the next time on that it is written. Returns a message for everybody, if
    /// lines that ended another way have changed the text.
    pub fn end_lines(&mut self, eol: LineEnding) -> Result<Option<Vec<u8>>, DocumentError> {
        if self.excerpt.is_some() {
            return Err(DocumentError::ReadOnly);
        }
        self.be_kept()?;
        self.form.eol = eol;
        let current = self.text();
        self.edit(&current, &plain_lines(&current))
    }

    /// Makes the server's own edits of the text, which is `current`, and writes down how the file is besides.
    fn edit(&mut self, current: &str, edits: &[Edit]) -> Result<Option<Vec<u8>>, DocumentError> {
        if edits.is_empty() {
            self.note_file(current);
            return Ok(None);
        }
        let edited = merge::apply(current, edits);
        let update = match self.replica.edit(current, edits) {
            Ok(update) => update,
            Err(_) => return Err(self.start_anew(&edited)),
        };
        self.most_bytes = edited.len() as u64;
        self.most_blocks += 3 * edits.len();
        self.note_own();
        self.note(&Record::Update(&update));
        self.note_file(&edited);
        self.check_wear()?;
        Ok(Some(wire::update(&update)))
    }

    /// Integrates what is new of an update. Gives the message for everybody else, and whether there is a change in it.
    fn take(&mut self, plan: Plan<'_>) -> Result<(Vec<u8>, bool), DocumentError> {
        self.check_size(&plan)?;
        let deleted = match apply(&mut self.replica, &plan) {
            Ok(deleted) => deleted,
            Err(Failed::Broken(broken)) => return Err(self.rebuild(broken)),
            Err(Failed::TooMuchWork) => return Err(self.start_anew(&self.text())),
        };
        self.most_bytes += plan.text_bytes + split_growth(&plan);
        self.most_blocks += 3 * plan.structs.len() + 2 * plan.deletions.len();
        self.clocks.extend(&plan.clocks);
        let changed = !plan.structs.is_empty() || !deleted.is_empty();
        let update = update::encode(&plan.structs, &deleted);
        if changed {
            self.keep(&update)?;
        }
        self.check_wear()?;
        Ok((wire::update(&update), changed))
    }

    /// Whether the document stays within its limit; if that depends on what the plan deletes, by trying.
    fn check_size(&mut self, plan: &Plan<'_>) -> Result<(), DocumentError> {
        let fits = |bytes: u64| bytes + plan.text_bytes + split_growth(plan) <= MAX_DOCUMENT;
        if plan.structs.is_empty() || fits(self.most_bytes) {
            return Ok(());
        }
        self.most_bytes = self.text().len() as u64;
        if fits(self.most_bytes) {
            return Ok(());
        }
        if self.most_bytes + plan.text_bytes > MAX_DOCUMENT && plan.deletions.is_empty() {
            return Err(DocumentError::TooLarge);
        }
        self.readings += TRIAL;
        let state = self.lacked_by(&[])?;
        let trial = Replica::from_state(self.replica.client(), &state).map_err(Failed::Broken).and_then(|mut trial| {
            apply(&mut trial, plan)?;
            Ok(trial.text().len() as u64)
        });
        match trial {
            Ok(bytes) if bytes <= MAX_DOCUMENT => Ok(()),
            _ => Err(DocumentError::TooLarge),
        }
    }

    /// Starts a new life if this one has got too costly.
    fn check_wear(&mut self) -> Result<(), DocumentError> {
        let mut worn = self.clocks.len() > MAX_CLIENTS || self.replica.own_clock() > MAX_CLOCK / 2;
        if self.most_blocks > MAX_BLOCKS {
            let state = self.lacked_by(&[])?;
            self.most_blocks = Update::read(&state, MAX_BLOCKS).map_or(usize::MAX, |state| state.structs());
            worn |= self.most_blocks > MAX_BLOCKS / 2;
        }
        if worn { Err(self.start_anew(&self.text())) } else { Ok(()) }
    }

    /// An update of what a client lacks that has this much.
    fn lacked_by(&mut self, vector: &[(u64, u32)]) -> Result<Vec<u8>, DocumentError> {
        let known = vector.iter().filter_map(|(client, clock)| {
            let held = *self.clocks.get(client)?;
            Some((*client, held.min(*clock)))
        });
        let known: Vec<_> = known.collect();
        self.replica.lacked_by(&known).map_err(|broken| self.rebuild(broken))
    }

    /// The server's own clock, after it inserted something.
    fn note_own(&mut self) {
        let own = self.replica.own_clock();
        if own > 0 {
            self.clocks.insert(self.replica.client(), own);
        }
    }

    /// Starts a new life with the text of the broken replica; if that can't be had with the log's, which has every edit
    /// that anybody was told of, and with the file's if there is no log.
    fn rebuild(&mut self, broken: Broken) -> DocumentError {
        tracing::error!(epoch = self.epoch, remains = broken.remains.is_some(), "a document broke and starts anew");
        let whole = broken.remains.and_then(|remains| Replica::from_state(random(32), &remains).ok());
        let text = whole.map(|replica| replica.text()).or_else(|| self.logged_text());
        let text = text.unwrap_or_else(|| self.base.clone());
        self.start_anew(&text)
    }

    /// The same text without a past.
    fn start_anew(&mut self, text: &str) -> DocumentError {
        let fresh = Self::of(text.to_owned(), self.form, self.excerpt);
        self.replica = fresh.replica;
        self.clocks = fresh.clocks;
        self.epoch = fresh.epoch;
        self.most_bytes = fresh.most_bytes;
        self.most_blocks = fresh.most_blocks;
        self.begin_log();
        DocumentError::Rebuilt
    }
}

fn split_growth(plan: &Plan<'_>) -> u64 {
    SPLIT_GROWTH * (plan.structs.len() + plan.deletions.len()) as u64
}

enum Failed {
    Broken(Broken),
    TooMuchWork,
}

/// Gives a plan to a replica in portions, and stops when it takes too long. Says what was deleted.
fn apply(replica: &mut Replica, plan: &Plan<'_>) -> Result<Vec<update::Range>, Failed> {
    let until = processor_time() + MAX_WORK;
    let structs = plan.structs.chunks(PORTION).map(|structs| (structs, &[][..]));
    let deletions = plan.deletions.chunks(PORTION).map(|deletions| (&[][..], deletions));
    let mut deleted = Vec::new();
    for (structs, deletions) in structs.chain(deletions) {
        if processor_time() > until {
            return Err(Failed::TooMuchWork);
        }
        deleted.extend(replica.apply(&update::encode(structs, deletions)).map_err(Failed::Broken)?);
    }
    Ok(deleted)
}

/// The processor time of this thread: a busy machine makes nothing look costly.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn random(bits: u32) -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    u64::from_le_bytes(bytes) >> (64 - bits)
}
