//! The bar over a terminal with which something is looked for in it. Enter goes on, Shift+Enter back, Escape closes.

use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::interop::terminal::Way;
use crate::state::terminals::find::{Find, Query};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct TerminalFindProps {
    pub(crate) workbench: Workbench,
    pub(crate) find: Find,
}

#[component]
pub(crate) fn TerminalFind(props: &TerminalFindProps) -> Html {
    let TerminalFindProps { workbench, find } = props;
    let query = &find.query;
    let field = use_node_ref();
    use_effect_with((field.clone(), find.asked), |(field, _)| {
        if let Some(input) = field.cast::<HtmlInputElement>() {
            page::focus_and_select(&input, u32::MAX);
        }
    });
    let oninput = {
        let (workbench, query) = (workbench.clone(), query.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                workbench.query_terminal(Query { text: input.value(), ..query.clone() });
            }
        })
    };
    let onkeydown = {
        let workbench = workbench.clone();
        Callback::from(move |event: KeyboardEvent| {
            match (event.key().as_str(), event.shift_key()) {
                ("Enter", false) if !event.is_composing() => workbench.look_for(Way::Next),
                ("Enter", true) => workbench.look_for(Way::Previous),
                ("Escape", _) => workbench.close_find_in_terminal(),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let calling = |act: fn(&Workbench)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench))
    };
    let button = |name: &'static str, icon: IconName, act: Callback<MouseEvent>| {
        html! { <button class="icon-button" aria-label={name} title={name} onclick={act}><Icon name={icon} /></button> }
    };
    let option = |name: &'static str, icon: IconName, on: bool, change: fn(&mut Query)| {
        let (workbench, query) = (workbench.clone(), query.clone());
        let toggle = Callback::from(move |_: MouseEvent| {
            let mut query = query.clone();
            change(&mut query);
            workbench.query_terminal(query);
        });
        html! {
            <button class="icon-button" aria-label={name} title={name} aria-pressed={on.to_string()} onclick={toggle}>
                <Icon name={icon} />
            </button>
        }
    };
    html! {
        <div class="terminal-find" role="search" aria-label={say!("terminal.find")} {onkeydown}>
            <input
                ref={field}
                type="text"
                aria-label={say!("terminal.find")}
                placeholder={say!("terminal.find.text")}
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                value={query.text.clone()}
                {oninput}
            />
            { option(say!("terminal.find.case"), IconName::CaseSensitive, query.case, |query| query.case = !query.case) }
            { option(say!("terminal.find.word"), IconName::WholeWord, query.word, |query| query.word = !query.word) }
            { option(say!("terminal.find.regex"), IconName::Regex, query.regex, |query| query.regex = !query.regex) }
            <span class={classes!("terminal-found", find.outcome.is_bad().then_some("bad"))} role="status">
                { find.outcome.words() }
            </span>
            { button(say!("terminal.find.previous"), IconName::ChevronUp, calling(|workbench| workbench.look_for(Way::Previous))) }
            { button(say!("terminal.find.next"), IconName::ChevronDown, calling(|workbench| workbench.look_for(Way::Next))) }
            { button(say!("terminal.find.close"), IconName::X, calling(Workbench::close_find_in_terminal)) }
        </div>
    }
}
