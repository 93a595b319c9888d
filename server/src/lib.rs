//! The edge server of Embedenv as a library: what `embedenv serve` starts, and what the tests start in-process.

pub mod engine;
