//! Chance that can be had again: each test prints the seed it was run with, and `EMBEDENV_SEED` runs it once more.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

const SEED: &str = "EMBEDENV_SEED";

/// The seed of this run, printed.
pub fn seed() -> u64 {
    let given = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand::random);
    println!("{SEED}={seed}");
    seed
}

/// Whether this run is to be that of an earlier seed.
pub fn is_given() -> bool {
    std::env::var_os(SEED).is_some()
}

/// A generator of its own for the `number`th of those that take part.
pub fn chance(seed: u64, number: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ number.rotate_left(32))
}
