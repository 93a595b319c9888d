//! `cargo xtask bench`: stages what the benchmarks run, then starts them in release. What they measure is in `tests/`.

use anyhow::Result;

use crate::command::{cargo, run as run_command};
use crate::release;
use crate::steps::Steps;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    steps.need("system packages", crate::system::for_running)?;
    release::binary_steps(&mut steps)?;
    let mut bench = cargo();
    bench.args(["run", "--release", "--locked", "--package", "embedenv-tests", "--bin", "bench", "--"]);
    bench.env("EMBEDENV_REQUIRE_EMBED", "1").env("EMBEDENV_BIN", release::binary());
    run_command(bench.args(arguments))
}
