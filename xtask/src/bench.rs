//! `cargo xtask bench`: stages what the benchmarks run, then starts them in release. What they measure is in `tests/`.

use anyhow::Result;

use crate::command::{cargo, command, run as run_command};
use crate::engine::Engine;
use crate::steps::Steps;
use crate::{image, node, release, repo, system};

/// `cargo xtask bench [--docker] [NAME…]`: with `--docker` sandboxes are on Docker; the floors stay what they are.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let on_docker = arguments.iter().any(|argument| argument == ON_DOCKER);
    let names: Vec<&String> = arguments.iter().filter(|argument| *argument != ON_DOCKER).collect();
    let mut steps = Steps::default();
    steps.need("system packages", system::for_running)?;
    release::binary_steps(&mut steps)?;
    if names.is_empty() || names.iter().any(|name| *name == TOGETHER) {
        steps.need("peers", || node::packages(PEERS))?;
    }
    // The engine ends with this function.
    let wanted = on_docker || names.is_empty() || names.iter().any(|name| *name == DOCKER);
    let engine = if wanted { docker(&mut steps) } else { None };
    if names.is_empty() || names.iter().any(|name| *name == PAGE) {
        steps.need("system packages of the page's", system::for_testing)?;
        steps.need("browser", || node::packages(BROWSER))?;
        page()?;
        if names.len() == 1 {
            return Ok(());
        }
    }
    let names: Vec<&String> = names.into_iter().filter(|name| *name != PAGE).collect();
    let mut bench = cargo();
    bench.args(["run", "--release", "--locked", "--package", "embedenv-tests", "--bin", "bench", "--"]);
    bench.env("EMBEDENV_REQUIRE_EMBED", "1").env("EMBEDENV_BIN", release::binary());
    if let Some(engine) = &engine {
        bench.env("DOCKER_HOST", engine.address());
    }
    if on_docker {
        bench.env("EMBEDENV_TEST_ENGINE", "docker");
    }
    run_command(bench.args(names))
}

/// The flag that takes all of them to Docker.
const ON_DOCKER: &str = "--docker";
/// The bench that is run beside programs of others, and where those are.
const TOGETHER: &str = "together";
const PEERS: &str = "tests/peers";
/// The bench that needs an engine.
const DOCKER: &str = "docker";

/// The bench that looks at the page in a browser, and where its packages are.
const PAGE: &str = "page";
const BROWSER: &str = "tests/browser";

fn page() -> Result<()> {
    let mut bench = command("node");
    bench.arg(repo::path("tests/browser/bench/page.mjs")).env("EMBEDENV_BIN", release::binary());
    if let Some(chromium) = system::chromium() {
        bench.env("EMBEDENV_CHROMIUM", chromium);
    }
    run_command(&mut bench)
}

/// An engine with the workspace image. Without one that bench says that it was skipped.
fn docker(steps: &mut Steps) -> Option<Engine> {
    let mut engine = None;
    steps.check("docker engine", || {
        system::for_engine()?;
        let started = engine.insert(Engine::start()?);
        image::workspace(Some(started.address()))
    });
    engine
}
