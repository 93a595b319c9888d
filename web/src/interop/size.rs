//! How large an element is: hears of every change, also of its being shown or hidden.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, ResizeObserver};

/// Hears until it is dropped.
pub(crate) struct Resized {
    observer: ResizeObserver,
    _heard: Closure<dyn Fn()>,
}

impl Resized {
    /// A browser that can't observe tells nothing.
    pub(crate) fn hear(element: &Element, heard: impl Fn() + 'static) -> Option<Self> {
        let heard = Closure::<dyn Fn()>::new(heard);
        let observer = ResizeObserver::new(heard.as_ref().unchecked_ref()).ok()?;
        observer.observe(element);
        Some(Self { observer, _heard: heard })
    }
}

impl Drop for Resized {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
