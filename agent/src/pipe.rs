//! Commands without a terminal: each on a worker's thread, with pipes for its input, output and errors. Bounded in what
//! goes in, what comes out and how long it takes; when one goes beyond that its whole group is killed. Never waits for a
//! child: the loop takes them from the kernel, so that how a command ended is said by its own shell.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::pipe::{MAX_COMMAND, MAX_ERRORS, MAX_INPUT, MAX_OUTPUT, MAX_PIPES, PATIENCE, Pipe, Piped};
use embedenv_shared::link::sessions::SessionKind;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal};

use crate::environment::Environment;
use crate::files::beneath::Home;
use crate::limits::Limits;
use crate::session::table::cannot_start;

/// The shell waits for a line, so that the limits are set before anything runs; then it carries the command out and says
/// behind a NUL how that ended.
const SCRIPT: &str = "IFS= read -r _; (eval \"$1\"); printf '\\0%s' \"$?\" >&2";
/// Room for the NUL and the number behind it.
const STATUS: usize = 8;

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// One of the [`MAX_PIPES`] places.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let more = |running| (running < MAX_PIPES).then_some(running + 1);
        RUNNING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs it. Blocks for up to [`PATIENCE`].
pub fn run(home: &Home, environment: &Environment, limits: Limits, pipe: &Pipe) -> Result<Piped, Failure> {
    if pipe.input.len() > MAX_INPUT || pipe.command.len() > MAX_COMMAND || pipe.command.contains('\0') {
        return Err(Failure::new(ErrorCode::TooLarge, format!("a command takes {MAX_INPUT} bytes and no more")));
    }
    let Some(_place) = Place::take() else {
        return Err(Failure::new(ErrorCode::LimitReached, format!("{MAX_PIPES} commands of this kind run already")));
    };
    home.project(&pipe.project)?;
    let folder = home.path().join(pipe.project.as_str());
    let mut command = Command::new(OsStr::from_bytes(environment.shell.path.to_bytes()));
    command.args(["-c", SCRIPT, "sh", &pipe.command]).env_clear().current_dir(&folder).process_group(0);
    for variable in environment.of(SessionKind::Process, &folder, &BTreeMap::new()) {
        let bytes = variable.as_bytes();
        if let Some(equals) = bytes.iter().position(|&byte| byte == b'=') {
            command.env(OsStr::from_bytes(&bytes[..equals]), OsStr::from_bytes(&bytes[equals + 1..]));
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |error: std::io::Error| Failure::new(ErrorCode::Internal, format!("no command could be run: {error}"));
    let mut child = command.spawn().map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::AGAIN) => cannot_start(Errno::AGAIN),
        _ => failed(error),
    })?;
    let group = Pid::from_raw(child.id() as i32);
    let outcome =
        limit(group, limits).map_err(|errno| failed(errno.into())).and_then(|()| talk(&mut child, &pipe.input));
    if outcome.is_err()
        && let Some(group) = group
    {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    outcome
}

fn limit(process: Option<Pid>, limits: Limits) -> Result<(), rustix::io::Errno> {
    let both = [(Resource::Nproc, limits.processes), (Resource::Nofile, limits.open_files)];
    for (resource, most) in both {
        if most.is_some() {
            rustix::process::prlimit(process, resource, Rlimit { current: most, maximum: most })?;
        }
    }
    Ok(())
}

/// Writes and reads until both outputs have ended.
fn talk(child: &mut Child, input: &[u8]) -> Result<Piped, Failure> {
    let deadline = Instant::now() + PATIENCE;
    let (mut stdin, mut stdout, mut stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let pipes = [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)];
    for pipe in pipes.into_iter().flatten() {
        rustix::io::ioctl_fionbio(pipe, true).map_err(|errno| broken(&errno.into()))?;
    }
    let text = [b"\n", input].concat();
    let mut rest = text.as_slice();
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    while stdout.is_some() || stderr.is_some() {
        wait(
            deadline,
            [
                (stdin.as_ref().map(AsFd::as_fd), PollFlags::OUT),
                (stdout.as_ref().map(AsFd::as_fd), PollFlags::IN),
                (stderr.as_ref().map(AsFd::as_fd), PollFlags::IN),
            ],
        )?;
        if let Some(pipe) = &mut stdin
            && !push(pipe, &mut rest)
        {
            stdin = None;
        }
        pull(&mut stdout, &mut output)?;
        pull(&mut stderr, &mut errors)?;
        if output.len() > MAX_OUTPUT {
            let message = format!("the command printed more than {MAX_OUTPUT} bytes");
            return Err(Failure::new(ErrorCode::TooLarge, message));
        }
        if errors.len() > 2 * MAX_ERRORS {
            // The beginning says what is wrong, the end how it ended.
            errors.drain(MAX_ERRORS..errors.len() - STATUS);
        }
    }
    let status = errors.iter().rposition(|&byte| byte == 0).map(|at| errors.split_off(at));
    let code = status.and_then(|status| std::str::from_utf8(&status[1..]).ok()?.parse().ok());
    errors.truncate(MAX_ERRORS);
    let code =
        code.ok_or_else(|| Failure::new(ErrorCode::Internal, "the command did not come to an end of its own"))?;
    Ok(Piped { code, output, errors })
}

fn wait(deadline: Instant, pipes: [(Option<BorrowedFd<'_>>, PollFlags); 3]) -> Result<(), Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
    let mut watched: Vec<PollFd<'_>> =
        pipes.iter().filter_map(|(pipe, flags)| Some(PollFd::from_borrowed_fd((*pipe)?, *flags))).collect();
    match rustix::event::poll(&mut watched, Some(&timeout)) {
        Ok(0) => Err(Failure::new(ErrorCode::TimedOut, format!("it took longer than {} s", PATIENCE.as_secs()))),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(broken(&errno.into())),
    }
}

/// Writes what the pipe takes; whether there is more to be written.
fn push(pipe: &mut impl Write, rest: &mut &[u8]) -> bool {
    while !rest.is_empty() {
        match pipe.write(rest) {
            Ok(written) => *rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            // It does not want to read it all.
            Err(_) => return false,
        }
    }
    false
}

/// Reads what there is; at its end the pipe is closed.
fn pull(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) -> Result<(), Failure> {
    let mut chunk = [0; 16 * 1024];
    while let Some(open) = pipe {
        match open.read(&mut chunk) {
            Ok(0) => *pipe = None,
            Ok(read) => into.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(&error)),
        }
        if into.len() > MAX_OUTPUT {
            break;
        }
    }
    Ok(())
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::new(ErrorCode::Internal, format!("the command's output could not be read: {error}"))
}
