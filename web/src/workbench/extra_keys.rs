//! Keys of the row of buttons on touch screens, and the Ctrl that is held there for the next key.

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, InputEvent, KeyboardEvent};

use super::Workbench;
use crate::interop::{keyboard, page};
use crate::state::Action;
use crate::state::extra_keys::{Does, controlled};
use crate::state::settings::Pane;

/// Where text is typed that these keys are for.
const TEXTS: &str = ".terminal-host, .cm-content";

impl Workbench {
    /// A button of the row was pressed.
    pub(crate) fn press_extra_key(&self, does: Does) {
        if does == Does::Control {
            let held = self.state().control;
            return self.dispatch(Action::Control(!held));
        }
        if page::focused().is_some_and(|focused| keyboard::is_in(&focused, TEXTS)) {
            return self.press_where_the_keyboard_is(does);
        }
        let active = self.state().terminals.active().map(|terminal| terminal.terminal);
        match active {
            Some(id) if self.state().layout.pane == Pane::Terminal => self.terminals.focus(id),
            _ => self.focus_editor(),
        }
        let workbench = self.clone();
        spawn_local(async move {
            // It takes the keyboard a turn later.
            TimeoutFuture::new(0).await;
            TimeoutFuture::new(0).await;
            workbench.press_where_the_keyboard_is(does);
        });
    }

    fn press_where_the_keyboard_is(&self, does: Does) {
        match does {
            Does::Control => {}
            Does::Key(key, code, number) => keyboard::press(key, code, number, self.take_control()),
            Does::Text(text) => {
                let terminal = page::focused().filter(|focused| keyboard::is_in(focused, ".terminal-host"));
                let active = self.state().terminals.active().map(|terminal| terminal.terminal);
                let terminal = active.filter(|_| terminal.is_some()).and_then(|id| self.terminals.shown(id));
                match terminal {
                    Some(terminal) => terminal.type_text(text),
                    None => keyboard::insert(text),
                }
            }
        }
    }

    /// Whether Ctrl was held; it is over with this key.
    fn take_control(&self) -> bool {
        let held = self.state().control;
        if held {
            self.dispatch(Action::Control(false));
        }
        held
    }

    /// What a terminal gets of what was typed.
    pub(super) fn with_control(&self, bytes: Vec<u8>) -> Vec<u8> {
        match bytes.as_slice() {
            [byte] if self.state().control && (byte.is_ascii_graphic() || *byte == b' ') => {
                self.take_control();
                vec![controlled(*byte)]
            }
            _ => bytes,
        }
    }

    /// Whether a key was for the Ctrl that is held. A terminal sees to it when it has the letter.
    pub(super) fn takes_key_with_control(&self, event: &KeyboardEvent) -> bool {
        let mut letters = event.key().chars().collect::<Vec<_>>();
        let has_modifier = event.ctrl_key() || event.meta_key() || event.alt_key();
        if !self.state().control || has_modifier || letters.len() != 1 {
            return false;
        }
        self.press_letter(event, letters.remove(0))
    }

    /// The same for keyboards that say a letter and no key.
    pub(super) fn takes_input_with_control(&self, event: &Event) {
        let letters: Option<Vec<char>> =
            event.dyn_ref::<InputEvent>().and_then(InputEvent::data).map(|data| data.chars().collect());
        if self.state().control
            && let Some([letter]) = letters.as_deref()
        {
            self.press_letter(event, *letter);
        }
    }

    fn press_letter(&self, event: &Event, letter: char) -> bool {
        let Some(target) = event.target().filter(|target| !keyboard::is_in(target, ".terminal-host")) else {
            return false;
        };
        self.take_control();
        event.prevent_default();
        event.stop_propagation();
        // Whoever listens here is called once more by that, and can't be while it is still at work.
        spawn_local(async move { keyboard::press_with_control(&target, letter) });
        true
    }
}
