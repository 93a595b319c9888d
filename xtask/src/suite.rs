//! `cargo xtask test` and `e2e`: which checks there are, in which order, and what each runner is given.
//! Cheap checks come first; a build that fails ends the run, a check or a test that fails does not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::command::{self, cargo, run};
use crate::engine::Engine;
use crate::failures::Failures;
use crate::postgres::Postgres;
use crate::steps::Steps;
use crate::tally::Tally;
use crate::{clients, image, node, python, release, repo, size, system, tidy, tools};

const BROWSER_TESTS: &str = "tests/browser";
/// Programs of others that speak with this one, or are measured beside it.
const PEERS: &str = "tests/peers";

/// Where the result of the last `--full` run is kept.
const FULL_RESULT: &str = "docs/full-test.md";

/// `cargo xtask test [--full]`.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let full = match arguments {
        [] => false,
        [flag] if flag == "--full" => true,
        other => bail!("`cargo xtask test` takes --full or nothing, not `{}`", other.join(" ")),
    };
    let mut steps = Steps::default();
    let mut tally = Tally::default();
    let ended = all(&mut steps, &mut tally, full);
    let (closing, result) = finish(&steps, tally, ended);
    if full {
        keep(&steps, &closing)?;
    }
    result
}

/// `cargo xtask e2e [FILES]`.
pub(crate) fn e2e(files: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    let mut tally = Tally::default();
    let ended = (|| {
        steps.need("system packages", system::for_testing)?;
        release::binary_steps(&mut steps)?;
        steps.check("browser tests", || browser(&mut tally, files, &release::binary(), None));
        Ok(())
    })();
    finish(&steps, tally, ended).1
}

fn all(steps: &mut Steps, tally: &mut Tally, full: bool) -> Result<()> {
    steps.check("tidy", tidy::check);
    steps.need("rustfmt and clippy", tools::components)?;
    steps.check("formatting", || done(cargo().args(["fmt", "--all", "--check"])));
    steps.need("system packages", system::for_testing)?;
    steps.need("python packages", python::environment)?;
    steps.check("python client", clients::python_check);

    release::staging_steps(steps)?;
    steps.check("page size", size::check);
    steps.need("typescript", || {
        done(command::command("npx").args(["--no-install", "tsc", "--noEmit"]).current_dir(repo::path("web/js")))
    })?;
    steps.check("javascript client", clients::javascript_build);
    steps.check("tests, page's scripts", || node_tests(tally, "web/js/test", &[], &debug_binary(), None));
    steps.need("typescript, public pages", || {
        done(command::command("npx").args(["--no-install", "tsc", "--noEmit"]).current_dir(repo::path("site")))
    })?;
    steps.check("tests, public pages", || node_tests(tally, "site/test", &[], &debug_binary(), None));
    steps
        .need("clippy, host", || done(cargo().args(["clippy", "--locked", "--all-targets", "--", "-D", "warnings"])))?;
    steps.need("clippy, wasm32", || {
        let mut clippy = cargo();
        clippy.args(["clippy", "--locked", "--package", "embedenv-web", "--target", tools::WASM_TARGET]);
        done(clippy.args(["--", "-D", "warnings"]))
    })?;

    // One selection of packages for all that is built and run: another would build what they share anew.
    steps.need("server and tests", || done(cargo().args(["build", "--locked", "--all-targets"])))?;
    let mut postgres = None;
    steps.need("postgresql", || {
        postgres = Some(Postgres::start()?);
        Ok("started".to_owned())
    })?;
    let url = postgres.as_ref().map(Postgres::url).unwrap_or_default();
    steps.check("tests, rust", || cargo_tests(tally, &[], full, &[("EMBEDENV_TEST_POSTGRES", &url)]));
    steps.check("tests on postgresql", || {
        let environment = [("EMBEDENV_TEST_POSTGRES", url.as_str()), ("EMBEDENV_TEST_STORE", "postgres")];
        let mut tests = cargo();
        tests.args(["test", "--locked", "--no-fail-fast", "--test", "all", "--", "--show-output"]);
        counted(tally, rust_environment(tests.args(ON_POSTGRES).envs(environment), full, None)?)
    });
    drop(postgres);
    if repo::path("web/src/lib.rs").exists() {
        steps.check("tests, page's logic", || cargo_tests(tally, &["--package", "embedenv-web", "--lib"], full, &[]));
    }
    // What is shipped takes ten minutes to build; that it behaves as the debug build does is for the full run to show.
    let server = match full {
        true => {
            steps.need("server, release", release::server)?;
            release::binary()
        }
        false => debug_binary(),
    };
    steps.check("tests, peers", || {
        node::packages(PEERS)?;
        node_tests(tally, PEERS, &[], &server, None)
    });
    steps.check("tests, python client", || python_tests(tally, &server, None));
    steps.check("tests, javascript client", || node_tests(tally, clients::JAVASCRIPT_TESTS, &[], &server, None));
    steps.check("browser tests", || browser(tally, &[], &server, None));
    on_docker(steps, tally, &server, full)
}

/// The same tests on a Docker engine of their own, and those that are about Docker alone.
fn on_docker(steps: &mut Steps, tally: &mut Tally, server: &Path, full: bool) -> Result<()> {
    let mut engine = None;
    let on_ci = on_ci();
    steps.need("docker engine", || match system::for_engine().and_then(|_| Engine::start()) {
        Ok(started) => {
            let address = started.address().to_owned();
            engine = Some(started);
            image::busybox(Some(&address))?;
            image::workspace(Some(&address))
        }
        Err(error) if on_ci => Err(error),
        Err(error) => skipped_on_docker(tally, &format!("{error:#}")),
    })?;
    let Some(engine) = engine else { return Ok(()) };
    let address = engine.address();
    steps.check("tests on docker, rust", || {
        let mut tests = cargo();
        tests.args(["test", "--locked", "--no-fail-fast"]).args(ON_DOCKER);
        tests.args(["--", "--show-output", "--skip", OF_THE_LOCAL_ENGINE]);
        counted(tally, rust_environment(&mut tests, full, Some(address))?)
    });
    steps.check("tests on docker, python client", || python_tests(tally, server, Some(address)));
    steps.check("tests on docker, javascript client", || {
        node_tests(tally, clients::JAVASCRIPT_TESTS, &clients::javascript_on_docker(), server, Some(address))
    });
    let chosen = ON_DOCKER_IN_BROWSER.map(|name| format!("{BROWSER_TESTS}/{name}.test.mjs"));
    steps.check("browser tests on docker", || browser(tally, &chosen, server, Some(address)));
    Ok(())
}

/// What runs on Docker: the cases that start servers, and `tests/tests/docker.rs`, which runs nowhere else. Each by its
/// name: beside `--tests` cargo ignores names.
const ON_DOCKER: [&str; 4] = ["--test", "all", "--test", "docker"];

/// Modules of cases about what a server keeps in its database, which are the same whichever that is.
const ON_POSTGRES: [&str; 6] = ["accounts::", "api::", "links::", "roles::", "webhooks::", "widgets::"];

/// Modules of cases that are about the local engine alone.
const OF_THE_LOCAL_ENGINE: &str = "local_engine::";

/// What a person does in a room. Settings, help and the like are of the page alone, and the same on every engine.
const ON_DOCKER_IN_BROWSER: [&str; 17] = [
    "chat",
    "crash",
    "editor",
    "format",
    "links",
    "look",
    "main_job",
    "phone",
    "ports",
    "presence",
    "reference",
    "run",
    "search",
    "terminals",
    "together",
    "transfer",
    "tree",
];

/// Counts the tests that can't be run without an engine.
fn skipped_on_docker(tally: &mut Tally, why: &str) -> Result<String> {
    let list = command::output(cargo().args(["test", "--locked"]).args(ON_DOCKER).args([
        "--",
        "--list",
        "--skip",
        OF_THE_LOCAL_ENGINE,
    ]))?;
    let mut count = list.lines().filter(|line| line.ends_with(": test")).count() as u64;
    for name in ON_DOCKER_IN_BROWSER {
        let text = std::fs::read_to_string(repo::path(BROWSER_TESTS).join(format!("{name}.test.mjs")))?;
        count += in_browser(&text);
    }
    count += clients::python_count()? + clients::javascript_count()?;
    println!("SKIPPED: {count} tests on Docker: {why}");
    tally.skipped += count;
    Ok(format!("none: {count} tests skipped"))
}

/// How many tests a file of the browser's has: lines that begin a scenario.
fn in_browser(text: &str) -> u64 {
    text.lines().filter(|line| line.trim_start().starts_with("scenario(")).count() as u64
}

/// Prints the table, what failed and the closing line, which it returns; an error if anything failed.
fn finish(steps: &Steps, mut tally: Tally, ended: Result<()>) -> (String, Result<()>) {
    print!("\n{}{}", steps.table(), steps.reasons());
    let failed = steps.failed();
    if let Err(error) = ended {
        eprintln!("\nxtask: stopped early: {error:#}");
    }
    // A check that isn't made of tests counts as one when it fails: the closing line never says 0 over a failure.
    let checks = failed.iter().filter(|name| !name.contains("tests")).count() as u64;
    tally.failed = (tally.failed + checks).max(u64::from(!failed.is_empty()));
    println!("\n{tally}");
    let result = if failed.is_empty() { Ok(()) } else { Err(anyhow!("failed: {}", failed.join(", "))) };
    (tally.to_string(), result)
}

/// Writes down what a `--full` run came to.
fn keep(steps: &Steps, closing: &str) -> Result<()> {
    let date = command::output(command::command("date").args(["-u", "+%Y-%m-%d"]))?;
    let cores = std::thread::available_parallelism()?;
    let page = format!(
        "# The last full run of the tests\n\n`cargo xtask test --full`, {date}, {cores} cores: **{closing}**.\n\n```\n{}```\n",
        steps.table()
    );
    crate::cache::write(&repo::path(FULL_RESULT), page.as_bytes())
}

fn cargo_tests(tally: &mut Tally, selection: &[&str], full: bool, environment: &[(&str, &str)]) -> Result<String> {
    let mut tests = cargo();
    tests.envs(environment.iter().copied());
    tests.args(["test", "--locked", "--no-fail-fast"]).args(selection).args(["--", "--show-output"]);
    counted(tally, rust_environment(&mut tests, full, None)?)
}

fn rust_environment<'a>(tests: &'a mut Command, full: bool, docker: Option<&str>) -> Result<&'a mut Command> {
    environment(tests, docker)?;
    tests.env("EMBEDENV_BIN", debug_binary());
    if full {
        tests.env("EMBEDENV_FULL", "1");
    }
    Ok(tests)
}

fn python_tests(tally: &mut Tally, server: &Path, docker: Option<&str>) -> Result<String> {
    let mut tests = clients::python_tests()?;
    environment(&mut tests, docker)?;
    counted(tally, tests.env("EMBEDENV_BIN", server))
}

fn browser(tally: &mut Tally, chosen: &[String], server: &Path, docker: Option<&str>) -> Result<String> {
    node::packages(BROWSER_TESTS)?;
    node_tests(tally, BROWSER_TESTS, chosen, server, docker)
}

/// Runs the `*.test.mjs` of a folder, or those chosen, on a server.
fn node_tests(
    tally: &mut Tally,
    folder: &str,
    chosen: &[String],
    server: &Path,
    docker: Option<&str>,
) -> Result<String> {
    let files = if chosen.is_empty() {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(repo::path(folder)).with_context(|| format!("cannot list {folder}"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".test.mjs") {
                found.push(format!("{folder}/{name}"));
            }
        }
        found.sort();
        found
    } else {
        chosen.to_vec()
    };
    if files.is_empty() {
        bail!("{folder} holds no *.test.mjs");
    }
    let mut tests = command::command("node");
    // Each browser test starts a server and a browser, and waits for them more than it computes.
    tests.args(["--test", "--test-concurrency=2", "--test-reporter=spec"]).args(&files);
    environment(&mut tests, docker)?;
    counted(tally, tests.env("EMBEDENV_BIN", server))
}

fn debug_binary() -> PathBuf {
    repo::path("target/debug/embedenv")
}

fn on_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// What tests are told about the machine, and which engine they are for: Docker at an address, or the local one.
fn environment(tests: &mut Command, docker: Option<&str>) -> Result<()> {
    if let Some(address) = docker {
        tests.env("EMBEDENV_TEST_ENGINE", "docker").env("DOCKER_HOST", address);
    }
    tests.env("EMBEDENV_PYTHON", python::interpreter()?);
    // An error says what failed; where it was made is some dozen lines of a runtime's.
    tests.env("RUST_LIB_BACKTRACE", "0");
    if let Some(chromium) = system::chromium() {
        tests.env("EMBEDENV_CHROMIUM", chromium);
    }
    let reference = repo::root().parent().map(|above| above.join("shared")).filter(|folder| folder.is_dir());
    if let Some(reference) = reference {
        tests.env("EMBEDENV_REFERENCE", reference);
    }
    if on_ci() {
        tests.env("EMBEDENV_CI", "1");
    }
    Ok(())
}

/// Runs a test runner, counts its tests and passes its output on, but for what tests that passed had to say.
fn counted(tally: &mut Tally, tests: &mut Command) -> Result<String> {
    let mut own = Tally::default();
    let mut failures = Failures::default();
    let mut talk_of_passed = false;
    let ok = command::follow(tests, |line| {
        own.line(line);
        failures.line(line);
        match line {
            "successes:" => talk_of_passed = true,
            "failures:" => talk_of_passed = false,
            _ if line.starts_with("test result: ") => talk_of_passed = false,
            _ => {}
        }
        if !talk_of_passed || line.starts_with("SKIPPED: ") {
            println!("{line}");
        }
    })?;
    tally.add(own);
    let own = own.settled();
    if !ok {
        bail!("{own}\n{failures}");
    }
    Ok(own.to_string())
}

fn done(command: &mut Command) -> Result<String> {
    run(command)?;
    Ok("done".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_browsers_that_runs_on_docker_has_tests_that_are_counted() {
        for name in ON_DOCKER_IN_BROWSER {
            let text = std::fs::read_to_string(repo::path(BROWSER_TESTS).join(format!("{name}.test.mjs"))).unwrap();
            assert!(in_browser(&text) > 0, "{name}");
        }
    }
}
