//! Help: the tour, the keys worth knowing, where more is written, and what this is.

use yew::prelude::*;

use super::dialog::Dialog;
use crate::state::commands::{self, Command};
use crate::words::catalogue::say;
use crate::words::details::VERSION;
use crate::workbench::Workbench;

/// What a newcomer needs, in this order.
const WORTH_KNOWING: [Command; 7] = [
    Command::Run,
    Command::Save,
    Command::GoToFile,
    Command::Palette,
    Command::FocusTerminal,
    Command::NextPane,
    Command::Settings,
];

pub(crate) fn help_dialog(workbench: &Workbench) -> Html {
    let doing = |command: Command| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.perform(command))
    };
    let keymap = workbench.state().keymap.clone();
    let keys = WORTH_KNOWING.into_iter().filter_map(|command| {
        let keys = keymap.shown(command)?;
        Some(html! { <><dt><kbd>{ keys }</kbd></dt><dd>{ commands::of(command).name() }</dd></> })
    });
    html! {
        <Dialog workbench={workbench.clone()} name={say!("help.title")} title={say!("help.title")} class="help">
            <div class="help-actions">
                <button class="plain" data-first="true" onclick={doing(Command::Tour)}>{ commands::of(Command::Tour).name() }</button>
                <button class="plain" onclick={doing(Command::Shortcuts)}>{ commands::of(Command::Shortcuts).name() }</button>
                <button class="plain" onclick={doing(Command::Settings)}>{ commands::of(Command::Settings).name() }</button>
            </div>
            <dl class="help-keys">
                { for keys }
                <dt><kbd>{ "Esc" }</kbd>{ " " }<kbd>{ "Tab" }</kbd></dt><dd>{ say!("help.leave-editor") }</dd>
            </dl>
            <p>{ say!("help.safe") }</p>
            <p class="hint">
                <a href="/" target="_blank" rel="noopener">{ say!("help.documentation") }</a>
                { " · " }
                { say!("help.version", version = VERSION) }
            </p>
        </Dialog>
    }
}
