//! Moving, copying, uploads in pieces and archives: what each does, refuses and leaves behind.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use embedenv_shared::code::ErrorCode;
use embedenv_shared::id::{StreamId, UploadKey};
use embedenv_shared::link::Kind;
use embedenv_shared::link::transfer::{
    ARCHIVE_END, ARCHIVE_END_SIGNATURE, AbortUpload, Archive, BeginUpload, Copy, FinishUpload, Move, Upload,
    UploadPiece,
};

use crate::harness::{Agent, Client, eventually, exists, path, project};

fn relocate(from: &str, to: &str) -> Move {
    Move { project: project(), from: path(from), to: path(to) }
}

fn copy(from: &str, to: &str) -> Copy {
    Copy { project: project(), from: path(from), to: path(to) }
}

fn key(number: u32) -> UploadKey {
    UploadKey::try_from(format!("upload-{number:016}")).unwrap()
}

fn upload(number: u32, at: &str, size: u64, overwrite: bool) -> Upload {
    Upload { project: project(), path: path(at), key: key(number), size, overwrite }
}

fn piece(number: u32, size: u64, offset: u64, bytes: &[u8]) -> UploadPiece {
    UploadPiece { key: key(number), size, offset, bytes: bytes.to_vec() }
}

/// How many entries a folder has, hidden ones too.
fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

fn unfinished(agent: &Agent) -> PathBuf {
    agent.home().join(".embedenv-uploads.tmp")
}

fn pipe(at: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, at, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
}

#[test]
fn an_entry_is_moved_and_never_onto_another_or_into_itself_or_out() {
    use ErrorCode::*;
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("src/a.py", b"a").unwrap();
    client.write("other/b.py", b"b").unwrap();
    symlink("/tmp", agent.project().join("out")).unwrap();
    symlink("src", agent.project().join("within")).unwrap();
    client.call(relocate("src/a.py", "other/c.py")).unwrap();
    assert_eq!(client.read("other/c.py").unwrap(), b"a");
    client.call(relocate("other", "src/deep")).unwrap();
    assert_eq!(client.names("src/deep"), ["b.py", "c.py"]);
    assert_eq!(client.refused(relocate("src/deep/b.py", "src/deep/c.py")), AlreadyExists);
    assert_eq!(client.refused(relocate("src", "src/deep/src")), BadPath);
    assert_eq!(client.refused(relocate("src", "within/src")), BadPath);
    assert_eq!(client.refused(relocate("src/deep/b.py", "out/b.py")), BadPath);
    assert_eq!(client.refused(relocate("src/none", "x")), NotFound);
    assert_eq!(client.refused(relocate("src/deep/b.py", "none/b.py")), NotFound);
    assert_eq!(client.refused(relocate("", "x")), BadPath);
    client.call(relocate("out", "src/out")).unwrap();
    assert!(agent.project().join("src/out").symlink_metadata().unwrap().is_symlink(), "the link itself was moved");
}

#[test]
fn a_copy_has_all_of_it_follows_no_link_and_leaves_no_half() {
    use ErrorCode::*;
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("src/a.sh", b"a").unwrap();
    client.write("src/deep/b", &[7; 600_000]).unwrap();
    let script = agent.project().join("src/a.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink("/etc/passwd", agent.project().join("src/link")).unwrap();
    client.call(copy("src", "copy")).unwrap();
    assert_eq!(client.read("copy/deep/b").unwrap(), vec![7; 600_000]);
    assert_eq!(agent.project().join("copy/a.sh").metadata().unwrap().mode() & 0o777, 0o755);
    assert_eq!(std::fs::read_link(agent.project().join("copy/link")).unwrap(), Path::new("/etc/passwd"));
    client.call(copy("src/a.sh", "copy/again.sh")).unwrap();
    assert_eq!(client.refused(copy("src", "copy")), AlreadyExists);
    assert_eq!(client.refused(copy("src", "src/in")), BadPath);
    assert_eq!(client.refused(copy("none", "x")), NotFound);
    pipe(&agent.project().join("src/deep/pipe"));
    let before = count(&agent.project());
    assert_eq!(client.refused(copy("src", "third")), NotRegular);
    assert_eq!(count(&agent.project()), before, "nothing of it is left");
}

#[test]
fn a_copy_beyond_the_quota_is_refused_and_nothing_is_left() {
    let agent = Agent::with(&["--disk", "3000000"]);
    let mut client = agent.client();
    client.write("large", &[1; 1_000_000]).unwrap();
    client.call(copy("large", "second")).unwrap();
    assert_eq!(client.refused(copy("large", "third")), ErrorCode::QuotaExceeded);
    assert_eq!(count(&agent.project()), 2);
}

#[test]
fn an_upload_comes_in_pieces_goes_on_over_a_new_link_and_appears_whole() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("run.sh", b"old").unwrap();
    let file = agent.project().join("run.sh");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o750)).unwrap();
    let begin = || BeginUpload(upload(1, "run.sh", 8, true));
    assert_eq!(client.call(begin()).unwrap().offset, 0);
    assert_eq!(client.call(piece(1, 8, 0, b"new ")).unwrap().offset, 4);
    assert_eq!(client.call(piece(1, 8, 0, b"new ")).unwrap().offset, 4, "sent again");
    assert_eq!(client.refused(piece(1, 8, 6, b"xx")), ErrorCode::Conflict);
    assert_eq!(client.refused(FinishUpload(upload(1, "run.sh", 8, true))), ErrorCode::Conflict);
    assert_eq!(client.read("run.sh").unwrap(), b"old");
    drop(client);
    let mut client = agent.client();
    assert_eq!(client.call(begin()).unwrap().offset, 4);
    assert_eq!(client.call(piece(1, 8, 4, b"text")).unwrap().offset, 8);
    assert_eq!(client.refused(piece(1, 8, 8, b"more")), ErrorCode::TooLarge);
    client.call(FinishUpload(upload(1, "run.sh", 8, true))).unwrap();
    assert_eq!(client.read("run.sh").unwrap(), b"new text");
    assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o750);
    assert_eq!((count(&unfinished(&agent)), count(&agent.project())), (0, 1));
}

#[test]
fn an_upload_replaces_nothing_unasked_makes_its_folders_and_can_be_given_up() {
    use ErrorCode::*;
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("there", b"x").unwrap();
    assert_eq!(client.refused(BeginUpload(upload(1, "there", 3, false))), AlreadyExists);
    client.call(BeginUpload(upload(2, "new/deep/empty", 0, false))).unwrap();
    client.call(FinishUpload(upload(2, "new/deep/empty", 0, false))).unwrap();
    assert_eq!(client.read("new/deep/empty").unwrap(), b"");
    assert_eq!(agent.project().join("new/deep/empty").metadata().unwrap().mode() & 0o777, 0o644);
    // Something came to stand there meanwhile; the bytes are kept until it is known what is wished.
    client.call(BeginUpload(upload(3, "late", 2, false))).unwrap();
    client.call(piece(3, 2, 0, b"me")).unwrap();
    client.write("late", b"first").unwrap();
    assert_eq!(client.refused(FinishUpload(upload(3, "late", 2, false))), AlreadyExists);
    client.call(FinishUpload(upload(3, "late", 2, true))).unwrap();
    assert_eq!(client.read("late").unwrap(), b"me");
    client.call(BeginUpload(upload(4, "gone", 9, false))).unwrap();
    assert_eq!(count(&unfinished(&agent)), 1);
    client.call(AbortUpload { key: key(4) }).unwrap();
    assert_eq!(count(&unfinished(&agent)), 0);
    assert_eq!(client.refused(piece(4, 9, 0, b"x")), NotFound);
    assert_eq!(client.refused(BeginUpload(upload(5, "huge", u64::MAX, false))), TooLarge);
    client.write("folder/in", b"").unwrap();
    assert_eq!(client.refused(BeginUpload(upload(6, "folder", 1, true))), IsAFolder);
}

#[test]
fn what_a_program_puts_in_an_uploads_place_is_not_written_to() {
    let agent = Agent::start();
    let mut client = agent.client();
    let victim = agent.home().join("victim");
    std::fs::write(&victim, b"mine").unwrap();
    client.call(BeginUpload(upload(1, "a", 4, false))).unwrap();
    let part = std::fs::read_dir(unfinished(&agent)).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(&part).unwrap();
    symlink(&victim, &part).unwrap();
    assert_eq!(client.refused(piece(1, 4, 0, b"evil")), ErrorCode::BadPath);
    std::fs::remove_file(&part).unwrap();
    std::fs::hard_link(&victim, &part).unwrap();
    assert_eq!(client.refused(piece(1, 8, 4, b"evil")), ErrorCode::BadPath);
    std::fs::remove_file(&part).unwrap();
    pipe(&part);
    assert_eq!(client.refused(piece(1, 4, 0, b"evil")), ErrorCode::BadPath);
    std::fs::remove_dir_all(unfinished(&agent)).unwrap();
    symlink(agent.project(), unfinished(&agent)).unwrap();
    assert!(client.call(BeginUpload(upload(2, "b", 4, false))).is_err());
    assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
}

#[test]
fn an_upload_that_does_not_fit_is_refused_before_anything_is_sent_and_old_ones_are_forgotten() {
    let agent = Agent::with(&["--disk", "3000000"]);
    let mut client = agent.client();
    assert_eq!(client.refused(BeginUpload(upload(1, "a", 4_000_000, false))), ErrorCode::QuotaExceeded);
    client.call(BeginUpload(upload(2, "b", 10, false))).unwrap();
    let part = std::fs::read_dir(unfinished(&agent)).unwrap().next().unwrap().unwrap().path();
    let file = std::fs::File::options().write(true).open(&part).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 60 * 60)).unwrap();
    client.call(BeginUpload(upload(3, "c", 10, false))).unwrap();
    assert!(!exists(&part));
    assert_eq!(count(&unfinished(&agent)), 1);
}

/// All bytes of an archive's stream, granted as they come, up to its end.
fn archive(client: &mut Client, stream: u32, at: &str) -> Vec<u8> {
    archive_of(client, stream, at, &[])
}

/// The same, of some entries alone.
fn archive_of(client: &mut Client, stream: u32, at: &str, only: &[&str]) -> Vec<u8> {
    let at = if at.is_empty() { embedenv_shared::path::WorkspacePath::root() } else { path(at) };
    client
        .call(Archive {
            stream: StreamId(stream),
            project: project(),
            path: at,
            only: only.iter().map(|only| path(only)).collect(),
        })
        .unwrap();
    let mut bytes = Vec::new();
    loop {
        for (kind, channel, payload) in std::mem::take(&mut client.frames) {
            assert_eq!(channel, stream);
            match kind {
                Kind::StreamData => {
                    client.send(Kind::StreamCredit, stream, &(payload.len() as u32).to_le_bytes());
                    bytes.extend(payload);
                }
                Kind::StreamEnd => {
                    client.send(Kind::StreamReset, stream, b"");
                    return bytes;
                }
                other => panic!("{other:?}"),
            }
        }
        client.hear();
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() > ARCHIVE_END && bytes[bytes.len() - ARCHIVE_END..].starts_with(&ARCHIVE_END_SIGNATURE)
}

/// Names and contents, as Python's zipfile reads them.
fn listed(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.zip");
    std::fs::write(&file, bytes).unwrap();
    let program = "import sys, zipfile\n\
                   z = zipfile.ZipFile(sys.argv[1])\n\
                   assert z.testzip() is None\n\
                   for i in z.infolist(): print(i.filename, oct(i.external_attr >> 16), len(z.read(i)), z.read(i)[:9])";
    let output = Command::new("python3").args(["-c", program]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn some_entries_of_a_folder_are_an_archive_and_one_that_is_gone_is_told() {
    let agent = Agent::start();
    let mut client = agent.client();
    for name in ["src/a/x.py", "src/a/y.py", "src/b/z.py", "src/c.py"] {
        client.write(name, b"print(1)").unwrap();
    }
    let bytes = archive_of(&mut client, 1, "src", &["src/a/x.py", "src/b", "src/gone.py"]);
    assert!(is_whole(&bytes));
    let listed = listed(&bytes);
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["src/a/x.py", "src/b/", "src/b/z.py", "src/NOT"], "{listed}");
}

#[test]
fn a_folder_is_an_archive_with_safe_names_and_links_that_are_not_followed() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("src/main.py", b"print(1)").unwrap();
    client.write("src/large.bin", &vec![3; 3_000_000]).unwrap();
    client.write("src/photo.png", &[4; 1000]).unwrap();
    client.write("src/..\\..\\evil.exe", b"evil").unwrap();
    client.write("src/.._.._evil.exe", b"same").unwrap();
    std::fs::create_dir(agent.project().join("src/empty")).unwrap();
    symlink("/etc/passwd", agent.project().join("src/link")).unwrap();
    pipe(&agent.project().join("src/pipe"));
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff\n");
    std::fs::write(agent.project().join("src").join(odd), b"odd").unwrap();
    let bytes = archive(&mut client, 1, "src");
    assert!(is_whole(&bytes));
    assert!(bytes.len() < 100_000, "it is deflated");
    assert_eq!(
        listed(&bytes),
        "src/.._.._evil.exe 0o100644 4 b'evil'\n\
         src/.._.._evil.exe~2 0o100644 4 b'same'\n\
         src/empty/ 0o40755 0 b''\n\
         src/large.bin 0o100644 3000000 b'\\x03\\x03\\x03\\x03\\x03\\x03\\x03\\x03\\x03'\n\
         src/link 0o120777 11 b'/etc/pass'\n\
         src/main.py 0o100644 8 b'print(1)'\n\
         src/odd\u{fffd}_ 0o100644 3 b'odd'\n\
         src/photo.png 0o100644 1000 b'\\x04\\x04\\x04\\x04\\x04\\x04\\x04\\x04\\x04'\n\
         src/NOT INCLUDED.txt 0o100644 69 b'These cou'\n"
    );
    let whole = archive(&mut client, 2, "");
    assert!(listed(&whole).contains("P/src/main.py"));
}

#[test]
fn an_archive_that_nobody_takes_ends_with_its_stream_and_only_a_few_are_made_at_once() {
    let agent = Agent::start();
    let mut client = agent.client();
    // Longer than what a socket holds, and nothing that deflate makes short.
    let noise: Vec<u8> = (0..4_000_000u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    client.write("noise", &noise).unwrap();
    let archive = |stream| Archive {
        stream: StreamId(stream),
        project: project(),
        path: embedenv_shared::path::WorkspacePath::root(),
        only: Vec::new(),
    };
    for stream in 1..=4 {
        client.call(archive(stream)).unwrap();
    }
    assert_eq!(client.refused(archive(5)), ErrorCode::LimitReached);
    let threads = || count(Path::new(&format!("/proc/{}/task", agent.pid())));
    assert!(threads() >= 5);
    for stream in 1..=4 {
        client.send(Kind::StreamReset, stream, b"");
    }
    eventually("the writers to end", || client.call(archive(6)).is_ok());
}

#[test]
fn an_archive_of_a_folder_that_changes_meanwhile_is_whole() {
    let agent = Agent::start();
    let mut client = agent.client();
    for number in 0..300 {
        client.write(&format!("src/{number}/f"), &[5; 2000]).unwrap();
    }
    client.shell(1, "for n in 1 2 3 4 5 6 7 8; do for i in src/*/f; do echo more >> $i; rm -r src/$RANDOM 2>/dev/null; mv src/$n src/m$n 2>/dev/null; rm -rf src/2$n*; done; done");
    for stream in 1..4 {
        let bytes = archive(&mut client, stream, "src");
        assert!(is_whole(&bytes));
        assert!(listed(&bytes).lines().count() > 100);
    }
}
