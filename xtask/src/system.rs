//! What comes from the system's package manager: notices what is missing, installs it with apt where that is possible, and
//! otherwise says in one sentence what to install. Never touches what is there already.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command;

/// Something the system has to provide.
struct Need {
    /// What it is for, in a message.
    name: &'static str,
    packages: &'static [&'static str],
    is_there: fn() -> bool,
}

const BUBBLEWRAP: Need = Need {
    name: "bubblewrap (the local engine's sandbox)",
    packages: &["bubblewrap"],
    is_there: || command::which("bwrap").is_some(),
};
const PYTHON: Need = Need {
    name: "Python 3 (the sample project's language)",
    packages: &["python3"],
    is_there: || command::which("python3").is_some(),
};
const PYTHON_VENV: Need = Need {
    name: "Python's venv (for the reference client's packages)",
    packages: &["python3-venv"],
    is_there: || command::succeeds(Command::new(crate::python::system()).args(["-c", "import ensurepip, venv"])),
};
const CHROMIUM: Need =
    Need { name: "Chromium (browser tests)", packages: &["chromium"], is_there: || chromium().is_some() };
const CHROMIUM_DRIVER: Need = Need {
    name: "Chromium's driver (browser tests)",
    packages: &["chromium-driver"],
    is_there: || command::which("chromedriver").is_some(),
};

const DOCKER: Need = Need {
    name: "Docker (an engine for tests, and its client)",
    packages: &["docker.io", "docker-cli"],
    is_there: || dockerd().is_some() && command::which("docker").is_some(),
};
const DOCKER_CLIENT: Need = Need {
    name: "Docker's client (images)",
    packages: &["docker-cli"],
    is_there: || command::which("docker").is_some(),
};
const MMDEBSTRAP: Need = Need {
    name: "mmdebstrap (the workspace image)",
    packages: &["mmdebstrap", "debian-archive-keyring"],
    is_there: || command::which("mmdebstrap").is_some(),
};
const BUSYBOX: Need = Need {
    name: "a static busybox (the smallest image of the tests)",
    packages: &["busybox-static"],
    is_there: || busybox().is_some(),
};

const POSTGRES: Need = Need {
    name: "PostgreSQL (a server for tests)",
    packages: &["postgresql"],
    is_there: || crate::postgres::programs().is_some(),
};

/// Docker's daemon; `sbin` is not on everybody's `PATH`.
pub(crate) fn dockerd() -> Option<PathBuf> {
    let debian = PathBuf::from("/usr/sbin/dockerd");
    command::which("dockerd").or_else(|| debian.exists().then_some(debian))
}

/// A busybox that needs no library: `ldd` succeeds only for programs that do.
pub(crate) fn busybox() -> Option<PathBuf> {
    command::which("busybox").filter(|path| !command::succeeds(Command::new("ldd").arg(path)))
}

/// The browser of the tests: `EMBEDENV_CHROMIUM`, or the first one found.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(chosen) = std::env::var_os("EMBEDENV_CHROMIUM") {
        return Some(chosen.into());
    }
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"].into_iter().find_map(command::which)
}

/// Installs what running the product needs. Returns what was done, in a word or two.
pub(crate) fn for_running() -> Result<String> {
    provide(&[BUBBLEWRAP, PYTHON])
}

/// Installs what the tests need beyond that.
pub(crate) fn for_testing() -> Result<String> {
    provide(&[BUBBLEWRAP, PYTHON, PYTHON_VENV, CHROMIUM, CHROMIUM_DRIVER, POSTGRES])
}

/// Installs what starting a Docker engine and making images for it needs.
pub(crate) fn for_engine() -> Result<String> {
    provide(&[DOCKER, MMDEBSTRAP, BUSYBOX])
}

/// Installs what starting a PostgreSQL server needs.
pub(crate) fn for_postgres() -> Result<String> {
    provide(&[POSTGRES])
}

/// Installs what making images for an engine elsewhere needs.
pub(crate) fn for_images() -> Result<String> {
    provide(&[DOCKER_CLIENT, MMDEBSTRAP, BUSYBOX])
}

fn provide(needs: &[Need]) -> Result<String> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok("there".to_owned());
    }
    let names = missing.iter().map(|need| need.name).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).map(|name| on_this_system(name)).collect();
    if command::which("apt-get").is_none() {
        bail!(
            "missing: {names}. There is no apt-get here: install them with your system's package manager, then run this again"
        );
    }
    let Some(prefix) = root_prefix() else {
        let packages = packages.join(" ");
        println!("  sudo apt-get update\n  sudo apt-get install -y --no-install-recommends {packages}");
        bail!("missing: {names}. Installing needs root: run the two commands above, then run this again");
    };
    println!("  installing {}", packages.join(" "));
    command::run(&mut apt(prefix, &["update", "-qq"]))?;
    let mut install = apt(prefix, &["install", "-y", "-qq", "--no-install-recommends"]);
    command::run(install.args(&packages))?;
    let still = self::missing(needs).iter().map(|need| need.name).collect::<Vec<_>>().join(", ");
    if !still.is_empty() {
        bail!("apt-get ended well and yet there is no {still}");
    }
    Ok("installed".to_owned())
}

fn missing(needs: &[Need]) -> Vec<&Need> {
    needs.iter().filter(|need| !(need.is_there)()).collect()
}

/// Ubuntu names its browser packages otherwise than Debian does; Ubuntu, and Debian up to 12, have Docker's client in the
/// daemon's package.
fn on_this_system(package: &'static str) -> &'static str {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let says = |wanted: &str| release.lines().any(|line| line == wanted);
    let ubuntu = says("ID=ubuntu");
    match package {
        "docker-cli" if ubuntu || says("VERSION_CODENAME=bookworm") => "docker.io",
        "chromium" if ubuntu => "chromium-browser",
        "chromium-driver" if ubuntu => "chromium-chromedriver",
        other => other,
    }
}

pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// What makes a command run as root: nothing for root, `sudo -n` where it asks for no password, otherwise `None`.
fn root_prefix() -> Option<&'static [&'static str]> {
    if is_root() {
        return Some(&[]);
    }
    command::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n"])
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Command {
    let words: Vec<&str> = prefix
        .iter()
        .copied()
        .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .chain(arguments.iter().copied())
        .collect();
    let mut command = command::command(words[0]);
    command.args(&words[1..]);
    command
}
