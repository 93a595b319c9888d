//! `cargo xtask image`: makes the images that sandboxes start from, out of Debian's packages alone, and hands them to a Docker
//! engine. Asks no image registry, and never builds again what the same recipe has made before.

mod recipe;

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command::{self, run};
use crate::steps::Steps;
use crate::{cache, system};

/// What the image of a space is called where nothing else is set.
pub(crate) const WORKSPACE: &str = "embedenv/workspace:latest";

/// The image of tests that need no more than a shell; it has no user, no home, no bash and no Python.
pub(crate) const BUSYBOX: &str = "embedenv/busybox:test";

/// The label by which an image tells the recipe it was made by.
const RECIPE_LABEL: &str = "embedenv.recipe";

/// `cargo xtask image [workspace|busybox] [--engine HOST] [--fresh]`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    let mut steps = Steps::default();
    steps.need("system packages", system::for_images)?;
    let address = wanted.address.as_deref();
    match wanted.image {
        Image::Workspace => {
            if wanted.fresh {
                steps.need("workspace, built anew", build_anew)?;
            }
            steps.need("workspace image", || workspace(address))
        }
        Image::Busybox => steps.need("busybox image", || busybox(address)),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Image {
    Workspace,
    Busybox,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    image: Image,
    /// The engine's address as `DOCKER_HOST` spells it; `None` is what Docker's client takes by itself.
    address: Option<String>,
    /// Build with the packages of today, although the same recipe has been built before.
    fresh: bool,
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut wanted = Self { image: Image::Workspace, address: None, fresh: false };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "workspace" => wanted.image = Image::Workspace,
                "busybox" => wanted.image = Image::Busybox,
                "--fresh" => wanted.fresh = true,
                "--engine" => {
                    let address = words.next().context("--engine takes an address, such as unix:///run/docker.sock")?;
                    wanted.address = Some(address.to_owned());
                }
                other => {
                    bail!("`cargo xtask image` takes workspace or busybox, --engine HOST and --fresh, not `{other}`")
                }
            }
        }
        Ok(wanted)
    }
}

/// Hands the workspace image to an engine, building it first where that is to be done. Returns what was done.
pub(crate) fn workspace(address: Option<&str>) -> Result<String> {
    let tar = workspace_tar()?;
    let _lock = lock()?;
    let built = !tar.exists();
    if built {
        println!("  building from Debian's packages, about a minute, once");
        build(&tar)?;
    }
    let imported = import(address, &tar, WORKSPACE, &recipe::CHANGES, &identity(&tar)?)?;
    let size = tar.metadata()?.len() as f64 / 1e6;
    let made = if built { "built" } else { "unchanged" };
    Ok(format!("{WORKSPACE} {made} ({size:.0} MB), {imported}"))
}

/// Makes the busybox image, which takes a second, and hands it to an engine.
pub(crate) fn busybox(address: Option<&str>) -> Result<String> {
    let busybox = system::busybox().context("there is no static busybox: install busybox-static")?;
    let folder = images()?.join(format!("busybox-{}", std::process::id()));
    let tar = folder.with_extension("tar");
    let result = busybox_tar(&busybox, &folder, &tar)
        .and_then(|()| import(address, &tar, BUSYBOX, &recipe::BUSYBOX_CHANGES, &cache::digest(&std::fs::read(&tar)?)));
    for leftover in [folder, tar] {
        remove(&leftover)?;
    }
    Ok(format!("{BUSYBOX} {}", result?))
}

/// Lays out the busybox image's files and packs them. Their owner is root and their time zero, so that the same busybox
/// makes the same bytes.
fn busybox_tar(busybox: &Path, folder: &Path, tar: &Path) -> Result<()> {
    let applets = command::output(Command::new(busybox).arg("--list"))?;
    for name in ["bin", "etc", "tmp"] {
        std::fs::create_dir_all(folder.join(name)).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::set_permissions(folder.join("tmp"), Permissions::from_mode(0o1777))?;
    std::fs::copy(busybox, folder.join("bin/busybox")).context("cannot copy busybox")?;
    for applet in applets.lines().filter(|name| *name != "busybox") {
        symlink("busybox", folder.join("bin").join(applet)).with_context(|| format!("cannot link {applet}"))?;
    }
    cache::write(&folder.join("etc/passwd"), b"root:x:0:0:root:/:/bin/sh\n")?;
    cache::write(&folder.join("etc/group"), b"root:x:0:\n")?;
    let mut pack = Command::new("tar");
    pack.args(["--create", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"]);
    run(pack.arg("--file").arg(tar).arg("--directory").arg(folder).arg("."))
}

/// The folder of what has been built.
fn images() -> Result<PathBuf> {
    let folder = cache::folder()?.join("images");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// Where the image's files are kept: a name that says what they were made from.
fn workspace_tar() -> Result<PathBuf> {
    Ok(images()?.join(format!("workspace-{}.tar", recipe::hash())))
}

/// One build at a time: holds others up until the file is dropped.
fn lock() -> Result<File> {
    let lock = File::create(images()?.join("lock")).context("cannot create the lock of the images")?;
    lock.lock().context("cannot lock the images")?;
    Ok(lock)
}

/// For `--fresh`: the recipe is the same, the packages are those of today.
fn build_anew() -> Result<String> {
    let _lock = lock()?;
    build(&workspace_tar()?)?;
    Ok("built".to_owned())
}

/// Builds under another name first: what has the final name is whole. Called with the lock held.
fn build(tar: &Path) -> Result<()> {
    let partial = tar.with_extension("tar.partial");
    // What a build left that was cut short may still be written to: the name goes to a new file.
    remove(&partial)?;
    let file = File::create(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    // Through standard output, so that it may write where the user that it makes itself into could not.
    let written = recipe::mmdebstrap().stdout(file.try_clone()?).status().context("cannot start mmdebstrap")?;
    if !written.success() {
        remove(&partial)?;
        bail!("mmdebstrap could not make the image's files ({written})");
    }
    file.sync_all().context("cannot write the image's files to disk")?;
    std::fs::rename(&partial, tar).with_context(|| format!("cannot name {}", tar.display()))?;
    // What older recipes made is of no use any more.
    for entry in std::fs::read_dir(images()?)? {
        let path = entry?.path();
        let is_workspace = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("workspace-"));
        if is_workspace && path != tar {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// What tells one build of a recipe from the next: the recipe, and when its file was made.
fn identity(tar: &Path) -> Result<String> {
    let made = tar.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH)?;
    Ok(format!("{}-{}", recipe::hash(), made.as_secs()))
}

/// Makes an image of a file system's tar, unless the engine has it under that name already.
fn import(address: Option<&str>, tar: &Path, name: &str, changes: &[&str], identity: &str) -> Result<String> {
    let docker = || {
        let mut docker = Command::new("docker");
        docker.args(address.map(|address| ["--host", address]).into_iter().flatten());
        docker
    };
    let label = format!("{{{{index .Config.Labels \"{RECIPE_LABEL}\"}}}}");
    if command::output(docker().args(["image", "inspect", "--format", &label, name])).is_ok_and(|kept| kept == identity)
    {
        return Ok("there".to_owned());
    }
    let mut import = docker();
    import.arg("import").args(changes.iter().flat_map(|change| ["--change", change]));
    import.args(["--change", &format!("LABEL {RECIPE_LABEL}={identity}")]);
    // The image's id, which it prints, is nobody's business.
    let imported = import.arg(tar).arg(name).stdout(Stdio::null()).status().context("cannot start docker")?;
    if !imported.success() {
        bail!("the engine did not take {name} ({imported})");
    }
    Ok("imported".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Wanted> {
        Wanted::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn without_words_the_workspace_goes_to_the_default_engine() {
        assert_eq!(parse(&[]).unwrap(), Wanted { image: Image::Workspace, address: None, fresh: false });
    }

    #[test]
    fn image_engine_and_freshness_come_in_any_order() {
        let address = Some("unix:///a".to_owned());
        assert_eq!(
            parse(&["--fresh", "--engine", "unix:///a", "busybox"]).unwrap(),
            Wanted { image: Image::Busybox, address, fresh: true }
        );
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(parse(&["--engine"]).unwrap_err().to_string().contains("--engine takes"));
        assert!(parse(&["alpine"]).unwrap_err().to_string().contains("`alpine`"));
    }
}
