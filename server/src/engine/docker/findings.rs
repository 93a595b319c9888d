//! What `doctor` tells of the Docker engine: whether it answers, what it can enforce, and how its images stand; and what of
//! that the server says once, when it first reaches the engine.

use std::collections::BTreeSet;

use bollard::models::SystemInfo;

use super::client::{CallError, Client};
use super::image;
use crate::config::Config;
use crate::engine::finding::{Finding, State, finding, watched_disk};

/// Looks at the engine as the server would use it. Starts and fetches nothing.
pub(crate) async fn findings(config: &Config) -> Vec<Finding> {
    let client = Client::default();
    let info = match client.ask("tell about itself", |api| async move { api.info().await }).await {
        Ok(info) => info,
        Err(error) => {
            let remedy = "Start Docker, or set DOCKER_HOST (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH for TLS). The \
                          server's user must be allowed to use the engine's socket.";
            return vec![finding("Docker", State::Missing, error.to_string(), Some(remedy.to_owned()))];
        }
    };
    let mut findings = abilities(&info);
    let profiles = || config.spaces.values().map(|space| &space.profile);
    for runtime in profiles().filter_map(|profile| profile.runtime.as_ref()).collect::<BTreeSet<_>>() {
        let there = info.runtimes.as_ref().is_some_and(|runtimes| runtimes.contains_key(runtime));
        let (state, detail) =
            if there { (State::Good, "there") } else { (State::Missing, "the engine does not know this runtime") };
        findings.push(finding("runtime", state, format!("{runtime}: {detail}"), None));
    }
    let told = image::told(&config.data_dir);
    for image in profiles().map(|profile| &profile.image).collect::<BTreeSet<_>>() {
        let found = client.ask("look at an image", |api| async move { api.inspect_image(image).await }).await;
        findings.push(match found {
            Ok(_) => finding("image", State::Good, format!("{image}: there"), None),
            Err(error) if error.status() == Some(404) => {
                let otherwise = || "the server fetches it from its registry when it starts".to_owned();
                let stands = told.get(image).map_or_else(otherwise, |told| told.text.clone());
                let detail = format!("{image}: not there; {stands}");
                let remedy = "`docker pull` fetches it before, and docs/deployment.md tells how to make one without a \
                              registry.";
                finding("image", State::Weaker, detail, Some(remedy.to_owned()))
            }
            Err(error) => finding("image", State::Missing, format!("{image}: {error}"), None),
        });
    }
    findings
}

/// Says once what the engine can't enforce.
pub(super) async fn tell(client: &Client) -> Result<(), CallError> {
    let info = client.ask("tell about itself", |api| async move { api.info().await }).await?;
    for Finding { what, detail, state, .. } in abilities(&info) {
        match state {
            State::Good => {}
            State::Weaker => tracing::info!("{what}: {detail} (`embedenv doctor` says more)"),
            State::Missing => tracing::warn!("{what}: {detail} (`embedenv doctor` says more)"),
        }
    }
    Ok(())
}

/// What the engine can do, whatever it is asked to run.
fn abilities(info: &SystemInfo) -> Vec<Finding> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let detail = format!("version {}, storage driver {}", text(&info.server_version), text(&info.driver));
    vec![
        finding("Docker", State::Good, detail, None),
        limits(info),
        users(info),
        filter(info),
        restarts(info),
        watched_disk(),
    ]
}

/// Whether the engine can hold what a space's limits say.
fn limits(info: &SystemInfo) -> Finding {
    let what = "memory, processor, processes";
    let kinds = [
        ("memory", info.memory_limit),
        ("swap", info.swap_limit),
        ("processor", info.cpu_cfs_quota),
        ("processes", info.pids_limit),
    ];
    let missing: Vec<&str> = kinds.iter().filter(|(_, can)| *can != Some(true)).map(|(name, _)| *name).collect();
    let version = info.cgroup_version.map_or_else(|| "1".to_owned(), |version| version.to_string());
    if missing.is_empty() {
        return finding(what, State::Good, format!("cgroup version {version}"), None);
    }
    let detail = format!("cgroup version {version}; not limited here: {}", missing.join(", "));
    let remedy = "Limits need cgroups: enable the kernel's controllers, or delegate them to a rootless engine.";
    finding(what, State::Weaker, detail, Some(remedy.to_owned()))
}

fn has(info: &SystemInfo, option: &str) -> bool {
    let options = info.security_options.iter().flatten();
    options.into_iter().any(|found| found.split(',').any(|part| part == format!("name={option}")))
}

fn users(info: &SystemInfo) -> Finding {
    let what = "host user";
    if has(info, "userns") || has(info, "rootless") {
        return finding(what, State::Good, "users inside are not the host's (user namespaces)", None);
    }
    let detail = "the sandbox's uid 1000 is the host's uid 1000, in every container";
    let remedy = "Turn on the engine's userns-remap, or use a rootless engine; docs/deployment.md tells how.";
    finding(what, State::Weaker, detail, Some(remedy.to_owned()))
}

fn filter(info: &SystemInfo) -> Finding {
    let what = "system calls";
    match has(info, "seccomp") {
        true => finding(what, State::Good, "the engine's seccomp profile", None),
        false => finding(
            what,
            State::Missing,
            "the engine filters no system calls",
            Some("Use an engine and a kernel with seccomp.".to_owned()),
        ),
    }
}

fn restarts(info: &SystemInfo) -> Finding {
    let what = "restart of the engine";
    if info.live_restore_enabled == Some(true) {
        return finding(what, State::Good, "programs run on (live-restore)", None);
    }
    let detail = "ends all programs; files stay";
    let remedy = "Set \"live-restore\": true in /etc/docker/daemon.json for programs to run on.";
    finding(what, State::Weaker, detail, Some(remedy.to_owned()))
}
