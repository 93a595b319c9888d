//! Many editors on one document: how long an edit takes to reach the others, and how many reach them in a burst. Beside
//! it a bare relay, which only passes on what it gets, and the servers of y-websocket and Hocuspocus, all under the same
//! client program.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use embedenv_shared::frame::{BinaryFrame, DOCUMENT_HEADER};
use embedenv_shared::id::DocumentId;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use yrs::updates::decoder::Decode as _;
use yrs::{Doc, Text as _, Transact as _, Update};

use super::floor::Floor;
use super::idle::resident;
use super::output::Socket;
use super::peers::{Peer, Speech};
use super::{Row, median};
use crate::program::Program;

const CROWDS: [usize; 2] = [50, 200];
/// Interleaved rounds, and single edits in each.
const ROUNDS: usize = 3;
const EDITS: usize = 60;
/// Edits that each client sends at once.
const BURST: usize = 200;
/// How long a burst may take until what did not arrive counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn run() -> Result<Vec<Row>> {
    let floor = Floor::start().await?;
    let peers = Peer::start_all().await?;
    let mut rows = Vec::new();
    for count in CROWDS {
        let members = (count + 1).to_string();
        let program = Program::start_with(0, &[("EMBEDENV_ROOMS__MEMBERS", &members)]).await?;
        let mut ours = Crowd::ours(&program, count).await?;
        let room = format!("room{count}");
        let mut relay = Crowd::of(&floor.relay(&room), count, &Speech::default()).await?;
        let mut theirs = Vec::new();
        for peer in &peers {
            theirs.push((peer.name, Crowd::of(&peer.url(&room), count, &peer.speech(&room)).await?));
        }
        for _ in 0..ROUNDS {
            relay.edit(EDITS).await?;
            ours.edit(EDITS).await?;
            for (_, crowd) in &mut theirs {
                crowd.edit(EDITS).await?;
            }
        }
        let what = format!("an edit to its arrival at {} others, median", count - 1);
        let (mine, bare) = (ours.median(), relay.median());
        rows.push(Row::times(format!("{what}, beside a bare relay"), mine, bare));
        rows.extend(
            theirs.iter().map(|(name, crowd)| Row::times(format!("{what}, beside {name}"), mine, crowd.median())),
        );
        if count == CROWDS[0] {
            let (mine, bare) = (ours.burst().await?, relay.burst().await?);
            let what = format!("edits that {count} clients deliver to each other a second (more is better)");
            rows.push(rates(format!("{what}, beside a bare relay"), mine, bare));
            for (name, crowd) in &mut theirs {
                rows.push(rates(format!("{what}, beside {name}"), mine, crowd.burst().await?));
            }
        }
        let most = 16e6 + 64e3 * count as f64;
        let memory = resident(program.pid()?)? as f64;
        rows.push(Row {
            what: format!("the server's memory with {count} of them ({:.1} MB at most)", most / 1e6),
            ours: format!("{:.1} MB", memory / 1e6),
            floor: "–".to_owned(),
            ratio: None,
        });
    }
    Ok(rows)
}

fn rates(what: String, mine: f64, theirs: f64) -> Row {
    let say = |rate: f64| format!("{:.0} k/s", rate / 1e3);
    Row { what, ours: say(mine), floor: say(theirs), ratio: Some(mine / theirs) }
}

/// Editors of one document.
struct Crowd {
    editors: Vec<Editor>,
    arrived: Arc<Arrived>,
    /// How many an edit reaches.
    readers_of_each: usize,
    /// Ended with the crowd.
    _readers: JoinSet<()>,
}

/// What reached anybody.
#[derive(Default)]
struct Arrived {
    updates: AtomicUsize,
    some: Notify,
    /// When the single edit that is under way was sent, and how long it took to each.
    single: Mutex<(Option<Instant>, Vec<Duration>)>,
}

struct Editor {
    sink: SplitSink<Socket, Message>,
    /// What stands before each message.
    header: Vec<u8>,
    doc: Doc,
}

impl Crowd {
    async fn of(url: &str, count: usize, speech: &Speech) -> Result<Self> {
        let arrived = Arc::<Arrived>::default();
        let (mut editors, mut readers) = (Vec::new(), JoinSet::new());
        for _ in 0..count {
            let (socket, _) = tokio_tungstenite::connect_async(url).await?;
            editors.push(Editor::new(socket, speech, &arrived, &mut readers).await?);
        }
        let readers_of_each = if speech.echoes { count } else { count - 1 };
        Ok(Self { editors, arrived, readers_of_each, _readers: readers })
    }

    async fn ours(program: &Program, count: usize) -> Result<Self> {
        let mut host = program.full().await?;
        let opened = host.aside.iter().find(|frame| frame["type"] == "init").context("the answer")?;
        let key = opened["join"].clone();
        let create = json!({"type": "create", "item": "file", "path": "file"});
        host.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
        let arrived = Arc::<Arrived>::default();
        let (mut editors, mut readers) = (Vec::new(), JoinSet::new());
        for _ in 0..count {
            let (mut socket, _) = tokio_tungstenite::connect_async(program.url()).await?;
            for frame in [
                json!({"type": "join", "join": key, "protocol": 2}),
                json!({"type": "open", "project": "p", "path": "file"}),
            ] {
                socket.send(Message::text(frame.to_string())).await?;
            }
            let document = loop {
                let message = socket.next().await.context("the server closed")??;
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(text.as_str())?;
                if let Some(document) = frame["document"].as_u64().filter(|_| frame["type"] == "opened") {
                    break DocumentId(u32::try_from(document)?);
                }
            };
            let header = BinaryFrame::Document { document, message: &[] }.encode();
            let speech = Speech { header, asks: true, ..Speech::default() };
            editors.push(Editor::new(socket, &speech, &arrived, &mut readers).await?);
        }
        Ok(Self { editors, arrived, readers_of_each: count - 1, _readers: readers })
    }

    /// Single edits, one after the other, each waited for everywhere.
    async fn edit(&mut self, count: usize) -> Result<()> {
        for number in 0..count {
            let which = number % self.editors.len();
            let editor = &mut self.editors[which];
            let message = editor.edit();
            let until = self.arrived.updates.load(Ordering::Acquire) + self.readers_of_each;
            self.arrived.single.lock().0 = Some(Instant::now());
            editor.sink.send(message).await?;
            self.arrived.wait(until).await?;
        }
        self.arrived.single.lock().0 = None;
        Ok(())
    }

    fn median(&self) -> Duration {
        median(&mut self.arrived.single.lock().1)
    }

    /// Everybody sends at once. Returns how many edits arrived a second; fails if one did not.
    async fn burst(&mut self) -> Result<f64> {
        let edits: Vec<Vec<Message>> =
            self.editors.iter_mut().map(|editor| (0..BURST).map(|_| editor.edit()).collect()).collect();
        let deliveries = self.editors.len() * self.readers_of_each * BURST;
        let until = self.arrived.updates.load(Ordering::Acquire) + deliveries;
        let started = Instant::now();
        let sending = self.editors.iter_mut().zip(edits).map(|(editor, edits)| async move {
            for edit in edits {
                editor.sink.feed(edit).await?;
            }
            anyhow::Ok(editor.sink.flush().await?)
        });
        let (sent, arrived) = tokio::join!(futures_util::future::try_join_all(sending), self.arrived.wait(until));
        sent?;
        arrived?;
        Ok(deliveries as f64 / started.elapsed().as_secs_f64())
    }
}

impl Arrived {
    async fn wait(&self, until: usize) -> Result<()> {
        let all = async {
            while self.updates.load(Ordering::Acquire) < until {
                self.some.notified().await;
            }
        };
        let missing = || format!("{} updates never came", until - self.updates.load(Ordering::Acquire));
        timeout(PATIENCE, all).await.with_context(missing)
    }

    fn came(&self, updates: usize) {
        let now = Instant::now();
        let mut single = self.single.lock();
        if let Some(sent) = single.0 {
            single.1.push(now - sent);
        }
        drop(single);
        self.updates.fetch_add(updates, Ordering::AcqRel);
        self.some.notify_one();
    }
}

impl Editor {
    async fn new(socket: Socket, speech: &Speech, arrived: &Arc<Arrived>, readers: &mut JoinSet<()>) -> Result<Self> {
        let (mut sink, mut stream) = socket.split();
        let Speech { hello, header, asks, merges, .. } = speech;
        if !hello.is_empty() {
            sink.send(Message::binary(hello.clone())).await?;
        }
        if *asks {
            sink.send(Message::binary([&header[..], &[0, 0, 1, 0]].concat())).await?;
            // The answer, a step 2: before it is here nothing is counted.
            loop {
                let message = stream.next().await.context("the server closed")??.into_data();
                if message.get(header.len()..).is_some_and(|message| message.starts_with(&[0, 1])) {
                    break;
                }
            }
        }
        let (skip, merges, arrived) = (header.len(), *merges, arrived.clone());
        readers.spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                if let Message::Binary(frame) = message
                    && (skip == 0 || frame.len() > DOCUMENT_HEADER)
                {
                    let updates = updates_in(&frame[skip..], merges);
                    if updates > 0 {
                        arrived.came(updates);
                    }
                }
            }
        });
        Ok(Self { sink, header: header.clone(), doc: Doc::new() })
    }

    /// One more letter, as a message.
    fn edit(&mut self) -> Message {
        let text = self.doc.get_or_insert_text("content");
        let update = {
            let mut transaction = self.doc.transact_mut();
            text.push(&mut transaction, "x");
            transaction.encode_update_v1()
        };
        let mut message = self.header.clone();
        message.extend([0, 2]);
        // Updates of one letter are shorter than 128 bytes.
        message.push(update.len() as u8);
        message.extend(update);
        Message::binary(message)
    }
}

/// How many edits stand in the messages of a frame. Where edits are merged, they are counted by their letters.
fn updates_in(mut rest: &[u8], merges: bool) -> usize {
    let mut updates = 0;
    while let [kind, after @ ..] = rest {
        let (is_update, body) = match (kind, after) {
            (0, [step, body @ ..]) => (*step == 2, body),
            (1, body) => (false, body),
            _ => return updates,
        };
        let Some(digits) = body.iter().position(|byte| byte & 0x80 == 0).map(|last| last + 1) else { return updates };
        let length = body[..digits].iter().rev().fold(0, |length, byte| (length << 7) | usize::from(byte & 0x7f));
        let Some(next) = body.get(digits + length..) else { return updates };
        updates += match is_update {
            true if merges => letters_in(&body[digits..digits + length]),
            is_update => usize::from(is_update),
        };
        rest = next;
    }
    updates
}

/// How many letters an update adds; none if it can't be read.
fn letters_in(update: &[u8]) -> usize {
    let Ok(update) = Update::decode_v1(update) else { return 0 };
    let insertions = update.insertions(true);
    insertions.iter().flat_map(|(_, ranges)| ranges.iter()).map(|range| (range.end - range.start) as usize).sum()
}
