//! Which processes are an engine's, and how they are told to end. Knows them by the folder in their command line alone, so
//! that another engine on the same machine is never touched.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::succeeds;

/// The programs that dockerd consists of. Others may name the folder as well, such as a client, and are left alone.
pub(super) const ENGINE: [&str; 5] = ["dockerd", "containerd", "containerd-shim-runc-v2", "runc", "docker-proxy"];

#[derive(Clone, Copy)]
pub(super) enum Signal {
    Term,
    Kill,
}

/// Sends a signal; a process that is gone by now is as good as ended.
pub(super) fn signal(signal: Signal, processes: &[u32]) {
    if processes.is_empty() {
        return;
    }
    let name = match signal {
        Signal::Term => "TERM",
        Signal::Kill => "KILL",
    };
    // The shell's own `kill`, since the program of that name isn't everywhere.
    let numbers = processes.iter().map(u32::to_string);
    succeeds(Command::new("sh").args(["-c", r#"kill -s "$0" "$@""#, name]).args(numbers));
}

/// The processes of these programs whose command line names something in the folder.
pub(super) fn of(folder: &Path, programs: &[&str]) -> Result<Vec<u32>> {
    let named = |number: &u32| {
        std::fs::read(format!("/proc/{number}/cmdline")).is_ok_and(|line| names(&line, folder, programs))
    };
    Ok(all()?.into_iter().filter(named).collect())
}

/// Whether a command line, its words ended by zeros, starts one of the programs and names something in the folder.
fn names(command_line: &[u8], folder: &Path, programs: &[&str]) -> bool {
    let mut words = command_line.split(|&byte| byte == 0);
    let program = words.next().unwrap_or_default();
    let program = program.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let mut inside = folder.as_os_str().as_bytes().to_vec();
    inside.push(b'/');
    programs.iter().any(|name| name.as_bytes() == program)
        && words.any(|word| word.windows(inside.len()).any(|part| part == inside))
}

/// The processes and all that came of them: under a shim, the processes of its container.
pub(super) fn with_descendants(processes: &[u32]) -> Result<Vec<u32>> {
    let parents: Vec<(u32, u32)> =
        all()?.into_iter().filter_map(|number| parent(number).map(|parent| (number, parent))).collect();
    let mut found = processes.to_vec();
    let mut looked = 0;
    while looked < found.len() {
        let above = found[looked];
        looked += 1;
        for &(number, parent) in &parents {
            if parent == above && !found.contains(&number) {
                found.push(number);
            }
        }
    }
    Ok(found)
}

/// The fourth field of `proc_pid_stat(5)`; the second, the name, may hold blanks and ends with the last bracket.
fn parent(number: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn all() -> Result<Vec<u32>> {
    let entries = std::fs::read_dir("/proc").context("cannot list processes")?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_the_engines_by_its_program_and_the_folder() {
        let folder = Path::new("/t/e-1");
        let is = |words: &[u8]| names(words, folder, &ENGINE);
        assert!(is(b"containerd\0--config\0/t/e-1/exec/containerd/containerd.toml\0"));
        assert!(is(b"/usr/sbin/dockerd\0--host\0unix:///t/e-1/docker.sock\0"));
        assert!(!is(b"dockerd\0--data-root\0/t/e-12/data\0"), "another engine");
        assert!(!is(b"docker\0--host\0unix:///t/e-1/docker.sock\0"), "a client");
        assert!(!is(b""), "a zombie");
    }

    #[test]
    fn a_process_knows_its_parent() {
        assert_eq!(parent(std::process::id()), Some(std::os::unix::process::parent_id()));
    }
}
