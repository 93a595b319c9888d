//! Where everything meets: what people do and what the server says become requests and state.
//!
//! One [`Workbench`] lives as long as the page; components hold it and call it. It draws nothing.

mod arrange;
mod asked;
mod chat;
mod editing;
mod entries;
mod extra_keys;
mod format;
mod framed;
mod help;
mod keys;
mod panes;
mod places;
mod ports;
mod presence;
pub(crate) mod preview;
mod programs;
mod requests;
mod room;
mod rules;
mod runs;
mod search;
mod settings;
mod tabs;
mod terminals;
mod trail;
mod transfer;
mod views;
mod watching;

use std::cell::{Cell, Ref, RefCell};
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;

use embedenv_shared::path::{ProjectName, WorkspacePath};
use futures_util::future::select;
use gloo_events::{EventListener, EventListenerOptions};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::{BeforeUnloadEvent, DragEvent, KeyboardEvent};
use yew::Callback;

use crate::connection::{Connection, Event, First};
use crate::documents::Documents;
use crate::gate::Gate;
use crate::interop::modules::{self, Module};
use crate::interop::{keyboard, page, touch};
use crate::link::RoomLink;
use crate::memory::{self, Page};
use crate::signal::Signal;
use crate::state::editing::Manner;
use crate::state::files::FileId;
use crate::state::keys::{Stroke, show_as_on_mac};
use crate::state::output::{Message, OutputAction};
use crate::state::preview::Address;
use crate::state::settings::Theme;
use crate::state::settings::stored::Values;
use crate::state::trail::Trail;
use crate::state::tree::{Tree, TreeAction};
use crate::state::{Action, Connection as Shown, State};
use crate::terminals::Terminals;
use crate::words;

pub(crate) use entries::Listings;
use format::KnownFormatters;
use framed::Framed;
pub(crate) use help::Way;
pub(crate) use programs::{PATIENCE, Stopping};
pub(crate) use requests::Response;
use rules::RuleFiles;
pub(crate) use runs::Looking;
pub(crate) use search::Searching;
pub(crate) use transfer::Uploads;
use views::Lookers;
use watching::Watching;

/// How long what can wait does so for the first file, in milliseconds.
const FIRST_FILE: u32 = 3_000;

/// What is open is remembered this long after it changed, in milliseconds.
const REMEMBER: u32 = 300;

#[derive(Clone)]
pub(crate) struct Workbench(Rc<Inner>);

pub(crate) struct Inner {
    state: RefCell<State>,
    redraw: RefCell<Option<Callback<()>>>,
    pub(crate) connection: Connection,
    pub(crate) documents: Documents,
    pub(crate) terminals: Terminals,
    /// Line and column in the shown editor, from 1.
    pub(crate) cursor: Signal<(u32, u32)>,
    /// How the shown file is indented, and what else the line below says of it.
    pub(crate) manner: Signal<Option<Manner>>,
    /// Opens when the first file can be typed into, or there is none: what is not needed for that is loaded after it.
    pub(crate) first_file: Gate,
    link: RefCell<Option<RoomLink>>,
    /// What this page is called among its room's clients: a tab that is copied gets the storage and not the name.
    instance: String,
    /// While commands wait for the edits that were made before them.
    opening: RefCell<Option<Timeout>>,
    /// Numbers the messages of this page.
    last_message: Cell<u32>,
    /// A message that is being written; the box for it may go and come back.
    pub(crate) draft: RefCell<String>,
    listings: Listings,
    rule_files: RuleFiles,
    formatters: KnownFormatters,
    /// Who shows a file that is not text, and wants to know when it changes.
    lookers: Lookers,
    uploads: Uploads,
    searching: Searching,
    /// Folders that are open for as long as the tree is narrowed.
    opened_for_filter: RefCell<Vec<WorkspacePath>>,
    /// Entries that are dragged out of the tree.
    carried: RefCell<Vec<WorkspacePath>>,
    /// Where this person was in the files.
    trail: RefCell<Trail>,
    /// The first of two strokes, and when it was made, in milliseconds since 1970.
    first_stroke: RefCell<Option<(Stroke, f64)>>,
    /// Who gets every key, while keys are chosen for a command.
    hears_keys: RefCell<Option<Callback<Stroke>>>,
    looking: Looking,
    framed: Framed,
    watching: Watching,
    /// The page that the preview shows.
    pub(crate) previewed: RefCell<Option<Address>>,
    stopping: Stopping,
    /// What was open before the page was loaded anew, until the room is joined.
    remembered: RefCell<Option<Page>>,
    /// The life of the sandbox whose terminals are shown.
    sandbox_epoch: Cell<Option<u64>>,
    /// The file that shall have the keyboard once it has an editor.
    wants_editor: RefCell<Option<WorkspacePath>>,
    /// The tree shall have the keyboard once it is drawn.
    wants_tree: Cell<bool>,
    remembering: RefCell<Option<Timeout>>,
    /// The tree whose changes are remembered, once those of earlier pages are known.
    remembered_tree: RefCell<Option<Rc<Tree>>>,
    /// Nobody is at this page.
    is_idle: Cell<bool>,
    /// When somebody did something last, in milliseconds since 1970.
    last_sign: Cell<f64>,
    idle_timer: RefCell<Option<Timeout>>,
    listeners: RefCell<Vec<EventListener>>,
}

impl PartialEq for Workbench {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Workbench {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Workbench {
    pub(crate) fn new() -> Self {
        show_as_on_mac(page::is_mac());
        let mut state = State::default();
        state.is_framed = page::is_framed();
        let (mut own, wrong) = memory::settings();
        own.screen_reader |= page::query("screenreader").is_some_and(|value| value == "1");
        state.reduce(Action::Settings { own, here: Values::new() });
        for why in wrong {
            page::warn(&why);
        }
        Self(Rc::new(Inner {
            state: RefCell::new(state),
            redraw: RefCell::new(None),
            connection: Connection::new(),
            documents: Documents::default(),
            terminals: Terminals::new(),
            cursor: Signal::new((1, 1)),
            manner: Signal::new(None),
            first_file: Gate::default(),
            link: RefCell::new(None),
            instance: memory::instance(),
            opening: RefCell::new(None),
            last_message: Cell::new(0),
            draft: RefCell::default(),
            listings: Listings::default(),
            rule_files: RuleFiles::default(),
            formatters: KnownFormatters::default(),
            lookers: Lookers::default(),
            uploads: Uploads::default(),
            searching: Searching::default(),
            opened_for_filter: RefCell::default(),
            carried: RefCell::default(),
            trail: RefCell::default(),
            first_stroke: RefCell::default(),
            hears_keys: RefCell::default(),
            looking: Looking::default(),
            framed: Framed::default(),
            watching: Watching::default(),
            previewed: RefCell::default(),
            stopping: Stopping::default(),
            remembered: RefCell::new(None),
            sandbox_epoch: Cell::new(None),
            wants_editor: RefCell::new(None),
            wants_tree: Cell::new(false),
            remembering: RefCell::new(None),
            remembered_tree: RefCell::new(None),
            is_idle: Cell::new(false),
            last_sign: Cell::new(0.0),
            idle_timer: RefCell::new(None),
            listeners: RefCell::default(),
        }))
    }

    /// Reads the link and joins its room.
    pub(crate) fn start(&self) {
        self.apply_theme();
        self.size_code();
        self.listen();
        let workbench = self.clone();
        spawn_local(async move {
            workbench.at_leisure().await;
            workbench.dispatch(Action::Whole);
            workbench.listen_to_touches();
        });
        let fragment = page::take_fragment();
        if self.state().is_framed {
            return self.start_framed(fragment);
        }
        let fresh = RoomLink::parse(&fragment);
        if let Some(link) = &fresh {
            memory::keep_link(link);
        }
        let Some(link) = fresh.or_else(memory::link) else {
            return self.dispatch(Action::Connection(Shown::Failed(words::no_key())));
        };
        *self.remembered.borrow_mut() = memory::page();
        self.join_room(link);
    }

    /// Until all of the page's code is here, and the first file with it, if that is not long in coming: what is awaited like
    /// this takes nothing from either.
    pub(crate) fn at_leisure(&self) -> Pin<Box<dyn Future<Output = ()>>> {
        let first_file = self.first_file.passed();
        // In a box, since it is awaited at many places.
        Box::pin(async move {
            modules::whole().await;
            select(Box::pin(first_file), TimeoutFuture::new(FIRST_FILE)).await;
        })
    }

    /// Joins the room of a link, and stays in it from then on.
    fn join_room(&self, link: RoomLink) {
        *self.link.borrow_mut() = Some(link);
        self.connect(String::new());
    }

    /// Joins the room of the link, or where there is none, opens one by a widget.
    fn connect(&self, widget: String) {
        // The browser keeps it until the first file is shown; what goes wrong is told then.
        wasm_bindgen_futures::spawn_local(async { drop(modules::load(Module::Editor).await) });
        let (join, tell) = (self.clone(), self.clone());
        self.connection.start(
            move || {
                let state = join.state();
                let name = Some(state.settings.user.as_str());
                match &*join.link.borrow() {
                    Some(link) => First::Join(link.join_frame(name, &join.instance, memory::resume())),
                    None => First::Visit(join.framed.guest.borrow().visit_frame(&widget, name, &join.instance)),
                }
            },
            move |event: Event| tell.connection_said(event),
        );
    }

    pub(crate) fn state(&self) -> Ref<'_, State> {
        self.0.state.borrow()
    }

    /// Changes the state, and has the page drawn again.
    pub(crate) fn dispatch(&self, action: Action) {
        let mut told = None;
        {
            let mut state = self.0.state.borrow_mut();
            let said = match &action {
                Action::Alert(text) | Action::AlertUntil(_, text) => Some((text, None)),
                Action::Failed { text, failure } => Some((text, Some(failure.clone()))),
                _ => None,
            };
            if let Some((text, failure)) = said {
                told = Some((text.clone(), failure.clone()));
                let message = Message { at: page::now() as u64, text: text.clone(), failure };
                state.reduce(Action::Output(OutputAction::Said(message)));
            }
            state.reduce(action);
        }
        self.redraw_now();
        self.remember_soon();
        if let Some((text, failure)) = told.filter(|_| self.state().is_framed) {
            self.tell_message(&text, failure.as_ref());
        }
    }

    pub(crate) fn redraw_now(&self) {
        let redraw = self.redraw.borrow().clone();
        if let Some(redraw) = redraw {
            redraw.emit(());
        }
    }

    pub(crate) fn alert(&self, text: impl Into<String>) {
        self.dispatch(Action::Alert(text.into()));
    }

    pub(crate) fn draw_with(&self, redraw: Callback<()>) {
        *self.redraw.borrow_mut() = Some(redraw);
    }

    pub(crate) fn project(&self) -> Option<ProjectName> {
        self.state().me.as_ref().map(|me| me.project.clone())
    }

    /// Whether this page may change anything in the room.
    pub(crate) fn works(&self) -> bool {
        self.state().works()
    }

    pub(crate) fn is_dark(&self) -> bool {
        self.theme().is_dark()
    }

    /// The theme that is shown.
    fn theme(&self) -> Theme {
        self.state().settings.theme.resolved(page::prefers_dark(), page::prefers_contrast())
    }

    fn apply_theme(&self) {
        let settings = self.state().settings.clone();
        page::set_theme(self.theme().attribute());
        let dark = self.is_dark();
        self.documents.set_dark(dark);
        self.terminals.set_looks(dark, &settings);
    }

    /// Whether a file was to have the keyboard once it has an editor; asked once.
    pub(crate) fn take_wish_for_editor(&self, id: FileId) -> bool {
        let wish = self.wants_editor.borrow().clone();
        let fits = wish.is_some_and(|path| self.state().files.get(id).is_some_and(|file| file.path == path));
        if fits {
            *self.wants_editor.borrow_mut() = None;
        }
        fits
    }

    /// Listens to what concerns the whole page.
    fn listen(&self) {
        let window = page::window();
        let on = |name: &'static str, act: fn(&Self)| {
            let workbench = self.clone();
            EventListener::new(&window, name, move |_| act(&workbench))
        };
        let mut listeners = vec![
            on("online", |workbench| workbench.connection.hurry()),
            on("offline", |workbench| workbench.connection.renew()),
            on("pagehide", Self::leave),
            // Another link was put into this tab's address.
            on("hashchange", |_| page::reload()),
        ];
        let workbench = self.clone();
        listeners.push(EventListener::new(&page::document(), "visibilitychange", move |_| {
            if page::is_visible() {
                workbench.connection.hurry();
                workbench.look_at_terminals();
            }
        }));
        let workbench = self.clone();
        listeners.push(EventListener::new(&window, "storage", move |event| workbench.storage_changed(event)));
        let workbench = self.clone();
        let active = EventListenerOptions::enable_prevent_default();
        listeners.push(EventListener::new_with_options(&window, "beforeunload", active, move |event| {
            if workbench.has_unheld_edits()
                && let Some(event) = event.dyn_ref::<BeforeUnloadEvent>()
            {
                event.prevent_default();
                event.set_return_value("unsaved");
            }
        }));
        let workbench = self.clone();
        let options = EventListenerOptions { passive: false, ..EventListenerOptions::run_in_capture_phase() };
        listeners.push(EventListener::new_with_options(&window, "keydown", options, move |event| {
            workbench.acted(event);
            if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
                workbench.key(event);
            }
        }));
        let workbench = self.clone();
        listeners.push(EventListener::new_with_options(&window, "beforeinput", options, move |event| {
            workbench.takes_input_with_control(event);
        }));
        let workbench = self.clone();
        let early = EventListenerOptions::run_in_capture_phase();
        listeners.push(EventListener::new_with_options(&window, "pointerdown", early, move |event| {
            workbench.acted(event);
        }));
        for name in ["dragover", "drop"] {
            let workbench = self.clone();
            listeners.push(EventListener::new_with_options(&window, name, options, move |event| {
                if let Some(event) = event.dyn_ref::<DragEvent>() {
                    workbench.dragged_over(event);
                }
            }));
        }
        for query in [page::dark_query(), page::contrast_query()].into_iter().flatten() {
            let workbench = self.clone();
            listeners.push(EventListener::new(&query, "change", move |_| workbench.apply_theme()));
        }
        listeners.extend(self.watch_idleness());
        *self.listeners.borrow_mut() = listeners;
    }

    /// What concerns touch screens alone.
    fn listen_to_touches(&self) {
        let workbench = self.clone();
        let mut listeners = touch::watch_viewport(move || workbench.show_cursor());
        listeners.extend(touch::hear_long_presses());
        self.listeners.borrow_mut().extend(listeners);
    }

    /// The window is larger or smaller than before: what is being typed into stays in sight.
    fn show_cursor(&self) {
        let Some(focused) = page::focused() else { return };
        if !keyboard::is_in(&focused, ".cm-content") {
            return;
        }
        let active = self.state().files.active.map(|id| self.state().files.source(id));
        if let Some(editor) = active.and_then(|id| self.documents.editor(id)) {
            editor.show_cursor();
        }
    }

    /// Whether closing the page would lose something: edits that the server does not hold, commands that wait.
    fn has_unheld_edits(&self) -> bool {
        self.connection.backlog().get() > 0
            || self.state().transfers.is_busy()
            || self.state().files.open.iter().any(|file| file.unsaved && !self.documents.is_held(file.id))
    }

    fn remember_soon(&self) {
        let mut remembering = self.remembering.borrow_mut();
        if remembering.is_none() {
            let workbench = self.clone();
            *remembering = Some(Timeout::new(REMEMBER, move || {
                let timer = workbench.remembering.borrow_mut().take();
                workbench.remember();
                drop(timer);
            }));
        }
    }

    /// The page goes, and may be loaded again.
    fn leave(&self) {
        memory::keep_instance(&self.instance);
        self.remember();
    }

    fn remember(&self) {
        // Before the room is joined there is only what is remembered already.
        if self.remembered.borrow().is_none()
            && let Some(page) = Page::of(&self.state())
        {
            memory::keep_layout(page.layout);
            memory::keep_page(&page);
        }
        self.remember_changes();
    }

    /// Goes on from what this browser knows of the project's beginning.
    pub(crate) fn recall_changes(&self) {
        let Some(me) = self.state().me.clone() else { return };
        if let Some(since) = memory::since(me.room, &me.project) {
            self.dispatch(Action::Tree(TreeAction::GoOn(since)));
        }
        *self.remembered_tree.borrow_mut() = Some(Rc::default());
        self.remember_soon();
    }

    fn remember_changes(&self) {
        let (me, tree) = (self.state().me.clone(), self.state().tree.clone());
        let mut remembered = self.remembered_tree.borrow_mut();
        if let (Some(me), Some(before)) = (me, &mut *remembered)
            && !tree.is_since_as_in(before)
        {
            memory::keep_since(me.room, &me.project, &tree.since());
            *before = tree;
        }
    }
}
