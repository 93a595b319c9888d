//! The program `embedenv`: arguments in, exit code out. Everything it does is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    embedenv::cli::run()
}
