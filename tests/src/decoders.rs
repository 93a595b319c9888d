//! Every decoder of bytes that the server does not make itself, as a function of bytes: what `cargo xtask fuzz` hunts for
//! an input that breaks, and `tests/decoders.rs` feeds again with every input that was ever worth keeping.
//!
//! A decoder may refuse what it likes. It must not panic, take long or take much memory; where more must hold of what it
//! took, that is asserted here.

use std::path::{Path, PathBuf};

use embedenv::egress::Egress;
use embedenv::egress::allow::AllowList;
use embedenv::journal::{Journal, Syncer};
use embedenv::room::curl::{self, Request};
use embedenv::room::document::{Document, Opening, Received};
use embedenv::room::events::Events;
use embedenv::room::identities::Identities;
use embedenv::room::plain::PlainRenderer;
use embedenv::room::screen;
use embedenv::tasks::Tasks;
use embedenv_shared::command::{self, ClientBody, Command, Curl};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::frame::LineEnding;
use embedenv_shared::link::sessions::Size;
use embedenv_shared::link::{self, Answer, Event, Greeting, HEADER, Header, Kind, Preamble};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// Bytes that a peer may have sent before anybody reads them.
const PIPE: usize = 64 * 1024;
/// The longest frame of an agent that is looked at here, in bytes.
const MAX_LINK_FRAME: usize = 1024 * 1024;

/// One decoder, by the name of its corpus.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

/// All of them. Those of the page's are beside the page's own tests.
pub const DECODERS: [Decoder; 12] = [
    Decoder { name: "client_text", run: client_text },
    Decoder { name: "client_binary", run: client_binary },
    Decoder { name: "document_messages", run: document_messages },
    Decoder { name: "document_file", run: document_file },
    Decoder { name: "document_log", run: document_log },
    Decoder { name: "people_log", run: people_log },
    Decoder { name: "events_log", run: events_log },
    Decoder { name: "journal", run: journal },
    Decoder { name: "agent_link", run: agent_link },
    Decoder { name: "http_reply", run: http_reply },
    Decoder { name: "egress_request", run: egress_request },
    Decoder { name: "terminal_output", run: terminal_output },
];

/// A client's text frame: JSON, trees of projects, paths, `curl`.
fn client_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(frame) = command::parse(text)
        && let ClientBody::Command { command: Command::Curl(curl), .. } = frame.body
    {
        let _ = Request::check(curl);
    }
}

/// A client's binary frame, and the messages in it.
fn client_binary(bytes: &[u8]) {
    if let Ok(frame) = BinaryFrame::decode(bytes) {
        assert_eq!(frame.encode(), bytes, "what is read is what was written");
        if let BinaryFrame::Document { message, .. } = frame
            && let Ok(messages) = Document::messages(message)
        {
            assert_eq!(messages.concat(), message, "the messages are the whole of it");
        }
    }
}

/// Messages of the sync protocol to a document, which others can take up whole afterwards.
fn document_messages(bytes: &[u8]) {
    let mut document = Document::new("one\ntwo é\n", LineEnding::Lf);
    let Ok(messages) = Document::messages(bytes) else { return };
    for message in messages {
        let _ = document.receive(message);
    }
    // One that broke starts a new life, and that can be had.
    let everything = document.everything().or_else(|_| document.everything()).expect("a document can be encoded");
    let mut copy = Document::new("", LineEnding::Lf);
    // Who says different things under one number gets what they made: the order of their own letters may differ in a copy.
    let sorted = |text: String| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    match copy.receive(&everything) {
        Ok(Received::Update { .. }) => assert_eq!(sorted(copy.text()), sorted(document.text()), "a copy has the same"),
        other => panic!("a copy is taken: {other:?}"),
    }
}

/// A file that becomes a document, and another content of it that is merged.
fn document_file(bytes: &[u8]) {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let (before, after) = bytes.split_at(bytes.len() * usize::from(first) / 255);
    let Opening::Editable(mut document) = Document::from_file(before, before.len() as u64) else { return };
    assert_eq!(document.to_file(), before, "a file comes back byte for byte");
    if document.merge_file(after, after.len() as u64).is_ok() {
        assert_eq!(document.to_file(), after, "what a program wrote is there, if nobody else wrote");
    }
}

/// A document's log with records of any content.
fn document_log(bytes: &[u8]) {
    let file = Scratch::with_records(bytes);
    if let Ok(mut restored) = Document::restore(&file.path(), Syncer::default()) {
        restored.document.everything().or_else(|_| restored.document.everything()).expect("it can be encoded");
    }
}

/// The log of who may come back.
fn people_log(bytes: &[u8]) {
    let file = Scratch::with_records(bytes);
    let people = Identities::new(file.path(), Syncer::default());
    people.load();
    let _ = people.last();
}

/// The log of what happened in a room.
fn events_log(bytes: &[u8]) {
    let file = Scratch::with_records(bytes);
    let events = Events::new(file.path(), Syncer::default());
    block_on(async { events.after(0, usize::MAX).await.map(drop) }).expect("one that can't be read is put aside");
}

/// A file of records as a crash may leave it. What is left after the first look is whole.
fn journal(bytes: &[u8]) {
    let file = Scratch::new();
    std::fs::write(file.path(), bytes).expect("a file of one's own");
    let first = Journal::open(&file.path(), &Syncer::default()).expect("any bytes are a journal");
    let again = Journal::open(&file.path(), &Syncer::default()).expect("and what is left of it, too");
    assert_eq!((&first.records, again.cut), (&again.records, 0));
}

/// What an agent says over its link, and what it is told at its start.
fn agent_link(bytes: &[u8]) {
    let _ = Preamble::read(&mut &bytes[..]);
    let mut rest = bytes;
    while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
        let Ok(header) = Header::decode(header, MAX_LINK_FRAME) else { return };
        let Some((payload, after)) = after.split_at_checked(header.length as usize) else { return };
        match header.kind {
            Kind::Greeting => drop(link::decode::<Greeting>(payload)),
            Kind::Request => drop(link::decode::<link::Request>(payload)),
            Kind::Reply => drop(link::decode::<Answer>(payload)),
            Kind::Event => drop(link::decode::<Event>(payload)),
            _ => {}
        }
        rest = after;
    }
}

/// What a server in a sandbox answers to `curl`.
fn http_reply(bytes: &[u8]) {
    let curl = Curl {
        method: "GET".to_owned(),
        url: "http://localhost:1/".to_owned(),
        headers: std::collections::BTreeMap::new(),
        data: String::new(),
    };
    let request = Request::check(curl).expect("a good request");
    block_on(with_peer(bytes, |stream| async move {
        if let Ok(mut reply) = curl::fetch(stream, request).await {
            while let Some(Ok(_)) = reply.next().await {}
        }
    }));
}

/// What a program in a sandbox says to the proxy.
fn egress_request(bytes: &[u8]) {
    block_on(with_peer(bytes, |stream| async move {
        let nothing = AllowList::parse(&[]).expect("nothing may be reached");
        let egress = std::sync::Arc::new(Egress::new(nothing, u64::MAX, Tasks::default()));
        embedenv::egress::serve(stream, egress).await;
    }));
}

/// What a program prints, as plain clients get it and as a screen.
fn terminal_output(bytes: &[u8]) {
    let Some((&[cols, rows], output)) = bytes.split_first_chunk::<2>() else { return };
    let mut renderer = PlainRenderer::default();
    let mut frames = Vec::new();
    for (index, chunk) in output.chunks(usize::from(cols) + 1).enumerate() {
        renderer.push(chunk, &mut frames);
        match index % 3 {
            0 => renderer.flush(&mut frames),
            1 => renderer.waiting(&mut frames),
            _ => {}
        }
    }
    renderer.end(&mut frames);
    screen::snapshot(Size { cols: cols.into(), rows: rows.into() }, output);
}

/// Runs `talk` with a stream on whose other end a peer says these bytes, listens, and goes.
async fn with_peer<F: Future<Output = ()>>(bytes: &[u8], talk: impl FnOnce(DuplexStream) -> F) {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    let (mut hears, mut says) = tokio::io::split(theirs);
    let speaking = async {
        // Whoever has heard enough hangs up.
        let _ = says.write_all(bytes).await;
        let _ = says.shutdown().await;
    };
    let listening = async {
        let mut heard = vec![0; PIPE];
        while hears.read(&mut heard).await.is_ok_and(|read| read > 0) {}
    };
    let ((), (), ()) = tokio::join!(talk(ours), speaking, listening);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime of one thread").block_on(future)
}

/// A file that is gone afterwards, with all that was made beside it.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self(folder.expect("a folder of one's own"))
    }

    /// A journal whose records are pieces of the bytes: each begins with its length in two bytes, little endian.
    fn with_records(bytes: &[u8]) -> Self {
        let (scratch, mut rest, mut records) = (Self::new(), bytes, Vec::new());
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (record, after) = after.split_at(usize::from(u16::from_le_bytes(*length)).min(after.len()));
            records.push(record);
            rest = after;
        }
        Journal::create(&scratch.path(), &records, &Syncer::default()).expect("a journal of one's own");
        scratch
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("1.log")
    }
}
