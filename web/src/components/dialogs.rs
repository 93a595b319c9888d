//! Which dialog is open, and the two that only ask: deleting, and closing what is not saved.

use std::rc::Rc;

use yew::prelude::*;

use super::dialog::Dialog as Frame;
use super::palette::Palette;
use super::settings::SettingsDialog;
use super::share::Share;
use crate::state::{Action, Dialog, State};
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct DialogsProps {
    pub(crate) workbench: Workbench,
    pub(crate) state: Rc<State>,
}

#[component]
pub(crate) fn Dialogs(props: &DialogsProps) -> Html {
    let DialogsProps { workbench, state } = props;
    let workbench = workbench.clone();
    match &state.dialog {
        None => html! {},
        Some(Dialog::Share) => match &state.me {
            Some(me) => html! { <Share {workbench} role={me.role} /> },
            None => html! {},
        },
        Some(Dialog::Settings) => html! { <SettingsDialog {workbench} settings={state.settings.clone()} /> },
        Some(Dialog::Palette { files }) => html! { <Palette key={files.to_string()} {workbench} files={*files} /> },
        Some(Dialog::Delete(path)) => {
            let what = if state.tree.is_folder(path) { "folder, with all it holds," } else { "file" };
            let text = format!("The {what} is deleted for everybody in the room. It can't be brought back.");
            let (then, path) = (workbench.clone(), path.clone());
            let title = format!("Delete {path}?");
            let act = Callback::from(move |()| then.delete(path.clone()));
            html! { <Question {workbench} name="Delete" {title} {text} button="Delete" {act} /> }
        }
        Some(Dialog::Discard(id)) => {
            let id = *id;
            let then = workbench.clone();
            let name = state.files.get(id).map(|file| file.name().to_owned()).unwrap_or_default();
            let title = format!("Close {name}?");
            let text =
                "Its last edits are in this page alone: the server does not have them yet. Closed now, they are lost."
                    .to_owned();
            let act = Callback::from(move |()| then.close_file_anyway(id));
            html! { <Question {workbench} name="Close" {title} {text} button="Close and lose edits" {act} /> }
        }
    }
}

#[derive(Properties, PartialEq)]
struct QuestionProps {
    workbench: Workbench,
    name: AttrValue,
    title: String,
    text: String,
    button: AttrValue,
    act: Callback<()>,
}

/// Asks before something that can't be undone.
#[component]
fn Question(props: &QuestionProps) -> Html {
    let QuestionProps { workbench, name, title, text, button, act } = props;
    let cancel = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(None)))
    };
    let act = {
        let (workbench, act) = (workbench.clone(), act.clone());
        Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Dialog(None));
            act.emit(());
        })
    };
    let foot = html! {
        <>
            <button class="plain" onclick={cancel}>{ "Cancel" }</button>
            <button class="danger" autofocus=true onclick={act}>{ button }</button>
        </>
    };
    html! {
        <Frame workbench={workbench.clone()} name={name} title={AttrValue::from(title.clone())} {foot}>
            <p>{ text }</p>
        </Frame>
    }
}
