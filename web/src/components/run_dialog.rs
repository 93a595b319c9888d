//! The run configurations that the project keeps, to be changed: name, command, folder, environment, and the default.

use std::rc::Rc;

use embedenv_shared::path::WorkspacePath;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlTextAreaElement, SubmitEvent};
use yew::prelude::*;

use super::dialog::Dialog;
use super::draft::use_draft;
use super::icon::{Icon, IconName};
use crate::run::Configuration;
use crate::run::kept;
use crate::state::Action;
use crate::state::runs::Runs;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct RunDialogProps {
    pub(crate) workbench: Workbench,
    pub(crate) runs: Rc<Runs>,
}

/// All that is changed here.
#[derive(Debug, Clone, Default)]
struct Edited {
    drafts: Vec<Draft>,
    /// Which of them Run is for, and which is shown, by their places.
    default: Option<usize>,
    at: usize,
    problem: Option<String>,
}

impl Edited {
    fn of(runs: &Runs) -> Self {
        let kept = &runs.kept;
        let default = kept.configurations.iter().position(|it| Some(&it.name) == kept.default.as_ref());
        Self { drafts: kept.configurations.iter().map(Draft::of).collect(), default, ..Self::default() }
    }

    fn add(&mut self, draft: Draft) {
        self.at = self.drafts.len();
        self.drafts.push(draft);
    }

    /// Takes out the one that is shown.
    fn remove(&mut self) {
        let at = self.at;
        if at < self.drafts.len() {
            self.drafts.remove(at);
            self.default = self.default.filter(|default| *default != at).map(|it| it - usize::from(it > at));
            self.at = at.saturating_sub(1);
        }
    }

    /// The configurations and the name of the default one, if nothing is wrong with any; or the one that is shown is that.
    fn checked(&mut self) -> Option<(Vec<Configuration>, Option<String>)> {
        let mut checked: Vec<Configuration> = Vec::new();
        self.problem = None;
        for (index, draft) in self.drafts.iter().enumerate() {
            let fits = draft.checked().and_then(|it| match checked.iter().any(|other| other.name == it.name) {
                true => Err(say!("run.edit.twice", name = it.name)),
                false => Ok(it),
            });
            match fits {
                Ok(configuration) => checked.push(configuration),
                Err(why) => {
                    (self.at, self.problem) = (index, Some(why));
                    return None;
                }
            }
        }
        let default = self.default.and_then(|at| checked.get(at)).map(|it| it.name.clone());
        Some((checked, default))
    }
}

/// A configuration as it is typed.
#[derive(Debug, Clone, PartialEq, Default)]
struct Draft {
    name: String,
    command: String,
    folder: String,
    /// `NAME=value`, one a line.
    environment: String,
}

impl Draft {
    fn of(configuration: &Configuration) -> Self {
        let pairs = configuration.environment.iter().map(|(name, value)| format!("{name}={value}"));
        Self {
            name: configuration.name.clone(),
            command: configuration.command.clone(),
            folder: configuration.folder.to_string(),
            environment: pairs.collect::<Vec<_>>().join("\n"),
        }
    }

    fn checked(&self) -> Result<Configuration, String> {
        let lines = self.environment.lines().map(str::trim).filter(|line| !line.is_empty());
        let pair = |line: &str| match line.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.to_owned())),
            None => Err(say!("run.edit.no-pair", line = line)),
        };
        let environment = lines.map(pair).collect::<Result<_, _>>()?;
        kept::checked(&self.name, &self.command, &self.folder, environment).map_err(|why| sentence(&why))
    }
}

#[component]
pub(crate) fn RunDialog(props: &RunDialogProps) -> Html {
    let RunDialogProps { workbench, runs } = props;
    let draft = use_draft(|| Edited::of(runs));
    let Edited { drafts, default, at: shown, problem } = draft.newest();
    let change = |to: fn(&mut Draft) -> &mut String| {
        let draft = draft.clone();
        Callback::from(move |text: String| {
            draft.change(|edited| {
                edited.problem = None;
                if let Some(it) = edited.drafts.get_mut(shown) {
                    *to(it) = text;
                }
            });
        })
    };
    let add = |new: Draft| {
        let draft = draft.clone();
        Callback::from(move |_: MouseEvent| draft.change(|edited| edited.add(new.clone())))
    };
    let remove = {
        let draft = draft.clone();
        Callback::from(move |_: MouseEvent| draft.change(Edited::remove))
    };
    let toggle_default = {
        let draft = draft.clone();
        Callback::from(move |_: Event| {
            draft.change(|edited| edited.default = (edited.default != Some(shown)).then_some(shown));
        })
    };
    let cancel = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(None)))
    };
    let onsubmit = {
        let (workbench, draft) = (workbench.clone(), draft.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let Some((checked, default)) = draft.change(Edited::checked) else { return };
            let (workbench, draft) = (workbench.clone(), draft.clone());
            spawn_local(async move {
                match workbench.keep_runs(checked, default).await {
                    Ok(()) => workbench.dispatch(Action::Dialog(None)),
                    Err(why) => draft.change(|edited| edited.problem = Some(why)),
                }
            });
        })
    };
    let choices = drafts.iter().enumerate().map(|(index, it)| {
        let draft = draft.clone();
        let choose = Callback::from(move |_: MouseEvent| draft.change(|edited| edited.at = index));
        let name = if it.name.trim().is_empty() { say!("run.edit.unnamed").to_owned() } else { it.name.clone() };
        html! { <li><button type="button" aria-pressed={(index == shown).to_string()} onclick={choose}>{ name }</button></li> }
    });
    let proposals = runs.found.iter().filter(|found| !drafts.iter().any(|draft| draft.name == found.name));
    let proposals: Vec<Html> = proposals
        .map(|found| {
            let (add, title) = (add(Draft::of(found)), say!("run.edit.keep", command = found.command));
            html! { <button type="button" class="plain" {title} onclick={add}><Icon name={IconName::Plus} />{ &found.name }</button> }
        })
        .collect();
    let open_file = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| {
            workbench.dispatch(Action::Dialog(None));
            if let Ok(path) = WorkspacePath::parse(kept::FILE) {
                workbench.show_file(path, true);
            }
        })
    };
    let foot = html! {
        <>
            <button type="button" class="plain" onclick={cancel}>{ say!("dialog.cancel") }</button>
            <button form="run-form" class="primary" disabled={runs.kept.problem.is_some()}>{ say!("run.edit.save") }</button>
        </>
    };
    html! {
        <Dialog workbench={workbench.clone()} name={say!("run.configurations")} title={say!("run.configurations")} class="run-dialog" {foot}>
            <form id="run-form" class="run-form" {onsubmit}>
                <div class="run-list">
                    <ul aria-label={say!("run.edit.list")}>{ for choices }</ul>
                    <button type="button" class="plain" onclick={add(Draft::default())}><Icon name={IconName::Plus} />{ say!("run.edit.new") }</button>
                </div>
                <div class="run-fields">
                    if let Some(it) = drafts.get(shown) {
                        { fields(it, shown, change) }
                        <div class="field-row">
                            <label class="check run-default">
                                <input type="checkbox" checked={default == Some(shown)} onchange={toggle_default} />
                                { say!("run.edit.default") }
                            </label>
                            <button type="button" onclick={remove}><Icon name={IconName::Trash} />{ say!("run.edit.remove") }</button>
                        </div>
                    } else {
                        <p class="hint">{ say!("run.edit.none") }</p>
                    }
                    if !proposals.is_empty() {
                        <div class="field">
                            <span class="field-label">{ say!("run.edit.found") }</span>
                            <div class="run-proposals">{ for proposals }</div>
                        </div>
                    }
                </div>
                if let Some(mistake) = &runs.kept.problem {
                    // Written anew from here, it would lose what could not be read.
                    <p class="form-problem" role="alert">
                        { say!("run.edit.mistake", line = mistake.line, what = mistake.what) }
                        <button type="button" class="plain" onclick={open_file}>{ say!("run.edit.open") }</button>
                    </p>
                }
                if let Some(problem) = problem {
                    <p class="form-problem" role="alert">{ problem }</p>
                }
                <p class="hint run-where">{ say!("run.edit.where", file = kept::FILE) }</p>
            </form>
        </Dialog>
    }
}

/// The fields of one configuration; the key makes them others for another.
fn fields(draft: &Draft, at: usize, change: impl Fn(fn(&mut Draft) -> &mut String) -> Callback<String>) -> Html {
    let input = |to: fn(&mut Draft) -> &mut String| {
        let change = change(to);
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                change.emit(input.value());
            }
        })
    };
    let area = {
        let change = change(|draft| &mut draft.environment);
        Callback::from(move |event: InputEvent| {
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                change.emit(area.value());
            }
        })
    };
    html! {
        <div class="run-field-list" key={at}>
            <div class="field">
                <label for="run-name">{ say!("run.edit.name") }</label>
                <input id="run-name" autocomplete="off" value={draft.name.clone()} oninput={input(|draft| &mut draft.name)} />
            </div>
            <div class="field">
                <label for="run-command">{ say!("run.edit.command") }</label>
                <input id="run-command" class="code" autocomplete="off" spellcheck="false" placeholder="python main.py" value={draft.command.clone()} oninput={input(|draft| &mut draft.command)} />
            </div>
            <div class="field">
                <label for="run-folder">{ say!("run.edit.folder") }</label>
                <input id="run-folder" class="code" autocomplete="off" spellcheck="false" placeholder={say!("run.edit.folder.own")} value={draft.folder.clone()} oninput={input(|draft| &mut draft.folder)} />
            </div>
            <div class="field">
                <label for="run-environment">{ say!("run.edit.environment") }</label>
                <textarea id="run-environment" class="code" rows="3" spellcheck="false" placeholder="PORT=8000" value={draft.environment.clone()} oninput={area} />
            </div>
        </div>
    }
}

fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}
