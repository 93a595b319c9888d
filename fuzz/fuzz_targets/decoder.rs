//! The fuzzer of every decoder: `DECODER` says which one this process feeds.

#![no_main]

use std::sync::LazyLock;

use embedenv_tests::decoders::{DECODERS, Decoder};
use libfuzzer_sys::fuzz_target;

/// The page's: what the server sends it, and the fragment of its address.
const PAGE: [Decoder; 2] = [
    Decoder { name: "page_frame", run: |bytes| drop(embedenv_web::wire::read(&String::from_utf8_lossy(bytes))) },
    Decoder { name: "page_link", run: |bytes| drop(embedenv_web::link::RoomLink::parse(&String::from_utf8_lossy(bytes))) },
];

static DECODER: LazyLock<Decoder> = LazyLock::new(|| {
    // What a decoder catches is no crash; what it lets through still is one.
    drop(std::panic::take_hook());
    let name = std::env::var("DECODER").expect("DECODER names a decoder");
    let all = DECODERS.iter().chain(&PAGE);
    *all.clone().find(|decoder| decoder.name == name).expect("there is a decoder of that name")
});

fuzz_target!(|bytes: &[u8]| (DECODER.run)(bytes));
