//! A client as a test sees it: a real WebSocket, frames in order, and what has arrived.
//!
//! Every wait has a limit, and running out of it says what was waited for and what came instead.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use embedenv_shared::frame::BinaryFrame;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long a test waits for a frame that must come.
pub const WITHIN: Duration = Duration::from_secs(20);

/// What a client received.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    Text(Value),
    Binary(Vec<u8>),
    Closed(Option<u16>),
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// Text frames that came while something else was waited for.
    pub aside: Vec<Value>,
    /// Output of terminals that came meanwhile, in order: terminal, offset, bytes.
    pub output: Vec<(u32, u64, Vec<u8>)>,
    /// Document messages that came meanwhile.
    pub documents: Vec<(u32, Vec<u8>)>,
}

impl Client {
    pub async fn connect(url: &str) -> Result<Self> {
        Self::connect_from(url, None).await
    }

    /// As a page of this origin does.
    pub async fn connect_from(url: &str, origin: Option<&str>) -> Result<Self> {
        let mut request = url.into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse()?);
        }
        let (socket, _) =
            tokio_tungstenite::connect_async(request).await.with_context(|| format!("connecting to {url}"))?;
        Ok(Self { socket, next_id: 0, aside: Vec::new(), output: Vec::new(), documents: Vec::new() })
    }

    /// The address of this end.
    pub fn local_address(&self) -> Result<SocketAddr> {
        match self.socket.get_ref() {
            MaybeTlsStream::Plain(stream) => Ok(stream.local_addr()?),
            _ => bail!("a connection without TLS was expected"),
        }
    }

    pub async fn send(&mut self, frame: Value) -> Result<()> {
        Ok(self.socket.send(Message::text(frame.to_string())).await?)
    }

    pub async fn send_text(&mut self, text: &str) -> Result<()> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    pub async fn send_binary(&mut self, frame: BinaryFrame<'_>) -> Result<()> {
        Ok(self.socket.send(Message::binary(frame.encode())).await?)
    }

    /// A frame as it is, right or wrong.
    pub async fn send_frame(&mut self, frame: Frame) -> Result<()> {
        Ok(self.socket.send(Message::Frame(frame)).await?)
    }

    /// A `cmd` frame.
    pub async fn command(&mut self, project: &str, command: Value, rest: Value) -> Result<()> {
        let mut frame = json!({"type": "cmd", "project_name": project, "command": command});
        let members = frame.as_object_mut().context("an object")?;
        members.extend(rest.as_object().cloned().unwrap_or_default());
        self.send(frame).await
    }

    pub async fn shell(&mut self, project: &str, line: &str) -> Result<()> {
        self.command(project, json!({"type": "shell", "command": line}), json!({})).await
    }

    /// The next message of any kind.
    pub async fn next(&mut self) -> Result<Received> {
        timeout(WITHIN, self.receive()).await.context("nothing came")?
    }

    async fn receive(&mut self) -> Result<Received> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Received::Text(serde_json::from_str(text.as_str())?)),
                Some(Ok(Message::Binary(bytes))) => return Ok(Received::Binary(bytes.to_vec())),
                Some(Ok(Message::Close(frame))) => {
                    return Ok(Received::Closed(frame.map(|CloseFrame { code, .. }| code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(Received::Closed(None)),
            }
        }
    }

    /// The next text frame; binary ones are kept aside.
    pub async fn frame(&mut self) -> Result<Value> {
        let deadline = Instant::now() + WITHIN;
        loop {
            let received = timeout_at(deadline, self.receive()).await.context("no frame came in time")??;
            match received {
                Received::Text(frame) => return Ok(frame),
                Received::Binary(bytes) => self.keep(&bytes)?,
                Received::Closed(code) => bail!("the server closed with {code:?}"),
            }
        }
    }

    /// The next text frame for which `wanted` holds; others are kept aside.
    pub async fn frame_where(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let kept = self.aside.len();
        loop {
            let frame = self.frame().await.map_err(|error| {
                anyhow!("waiting for {what}: {error:#}; meanwhile came {}", json!(self.aside[kept..]))
            })?;
            if wanted(&frame) {
                return Ok(frame);
            }
            self.aside.push(frame);
        }
    }

    /// The next frame of a type.
    pub async fn expect(&mut self, kind: &str) -> Result<Value> {
        self.frame_where(kind, |frame| frame["type"] == kind).await
    }

    /// Sends a frame with an id and waits for what carries it back.
    pub async fn request(&mut self, mut frame: Value) -> Result<Value> {
        self.next_id += 1;
        let id = self.next_id;
        frame.as_object_mut().context("an object")?.insert("id".into(), json!(id));
        self.send(frame).await?;
        self.frame_where(&format!("the reply to {id}"), |frame| frame["id"] == id).await
    }

    /// Says goodbye, and waits for the server's answer; then the connection has ended on both sides.
    pub async fn leave(&mut self) -> Result<Option<u16>> {
        self.socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await?;
        self.closed().await
    }

    /// Waits until the server closes, and says with which code.
    pub async fn closed(&mut self) -> Result<Option<u16>> {
        let deadline = Instant::now() + WITHIN;
        loop {
            match timeout_at(deadline, self.receive()).await.context("the server did not close")? {
                Ok(Received::Closed(code)) => {
                    // Sends the answer to it; a server that is gone needs none.
                    let _ = self.socket.flush().await;
                    return Ok(code);
                }
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The frames of one shell command up to and with its end.
    pub async fn until_end(&mut self) -> Result<Vec<Value>> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await.map_err(|error| anyhow!("{error:#} after {}", json!(frames)))?;
            let over = frame["type"] == "terminal-data-end" || frame["type"] == "error";
            frames.push(frame);
            if over {
                return Ok(frames);
            }
        }
    }

    /// Nothing comes for this long. The only wait that proves an absence, and so the only one that must run out.
    pub async fn silent_for(&mut self, long: Duration) -> Result<()> {
        match timeout(long, self.receive()).await {
            Err(_) => Ok(()),
            Ok(received) => bail!("expected silence, and there came {:?}", received?),
        }
    }

    /// Waits until a terminal's output contains a text, and returns all of its output so far.
    pub async fn output_with(&mut self, terminal: u32, text: &str) -> Result<String> {
        let deadline = Instant::now() + WITHIN;
        loop {
            let so_far = self.output_of(terminal);
            if so_far.contains(text) {
                return Ok(so_far);
            }
            match timeout_at(deadline, self.receive()).await {
                Err(_) => bail!("no {text:?} in the output of terminal {terminal}: {so_far:?}"),
                Ok(received) => match received? {
                    Received::Binary(bytes) => self.keep(&bytes)?,
                    Received::Text(frame) => self.aside.push(frame),
                    Received::Closed(code) => bail!("the server closed with {code:?}"),
                },
            }
        }
    }

    /// Waits until there is output of a terminal that nobody has taken out of `output`.
    pub async fn more_output(&mut self, terminal: u32) -> Result<()> {
        while !self.output.iter().any(|(id, ..)| *id == terminal) {
            match timeout(WITHIN, self.receive()).await.context("no output came in time")?? {
                Received::Binary(bytes) => self.keep(&bytes)?,
                Received::Text(frame) => self.aside.push(frame),
                Received::Closed(code) => bail!("the server closed with {code:?}"),
            }
        }
        Ok(())
    }

    pub fn output_of(&self, terminal: u32) -> String {
        let bytes: Vec<u8> =
            self.output.iter().filter(|(id, ..)| *id == terminal).flat_map(|(.., bytes)| bytes.clone()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Result<()> {
        match BinaryFrame::decode(bytes)? {
            BinaryFrame::Output { terminal, offset, bytes } | BinaryFrame::Snapshot { terminal, offset, bytes } => {
                self.output.push((terminal.0, offset, bytes.to_vec()));
            }
            BinaryFrame::Document { document, message } => self.documents.push((document.0, message.to_vec())),
            BinaryFrame::Input { .. } | BinaryFrame::NumberedInput { .. } | BinaryFrame::Piece { .. } => {
                bail!("the server sent a frame of a client")
            }
        }
        Ok(())
    }
}

/// What frames of a shell command print, as text.
pub fn shown(frames: &[Value]) -> String {
    frames
        .iter()
        .map(|frame| match frame["type"].as_str() {
            Some("terminal-newline") => "\n",
            Some("terminal-data") => frame["data"].as_str().unwrap_or_default(),
            _ => "",
        })
        .collect()
}
