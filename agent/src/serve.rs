//! The loop: waits until something happens, hands it to whom it concerns, and answers.
//!
//! ```text
//! listener ──> candidates ──proved──> link ──┬── input, progress ──> sessions ──> terminals
//!                                            ├── stream bytes ─────> streams ───> sockets
//!                                            └── requests ─┬───────> sessions, streams: answered here
//!                                                          └───────> workers: answered when done
//! ```
//!
//! Everything but the workers is this one thread. A new connection that has proved itself replaces the older one.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::id::{RequestId, SessionId, StreamId};
use embedenv_shared::link::ports::{Listener, Listening};
use embedenv_shared::link::{self as wire, Event, Greeting, Header, Kind, MAX_TO_AGENT, Pong, Reply, Request};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit};

use crate::arguments::{Secret, Settings};
use crate::environment::Environment;
use crate::files::Files;
use crate::files::archive::Archives;
use crate::files::beneath::Home;
use crate::files::watch::{self, Watches};
use crate::filter;
use crate::limits::Limits;
use crate::limits::disk::{Disk, Rhythm};
use crate::link::handshake::{Candidate, MAX_CANDIDATES, Step};
use crate::link::{Link, LinkError};
use crate::pipe;
use crate::poller::{self, Interest, Poller, Source};
use crate::ports::Streams;
use crate::ports::listening::{self, Look};
use crate::ports::proxy::Proxy;
use crate::reap::Children;
use crate::relay;
use crate::session::process::Late;
use crate::session::table::Sessions;
use crate::work::Workers;

/// How long the agent stays without a server.
const ALONE: Duration = Duration::from_secs(600);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 16;
/// Commands that may wait for the environment to be read; one more is refused.
const MAX_EARLY: usize = 32;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot {0}")]
    Setup(&'static str, #[source] std::io::Error),
    #[error("cannot wait for events")]
    Wait(#[source] Errno),
}

/// Without it file work could not be kept within the home, and every single call would fail.
const RESOLVE: &str = "open files by openat2, as Linux 5.6 and newer and newer gVisors do";

#[derive(Debug)]
pub struct Agent {
    secret: Secret,
    limits: Limits,
    poller: Poller,
    listener: OwnedFd,
    children: Children,
    workers: Workers<Done>,
    files: Files,
    archives: Archives,
    link: Option<Link>,
    candidates: Vec<Candidate>,
    /// Connections so far, for numbers.
    connections: u32,
    sessions: Sessions,
    streams: Streams,
    /// `None` until it was read; commands that come before wait.
    environment: Option<Environment>,
    login_path: Option<OsString>,
    inherited: Vec<(OsString, OsString)>,
    proxy: Option<Proxy>,
    early: Vec<(RequestId, u64, Request)>,
    watches_interest: Interest,
    watches_due: Option<Instant>,
    ports: listening::Ports,
    disk: Rhythm,
    alone_since: Instant,
}

/// What workers bring back.
enum Done {
    /// A whole reply frame, for one connection.
    Reply(u64, Vec<u8>),
    Environment(Environment),
    /// Whether the home is over its quota, and how long the count took.
    Counted(bool, Duration),
    /// What listens, and how long it took to find out.
    Ports(Vec<Listener>, Duration),
}

/// The link ends.
struct Hangup;

impl Agent {
    pub fn start(settings: Settings) -> Result<Self, ServeError> {
        let setup = |what| move |errno: Errno| ServeError::Setup(what, errno.into());
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(setup("hide from debuggers"))?;
        for program in &settings.filters {
            filter::install(program).map_err(setup("filter system calls"))?;
        }
        let children = Children::adopt().map_err(|error| ServeError::Setup("take care of children", error))?;
        rustix::process::chdir("/").map_err(setup("leave the working folder"))?;
        rustix::process::umask(Mode::from_raw_mode(0o022));
        let files = rustix::process::getrlimit(Resource::Nofile);
        // Fewer descriptors mean fewer streams, and nothing worse.
        let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files });
        let _ = rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });

        let home = Home::open(settings.home).map_err(setup("open the home"))?;
        home.can_resolve().map_err(setup(RESOLVE))?;
        let listener = settings.listener;
        rustix::fs::fcntl_setfl(&listener, OFlags::RDWR | OFlags::NONBLOCK).map_err(setup("use the listener"))?;
        // Again, so that the credentials that a connecting server is told are the agent's.
        rustix::net::listen(&listener, BACKLOG).map_err(setup("listen"))?;
        if let Some(name) = &settings.stdio {
            relay::attach(name).map_err(setup("carry standard input and output"))?;
        }
        let proxy = settings.proxy.map(Proxy::listen).transpose().map_err(setup("offer a proxy"))?;
        let poller = Poller::new().map_err(setup("make a poller"))?;
        let workers = Workers::new().map_err(setup("make workers"))?;
        let watches = Arc::new(Watches::new().map_err(setup("watch files"))?);
        let disk = Arc::new(Disk::new(settings.limits));
        poller.set(&listener, Source::Listener, &mut Interest::default(), Interest::READ);
        poller.set(&workers, Source::Workers, &mut Interest::default(), Interest::READ);
        poller.set(&children, Source::Children, &mut Interest::default(), Interest::READ);
        let now = Instant::now();
        Ok(Self {
            secret: settings.secret,
            limits: settings.limits,
            poller,
            listener,
            children,
            workers,
            files: Files { home: Arc::new(home), watches, disk, searches: Arc::default() },
            archives: Archives::default(),
            link: None,
            candidates: Vec::new(),
            connections: 0,
            sessions: Sessions::default(),
            streams: Streams::default(),
            environment: None,
            login_path: settings.login_path,
            inherited: settings.inherited,
            proxy,
            early: Vec::new(),
            watches_interest: Interest::default(),
            watches_due: None,
            ports: listening::Ports::new(now, settings.proxy),
            disk: Rhythm::new(now),
            alone_since: now,
        })
    }

    /// Serves until no server has been there for [`ALONE`].
    pub fn run(mut self) -> Result<(), ServeError> {
        let home = self.files.home.path().to_owned();
        // The queue is empty: there is room.
        let (login_path, inherited) = (self.login_path.take(), std::mem::take(&mut self.inherited));
        let proxy = self.proxy_port();
        let read = move || Done::Environment(Environment::read(&home, login_path.as_deref(), &inherited, proxy));
        let _ = self.workers.add(0, read);
        let mut events = Vec::new();
        loop {
            self.settle();
            let deadline = self.deadline();
            self.poller.wait(&mut events, Some(deadline)).map_err(ServeError::Wait)?;
            for event in &events {
                self.happened(event);
            }
            let now = Instant::now();
            if now >= deadline {
                if self.link.is_none() && now >= self.alone_since + ALONE {
                    return Ok(());
                }
                self.on_time(now);
            }
        }
    }

    fn happened(&mut self, event: &poller::Event) {
        let link = &mut self.link;
        match event.source {
            Source::Terminal(id) => self.sessions.terminal(SessionId(id), event.readable, event.writable, link),
            Source::Input(id) => {
                let late = self.sessions.input_ready(SessionId(id));
                self.answer_late(late);
            }
            Source::Link => {
                if event.readable {
                    self.receive();
                }
                if event.writable
                    && let Some(link) = &mut self.link
                {
                    link.flush();
                    self.sessions.send(&mut self.link);
                }
            }
            Source::Stream(id) => {
                let Some(link) = link else { return };
                if let Some((request, answer)) = self.streams.ready(StreamId(id), event.readable, event.writable, link)
                {
                    self.answer(request, answer);
                }
            }
            Source::Holder(id) => {
                let late = self.sessions.holder(SessionId(id), link);
                self.answer_late(late);
            }
            Source::Workers => self.collect(),
            Source::Children => self.children.reap(),
            Source::Folders => self.watches_due = Some(watch::due()),
            Source::Listener => self.accept(),
            Source::Proxy => {
                if let Some(proxy) = &mut self.proxy {
                    self.streams.accept(proxy, self.link.as_mut());
                }
            }
            Source::Candidate(id) => self.greet(id),
        }
    }

    /// Brings what is watched and what waits into line with what happened.
    fn settle(&mut self) {
        if self.link.as_ref().is_some_and(|link| link.broken().is_some()) {
            self.hear_out();
            self.lose_link();
        }
        if !self.link.as_ref().is_some_and(Link::is_busy) {
            self.workers.go_on();
        }
        self.sessions.observe(&self.poller);
        self.streams.observe(&self.poller, self.link.as_ref().is_some_and(Link::is_clear));
        if let Some(proxy) = &mut self.proxy {
            let wanted = Interest { read: self.link.is_none() || self.streams.takes_more(), write: false };
            let mut interest = proxy.interest;
            self.poller.set(&*proxy, Source::Proxy, &mut interest, wanted);
            proxy.interest = interest;
        }
        // While changes are gathered the kernel keeps them.
        let gathering = Interest { read: self.watches_due.is_none(), write: false };
        self.poller.set(&self.files.watches, Source::Folders, &mut self.watches_interest, gathering);
        if let Some(link) = &mut self.link {
            link.watch(&self.poller);
        }
    }

    fn deadline(&self) -> Instant {
        let idle = if self.link.is_some() { self.ports.deadline() } else { self.alone_since + ALONE };
        let candidates = self.candidates.iter().map(|candidate| candidate.deadline);
        let others = [
            self.sessions.deadline(),
            self.streams.deadline(),
            self.watches_due,
            self.disk.deadline(self.files.disk.is_limited(), self.sessions.any_live()),
        ];
        others.into_iter().flatten().chain(candidates).fold(idle, Instant::min)
    }

    fn on_time(&mut self, now: Instant) {
        self.sessions.on_time(now, &mut self.link);
        for (request, answer) in self.streams.on_time(now) {
            self.answer(request, answer);
        }
        self.candidates.retain(|candidate| candidate.deadline > now);
        if self.watches_due.is_some_and(|due| due <= now) {
            self.tell_changes();
        }
        if self.link.is_some() && self.ports.deadline() <= now {
            self.look_at_ports(now);
        }
        let due = self.disk.deadline(self.files.disk.is_limited(), self.sessions.any_live());
        if due.is_some_and(|due| due <= now) {
            self.count_disk();
        }
    }

    fn accept(&mut self) {
        // Errors concern a connection that is gone already; there will be others.
        while let Ok(stream) = rustix::net::accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            if self.candidates.len() >= MAX_CANDIDATES {
                self.candidates.remove(0);
            }
            self.connections = self.connections.wrapping_add(1);
            let mut candidate = Candidate::new(self.connections, stream);
            let mut interest = Interest::default();
            self.poller.set(&candidate, Source::Candidate(candidate.id), &mut interest, Interest::READ);
            candidate.interest = interest;
            self.candidates.push(candidate);
        }
    }

    fn greet(&mut self, id: u32) {
        let Some(index) = self.candidates.iter().position(|candidate| candidate.id == id) else { return };
        match self.candidates[index].readable(&self.secret) {
            Step::Waiting => {}
            Step::Refused => drop(self.candidates.remove(index)),
            Step::Proved => {
                let mut candidate = self.candidates.remove(index);
                let mut interest = candidate.interest;
                self.poller.set(&candidate, Source::Candidate(id), &mut interest, Interest::default());
                candidate.interest = interest;
                self.hear_out();
                self.lose_link();
                let descriptors = candidate.descriptors;
                let (stream, incoming) = candidate.into_parts();
                let mut link = Link::new(stream, u64::from(id), incoming, descriptors);
                let ready = Greeting::Ready { sessions: self.sessions.connected() };
                link.send_frame(&wire::encode(Kind::Greeting, 0, &ready));
                if self.disk.over {
                    link.send_frame(&wire::encode(Kind::Event, 0, &Event::OverQuota(true)));
                }
                self.link = Some(link);
                self.sessions.hand_over(&mut self.link);
                self.look_at_ports(Instant::now());
                self.handle_received();
            }
        }
    }

    /// Carries out what a server has still said on a link that is about to go: it may have told others that it was.
    fn hear_out(&mut self) {
        while let Some(link) = &mut self.link
            && matches!(link.receive(), Ok(true))
        {
            self.handle_received();
        }
    }

    fn lose_link(&mut self) {
        self.link = None;
        self.sessions.disconnected();
        self.streams.clear();
        self.files.watches.clear();
        self.files.searches.clear();
        self.watches_due = None;
        self.ports.forget();
        self.alone_since = Instant::now();
    }

    fn proxy_port(&self) -> Option<u16> {
        self.proxy.as_ref().map(|proxy| proxy.port)
    }

    fn generation(&self) -> Option<u64> {
        self.link.as_ref().map(|link| link.generation)
    }

    fn receive(&mut self) {
        let Some(link) = &mut self.link else { return };
        match link.receive() {
            Ok(_) => self.handle_received(),
            Err(LinkError::HungUp | LinkError::Io(_) | LinkError::Frame(_)) => self.lose_link(),
        }
    }

    fn handle_received(&mut self) {
        let Some(link) = &mut self.link else { return };
        let mut incoming = link.take_incoming();
        loop {
            match incoming.next(MAX_TO_AGENT) {
                Ok(None) => break,
                Ok(Some((header, payload))) => {
                    if let Err(Hangup) = self.handle(header, payload) {
                        return self.lose_link();
                    }
                }
                Err(_) => return self.lose_link(),
            }
        }
        if let Some(link) = &mut self.link {
            link.put_back(incoming);
        }
    }

    /// Handles one frame of the server's; an error ends the link.
    fn handle(&mut self, header: Header, payload: &[u8]) -> Result<(), Hangup> {
        let (session, stream) = (SessionId(header.channel), StreamId(header.channel));
        let Some(link) = &mut self.link else { return Ok(()) };
        match header.kind {
            Kind::Input => self.sessions.input(session, payload, &mut self.link),
            Kind::Progress => {
                let offset = payload.try_into().map_err(|_| Hangup)?;
                self.sessions.progress(session, u64::from_le_bytes(offset), &mut self.link);
            }
            Kind::StreamData => self.streams.data(stream, payload, link),
            Kind::StreamEnd => self.streams.end(stream, link),
            Kind::StreamCredit => {
                self.streams.credit(stream, u32::from_le_bytes(payload.try_into().map_err(|_| Hangup)?));
            }
            Kind::StreamReset => self.streams.reset(stream),
            Kind::Request => {
                let request = wire::decode(payload).map_err(|_| Hangup)?;
                self.requested(RequestId(header.channel), request);
            }
            Kind::Greeting | Kind::Reply | Kind::Event | Kind::Output => return Err(Hangup),
        }
        Ok(())
    }

    fn requested(&mut self, id: RequestId, request: Request) {
        let Some(generation) = self.generation() else { return };
        let answer = match request {
            Request::Ping(_) => Ok(Some(Reply::Pong(Pong))),
            Request::Open(_) | Request::Pipe(_) => self.begin(id, generation, request),
            Request::Attach(attach) => {
                let attached = self.sessions.attach(attach);
                match attached {
                    Ok(Some(reply)) => {
                        self.answer(id, Ok(reply));
                        self.sessions.send(&mut self.link);
                        return;
                    }
                    other => other,
                }
            }
            Request::Detach(detach) => self.sessions.detach(detach),
            Request::Replay(replay) => self.sessions.replay(replay),
            Request::Resize(resize) => self.sessions.resize(resize),
            Request::Feed(feed) => self.sessions.feed(id, generation, &feed),
            Request::Title(title) => self.sessions.title(title),
            Request::Signal(signal) => self.sessions.signal(signal),
            Request::Close(close) => {
                let closed = self.sessions.close(close);
                for late in self.sessions.take_late() {
                    self.answer_late(Some(late));
                }
                closed
            }
            Request::Forget(forget) => Ok(Some(Reply::Forgotten(self.files.searches.forget(&forget)))),
            Request::Dial(dial) => match self.streams.dial(id, &dial) {
                Some((_, answer)) => answer.map(Some),
                None => Ok(None),
            },
            Request::Archive(archive) => {
                self.streams.archive(&self.archives, self.files.home.clone(), archive).map(Some)
            }
            request => self.work(id, generation, request),
        };
        match answer {
            Ok(None) => {}
            Ok(Some(reply)) => self.answer(id, Ok(reply)),
            Err(failure) => self.answer(id, Err(failure)),
        }
    }

    /// Starts a program; one that comes before the sandbox's environment is known waits for it.
    fn begin(&mut self, id: RequestId, generation: u64, request: Request) -> Result<Option<Reply>, Failure> {
        let Some(environment) = self.environment.clone() else {
            if self.early.len() >= MAX_EARLY {
                return Err(Failure::new(ErrorCode::Unavailable, "the sandbox is still starting"));
            }
            self.early.push((id, generation, request));
            return Ok(None);
        };
        match request {
            Request::Open(open) => {
                self.sessions.open(id, generation, open, &self.files.home, &environment, &self.limits)
            }
            Request::Pipe(pipe) => {
                let (home, limits, weight) = (self.files.home.clone(), self.limits, pipe.input.len());
                self.add(weight, generation, id, move || {
                    pipe::run(&home, &environment, limits, &pipe).map(Reply::Piped)
                })
            }
            other => self.work(id, generation, other),
        }
    }

    fn work(&mut self, id: RequestId, generation: u64, request: Request) -> Result<Option<Reply>, Failure> {
        let files = self.files.clone();
        self.add(Files::weight(&request), generation, id, move || {
            files.answer(request).unwrap_or_else(|| Err(Failure::new(ErrorCode::Internal, "no such request")))
        })
    }

    /// Has `job` done by a worker, which answers request `id` of link `generation`.
    fn add(
        &mut self,
        weight: usize,
        generation: u64,
        id: RequestId,
        job: impl FnOnce() -> Result<Reply, Failure> + Send + 'static,
    ) -> Result<Option<Reply>, Failure> {
        let job = move || Done::Reply(generation, wire::encode(Kind::Reply, id.0, &job()));
        match self.workers.add(weight, job) {
            Ok(()) => Ok(None),
            Err(_) => Err(Failure::new(ErrorCode::Unavailable, "the sandbox has too much to do")),
        }
    }

    fn collect(&mut self) {
        for done in self.workers.collect() {
            match done {
                Done::Reply(generation, frame) => {
                    if let Some(link) = &mut self.link
                        && link.generation == generation
                    {
                        link.send_frame(&frame);
                    }
                }
                Done::Environment(environment) => {
                    self.environment = Some(environment);
                    for (id, generation, request) in std::mem::take(&mut self.early) {
                        if self.generation() == Some(generation)
                            && let Err(failure) = self.begin(id, generation, request)
                        {
                            self.answer(id, Err(failure));
                        }
                    }
                }
                Done::Counted(over, took) => self.counted(over, took),
                Done::Ports(ports, took) => {
                    let look = self.ports.read(Instant::now(), ports, took);
                    self.ports_looked_at(look);
                    if self.link.is_none() {
                        self.ports.forget();
                    }
                }
            }
        }
    }

    fn answer(&mut self, id: RequestId, answer: Result<Reply, Failure>) {
        if let Some(link) = &mut self.link {
            link.send_frame(&wire::encode(Kind::Reply, id.0, &answer));
        }
    }

    /// Answers what was asked some time ago, if whoever asked is still there.
    fn answer_late(&mut self, late: Option<Late>) {
        if let Some((request, generation, answer)) = late
            && self.generation() == Some(generation)
        {
            self.answer(request, answer);
        }
    }

    fn tell(&mut self, event: &Event) {
        if let Some(link) = &mut self.link {
            link.send_frame(&wire::encode(Kind::Event, 0, event));
        }
    }

    fn tell_changes(&mut self) {
        if self.link.as_ref().is_some_and(Link::is_busy) {
            self.watches_due = Some(watch::due());
            return;
        }
        self.watches_due = None;
        for changed in self.files.watches.collect() {
            self.tell(&Event::Changed(changed));
        }
    }

    fn look_at_ports(&mut self, now: Instant) {
        let programs_run = self.sessions.any_live();
        let look = self.ports.look(now, programs_run);
        self.ports_looked_at(look);
    }

    fn ports_looked_at(&mut self, look: Look) {
        match look {
            Look::Nothing => {}
            Look::Tell(ports) => self.tell(&Event::Ports(Listening { ports })),
            Look::Read => {
                let read = || {
                    let begun = Instant::now();
                    Done::Ports(listening::listeners(), begun.elapsed())
                };
                if self.workers.add(0, read).is_err() {
                    self.ports = listening::Ports::new(Instant::now(), self.proxy_port());
                }
            }
        }
    }

    fn count_disk(&mut self) {
        let files = self.files.clone();
        self.disk.begin();
        let count = move || {
            let begun = Instant::now();
            let over = files.disk.count(&files.home);
            if over {
                crate::limits::writers::stop(files.home.path());
            }
            Done::Counted(over, begun.elapsed())
        };
        if self.workers.add(0, count).is_err() {
            self.disk.done(Duration::ZERO);
        }
    }

    fn counted(&mut self, over: bool, took: Duration) {
        self.disk.done(took);
        if std::mem::replace(&mut self.disk.over, over) != over {
            self.tell(&Event::OverQuota(over));
        }
    }
}
