//! What a frame shows until somebody asks for its room: the name of the file, what it says if that is known, and a button.
//! Nothing is joined and nothing runs while it is there.

use std::rc::Rc;

use embedenv_shared::path::WorkspacePath;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;
use yew::prelude::*;

use super::framed_bar::{reset_button, ways_out};
use super::icon::{Icon, IconName};
use crate::interop::page;
use crate::interop::views::{Draft, paint};
use crate::state::embed::Embed;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct PosterProps {
    pub(crate) workbench: Workbench,
    pub(crate) embed: Rc<Embed>,
}

#[component]
pub(crate) fn Poster(props: &PosterProps) -> Html {
    let PosterProps { workbench, embed } = props;
    let path = embed.first().map(|place| place.path.clone());
    let runs = workbench.runs_when_woken();
    let wake = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.wake(runs))
    };
    let (icon, word) =
        if runs { (IconName::Play, say!("embed.wake.run")) } else { (IconName::Eye, say!("embed.wake.open")) };
    if let (true, Some(path), Some(code)) = (embed.is_block, path.clone(), embed.code.clone()) {
        return html! {
            <main class="poster" data-block="true">
                <header class="toolbar framed-bar">
                    <button class="primary run" title={say!("embed.wake.about")} onclick={wake}><Icon name={icon} />{ word }</button>
                    { reset_button(workbench) }
                    <span class="spacer"></span>
                    { ways_out(workbench) }
                </header>
                <DraftHost workbench={workbench.clone()} {code} {path} {runs} />
            </main>
        };
    }
    html! {
        <main class="poster" data-code={embed.code.is_some().then_some("true")}>
            <header class="toolbar framed-bar">
                <Icon name={IconName::FileCode} />
                <span class="poster-name">{ path.as_ref().map(ToString::to_string) }</span>
                <span class="spacer"></span>
                { ways_out(workbench) }
            </header>
            if let Some(code) = &embed.code {
                <PosterCode code={code.clone()} path={path.clone()} />
            }
            <div class="poster-wake">
                <button class="primary" title={say!("embed.wake.about")} onclick={wake}><Icon name={icon} />{ word }</button>
            </div>
        </main>
    }
}

#[derive(Properties, PartialEq)]
struct DraftHostProps {
    workbench: Workbench,
    code: String,
    path: WorkspacePath,
    runs: bool,
}

/// A block's text, which can be edited before there is a room for it.
#[component]
fn DraftHost(props: &DraftHostProps) -> Html {
    let node = use_node_ref();
    let inputs = (node.clone(), props.workbench.clone(), props.code.clone(), props.path.clone(), props.runs);
    use_effect_with(inputs, |(node, workbench, code, path, runs)| {
        if let Some(parent) = node.cast::<Element>() {
            let (workbench, code, path, runs) = (workbench.clone(), code.clone(), path.clone(), *runs);
            spawn_local(async move {
                let run = {
                    let workbench = workbench.clone();
                    move || workbench.wake(runs)
                };
                let label = say!("embed.draft", name = path);
                match Draft::new(&parent, path.as_str(), &code, &label, run).await {
                    Ok(draft) => workbench.drafts(Some(draft)),
                    Err(error) => page::warn(&format!("the poster: {error:?}")),
                }
            });
        }
        let workbench = workbench.clone();
        move || workbench.drafts(None)
    });
    html! { <div class="poster-draft" ref={node}></div> }
}

#[derive(Properties, PartialEq)]
struct PosterCodeProps {
    code: String,
    path: Option<WorkspacePath>,
}

/// The text, plain at first and then in its colours.
#[component]
fn PosterCode(props: &PosterCodeProps) -> Html {
    let node = use_node_ref();
    use_effect_with((node.clone(), props.code.clone(), props.path.clone()), |(node, code, path)| {
        let Some(element) = node.cast::<Element>() else { return };
        // Text, whatever it says.
        element.set_text_content(Some(code));
        let Some(path) = path.clone() else { return };
        spawn_local(async move {
            if let Err(error) = paint(&element, path.as_str()).await {
                page::warn(&format!("the poster: {error:?}"));
            }
        });
    });
    let name = props.path.as_ref().map(ToString::to_string).unwrap_or_default();
    html! {
        <pre class="poster-code" tabindex="0" role="region" aria-label={say!("embed.code", name = name)}><code ref={node}></code></pre>
    }
}
