//! Which dialog is open, and the two that only ask: deleting, and closing what is not saved.

use yew::prelude::*;

use super::dialog::Dialog as Frame;
use super::help::help_dialog;
use super::palette::Palette;
use super::paste::Paste;
use super::run_dialog::RunDialog;
use super::settings::Settings;
use super::share::Share;
use super::shortcuts::Shortcuts;
use crate::state::{Action, Dialog, State};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(crate) fn dialogs(workbench: &Workbench, state: &State) -> Html {
    match &state.dialog {
        None => html! {},
        Some(Dialog::Share) => match &state.me {
            Some(me) => html! { <Share workbench={workbench.clone()} me={me.clone()} people={state.people.clone()} /> },
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
        Some(Dialog::Delete(path)) => {
            let text = if state.tree.is_folder(path) { say!("delete.folder") } else { say!("delete.file") };
            let (then, path) = (workbench.clone(), path.clone());
            let title = say!("delete.title", path = path);
            let act = Callback::from(move |()| then.delete(path.clone()));
            question(workbench, say!("delete"), [title, text.to_owned()], say!("delete"), act)
        }
        Some(Dialog::Paste { terminal, text }) => {
            html! { <Paste workbench={workbench.clone()} terminal={*terminal} text={text.clone()} /> }
        }
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
            <button class="danger" autofocus=true onclick={act}>{ button }</button>
        </>
    };
    html! {
        <Frame workbench={workbench.clone()} name={name} title={AttrValue::from(title)} {foot}>
            <p>{ text }</p>
        </Frame>
    }
}
