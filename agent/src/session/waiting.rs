//! Whether a session's program waits for input.

use std::time::Instant;

use super::Session;
use crate::link::Link;

/// When to look next.
#[derive(Debug, Default)]
pub struct Watch {}

impl Watch {
    pub fn printed(&mut self) {}
    pub fn typed(&mut self) {}
    pub fn deadline(&self) -> Option<Instant> {
        None
    }
}

impl Session {
    pub(super) fn look_for_waiting(&mut self, _now: Instant, _link: &mut Option<Link>) {}
}
