//! Limits by cgroup, where the machine grants them: version 2, or version 1.
//!
//! Each room's sandbox has a cgroup of its own beneath one that is this data directory's. Where cgroups can't be made
//! the sandbox's resource limits are all there is, and [`Mechanism`] says so.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use embedenv_shared::id::RoomId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::engine::{Limits, Standing};

const ROOT: &str = "/sys/fs/cgroup";
/// One period of the processor's share, in microseconds.
const PERIOD: u64 = 100_000;
/// A cgroup is busy for a moment after its last process: tries and the pause between them.
const REMOVALS: u32 = 50;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// What holds memory, processor and process limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    CgroupV2,
    CgroupV1,
    /// No cgroup can be made here: processes and open files are limited, memory and processor are not.
    ResourceLimits,
}

#[derive(Debug)]
pub(super) struct Cgroups {
    mechanism: Mechanism,
    /// This data directory's cgroup in each hierarchy.
    bases: Vec<PathBuf>,
}

/// A room's cgroup in each hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RoomCgroup {
    folders: Vec<PathBuf>,
}

impl Cgroups {
    /// Finds out by trying which version can be used.
    pub(super) fn find(data_dir: &Path) -> Self {
        let hash = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
        let name = format!("embedenv-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]);
        if let Ok(base) = version_2(&name) {
            return Self { mechanism: Mechanism::CgroupV2, bases: vec![base] };
        }
        match version_1(&name) {
            Ok(bases) => Self { mechanism: Mechanism::CgroupV1, bases },
            Err(_) => Self { mechanism: Mechanism::ResourceLimits, bases: Vec::new() },
        }
    }

    pub(super) fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    pub(super) fn make(&self, room: RoomId, limits: &Limits) -> io::Result<RoomCgroup> {
        let folders: Vec<PathBuf> = self.bases.iter().map(|base| base.join(room.to_string())).collect();
        for folder in &folders {
            make(folder)?;
        }
        let quota = (limits.cpus * PERIOD as f64) as u64;
        let (memory, processes) = (limits.memory.to_string(), limits.processes.to_string());
        for folder in &folders {
            match self.mechanism {
                Mechanism::CgroupV2 => {
                    fs::write(folder.join("memory.max"), &memory)?;
                    write_if_there(folder, "memory.swap.max", "0")?;
                    write_if_there(folder, "memory.oom.group", "0")?;
                    fs::write(folder.join("pids.max"), &processes)?;
                    fs::write(folder.join("cpu.max"), format!("{quota} {PERIOD}"))?;
                }
                Mechanism::CgroupV1 => {
                    write_if_there(folder, "memory.limit_in_bytes", &memory)?;
                    write_if_there(folder, "memory.memsw.limit_in_bytes", &memory)?;
                    write_if_there(folder, "pids.max", &processes)?;
                    write_if_there(folder, "cpu.cfs_period_us", &PERIOD.to_string())?;
                    write_if_there(folder, "cpu.cfs_quota_us", &quota.to_string())?;
                }
                Mechanism::ResourceLimits => {}
            }
        }
        Ok(RoomCgroup { folders })
    }

    /// Removes the cgroups of rooms that are not awake. Their processes have ended.
    pub(super) fn sweep(&self, standing: &(dyn Fn(RoomId) -> Standing + Send + Sync)) {
        for (room, folder) in self.rooms() {
            if standing(room) != Standing::Awake {
                // One that is still busy is swept the next time.
                let _ = fs::remove_dir(folder);
            }
        }
    }

    /// The cgroups of rooms, one for each hierarchy.
    fn rooms(&self) -> impl Iterator<Item = (RoomId, PathBuf)> {
        let entries = self.bases.iter().flat_map(|base| fs::read_dir(base).into_iter().flatten().flatten());
        entries.filter_map(|entry| Some((entry.file_name().to_string_lossy().parse().ok()?, entry.path())))
    }
}

/// Nothing of a server is left behind but the rooms that live on without it.
impl Drop for Cgroups {
    fn drop(&mut self) {
        for base in &self.bases {
            // Refused while a room's is in it.
            let _ = fs::remove_dir(base);
        }
    }
}

/// How many processes the kernel had killed in each room when it was asked last.
#[derive(Debug, Default)]
pub(super) struct Kills(BTreeMap<RoomId, u64>);

impl Kills {
    /// The rooms where it has killed more since.
    pub(super) fn news(&mut self, cgroups: &Cgroups) -> Vec<RoomId> {
        let mut now: BTreeMap<RoomId, u64> = BTreeMap::new();
        for (room, folder) in cgroups.rooms() {
            *now.entry(room).or_default() += out_of_memory_kills(&folder);
        }
        let more = now.iter().filter(|(room, kills)| self.0.get(room).copied().unwrap_or(0) < **kills);
        let news = more.map(|(room, _)| *room).collect();
        self.0 = now;
        news
    }
}

impl RoomCgroup {
    /// The files into which a process that has one thread writes `0` to join.
    ///
    /// In version 1 that is `tasks`: a thread that moves itself needs no lock on all thread groups, and moving a whole
    /// process waits for an RCU grace period, some 15 ms, to get it (`cgroup_procs_write_start` in the kernel).
    pub(super) fn joins(&self) -> io::Result<Vec<OwnedFd>> {
        let open = |folder: &PathBuf| {
            let tasks = folder.join("tasks");
            let file = if tasks.exists() { tasks } else { folder.join("cgroup.procs") };
            OpenOptions::new().write(true).open(file).map(|file: File| file.into())
        };
        self.folders.iter().map(open).collect()
    }

    /// How many processes the kernel has killed here for want of memory.
    pub(super) fn out_of_memory_kills(&self) -> u64 {
        self.folders.iter().map(|folder| out_of_memory_kills(folder)).sum()
    }

    pub(super) async fn remove(&self) {
        for folder in &self.folders {
            for _ in 0..REMOVALS {
                match fs::remove_dir(folder) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        tokio::time::sleep(REMOVAL_PAUSE).await
                    }
                    _ => break,
                }
            }
        }
    }
}

fn out_of_memory_kills(folder: &Path) -> u64 {
    let files = ["memory.events", "memory.oom_control"];
    let texts = files.map(|file| fs::read_to_string(folder.join(file)).unwrap_or_default());
    let lines = texts.iter().flat_map(|text| text.lines());
    lines.filter_map(|line| line.strip_prefix("oom_kill ")?.trim().parse::<u64>().ok()).sum()
}

fn version_2(name: &str) -> io::Result<PathBuf> {
    let root = Path::new(ROOT);
    let controllers = fs::read_to_string(root.join("cgroup.controllers"))?;
    if !["memory", "pids", "cpu"].iter().all(|wanted| controllers.split_whitespace().any(|has| has == *wanted)) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    fs::write(root.join("cgroup.subtree_control"), "+memory +pids +cpu")?;
    let base = root.join(name);
    make(&base)?;
    fs::write(base.join("cgroup.subtree_control"), "+memory +pids +cpu")?;
    Ok(base)
}

fn version_1(name: &str) -> io::Result<Vec<PathBuf>> {
    ["memory", "pids", "cpu"]
        .iter()
        .map(|controller| {
            let base = Path::new(ROOT).join(controller).join(name);
            make(&base)?;
            Ok(base)
        })
        .collect()
}

fn make(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Each hierarchy has its own controller's files.
fn write_if_there(folder: &Path, name: &str, value: &str) -> io::Result<()> {
    match fs::write(folder.join(name), value) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(()),
        other => other,
    }
}
