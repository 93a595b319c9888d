//! Everybody in the room: who they are, what they may do, which file they are in. What the initials in the bar above do not
//! have room for.

use embedenv_shared::frame::Person;
use embedenv_shared::id::{MemberId, Role};
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::people::initials;
use crate::interop::page;
use crate::state::{Action, Dialog, Me, State};
use crate::words::catalogue::say;
use crate::workbench::Workbench;

pub(super) fn people_pane(workbench: &Workbench, state: &State, me: &Me) -> Html {
    let close = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.change_layout(|layout| layout.with_aside(None)))
    };
    let share = {
        let workbench = workbench.clone();
        Callback::from(move |_: MouseEvent| workbench.dispatch(Action::Dialog(Some(Dialog::Share))))
    };
    let people = state.people.iter().map(|person| {
        html! {
            <PersonRow
                key={person.member.0}
                workbench={workbench.clone()}
                person={person.clone()}
                is_me={person.member == me.member}
                is_followed={state.following == Some(person.member)}
            />
        }
    });
    html! {
        <section class="aside people-pane" role="region" aria-label={say!("people.name")}>
            <div class="side-head">
                <h2>{ say!("people.title") }</h2>
                <button class="icon-button" aria-label={say!("people.close")} title={say!("people.close")} onclick={close}><Icon name={IconName::X} /></button>
            </div>
            <ul class="people-rows" aria-label={say!("people.everybody")}>{ for people }</ul>
            if state.people.len() == 1 {
                <p class="hint">{ say!("people.alone") }</p>
            }
            if me.works() {
                <button class="plain people-share" onclick={share}>{ say!("people.share") }</button>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct PersonRowProps {
    workbench: Workbench,
    person: Person,
    is_me: bool,
    is_followed: bool,
}

#[component]
fn PersonRow(props: &PersonRowProps) -> Html {
    let PersonRowProps { workbench, person, is_me, is_followed } = props;
    let Person { member, user, color, role, path, idle, .. } = person;
    let badge = use_node_ref();
    use_effect_with((badge.clone(), color.clone()), |(badge, color)| {
        if let Some(badge) = badge.cast::<web_sys::Element>() {
            page::set_style(&badge, "--person", color);
        }
    });
    let calling = |act: fn(&Workbench, MemberId)| {
        let (workbench, member) = (workbench.clone(), *member);
        Callback::from(move |_: MouseEvent| act(&workbench, member))
    };
    let role = match role {
        Role::Viewer => say!("people.viewer"),
        Role::Editor => say!("people.editor"),
        Role::Owner => say!("people.owner"),
    };
    let place = match (path, idle) {
        (_, true) => say!("people.away").to_owned(),
        (Some(path), false) => say!("people.in", path = path),
        (None, false) => String::new(),
    };
    let what = [role.to_owned(), place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    html! {
        <li class="people-row">
            <span class={classes!("person", idle.then_some("idle"))} ref={badge} aria-hidden="true">{ initials(user) }</span>
            <span class="people-who">
                <b>{ if *is_me { say!("people.you", user = user) } else { user.clone() } }</b>
                <span class="hint">{ what }</span>
            </span>
            if !is_me {
                <button class="plain" aria-label={say!("people.go-to", user = user)} onclick={calling(Workbench::go_to)}>{ say!("people.go") }</button>
                <button
                    class="plain"
                    aria-label={say!("people.follow", user = user)}
                    aria-pressed={is_followed.to_string()}
                    onclick={if *is_followed {
                        calling(|workbench, _| workbench.follow(None))
                    } else {
                        calling(|workbench, member| workbench.follow(Some(member)))
                    }}
                >
                    { say!("people.follow-short") }
                </button>
            }
        </li>
    }
}
