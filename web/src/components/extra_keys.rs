//! A row of keys that the keyboards of touch screens lack: pressed without taking the keyboard from the text, and the
//! arrows go on while they are held.

use gloo_timers::callback::{Interval, Timeout};
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use crate::interop::page;
use crate::state::extra_keys::{Does, EXTRA_KEYS, ExtraKey};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// How long an arrow is held until it goes on by itself, in milliseconds.
const DELAY: u32 = 400;
/// Between one step and the next, in milliseconds.
const STEP: u32 = 60;

#[derive(Properties, PartialEq)]
pub(crate) struct ExtraKeysProps {
    pub(crate) workbench: Workbench,
    /// Ctrl is held for the next key.
    pub(crate) control: bool,
}

#[component]
pub(crate) fn ExtraKeys(props: &ExtraKeysProps) -> Html {
    let ExtraKeysProps { workbench, control } = props;
    let node = use_node_ref();
    let onkeydown = {
        let node = node.clone();
        Callback::from(move |event: KeyboardEvent| {
            let steps = match event.key().as_str() {
                "ArrowLeft" => -1,
                "ArrowRight" => 1,
                _ => return,
            };
            event.prevent_default();
            if let Some(row) = node.cast::<Element>() {
                page::step_focus(&row, "button", steps);
            }
        })
    };
    let keys = EXTRA_KEYS.iter().enumerate().map(|(at, key)| {
        html! { <Key key={key.id} workbench={workbench.clone()} of={*key} first={at == 0} pressed={(key.does == Does::Control).then_some(*control)} /> }
    });
    html! { <div class="extra-keys" role="toolbar" ref={node} {onkeydown} aria-label={say!("keys.name")}>{ for keys }</div> }
}

#[derive(Properties, PartialEq)]
struct KeyProps {
    workbench: Workbench,
    of: ExtraKey,
    /// The one that the keyboard comes to.
    first: bool,
    /// Whether it is held, for one that is.
    pressed: Option<bool>,
}

#[component]
fn Key(props: &KeyProps) -> Html {
    let KeyProps { workbench, of, first, pressed } = props;
    let ExtraKey { face, does, repeats, .. } = *of;
    let waiting = use_mut_ref(|| None::<Timeout>);
    let going = use_mut_ref(|| None::<Interval>);
    // Without this a touch takes the keyboard from the text, and the on-screen one folds away.
    let onmousedown = Callback::from(|event: MouseEvent| event.prevent_default());
    let onpointerdown = {
        let (workbench, waiting, going) = (workbench.clone(), waiting.clone(), going.clone());
        Callback::from(move |event: PointerEvent| {
            event.prevent_default();
            if !repeats {
                return;
            }
            workbench.press_extra_key(does);
            let (workbench, going) = (workbench.clone(), going.clone());
            *waiting.borrow_mut() = Some(Timeout::new(DELAY, move || {
                *going.borrow_mut() = Some(Interval::new(STEP, move || workbench.press_extra_key(does)));
            }));
        })
    };
    let end = Callback::from(move |_: PointerEvent| {
        let over = (waiting.borrow_mut().take(), going.borrow_mut().take());
        drop(over);
    });
    let onclick = {
        let workbench = workbench.clone();
        // One that repeats was pressed already, unless no pointer did it.
        Callback::from(move |event: MouseEvent| {
            if !repeats || event.detail() == 0 {
                workbench.press_extra_key(does);
            }
        })
    };
    html! {
        <button
            aria-label={of.name()}
            aria-pressed={pressed.map(|pressed| pressed.to_string())}
            tabindex={if *first { "0" } else { "-1" }}
            {onmousedown}
            {onpointerdown}
            onpointerup={end.clone()}
            onpointercancel={end.clone()}
            onpointerleave={end}
            {onclick}
        >
            { face }
        </button>
    }
}
