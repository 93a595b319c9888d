//! The command palette: everything the page can do, and files, found by typing.

use embedenv_shared::path::{ProjectName, WorkspacePath};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlInputElement, InputEvent, KeyboardEvent};
use yew::prelude::*;

use super::dialog::Dialog;
use crate::state::Action;
use crate::state::commands::{self, COMMANDS, Command};
use crate::state::keys::Keymap;
use crate::state::palette::narrowed;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// Things listed at once; typing more finds the rest.
const MAX_LISTED: usize = 60;

#[derive(Properties, PartialEq)]
pub(crate) struct PaletteProps {
    pub(crate) workbench: Workbench,
    /// Offers files alone.
    pub(crate) files: bool,
}

/// Something the palette offers.
#[derive(Debug, Clone, PartialEq)]
enum Offer {
    Command(Command),
    File(WorkspacePath),
    Project(ProjectName),
    /// A run configuration, by its name.
    Run(String),
}

impl Offer {
    fn text(&self) -> String {
        match self {
            Self::Command(command) => commands::of(*command).name().to_owned(),
            Self::File(path) => path.to_string(),
            Self::Project(project) => say!("palette.project", project = project),
            Self::Run(name) => say!("palette.run", name = name),
        }
    }

    /// Tells it from every other offer: a file may be called as a command is.
    fn key(&self) -> String {
        let kind = if matches!(self, Self::File(_)) { "file" } else { "act" };
        format!("{kind} {}", self.text())
    }

    fn keys(&self, keymap: &Keymap) -> Option<String> {
        match self {
            Self::Command(command) => keymap.shown(*command),
            Self::File(_) | Self::Project(_) | Self::Run(_) => None,
        }
    }
}

#[component]
pub(crate) fn Palette(props: &PaletteProps) -> Html {
    let PaletteProps { workbench, files } = props;
    let typed = use_state_eq(String::new);
    let chosen = use_state_eq(|| 0_usize);
    let mut offers = narrowed(&typed, offers(workbench, *files), Offer::text);
    offers.truncate(MAX_LISTED);
    let at = (*chosen).min(offers.len().saturating_sub(1));
    let list = use_node_ref();
    use_effect_with((list.clone(), at, (*typed).clone()), |(list, ..)| {
        let list = list.cast::<Element>();
        if let Some(row) = list.and_then(|list| list.query_selector("[aria-selected=true]").ok().flatten()) {
            row.scroll_into_view_with_bool(false);
        }
    });
    let oninput = {
        let (typed, chosen) = (typed.clone(), chosen.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                typed.set(input.value());
                chosen.set(0);
            }
        })
    };
    let take = {
        let workbench = workbench.clone();
        move |offer: &Offer| {
            workbench.dispatch(Action::Dialog(None));
            let (workbench, offer) = (workbench.clone(), offer.clone());
            spawn_local(async move {
                // The dialog goes first: while it is there, nothing else takes the keyboard.
                TimeoutFuture::new(0).await;
                match offer {
                    Offer::Command(command) => workbench.perform(command),
                    Offer::File(path) => workbench.show_file(path, true),
                    Offer::Run(name) => workbench.run_named(&name),
                    Offer::Project(project) => workbench.switch_project(project),
                }
            });
        }
    };
    let onkeydown = {
        let (offers, chosen, take) = (offers.clone(), chosen, take.clone());
        Callback::from(move |event: KeyboardEvent| {
            let last = offers.len().saturating_sub(1);
            match event.key().as_str() {
                "ArrowDown" => chosen.set(if at == last { 0 } else { at + 1 }),
                "ArrowUp" => chosen.set(if at == 0 { last } else { at - 1 }),
                "Enter" if !event.is_composing() => {
                    if let Some(offer) = offers.get(at) {
                        take(offer);
                    }
                }
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let none = offers.is_empty();
    let keymap = workbench.state().keymap.clone();
    let rows = offers.into_iter().enumerate().map(|(index, offer)| {
        let take = take.clone();
        let (key, text, keys) = (offer.key(), offer.text(), offer.keys(&keymap));
        let onclick = Callback::from(move |_: MouseEvent| take(&offer));
        html! {
            <div {key} id={format!("palette-{index}")} role="option" aria-selected={(index == at).to_string()} {onclick}>
                <span>{ text }</span>
                if let Some(keys) = keys {
                    <kbd>{ keys }</kbd>
                }
            </div>
        }
    });
    let (name, placeholder) = if *files {
        (say!("palette.files"), say!("palette.file"))
    } else {
        (say!("palette.title"), say!("palette.command"))
    };
    html! {
        <Dialog workbench={workbench.clone()} {name} class="palette">
            <input
                role="combobox"
                aria-label={placeholder}
                aria-expanded="true"
                aria-controls="palette-list"
                aria-activedescendant={format!("palette-{at}")}
                {placeholder}
                autofocus=true
                autocomplete="off"
                spellcheck="false"
                {oninput}
                {onkeydown}
            />
            <div id="palette-list" ref={list} role="listbox" aria-label={name}>{ for rows }</div>
            if none {
                <p class="hint">{ say!("palette.none") }</p>
            }
        </Dialog>
    }
}

/// Everything there is to offer to this person.
fn offers(workbench: &Workbench, files: bool) -> Vec<Offer> {
    let state = workbench.state();
    let mut offers = Vec::new();
    if !files {
        let works = state.works();
        let offered = COMMANDS.iter().filter(|entry| works || !entry.is_work);
        offers.extend(offered.map(|entry| Offer::Command(entry.command)));
        let runs = state.runs.all().filter(|_| works);
        offers.extend(runs.map(|configuration| Offer::Run(configuration.name.clone())));
        let here = state.me.as_ref().map(|me| &me.project);
        let others = state.projects.iter().filter(|project| Some(*project) != here);
        offers.extend(others.cloned().map(Offer::Project));
    }
    offers.extend(state.tree.known_files().into_iter().map(Offer::File));
    offers
}
