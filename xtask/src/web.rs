//! Stages the page: `target/embed/web`, made by trunk from the yew app, the styles and the TypeScript bundle.
//! What trunk does is in `Trunk.toml`; here stands only when it has to be done again.

use std::process::Command;

use anyhow::{Result, bail};

use crate::cache::Stamp;
use crate::command::{command, path_with, run};
use crate::tools::PageTools;
use crate::{node, repo};

/// Everything the page is made from.
const INPUTS: [&str; 9] = [
    "web",
    "static",
    "shared/src",
    "shared/Cargo.toml",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "rust-toolchain.toml",
    "xtask/src/web.rs",
];

const STAMP: &str = "target/embed-web.stamp";

pub(crate) fn stage() -> Result<String> {
    node::packages("web/js")?;
    let stamp = Stamp::over(repo::path(STAMP), &repo::files_below(&INPUTS)?, "trunk")?;
    let page = repo::path("target/embed/web/index.html");
    if stamp.holds() && page.exists() {
        return Ok("unchanged".to_owned());
    }
    stamp.clear()?;
    run(&mut trunk()?)?;
    if !page.exists() {
        bail!("trunk ended well and yet left no {}", page.display());
    }
    stamp.keep()?;
    Ok("built".to_owned())
}

/// Instead of the page, one whose functions say that they run. The next `stage` builds the page anew.
pub(crate) fn stage_watched() -> Result<String> {
    Stamp::over(repo::path(STAMP), &[], "watched")?.clear()?;
    run(trunk()?.env("EMBEDENV_WATCH", "1"))?;
    Ok("built".to_owned())
}

fn trunk() -> Result<Command> {
    let tools = PageTools::locate()?;
    let mut trunk = command(&tools.trunk);
    trunk.args(["build", "--release", "--skip-version-check"]);
    trunk.env("PATH", path_with(&[tools.wasm_bindgen_folder])?);
    trunk.env("CARGO_TARGET_DIR", repo::path("target"));
    // trunk reads this variable as an option of its own and takes only `true` or `false`.
    trunk.env_remove("NO_COLOR").env("RUST_BACKTRACE", "0");
    Ok(trunk)
}
