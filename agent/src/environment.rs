//! The environment that programs are started with: that of a login shell, read once when the agent starts, because a
//! login shell costs some 7 ms and a command should not. Where the engine knows what a login shell would say, and the
//! user has no profile that says otherwise, none is started.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use embedenv_shared::link::sessions::SessionKind;

/// How long the login shell may take; after that the defaults are used.
pub const LOGIN: Duration = Duration::from_secs(2);
/// Bytes of environment that are read; more means that something is wrong, and the defaults are used.
const MAX_ENVIRONMENT: usize = 256 * 1024;
const DEFAULT_PATH: &str = "/home/user/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What bash and sh read of a home when they are login shells (bash(1), "Invocation").
const PROFILES: [&str; 3] = [".bash_profile", ".bash_login", ".profile"];
/// What a login shell tells of itself and not of the user.
const NOT_PASSED_ON: [&str; 11] =
    ["_", "HOSTNAME", "SHLVL", "PWD", "OLDPWD", "LINES", "COLUMNS", "PS1", "TERM", "PAGER", "GIT_PAGER"];

/// The names by which programs know a proxy, and hosts that they reach without it.
const PROXIED: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
const NOT_PROXIED: [&str; 2] = ["NO_PROXY", "no_proxy"];
const OWN_HOSTS: &str = "localhost,127.0.0.1,::1";

/// What programs are told unless the image or the user says otherwise. The sandbox is the user's own: pip, which would
/// otherwise ask for a virtual environment on Debian (PEP 668), puts packages into `~/.local`, because the system's folder
/// can't be written.
const DEFAULTS: [(&str, &str); 1] = [("PIP_BREAK_SYSTEM_PACKAGES", "1")];

/// The shell and its environment.
#[derive(Debug, Clone)]
pub struct Environment {
    pub shell: Shell,
    variables: Vec<(OsString, OsString)>,
}

/// bash where there is bash, sh otherwise.
#[derive(Debug, Clone)]
pub struct Shell {
    pub path: CString,
    pub name: &'static CStr,
}

impl Shell {
    pub fn find() -> Self {
        for path in [c"/bin/bash", c"/usr/bin/bash", c"/usr/local/bin/bash"] {
            if rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() {
                return Self { path: path.into(), name: c"bash" };
            }
        }
        Self { path: c"/bin/sh".into(), name: c"sh" }
    }
}

impl Environment {
    /// Asks a login shell, unless it would say no more than `login_path`; it starts from what is `inherited`. Blocks for
    /// up to [`LOGIN`].
    pub fn read(
        home: &Path,
        login_path: Option<&OsStr>,
        inherited: &[(OsString, OsString)],
        proxy: Option<u16>,
    ) -> Self {
        let shell = Shell::find();
        let own = [
            ("HOME", home.as_os_str()),
            ("USER", OsStr::new("user")),
            ("LOGNAME", OsStr::new("user")),
            ("SHELL", OsStr::from_bytes(shell.path.to_bytes())),
            ("LANG", OsStr::new("C.UTF-8")),
        ];
        let is_there = |name: &str| home.join(name).symlink_metadata().is_ok();
        let mut variables = match login_path {
            Some(path) if !PROFILES.iter().any(|name| is_there(name)) => {
                let others = inherited.iter().filter(|(name, _)| name != "PATH").cloned();
                others.chain([("PATH".into(), path.to_owned())]).collect()
            }
            _ => ask(&shell, inherited, &own, home).unwrap_or_else(|| inherited.to_vec()),
        };
        variables.retain(|(name, _)| !NOT_PASSED_ON.iter().any(|other| name == other));
        if !variables.iter().any(|(name, _)| name == "PATH") {
            variables.push(("PATH".into(), DEFAULT_PATH.into()));
        }
        let proxy = proxy.map(|port| OsString::from(format!("http://127.0.0.1:{port}")));
        let through = proxy.iter().flat_map(|proxy| PROXIED.map(|name| (name, proxy.as_os_str())));
        let around = proxy.iter().flat_map(|_| NOT_PROXIED.map(|name| (name, OsStr::new(OWN_HOSTS))));
        for (name, value) in own.into_iter().chain(through).chain(around) {
            variables.retain(|(other, _)| other != name);
            variables.push((name.into(), value.to_owned()));
        }
        for (name, value) in DEFAULTS {
            if !variables.iter().any(|(other, _)| other == name) {
                variables.push((name.into(), value.into()));
            }
        }
        Self { shell, variables }
    }

    /// `NAME=value` strings for a program of this kind in `folder`, with `own` on top of all others.
    pub fn of(&self, kind: SessionKind, folder: &Path, own: &BTreeMap<String, String>) -> Vec<CString> {
        let more: &[(&str, &str)] = match kind {
            SessionKind::Shell => &[("TERM", "xterm-256color"), ("PAGER", "cat"), ("GIT_PAGER", "cat")],
            SessionKind::Terminal => &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
            SessionKind::Process | SessionKind::Errors => &[("PAGER", "cat"), ("GIT_PAGER", "cat")],
        };
        let more = more.iter().map(|&(name, value)| (OsStr::new(name), OsStr::new(value)));
        let pwd = (OsStr::new("PWD"), folder.as_os_str());
        let is_own = |name: &OsStr| name.to_str().is_some_and(|name| own.contains_key(name));
        self.variables
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
            .chain(more)
            .chain([pwd])
            .filter(|(name, _)| !is_own(name))
            .chain(own.iter().map(|(name, value)| (OsStr::new(name), OsStr::new(value))))
            // None holds a NUL: they came from an environment or from paths, and what was asked for was looked at.
            .filter_map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok())
            .collect()
    }
}

/// The variables of a login shell.
fn ask(
    shell: &Shell,
    inherited: &[(OsString, OsString)],
    own: &[(&str, &OsStr)],
    home: &Path,
) -> Option<Vec<(OsString, OsString)>> {
    let mut command = Command::new(OsStr::from_bytes(shell.path.to_bytes()));
    command.args(["-l", "-c", "exec env -0"]).env_clear().env("PATH", DEFAULT_PATH);
    command.envs(inherited.iter().map(|(name, value)| (name, value))).envs(own.iter().copied());
    command.current_dir(if home.is_dir() { home } else { Path::new("/") }).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    parse(&output(command)?)
}

/// What a command prints, if it ends in time and in bounds. The child is reaped with all others.
fn output(mut command: Command) -> Option<Vec<u8>> {
    let mut child = command.spawn().ok()?;
    let mut stdout = child.stdout.take()?;
    let deadline = Instant::now() + LOGIN;
    let mut text = Vec::new();
    let mut chunk = [0; 8192];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = rustix::time::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut fds = [rustix::event::PollFd::new(&stdout, rustix::event::PollFlags::IN)];
        let ready = rustix::event::poll(&mut fds, Some(&timeout)).is_ok_and(|ready| ready > 0);
        let read = if ready { stdout.read(&mut chunk).ok() } else { None };
        match read {
            Some(0) => return Some(text),
            Some(n) if text.len() + n <= MAX_ENVIRONMENT => text.extend_from_slice(&chunk[..n]),
            _ => {
                // It may have ended meanwhile. It leads its own group, whatever it has started goes with it.
                if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
                    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
                }
                return None;
            }
        }
    }
}

/// The variables in the output of `env -0`; `None` if it can't be one.
fn parse(text: &[u8]) -> Option<Vec<(OsString, OsString)>> {
    let variables: Vec<_> = text
        .split(|&byte| byte == 0)
        .filter(|line| !line.is_empty())
        .filter_map(|line| {
            let equals = line.iter().position(|&byte| byte == b'=')?;
            Some((OsString::from_vec(line[..equals].to_vec()), OsString::from_vec(line[equals + 1..].to_vec())))
        })
        .collect();
    (!variables.is_empty()).then_some(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_may_install_unless_the_image_says_otherwise() {
        let home = tempfile::tempdir().unwrap();
        let of = |inherited: &[(OsString, OsString)]| {
            let environment = Environment::read(home.path(), Some(OsStr::new("/bin")), inherited, None);
            let all = environment.of(SessionKind::Shell, home.path(), &BTreeMap::new());
            all.into_iter().map(|line| line.into_string().unwrap()).filter(|line| line.starts_with("PIP_")).collect()
        };
        let lines: Vec<String> = of(&[]);
        assert_eq!(lines, ["PIP_BREAK_SYSTEM_PACKAGES=1"]);
        let lines: Vec<String> = of(&[("PIP_BREAK_SYSTEM_PACKAGES".into(), "0".into())]);
        assert_eq!(lines, ["PIP_BREAK_SYSTEM_PACKAGES=0"]);
    }

    #[test]
    fn values_may_hold_equals_signs_and_newlines() {
        let variables = parse(b"A=1=2\0B=x\ny\0C=\0").unwrap();
        let texts: Vec<_> = variables.iter().map(|(n, v)| (n.to_str().unwrap(), v.to_str().unwrap())).collect();
        assert_eq!(texts, [("A", "1=2"), ("B", "x\ny"), ("C", "")]);
        assert!(parse(b"").is_none());
    }
}
