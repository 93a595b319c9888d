//! Every decoder takes every input that was ever worth keeping: without a panic, soon, and in little memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv_tests::decoders::{DECODERS, Decoder};
use rustix::time::{ClockId, clock_gettime};

/// Processor time that one input may take; a program that is not optimised gets four times as much.
const TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 800 } else { 200 });
/// Memory that one input may take at most, in bytes.
const MEMORY: u64 = 64 * 1024 * 1024;

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name)
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// What this process has in memory now, or had at most since `forget_peak`, in bytes.
fn resident(line: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|text| text.strip_prefix(line)?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(1024 * kib.with_context(|| format!("no {line}"))?)
}

fn forget_peak() -> Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

// One at a time: what is measured is the process's.
#[test]
fn no_input_breaks_a_decoder_or_costs_it_much() -> Result<()> {
    for Decoder { name, run } in DECODERS {
        let mut inputs = fs::read_dir(corpus(name)).with_context(|| format!("no corpus of {name}"))?.count();
        ensure!(inputs > 0, "{name} has no inputs");
        for entry in fs::read_dir(corpus(name))? {
            let (path, before) = (entry?.path(), processor_time());
            let bytes = fs::read(&path)?;
            forget_peak()?;
            let resident_before = resident("VmRSS:")?;
            run(&bytes);
            let (took, grew) = (processor_time() - before, resident("VmHWM:")?.saturating_sub(resident_before));
            ensure!(took <= TIME, "{} takes {took:?}", path.display());
            ensure!(grew <= MEMORY, "{} takes {grew} bytes", path.display());
            inputs -= 1;
        }
        ensure!(inputs == 0, "{name} has as many inputs as were counted");
    }
    Ok(())
}

#[test]
fn every_corpus_has_its_decoder() -> Result<()> {
    for entry in fs::read_dir(corpus(""))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        // The page's are fed to it by its own tests.
        let is_page = name.starts_with("page_");
        ensure!(is_page || DECODERS.iter().any(|decoder| decoder.name == name), "nobody reads fuzz/corpus/{name}");
    }
    Ok(())
}
