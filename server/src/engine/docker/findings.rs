//! What `doctor` tells of the Docker engine: whether it answers, what it can enforce, and how its images stand; and what of
//! that the server says once, when it first reaches the engine.

use std::collections::BTreeSet;

use bollard::ClientVersion;
use bollard::models::SystemInfo;

use super::client::{CallError, Client};
use super::host::Host;
use super::image::{self, Told};
use crate::config::Config;
use crate::engine::WORKSPACE;
use crate::engine::finding::{Finding, State, finding, watched_disk};

/// The API of Docker 20.10.
const OLDEST_API: (usize, usize) = (1, 41);

/// Looks at the engine as the server would use it. Starts and fetches nothing.
pub(crate) async fn findings(config: &Config) -> Vec<Finding> {
    let client = Client::default();
    let (info, version) = match asked(&client).await {
        Ok(answers) => answers,
        Err(error) => {
            let remedy = "Start Docker, or set DOCKER_HOST (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH for TLS). The \
                          server's user must be allowed to use the engine's socket.";
            return vec![finding("Docker", State::Missing, error.to_string(), Some(remedy.to_owned()))];
        }
    };
    let mut findings = abilities(&info, &version);
    findings.extend(processors(&info, config.spaces.values().map(|space| space.profile.limits.cpus)));
    let profiles = || config.spaces.values().map(|space| &space.profile);
    let named: BTreeSet<String> = profiles().filter_map(|profile| profile.runtime.clone()).collect();
    findings.extend(runtimes(&info, &named));
    let told = image::told(&config.data_dir);
    for image in profiles().map(|profile| &profile.image).collect::<BTreeSet<_>>() {
        let found = client.ask("look at an image", |api| async move { api.inspect_image(image).await }).await;
        findings.push(of_image(image, found.map(drop), told.get(image)));
    }
    findings
}

/// What a space's image is: there or not, and what a server of this data directory made of it.
fn of_image(image: &str, found: Result<(), CallError>, told: Option<&Told>) -> Finding {
    let what = "image";
    match (found, told) {
        (Ok(()), Some(told)) if !told.ready => {
            let detail = format!("{image}: there; when a server used it last: {}", told.text);
            let remedy = "The server tries again by itself when another image has the name, and once a minute.";
            finding(what, State::Weaker, detail, Some(remedy.to_owned()))
        }
        (Ok(()), _) => finding(what, State::Good, format!("{image}: there"), None),
        (Err(error), told) if error.status() == Some(404) => {
            let otherwise = match image {
                WORKSPACE => "it is made, and fetched from no registry",
                _ => "the server fetches it from its registry when it starts",
            };
            let stands = told.map_or(otherwise, |told| told.text.as_str());
            let remedy = "`docker pull` fetches it before, and docs/deployment.md tells how to make one without a \
                          registry.";
            finding(what, State::Weaker, format!("{image}: not there; {stands}"), Some(remedy.to_owned()))
        }
        (Err(error), _) => finding(what, State::Missing, format!("{image}: {error}"), None),
    }
}

async fn asked(client: &Client) -> Result<(SystemInfo, ClientVersion), CallError> {
    let info = client.ask("tell about itself", |api| async move { api.info().await }).await?;
    Ok((info, client.version().await?))
}

/// Says once what the engine can't enforce, and which runtimes of spaces it does not know.
pub(super) async fn tell(client: &Client, named: &BTreeSet<String>) -> Result<(), CallError> {
    let (info, version) = asked(client).await?;
    for Finding { what, detail, state, .. } in abilities(&info, &version).into_iter().chain(runtimes(&info, named)) {
        match state {
            State::Good => {}
            State::Weaker => tracing::info!("{what}: {detail} (`embedenv doctor` says more)"),
            State::Missing => tracing::warn!("{what}: {detail} (`embedenv doctor` says more)"),
        }
    }
    Ok(())
}

/// What the engine can do, whatever it is asked to run.
fn abilities(info: &SystemInfo, version: &ClientVersion) -> Vec<Finding> {
    vec![engine(info, version), limits(info), users(info), filter(info), restarts(info), watched_disk()]
}

fn engine(info: &SystemInfo, version: &ClientVersion) -> Finding {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let detail = format!("version {}, storage driver {}", text(&info.server_version), text(&info.driver));
    let spoken = (version.major_version, version.minor_version);
    if spoken < OLDEST_API {
        let (major, minor) = OLDEST_API;
        let detail =
            format!("{detail}; it speaks version {}.{} of its API, and {major}.{minor} is needed", spoken.0, spoken.1);
        return finding("Docker", State::Missing, detail, Some("Use Docker 20.10 or newer.".to_owned()));
    }
    finding("Docker", State::Good, detail, None)
}

fn runtimes(info: &SystemInfo, named: &BTreeSet<String>) -> Vec<Finding> {
    let host = Host::of(info);
    let of = |runtime: &String| {
        if host.knows(runtime) {
            return finding("runtime", State::Good, format!("{runtime}: there"), None);
        }
        let detail = format!("{runtime}: the engine does not know this runtime");
        let remedy = "Add it to \"runtimes\" in the engine's daemon.json, or name another for the space.";
        finding("runtime", State::Missing, detail, Some(remedy.to_owned()))
    };
    named.iter().map(of).collect()
}

/// Where spaces want more processors than there are.
fn processors(info: &SystemInfo, wanted: impl Iterator<Item = f64>) -> Option<Finding> {
    let most = wanted.fold(0.0, f64::max);
    let given = Host::of(info).cpus(most)?;
    let detail = || format!("a space may have {most}, and the engine's machine has {given}: its sandboxes get that");
    (given < most).then(|| finding("processors", State::Weaker, detail(), None))
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
    let missing = |detail: &str, remedy: &str| finding(what, State::Missing, detail, Some(remedy.to_owned()));
    let mut options = info.security_options.iter().flatten();
    match options.find(|option| option.split(',').any(|part| part == "name=seccomp")) {
        None => missing("the engine filters no system calls", "Use an engine and a kernel with seccomp."),
        Some(option) if option.split(',').any(|part| part == "profile=unconfined") => missing(
            "the engine's seccomp profile is `unconfined`: it filters no system calls",
            "Take \"seccomp-profile\" out of the engine's daemon.json.",
        ),
        Some(_) => finding(what, State::Good, "the engine's seccomp profile", None),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn version(minor_version: usize) -> ClientVersion {
        ClientVersion { major_version: 1, minor_version }
    }

    fn good() -> SystemInfo {
        SystemInfo {
            memory_limit: Some(true),
            swap_limit: Some(true),
            cpu_cfs_quota: Some(true),
            pids_limit: Some(true),
            ncpu: Some(2),
            security_options: Some(vec!["name=seccomp,profile=builtin".to_owned(), "name=userns".to_owned()]),
            live_restore_enabled: Some(true),
            ..SystemInfo::default()
        }
    }

    fn state(findings: &[Finding], what: &str) -> State {
        findings.iter().find(|finding| finding.what == what).unwrap().state
    }

    #[test]
    fn an_engine_that_is_too_old_is_missing() {
        assert_eq!(engine(&good(), &version(40)).state, State::Missing);
        assert_eq!(engine(&good(), &version(41)).state, State::Good);
    }

    #[test]
    fn an_engine_that_can_do_everything_is_good_and_each_lack_is_told() {
        let all = abilities(&good(), &version(44));
        for what in ["Docker", "memory, processor, processes", "host user", "system calls", "restart of the engine"] {
            assert_eq!(state(&all, what), State::Good, "{what}");
        }
        let lacks = SystemInfo {
            cpu_cfs_quota: Some(false),
            security_options: Some(Vec::new()),
            live_restore_enabled: Some(false),
            ..good()
        };
        let all = abilities(&lacks, &version(44));
        assert_eq!(state(&all, "memory, processor, processes"), State::Weaker);
        assert_eq!(state(&all, "host user"), State::Weaker);
        assert_eq!(state(&all, "system calls"), State::Missing);
        assert_eq!(state(&all, "restart of the engine"), State::Weaker);
    }

    #[test]
    fn a_filter_that_is_unconfined_is_none() {
        let options = |option: &str| SystemInfo { security_options: Some(vec![option.to_owned()]), ..good() };
        assert_eq!(filter(&options("name=seccomp,profile=unconfined")).state, State::Missing);
        assert_eq!(filter(&options("name=seccomp,profile=default")).state, State::Good);
    }

    #[test]
    fn more_processors_than_there_are_is_told() {
        assert!(processors(&good(), [0.5, 2.0].into_iter()).is_none());
        let told = processors(&good(), [0.5, 4.0].into_iter()).unwrap();
        assert!(told.state == State::Weaker && told.detail.contains("has 2"), "{told:?}");
    }

    #[test]
    fn a_runtime_that_the_engine_does_not_know_is_missing() {
        let found = runtimes(&good(), &BTreeSet::from(["runsc".to_owned()]));
        assert_eq!(state(&found, "runtime"), State::Missing);
    }

    #[test]
    fn an_image_that_is_there_and_can_not_be_used_says_what_the_server_found() {
        let told = Told { ready: false, text: "it is for windows".to_owned() };
        let found = of_image("a", Ok(()), Some(&told));
        assert!(found.state == State::Weaker && found.detail.contains("for windows"), "{found:?}");
        let ready = Told { ready: true, text: "ready".to_owned() };
        assert_eq!(of_image("a", Ok(()), Some(&ready)).state, State::Good);
        assert_eq!(of_image("a", Ok(()), None).state, State::Good);
    }
}
