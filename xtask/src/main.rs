//! Every command of the project: `cargo xtask run | build | test | e2e | bench | fuzz | size | early | pictures | tidy | engine | postgres | image`.
//! Owns how things are installed, staged and checked; never anything that the product does at run time.

mod agent;
mod bench;
mod cache;
mod clients;
mod command;
mod early;
mod engine;
mod failures;
mod fuzz;
mod image;
mod node;
mod pictures;
mod postgres;
mod python;
mod release;
mod repo;
mod site;
mod size;
mod steps;
mod suite;
mod system;
mod tally;
mod tidy;
mod tools;
mod web;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [ARGUMENTS]   install what is missing, build, start `embedenv try` and print the link
  build             leave the one file target/release/embedenv, page and agent inside
  test [--full]     every check and test; --full adds the long ones
  e2e [FILES]       the browser tests alone
  bench [--docker] [NAME]   the benchmarks, each beside its floor
  fuzz [NAME] [SECONDS]     hunt for input that breaks a decoder, and keep what is new of it
  size              what the page loads until a file can be typed into, compressed
  early             look anew which of the page's functions run until then; writes web/js/early.txt
  pictures          each main screen into target/pictures, and some into docs/pictures
  tidy              the repository's own rules
  engine [COMMAND]  a Docker engine of its own for as long as COMMAND runs, or until Ctrl+C
  postgres [COMMAND]  a PostgreSQL server of its own, likewise
  image [NAME]      make the image `workspace` (or `busybox`, for tests) and hand it to a Docker engine";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", &[][..]),
    };
    let result = match name {
        "run" => release::run(rest),
        "build" => release::build(),
        "test" => suite::test(rest),
        "e2e" => suite::e2e(rest),
        "bench" => bench::run(rest),
        "fuzz" => fuzz::run(rest),
        "size" => size::command(),
        "early" => early::write(),
        "pictures" => pictures::take(),
        "tidy" => tidy::command(),
        "engine" => engine::command(rest),
        "postgres" => postgres::command(rest),
        engine::KEEPER => engine::keep(),
        "image" => image::command(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("there is no command `{other}`\n\n{USAGE}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
