//! A Docker engine of a test's own, which can be killed and started again: `dockerd` with everything of it in one
//! temporary folder, and its containers living on meanwhile.

use std::ffi::CString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::sandboxes::docker;

/// The image of the tests that need no more than a shell.
pub const BUSYBOX: &str = "embedenv/busybox:test";

/// How long it may take to answer, or to end.
const WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at whether it does.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub struct Dockerd {
    folder: TempDir,
    child: Option<Child>,
    /// Whether its containers run on while it is gone.
    live_restore: bool,
    more: Vec<String>,
}

impl Dockerd {
    /// A folder for one, and none that runs yet.
    pub fn prepare() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("embedenv-dockerd-").tempdir()?;
        Ok(Self { folder, child: None, live_restore: true, more: Vec::new() })
    }

    /// One that runs and has the image of the tests.
    pub fn with_busybox() -> Result<Self> {
        let mut dockerd = Self::prepare()?;
        dockerd.start()?;
        dockerd.load_busybox()?;
        Ok(dockerd)
    }

    /// One that ends its containers when it is started again.
    pub fn without_live_restore(mut self) -> Self {
        self.live_restore = false;
        self
    }

    /// Gives what runs its containers one more name.
    pub fn with_runtime(mut self, name: &str) -> Self {
        self.more.extend(["--add-runtime".to_owned(), format!("{name}=runc")]);
        self
    }

    /// Gives it a disk of its own, of a size as mount(8) takes it.
    pub fn on_a_disk_of(&self, size: &str) -> Result<()> {
        let data = self.path("data");
        std::fs::create_dir(&data)?;
        let options = CString::new(format!("size={size}"))?;
        Ok(mount("tmpfs", &data, "tmpfs", MountFlags::empty(), Some(options.as_c_str()))?)
    }

    /// As `DOCKER_HOST` has it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn start(&mut self) -> Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log"))?;
        let child = Command::new("dockerd")
            .arg("--data-root")
            .arg(self.path("data"))
            .arg("--exec-root")
            .arg(self.path("exec"))
            .arg("--pidfile")
            .arg(self.path("pid"))
            .args(["--host", &self.address(), "--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(self.live_restore.then_some("--live-restore"))
            .args(&self.more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("there is no dockerd")?;
        self.child = Some(child);
        let begun = Instant::now();
        while self.run(&["version"]).is_err() {
            let log = || std::fs::read_to_string(self.path("log")).unwrap_or_default();
            ensure!(begun.elapsed() < WITHIN, "dockerd does not answer: {}", log());
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Takes the image of the tests over from the engine that they run on.
    pub fn load_busybox(&self) -> Result<()> {
        let archive = self.path("busybox.tar");
        let archive = archive.to_str().context("a path in UTF-8")?;
        docker(&["save", "--output", archive, BUSYBOX])?;
        self.run(&["load", "--input", archive])?;
        Ok(())
    }

    /// Asks it something with Docker's own client.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        docker(&[&["--host", &self.address()], arguments].concat())
    }

    /// As `kill -9` does. Its containers run on.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it runs")?;
        child.kill()?;
        child.wait()?;
        // Its containerd goes with it. Where init is slow to reap, the next dockerd would take the dead one for alive.
        let number = self.path("exec/containerd/containerd.pid");
        let containerd = std::fs::read_to_string(&number)?;
        let status = format!("/proc/{}/status", containerd.trim());
        let runs = || std::fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ"));
        let begun = Instant::now();
        while runs() {
            ensure!(begun.elapsed() < WITHIN, "containerd does not end");
            std::thread::sleep(LOOK);
        }
        Ok(std::fs::remove_file(number)?)
    }
}

impl Drop for Dockerd {
    /// Ends it and everything that it has started: containers, containerd and what holds them.
    fn drop(&mut self) {
        let containers = self.run(&["ps", "-aq"]).unwrap_or_default();
        for container in containers.split_whitespace() {
            let _ = self.run(&["rm", "-f", container]);
        }
        if let Some(mut child) = self.child.take() {
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM);
            }
            let begun = Instant::now();
            while child.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < WITHIN {
                std::thread::sleep(LOOK);
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        let folder = self.folder.path().to_string_lossy().into_owned();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let pid = entry.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw);
            if let Some(pid) = pid.filter(|_| String::from_utf8_lossy(&line).contains(&folder)) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        for line in std::fs::read_to_string("/proc/self/mounts").unwrap_or_default().lines().rev() {
            if let Some(mount) = line.split(' ').nth(1).filter(|mount| mount.starts_with(&folder)) {
                let _ = unmount(mount, UnmountFlags::DETACH);
            }
        }
    }
}
