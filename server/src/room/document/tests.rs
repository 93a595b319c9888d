//! A document against clients that run a CRDT of their own.

mod hostile;
mod kept;
mod pages;

use yrs::block::ClientID;
use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{Doc, GetString as _, OffsetKind, Options, ReadTxn as _, StateVector, Text as _, Transact as _, Update};

use super::wire::put_bytes;
use super::*;

/// A small generator of its own, so that a failure can be repeated from its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// What a page is: a replica that sends each of its changes.
struct Client {
    doc: Doc,
}

impl Client {
    fn new(id: u64) -> Self {
        let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(ClientID::new(id)) };
        Self { doc: Doc::with_options(options) }
    }

    fn synced(id: u64, document: &mut Document) -> Self {
        let client = Self::new(id);
        client.sync(document);
        client
    }

    fn text(&self) -> String {
        self.doc.get_or_insert_text("content").get_string(&self.doc.transact())
    }

    fn insert(&self, at: u32, text: &str) -> Vec<u8> {
        let content = self.doc.get_or_insert_text("content");
        let mut transaction = self.doc.transact_mut();
        content.insert(&mut transaction, at, text);
        wire::update(&transaction.encode_update_v1())
    }

    fn delete(&self, at: u32, length: u32) -> Vec<u8> {
        let content = self.doc.get_or_insert_text("content");
        let mut transaction = self.doc.transact_mut();
        content.remove_range(&mut transaction, at, length);
        transaction.commit();
        wire::update(&transaction.encode_update_v1())
    }

    /// Changes something somewhere.
    fn edit(&self, chance: &mut Chance) -> Vec<u8> {
        const WORDS: [&str; 6] = ["a", "bc", "\n", "😀", "é😀", "longer text"];
        let text = self.text();
        let places: Vec<u32> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .map(|at| text[..at].encode_utf16().count() as u32)
            .collect();
        let from = chance.below(places.len());
        let to = (from + chance.below(4)).min(places.len() - 1);
        if from < to && chance.below(3) == 0 {
            self.delete(places[from], places[to] - places[from])
        } else {
            self.insert(places[from], WORDS[chance.below(WORDS.len())])
        }
    }

    /// Takes a message of the server and answers it.
    fn take(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut reader = wire::Reader::new(&message[2..]);
        let payload = reader.bytes().unwrap();
        if message[1] == 0 {
            let vector = StateVector::decode_v1(payload).unwrap();
            return Some(wire::step2(&self.doc.transact().encode_diff_v1(&vector)));
        }
        self.doc.transact_mut().apply_update(Update::decode_v1(payload).unwrap()).unwrap();
        None
    }

    /// The handshake a page does when it opens the document or comes back.
    fn sync(&self, document: &mut Document) {
        let vector = self.doc.transact().state_vector().encode_v1();
        let mut step1 = vec![0, 0];
        put_bytes(&mut step1, &vector);
        let Received::Replies(replies) = document.receive(&step1).unwrap() else { panic!("replies") };
        for reply in replies {
            if let Some(answer) = self.take(&reply) {
                let taken = document.receive(&answer);
                assert_eq!(taken.is_err(), document.excerpt.is_some(), "{taken:?}");
            }
        }
    }
}

fn document(text: &str) -> Document {
    Document::new(text, LineEnding::Lf)
}

fn broadcast(received: Received) -> Vec<u8> {
    match received {
        Received::Update { broadcast, changed: true, .. } => broadcast,
        other => panic!("{other:?}"),
    }
}

fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![0, kind];
    put_bytes(&mut message, payload);
    message
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Whatever happened, a stranger can still open the document and sees its text.
fn opens(document: &mut Document) {
    let text = document.text();
    assert_eq!(Client::synced(999, document).text(), text);
}

#[test]
fn clients_that_type_at_once_all_end_with_the_same_text() {
    for seed in 0..150 {
        let mut chance = Chance(seed);
        let mut document = document("start 😀\nsecond line\n");
        let clients: Vec<Client> = (1..=3).map(|id| Client::synced(id, &mut document)).collect();
        let mut sent: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 3];
        let mut heard: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 3];
        let mut pass_on = |who: usize, update: Vec<u8>, heard: &mut Vec<Vec<Vec<u8>>>| {
            // A deletion of what somebody else deleted meanwhile changes nothing.
            let Received::Update { broadcast, changed, .. } = document.receive(&update).unwrap() else {
                panic!("taken")
            };
            for other in (0..3).filter(|&other| changed && other != who) {
                heard[other].push(broadcast.clone());
            }
        };
        for _ in 0..60 {
            let who = chance.below(3);
            match chance.below(3) {
                0 => sent[who].push(clients[who].edit(&mut chance)),
                1 if !sent[who].is_empty() => pass_on(who, sent[who].remove(0), &mut heard),
                _ if !heard[who].is_empty() => assert!(clients[who].take(&heard[who].remove(0)).is_none()),
                _ => {}
            }
        }
        for (who, sent) in sent.into_iter().enumerate() {
            sent.into_iter().for_each(|update| pass_on(who, update, &mut heard));
        }
        for (client, heard) in clients.iter().zip(heard) {
            heard.iter().for_each(|update| assert!(client.take(update).is_none()));
            assert_eq!(client.text(), document.text(), "seed {seed}");
        }
        opens(&mut document);
    }
}

#[test]
fn a_client_that_was_away_gives_and_gets_what_is_missing() {
    let mut document = document("base");
    let (away, here) = (Client::synced(1, &mut document), Client::synced(2, &mut document));
    let mut chance = Chance(7);
    for _ in 0..20 {
        away.edit(&mut chance);
        document.receive(&here.edit(&mut chance)).unwrap();
    }
    away.sync(&mut document);
    here.sync(&mut document);
    assert_eq!((away.text(), here.text()), (document.text(), document.text()));
}

#[test]
fn an_update_that_came_already_changes_nothing() {
    let mut document = document("x");
    let client = Client::synced(1, &mut document);
    let (insert, delete) = (client.insert(1, "abc"), client.delete(0, 2));
    document.receive(&insert).unwrap();
    document.receive(&delete).unwrap();
    for again in [&insert, &delete] {
        assert!(matches!(document.receive(again), Ok(Received::Update { changed: false, .. })));
    }
    assert_eq!(document.text(), "bc");
}

#[test]
fn the_new_part_of_an_update_that_overlaps_is_taken() {
    let mut document = document("");
    let client = Client::synced(1, &mut document);
    document.receive(&client.insert(0, "é😀b")).unwrap();
    client.insert(4, "c");
    client.insert(5, "d😀");
    let all = client.doc.transact().encode_state_as_update_v1(&StateVector::default());
    let update = broadcast(document.receive(&message(2, &all)).unwrap());
    assert_eq!(document.text(), "é😀bcd😀");
    let other = Client::new(3);
    other.sync(&mut document);
    assert!(other.take(&update).is_none());
    assert_eq!(other.text(), "é😀bcd😀");
}

#[test]
fn an_update_that_leans_on_something_missing_is_asked_for_and_changes_nothing() {
    let mut document = document("base");
    let client = Client::synced(1, &mut document);
    let lost = client.insert(4, " lost");
    let next = client.insert(9, " next");
    let other = Client::synced(2, &mut document);
    other.take(&lost);
    other.take(&next);
    let leaning = other.insert(14, "!");
    let deleting = other.delete(4, 5);
    for update in [&next, &leaning, &deleting] {
        let Ok(Received::Replies(replies)) = document.receive(update) else { panic!("asked") };
        assert_eq!(document.text(), "base");
        assert!(replies.len() == 1 && replies[0].starts_with(&[0, 0]));
    }
    let Ok(Received::Replies(replies)) = document.receive(&leaning) else { panic!("asked") };
    document.receive(&client.take(&replies[0]).unwrap()).unwrap();
    assert_eq!(document.text(), "base lost next");
    opens(&mut document);
}

#[test]
fn awareness_passes_if_it_is_well_formed() {
    let mut document = document("");
    let mut awareness = vec![1];
    let state = [&[1, 5, 1][..], &[2], b"{}"].concat();
    put_bytes(&mut awareness, &state);
    let aware = Aware { client: 5, clock: 1, state: "{}".to_owned() };
    assert_eq!(Document::awareness(&[&aware]), awareness);
    assert_eq!(document.receive(&awareness), Ok(Received::Awareness(vec![aware])));
    awareness.push(0);
    assert_eq!(document.receive(&awareness), Err(DocumentError::Malformed));
    assert_eq!(document.receive(&[3]), Ok(Received::WantsAwareness));
}

#[test]
fn a_frame_of_several_messages_is_taken_apart_and_one_of_too_many_refused() {
    let mut source = document("");
    let client = Client::synced(1, &mut source);
    let (one, two) = (client.insert(0, "one"), client.insert(3, " two"));
    let frame = [&one[..], &[3], &two, &[1, 1, 0]].concat();
    assert_eq!(Document::messages(&frame), Ok(vec![&one[..], &[3], &two, &[1, 1, 0]]));
    assert_eq!(Document::messages(&[]), Ok(vec![]));
    assert_eq!(Document::messages(&frame[..one.len() - 1]), Err(DocumentError::Malformed));
    assert_eq!(Document::messages(&[&one[..], &[7]].concat()), Err(DocumentError::Malformed));
    assert_eq!(Document::messages(&vec![3; MAX_MESSAGES]).map(|messages| messages.len()), Ok(MAX_MESSAGES));
    assert_eq!(Document::messages(&vec![3; MAX_MESSAGES + 1]), Err(DocumentError::TooMany));
}

#[test]
fn a_document_grows_to_its_limit_and_no_further() {
    let limit = MAX_DOCUMENT as usize;
    let mut document = document(&"0123456789abcde\n".repeat(limit / 16 - 1));
    let client = Client::synced(1, &mut document);
    let too_much = client.insert(3, &"é".repeat(9));
    assert_eq!(document.receive(&too_much), Err(DocumentError::TooLarge));
    assert_eq!(document.text().len(), limit - 16);
    let client = Client::synced(2, &mut document);
    document.receive(&client.insert(5, "😀😀😀😀")).unwrap();
    assert_eq!(document.text().len(), limit);
    let one_more = client.insert(5, "x");
    assert_eq!(document.receive(&one_more), Err(DocumentError::TooLarge));
    // Replacing everything in one go is fine, though half way through there would be twice as much.
    let client = Client::synced(3, &mut document);
    let content = client.doc.get_or_insert_text("content");
    let mut transaction = client.doc.transact_mut();
    let length = content.len(&transaction);
    content.remove_range(&mut transaction, 0, length);
    content.insert(&mut transaction, 0, &"y".repeat(limit));
    transaction.commit();
    let replaced = wire::update(&transaction.encode_update_v1());
    drop(transaction);
    let readings = document.readings();
    document.receive(&replaced).unwrap();
    assert_eq!(document.readings(), readings + TRIAL, "it had to be tried");
    assert_eq!(document.text(), "y".repeat(limit));
    opens(&mut document);
}

#[test]
fn a_document_that_breaks_starts_anew_with_its_text() {
    let mut document = document("before\n");
    let client = Client::synced(1, &mut document);
    document.receive(&client.insert(7, "after\n")).unwrap();
    let epoch = document.epoch();
    let broken = document.replica.break_down();
    assert!(broken.remains.is_some());
    let error = document.rebuild(broken);
    assert!(error.closes().is_some());
    assert_ne!(document.epoch(), epoch);
    assert_eq!(document.text(), "before\nafter\n");
    opens(&mut document);
    let broken = Broken { remains: None };
    document.rebuild(broken);
    assert_eq!(document.text(), "before\n");
}

#[test]
fn a_document_worn_by_a_long_life_starts_anew_with_its_text() {
    let mut document = document(&"x".repeat(40_000));
    let client = Client::synced(1, &mut document);
    let mut worn = false;
    for at in 0..MAX_BLOCKS as u32 {
        match document.receive(&client.insert(at % 20_000 * 2, "-")) {
            Ok(_) => {}
            Err(DocumentError::Rebuilt) => {
                worn = true;
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(worn);
    assert_eq!(document.text(), client.text());
    assert!(document.most_blocks == 1 && document.clocks.len() == 1);
    opens(&mut document);

    // Typing along is one run of text, however long.
    let mut document = self::document("");
    let client = Client::synced(1, &mut document);
    for at in 0..MAX_BLOCKS as u32 {
        document.receive(&client.insert(at, "a")).unwrap();
    }
    assert_eq!(document.text().len(), MAX_BLOCKS);
}

#[test]
fn what_a_program_wrote_reaches_everybody_as_small_edits() {
    let mut document = document("one\ntwo\nthree\n");
    let client = Client::synced(1, &mut document);
    document.receive(&client.insert(3, " 😀")).unwrap();
    let update = document.merge_file("zero\none\ntwo\nTHREE\n".as_bytes(), 19).unwrap().unwrap();
    client.take(&update);
    assert_eq!(document.text(), "zero\none 😀\ntwo\nTHREE\n");
    assert_eq!(client.text(), document.text());
    assert!(update.len() < 80, "{} bytes", update.len());
    assert_eq!(document.merge_file("zero\none\ntwo\nTHREE\n".as_bytes(), 19), Ok(None));
    let written = document.to_write().unwrap();
    document.saved(&written);
    assert_eq!(document.merge_file(&written, written.len() as u64), Ok(None));
    document.merge_file(b"", 0).unwrap().unwrap();
    assert_eq!(document.text(), "");
    opens(&mut document);
}

#[test]
fn a_write_that_nobody_confirmed_is_no_change_of_the_file() {
    let mut document = document("start\n");
    let client = Client::synced(1, &mut document);
    document.receive(&client.insert(6, "abc\n")).unwrap();
    let maybe_written = document.to_write().unwrap();
    document.receive(&client.delete(6, 2)).unwrap();
    document.receive(&client.insert(0, "0\n")).unwrap();
    assert_eq!(document.merge_file(&maybe_written, maybe_written.len() as u64), Ok(None));
    assert_eq!(document.text(), "0\nstart\nc\n");
}

#[test]
fn a_crlf_file_is_edited_with_plain_lines_and_comes_back_exactly() {
    let bytes = "a\r\nb\r\n".as_bytes();
    let Opening::Editable(mut document) = Document::from_file(bytes, 6) else { panic!("editable") };
    assert_eq!((document.text().as_str(), document.to_file().as_slice()), ("a\nb\n", bytes));
    let client = Client::synced(1, &mut document);
    document.receive(&client.insert(4, "c\n")).unwrap();
    assert_eq!(document.to_file(), b"a\r\nb\r\nc\r\n");
    // A program that turns the endings round changes no text.
    assert_eq!(document.merge_file(b"a\nb\n", 4), Ok(None));
    assert_eq!(document.to_file(), b"a\nb\nc\n");
}

#[test]
fn the_lines_of_a_file_end_as_somebody_says_also_those_of_one_that_mixed_them() {
    let Opening::Editable(mut document) = Document::from_file(b"a\r\nb\nc", 6) else { panic!("editable") };
    let client = Client::synced(1, &mut document);
    let update = document.end_lines(LineEnding::CrLf).unwrap().expect("a carriage return is taken out of the text");
    client.take(&update);
    assert_eq!((client.text().as_str(), document.line_ending()), ("a\nb\nc", LineEnding::CrLf));
    assert_eq!(document.to_write().unwrap(), b"a\r\nb\r\nc");
    assert_eq!(document.end_lines(LineEnding::Lf), Ok(None));
    assert_eq!(document.to_file(), b"a\nb\nc");
    // One line does not say how it would end.
    let mut document = self::document("one");
    document.end_lines(LineEnding::CrLf).unwrap();
    assert!(document.merge_file(b"two", 3).unwrap().is_some());
    assert_eq!(document.line_ending(), LineEnding::CrLf);
}

#[test]
fn an_excerpt_takes_no_updates_and_no_merges() {
    let Opening::ReadOnly { mut document, why } = Document::from_file(b"caf\xe9", 4) else { panic!("read-only") };
    assert_eq!(why, ReadOnly::NotText);
    let client = Client::synced(1, &mut document);
    assert_eq!(client.text(), "caf\u{fffd}");
    assert_eq!(document.receive(&client.insert(0, "x")), Err(DocumentError::ReadOnly));
    assert_eq!(document.merge_file(b"cafe", 4), Err(DocumentError::Unreadable));
    let mut document = self::document("text");
    assert_eq!(document.merge_file(b"\0\0", 2), Err(DocumentError::Unreadable));
}

#[test]
fn two_megabytes_changed_in_a_thousand_places_are_merged() {
    let old: String = (0..38_000).map(|n| format!("line {n} of a file that is rather long, {n}\n")).collect();
    let new: String = old
        .lines()
        .enumerate()
        .map(
            |(n, line)| if n % 38 == 0 { format!("{}\n", line.replace("rather", "very")) } else { format!("{line}\n") },
        )
        .collect();
    let mut document = document(&old);
    let client = Client::synced(1, &mut document);
    let started = processor_time();
    let update = document.merge_file(new.as_bytes(), new.len() as u64).unwrap().unwrap();
    println!("merged {} bytes in {:?} into {} bytes", new.len(), processor_time() - started, update.len());
    client.take(&update);
    assert!(document.text() == new && client.text() == new);
}
