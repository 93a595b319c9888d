//! An editor of one document, as the page has it: a Yjs replica (here yrs) that syncs over a client's connection.

use anyhow::{Context as _, Result, bail};
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
    doc: Doc,
    text: TextRef,
}

impl Editor {
    /// Opens a file and waits until its text is here.
    pub async fn open(client: &mut Client, project: &str, path: &str) -> Result<Self> {
        let opened = client.request(json!({"type": "open", "project": project, "path": path})).await?;
        let document = u32::try_from(opened["document"].as_u64().with_context(|| opened.to_string())?)?;
        let doc = Doc::with_options(Options { offset_kind: OffsetKind::Utf16, ..Options::default() });
        let text = doc.get_or_insert_text("content");
        let mut editor = Self { document, doc, text };
        let state = yrs::updates::encoder::Encode::encode_v1(&editor.doc.transact().state_vector());
        editor.send(client, 0, &state).await?;
        while !editor.take(client).await?.contains(&1) {}
        Ok(editor)
    }

    pub fn text(&self) -> String {
        self.text.get_string(&self.doc.transact())
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

    async fn send(&self, client: &mut Client, step: u8, payload: &[u8]) -> Result<()> {
        let mut message = vec![0, step];
        let mut length = payload.len();
        while length >= 0x80 {
            message.push((length as u8 & 0x7f) | 0x80);
            length >>= 7;
        }
        message.push(length as u8);
        message.extend_from_slice(payload);
        client.send_binary(BinaryFrame::Document { document: DocumentId(self.document), message: &message }).await
    }

    /// Takes the messages that have come, waiting for one at least. Returns their steps.
    async fn take(&mut self, client: &mut Client) -> Result<Vec<u8>> {
        while !client.documents.iter().any(|(document, _)| *document == self.document) {
            match client.next().await? {
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
        for (_, message) in mine {
            let [0, step, rest @ ..] = &message[..] else { bail!("not a sync message: {message:?}") };
            let skip = rest.iter().position(|byte| byte & 0x80 == 0).context("a length")? + 1;
            let payload = &rest[skip..];
            match step {
                0 => {
                    let state = StateVector::decode_v1(payload)?;
                    let missing = self.doc.transact().encode_diff_v1(&state);
                    self.send(client, 1, &missing).await?;
                }
                1 | 2 => self.doc.transact_mut().apply_update(Update::decode_v1(payload)?)?,
                _ => bail!("an unknown step {step}"),
            }
            steps.push(*step);
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
