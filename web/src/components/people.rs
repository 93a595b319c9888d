//! Who is here: initials in the colour of each, and a menu with which to go to somebody or follow them.

use std::rc::Rc;

use embedenv_shared::frame::Person;
use embedenv_shared::id::{MemberId, Role};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent, Node};
use yew::prelude::*;

use crate::interop::page;
use crate::words::catalogue::say;
use crate::workbench::Workbench;

#[derive(Properties, PartialEq)]
pub(crate) struct PeopleProps {
    pub(crate) workbench: Workbench,
    pub(crate) people: Rc<Vec<Person>>,
    pub(crate) me: MemberId,
    pub(crate) following: Option<MemberId>,
}

#[component]
pub(crate) fn People(props: &PeopleProps) -> Html {
    let list = use_node_ref();
    let open = use_state(|| None::<MemberId>);
    use_effect_with((list.clone(), props.people.clone()), |(list, people)| {
        let Some(items) = list.cast::<Element>().map(|list| list.children()) else { return };
        for (index, person) in (0..).zip(people.iter()) {
            if let Some(item) = items.item(index) {
                page::set_style(&item, "--person", &person.color);
            }
        }
    });
    use_effect_with((list.clone(), *open), |(list, open)| {
        let first = list.cast::<Element>().filter(|_| open.is_some());
        if let Some(first) = first.and_then(|list| list.query_selector("[role=menuitem]").ok().flatten()) {
            page::give_focus(&first);
        }
    });
    let onfocusout = {
        let (list, open) = (list.clone(), open.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|to| to.dyn_into::<Node>().ok());
            if !list.cast::<Element>().is_some_and(|list| list.contains(to.as_ref())) {
                open.set(None);
            }
        })
    };
    let onkeydown = {
        let (list, open) = (list.clone(), open.clone());
        Callback::from(move |event: KeyboardEvent| {
            let step = match event.key().as_str() {
                "Escape" => {
                    let button =
                        list.cast::<Element>().and_then(|list| list.query_selector("[aria-expanded=true]").ok()?);
                    open.set(None);
                    button.iter().for_each(page::give_focus);
                    return event.prevent_default();
                }
                "ArrowDown" => 1,
                "ArrowUp" => -1,
                _ => return,
            };
            event.prevent_default();
            if let Some(list) = list.cast::<Element>() {
                page::step_focus(&list, "[role=menuitem]", step);
            }
        })
    };
    let people = props.people.iter().map(|person| one(props, person, &open));
    html! { <ul class="people" aria-label={say!("people.title")} ref={list} {onfocusout} {onkeydown}>{ for people }</ul> }
}

fn one(props: &PeopleProps, person: &Person, open: &UseStateHandle<Option<MemberId>>) -> Html {
    let Person { member, user, role, path, idle, .. } = person;
    let mut parts = vec![user.clone()];
    if *role == Role::Viewer {
        parts.push(say!("people.looking-on").to_owned());
    }
    if let Some(path) = path {
        parts.push(say!("people.in", path = path));
    }
    if *idle {
        parts.push(say!("people.away").to_owned());
    }
    let mut title = parts.join(", ");
    if *member == props.me {
        title = say!("people.you", user = title);
        let class = classes!("person", idle.then_some("idle"));
        return html! { <li key={member.0} class="person-item" aria-label={user.clone()}><span {class} {title}>{ initials(user) }</span></li> };
    }
    let is_followed = props.following == Some(*member);
    let is_open = **open == Some(*member);
    let class = classes!("person", idle.then_some("idle"), is_followed.then_some("followed"));
    let toggle = {
        let (open, member) = (open.clone(), *member);
        Callback::from(move |_: MouseEvent| open.set((!is_open).then_some(member)))
    };
    let item = |text: String, act: fn(&Workbench, MemberId)| {
        let (workbench, open, member) = (props.workbench.clone(), open.clone(), *member);
        let act = Callback::from(move |_: MouseEvent| {
            open.set(None);
            act(&workbench, member);
        });
        html! { <button role="menuitem" tabindex="-1" onclick={act}>{ text }</button> }
    };
    html! {
        <li key={member.0} class="person-item" aria-label={user.clone()}>
            <button
                {class}
                aria-label={title.clone()}
                {title}
                aria-haspopup="menu"
                aria-expanded={is_open.to_string()}
                onclick={toggle}
            >
                { initials(user) }
            </button>
            if is_open {
                <div class="context-menu person-menu" role="menu" aria-label={user.clone()}>
                    { item(say!("people.go-to", user = user), Workbench::go_to) }
                    if is_followed {
                        { item(say!("people.unfollow", user = user), |workbench, _| workbench.follow(None)) }
                    } else {
                        { item(say!("people.follow", user = user), |workbench, member| workbench.follow(Some(member))) }
                    }
                </div>
            }
        </li>
    }
}

/// The first letters of the first and last word of a name; the style sheet makes them capitals.
pub(super) fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).collect()
}
