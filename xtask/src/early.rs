//! `cargo xtask early`: builds a page whose functions say that they run, opens it, and writes down which ran until a file
//! could be typed into: `web/js/early.txt`. What is not there goes into the page's late half (`web/js/split.mjs`).

use anyhow::Result;

use crate::command::{cargo, command, run};
use crate::steps::Steps;
use crate::{node, release, repo, system, web};

pub(crate) fn write() -> Result<()> {
    let mut steps = Steps::default();
    steps.need("system packages", system::for_testing)?;
    release::staging_steps(&mut steps)?;
    steps.need("a page that is watched", web::stage_watched)?;
    steps.need("browser", || node::packages("tests/browser"))?;
    // It reads the page from `target/embed` at run time.
    run(cargo().args(["build", "--locked", "--package", "embedenv"]))?;
    let mut look = look();
    if let Some(chromium) = system::chromium() {
        look.env("EMBEDENV_CHROMIUM", chromium);
    }
    run(&mut look)
}

fn look() -> std::process::Command {
    let mut look = command("node");
    look.arg(repo::path("tests/browser/bench/early.mjs")).env("EMBEDENV_BIN", repo::path("target/debug/embedenv"));
    look
}
