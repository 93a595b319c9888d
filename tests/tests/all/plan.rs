//! A plan made by chance, of everything that happens to a room: people come, type, are cut off, type on without a
//! connection; programs write the same files; sandboxes die; the server is killed or ended and started again. In the end
//! all documents, files and terminals agree, and every word is there once. The seed is printed, and `EMBEDENV_SEED` makes
//! the same plan again.

use anyhow::{Context as _, Result, ensure};
use embedenv_shared::frame::BinaryFrame;
use embedenv_shared::id::SessionId;
use embedenv_tests::chance;
use embedenv_tests::client::{Client, shown};
use embedenv_tests::editor::Editor;
use embedenv_tests::program::Program;
use futures_util::future::join_all;
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::json;

const PEOPLE: usize = 5;
const FILES: usize = 3;
const STEPS: usize = 150;
/// Plans that are carried out; `cargo xtask test --full` does the long form.
const PLANS: usize = 5;
const FULL_PLANS: usize = 200;

/// What happens next.
#[derive(Debug)]
enum Step {
    Come(usize),
    /// The connection is gone without a word.
    Cut(usize),
    Type {
        who: usize,
        file: usize,
        place: f64,
    },
    /// A program in the sandbox writes the file.
    Program {
        file: usize,
    },
    /// A line into the shared terminal.
    Line {
        who: usize,
    },
    SandboxDies,
    ServerIsKilled,
    ServerEnds,
}

fn plan(chance: &mut StdRng) -> Vec<Step> {
    let mut step = || {
        let (who, file) = (chance.random_range(0..PEOPLE), chance.random_range(0..FILES));
        match chance.random_range(0..100) {
            0..18 => Step::Come(who),
            18..28 => Step::Cut(who),
            28..68 => Step::Type { who, file, place: chance.random_range(0.0..1.0) },
            68..78 => Step::Program { file },
            78..92 => Step::Line { who },
            92..95 => Step::SandboxDies,
            95..98 => Step::ServerIsKilled,
            _ => Step::ServerEnds,
        }
    };
    (0..STEPS).map(|_| step()).collect()
}

#[derive(Default)]
struct Person {
    client: Option<Client>,
    editors: Vec<Editor>,
    resume: Option<String>,
    /// What it has seen of the terminal, and which that was.
    seen: Vec<u8>,
    terminal: Option<(u64, u32)>,
}

struct Room {
    program: Program,
    key: String,
    people: Vec<Person>,
    /// The terminal that everybody looks at, with the life of the sandbox it belongs to.
    terminal: Option<(u64, u32)>,
    /// For each file, what was written into it.
    words: Vec<Vec<String>>,
}

fn name(file: usize) -> String {
    format!("file{file}.txt")
}

impl Room {
    async fn new() -> Result<Self> {
        let program = Program::start(0).await?;
        let mut host = program.full().await?;
        let opened = host.aside.iter().find(|frame| frame["type"] == "init").context("the answer")?;
        let key = opened["join"].as_str().context("a key")?.to_owned();
        for file in 0..FILES {
            let create = json!({"type": "create", "item": "file", "path": name(file)});
            host.request(json!({"type": "cmd", "project_name": "p", "command": create})).await?;
        }
        let mut people = Vec::new();
        for _ in 0..PEOPLE {
            let mut person = Person::default();
            for file in 0..FILES {
                person.editors.push(Editor::open(&mut host, "p", &name(file)).await?);
            }
            people.push(person);
        }
        Ok(Self { program, key, people, terminal: None, words: vec![Vec::new(); FILES] })
    }

    async fn carry_out(&mut self, number: usize, step: &Step) -> Result<()> {
        match *step {
            Step::Come(who) => self.come(who).await?,
            Step::Cut(who) => self.cut(who)?,
            Step::Type { who, file, place } => {
                let word = format!("<{number}>");
                self.words[file].push(word.clone());
                let Person { client, editors, .. } = &mut self.people[who];
                let text = editors[file].text();
                let from = (place * text.len() as f64) as usize;
                let at = text[from..].find('<').map_or(text.len(), |skip| from + skip) as u32;
                match client {
                    Some(client) => editors[file].insert(client, at, &word).await?,
                    None => editors[file].insert_offline(at, &word),
                }
            }
            Step::Program { file } => {
                let word = format!("<{number}>");
                let mut plain = Client::connect(&self.program.url()).await?;
                plain.send(json!({"type": "join", "join": self.key})).await?;
                plain.expect("joined").await?;
                plain.shell("p", &format!("printf '{word}' >> {}", name(file))).await?;
                plain.until_end().await?;
                self.words[file].push(word);
            }
            Step::Line { who } => {
                self.come(who).await?;
                let (_, terminal) = self.terminal.context("a terminal")?;
                let client = self.people[who].client.as_mut().context("a connection")?;
                let line = format!("echo line {number}\n");
                client
                    .send_binary(BinaryFrame::Input { terminal: SessionId(terminal), bytes: line.as_bytes() })
                    .await?;
                client.output_with(terminal, &format!("\rline {number}\r\n")).await?;
            }
            Step::SandboxDies => {
                self.come(0).await?;
                for sandbox in self.program.sandboxes()? {
                    sandbox.kill()?;
                }
                let client = self.people[0].client.as_mut().context("a connection")?;
                client.frame_where("the end", |frame| frame["type"] == "sandbox" && frame["state"] == "gone").await?;
                client.request(json!({"type": "sandbox-start"})).await?;
                for who in 0..PEOPLE {
                    self.cut(who)?;
                }
            }
            Step::ServerIsKilled => {
                self.program.kill().await?;
                self.server_was_gone().await?;
            }
            Step::ServerEnds => {
                let clients = self.people.iter_mut().filter_map(|person| person.client.as_mut());
                let closed = join_all(clients.map(Client::closed));
                let (ended, closed) = tokio::join!(self.program.terminate(), closed);
                ensure!(ended?.success(), "the server did not end as it should");
                for code in closed {
                    ensure!(code? == Some(1012), "a connection was not told why it ends");
                }
                self.server_was_gone().await?;
            }
        }
        Ok(())
    }

    async fn server_was_gone(&mut self) -> Result<()> {
        for who in 0..PEOPLE {
            self.cut(who)?;
        }
        self.program.restart().await
    }

    fn cut(&mut self, who: usize) -> Result<()> {
        self.people[who].look()?;
        self.people[who].client = None;
        Ok(())
    }

    /// Joins, opens every document and follows the terminal, as a page does that comes back.
    async fn come(&mut self, who: usize) -> Result<()> {
        let person = &mut self.people[who];
        if person.client.is_some() {
            return Ok(());
        }
        let mut client = Client::connect(&self.program.url()).await?;
        let mut join = json!({"type": "join", "join": self.key, "protocol": 2, "instance": format!("page {who}")});
        join["resume"] = json!(person.resume);
        client.send(join).await?;
        let joined = client.expect("joined").await?;
        ensure!(person.resume.is_none() || joined["resumed"] == true, "{joined}");
        person.resume = joined["resume"].as_str().map(str::to_owned);
        for (file, editor) in person.editors.iter_mut().enumerate() {
            editor.reopen(&mut client, "p", &name(file)).await?;
        }
        let epoch = joined["sandbox_epoch"].as_u64().context("a number")?;
        if self.terminal.is_none_or(|(life, _)| life != epoch) {
            let open = json!({"type": "terminal-open", "project": "p", "cols": 80, "rows": 24});
            let opened = client.request(open).await?;
            let terminal = opened["terminal"].as_u64().with_context(|| opened.to_string())?;
            self.terminal = Some((epoch, u32::try_from(terminal)?));
        } else {
            let is_same = person.terminal == self.terminal;
            let from = if is_same { person.seen.len() } else { 0 };
            let (_, terminal) = self.terminal.context("a terminal")?;
            let attach = json!({"type": "terminal-attach", "terminal": terminal, "from": from});
            let attached = client.request(attach).await?;
            ensure!(attached["from"] == from, "{attached}");
        }
        if person.terminal != self.terminal {
            person.seen.clear();
            person.terminal = self.terminal;
        }
        person.client = Some(client);
        Ok(())
    }
}

impl Person {
    /// Takes what came of the terminal, byte by byte.
    fn look(&mut self) -> Result<()> {
        let Some(client) = &mut self.client else { return Ok(()) };
        for (terminal, offset, bytes) in client.output.drain(..) {
            if self.terminal.is_some_and(|(_, own)| own == terminal) {
                ensure!(offset == self.seen.len() as u64, "{offset} follows {}", self.seen.len());
                self.seen.extend(bytes);
            }
        }
        Ok(())
    }
}

impl Person {
    /// Looks until a text was printed, and returns everything before it.
    async fn look_until(&mut self, last: &str) -> Result<String> {
        let (_, terminal) = self.terminal.context("a terminal")?;
        loop {
            self.look()?;
            let seen = String::from_utf8_lossy(&self.seen);
            if let Some(end) = seen.find(last) {
                return Ok(seen[..end].to_owned());
            }
            self.client.as_mut().context("a connection")?.more_output(terminal).await?;
        }
    }
}

async fn run(seed: u64) -> Result<()> {
    let mut chance = chance::chance(seed, 0);
    let plan = plan(&mut chance);
    let mut room = Room::new().await?;
    for (number, step) in plan.iter().enumerate() {
        room.carry_out(number, step).await.with_context(|| format!("step {number}: {step:?}"))?;
    }

    // Everybody comes, and what they typed alone comes with them; the second round brings it to all.
    for who in (0..PEOPLE).chain(0..PEOPLE) {
        room.cut(who)?;
        room.come(who).await.with_context(|| format!("{who} comes in the end"))?;
        let Person { client: Some(client), editors, .. } = &mut room.people[who] else { unreachable!("came just now") };
        for editor in editors {
            editor.wait_until_held(client).await?;
        }
    }
    let mut plain = Client::connect(&room.program.url()).await?;
    plain.send(json!({"type": "join", "join": room.key})).await?;
    plain.expect("joined").await?;
    for file in 0..FILES {
        // A command sees everything that was typed before it; what a program wrote comes to the people from there.
        plain.shell("p", &format!("cat {}", name(file))).await?;
        let text = shown(&plain.until_end().await?);
        for who in 0..PEOPLE {
            let Person { client: Some(client), editors, .. } = &mut room.people[who] else {
                unreachable!("came just now")
            };
            editors[file].wait_for(client, &text).await.with_context(|| format!("{} at {who}", name(file)))?;
        }
        for word in &room.words[file] {
            ensure!(text.matches(&**word).count() == 1, "{word} in {}: {text}", name(file));
        }
    }
    room.carry_out(STEPS, &Step::Line { who: 0 }).await?;
    let last = format!("\rline {STEPS}\r\n");
    let mut texts = Vec::new();
    for (who, person) in room.people.iter_mut().enumerate() {
        let text = person.look_until(&last).await.with_context(|| format!("the terminal at {who}"))?;
        texts.push((who, text));
    }
    for (who, text) in &texts {
        ensure!(*text == texts[0].1, "{who} saw {text:?}, and 0 saw {:?}", texts[0].1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_everything_agrees_in_the_end() -> Result<()> {
    let plans = match (chance::is_given(), std::env::var_os("EMBEDENV_FULL")) {
        (true, _) => 1,
        (false, None) => PLANS,
        (false, Some(_)) => FULL_PLANS,
    };
    for _ in 0..plans {
        let seed = chance::seed();
        run(seed).await.with_context(|| format!("EMBEDENV_SEED={seed}"))?;
    }
    Ok(())
}
