//! `cargo xtask fuzz [NAME] [SECONDS]`: hunts for input that breaks a decoder, with libFuzzer, and keeps in `fuzz/corpus`
//! what reaches code that nothing there reaches. What the decoders are is in `tests/src/decoders.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, run as run_command};
use crate::repo;

/// How long each decoder is fed, if nobody says otherwise.
const SECONDS: u64 = 60;
/// Inputs that a corpus has at most.
const MOST: usize = 80;
/// The longest input, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// Memory of the process, in MiB: what the fuzzer itself needs and 64 for the input.
const MEMORY: usize = 1024;

/// Counts which parts of a program ran, for libFuzzer; what `cargo fuzz` sets, without what needs a nightly compiler.
const COVERAGE: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Ccodegen-units=1",
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (names, seconds) = match arguments {
        [] => (corpora()?, SECONDS),
        [name] => (vec![name.clone()], SECONDS),
        [name, seconds] => (vec![name.clone()], seconds.parse().context("SECONDS is a number")?),
        _ => bail!("`cargo xtask fuzz` takes a decoder's name and a number of seconds"),
    };
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let folder = repo::path("target/fuzz");
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", &host]);
    build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", COVERAGE.join(" "));
    run_command(&mut build)?;
    let program = folder.join(&host).join("release/decoder");
    for name in names {
        let (kept, found) = (repo::path(&format!("fuzz/corpus/{name}")), folder.join("corpus").join(&name));
        fs::create_dir_all(&kept)?;
        fs::create_dir_all(&found)?;
        let decoder = |rest: &[String], folders: [&PathBuf; 2]| {
            let mut decoder = Command::new(&program);
            decoder.env("DECODER", &name).arg("-timeout=2").arg(format!("-rss_limit_mb={MEMORY}"));
            decoder.arg(format!("-artifact_prefix={}/broken-{name}-", folder.display())).args(rest).args(folders);
            run_command(&mut decoder).with_context(|| format!("{name} breaks; the input is in {}", folder.display()))
        };
        let limits =
            [format!("-max_total_time={seconds}"), format!("-max_len={MAX_LENGTH}"), "-verbosity=0".to_owned()];
        decoder(&limits, [&found, &kept])?;
        decoder(&["-set_cover_merge=1".to_owned(), "-verbosity=0".to_owned()], [&kept, &found])?;
        println!("{name}: {} inputs kept", thin_out(&kept)?);
    }
    Ok(())
}

/// Bounds what every run of the tests reads and everybody who clones the project gets: of more than [`MOST`] inputs, some
/// of every length stay. Returns how many are left.
fn thin_out(folder: &Path) -> Result<usize> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        inputs.push((entry.metadata()?.len(), entry.path()));
    }
    inputs.sort_unstable();
    let count = inputs.len();
    let stays = |index: usize| count <= MOST || index * MOST / count != (index + 1) * MOST / count;
    for (_, (_, path)) in inputs.iter().enumerate().filter(|(index, _)| !stays(*index)) {
        fs::remove_file(path)?;
    }
    Ok(count.min(MOST))
}

fn corpora() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(repo::path("fuzz/corpus"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
