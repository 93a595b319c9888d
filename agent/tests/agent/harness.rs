//! Starts agents and speaks to them: [`Agent`] is the child, [`Client`] a server's end of the link that keeps what it
//! hears. Everything that waits has a limit and says what it waited for.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{RequestId, SessionId};
use embedenv_shared::link::files::{List, Listing, Read, Write, Written};
use embedenv_shared::link::sessions::{Bounds, Exited, Open, Opened, Pipes, SessionKind, SessionState, Size};
use embedenv_shared::link::{
    self as wire, Answer, Call, Event, Greeting, HEADER, Header, Kind, LINK_VERSION, MAX_FROM_AGENT, SECRET, Speaker,
};
use embedenv_shared::path::{EntryName, ProjectName, WorkspacePath};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long anything may take before a test fails.
const LIMIT: Duration = Duration::from_secs(20);
pub const KEY: [u8; SECRET] = [7; SECRET];

/// A running agent with a home of its own; killed when dropped.
pub struct Agent {
    child: Child,
    folder: tempfile::TempDir,
}

impl Agent {
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(arguments: &[&str]) -> Self {
        // Descriptors are inherited by number: no other child may be started while they are open here.
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
        let listener = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(folder.path().join("link")).unwrap()).unwrap();
        rustix::net::listen(&listener, 16).unwrap();
        let (secret, secret_end) = rustix::pipe::pipe().unwrap();
        rustix::io::fcntl_setfd(&secret_end, rustix::io::FdFlags::CLOEXEC).unwrap();
        rustix::io::write(&secret_end, &KEY).unwrap();
        drop(secret_end);
        let mut command = Command::new(env!("CARGO_BIN_EXE_embedenv-agent"));
        command.args(["serve", "--listen-fd", &listener.as_raw_fd().to_string()]);
        command.args(["--secret-fd", &secret.as_raw_fd().to_string(), "--home"]).arg(folder.path().join("home"));
        let child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, folder }
    }

    /// One that is reached through its standard input and output alone, and by the name of its socket: the other end of
    /// both, with this preamble sent.
    pub fn through_pipes(preamble: &[u8]) -> (Self, UnixStream, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        let name = folder.path().display().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_embedenv-agent"));
        command.args(["serve", "--listen", &name, "--home"]).arg(folder.path().join("home"));
        let (child, mut stream) = piped(&mut command);
        stream.write_all(preamble).unwrap();
        (Self { child, folder }, stream, name)
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn project(&self) -> PathBuf {
        self.home().join("P")
    }

    /// A connection that has said nothing yet.
    pub fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.folder.path().join("link")).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    pub fn client(&self) -> Client {
        Client::greet(self.connect(), KEY).expect("the agent knows the key")
    }

    /// Does something while the agent stands still, so that it finds all of it at once.
    pub fn meanwhile(&self, act: impl FnOnce()) {
        let pid = rustix::process::Pid::from_raw(self.pid() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        act();
        rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    }

    /// Bytes of the agent's own memory that are resident now.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// The state letters of the agent's children.
    pub fn children(&self) -> Vec<char> {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid())).unwrap();
        let state = |pid: &str| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            stat.rsplit_once(") ")?.1.chars().next()
        };
        children.split_ascii_whitespace().filter_map(state).collect()
    }
}

/// Starts a program whose standard input and output are one stream, and returns its other end.
pub fn piped(command: &mut Command) -> (Child, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(LIMIT)).unwrap();
    let both = [theirs.try_clone().unwrap(), theirs].map(|end| Stdio::from(std::os::fd::OwnedFd::from(end)));
    let [stdin, stdout] = both;
    (command.stdin(stdin).stdout(stdout).spawn().unwrap(), ours)
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Everything it started is its descendant.
        let mut family = vec![self.pid().to_string()];
        let mut at = 0;
        while at < family.len() {
            for task in std::fs::read_dir(format!("/proc/{}/task", family[at])).into_iter().flatten().flatten() {
                let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
                family.extend(children.split_ascii_whitespace().map(str::to_owned));
            }
            at += 1;
        }
        for pid in family {
            let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// A server's end of the link.
pub struct Client {
    stream: UnixStream,
    bytes: Vec<u8>,
    next_request: u32,
    replies: HashMap<u32, Answer>,
    /// What was there when this connected.
    pub sessions: Vec<SessionState>,
    /// Output of each session since this connected, and the offset after it.
    pub output: HashMap<u32, Vec<u8>>,
    pub heads: HashMap<u32, u64>,
    pub events: Vec<Event>,
    /// Other frames: kind, channel, payload.
    pub frames: Vec<(Kind, u32, Vec<u8>)>,
    /// Whether output counts as read when it has arrived.
    pub reads: bool,
}

pub fn proof(key: [u8; SECRET], speaker: Speaker, server: &[u8; SECRET], agent: &[u8; SECRET]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256>>::new_from_slice(&key).unwrap();
    mac.update(&wire::proof_input(speaker, server, agent));
    mac.finalize().into_bytes().into()
}

impl Client {
    /// Shakes hands; `None` when the agent hangs up.
    pub fn greet(stream: UnixStream, key: [u8; SECRET]) -> Option<Self> {
        let mut client = Self {
            stream,
            bytes: Vec::new(),
            next_request: 1,
            replies: HashMap::new(),
            sessions: Vec::new(),
            output: HashMap::new(),
            heads: HashMap::new(),
            events: Vec::new(),
            frames: Vec::new(),
            reads: true,
        };
        let own = [9; SECRET];
        client.send(
            Kind::Greeting,
            0,
            &wire::encode(Kind::Greeting, 0, &Greeting::Hello { version: LINK_VERSION, nonce: own, descriptors: true })
                [HEADER..],
        );
        let Greeting::Welcome { version, nonce, proof: agent } = client.greeting()? else { panic!("no welcome") };
        assert_eq!(version, LINK_VERSION);
        assert_eq!(agent, proof(KEY, Speaker::Agent, &own, &nonce), "the agent holds the key");
        let greeting = Greeting::Proof { proof: proof(key, Speaker::Server, &own, &nonce) };
        client.send(Kind::Greeting, 0, &wire::encode(Kind::Greeting, 0, &greeting)[HEADER..]);
        let Greeting::Ready { sessions } = client.greeting()? else { panic!("not ready") };
        client.sessions = sessions;
        Some(client)
    }

    fn greeting(&mut self) -> Option<Greeting> {
        let (header, payload) = self.frame()?;
        assert_eq!(header.kind, Kind::Greeting);
        Some(wire::decode(&payload).unwrap())
    }

    pub fn send(&mut self, kind: Kind, channel: u32, payload: &[u8]) {
        let header = Header::new(kind, channel, payload.len()).encode();
        self.stream.write_all(&[&header, payload].concat()).unwrap();
    }

    /// The next frame; `None` when the agent has hung up.
    pub fn frame(&mut self) -> Option<(Header, Vec<u8>)> {
        loop {
            if let Some(head) = self.bytes.first_chunk::<HEADER>() {
                let header = Header::decode(head, MAX_FROM_AGENT).unwrap();
                let end = HEADER + header.length as usize;
                if self.bytes.len() >= end {
                    let payload = self.bytes[HEADER..end].to_vec();
                    self.bytes.drain(..end);
                    return Some((header, payload));
                }
            }
            let mut chunk = [0; 65536];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Ok(count) => self.bytes.extend_from_slice(&chunk[..count]),
                Err(error) => panic!("nothing came from the agent: {error}"),
            }
        }
    }

    /// Takes the next frame in.
    pub fn hear(&mut self) {
        let (header, payload) = self.frame().expect("the agent does not hang up");
        let channel = header.channel;
        match header.kind {
            Kind::Reply => drop(self.replies.insert(channel, wire::decode(&payload).unwrap())),
            Kind::Event => self.events.push(wire::decode(&payload).unwrap()),
            Kind::Output => {
                let (offset, bytes) = payload.split_first_chunk().unwrap();
                let offset = u64::from_le_bytes(*offset);
                let head = self.heads.entry(channel).or_insert(offset);
                assert!(*head <= offset, "output comes in order");
                *head = offset + bytes.len() as u64;
                let head = *head;
                self.output.entry(channel).or_default().extend_from_slice(bytes);
                if self.reads {
                    self.progress(channel, head);
                }
            }
            kind => self.frames.push((kind, channel, payload)),
        }
    }

    #[track_caller]
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < LIMIT, "waited too long: {what}; heard {:?}", self.events);
            self.hear();
        }
    }

    pub fn start_call<C: Call>(&mut self, call: C) -> u32 {
        let id = self.next_request;
        self.next_request += 1;
        let frame = wire::encode_request(RequestId(id), &call.into());
        self.send(Kind::Request, id, &frame[HEADER..]);
        id
    }

    #[track_caller]
    pub fn finish_call<C: Call>(&mut self, id: u32) -> Result<C::Reply, Failure> {
        self.until("a reply", |client| client.replies.contains_key(&id));
        match self.replies.remove(&id).unwrap() {
            Ok(reply) => Ok(C::Reply::try_from(reply).unwrap_or_else(|_| panic!("a reply of another kind"))),
            Err(failure) => Err(failure),
        }
    }

    #[track_caller]
    pub fn call<C: Call>(&mut self, call: C) -> Result<C::Reply, Failure> {
        let id = self.start_call(call);
        self.finish_call::<C>(id)
    }

    #[track_caller]
    pub fn refused<C: Call>(&mut self, call: C) -> ErrorCode
    where
        C::Reply: std::fmt::Debug,
    {
        self.call(call).unwrap_err().code
    }

    pub fn progress(&mut self, session: u32, offset: u64) {
        self.send(Kind::Progress, session, &offset.to_le_bytes());
    }

    #[track_caller]
    pub fn open(&mut self, session: u32, kind: SessionKind, command: Option<&str>) -> Result<Opened, Failure> {
        let command = command.map(str::to_owned);
        self.call(Open { kind, command, ..opening(session) })
    }

    /// Starts a process whose errors are the session behind it.
    #[track_caller]
    pub fn process(&mut self, session: u32, command: &str, is_fed: bool, bounds: Bounds) {
        let pipes = Some(Pipes { errors: SessionId(session + 1), is_fed, bounds });
        let command = Some(command.to_owned());
        self.call(Open { kind: SessionKind::Process, command, pipes, ..opening(session) }).unwrap();
    }

    #[track_caller]
    pub fn shell(&mut self, session: u32, command: &str) {
        self.open(session, SessionKind::Shell, Some(command)).unwrap();
    }

    pub fn type_in(&mut self, session: u32, text: &str) {
        self.send(Kind::Input, session, text.as_bytes());
    }

    pub fn text(&self, session: u32) -> String {
        String::from_utf8_lossy(self.output.get(&session).map_or(&[], Vec::as_slice)).into_owned()
    }

    #[track_caller]
    pub fn until_text(&mut self, session: u32, text: &str) {
        self.until(text, |client| client.text(session).contains(text));
    }

    pub fn exit_of(&self, session: u32) -> Option<Exited> {
        self.events.iter().find_map(|event| match event {
            Event::Exited(exited) if exited.session == SessionId(session) => Some(exited.clone()),
            _ => None,
        })
    }

    /// Waits for the end of a session and returns all that it printed.
    #[track_caller]
    pub fn until_exit(&mut self, session: u32) -> (String, Exited) {
        self.until("the end of a session", |client| client.exit_of(session).is_some());
        (self.text(session), self.exit_of(session).unwrap())
    }

    #[track_caller]
    pub fn write(&mut self, at: &str, content: &[u8]) -> Result<Written, Failure> {
        self.call(Write { project: project(), path: path(at), content: content.to_vec(), expected: None })
    }

    #[track_caller]
    pub fn read(&mut self, at: &str) -> Result<Vec<u8>, Failure> {
        self.call(Read { project: project(), path: path(at), offset: 0, length: 1024 * 1024 })
            .map(|content| content.bytes)
    }

    #[track_caller]
    pub fn list(&mut self, at: &str, watch: bool) -> Result<Listing, Failure> {
        self.call(List { project: project(), path: path(at), after: None, watch })
    }

    #[track_caller]
    pub fn names(&mut self, at: &str) -> Vec<String> {
        self.list(at, false).unwrap().entries.into_iter().map(|entry| entry.name).collect()
    }
}

/// A terminal to be opened, or what something else that is opened has of one.
pub fn opening(session: u32) -> Open {
    Open {
        session: SessionId(session),
        kind: SessionKind::Terminal,
        project: project(),
        folder: path(""),
        command: None,
        environment: BTreeMap::new(),
        pipes: None,
        title: format!("Terminal {session}"),
        size: Size::PLAIN,
    }
}

/// The project of every test.
pub fn project() -> ProjectName {
    ProjectName::parse("P").unwrap()
}

pub fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse_or_root(text).unwrap()
}

pub fn name(text: &str) -> EntryName {
    EntryName::parse(text).unwrap()
}

/// Waits until something outside the link is so.
#[track_caller]
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LIMIT, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
