//! The bar above in a frame of another page: the files, Run and Stop, and the ways out of the frame. Small, since a frame
//! has few pixels; everything else is in the palette.

use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::run_button::RunButton;
use crate::state::State;
use crate::state::commands::Command;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(crate) fn framed_bar(workbench: &Workbench, state: &State) -> Html {
    if !state.is_whole {
        return html! { <header class="toolbar framed-bar"></header> };
    }
    let calling = |act: fn(&Workbench)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench))
    };
    let hides_explorer = state.embed.as_ref().is_some_and(|embed| embed.hides_explorer);
    let works = state.works();
    let is_block = state.embed.as_ref().is_some_and(|embed| embed.is_block);
    let can_stop = works && state.terminals.running().is_some();
    html! {
        <header class="toolbar framed-bar">
            if !hides_explorer {
                <button
                    class="tool icon-button framed-files"
                    aria-label={say!("embed.files")}
                    title={say!("embed.files.about")}
                    aria-pressed={(!state.layout.side_folded).to_string()}
                    onclick={calling(|w| w.perform(Command::ToggleSide))}
                >
                    <Icon name={IconName::PanelLeft} />
                </button>
            }
            if works && is_block {
                <button class="primary run" onclick={calling(Workbench::run_block)}><Icon name={IconName::Play} />{ say!("run.name") }</button>
            } else if works {
                <RunButton
                    workbench={workbench.clone()}
                    runs={state.runs.clone()}
                    has_file={state.files.active.is_some()}
                    {works}
                />
            }
            if works {
                <button class="stop icon-button" aria-label={say!("stop.name")} title={say!("stop.name")} disabled={!can_stop} onclick={calling(Workbench::stop)}>
                    <Icon name={IconName::Square} />
                </button>
            }
            if works && is_block {
                { reset_button(workbench) }
            }
            <span class="spacer"></span>
            { ways_out(workbench) }
        </header>
    }
}

/// Takes back what was changed in a block.
pub(crate) fn reset_button(workbench: &Workbench) -> Html {
    let workbench = workbench.clone();
    let reset = Callback::from(move |_: MouseEvent| workbench.reset_block());
    html! { <button class="plain" title={say!("embed.reset.about")} onclick={reset}>{ say!("embed.reset") }</button> }
}

/// What this is made with, and the same room as a page of its own. Both leave the frame as it is.
pub(crate) fn ways_out(workbench: &Workbench) -> Html {
    html! {
        <>
            <a class="framed-by" href="/" target="_blank" rel="noopener noreferrer" title={say!("embed.by")} aria-label={say!("embed.by")}>
                <img src="/favicon.svg" alt="" width="16" height="16" /><span>{ "Embedenv" }</span>
            </a>
            if let Some(address) = workbench.ide_address() {
                <a class="framed-open" href={address} target="_blank" rel="noopener noreferrer" title={say!("embed.open.about")} aria-label={say!("embed.open")}>
                    <Icon name={IconName::ExternalLink} /><span>{ say!("embed.open") }</span>
                </a>
            }
        </>
    }
}
