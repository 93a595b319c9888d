//! An editor of one document, as the page has it: a Yjs replica (here yrs) that syncs over a client's connection.

use anyhow::{Context as _, Result, bail, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::DocumentId;
use serde_json::{Value, json};
use yrs::updates::decoder::Decode as _;
use yrs::{
    Doc, GetString as _, OffsetKind, Options, ReadTxn as _, StateVector, Text as _, TextRef, Transact as _, Update,
};

use crate::client::{Client, Received};

#[derive(Debug)]
pub struct Editor {
    pub document: u32,
    pub epoch: u64,
    doc: Doc,
    text: TextRef,
    /// Update messages sent on this connection, and how many of them the server holds.
    pub sent: u64,
    pub received: u64,
    /// Awareness updates that came.
    pub aware: Vec<Vec<u8>>,
}

impl Editor {
    /// Opens a file and waits until its text is here.
    pub async fn open(client: &mut Client, project: &str, path: &str) -> Result<Self> {
        let doc = Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() });
        let text = doc.get_or_insert_text("content");
        let mut editor = Self { document: 0, epoch: 0, doc, text, sent: 0, received: 0, aware: Vec::new() };
        editor.reopen(client, project, path).await?;
        Ok(editor)
    }

    /// Opens the file on another connection, with what this editor has. Fails if the document has another epoch.
    pub async fn reopen(&mut self, client: &mut Client, project: &str, path: &str) -> Result<()> {
        let opened = client.request(json!({"type": "open", "project": project, "path": path})).await?;
        self.document = u32::try_from(opened["document"].as_u64().with_context(|| opened.to_string())?)?;
        // What was told of an earlier time that it was open here.
        let document = self.document;
        client.aside.retain(|frame| frame["type"] != "document" || frame["document"] != document);
        let epoch = opened["epoch"].as_u64().with_context(|| opened.to_string())?;
        ensure!(self.epoch == 0 || self.epoch == epoch, "{path} has epoch {epoch}, and had {}", self.epoch);
        (self.epoch, self.sent, self.received) = (epoch, 0, 0);
        let state = yrs::updates::encoder::Encode::encode_v1(&self.doc.transact().state_vector());
        self.send(client, 0, &state).await?;
        // What this editor lacked, and the question for what the server lacks, which is answered.
        let mut steps = Vec::new();
        while !(steps.contains(&1) && steps.contains(&0)) {
            steps.extend(self.take(client).await?);
        }
        Ok(())
    }

    pub fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    /// In UTF-16 units.
    pub fn text_len(&self) -> u32 {
        self.text.len(&self.doc.transact())
    }

    /// Inserts at an offset in UTF-16 units, and sends the edit.
    pub async fn insert(&mut self, client: &mut Client, at: u32, what: &str) -> Result<()> {
        let before = self.doc.transact().state_vector();
        self.text.insert(&mut self.doc.transact_mut(), at, what);
        let update = self.doc.transact().encode_diff_v1(&before);
        self.send(client, 2, &update).await
    }

    /// Takes what comes until the text is this.
    pub async fn wait_for(&mut self, client: &mut Client, text: &str) -> Result<()> {
        while self.text() != text {
            let seen = self.text();
            self.take(client).await.with_context(|| format!("the text is {seen:?}, and should become {text:?}"))?;
        }
        Ok(())
    }

    /// Inserts without sending.
    pub fn insert_offline(&mut self, at: u32, what: &str) {
        self.text.insert(&mut self.doc.transact_mut(), at, what);
    }

    /// Takes what comes until the server holds everything that was sent.
    pub async fn wait_until_held(&mut self, client: &mut Client) -> Result<()> {
        while self.received < self.sent {
            self.take(client).await.with_context(|| format!("{} of {} are held", self.received, self.sent))?;
        }
        Ok(())
    }

    /// Says where this editor is: JSON, as an awareness state of one client.
    pub async fn say_where(&self, client: &mut Client, yjs_client: u64, clock: u64, state: &str) -> Result<()> {
        let mut update = vec![1];
        for number in [yjs_client, clock, state.len() as u64] {
            put_number(&mut update, number);
        }
        update.extend_from_slice(state.as_bytes());
        let mut message = vec![1];
        put_number(&mut message, update.len() as u64);
        message.extend_from_slice(&update);
        self.send_raw(client, &message).await
    }

    /// Sends any bytes as messages of this document.
    pub async fn send_raw(&self, client: &mut Client, message: &[u8]) -> Result<()> {
        client.send_binary(BinaryFrame::Document { document: DocumentId(self.document), message }).await
    }

    async fn send(&mut self, client: &mut Client, step: u8, payload: &[u8]) -> Result<()> {
        self.sent += u64::from(step > 0);
        let mut message = vec![0, step];
        put_number(&mut message, payload.len() as u64);
        message.extend_from_slice(payload);
        self.send_raw(client, &message).await
    }

    /// Takes the messages that have come, waiting for one at least or for word on where the document stands. Returns the
    /// steps of sync messages.
    pub async fn take(&mut self, client: &mut Client) -> Result<Vec<u8>> {
        let mine = |frame: &Value| frame["type"] == "document" && frame["document"] == self.document;
        // Another editor on this connection may have come across it.
        if let Some(at) = client.aside.iter().position(mine) {
            self.received = client.aside.remove(at)["received"].as_u64().context("a number")?;
            return Ok(Vec::new());
        }
        while !client.documents.iter().any(|(document, _)| *document == self.document) {
            match client.next().await? {
                Received::Text(frame) if mine(&frame) => {
                    self.received = frame["received"].as_u64().context("a number")?;
                    return Ok(Vec::new());
                }
                Received::Text(frame) => self.aside(client, frame)?,
                Received::Binary(bytes) => client.keep(&bytes)?,
                Received::Closed(code) => bail!("the server closed with {code:?}"),
            }
        }
        let (mine, others) =
            std::mem::take(&mut client.documents).into_iter().partition(|(document, _)| *document == self.document);
        client.documents = others;
        let mine: Vec<(u32, Vec<u8>)> = mine;
        let mut steps = Vec::new();
        for (_, frame) in mine {
            let mut rest = &frame[..];
            while !rest.is_empty() {
                let (kind, payload, after) = split_first(rest)?;
                rest = after;
                match kind {
                    [0, 0] => {
                        let state = StateVector::decode_v1(payload)?;
                        let missing = self.doc.transact().encode_diff_v1(&state);
                        self.send(client, 1, &missing).await?;
                    }
                    [0, 1 | 2] => self.doc.transact_mut().apply_update(Update::decode_v1(payload)?)?,
                    [1] => self.aware.push(payload.to_vec()),
                    _ => bail!("an unknown kind of message: {kind:?}"),
                }
                steps.extend(kind.get(1));
            }
        }
        Ok(steps)
    }

    fn aside(&self, client: &mut Client, frame: Value) -> Result<()> {
        if frame["type"] == "document-closed" || frame["type"] == "error" {
            bail!("{frame}");
        }
        client.aside.push(frame);
        Ok(())
    }
}

/// The first message of a frame: its kind, what it holds, and the messages behind it.
fn split_first(frame: &[u8]) -> Result<(&[u8], &[u8], &[u8])> {
    let (kind, rest) = frame.split_at_checked(if frame[0] == 0 { 2 } else { 1 }).context("half a message")?;
    let digits = rest.iter().position(|byte| byte & 0x80 == 0).context("a length")? + 1;
    let length = rest[..digits].iter().rev().fold(0, |length, byte| (length << 7) | usize::from(byte & 0x7f));
    let (payload, after) = rest[digits..].split_at_checked(length).context("half a message")?;
    Ok((kind, payload, after))
}

/// A whole number in the lib0 encoding.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
