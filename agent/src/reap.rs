//! Children: every process whose parent is gone comes to the agent, and leaves no zombie.
//!
//! SIGCHLD arrives as a readable descriptor, so that it is one more event of the loop.
#![allow(unsafe_code)] // The signal mask, dispositions and `signalfd`, which rustix does not have.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::process::WaitOptions;

/// Signals that end a process by default and mean nothing to the agent. As process 1 it is spared most of them; the
/// agent may also run as an ordinary child. SIGTERM stays: a plain child ends by it, process 1 does not notice.
const IGNORED: [libc::c_int; 8] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGPIPE,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTTOU,
    libc::SIGTTIN,
];

/// Becomes the parent of every orphan beneath it.
#[derive(Debug)]
pub struct Children {
    signals: OwnedFd,
}

impl Children {
    /// Must be called before the first thread is started, which inherits the mask.
    pub fn adopt() -> io::Result<Self> {
        for signal in IGNORED {
            // SAFETY: ignoring a signal runs no code of ours.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        // Only a process that is not process 1 needs to ask for it.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        // SAFETY: `mask` is initialised by `sigemptyset` before it is read, and the calls only read it.
        let fd = unsafe {
            let mut mask = std::mem::zeroed::<libc::sigset_t>();
            libc::sigemptyset(&mut mask);
            libc::sigaddset(&mut mask, libc::SIGCHLD);
            libc::sigprocmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut());
            libc::signalfd(-1, &mask, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor for us.
        Ok(Self { signals: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Takes every ended child from the kernel.
    pub fn reap(&self) {
        let mut record = [0u8; 128];
        while rustix::io::read(&self.signals, &mut record).is_ok_and(|n| n > 0) {}
        // The holders say how programs ended; nothing is learnt here.
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    }
}

impl AsFd for Children {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}
