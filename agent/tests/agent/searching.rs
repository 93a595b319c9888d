//! Searches: what they find and pass over, how they are pulled, cut and cancelled, and what replacing does.

use std::os::unix::fs::symlink;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::SearchId;
use embedenv_shared::link::search::{Forget, Found, Pull, Replace, Seek, Sought};
use embedenv_shared::search::{
    Chosen, Cut, FoundFile, MAX_FILE, MAX_FILE_HITS, MAX_HITS, MAX_LINE, MAX_SHOWN, Query, Replacing, Scope, Spot,
    Summary, VersionTag,
};

use crate::harness::{Agent, Client, path, project};

fn text(pattern: &str) -> Query {
    Query { pattern: pattern.to_owned(), regex: false, case: false, word: false }
}

fn expression(pattern: &str) -> Query {
    Query { regex: true, ..text(pattern) }
}

fn begin(client: &mut Client, number: u32, scope: Scope, what: Sought) -> Result<(), Failure> {
    client.call(Seek { search: SearchId(number), project: project(), scope, what }).map(drop)
}

/// Everything that a search finds, and how it ended.
fn find_in(client: &mut Client, query: Query, scope: Scope) -> (Vec<FoundFile>, Summary) {
    begin(client, 1, scope, Sought::Text { query, replace: None }).unwrap();
    let mut files = Vec::new();
    loop {
        let pulled = client.call(Pull { search: SearchId(1) }).unwrap();
        let Found::Text(found) = pulled.found else { panic!("hits were asked for") };
        files.extend(found);
        if let Some(summary) = pulled.end {
            return (files, summary);
        }
    }
}

fn find(client: &mut Client, query: Query) -> (Vec<FoundFile>, Summary) {
    find_in(client, query, Scope::default())
}

fn paths(files: &[FoundFile]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

fn list(client: &mut Client, scope: Scope) -> (Vec<String>, Summary) {
    begin(client, 1, scope, Sought::Files).unwrap();
    let mut names = Vec::new();
    loop {
        let pulled = client.call(Pull { search: SearchId(1) }).unwrap();
        let Found::Files(folders) = pulled.found else { panic!("files were asked for") };
        for folder in folders {
            let within = if folder.path.is_root() { String::new() } else { format!("{}/", folder.path.as_str()) };
            names.extend(folder.names.iter().map(|name| format!("{within}{name}")));
        }
        if let Some(summary) = pulled.end {
            return (names, summary);
        }
    }
}

#[test]
fn places_are_told_by_line_and_column_with_what_stands_around_them() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("a.py", "first\r\n😀 Print(x) print(y)\r\n".as_bytes()).unwrap();
    let (files, summary) = find(&mut client, text("print"));
    assert_eq!(summary, Summary { files: 1, hits: 2, skipped: 0, cut: None });
    let hits: Vec<_> = files[0].hits.iter().map(|hit| (hit.line, hit.column, hit.length)).collect();
    assert_eq!(hits, [(2, 4, 5), (2, 13, 5)]);
    let hit = &files[0].hits[0];
    assert_eq!((hit.before.as_str(), hit.text.as_str(), hit.after.as_str()), ("😀 ", "Print", "(x) print(y)"));

    assert_eq!(find(&mut client, Query { case: true, ..text("print") }).1.hits, 1);
    assert_eq!(find(&mut client, Query { word: true, ..text("prin") }).1.hits, 0);
    assert_eq!(find(&mut client, Query { word: true, ..text("x") }).1.hits, 1);
    assert_eq!(find(&mut client, text(".rint")).1.hits, 0, "a text is no expression");
    assert_eq!(find(&mut client, expression(r"\bp\w+\(y\)$")).1.hits, 1);
}

#[test]
fn what_gitignore_and_globs_say_holds_and_histories_and_packages_are_passed_over() {
    let agent = Agent::start();
    let mut client = agent.client();
    for file in [
        "main.rs",
        "src/lib.rs",
        "src/lib.ts",
        "src/deep/x.log",
        "src/deep/keep.log",
        "debug.log",
        "out/made.rs",
        ".git/config",
        "node_modules/m/index.js",
        "target/debug/x.rs",
        ".hidden",
        "a/out/kept.rs",
    ] {
        client.write(file, b"needle").unwrap();
    }
    client.write(".gitignore", b"*.log\n/out/\n").unwrap();
    client.write("src/deep/.gitignore", b"!keep.log\n").unwrap();
    client.write("target/CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55").unwrap();
    let (files, _) = find(&mut client, text("needle"));
    let expected = [".hidden", "main.rs", "a/out/kept.rs", "src/lib.rs", "src/lib.ts", "src/deep/keep.log"];
    assert_eq!(paths(&files), expected);
    let (names, summary) = list(&mut client, Scope::default());
    assert_eq!(summary.files, 8);
    assert_eq!(names[..3], [".gitignore", ".hidden", "main.rs"]);

    let everything = Scope { ignored: true, ..Scope::default() };
    assert_eq!(find_in(&mut client, text("needle"), everything).1.hits, 11, "all but .git");
    let scope = |include: &str, exclude: &str| Scope {
        include: vec![include.to_owned()],
        exclude: vec![exclude.to_owned()],
        ignored: false,
    };
    let (files, _) = find_in(&mut client, text("needle"), scope("*.rs", "src"));
    assert_eq!(paths(&files), ["main.rs", "a/out/kept.rs"]);
    let (files, _) = find_in(&mut client, text("needle"), scope("src", "*.{ts,log}"));
    assert_eq!(paths(&files), ["src/lib.rs"]);
}

#[test]
fn links_pipes_binaries_and_giants_hold_nothing_up_and_lead_nowhere() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("real.txt", b"needle").unwrap();
    client.write("binary", b"needle\n\0\n").unwrap();
    client.write("latin", b"caf\xe9 needle \xff").unwrap();
    let at = |name: &str| agent.project().join(name);
    std::fs::create_dir(agent.home().join("outside")).unwrap();
    std::fs::write(agent.home().join("outside/secret"), "needle").unwrap();
    symlink("../outside", at("out")).unwrap();
    symlink("../outside/secret", at("secret")).unwrap();
    symlink(".", at("loop")).unwrap();
    symlink("loop2", at("loop2")).unwrap();
    symlink("real.txt", at("within")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let giant = std::fs::File::create(at("giant")).unwrap();
    giant.set_len(1 << 30).unwrap();
    let mut line = vec![b'x'; MAX_LINE + 100];
    line.splice(0..0, *b"needle in the first\n");
    client.write("line", &line).unwrap();
    let before = agent.resident();
    let (files, summary) = find(&mut client, text("needle"));
    assert_eq!(paths(&files), ["latin", "line", "real.txt"]);
    assert_eq!(files[0].hits[0].before, "caf\u{fffd} ");
    assert_eq!(summary.skipped, 2, "the giant, and the line that is too long");
    assert!(agent.resident() < before + 12 * 1024 * 1024, "{} after {before}", agent.resident());
    let (names, _) = list(&mut client, Scope::default());
    assert_eq!(names, ["binary", "giant", "latin", "line", "real.txt", "within"]);
}

#[test]
fn bounds_hold_and_say_so() {
    let agent = Agent::start();
    let mut client = agent.client();
    let folder = agent.project();
    client.write("many.txt", "needle\n".repeat(5000).as_bytes()).unwrap();
    client.write("wide.txt", format!("{0}needle{0}", "é".repeat(1000)).as_bytes()).unwrap();
    let (files, summary) = find(&mut client, text("needle"));
    assert_eq!((files[0].hits.len(), files[0].more), (MAX_FILE_HITS as usize, true));
    let hit = &files[1].hits[0];
    assert_eq!((hit.column, hit.before.len(), hit.after.len()), (1001, MAX_SHOWN, MAX_SHOWN));
    assert_eq!(summary.cut, None);
    for number in 0..12 {
        std::fs::copy(folder.join("many.txt"), folder.join(format!("more{number}"))).unwrap();
    }
    let (files, summary) = find(&mut client, text("needle"));
    let told: usize = files.iter().map(|file| file.hits.len()).sum();
    assert_eq!((told, summary.hits, summary.cut), (MAX_HITS as usize, MAX_HITS, Some(Cut::Hits)));
}

#[test]
fn bad_patterns_and_globs_are_told_and_expensive_ones_are_stopped() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("f", &b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n".repeat(100_000)).unwrap();
    let nested = format!("{}a{}", "(".repeat(200), ")".repeat(200));
    for pattern in ["(", "[z-a]", "a\nb", "", "(?:a{1000}){1000}", r"\n", nested.as_str(), "(?<n>a)(?<n>b)"] {
        let what = Sought::Text { query: expression(pattern), replace: None };
        let failure = begin(&mut client, 9, Scope::default(), what).unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadRequest, "{pattern}");
        assert!(!failure.message.contains('\n'), "{}", failure.message);
    }
    let scope = Scope { exclude: vec!["{a".into()], ..Scope::default() };
    assert_eq!(begin(&mut client, 9, scope, Sought::Files).unwrap_err().code, ErrorCode::BadRequest);
    // Explodes where expressions are tried one way after another.
    assert_eq!(find(&mut client, expression("^(a+)+$")).1.hits, 0);

    let what = Sought::Text { query: expression("(?:(?:[ab]{0,40}){0,20}x){1,2}"), replace: None };
    begin(&mut client, 2, Scope::default(), what).unwrap();
    let pull = client.start_call(Pull { search: SearchId(2) });
    client.call(Forget { search: SearchId(2) }).unwrap();
    let pulled = client.finish_call::<Pull>(pull);
    // It was stopped, or had not begun.
    assert!(pulled.is_err() || pulled.unwrap().end.is_some_and(|summary| summary.cut == Some(Cut::Cancelled)));
    assert_eq!(client.call(Pull { search: SearchId(2) }).unwrap_err().code, ErrorCode::NotFound);
}

#[test]
fn searches_end_with_their_link_and_leave_little_behind() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("f", b"needle").unwrap();
    for number in 0..32 {
        begin(&mut client, number, Scope::default(), Sought::Files).unwrap();
    }
    let failure = begin(&mut client, 99, Scope::default(), Sought::Files).unwrap_err();
    assert_eq!(failure.code, ErrorCode::LimitReached);
    let mut client = agent.client();
    assert_eq!(client.call(Pull { search: SearchId(0) }).unwrap_err().code, ErrorCode::NotFound);
    begin(&mut client, 0, Scope::default(), Sought::Files).unwrap();
    assert!(agent.resident() < 16 * 1024 * 1024, "{}", agent.resident());
}

#[test]
fn hits_are_replaced_in_the_version_that_was_searched_and_in_no_other() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("a", b"one(1) one(2)\n").unwrap();
    client.write("b", b"one(3)\n").unwrap();
    client.write("c", b"one(4)\n").unwrap();
    let query = expression(r"one\((\d)\)");
    let (files, _) = find(&mut client, query.clone());
    let chosen = |index: usize, hits: Option<Vec<Spot>>| Chosen {
        path: files[index].path.clone(),
        version: files[index].version,
        hits,
    };
    client.write("b", b"something else: one(3)\n").unwrap();
    std::fs::remove_file(agent.project().join("c")).unwrap();
    let gone = Chosen { path: path("none"), ..chosen(0, None) };
    let with = "two[$1]".to_owned();
    let only_second = Some(vec![Spot { line: 1, column: 8 }]);
    let files = vec![chosen(1, None), chosen(0, only_second), gone, chosen(2, None)];
    let replaced = client.call(Replace(Replacing { project: project(), query, with, files })).unwrap();
    let told: Vec<_> = replaced
        .outcomes
        .iter()
        .map(|outcome| (outcome.path.as_str(), outcome.hits, outcome.failure.as_ref().map(|failure| failure.code)))
        .collect();
    let (conflict, not_found) = (Some(ErrorCode::Conflict), Some(ErrorCode::NotFound));
    assert_eq!(told, [("b", 0, conflict), ("a", 1, None), ("none", 0, not_found), ("c", 0, not_found)]);
    assert_eq!(client.read("a").unwrap(), b"one(1) two[2]\n");
    assert_eq!(client.read("b").unwrap(), b"something else: one(3)\n");

    let giant = std::fs::File::create(agent.project().join("giant")).unwrap();
    giant.set_len(MAX_FILE + 1).unwrap();
    let stat = rustix::fs::fstat(&giant).unwrap();
    let version = embedenv_shared::link::files::Version {
        size: MAX_FILE + 1,
        modified: stat.st_mtime as u64 * 1_000_000_000 + stat.st_mtime_nsec,
        inode: stat.st_ino,
    };
    let files = vec![Chosen { path: path("giant"), version: VersionTag(version), hits: None }];
    let replacing = Replacing { project: project(), query: text("x"), with: String::new(), files };
    let outcome = client.call(Replace(replacing)).unwrap().outcomes.remove(0);
    assert_eq!(outcome.failure.unwrap().code, ErrorCode::TooLarge);
}

#[test]
fn a_search_tells_what_would_replace_each_hit() {
    let agent = Agent::start();
    let mut client = agent.client();
    client.write("a", b"left-right").unwrap();
    let what = Sought::Text { query: expression(r"(\w+)-(\w+)"), replace: Some("$2-$1".to_owned()) };
    begin(&mut client, 1, Scope::default(), what).unwrap();
    let pulled = client.call(Pull { search: SearchId(1) }).unwrap();
    let Found::Text(files) = pulled.found else { panic!("hits were asked for") };
    assert_eq!(files[0].hits[0].replacement.as_deref(), Some("right-left"));
}
