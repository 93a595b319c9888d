//! The Run button and, beside it, the menu of what it can be for.

use std::rc::Rc;

use gloo_events::EventListener;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent, Node};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::run::Configuration;
use crate::run::kept;
use crate::state::commands::Command;
use crate::state::runs::{Choice, Runs};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct RunButtonProps {
    pub(crate) workbench: Workbench,
    pub(crate) runs: Rc<Runs>,
    /// A file is open that Run could be for.
    pub(crate) has_file: bool,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn RunButton(props: &RunButtonProps) -> Html {
    let RunButtonProps { workbench, runs, has_file, works } = props;
    let (node, opener, split) = (use_node_ref(), use_node_ref(), use_node_ref());
    let open = use_state_eq(|| false);
    use_effect_with((node.clone(), *open), |(node, open)| {
        let menu = node.cast::<Element>().filter(|_| *open);
        let first = |selector| menu.as_ref().and_then(|menu| menu.query_selector(selector).ok().flatten());
        if let Some(item) = first("[aria-checked=true]").or_else(|| first("[role^=menuitem]")) {
            page::give_focus(&item);
        }
    });
    use_effect_with((split.clone(), *open), {
        let open = open.clone();
        move |(split, is_open)| {
            let split = split.clone();
            let outside = is_open.then(|| {
                EventListener::new(&page::document(), "pointerdown", move |event| {
                    let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
                    if !split.get().is_some_and(|split| split.contains(target.as_ref())) {
                        open.set(false);
                    }
                })
            });
            move || drop(outside)
        }
    });
    let chosen = runs.chosen();
    let can_run = *works && (chosen.is_some() || *has_file);
    let keys = |command| workbench.state().keymap.shown(command);
    let (chosen_keys, file_keys) = (keys(Command::RunChosen), keys(Command::Run));
    let title = match chosen {
        Some(configuration) => {
            let keys = in_brackets(&chosen_keys);
            say!("run.about", name = configuration.name, command = configuration.command, keys = keys)
        }
        None => say!("run.about.file", keys = in_brackets(&file_keys)),
    };
    let run = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.run_chosen())
    };
    let toggle = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(!*open))
    };
    let onkeydown = {
        let (node, opener, open) = (node.clone(), opener.clone(), open.clone());
        Callback::from(move |event: KeyboardEvent| {
            let is_opener = event.target().is_some_and(|target| opener.get().is_some_and(|node| *target == **node));
            let step = |steps| {
                if let Some(menu) = node.cast::<Element>() {
                    page::step_focus(&menu, "[role^=menuitem]", steps);
                }
            };
            match event.key().as_str() {
                "ArrowDown" if is_opener => open.set(true),
                _ if !*open || is_opener => return,
                "ArrowDown" => step(1),
                "ArrowUp" => step(-1),
                "Escape" | "Tab" => {
                    open.set(false);
                    if let Some(opener) = opener.cast::<Element>() {
                        page::give_focus(&opener);
                    }
                    if event.key() == "Tab" {
                        return;
                    }
                }
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let onfocusout = {
        let (open, node) = (open.clone(), node.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
            // To nowhere is a press on what takes no focus, which in some browsers is every button.
            let is_outside = |menu: Element| to.as_ref().is_some_and(|to| !menu.contains(Some(to)));
            if node.cast::<Element>().is_some_and(is_outside) {
                open.set(false);
            }
        })
    };
    let act = |then: Rc<dyn Fn(&Workbench)>| {
        let (workbench, open) = (workbench.clone(), open.clone());
        Callback::from(move |_: MouseEvent| {
            open.set(false);
            then(&workbench);
        })
    };
    let item = |configuration: &Configuration| {
        let name = configuration.name.clone();
        let is_chosen = chosen.is_some_and(|chosen| chosen.name == name);
        let then = act(Rc::new(move |workbench: &Workbench| {
            workbench.choose_run(Choice::Named(name.clone()));
            workbench.run_named(&name);
        }));
        html! {
            <button key={configuration.name.clone()} role="menuitemradio" aria-checked={is_chosen.to_string()} tabindex="-1" title={configuration.line()} onclick={then}>
                <Icon name={if is_chosen { IconName::Check } else { IconName::Play }} />
                <span>{ &configuration.name }</span>
            </button>
        }
    };
    let own = runs.kept.configurations.len();
    let kept: Html = runs.all().take(own).map(item).collect();
    let found: Html = runs.all().skip(own).map(item).collect();
    let open_file = act(Rc::new(|workbench: &Workbench| {
        workbench.choose_run(Choice::OpenFile);
        workbench.run();
    }));
    let edit = act(Rc::new(Workbench::edit_runs));
    html! {
        <>
            if let Some(configuration) = chosen {
                <span class="run-chosen" aria-hidden="true">{ &configuration.name }</span>
            }
            <span class="run-split" ref={split} {onkeydown}>
                <button class="primary run" aria-label={say!("run.name")} disabled={!can_run} {title} onclick={run}>
                    <Icon name={IconName::Play} /><span>{ say!("run.name") }</span>
                </button>
                <button
                    class="primary run-more"
                    ref={opener}
                    aria-label={say!("run.configurations")}
                    title={say!("run.choose")}
                    aria-haspopup="menu"
                    aria-expanded={open.to_string()}
                    disabled={!works}
                    onclick={toggle}
                >
                    <Icon name={IconName::ChevronDown} />
                </button>
                if *open {
                    <div ref={node} class="context-menu run-menu" role="menu" aria-label={say!("run.configurations")} {onfocusout}>
                        <button role="menuitemradio" aria-checked={chosen.is_none().to_string()} tabindex="-1" aria-disabled={(!has_file).to_string()} onclick={open_file}>
                            <Icon name={if chosen.is_none() { IconName::Check } else { IconName::FileCode }} />
                            <span>{ say!("run.open-file") }</span>
                            if let Some(keys) = &file_keys {
                                <kbd>{ keys }</kbd>
                            }
                        </button>
                        if own > 0 {
                            <div class="menu-label" role="presentation">{ say!("run.kept") }</div>
                            { kept }
                        }
                        if runs.all().count() > own {
                            <div class="menu-label" role="presentation">{ say!("run.found") }</div>
                            { found }
                        }
                        if let Some(problem) = &runs.kept.problem {
                            <p class="menu-problem"><Icon name={IconName::AlertTriangle} />{ say!("run.problem", file = kept::FILE, line = problem.line, what = problem.what) }</p>
                        }
                        <hr />
                        <button role="menuitem" tabindex="-1" onclick={edit}><Icon name={IconName::Pencil} /><span>{ say!("run.edit") }</span></button>
                    </div>
                }
            </span>
        </>
    }
}

fn in_brackets(keys: &Option<String>) -> String {
    keys.as_ref().map(|keys| format!(" ({keys})")).unwrap_or_default()
}
