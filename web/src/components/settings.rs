//! What a person sets. Everything takes effect at once.

use std::rc::Rc;

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::dialog::Dialog;
use crate::state::settings::{Settings, Theme};
use crate::workbench::Workbench;

pub(crate) fn settings_dialog(workbench: &Workbench, settings: &Rc<Settings>) -> Html {
    let theme = {
        let workbench = workbench.clone();
        Callback::from(move |event: Event| {
            let Some(select) = event.target_dyn_into::<HtmlSelectElement>() else { return };
            let chosen = Theme::ALL.into_iter().find(|theme| theme.name() == select.value());
            workbench.set_theme(chosen.unwrap_or_default());
        })
    };
    let screen_reader = {
        let (workbench, settings) = (workbench.clone(), settings.clone());
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
            workbench.set(Settings { screen_reader: input.checked(), ..(*settings).clone() });
        })
    };
    let user = {
        let (workbench, settings) = (workbench.clone(), settings.clone());
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
            workbench.set(Settings { user: input.value().trim().to_owned(), ..(*settings).clone() });
        })
    };
    let themes = Theme::ALL.into_iter().map(|theme| {
        html! { <option value={theme.name()} selected={settings.theme == theme}>{ theme.name() }</option> }
    });
    html! {
        <Dialog workbench={workbench.clone()} name="Settings" title="Settings">
            <div class="field">
                <label for="settings-theme">{ "Theme" }</label>
                <select id="settings-theme" autofocus=true onchange={theme}>{ for themes }</select>
            </div>
            <div class="field">
                <label for="settings-user">{ "Your name" }</label>
                <input
                    id="settings-user"
                    maxlength="64"
                    autocomplete="nickname"
                    placeholder="As the link says"
                    value={settings.user.clone()}
                    onchange={user}
                />
                <p class="hint">{ "How others in a room see you." }</p>
            </div>
            <div class="field">
                <label class="check">
                    <input type="checkbox" checked={settings.screen_reader} onchange={screen_reader} />
                    { " Screen reader: terminals as text" }
                </label>
            </div>
        </Dialog>
    }
}
