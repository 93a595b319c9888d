//! The box in the tree where an entry gets its name: Enter takes it, Escape leaves it, going elsewhere takes what is there.

use embedenv_shared::link::files::Item;
use embedenv_shared::path::WorkspacePath;
use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::tree::depth_class;
use crate::interop::page;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct NameBoxProps {
    pub(crate) workbench: Workbench,
    pub(crate) depth: usize,
    pub(crate) item: Item,
    pub(crate) renames: Option<WorkspacePath>,
}

#[component]
pub(crate) fn NameBox(props: &NameBoxProps) -> Html {
    let NameBoxProps { workbench, depth, item, renames } = props;
    let node = use_node_ref();
    // Taking the name removes the box, which takes the keyboard from it: that must not take the name again.
    let done = use_mut_ref(|| false);
    let before = renames.as_ref().and_then(WorkspacePath::name).unwrap_or_default().to_owned();
    use_effect_with(node.clone(), {
        let (before, is_file) = (before.clone(), *item == Item::File);
        move |node| {
            if let Some(input) = node.cast::<HtmlInputElement>() {
                input.set_value(&before);
                let stem = before.rfind('.').filter(|dot| is_file && *dot > 0).unwrap_or(before.len());
                let characters = before[..stem].encode_utf16().count();
                page::focus_and_select(&input, u32::try_from(characters).unwrap_or(u32::MAX));
            }
        }
    });
    let take = {
        let (workbench, node, done) = (workbench.clone(), node.clone(), done.clone());
        move || {
            let Some(input) = node.cast::<HtmlInputElement>() else { return };
            if done.replace(true) {
                return;
            }
            let name = input.value();
            if name.trim().is_empty() || name == before {
                return workbench.stop_naming();
            }
            if let Err(why) = workbench.give_name(&name) {
                workbench.alert(why);
                // Once more, with the same box.
                *done.borrow_mut() = false;
                let _ = input.focus();
            }
        }
    };
    let onkeydown = {
        let (workbench, done, take) = (workbench.clone(), done, take.clone());
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            match event.key().as_str() {
                "Enter" if !event.is_composing() => take(),
                "Escape" => {
                    *done.borrow_mut() = true;
                    workbench.stop_naming();
                    workbench.focus_tree();
                }
                _ => return,
            }
            event.prevent_default();
        })
    };
    let onblur = {
        let workbench = workbench.clone();
        let node = node.clone();
        Callback::from(move |_: FocusEvent| {
            // A name that can't be used would hold the keyboard for ever.
            let usable = node.cast::<HtmlInputElement>().is_some_and(|input| is_plain(&input.value()));
            if usable { take() } else { workbench.stop_naming() }
        })
    };
    let icon = if *item == Item::File { IconName::File } else { IconName::Folder };
    html! {
        <div class={classes!("entry", depth_class(*depth))} role="none">
            <div class="entry-row">
                <span class="twisty"></span>
                <span class="entry-icon"><Icon name={icon} /></span>
                <input
                    ref={node}
                    class="entry-input"
                    aria-label={say!("name-box.name")}
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    {onkeydown}
                    {onblur}
                />
            </div>
        </div>
    }
}

fn is_plain(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty() && WorkspacePath::parse(name).is_ok()
}
