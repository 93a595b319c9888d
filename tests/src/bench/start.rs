//! From `init` to the first byte of a program: cold, and with a sandbox kept ready.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::sleep;

use super::{Row, median, percentile};
use crate::client::Client;
use crate::program::Program;

const ROUNDS: usize = 20;
/// Before each start, those by hand too: the pool makes its next sandbox, and the machine comes to rest. After a pause the
/// same command takes 1 to 2 ms longer than right behind another one.
const PAUSE: Duration = Duration::from_millis(300);
pub(super) const PYTHON: &str = "python3 -c 'print(1)'";

pub async fn run() -> Result<Vec<Row>> {
    let cold = Program::start(0).await?;
    let warm = Program::start(1).await?;
    let (mut colds, mut warms) = (Vec::new(), Vec::new());
    let (mut wrapped, mut login, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        sleep(PAUSE).await;
        plain.push(first_byte(&mut by_hand()).await?);
        sleep(PAUSE).await;
        wrapped.push(first_byte(&mut bubblewrap(&["bash", "-c", PYTHON])).await?);
        sleep(PAUSE).await;
        login.push(first_byte(&mut bubblewrap(&["bash", "-lc", PYTHON])).await?);
        sleep(PAUSE).await;
        colds.push(first_output(&cold).await?);
        sleep(PAUSE).await;
        warms.push(first_output(&warm).await?);
    }
    Ok(vec![
        Row::times(
            "init to first byte of python, cold, beside the same bubblewrap by hand, median",
            median(&mut colds),
            median(&mut wrapped),
        ),
        Row::times(
            "the same, beside the same bubblewrap and a login shell, whose environment ours has too",
            median(&mut colds),
            median(&mut login),
        ),
        Row::times("the same, p95 beside p95", percentile(&mut colds, 95), percentile(&mut login, 95)),
        Row::times(
            "init to first byte of python, sandbox kept ready, beside no sandbox at all, median",
            median(&mut warms),
            median(&mut plain),
        ),
    ])
}

/// A plain client's way: connect, `init`, run, first output.
pub(super) async fn first_output(program: &Program) -> Result<Duration> {
    let mut client = Client::connect(&program.url()).await?;
    let started = Instant::now();
    client.send(program.init()).await?;
    client.shell("p", PYTHON).await?;
    client.expect("init").await?;
    let output = client.frame().await?;
    let took = started.elapsed();
    ensure!(output["data"] == "1", "{output}");
    Ok(took)
}

async fn first_byte(command: &mut Command) -> Result<Duration> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut byte = [0];
    child.stdout.take().context("a pipe")?.read_exact(&mut byte).await?;
    let took = started.elapsed();
    child.wait().await?;
    Ok(took)
}

/// The programs that a sandbox sees.
const PATH: &str = "/usr/bin:/bin";

/// A shell that runs the command, as a user of this machine has it.
fn by_hand() -> Command {
    let mut command = Command::new("/bin/bash");
    command.args(["-c", PYTHON]).env("PATH", PATH);
    command
}

/// The sandbox by hand: the namespaces and mounts of the local engine. What it lacks is the filter of system calls, the
/// cgroup, the agent and the host user of its own.
fn bubblewrap(program: &[&str]) -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]);
    command.args(["--clearenv", "--new-session", "--as-pid-1", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"]);
    command.args(["--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin"]);
    command.args(["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--ro-bind", "/etc", "/etc"]);
    command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
    command.args([
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/run",
        "--dir",
        "/var/tmp",
        "--dir",
        "/home",
        "--tmpfs",
        "/home/user",
    ]);
    command.args(["--remount-ro", "/", "--chdir", "/home/user", "--setenv", "PATH", PATH, "--"]);
    command.args(program);
    command
}
