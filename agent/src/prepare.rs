//! What sandboxes need of an image's file system, made once when the image is prepared, by a build step that runs as
//! root: the user, the home, `python` where there is only `python3`, and a login shell that keeps the image's `PATH`.
//!
//! The only part of the agent that writes outside the home. It must never run in a sandbox, and needs no shell.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

/// The sandbox user's uid and gid.
const USER: u32 = 1000;
const HOME: &str = "home/user";
/// Programs of ours, last on `PATH`, so that the image's own win.
const PROGRAMS: &str = ".embedenv/bin";
/// Folders that are mounted over, or that programs expect.
const FOLDERS: [&str; 7] = ["dev", "proc", "sys", "run", "tmp", "var/tmp", "root"];

#[derive(Debug, thiserror::Error)]
#[error("cannot make {what}")]
pub struct PrepareError {
    what: &'static str,
    #[source]
    source: io::Error,
}

/// Prepares the file system at `root`. `search` is the image's `PATH` as sandboxes will have it.
pub fn run(root: &Path, search: &str) -> Result<(), PrepareError> {
    let failed = |what| move |source| PrepareError { what, source };
    let shell = shell(root);
    for folder in FOLDERS.iter().copied().chain(["etc", PROGRAMS]) {
        fs::create_dir_all(root.join(folder)).map_err(failed("a folder"))?;
    }
    for folder in ["tmp", "var/tmp"] {
        fs::set_permissions(root.join(folder), fs::Permissions::from_mode(0o1777)).map_err(failed("/tmp"))?;
    }
    let user = format!("user:x:{USER}:{USER}:user:/home/user:{shell}");
    let superuser = format!("root:x:0:0:root:/root:{shell}");
    enter(&root.join("etc/passwd"), &[&superuser, &user]).map_err(failed("/etc/passwd"))?;
    enter(&root.join("etc/group"), &["root:x:0:", &format!("user:x:{USER}:")]).map_err(failed("/etc/group"))?;
    home(root).map_err(failed("/home/user"))?;
    programs(root, search).map_err(failed("python"))?;
    profile(root, search).map_err(failed("/etc/profile"))
}

fn shell(root: &Path) -> &'static str {
    let there = |path: &&str| root.join(path.trim_start_matches('/')).symlink_metadata().is_ok();
    ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"].into_iter().find(there).unwrap_or("/bin/sh")
}

/// Makes sure that a file such as `/etc/passwd` has these entries (passwd(5), group(5): the name first, the number
/// third), and that the number leads to ours and not to another of the same number.
fn enter(path: &Path, entries: &[&str]) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    for entry in entries {
        let field = |line: &str, number| line.split(':').nth(number).map(str::to_owned);
        if field(entry, 2).as_deref() == Some("0") && lines.iter().any(|line| field(line, 2).as_deref() == Some("0")) {
            continue;
        }
        lines.retain(|line| field(line, 0) != field(entry, 0));
        let at = lines.iter().position(|line| field(line, 2) == field(entry, 2)).unwrap_or(lines.len());
        lines.insert(at, entry);
    }
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    fs::write(path, text)
}

/// The home, with what `/etc/skel` gives a new one, all of it the user's.
fn home(root: &Path) -> io::Result<()> {
    let home = root.join(HOME);
    if home.symlink_metadata().is_err() {
        fs::create_dir_all(&home)?;
        let skeleton = root.join("etc/skel");
        if skeleton.is_dir() {
            copy(&skeleton, &home)?;
        }
    }
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700))?;
    own(&home)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Gives a folder and everything in it to the user. Links are not followed.
fn own(path: &Path) -> io::Result<()> {
    lchown(path, Some(USER), Some(USER))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            own(&entry?.path())?;
        }
    }
    Ok(())
}

/// `python` and `pip` where the image has them only with their number.
fn programs(root: &Path, search: &str) -> io::Result<()> {
    let find = |name: &str| -> Option<PathBuf> {
        let folders = search.split(':').filter(|folder| folder.starts_with('/'));
        let mut paths = folders.map(|folder| Path::new(folder).join(name));
        paths.find(|path| path.strip_prefix("/").is_ok_and(|path| root.join(path).symlink_metadata().is_ok()))
    };
    for (name, numbered) in [("python", "python3"), ("pip", "pip3")] {
        if let (None, Some(target)) = (find(name), find(numbered)) {
            symlink(target, root.join(PROGRAMS).join(name))?;
        }
    }
    Ok(())
}

/// A login shell reads `/etc/profile`, which sets `PATH` anew in most images; what the image says stands after it.
fn profile(root: &Path, search: &str) -> io::Result<()> {
    let path = root.join("etc/profile");
    let text = match fs::read_to_string(&path) {
        // Without one, what the shell was started with stays.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let quoted = search.replace('\'', r"'\''");
    fs::write(&path, format!("{text}\nPATH='{quoted}'\nexport PATH\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_user_is_found_by_name_and_by_number_whoever_had_them() {
        let root = image(&[
            (
                "etc/passwd",
                "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nuser:x:7:7::/:/bin/no\n",
            ),
            ("etc/group", "node:x:1000:\n"),
        ]);
        enter(
            &root.path().join("etc/passwd"),
            &["root:x:0:0::/root:/bin/bash", "user:x:1000:1000::/home/user:/bin/sh"],
        )
        .unwrap();
        enter(&root.path().join("etc/group"), &["root:x:0:", "user:x:1000:"]).unwrap();
        let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        assert_eq!(
            read("etc/passwd"),
            "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n"
        );
        assert_eq!(read("etc/group"), "user:x:1000:\nnode:x:1000:\nroot:x:0:\n");
    }

    #[test]
    fn python_is_there_wherever_python_is_and_the_images_own_stays() {
        let root = image(&[("usr/bin/python3", ""), ("usr/bin/pip3", ""), ("usr/local/bin/pip", "")]);
        fs::create_dir_all(root.path().join(PROGRAMS)).unwrap();
        programs(root.path(), "/usr/local/bin:/usr/bin:/.embedenv/bin").unwrap();
        let link = |name: &str| fs::read_link(root.path().join(PROGRAMS).join(name)).ok();
        assert_eq!(link("python").unwrap(), Path::new("/usr/bin/python3"));
        assert_eq!(link("pip"), None);
    }

    #[test]
    fn a_login_shell_keeps_the_images_path() {
        let root = image(&[("etc/profile", "PATH=/bin\n")]);
        profile(root.path(), "/opt/it's:/bin").unwrap();
        let ran = std::process::Command::new("sh")
            .args(["-c", ". ./etc/profile; echo $PATH"])
            .current_dir(root.path())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "/opt/it's:/bin\n");
    }
}
