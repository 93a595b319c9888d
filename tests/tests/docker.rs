//! What is Docker's alone: images (`docker/images.rs`), faults of the engine, and what is found and left in it. Runs with
//! `EMBEDENV_TEST_ENGINE=docker`, `DOCKER_HOST`, and the image `embedenv/busybox:test` in that engine.

#[path = "docker/images.rs"]
mod images;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use embedenv::config::Config;
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_tests::TestServer;
use embedenv_tests::client::{Client, shown};
use embedenv_tests::dockerd::{BUSYBOX, Dockerd};
use embedenv_tests::editor::Editor;
use embedenv_tests::program::Program;
use embedenv_tests::sandboxes::docker;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long after a fault everything works again (TARGETS F5).
const RECOVERED: Duration = Duration::from_secs(10);
/// Between two looks at something that no frame tells of.
const LOOK: Duration = Duration::from_millis(50);
const IMAGE: (&str, &str) = ("EMBEDENV_SPACES__DEFAULT__IMAGE", BUSYBOX);

fn of_busybox(config: &mut Config) {
    for space in config.spaces.values_mut() {
        space.profile.image = BUSYBOX.to_owned();
    }
}

async fn run(client: &mut Client, line: &str) -> Result<String> {
    client.shell("p", line).await?;
    Ok(shown(&client.until_end().await?))
}

/// Asks for a room until it is given one, and returns its key.
async fn init_until_given(program: &Program) -> Result<String> {
    loop {
        let answer = init(program).await?;
        match answer["join"].as_str() {
            Some(key) => return Ok(key.to_owned()),
            None => ensure!(answer["code"] == "sandbox_unavailable", "{answer}"),
        }
        sleep(LOOK).await;
    }
}

async fn init(program: &Program) -> Result<Value> {
    let mut host = Client::connect(&program.url()).await?;
    host.send(program.init()).await?;
    host.frame().await
}

async fn join(program: &Program, key: &str) -> Result<Client> {
    let mut client = Client::connect(&program.url()).await?;
    client.send(json!({"type": "join", "join": key, "protocol": 2})).await?;
    client.expect("joined").await?;
    Ok(client)
}

/// An engine's socket, behind which answers can be made slow. What has become a stream goes on as fast as it was.
struct Slow {
    address: String,
    slow: Arc<AtomicBool>,
    _carrying: JoinSet<()>,
}

impl Slow {
    /// How long each answer takes then.
    const ANSWER: Duration = Duration::from_secs(10);

    fn before(dockerd: &Dockerd) -> Result<Self> {
        let (path, engine) = (dockerd.path("slow.sock"), dockerd.path("docker.sock"));
        let listener = UnixListener::bind(&path)?;
        let slow = Arc::new(AtomicBool::new(false));
        let is_slow = slow.clone();
        let mut carrying = JoinSet::new();
        carrying.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (engine, slow) = (engine.clone(), is_slow.clone());
                open.spawn(async move {
                    if let Ok(engine) = UnixStream::connect(engine).await {
                        carry(client, engine, &slow).await;
                    }
                });
            }
        });
        Ok(Self { address: format!("unix://{}", path.display()), slow, _carrying: carrying })
    }
}

async fn carry(client: UnixStream, engine: UnixStream, slow: &AtomicBool) {
    let upgraded = AtomicBool::new(false);
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_engine, mut to_engine) = engine.into_split();
    let asks = async {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
            if String::from_utf8_lossy(&bytes[..count]).to_lowercase().contains("upgrade: tcp") {
                upgraded.store(true, Ordering::Relaxed);
            }
            if to_engine.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
        let _ = to_engine.shutdown().await;
    };
    let answers = async {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from_engine.read(&mut bytes).await {
            if slow.load(Ordering::Relaxed) && !upgraded.load(Ordering::Relaxed) {
                sleep(Slow::ANSWER).await;
            }
            if to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(asks, answers);
}

/// What the key pair has paid by now.
async fn ledger_sum(program: &Program) -> Result<i64> {
    let ledger = program.ledger().await?;
    let left = ledger.authenticate(&program.public_key, &program.secret_key).await?.balance;
    ledger.close().await;
    Ok(embedenv_tests::program::CREDITS - left)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_removed_by_hand_is_told_and_its_files_are_kept() -> Result<()> {
    let server = TestServer::with(of_busybox).await?;
    let key = server.room().await?;
    let mut client = server.full(&key).await?;
    let write =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "kept", "content": "x"});
    ensure!(client.request(write).await?["type"] == "done");
    let sandboxes = server.sandboxes()?;
    let container = sandboxes[0].container.clone().context("a container")?;
    docker(&["rm", "-f", &container])?;
    let gone = |frame: &Value| frame["type"] == "sandbox" && frame["state"] == "gone";
    let told = client.frame_where("the sandbox is gone", gone).await?;
    ensure!(told["message"].as_str().is_some_and(|text| text.contains("files are safe")), "{told}");
    ensure!(client.request(json!({"type": "sandbox-start"})).await?["type"] == "done");
    let read = client.request(json!({"type": "read", "project": "p", "path": "kept"})).await?;
    assert_eq!(read["content"], "x");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_used_up_is_told_to_the_room() -> Result<()> {
    let server = TestServer::with(|config| {
        of_busybox(config);
        for space in config.spaces.values_mut() {
            space.profile.limits.memory = 64 * 1024 * 1024;
        }
    })
    .await?;
    let mut client = server.full(&server.room().await?).await?;
    let mut plain = server.plain(&server.room().await?).await?;
    let opened = client.request(json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24})).await?;
    let terminal = SessionId(u32::try_from(opened["terminal"].as_u64().context("a terminal")?)?);
    client.send_binary(BinaryFrame::Input { terminal, bytes: b"tail /dev/zero; echo went''on\n" }).await?;
    let full = |frame: &Value| frame["type"] == "error" && frame["code"] == "quota_exceeded";
    let told = client.frame_where("out of memory", full).await?;
    ensure!(told["message"].as_str().is_some_and(|text| text.contains("memory (64 MiB)")), "{told}");
    client.output_with(terminal.0, "wenton").await?;
    assert_eq!(run(&mut plain, "echo alive").await?, "alive\n");
    Ok(())
}

/// Waits until no room of a server has a sandbox.
async fn until_asleep(server: &TestServer) -> Result<()> {
    let asleep = async {
        while !server.sandboxes()?.is_empty() {
            sleep(LOOK).await;
        }
        anyhow::Ok(())
    };
    timeout(Duration::from_secs(20), asleep).await.context("the room did not fall asleep")?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_sleeps_gives_up_its_container_and_finds_its_files_again() -> Result<()> {
    let server = TestServer::with(|config| {
        of_busybox(config);
        config.rooms.sleep_after = Duration::from_secs(1);
    })
    .await?;
    let key = server.room().await?;
    let mut client = server.plain(&key).await?;
    assert_eq!(run(&mut client, "echo files > kept; echo memory > /tmp/gone").await?, "");
    drop(client);
    until_asleep(&server).await?;
    let mut client = server.plain(&key).await?;
    assert_eq!(run(&mut client, "cat kept; ls /tmp").await?, "files\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_inits_at_once_hold_the_ceiling_exactly() -> Result<()> {
    const ROOMS: usize = 5;
    let server = TestServer::with(|config| {
        of_busybox(config);
        config.rooms.most = ROOMS;
    })
    .await?;
    let key = server.key(100).await?;
    let one = || async {
        let mut host = Client::connect(&server.url()).await?;
        host.send(json!({"type": "init", "public_key": key.public_key, "secret_key": key.secret_key})).await?;
        host.frame().await
    };
    let answers = futures_util::future::try_join_all((0..100).map(|_| one())).await?;
    let given = answers.iter().filter(|answer| answer["join"].is_string()).count();
    let full = answers.iter().filter(|answer| answer["code"] == "unavailable").count();
    assert_eq!((given, full), (ROOMS, 100 - ROOMS));
    assert_eq!(server.sandboxes()?.len(), ROOMS);
    let least = answers.iter().filter_map(|answer| answer["remaining_credits"].as_i64()).min();
    assert_eq!(least, Some(100 - ROOMS as i64));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_room_owns_is_removed_and_another_servers_is_not_touched() -> Result<()> {
    let mut server = TestServer::with(of_busybox).await?;
    let own = format!("embedenv.server={}", server.server_id()?);
    let key = server.room().await?;
    let label = |server: &str, room: &str| {
        let name = format!("test-{}-{room}-{server}", std::process::id());
        let (server, room) = (format!("embedenv.server={server}"), format!("embedenv.room={room}"));
        let run = ["run", "-d", "--name", &name, "--network", "none", "--label", &server, "--label", &room, BUSYBOX];
        docker(&[&run[..], &["sleep", "1000"]].concat()).map(|_| name)
    };
    let own_id = server.server_id()?;
    let left = [label(&own_id, "aaaaaaaaaaaaaaaa")?, label(&own_id, "nonsense")?];
    let volume = format!("test-{}", std::process::id());
    docker(&["volume", "create", "--label", &own, "--label", "embedenv.room=aaaaaaaaaaaaaaaa", &volume])?;
    let foreign = label("0123456789abcdef", "aaaaaaaaaaaaaaaa")?;
    server.restart().await?;
    let names = docker(&["ps", "-a", "--format", "{{.Names}}"])?;
    docker(&["rm", "-f", &foreign])?;
    for gone in &left {
        ensure!(!names.contains(gone.as_str()), "{gone} is still there: {names}");
    }
    ensure!(names.contains(&foreign), "{names}");
    ensure!(!docker(&["volume", "ls", "-q"])?.contains(&volume));
    let mut client = server.plain(&key).await?;
    assert_eq!(run(&mut client, "echo lives").await?, "lives\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_removed_keeps_no_server_from_starting_and_nothing_else_from_going() -> Result<()> {
    let mut server = TestServer::with(of_busybox).await?;
    let own = format!("embedenv.server={}", server.server_id()?);
    let key = server.room().await?;
    // Used by a container that is not the server's, so that the engine refuses to remove it.
    let names = ["0-used", "1-free"].map(|name| format!("test-{}-{name}", std::process::id()));
    for name in &names {
        docker(&["volume", "create", "--label", &own, "--label", "embedenv.room=aaaaaaaaaaaaaaaa", name])?;
    }
    let holder = docker(&["create", "--volume", &format!("{}:/held", names[0]), BUSYBOX, "true"])?;
    let restarted = server.restart().await;
    let left = docker(&["volume", "ls", "-q"])?;
    docker(&["rm", holder.trim()])?;
    docker(&["volume", "rm", "--force", &names[0], &names[1]])?;
    restarted?;
    ensure!(left.contains(&names[0]) && !left.contains(&names[1]), "{left}");
    let mut client = server.plain(&key).await?;
    assert_eq!(run(&mut client, "echo lives").await?, "lives\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_wakes_though_its_space_is_configured_no_more() -> Result<()> {
    let mut server = TestServer::with(|config| {
        of_busybox(config);
        let space = config.spaces["default"].clone();
        config.spaces.insert("workshop".to_owned(), space);
        config.rooms.sleep_after = Duration::from_secs(1);
    })
    .await?;
    let pair = server.key(1).await?;
    let mut host = Client::connect(&format!("ws://{}/ws/spaces/workshop/", server.address())).await?;
    host.send(json!({"type": "init", "public_key": pair.public_key, "secret_key": pair.secret_key})).await?;
    let opened = host.frame().await?;
    let key = opened["join"].as_str().with_context(|| opened.to_string())?.to_owned();
    drop(host);
    until_asleep(&server).await?;
    server.restart_with(|config| drop(config.spaces.remove("workshop"))).await?;
    let mut client = server.plain(&key).await?;
    assert_eq!(run(&mut client, "echo woken").await?, "woken\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f5_without_an_engine_the_server_serves_and_takes_no_credit_and_recovers_by_itself() -> Result<()> {
    let mut dockerd = Dockerd::prepare()?;
    let address = dockerd.address();
    let program = Program::start_with(0, &[IMAGE, ("DOCKER_HOST", &address)]).await?;
    let answer = init(&program).await?;
    assert_eq!(answer["code"], "sandbox_unavailable", "{answer}");
    assert_eq!(ledger_sum(&program).await?, 0);
    dockerd.start()?;
    dockerd.load_busybox()?;
    let key = timeout(RECOVERED, init_until_given(&program)).await.context("it did not recover")??;
    let mut client = join(&program, &key).await?;
    ensure!(client.request(json!({"type": "read", "project": "p", "path": "x"})).await?["code"] == "not_found");
    assert_eq!(ledger_sum(&program).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f5_programs_run_on_while_the_engine_is_gone_and_are_reached_again() -> Result<()> {
    let mut dockerd = Dockerd::with_busybox()?;
    let address = dockerd.address();
    let program = Program::start_with(0, &[IMAGE, ("DOCKER_HOST", &address)]).await?;
    let key = init_until_given(&program).await?;
    let mut client = join(&program, &key).await?;
    let opened = client.request(json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24})).await?;
    let terminal = SessionId(u32::try_from(opened["terminal"].as_u64().with_context(|| opened.to_string())?)?);
    let type_in = |bytes| BinaryFrame::Input { terminal, bytes };
    client.send_binary(type_in(b"x=kept; echo be''fore\n")).await?;
    client.output_with(terminal.0, "before").await?;

    let write = json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "f", "content": "\n"});
    ensure!(client.request(write).await?["type"] == "done");
    let mut editor = Editor::open(&mut client, "p", "f").await?;

    dockerd.kill()?;
    let away =
        |frame: &Value| frame["type"] == "sandbox" && frame["state"] == "starting" && frame["message"].is_string();
    client.frame_where("the engine is gone", away).await?;
    let read = client.request(json!({"type": "read", "project": "p", "path": "x"})).await?;
    assert_eq!(read["code"], "sandbox_unavailable", "{read}");
    let mut late = join(&program, &key).await?;
    late.frame_where("who comes now is told, too", away).await?;
    let paid = ledger_sum(&program).await?;
    assert_eq!(init(&program).await?["code"], "sandbox_unavailable");
    assert_eq!(ledger_sum(&program).await?, paid);
    editor.insert(&mut client, 0, "typed meanwhile").await?;

    dockerd.start()?;
    let begun = Instant::now();
    client.frame_where("ready again", |frame| frame["type"] == "sandbox" && frame["state"] == "ready").await?;
    ensure!(begun.elapsed() < RECOVERED, "{:?}", begun.elapsed());
    client.send_binary(type_in(b"echo af''ter $x\n")).await?;
    client.output_with(terminal.0, "after kept").await?;
    let saved = async {
        let read = json!({"type": "read", "project": "p", "path": "f"});
        while client.request(read.clone()).await?["content"] != "typed meanwhile\n" {
            sleep(LOOK).await;
        }
        anyhow::Ok(())
    };
    timeout(RECOVERED, saved).await.context("what was typed meanwhile is not in its file")??;
    timeout(RECOVERED, init_until_given(&program)).await.context("no new room")??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f5_an_engine_that_ends_its_containers_when_it_is_started_again_costs_no_file() -> Result<()> {
    let mut dockerd = Dockerd::prepare()?.without_live_restore();
    dockerd.start()?;
    dockerd.load_busybox()?;
    let address = dockerd.address();
    let program = Program::start_with(0, &[IMAGE, ("DOCKER_HOST", &address)]).await?;
    let key = init_until_given(&program).await?;
    let mut client = join(&program, &key).await?;
    let write =
        json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "f", "content": "kept"});
    ensure!(client.request(write).await?["type"] == "done");
    dockerd.kill()?;
    let state = |frame: &Value, state: &str| frame["type"] == "sandbox" && frame["state"] == state;
    client.frame_where("the engine is gone", |frame| state(frame, "starting")).await?;
    dockerd.start()?;
    let told = client.frame_where("the sandbox is gone", |frame| state(frame, "gone")).await?;
    ensure!(told["message"].as_str().is_some_and(|text| text.contains("files are safe")), "{told}");
    ensure!(client.request(json!({"type": "sandbox-start"})).await?["type"] == "done");
    let read = client.request(json!({"type": "read", "project": "p", "path": "f"})).await?;
    assert_eq!(read["content"], "kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_is_chosen_by_its_name_and_one_that_is_not_known_says_so() -> Result<()> {
    let mut dockerd = Dockerd::prepare()?.with_runtime("other");
    dockerd.start()?;
    dockerd.load_busybox()?;
    let address = dockerd.address();
    let runtime = "EMBEDENV_SPACES__DEFAULT__RUNTIME";
    let program = Program::start_with(0, &[IMAGE, ("DOCKER_HOST", &address), (runtime, "other")]).await?;
    init_until_given(&program).await?;
    let container = dockerd.run(&["ps", "--quiet"])?;
    assert_eq!(dockerd.run(&["inspect", "--format", "{{.HostConfig.Runtime}}", container.trim()])?.trim(), "other");
    let program = Program::start_with(0, &[IMAGE, ("DOCKER_HOST", &address), (runtime, "nowhere")]).await?;
    let answer = init(&program).await?;
    let said = answer["message"].as_str().unwrap_or_default();
    ensure!(answer["code"] == "sandbox_unavailable" && said.contains("does not know the runtime nowhere"), "{answer}");
    assert_eq!(ledger_sum(&program).await?, 0);
    Ok(())
}

/// How often a process was started in a container from outside since a moment, as the engine's clock tells it.
fn execs(container: &str, since: &str) -> Result<usize> {
    let now = docker(&["info", "--format", "{{.SystemTime}}"])?;
    let of = format!("container={container}");
    let asked = ["events", "--since", since, "--until", now.trim(), "--filter", &of, "--filter", "event=exec_create"];
    Ok(docker(&asked)?.lines().count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_waits_for_a_sandbox_whose_processes_are_all_taken() -> Result<()> {
    let mut server = TestServer::with(|config| {
        of_busybox(config);
        for space in config.spaces.values_mut() {
            space.profile.limits.processes = 16;
        }
    })
    .await?;
    let key = server.room().await?;
    let mut client = server.plain(&key).await?;
    client.shell("p", "(while :; do sleep 1000 & done); exec sleep 1000").await?;
    client.frame_where("full", |frame| frame["data"].as_str().is_some_and(|data| data.contains("fork"))).await?;
    let container = server.sandboxes()?[0].container.clone().context("a container")?;
    drop(client);
    let since = docker(&["info", "--format", "{{.SystemTime}}"])?;
    server.restart().await?;
    let tried = async {
        while execs(&container, since.trim())? == 0 {
            sleep(LOOK).await;
        }
        anyhow::Ok(())
    };
    timeout(Duration::from_secs(20), tried).await.context("it did not try")??;
    for line in docker(&["top", &container, "-o", "pid,comm"])?.lines().filter(|line| line.ends_with("sleep")) {
        let pid = line.split_whitespace().next().context("a pid")?.parse()?;
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid).context("a pid")?,
            rustix::process::Signal::KILL,
        )?;
    }
    let mut client = server.plain(&key).await?;
    // As long as the end of what was killed is on its way, a line is its input, and ends with it.
    let answered = async {
        while run(&mut client, "echo lives").await? != "lives\n" {}
        anyhow::Ok(())
    };
    timeout(RECOVERED, answered).await.context("it does not answer")??;
    assert_eq!(server.sandboxes()?[0].container.as_ref(), Some(&container));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f5_an_engine_that_answers_after_ten_seconds_is_told_of_costs_nothing_and_harms_no_other_room() -> Result<()> {
    let dockerd = Dockerd::with_busybox()?;
    let slow = Slow::before(&dockerd)?;
    let program = Program::start_with(0, &[IMAGE, ("DOCKER_HOST", &slow.address)]).await?;
    let key = init_until_given(&program).await?;
    let mut other = Client::connect(&program.url()).await?;
    other.send(json!({"type": "join", "join": key})).await?;
    other.expect("joined").await?;
    let paid = ledger_sum(&program).await?;

    slow.slow.store(true, Ordering::Relaxed);
    let refused = init(&program);
    let works = async {
        for turn in 0..20 {
            ensure!(run(&mut other, &format!("echo {turn}")).await? == format!("{turn}\n"));
        }
        anyhow::Ok(())
    };
    let (answer, ()) = tokio::try_join!(refused, works)?;
    assert_eq!(answer["code"], "sandbox_unavailable", "{answer}");
    assert_eq!(ledger_sum(&program).await?, paid);

    slow.slow.store(false, Ordering::Relaxed);
    timeout(RECOVERED, init_until_given(&program)).await.context("it did not recover")??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f6_an_engine_whose_disk_is_full_says_so_and_recovers_when_there_is_room() -> Result<()> {
    const DISK: &str = "48m";
    let mut dockerd = Dockerd::prepare()?;
    dockerd.on_a_disk_of(DISK)?;
    dockerd.start()?;
    dockerd.load_busybox()?;
    let address = dockerd.address();
    let program = Program::start_with(0, &[IMAGE, ("DOCKER_HOST", &address)]).await?;
    let key = init_until_given(&program).await?;
    let mut client = join(&program, &key).await?;
    let write = |content: &str| json!({"type": "cmd", "project_name": "p", "command": {"type": "write"}, "path": "f", "content": content});
    ensure!(client.request(write("kept")).await?["type"] == "done");
    let paid = ledger_sum(&program).await?;

    let filler = dockerd.path("data/filler");
    let mut file = std::fs::File::create(&filler)?;
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    let answer = init(&program).await?;
    assert_eq!(answer["code"], "sandbox_unavailable", "{answer}");
    ensure!(answer["message"].as_str().is_some_and(|text| text.contains("disk is full")), "{answer}");
    assert_eq!(ledger_sum(&program).await?, paid);
    assert_eq!(client.request(write(&"x".repeat(100_000))).await?["code"], "quota_exceeded");
    assert_eq!(client.request(json!({"type": "read", "project": "p", "path": "f"})).await?["content"], "kept");

    std::fs::remove_file(filler)?;
    drop(file);
    timeout(RECOVERED, init_until_given(&program)).await.context("it did not recover")??;
    ensure!(client.request(write("again")).await?["type"] == "done");
    Ok(())
}

/// What `embedenv doctor` says of Docker: whether it works, and of each thing how it stands.
async fn doctor(address: &str, image: &str) -> Result<(bool, HashMap<String, String>)> {
    let mut command = embedenv_tests::program::command()?;
    command.args(["doctor", "--json", "--data-dir", "/nonexistent"]).env("EMBEDENV_ENGINE", "docker");
    let output = command.env("DOCKER_HOST", address).env(IMAGE.0, image).output().await?;
    let reports: Value = serde_json::from_slice(&output.stdout)?;
    let report = &reports[0];
    assert_eq!(report["engine"], "docker");
    let findings = report["findings"].as_array().context("findings")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let states = findings.iter().map(|finding| (text(&finding["what"]), text(&finding["state"]))).collect();
    Ok((report["works"] == true, states))
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_what_the_engine_can_do_which_image_is_missing_and_that_none_answers() -> Result<()> {
    let address = std::env::var("DOCKER_HOST")?;
    let (works, states) = doctor(&address, BUSYBOX).await?;
    assert!(works, "{states:?}");
    for (what, state) in
        [("Docker", "good"), ("system calls", "good"), ("disk of the home", "weaker"), ("image", "good")]
    {
        assert_eq!(states.get(what).map(String::as_str), Some(state), "{what}");
    }
    let (works, states) = doctor(&address, "embedenv/none:none").await?;
    assert!(works && states["image"] == "weaker", "{states:?}");
    let (works, states) = doctor("unix:///nonexistent/docker.sock", BUSYBOX).await?;
    assert!(!works && states["Docker"] == "missing", "{states:?}");
    Ok(())
}
