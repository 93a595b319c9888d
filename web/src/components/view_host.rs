//! What a tab shows besides text: a picture, how a file looks, or what has changed in it. Each is made when its tab is first
//! shown, and goes with it.

use std::cell::RefCell;
use std::rc::Rc;

use embedenv_shared::path::WorkspacePath;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::modules::{Module, load};
use crate::interop::page;
use crate::interop::views::{Markdown, Picture};
use crate::state::files::FileId;
use crate::state::views::{Against, View, any_picture, is_markdown};
use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// Narrower than this, in CSS pixels, two texts have no room side by side.
const SIDE_BY_SIDE: i32 = 760;

#[derive(Properties, PartialEq)]
pub(crate) struct ViewHostProps {
    pub(crate) workbench: Workbench,
    pub(crate) id: FileId,
    pub(crate) path: WorkspacePath,
    pub(crate) view: View,
    pub(crate) active: bool,
}

#[component]
pub(crate) fn ViewHost(props: &ViewHostProps) -> Html {
    let ViewHostProps { workbench, id, path, view, active } = props;
    // A tab that was never shown costs nothing.
    let was_shown = use_mut_ref(|| false);
    *was_shown.borrow_mut() |= *active;
    if !*was_shown.borrow() {
        return html! {};
    }
    let (workbench, path) = (workbench.clone(), path.clone());
    let key = path.to_string();
    let inside = match *view {
        View::Preview(source) if is_markdown(&path) => {
            html! { <MarkdownHost {key} {workbench} {source} {path} /> }
        }
        View::File | View::Preview(_) => html! { <PictureHost {key} {workbench} {path} /> },
        View::Compare(source, against) => {
            html! { <CompareHost {workbench} id={*id} {source} {path} {against} /> }
        }
    };
    html! { <div class="view-host" hidden={!active}>{ inside }</div> }
}

#[derive(Properties, PartialEq)]
struct PictureHostProps {
    workbench: Workbench,
    path: WorkspacePath,
}

#[component]
fn PictureHost(props: &PictureHostProps) -> Html {
    let node = use_node_ref();
    use_effect_with((props.workbench.clone(), props.path.clone(), node.clone()), |(workbench, path, node)| {
        // What is shown, and who tells of changes; both end with this.
        let picture = Rc::new(RefCell::new(None::<Picture>));
        workbench.first_file.open();
        let (shown, at) = (picture.clone(), (workbench.clone(), path.clone()));
        let changed = Callback::from(move |()| {
            let (shown, (workbench, path)) = (shown.clone(), at.clone());
            spawn_local(async move {
                let bytes = workbench.bytes_of(&path).await;
                if let Some(picture) = &*shown.borrow() {
                    match (bytes, any_picture(&path)) {
                        (Ok(bytes), Some(mime)) => picture.show(&bytes, mime),
                        (Ok(_), None) => {}
                        (Err(why), _) => picture.fail(&why),
                    }
                }
            });
        });
        let look = workbench.look_at(path.clone(), changed.clone());
        if let Some(parent) = node.cast::<Element>() {
            let (workbench, path, picture) = (workbench.clone(), path.clone(), picture.clone());
            spawn_local(async move {
                let label = say!("picture.name", path = path);
                match load(Module::Picture).await.and_then(|module| Picture::new(module, &parent, &label)) {
                    Ok(made) => *picture.borrow_mut() = Some(made),
                    Err(error) => return failed(&workbench, "picture", &error),
                }
                changed.emit(());
            });
        }
        move || {
            drop(look);
            *picture.borrow_mut() = None;
        }
    });
    html! { <div class="picture-host" ref={node}></div> }
}

#[derive(Properties, PartialEq)]
struct MarkdownHostProps {
    workbench: Workbench,
    source: FileId,
    path: WorkspacePath,
}

#[component]
fn MarkdownHost(props: &MarkdownHostProps) -> Html {
    let node = use_node_ref();
    let inputs = (props.workbench.clone(), props.source, props.path.clone(), node.clone());
    use_effect_with(inputs, |(workbench, source, path, node)| {
        let markdown = Rc::new(RefCell::new(None::<Markdown>));
        let editor = workbench.documents.editor(*source);
        if let (Some(parent), Some(editor)) = (node.cast::<Element>(), editor) {
            let (workbench, path, markdown) = (workbench.clone(), path.clone(), markdown.clone());
            spawn_local(async move {
                let open = {
                    let workbench = workbench.clone();
                    move |path: String| match WorkspacePath::parse(&path) {
                        Ok(path) => workbench.show_file(path, true),
                        Err(_) => workbench.alert(say!("view.bad-link", path = path)),
                    }
                };
                let picture = {
                    let workbench = workbench.clone();
                    move |path| workbench.clone().picture_at(path)
                };
                let made = load(Module::Markdown).await;
                let made =
                    made.and_then(|module| Markdown::new(module, &parent, path.as_str(), &editor, open, picture));
                match made {
                    Ok(made) => *markdown.borrow_mut() = Some(made),
                    Err(error) => failed(&workbench, "preview", &error),
                }
            });
        }
        move || *markdown.borrow_mut() = None
    });
    html! { <div class="markdown-host" ref={node}></div> }
}

#[derive(Properties, PartialEq)]
struct CompareHostProps {
    workbench: Workbench,
    id: FileId,
    source: FileId,
    path: WorkspacePath,
    against: Against,
}

#[component]
fn CompareHost(props: &CompareHostProps) -> Html {
    let CompareHostProps { workbench, id, source, path, against } = props;
    let node = use_node_ref();
    // What a person chose; by itself it follows the room there is.
    let inline = use_state_eq(|| None::<bool>);
    let round = use_state_eq(|| 0u32);
    let is_inline = inline.unwrap_or_else(|| {
        let width = page::document().document_element().map_or(0, |root| root.client_width());
        node.cast::<Element>().map_or(width, |node| node.client_width()) < SIDE_BY_SIDE
    });
    let inputs = (node.clone(), (*id, *source, path.clone(), *against), is_inline, *round);
    use_effect_with(inputs, {
        let workbench = workbench.clone();
        move |(node, (id, source, path, against), is_inline, _)| {
            let editor = workbench.documents.editor(*source);
            if let (Some(parent), Some(editor)) = (node.cast::<Element>(), editor.clone()) {
                let (id, path, against, is_inline) = (*id, path.clone(), *against, *is_inline);
                spawn_local(async move {
                    let (before, name) = match against {
                        Against::First => (None, say!("compare.when-opened")),
                        Against::Saved => match workbench.bytes_of(&path).await {
                            Ok(bytes) => (Some(String::from_utf8_lossy(&bytes).into_owned()), say!("compare.on-disk")),
                            Err(why) => return workbench.alert(why),
                        },
                    };
                    if let Err(error) = editor.compare(id, &parent, before.as_deref(), name, is_inline).await {
                        failed(&workbench, "comparison", &error);
                    }
                });
            }
            let id = *id;
            move || {
                if let Some(editor) = editor {
                    editor.end_view(id);
                }
            }
        }
    });
    // What is on disk may change while one looks at it.
    use_effect_with((path.clone(), *against), {
        let (workbench, round) = (workbench.clone(), round.clone());
        move |(path, against)| {
            let number = round.setter();
            let changed = Callback::from(move |()| number.set(page::now() as u32));
            let look = (*against == Against::Saved).then(|| workbench.look_at(path.clone(), changed));
            move || drop(look)
        }
    });
    let turn = {
        let inline = inline.clone();
        Callback::from(move |_: MouseEvent| inline.set(Some(!is_inline)))
    };
    let again = {
        let round = round.clone();
        Callback::from(move |_: MouseEvent| round.set(*round + 1))
    };
    let left = match against {
        Against::First => say!("compare.when-opened"),
        Against::Saved => say!("compare.on-disk"),
    };
    html! {
        <div class="compare-host">
            <div class="compare-bar">
                <span>{ if is_inline { say!("compare.since", what = left) } else { left.to_owned() } }</span>
                if !is_inline {
                    <span>{ say!("compare.now") }</span>
                }
                <button aria-pressed={is_inline.to_string()} onclick={turn}>{ say!("compare.inline") }</button>
                <button class="icon-button" aria-label={say!("compare.again")} title={say!("compare.again")} onclick={again}>
                    <Icon name={IconName::RefreshCw} />
                </button>
            </div>
            <div class="compare" ref={node}></div>
        </div>
    }
}

fn failed(workbench: &Workbench, what: &str, error: &JsValue) {
    page::warn(&format!("the {what}: {error:?}"));
    workbench.alert(words::no_module(what));
}
