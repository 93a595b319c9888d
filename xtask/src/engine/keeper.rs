//! The process that owns one `dockerd`: starts it, says its address in one line on standard output, waits for the end of
//! standard input, and takes down all that came of it. Never ends a process whose command line doesn't name its folder,
//! apart from the descendants of such a process.

use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::SCHEME;
use super::processes::{self, Signal};
use crate::command::{self, succeeds};
use crate::system;

/// How long dockerd may take to answer; then it is taken down and that is the error.
const STARTUP: Duration = Duration::from_secs(60);

/// How long one question to dockerd may take, as long as it starts; then it is asked again.
const PING: Duration = Duration::from_secs(5);

/// Seconds that one call of Docker's client may take while everything is taken down; then it goes on without.
const CLIENT_SECONDS: &str = "60";

/// How long processes have to end after SIGTERM; then SIGKILL follows.
const ENDING: Duration = Duration::from_secs(15);

/// How long processes may take to be gone after SIGKILL; then the folder is left and named.
const KILLED: Duration = Duration::from_secs(10);

/// The pause between two looks at something that is waited for.
const PAUSE: Duration = Duration::from_millis(50);

/// How often the keeper looks whether dockerd still runs.
const LOOK: Duration = Duration::from_secs(1);

/// The most bytes that a folder's path may have: Unix sockets have 107 for their path, and the longest of containerd's
/// takes 40 below it.
const LONGEST_FOLDER: usize = 65;

/// Where shims make their sockets, which is the one thing of an engine outside its folder.
const SHIM_SOCKETS: &str = "/run/containerd/s/";

/// What the folder of every engine begins with; the keeper's process id follows.
const PREFIX: &str = "embedenv-engine-";

/// The file that a keeper holds locked in its folder for as long as it lives.
const LOCK: &str = "lock";

/// The keeper's life. Its result is this program's own.
pub(crate) fn keep() -> Result<()> {
    clear_abandoned();
    match Daemon::start() {
        Ok(mut daemon) => {
            say(&format!("{SCHEME}{}", daemon.folder.join("docker.sock").display()));
            daemon.wait();
            Ok(())
        }
        Err(error) => {
            say(&format!("{error:#}").replace('\n', " "));
            Ok(())
        }
    }
}

/// Prints a line for the owner, who may be gone; then the end of standard input says so too.
fn say(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Prints a line for whoever reads errors; nothing depends on it.
fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "xtask: {line}");
}

/// A dockerd and its folder. Dropping it takes down everything.
struct Daemon {
    folder: PathBuf,
    /// `None` before it was started.
    process: Option<Child>,
    /// Held so that nobody takes the folder for an abandoned one.
    _lock: File,
}

impl Daemon {
    fn start() -> Result<Self> {
        let program = system::dockerd().context("there is no dockerd: install Docker (Debian: docker.io)")?;
        let temporary = std::env::temp_dir();
        let temporary = temporary.canonicalize().with_context(|| format!("there is no {}", temporary.display()))?;
        let folder = temporary.join(format!("{PREFIX}{}", std::process::id()));
        if folder.as_os_str().len() > LONGEST_FOLDER {
            bail!("{} is too long a path for Docker's sockets: set TMPDIR to a shorter one", temporary.display());
        }
        DirBuilder::new().mode(0o700).create(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let lock = lock(&folder)?;
        let mut daemon = Self { folder, process: None, _lock: lock };
        let log = File::create(daemon.log()).context("cannot create dockerd's log")?;
        let mut dockerd = Command::new(program);
        for (flag, name) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            dockerd.arg(flag).arg(daemon.folder.join(name));
        }
        dockerd.arg("--host").arg(format!("{SCHEME}{}", daemon.socket().display()));
        // An empty configuration: that of an engine which runs here already, in /etc/docker, is not this one's.
        let configuration = daemon.folder.join("daemon.json");
        std::fs::write(&configuration, "{}").context("cannot write dockerd's configuration")?;
        dockerd.arg("--config-file").arg(configuration);
        dockerd.args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--live-restore"]);
        dockerd.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        daemon.process = Some(dockerd.spawn().context("cannot start dockerd")?);
        daemon.until_it_answers()?;
        Ok(daemon)
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn until_it_answers(&mut self) -> Result<()> {
        let begun = Instant::now();
        while !answers(&self.socket()) {
            if self.has_ended() {
                bail!("dockerd can't run here: {}", self.last_words());
            }
            if begun.elapsed() > STARTUP {
                bail!("dockerd does not answer after {} s: {}", STARTUP.as_secs(), self.last_words());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Waits until the owner is gone, or dockerd.
    fn wait(&mut self) {
        let (owner, gone) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            drop(owner);
        });
        while gone.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if self.has_ended() {
                complain(&format!("dockerd has ended by itself: {}", self.last_words()));
                return;
            }
        }
    }

    fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)))
    }

    /// The last line of the log, which is the reason when dockerd ends early.
    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it left no word in its log").trim().to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = take_down(&self.folder, self.process.as_mut()) {
            complain(&format!("{} could not be cleared away: {error:#}", self.folder.display()));
        }
    }
}

/// Whether dockerd answers `GET /_ping` (Docker Engine API, "Ping") on its socket.
fn answers(socket: &Path) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PING))?;
        stream.set_write_timeout(Some(PING))?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")?;
        let mut status = [0; "HTTP/1.0 200".len()];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// Makes the file that says this folder's keeper lives. It gets its name once it is locked: a lock file that can be locked by
/// somebody else always is a dead keeper's.
fn lock(folder: &Path) -> Result<File> {
    let unnamed = folder.join("lock.new");
    let file = File::create(&unnamed).context("cannot create the lock file")?;
    file.lock().context("cannot lock the lock file")?;
    std::fs::rename(unnamed, folder.join(LOCK)).context("cannot name the lock file")?;
    Ok(file)
}

/// Takes down what keepers that were killed have left.
fn clear_abandoned() {
    let Ok(entries) = std::env::temp_dir().canonicalize().and_then(std::fs::read_dir) else {
        return;
    };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let folder = entry.path();
        // The temporary folder is everybody's: only a folder of root's own is one of a keeper.
        let ours = folder.symlink_metadata().is_ok_and(|found| found.is_dir() && found.uid() == 0);
        let Some(lock) = ours.then(|| File::open(folder.join(LOCK)).ok()).flatten() else {
            continue;
        };
        if lock.try_lock().is_ok()
            && let Err(error) = take_down(&folder, None)
        {
            complain(&format!("{}, left by an earlier run, could not be cleared away: {error:#}", folder.display()));
        }
    }
}

/// Ends containers, dockerd, containerd and shims of a folder, unmounts what is below it, and removes it.
fn take_down(folder: &Path, process: Option<&mut Child>) -> Result<()> {
    if answers(&folder.join("docker.sock"))
        && let Err(error) = remove_containers(folder)
    {
        complain(&format!("containers were not removed in order, and are killed: {error:#}"));
    }
    end_processes(folder, process)?;
    unmount(folder)?;
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("it can't be removed"),
        _ => Ok(()),
    }
}

fn remove_containers(folder: &Path) -> Result<()> {
    let docker = || {
        let mut docker = Command::new("timeout");
        docker.args(["--kill-after=5", CLIENT_SECONDS, "docker", "--host"]);
        docker.arg(format!("{SCHEME}{}", folder.join("docker.sock").display()));
        docker
    };
    let listed = command::output(docker().args(["container", "ls", "--all", "--quiet"]))?;
    if listed.is_empty() {
        return Ok(());
    }
    command::output(docker().args(["container", "rm", "--force", "--volumes"]).args(listed.lines()))?;
    Ok(())
}

/// dockerd first, which ends its containerd; then whatever is left, with the containers below it. Only a dockerd that died
/// or hangs leaves anything.
fn end_processes(folder: &Path, mut process: Option<&mut Child>) -> Result<()> {
    processes::signal(Signal::Term, &processes::of(folder, &["dockerd"])?);
    let mut gone_within = |programs: &[&str], longest: Duration| -> Result<bool> {
        let begun = Instant::now();
        loop {
            // A child that has ended stays in the table until it is waited for.
            if let Some(process) = &mut process {
                let _ = process.try_wait();
            }
            let gone = processes::of(folder, programs)?.is_empty();
            if gone || begun.elapsed() > longest {
                return Ok(gone);
            }
            std::thread::sleep(PAUSE);
        }
    };
    gone_within(&["dockerd"], ENDING)?;
    delete_containers(folder);
    let left = processes::with_descendants(&processes::of(folder, &processes::ENGINE)?)?;
    processes::signal(Signal::Kill, &left);
    if !gone_within(&processes::ENGINE, KILLED)? {
        bail!("processes of the engine survive SIGKILL");
    }
    Ok(())
}

/// Removes, without dockerd, the containers that it left: their processes, their cgroups, their shims' sockets. Each has a
/// folder in the state of runc, and one in that of containerd.
fn delete_containers(folder: &Path) {
    let state = folder.join("exec/runtime-runc/moby");
    for container in std::fs::read_dir(&state).into_iter().flatten().flatten() {
        let mut runc = Command::new("timeout");
        runc.args(["--kill-after=5", CLIENT_SECONDS, "runc", "--root"]).arg(&state);
        succeeds(runc.args(["delete", "--force"]).arg(container.file_name()));
        let shim = folder.join("exec/containerd/daemon/io.containerd.runtime.v2.task/moby").join(container.file_name());
        let address = std::fs::read_to_string(shim.join("address")).unwrap_or_default();
        if let Some(socket) = address.strip_prefix(SCHEME).filter(|socket| socket.starts_with(SHIM_SOCKETS)) {
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// Unmounts what dockerd left mounted below the folder, the innermost first. The folder must not be removed before that: it
/// might reach into what is mounted there.
fn unmount(folder: &Path) -> Result<()> {
    for target in mounts_below(folder)?.iter().rev() {
        if !succeeds(Command::new("umount").arg(target)) {
            succeeds(Command::new("umount").arg("--lazy").arg(target));
        }
    }
    match mounts_below(folder)?.first() {
        Some(left) => bail!("{left} can't be unmounted"),
        None => Ok(()),
    }
}

fn mounts_below(folder: &Path) -> Result<Vec<String>> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").context("cannot read the table of mounts")?;
    Ok(targets_below(&mounts, &folder.to_string_lossy()))
}

/// The second field of `proc_mounts(5)`, where it lies below the folder. Blanks stand there as `\040`.
fn targets_below(mounts: &str, folder: &str) -> Vec<String> {
    let targets = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(|target| target.replace("\\040", " "));
    targets.filter(|target| Path::new(target).starts_with(folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mounts_below_the_folder_are_its_own() {
        let mounts = "/dev/vda / ext4 rw 0 0\n/dev/vda /t/e-1/data ext4 rw 0 0\nnsfs /t/e-1/exec/a\\040b nsfs rw 0 0\n\
                      /dev/vda /t/e-12/data ext4 rw 0 0\n";
        assert_eq!(targets_below(mounts, "/t/e-1"), ["/t/e-1/data", "/t/e-1/exec/a b"]);
    }
}
