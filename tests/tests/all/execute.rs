//! Single programs over HTTP, in Piston's shape: what is printed and how it ended, who may, and that nothing is left of them.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use embedenv::ledger::{Actor, PairSettings, Scope};
use embedenv_tests::backend::Backend;
use embedenv_tests::http::ask_at;
use embedenv_tests::{TestServer, precondition};
use serde_json::{Value, json};

/// What is asked of a server, without the header that says who asks.
struct Asker<'a> {
    server: &'a TestServer,
    base: String,
    authorization: Option<String>,
}

impl Asker<'_> {
    async fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<(u16, Value)> {
        let address = self.server.address();
        let mut fields = vec![("Content-Type", "application/json")];
        fields.extend(self.authorization.as_deref().map(|said| ("Authorization", said)));
        let path = format!("{}{path}", self.base);
        let answer = ask_at(address, method, &address.to_string(), &path, &fields, body).await?;
        Ok((answer.status, serde_json::from_slice(&answer.body)?))
    }

    async fn run(&self, job: Value) -> Result<(u16, Value)> {
        self.ask("POST", "/execute", job.to_string().as_bytes()).await
    }

    async fn ran(&self, job: Value) -> Result<Value> {
        let (status, said) = self.run(job).await?;
        ensure!(status == 200, "{status} {said}");
        Ok(said)
    }
}

fn python(content: &str) -> Value {
    json!({"language": "py", "version": "3.x", "files": [{"content": content}]})
}

async fn with_pair(server: &TestServer, credits: i64) -> Result<Asker<'_>> {
    let key = server.key(credits).await?;
    let authorization = Some(format!("{}:{}", key.public_key, key.secret_key));
    Ok(Asker { server, base: "/api/v2".to_owned(), authorization })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_run_once_and_nothing_is_left_of_it() -> Result<()> {
    let server = TestServer::new().await?;
    let asker = with_pair(&server, 4).await?;
    let (status, runtimes) = asker.ask("GET", "/runtimes", b"").await?;
    let all = runtimes.as_array().context("a list")?;
    let found = all.iter().find(|runtime| runtime["language"] == "python").with_context(|| runtimes.to_string())?;
    let version = found["version"].as_str().unwrap_or_default();
    ensure!(status == 200 && version.starts_with("3.") && found["aliases"][0] == "py", "{found}");
    ensure!(!all.iter().any(|runtime| runtime["version"] == ""), "{runtimes}");

    let said = asker
        .ran(json!({
            "language": "python", "version": version, "stdin": "five\nsix", "args": ["a b", "it's $HOME"],
            "files": [
                {"name": "main.py", "content": "import sys, lib.more\nprint(sys.argv[1:], sys.stdin.read().split(), lib.more.X)\nprint('bad', file=sys.stderr)\nsys.exit(3)"},
                {"name": "lib/more.py", "content": "WCA9IDc=", "encoding": "base64"},
            ],
        }))
        .await?;
    let run = &said["run"];
    ensure!(run["stdout"] == "['a b', \"it's $HOME\"] ['five', 'six'] 7\n", "{said}");
    ensure!(run["stderr"] == "bad\n" && run["code"] == 3 && run["signal"].is_null() && run["status"] == "RE", "{said}");
    ensure!(run["output"].as_str().is_some_and(|both| both.len() == run["stdout"].as_str().unwrap_or("").len() + 4));
    ensure!(said["language"] == "python" && said["version"] == version && said.get("compile").is_none(), "{said}");
    ensure!(run["memory"].as_u64() > Some(1 << 20) && run["wall_time"].is_u64() && run["cpu_time"].is_u64(), "{said}");

    // The next finds nothing of the one before, and each is a credit.
    let said = asker.ran(python("import os\nprint(os.listdir('.'))")).await?;
    ensure!(said["run"]["stdout"] == "['main.py']\n" && said["run"]["status"].is_null(), "{said}");
    let late =
        json!({"language": "python", "version": "*", "run_timeout": 300, "files": [{"content": "while True: pass"}]});
    let said = asker.ran(late).await?;
    ensure!(said["run"]["status"] == "TO" && said["run"]["signal"] == "SIGKILL", "{said}");
    let said = asker.ran(python("import sys\nwhile True: sys.stdout.write('x' * 65536)")).await?;
    ensure!(
        said["run"]["status"] == "OL" && said["run"]["stdout"].as_str().map(str::len) == Some(1 << 20),
        "{}",
        said["run"]["status"]
    );
    let (status, said) = asker.run(python("")).await?;
    ensure!(status == 402 && said["code"] == "no_credits" && said["message"].is_string(), "{said}");
    let until = Instant::now() + Duration::from_secs(20);
    while !server.running()?.registry().all().is_empty() {
        ensure!(Instant::now() < until, "a program's room is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_be_compiled_is_and_what_a_compiler_says_is_told() -> Result<()> {
    let server = TestServer::new().await?;
    let asker = with_pair(&server, 3).await?;
    let c = |content: &str| json!({"language": "gcc", "version": "*", "files": [{"name": "code", "content": content}]});
    let said = asker.ran(c("#include <stdio.h>\nint main(int n, char **a) { puts(\"hi\"); return 0; }")).await?;
    ensure!(said["language"] == "c" && said["compile"]["code"] == 0 && said["run"]["stdout"] == "hi\n", "{said}");
    let said = asker.ran(c("int main(void) { return x; }")).await?;
    let errors = said["compile"]["stderr"].as_str().unwrap_or_default();
    ensure!(said["compile"]["code"] == 1 && errors.contains("undeclared") && said["run"]["stdout"] == "", "{said}");
    let said = asker.ran(c("int main(void) { return *(volatile int *)0; }")).await?;
    ensure!(said["run"]["signal"] == "SIGSEGV" && said["run"]["status"] == "SG", "{said}");
    ensure!(said["run"]["code"].is_null(), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_program_or_who_asks_is_said_and_costs_nothing() -> Result<()> {
    let server = TestServer::new().await?;
    let asker = with_pair(&server, 1).await?;
    for (job, status, code) in [
        (json!({"language": "cobol", "version": "*", "files": [{"content": ""}]}), 400, "bad_request"),
        (json!({"language": "python", "version": "2.7", "files": [{"content": ""}]}), 400, "bad_request"),
        (json!({"language": "python", "version": "*", "files": []}), 400, "bad_request"),
        (json!({"language": "python", "version": "*", "files": [{"name": "../x", "content": ""}]}), 400, "bad_path"),
        (
            json!({"language": "python", "version": "*", "files": [{"content": "!", "encoding": "hex"}]}),
            400,
            "bad_request",
        ),
        (
            json!({"language": "python", "version": "*", "files": [{"content": ""}], "run_timeout": 3_600_000}),
            400,
            "bad_request",
        ),
        (
            json!({"language": "python", "version": "*", "files": [{"content": ""}], "args": vec!["x"; 101]}),
            413,
            "too_large",
        ),
        (
            json!({"language": "python", "version": "*", "files": [{"content": ""}], "run_timeout": 0}),
            400,
            "bad_request",
        ),
        (json!({"version": "*", "files": []}), 400, "bad_request"),
    ] {
        let (was, said) = asker.run(job.clone()).await?;
        ensure!(was == status && said["code"] == code && said["message"].is_string(), "{job}: {was} {said}");
    }
    ensure!(asker.ask("POST", "/execute", b"{").await?.0 == 400);
    // The one credit is still there.
    asker.ran(python("")).await?;
    let nobody = Asker { authorization: None, ..asker };
    let (status, said) = nobody.run(python("")).await?;
    ensure!(status == 401 && said["code"] == "bad_credentials", "{said}");
    // What there is, everybody may know.
    ensure!(nobody.ask("GET", "/runtimes", b"").await?.0 == 200);
    let guess = Asker { authorization: Some("Bearer pk_x:sk_y".to_owned()), ..nobody };
    ensure!(guess.run(python("")).await?.0 == 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_an_address_runs_programs_and_does_nothing_else() -> Result<()> {
    let server = TestServer::new().await?;
    let full = server.key(5).await?;
    let whole = format!("{}:{}", full.public_key, full.secret_key);
    let at = |pair: &str| Asker { server: &server, base: format!("/k/{pair}/api/v2"), authorization: None };
    let (status, said) = at(&whole).run(python("print(1)")).await?;
    ensure!(status == 403 && said["code"] == "forbidden", "{said}");
    ensure!(at("pk_x:sk_y").run(python("")).await?.0 == 401 && at("x").run(python("")).await?.0 == 401);

    let ledger = server.ledger()?;
    let account = ledger.authenticate(&full.public_key, &full.secret_key).await?.account().to_owned();
    let scope = Scope { execute_only: true, ..Scope::default() };
    let settings = PairSettings { name: "chat".into(), scope, ..PairSettings::default() };
    let narrow = ledger.create_pair(&account, Actor::Account(&account), &settings).await?;
    let pair = format!("{}:{}", narrow.public_key, narrow.secret_key);
    let said = at(&pair).ran(python("print(1 + 1)")).await?;
    ensure!(said["run"]["stdout"] == "2\n", "{said}");
    let (status, said) = Backend::new(&server, &narrow).ask("POST", "/rooms", json!({})).await?;
    ensure!(status == 403 && said["code"] == "forbidden", "{said}");
    Ok(())
}

/// What a client of others does with it.
const PISTON_CLIENT: &str = r#"
import asyncio, sys
from piston_rspy import Client, Executor, File

async def main():
    client = Client.with_url_and_key(sys.argv[1], sys.argv[2])
    assert any(runtime.language == "python" for runtime in await client.fetch_runtimes())
    wanted = Executor().set_language("python").set_version("*").set_stdin("Ada").add_arg("x")
    wanted = wanted.add_file(File(name="a.py", content="import sys\nprint(sys.argv[1], input())"))
    answer = await client.execute(wanted)
    assert answer.is_ok(), answer
    print(answer.run.stdout, end="")

asyncio.run(main())
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_pistons_needs_another_address_and_a_key_alone() -> Result<()> {
    let Some(python) = precondition("a Python with piston_rspy", std::env::var_os("EMBEDENV_PYTHON")) else {
        return Ok(());
    };
    let server = TestServer::new().await?;
    let key = server.key(1).await?;
    let mut client = Command::new(python);
    client.args(["-c", PISTON_CLIENT, &format!("http://{}/api/v2", server.address())]);
    client.arg(format!("{}:{}", key.public_key, key.secret_key));
    let ended = tokio::task::spawn_blocking(move || client.output()).await??;
    let said = String::from_utf8_lossy(&ended.stdout);
    ensure!(said == "x Ada\n", "{said:?} {}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}
