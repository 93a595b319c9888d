//! An app's page in a frame of the preview: what it says of itself, and where it is told to go. The page speaks first, from
//! its own origin; it is answered with a port that nobody else holds (`static/preview/inside.js` is the other end).

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{HtmlIFrameElement, MessageChannel, MessageEvent, MessagePort};

use super::page;
use crate::state::preview::{Line, MAX_LINES};

/// What both ends say to find each other.
const GREETING: &str = "embedenv-preview";

/// What a page said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is another page than before, or the same anew.
    Place {
        url: String,
    },
    Console(Vec<Line>),
}

/// Listens to the page in one frame, as long as it is kept.
pub(crate) struct Framed {
    port: Rc<RefCell<Option<Port>>>,
    greeted: Closure<dyn FnMut(MessageEvent)>,
}

struct Port {
    port: MessagePort,
    _hears: Closure<dyn FnMut(MessageEvent)>,
}

impl Framed {
    /// `base` is where the port's pages are. They alone are listened to; below a path they have no origin (`null`).
    pub(crate) fn listen(frame: HtmlIFrameElement, base: &str, said: Rc<dyn Fn(Said)>) -> Self {
        let port = Rc::new(RefCell::new(None::<Port>));
        let is_shared = base.matches('/').count() > 3;
        let origin = if is_shared { "null" } else { base.trim_end_matches('/') }.to_owned();
        let greeted = {
            let port = port.clone();
            Closure::new(move |event: MessageEvent| {
                let Some(inside) = frame.content_window() else { return };
                let is_its = event.source().is_some_and(|source| Object::is(&source, &inside));
                if event.data().as_string().as_deref() != Some(GREETING) || event.origin() != origin || !is_its {
                    return;
                }
                let Ok(channel) = MessageChannel::new() else { return };
                let said = said.clone();
                let hears = Closure::new(move |event: MessageEvent| {
                    if let Some(what) = heard(&event.data()) {
                        said(what);
                    }
                });
                let ours = channel.port1();
                ours.set_onmessage(Some(hears.as_ref().unchecked_ref()));
                // It may have gone on to another page meanwhile, which speaks for itself.
                let target = if is_shared { "*" } else { &origin };
                let _ = inside.post_message_with_transfer(&GREETING.into(), target, &Array::of1(&channel.port2()));
                if let Some(before) = port.borrow_mut().replace(Port { port: ours, _hears: hears }) {
                    before.port.close();
                }
            })
        };
        // It can't fail on a window.
        let _ = page::window().add_event_listener_with_callback("message", greeted.as_ref().unchecked_ref());
        Self { port, greeted }
    }

    /// Tells the page to go `back` or to `reload`. Says whether there was a page to be told.
    pub(crate) fn go(&self, where_to: &str) -> bool {
        let port = self.port.borrow();
        let Some(Port { port, .. }) = &*port else { return false };
        let message = Object::new();
        // Both take any text.
        let _ = Reflect::set(&message, &"go".into(), &where_to.into());
        port.post_message(&message).is_ok()
    }
}

impl Drop for Framed {
    fn drop(&mut self) {
        let _ = page::window().remove_event_listener_with_callback("message", self.greeted.as_ref().unchecked_ref());
        if let Some(Port { port, .. }) = self.port.borrow_mut().take() {
            port.close();
        }
    }
}

/// A message of a page, which may say anything.
fn heard(data: &JsValue) -> Option<Said> {
    match &*text(data, "type")? {
        "place" => Some(Said::Place { url: text(data, "url")? }),
        "console" => {
            let lines = Reflect::get(data, &"lines".into()).ok()?.dyn_into::<Array>().ok()?;
            let line =
                |line: JsValue| Some(Line::new(&text(&line, "level")?, &text(&line, "text")?, text(&line, "place")));
            Some(Said::Console(lines.iter().take(MAX_LINES).filter_map(line).collect()))
        }
        _ => None,
    }
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}
