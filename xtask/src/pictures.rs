//! `cargo xtask pictures`: the page's main screens, as pictures, by `tests/browser/bench/pictures.mjs`.

use anyhow::Result;

use crate::command::{command, run};
use crate::steps::Steps;
use crate::{node, release, repo, system};

pub(crate) fn take() -> Result<()> {
    let mut steps = Steps::default();
    steps.need("system packages", system::for_testing)?;
    release::binary_steps(&mut steps)?;
    steps.need("browser", || node::packages("tests/browser"))?;
    let mut pictures = command("node");
    pictures.arg(repo::path("tests/browser/bench/pictures.mjs")).env("EMBEDENV_BIN", release::binary());
    if let Some(chromium) = system::chromium() {
        pictures.env("EMBEDENV_CHROMIUM", chromium);
    }
    run(&mut pictures)
}
