//! One editor: CodeMirror with its Yjs document (`web/js/src/editor.ts`).

use embedenv_shared::id::MemberId;
use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use super::page::{callback, nonce, set, words};
use crate::state::editing::Choice;
use crate::state::editorconfig::Rules;
use crate::state::files::FileId;
use crate::state::groups::GroupId;
use crate::state::settings::Settings;

/// What it says by itself.
const WORDS: [&str; 35] = [
    "change.added",
    "change.changed",
    "change.removed",
    "change.revert",
    "change.revert.short",
    "command.fold",
    "command.unfold",
    "find.none",
    "find.at",
    "find.count",
    "codemirror.find",
    "codemirror.next",
    "codemirror.previous",
    "codemirror.all",
    "codemirror.case",
    "codemirror.regexp",
    "codemirror.word",
    "codemirror.replace-with",
    "codemirror.replace",
    "codemirror.replace-all",
    "codemirror.close",
    "codemirror.match",
    "codemirror.on-line",
    "codemirror.replaced-one",
    "codemirror.replaced-all",
    "codemirror.line",
    "codemirror.go",
    "codemirror.folded",
    "codemirror.unfold",
    "codemirror.folded-lines",
    "codemirror.unfolded-lines",
    "codemirror.to",
    "codemirror.control",
    "codemirror.deleted",
    "codemirror.completions",
];

/// Views of a file are places of its editor, too, numbered beyond all groups.
const VIEWS: u32 = 1 << 24;

#[wasm_bindgen]
extern "C" {
    type EditorModule;
    #[wasm_bindgen(method, catch, js_name = createEditor)]
    fn create_editor(this: &EditorModule, options: &Object) -> Result<EditorHandle, JsValue>;

    #[wasm_bindgen(method)]
    fn prepare(this: &EditorModule, path: &str);

    type EditorHandle;
    #[wasm_bindgen(method)]
    fn receive(this: &EditorHandle, bytes: &Uint8Array);
    #[wasm_bindgen(method)]
    fn connected(this: &EditorHandle);
    #[wasm_bindgen(method)]
    fn renewed(this: &EditorHandle);
    #[wasm_bindgen(method)]
    fn painted(this: &EditorHandle) -> Promise;
    #[wasm_bindgen(method)]
    fn synced(this: &EditorHandle) -> bool;
    #[wasm_bindgen(method)]
    fn acknowledged(this: &EditorHandle);
    #[wasm_bindgen(method, js_name = setReadOnly)]
    fn set_read_only(this: &EditorHandle, read_only: bool);
    #[wasm_bindgen(method, js_name = setDark)]
    fn set_dark(this: &EditorHandle, dark: bool);
    #[wasm_bindgen(method, js_name = setPath)]
    fn set_path(this: &EditorHandle, path: &str);
    #[wasm_bindgen(method)]
    fn attach(this: &EditorHandle, pane: u32, parent: &Element);
    #[wasm_bindgen(method)]
    fn detach(this: &EditorHandle, pane: u32);
    #[wasm_bindgen(method)]
    fn focus(this: &EditorHandle, pane: u32);
    #[wasm_bindgen(method)]
    fn follow(this: &EditorHandle, member: Option<u32>);
    #[wasm_bindgen(method)]
    fn seek(this: &EditorHandle, member: u32);
    #[wasm_bindgen(method, js_name = goTo)]
    fn go_to(this: &EditorHandle, line: u32, column: u32, length: u32);
    #[wasm_bindgen(method)]
    fn highlight(this: &EditorHandle, stretches: &Array);
    #[wasm_bindgen(method)]
    fn perform(this: &EditorHandle, pane: u32, command: &str);
    #[wasm_bindgen(method, js_name = setHabits)]
    fn set_habits(this: &EditorHandle, habits: &Object);
    #[wasm_bindgen(method, js_name = setRules)]
    fn set_rules(this: &EditorHandle, rules: &Object);
    #[wasm_bindgen(method, js_name = setIndentation)]
    fn set_indentation(this: &EditorHandle, tabs: bool, size: u32);
    #[wasm_bindgen(method, js_name = setLanguage)]
    fn set_language(this: &EditorHandle, example: Option<&str>);
    #[wasm_bindgen(method, js_name = setFirst)]
    fn set_first(this: &EditorHandle, text: Option<&str>);
    #[wasm_bindgen(method, js_name = showCursor)]
    fn show_cursor(this: &EditorHandle);
    #[wasm_bindgen(method)]
    fn tidy(this: &EditorHandle);
    #[wasm_bindgen(method, js_name = toFormat)]
    fn to_format(this: &EditorHandle) -> String;
    #[wasm_bindgen(method)]
    fn formatted(this: &EditorHandle, before: &str, after: &str);
    #[wasm_bindgen(method)]
    fn compare(this: &EditorHandle, pane: u32, parent: &Element, comparison: &Object) -> Promise;
    #[wasm_bindgen(method)]
    fn symbols(this: &EditorHandle) -> String;
    #[wasm_bindgen(method)]
    fn text(this: &EditorHandle) -> String;
    #[wasm_bindgen(method)]
    fn destroy(this: &EditorHandle);
}

/// What an editor tells. Called while nothing of the page is borrowed.
pub(crate) struct EditorEvents {
    /// A message of the sync protocol is to be sent.
    pub(crate) message: Box<dyn Fn(Vec<u8>)>,
    /// The cursor is at this line and column, from 1.
    pub(crate) cursor: Box<dyn Fn(u32, u32)>,
    /// It is indented by tabs or not, and so many columns are a step.
    pub(crate) indentation: Box<dyn Fn(bool, u32)>,
    /// What the file defines can be told, or told better than before.
    pub(crate) readable: Box<dyn Fn()>,
    /// A person has paused, and what their `.editorconfig` says of the text was put right.
    pub(crate) tidied: Box<dyn Fn()>,
    /// The person wants to see what has changed.
    pub(crate) compare: Box<dyn Fn()>,
    /// A person changed the text; true if the server's has not come yet.
    pub(crate) edited: Box<dyn Fn(bool)>,
    /// The person at this page goes a way of their own, and follows nobody.
    pub(crate) wander: Box<dyn Fn()>,
}

/// Loads what the editor of a file will need, before there is one.
pub(crate) fn prepare(module: &JsValue, path: &str) {
    module.unchecked_ref::<EditorModule>().prepare(path);
}

pub(crate) struct Editor {
    handle: EditorHandle,
}

impl Editor {
    /// Makes an editor, which is shown nowhere yet.
    pub(crate) fn new(
        module: JsValue,
        path: &str,
        read_only: bool,
        dark: bool,
        settings: &Settings,
        events: EditorEvents,
    ) -> Result<Self, JsValue> {
        let options = Object::new();
        set(&options, "path", &path.into());
        set(&options, "label", &format!("Editor: {path}").into());
        set(&options, "readOnly", &read_only.into());
        set(&options, "dark", &dark.into());
        set(&options, "nonce", &nonce().into());
        set(&options, "habits", &habits(settings));
        set(&options, "words", &words(&WORDS));
        set(&options, "onIndentation", &callback(Closure::wrap(events.indentation)));
        set(&options, "onReadable", &callback(Closure::wrap(events.readable)));
        set(&options, "onTidied", &callback(Closure::wrap(events.tidied)));
        set(&options, "onCompare", &callback(Closure::wrap(events.compare)));
        set(&options, "onMessage", &callback(Closure::wrap(events.message)));
        set(&options, "onCursor", &callback(Closure::wrap(events.cursor)));
        set(&options, "onEdited", &callback(Closure::wrap(events.edited)));
        set(&options, "onWander", &callback(Closure::wrap(events.wander)));
        let handle = module.unchecked_into::<EditorModule>().create_editor(&options)?;
        Ok(Self { handle })
    }

    pub(crate) fn receive(&self, message: &[u8]) {
        self.handle.receive(&Uint8Array::from(message));
    }

    /// Until what it shows now is painted.
    pub(crate) async fn painted(&self) {
        // It never fails.
        let _ = JsFuture::from(self.handle.painted()).await;
    }

    /// Whether the text is the document's.
    pub(crate) fn synced(&self) -> bool {
        self.handle.synced()
    }

    /// The document is open again, in the same life.
    pub(crate) fn connected(&self) {
        self.handle.connected();
    }

    /// The document is open in another life than before.
    pub(crate) fn renewed(&self) {
        self.handle.renewed();
    }

    /// The server holds everything that was typed here.
    pub(crate) fn acknowledged(&self) {
        self.handle.acknowledged();
    }

    pub(crate) fn set_read_only(&self, read_only: bool) {
        self.handle.set_read_only(read_only);
    }

    pub(crate) fn set_dark(&self, dark: bool) {
        self.handle.set_dark(dark);
    }

    pub(crate) fn set_path(&self, path: &str) {
        self.handle.set_path(path);
    }

    /// Shows it in one more group.
    pub(crate) fn attach(&self, group: GroupId, parent: &Element) {
        self.handle.attach(group.0, parent);
    }

    /// Shows it in a group no more.
    pub(crate) fn detach(&self, group: GroupId) {
        self.handle.detach(group.0);
    }

    pub(crate) fn focus(&self, group: GroupId) {
        self.handle.focus(group.0);
    }

    /// Keeps to the view of a person.
    pub(crate) fn follow(&self, member: Option<MemberId>) {
        self.handle.follow(member.map(|member| member.0));
    }

    /// Shows where a person is, once that is known.
    pub(crate) fn seek(&self, member: MemberId) {
        self.handle.seek(member.0);
    }

    /// Selects so much at a line and column, from 1, once the text is here; nothing puts the cursor there.
    pub(crate) fn go_to(&self, line: u32, column: u32, length: u32) {
        self.handle.go_to(line, column, length);
    }

    /// Marks lines, first and last from 1, once the text is here.
    pub(crate) fn highlight(&self, stretches: &[(u32, u32)]) {
        let pair = |(first, last): &(u32, u32)| Array::of2(&(*first).into(), &(*last).into());
        self.handle.highlight(&stretches.iter().map(pair).collect());
    }

    /// Does something by the name it has in `web/js/src/editor/commands.ts`.
    pub(crate) fn perform(&self, group: GroupId, command: &str) {
        self.handle.perform(group.0, command);
    }

    /// What the person has set for all editors.
    pub(crate) fn set_habits(&self, settings: &Settings) {
        self.handle.set_habits(&habits(settings));
    }

    /// What the file's `.editorconfig` says.
    pub(crate) fn set_rules(&self, rules: &Rules) {
        let Rules { tabs, size, tab_width, trim, final_newline, ruler, line_ending } = rules;
        let object = Object::new();
        set(&object, "lineEnding", &line_ending.is_some().into());
        let flags = [("tabs", tabs), ("trim", trim), ("finalNewline", final_newline)];
        for (name, value) in flags.into_iter().filter_map(|(name, value)| Some((name, (*value)?))) {
            set(&object, name, &value.into());
        }
        let numbers = [("size", size), ("tabWidth", tab_width), ("ruler", ruler)];
        for (name, value) in numbers.into_iter().filter_map(|(name, value)| Some((name, (*value)?))) {
            set(&object, name, &value.into());
        }
        self.handle.set_rules(&object);
    }

    /// How this file is indented from now on; `None` for what its text shows.
    pub(crate) fn set_indentation(&self, chosen: Option<(bool, u32)>) {
        let (tabs, size) = chosen.unwrap_or_default();
        self.handle.set_indentation(tabs, size);
    }

    /// What the file is written in.
    pub(crate) fn set_language(&self, choice: Choice) {
        let example = match choice {
            Choice::ByName => None,
            Choice::Plain => Some(String::new()),
            Choice::Language(language) => Some(language.example()),
        };
        self.handle.set_language(example.as_deref());
    }

    /// What the file was when somebody opened it first; `None` for what it was when this page opened it.
    pub(crate) fn set_first(&self, text: Option<&str>) {
        self.handle.set_first(text);
    }

    /// Brings the cursor into view.
    pub(crate) fn show_cursor(&self) {
        self.handle.show_cursor();
    }

    /// Puts right what the `.editorconfig` says of ends of lines and of the text.
    pub(crate) fn tidy(&self) {
        self.handle.tidy();
    }

    /// The text, which is to be formatted.
    pub(crate) fn to_format(&self) -> String {
        self.handle.to_format()
    }

    /// What became of the text to be formatted. What was typed meanwhile stays.
    pub(crate) fn formatted(&self, before: &str, after: &str) {
        self.handle.formatted(before, after);
    }

    /// Shows it in a view, beside what it was: the text of `before`, or that with which this page opened it.
    pub(crate) async fn compare(
        &self,
        view: FileId,
        parent: &Element,
        before: Option<&str>,
        name: &str,
        inline: bool,
    ) -> Result<(), JsValue> {
        let comparison = Object::new();
        if let Some(before) = before {
            set(&comparison, "before", &before.into());
        }
        set(&comparison, "name", &name.into());
        set(&comparison, "inline", &inline.into());
        JsFuture::from(self.handle.compare(VIEWS | view.0, parent, &comparison)).await.map(drop)
    }

    /// The same as [`perform`](Self::perform), in a view.
    pub(crate) fn perform_in_view(&self, view: FileId, command: &str) {
        self.handle.perform(VIEWS | view.0, command);
    }

    /// Shows it in a view no more.
    pub(crate) fn end_view(&self, view: FileId) {
        self.handle.detach(VIEWS | view.0);
    }

    /// The object that other modules of the page's talk to.
    pub(super) fn handle(&self) -> &JsValue {
        &self.handle
    }

    /// What the file defines, as JSON.
    pub(crate) fn symbols(&self) -> String {
        self.handle.symbols()
    }

    pub(crate) fn text(&self) -> String {
        self.handle.text()
    }
}

fn habits(settings: &Settings) -> Object {
    let habits = Object::new();
    let Settings { tab_size, wrap, completion, guides, whitespace, .. } = settings;
    for (name, value) in [("wrap", wrap), ("completion", completion), ("guides", guides), ("whitespace", whitespace)] {
        set(&habits, name, &(*value).into());
    }
    set(&habits, "tabSize", &if *tab_size > 0 { (*tab_size).into() } else { JsValue::NULL });
    habits
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.handle.destroy();
    }
}
