//! The list of files on their way into the room, below the tree: how far each is, and how to give it up.

use wasm_bindgen::JsCast as _;
use web_sys::Element;
use yew::prelude::*;

use super::copy_details::CopyDetails;
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::state::transfers::{Stage, Transfer, Transfers};
use crate::words;
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;

/// Files shown at once; of more, how many there are is said.
const SHOWN: usize = 20;

pub(super) fn transfer_list(workbench: &Workbench, transfers: &Transfers) -> Html {
    if transfers.list.is_empty() {
        return html! {};
    }
    let cancel_all = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.cancel_uploads())
    };
    // What needs somebody first, then what moves.
    let ranks: [fn(&Stage) -> bool; 4] = [
        |stage| matches!(stage, Stage::Failed(_)),
        |stage| *stage == Stage::Taken,
        |stage| *stage == Stage::Sending,
        |stage| *stage == Stage::Waiting,
    ];
    let ranked = ranks.iter().flat_map(|fits| transfers.list.iter().filter(|transfer| fits(&transfer.stage)));
    let rows: Html = ranked.take(SHOWN).map(|transfer| row(workbench, transfer)).collect();
    let more = transfers.list.len().saturating_sub(SHOWN);
    html! {
        <section class="transfers" aria-label={say!("uploads.name")}>
            <div class="transfers-head">
                <h2 role="status">{ summary(transfers) }</h2>
                <button class="icon-button" aria-label={say!("uploads.cancel-all")} title={say!("uploads.cancel-all")} onclick={cancel_all}>
                    <Icon name={IconName::X} />
                </button>
            </div>
            { bar(say!("uploads.all").to_owned(), transfers.percent()) }
            <ul>
                { rows }
                if more > 0 {
                    <li class="hint">{ say!("uploads.more", more = more) }</li>
                }
            </ul>
        </section>
    }
}

/// What the list is called while it is shown.
fn summary(transfers: &Transfers) -> String {
    match transfers.counts() {
        (0, failed) => count!("uploads.failed", failed),
        (left, _) => count!("uploads.summary", left, percent = transfers.percent()),
    }
}

fn row(workbench: &Workbench, transfer: &Transfer) -> Html {
    let name = transfer.path.name().unwrap_or_default().to_owned();
    let cancel = {
        let (workbench, id) = (workbench.clone(), transfer.id);
        Callback::from(move |_: MouseEvent| workbench.cancel_upload(id))
    };
    let choose = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.ask_about_names())
    };
    let is_failed = matches!(transfer.stage, Stage::Failed(_));
    let label = if is_failed { say!("uploads.dismiss", name = name) } else { say!("uploads.cancel", name = name) };
    let percent = (transfer.sent * 100).checked_div(transfer.size).unwrap_or(0);
    html! {
        <li key={transfer.id} class={classes!("transfer", is_failed.then_some("failed"))}>
            <div class="transfer-line">
                <span class="transfer-name" title={transfer.path.to_string()}>{ &name }</span>
                <span class="hint">{ words::size(transfer.size) }</span>
                <button class="icon-button" aria-label={label.clone()} title={label} onclick={cancel}>
                    <Icon name={IconName::X} />
                </button>
            </div>
            {
                match &transfer.stage {
                    Stage::Sending => bar(name, percent),
                    Stage::Waiting => html! {},
                    Stage::Taken => html! {
                        <div class="transfer-line hint">
                            <span>{ say!("uploads.taken") }</span><button class="plain" onclick={choose}>{ say!("uploads.choose") }</button>
                        </div>
                    },
                    Stage::Failed(why) => html! {
                        <>
                            <p class="transfer-why">{ why }</p>
                            <CopyDetails workbench={workbench.clone()} text={why.clone()} />
                        </>
                    },
                }
            }
        </li>
    }
}

fn bar(label: String, percent: u64) -> Html {
    html! {
        <div
            class="bar"
            role="progressbar"
            aria-label={label}
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow={percent.to_string()}
        />
    }
}

/// Gives each bar its width, which is what it says. The page's policy takes no `style` attributes.
pub(super) fn draw_bars(side: &Element) {
    let Ok(bars) = side.query_selector_all(".bar") else { return };
    for index in 0..bars.length() {
        if let Some(bar) = bars.get(index).and_then(|bar| bar.dyn_into::<Element>().ok())
            && let Some(percent) = bar.get_attribute("aria-valuenow")
        {
            page::set_style(&bar, "--percent", &format!("{percent}%"));
        }
    }
}
