//! The command palette: everything the page can do, and files, found by typing.

use std::rc::Rc;

use embedenv_shared::path::{ProjectName, WorkspacePath};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlInputElement, InputEvent, KeyboardEvent};
use yew::prelude::*;

use super::dialog::Dialog;
use crate::memory;
use crate::state::Action;
use crate::state::commands::{self, COMMANDS, Command};
use crate::state::go_to::{AllFiles, Fitting, Symbol, Wish, wish};
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
    /// What stands in the field at first.
    pub(crate) start: &'static str,
    /// Where files are found; drawn anew as more of them are known.
    pub(crate) all_files: Rc<AllFiles>,
}

/// Something the palette offers.
#[derive(Debug, Clone, PartialEq)]
enum Offer {
    Command(Command),
    File {
        path: WorkspacePath,
        marked: Vec<usize>,
        at: Option<(u32, u32)>,
    },
    Symbol(Symbol),
    /// A line and a column of the open file.
    Line(u32, u32),
    Project(ProjectName),
    /// A run configuration, by its name.
    Run(String),
}

impl Offer {
    fn text(&self) -> String {
        match self {
            Self::Command(command) => commands::of(*command).name().to_owned(),
            Self::File { path, .. } => path.to_string(),
            Self::Symbol(symbol) => symbol.name.clone(),
            Self::Line(line, _) => say!("go-to.line", line = line),
            Self::Project(project) => say!("palette.project", project = project),
            Self::Run(name) => say!("palette.run", name = name),
        }
    }

    /// Tells it from every other offer: a file may be called as a command is, and a symbol as another one.
    fn key(&self) -> String {
        match self {
            Self::File { path, .. } => format!("file {path}"),
            Self::Symbol(symbol) => format!("symbol {}:{}", symbol.line, symbol.column),
            _ => format!("act {}", self.text()),
        }
    }

    fn keys(&self, keymap: &Keymap) -> Option<String> {
        match self {
            Self::Command(command) => keymap.shown(*command),
            Self::Symbol(symbol) => Some(format!("{} {}", symbol.kind, symbol.line)),
            Self::File { .. } | Self::Line(..) | Self::Project(_) | Self::Run(_) => None,
        }
    }
}

#[component]
pub(crate) fn Palette(props: &PaletteProps) -> Html {
    let PaletteProps { workbench, files, start, all_files } = props;
    let typed = use_state_eq(|| (*start).to_owned());
    let chosen = use_state_eq(|| 0_usize);
    use_effect_with((), {
        let workbench = workbench.clone();
        move |()| workbench.list_all_files()
    });
    // Symbols come with the file's text, which may be on its way.
    let draw = use_force_update();
    use_effect_with(workbench.state().files.active, {
        let workbench = workbench.clone();
        move |active| {
            if let Some(id) = *active {
                spawn_local(async move {
                    workbench.documents.readable(id).await;
                    draw.force_update();
                });
            }
        }
    });
    let Offers { offers, waits } = self::offers(workbench, *files, all_files, &typed);
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
            // Before the palette is gone: whoever opens it at once finds what they took last first.
            if let Offer::Command(command) = offer {
                memory::keep_command(commands::of(*command).id);
            }
            workbench.dispatch(Action::Dialog(None));
            let (workbench, offer) = (workbench.clone(), offer.clone());
            spawn_local(async move {
                // The dialog goes first: while it is there, nothing else takes the keyboard.
                TimeoutFuture::new(0).await;
                match offer {
                    Offer::Command(command) => workbench.perform(command),
                    Offer::File { path, at, .. } => workbench.go_to_place(path, at),
                    Offer::Symbol(symbol) => workbench.go_to_line(symbol.line, symbol.column),
                    Offer::Line(line, column) => workbench.go_to_line(line, column),
                    Offer::Run(name) => workbench.run_named(&name),
                    Offer::Project(project) => workbench.switch_project(project),
                }
            });
        }
    };
    let onkeydown = {
        let (offers, chosen, take, drawn) = (offers.clone(), chosen, take.clone(), (*typed).clone());
        let (workbench, files, all_files) = (workbench.clone(), *files, all_files.clone());
        Callback::from(move |event: KeyboardEvent| {
            let last = offers.len().saturating_sub(1);
            match event.key().as_str() {
                "ArrowDown" => chosen.set(if at == last { 0 } else { at + 1 }),
                "ArrowUp" => chosen.set(if at == 0 { last } else { at - 1 }),
                "Enter" if !event.is_composing() => {
                    // A page that is busy has not drawn yet what was typed last.
                    let input = event.target_dyn_into::<HtmlInputElement>().map(|input| input.value());
                    let newer = input.filter(|text| *text != drawn);
                    let first = newer
                        .and_then(|text| self::offers(&workbench, files, &all_files, &text).offers.into_iter().next());
                    if let Some(offer) = first.as_ref().or_else(|| offers.get(at)) {
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
        let onclick = {
            let offer = offer.clone();
            Callback::from(move |_: MouseEvent| take(&offer))
        };
        html! {
            <div {key} id={format!("palette-{index}")} role="option" aria-selected={(index == at).to_string()} {onclick}>
                { drawn(&offer, text) }
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
                value={(*typed).clone()}
                data-first="true"
                autocomplete="off"
                spellcheck="false"
                {oninput}
                {onkeydown}
            />
            <div id="palette-list" ref={list} role="listbox" aria-label={name}>{ for rows }</div>
            if waits {
                <p class="hint" role="status">{ say!("palette.waits") }</p>
            } else if none {
                <p class="hint">{ say!("palette.none") }</p>
            }
        </Dialog>
    }
}

/// A row's text; of a file, its name before its folder, with the letters marked that fit.
fn drawn(offer: &Offer, text: String) -> Html {
    let Offer::File { path, marked, .. } = offer else { return html! { <span>{ text }</span> } };
    let name = text.len() - path.name().map_or(0, str::len);
    let folder = text[..name].trim_end_matches('/').len();
    html! {
        <span class="palette-file">
            <span>{ letters(&text, name, text.len(), marked) }</span>
            <span class="palette-folder">{ letters(&text, 0, folder, marked) }</span>
        </span>
    }
}

/// A part of a path with its letters that fit marked.
fn letters(text: &str, from: usize, to: usize, marked: &[usize]) -> Html {
    let mut parts: Vec<(bool, String)> = Vec::new();
    for (at, letter) in text[from..to].char_indices() {
        let is_marked = marked.contains(&(from + at));
        match parts.last_mut() {
            Some((was_marked, part)) if *was_marked == is_marked => part.push(letter),
            _ => parts.push((is_marked, letter.to_string())),
        }
    }
    let part = |(is_marked, part)| {
        if is_marked {
            html! { <mark>{ part }</mark> }
        } else {
            html! { <>{ part }</> }
        }
    };
    parts.into_iter().map(part).collect()
}

struct Offers {
    offers: Vec<Offer>,
    /// It isn't known yet what there is.
    waits: bool,
}

/// What there is to offer to this person for what was typed, the best first.
fn offers(workbench: &Workbench, files: bool, all: &AllFiles, typed: &str) -> Offers {
    let state = workbench.state();
    let (mut offers, mut waits) = (Vec::new(), false);
    let wish = wish(typed);
    let commands = match &wish {
        Wish::Command(command) => Some(command.as_str()),
        Wish::File(..) if !files => Some(typed),
        _ => None,
    };
    if let Some(command) = commands {
        let works = state.works();
        let offered = COMMANDS.iter().filter(|entry| works || !entry.is_work);
        let mut offered: Vec<&commands::Entry> = offered.collect();
        // What was taken before goes first, the last one before all.
        let taken = memory::commands();
        offered.sort_by_key(|entry| taken.iter().position(|id| id == entry.id).unwrap_or(taken.len()));
        let mut fitting: Vec<Offer> = offered.into_iter().map(|entry| Offer::Command(entry.command)).collect();
        let runs = state.runs.all().filter(|_| works);
        fitting.extend(runs.map(|configuration| Offer::Run(configuration.name.clone())));
        let here = state.me.as_ref().map(|me| &me.project);
        let others = state.projects.iter().filter(|project| Some(*project) != here);
        fitting.extend(others.cloned().map(Offer::Project));
        offers = narrowed(command, fitting, Offer::text);
    }
    match wish {
        Wish::File(name, at) => {
            let recent = workbench.recent_files();
            let fitting = if all.is_empty() {
                // Not listed yet: what the tree knows.
                let known = narrowed(&name, state.tree.known_files(), ToString::to_string);
                known.into_iter().map(|path| Fitting { path, marked: Vec::new() }).collect()
            } else {
                all.fitting(&name, MAX_LISTED, &recent)
            };
            offers.extend(fitting.into_iter().map(|Fitting { path, marked }| Offer::File { path, marked, at }));
        }
        Wish::Symbol(name) => {
            let symbols = state.files.active.map_or_else(|| Some(Vec::new()), |id| workbench.documents.symbols(id));
            waits = symbols.is_none();
            let symbols = symbols.unwrap_or_default();
            offers.extend(narrowed(&name, symbols, |symbol| symbol.name.clone()).into_iter().map(Offer::Symbol));
        }
        Wish::Line(Some((line, column))) if state.files.active().is_some() => offers.push(Offer::Line(line, column)),
        Wish::Line(_) | Wish::Command(_) => {}
    }
    offers.truncate(MAX_LISTED);
    Offers { offers, waits }
}
