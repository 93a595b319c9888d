//! What stands between a program in a sandbox and everything else: what it sees, what it may call, and what it can use
//! up. The probe's report is a golden file, so that no part of the wall moves unseen.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use embedenv::config::Config;
use embedenv::doctor;
use embedenv::engine::finding::{Finding, State};
use embedenv_tests::client::{Client, shown};
use embedenv_tests::sandboxes::TestEngine;
use embedenv_tests::{TestServer, precondition};
use serde_json::{Value, json};

const PROBE: &str = include_str!("isolation/probe.py");
/// What it says on each engine, in `tests/tests/all/isolation/`.
fn golden() -> PathBuf {
    let name = format!("{}.golden", TestEngine::chosen().name());
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all/isolation").join(name)
}

/// Calls that the probe must have found refused (TARGETS I2).
const REFUSED_AT_LEAST: usize = 40;

async fn run(client: &mut Client, line: &str) -> Result<String> {
    client.shell("p", line).await?;
    Ok(shown(&client.until_end().await?))
}

async fn write(client: &mut Client, path: &str, content: &str) -> Result<()> {
    client.command("p", json!({"type": "write"}), json!({"path": path, "content": content})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_the_probe_reports_what_its_golden_file_says() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.plain(&server.room().await?).await?;
    write(&mut client, "probe.py", PROBE).await?;
    let report = run(&mut client, "python probe.py").await?;
    let refused = report
        .lines()
        .filter(|line| line.starts_with("call ") && (line.ends_with("= EPERM") || line.ends_with("= ENOSYS")));
    ensure!(refused.count() >= REFUSED_AT_LEAST, "{report}");
    if std::env::var_os("EMBEDENV_UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(), &report)?;
    } else {
        let golden = std::fs::read_to_string(golden())?;
        assert_eq!(report, golden, "run with EMBEDENV_UPDATE_GOLDEN=1 if the wall was moved on purpose");
    }
    Ok(())
}

/// Members of a process's status, and its namespaces, as the host sees them.
fn host_view(pid: u32) -> Result<(Vec<u32>, Vec<String>)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).context("Uid")?;
    let uids = uids.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let namespace = |name: &&str| std::fs::read_link(format!("/proc/{pid}/ns/{name}"));
    let namespaces =
        ["user", "pid", "mnt", "net", "ipc", "uts"].iter().map(namespace).collect::<Result<Vec<_>, _>>()?;
    Ok((uids, namespaces.iter().map(|path| path.to_string_lossy().into_owned()).collect()))
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_every_sandbox_has_namespaces_and_a_host_user_of_its_own() -> Result<()> {
    let server = TestServer::new().await?;
    let _one = server.plain(&server.room().await?).await?;
    let _two = server.plain(&server.room().await?).await?;
    let sandboxes = server.sandboxes()?;
    assert_eq!(sandboxes.len(), 2);
    let (_, own) = host_view(std::process::id())?;
    let (one_uids, one) = host_view(sandboxes[0].agent)?;
    let (two_uids, two) = host_view(sandboxes[1].agent)?;
    // Docker has a user namespace only where its administrator has set one up (docs/deployment.md).
    let first = if TestEngine::chosen() == TestEngine::Docker { 1 } else { 0 };
    for ((own, one), two) in own.iter().zip(&one).zip(&two).skip(first) {
        assert!(own != one && own != two && one != two, "{own} {one} {two}");
    }
    assert!(!one_uids.contains(&0) && !two_uids.contains(&0), "never the host's root");
    if first == 1 {
        return Ok(());
    }
    let root = rustix::process::geteuid().is_root();
    if precondition("the server runs as root, so that it can give each sandbox a user", root.then_some(())).is_some() {
        assert_ne!(one_uids, two_uids);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_what_the_server_was_started_with_is_open_in_no_sandbox() -> Result<()> {
    // What a shell or a supervisor leaves open: the server inherits it from this process.
    let given = tempfile::NamedTempFile::new()?;
    rustix::io::fcntl_setfd(given.as_file(), rustix::io::FdFlags::empty())?;
    let server = TestServer::new().await?;
    let mut client = server.plain(&server.room().await?).await?;
    run(&mut client, "true").await?;
    rustix::io::fcntl_setfd(given.as_file(), rustix::io::FdFlags::CLOEXEC)?;
    let agent = server.sandboxes()?.first().context("a sandbox")?.agent;
    for entry in std::fs::read_dir(format!("/proc/{agent}/fd"))? {
        let open = std::fs::read_link(entry?.path()).unwrap_or_default();
        ensure!(open != given.path(), "the agent has {} open", open.display());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_a_link_to_the_hosts_files_leads_to_the_sandboxs_own() -> Result<()> {
    let server = TestServer::new().await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let seen = run(&mut client, "cat /etc/hostname /proc/sys/kernel/hostname; ls /etc/ssh /etc/shadow /root /mnt 2>&1")
        .await?;
    ensure!(host.trim().is_empty() || !seen.contains(host.trim()), "{seen}");
    let passwd = run(&mut client, "ln -s /etc/passwd link; cat link").await?;
    ensure!(passwd.contains("user:x:1000") && passwd != std::fs::read_to_string("/etc/passwd")?, "{passwd}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn i9_nothing_outside_is_reachable_and_no_server_of_the_host_either() -> Result<()> {
    let server = TestServer::new().await?;
    let mut client = server.plain(&server.room().await?).await?;
    let port = server.address().port();
    let seen = run(&mut client, &format!("(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>&1 || echo nothing there")).await?;
    ensure!(seen.contains("refused") && seen.contains("nothing there"), "{seen}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn i11_a_neighbour_sees_neither_processes_nor_files() -> Result<()> {
    let server = TestServer::new().await?;
    let mut one = server.plain(&server.room().await?).await?;
    let mut two = server.plain(&server.room().await?).await?;
    run(&mut one, "echo secret > /home/user/mine; echo secret > /tmp/mine; (exec -a visible sleep 1000) & disown")
        .await?;
    let seen = run(&mut two, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; ls -A /home/user /tmp").await?;
    ensure!(!seen.contains("visible") && !seen.contains("mine"), "{seen}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_a_fork_bomb_is_bounded_and_the_room_stays_usable() -> Result<()> {
    let server = TestServer::new().await?;
    let mut bomb = server.plain(&server.room().await?).await?;
    let mut neighbour = server.plain(&server.room().await?).await?;
    bomb.shell("p", "echo on; f() { f | f & }; f; sleep 1000").await?;
    bomb.frame_where("on", |frame| frame["data"] == "on").await?;
    assert_eq!(run(&mut neighbour, "python -c 'print(6 * 7)'").await?, "42\n");
    bomb.command("p", json!({"type": "kill"}), json!({})).await?;
    bomb.expect("terminal-data-end").await?;
    Ok(())
}

/// Starts processes until there can be no more, and says so.
const FILL: &str = r#"
import os, time
while True:
    try:
        if os.fork() == 0:
            break
    except BlockingIOError:
        print("full", flush=True)
        break
time.sleep(1000)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn r1_who_has_no_processes_left_is_told_so_and_keeps_files_and_gets_them_back() -> Result<()> {
    let server = TestServer::new().await?;
    let key = server.room().await?;
    let (mut bomb, mut other) = (server.plain(&key).await?, server.full(&key).await?);
    bomb.command("p", json!({"type": "write"}), json!({"path": "fill.py", "content": FILL})).await?;
    bomb.shell("p", "python fill.py").await?;
    bomb.frame_where("full", |frame| frame["data"].as_str().is_some_and(|data| data.contains("full"))).await?;

    let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24});
    let refused = other.request(open).await?;
    assert_eq!(refused["code"], "quota_exceeded", "{refused}");
    ensure!(refused["message"].as_str().is_some_and(|text| text.contains("as many processes as it may")), "{refused}");
    let write =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "f", "content": "kept"});
    ensure!(other.request(write).await?["type"] == "done");

    bomb.command("p", json!({"type": "kill"}), json!({})).await?;
    bomb.expect("terminal-data-end").await?;
    let count =
        r#"cat f; for each in /proc/[0-9]*; do cat $each/cmdline 2>/dev/null; echo; done | grep -ac 'fil[l].py'"#;
    let gone = async {
        loop {
            let seen = run(&mut bomb, count).await?;
            match seen.as_str() {
                "kept0\n" => return anyhow::Ok(()),
                _ => ensure!(seen.starts_with("kept") || seen.contains("fork") || seen.contains("quota"), "{seen}"),
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r2_memory_beyond_the_limit_ends_the_program_is_told_and_the_neighbour_lives() -> Result<()> {
    let looked_at = tempfile::tempdir()?;
    let config = Config { data_dir: looked_at.path().join("data"), ..Config::default() };
    let report = doctor::local(&config).await;
    let limited = |finding: &&Finding| finding.what.starts_with("memory") && finding.state == State::Good;
    if precondition("this machine grants memory limits", report.findings.iter().find(limited)).is_none() {
        return Ok(());
    }
    let server = TestServer::with(|config| {
        for space in config.spaces.values_mut() {
            space.profile.limits.memory = 128 * 1024 * 1024;
        }
    })
    .await?;
    let mut bomb = server.plain(&server.room().await?).await?;
    let mut neighbour = server.plain(&server.room().await?).await?;
    bomb.shell("p", "python -c 'x = bytearray(600 << 20); print(len(x))'").await?;
    let frames = bomb.until_end().await?;
    let said = shown(&frames);
    ensure!(!said.contains("629145600"), "{said}");
    let full = |frame: &Value| frame["code"] == "quota_exceeded";
    let told = match frames.into_iter().find(full) {
        Some(told) => told,
        None => bomb.frame_where("out of memory", full).await?,
    };
    ensure!(told["message"].as_str().is_some_and(|text| text.contains("memory (128 MiB)")), "{told}");
    assert_eq!(run(&mut neighbour, "echo alive").await?, "alive\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn r3_a_disk_filled_by_bytes_or_by_inodes_is_stopped_and_files_can_be_removed() -> Result<()> {
    let server = TestServer::with(|config| {
        for space in config.spaces.values_mut() {
            space.profile.limits.disk = 16 * 1024 * 1024;
            space.profile.limits.inodes = 2000;
        }
    })
    .await?;
    let join = server.room().await?;
    let mut client = server.plain(&join).await?;
    // The watch stops writers: the program is ended, or gets an error.
    run(&mut client, "timeout 15 dd if=/dev/zero of=big bs=1M count=4000 2>&1 || true").await?;
    let error = async {
        loop {
            write(&mut client, "more", &"x".repeat(1000)).await?;
            client.shell("p", "true").await?;
            for frame in client.until_end().await? {
                if frame["type"] == "error" {
                    return anyhow::Ok(frame);
                }
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_secs(10), error).await.context("no write was refused")??;
    assert_eq!(error["code"], "quota_exceeded");
    Ok(())
}
