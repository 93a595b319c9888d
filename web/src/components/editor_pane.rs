//! The editors' area: what is to be said of the sandbox, the groups of open files, and the edges between them.

use std::rc::Rc;

use embedenv_shared::frame::SandboxState;
use web_sys::Element;
use yew::prelude::*;

use super::copy_details::CopyDetails;
use super::editor_group::{Dragged, EditorGroup, place};
use super::icon::{Icon, IconName};
use super::splitter::{Axis, Sized, Splitter, Unit};
use crate::interop::page;
use crate::state::files::{Files, FilesAction};
use crate::state::groups::{Edge, Flow, WHOLE};
use crate::state::keys::Keymap;
use crate::state::{Action, Sandbox};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct EditorPaneProps {
    pub(crate) workbench: Workbench,
    pub(crate) files: Rc<Files>,
    pub(crate) sandbox: Sandbox,
    pub(crate) keymap: Rc<Keymap>,
    pub(crate) works: bool,
}

#[component]
pub(crate) fn EditorPane(props: &EditorPaneProps) -> Html {
    let EditorPaneProps { workbench, files, sandbox, keymap, works } = props;
    let dragged = (*use_memo((), |()| Dragged::default())).clone();
    let (areas, edges) = files.groups.areas();
    let order = files.groups.in_order();
    let groups: Html = areas
        .into_iter()
        .map(|(id, area)| {
            let number = order.iter().position(|other| *other == id).filter(|_| order.len() > 1).map(|at| at + 1);
            html! {
                <EditorGroup
                    key={id.0}
                    workbench={workbench.clone()}
                    files={files.clone()}
                    {id}
                    {area}
                    {number}
                    dragged={dragged.clone()}
                    keymap={keymap.clone()}
                    works={*works}
                />
            }
        })
        .collect();
    let edges: Html = edges
        .into_iter()
        .map(|edge| {
            let key = format!("{:?}", edge.at);
            html! { <GroupEdge {key} workbench={workbench.clone()} {edge} /> }
        })
        .collect();
    html! {
        <div class="editors">
            if sandbox.state == SandboxState::Gone {
                { sandbox_banner(workbench, sandbox, *works) }
            } else if let Some(why) = &sandbox.message {
                <div class="banner" role="alert">
                    <Icon name={IconName::AlertTriangle} />
                    <span>{ why }</span>
                    <CopyDetails workbench={workbench.clone()} text={why.clone()} />
                </div>
            }
            <div class="groups">{ groups }{ edges }</div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct GroupEdgeProps {
    workbench: Workbench,
    edge: Edge,
}

/// Shares out the room of two neighbours, in thousandths of what both have.
#[component]
fn GroupEdge(props: &GroupEdgeProps) -> Html {
    let GroupEdgeProps { workbench, edge } = props;
    let node = use_node_ref();
    use_effect_with((node.clone(), edge.area, edge.share), |(node, area, share)| {
        if let Some(node) = node.cast::<Element>() {
            place(&node, *area);
            page::set_style(&node, "--share", &format!("{}%", f64::from(*share * 100) / f64::from(WHOLE)));
        }
    });
    let resize = {
        let (workbench, at) = (workbench.clone(), edge.at.clone());
        Callback::from(move |share: i32| {
            let share = u32::try_from(share).unwrap_or_default();
            workbench.dispatch(Action::Files(FilesAction::Resize { at: at.clone(), share }));
        })
    };
    let (class, axis, label) = match edge.flow {
        Flow::Row => ("edge row", Axis::Vertical, say!("splitter.group-width")),
        Flow::Column => ("edge column", Axis::Horizontal, say!("splitter.group-height")),
    };
    let whole = WHOLE as i32;
    html! {
        <div {class} ref={node}>
            <Splitter
                {axis}
                {label}
                value={edge.share as i32}
                range={(whole / 10, whole / 2, whole - whole / 10)}
                {resize}
                sized={Sized::Before}
                unit={Unit::Shares}
            />
        </div>
    }
}

/// The sandbox has ended, for everybody in the room.
fn sandbox_banner(workbench: &Workbench, sandbox: &Sandbox, works: bool) -> Html {
    let start = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.start_sandbox())
    };
    let why = sandbox.message.as_deref().unwrap_or(say!("sandbox.ended"));
    let text = say!("sandbox.ended.text", why = why);
    html! {
        <div class="banner" role="alert">
            <Icon name={IconName::AlertTriangle} />
            <span>{ text.clone() }</span>
            if works {
                <button class="primary" onclick={start}>{ say!("sandbox.start") }</button>
            }
            <CopyDetails workbench={workbench.clone()} {text} />
        </div>
    }
}
