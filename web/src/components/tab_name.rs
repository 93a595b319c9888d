//! The box in which a tab gets its name: Enter takes it, Escape leaves it, going elsewhere takes what is there.

use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::interop::page;
use crate::words::catalogue::say;

#[derive(Properties, PartialEq)]
pub(crate) struct TabNameProps {
    /// The name it has.
    pub(crate) before: String,
    pub(crate) max: usize,
    /// The name it gets; without one it keeps the one it has.
    pub(crate) done: Callback<Option<String>>,
}

#[component]
pub(crate) fn TabName(props: &TabNameProps) -> Html {
    let TabNameProps { before, max, done } = props;
    let node = use_node_ref();
    // Taking the name removes the box, which takes the keyboard from it: that must not take the name again.
    let is_over = use_mut_ref(|| false);
    use_effect_with(node.clone(), {
        let before = before.clone();
        move |node| {
            if let Some(input) = node.cast::<HtmlInputElement>() {
                input.set_value(&before);
                page::focus_and_select(&input, u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX));
            }
        }
    });
    let end = {
        let (node, done) = (node.clone(), done.clone());
        move |takes: bool| {
            if !is_over.replace(true) {
                let value = node.cast::<HtmlInputElement>().map(|input| input.value());
                done.emit(value.filter(|_| takes));
            }
        }
    };
    let onkeydown = {
        let end = end.clone();
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            match event.key().as_str() {
                "Enter" if !event.is_composing() => end(true),
                "Escape" => end(false),
                _ => return,
            }
            event.prevent_default();
        })
    };
    let onblur = Callback::from(move |_: FocusEvent| end(true));
    let stop = Callback::from(|event: MouseEvent| event.stop_propagation());
    html! {
        <input
            ref={node}
            class="tab-input"
            aria-label={say!("terminal.name")}
            maxlength={max.to_string()}
            autocomplete="off"
            spellcheck="false"
            onclick={stop.clone()}
            ondblclick={stop}
            {onkeydown}
            {onblur}
        />
    }
}
