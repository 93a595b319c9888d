//! What is asked of the engine for one sandbox: the whole request, made from a profile and nothing else.
//!
//! A container of ours is never privileged, shares no namespace with the host, has no device, no socket and no folder of
//! it, and no network: the test below holds the serialised request to that over random settings.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
    ResourcesUlimits,
};
use embedenv_shared::id::RoomId;

use super::host::Host;
use crate::engine::{Limits, Profile};

/// Where the agent stands in a prepared image.
pub(super) const AGENT: &str = "/.embedenv/agent";
/// The abstract socket on which it listens.
pub(super) const SOCKET: &str = "embedenv";
/// Whom the container runs as.
const USER: &str = "1000:1000";
/// Whom what carries the link runs as: not the sandbox's user, who then can neither stop nor trace it.
pub(super) const RELAY: &str = "65532:65532";
pub(super) const HOME: &str = "/home/user";
/// Bytes in `/run`.
const RUN: u64 = 16 * 1024 * 1024;
/// Threads of the agent and of what carries its link, and those an engine needs for a moment to start the latter. They
/// are added to what programs may have, and not kept for them: programs that fork without end take these, too. Then a
/// program or another link can't be started until some have ended; the link there is goes on, and a server that comes back
/// tries on for a minute.
const OWN_THREADS: u32 = 24;

/// Labels by which everything of ours is found again.
pub(super) const SERVER: &str = "embedenv.server";
pub(super) const ROOM: &str = "embedenv.room";

/// An image that sandboxes can be started from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prepared {
    /// The engine's own name for it.
    pub(super) id: String,
    /// `PATH` inside.
    pub(super) search: String,
    /// Folders that the image calls volumes.
    pub(super) volumes: Vec<String>,
}

/// The name of a room's container and of its home's volume. Names are unique, so a room never has two.
pub(super) fn name(server: &str, room: RoomId) -> String {
    format!("embedenv-{server}-{room}")
}

pub(super) fn labels(server: &str, room: RoomId) -> HashMap<String, String> {
    HashMap::from([(SERVER.to_owned(), server.to_owned()), (ROOM.to_owned(), room.to_string())])
}

pub(super) fn request(
    server: &str,
    room: RoomId,
    profile: &Profile,
    image: &Prepared,
    machine: &Host,
) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.id.clone()),
        entrypoint: Some(vec![AGENT.to_owned()]),
        cmd: Some(arguments(profile, image)),
        user: Some(USER.to_owned()),
        working_dir: Some(HOME.to_owned()),
        hostname: Some("sandbox".to_owned()),
        network_disabled: Some(true),
        // An image's own check would be one more program that nobody asked for.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        labels: Some(labels(server, room)),
        // Standard input ends with the server that is attached to it: the agent then waits for another.
        open_stdin: Some(true),
        stdin_once: Some(true),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        host_config: Some(host(server, room, profile, image, machine)),
        ..ContainerCreateBody::default()
    }
}

fn arguments(profile: &Profile, image: &Prepared) -> Vec<String> {
    let limits = &profile.limits;
    let mut line: Vec<String> = ["serve", "--listen", SOCKET, "--home", HOME, "--inherit"].map(str::to_owned).to_vec();
    // No `--nproc`: that limit counts a user's processes in all containers of the host, and the cgroup's counts these.
    for (name, value) in
        [("--nofile", u64::from(limits.open_files)), ("--disk", limits.disk), ("--inodes", limits.inodes)]
    {
        line.extend([name.to_owned(), value.to_string()]);
    }
    line.extend(["--login-path".to_owned(), image.search.clone()]);
    line.extend(profile.proxy.into_iter().flat_map(|port| ["--proxy".to_owned(), port.to_string()]));
    line
}

fn host(server: &str, room: RoomId, profile: &Profile, image: &Prepared, machine: &Host) -> HostConfig {
    let limits = &profile.limits;
    let memory = whole(limits.memory);
    HostConfig {
        network_mode: Some("none".to_owned()),
        privileged: Some(false),
        cap_drop: Some(vec!["ALL".to_owned()]),
        // The engine's own seccomp profile stays: it is a list of what is allowed. The agent takes on ours besides.
        security_opt: Some(vec!["no-new-privileges:true".to_owned()]),
        readonly_rootfs: Some(true),
        tmpfs: Some(tmpfs(limits, image)),
        mounts: Some(vec![Mount {
            typ: Some(MountType::VOLUME),
            source: Some(name(server, room)),
            target: Some(HOME.to_owned()),
            volume_options: Some(MountVolumeOptions {
                labels: Some(labels(server, room)),
                ..MountVolumeOptions::default()
            }),
            ..Mount::default()
        }]),
        memory: Some(memory),
        // Together with swap: there is none.
        memory_swap: Some(memory),
        nano_cpus: machine.cpus(limits.cpus).map(|cpus| (cpus * 1e9) as i64),
        pids_limit: Some(i64::from(limits.processes.saturating_add(OWN_THREADS))),
        ulimits: Some(vec![ulimit("nofile", limits.open_files.into()), ulimit("core", 0)]),
        shm_size: Some(whole(limits.tmp)),
        ipc_mode: Some("private".to_owned()),
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        // The agent is the first process, and reaps.
        init: Some(false),
        runtime: profile.runtime.clone(),
        ..HostConfig::default()
    }
}

/// What can be written besides the home: `/tmp`, `/run`, and what the image calls volumes, which would otherwise be
/// folders of the host without a limit.
fn tmpfs(limits: &Limits, image: &Prepared) -> HashMap<String, String> {
    let size = limits.tmp;
    let mut mounts = HashMap::from([
        ("/tmp".to_owned(), format!("rw,exec,nosuid,nodev,mode=1777,size={size}")),
        ("/run".to_owned(), format!("rw,exec,nosuid,nodev,mode=755,uid=1000,gid=1000,size={RUN}")),
    ]);
    for volume in image.volumes.iter().map(|volume| clean(volume)).filter(|volume| volume != HOME && volume != "/") {
        let options = format!("rw,exec,nosuid,nodev,mode=755,uid=1000,gid=1000,size={size}");
        mounts.entry(volume).or_insert(options);
    }
    mounts
}

/// A folder inside by the one name that the engine knows it by, however an image spells it: two names for one folder
/// would be two mounts on it.
fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn ulimit(name: &str, most: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) }
}

/// As the API counts; no limit that settings allow is longer.
fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use bollard::models::SystemInfo;
    use embedenv_shared::id::ROOM_ID_BYTES;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// What no request may hold at all, or only like this.
    fn check(request: &Value, server: &str, room: RoomId) -> Result<(), TestCaseError> {
        let host = &request["HostConfig"];
        let absent =
            |value: &Value| value.is_null() || *value == json!(false) || *value == json!([]) || *value == json!({});
        for forbidden in [
            "Binds",
            "CapAdd",
            "Devices",
            "DeviceRequests",
            "DeviceCgroupRules",
            "PidMode",
            "UTSMode",
            "UsernsMode",
            "CgroupnsMode",
            "CgroupParent",
            "VolumesFrom",
            "PortBindings",
            "PublishAllPorts",
            "ExtraHosts",
            "Links",
            "Dns",
            "GroupAdd",
            "Privileged",
            "OomKillDisable",
            "Sysctls",
            "StorageOpt",
            "MaskedPaths",
            "ReadonlyPaths",
            "RestartPolicy",
            "VolumeDriver",
            "AutoRemove",
        ] {
            prop_assert!(absent(&host[forbidden]), "{forbidden}: {}", host[forbidden]);
        }
        for forbidden in ["Env", "Volumes", "ExposedPorts", "NetworkingConfig", "Tty"] {
            prop_assert!(absent(&request[forbidden]), "{forbidden}: {}", request[forbidden]);
        }
        for (name, value) in [
            ("NetworkMode", json!("none")),
            ("CapDrop", json!(["ALL"])),
            ("SecurityOpt", json!(["no-new-privileges:true"])),
            ("ReadonlyRootfs", json!(true)),
            ("IpcMode", json!("private")),
            ("LogConfig", json!({"Type": "none"})),
        ] {
            prop_assert_eq!(&host[name], &value);
        }
        prop_assert_eq!(&request["NetworkDisabled"], &json!(true));
        prop_assert_eq!(&request["User"], &json!("1000:1000"));
        prop_assert_eq!(&request["Entrypoint"], &json!([AGENT]));
        prop_assert_eq!(&host["Memory"], &host["MemorySwap"]);
        for bound in ["Memory", "PidsLimit", "ShmSize"] {
            prop_assert!(host[bound].as_i64().is_some_and(|value| value > 0), "{bound}: {}", host[bound]);
        }
        let mounts = host["Mounts"].as_array().cloned().unwrap_or_default();
        prop_assert_eq!(mounts.len(), 1);
        prop_assert_eq!(&mounts[0]["Type"], &json!("volume"));
        prop_assert_eq!(&mounts[0]["Source"], &json!(name(server, room)));
        prop_assert_eq!(&mounts[0]["Target"], &json!(HOME));
        prop_assert!(mounts[0]["VolumeOptions"]["DriverConfig"].is_null());
        for options in host["Tmpfs"].as_object().into_iter().flatten().map(|(_, options)| options) {
            let options = options.as_str().unwrap_or_default();
            prop_assert!(options.contains("nosuid,nodev") && options.contains("size="), "{options}");
        }
        Ok(())
    }

    #[test]
    fn however_an_image_spells_a_volume_it_is_mounted_once_and_never_over_the_home() {
        let volumes = ["/home/user/", "/tmp/", "/home//user/.", "/data/", "/data", "/a/../b", "/", "/run//"];
        let image =
            Prepared { id: "i".to_owned(), search: "/bin".to_owned(), volumes: volumes.map(str::to_owned).to_vec() };
        let mounts = tmpfs(&Limits::default(), &image);
        let mut folders: Vec<&str> = mounts.keys().map(String::as_str).collect();
        folders.sort_unstable();
        assert_eq!(folders, ["/b", "/data", "/run", "/tmp"]);
        assert!(mounts["/tmp"].contains("mode=1777"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

        #[test]
        fn i3_no_settings_make_a_request_that_reaches_the_host(
            memory in 1u64..1 << 50, cpus in 0.05f64..1024.0, processes in 8u32..100_000, open_files in 64u32..1_000_000,
            disk in 1u64..1 << 50, inodes in 1u64..1 << 40, tmp in 1u64..1 << 50, image in ".{0,40}",
            runtime in proptest::option::of("[a-z.]{1,20}"), proxy in proptest::option::of(1u16..), search in ".{0,80}",
            volumes in proptest::collection::vec("/[a-z/.]{0,20}", 0..4), room in any::<[u8; ROOM_ID_BYTES]>(),
            server in "[0-9a-f]{16}", ncpu in 1i64..512, cfs in any::<bool>(),
        ) {
            let limits = Limits { memory, cpus, processes, open_files, disk, inodes, tmp };
            let profile = Profile { limits, image: image.clone(), runtime: runtime.clone(), proxy };
            let prepared = Prepared { id: image, search, volumes };
            let info = SystemInfo { ncpu: Some(ncpu), cpu_cfs_quota: Some(cfs), ..SystemInfo::default() };
            let request = request(&server, RoomId(room), &profile, &prepared, &Host::of(&info));
            let request = serde_json::to_value(request).unwrap();
            check(&request, &server, RoomId(room))?;
            let nano = request["HostConfig"]["NanoCpus"].as_i64();
            let bounded = |nano: i64| cfs && 0 < nano && nano <= ncpu * 1_000_000_000;
            prop_assert!(nano.map_or(!cfs, bounded), "{nano:?}");
            prop_assert_eq!(request["HostConfig"]["Runtime"].as_str(), runtime.as_deref());
        }
    }
}
