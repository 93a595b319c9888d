//! What the page reads of others takes every input that was ever worth keeping (`fuzz/corpus/page_…`).

use std::fs;
use std::path::Path;

use crate::link::RoomLink;
use crate::wire;

fn inputs(name: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let read = |entry: std::io::Result<fs::DirEntry>| fs::read(entry.expect("an entry").path()).expect("an input");
    let all: Vec<Vec<u8>> = fs::read_dir(folder).expect("a corpus").map(read).collect();
    assert!(!all.is_empty());
    all.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
}

#[test]
fn frames_of_any_content_are_read_or_refused() {
    let read = inputs("page_frame").iter().filter(|text| wire::read(text).is_ok()).count();
    assert!(read > 0, "some of them are frames");
}

#[test]
fn a_link_of_any_content_is_one_or_none() {
    for text in inputs("page_link") {
        if let Some(link) = RoomLink::parse(&text) {
            assert!(!link.join.is_empty(), "{text}");
        }
    }
}
