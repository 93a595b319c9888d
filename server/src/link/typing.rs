//! Keys that go straight into a terminal: the agent hands over the masters of its terminals, and what is typed is
//! written to them without waking it. Input of any size and order still goes as frames when that is not possible.
//!
//! A descriptor comes from a process that is not trusted: it is used only if it is the master of a pseudo-terminal, and
//! never for a write that could wait.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};

use embedenv_shared::id::SessionId;
use embedenv_shared::link::sessions::Master;
use parking_lot::Mutex;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};

/// What is longer was pasted: the agent holds what a program does not take at once, and the kernel would not.
const MAX_KEYS: usize = 256;
/// The device of every master of a pseudo-terminal (Documentation/admin-guide/devices.txt: 5 char, 2 `/dev/ptmx`).
const MASTER: (u32, u32) = (5, 2);

/// The terminals of one link.
#[derive(Debug, Default)]
pub(super) struct Typing(Mutex<HashMap<SessionId, Terminal>>);

#[derive(Debug, Default)]
struct Terminal {
    master: Option<OwnedFd>,
    /// Frames of input sent on this link.
    sent: u64,
}

impl Typing {
    /// Types what can be typed at once. Returns what can't, which must go as a frame.
    pub(super) fn directly<'a>(&self, session: SessionId, bytes: &'a [u8]) -> &'a [u8] {
        let mut terminals = self.0.lock();
        let Some(terminal) = terminals.get_mut(&session) else { return bytes };
        let Some(master) = terminal.master.take() else { return bytes };
        if bytes.len() > MAX_KEYS || !never_waits(&master) {
            return bytes;
        }
        match rustix::io::write(&master, bytes) {
            Ok(written) if written == bytes.len() => {
                terminal.master = Some(master);
                &[]
            }
            Ok(written) => &bytes[written..],
            Err(_) => bytes,
        }
    }

    /// A frame of input is about to be sent. Until the agent has typed it, nothing may overtake it.
    pub(super) fn sent(&self, session: SessionId) {
        let mut terminals = self.0.lock();
        let terminal = terminals.entry(session).or_default();
        terminal.sent += 1;
        terminal.master = None;
    }

    /// The agent hands a terminal over.
    pub(super) fn take(&self, master: &Master, descriptor: OwnedFd) {
        let mut terminals = self.0.lock();
        let terminal = terminals.entry(master.session).or_default();
        if terminal.sent == master.inputs && is_master(&descriptor) && never_waits(&descriptor) {
            terminal.master = Some(descriptor);
        }
    }

    pub(super) fn let_go(&self, session: SessionId) {
        self.0.lock().remove(&session);
    }
}

fn is_master(descriptor: impl AsFd) -> bool {
    fstat(descriptor).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev)) == MASTER
    })
}

fn never_waits(descriptor: impl AsFd) -> bool {
    fcntl_getfl(descriptor).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, openpt};

    fn master() -> OwnedFd {
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC | OpenptFlags::from_bits_retain(0o4000))
            .unwrap()
    }

    #[test]
    fn keys_go_to_the_terminal_and_a_paste_goes_as_a_frame_and_is_not_overtaken() {
        let typing = Typing::default();
        let session = SessionId(1);
        assert_eq!(typing.directly(session, b"x"), b"x");
        typing.take(&Master { session, inputs: 0 }, master());
        assert_eq!(typing.directly(session, b"x"), b"");
        let paste = [b'p'; MAX_KEYS + 1];
        assert_eq!(typing.directly(session, &paste), paste);
        typing.sent(session);
        assert_eq!(typing.directly(session, b"y"), b"y");
        typing.sent(session);
        // Handed over after the first of two frames was typed: the second is still on its way.
        typing.take(&Master { session, inputs: 1 }, master());
        assert_eq!(typing.directly(session, b"z"), b"z");
        typing.take(&Master { session, inputs: 2 }, master());
        assert_eq!(typing.directly(session, b"z"), b"");
        typing.let_go(session);
        assert_eq!(typing.directly(session, b"z"), b"z");
    }

    #[test]
    fn only_masters_that_never_wait_are_taken() {
        let typing = Typing::default();
        let hand = |number, descriptor| typing.take(&Master { session: SessionId(number), inputs: 0 }, descriptor);
        hand(1, std::fs::File::open("/dev/null").unwrap().into());
        hand(2, std::fs::File::open("/etc/passwd").unwrap().into());
        hand(3, openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
        for number in 1..=3 {
            assert_eq!(typing.directly(SessionId(number), b"x"), b"x");
        }
    }
}
