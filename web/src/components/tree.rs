//! The file tree with its buttons. Rows are [`TreeRow`]s; which there are is the state's.

use std::rc::Rc;

use embedenv_shared::link::files::Item;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use wasm_bindgen::JsCast as _;
use web_sys::{DragEvent, File, FileList, HtmlElement, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::name_box::NameBox;
use super::tree_row::TreeRow;
use crate::interop::page;
use crate::state::tree::{Row, Tree, TreeAction};
use crate::state::{Action, Menu};
use crate::workbench::Workbench;

/// Letters typed within this of each other make one word, in milliseconds.
const TYPING: f64 = 800.0;
/// Rows that Page up and Page down go.
const PAGE: isize = 12;

#[derive(Properties, PartialEq)]
pub(crate) struct FilesProps {
    pub(crate) workbench: Workbench,
    pub(crate) tree: Rc<Tree>,
    /// The file in the shown editor.
    pub(crate) active: Option<WorkspacePath>,
    pub(crate) project: ProjectName,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn Files(props: &FilesProps) -> Html {
    let FilesProps { workbench, tree, active, project, works } = props;
    let typed = use_mut_ref(|| (String::new(), 0.0));
    let upload_input = use_node_ref();
    use_effect({
        let workbench = workbench.clone();
        move || workbench.tree_is_drawn()
    });
    let rows = tree.rows();
    let focused = tree.focused(&rows).cloned();
    let onkeydown = {
        let (workbench, tree) = (workbench.clone(), tree.clone());
        Callback::from(move |event: KeyboardEvent| key(&workbench, &tree, &mut typed.borrow_mut(), &event))
    };
    let oncontextmenu = {
        let workbench = workbench.clone();
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            workbench.dispatch(Action::Menu(Some(Menu { path: None, x: event.client_x(), y: event.client_y() })));
        })
    };
    let ondragover = {
        let works = *works;
        Callback::from(move |event: DragEvent| {
            if works {
                event.prevent_default();
            }
        })
    };
    let ondrop = {
        let (workbench, works) = (workbench.clone(), *works);
        Callback::from(move |event: DragEvent| {
            event.prevent_default();
            if let Some(files) = event.data_transfer().and_then(|data| data.files()).filter(|_| works) {
                workbench.upload(listed(&files));
            }
        })
    };
    let chosen = {
        let workbench = workbench.clone();
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
            if let Some(files) = input.files() {
                workbench.upload(listed(&files));
            }
            // The same file may be chosen again.
            input.set_value("");
        })
    };
    let choose = {
        let input = upload_input.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(input) = input.cast::<HtmlElement>() {
                input.click();
            }
        })
    };
    let calling = |act: fn(&Workbench)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench))
    };
    let button = |icon: IconName, name: &'static str, works: bool, onclick: Callback<MouseEvent>| {
        html! {
            <button class="icon-button" aria-label={name} title={name} disabled={!works} {onclick}><Icon name={icon} /></button>
        }
    };
    let is_empty =
        tree.folder(&WorkspacePath::root()).is_some_and(|root| root.entries.is_empty() && root.problem.is_none());
    // A list of its own, so that keys are what its rows are known by: beside others they would be known by their place.
    let rows: Html =
        rows.into_iter().map(|row| draw(row, workbench, tree, focused.as_ref(), active.as_ref())).collect();
    html! {
        <aside class="side" {ondragover} {ondrop}>
            <div class="side-head">
                <h2>{ project.as_str() }</h2>
                { button(IconName::FilePlus, "New file", *works, calling(|workbench| workbench.name_new(Item::File))) }
                { button(IconName::FolderPlus, "New folder", *works, calling(|workbench| workbench.name_new(Item::Folder))) }
                { button(IconName::Upload, "Upload", *works, choose) }
                { button(IconName::Search, crate::words::catalogue::say!("finder.open"), true, calling(Workbench::open_search)) }
                { button(IconName::Download, "Download", true, calling(Workbench::download_selected)) }
            </div>
            <input id="upload" type="file" multiple=true hidden=true ref={upload_input} onchange={chosen} />
            <div class="tree" role="tree" aria-label="Files" {onkeydown} {oncontextmenu}>
                { rows }
                if is_empty {
                    <p class="tree-empty" role="none">{ "No files yet. Make one with New file, or drop some here." }</p>
                }
            </div>
        </aside>
    }
}

fn draw(
    row: Row,
    workbench: &Workbench,
    tree: &Tree,
    focused: Option<&WorkspacePath>,
    active: Option<&WorkspacePath>,
) -> Html {
    match row {
        Row::Entry(row) => {
            let selected = tree.selected.as_ref() == Some(&row.path);
            let focusable = focused == Some(&row.path);
            let is_active = active == Some(&row.path);
            let key = format!("e{}", row.path);
            html! {
                <TreeRow {key} workbench={workbench.clone()} {row} {selected} {focusable} {is_active} />
            }
        }
        Row::Naming { folder, depth, item, renames } => html! {
            <NameBox key={format!("n{folder}")} workbench={workbench.clone()} {depth} {item} {renames} />
        },
        Row::More { folder, depth } => {
            let (workbench, path) = (workbench.clone(), folder.clone());
            let more = Callback::from(move |_: MouseEvent| workbench.show_more(path.clone()));
            html! {
                <div key={format!("m{folder}")} class={classes!("entry", depth_class(depth))} role="none">
                    <div class="entry-row"><button onclick={more}>{ "Show more" }</button></div>
                </div>
            }
        }
        Row::Note { folder, depth, text } => html! {
            <div key={format!("t{folder}")} class={classes!("entry", "note", depth_class(depth))} role="none">
                <div class="entry-row"><span class="twisty"></span><span class="entry-name hint">{ text }</span></div>
            </div>
        },
    }
}

/// The class that sets `--depth`; deeper than the last one looks like it.
pub(super) fn depth_class(depth: usize) -> String {
    format!("depth-{}", depth.min(15))
}

fn listed(files: &FileList) -> Vec<File> {
    (0..files.length()).filter_map(|index| files.get(index)).collect()
}

/// A key in the tree, as the practices for trees have it (WAI-ARIA, tree view).
fn key(workbench: &Workbench, tree: &Tree, typed: &mut (String, f64), event: &KeyboardEvent) {
    let in_a_row = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    if in_a_row.is_some_and(|element| element.get_attribute("role").as_deref() != Some("treeitem")) {
        return;
    }
    let selected = tree.focused(&tree.rows()).cloned();
    let select = |path: Option<WorkspacePath>| {
        if let Some(path) = path {
            workbench.dispatch(Action::Tree(TreeAction::Select(Some(path))));
        }
    };
    let is_folder = selected.as_ref().is_some_and(|path| tree.is_folder(path));
    let is_open = selected.as_ref().is_some_and(|path| tree.open.contains(path));
    match (event.key().as_str(), selected) {
        _ if event.ctrl_key() || event.meta_key() || event.alt_key() => return,
        ("ArrowDown", _) => select(tree.step(1)),
        ("ArrowUp", _) => select(tree.step(-1)),
        ("PageDown", _) => select(tree.step(PAGE)),
        ("PageUp", _) => select(tree.step(-PAGE)),
        ("Home", _) => select(tree.step(isize::MIN + 1)),
        ("End", _) => select(tree.step(isize::MAX)),
        ("ArrowRight", Some(path)) if is_folder && !is_open => workbench.open_folder(path, true),
        ("ArrowRight", Some(_)) if is_folder => select(tree.step(1)),
        ("ArrowLeft", Some(path)) if is_open => workbench.open_folder(path, false),
        ("ArrowLeft", Some(path)) => select(path.parent().filter(|parent| !parent.is_root())),
        ("Enter", Some(path)) if is_folder => workbench.open_folder(path, !is_open),
        ("Enter", Some(path)) => workbench.show_file(path, true),
        (" ", Some(path)) if !is_folder => workbench.show_file(path, false),
        (" ", Some(path)) => workbench.open_folder(path, !is_open),
        (letter, _) if letter.chars().count() == 1 => {
            let now = page::now();
            if now - typed.1 > TYPING {
                typed.0.clear();
            }
            typed.0.push_str(letter);
            typed.1 = now;
            select(tree.find_by_typing(&typed.0));
        }
        _ => return,
    }
    event.prevent_default();
    event.stop_propagation();
}
