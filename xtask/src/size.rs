//! `cargo xtask size`: what the page loads until a file can be typed into, in compressed bytes, against its bound.
//! The page's own HTML says what that is: everything it names is loaded at once, everything else when it is needed.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use crate::release;
use crate::repo;
use crate::steps::Steps;

/// The most that may cross the wire, brotli where a file has it; beyond it the check fails.
const BOUND: u64 = 450_000;

/// What a browser sends and receives besides: the page itself is sent as it is, since each response has its own nonce.
const PAGE: &str = "target/embed/web/index.html";

pub(crate) fn command() -> Result<()> {
    let mut steps = Steps::default();
    release::staging_steps(&mut steps)?;
    let note = check()?;
    println!("{note}");
    Ok(())
}

/// Prints every file with its size; an error if the sum is over the bound.
pub(crate) fn check() -> Result<String> {
    let html = std::fs::read_to_string(repo::path(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let mut sum = html.len() as u64;
    println!("  {:>8}  index.html", html.len());
    for url in addresses(&html) {
        let size = on_the_wire(&url)?;
        println!("  {size:>8}  {url}");
        sum += size;
    }
    let note = format!("{:.1} kB of {:.0}", sum as f64 / 1e3, BOUND as f64 / 1e3);
    if sum > BOUND {
        bail!("the page loads {note} before a file can be typed into");
    }
    Ok(note)
}

/// What the page names, to load it when it is needed.
const LATER: [&str; 2] = ["<meta name=\"embedenv-js\"", "<meta name=\"embedenv-words\""];

/// The addresses in the page, but for those in the lists of what loads when it is needed.
fn addresses(html: &str) -> BTreeSet<String> {
    let lists = LATER.iter().filter_map(|list| {
        let start = html.find(list)?;
        let end = html[start..].find('>').map_or(html.len(), |length| start + length);
        Some(start..end)
    });
    let later: Vec<_> = lists.collect();
    let mut found = BTreeSet::new();
    for prefix in ["/assets/", "/js/"] {
        for (start, _) in html.match_indices(prefix) {
            let quoted = html[..start].ends_with(['"', '\'']);
            let is_later = later.iter().any(|list| list.contains(&start));
            if quoted && !is_later {
                found.insert(html[start..].split(['"', '\'']).next().unwrap_or_default().to_owned());
            }
        }
    }
    found
}

fn on_the_wire(url: &str) -> Result<u64> {
    let file = format!("target/embed/web{url}");
    let size = |path: String| std::fs::metadata(repo::path(&path)).map(|metadata| metadata.len());
    size(format!("{file}.br"))
        .or_else(|_| size(file.clone()))
        .with_context(|| format!("the page names {url}; there is no {file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_load_later_do_not_count() {
        let html = r#"<meta name="embedenv-js" content='{"terminal":"/js/terminal-1.js"}'>
            <meta name="embedenv-words" content='{"de":{"url":"/assets/words-de-1.txt"}}'><link href="/js/editor-2.js">
            <script>import init from '/assets/a.js'; init('/assets/a.wasm')</script>"#;
        assert_eq!(
            addresses(html).into_iter().collect::<Vec<_>>(),
            ["/assets/a.js", "/assets/a.wasm", "/js/editor-2.js"]
        );
    }
}
