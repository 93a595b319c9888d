//! The IDE: tools above, files beside editors over terminals, a line below. Sets the sizes of panes, which CSS reads.

use std::rc::Rc;

use web_sys::Element;
use yew::prelude::*;

use super::chat::Chat;
use super::context_menu::ContextMenu;
use super::dialogs::dialogs;
use super::editor_pane::EditorPane;
use super::extra_keys::ExtraKeys;
use super::framed_bar::framed_bar;
use super::icon::{Icon, IconName};
use super::panel::panel;
use super::people_pane::people_pane;
use super::ports_pane::port_notice;
use super::preview::Preview;
use super::search_pane::SearchPane;
use super::splitter::{Axis, Sized, Splitter};
use super::status_bar::status_bar;
use super::tab_menu::tab_menu;
use super::terminal_menu::terminal_menu;
use super::toolbar::toolbar;
use super::tour::tour_card;
use super::tree::Files;
use crate::interop::page;
use crate::state::settings::{ASIDE, Aside, PANEL, Pane, SIDE, SideView};
use crate::state::{Action, Connection, Me, State};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct IdeProps {
    pub(crate) workbench: Workbench,
    pub(crate) state: Rc<State>,
    pub(crate) hidden: bool,
}

#[component]
pub(crate) fn Ide(props: &IdeProps) -> Html {
    let IdeProps { workbench, state, hidden } = props;
    let node = use_node_ref();
    let layout = state.layout;
    use_effect_with((node.clone(), layout.side, layout.panel, layout.aside_width), |(node, side, panel, aside)| {
        if let Some(ide) = node.cast::<Element>() {
            page::set_style(&ide, "--side-width", &format!("{side}px"));
            page::set_style(&ide, "--panel-height", &format!("{panel}px"));
            page::set_style(&ide, "--aside-width", &format!("{aside}px"));
        }
    });
    let Some(me) = &state.me else { return html! {} };
    let works = state.works();
    let resize_side = {
        let workbench = workbench.clone();
        Callback::from(move |side| workbench.dispatch(Action::Layout(layout.with_side(side))))
    };
    let resize_panel = {
        let workbench = workbench.clone();
        Callback::from(move |panel| workbench.dispatch(Action::Layout(layout.with_panel(panel))))
    };
    let resize_aside = {
        let workbench = workbench.clone();
        Callback::from(move |width| workbench.dispatch(Action::Layout(layout.with_aside_width(width))))
    };
    let said = |is: bool| is.then_some("true");
    html! {
        <div
            class="ide"
            data-pane={layout.pane.attribute()}
            data-side-folded={said(layout.side_folded)}
            data-panel-folded={said(layout.panel_folded)}
            data-side-view={(layout.side_view == SideView::Search).then_some("search")}
            data-zen={said(layout.zen)}
            data-framed={said(state.is_framed)}
            data-block={said(state.embed.as_ref().is_some_and(|embed| embed.is_block))}
            data-bare={said(state.embed.as_ref().is_some_and(|embed| embed.hides_navigation))}
            data-view={state.embed.as_ref().map(|embed| embed.view.name())}
            data-tour={state.tour.map(|tour| tour.card().id)}
            hidden={*hidden}
            ref={node}
        >
            if state.is_framed {
                { framed_bar(workbench, state) }
            } else {
                { toolbar(workbench, state, me) }
            }
            <div class="body">
                <Files
                    workbench={workbench.clone()}
                    tree={state.tree.clone()}
                    transfers={state.transfers.clone()}
                    active={state.files.active().map(|file| file.path.clone())}
                    project={me.project.clone()}
                    {works}
                />
                if layout.side_view == SideView::Search {
                    <SearchPane workbench={workbench.clone()} search={state.search.clone()} {works} />
                }
                <Splitter axis={Axis::Vertical} sized={Sized::Before} label={say!("splitter.files")} value={layout.side} range={SIDE} resize={resize_side} />
                <main class="main">
                    <EditorPane
                        workbench={workbench.clone()}
                        files={state.files.clone()}
                        sandbox={state.sandbox.clone()}
                        keymap={state.keymap.clone()}
                        {works}
                    />
                    <Splitter
                        axis={Axis::Horizontal}
                        sized={Sized::After}
                        label={say!("splitter.terminals")}
                        value={layout.panel}
                        range={PANEL}
                        resize={resize_panel}
                    />
                    if state.is_whole {
                        { panel(workbench, state) }
                    } else {
                        <div class="panel"></div>
                    }
                </main>
                if layout.aside.is_some() {
                    <Splitter
                        axis={Axis::Vertical}
                        sized={Sized::After}
                        label={say!("splitter.aside")}
                        value={layout.aside_width}
                        range={ASIDE}
                        resize={resize_aside}
                    />
                    { aside(workbench, state, me) }
                }
            </div>
            if works && state.is_whole {
                <ExtraKeys workbench={workbench.clone()} control={state.control} />
            }
            { status_bar(workbench, state) }
            { pane_bar(workbench, layout.aside.is_none().then_some(layout.pane)) }
            if let Some(tour) = state.tour.filter(|_| state.is_whole) {
                { tour_card(workbench, tour) }
            }
            if state.is_whole {
                { port_notice(workbench, state) }
            }
            if state.is_whole {
                { dialogs(workbench, state) }
                { terminal_menu(workbench, state) }
                { tab_menu(workbench, state) }
            }
            if let Some(menu) = &state.menu {
                <ContextMenu workbench={workbench.clone()} menu={menu.clone()} tree={state.tree.clone()} {works} />
            }
        </div>
    }
}

/// What is open beside the editor.
fn aside(workbench: &Workbench, state: &State, me: &Rc<Me>) -> Html {
    match state.layout.aside {
        None => html! {},
        Some(Aside::Preview) => {
            html! { <Preview workbench={workbench.clone()} listeners={state.listeners.clone()} port={state.layout.port} wish={state.preview_wish.clone()} works={state.works()} /> }
        }
        Some(Aside::People) => people_pane(workbench, state, me),
        Some(Aside::Chat) => html! {
            <Chat
                workbench={workbench.clone()}
                chat={state.chat.clone()}
                me={me.clone()}
                connected={state.connection == Connection::Connected}
            />
        },
    }
}

/// Chooses the one pane of a narrow screen.
fn pane_bar(workbench: &Workbench, shown: Option<Pane>) -> Html {
    let button = |pane: Pane, icon: IconName, text: &'static str| {
        let workbench = workbench.clone();
        let show = Callback::from(move |_: MouseEvent| workbench.show_pane(pane));
        let pressed = (shown == Some(pane)).to_string();
        html! { <button aria-pressed={pressed} onclick={show}><Icon name={icon} /><span>{ text }</span></button> }
    };
    html! {
        <nav class="panebar" aria-label={say!("pane.name")}>
            { button(Pane::Files, IconName::Folder, say!("pane.files")) }
            { button(Pane::Editor, IconName::FileCode, say!("pane.editor")) }
            { button(Pane::Terminal, IconName::Terminal, say!("pane.terminal")) }
        </nav>
    }
}
