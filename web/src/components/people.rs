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
    let list = use_node_ref();
    use_effect_with((list.clone(), props.people.clone()), |(list, people)| {
        let Some(items) = list.cast::<Element>().map(|list| list.children()) else { return };
        for (index, person) in (0..).zip(people.iter()) {
            if let Some(item) = items.item(index) {
                page::set_style(&item, "--person", &person.color);
            }
        }
    });
    let people = props.people.iter().map(one);
    html! { <ul class="people" aria-label="People" ref={list}>{ for people }</ul> }
}

fn one(person: &Person) -> Html {
    let Person { member, user, role, path, .. } = person;
    let mut title = user.clone();
    if *role == Role::Viewer {
        title.push_str(", looking on");
    }
    if let Some(path) = path {
        title = format!("{title}, in {path}");
    }
    html! { <li key={member.0} class="person" aria-label={user.clone()} {title}>{ initials(user) }</li> }
}

/// The first letters of the first and last word of a name; the style sheet makes them capitals.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.next_back().and_then(|word| word.chars().next());
    first.into_iter().chain(last).collect()
}
