//! The one WebSocket: joins, sends, matches replies to requests, notices death, comes back by itself.
//!
//! Task tree: one `run` for the life of the page, which carries one connection after the other; while one stands, a timer
//! that pings. Sending never waits: the browser's socket queues. Nothing here knows the state.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use embedenv_shared::code::{ErrorCode, Failure};
use embedenv_shared::command::{FrameId, FullRequest, Join, Visit};
use embedenv_shared::frame::{BinaryFrame, Joined, ServerFrame};
use embedenv_shared::id::SessionId;
use embedenv_shared::path::ProjectName;
use futures_channel::oneshot;
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message as Received, WebSocketError};
use gloo_timers::callback::{Interval, Timeout};
use gloo_timers::future::TimeoutFuture;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use crate::backoff::Backoff;
use crate::interop::page;
use crate::queue::{Full, Message, Queue};
use crate::signal::Signal;
use crate::wire::{self, Unreadable};
use crate::words::catalogue::say;
use crate::words::{AfterClose, Notice, Told, after_close};

/// How often the server is asked whether it is there, in milliseconds.
const PING: u32 = 15_000;
/// Pings in a row that may stay unanswered, and with them everything else; then the connection is dead.
const MISSED: u32 = 2;
/// A connection of which something suggests that it is dead gets this long to say something, in milliseconds.
const PROOF: u32 = 5_000;
/// The browser gets this long to reach the server, in milliseconds.
const REACH: u32 = 10_000;
/// The server gets this long to answer `join`, in milliseconds: it may have to start a sandbox, which has a minute.
const JOIN: u32 = 75_000;

const PING_FRAME: &str = r#"{"type":"ping"}"#;

/// What the connection tells.
pub(crate) enum Event {
    /// A room was opened for this page, which joins it by this key from now on.
    Visited(String),
    Joined(Box<Joined>),
    Frame(ServerFrame),
    Binary(Vec<u8>),
    /// It broke, or could not be made, and is tried again soon.
    Lost(Told),
    /// It is no use to try again by itself.
    Stopped(Notice),
    /// So many commands may have been carried out or not: the server was killed over one, or knows this client no more.
    Uncertain(usize),
}

/// How a connection begins.
pub(crate) enum First {
    Join(Join),
    Visit(Visit),
}

pub(crate) type Reply = Result<ServerFrame, Failure>;
/// Is given each frame that answers a request, and says whether more will come.
type Waiting = Box<dyn FnMut(Reply) -> More>;

/// A request whose reply is waited for.
struct Asked {
    id: u64,
    /// Its number, if it is a command.
    seq: Option<u64>,
    waiting: Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    Comes,
    IsOver,
}

#[derive(Clone)]
pub(crate) struct Connection(Rc<Inner>);

struct Inner {
    /// The browser's socket while the room is joined.
    socket: RefCell<Option<web_sys::WebSocket>>,
    waiting: RefCell<Vec<Asked>>,
    /// Commands that the server has not said it carried out.
    queue: RefCell<Queue>,
    /// How many things a person would say wait for a connection.
    backlog: Signal<usize>,
    /// Commands go out at once. Otherwise they wait for what has to be there before them.
    is_open: Cell<bool>,
    last_id: Cell<u64>,
    /// Pings sent since anything was heard.
    unanswered: Cell<u32>,
    /// Ends a connection that proves in no time that it lives.
    doubt: RefCell<Option<Timeout>>,
    /// Ends the wait for the next attempt.
    hurry: RefCell<Option<oneshot::Sender<()>>>,
    /// Ends the connection that stands.
    give_up: RefCell<Option<oneshot::Sender<()>>>,
}

/// How one connection ended.
struct End {
    code: u16,
    error: Option<Failure>,
    joined: bool,
}

impl Connection {
    pub(crate) fn new() -> Self {
        Self(Rc::new(Inner {
            socket: RefCell::default(),
            waiting: RefCell::default(),
            queue: RefCell::default(),
            backlog: Signal::new(0),
            is_open: Cell::default(),
            last_id: Cell::default(),
            unanswered: Cell::default(),
            doubt: RefCell::default(),
            hurry: RefCell::default(),
            give_up: RefCell::default(),
        }))
    }

    /// Joins, and joins again whenever the connection breaks. `join` makes the first frame.
    pub(crate) fn start(&self, join: impl Fn() -> First + 'static, tell: impl Fn(Event) + 'static) {
        let inner = self.0.clone();
        spawn_local(async move { inner.run(join, tell).await });
    }

    /// Tries now what would be tried later; a connection that stands has [`PROOF`] to show that it lives.
    pub(crate) fn hurry(&self) {
        if let Some(hurry) = self.0.hurry.borrow_mut().take() {
            // Nobody waits any more: then there is nothing to hurry.
            let _ = hurry.send(());
        } else if self.is_up() {
            let connection = self.clone();
            *self.0.doubt.borrow_mut() = Some(Timeout::new(PROOF, move || connection.renew()));
            self.0.send_text(PING_FRAME);
        }
    }

    /// Ends the connection that stands, so that the next one joins anew: under another name, or over a network that is
    /// there.
    pub(crate) fn renew(&self) {
        if let Some(give_up) = self.0.give_up.borrow_mut().take() {
            let _ = give_up.send(());
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.0.socket.borrow().is_some()
    }

    /// Sends a binary frame. Returns whether there is a connection to carry it.
    pub(crate) fn send_binary(&self, frame: BinaryFrame<'_>) -> bool {
        let socket = self.0.socket.borrow();
        socket.as_ref().is_some_and(|socket| socket.send_with_u8_array(&frame.encode()).is_ok())
    }

    /// Sends a request whose reply nobody waits for; what goes wrong is told as an event.
    pub(crate) fn tell(&self, request: &FullRequest) {
        self.0.send_text(&written(request).to_string());
    }

    /// Sends a request; `then` is called with its reply before the next frame is looked at.
    pub(crate) fn ask(&self, request: &FullRequest, then: impl FnOnce(Reply) + 'static) {
        self.0.send_and_wait(Box::new(once(then)), written(request));
    }

    pub(crate) async fn request(&self, request: &FullRequest) -> Reply {
        let (sender, reply) = oneshot::channel();
        self.ask(request, |reply| {
            // Who asked may have gone.
            let _ = sender.send(reply);
        });
        reply.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Sends a request that changes something. Without a connection it waits for the next one; it is carried out once.
    /// `then` is called with its reply, or with `already_done` if that was lost.
    pub(crate) fn order(&self, request: &FullRequest, then: impl FnOnce(Reply) + 'static) {
        self.0.order(written(request), Some(Box::new(once(then))));
    }

    /// As [`Self::order`], waiting until it was carried out.
    pub(crate) async fn ordered(&self, request: &FullRequest) -> Result<(), Failure> {
        let (sender, reply) = oneshot::channel();
        self.order(request, |reply| {
            let _ = sender.send(match reply {
                // It was carried out, and what came of it is seen in the room.
                Err(failure) if failure.code == ErrorCode::AlreadyDone => Ok(()),
                reply => reply.map(drop),
            });
        });
        reply.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Types into a terminal. Returns whether that was taken.
    pub(crate) fn type_in(&self, terminal: SessionId, bytes: &[u8]) -> bool {
        self.0.push(|seq| Message::Binary(BinaryFrame::NumberedInput { terminal, seq, bytes }.encode())).is_ok()
    }

    /// Commands that wait may go out now: what they depend on is there.
    pub(crate) fn open(&self) {
        self.0.is_open.set(true);
        self.0.send_queue();
        self.0.tell_backlog();
    }

    /// What was typed into terminals that are not among these is for nobody.
    pub(crate) fn forget_input_but_for(&self, terminals: &[SessionId]) {
        self.0.queue.borrow_mut().retain(|message| match message {
            Message::Binary(bytes) => match BinaryFrame::decode(bytes) {
                Ok(BinaryFrame::NumberedInput { terminal, .. }) => terminals.contains(&terminal),
                _ => true,
            },
            Message::Text(_) => true,
        });
    }

    /// How many things a person would say wait for a connection.
    pub(crate) fn backlog(&self) -> &Signal<usize> {
        &self.0.backlog
    }

    /// Sends a `cmd` frame that changes something; `command` is its command and `members` what stands beside it.
    pub(crate) async fn command(&self, project: &ProjectName, command: Value, members: Value) -> Result<(), Failure> {
        let (sender, reply) = oneshot::channel();
        let then = move |reply: Reply| {
            let _ = sender.send(match reply {
                // It was carried out, and what came of it is seen in the room.
                Err(failure) if failure.code == ErrorCode::AlreadyDone => Ok(()),
                reply => reply.map(drop),
            });
        };
        self.0.order(cmd(project, command, members), Some(Box::new(once(then))));
        reply.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Sends a request that has several replies. Returns what it is called, by which it can be cancelled.
    pub(crate) fn each_of(&self, request: &FullRequest, waiting: impl FnMut(Reply) -> More + 'static) -> u64 {
        self.0.send_and_wait(Box::new(waiting), written(request))
    }

    /// Ends a search early; its last reply still comes.
    pub(crate) fn cancel(&self, id: u64) {
        self.ask(&FullRequest::Cancel { request: FrameId::Number(id) }, drop);
    }

    /// Sends a `cmd` frame that may have several replies.
    pub(crate) fn each_reply(
        &self,
        project: &ProjectName,
        command: Value,
        members: Value,
        waiting: impl FnMut(Reply) -> More + 'static,
    ) {
        self.0.send_and_wait(Box::new(waiting), cmd(project, command, members));
    }
}

impl Inner {
    async fn run(self: Rc<Self>, join: impl Fn() -> First, tell: impl Fn(Event)) {
        let mut backoff = Backoff::default();
        loop {
            let End { code, error, joined } = self.carry(&join, &tell).await;
            self.lose();
            if joined {
                backoff.reset();
            }
            let hurry = self.wait_for_hurry();
            match after_close(code, error.as_ref(), joined) {
                AfterClose::Stop(notice) => {
                    tell(Event::Stopped(notice));
                    let _ = hurry.await;
                }
                AfterClose::Again(told) => {
                    tell(Event::Lost(told));
                    let wait = backoff.next(js_sys::Math::random());
                    select(hurry, TimeoutFuture::new(wait as u32)).await;
                }
            }
            *self.hurry.borrow_mut() = None;
        }
    }

    fn wait_for_hurry(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        *self.hurry.borrow_mut() = Some(sender);
        receiver
    }

    /// One connection from its first byte to its last.
    async fn carry(self: &Rc<Self>, join: &impl Fn() -> First, tell: &impl Fn(Event)) -> End {
        let mut end = End { code: 1006, error: None, joined: false };
        let Ok(socket) = web_sys::WebSocket::new(&page::socket_url()) else { return end };
        // The browser's socket sends at once and takes bytes as they are; gloo's end of it receives.
        let Ok(mut stream) = WebSocket::try_from(socket.clone()) else { return end };
        let (sender, mut give_up) = oneshot::channel();
        *self.give_up.borrow_mut() = Some(sender);
        let opened = Rc::new(Cell::new(false));
        let opening = gloo_events::EventListener::once(&socket, "open", {
            let (socket, opened) = (socket.clone(), opened.clone());
            let first = match join() {
                First::Join(join) => serde_json::to_value(join).map(|frame| (frame, "join")),
                First::Visit(visit) => serde_json::to_value(visit).map(|frame| (frame, "visit")),
            };
            let frame = first.map(|(mut frame, kind)| {
                frame["type"] = json!(kind);
                frame.to_string()
            });
            move |_| {
                opened.set(true);
                if let Ok(frame) = frame {
                    let _ = socket.send_with_str(&frame);
                }
            }
        });
        let mut patience = Some(Box::pin(Self::patience(opened)));
        let mut _pings = None;
        loop {
            let next = stream.next();
            let message = match &mut patience {
                Some(limit) => match select(next, select(&mut give_up, limit)).await {
                    Either::Left((message, _)) => message,
                    Either::Right(_) => break,
                },
                None => match select(next, &mut give_up).await {
                    Either::Left((message, _)) => message,
                    Either::Right(_) => break,
                },
            };
            self.unanswered.set(0);
            *self.doubt.borrow_mut() = None;
            match message {
                Some(Ok(Received::Bytes(bytes))) => tell(Event::Binary(bytes)),
                Some(Ok(Received::Text(text))) => match wire::read(&text) {
                    Ok(ServerFrame::Joined(joined)) if !end.joined => {
                        end.joined = true;
                        patience = None;
                        let uncertain = self.take_up(&joined);
                        *self.socket.borrow_mut() = Some(socket.clone());
                        tell(Event::Joined(joined));
                        if uncertain > 0 {
                            tell(Event::Uncertain(uncertain));
                        }
                    }
                    Ok(ServerFrame::Visited { join }) if !end.joined => tell(Event::Visited(join)),
                    Ok(ServerFrame::Error { code, message, .. }) if !end.joined => {
                        end.error = Some(Failure::new(code, message));
                    }
                    Ok(frame) => self.frame(frame, tell),
                    Err(Unreadable) => page::warn("a frame of the server's was not understood"),
                },
                Some(Err(WebSocketError::ConnectionClose(event))) => {
                    end.code = event.code;
                    break;
                }
                // Its close follows, and says more.
                Some(Err(_)) => {}
                None => break,
            }
            if end.joined && _pings.is_none() {
                _pings = Some(self.pinging());
            }
        }
        drop(opening);
        let _ = socket.close();
        end
    }

    /// Ends when the server can't be reached, or does not answer the first frame.
    async fn patience(opened: Rc<Cell<bool>>) {
        TimeoutFuture::new(REACH).await;
        if opened.get() {
            TimeoutFuture::new(JOIN - REACH).await;
        }
    }

    fn pinging(self: &Rc<Self>) -> Interval {
        let inner = self.clone();
        Interval::new(PING, move || inner.ping())
    }

    /// Asks whether the server is there, or gives the connection up when it has not said anything for too long.
    fn ping(&self) {
        if self.unanswered.get() >= MISSED {
            if let Some(give_up) = self.give_up.borrow_mut().take() {
                let _ = give_up.send(());
            }
            return;
        }
        self.unanswered.set(self.unanswered.get() + 1);
        self.send_text(PING_FRAME);
    }

    fn send_text(&self, text: &str) -> bool {
        self.socket.borrow().as_ref().is_some_and(|socket| socket.send_with_str(text).is_ok())
    }

    fn send_and_wait(&self, mut waiting: Waiting, mut frame: Value) -> u64 {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        frame["id"] = id.into();
        if self.send_text(&frame.to_string()) {
            self.waiting.borrow_mut().push(Asked { id, seq: None, waiting });
        } else {
            waiting(Err(lost()));
        }
        id
    }

    /// Keeps a command until it is carried out, and sends it if it may go.
    fn order(&self, mut frame: Value, waiting: Option<Waiting>) {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        frame["id"] = id.into();
        let pushed = self.push(|seq| {
            frame["seq"] = seq.into();
            Message::Text(frame.to_string())
        });
        match (pushed, waiting) {
            (Ok(seq), Some(waiting)) => self.waiting.borrow_mut().push(Asked { id, seq: Some(seq), waiting }),
            (Err(failure), Some(mut waiting)) => drop(waiting(Err(failure))),
            (_, None) => {}
        }
    }

    fn push(&self, make: impl FnOnce(u64) -> Message) -> Result<u64, Failure> {
        let pushed = self.queue.borrow_mut().push(make);
        let seq = pushed.map_err(|Full| Failure::new(ErrorCode::Unavailable, say!("failed.too-much")))?;
        if self.is_open.get() && self.socket.borrow().is_some() {
            self.send_queue();
        } else {
            self.tell_backlog();
        }
        Ok(seq)
    }

    fn tell_backlog(&self) {
        self.backlog.set(if self.is_open.get() { 0 } else { self.queue.borrow().things() });
    }

    fn send_queue(&self) {
        let socket = self.socket.borrow();
        let Some(socket) = socket.as_ref() else { return };
        self.queue.borrow_mut().send(|message| match message {
            Message::Text(text) => socket.send_with_str(text).is_ok(),
            Message::Binary(bytes) => socket.send_with_u8_array(bytes).is_ok(),
        });
    }

    /// The room is joined again: settles which commands were carried out. Returns how many nobody can tell of.
    fn take_up(&self, joined: &Joined) -> usize {
        self.is_open.set(false);
        let Some(full) = &joined.full else { return 0 };
        let (uncertain, things) = match full.resumed {
            true => (full.uncertain.into_iter().collect(), usize::from(full.uncertain.is_some())),
            false => self.queue.borrow_mut().renewed(),
        };
        self.queue.borrow_mut().resumed(full.executed);
        let unknown = |seq: u64| uncertain.contains(&seq).then(lost);
        self.give_up_where(|seq| unknown(seq).or_else(|| (seq <= full.executed).then(already_done)));
        things
    }

    /// Whoever waits for the reply of a command that `settled` knows something of gets that.
    fn give_up_where(&self, settled: impl Fn(u64) -> Option<Failure>) {
        let all = std::mem::take(&mut *self.waiting.borrow_mut());
        let mut kept = Vec::new();
        for mut asked in all {
            match asked.seq.and_then(&settled) {
                Some(failure) => drop((asked.waiting)(Err(failure))),
                None => kept.push(asked),
            }
        }
        self.waiting.borrow_mut().extend(kept);
    }

    /// A frame after `joined`: to who waits for it, or to the page.
    fn frame(&self, frame: ServerFrame, tell: &impl Fn(Event)) {
        if let ServerFrame::Executed { seq } = frame {
            return self.queue.borrow_mut().executed(seq);
        }
        let number = match id_of(&frame) {
            Some(FrameId::Number(number)) => *number,
            _ => {
                return if !matches!(frame, ServerFrame::Pong { .. }) {
                    tell(Event::Frame(frame))
                };
            }
        };
        let at = self.waiting.borrow().iter().position(|asked| asked.id == number);
        let Some(at) = at else { return tell(Event::Frame(frame)) };
        let Asked { id, seq, mut waiting } = self.waiting.borrow_mut().swap_remove(at);
        if let Some(seq) = seq {
            self.queue.borrow_mut().executed(seq);
        }
        let reply = match frame {
            ServerFrame::Error { code, message, .. } => Err(Failure { code, message }),
            frame => Ok(frame),
        };
        if waiting(reply) == More::Comes {
            self.waiting.borrow_mut().push(Asked { id, seq, waiting });
        }
    }

    /// Nothing can be sent any more, and who waits for a reply waits in vain, but for commands: they go out again.
    fn lose(&self) {
        *self.socket.borrow_mut() = None;
        *self.give_up.borrow_mut() = None;
        *self.doubt.borrow_mut() = None;
        self.unanswered.set(0);
        self.is_open.set(false);
        self.tell_backlog();
        let all = std::mem::take(&mut *self.waiting.borrow_mut());
        for Asked { id, seq, mut waiting } in all {
            match seq {
                Some(seq) if self.queue.borrow().has(seq) => {
                    self.waiting.borrow_mut().push(Asked { id, seq: Some(seq), waiting });
                }
                Some(_) => drop(waiting(Err(already_done()))),
                None => drop(waiting(Err(lost()))),
            }
        }
    }
}

fn written(request: &FullRequest) -> Value {
    serde_json::to_value(request).expect("requests always serialise")
}

/// A `cmd` frame without its id.
fn cmd(project: &ProjectName, command: Value, members: Value) -> Value {
    let mut frame = members;
    frame["type"] = "cmd".into();
    frame["project_name"] = project.as_str().into();
    frame["command"] = command;
    frame
}

/// Takes the first reply.
fn once(then: impl FnOnce(Reply) + 'static) -> impl FnMut(Reply) -> More + 'static {
    let mut then = Some(then);
    move |reply| {
        if let Some(then) = then.take() {
            then(reply);
        }
        More::IsOver
    }
}

fn already_done() -> Failure {
    Failure::new(ErrorCode::AlreadyDone, say!("failed.answer-lost"))
}

fn lost() -> Failure {
    Failure::new(ErrorCode::Unavailable, say!("failed.lost"))
}

/// The id that a reply carries back.
fn id_of(frame: &ServerFrame) -> Option<&FrameId> {
    match frame {
        ServerFrame::Msg { id, .. }
        | ServerFrame::Chunk { id, .. }
        | ServerFrame::End { id }
        | ServerFrame::Error { id, .. }
        | ServerFrame::Done { id }
        | ServerFrame::Pong { id }
        | ServerFrame::Response { id, .. }
        | ServerFrame::Found { id, .. }
        | ServerFrame::Files { id, .. }
        | ServerFrame::SearchEnd { id, .. }
        | ServerFrame::Replaced { id, .. }
        | ServerFrame::Projects { id, .. }
        | ServerFrame::Listing { id, .. }
        | ServerFrame::File { id, .. }
        | ServerFrame::Piped { id, .. }
        | ServerFrame::Opened { id, .. }
        | ServerFrame::Saved { id, .. }
        | ServerFrame::TerminalOpened { id, .. }
        | ServerFrame::ProcessStarted { id, .. }
        | ServerFrame::TerminalAttached { id, .. }
        | ServerFrame::Preview { id, .. }
        | ServerFrame::PreviewLink { id, .. }
        | ServerFrame::Previews { id, .. }
        | ServerFrame::Key { id, .. }
        | ServerFrame::Keys { id, .. }
        | ServerFrame::Events { id, .. }
        | ServerFrame::UploadStands { id, .. }
        | ServerFrame::Download { id, .. }
        | ServerFrame::FirstText { id, .. }
        | ServerFrame::DocumentToken { id, .. } => id.as_ref(),
        ServerFrame::Init { .. }
        | ServerFrame::Visited { .. }
        | ServerFrame::Joined(_)
        | ServerFrame::TerminalData { .. }
        | ServerFrame::TerminalNewline { .. }
        | ServerFrame::TerminalDataEnd
        | ServerFrame::UploadFailed { .. }
        | ServerFrame::Changed { .. }
        | ServerFrame::Document { .. }
        | ServerFrame::DocumentMoved { .. }
        | ServerFrame::DocumentClosed { .. }
        | ServerFrame::Terminal(_)
        | ServerFrame::TerminalClosed { .. }
        | ServerFrame::TerminalGap { .. }
        | ServerFrame::Ports { .. }
        | ServerFrame::Sandbox { .. }
        | ServerFrame::People { .. }
        | ServerFrame::Executed { .. }
        | ServerFrame::Event(_) => None,
    }
}
