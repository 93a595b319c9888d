//! The page in a frame of another one: what its address wants of it, when it joins its room, and what it tells the page
//! around. What that page asks for is carried out in `asked`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use embedenv_shared::code::Failure;
use embedenv_shared::frame::{Listener, Terminal};
use embedenv_shared::id::{Role, SessionId};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use futures_util::future::select;
use gloo_timers::future::TimeoutFuture;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use super::Workbench;
use crate::gate::Gate;
use crate::interop::frame::{Frame, FrameEvents};
use crate::interop::modules;
use crate::interop::page;
use crate::interop::views::Draft;
use crate::link::RoomLink;
use crate::run::{Plan, plan};
use crate::state::asked::{Diff, Given};
use crate::state::embed::{Embed, Loading, ROOM_FOR_SIDE, View, may_wait};
use crate::state::files::FilesAction;
use crate::state::preview::Address;
use crate::state::settings::{Aside, Layout};
use crate::state::terminals::Runnable;
use crate::state::tree::TreeAction;
use crate::state::{Action, Connection as Shown};
use crate::words::{self, catalogue::say};

/// The page around a frame that wants to speak with it gets this long to answer, in milliseconds. Then the frame does
/// without it, if it has a key of its own.
const HELLO: u32 = 15_000;

/// A block waits this long for another one that opens the room of both, in milliseconds: longer than a sandbox takes to
/// start. Then it opens one of its own.
const ROOM: u32 = 90_000;

/// How far a page in a frame is.
#[derive(Default)]
pub(crate) struct Framed {
    frame: RefCell<Option<Rc<Frame>>>,
    /// What its address wants is known.
    known: Gate,
    /// Somebody wants it to go on.
    awake: Gate,
    /// The page around has answered.
    met: Gate,
    /// Files that the page around wants to be there first.
    files: RefCell<Diff>,
    /// Those that shall be there where there are none of their names.
    seeds: RefCell<Diff>,
    /// What the files of a block were at first.
    originals: RefCell<Diff>,
    /// The text of a block that is edited before there is a room for it.
    draft: RefCell<Option<Draft>>,
    /// What the address says of who comes, for a room that has no link yet.
    pub(super) guest: RefCell<RoomLink>,
    /// The project that somebody chose here before the page was loaded anew.
    pub(super) chosen: RefCell<Option<ProjectName>>,
    /// The link and the poster's code, as they were given by the page around.
    link: RefCell<String>,
    code: RefCell<Option<String>>,
    is_block: Cell<bool>,
    /// The key of the room that the page around has for its blocks; empty where this one is to open it.
    room: RefCell<String>,
    has_room: Gate,
    /// Somebody has asked to run the first file.
    runs_first: Cell<bool>,
    /// What was asked for and is not answered yet.
    pub(super) under_way: Cell<usize>,
}

impl Workbench {
    /// Begins in a frame. What needs nothing but its key joins at once, and learns meanwhile what it is to be.
    pub(super) fn start_framed(&self, fragment: String) {
        let link = RoomLink::parse(&fragment);
        *self.framed.guest.borrow_mut() = RoomLink::read(&fragment);
        *self.framed.chosen.borrow_mut() = RoomLink::chosen(&fragment);
        let query = page::search();
        let look = page::meta("embedenv-look").unwrap_or_default();
        let is_joining = link.is_some() && ![&query, &fragment, &look].into_iter().any(|said| may_wait(said));
        if is_joining {
            self.join(link.clone());
        }
        let workbench = self.clone();
        spawn_local(async move {
            modules::whole().await;
            let (embed, unusable) = Embed::parse(&query, &fragment, &look);
            for parameter in unusable {
                page::warn(&parameter.to_string());
            }
            let link = workbench.become_embed(embed, link).await;
            workbench.framed.known.open();
            if !is_joining {
                workbench.join(link);
            }
        });
    }

    /// Takes on what the address wants, and waits for whatever has to come before the room is joined.
    async fn become_embed(&self, mut embed: Embed, link: Option<RoomLink>) -> Option<RoomLink> {
        let events = {
            let (hello, ask) = (self.clone(), self.clone());
            FrameEvents { hello: Box::new(move |text| hello.met(&text)), ask: Box::new(move |text| ask.asked(&text)) }
        };
        match Frame::new(embed.host.as_ref(), embed.takes_focus, events).await {
            Ok(frame) => *self.framed.frame.borrow_mut() = Some(Rc::new(frame)),
            Err(error) => page::warn(&format!("the frame: {error:?}")),
        }
        let frame = self.framed.frame.borrow().clone();
        let mut link = link;
        if let Some(frame) = frame.as_ref().filter(|_| embed.host.is_some()) {
            frame.hello();
            select(Box::pin(self.framed.met.passed()), TimeoutFuture::new(HELLO)).await;
            let given = RoomLink::parse(&self.framed.link.borrow());
            link = given.or(link);
            embed.code = self.framed.code.take().or(embed.code);
            embed.is_block = self.framed.is_block.get();
        }
        if self.framed.chosen.borrow().is_some() {
            // Files and what is run are the first project's.
            (embed.panes, embed.run, embed.highlights) = Default::default();
            (*self.framed.files.borrow_mut(), *self.framed.seeds.borrow_mut()) = Default::default();
        }
        let loading = embed.loading;
        let (own, here) = (self.parts().1, embed.settings());
        self.dispatch(Action::Embedded(embed));
        self.apply_settings(own, here);
        if loading != Loading::Eager {
            self.dispatch(Action::Asleep(true));
            match frame.filter(|_| loading == Loading::Lazy) {
                Some(frame) => drop(select(Box::pin(frame.seen()), Box::pin(self.framed.awake.passed())).await),
                None => self.framed.awake.passed().await,
            }
            self.dispatch(Action::Asleep(false));
        }
        link
    }

    /// The page around has answered.
    fn met(&self, text: &str) {
        let (given, problem) = Given::read(text);
        let Given { link, files, seeds, code, is_block } = given;
        *self.framed.link.borrow_mut() = link;
        *self.framed.originals.borrow_mut() = files.clone();
        *self.framed.seeds.borrow_mut() = seeds;
        self.framed.is_block.set(is_block);
        *self.framed.files.borrow_mut() = files;
        *self.framed.code.borrow_mut() = code;
        if let Some(failure) = problem {
            self.tell_error(failure.code.as_str(), &failure.message, false);
        }
        self.framed.met.open();
    }

    /// The text of a block is edited here until there is a room for it.
    pub(crate) fn drafts(&self, draft: Option<Draft>) {
        let before = self.framed.draft.replace(draft);
        drop(before);
    }

    /// Has a block's text be what it was at first: that of its file, or the one that was not written yet.
    pub(crate) fn reset_block(&self) {
        if let Some(draft) = &*self.framed.draft.borrow() {
            return draft.reset();
        }
        let (workbench, originals) = (self.clone(), self.framed.originals.borrow().clone());
        spawn_local(async move {
            if let Err(failure) = workbench.apply_diff(originals).await {
                workbench.fail(say!("failed.embed-reset"), &failure);
            }
        });
    }

    /// Runs a block as it is now. An earlier run of it ends first.
    pub(crate) fn run_block(&self) {
        let active = self.state().files.active;
        let workbench = self.clone();
        spawn_local(async move {
            if let Some(id) = active
                && workbench.connection.is_up()
                && let Err(why) = workbench.saved(id).await
            {
                return workbench.alert(why);
            }
            if let Some((what, command)) = workbench.wanted_run() {
                workbench.run_as(what, command);
            }
        });
    }

    /// Somebody has asked for the room; with `runs`, for its first file to be run, too.
    pub(crate) fn wake(&self, runs: bool) {
        // What was edited is what is written.
        let edited = self.framed.draft.borrow().as_ref().map(Draft::text);
        if let (Some(edited), Some((_, content))) = (edited, self.framed.files.borrow_mut().create.first_mut()) {
            *content = edited;
        }
        self.framed.runs_first.set(runs);
        self.framed.awake.open();
    }

    /// Whether the poster's button runs something.
    pub(crate) fn runs_when_woken(&self) -> bool {
        let embed = self.state().embed.clone();
        let Some(embed) = embed.filter(|embed| !embed.is_read_only) else { return false };
        let is_program = |path: &WorkspacePath| matches!(plan(path), Plan::Command(_));
        embed.run.is_some() || embed.first().is_some_and(|place| is_program(&place.path))
    }

    /// Where the same room is a page of its own.
    pub(crate) fn ide_address(&self) -> Option<String> {
        let join = self.link.borrow().as_ref().map(|link| link.join.clone())?;
        Some(format!("{}/w#join={join}", page::origin()))
    }

    /// The room is joined for the first time: shows what the address wants, after the files that the page around brings.
    pub(super) fn begin_framed(&self) {
        let workbench = self.clone();
        spawn_local(async move {
            workbench.framed.known.passed().await;
            let files = workbench.framed.files.take();
            let seeds = workbench.framed.seeds.take();
            let written = match workbench.apply_diff(files).await {
                Ok(()) => workbench.sow(seeds).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = written {
                workbench.fail(say!("failed.embed-files"), &failure);
            }
            workbench.arrange_framed();
            workbench.run_framed();
            workbench.first_file.passed().await;
            workbench.tell_ready();
        });
    }

    fn arrange_framed(&self) {
        let Some(embed) = self.state().embed.clone() else { return };
        self.change_layout(|layout| embed.layout(layout, page::size()));
        // Without a port of its own, it is the first one on which something listens.
        let first = self.state().listeners.first().map(|listener| listener.port).filter(|_| embed.port.is_none());
        if let Some(port) = first {
            self.change_layout(|layout| Layout { port, ..layout });
        }
        if let Some(path) = embed.initial_path.clone() {
            let port = self.state().layout.port;
            let aside = self.state().layout.aside;
            self.dispatch(Action::Preview(Address { port, path }));
            self.change_layout(|layout| layout.with_aside(aside));
        }
        self.follow_ports();
        let shows_terminals = matches!(embed.view, View::Whole | View::Terminal | View::Split);
        let has_none = self.state().terminals.list.is_empty();
        if shows_terminals && has_none && self.works() && embed.run.is_none() && !self.framed.runs_first.get() {
            self.open_terminal(false);
        }
        let Some(groups) = embed.groups() else {
            self.listings.welcome.set(true);
            return self.list(WorkspacePath::root());
        };
        self.dispatch(Action::Files(FilesAction::Restore(groups)));
        let first = embed.first().map(|place| place.path.clone());
        let id = first.as_ref().and_then(|path| self.state().files.find(path).map(|file| file.id));
        if let (Some(id), marked) = (id, embed.marked())
            && !marked.is_empty()
        {
            self.documents.mark_lines(id, marked);
        }
        if let (Some(id), Some((line, _))) = (id, embed.first().and_then(|place| place.lines)) {
            self.documents.go_to(id, line, 1);
        }
        self.dispatch(Action::Tree(TreeAction::Select(first)));
        if embed.takes_focus {
            self.focus_editor();
        }
    }

    /// A file was chosen: where the tree lies over the editors it goes out of the way.
    pub(super) fn uncover_editors(&self) {
        if page::size().0 < ROOM_FOR_SIDE {
            self.change_layout(|layout| Layout { side_folded: true, ..layout });
        }
    }

    /// Runs what the address, or who clicked, wants to be run.
    fn run_framed(&self) {
        let Some(run) = self.wanted_run() else { return };
        self.change_layout(|layout| Layout { panel_folded: false, ..layout });
        let workbench = self.clone();
        spawn_local(async move {
            if let Err(failure) = workbench.open_for_host(Some(run)).await {
                workbench.fail(say!("failed.terminal-open"), &failure);
            }
        });
    }

    /// What that is, and its command line.
    fn wanted_run(&self) -> Option<(Runnable, String)> {
        let embed = self.state().embed.clone()?;
        let wanted = embed.run.clone().or_else(|| self.framed.runs_first.get().then(String::new))?;
        let path = match wanted.as_str() {
            "" => embed.first().map(|place| place.path.clone()),
            named => WorkspacePath::parse(named).ok().filter(|_| !named.contains(' ')),
        };
        let planned = path.and_then(|path| match plan(&path) {
            Plan::Command(command) => Some((Runnable::File(path), command)),
            Plan::Nothing(_) => None,
        });
        let line = || (!wanted.is_empty()).then(|| (Runnable::Line(wanted.clone()), wanted.clone()));
        planned.or_else(line)
    }

    /// Tells the page around what has happened.
    pub(super) fn tell_host(&self, event: &str, data: Value) {
        let frame = self.framed.frame.borrow().clone();
        if let Some(frame) = frame {
            frame.say(&json!({"event": event, "data": data}).to_string());
        }
    }

    pub(super) fn answer_host(&self, answer: &str) {
        let frame = self.framed.frame.borrow().clone();
        if let Some(frame) = frame {
            frame.say(answer);
        }
    }

    fn tell_ready(&self) {
        let Some(me) = self.state().me.clone() else { return };
        let role = match me.role {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Owner => "owner",
        };
        self.tell_host("ready", json!({"role": role, "project": me.project}));
    }

    /// Something has gone wrong here; if it is fatal, nothing more comes of this frame.
    pub(super) fn tell_error(&self, code: &str, message: &str, is_fatal: bool) {
        self.tell_host("error", json!({"code": code, "message": message, "fatal": is_fatal}));
    }

    /// A message was shown.
    pub(super) fn tell_message(&self, text: &str, failure: Option<&Failure>) {
        self.tell_error(failure.map_or("failed", |failure| failure.code.as_str()), text, false);
    }

    /// A program that was run here has printed something.
    pub(crate) fn tell_output(&self, terminal: SessionId, bytes: &[u8]) {
        let frame = self.framed.frame.borrow().clone();
        if let Some(frame) = frame.filter(|_| self.state().terminals.run_in(terminal).is_some()) {
            frame.output(terminal.0, bytes);
        }
    }

    pub(super) fn tell_exit(&self, terminal: &Terminal) {
        let id = terminal.terminal;
        let frame = self.framed.frame.borrow().clone();
        let Some(frame) = frame.filter(|_| self.state().terminals.run_in(id).is_some()) else { return };
        if let Some(exit) = &terminal.exit {
            let how = json!({"terminal": id.0, "code": exit.code, "signal": exit.signal});
            frame.ended(id.0, &json!({"event": "exit", "data": how}).to_string());
        }
    }

    /// Tells of ports that are listened on now, or no longer.
    pub(super) fn tell_ports(&self, before: &[Listener], now: &[Listener]) {
        let missing = |from: &[Listener], port: u16| from.iter().all(|listener| listener.port != port);
        for (these, others, is_open) in [(now, before, true), (before, now, false)] {
            for listener in these.iter().filter(|listener| missing(others, listener.port)) {
                self.tell_host("port", json!({"port": listener.port, "open": is_open}));
            }
        }
    }

    /// Shows a port that is listened on where nothing listens on the one of the preview, and none was named.
    pub(super) fn follow_ports(&self) {
        let (embed, layout) = (self.state().embed.clone(), self.state().layout);
        let Some(embed) = embed.filter(|embed| embed.port.is_none() && layout.aside == Some(Aside::Preview)) else {
            return;
        };
        let listeners = self.state().listeners.clone();
        let is_there = listeners.iter().any(|listener| listener.port == layout.port);
        if let Some(first) = listeners.first().filter(|_| !is_there) {
            let path = embed.initial_path.clone().unwrap_or_else(|| "/".to_owned());
            self.dispatch(Action::Preview(Address { port: first.port, path }));
        }
    }

    pub(super) fn tell_people(&self) {
        let people = self.state().people.clone();
        let people: Vec<Value> =
            people.iter().map(|person| json!({"user": person.user, "color": person.color})).collect();
        self.tell_host("participant", json!({"people": people}));
    }

    /// Joins the room of a link.
    pub(super) fn join(&self, link: Option<RoomLink>) {
        let Some(link) = link else {
            if let Some(widget) = page::widget() {
                let workbench = self.clone();
                return spawn_local(async move { workbench.join_by(widget).await });
            }
            let notice = words::no_key();
            self.tell_error("unknown_join_key", &notice.text, true);
            return self.dispatch(Action::Connection(Shown::Failed(notice)));
        };
        self.join_room(link);
    }

    /// Joins the room that the page around has for its blocks, or opens one by a widget.
    async fn join_by(&self, widget: String) {
        if self.framed.is_block.get() {
            self.tell_host("room", json!({}));
            select(Box::pin(self.framed.has_room.passed()), TimeoutFuture::new(ROOM)).await;
        }
        let room = self.framed.room.take();
        if room.is_empty() { self.connect(widget) } else { self.join_room(self.link_to(room)) }
    }

    /// The page around has a room for this block, or none yet: then this one opens it.
    pub(super) fn given_room(&self, join: String) {
        *self.framed.room.borrow_mut() = join;
        self.framed.has_room.open();
    }

    /// A room was opened for this page; its other blocks join it.
    pub(super) fn visited(&self, join: String) {
        self.tell_host("room", json!({"join": join}));
        *self.link.borrow_mut() = Some(self.link_to(join));
    }

    /// The link of a room that was opened for this page, or for another block of the page around.
    fn link_to(&self, join: String) -> RoomLink {
        RoomLink { join, ..self.framed.guest.borrow().clone() }
    }
}
