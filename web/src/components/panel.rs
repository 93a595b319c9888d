//! The panel below the editors: terminals, what ran, ports. Chooses which is shown; each draws itself.

use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use super::output::OutputPane;
use super::ports_pane::ports_pane;
use super::terminal_panel::terminal_panel;
use crate::interop::page;
use crate::state::State;
use crate::state::settings::PanelTab;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(crate) fn panel(workbench: &Workbench, state: &State) -> Html {
    let shown = state.layout.panel_tab;
    let page = |tab: PanelTab, content: Html| {
        html! {
            <div class="panel-page" id={page_id(tab)} role="tabpanel" aria-label={tab.name()} hidden={shown != tab}>{ content }</div>
        }
    };
    html! {
        <div class="panel" data-tab={tab_id(shown)}>
            <PanelTabs workbench={workbench.clone()} {shown} ports={state.listeners.len()} />
            { page(PanelTab::Terminals, terminal_panel(workbench, state)) }
            { page(PanelTab::Output, html! {
                if shown == PanelTab::Output {
                    <OutputPane
                        workbench={workbench.clone()}
                        output={state.output.clone()}
                        chat={state.chat.clone()}
                        terminals={state.terminals.clone()}
                        works={state.works()}
                    />
                }
            }) }
            { page(PanelTab::Ports, html! { if shown == PanelTab::Ports { { ports_pane(workbench, state) } } }) }
        </div>
    }
}

fn tab_id(tab: PanelTab) -> &'static str {
    match tab {
        PanelTab::Terminals => "panel-terminals",
        PanelTab::Output => "panel-output",
        PanelTab::Ports => "panel-ports",
    }
}

fn page_id(tab: PanelTab) -> String {
    format!("{}-page", tab_id(tab))
}

#[derive(Properties, PartialEq)]
struct PanelTabsProps {
    workbench: Workbench,
    shown: PanelTab,
    ports: usize,
}

/// Arrows go from one tab to the next.
#[component]
fn PanelTabs(props: &PanelTabsProps) -> Html {
    let PanelTabsProps { workbench, shown, ports } = props;
    let list = use_node_ref();
    let onkeydown = {
        let (workbench, shown, list) = (workbench.clone(), *shown, list.clone());
        Callback::from(move |event: KeyboardEvent| {
            let all = PanelTab::ALL;
            let at = all.iter().position(|tab| *tab == shown).unwrap_or(0);
            let to = match event.key().as_str() {
                "ArrowLeft" => (at + all.len() - 1) % all.len(),
                "ArrowRight" => (at + 1) % all.len(),
                "Home" => 0,
                "End" => all.len() - 1,
                _ => return,
            };
            event.prevent_default();
            workbench.show_panel_tab(all[to]);
            if let Some(list) = list.cast::<Element>()
                && let Ok(Some(tab)) = list.query_selector(&format!("#{}", tab_id(all[to])))
            {
                page::give_focus(&tab);
            }
        })
    };
    let tabs = PanelTab::ALL.into_iter().map(|tab| {
        let workbench = workbench.clone();
        let show = Callback::from(move |_: MouseEvent| workbench.show_panel_tab(tab));
        let count = (tab == PanelTab::Ports && *ports > 0).then_some(*ports);
        html! {
            <button
                id={tab_id(tab)}
                class="panel-tab"
                role="tab"
                aria-selected={(tab == *shown).to_string()}
                aria-controls={page_id(tab)}
                tabindex={if tab == *shown { "0" } else { "-1" }}
                onclick={show}
            >
                { tab.name() }
                if let Some(count) = count {
                    <b class="count" aria-hidden="true">{ count }</b>
                }
            </button>
        }
    });
    // The terminals' own tabs are in the same row, behind these.
    use_effect_with((list.clone(), *ports > 0, say!("panel.name")), |(list, ..)| {
        if let Some(list) = list.cast::<Element>() {
            page::set_property("--panel-tabs", &format!("{}px", list.get_bounding_client_rect().width().ceil()));
        }
    });
    html! { <div class="panel-tabs" ref={list} role="tablist" aria-label={say!("panel.name")} {onkeydown}>{ for tabs }</div> }
}
