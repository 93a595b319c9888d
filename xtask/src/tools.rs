//! The Rust side's tools: targets of the pinned toolchain, trunk, and the `wasm-bindgen` that matches `Cargo.lock`.
//! What is installed goes to the cache folder, never into the user's own `~/.cargo/bin`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{self, cargo};
use crate::{cache, repo};

/// The newest trunk that the pinned Rust builds.
const TRUNK: &str = "0.21.14";

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The target of the agent: static, so that it starts in any image.
pub(crate) fn agent_target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// Adds the targets that the page and the agent are built for.
pub(crate) fn targets() -> Result<String> {
    if !cfg!(target_os = "linux") {
        bail!("sandboxes are made of Linux namespaces: build and run this on Linux");
    }
    let sysroot = PathBuf::from(command::output(command::command("rustc").args(["--print", "sysroot"]))?);
    let has = |target: &str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
    let missing: Vec<String> =
        [WASM_TARGET.to_owned(), agent_target()].into_iter().filter(|target| !has(target)).collect();
    if missing.is_empty() {
        return Ok("there".to_owned());
    }
    if command::which("rustup").is_none() {
        bail!("the Rust targets {} are missing and there is no rustup to add them", missing.join(", "));
    }
    command::run(command::command("rustup").args(["target", "add"]).args(&missing))?;
    Ok("added".to_owned())
}

/// Adds rustfmt and clippy where the toolchain came without them.
pub(crate) fn components() -> Result<String> {
    if command::succeeds(cargo().args(["fmt", "--version"])) && command::succeeds(cargo().args(["clippy", "--version"]))
    {
        return Ok("there".to_owned());
    }
    command::run(command::command("rustup").args(["component", "add", "rustfmt", "clippy"]))?;
    Ok("added".to_owned())
}

/// Where trunk and `wasm-bindgen` are.
pub(crate) struct PageTools {
    pub(crate) trunk: PathBuf,
    /// A folder for trunk's `PATH`: it takes `wasm-bindgen` from there when the version is the lock's.
    pub(crate) wasm_bindgen_folder: PathBuf,
}

impl PageTools {
    pub(crate) fn locate() -> Result<Self> {
        let cache = cache::folder()?;
        Ok(Self {
            trunk: cache.join(format!("trunk-{TRUNK}/bin/trunk")),
            wasm_bindgen_folder: cache.join(format!("wasm-bindgen-{}/bin", locked_version("wasm-bindgen")?)),
        })
    }
}

/// Builds trunk and `wasm-bindgen` where they are missing: several minutes, once a machine.
pub(crate) fn page_tools() -> Result<String> {
    let tools = PageTools::locate()?;
    let bindgen_version = locked_version("wasm-bindgen")?;
    let has_bindgen = tools.wasm_bindgen_folder.join("wasm-bindgen").exists();
    if tools.trunk.exists() && has_bindgen {
        return Ok("there".to_owned());
    }
    let build = cache::folder()?.join("build");
    if !has_bindgen {
        println!("  building wasm-bindgen {bindgen_version}, one to three minutes, once");
        // Without --locked: its lock file names packages that a registry mirror may lack.
        let root = parent(&tools.wasm_bindgen_folder)?;
        command::run(
            install("wasm-bindgen-cli", &bindgen_version, root, &build).env("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
        )?;
    }
    if !tools.trunk.exists() {
        println!("  building trunk {TRUNK}, three to ten minutes, once");
        let root = parent(parent(&tools.trunk)?)?;
        command::run(install("trunk", TRUNK, root, &build).args([
            "--locked",
            "--no-default-features",
            "--features",
            "rustls",
        ]))?;
    }
    std::fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    Ok("built".to_owned())
}

fn install(package: &str, version: &str, root: &Path, build: &Path) -> Command {
    let mut command = cargo();
    command.args(["install", "--quiet", "--debug", package, "--version", version, "--root"]).arg(root);
    command.arg("--target-dir").arg(build).env_remove("CARGO_TARGET_DIR");
    command
}

fn parent(path: &Path) -> Result<&Path> {
    path.parent().with_context(|| format!("{} has no folder above it", path.display()))
}

/// The version of a package in `Cargo.lock`.
fn locked_version(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(repo::path("Cargo.lock")).context("cannot read Cargo.lock")?;
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version =
        lines.nth(1).and_then(|line| line.strip_prefix("version = \"")).and_then(|line| line.strip_suffix('"'));
    Ok(version.with_context(|| format!("Cargo.lock holds no {package}"))?.to_owned())
}
