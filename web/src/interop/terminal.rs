//! One terminal: xterm.js (`web/js/src/terminal.ts`).

use std::pin::Pin;

use js_sys::{Array, Function, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Element;

use super::page::{callback, nonce, set};
use crate::state::terminals::find::Query;
use crate::words::catalogue::say;

#[wasm_bindgen]
extern "C" {
    type TerminalModule;
    #[wasm_bindgen(method, catch, js_name = createTerminal)]
    fn create_terminal(this: &TerminalModule, options: &Object) -> Result<TerminalHandle, JsValue>;

    type TerminalHandle;
    #[wasm_bindgen(method)]
    fn write(this: &TerminalHandle, bytes: &Uint8Array, done: &Function, past: bool);
    #[wasm_bindgen(method)]
    fn reset(this: &TerminalHandle);
    #[wasm_bindgen(method)]
    fn fit(this: &TerminalHandle);
    #[wasm_bindgen(method)]
    fn lead(this: &TerminalHandle);
    #[wasm_bindgen(method)]
    fn follow(this: &TerminalHandle, cols: u16, rows: u16);
    #[wasm_bindgen(method, js_name = sayRoom)]
    fn say_room(this: &TerminalHandle);
    #[wasm_bindgen(method)]
    fn focus(this: &TerminalHandle);
    #[wasm_bindgen(method, js_name = setDark)]
    fn set_dark(this: &TerminalHandle, dark: bool);
    #[wasm_bindgen(method, js_name = setScreenReader)]
    fn set_screen_reader(this: &TerminalHandle, on: bool);
    #[wasm_bindgen(method, js_name = setHabits)]
    fn set_habits(this: &TerminalHandle, habits: &Object);
    #[wasm_bindgen(method, js_name = setLabel)]
    fn set_label(this: &TerminalHandle, label: &str);
    #[wasm_bindgen(method, js_name = hasSelection)]
    fn has_selection(this: &TerminalHandle) -> bool;
    #[wasm_bindgen(method)]
    fn copy(this: &TerminalHandle);
    #[wasm_bindgen(method, js_name = selectAll)]
    fn select_all(this: &TerminalHandle);
    #[wasm_bindgen(method)]
    fn paste(this: &TerminalHandle, text: &str);
    #[wasm_bindgen(method, js_name = isAskedAbout)]
    fn is_asked_about(this: &TerminalHandle, text: &str) -> bool;
    #[wasm_bindgen(method)]
    fn clear(this: &TerminalHandle);
    #[wasm_bindgen(method, js_name = type)]
    fn type_text(this: &TerminalHandle, text: &str);
    #[wasm_bindgen(method, js_name = selectedLine)]
    fn selected_line(this: &TerminalHandle) -> String;
    #[wasm_bindgen(method)]
    fn find(this: &TerminalHandle, query: &Object, way: &str);
    #[wasm_bindgen(method, js_name = closeFind)]
    fn close_find(this: &TerminalHandle);
    #[wasm_bindgen(method)]
    fn destroy(this: &TerminalHandle);
}

/// A place in a file that a text leads to; `start` and `end` count the text's UTF-16 units.
pub(crate) struct Place {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) path: String,
    /// What is said while the pointer is at it.
    pub(crate) title: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Where to look for the next match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Next,
    Previous,
    /// At the match that is shown, while it still is one.
    Typing,
}

/// What will be found of the places in a text.
pub(crate) type Places = Pin<Box<dyn Future<Output = Vec<Place>>>>;

/// What a terminal tells. Called while nothing of the page is borrowed.
pub(crate) struct TerminalEvents {
    /// Somebody typed, or the terminal answers its program.
    pub(crate) data: Box<dyn Fn(Vec<u8>)>,
    /// There is room for this many columns and rows.
    pub(crate) room: Box<dyn Fn(u16, u16)>,
    /// An http or https link was followed.
    pub(crate) link: Box<dyn Fn(String)>,
    /// The pointer came to a line: which files with their lines does it name?
    pub(crate) find_places: Box<dyn Fn(String) -> Places>,
    /// A place in a file was followed.
    pub(crate) place: Box<dyn Fn(String, u32, u32)>,
    /// Several lines are to be pasted.
    pub(crate) paste: Box<dyn Fn(String)>,
    pub(crate) bell: Box<dyn Fn()>,
    /// Which match of a search is shown, from 1, and how many there are: -1 if it can't be looked for.
    pub(crate) found: Box<dyn Fn(u32, i32)>,
    /// The oldest write that was not done yet is on the screen.
    pub(crate) written: Box<dyn Fn()>,
}

/// How a terminal is made.
pub(crate) struct TerminalOptions<'a> {
    pub(crate) label: &'a str,
    pub(crate) dark: bool,
    pub(crate) screen_reader: bool,
    pub(crate) habits: Habits,
}

/// What a person set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) copy_on_select: bool,
    pub(crate) paste_unasked: bool,
}

impl Habits {
    fn object(self) -> Object {
        let object = Object::new();
        set(&object, "copyOnSelect", &self.copy_on_select.into());
        set(&object, "pasteUnasked", &self.paste_unasked.into());
        object
    }
}

pub(crate) struct Terminal {
    handle: TerminalHandle,
    written: Function,
}

impl Terminal {
    pub(crate) fn new(
        module: JsValue,
        parent: &Element,
        options: TerminalOptions<'_>,
        events: TerminalEvents,
    ) -> Result<Self, JsValue> {
        let written = callback(Closure::wrap(events.written));
        let object = Object::new();
        set(&object, "parent", parent);
        set(&object, "label", &say!("terminal.input", name = options.label).into());
        set(&object, "tooMuchOutput", &say!("terminal.too-much-output").into());
        set(&object, "dark", &options.dark.into());
        set(&object, "nonce", &nonce().into());
        set(&object, "screenReader", &options.screen_reader.into());
        set(&object, "onData", &callback(Closure::wrap(events.data)));
        set(&object, "onRoom", &callback(Closure::wrap(events.room)));
        set(&object, "habits", &options.habits.object());
        set(&object, "onLink", &callback(Closure::wrap(events.link)));
        set(&object, "findPlaces", &callback(Closure::wrap(promising(events.find_places))));
        set(&object, "onPlace", &callback(Closure::wrap(events.place)));
        set(&object, "onPaste", &callback(Closure::wrap(events.paste)));
        set(&object, "onBell", &callback(Closure::wrap(events.bell)));
        set(&object, "onFound", &callback(Closure::wrap(events.found)));
        let handle = module.unchecked_into::<TerminalModule>().create_terminal(&object)?;
        Ok(Self { handle, written })
    }

    /// Shows output; [`TerminalEvents::written`] is called when it is on the screen. What a program asks the terminal in
    /// output of the `past` is not answered.
    pub(crate) fn write(&self, bytes: &[u8], past: bool) {
        self.handle.write(&Uint8Array::from(bytes), &self.written, past);
    }

    pub(crate) fn reset(&self) {
        self.handle.reset();
    }

    pub(crate) fn fit(&self) {
        self.handle.fit();
    }

    /// The terminal is this page's, and has the size that there is room for.
    pub(crate) fn lead(&self) {
        self.handle.lead();
    }

    /// The terminal is somebody else's, and has their size.
    pub(crate) fn follow(&self, cols: u16, rows: u16) {
        self.handle.follow(cols, rows);
    }

    /// Tells once more what there is room for.
    pub(crate) fn say_room(&self) {
        self.handle.say_room();
    }

    pub(crate) fn focus(&self) {
        self.handle.focus();
    }

    pub(crate) fn set_dark(&self, dark: bool) {
        self.handle.set_dark(dark);
    }

    pub(crate) fn set_screen_reader(&self, on: bool) {
        self.handle.set_screen_reader(on);
    }

    pub(crate) fn set_habits(&self, habits: Habits) {
        self.handle.set_habits(&habits.object());
    }

    /// What the terminal is called by now.
    pub(crate) fn set_label(&self, label: &str) {
        self.handle.set_label(&say!("terminal.input", name = label));
    }

    pub(crate) fn has_selection(&self) -> bool {
        self.handle.has_selection()
    }

    pub(crate) fn copy(&self) {
        self.handle.copy();
    }

    pub(crate) fn select_all(&self) {
        self.handle.select_all();
    }

    /// Pastes without a question.
    pub(crate) fn paste(&self, text: &str) {
        self.handle.paste(text);
    }

    /// Whether this text, pasted, is one to ask about.
    pub(crate) fn is_asked_about(&self, text: &str) -> bool {
        self.handle.is_asked_about(text)
    }

    /// Forgets all lines but the one of the prompt.
    pub(crate) fn clear(&self) {
        self.handle.clear();
    }

    /// As if somebody had typed it.
    pub(crate) fn type_text(&self, text: &str) {
        self.handle.type_text(text);
    }

    /// What is selected, if it is of one line.
    pub(crate) fn selected_line(&self) -> String {
        self.handle.selected_line()
    }

    /// Looks for something; [`TerminalEvents::found`] tells what came of it.
    pub(crate) fn find(&self, Query { text, case, word, regex }: &Query, way: Way) {
        let object = Object::new();
        set(&object, "text", &text.as_str().into());
        set(&object, "case", &(*case).into());
        set(&object, "word", &(*word).into());
        set(&object, "regex", &(*regex).into());
        let way = match way {
            Way::Next => "next",
            Way::Previous => "previous",
            Way::Typing => "typing",
        };
        self.handle.find(&object, way);
    }

    pub(crate) fn close_find(&self) {
        self.handle.close_find();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.handle.destroy();
    }
}

/// As JavaScript asks for places: it gets an array some time later.
fn promising(find: Box<dyn Fn(String) -> Places>) -> Box<dyn Fn(String) -> Promise> {
    Box::new(move |text| {
        let places = find(text);
        future_to_promise(async move {
            let array = Array::new();
            for Place { start, end, path, title, line, column } in places.await {
                let object = Object::new();
                set(&object, "start", &start.into());
                set(&object, "end", &end.into());
                set(&object, "path", &path.into());
                set(&object, "title", &title.into());
                set(&object, "line", &line.into());
                set(&object, "column", &column.into());
                array.push(&object);
            }
            Ok(array.into())
        })
    })
}
