//! The command line, and the descriptors it names.
//!
//! The engine hands over a listening socket and the link's secret as open descriptors, so that neither a path nor a
//! secret stands in anything a program inside the sandbox could read. One that reaches the sandbox only through pipes
//! names an abstract socket instead, and sends the secret ahead of everything else on standard input.
#![allow(unsafe_code)] // Descriptors named by number on the command line are taken into ownership.

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use embedenv_shared::link::{Preamble, SECRET};
use rustix::io::FdFlags;

use crate::relay;

pub const USAGE: &str =
    "usage: embedenv-agent serve (--listen-fd N --secret-fd M | --listen NAME) [--home DIR] [--nproc N]
                            [--nofile N] [--disk BYTES] [--inodes N] [--login-path PATH] [--inherit] [--proxy PORT]
       embedenv-agent connect NAME
       embedenv-agent prepare

serve: the sandbox's first process
  --listen-fd N   a listening Unix stream socket, inherited
  --secret-fd M   a pipe or file of exactly 32 bytes, inherited; read and closed
  --listen NAME   listen on this abstract socket; standard input begins with the secret and filters of system calls, and
                  is then, with standard output, a first connection
  --home DIR      the sandbox user's home (default /home/user)
  --nproc N       processes and threads that programs may have
  --nofile N      open files that one program may have
  --disk BYTES    disk use of the home
  --inodes N      files, folders and links in the home
  --login-path PATH  the PATH that /etc/profile sets, if it does nothing else: then no login shell is asked for its
                  environment unless the user has a profile
  --inherit       programs get the environment that the agent was started with, too
  --proxy PORT    offer programs an HTTP proxy on this port of the loopback, which the server answers

connect: carries standard input and output to the agent that listens on NAME
prepare: makes what sandboxes need of an image's file system; for the build of an image, as root";

/// What is to be done.
#[derive(Debug)]
pub enum Mode {
    Serve(Box<Settings>),
    Connect(OsString),
    Prepare,
}

/// Everything the agent is started with.
#[derive(Debug)]
pub struct Settings {
    pub listener: OwnedFd,
    pub secret: Secret,
    /// The listener's abstract name, if standard input and output are a connection to it.
    pub stdio: Option<OsString>,
    pub home: PathBuf,
    pub limits: crate::limits::Limits,
    /// What a login shell makes of `PATH`, where that is known and all it does.
    pub login_path: Option<OsString>,
    /// Variables of the agent's own environment that programs get.
    pub inherited: Vec<(OsString, OsString)>,
    /// Filters of system calls to be taken on.
    pub filters: Vec<Vec<u8>>,
    /// The port of the proxy for traffic out.
    pub proxy: Option<u16>,
}

/// The link's secret. Its debug form says nothing.
pub struct Secret(pub [u8; SECRET]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    #[error("no mode given")]
    NoMode,
    #[error("unknown mode {0:?}")]
    UnknownMode(OsString),
    #[error("unknown argument {0:?}")]
    Unknown(OsString),
    #[error("{0} needs a value")]
    NoValue(&'static str),
    #[error("{0} needs a number, not {1:?}")]
    NotANumber(&'static str, OsString),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("descriptor {1} of {0} is not open")]
    NotOpen(&'static str, RawFd),
    #[error("{0} may not be a standard stream")]
    Standard(&'static str),
    #[error("the secret is not {SECRET} bytes long")]
    SecretLength,
    #[error("standard input does not begin with a secret and filters")]
    Preamble,
    #[error("the home must be an absolute path")]
    RelativeHome,
    #[error("cannot listen on {0:?}")]
    Listen(OsString, #[source] rustix::io::Errno),
}

impl Mode {
    pub fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, ArgumentError> {
        let mode = arguments.next().ok_or(ArgumentError::NoMode)?;
        let parsed = match mode.to_str() {
            Some("serve") => return Ok(Self::Serve(Box::new(Settings::parse(arguments)?))),
            Some("connect") => Self::Connect(arguments.next().ok_or(ArgumentError::Missing("NAME"))?),
            Some("prepare") => Self::Prepare,
            _ => return Err(ArgumentError::UnknownMode(mode)),
        };
        match arguments.next() {
            None => Ok(parsed),
            Some(argument) => Err(ArgumentError::Unknown(argument)),
        }
    }
}

impl Settings {
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, ArgumentError> {
        let (mut listen, mut secret, mut stdio) = (None, None, None);
        let mut home = PathBuf::from("/home/user");
        let mut limits = crate::limits::Limits::default();
        let mut login_path = None;
        let mut inherited = Vec::new();
        let mut proxy = None;
        while let Some(argument) = arguments.next() {
            let mut value = |name| arguments.next().ok_or(ArgumentError::NoValue(name));
            match argument.to_str() {
                Some("--listen-fd") => listen = Some(number("--listen-fd", value("--listen-fd")?)?),
                Some("--secret-fd") => secret = Some(number("--secret-fd", value("--secret-fd")?)?),
                Some("--home") => home = value("--home")?.into(),
                Some("--nproc") => limits.processes = Some(number("--nproc", value("--nproc")?)?),
                Some("--nofile") => limits.open_files = Some(number("--nofile", value("--nofile")?)?),
                Some("--disk") => limits.disk = Some(number("--disk", value("--disk")?)?),
                Some("--inodes") => limits.inodes = Some(number("--inodes", value("--inodes")?)?),
                Some("--login-path") => login_path = Some(value("--login-path")?),
                Some("--listen") => stdio = Some(value("--listen")?),
                Some("--proxy") => proxy = Some(number("--proxy", value("--proxy")?)?),
                Some("--inherit") => inherited = std::env::vars_os().collect(),
                _ => return Err(ArgumentError::Unknown(argument)),
            }
        }
        if !home.is_absolute() {
            return Err(ArgumentError::RelativeHome);
        }
        let (listener, secret, filters) = match &stdio {
            Some(name) => {
                let listener = relay::listen(name).map_err(|errno| ArgumentError::Listen(name.clone(), errno))?;
                let Preamble { secret, filters } = Preamble::read(&mut Stdin).map_err(|_| ArgumentError::Preamble)?;
                (listener, Secret(secret), filters)
            }
            None => {
                let listener = take("--listen-fd", listen)?;
                (listener, read_secret(take("--secret-fd", secret)?)?, Vec::new())
            }
        };
        Ok(Self { listener, secret, stdio, home, limits, login_path, inherited, filters, proxy })
    }
}

fn number<T: std::str::FromStr>(name: &'static str, value: OsString) -> Result<T, ArgumentError> {
    value.to_str().and_then(|text| text.parse().ok()).ok_or(ArgumentError::NotANumber(name, value))
}

/// Takes an inherited descriptor over and keeps it from being inherited further.
fn take(name: &'static str, fd: Option<RawFd>) -> Result<OwnedFd, ArgumentError> {
    let fd = fd.ok_or(ArgumentError::Missing(name))?;
    if (0..=2).contains(&fd) {
        return Err(ArgumentError::Standard(name));
    }
    // SAFETY: asks the kernel whether the descriptor is open; nothing is assumed of the answer.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1 {
        return Err(ArgumentError::NotOpen(name, fd));
    }
    // SAFETY: it is open, it is no standard stream, and nothing in this process owns it yet: `main` calls this first.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // Fails only for descriptors that are not open.
    let _ = rustix::io::fcntl_setfd(&fd, FdFlags::CLOEXEC);
    Ok(fd)
}

/// A pipe whose writer is still open has no end yet; the secret is complete all the same.
fn read_secret(fd: OwnedFd) -> Result<Secret, ArgumentError> {
    let mut secret = [0; SECRET];
    std::fs::File::from(fd).read_exact(&mut secret).map_err(|_| ArgumentError::SecretLength)?;
    Ok(Secret(secret))
}

/// Standard input without a buffer, which would take bytes of the link.
struct Stdin;

impl Read for Stdin {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        Ok(rustix::io::read(std::io::stdin(), bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> String {
        Mode::parse(arguments.iter().map(OsString::from)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_with_the_command_line_is_said() {
        assert_eq!(parse(&[]), "no mode given");
        assert_eq!(parse(&["dance"]), "unknown mode \"dance\"");
        assert_eq!(parse(&["serve"]), "--listen-fd is missing");
        assert_eq!(parse(&["serve", "--nproc"]), "--nproc needs a value");
        assert_eq!(parse(&["serve", "--nproc", "many"]), "--nproc needs a number, not \"many\"");
        assert_eq!(parse(&["serve", "--listen-fd", "1"]), "--listen-fd may not be a standard stream");
        assert_eq!(parse(&["serve", "--listen-fd", "987"]), "descriptor 987 of --listen-fd is not open");
        assert_eq!(parse(&["serve", "--home", "user"]), "the home must be an absolute path");
        assert_eq!(parse(&["connect"]), "NAME is missing");
        assert_eq!(parse(&["prepare", "more"]), "unknown argument \"more\"");
    }
}
