//! What a touch screen does otherwise than a mouse: its keyboard takes a part of the window, and a finger that stays asks for
//! the menu. Owns the listeners for both; what the page does then is up to who asked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_events::{EventListener, EventListenerOptions};
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, EventTarget, MouseEvent, MouseEventInit, PointerEvent, VisualViewport};

use super::page;

/// A finger that stays this long asks for the menu, in milliseconds; as long as it takes elsewhere.
const LONG: u32 = 500;
/// A finger that moves this far, in CSS pixels, scrolls or drags.
const FAR: i32 = 10;
/// The on-screen keyboard takes at least so much, in CSS pixels; bars that fold away while one scrolls take less.
const KEYBOARD: f64 = 120.0;
/// What has a menu of its own.
const WITH_MENU: &str = "[role=treeitem], [role=tab]";

/// Keeps the page within what the on-screen keyboard leaves of the window, and says when that has changed.
pub(crate) fn watch_viewport(changed: impl Fn() + 'static) -> Vec<EventListener> {
    let Some(viewport) = page::window().visual_viewport() else { return Vec::new() };
    let changed = Rc::new(changed);
    let listen = |name: &'static str| {
        let (viewport, changed) = (viewport.clone(), changed.clone());
        let target: EventTarget = viewport.clone().unchecked_into();
        EventListener::new(&target, name, move |_| {
            fit(&viewport);
            changed();
        })
    };
    ["resize", "scroll"].map(listen).into()
}

/// Where the browser makes the window smaller by itself there is nothing to do. Others lay the keyboard over the page, and
/// move it so that the text can be seen.
fn fit(viewport: &VisualViewport) {
    let whole = page::window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
    let is_covered = whole - viewport.height() > KEYBOARD && viewport.scale() < 1.01;
    let (height, top) = if is_covered {
        (format!("{}px", viewport.height()), format!("{}px", viewport.offset_top()))
    } else {
        (String::new(), String::new())
    };
    page::set_property("--window-height", &height);
    page::set_property("--window-top", &top);
}

/// A finger that is down.
struct Press {
    at: (i32, i32),
    _waits: Timeout,
}

/// Has a finger that stays on something with a menu open that, where the browser does not do so itself.
pub(crate) fn hear_long_presses() -> Vec<EventListener> {
    let press: Rc<RefCell<Option<Press>>> = Rc::default();
    // The menu is open, and the finger still down: what the browser makes of that is no click.
    let is_long = Rc::new(Cell::new(false));
    let options = EventListenerOptions { passive: false, ..EventListenerOptions::run_in_capture_phase() };
    let on = |name: &'static str, act: Box<dyn Fn(&Event)>| {
        EventListener::new_with_options(&page::window(), name, options, move |event| act(event))
    };
    let begin = {
        let (press, is_long) = (press.clone(), is_long.clone());
        move |event: &Event| {
            is_long.set(false);
            *press.borrow_mut() = None;
            let Some(pointer) = event.dyn_ref::<PointerEvent>().filter(|pointer| pointer.pointer_type() == "touch")
            else {
                return;
            };
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let Some(target) = target.filter(|target| target.closest(WITH_MENU).ok().flatten().is_some()) else {
                return;
            };
            let at = (pointer.client_x(), pointer.client_y());
            let is_long = is_long.clone();
            let waits = Timeout::new(LONG, move || {
                // The browser may have been quicker.
                if !is_long.replace(true) {
                    open_menu(&target, at);
                }
            });
            *press.borrow_mut() = Some(Press { at, _waits: waits });
        }
    };
    let moved = {
        let press = press.clone();
        move |event: &Event| {
            let Some(pointer) = event.dyn_ref::<PointerEvent>() else { return };
            let is_far = press.borrow().as_ref().is_some_and(|press| {
                let (x, y) = press.at;
                (pointer.client_x() - x).abs() > FAR || (pointer.client_y() - y).abs() > FAR
            });
            if is_far {
                *press.borrow_mut() = None;
            }
        }
    };
    let end = move |_: &Event| {
        *press.borrow_mut() = None;
    };
    let swallow = {
        let is_long = is_long.clone();
        move |event: &Event| {
            if is_long.get() {
                event.prevent_default();
                event.stop_propagation();
            }
        }
    };
    let menu = move |event: &Event| {
        // The one that was made here is for the page; of the browser's, the first is.
        if event.is_trusted() && is_long.replace(true) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    vec![
        on("pointerdown", Box::new(begin)),
        on("pointermove", Box::new(moved)),
        on("pointerup", Box::new(end.clone())),
        on("pointercancel", Box::new(end)),
        // Without this what is under the finger by then is clicked: the menu.
        on("touchend", Box::new(swallow.clone())),
        on("click", Box::new(swallow)),
        on("contextmenu", Box::new(menu)),
    ]
}

fn open_menu(target: &Element, (x, y): (i32, i32)) {
    let init = MouseEventInit::new();
    init.set_bubbles(true);
    init.set_cancelable(true);
    init.set_client_x(x);
    init.set_client_y(y);
    if let Ok(event) = MouseEvent::new_with_mouse_event_init_dict("contextmenu", &init) {
        // Whether somebody prevented the browser's own menu does not matter: there is none.
        let _ = target.dispatch_event(&event);
    }
}
