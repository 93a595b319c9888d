//! The run configurations that the project keeps, to be changed: name, command, folder, environment, and the default.

use std::rc::Rc;

use embedenv_shared::path::WorkspacePath;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlTextAreaElement, SubmitEvent};
use yew::prelude::*;

use super::dialog::Dialog;
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
    let drafts = use_state_eq(|| runs.kept.configurations.iter().map(Draft::of).collect::<Vec<_>>());
    let default = use_state_eq(|| runs.kept.default.clone());
    let at = use_state_eq(|| 0_usize);
    let problem = use_state_eq(|| None::<String>);
    let shown = (*at).min(drafts.len().saturating_sub(1));
    let change = |to: fn(&mut Draft) -> &mut String| {
        let (drafts, problem) = (drafts.clone(), problem.clone());
        Callback::from(move |text: String| {
            problem.set(None);
            let mut changed = (*drafts).clone();
            if let Some(draft) = changed.get_mut(shown) {
                *to(draft) = text;
            }
            drafts.set(changed);
        })
    };
    let add = |draft: Draft| {
        let (drafts, at) = (drafts.clone(), at.clone());
        Callback::from(move |_: MouseEvent| {
            let mut more = (*drafts).clone();
            more.push(draft.clone());
            at.set(more.len() - 1);
            drafts.set(more);
        })
    };
    let remove = {
        let (drafts, at) = (drafts.clone(), at.clone());
        Callback::from(move |_: MouseEvent| {
            let mut fewer = (*drafts).clone();
            if shown < fewer.len() {
                fewer.remove(shown);
            }
            at.set(shown.saturating_sub(1));
            drafts.set(fewer);
        })
    };
    let cancel = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(None)))
    };
    let onsubmit = {
        let (workbench, drafts, default) = (workbench.clone(), drafts.clone(), default.clone());
        let (problem, at) = (problem.clone(), at.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let mut checked: Vec<Configuration> = Vec::new();
            for (index, draft) in drafts.iter().enumerate() {
                let fits = draft.checked().and_then(|it| match checked.iter().any(|other| other.name == it.name) {
                    true => Err(say!("run.edit.twice", name = it.name)),
                    false => Ok(it),
                });
                match fits {
                    Ok(configuration) => checked.push(configuration),
                    Err(why) => {
                        at.set(index);
                        return problem.set(Some(why));
                    }
                }
            }
            let default = (*default).clone().filter(|name| checked.iter().any(|it| it.name == *name));
            let (workbench, problem) = (workbench.clone(), problem.clone());
            spawn_local(async move {
                match workbench.keep_runs(checked, default).await {
                    Ok(()) => workbench.dispatch(Action::Dialog(None)),
                    Err(why) => problem.set(Some(why)),
                }
            });
        })
    };
    let choices = drafts.iter().enumerate().map(|(index, draft)| {
        let at = at.clone();
        let choose = Callback::from(move |_: MouseEvent| at.set(index));
        let name = if draft.name.trim().is_empty() { say!("run.edit.unnamed").to_owned() } else { draft.name.clone() };
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
                    if let Some(draft) = drafts.get(shown) {
                        { fields(draft, shown, change) }
                        <div class="field-row">
                            { is_default(&default, &draft.name) }
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
                if let Some(problem) = &*problem {
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

fn is_default(default: &UseStateHandle<Option<String>>, name: &str) -> Html {
    let is_it = default.as_deref() == Some(name) && !name.is_empty();
    let toggle = {
        let (default, name) = (default.clone(), name.to_owned());
        Callback::from(move |_: Event| default.set((!is_it).then(|| name.clone())))
    };
    html! {
        <label class="check run-default">
            <input type="checkbox" checked={is_it} disabled={name.trim().is_empty()} onchange={toggle} />
            { say!("run.edit.default") }
        </label>
    }
}

fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}
