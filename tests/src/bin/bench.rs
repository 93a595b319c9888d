//! `cargo xtask bench [NAME…]`: each figure beside a floor that was measured in the same run.
//!
//! Prints one table. It never fails on a figure: what must hold is judged by people, who have the ratio.

use anyhow::{Result, bail};
use embedenv_tests::bench;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if arguments.peek().is_some_and(|argument| argument == bench::floor::ARGUMENT) {
        return runtime.block_on(bench::floor::serve());
    }
    let wanted: Vec<String> = arguments.collect();
    for name in &wanted {
        if !bench::NAMES.contains(&name.as_str()) {
            bail!("there is no bench {name:?}; there are {}", bench::NAMES.join(", "));
        }
    }
    runtime.block_on(bench::run(&wanted))
}
