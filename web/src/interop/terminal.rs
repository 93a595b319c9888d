//! One terminal: xterm.js (`web/js/src/terminal.ts`).

use js_sys::{Function, Object, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Element;

use super::page::{callback, nonce, set};

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
    #[wasm_bindgen(method)]
    fn destroy(this: &TerminalHandle);
}

/// What a terminal tells. Called while nothing of the page is borrowed.
pub(crate) struct TerminalEvents {
    /// Somebody typed, or the terminal answers its program.
    pub(crate) data: Box<dyn Fn(Vec<u8>)>,
    /// There is room for this many columns and rows.
    pub(crate) room: Box<dyn Fn(u16, u16)>,
    /// An http or https link was followed.
    pub(crate) link: Box<dyn Fn(String)>,
    /// The oldest write that was not done yet is on the screen.
    pub(crate) written: Box<dyn Fn()>,
}

/// How a terminal is made.
pub(crate) struct TerminalOptions<'a> {
    pub(crate) label: &'a str,
    pub(crate) dark: bool,
    pub(crate) screen_reader: bool,
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
        set(&object, "label", &options.label.into());
        set(&object, "dark", &options.dark.into());
        set(&object, "nonce", &nonce().into());
        set(&object, "screenReader", &options.screen_reader.into());
        set(&object, "onData", &callback(Closure::wrap(events.data)));
        set(&object, "onRoom", &callback(Closure::wrap(events.room)));
        set(&object, "onLink", &callback(Closure::wrap(events.link)));
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
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.handle.destroy();
    }
}
