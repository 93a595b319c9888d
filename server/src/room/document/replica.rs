//! The CRDT behind a document: the one place that touches yrs, and the one that contains its panics.
//!
//! Given only updates that were checked ([`super::update`]), yrs should never panic. Should it all the same, the
//! replica is [`Broken`]: it is leaked rather than dropped, since nobody knows its state, and what it can still encode
//! is kept as its remains.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use yrs::block::ClientID;
use yrs::updates::decoder::Decode as _;
use yrs::{Doc, GetString as _, OffsetKind, Options, ReadTxn as _, StateVector, Text as _, TextRef, Transact as _};
use yrs::{TransactionMut, Update};

use super::merge::Edit;
use super::update::{ROOT, Range};

/// yrs panicked, or holds parts that it could not integrate. The remains are an update of all it has, if it could
/// still write one.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) remains: Option<Vec<u8>>,
}

pub(super) struct Replica {
    doc: Doc,
    content: TextRef,
    /// The server's own client id in this life of the document.
    client: u64,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Replica {
    pub(super) fn new(client: u64, text: &str) -> Self {
        let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(ClientID::new(client)) };
        let doc = Doc::with_options(options);
        let content = doc.get_or_insert_text(ROOT);
        content.insert(&mut doc.transact_mut(), 0, text);
        Self { doc, content, client }
    }

    /// Another replica's whole state under a client id of its own.
    pub(super) fn from_state(client: u64, state: &[u8]) -> Result<Self, Broken> {
        let mut replica = Self::new(client, "");
        replica.apply(state)?;
        Ok(replica)
    }

    pub(super) fn client(&self) -> u64 {
        self.client
    }

    pub(super) fn text(&self) -> String {
        self.content.get_string(&self.doc.transact())
    }

    /// How many characters the server itself ever inserted, in UTF-16 units.
    pub(super) fn own_clock(&self) -> u32 {
        self.doc.transact().store().get_local_state()
    }

    /// Integrates a checked update and says what that deleted.
    pub(super) fn apply(&mut self, update: &[u8]) -> Result<Vec<Range>, Broken> {
        self.change(|_, transaction| {
            let update = Update::decode_v1(update).expect("the update was written by this server");
            transaction.apply_update(update).expect("the update was checked");
            let deleted = transaction.delete_set().iter();
            deleted
                .flat_map(|(client, ranges)| {
                    let client = client.get();
                    ranges.iter().map(move |range| Range {
                        client,
                        clock: range.start,
                        length: range.end - range.start,
                    })
                })
                .collect()
        })
    }

    /// Edits the text as the server itself. `edits` are of `text`, which is the document's. Gives the update that
    /// does the same elsewhere.
    pub(super) fn edit(&mut self, text: &str, edits: &[Edit]) -> Result<Vec<u8>, Broken> {
        let edits = in_units(text, edits);
        self.change(|content, transaction| {
            edit_halves(content, transaction, &edits, 0);
            transaction.commit();
            transaction.encode_update_v1()
        })
    }

    /// An update of what someone lacks who has this much.
    pub(super) fn lacked_by(&self, clocks: &[(u64, u32)]) -> Result<Vec<u8>, Broken> {
        let mut vector = StateVector::default();
        for &(client, clock) in clocks {
            vector.set_max(ClientID::new(client), clock);
        }
        catch_unwind(AssertUnwindSafe(|| self.doc.transact().encode_diff_v1(&vector))).map_err(|_| {
            self.leak();
            Broken { remains: None }
        })
    }

    /// Changes the document. After a panic, or with parts that wait for others, it is broken.
    fn change<T>(&mut self, change: impl FnOnce(&TextRef, &mut TransactionMut<'_>) -> T) -> Result<T, Broken> {
        let content = &self.content;
        let mut transaction = ManuallyDrop::new(self.doc.transact_mut());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let outcome = change(content, &mut transaction);
            transaction.commit();
            let store = transaction.store();
            (store.pending_update().is_none() && store.pending_ds().is_none()).then_some(outcome)
        }));
        if let Ok(Some(outcome)) = outcome {
            drop(ManuallyDrop::into_inner(transaction));
            return Ok(outcome);
        }
        // The transaction is not dropped: that would commit it. The state is written by following the client's
        // lists, which end, and not the links between neighbours, which may not.
        let all = StateVector::default();
        let remains = catch_unwind(AssertUnwindSafe(|| transaction.encode_diff_v1(&all))).ok();
        self.leak();
        Err(Broken { remains })
    }

    /// Keeps the document's memory for ever.
    fn leak(&self) {
        std::mem::forget(self.doc.clone());
    }

    #[cfg(test)]
    pub(super) fn break_down(&mut self) -> Broken {
        self.change(|_, _| -> () { panic!("broken on purpose") }).unwrap_err()
    }
}

/// An edit in UTF-16 units, as the CRDT counts.
struct UnitEdit<'a> {
    at: u32,
    delete: u32,
    insert: &'a str,
    inserted: u32,
}

fn units(text: &str) -> u32 {
    text.chars().map(|character| character.len_utf16() as u32).sum()
}

fn in_units<'a>(text: &str, edits: &'a [Edit]) -> Vec<UnitEdit<'a>> {
    let (mut byte, mut unit) = (0, 0);
    edits
        .iter()
        .map(|edit| {
            let at = unit + units(&text[byte..edit.at]);
            let delete = units(&text[edit.at..edit.at + edit.delete]);
            (byte, unit) = (edit.at + edit.delete, at + delete);
            UnitEdit { at, delete, insert: &edit.insert, inserted: units(&edit.insert) }
        })
        .collect()
}

/// The middle edit first, then the halves beside it: a run of text that all of them fall in is split in half each
/// time, and not copied whole for every edit. Returns by how much the text grew.
fn edit_halves(content: &TextRef, transaction: &mut TransactionMut<'_>, edits: &[UnitEdit<'_>], shift: i64) -> i64 {
    let Some(edit) = edits.get(edits.len() / 2) else { return 0 };
    let at = u32::try_from(i64::from(edit.at) + shift).expect("edits lie within the text");
    if edit.delete > 0 {
        content.remove_range(transaction, at, edit.delete);
    }
    content.insert(transaction, at, edit.insert);
    let grown = i64::from(edit.inserted) - i64::from(edit.delete);
    let (before, after) = (&edits[..edits.len() / 2], &edits[edits.len() / 2 + 1..]);
    // From right to left, so that what is before keeps its place.
    let after = edit_halves(content, transaction, after, shift + grown);
    let before = edit_halves(content, transaction, before, shift);
    before + grown + after
}
