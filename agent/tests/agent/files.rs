//! File requests: what each does, the paths they refuse, and what stands in their way.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::time::Instant;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::link::files::{
    Create, Delete, EntryKind, Item, List, MAX_LISTING, Projects, Read, Rename, StatFile, Write,
};

use crate::harness::{Agent, exists, name, path, project};

fn create(at: &str, item: Item) -> Create {
    Create { project: project(), path: path(at), item }
}

fn rename(at: &str, to: &str) -> Rename {
    Rename { project: project(), path: path(at), name: name(to) }
}

fn delete(at: &str) -> Delete {
    Delete { project: project(), path: path(at) }
}

fn stat(at: &str) -> StatFile {
    StatFile { project: project(), path: path(at) }
}

#[test]
fn files_are_written_read_listed_renamed_and_deleted() {
    let agent = Agent::start();
    let mut client = agent.client();
    let written = client.write("src/deep/main.py", b"print(1)").unwrap();
    assert_eq!(client.read("src/deep/main.py").unwrap(), b"print(1)");
    assert_eq!(client.call(stat("src/deep/main.py")).unwrap().version, written.version);
    client.call(create("a folder", Item::Folder)).unwrap();
    client.call(create("empty", Item::File)).unwrap();
    let listing = client.list("", false).unwrap();
    let seen: Vec<_> = listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind, entry.size)).collect();
    let expected = [("a folder", EntryKind::Folder, 0), ("src", EntryKind::Folder, 0), ("empty", EntryKind::File, 0)];
    assert_eq!(seen, expected);
    assert_eq!(listing.next, None);
    client.call(rename("src/deep/main.py", "other.py")).unwrap();
    assert_eq!(client.names("src/deep"), ["other.py"]);
    client.call(delete("src")).unwrap();
    assert_eq!(client.names(""), ["a folder", "empty"]);
    let projects = client.call(Projects).unwrap().projects;
    assert_eq!(projects, [project()]);
}

#[test]
fn a_write_keeps_the_mode_replaces_a_link_and_leaves_nothing_else() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("run.sh", b"old").unwrap();
    let file = agent.project().join("run.sh");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o750)).unwrap();
    client.write("run.sh", b"new").unwrap();
    assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o750);
    symlink("run.sh", agent.project().join("link")).unwrap();
    client.write("link", b"own").unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"new", "the link was replaced, not followed");
    assert!(agent.project().join("link").symlink_metadata().unwrap().is_file());
    assert_eq!(std::fs::read_dir(agent.project()).unwrap().count(), 2);
}

#[test]
fn a_write_that_expects_a_version_conflicts_with_any_other() {
    let agent = Agent::start();
    let mut client = agent.client();
    let mut write = |expected, content: &str| {
        let content = content.as_bytes().to_vec();
        client.call(Write { project: project(), path: path("f"), content, expected })
    };
    let first = write(Some(None), "one").unwrap().version;
    assert_eq!(write(Some(None), "two").unwrap_err().code, ErrorCode::Conflict);
    let second = write(Some(Some(first)), "three").unwrap().version;
    assert_eq!(write(Some(Some(first)), "four").unwrap_err().code, ErrorCode::Conflict);
    std::fs::remove_file(agent.project().join("f")).unwrap();
    assert_eq!(write(Some(Some(second)), "five").unwrap_err().code, ErrorCode::Conflict);
    assert!(!exists(&agent.project().join("f")));
}

#[test]
fn every_failure_has_its_code() {
    use ErrorCode::*;
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("f", b"x").unwrap();
    client.write("folder/in", b"x").unwrap();
    symlink("loop", agent.project().join("loop")).unwrap();
    symlink("gone", agent.project().join("dangling")).unwrap();
    assert_eq!(client.read("none").unwrap_err().code, NotFound);
    assert_eq!(client.read("dangling").unwrap_err().code, NotFound);
    assert_eq!(client.read("f/in").unwrap_err().code, NotAFolder);
    assert_eq!(client.read("folder").unwrap_err().code, IsAFolder);
    assert_eq!(client.read("loop").unwrap_err().code, BadPath);
    assert_eq!(client.write("folder", b"").unwrap_err().code, IsAFolder);
    assert_eq!(client.write("f/in", b"").unwrap_err().code, NotAFolder);
    assert_eq!(client.write("", b"").unwrap_err().code, BadPath);
    assert_eq!(client.list("f", false).unwrap_err().code, NotAFolder);
    assert_eq!(client.list("none", false).unwrap_err().code, NotFound);
    assert_eq!(client.refused(create("f", Item::File)), AlreadyExists);
    assert_eq!(client.refused(create("f", Item::Folder)), AlreadyExists);
    assert_eq!(client.refused(create("none/x", Item::File)), NotFound);
    assert_eq!(client.refused(create("f/x", Item::File)), NotAFolder);
    assert_eq!(client.refused(create("dangling", Item::File)), AlreadyExists);
    assert_eq!(client.refused(rename("f", "folder")), AlreadyExists);
    assert_eq!(client.refused(rename("none", "other")), NotFound);
    assert_eq!(client.refused(rename("", "other")), BadPath);
    assert_eq!(client.refused(delete("none")), NotFound);
    assert_eq!(client.refused(delete("")), BadPath);
    let failure = client.call(stat("folder/none")).unwrap_err();
    assert_eq!((failure.code, failure.message.as_str()), (NotFound, "folder/none does not exist"));
}

#[test]
fn links_that_lead_out_are_refused_and_links_within_are_followed() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("real/f", b"inside").unwrap();
    let outside = agent.home().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), b"secret").unwrap();
    let at = |link: &str| agent.project().join(link);
    symlink("real", at("within")).unwrap();
    symlink("../outside", at("out")).unwrap();
    symlink(&outside, at("absolute")).unwrap();
    symlink("/etc/passwd", at("passwd")).unwrap();
    symlink("/proc/self/root/etc/passwd", at("magic")).unwrap();
    assert_eq!(client.read("within/f").unwrap(), b"inside");
    for link in ["out/secret", "absolute/secret", "passwd", "magic"] {
        assert_eq!(client.read(link).unwrap_err().code, ErrorCode::BadPath, "{link}");
    }
    for link in ["out", "absolute"] {
        let below = format!("{link}/secret");
        assert_eq!(client.list(link, true).unwrap_err().code, ErrorCode::BadPath);
        assert_eq!(client.write(&below, b"").unwrap_err().code, ErrorCode::BadPath);
        assert_eq!(client.write(&format!("{link}/a/b"), b"").unwrap_err().code, ErrorCode::BadPath);
        assert_eq!(client.refused(create(&format!("{link}/new"), Item::Folder)), ErrorCode::BadPath);
        assert_eq!(client.refused(rename(&below, "other")), ErrorCode::BadPath);
        assert_eq!(client.refused(delete(&below)), ErrorCode::BadPath);
        // The link itself is the project's own.
        client.call(rename(link, "moved")).unwrap();
        client.call(delete("moved")).unwrap();
    }
    assert_eq!(std::fs::read(outside.join("secret")).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(outside).unwrap().count(), 1);
}

#[test]
fn pipes_sockets_and_devices_are_refused_at_once() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("f", b"").unwrap();
    let at = |name: &str| agent.project().join(name);
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    for special in ["pipe", "socket"] {
        assert_eq!(client.read(special).unwrap_err().code, ErrorCode::NotRegular, "{special}");
        assert_eq!(client.write(special, b"x").unwrap_err().code, ErrorCode::NotRegular, "{special}");
        assert_eq!(client.call(stat(special)).unwrap().kind, EntryKind::Other);
        client.call(delete(special)).unwrap();
    }
}

#[test]
fn a_file_is_read_in_pieces() {
    let agent = Agent::start();
    let mut client = agent.client();
    let content: Vec<u8> = (0..3_000_000u32).map(|n| (n % 253) as u8).collect();
    client.write("large", &content).unwrap();
    let mut read = Vec::new();
    loop {
        let offset = read.len() as u64;
        let piece = client.call(Read { project: project(), path: path("large"), offset, length: u32::MAX }).unwrap();
        assert_eq!(piece.version.size, 3_000_000);
        if piece.bytes.is_empty() {
            break;
        }
        read.extend(piece.bytes);
    }
    assert!(read == content);
    let beyond = client.call(Read { project: project(), path: path("large"), offset: u64::MAX, length: 10 }).unwrap();
    assert!(beyond.bytes.is_empty());
}

#[test]
fn a_large_folder_is_listed_in_pages_and_the_first_comes_soon() {
    const COUNT: usize = 100_000;
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("large/first", b"").unwrap();
    let folder = agent.project().join("large");
    let held = rustix::fs::open(&folder, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    for number in 1..COUNT {
        rustix::fs::linkat(&held, "first", &held, format!("{number}-{}", "n".repeat(20)), rustix::fs::AtFlags::empty())
            .or_else(|_| std::fs::write(folder.join(number.to_string()), b"").map_err(|_| rustix::io::Errno::IO))
            .unwrap();
    }
    let begun = Instant::now();
    let mut page = client.list("large", false).unwrap();
    let first = begun.elapsed();
    assert_eq!(page.entries.len(), MAX_LISTING);
    let mut seen = std::collections::HashSet::new();
    loop {
        assert!(page.entries.is_sorted_by(|a, b| a.name < b.name));
        seen.extend(page.entries.into_iter().map(|entry| entry.name));
        let Some(after) = page.next else { break };
        page = client.call(List { project: project(), path: path("large"), after: Some(after), watch: false }).unwrap();
    }
    assert_eq!(seen.len(), COUNT);
    println!("the first page of {COUNT} entries came after {first:?}");
    client.call(delete("large")).unwrap();
    assert!(!exists(&folder));
}

#[test]
fn a_page_of_long_names_stays_below_what_a_frame_may_have() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("long/x", b"").unwrap();
    for number in 0..4100 {
        // Bytes that are not UTF-8 become three each.
        use std::os::unix::ffi::OsStringExt as _;
        let mut bytes = format!("{number:05}").into_bytes();
        bytes.resize(255, 0xff);
        std::fs::write(agent.project().join("long").join(std::ffi::OsString::from_vec(bytes)), b"").unwrap();
    }
    let mut after = None;
    let mut count = 0;
    loop {
        let page = client.call(List { project: project(), path: path("long"), after, watch: false }).unwrap();
        count += page.entries.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(count, 4101);
}

#[test]
fn deep_stubborn_and_linked_folders_are_deleted_and_nothing_else() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("keep/f", b"kept").unwrap();
    client.write("gone/f", b"").unwrap();
    let gone = agent.project().join("gone");
    symlink("../keep", gone.join("link")).unwrap();
    std::fs::create_dir_all(gone.join("locked/inner")).unwrap();
    std::fs::write(gone.join("locked/inner/f"), b"").unwrap();
    for folder in ["locked/inner", "locked"] {
        std::fs::set_permissions(gone.join(folder), std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    // Deeper than any path may be long, as a program makes it by changing into it.
    let mut at = rustix::fs::open(&gone, rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    for _ in 0..1500 {
        rustix::fs::mkdirat(&at, "deeper", rustix::fs::Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, "deeper", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    }
    client.call(delete("gone")).unwrap();
    assert!(!exists(&gone));
    assert_eq!(client.read("keep/f").unwrap(), b"kept");
}

#[test]
fn a_race_between_folder_and_link_gains_nothing() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("real/f", b"inside").unwrap();
    let outside = agent.home().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("f"), b"outside").unwrap();
    symlink("../outside", agent.project().join("out")).unwrap();
    // `swap` is now the folder and now a link that leads out.
    let held = rustix::fs::open(agent.project(), rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                let _ = rustix::fs::renameat_with(&held, "real", &held, "out", flags);
            }
        });
        for _ in 0..700 {
            if let Ok(content) = client.read("real/f") {
                assert_eq!(content, b"inside");
            }
            let _ = client.write("real/f", b"inside");
            let _ = client.call(create("real/new", Item::File));
            let _ = client.call(delete("real/new"));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(std::fs::read(outside.join("f")).unwrap(), b"outside");
    assert_eq!(std::fs::read_dir(outside).unwrap().count(), 1);
}
