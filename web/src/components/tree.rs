//! The file tree with its buttons. Of its rows only those in view are in the page; which there are is the state's, and how
//! one looks is [`super::tree_row`]'s. Keys, clicks and drags are heard here, for all rows at once.

use std::rc::Rc;

use embedenv_shared::link::files::Item;
use embedenv_shared::path::{ProjectName, WorkspacePath};
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast as _;
use web_sys::{DragEvent, Element, HtmlElement, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::name_box::NameBox;
use super::transfers::{draw_bars, transfer_list};
use super::tree_row::{Standing, entry_row};
use crate::interop::dropped::{self, Entries};
use crate::interop::page;
use crate::state::transfers::Transfers;
use crate::state::tree::{Row, Tree, TreeAction};
use crate::state::{Action, Menu};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// Letters typed within this of each other make one word, in milliseconds.
const TYPING: f64 = 800.0;
/// Rows that Page up and Page down go.
const PAGE: isize = 12;
/// Rows in the page above and below those in view, so that scrolling finds them there.
const AROUND: usize = 16;
/// Rows shown before it is known how high the tree is.
const AT_FIRST: usize = 60;
/// A folder over which something is held opens after this, in milliseconds.
const HOVER: u32 = 700;

#[derive(Properties, PartialEq)]
pub(crate) struct FilesProps {
    pub(crate) workbench: Workbench,
    pub(crate) tree: Rc<Tree>,
    pub(crate) transfers: Rc<Transfers>,
    /// The file in the shown editor.
    pub(crate) active: Option<WorkspacePath>,
    pub(crate) project: ProjectName,
    pub(crate) works: bool,
}

/// What is dragged out of the tree, and over which folder something is held.
#[derive(Default)]
struct Drag {
    paths: Vec<WorkspacePath>,
    over: Option<WorkspacePath>,
    _opens: Option<Timeout>,
}

#[component]
pub(crate) fn Files(props: &FilesProps) -> Html {
    let FilesProps { workbench, tree, transfers, project, works, .. } = props;
    let (node, works) = (use_node_ref(), *works);
    let typed = use_mut_ref(|| (String::new(), 0.0));
    let drag = use_mut_ref(Drag::default);
    let target = use_state(|| None::<WorkspacePath>);
    let window = use_state(|| (0, AT_FIRST));
    let inputs = (use_node_ref(), use_node_ref());
    // The entry whose row had the keyboard's place last.
    let placed = use_mut_ref(|| None::<WorkspacePath>);
    // Whether a row has the keyboard before the rows are drawn anew: one that goes takes it along.
    let had_keyboard = use_mut_ref(|| false);
    *had_keyboard.borrow_mut() |= node.cast::<Element>().is_some_and(|tree| has_keyboard(&tree));
    let look = {
        let (node, window, count) = (node.clone(), window.clone(), tree.rows().len());
        move || {
            if let Some(seen) = node.cast::<HtmlElement>().and_then(|tree| seen(&tree, count))
                && seen != *window
            {
                window.set(seen);
            }
        }
    };
    use_effect({
        let (workbench, node, look, state) = (workbench.clone(), node.clone(), look.clone(), tree.clone());
        move || {
            if let Some(tree) = node.cast::<Element>() {
                place_rows(&tree, state.rows().len());
                if let Some(side) = tree.parent_element() {
                    draw_bars(&side);
                }
                let is_shown = || state.selected.as_ref().is_some_and(|path| state.rows().place(path).is_some());
                let mut had_keyboard = had_keyboard.borrow_mut();
                if *had_keyboard && page::is_nothing_focused() {
                    *had_keyboard = !focus_row(&tree);
                } else {
                    *had_keyboard = false;
                    if *placed.borrow() != state.selected && is_shown() {
                        placed.borrow_mut().clone_from(&state.selected);
                        if has_keyboard(&tree) {
                            focus_row(&tree);
                        }
                    }
                }
            }
            look();
            workbench.tree_is_drawn();
        }
    });
    let at = {
        let tree = tree.clone();
        move |event: &web_sys::Event| {
            let target = event.target()?.dyn_into::<Element>().ok()?;
            let line = target.closest(".line").ok().flatten()?;
            match tree.rows().get(line.get_attribute("data-at")?.parse().ok()?)? {
                Row::Entry(row) => Some(row),
                _ => None,
            }
        }
    };
    let onkeydown = {
        let (workbench, tree) = (workbench.clone(), tree.clone());
        Callback::from(move |event: KeyboardEvent| key(&workbench, &tree, &mut typed.borrow_mut(), &event))
    };
    let onclick = {
        let (workbench, at) = (workbench.clone(), at.clone());
        Callback::from(move |event: MouseEvent| {
            let Some(row) = at(&event) else { return };
            let path = row.path;
            if event.ctrl_key() || event.meta_key() {
                return workbench.dispatch(Action::Tree(TreeAction::Toggle(path)));
            }
            if event.shift_key() {
                return workbench.dispatch(Action::Tree(TreeAction::Extend(path)));
            }
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
        let (workbench, at) = (workbench.clone(), at.clone());
        Callback::from(move |event: MouseEvent| {
            if let Some(row) = at(&event).filter(|row| row.open.is_none()) {
                workbench.show_file(row.path, true);
            }
        })
    };
    let oncontextmenu = {
        let (workbench, tree, at) = (workbench.clone(), tree.clone(), at.clone());
        Callback::from(move |event: MouseEvent| {
            event.prevent_default();
            let path = at(&event).map(|row| row.path);
            if let Some(path) = path.clone().filter(|path| !tree.is_selected(path)) {
                workbench.dispatch(Action::Tree(TreeAction::Select(Some(path))));
            }
            workbench.dispatch(Action::Menu(Some(Menu { path, x: event.client_x(), y: event.client_y() })));
        })
    };
    let onscroll = {
        let look = look.clone();
        Callback::from(move |_: Event| look())
    };
    let ondragstart = {
        let (workbench, tree, at, drag) = (workbench.clone(), tree.clone(), at.clone(), drag.clone());
        Callback::from(move |event: DragEvent| {
            let (Some(row), Some(data)) = (at(&event), event.data_transfer()) else { return };
            let paths = if tree.is_selected(&row.path) { tree.chosen() } else { vec![row.path.clone()] };
            if !tree.is_selected(&row.path) {
                workbench.dispatch(Action::Tree(TreeAction::Select(Some(row.path.clone()))));
            }
            // Without data some browsers drag nothing; a path is no text to be dropped into a file.
            let _ = data.set_data("text/plain", "");
            data.set_effect_allowed("copyMove");
            workbench.carry_entries(paths.clone());
            *drag.borrow_mut() = Drag { paths, ..Drag::default() };
        })
    };
    let ondragover = {
        let (workbench, at, drag, target) = (workbench.clone(), at.clone(), drag.clone(), target.clone());
        Callback::from(move |event: DragEvent| {
            let Some(data) = event.data_transfer().filter(|_| works) else { return };
            let is_own = !drag.borrow().paths.is_empty();
            if !is_own && !data.types().includes(&"Files".into(), 0) {
                return;
            }
            event.prevent_default();
            data.set_drop_effect(if is_own && !event.ctrl_key() { "move" } else { "copy" });
            let row = at(&event);
            let closed = row.as_ref().filter(|row| row.open == Some(false)).map(|row| row.path.clone());
            let over = row.map_or_else(WorkspacePath::root, |row| match row.open {
                Some(_) => row.path,
                None => row.path.parent().unwrap_or_else(WorkspacePath::root),
            });
            if drag.borrow().over.as_ref() != Some(&over) {
                let workbench = workbench.clone();
                let opens = closed.map(|path| Timeout::new(HOVER, move || workbench.open_folder(path, true)));
                let mut drag = drag.borrow_mut();
                (drag.over, drag._opens) = (Some(over.clone()), opens);
                target.set(Some(over));
            }
        })
    };
    let forget_drag = {
        let (workbench, drag, target) = (workbench.clone(), drag.clone(), target.clone());
        move || {
            workbench.carry_entries(Vec::new());
            *drag.borrow_mut() = Drag::default();
            target.set(None);
        }
    };
    let ondragleave = {
        let (drag, target) = (drag.clone(), target.clone());
        Callback::from(move |event: DragEvent| {
            let to = event.related_target().and_then(|to| to.dyn_into::<web_sys::Node>().ok());
            let here = event.current_target().and_then(|here| here.dyn_into::<Element>().ok());
            if !here.is_some_and(|here| here.contains(to.as_ref())) {
                let mut drag = drag.borrow_mut();
                (drag.over, drag._opens) = (None, None);
                target.set(None);
            }
        })
    };
    let ondrop = {
        let (workbench, drag, forget) = (workbench.clone(), drag.clone(), forget_drag.clone());
        Callback::from(move |event: DragEvent| {
            let Some(data) = event.data_transfer().filter(|_| works) else { return };
            event.prevent_default();
            let Drag { paths, over, .. } = std::mem::take(&mut *drag.borrow_mut());
            let folder = over.unwrap_or_else(WorkspacePath::root);
            forget();
            if paths.is_empty() {
                workbench.upload_entries(Entries::of(&data), folder);
            } else {
                workbench.put(paths, folder, event.ctrl_key());
            }
        })
    };
    let ondragend = {
        let forget = forget_drag.clone();
        Callback::from(move |_: DragEvent| forget())
    };
    let rows = rows(props, *window, target.as_ref());
    let root = tree.folder(&WorkspacePath::root());
    let is_empty = root.is_some_and(|root| root.entries.is_empty() && root.problem.is_none());
    let is_root_target = target.as_ref().is_some_and(WorkspacePath::is_root);
    html! {
        <aside class="side" {ondragover} {ondragleave} {ondrop}>
            { head(workbench, project, works) }
            { choosers(workbench, inputs) }
            if let Some(filter) = &tree.filter {
                { filter_field(workbench, filter) }
            }
            <div
                ref={node}
                class={classes!("tree", is_root_target.then_some("drop"))}
                role="tree"
                aria-label={say!("tree.name")}
                aria-multiselectable="true"
                aria-busy={root.is_none().then_some("true")}
                {onkeydown}
                {onclick}
                {ondblclick}
                {oncontextmenu}
                {onscroll}
                {ondragstart}
                {ondragend}
            >
                <div class="tree-rows" role="none">{ rows }</div>
                if is_empty {
                    <p class="tree-empty" role="none">{ if works { say!("tree.empty") } else { say!("tree.empty-to-see") } }</p>
                }
            </div>
            { transfer_list(workbench, transfers) }
        </aside>
    }
}

/// The rows in view, the one that has the keyboard, and that of a name that is being given.
fn rows(props: &FilesProps, (first, last): (usize, usize), target: Option<&WorkspacePath>) -> Html {
    let FilesProps { workbench, tree, active, works, .. } = props;
    let all = tree.rows();
    let focus = all.focus(tree);
    let mut shown: Vec<usize> = (first..last.min(all.len())).collect();
    shown.extend(focus.into_iter().chain(all.naming()).filter(|at| !(first..last).contains(at)));
    shown.sort_unstable();
    shown.dedup();
    let line = |at: usize| {
        let (key, row) = match all.get(at)? {
            Row::Entry(row) => {
                let standing = Standing {
                    is_focusable: focus == Some(at),
                    is_active: active.as_ref() == Some(&row.path),
                    is_target: row.open.is_some() && target == Some(&row.path),
                    works: *works,
                };
                (format!("e{}", row.path), entry_row(&row, tree, standing))
            }
            Row::Naming { folder, depth, item, renames } => {
                (format!("n{folder}"), html! { <NameBox workbench={workbench.clone()} {depth} {item} {renames} /> })
            }
            Row::Note { folder, depth, text } => (
                format!("t{folder}{text}"),
                html! {
                    <div class={classes!("entry", "note", depth_class(depth))} role="none">
                        <div class="entry-row">
                            <span class="twisty"></span><span class="entry-name hint">{ text }</span>
                        </div>
                    </div>
                },
            ),
        };
        Some(html! { <div {key} class="line" role="none" data-at={at.to_string()}>{ row }</div> })
    };
    // A list of its own, so that keys are what its rows are known by.
    shown.into_iter().filter_map(line).collect()
}

fn head(workbench: &Workbench, project: &ProjectName, works: bool) -> Html {
    let calling = |act: fn(&Workbench)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench))
    };
    let button = |icon: IconName, name: &'static str, onclick: Callback<MouseEvent>| {
        html! { <button class="icon-button" aria-label={name} title={name} {onclick}><Icon name={icon} /></button> }
    };
    let more = {
        let workbench = workbench.clone();
        Callback::from(move |event: MouseEvent| {
            workbench.dispatch(Action::Menu(Some(Menu { path: None, x: event.client_x(), y: event.client_y() })));
        })
    };
    html! {
        <div class="side-head">
            <h2>{ project.as_str() }</h2>
            if works {
                { button(IconName::FilePlus, say!("tree.new-file"), calling(|workbench| workbench.name_new(Item::File))) }
                { button(IconName::FolderPlus, say!("tree.new-folder"), calling(|workbench| workbench.name_new(Item::Folder))) }
                { button(IconName::Upload, say!("tree.upload"), calling(|_| page::click("#upload"))) }
            }
            { button(IconName::Download, say!("tree.download"), calling(Workbench::download_selected)) }
            { button(IconName::Search, say!("finder.open"), calling(Workbench::open_search)) }
            { button(IconName::ListFilter, say!("tree.filter"), calling(Workbench::filter_files)) }
            { button(IconName::MoreHorizontal, say!("tree.more"), more) }
        </div>
    }
}

/// Where the browser asks for files, and for a folder.
fn choosers(workbench: &Workbench, (files, folder): (NodeRef, NodeRef)) -> Html {
    let chosen = {
        let workbench = workbench.clone();
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
            if let Some(files) = input.files() {
                let folder = workbench.state().tree.place_for_new();
                workbench.upload(dropped::chosen(&files), folder);
            }
            // The same file may be chosen again.
            input.set_value("");
        })
    };
    html! {
        <>
            <input id="upload" type="file" multiple=true hidden=true ref={files} onchange={chosen.clone()} />
            <input id="upload-folder" type="file" webkitdirectory=true hidden=true ref={folder} onchange={chosen} />
        </>
    }
}

fn filter_field(workbench: &Workbench, filter: &str) -> Html {
    let oninput = {
        let workbench = workbench.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                workbench.filter_by(input.value());
            }
        })
    };
    let onkeydown = {
        let workbench = workbench.clone();
        Callback::from(move |event: KeyboardEvent| {
            match event.key().as_str() {
                "Escape" => workbench.stop_filtering(),
                "ArrowDown" | "Enter" => workbench.focus_tree(),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.stop_filtering())
    };
    html! {
        <div class="tree-filter">
            <input
                type="text"
                aria-label={say!("tree.filter")}
                placeholder={say!("tree.filter")}
                autocomplete="off"
                spellcheck="false"
                value={filter.to_owned()}
                {oninput}
                {onkeydown}
            />
            <button class="icon-button" aria-label={say!("tree.filter.close")} title={say!("tree.filter.close")} onclick={close}>
                <Icon name={IconName::X} />
            </button>
        </div>
    }
}

/// Puts each row where it belongs. The page's policy takes no `style` attributes.
fn place_rows(tree: &Element, count: usize) {
    let Ok(Some(rows)) = tree.query_selector(".tree-rows") else { return };
    page::set_style(&rows, "--rows", &count.to_string());
    let lines = rows.children();
    for index in 0..lines.length() {
        if let Some(line) = lines.item(index)
            && let Some(at) = line.get_attribute("data-at")
        {
            page::set_style(&line, "--at", &at);
        }
    }
}

fn has_keyboard(tree: &Element) -> bool {
    page::focused().is_some_and(|focused| {
        tree.contains(Some(&focused)) && focused.get_attribute("role").as_deref() == Some("treeitem")
    })
}

/// Gives the keyboard to the row whose turn it is. Returns whether there is one.
fn focus_row(tree: &Element) -> bool {
    let row = tree.query_selector("[tabindex=\"0\"]").ok().flatten();
    row.inspect(page::give_focus).is_some()
}

/// Which rows are in view, and some around them, in steps, so that scrolling a little draws nothing.
fn seen(tree: &HtmlElement, count: usize) -> Option<(usize, usize)> {
    let rows = tree.query_selector(".tree-rows").ok()??.dyn_into::<HtmlElement>().ok()?;
    if count == 0 || rows.offset_height() == 0 {
        return None;
    }
    let height = f64::from(rows.offset_height()) / count as f64;
    let top = (f64::from(tree.scroll_top()) / height) as usize / AROUND * AROUND;
    let in_view = (f64::from(tree.client_height()) / height) as usize + 1;
    Some((top.saturating_sub(AROUND), top + in_view + 2 * AROUND))
}

/// The class that sets `--depth`; deeper than the last one looks like it.
pub(super) fn depth_class(depth: usize) -> String {
    format!("depth-{}", depth.min(15))
}

/// A key in the tree, as the practices for trees have it (WAI-ARIA, tree view).
fn key(workbench: &Workbench, tree: &Tree, typed: &mut (String, f64), event: &KeyboardEvent) {
    let in_a_row = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
    if in_a_row.is_some_and(|element| element.get_attribute("role").as_deref() != Some("treeitem")) {
        return;
    }
    let selected = tree.focused();
    let extends = event.shift_key();
    let select = |path: Option<WorkspacePath>| {
        if let Some(path) = path {
            let action = if extends { TreeAction::Extend(path) } else { TreeAction::Select(Some(path)) };
            workbench.dispatch(Action::Tree(action));
            // Its row may not have been in the page.
            workbench.focus_tree();
        }
    };
    let is_folder = selected.as_ref().is_some_and(|path| tree.is_folder(path));
    let is_open = selected.as_ref().is_some_and(|path| tree.open.contains(path));
    match (event.key().as_str(), selected) {
        (" ", Some(path)) if event.ctrl_key() => workbench.dispatch(Action::Tree(TreeAction::Toggle(path))),
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
        ("Escape", _) if tree.filter.is_some() => workbench.stop_filtering(),
        ("Escape", _) if tree.clipboard.is_some() => workbench.dispatch(Action::Tree(TreeAction::Clipboard(None))),
        (letter, _) if letter.chars().count() == 1 => {
            let now = page::now();
            if now - typed.1 > TYPING {
                typed.0.clear();
            }
            typed.0.push_str(letter);
            typed.1 = now;
            if let Some(path) = tree.find_by_typing(&typed.0) {
                workbench.dispatch(Action::Tree(TreeAction::Select(Some(path))));
                workbench.focus_tree();
            }
        }
        _ => return,
    }
    event.prevent_default();
    event.stop_propagation();
}
