//! The open files: their tabs, what is to be said of the shown one, and the place where its editor is.

use embedenv_shared::frame::{ReadOnly, SandboxState};
use web_sys::Element;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::tabs::{Tab, Tabs};
use crate::state::files::{Access, FileId, FilesAction, OpenFile};
use crate::state::{Action, Sandbox, State};
use crate::words;
use crate::workbench::Workbench;

pub(crate) fn editor_pane(workbench: &Workbench, state: &State) -> Html {
    let State { files, sandbox, .. } = state;
    let works = state.works();
    let calling = |act: fn(&Workbench, FileId)| {
        let workbench = workbench.clone();
        Callback::from(move |id: u32| act(&workbench, FileId(id)))
    };
    let keep = calling(|workbench, id| {
        workbench.dispatch(Action::Files(FilesAction::Keep(id)));
        workbench.documents.focus(id);
    });
    let tabs: Vec<Tab> = files.open.iter().map(tab).collect();
    // A list of its own, so that each host is known by its key and not by its place.
    let hosts: Html = files
        .open
        .iter()
        .map(|file| {
            html! {
                <EditorHost
                    key={file.id.0}
                    workbench={workbench.clone()}
                    id={file.id}
                    active={files.active == Some(file.id)}
                    has_text={file.access.has_text()}
                    opening={file.access == Access::Opening}
                />
            }
        })
        .collect();
    html! {
        <div class="editors">
            if sandbox.state == SandboxState::Gone {
                { sandbox_banner(workbench, sandbox, works) }
            } else if let Some(why) = &sandbox.message {
                <div class="banner" role="alert">
                    <Icon name={IconName::AlertTriangle} />
                    <span>{ why }</span>
                </div>
            }
            if !files.open.is_empty() {
                <Tabs
                    label="Open files"
                    {tabs}
                    active={files.active.map(|id| id.0)}
                    activate={calling(Workbench::activate)}
                    {keep}
                    close={calling(Workbench::close_file)}
                />
            }
            if let Some(file) = files.active() {
                { file_banner(workbench, file) }
            }
            <div class="editor-area">
                { hosts }
                if files.open.is_empty() {
                    { empty(works) }
                }
            </div>
        </div>
    }
}

fn tab(file: &OpenFile) -> Tab {
    let name = file.name().to_owned();
    Tab {
        key: file.id.0,
        name: if file.unsaved { format!("{name}, unsaved") } else { name.clone() },
        text: name,
        title: file.path.to_string(),
        class: match (file.preview, file.unsaved) {
            (true, _) => "preview",
            (false, true) => "unsaved",
            (false, false) => "",
        },
        icon: super::tree_row::icon_of(file.name()),
    }
}

#[derive(Properties, PartialEq)]
struct EditorHostProps {
    workbench: Workbench,
    id: FileId,
    active: bool,
    has_text: bool,
    opening: bool,
}

/// Where an editor is put. It is made when its tab is first shown, and goes with its tab.
#[component]
fn EditorHost(props: &EditorHostProps) -> Html {
    let EditorHostProps { workbench, id, active, has_text, opening } = props;
    let node = use_node_ref();
    let is_mounted = use_mut_ref(|| false);
    use_effect_with((workbench.clone(), *id), |(workbench, id)| {
        let (workbench, id) = (workbench.clone(), *id);
        move || workbench.documents.unmount(&workbench, id)
    });
    use_effect_with((node.clone(), *active), {
        let (workbench, id) = (workbench.clone(), *id);
        move |(node, active)| {
            if *active
                && !is_mounted.replace(true)
                && let Some(parent) = node.cast::<Element>()
            {
                workbench.documents.mount(&workbench, id, parent);
            }
        }
    });
    html! {
        <>
            <div class="editor-host" ref={node} hidden={!active || !has_text}></div>
            if *active && *opening {
                <div class="skeleton" aria-hidden="true"></div>
            }
        </>
    }
}

/// Why a file can't be edited or saved, and what to do.
fn file_banner(workbench: &Workbench, file: &OpenFile) -> Html {
    let OpenFile { id, path, access, problem, unsaved, .. } = file;
    let id = *id;
    let calling = |act: fn(&Workbench, FileId)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench, id))
    };
    let download = || {
        let (workbench, path) = (workbench.clone(), path.clone());
        let download = Callback::from(move |_: MouseEvent| workbench.download(path.clone()));
        html! { <button onclick={download}>{ "Download it" }</button> }
    };
    let (text, button) = match access {
        Access::ReadOnly(why @ ReadOnly::Role) => (words::read_only(*why).to_owned(), html! {}),
        Access::ReadOnly(why) => (words::read_only(*why).to_owned(), download()),
        Access::Gone(why) => {
            (why.clone(), html! { <button onclick={calling(Workbench::keep_copy)}>{ "Keep a copy" }</button> })
        }
        Access::Failed(why) => {
            (why.clone(), html! { <button onclick={calling(Workbench::activate)}>{ "Try again" }</button> })
        }
        Access::Opening | Access::Editable => match problem {
            Some(problem) if *unsaved => (
                format!("Not saved: {problem}. It is tried again by itself; what you typed is held by the server."),
                html! { <button onclick={calling(Workbench::save)}>{ "Save now" }</button> },
            ),
            _ => return html! {},
        },
    };
    html! { <div class="banner"><Icon name={IconName::AlertTriangle} /><span>{ text }</span>{ button }</div> }
}

/// The sandbox has ended, for everybody in the room.
fn sandbox_banner(workbench: &Workbench, sandbox: &Sandbox, works: bool) -> Html {
    let workbench = workbench.clone();
    let start = Callback::from(move |_: MouseEvent| workbench.start_sandbox());
    let why = sandbox.message.as_deref().unwrap_or("The sandbox has ended. The files are safe.");
    html! {
        <div class="banner" role="alert">
            <Icon name={IconName::AlertTriangle} />
            <span>{ format!("{why} Programs and terminals in it have ended.") }</span>
            if works {
                <button class="primary" onclick={start}>{ "Start again" }</button>
            }
        </div>
    }
}

/// Nothing is open: what can be done.
fn empty(works: bool) -> Html {
    let keys: &[(&str, &str)] = if works {
        &[
            ("Go to file", "Ctrl+P"),
            ("Command palette", "Ctrl+Shift+P"),
            ("Run the open file", "Ctrl+Enter"),
            ("Terminal", "Ctrl+`"),
        ]
    } else {
        &[("Go to file", "Ctrl+P"), ("Command palette", "Ctrl+Shift+P")]
    };
    let rows = keys.iter().map(|(what, keys)| html! { <><dt>{ what }</dt><dd><kbd>{ keys }</kbd></dd></> });
    html! {
        <div class="editor-empty">
            <p>{ "Choose a file to read or edit it." }</p>
            <dl>{ for rows }</dl>
        </div>
    }
}
