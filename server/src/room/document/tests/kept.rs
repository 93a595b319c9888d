//! Documents and their logs: what a document of a log has, whatever happened to the log before.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use embedenv_shared::path::{ProjectName, WorkspacePath};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::super::keeping::Restored;
use super::*;
use crate::journal::Syncer;

fn place() -> Place {
    Place { project: ProjectName::parse("p").unwrap(), path: WorkspacePath::parse("a.txt").unwrap() }
}

fn kept(text: &str, log: &Path) -> Document {
    let mut document = document(text);
    document.log_to(log.to_owned(), place(), Syncer::default()).unwrap();
    document
}

fn restored(log: &Path) -> Restored {
    Document::restore(log, Syncer::default()).unwrap()
}

/// What a killed server's document comes back as.
fn again(document: &mut Document, log: &Path) {
    let before = (document.epoch(), document.text(), document.clocks.clone());
    *document = restored(log).document;
    assert_eq!((document.epoch(), document.text(), document.clocks.clone()), before);
    opens(document);
}

#[test]
fn a_document_comes_back_with_its_epoch_and_takes_what_was_typed_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("1.log");
    let mut document = kept("start\n", &log);
    let client = Client::synced(1, &mut document);
    document.receive(&client.insert(6, "one\n")).unwrap();
    again(&mut document, &log);
    let lost = client.insert(10, "two\n");
    let next = client.insert(14, "three\n");
    // The server was gone when this was sent.
    drop(lost);
    let Ok(Received::Replies(asks)) = document.receive(&next) else { panic!("asked") };
    document.receive(&client.take(&asks[0]).unwrap()).unwrap();
    assert_eq!(document.text(), "start\none\ntwo\nthree\n");
    again(&mut document, &log);
}

#[test]
fn random_edits_merges_and_writes_come_back_at_any_moment_and_the_file_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("1.log");
    let mut document = kept("first line\nsecond\n", &log);
    let mut chance = Chance(11);
    let mut client = Client::synced(1, &mut document);
    let mut file = document.to_file();
    for turn in 0..600u64 {
        match chance.below(8) {
            0 => {
                let written = document.to_write().unwrap();
                match chance.below(4) {
                    // The server ended before the write.
                    0 => {}
                    // And between the write and the answer.
                    1 => file = written,
                    _ => {
                        document.saved(&written);
                        file = written;
                    }
                }
            }
            1 => {
                // A program writes.
                let line = format!("by a program {turn}\n");
                file.splice(0..0, line.into_bytes());
                if let Some(update) = document.merge_file(&file, file.len() as u64).unwrap() {
                    client.take(&update);
                }
            }
            2 => {
                again(&mut document, &log);
                let Restored { is_saved, .. } = restored(&log);
                assert_eq!(is_saved, document.text() == document.base);
                // What the file has is nobody's edit, unless a program made it.
                let text = document.text();
                let is_known = document.base.as_bytes() == file || document.unconfirmed.contains(&fingerprint(&file));
                assert!(is_known, "turn {turn}");
                if document.merge_file(&file, file.len() as u64).unwrap().is_some() {
                    panic!("{text:?} was changed by its own file");
                }
            }
            3 => client = Client::synced(turn + 2, &mut document),
            _ => drop(document.receive(&client.edit(&mut chance)).unwrap()),
        }
    }
}

#[test]
fn a_log_written_anew_has_what_came_while_that_was_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("1.log");
    let mut document = kept("", &log);
    let mut client = Client::synced(1, &mut document);
    let mut longest = 0;
    let mut compactions = 0;
    let more = "some more text ".repeat(20);
    for turn in 0..4000u32 {
        let from = client.text().encode_utf16().count() as u32;
        let update = if from < 4000 { client.insert(from, &more) } else { client.delete(0, 3000) };
        document.receive(&update).unwrap();
        longest = longest.max(document.log_length());
        if let Some(compaction) = document.compaction() {
            let prepared = compaction.write().unwrap();
            document.receive(&client.insert(0, "meanwhile")).unwrap();
            document.compacted(prepared).unwrap();
            compactions += 1;
            again(&mut document, &log);
            client = Client::synced(u64::from(turn) + 2, &mut document);
        }
    }
    assert!(compactions > 0 && longest < 1024 * 1024, "{compactions} {longest}");
    again(&mut document, &log);
}

#[test]
fn a_new_life_is_another_epoch_in_the_same_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("1.log");
    let mut document = kept("text", &log);
    let epoch = document.epoch();
    assert_eq!(document.start_anew("other text"), DocumentError::Rebuilt);
    assert_ne!(document.epoch(), epoch);
    again(&mut document, &log);
    assert_eq!(document.text(), "other text");
}

#[test]
fn a_document_that_breaks_without_remains_goes_on_with_what_its_log_has() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("1.log");
    let mut document = kept("in the file", &log);
    let client = Client::synced(1, &mut document);
    document.receive(&client.insert(11, " and typed")).unwrap();
    assert_eq!(document.rebuild(Broken { remains: None }), DocumentError::Rebuilt);
    assert_eq!(document.text(), "in the file and typed");
    again(&mut document, &log);
}

#[test]
fn a_moved_file_is_known_by_its_path_and_one_half_moved_by_both() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("1.log");
    let mut document = kept("text", &log);
    let path = |text: &str| WorkspacePath::parse(text).unwrap();
    document.moving(&path("b.txt"));
    let Restored { document: half, maybe_at, .. } = restored(&log);
    assert_eq!((&half.place().unwrap().path, maybe_at), (&path("a.txt"), Some(path("b.txt"))));
    document.moved(&path("b.txt"));
    let Restored { document: moved, maybe_at, .. } = restored(&log);
    assert_eq!((&moved.place().unwrap().path, maybe_at), (&path("b.txt"), None));
}

#[test]
fn a_torn_log_loses_its_last_record_and_one_that_is_no_log_makes_no_document() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("1.log");
    let mut document = kept("", &log);
    let client = Client::synced(1, &mut document);
    let mut texts = vec![(fs::metadata(&log).unwrap().len(), String::new())];
    for n in 0..40 {
        document.receive(&client.insert(n, "x")).unwrap();
        texts.push((fs::metadata(&log).unwrap().len(), document.text()));
    }
    let whole = fs::read(&log).unwrap();
    for torn_at in (texts[0].0 as usize..whole.len()).step_by(3) {
        fs::write(&log, &whole[..torn_at]).unwrap();
        let (_, text) = texts.iter().rfind(|(end, _)| *end <= torn_at as u64).unwrap();
        assert_eq!(restored(&log).document.text(), *text, "torn at {torn_at}");
    }
    for junk in [&b""[..], b"junk", &whole[20..]] {
        fs::write(&log, junk).unwrap();
        assert!(Document::restore(&log, Syncer::default()).is_err());
    }
}

#[test]
fn an_edit_that_can_not_be_written_down_is_not_told_and_written_later() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("room")).unwrap();
    let mut document = kept("text", &folder.path().join("room/1.log"));
    let client = Client::synced(1, &mut document);
    // A disk that is full: the log's file can't grow, and no other can take its place.
    let (log, away) = (folder.path().join("room/1.log"), folder.path().join("away"));
    let full = memfd_create("full", MemfdFlags::ALLOW_SEALING).unwrap();
    rustix::io::write(&full, &fs::read(&log).unwrap()).unwrap();
    fcntl_add_seals(&full, SealFlags::GROW).unwrap();
    fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink(format!("/proc/self/fd/{}", full.as_raw_fd()), &log).unwrap();
    let mut document = restored(&log).document;
    fs::rename(log.parent().unwrap(), &away).unwrap();
    for at in 4..7 {
        assert_eq!(document.receive(&client.insert(at, "x")), Err(DocumentError::NotKept));
        assert!(!document.is_kept() && !document.catch_up());
        // Nobody else is given it, and neither is the file.
        assert_eq!(document.receive(&message(0, &[0])), Err(DocumentError::NotKept));
        assert_eq!(document.everything(), Err(DocumentError::NotKept));
        assert_eq!(document.to_write(), Err(DocumentError::NotKept));
    }
    fs::rename(&away, log.parent().unwrap()).unwrap();
    assert_eq!(restored(&log).document.text(), "text");
    // Who asks has it written down before the answer.
    opens(&mut document);
    assert!(document.is_kept());
    again(&mut document, &log);
    assert_eq!(document.text(), "textxxx");
    document.receive(&client.insert(7, "y")).unwrap();
    again(&mut document, &log);
}
