//! One entry of the tree. A click selects it and shows a file for now; a double click opens it for good.

use embedenv_shared::link::files::EntryKind;
use web_sys::HtmlElement;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::tree::depth_class;
use crate::interop::page;
use crate::state::tree::{EntryRow, TreeAction};
use crate::state::{Action, Menu};
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct TreeRowProps {
    pub(crate) workbench: Workbench,
    pub(crate) row: EntryRow,
    pub(crate) selected: bool,
    /// The one row that the Tab key reaches.
    pub(crate) focusable: bool,
    /// Its file is in the shown editor.
    pub(crate) is_active: bool,
}

#[component]
pub(crate) fn TreeRow(props: &TreeRowProps) -> Html {
    let TreeRowProps { workbench, row, selected, focusable, is_active } = props;
    let node = use_node_ref();
    use_effect_with((node.clone(), *selected), |(node, selected)| {
        if let Some(element) = node.cast::<HtmlElement>().filter(|_| *selected) {
            let tree = element.closest(".tree").ok().flatten();
            let focused = page::focused();
            if tree.zip(focused).is_some_and(|(tree, focused)| tree.contains(Some(&focused))) {
                // The keyboard goes with the selection.
                let _ = element.focus();
            }
        }
    });
    let onclick = {
        let (workbench, row) = (workbench.clone(), row.clone());
        Callback::from(move |event: MouseEvent| {
            let path = row.path.clone();
            workbench.dispatch(Action::Tree(TreeAction::Select(Some(path.clone()))));
            match row.open {
                // The second click of two is the double click's.
                _ if event.detail() > 1 => {}
                Some(open) => workbench.open_folder(path, !open),
                None => workbench.show_file(path, false),
            }
        })
    };
    let ondblclick = {
        let (workbench, row) = (workbench.clone(), row.clone());
        Callback::from(move |_: MouseEvent| {
            if row.open.is_none() {
                workbench.show_file(row.path.clone(), true);
            }
        })
    };
    let oncontextmenu = {
        let (workbench, path) = (workbench.clone(), row.path.clone());
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            event.stop_propagation();
            workbench.dispatch(Action::Tree(TreeAction::Select(Some(path.clone()))));
            let menu = Menu { path: Some(path.clone()), x: event.client_x(), y: event.client_y() };
            workbench.dispatch(Action::Menu(Some(menu)));
        })
    };
    let icon = match (row.kind, row.open) {
        (_, Some(true)) => IconName::FolderOpen,
        (_, Some(false)) => IconName::Folder,
        (EntryKind::Link, None) => IconName::Link,
        (EntryKind::Other, None) => IconName::Circle,
        (_, None) => icon_of(&row.name),
    };
    html! {
        <div
            ref={node}
            class={classes!("entry", depth_class(row.depth), is_active.then_some("active"))}
            role="treeitem"
            aria-label={row.name.clone()}
            aria-level={(row.depth + 1).to_string()}
            aria-posinset={row.place.0.to_string()}
            aria-setsize={row.place.1.to_string()}
            aria-expanded={row.open.map(|open| open.to_string())}
            aria-selected={selected.to_string()}
            tabindex={if *focusable { "0" } else { "-1" }}
            {onclick}
            {ondblclick}
            {oncontextmenu}
        >
            <div class="entry-row">
                <span class="twisty">
                    if let Some(open) = row.open {
                        <Icon name={if open { IconName::ChevronDown } else { IconName::ChevronRight }} />
                    }
                </span>
                <span class="entry-icon"><Icon name={icon} /></span>
                <span class="entry-name" title={row.path.to_string()}>{ &row.name }</span>
            </div>
        </div>
    }
}

/// The drawing for a file, by its name.
pub(super) fn icon_of(name: &str) -> IconName {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("md" | "txt" | "markdown" | "csv" | "log") => IconName::FileText,
        Some(
            "py" | "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" | "rs" | "c" | "h" | "cc" | "cpp" | "hpp" | "go"
            | "java" | "html" | "css" | "json" | "sh" | "toml" | "yaml" | "yml" | "rb" | "php" | "lua" | "sql",
        ) => IconName::FileCode,
        _ => IconName::File,
    }
}
