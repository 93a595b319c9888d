//! What the page draws: one component a file. Components show state and call the [`Workbench`]; they decide nothing and
//! know no frame of the wire's.

pub mod icon;

mod alerts;
mod app;
mod backlog;
mod chat;
mod context_menu;
mod copy_details;
mod cover;
mod dialog;
mod dialogs;
mod draft;
mod editor_group;
mod editor_pane;
mod elapsed;
mod extra_keys;
mod framed_bar;
mod help;
mod ide;
mod manner;
mod menu;
mod name_box;
mod output;
mod palette;
mod panel;
mod paste;
mod people;
mod people_pane;
mod ports;
mod ports_pane;
mod position;
mod poster;
mod preview;
mod preview_page;
mod request_form;
mod response;
mod run_button;
mod run_dialog;
mod search_pane;
mod settings;
mod share;
mod share_port;
mod shortcuts;
mod splitter;
mod status_bar;
mod tab_menu;
mod tab_name;
mod tabs;
mod terminal_find;
mod terminal_menu;
mod terminal_pane;
mod terminal_panel;
mod toolbar;
mod tour;
mod transfers;
mod tree;
mod tree_row;
mod view_host;

use yew::Renderer;

use crate::interop::page;
use crate::workbench::Workbench;

/// Draws the page into `#app`.
pub(crate) fn mount(workbench: Workbench) {
    let root = page::document().get_element_by_id("app").expect("the page has an element #app");
    Renderer::<app::App>::with_root_and_props(root, app::AppProps { workbench }).render();
}
