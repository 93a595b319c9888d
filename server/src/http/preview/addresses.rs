//! Addresses in a page that is served below a path: absolute ones are put below it, so that they stay the app's own. What
//! scripts and style sheets say is left as it is.

use std::sync::Arc;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _};
use lol_html::send::{HtmlRewriter, Settings};
use lol_html::{MemorySettings, element};
use parking_lot::Mutex;

use super::paths::below;

/// Attributes that hold one address (HTML, "Attributes"), and two that hold several.
const ADDRESSES: [&str; 9] =
    ["href", "src", "action", "formaction", "poster", "data", "cite", "background", "manifest"];
const LISTS: [&str; 2] = ["srcset", "imagesrcset"];
/// Bytes that reading a page may keep at once, for one tag; a page with a longer one is passed on as it is from there.
const MEMORY: usize = 1024 * 1024;

/// The page with its addresses below `prefix`.
pub(super) fn put_below<E: Send + 'static>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    prefix: &str,
) -> impl Stream<Item = Result<Bytes, E>> + Send + 'static {
    let begun = (Box::pin(body), Some(Rewriting::new(prefix.to_owned())));
    futures_util::stream::try_unfold(begun, async |(mut body, mut page)| {
        while let Some(rewriting) = page {
            let (bytes, rest) = match body.next().await.transpose()? {
                Some(bytes) => rewriting.take(&bytes),
                None => (rewriting.end(), None),
            };
            if !bytes.is_empty() {
                return Ok(Some((bytes, (body, rest))));
            }
            page = rest;
        }
        Ok(body.next().await.transpose()?.map(|bytes| (bytes, (body, None))))
    })
}

type Sink = Box<dyn FnMut(&[u8]) + Send>;

/// A page that is being read.
struct Rewriting {
    rewriter: HtmlRewriter<'static, Sink>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Rewriting {
    fn new(prefix: String) -> Self {
        let written = Arc::new(Mutex::new(Vec::new()));
        let sink = written.clone();
        let handler = element!("*", move |element: &mut lol_html::send::Element<'_, '_>| {
            for name in ADDRESSES {
                let put = element.get_attribute(name).and_then(|said| below(said.trim(), &prefix));
                // What is no text in this encoding is left alone.
                if let Some(put) = put.filter(|put| !put.contains(char::REPLACEMENT_CHARACTER)) {
                    element.set_attribute(name, &put)?;
                }
            }
            for name in LISTS {
                if let Some(list) = element.get_attribute(name).filter(|list| list.contains('/')) {
                    let each = list.split(',').map(|image| {
                        let image = image.trim();
                        below(image, &prefix).unwrap_or_else(|| image.to_owned())
                    });
                    element.set_attribute(name, &each.collect::<Vec<_>>().join(", "))?;
                }
            }
            Ok(())
        });
        let memory = MemorySettings::new().with_max_allowed_memory_usage(MEMORY);
        let settings = Settings::new_send()
            .append_element_content_handler(handler)
            .with_memory_settings(memory.with_graceful_bail_out_on_memory_limit_exceeded(true))
            .with_strict(false);
        let sink: Sink = Box::new(move |bytes: &[u8]| sink.lock().extend_from_slice(bytes));
        Self { rewriter: HtmlRewriter::new(settings, sink), written }
    }

    /// Reads on. What comes back is the page so far, and the reading unless it has to be given up.
    fn take(mut self, bytes: &[u8]) -> (Bytes, Option<Self>) {
        let read = self.rewriter.write(bytes);
        let page = Bytes::from(std::mem::take(&mut *self.written.lock()));
        match read {
            Ok(()) => (page, Some(self)),
            Err(error) => {
                tracing::debug!(%error, "a page is passed on as it is");
                (page, None)
            }
        }
    }

    fn end(self) -> Bytes {
        if let Err(error) = self.rewriter.end() {
            tracing::debug!(%error, "a page ends as it is");
        }
        Bytes::from(std::mem::take(&mut *self.written.lock()))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    async fn page(pieces: &[&str]) -> String {
        let pieces: Vec<Result<Bytes, Infallible>> =
            pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece.as_bytes()))).collect();
        let whole: Vec<Bytes> = put_below(futures_util::stream::iter(pieces), "/p").map(Result::unwrap).collect().await;
        String::from_utf8(whole.concat()).unwrap()
    }

    #[tokio::test]
    async fn absolute_paths_of_a_page_are_put_below_and_nothing_else_is() {
        for (said, put) in [
            (r#"<a href="/a?b=c#d">"#, r#"<a href="/p/a?b=c#d">"#),
            (r"<img src=/x.png>", r#"<img src="/p/x.png">"#),
            (r#"<img srcset="/a.png 1x, b.png 2x">"#, r#"<img srcset="/p/a.png 1x, b.png 2x">"#),
            (r#"<form action=" /go">"#, r#"<form action="/p/go">"#),
            (r#"<base href="/">"#, r#"<base href="/p/">"#),
            (r#"<a href="//else/a">"#, r#"<a href="//else/a">"#),
            (r#"<a href="a/b">"#, r#"<a href="a/b">"#),
            (r#"<a href="/p/a">"#, r#"<a href="/p/a">"#),
            (r#"<a title="/a">"#, r#"<a title="/a">"#),
            (r#"<script>let a = '<a href="/x">';</script>"#, r#"<script>let a = '<a href="/x">';</script>"#),
            (r#"<!-- <a href="/x"> -->"#, r#"<!-- <a href="/x"> -->"#),
            ("no page", "no page"),
        ] {
            assert_eq!(page(&[said]).await, put, "{said}");
        }
        assert_eq!(
            page(&["<!doctype html><a hr", "ef=\"/a", "\">b", "</a>"]).await,
            "<!doctype html><a href=\"/p/a\">b</a>"
        );
        assert_eq!(page(&[]).await, "");
    }

    #[tokio::test]
    async fn a_tag_beyond_all_bounds_is_passed_on_whole() {
        let long = "x".repeat(2 * MEMORY);
        let said = page(&["<a title=\"", &long, "\" href=\"/a\">", "<b>end</b>"]).await;
        assert_eq!(said, format!("<a title=\"{long}\" href=\"/a\"><b>end</b>"));
    }
}
