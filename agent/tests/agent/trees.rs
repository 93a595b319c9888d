//! Planting a tree: merged into what is there, or nothing at all.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Instant;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::link::files::{Plant, Planted};
use embedenv_shared::tree::{Plan, PlannedFile};

use crate::harness::{Agent, Client, exists, path, project};

fn plant(client: &mut Client, folders: &[&str], files: &[(&str, &str)]) -> Result<Planted, Failure> {
    let files = files.iter().map(|(at, text)| PlannedFile { path: path(at), content: text.as_bytes().to_vec() });
    let plan = Plan { folders: folders.iter().map(|at| path(at)).collect(), files: files.collect() };
    client.call(Plant { project: project(), plan })
}

/// Every entry of the project with its content, temporary ones too.
fn snapshot(agent: &Agent) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut folders = vec![agent.project()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let at = entry.path();
            let kind = entry.file_type().unwrap();
            let content = if kind.is_file() { std::fs::read(&at).ok() } else { None };
            found.push((at.to_string_lossy().into_owned(), content));
            if kind.is_dir() {
                folders.push(at);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_tree_is_merged_into_what_is_there() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("src/old.py", b"old").unwrap();
    client.write("src/main.py", b"before").unwrap();
    let script = agent.project().join("src/main.py");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink("/etc/passwd", agent.project().join("link")).unwrap();
    let files = [("src/main.py", "after"), ("link", "mine"), ("docs/a/b/c.md", "c"), ("top", "t")];
    plant(&mut client, &["src", "empty", "empty/er"], &files).unwrap();
    assert_eq!(client.read("src/main.py").unwrap(), b"after");
    assert_eq!(script.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(client.read("src/old.py").unwrap(), b"old");
    assert_eq!(client.read("link").unwrap(), b"mine");
    assert_eq!(client.read("docs/a/b/c.md").unwrap(), b"c");
    assert!(agent.project().join("empty/er").is_dir());
    assert_eq!(std::fs::read_dir(agent.project()).unwrap().count(), 5, "nothing temporary is left");
}

#[test]
fn a_tree_that_does_not_fit_changes_nothing() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("file", b"f").unwrap();
    client.write("folder/in", b"i").unwrap();
    std::fs::create_dir(agent.home().join("outside")).unwrap();
    symlink("../outside", agent.project().join("out")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    let at = agent.project().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, at, fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let before = snapshot(&agent);
    for (folders, files, code) in [
        (&["file"][..], &[("new", "n")][..], ErrorCode::NotAFolder),
        (&["file/below"], &[("new", "n")], ErrorCode::NotAFolder),
        (&[], &[("new", "n"), ("folder", "f")], ErrorCode::IsAFolder),
        (&[], &[("new", "n"), ("file/below", "f")], ErrorCode::NotAFolder),
        (&[], &[("new", "n"), ("out/f", "f")], ErrorCode::BadPath),
        (&["out/f"], &[("new", "n")], ErrorCode::BadPath),
        (&["pipe"], &[("new", "n")], ErrorCode::NotAFolder),
        (&[], &[("new", "n"), ("pipe", "f")], ErrorCode::NotRegular),
        // Found only when things are moved into place: everything is moved back.
        (&["a"], &[("file", "changed"), ("new/deep", "n"), ("a", "a")], ErrorCode::AlreadyExists),
        (&[], &[("file", "changed"), ("new", "n"), ("new/below", "n")], ErrorCode::AlreadyExists),
        (&[], &[("", "root")], ErrorCode::BadPath),
    ] {
        let failure = plant(&mut client, folders, files).unwrap_err();
        assert_eq!(failure.code, code, "{folders:?} {files:?}: {}", failure.message);
        assert_eq!(snapshot(&agent), before, "{folders:?} {files:?}");
    }
    assert!(!exists(&agent.home().join("outside/f")));
}

#[test]
fn many_small_files_cost_little_more_than_writing_them() {
    let agent = Agent::start();
    let mut client = agent.client();
    let names: Vec<String> = (0..2000).map(|n| format!("d{}/e{}/f{n}", n % 10, n % 100)).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "some content")).collect();
    let begun = Instant::now();
    plant(&mut client, &[], &files).unwrap();
    let planted = begun.elapsed();
    assert_eq!(client.read("d7/e17/f1017").unwrap(), b"some content");
    // Again, replacing every one.
    plant(&mut client, &[], &files).unwrap();
    assert_eq!(std::fs::read_dir(agent.project()).unwrap().count(), 10);
    println!("2,000 files planted in {planted:?}");
}
