//! Finding in files: fields above, hits by file below, each a row of a tree that is walked as the tree of files is.

use std::rc::Rc;

use embedenv_shared::search::Hit;
use web_sys::{HtmlInputElement, InputEvent, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::state::Action;
use crate::state::search::{Asked, Row, RowId, Search, SearchAction};
use crate::words::catalogue::{count, say};
use crate::workbench::Workbench;

/// Rows that Page Up and Page Down go.
const PAGE: isize = 10;

#[derive(Properties, PartialEq)]
pub(crate) struct SearchPaneProps {
    pub(crate) workbench: Workbench,
    pub(crate) search: Rc<Search>,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn SearchPane(props: &SearchPaneProps) -> Html {
    let SearchPaneProps { workbench, search, works } = props;
    let asked = &search.asked;
    let replaces = asked.replaces && *works;
    let calling = |act: fn(&Workbench)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench))
    };
    let onkeydown = {
        let workbench = workbench.clone();
        Callback::from(move |event: KeyboardEvent| fields_key(&workbench, &event))
    };
    let toggle = |text: &'static str, name: &'static str, is_on: bool, change: fn(Asked) -> Asked| {
        let workbench = workbench.clone();
        let onclick = Callback::from(move |_: MouseEvent| workbench.change_search(change));
        html! { <button class="search-toggle" aria-label={name} title={name} aria-pressed={is_on.to_string()} data-face={text} {onclick}></button> }
    };
    html! {
        <aside class="side search">
            <div class="side-head">
                <h2>{ say!("finder.title") }</h2>
                { icon_button(IconName::X, say!("finder.clear"), false, calling(Workbench::clear_search)) }
                { icon_button(IconName::Folder, say!("finder.files"), false, calling(Workbench::show_files)) }
            </div>
            <div class="search-fields" role="search" aria-label={say!("finder.title")} {onkeydown}>
                <div class="search-field">
                    { field(workbench, "search-pattern", say!("finder.pattern"), &asked.pattern, |asked, pattern| Asked { pattern, ..asked }) }
                    { toggle("Aa", say!("finder.case"), asked.case, |asked| Asked { case: !asked.case, ..asked }) }
                    { toggle("ab", say!("finder.word"), asked.word, |asked| Asked { word: !asked.word, ..asked }) }
                    { toggle(".*", say!("finder.regex"), asked.regex, |asked| Asked { regex: !asked.regex, ..asked }) }
                </div>
                if *works {
                    { opener(workbench, say!("finder.replace"), asked.replaces, |asked| Asked { replaces: !asked.replaces, ..asked }) }
                }
                if replaces {
                    <div class="search-field">
                        { field(workbench, "search-with", say!("finder.with"), &asked.with, |asked, with| Asked { with, ..asked }) }
                        <button class="search-all" disabled={search.files.is_empty()} onclick={calling(|workbench| workbench.replace(None))}>
                            { say!("finder.replace-all") }
                        </button>
                    </div>
                }
                { opener(workbench, say!("finder.details"), asked.has_details, |asked| Asked { has_details: !asked.has_details, ..asked }) }
                if asked.has_details {
                    { field(workbench, "search-include", say!("finder.include"), &asked.include, |asked, include| Asked { include, ..asked }) }
                    { field(workbench, "search-exclude", say!("finder.exclude"), &asked.exclude, |asked, exclude| Asked { exclude, ..asked }) }
                    { ignored_box(workbench, asked.ignored) }
                }
            </div>
            <p class="search-status" role="status">{ search.said() }</p>
            { results(workbench, search, replaces) }
        </aside>
    }
}

/// A key in the fields: Alt+C, Alt+W and Alt+R as in other editors, Enter at once, and down into what was found.
fn fields_key(workbench: &Workbench, event: &KeyboardEvent) {
    let is_alone = !event.ctrl_key() && !event.meta_key() && !event.shift_key();
    match event.code().as_str() {
        _ if event.is_composing() => return,
        "KeyC" if event.alt_key() && is_alone => workbench.change_search(|asked| Asked { case: !asked.case, ..asked }),
        "KeyW" if event.alt_key() && is_alone => workbench.change_search(|asked| Asked { word: !asked.word, ..asked }),
        "KeyR" if event.alt_key() && is_alone => {
            workbench.change_search(|asked| Asked { regex: !asked.regex, ..asked })
        }
        "ArrowDown" if !event.alt_key() && is_alone => {
            if !crate::interop::page::focus(".results [tabindex=\"0\"]") {
                return;
            }
        }
        "Enter" | "NumpadEnter" if is_field(event) => workbench.search_now(),
        _ => return,
    }
    event.prevent_default();
    event.stop_propagation();
}

fn is_field(event: &KeyboardEvent) -> bool {
    event.target_dyn_into::<HtmlInputElement>().is_some_and(|input| input.type_() == "text")
}

fn field(
    workbench: &Workbench,
    id: &'static str,
    name: &'static str,
    value: &str,
    change: fn(Asked, String) -> Asked,
) -> Html {
    let workbench = workbench.clone();
    let oninput = Callback::from(move |event: InputEvent| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            workbench.change_search(|asked| change(asked, input.value()));
        }
    });
    html! {
        <input type="text" {id} aria-label={name} placeholder={name} value={value.to_owned()} autocomplete="off" spellcheck="false" {oninput} />
    }
}

fn ignored_box(workbench: &Workbench, is_on: bool) -> Html {
    let workbench = workbench.clone();
    let onchange =
        Callback::from(move |_: Event| workbench.change_search(|asked| Asked { ignored: !asked.ignored, ..asked }));
    html! { <label class="search-ignored"><input type="checkbox" checked={is_on} {onchange} />{ say!("finder.ignored") }</label> }
}

fn opener(workbench: &Workbench, name: &'static str, is_open: bool, change: fn(Asked) -> Asked) -> Html {
    let workbench = workbench.clone();
    let onclick = Callback::from(move |_: MouseEvent| workbench.change_search(change));
    let icon = if is_open { IconName::ChevronDown } else { IconName::ChevronRight };
    html! { <button class="search-more" aria-expanded={is_open.to_string()} {onclick}><Icon name={icon} />{ name }</button> }
}

fn results(workbench: &Workbench, search: &Rc<Search>, replaces: bool) -> Html {
    let (rows, has_more) = search.rows();
    let focused = search.focused();
    let onkeydown = {
        let (workbench, search) = (workbench.clone(), search.clone());
        Callback::from(move |event: KeyboardEvent| results_key(&workbench, &search, replaces, &event))
    };
    let rows: Html = rows.iter().map(|row| draw(workbench, row, focused.as_ref(), replaces)).collect();
    let workbench = workbench.clone();
    let more = Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Search(SearchAction::ShowMore)));
    html! {
        <div class="results">
            <div role="tree" aria-label={say!("finder.results")} {onkeydown}>{ rows }</div>
            if has_more {
                <button class="results-more" onclick={more}>{ say!("finder.show-more") }</button>
            }
        </div>
    }
}

fn draw(workbench: &Workbench, row: &Row<'_>, focused: Option<&RowId>, replaces: bool) -> Html {
    let id = row.id();
    let is_focused = focused == Some(&id);
    let tabindex = if is_focused { "0" } else { "-1" };
    let key = key_of(&id);
    let replace = replaces.then(|| replace_button(workbench, &id));
    let onfocus = {
        let (workbench, id) = (workbench.clone(), id.clone());
        Callback::from(move |_: FocusEvent| {
            if !is_focused {
                workbench.dispatch(Action::Search(SearchAction::Select(Some(id.clone()))));
            }
        })
    };
    match row {
        Row::File { file, is_open } => {
            let (path, is_open) = (file.path.clone(), *is_open);
            let onclick = {
                let (workbench, path) = (workbench.clone(), path.clone());
                Callback::from(move |_: MouseEvent| {
                    workbench.dispatch(Action::Search(SearchAction::Fold(path.clone(), is_open)));
                })
            };
            let folder = path.parent().filter(|folder| !folder.is_root()).map(|folder| folder.to_string());
            let icon = if is_open { IconName::ChevronDown } else { IconName::ChevronRight };
            let counted = if file.more { format!("{}+", file.hits.len()) } else { file.hits.len().to_string() };
            html! {
                <div {key} class="result result-file" role="treeitem" aria-level="1" aria-expanded={is_open.to_string()}
                    aria-label={format!("{path}, {}", count!("finder.hits", file.hits.len()))} {tabindex} {onfocus} {onclick}
                    title={path.to_string()}>
                    <Icon name={icon} />
                    <span class="result-name">{ path.name().unwrap_or_default().to_owned() }</span>
                    <span class="result-folder">{ folder }</span>
                    { replace }
                    <span class="result-count" data-face={counted}></span>
                </div>
            }
        }
        Row::Hit { hit, .. } => {
            let open = |keep: bool| {
                let (workbench, id) = (workbench.clone(), id.clone());
                Callback::from(move |_: MouseEvent| workbench.open_hit(&id, keep))
            };
            html! {
                <div {key} class="result result-hit" role="treeitem" aria-level="2" {tabindex} {onfocus}
                    aria-label={hit_name(hit, replaces)} onclick={open(false)} ondblclick={open(true)}
                    title={say!("finder.at", line = hit.line, column = hit.column)}>
                    <span class="result-line" data-face={hit.line.to_string()}></span>
                    <code>
                        <span class="result-before"><span>{ hit.before.trim_start() }</span></span>
                        if let Some(replacement) = hit.replacement.as_ref().filter(|_| replaces) {
                            <del>{ &hit.text }</del><ins data-face={replacement.clone()}></ins>
                        } else {
                            <mark>{ &hit.text }</mark>
                        }
                        { &hit.after }
                    </code>
                    { replace }
                </div>
            }
        }
    }
}

/// A hit as it is read out.
fn hit_name(hit: &Hit, replaces: bool) -> String {
    let line = format!("{}{}{}", hit.before, hit.text, hit.after);
    let text = line.trim();
    match hit.replacement.as_ref().filter(|_| replaces) {
        Some(with) => say!("finder.hit.replaced", line = hit.line, text = text, found = hit.text, with = with),
        None => say!("finder.hit", line = hit.line, text = text),
    }
}

fn replace_button(workbench: &Workbench, id: &RowId) -> Html {
    let name = if matches!(id, RowId::File(_)) { say!("finder.replace-file") } else { say!("finder.replace-hit") };
    let (workbench, id) = (workbench.clone(), id.clone());
    let onclick = Callback::from(move |event: MouseEvent| {
        event.stop_propagation();
        workbench.replace(Some(id.clone()));
    });
    html! {
        <button class="icon-button" tabindex="-1" aria-label={name} title={name} {onclick}><Icon name={IconName::Pencil} /></button>
    }
}

/// A key in what was found, as the practices for trees have it (WAI-ARIA, tree view).
fn results_key(workbench: &Workbench, search: &Search, replaces: bool, event: &KeyboardEvent) {
    let Some(row) = search.focused() else { return };
    let select = |row: Option<RowId>| {
        if let Some(row) = row {
            workbench.dispatch(Action::Search(SearchAction::Select(Some(row))));
            // It is focused when it is drawn.
            wasm_bindgen_futures::spawn_local(async {
                gloo_timers::future::TimeoutFuture::new(0).await;
                crate::interop::page::focus(".results [tabindex=\"0\"]");
            });
        }
    };
    let fold = |is_folded: bool| {
        workbench.dispatch(Action::Search(SearchAction::Fold(row.path().clone(), is_folded)));
    };
    let is_open =
        search.rows().0.iter().any(|drawn| matches!(drawn, Row::File { is_open: true, .. } if drawn.id() == row));
    match (event.key().as_str(), &row) {
        ("Enter", _) if event.ctrl_key() || event.meta_key() => {
            if replaces {
                workbench.replace(Some(row.clone()));
            }
        }
        _ if event.ctrl_key() || event.meta_key() || event.alt_key() => return,
        ("ArrowDown", _) => select(search.step(1)),
        ("ArrowUp", _) if search.step(-1).as_ref() == Some(&row) => {
            crate::interop::page::focus_and_select_all("#search-pattern")
        }
        ("ArrowUp", _) => select(search.step(-1)),
        ("PageDown", _) => select(search.step(PAGE)),
        ("PageUp", _) => select(search.step(-PAGE)),
        ("Home", _) => select(search.step(isize::MIN + 1)),
        ("End", _) => select(search.step(isize::MAX)),
        ("ArrowRight", RowId::File(_)) if !is_open => fold(false),
        ("ArrowRight", RowId::File(_)) => select(search.step(1)),
        ("ArrowLeft", RowId::File(_)) => fold(true),
        ("ArrowLeft", RowId::Hit(path, _)) => select(Some(RowId::File(path.clone()))),
        ("Enter" | " ", RowId::File(_)) => fold(is_open),
        ("Enter", RowId::Hit(..)) => workbench.open_hit(&row, true),
        (" ", RowId::Hit(..)) => workbench.open_hit(&row, false),
        _ => return,
    }
    event.prevent_default();
    event.stop_propagation();
}

fn icon_button(icon: IconName, name: &'static str, disabled: bool, onclick: Callback<MouseEvent>) -> Html {
    html! {
        <button class="icon-button" aria-label={name} title={name} {disabled} {onclick}><Icon name={icon} /></button>
    }
}

fn key_of(id: &RowId) -> String {
    match id {
        RowId::File(path) => format!("f{path}"),
        RowId::Hit(path, spot) => format!("h{}:{}:{path}", spot.line, spot.column),
    }
}
