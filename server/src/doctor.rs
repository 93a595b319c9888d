//! `embedenv doctor`: what this machine lets each engine enforce, what is missing, and how to get it.
//!
//! It tries instead of guessing: it starts the smallest sandbox there is and says what happened.

use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::{Config, EngineChoice};
use crate::engine::docker;
use crate::engine::finding::{Finding, State, finding, watched_disk};
use crate::engine::local::{self, Mechanism, on_path};
use crate::http::preview::places::Places;

/// How long a trial may take.
const TRIAL: Duration = Duration::from_secs(10);

/// Stands in a report's `engine` for what is the server's own.
const SERVER: &str = "server";

#[derive(Debug, Serialize)]
pub struct Report {
    pub engine: &'static str,
    pub works: bool,
    pub findings: Vec<Finding>,
}

impl Report {
    fn of(engine: &'static str, findings: Vec<Finding>) -> Self {
        let works = findings.iter().all(|finding| finding.state != State::Missing);
        Self { engine, works, findings }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.works { "works here" } else { "does not work here" };
        match self.engine {
            SERVER => writeln!(f, "The server itself {verdict}.")?,
            engine => writeln!(f, "Engine {engine}: {verdict}.")?,
        }
        for Finding { what, state, detail, remedy } in &self.findings {
            let mark = match state {
                State::Good => "ok     ",
                State::Weaker => "weaker ",
                State::Missing => "missing",
            };
            writeln!(f, "  {mark}  {what}: {detail}")?;
            if let Some(remedy) = remedy {
                writeln!(f, "           {}", remedy.replace('\n', "\n           "))?;
            }
        }
        Ok(())
    }
}

/// Looks at this machine as the configuration would use it: at the engine it names, or at each.
pub async fn reports(config: &Config) -> Vec<Report> {
    let mut reports = Vec::new();
    if config.engine != EngineChoice::Docker {
        reports.push(local(config).await);
    }
    if config.engine != EngineChoice::Local {
        reports.push(Report::of("docker", docker::findings(config).await));
    }
    reports.push(Report::of(SERVER, vec![previews(config)]));
    reports
}

/// Where what programs serve can be seen.
fn previews(config: &Config) -> Finding {
    let what = "previews";
    let remedy = || {
        Some(
            "Have a wildcard name (*.preview.example.com) lead to this server and set preview.host to it; \
             docs/previews.md says how. Until then preview.listen serves simple apps, and without it the page can \
             ask servers by its request form alone."
                .to_owned(),
        )
    };
    let bad = |why: String| finding(what, State::Missing, why, remedy());
    let places = match Places::new(config, config.listen, config.preview.listen) {
        Err(error) => return bad(error.to_string()),
        Ok(places) => places,
    };
    match places.paths() {
        Some(paths) => {
            let detail = format!("below paths of {}, where apps keep neither cookies nor storage", paths.origin());
            finding(what, State::Weaker, detail, remedy())
        }
        None => match (places.source(), &config.preview.host, places.names().is_reachable()) {
            (source, Some(_), _) => finding(what, State::Good, source, None),
            (source, None, true) => {
                finding(what, State::Weaker, format!("{source}, which browsers on this machine alone reach"), remedy())
            }
            (_, None, false) => {
                let detail = "no host name for them, and public_url is not of this machine";
                finding(what, State::Weaker, detail, remedy())
            }
        },
    }
}

/// Looks at what the local engine finds here.
pub async fn local(config: &Config) -> Report {
    let mut findings = vec![bubblewrap().await];
    if findings[0].state == State::Good {
        findings.push(namespaces().await);
    }
    findings.push(user());
    findings.extend(engine(config));
    findings.push(programs());
    Report::of("local", findings)
}

async fn bubblewrap() -> Finding {
    let what = "bubblewrap";
    let Some(path) = on_path("bwrap") else {
        return finding(what, State::Missing, "bwrap is not on PATH", Some(install("bubblewrap")));
    };
    match run(Command::new(&path).arg("--version")).await {
        Ok(version) => finding(what, State::Good, format!("{} ({})", version.trim(), path.display()), None),
        Err(said) => finding(what, State::Missing, said, Some(install("bubblewrap"))),
    }
}

/// Starts the smallest sandbox, as the user the server runs as.
async fn namespaces() -> Finding {
    let what = "a sandbox";
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]);
    command.args(["--ro-bind", "/", "/", "--proc", "/proc", "--", "true"]);
    match run(&mut command).await {
        Ok(_) => finding(what, State::Good, "user, process, mount, network, IPC and host name namespaces", None),
        Err(said) => finding(what, State::Missing, said, Some(namespace_remedy())),
    }
}

fn namespace_remedy() -> String {
    let setting = |name: &str| std::fs::read_to_string(name).unwrap_or_default().trim().to_owned();
    if setting("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
        return "sysctl -w kernel.unprivileged_userns_clone=1".to_owned();
    }
    if setting("/proc/sys/user/max_user_namespaces") == "0" {
        return "sysctl -w user.max_user_namespaces=15000".to_owned();
    }
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
        return "AppArmor restricts user namespaces here (Ubuntu 24.04 and later). As root, write to \
                /etc/apparmor.d/bwrap:\n  abi <abi/4.0>,\n  include <tunables/global>\n  profile bwrap /usr/bin/bwrap \
                flags=(unconfined) {\n    userns,\n  }\nand run: systemctl reload apparmor"
            .to_owned();
    }
    "The kernel must allow user namespaces (CONFIG_USER_NS); inside a container, its engine must too.".to_owned()
}

fn user() -> Finding {
    if rustix::process::geteuid().is_root() {
        let detail = "the server is root: every sandbox runs under a host user of its own";
        return finding("host user", State::Good, detail, None);
    }
    let detail = "the server is an ordinary user: all sandboxes run as that user, each in namespaces of its own";
    finding(
        "host user",
        State::Weaker,
        detail,
        Some("Run the server as root for a host user for each sandbox.".to_owned()),
    )
}

/// Prepares the engine as the server would, and says what holds its limits.
fn engine(config: &Config) -> Vec<Finding> {
    let mechanism = match local::mechanism(&config.data_dir) {
        Ok(mechanism) => mechanism,
        Err(error) => {
            let said = crate::telemetry::chain(&error).to_string();
            return vec![finding("data directory", State::Missing, said, None)];
        }
    };
    let (state, detail, remedy) = match mechanism {
        Mechanism::CgroupV2 => (State::Good, "cgroup version 2", None),
        Mechanism::CgroupV1 => (State::Good, "cgroup version 1", None),
        Mechanism::ResourceLimits => (
            State::Weaker,
            "resource limits only: processes and open files are limited, memory and processor time are not",
            Some("Run the server as root, or give it a cgroup (systemd: Delegate=yes).".to_owned()),
        ),
    };
    vec![
        finding("memory, processor, processes", state, detail, remedy),
        finding("open files", State::Good, "resource limits", None),
        watched_disk(),
    ]
}

fn programs() -> Finding {
    let wanted = ["bash", "python3", "node", "gcc", "git"];
    let (here, missing): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|program| Path::new("/usr/bin").join(program).exists());
    let detail = format!("in /usr/bin: {}", if here.is_empty() { "none".to_owned() } else { here.join(", ") });
    if missing.is_empty() {
        return finding("programs for sandboxes", State::Good, detail, None);
    }
    let remedy = format!(
        "Sandboxes see this machine's /usr. Not there: {}. {}",
        missing.join(", "),
        install(&missing.join(" "))
    );
    finding("programs for sandboxes", State::Weaker, detail, Some(remedy))
}

/// How packages are installed on this kind of system.
fn install(packages: &str) -> String {
    let managers = [
        ("apt-get", "apt-get install"),
        ("dnf", "dnf install"),
        ("pacman", "pacman -S"),
        ("apk", "apk add"),
        ("zypper", "zypper install"),
    ];
    match managers.iter().find(|(program, _)| on_path(program).is_some()) {
        Some((_, command)) => format!("As root: {command} {packages}"),
        None => format!("Install with your system's packages: {packages}"),
    }
}

async fn run(command: &mut Command) -> Result<String, String> {
    let child = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = match timeout(TRIAL, child).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("it did not end in {} s", TRIAL.as_secs())),
    };
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
