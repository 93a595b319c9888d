//! The log of one session: its last [`RING`] bytes, under offsets that run from the session's first byte on.
//!
//! The memory is reserved as a whole and costs nothing until it is written to; it is not copied into forked
//! processes, so that a holder of another session never keeps old output alive.
#![allow(unsafe_code)] // The memory comes from `mmap`, for these two properties.

use std::ptr::NonNull;

use embedenv_shared::link::sessions::RING;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

#[derive(Debug)]
pub struct Ring {
    memory: NonNull<u8>,
    start: u64,
    head: u64,
}

impl Ring {
    pub fn new() -> Result<Self, rustix::io::Errno> {
        // SAFETY: a new private mapping of a length that is not zero, anywhere.
        let memory = unsafe {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            mmap_anonymous(std::ptr::null_mut(), RING, ProtFlags::READ | ProtFlags::WRITE, flags)?
        };
        for advice in [Advice::LinuxDontFork, Advice::LinuxNoHugepage] {
            // SAFETY: the whole of our own mapping. Without the advice it works as well and costs more.
            let _ = unsafe { madvise(memory, RING, advice) };
        }
        Ok(Self { memory: NonNull::new(memory.cast()).expect("mmap returns no null"), start: 0, head: 0 })
    }

    /// Offset of the first byte that is still there.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Offset after the last byte.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Where the next bytes go: at most `max`, in one piece. They overwrite the oldest.
    pub fn room(&mut self, max: usize) -> &mut [u8] {
        let at = (self.head % RING as u64) as usize;
        let length = max.min(RING - at);
        // SAFETY: `at + length <= RING`: within our mapping, which is readable, writable and zero at first; `&mut self`
        // keeps others away.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().add(at), length) }
    }

    /// The first `count` bytes of [`Ring::room`] were filled.
    pub fn filled(&mut self, count: usize) {
        self.head += count as u64;
        self.start = self.start.max(self.head.saturating_sub(RING as u64));
    }

    /// The bytes in `from..to`, in two pieces. Both must lie within what is still there.
    pub fn pieces(&self, from: u64, to: u64) -> (&[u8], &[u8]) {
        assert!(self.start <= from && from <= to && to <= self.head, "only what the ring has can be read");
        let length = (to - from) as usize;
        let at = (from % RING as u64) as usize;
        let first = length.min(RING - at);
        // SAFETY: both pieces lie within our mapping, and `&self` keeps writers away.
        unsafe {
            let memory = self.memory.as_ptr();
            (std::slice::from_raw_parts(memory.add(at), first), std::slice::from_raw_parts(memory, length - first))
        }
    }

    /// Whether the last byte ends a line; so does nothing at all.
    pub fn ends_a_line(&self) -> bool {
        match self.head.checked_sub(1) {
            Some(last) if self.start <= last => self.pieces(last, self.head).0 == b"\n",
            _ => true,
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: our own mapping, of which no borrow can be left.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), RING) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(ring: &mut Ring, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = ring.room(bytes.len());
            let length = room.len();
            room.copy_from_slice(&bytes[..length]);
            ring.filled(length);
            bytes = &bytes[length..];
        }
    }

    #[test]
    fn the_last_bytes_stay_under_their_offsets() {
        let mut ring = Ring::new().unwrap();
        assert!(ring.ends_a_line());
        write(&mut ring, b"first\n");
        assert!(ring.ends_a_line());
        let bulk: Vec<u8> = (0..RING).map(|n| (n % 251) as u8).collect();
        write(&mut ring, &bulk);
        assert_eq!((ring.start(), ring.head()), (6, RING as u64 + 6));
        let (front, back) = ring.pieces(6, RING as u64 + 6);
        assert_eq!([front, back].concat(), bulk);
        let (front, back) = ring.pieces(RING as u64 - 2, RING as u64 + 3);
        assert_eq!([front, back].concat(), bulk[RING - 8..RING - 3]);
    }
}
