//! The frame that the page is in, and the page around it (`web/js/src/frame.ts`).

use js_sys::{Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::modules::{Module, load};
use super::page::{callback, set};
use crate::state::embed::Host;

#[wasm_bindgen]
extern "C" {
    type FrameModule;
    #[wasm_bindgen(method, catch, js_name = createFrame)]
    fn create_frame(this: &FrameModule, options: &Object) -> Result<FrameHandle, JsValue>;

    type FrameHandle;
    #[wasm_bindgen(method)]
    fn hello(this: &FrameHandle);
    #[wasm_bindgen(method)]
    fn seen(this: &FrameHandle) -> Promise;
    #[wasm_bindgen(method)]
    fn say(this: &FrameHandle, text: &str);
    #[wasm_bindgen(method)]
    fn output(this: &FrameHandle, terminal: u32, bytes: &Uint8Array);
    #[wasm_bindgen(method)]
    fn ended(this: &FrameHandle, terminal: u32, how: &str);
}

/// What the page around a frame does. Called while nothing of the page is borrowed.
pub(crate) struct FrameEvents {
    /// It has answered, and gives this as JSON.
    pub(crate) hello: Box<dyn Fn(String)>,
    /// It asks for something, as JSON.
    pub(crate) ask: Box<dyn Fn(String)>,
}

pub(crate) struct Frame(FrameHandle);

impl Frame {
    /// From now on the page takes neither the keyboard nor the scroll of the page around.
    pub(crate) async fn new(host: Option<&Host>, takes_focus: bool, events: FrameEvents) -> Result<Self, JsValue> {
        let module = load(Module::Frame).await?;
        let options = Object::new();
        set(&options, "takesFocus", &takes_focus.into());
        set(&options, "host", &host.map(|host| host.origin.as_str()).unwrap_or_default().into());
        set(&options, "nonce", &host.map(|host| host.nonce.as_str()).unwrap_or_default().into());
        set(&options, "onHello", &callback(Closure::wrap(events.hello)));
        set(&options, "onAsk", &callback(Closure::wrap(events.ask)));
        Ok(Self(module.unchecked_into::<FrameModule>().create_frame(&options)?))
    }

    /// Offers its hand to the page around.
    pub(crate) fn hello(&self) {
        self.0.hello();
    }

    /// Until somebody can see it.
    pub(crate) async fn seen(&self) {
        // It never fails.
        let _ = JsFuture::from(self.0.seen()).await;
    }

    pub(crate) fn say(&self, text: &str) {
        self.0.say(text);
    }

    /// A program has printed something.
    pub(crate) fn output(&self, terminal: u32, bytes: &[u8]) {
        self.0.output(terminal, &Uint8Array::from(bytes));
    }

    /// Nothing more comes of a program; tells how it ended, once.
    pub(crate) fn ended(&self, terminal: u32, how: &str) {
        self.0.ended(terminal, how);
    }
}
