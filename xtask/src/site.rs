//! Stages the public pages: `target/embed/site`, made by `site/build.mjs` from the Markdown of the repository, the templates of
//! the playground, and the scripts and styles in `site/`. Here stands only when it has to be done again.

use anyhow::{Result, bail};

use crate::cache::Stamp;
use crate::command::{command, run};
use crate::{node, repo};

/// Everything the pages are made from. The IDE's page is among it: theirs load its editor.
const INPUTS: [&str; 11] = [
    "site",
    "docs",
    "templates",
    "examples",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "static/styles/theme.css",
    "xtask/src/site.rs",
    IDE,
];

const IDE: &str = "target/embed/web/index.html";
const OUT: &str = "target/embed/site";
const STAMP: &str = "target/embed-site.stamp";

pub(crate) fn stage() -> Result<String> {
    node::packages("site")?;
    let stamp = Stamp::over(repo::path(STAMP), &repo::files_below(&INPUTS)?, "site")?;
    let page = repo::path(OUT).join("live/index.html");
    if stamp.holds() && page.exists() {
        return Ok("unchanged".to_owned());
    }
    stamp.clear()?;
    run(command("node").arg(repo::path("site/build.mjs")).arg(repo::path(OUT)).arg(repo::path(IDE)))?;
    if !page.exists() {
        bail!("the build ended well and yet left no {}", page.display());
    }
    stamp.keep()?;
    Ok("built".to_owned())
}
