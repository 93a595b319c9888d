//! Who is here: initials in the colour of each.

use std::rc::Rc;

use embedenv_shared::frame::Person;
use embedenv_shared::id::Role;
use web_sys::Element;
use yew::prelude::*;

use crate::interop::page;

#[derive(Properties, PartialEq)]
pub(crate) struct PeopleProps {
    pub(crate) people: Rc<Vec<Person>>,
}

#[component]
pub(crate) fn People(props: &PeopleProps) -> Html {
    let people = props.people.iter().map(|person| html! { <One key={person.member.0} person={person.clone()} /> });
    html! { <ul class="people" aria-label="People">{ for people }</ul> }
}

#[derive(Properties, PartialEq)]
struct OneProps {
    person: Person,
}

#[component]
fn One(props: &OneProps) -> Html {
    let Person { user, color, role, path, .. } = &props.person;
    let node = use_node_ref();
    use_effect_with((node.clone(), color.clone()), |(node, color)| {
        if let Some(element) = node.cast::<Element>() {
            page::set_style(&element, "--person", color);
        }
    });
    let mut title = user.clone();
    if *role == Role::Viewer {
        title.push_str(", looking on");
    }
    if let Some(path) = path {
        title = format!("{title}, in {path}");
    }
    html! { <li class="person" aria-label={user.clone()} {title} ref={node}>{ initials(user) }</li> }
}

/// The first letters of the first and last word of a name; the style sheet makes them capitals.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).collect()
}
