//! What ran in the room, by whom and how it ended, and what the page has said.

use std::rc::Rc;

use web_sys::{HtmlInputElement, InputEvent};
use yew::prelude::*;

use super::copy_details::CopyDetails;
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::Action;
use crate::state::chat::Chat;
use crate::state::output::{Message, Output, OutputAction, Row, Standing};
use crate::state::terminals::{Runnable, Terminals};
use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct OutputProps {
    pub(crate) workbench: Workbench,
    pub(crate) output: Rc<Output>,
    pub(crate) chat: Rc<Chat>,
    pub(crate) terminals: Rc<Terminals>,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn OutputPane(props: &OutputProps) -> Html {
    let OutputProps { workbench, output, chat, terminals, works } = props;
    let filter = use_state_eq(String::new);
    let messages = use_state_eq(|| false);
    use_effect_with(workbench.clone(), |workbench| workbench.look_at_events());
    let oninput = {
        let filter = filter.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                filter.set(input.value());
            }
        })
    };
    let choose = |of_messages: bool, text: String| {
        let (chosen, state) = (*messages == of_messages, messages.clone());
        let choose = Callback::from(move |_: MouseEvent| state.set(of_messages));
        html! { <button aria-pressed={chosen.to_string()} onclick={choose}>{ text }</button> }
    };
    let clear = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Output(OutputAction::ClearMessages)))
    };
    let content = if *messages {
        message_list(workbench, &output.messages, &filter)
    } else {
        let rows = output.rows(&chat.events, &terminals.list, &filter);
        run_list(workbench, terminals, &rows, *works, filter.trim().is_empty())
    };
    html! {
        <section class="output" role="region" aria-label={say!("panel.output")}>
            <div class="output-head">
                <span class="choices" role="group" aria-label={say!("output.what")}>
                    { choose(false, say!("output.runs").to_owned()) }
                    { choose(true, match output.messages.len() { 0 => say!("output.messages").to_owned(), count => say!("output.messages.of", count = count) }) }
                </span>
                <input aria-label={say!("output.filter")} placeholder={say!("output.filter.short")} autocomplete="off" spellcheck="false" value={(*filter).clone()} {oninput} />
                if *messages {
                    <button class="icon-button" aria-label={say!("output.clear")} title={say!("output.clear")} disabled={output.messages.is_empty()} onclick={clear}>
                        <Icon name={IconName::Trash} />
                    </button>
                }
            </div>
            { content }
        </section>
    }
}

fn run_list(workbench: &Workbench, terminals: &Terminals, rows: &[Row], works: bool, is_all: bool) -> Html {
    if rows.is_empty() {
        let text = if is_all { say!("output.none") } else { say!("output.none-fits") };
        return html! { <p class="pane-empty">{ text }</p> };
    }
    let rows: Html = rows.iter().map(|row| run_row(workbench, terminals, row, works)).collect();
    html! { <ul class="output-rows" aria-label={say!("output.runs")}>{ rows }</ul> }
}

fn run_row(workbench: &Workbench, terminals: &Terminals, row: &Row, works: bool) -> Html {
    let (icon, state, text) = match row.standing {
        Standing::Runs => (IconName::Circle, "runs", say!("output.runs-now").to_owned()),
        Standing::Ended(exit) if exit.code == Some(0) => (IconName::Check, "well", words::ended(exit)),
        Standing::Ended(exit) => (IconName::X, "badly", words::ended(exit)),
        Standing::Unknown => (IconName::MoreHorizontal, "unknown", say!("output.closed").to_owned()),
    };
    let run = terminals.run_in(row.terminal).filter(|_| row.is_there);
    let what = run.map(|run| run.what.clone()).or_else(|| row.is_whole.then(|| Runnable::Line(row.command.clone())));
    let name = run.map_or(row.command.as_str(), |run| run.what.name());
    let show = {
        let (workbench, id) = (workbench.clone(), row.terminal);
        Callback::from(move |_: MouseEvent| {
            workbench.show_terminal(id);
            workbench.focus_terminal();
        })
    };
    let can_run = works && what.is_some();
    let again = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(what) = &what {
                workbench.run_again(what.clone());
            }
        })
    };
    html! {
        <li key={row.event} class="output-row" data-state={state} aria-label={format!("{name}: {text}")}>
            <Icon name={icon} />
            <code title={row.command.clone()}>{ &row.command }</code>
            <span class="output-end">{ text }</span>
            <span class="output-who">{ format!("{}, {}", row.user, page::time_of(row.at as f64)) }</span>
            <span class="output-do">
                <button disabled={!row.is_there} title={say!("output.show.about")} aria-label={say!("output.show.of", name = name)} onclick={show}>{ say!("output.show") }</button>
                <button disabled={!can_run} title={say!("output.again.about")} aria-label={say!("output.again.of", name = name)} onclick={again}>{ say!("output.again") }</button>
            </span>
        </li>
    }
}

fn message_list(workbench: &Workbench, messages: &[Message], filter: &str) -> Html {
    let filter = filter.trim().to_lowercase();
    let fitting: Vec<&Message> =
        messages.iter().rev().filter(|message| message.text.to_lowercase().contains(&filter)).collect();
    if fitting.is_empty() {
        let text = if messages.is_empty() { say!("output.no-messages") } else { say!("output.no-message-fits") };
        return html! { <p class="pane-empty">{ text }</p> };
    }
    let rows: Html = fitting
        .into_iter()
        .map(|message| {
            let (text, at) = (message.text.clone(), message.at as f64);
            html! {
                <li key={format!("{at} {text}")} class="output-row" data-state="message">
                    <Icon name={IconName::AlertTriangle} />
                    <span class="output-text">{ text.clone() }</span>
                    <span class="output-who">{ page::time_of(at) }</span>
                    <span class="output-do">
                        <CopyDetails workbench={workbench.clone()} {text} failure={message.failure.clone()} since={at} />
                    </span>
                </li>
            }
        })
        .collect();
    html! { <ul class="output-rows" aria-label={say!("output.messages")}>{ rows }</ul> }
}
