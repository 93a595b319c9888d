//! One HTTP/1.1 exchange over any stream, and its body as the pieces that clients get.
//!
//! A body is text or it is not, and every piece must say which. So the body is held until it has ended, up to
//! [`HOLD`] bytes or [`HOLD_TIME`], and is then known: text exactly if it is UTF-8. Of a longer or slower one it is
//! decided by the beginning: it is text if that is UTF-8 and the server declares text; otherwise it is sent as base64,
//! which is right for everything. A body that was declared text, began so and then isn't ends in `not_text`.
//!
//! Redirects are not followed, nothing is decompressed. The server in the sandbox is hostile: what it may make this
//! end keep is bounded.

use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::tree::Encoding;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};

use super::request::Request;

/// The most bytes of a body in one piece.
pub const MAX_PIECE: usize = 16 * 1024;
/// Bytes of a body that are held until it is known to be text.
pub const HOLD: usize = 256 * 1024;
/// How long a body that goes on is held at most.
const HOLD_TIME: Duration = Duration::from_secs(1);
/// After this long without a byte, the exchange is given up.
const QUIET: Duration = Duration::from_secs(30);
/// The longest head of a response, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Drives the connection; it is polled wherever the exchange waits, so it needs no task.
type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A response whose body is still to come.
pub struct Reply {
    pub status: u16,
    /// As they came; bytes that are not UTF-8 became U+FFFD.
    pub headers: Vec<(String, String)>,
    incoming: Incoming,
    driver: Option<Driver>,
    quiet: Duration,
    held: BytesMut,
    /// When the first byte of the body came.
    begun: Option<Instant>,
    is_declared_text: bool,
    is_text: Option<bool>,
    has_ended: bool,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).field("held", &self.held.len()).finish_non_exhaustive()
    }
}

/// A part of a body. The contents of all of them, decoded, are the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub content: String,
    pub encoding: Option<Encoding>,
}

/// Sends a request over a stream that leads to its target, and waits for the head of the response.
pub async fn fetch<S>(stream: S, request: Request) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    fetch_within(stream, request, QUIET).await
}

async fn fetch_within<S>(stream: S, request: Request, quiet: Duration) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let exchange = async {
        let mut builder = http1::Builder::new();
        let (mut sender, connection) = builder.max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await?;
        let mut driver: Option<Driver> = Some(Box::pin(connection));
        let sent = sender.send_request(request.http);
        tokio::pin!(sent);
        let response = loop {
            tokio::select! {
                biased;
                response = &mut sent => break response?,
                _ = drive(&mut driver) => driver = None,
            }
        };
        Ok::<_, hyper::Error>((response, driver))
    };
    let (response, driver) =
        timeout(quiet, exchange).await.map_err(|_| silent(quiet))?.map_err(|error| broken(&error))?;
    let (head, incoming) = response.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(Reply {
        status: head.status.as_u16(),
        is_declared_text: is_declared_text(&head.headers),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        incoming,
        driver,
        quiet,
        held: BytesMut::new(),
        begun: None,
        is_text: None,
        has_ended: false,
    })
}

/// Resolves when the connection has ended; never, once it has.
async fn drive(driver: &mut Option<Driver>) {
    match driver {
        // How it ended is told by the response or its body.
        Some(driver) => drop(driver.as_mut().await),
        None => std::future::pending().await,
    }
}

impl Reply {
    /// The next piece of the body; `None` after the last. After an error there is no more.
    pub async fn next(&mut self) -> Option<Result<Piece, Failure>> {
        loop {
            match self.cut() {
                Ok(Some(piece)) => return Some(Ok(piece)),
                Ok(None) if self.has_ended => return None,
                Ok(None) => {}
                Err(failure) => return Some(Err(self.fail(failure))),
            }
            if let Err(failure) = self.read().await {
                return Some(Err(self.fail(failure)));
            }
        }
    }

    fn fail(&mut self, failure: Failure) -> Failure {
        self.held.clear();
        self.has_ended = true;
        failure
    }

    /// Waits for more of the body, for its end, or until it is time to decide.
    async fn read(&mut self) -> Result<(), Failure> {
        let decide = match (self.is_text, self.begun) {
            (None, Some(begun)) => begun + HOLD_TIME,
            _ => Instant::now() + self.quiet,
        };
        match timeout_at(decide, frame(&mut self.incoming, &mut self.driver)).await {
            Ok(Some(Ok(bytes))) => {
                self.begun.get_or_insert_with(Instant::now);
                self.held.extend_from_slice(&bytes);
            }
            Ok(Some(Err(error))) => return Err(broken(&error)),
            Ok(None) => self.has_ended = true,
            Err(_) if self.is_text.is_none() && self.begun.is_some() => self.decide(),
            Err(_) => return Err(silent(self.quiet)),
        }
        Ok(())
    }

    /// Decides what the whole body is by what is held.
    fn decide(&mut self) {
        self.is_text = Some(match std::str::from_utf8(&self.held) {
            Ok(_) => self.has_ended || self.is_declared_text,
            // Cut within a character.
            Err(error) => !self.has_ended && error.error_len().is_none() && self.is_declared_text,
        });
    }

    /// Takes a piece off what is held, if there is one and it is known how.
    fn cut(&mut self) -> Result<Option<Piece>, Failure> {
        if self.is_text.is_none() && (self.has_ended || self.held.len() >= HOLD) {
            self.decide();
        }
        let is_text = match self.is_text {
            Some(is_text) if !self.held.is_empty() => is_text,
            _ => return Ok(None),
        };
        let length = self.held.len().min(MAX_PIECE);
        if !is_text {
            let content = STANDARD.encode(self.held.split_to(length));
            return Ok(Some(Piece { content, encoding: Some(Encoding::Base64) }));
        }
        let valid = match std::str::from_utf8(&self.held[..length]) {
            Ok(text) => text.len(),
            Err(error) if error.valid_up_to() > 0 => error.valid_up_to(),
            // Half a character, the rest of which may come.
            Err(error) if error.error_len().is_none() && !self.has_ended => return Ok(None),
            Err(_) => {
                let message = "the body was declared as text, began as text, and is not all text";
                return Err(Failure::new(ErrorCode::NotText, message));
            }
        };
        let content = String::from_utf8_lossy(&self.held.split_to(valid)).into_owned();
        Ok(Some(Piece { content, encoding: None }))
    }
}

/// The next bytes of the body, while the connection is driven.
async fn frame(incoming: &mut Incoming, driver: &mut Option<Driver>) -> Option<hyper::Result<Bytes>> {
    loop {
        tokio::select! {
            biased;
            frame = incoming.frame() => match frame? {
                Ok(frame) => {
                    // What is no data are trailers, which nobody asked for.
                    if let Ok(bytes) = frame.into_data() {
                        return Some(Ok(bytes));
                    }
                }
                Err(error) => return Some(Err(error)),
            },
            () = drive(driver) => *driver = None,
        }
    }
}

/// Whether the server says that the body is text in UTF-8 (or in ASCII, or does not say in what).
fn is_declared_text(headers: &HeaderMap) -> bool {
    let Some(declared) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let declared = declared.to_ascii_lowercase();
    let mut members = declared.split(';').map(str::trim);
    let kind = members.next().unwrap_or_default();
    let is_text = kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || ["json", "javascript", "xml", "x-ndjson", "yaml"].iter().any(|text| kind == format!("application/{text}"));
    let charset = members.find_map(|member| member.strip_prefix("charset="));
    let charset = charset.map(|charset| charset.trim_matches('"'));
    is_text && charset.is_none_or(|charset| ["utf-8", "utf8", "us-ascii"].contains(&charset))
}

fn silent(quiet: Duration) -> Failure {
    Failure::new(ErrorCode::TimedOut, format!("the server sent nothing for {} seconds", quiet.as_secs()))
}

fn broken(error: &hyper::Error) -> Failure {
    let message = if error.is_parse() {
        "what answered does not speak HTTP"
    } else {
        "the server hung up before it had answered in full"
    };
    Failure::new(ErrorCode::Unreachable, message)
}

#[cfg(test)]
mod tests;
