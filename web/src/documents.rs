//! The open documents: each an editor on one end and a document of the server's on the other, and what lies between.
//!
//! A tab has a record here from when it is first shown until it is closed. Messages go through untouched; here is only
//! which document they belong to, whether everything was received, and what happens when a connection begins or ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use embedenv_shared::code::Failure;
use embedenv_shared::command::FullRequest;
use embedenv_shared::frame::{BinaryFrame, LineEnding, ReadOnly, ServerFrame};
use embedenv_shared::id::{DocumentId, MemberId};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use crate::gate::Gate;
use crate::interop::editor::{Editor, EditorEvents, prepare};
use crate::interop::modules::{Module, load};
use crate::interop::page;
use crate::standing::{Standing, is_update};
use crate::state::Action;
use crate::state::editing::{Choice, Indentation, Manner};
use crate::state::files::{Access, FileId, FilesAction};
use crate::state::go_to::{self, Symbol};
use crate::state::groups::GroupId;
use crate::state::views::Against;
use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// Messages kept for an editor that is still being loaded; with more than this something is wrong, and the document is
/// synced again when the editor is there anyway.
const MAX_EARLY: usize = 1024;

#[derive(Default)]
pub(crate) struct Documents {
    records: RefCell<Vec<Rc<Record>>>,
    /// What is to be shown in a file as soon as it has an editor.
    sought: Cell<Option<(FileId, Sought)>>,
    /// The file whose lines are marked as soon as it has an editor.
    marked: RefCell<Option<(FileId, Stretches)>>,
}

/// The first and last lines of stretches, counted from 1.
type Stretches = Vec<(u32, u32)>;

/// A place in a file.
#[derive(Debug, Clone, Copy)]
enum Sought {
    /// Where somebody is.
    Person(MemberId),
    /// A line and a column, from 1, and how much is selected from there on.
    At(u32, u32, u32),
}

impl Sought {
    fn show_in(self, editor: &Editor) {
        match self {
            Self::Person(member) => editor.seek(member),
            Self::At(line, column, length) => editor.go_to(line, column, length),
        }
    }
}

struct Record {
    id: FileId,
    /// The groups in which it is shown, and where.
    places: RefCell<Vec<(GroupId, Element)>>,
    editor: RefCell<Option<Rc<Editor>>>,
    /// What the server calls it, while it is open on the connection that stands.
    document: Cell<Option<DocumentId>>,
    /// The life of the document that the editor has a copy of.
    epoch: Cell<Option<u64>>,
    /// The server has been sent everything that the editor had when the document was opened.
    caught_up: Cell<bool>,
    /// The server has opened it, once at least.
    was_opened: Gate,
    can_write: Cell<bool>,
    standing: RefCell<Standing>,
    /// Messages that came before the editor was there.
    early: RefCell<Vec<Vec<u8>>>,
    /// Line and column of the cursor, from 1.
    cursor: Cell<(u32, u32)>,
    /// How it is indented, once its editor has said so.
    indentation: Cell<Option<Indentation>>,
    /// How its lines end, and how its `.editorconfig` says that they ought to.
    line_ending: Cell<LineEnding>,
    wanted_line_ending: Cell<Option<LineEnding>>,
    /// What a person said that it is written in.
    language: Cell<Choice>,
    /// The room was asked what the file was at first.
    asked_first: Cell<bool>,
    /// What it defines can be told.
    readable: Gate,
    /// What its editor is to do as soon as it is there, by its name, and in which group.
    wanted: RefCell<Option<(GroupId, String)>>,
    /// The editor shall have the keyboard as soon as it is there.
    wants_focus: Cell<bool>,
}

impl Documents {
    fn get(&self, id: FileId) -> Option<Rc<Record>> {
        self.records.borrow().iter().find(|record| record.id == id).cloned()
    }

    fn all(&self) -> Vec<Rc<Record>> {
        self.records.borrow().clone()
    }

    fn by_document(&self, document: DocumentId) -> Option<Rc<Record>> {
        self.records.borrow().iter().find(|record| record.document.get() == Some(document)).cloned()
    }

    /// The document of a tab, while it is open on the connection that stands.
    pub(crate) fn document(&self, id: FileId) -> Option<DocumentId> {
        self.get(id)?.document.get()
    }

    /// A tab is shown for the first time: its document is opened and an editor made for it, if another tab has none yet.
    pub(crate) fn mount(&self, workbench: &Workbench, id: FileId, group: GroupId, parent: Element) {
        if let Some(record) = self.get(id) {
            if let Some(editor) = &*record.editor.borrow() {
                editor.attach(group, &parent);
                if record.wants_focus.take() || workbench.take_wish_for_editor(id) {
                    editor.focus(group);
                }
            }
            return record.places.borrow_mut().push((group, parent));
        }
        let record = Rc::new(Record {
            id,
            places: RefCell::new(vec![(group, parent)]),
            editor: RefCell::new(None),
            document: Cell::new(None),
            epoch: Cell::new(None),
            caught_up: Cell::new(false),
            was_opened: Gate::default(),
            can_write: Cell::new(false),
            standing: RefCell::default(),
            early: RefCell::default(),
            cursor: Cell::new((1, 1)),
            indentation: Cell::new(None),
            line_ending: Cell::default(),
            wanted_line_ending: Cell::default(),
            language: Cell::default(),
            asked_first: Cell::default(),
            readable: Gate::default(),
            wanted: RefCell::default(),
            wants_focus: Cell::new(workbench.take_wish_for_editor(id)),
        });
        self.records.borrow_mut().push(record.clone());
        open(workbench, &record);
        let workbench = workbench.clone();
        spawn_local(async move {
            if let Err(error) = make_editor(&workbench, &record).await {
                page::warn(&format!("the editor: {error:?}"));
                workbench.dispatch(Action::Alert(words::no_module("editor")));
            }
        });
    }

    /// A tab is closed, or moved to another group. Once the file is not open, its document is closed.
    pub(crate) fn unmount(&self, workbench: &Workbench, id: FileId, group: GroupId) {
        let Some(record) = self.get(id) else { return };
        record.places.borrow_mut().retain(|(other, _)| *other != group);
        if workbench.state().files.get(id).is_some() {
            if let Some(editor) = &*record.editor.borrow() {
                editor.detach(group);
            }
            return;
        }
        self.records.borrow_mut().retain(|other| other.id != id);
        if let Some(document) = record.document.take() {
            workbench.connection.tell(&FullRequest::Close { document });
        }
        let editor = record.editor.borrow_mut().take();
        drop(editor);
    }

    /// The room is joined (again): every document is opened on the new connection.
    pub(crate) fn joined(&self, workbench: &Workbench) {
        for record in self.all() {
            open(workbench, &record);
        }
    }

    /// The connection broke: what is typed from now on waits in the editors.
    pub(crate) fn lost(&self, workbench: &Workbench) {
        for record in self.all() {
            record.forget_connection();
            mark(workbench, &record);
        }
    }

    /// A message from the server for a document.
    pub(crate) fn receive(&self, workbench: &Workbench, document: DocumentId, message: &[u8]) {
        let Some(record) = self.by_document(document) else { return };
        let editor = record.editor.borrow().clone();
        match editor {
            Some(editor) => hand(workbench, &record, &editor, message),
            None => {
                let mut early = record.early.borrow_mut();
                if early.len() < MAX_EARLY {
                    early.push(message.to_vec());
                }
            }
        }
    }

    /// The server said where a document stands.
    pub(crate) fn stands(&self, workbench: &Workbench, document: DocumentId, heard: Heard) {
        let Some(record) = self.by_document(document) else { return };
        record.standing.borrow_mut().heard(heard.received, heard.saved);
        if record.line_ending.replace(heard.eol) != heard.eol {
            workbench.show_manner();
        }
        if record.standing.borrow().is_held()
            && record.caught_up.get()
            && let Some(editor) = &*record.editor.borrow()
        {
            editor.acknowledged();
        }
        mark(workbench, &record);
        let known = workbench.state().files.get(record.id).and_then(|file| file.problem.clone());
        if known != heard.problem {
            workbench.dispatch(Action::Files(FilesAction::Problem { id: record.id, problem: heard.problem }));
        }
    }

    /// The server let go of a document: it is opened again, if its file is still there.
    pub(crate) fn closed(&self, workbench: &Workbench, document: DocumentId, reason: &str) {
        let Some(record) = self.by_document(document) else { return };
        record.forget_connection();
        open_or(workbench, &record, reason.to_owned());
    }

    /// The server says that the file has another path.
    pub(crate) fn moved(&self, document: DocumentId) -> Option<FileId> {
        self.by_document(document).map(|record| record.id)
    }

    pub(crate) fn set_path(&self, id: FileId, path: &str) {
        if let Some(record) = self.get(id)
            && let Some(editor) = &*record.editor.borrow()
        {
            editor.set_path(path);
        }
    }

    /// Tries once more to open what could not be opened.
    pub(crate) fn retry(&self, workbench: &Workbench, id: FileId) {
        if let Some(record) = self.get(id)
            && record.document.get().is_none()
        {
            open(workbench, &record);
        }
    }

    /// Where the cursor is in a file.
    pub(crate) fn cursor(&self, id: FileId) -> (u32, u32) {
        self.get(id).map_or((1, 1), |record| record.cursor.get())
    }

    /// How a file is indented, how its lines end and what it is written in.
    pub(crate) fn manner(&self, id: FileId) -> Option<Manner> {
        let record = self.get(id)?;
        let (indentation, line_ending) = (record.indentation.get(), record.line_ending.get());
        Some(Manner { indentation, line_ending, language: record.language.get() })
    }

    /// How the lines of a file ought to end by its `.editorconfig`.
    pub(crate) fn want_line_ending(&self, id: FileId, wanted: Option<LineEnding>) {
        if let Some(record) = self.get(id) {
            record.wanted_line_ending.set(wanted);
        }
    }

    /// How the lines of a file ought to end, if they end another way.
    pub(crate) fn wanted_line_ending(&self, id: FileId) -> Option<LineEnding> {
        let record = self.get(id)?;
        record.wanted_line_ending.get().filter(|wanted| *wanted != record.line_ending.get())
    }

    /// Has a file read as one of a language.
    pub(crate) fn read_as(&self, id: FileId, choice: Choice) {
        let Some(record) = self.get(id) else { return };
        record.language.set(choice);
        if let Some(editor) = &*record.editor.borrow() {
            editor.set_language(choice);
        }
    }

    /// The editor of a file, once it is there.
    pub(crate) fn editor(&self, id: FileId) -> Option<Rc<Editor>> {
        self.get(id)?.editor.borrow().clone()
    }

    /// The editors that are there.
    pub(crate) fn editors(&self) -> Vec<(FileId, Rc<Editor>)> {
        let editor = |record: &Rc<Record>| Some((record.id, record.editor.borrow().clone()?));
        self.records.borrow().iter().filter_map(editor).collect()
    }

    /// Gives the keyboard to an editor in a group, once it is there and drawn. Returns whether it has a record.
    pub(crate) fn focus(&self, id: FileId, group: GroupId) -> bool {
        let Some(record) = self.get(id) else { return false };
        let editor = record.editor.borrow().clone();
        match editor {
            Some(editor) => {
                editor.focus(group);
                // One that is not drawn yet takes no keyboard.
                spawn_local(async move {
                    TimeoutFuture::new(0).await;
                    editor.focus(group);
                });
            }
            None => record.wants_focus.set(true),
        }
        true
    }

    /// Has the editor of a file do something that it knows by name, once it is there.
    pub(crate) fn perform(&self, id: FileId, group: GroupId, command: &str) {
        let Some(record) = self.get(id) else { return };
        let editor = record.editor.borrow().clone();
        match editor {
            Some(editor) => editor.perform(group, command),
            None => *record.wanted.borrow_mut() = Some((group, command.to_owned())),
        }
    }

    /// Has every editor keep to the view of a person.
    pub(crate) fn follow(&self, member: Option<MemberId>) {
        for record in self.all() {
            if let Some(editor) = &*record.editor.borrow() {
                editor.follow(member);
            }
        }
    }

    /// Shows where a person is in a file, once that is known.
    pub(crate) fn seek(&self, id: FileId, member: MemberId) {
        self.show(id, Sought::Person(member));
    }

    /// Puts the cursor of a file at a line and column, from 1, once its text is here.
    pub(crate) fn go_to(&self, id: FileId, line: u32, column: u32) {
        self.show(id, Sought::At(line, column, 0));
    }

    /// Selects a stretch of a line in a file, once its text is here.
    pub(crate) fn select(&self, id: FileId, line: u32, column: u32, length: u32) {
        self.show(id, Sought::At(line, column, length));
    }

    /// Marks lines of a file that has no editor yet, once it has.
    pub(crate) fn mark_lines(&self, id: FileId, lines: Stretches) {
        *self.marked.borrow_mut() = Some((id, lines));
    }

    fn show(&self, id: FileId, sought: Sought) {
        let editor = self.get(id).and_then(|record| record.editor.borrow().clone());
        match editor {
            Some(editor) => sought.show_in(&editor),
            None => self.sought.set(Some((id, sought))),
        }
    }

    pub(crate) fn set_dark(&self, dark: bool) {
        for record in self.all() {
            if let Some(editor) = &*record.editor.borrow() {
                editor.set_dark(dark);
            }
        }
    }

    /// Whether there are edits that no connection has carried yet, and that may be made.
    pub(crate) fn has_backlog(&self) -> bool {
        self.records.borrow().iter().any(|record| record.can_write.get() && record.standing.borrow().is_kept_back())
    }

    /// Whether the server holds everything that was typed into a file.
    pub(crate) fn is_held(&self, id: FileId) -> bool {
        self.get(id).is_none_or(|record| record.standing.borrow().is_held())
    }

    /// What a file defines, by its editor; `None` while its text is on its way.
    pub(crate) fn symbols(&self, id: FileId) -> Option<Vec<Symbol>> {
        let Some(record) = self.get(id) else { return Some(Vec::new()) };
        let editor = record.editor.borrow().clone().filter(|_| record.readable.is_open());
        editor.map(|editor| go_to::symbols(&editor.symbols()))
    }

    /// Until it can be told what a file defines, or it is closed.
    pub(crate) async fn readable(&self, id: FileId) {
        let readable = self.get(id).map(|record| record.readable.passed());
        if let Some(readable) = readable {
            readable.await;
        }
    }

    /// What is in an editor, for saving it elsewhere.
    pub(crate) fn text(&self, id: FileId) -> Option<String> {
        let record = self.get(id)?;
        let editor = record.editor.borrow().clone();
        editor.map(|editor| editor.text())
    }
}

/// Where the server said a document stands.
pub(crate) struct Heard {
    pub(crate) received: u64,
    pub(crate) saved: bool,
    pub(crate) eol: LineEnding,
    pub(crate) problem: Option<String>,
}

impl Record {
    fn forget_connection(&self) {
        self.document.set(None);
        self.caught_up.set(false);
        self.early.borrow_mut().clear();
        self.standing.borrow_mut().lost();
    }
}

fn open(workbench: &Workbench, record: &Rc<Record>) {
    open_or(workbench, record, String::new());
}

/// Opens the document on the connection that stands. `reason` is why it was closed before, told if that fails.
fn open_or(workbench: &Workbench, record: &Rc<Record>, reason: String) {
    let (Some(project), Some(path)) =
        (workbench.project(), workbench.state().files.get(record.id).map(|file| file.path.clone()))
    else {
        return;
    };
    if !workbench.connection.is_up() {
        return;
    }
    let (workbench_then, record) = (workbench.clone(), record.clone());
    workbench.connection.ask(&FullRequest::Open { project, path }, move |reply| {
        let workbench = workbench_then;
        match reply {
            Ok(ServerFrame::Opened { document, epoch, read_only, .. }) => {
                opened(&workbench, &record, document, epoch, read_only);
            }
            Err(failure) if workbench.connection.is_up() => refused(&workbench, &record, &failure, reason),
            // The next connection opens it.
            _ => {}
        }
    });
}

fn opened(workbench: &Workbench, record: &Rc<Record>, document: DocumentId, epoch: u64, read_only: Option<ReadOnly>) {
    if workbench.documents.get(record.id).is_none() {
        // The tab was closed meanwhile.
        return workbench.connection.tell(&FullRequest::Close { document });
    }
    record.document.set(Some(document));
    let is_shown_only = workbench.state().embed.as_ref().is_some_and(|embed| embed.is_read_only);
    // What this frame shows only needs no explanation: the page around it wanted that.
    record.can_write.set(read_only.is_none() && !is_shown_only);
    let access = read_only.map_or(Access::Editable, Access::ReadOnly);
    workbench.dispatch(Action::Files(FilesAction::Access { id: record.id, access }));
    let is_same = record.epoch.replace(Some(epoch)) == Some(epoch);
    record.was_opened.open();
    sync(workbench, record, is_same);
    workbench.apply_rules(record.id);
}

/// Both the document and the editor are there: they sync.
fn sync(workbench: &Workbench, record: &Rc<Record>, is_same: bool) {
    let editor = record.editor.borrow().clone();
    let Some(editor) = editor else { return };
    if record.document.get().is_none() {
        return;
    }
    editor.set_read_only(!record.can_write.get());
    if is_same {
        editor.connected();
    } else {
        editor.renewed();
    }
    for message in std::mem::take(&mut *record.early.borrow_mut()) {
        hand(workbench, record, &editor, &message);
    }
    ask_first(workbench, record);
}

/// Hands an editor a message, with which its text may have come.
fn hand(workbench: &Workbench, record: &Rc<Record>, editor: &Rc<Editor>, message: &[u8]) {
    editor.receive(message);
    if editor.synced() {
        record.standing.borrow_mut().came();
        mark(workbench, record);
        if !workbench.first_file.is_open() {
            let (workbench, editor) = (workbench.clone(), editor.clone());
            spawn_local(async move {
                editor.painted().await;
                workbench.first_file.open();
            });
        }
    }
}

/// Asks the room what the file was when somebody opened it first, which is what is changed since then. Once for an editor;
/// the text goes before that.
fn ask_first(workbench: &Workbench, record: &Rc<Record>) {
    if record.asked_first.replace(true) {
        return;
    }
    let (workbench, record) = (workbench.clone(), record.clone());
    spawn_local(async move {
        workbench.at_leisure().await;
        let Some(document) = record.document.get() else { return record.asked_first.set(false) };
        let first = match workbench.connection.request(&FullRequest::FirstText { document }).await {
            Ok(ServerFrame::FirstText { text, .. }) => text,
            // It is asked again on the next connection.
            Err(_) if !workbench.connection.is_up() => return record.asked_first.set(false),
            // Nobody knows: it is what this page saw first.
            _ => None,
        };
        let editor = record.editor.borrow().clone();
        if let Some(editor) = editor {
            editor.set_first(first.as_deref());
        }
    });
}

fn refused(workbench: &Workbench, record: &Rc<Record>, failure: &Failure, reason: String) {
    workbench.first_file.open();
    let had_text = record.epoch.get().is_some();
    let what = workbench.state().files.get(record.id).map(|file| file.name().to_owned()).unwrap_or_default();
    let access = if had_text {
        let why = if reason.is_empty() { words::failed(say!("failed.edit"), failure) } else { reason };
        Access::Gone(say!("failed.edit.safe", why = why))
    } else {
        Access::Failed(words::failed(&say!("failed.open", what = what), failure))
    };
    if let Some(editor) = &*record.editor.borrow() {
        editor.set_read_only(true);
    }
    workbench.dispatch(Action::Files(FilesAction::Access { id: record.id, access }));
}

async fn make_editor(workbench: &Workbench, record: &Rc<Record>) -> Result<(), wasm_bindgen::JsValue> {
    let module = load(Module::Editor).await?;
    let path = || workbench.state().files.get(record.id).map(|file| file.path.clone());
    if let Some(path) = path() {
        prepare(&module, path.as_str());
    }
    // Made once it is known what it begins with: each change of that takes an editor nearly as long as it takes to be made.
    record.was_opened.passed().await;
    if workbench.documents.get(record.id).is_none() {
        return Ok(());
    }
    let Some(path) = path() else { return Ok(()) };
    let settings = workbench.state().settings.clone();
    let events = events(workbench, record);
    let read_only = !record.can_write.get();
    let editor = Editor::new(module, path.as_str(), read_only, workbench.is_dark(), &settings, events)?;
    editor.follow(workbench.state().following);
    if let Some((_, sought)) = workbench.documents.sought.take().filter(|(id, _)| *id == record.id) {
        sought.show_in(&editor);
    }
    if let Some((_, lines)) = workbench.documents.marked.borrow_mut().take_if(|(id, _)| *id == record.id) {
        editor.highlight(&lines);
    }
    let places = record.places.borrow().clone();
    for (group, parent) in &places {
        editor.attach(*group, parent);
    }
    let editor = Rc::new(editor);
    *record.editor.borrow_mut() = Some(editor.clone());
    sync(workbench, record, false);
    workbench.apply_rules(record.id);
    if let Some((group, _)) = places.last().filter(|_| record.wants_focus.take()) {
        editor.focus(*group);
    }
    if let Some((group, command)) = record.wanted.take() {
        editor.perform(group, &command);
    }
    Ok(())
}

fn events(workbench: &Workbench, record: &Rc<Record>) -> EditorEvents {
    let id = record.id;
    let message = {
        let (workbench, record) = (workbench.clone(), Rc::downgrade(record));
        move |bytes: Vec<u8>| {
            if let Some(record) = record.upgrade() {
                send(&workbench, &record, &bytes);
            }
        }
    };
    let edited = {
        let (workbench, record) = (workbench.clone(), Rc::downgrade(record));
        move |early| {
            if let Some(record) = record.upgrade().filter(|_| early) {
                record.standing.borrow_mut().typed_early();
                mark(&workbench, &record);
            }
            if workbench.state().files.get(id).is_some_and(|file| file.preview) {
                workbench.dispatch(Action::Files(FilesAction::Keep(id)));
            }
        }
    };
    let wander = workbench.clone();
    let cursor = {
        let (workbench, record) = (workbench.clone(), Rc::downgrade(record));
        move |line, column| {
            if let Some(record) = record.upgrade() {
                record.cursor.set((line, column));
            }
            if workbench.state().files.active == Some(id) {
                workbench.cursor.set((line, column));
                workbench.note_place(id, (line, column));
            }
        }
    };
    let indentation = {
        let (workbench, record) = (workbench.clone(), Rc::downgrade(record));
        move |tabs, size| {
            if let Some(record) = record.upgrade() {
                record.indentation.set(Some(Indentation { tabs, size }));
            }
            workbench.show_manner();
        }
    };
    let readable = {
        let record = Rc::downgrade(record);
        move || record.upgrade().into_iter().for_each(|record| record.readable.open())
    };
    let (compare, tidied) = (workbench.clone(), workbench.clone());
    EditorEvents {
        readable: Box::new(readable),
        message: Box::new(message),
        indentation: Box::new(indentation),
        compare: Box::new(move || compare.compare(id, Against::First)),
        tidied: Box::new(move || tidied.obey_line_ending(id)),
        cursor: Box::new(cursor),
        edited: Box::new(edited),
        wander: Box::new(move || wander.wander()),
    }
}

/// An editor has something to send. Before it has answered the server's first question, edits are left out: that answer
/// holds them all, and an edit that comes before it would be one that the server can't place.
fn send(workbench: &Workbench, record: &Rc<Record>, message: &[u8]) {
    let is_update = is_update(message);
    if is_update && !record.can_write.get() {
        return;
    }
    let answers = message.get(1) == Some(&1);
    let goes = record.document.get().filter(|_| !is_update || answers || record.caught_up.get());
    let sent =
        goes.is_some_and(|document| workbench.connection.send_binary(BinaryFrame::Document { document, message }));
    if !is_update {
        return;
    }
    if sent {
        record.caught_up.set(true);
        record.standing.borrow_mut().sent(message);
        workbench.open_if_synced();
    } else {
        record.standing.borrow_mut().kept_back();
    }
    mark(workbench, record);
}

/// Brings the tab's mark into line; draws nothing if it is right already.
fn mark(workbench: &Workbench, record: &Record) {
    let unsaved = record.standing.borrow().is_unsaved();
    let shown = workbench.state().files.get(record.id).map(|file| file.unsaved);
    if shown.is_some_and(|shown| shown != unsaved) {
        workbench.dispatch(Action::Files(FilesAction::Unsaved { id: record.id, unsaved }));
    }
}
