//! One group of open files: its tabs, what is to be said of the shown one, and the places where the editors are.
//!
//! Tabs are dragged within it and from group to group; a drop at a side of an editor makes a group there.

use std::cell::Cell;
use std::rc::Rc;

use embedenv_shared::frame::ReadOnly;
use wasm_bindgen::JsCast as _;
use web_sys::{DragEvent, Element};
use yew::prelude::*;

use super::copy_details::CopyDetails;
use super::icon::{Icon, IconName};
use super::tabs::{Tab, Tabs, aim_at_tabs, begin_drag, place_of_tab};
use super::view_host::ViewHost;
use crate::interop::page;
use crate::state::commands::{self, Command};
use crate::state::files::{Access, FileId, Files, OpenFile};
use crate::state::groups::{Area, Group, GroupId, Side};
use crate::state::keys::Keymap;
use crate::state::views::{self, View};
use crate::state::{Action, TabMenu};

use crate::words;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

/// How near to an edge of an editor, as a share of it, a drop makes a group there.
const EDGE: f64 = 0.25;

/// The tab that is being dragged, and the group it is from.
pub(crate) type Dragged = Rc<Cell<Option<(GroupId, FileId)>>>;

#[derive(Properties, Clone)]
pub(crate) struct EditorGroupProps {
    pub(crate) workbench: Workbench,
    pub(crate) files: Rc<Files>,
    pub(crate) id: GroupId,
    pub(crate) area: Area,
    /// Which of them it is, from 1, where there are several.
    pub(crate) number: Option<usize>,
    pub(crate) dragged: Dragged,
    pub(crate) keymap: Rc<Keymap>,
    pub(crate) works: bool,
}

impl PartialEq for EditorGroupProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.files, &other.files)
            && Rc::ptr_eq(&self.keymap, &other.keymap)
            && (self.id, self.area, self.number, self.works) == (other.id, other.area, other.number, other.works)
    }
}

/// Where a dragged tab, or a file of the tree, would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Into this group, before the tab at this place.
    Tabs(usize),
    Group,
    Side(Side),
}

#[component]
pub(crate) fn EditorGroup(props: &EditorGroupProps) -> Html {
    let EditorGroupProps { workbench, files, id, area, number, dragged, keymap, works } = props;
    let id = *id;
    let node = use_node_ref();
    let target = use_state_eq(|| None::<Target>);
    use_effect_with((node.clone(), *area), |(node, area)| {
        if let Some(node) = node.cast::<Element>() {
            place(&node, *area);
        }
    });
    let Some(group) = files.groups.get(id) else { return html! {} };
    let calling = |act: fn(&Workbench, GroupId, FileId)| {
        let workbench = workbench.clone();
        Callback::from(move |file: u32| act(&workbench, id, FileId(file)))
    };
    let onfocusin = {
        let (workbench, is_used) = (workbench.clone(), files.groups.active == id);
        Callback::from(move |_: FocusEvent| {
            if !is_used {
                workbench.use_group(id);
            }
        })
    };
    let ondragstart = {
        let (dragged, tabs) = (dragged.clone(), group.tabs.clone());
        Callback::from(move |event: DragEvent| {
            let at = event.target_dyn_into::<Element>().and_then(|element| place_of_tab(&element));
            if let Some(file) = at.and_then(|at| tabs.get(at)) {
                begin_drag(&event);
                dragged.set(Some((id, *file)));
            }
        })
    };
    let ondragend = {
        let (dragged, target) = (dragged.clone(), target.clone());
        Callback::from(move |_: DragEvent| {
            dragged.set(None);
            target.set(None);
        })
    };
    let ondragover = {
        let (workbench, dragged, target) = (workbench.clone(), dragged.clone(), target.clone());
        let count = group.tabs.len();
        Callback::from(move |event: DragEvent| {
            if dragged.get().is_some() || workbench.carries_files() {
                event.prevent_default();
                target.set(aim(&event, count));
            }
        })
    };
    let ondragleave = {
        let (target, node) = (target.clone(), node.clone());
        Callback::from(move |event: DragEvent| {
            let to = event.related_target().and_then(|to| to.dyn_into::<Element>().ok());
            if !to.is_some_and(|to| node.cast::<Element>().is_some_and(|node| node.contains(Some(&to)))) {
                target.set(None);
            }
        })
    };
    let ondrop = {
        let (workbench, dragged, target) = (workbench.clone(), dragged.clone(), target.clone());
        let count = group.tabs.len();
        Callback::from(move |event: DragEvent| {
            target.set(None);
            if workbench.carries_files() {
                event.prevent_default();
                event.stop_propagation();
                return match aim(&event, count) {
                    Some(Target::Side(side)) if count > 0 => workbench.open_carried_aside(id, side),
                    Some(Target::Tabs(at)) => workbench.open_carried(id, at),
                    _ => workbench.open_carried(id, count),
                };
            }
            let Some((from, file)) = dragged.take() else { return };
            event.prevent_default();
            event.stop_propagation();
            match aim(&event, count) {
                Some(Target::Side(side)) => workbench.move_tab_aside(file, from, id, side),
                Some(Target::Tabs(at)) => workbench.move_tab(file, from, id, at),
                Some(Target::Group) if from != id => workbench.move_tab(file, from, id, count),
                _ => {}
            }
        })
    };
    let tabs: Vec<Tab> = group.tabs.iter().filter_map(|file| files.get(*file)).map(tab).collect();
    let label = number.map_or_else(|| say!("group.files").to_owned(), |number| say!("group.files.of", number = number));
    let shown = group.active.and_then(|file| files.get(file));
    let split = {
        let workbench = workbench.clone();
        Callback::from(move |event: MouseEvent| {
            workbench.use_group(id);
            workbench.split_group(if event.alt_key() { Side::Down } else { Side::Right });
        })
    };
    let menu = {
        let workbench = workbench.clone();
        Callback::from(move |(file, x, y): (u32, i32, i32)| {
            workbench.dispatch(Action::TabMenu(Some(TabMenu { group: id, file: FileId(file), x, y })));
        })
    };
    let used = (number.is_some() && files.groups.active == id).then_some("true");
    html! {
        <section
            class="group"
            ref={node}
            data-used={used}
            data-shown={(files.groups.active == id).then_some("true")}
            {onfocusin}
            {ondragstart}
            {ondragend}
            {ondragover}
            {ondragleave}
            {ondrop}
        >
            if !tabs.is_empty() {
                <Tabs
                    {label}
                    {tabs}
                    active={group.active.map(|file| file.0)}
                    activate={calling(Workbench::activate_in)}
                    keep={calling(Workbench::keep_in)}
                    close={calling(Workbench::close_tab)}
                    {menu}
                    drags=true
                    mark={match *target { Some(Target::Tabs(at)) => Some(at), _ => None }}
                >
                    if let Some(file) = shown.filter(|file| file.view == View::File && views::has_preview(&file.path)) {
                        { preview_button(workbench, id, file.id) }
                    }
                    <button
                        class="icon-button"
                        aria-label={say!("group.split")}
                        title={say!("group.split.about")}
                        onclick={split}
                    >
                        <Icon name={IconName::Columns} />
                    </button>
                </Tabs>
            }
            if let Some(file) = shown {
                { file_banner(workbench, file) }
            }
            <div class="editor-area">
                { hosts(workbench, files, group) }
                if group.tabs.is_empty() {
                    { empty(keymap, *works) }
                }
                if let Some(class) = target.and_then(zone) {
                    <div class={classes!("drop-zone", class)}></div>
                }
            </div>
        </section>
    }
}

/// Shows how the file looks, beside it.
fn preview_button(workbench: &Workbench, group: GroupId, id: FileId) -> Html {
    let workbench = workbench.clone();
    let show = Callback::from(move |_: MouseEvent| {
        workbench.use_group(group);
        workbench.preview(id, true);
    });
    html! {
        <button class="icon-button" aria-label={say!("view.button")} title={say!("command.preview-beside")} onclick={show}>
            <Icon name={IconName::Eye} />
        </button>
    }
}

/// Says to CSS where in the editors' area something is.
pub(super) fn place(element: &Element, area: Area) {
    for (name, part) in [("--left", area.left), ("--top", area.top), ("--width", area.width), ("--height", area.height)]
    {
        page::set_style(element, name, &format!("{}%", part * 100.0));
    }
}

fn zone(target: Target) -> Option<&'static str> {
    match target {
        Target::Tabs(_) => None,
        Target::Group => Some("whole"),
        Target::Side(Side::Left) => Some("left"),
        Target::Side(Side::Right) => Some("right"),
        Target::Side(Side::Up) => Some("up"),
        Target::Side(Side::Down) => Some("down"),
    }
}

/// Where a drop at the pointer would go.
fn aim(event: &DragEvent, tabs: usize) -> Option<Target> {
    let element = event.target_dyn_into::<Element>()?;
    let part = |area: &Element| {
        let rect = area.get_bounding_client_rect();
        let x = (f64::from(event.client_x()) - rect.left()) / rect.width().max(1.0);
        let y = (f64::from(event.client_y()) - rect.top()) / rect.height().max(1.0);
        (x, y)
    };
    if let Some(at) = aim_at_tabs(event, tabs) {
        return Some(Target::Tabs(at));
    }
    let (x, y) = part(&element.closest(".editor-area").ok().flatten()?);
    let nearest = [(x, Side::Left), (1.0 - x, Side::Right), (y, Side::Up), (1.0 - y, Side::Down)]
        .into_iter()
        .min_by(|(one, _), (other, _)| one.total_cmp(other));
    Some(nearest.filter(|(distance, _)| *distance < EDGE).map_or(Target::Group, |(_, side)| Target::Side(side)))
}

fn tab(file: &OpenFile) -> Tab {
    let name = file.title();
    Tab {
        key: file.id.0,
        name: if file.unsaved { say!("tab.unsaved", name = name) } else { name.clone() },
        text: name,
        title: file.path.to_string(),
        class: classes!(match (file.preview, file.unsaved) {
            (true, _) => Some("preview"),
            (false, true) => Some("unsaved"),
            (false, false) => None,
        }),
        icon: match file.view {
            View::File => super::tree_row::icon_of(file.name()),
            View::Preview(_) => IconName::Eye,
            View::Compare(..) => IconName::Columns,
        },
    }
}

/// A list of its own, so that each host is known by its key and not by its place.
fn hosts(workbench: &Workbench, files: &Files, group: &Group) -> Html {
    let files = group.tabs.iter().filter_map(|file| files.get(*file));
    files
        .map(|file| {
            let active = group.active == Some(file.id);
            if file.view != View::File || views::picture(&file.path).is_some() {
                let (workbench, path) = (workbench.clone(), file.path.clone());
                return html! { <ViewHost key={file.id.0} {workbench} id={file.id} {path} view={file.view} {active} /> };
            }
            html! {
                <EditorHost
                    key={file.id.0}
                    workbench={workbench.clone()}
                    id={file.id}
                    group={group.id}
                    {active}
                    has_text={file.access.has_text()}
                    opening={file.access == Access::Opening}
                />
            }
        })
        .collect()
}

#[derive(Properties, PartialEq)]
struct EditorHostProps {
    workbench: Workbench,
    id: FileId,
    group: GroupId,
    active: bool,
    has_text: bool,
    opening: bool,
}

/// Where an editor is put. It is made when its tab is first shown, and goes with its tab.
#[component]
fn EditorHost(props: &EditorHostProps) -> Html {
    let EditorHostProps { workbench, id, group, active, has_text, opening } = props;
    let node = use_node_ref();
    let is_mounted = use_mut_ref(|| false);
    use_effect_with((workbench.clone(), *id, *group), |(workbench, id, group)| {
        let (workbench, id, group) = (workbench.clone(), *id, *group);
        move || workbench.documents.unmount(&workbench, id, group)
    });
    use_effect_with((node.clone(), *active), {
        let (workbench, id, group) = (workbench.clone(), *id, *group);
        move |(node, active)| {
            if *active
                && !is_mounted.replace(true)
                && let Some(parent) = node.cast::<Element>()
            {
                workbench.documents.mount(&workbench, id, group, parent);
            }
        }
    });
    html! {
        <>
            <div class="editor-host" ref={node} hidden={!active || !has_text}></div>
            if *active && *opening {
                <div class="skeleton" aria-hidden="true"></div>
            }
        </>
    }
}

/// Why a file can't be edited or saved, and what to do.
fn file_banner(workbench: &Workbench, file: &OpenFile) -> Html {
    let OpenFile { id, path, access, problem, unsaved, .. } = file;
    let id = *id;
    let calling = |act: fn(&Workbench, FileId)| {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| act(&workbench, id))
    };
    let download = || {
        let (workbench, path) = (workbench.clone(), path.clone());
        let download = Callback::from(move |_: MouseEvent| workbench.download(path.clone()));
        html! { <button onclick={download}>{ say!("banner.download") }</button> }
    };
    let details = |why: &str| html! { <CopyDetails workbench={workbench.clone()} text={why.to_owned()} /> };
    let (text, button) = match access {
        Access::ReadOnly(why @ ReadOnly::Role) => (words::read_only(*why).to_owned(), html! {}),
        Access::ReadOnly(why) => (words::read_only(*why).to_owned(), download()),
        Access::Gone(why) => (
            why.clone(),
            html! { <><button onclick={calling(Workbench::keep_copy)}>{ say!("banner.keep-copy") }</button>{ details(why) }</> },
        ),
        Access::Failed(why) => (
            why.clone(),
            html! { <><button onclick={calling(Workbench::activate)}>{ say!("notice.again") }</button>{ details(why) }</> },
        ),
        Access::Opening | Access::Editable => match problem {
            Some(problem) if *unsaved => (
                say!("banner.not-saved", problem = problem),
                html! { <><button onclick={calling(Workbench::save)}>{ say!("banner.save-now") }</button>{ details(problem) }</> },
            ),
            _ => return html! {},
        },
    };
    html! { <div class="banner"><Icon name={IconName::AlertTriangle} /><span>{ text }</span>{ button }</div> }
}

/// Nothing is open: what can be done.
fn empty(keymap: &Keymap, works: bool) -> Html {
    let mut offers = vec![Command::GoToFile, Command::Palette];
    if works {
        offers.extend([Command::Run, Command::FocusTerminal]);
    }
    let rows = offers.into_iter().filter_map(|command| {
        let keys = keymap.shown(command)?;
        Some(html! { <><dt>{ commands::of(command).name() }</dt><dd><kbd>{ keys }</kbd></dd></> })
    });
    html! {
        <div class="editor-empty">
            <p>{ say!("group.empty") }</p>
            <dl>{ for rows }</dl>
        </div>
    }
}
