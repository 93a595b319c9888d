//! Starting a program on a new pseudo-terminal, or on pipes.
//!
//! ```text
//! agent ── fork ── holder: leads the terminal's session, outlives the program
//!                    └── fork ── program: its own process group, in the foreground
//! ```
//!
//! When the process that leads a terminal's session ends, the kernel hangs up on the foreground group. Jobs that a
//! shell leaves in the background must live on, so the session's leader is a *holder* of ours that does nothing: it
//! tells how the program ended and stays until the agent lets go of it. It keeps no descriptor but two pipes.
//!
//! A process on pipes has the same holder: its session has no terminal, and is what is signalled as a whole.
//!
//! What the holder says ([`Report`]) comes through a pipe, [`REPORT`] bytes each; a pipe that ends without a status means
//! that the holder was killed. The pipe stays open until the holder has ended.
#![allow(unsafe_code)] // `fork` and `execve`, and the system calls between them, which must not allocate or lock.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use embedenv_shared::link::sessions::{Cost, ExitStatus, Pipes, SessionKind, Size};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::Pid;
use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, LocalModes, OptionalActions, Winsize};

/// Everything a program is started with.
#[derive(Debug)]
pub struct Program<'a> {
    pub kind: SessionKind,
    pub size: Size,
    /// On pipes, and no terminal.
    pub pipes: Option<Pipes>,
    pub path: &'a CStr,
    pub arguments: &'a [CString],
    pub environment: &'a [CString],
    pub folder: BorrowedFd<'a>,
    pub processes: Option<u64>,
    pub open_files: Option<u64>,
}

/// A program that was started, or is about to be: the first [`Report`] tells.
#[derive(Debug)]
pub struct Started {
    pub ends: Ends,
    pub holder: Pid,
    /// The holder's reports.
    pub reports: OwnedFd,
    /// Closing it lets the holder go.
    pub hold: OwnedFd,
}

/// Our ends of what a program reads and prints to.
#[derive(Debug)]
pub struct Ends {
    /// The master's side, or that of the pipe from the standard output; non-blocking.
    pub terminal: OwnedFd,
    /// The program's side, kept open until it has ended: with nobody at it the other side reads a hang-up.
    pub slave: OwnedFd,
    /// Major and minor number of the terminal; zeros of a pipe.
    pub device: (u32, u32),
    /// What only a process has.
    pub process: Option<ProcessEnds>,
}

/// The other pipes of a process; those that are ours are non-blocking.
#[derive(Debug)]
pub struct ProcessEnds {
    /// To the standard input, if it is fed.
    pub input: Option<OwnedFd>,
    pub errors: OwnedFd,
    /// As [`Ends::slave`], of the standard error.
    pub errors_slave: OwnedFd,
}

/// What a holder tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    Started(Pid),
    /// The program could not be started.
    Failed(Errno),
    Ended(ExitStatus, Cost),
}

const STARTED: u32 = 1;
const FAILED: u32 = 2;
const ENDED: u32 = 3;
/// Length of a report in bytes: what it is and its value, and of a program that has ended its time in milliseconds, its
/// memory in bytes and its processor time in milliseconds.
const REPORT: usize = 32;

impl Report {
    /// The next report; `Ok(None)` when the holder is gone.
    pub fn read(reports: &OwnedFd) -> Result<Option<Self>, Errno> {
        let mut bytes = [0; REPORT];
        // A write of so few bytes to a pipe is never torn.
        if rustix::io::read(reports, &mut bytes)? < REPORT {
            return Ok(None);
        }
        let (words, _) = bytes.as_chunks::<4>();
        let word = |at: usize| u32::from_ne_bytes(words[at]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 1)) << 32;
        let value = word(1).cast_signed();
        let cost = Cost { elapsed: long(2), memory: long(4), processor: long(6) };
        Ok(match word(0) {
            STARTED => Pid::from_raw(value).map(Self::Started),
            FAILED => Some(Self::Failed(Errno::from_raw_os_error(value))),
            ENDED if libc::WIFSIGNALED(value) => Some(Self::Ended(ExitStatus::Signal(libc::WTERMSIG(value)), cost)),
            ENDED => Some(Self::Ended(ExitStatus::Code(libc::WEXITSTATUS(value)), cost)),
            _ => None,
        })
    }
}

/// Starts a program. It runs as soon as this returns; its first report says whether it does.
pub fn start(program: &Program<'_>) -> Result<Started, Errno> {
    let (ends, input) = match &program.pipes {
        Some(pipes) => on_pipes(*pipes)?,
        None => (on_terminal(program.kind, program.size)?, None),
    };
    let slave = ends.slave.as_raw_fd();
    let standard = match (&ends.process, &input) {
        (Some(process), Some(input)) => [input.as_raw_fd(), slave, process.errors_slave.as_raw_fd()],
        _ => [slave; 3],
    };

    let (reports, report) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    rustix::fs::fcntl_setfl(&reports, OFlags::NONBLOCK)?;
    let (held, hold) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;

    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let arguments = pointers(program.arguments);
    let environment = pointers(program.environment);
    let bounds = program.pipes.map(|pipes| pipes.bounds).unwrap_or_default();
    let child = Child {
        standard,
        is_terminal: program.pipes.is_none(),
        report: report.as_raw_fd(),
        held: held.as_raw_fd(),
        folder: program.folder.as_raw_fd(),
        path: program.path.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        processes: program.processes,
        open_files: program.open_files,
        data: bounds.memory,
        seconds: bounds.processor.map(|milliseconds| milliseconds.div_ceil(1000)),
    };
    // SAFETY: the child only calls `Child::hold`, which makes system calls on what was prepared above and never
    // returns; it neither allocates, locks nor unwinds.
    let holder = unsafe {
        match libc::fork() {
            -1 => return Err(last_error()),
            0 => child.hold(),
            pid => Pid::from_raw(pid).expect("fork returns a process"),
        }
    };
    Ok(Started { ends, holder, reports, hold })
}

fn on_terminal(kind: SessionKind, size: Size) -> Result<Ends, Errno> {
    let terminal = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&terminal)?;
    rustix::pty::unlockpt(&terminal)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = rustix::pty::ioctl_tiocgptpeer(&terminal, flags)?;
    rustix::fs::fcntl_setfl(&terminal, OFlags::RDWR | OFlags::NONBLOCK)?;
    let device = rustix::fs::fstat(&slave)?.st_rdev;
    let device = (rustix::fs::major(device), rustix::fs::minor(device));
    set_modes(&slave, kind)?;
    resize(&terminal, size)?;
    Ok(Ends { terminal, slave, device, process: None })
}

/// Our ends, and what the program reads from.
fn on_pipes(pipes: Pipes) -> Result<(Ends, Option<OwnedFd>), Errno> {
    let output = || {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&read, OFlags::NONBLOCK)?;
        Ok((read, write))
    };
    let (terminal, slave) = output()?;
    let (errors, errors_slave) = output()?;
    let (theirs, input) = if pipes.is_fed {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&write, OFlags::NONBLOCK)?;
        (read, Some(write))
    } else {
        (rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?, None)
    };
    let process = Some(ProcessEnds { input, errors, errors_slave });
    Ok((Ends { terminal, slave, device: (0, 0), process }, Some(theirs)))
}

/// The terminal's size; its foreground group is told by the kernel.
pub fn resize(terminal: impl AsFd, size: Size) -> Result<(), Errno> {
    rustix::termios::tcsetwinsize(
        terminal,
        Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 },
    )
}

fn set_modes(slave: &OwnedFd, kind: SessionKind) -> Result<(), Errno> {
    let mut modes = rustix::termios::tcgetattr(slave)?;
    modes.input_modes |= InputModes::IUTF8;
    if kind == SessionKind::Shell {
        // Lines come from a socket: nothing is echoed, and no byte of them stops the output.
        let echo = LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK | LocalModes::ECHOCTL | LocalModes::ECHOKE;
        modes.local_modes.remove(echo);
        modes.input_modes.remove(InputModes::IXON);
    }
    rustix::termios::tcsetattr(slave, OptionalActions::Now, &modes)
}

fn last_error() -> Errno {
    Errno::from_raw_os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}

/// What the forked processes work on: numbers and pointers alone.
struct Child {
    /// Standard input, output and error.
    standard: [RawFd; 3],
    is_terminal: bool,
    report: RawFd,
    held: RawFd,
    folder: RawFd,
    path: *const libc::c_char,
    arguments: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    processes: Option<u64>,
    open_files: Option<u64>,
    data: Option<u64>,
    seconds: Option<u64>,
}

impl Child {
    /// The holder's whole life.
    ///
    /// # Safety
    /// Only in a process that was just forked for it.
    unsafe fn hold(&self) -> ! {
        // SAFETY: system calls on descriptors that were open when this process was forked, and on our own stack.
        unsafe {
            for signal in [
                libc::SIGHUP,
                libc::SIGINT,
                libc::SIGQUIT,
                libc::SIGTERM,
                libc::SIGTSTP,
                libc::SIGTTIN,
                libc::SIGTTOU,
                libc::SIGPIPE,
            ] {
                libc::signal(signal, libc::SIG_IGN);
            }
            if libc::setsid() == -1 {
                self.fail();
            }
            if self.is_terminal && libc::ioctl(self.standard[0], libc::TIOCSCTTY as _, 0) == -1 {
                self.fail();
            }
            let begun = milliseconds();
            let program = match libc::fork() {
                -1 => self.fail(),
                0 => self.become_program(),
                pid => pid,
            };
            self.say(STARTED, program);
            // Only the two pipes stay: in particular neither end of a terminal, nor the other end of the holding pipe.
            libc::dup2(self.report, 0);
            libc::dup2(self.held, 1);
            libc::close(2);
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
            let mut status = 0;
            let mut usage = std::mem::zeroed::<libc::rusage>();
            while libc::wait4(program, &mut status, 0, &mut usage) == -1 && *libc::__errno_location() == libc::EINTR {}
            // `ru_maxrss` is in units of 1,024 bytes (getrusage(2)).
            let memory = usage.ru_maxrss.cast_unsigned().saturating_mul(1024);
            let processor = spent(usage.ru_utime) + spent(usage.ru_stime);
            let report = report(ENDED, status, [milliseconds().saturating_sub(begun), memory, processor]);
            libc::write(0, report.as_ptr().cast(), REPORT);
            let mut byte = 0u8;
            while libc::read(1, (&raw mut byte).cast(), 1) == -1 && *libc::__errno_location() == libc::EINTR {}
            // The foreground group gets a hang-up when this process ends. Whoever still needs one had it from the
            // agent; daemons that stayed in the group must not, so the holder takes the foreground itself.
            let flags = libc::O_RDWR | libc::O_CLOEXEC | libc::O_NOCTTY;
            let terminal = if self.is_terminal { libc::open(c"/dev/tty".as_ptr(), flags) } else { -1 };
            if terminal != -1 {
                libc::tcsetpgrp(terminal, libc::getpid());
            }
            libc::_exit(0)
        }
    }

    /// # Safety
    /// Only in a process that was just forked for it.
    unsafe fn become_program(&self) -> ! {
        // SAFETY: as above; the strings were prepared before the fork.
        unsafe {
            if libc::setpgid(0, 0) == -1 {
                self.fail();
            }
            if self.is_terminal && libc::tcsetpgrp(self.standard[0], libc::getpid()) == -1 {
                self.fail();
            }
            for (descriptor, &own) in (0..).zip(&self.standard) {
                if libc::dup2(own, descriptor) == -1 {
                    self.fail();
                }
            }
            if libc::fchdir(self.folder) == -1 {
                self.fail();
            }
            let limit = |resource, value: Option<u64>| {
                if let Some(value) = value {
                    libc::setrlimit(resource, &libc::rlimit { rlim_cur: value, rlim_max: value });
                }
            };
            limit(libc::RLIMIT_NPROC, self.processes);
            limit(libc::RLIMIT_NOFILE, self.open_files);
            limit(libc::RLIMIT_CORE, Some(0));
            limit(libc::RLIMIT_DATA, self.data);
            limit(libc::RLIMIT_CPU, self.seconds);
            // By system call: the C library refuses the signals that it uses itself, which may come ignored as well.
            let default = [0u64; 4];
            for signal in 1..=64 {
                libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), std::ptr::null_mut::<u64>(), 8);
            }
            let mut mask = std::mem::zeroed::<libc::sigset_t>();
            libc::sigemptyset(&mut mask);
            libc::sigprocmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut());
            // Everything of the agent's is close-on-exec already; so is what it may have been handed without knowing.
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
            libc::execve(self.path, self.arguments, self.environment);
            self.fail()
        }
    }

    unsafe fn say(&self, what: u32, value: i32) {
        let report = report(what, value, [0; 3]);
        // SAFETY: a descriptor that is open and a buffer of that length.
        unsafe { libc::write(self.report, report.as_ptr().cast(), REPORT) };
    }

    unsafe fn fail(&self) -> ! {
        // SAFETY: `errno` of this thread, a write, and the end.
        unsafe {
            self.say(FAILED, *libc::__errno_location());
            libc::_exit(127)
        }
    }
}

fn report(what: u32, value: i32, [elapsed, memory, processor]: [u64; 3]) -> [u8; REPORT] {
    let (low, high) = (|long: u64| long as u32, |long: u64| (long >> 32) as u32);
    let longs = [low(elapsed), high(elapsed), low(memory), high(memory), low(processor), high(processor)];
    let words = [what, value.cast_unsigned()].into_iter().chain(longs);
    let mut bytes = [0; REPORT];
    for (place, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *place = word.to_ne_bytes();
    }
    bytes
}

/// Processor time in milliseconds.
fn spent(time: libc::timeval) -> u64 {
    time.tv_sec.cast_unsigned().saturating_mul(1000) + time.tv_usec.cast_unsigned() / 1000
}

/// Milliseconds on a clock that nobody sets.
fn milliseconds() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.cast_unsigned() * 1000 + now.tv_nsec.cast_unsigned() / 1_000_000
}
