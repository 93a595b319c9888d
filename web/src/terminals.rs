//! The terminals on this page: each an xterm.js on one end and a session's output log on the other.
//!
//! A terminal is attached when it is first shown, and from then on follows the log by its offset, over broken connections
//! too. When output comes faster than it can be drawn the page detaches, draws what it has, and attaches again from there;
//! what the server's log has lost by then comes as a screen.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::ServerFrame;
use embedenv_shared::id::SessionId;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use crate::interop::modules::{Module, load};
use crate::interop::page;
use crate::interop::terminal::{Habits, Terminal, TerminalEvents, TerminalOptions};
use crate::state::Action;
use crate::state::settings::Settings;
use crate::state::terminals::TerminalsAction;
use crate::words;
use crate::workbench::Workbench;

/// With more bytes than this not drawn yet, the page detaches.
const TOO_MUCH: usize = 2 * 1024 * 1024;
/// With less than this left, it attaches again.
const LITTLE: usize = 256 * 1024;

pub(crate) struct Terminals {
    records: RefCell<Vec<Rc<Record>>>,
    /// Columns and rows a terminal had last: what a new one is opened with.
    size: Cell<(u16, u16)>,
    /// The terminal that shall have the keyboard as soon as it is there.
    wants_focus: Cell<Option<SessionId>>,
    /// How many were ordered and are not there yet.
    awaited: Cell<u32>,
}

struct Record {
    id: SessionId,
    terminal: RefCell<Option<Rc<Terminal>>>,
    /// Whether the server sends its output on the connection that stands.
    attached: Cell<bool>,
    /// Detached because of [`TOO_MUCH`].
    held: Cell<bool>,
    /// Offset after the last byte that came.
    next: Cell<u64>,
    /// Output that begins before this offset was made while this page did not follow it.
    past: Cell<u64>,
    /// What came before the terminal was there.
    early: RefCell<Vec<(Kind, Vec<u8>)>>,
    /// Lengths of what was written and is not drawn yet, and their sum.
    undrawn: RefCell<VecDeque<usize>>,
    backlog: Cell<usize>,
}

/// What bytes for the terminal are.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Output,
    /// Output of before. What a program asked the terminal in it gets no answer any more.
    Past,
    /// The whole screen, which takes the place of what is shown.
    Screen,
}

impl Terminals {
    pub(crate) fn new() -> Self {
        Self {
            records: RefCell::default(),
            size: Cell::new((80, 24)),
            wants_focus: Cell::new(None),
            awaited: Cell::new(0),
        }
    }

    /// Columns and rows for a new terminal.
    pub(crate) fn size(&self) -> (u16, u16) {
        self.size.get()
    }

    pub(crate) fn ordered(&self) {
        self.awaited.set(self.awaited.get() + 1);
    }

    pub(crate) fn answered(&self) {
        self.awaited.set(self.awaited.get() - 1);
    }

    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited.get() > 0
    }

    fn all(&self) -> Vec<Rc<Record>> {
        self.records.borrow().clone()
    }

    fn get(&self, id: SessionId) -> Option<Rc<Record>> {
        self.records.borrow().iter().find(|record| record.id == id).cloned()
    }

    fn get_or_make(&self, id: SessionId) -> Rc<Record> {
        if let Some(record) = self.get(id) {
            return record;
        }
        let record = Rc::new(Record {
            id,
            terminal: RefCell::new(None),
            attached: Cell::new(false),
            held: Cell::new(false),
            next: Cell::new(0),
            past: Cell::new(0),
            early: RefCell::default(),
            undrawn: RefCell::default(),
            backlog: Cell::new(0),
        });
        self.records.borrow_mut().push(record.clone());
        record
    }

    /// This page opened a terminal: its output comes without being asked for.
    pub(crate) fn opened(&self, id: SessionId) {
        self.get_or_make(id).attached.set(true);
    }

    /// A tab is shown for the first time: makes its terminal in `parent`, and follows its output.
    pub(crate) fn mount(&self, workbench: &Workbench, id: SessionId, label: String, parent: Element) {
        let record = self.get_or_make(id);
        record.attach(workbench);
        let workbench = workbench.clone();
        spawn_local(async move {
            if let Err(error) = make_terminal(&workbench, &record, &label, parent).await {
                page::warn(&format!("the terminal: {error:?}"));
                workbench.dispatch(Action::Alert(words::no_module("terminal")));
            }
        });
    }

    /// A tab went away, with its terminal.
    pub(crate) fn unmount(&self, id: SessionId) {
        let record = self.get(id);
        self.records.borrow_mut().retain(|other| other.id != id);
        let terminal = record.and_then(|record| record.terminal.borrow_mut().take());
        drop(terminal);
    }

    /// Another sandbox: nothing of the terminals of before goes on.
    pub(crate) fn forget_all(&self) {
        let records = std::mem::take(&mut *self.records.borrow_mut());
        drop(records);
    }

    /// The room is joined again: every terminal goes on from where it was.
    pub(crate) fn joined(&self, workbench: &Workbench) {
        for record in self.all() {
            if workbench.state().terminals.get(record.id).is_some() {
                record.attach(workbench);
                self.stands(workbench, record.id);
                let terminal = record.terminal.borrow().clone();
                if let Some(terminal) = terminal {
                    terminal.say_room();
                }
            }
        }
    }

    pub(crate) fn lost(&self) {
        for record in self.all() {
            record.attached.set(false);
            record.held.set(false);
        }
    }

    /// Output of a session, beginning at an offset.
    pub(crate) fn output(&self, workbench: &Workbench, id: SessionId, offset: u64, bytes: &[u8]) {
        let record = self.get_or_make(id);
        record.attached.set(true);
        let known = record.next.get().saturating_sub(offset);
        let Some(new) = usize::try_from(known).ok().and_then(|known| bytes.get(known..)) else { return };
        record.next.set(offset + bytes.len() as u64);
        let kind = if offset < record.past.get() { Kind::Past } else { Kind::Output };
        if workbench.state().is_framed {
            workbench.tell_output(id, new);
        }
        record.show(workbench, kind, new);
    }

    /// The screen as it was at an offset: output before it was lost to this page.
    pub(crate) fn snapshot(&self, workbench: &Workbench, id: SessionId, offset: u64, bytes: &[u8]) {
        let record = self.get_or_make(id);
        record.attached.set(true);
        let had_output = record.next.replace(offset) > 0;
        record.show(workbench, Kind::Screen, bytes);
        if had_output {
            workbench.dispatch(Action::Terminals(TerminalsAction::Skipped(id)));
        }
    }

    /// Gives the keyboard to a terminal, once it is there and drawn.
    pub(crate) fn focus(&self, id: SessionId) {
        match self.shown(id) {
            Some(terminal) => spawn_local(async move {
                TimeoutFuture::new(0).await;
                terminal.focus();
            }),
            None => self.wants_focus.set(Some(id)),
        }
    }

    /// A terminal's tab is shown again.
    pub(crate) fn fit(&self, id: SessionId) {
        if let Some(terminal) = self.shown(id) {
            terminal.fit();
        }
    }

    pub(crate) fn set_looks(&self, dark: bool, settings: &Settings) {
        for terminal in self.all().iter().filter_map(|record| record.terminal.borrow().clone()) {
            terminal.set_dark(dark);
            terminal.set_screen_reader(settings.screen_reader);
            terminal.set_habits(habits(settings));
        }
    }

    /// The xterm.js of a terminal, once it is there.
    pub(crate) fn shown(&self, id: SessionId) -> Option<Rc<Terminal>> {
        self.get(id).and_then(|record| record.terminal.borrow().clone())
    }

    /// There is room for a terminal of this size: it has that as soon as somebody types here.
    fn has_room(&self, workbench: &Workbench, id: SessionId, cols: u16, rows: u16) {
        self.size.set((cols, rows));
        let is_running = workbench.state().terminals.get(id).is_some_and(|terminal| terminal.exit.is_none());
        if is_running && workbench.works() {
            workbench.connection.tell(&FullRequest::TerminalResize { terminal: id, cols, rows });
        }
    }

    /// Has a terminal look as it stands in the room: with this page's size, or with somebody else's.
    pub(crate) fn stands(&self, workbench: &Workbench, id: SessionId) {
        let Some(terminal) = self.shown(id) else { return };
        let (is_mine, size) = {
            let state = workbench.state();
            let Some(shown) = state.terminals.get(id) else { return };
            let me = state.me.as_ref().map(|me| me.member);
            (shown.driver.is_some() && shown.driver == me, (shown.cols, shown.rows))
        };
        if is_mine {
            terminal.lead();
        } else {
            terminal.follow(size.0, size.1);
        }
    }
}

impl Record {
    /// Asks for output from where this page is.
    fn attach(self: &Rc<Self>, workbench: &Workbench) {
        if self.attached.get() || !workbench.connection.is_up() {
            return;
        }
        self.attached.set(true);
        self.held.set(false);
        let (record, then) = (self.clone(), workbench.clone());
        let request = FullRequest::TerminalAttach { terminal: self.id, from: self.next.get() };
        workbench.connection.ask(&request, move |reply| match reply {
            Ok(ServerFrame::TerminalAttached { head, .. }) => record.past.set(head),
            Ok(_) => {}
            Err(failure) if then.connection.is_up() => {
                record.attached.set(false);
                page::warn(&format!("terminal {} could not be followed: {failure}", record.id));
            }
            Err(_) => {}
        });
    }

    /// Draws output, or keeps it until the terminal is there.
    fn show(self: &Rc<Self>, workbench: &Workbench, kind: Kind, bytes: &[u8]) {
        let terminal = self.terminal.borrow().clone();
        let Some(terminal) = terminal else {
            return self.early.borrow_mut().push((kind, bytes.to_vec()));
        };
        if kind == Kind::Screen {
            terminal.reset();
        }
        if bytes.is_empty() {
            return;
        }
        self.undrawn.borrow_mut().push_back(bytes.len());
        self.backlog.set(self.backlog.get() + bytes.len());
        terminal.write(bytes, kind != Kind::Output);
        if self.backlog.get() > TOO_MUCH && self.attached.get() && !self.held.replace(true) {
            let (record, then) = (self.clone(), workbench.clone());
            // What is under way still comes and is shown; after the reply nothing does.
            workbench.connection.ask(&FullRequest::TerminalDetach { terminal: self.id }, move |reply| {
                if reply.is_ok() {
                    record.attached.set(false);
                    record.attach_when_drawn(&then);
                }
            });
        }
    }

    /// The oldest output that was not drawn yet is.
    fn drawn(self: &Rc<Self>, workbench: &Workbench) {
        let length = self.undrawn.borrow_mut().pop_front().unwrap_or(0);
        self.backlog.set(self.backlog.get().saturating_sub(length));
        self.attach_when_drawn(workbench);
    }

    /// Follows the output again, if it was held up and what came has been drawn.
    fn attach_when_drawn(self: &Rc<Self>, workbench: &Workbench) {
        if self.held.get() && !self.attached.get() && self.backlog.get() < LITTLE {
            self.attach(workbench);
        }
    }
}

async fn make_terminal(
    workbench: &Workbench,
    record: &Rc<Record>,
    label: &str,
    parent: Element,
) -> Result<(), wasm_bindgen::JsValue> {
    let module = load(Module::Terminal).await?;
    let id = record.id;
    if !workbench.terminals.get(id).is_some_and(|known| Rc::ptr_eq(&known, record)) {
        return Ok(());
    }
    let settings = workbench.state().settings.clone();
    let options = TerminalOptions {
        label,
        dark: workbench.is_dark(),
        screen_reader: settings.screen_reader,
        habits: habits(&settings),
    };
    let terminal = Terminal::new(module, &parent, options, events(workbench, record))?;
    let terminal = Rc::new(terminal);
    *record.terminal.borrow_mut() = Some(terminal.clone());
    terminal.fit();
    workbench.terminals.stands(workbench, id);
    let early = std::mem::take(&mut *record.early.borrow_mut());
    for (kind, bytes) in early {
        record.show(workbench, kind, &bytes);
    }
    if workbench.terminals.wants_focus.get() == Some(id) {
        workbench.terminals.wants_focus.set(None);
        terminal.focus();
    }
    Ok(())
}

fn events(workbench: &Workbench, record: &Rc<Record>) -> TerminalEvents {
    let id = record.id;
    let (data, room, written) = (workbench.clone(), workbench.clone(), workbench.clone());
    let (places, place, paste) = (workbench.clone(), workbench.clone(), workbench.clone());
    let (bell, found) = (workbench.clone(), workbench.clone());
    let record = Rc::downgrade(record);
    TerminalEvents {
        data: Box::new(move |bytes| data.typed(id, bytes)),
        room: Box::new(move |cols, rows| room.terminals.has_room(&room, id, cols, rows)),
        link: Box::new(|url| page::open_link(&url)),
        find_places: Box::new(move |text| Box::pin(places.clone().places_in(text))),
        place: Box::new(move |path, line, column| place.go_to_printed(&path, line, column)),
        paste: Box::new(move |text| paste.ask_about_paste(id, text)),
        bell: Box::new(move || bell.rang(id)),
        found: Box::new(move |at, count| found.found_in_terminal(id, at, count)),
        written: Box::new(move || {
            if let Some(record) = record.upgrade() {
                record.drawn(&written);
            }
        }),
    }
}

fn habits(settings: &Settings) -> Habits {
    Habits { copy_on_select: settings.copy_on_select, paste_unasked: settings.paste_unasked }
}
