//! The script that runs in an app's pages while the IDE shows them, and the place in a page where it goes.
//!
//! It is put into pages in frames alone, where the IDE's pane listens; everywhere else an app's pages are its own, byte for
//! byte. Below a path every page gets it, with what such a page needs.

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use futures_util::{Stream, StreamExt as _};

use super::OWN;
use super::addresses::put_below;

const SCRIPT: &str = include_str!("../../../../static/preview/inside.js");
const BELOW: &str = include_str!("../../../../static/preview/below.js");
/// Bytes of a page within which its first element begins; a page that has not begun by then gets no script.
const MOST_AHEAD: usize = 4096;

/// The script, which speaks to pages of these origins. `prefix` is what the port's addresses begin with.
pub(super) fn script(ide: &[String], prefix: &str) -> String {
    let origins = serde_json::to_string(ide).expect("texts always serialise");
    let script = SCRIPT.replace("{{ORIGINS}}", &origins);
    if prefix.is_empty() { script } else { BELOW.replace("{{PREFIX}}", prefix) + &script }
}

fn tag(prefix: &str) -> Vec<u8> {
    format!("<script src=\"{prefix}{OWN}inside.js\"></script>").into_bytes()
}

/// Whether what is asked for is to be shown in a frame.
pub(super) fn in_frame(method: &Method, asked: &HeaderMap) -> bool {
    let dest = asked.get("sec-fetch-dest").map(HeaderValue::as_bytes);
    *method == Method::GET && matches!(dest, Some(b"iframe" | b"frame"))
}

/// Whether what is asked for is a page, in a frame or by itself.
pub(super) fn is_page(method: &Method, asked: &HeaderMap) -> bool {
    let says = |name: &str| asked.get(name).and_then(|value| value.to_str().ok());
    let is_page = match says("sec-fetch-dest") {
        Some(dest) => matches!(dest, "document" | "iframe" | "frame"),
        // Without TLS browsers don't say.
        None => says("accept").is_some_and(|accept| accept.contains("text/html")),
    };
    *method == Method::GET && is_page
}

/// Asks for a page as text, so that the script can be put in.
pub(super) fn ask_plain(asked: &mut HeaderMap) {
    asked.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

/// Puts the script into a page, if the answer is one; below a path its addresses are put below it, too.
pub(super) fn put_in(mut response: Response<Body>, prefix: &str) -> Response<Body> {
    let headers = response.headers_mut();
    let is_html = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind.starts_with("text/html") && !kind.contains("utf-16")
    });
    let is_plain = headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    if !is_html || !is_plain || response.status() == StatusCode::PARTIAL_CONTENT {
        return response;
    }
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    // It is another page than the app's.
    headers.remove(ETAG);
    response.map(|body| {
        let page = body.into_data_stream();
        if prefix.is_empty() {
            Body::from_stream(with_tag(page, tag(prefix)))
        } else {
            Body::from_stream(with_tag(put_below(page, prefix), tag(prefix)))
        }
    })
}

fn with_tag<E: Send + 'static>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    tag: Vec<u8>,
) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
    let begun = (Box::pin(body), Some((Vec::new(), tag)));
    futures_util::stream::try_unfold(begun, async |(mut body, mut ahead)| {
        loop {
            let next = body.next().await.transpose()?;
            let Some((read, tag)) = &mut ahead else { return Ok(next.map(|bytes| (bytes, (body, None)))) };
            let is_over = next.is_none();
            read.extend_from_slice(&next.unwrap_or_default());
            let place = match place(read) {
                Place::At(place) => Some(place),
                Place::Further if is_over || read.len() >= MOST_AHEAD => None,
                Place::Further => continue,
            };
            let mut page = std::mem::take(read);
            if let Some(place) = place {
                page.splice(place..place, std::mem::take(tag));
            }
            return Ok((!page.is_empty()).then(|| (Bytes::from(page), (body, None))));
        }
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    At(usize),
    /// More of the page is needed to say.
    Further,
}

/// Where a script may stand that runs before all others: behind the document type, without which a page is another one.
fn place(page: &[u8]) -> Place {
    let mut at = if page.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    loop {
        at += page[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &page[at..];
        if begins(rest, b"<!--") == Some(true) {
            match find(&rest[4..], b"-->") {
                Some(end) => at += 4 + end + 3,
                None => return Place::Further,
            }
            continue;
        }
        return match (begins(rest, b"<!doctype"), begins(rest, b"<!--")) {
            (Some(true), _) => match find(rest, b">") {
                Some(end) => Place::At(at + end + 1),
                None => Place::Further,
            },
            (None, _) | (_, None) => Place::Further,
            _ => Place::At(at),
        };
    }
}

/// Whether a text begins so, whatever the case; `None` if it is too short to say.
fn begins(text: &[u8], with: &[u8]) -> Option<bool> {
    let length = text.len().min(with.len());
    if !text[..length].eq_ignore_ascii_case(&with[..length]) {
        return Some(false);
    }
    (length == with.len()).then_some(true)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn page(pieces: &[&'static str]) -> String {
        let pieces: Vec<Result<Bytes, Infallible>> =
            pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        let whole: Vec<Bytes> =
            with_tag(futures_util::stream::iter(pieces), tag("")).map(Result::unwrap).collect().await;
        String::from_utf8(whole.concat()).unwrap().replace(std::str::from_utf8(&tag("")).unwrap(), "#")
    }

    #[tokio::test]
    async fn the_script_stands_first_and_behind_the_document_type() {
        assert_eq!(page(&["<!doctype html><html>"]).await, "<!doctype html>#<html>");
        assert_eq!(page(&["<!DOC", "TYPE html", "><html>", "x"]).await, "<!DOCTYPE html>#<html>x");
        assert_eq!(
            page(&["\u{feff} <!-- a > b", " -->\n<!doctype html>\n<p>"]).await,
            "\u{feff} <!-- a > b -->\n<!doctype html>#\n<p>"
        );
        assert_eq!(page(&["<p>hi"]).await, "#<p>hi");
        assert_eq!(page(&["hi"]).await, "#hi");
        assert_eq!(page(&[]).await, "");
        assert_eq!(page(&["<!", "doctyp"]).await, "<!doctyp");
    }

    #[tokio::test]
    async fn a_page_that_does_not_begin_is_passed_on() {
        let long: &'static str = Box::leak(" ".repeat(MOST_AHEAD + 1).into_boxed_str());
        assert_eq!(page(&[long, "<p>"]).await, format!("{long}<p>"));
    }
}
