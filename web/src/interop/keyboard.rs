//! Keys that are pressed by buttons of the page, for keyboards that have no Esc, no Tab and no arrows. They go to whatever
//! has the keyboard, as a browser's own key events do.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, EventTarget, HtmlDocument, KeyboardEvent, KeyboardEventInit};

use super::page;

/// Presses and releases a key where the keyboard is. `key` and `code` are those of a key event, and so is the old number.
pub(crate) fn press(key: &str, code: &str, number: u32, control: bool) {
    let Some(target) = page::focused() else { return };
    send(&target, key, code, number, control);
}

/// A letter with Ctrl, or with Cmd where that is what commands have.
pub(crate) fn press_with_control(target: &EventTarget, letter: char) {
    let upper = letter.to_ascii_uppercase();
    let code = if upper.is_ascii_alphabetic() { format!("Key{upper}") } else { String::new() };
    send(target, &letter.to_lowercase().to_string(), &code, u32::from(upper), true);
    // The browser does these itself, for keys that are pressed by hand.
    if let Some(what) = [('C', "copy"), ('X', "cut")].iter().find(|(key, _)| *key == upper) {
        command(what.1, "");
    }
}

/// Types text where the keyboard is.
pub(crate) fn insert(text: &str) {
    command("insertText", text);
}

pub(crate) fn is_in(target: &EventTarget, selector: &str) -> bool {
    target.dyn_ref::<Element>().is_some_and(|element| element.closest(selector).ok().flatten().is_some())
}

fn command(name: &str, value: &str) {
    if let Ok(document) = page::document().dyn_into::<HtmlDocument>() {
        // What has no such command at the moment does nothing, as with keys.
        let _ = document.exec_command_with_show_ui_and_value(name, false, value);
    }
}

fn send(target: &EventTarget, key: &str, code: &str, number: u32, control: bool) {
    let init = KeyboardEventInit::new();
    init.set_key(key);
    init.set_code(code);
    init.set_key_code(number);
    init.set_bubbles(true);
    init.set_cancelable(true);
    init.set_composed(true);
    // Programs in a terminal know Ctrl everywhere.
    if control && is_apple() && !is_in(target, ".terminal-host") {
        init.set_meta_key(true);
    } else {
        init.set_ctrl_key(control);
    }
    for kind in ["keydown", "keyup"] {
        if let Ok(event) = KeyboardEvent::new_with_keyboard_event_init_dict(kind, &init) {
            // Whether anybody took it makes no difference here.
            let _ = target.dispatch_event(&event);
        }
    }
}

/// Whether commands have Cmd and not Ctrl.
fn is_apple() -> bool {
    let platform = page::window().navigator().platform().unwrap_or_default();
    ["Mac", "iPhone", "iPad"].iter().any(|name| platform.starts_with(name))
}
