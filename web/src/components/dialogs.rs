//! Which dialog is open, and the two that only ask: deleting, and closing what is not saved.

use embedenv_shared::path::WorkspacePath;
use yew::prelude::*;

use super::dialog::Dialog as Frame;
use super::help::help_dialog;
use super::palette::Palette;
use super::paste::Paste;
use super::run_dialog::RunDialog;
use super::settings::Settings;
use super::share::Share;
use super::share_port::SharePort;
use super::shortcuts::Shortcuts;
use crate::state::transfers::{Policy, Stage};
use crate::state::{Action, Dialog, State};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// Entries that are named before they are deleted; of more, how many there are.
const NAMED: usize = 5;

pub(crate) fn dialogs(workbench: &Workbench, state: &State) -> Html {
    match &state.dialog {
        None => html! {},
        Some(Dialog::Share) => match &state.me {
            Some(me) => html! { <Share workbench={workbench.clone()} me={me.clone()} people={state.people.clone()} /> },
            None => html! {},
        },
        Some(Dialog::SharePort(port)) => match &state.me {
            Some(me) => html! { <SharePort workbench={workbench.clone()} me={me.clone()} port={*port} /> },
            None => html! {},
        },
        Some(Dialog::Runs) => html! { <RunDialog workbench={workbench.clone()} runs={state.runs.clone()} /> },
        Some(Dialog::Settings) => html! {
            <Settings workbench={workbench.clone()} settings={state.settings.clone()} here={state.here.clone()} />
        },
        Some(Dialog::Shortcuts) => {
            html! { <Shortcuts workbench={workbench.clone()} settings={state.settings.clone()} /> }
        }
        Some(Dialog::Help) => help_dialog(workbench),
        Some(Dialog::Palette { files, start }) => {
            html! {
                <Palette key={format!("{files} {start}")} workbench={workbench.clone()} files={*files} start={*start} all_files={state.all_files.clone()} />
            }
        }
        Some(Dialog::ReplaceAll) => {
            let then = workbench.clone();
            let with = state.search.found_by.with.clone();
            let title = say!("finder.replace-all.title", what = state.search.found_by.pattern);
            let found = state.search.found();
            let text = if with.is_empty() {
                say!("finder.replace-all.removed", found = found)
            } else {
                say!("finder.replace-all.about", found = found, with = with)
            };
            let act = Callback::from(move |()| then.replace_all());
            question(workbench, say!("finder.replace-all"), [title, text], say!("finder.replace-all"), act)
        }
        Some(Dialog::Delete(paths)) => {
            let (title, text) = match paths.as_slice() {
                [path] if state.tree.is_folder(path) => {
                    (say!("delete.title", path = path), say!("delete.folder").to_owned())
                }
                [path] => (say!("delete.title", path = path), say!("delete.file").to_owned()),
                paths => {
                    let names: Vec<&str> = paths.iter().take(NAMED).map(WorkspacePath::as_str).collect();
                    let (names, more) = (names.join(", "), paths.len().saturating_sub(NAMED));
                    let names = if more > 0 { say!("delete.more", names = names, more = more) } else { names };
                    (say!("delete.several", count = paths.len()), say!("delete.entries", names = names))
                }
            };
            let (then, paths) = (workbench.clone(), paths.clone());
            let act = Callback::from(move |()| then.delete(paths.clone()));
            question(workbench, say!("delete"), [title, text], say!("delete"), act)
        }
        Some(Dialog::Paste { terminal, text }) => {
            html! { <Paste workbench={workbench.clone()} terminal={*terminal} text={text.clone()} /> }
        }
        Some(Dialog::Taken) => taken(workbench, state),
        Some(Dialog::Discard(id)) => {
            let id = *id;
            let then = workbench.clone();
            let name = state.files.get(id).map(|file| file.name().to_owned()).unwrap_or_default();
            let title = say!("discard.title", name = name);
            let text = say!("discard.text").to_owned();
            let act = Callback::from(move |()| then.close_file_anyway(id));
            question(workbench, say!("dialog.close"), [title, text], say!("discard.anyway"), act)
        }
    }
}

/// Asks what is wished where files that are uploaded have names that are taken.
fn taken(workbench: &Workbench, state: &State) -> Html {
    let mut names = state.transfers.list.iter().filter(|transfer| transfer.stage == Stage::Taken);
    let first = names.next().map(|transfer| transfer.path.to_string()).unwrap_or_default();
    let (title, text) = match names.count() {
        0 => (say!("taken.single", name = first), say!("taken.single.text").to_owned()),
        more => (say!("taken.several", count = more + 1), say!("taken.several.text", name = first, more = more)),
    };
    let choice = |text: &'static str, class: &'static str, policy: Policy| {
        let workbench = workbench.clone();
        let act = Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Dialog(None));
            workbench.decide_about_names(policy);
        });
        html! { <button {class} onclick={act}>{ text }</button> }
    };
    let foot = html! {
        <>
            { choice(say!("taken.skip"), "plain", Policy::Skip) }
            { choice(say!("taken.replace"), "plain", Policy::Replace) }
            { choice(say!("taken.keep-both"), "primary", Policy::KeepBoth) }
        </>
    };
    html! {
        <Frame workbench={workbench.clone()} name={say!("taken.name")} title={AttrValue::from(title)} {foot}>
            <p>{ text }</p>
        </Frame>
    }
}

/// Asks before something that can't be undone.
fn question(
    workbench: &Workbench,
    name: &'static str,
    [title, text]: [String; 2],
    button: &'static str,
    act: Callback<()>,
) -> Html {
    let cancel = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(None)))
    };
    let act = {
        let (workbench, act) = (workbench.clone(), act);
        Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Dialog(None));
            act.emit(());
        })
    };
    let foot = html! {
        <>
            <button class="plain" onclick={cancel}>{ say!("dialog.cancel") }</button>
            <button class="danger" data-first="true" onclick={act}>{ button }</button>
        </>
    };
    html! {
        <Frame workbench={workbench.clone()} name={name} title={AttrValue::from(title)} {foot}>
            <p>{ text }</p>
        </Frame>
    }
}
