//! Clients that mean harm.

use yrs::types::Attrs;
use yrs::{Any, Array as _, Doc, Map as _, ReadTxn as _, StateVector, Text as _, Transact as _, WriteTxn as _};

use super::super::wire::put_number;
use super::*;

#[test]
fn structs_that_wait_for_each_other_in_turns_are_taken_and_in_a_circle_refused() {
    let mut server = document("");
    let (one, two) = (Client::new(11), Client::new(22));
    // Each character stands between two of the other's, so that neither client's part can go first as a whole.
    for turn in 0..20 {
        let (from, to) = if turn % 2 == 0 { (&one, &two) } else { (&two, &one) };
        to.take(&from.insert(turn / 2, "x"));
    }
    let all = one.doc.transact().encode_state_as_update_v1(&StateVector::default());
    assert!(matches!(server.receive(&message(1, &all)), Ok(Received::Update { changed: true, .. })));
    assert_eq!(server.text(), one.text());

    let mut circle = vec![2];
    for (client, other) in [(1u8, 2u8), (2, 1)] {
        circle.extend([1, client, 0, 0x84, other, 0, 1, b'x']);
    }
    circle.push(0);
    assert!(matches!(server.receive(&message(2, &circle)), Ok(Received::Replies(_))));
    let itself = [1, 1, 1, 0, 0x84, 1, 0, 1, b'x', 0];
    assert!(matches!(server.receive(&message(2, &itself)), Ok(Received::Replies(_))));
    opens(&mut server);
}

#[test]
fn lengths_that_lie_are_errors_at_once() {
    let mut document = document("text");
    for lie in ["8080808001", "ffffffff0f", "ffffffffffffff0f", "01ffffffff0f", "0001ffffffff0f", "000101ffffffff0f"] {
        let lie = hex(lie);
        for kind in 0..=2 {
            for message in [[&[0, kind][..], &lie].concat(), message(kind, &lie)] {
                assert_eq!(document.receive(&message), Err(DocumentError::Malformed), "{message:?}");
            }
        }
        assert_eq!(document.receive(&[&[1][..], &lie].concat()), Err(DocumentError::Malformed));
    }
    // A struct whose text says that it is 4 GB long, and one that says it deletes 4 billion characters.
    let text = [&[1, 1, 5, 0, 4, 1, 7][..], b"content", &hex("ffffffff0f")].concat();
    let deleted = [&[1, 1, 5, 0, 1, 1, 7][..], b"content", &hex("ffffffff0f00")].concat();
    assert_eq!(document.receive(&message(2, &text)), Err(DocumentError::Malformed));
    assert_eq!(document.receive(&message(2, &deleted)), Err(DocumentError::Malformed));
    assert_eq!(document.text(), "text");
}

#[test]
fn what_is_no_plain_text_is_refused() {
    let client = || Client::new(5).doc;
    let mut updates = Vec::new();
    let with = |change: &dyn Fn(&Doc)| {
        let doc = client();
        change(&doc);
        doc.transact().encode_state_as_update_v1(&StateVector::default())
    };
    updates.push(with(&|doc| doc.get_or_insert_text("other").insert(&mut doc.transact_mut(), 0, "x")));
    updates.push(with(&|doc| {
        doc.get_or_insert_map("content").insert(&mut doc.transact_mut(), "k", "v");
    }));
    updates.push(with(&|doc| {
        doc.get_or_insert_array("content").push_back(&mut doc.transact_mut(), 5);
    }));
    updates.push(with(&|doc| {
        let bold = Attrs::from([("b".into(), true.into())]);
        doc.get_or_insert_text("content").insert_with_attributes(&mut doc.transact_mut(), 0, "x", bold);
    }));
    updates.push(with(&|doc| {
        let content = doc.get_or_insert_text("content");
        content.insert_embed(&mut doc.transact_mut(), 0, Any::from("embedded"));
    }));
    updates.push(with(&|doc| {
        let content = doc.get_or_insert_array("content");
        content.push_back(&mut doc.transact_mut(), Doc::new());
    }));
    updates.push(with(&|doc| {
        let content = doc.get_or_insert_array("content");
        content.push_back(&mut doc.transact_mut(), vec![1u8, 2]);
    }));
    let mut document = document("text");
    for update in updates {
        assert_eq!(document.receive(&message(2, &update)), Err(DocumentError::NotText), "{update:?}");
    }
    let doc = client();
    doc.transact_mut().get_or_insert_text("content");
    doc.get_or_insert_text("content").insert(&mut doc.transact_mut(), 0, "second version");
    let second = doc.transact().encode_state_as_update_v2(&StateVector::default());
    assert!(document.receive(&message(2, &second)).is_err());
    assert_eq!(document.text(), "text");
    opens(&mut document);
}

#[test]
fn nobody_types_as_the_server() {
    let mut document = document("text");
    let posing = Client::synced(document.replica.client(), &mut document);
    assert_eq!(document.receive(&posing.insert(4, "x")), Err(DocumentError::Malformed));
    assert_eq!(document.text(), "text");
}

#[test]
fn an_update_made_to_be_costly_ends_the_life_of_the_document_and_not_the_server() {
    // Each struct leans on the two ends, so that its place has to be looked for among all those before it.
    let mut document = document("ab");
    let server = document.replica.client();
    let mut update = Vec::new();
    let clients = 3000u64;
    put_number(&mut update, clients);
    for client in 0..clients {
        put_number(&mut update, 10);
        put_number(&mut update, client);
        put_number(&mut update, 0);
        for _ in 0..10 {
            update.push(0xc4);
            for clock in [0, 1] {
                put_number(&mut update, server);
                put_number(&mut update, clock);
            }
            put_bytes(&mut update, b"x");
        }
    }
    update.push(0);
    let epoch = document.epoch();
    let started = processor_time();
    let outcome = document.receive(&message(2, &update));
    println!("costly update: {:?}", processor_time() - started);
    assert_eq!(outcome, Err(DocumentError::Rebuilt));
    assert_ne!(document.epoch(), epoch);
    assert!(document.text().starts_with('a') && document.text().ends_with('b'));
    opens(&mut document);
}

/// Feeds a message, and looks now and then whether the document still opens.
fn endure(document: &mut Document, message: &[u8], worst: &mut Duration) {
    let started = processor_time();
    let outcome = document.receive(message);
    *worst = (*worst).max(processor_time() - started);
    assert_ne!(outcome, Err(DocumentError::Rebuilt), "{message:?}");
}

#[test]
fn random_bytes_and_damaged_updates_break_nothing() {
    let mut chance = Chance(42);
    let mut document = document("some 😀 text\n");
    let client = Client::synced(1, &mut document);
    let mut updates = Vec::new();
    for _ in 0..200 {
        updates.push(client.edit(&mut chance));
    }
    updates.push(message(1, &client.doc.transact().encode_state_as_update_v1(&StateVector::default())));
    updates.push(message(0, &client.doc.transact().state_vector().encode_v1()));
    let mut worst = Duration::ZERO;
    for round in 0..20_000 {
        let mut bytes = if round % 2 == 0 {
            let mut bytes: Vec<u8> = (0..chance.below(60)).map(|_| chance.below(256) as u8).collect();
            if round % 4 == 0 {
                bytes = message(chance.below(3) as u8, &bytes);
            }
            bytes
        } else {
            updates[chance.below(updates.len())].clone()
        };
        for _ in 0..chance.below(4) {
            if !bytes.is_empty() {
                let at = chance.below(bytes.len());
                match chance.below(4) {
                    0 => bytes[at] = chance.below(256) as u8,
                    1 => bytes[at] ^= 1 << chance.below(8),
                    2 => bytes.truncate(at),
                    _ => bytes.insert(at, chance.below(256) as u8),
                }
            }
        }
        endure(&mut document, &bytes, &mut worst);
        if round % 500 == 0 {
            opens(&mut document);
        }
    }
    println!("worst message: {worst:?}");
    opens(&mut document);
    assert!(document.text().len() < 1_000_000);
}

/// Updates that are well-formed and mean harm: neighbours anywhere, in any order, halves of characters.
#[test]
fn well_formed_updates_with_wild_neighbours_break_nothing() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let mut document = document("😀ab😀\n");
        let server = document.replica.client();
        let mut clocks = [6u64, 0, 0, 0];
        let id = |chance: &mut Chance, clocks: &[u64; 4]| {
            let who = chance.below(4);
            (if who == 0 { server } else { who as u64 }, chance.below(clocks[who] as usize + 1) as u64)
        };
        let mut worst = Duration::ZERO;
        for _ in 0..60 {
            let who = 1 + chance.below(3);
            let mut update = vec![1];
            let count = 1 + chance.below(3) as u64;
            put_number(&mut update, count);
            put_number(&mut update, who as u64);
            put_number(&mut update, clocks[who]);
            let mut next = clocks[who];
            for _ in 0..count {
                let flags = [0x00u8, 0x40, 0x80, 0xc0][chance.below(4)];
                let deleted = chance.below(4) == 0;
                update.push(flags | if deleted { 1 } else { 4 });
                for _ in 0..flags.count_ones() {
                    let (client, clock) = id(&mut chance, &clocks);
                    put_number(&mut update, client);
                    put_number(&mut update, clock);
                }
                if flags == 0 {
                    update.push(1);
                    put_bytes(&mut update, b"content");
                }
                if deleted {
                    let length = 1 + chance.below(5) as u64;
                    put_number(&mut update, length);
                    next += length;
                } else {
                    let text = ["x", "😀", "yz😀"][chance.below(3)];
                    put_bytes(&mut update, text.as_bytes());
                    next += text.encode_utf16().count() as u64;
                }
            }
            update.push(1);
            let (client, clock) = id(&mut chance, &clocks);
            put_number(&mut update, client);
            put_number(&mut update, 1);
            put_number(&mut update, clock);
            put_number(&mut update, 1 + chance.below(3) as u64);
            let outcome = {
                let started = processor_time();
                let outcome = document.receive(&message(2, &update));
                worst = worst.max(processor_time() - started);
                outcome
            };
            match outcome {
                Ok(Received::Update { .. }) => clocks[who] = next,
                Ok(Received::Replies(_)) => {}
                other => panic!("seed {seed}: {other:?}"),
            }
            let mut vector = vec![1, who as u8];
            put_number(&mut vector, chance.below(clocks[who] as usize + 1) as u64);
            endure(&mut document, &message(0, &vector), &mut worst);
        }
        // Neighbours that never were neighbours may end in another order for somebody who gets them at once; they do
        // not keep anybody from opening the document.
        Client::synced(999, &mut document);
    }
}
