//! Comings and goings, in words.

use embedenv_shared::frame::Person;
use embedenv_shared::id::MemberId;

use crate::words::catalogue::{count, say};

/// Something to be said of the people, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Tells it from the one before.
    pub number: u32,
    pub text: String,
}

/// What to say of who came and who left; nothing of `me`.
pub fn news(before: &[Person], after: &[Person], me: MemberId) -> Option<String> {
    let missing = |these: &[Person], those: &[Person]| -> Vec<String> {
        let is_there = |person: &Person| those.iter().any(|other| other.member == person.member);
        let missing = these.iter().filter(|person| person.member != me && !is_there(person));
        missing.map(|person| person.user.clone()).collect()
    };
    let (mut came, mut left) = (missing(after, before), missing(before, after));
    // Who is back on another connection has not been away.
    came.retain(|name| match left.iter().position(|other| other == name) {
        Some(at) => {
            left.remove(at);
            false
        }
        None => true,
    });
    let came = list(&came).map(|names| count!("people.came", came.len(), names = names));
    let left = list(&left).map(|names| count!("people.left", left.len(), names = names));
    let said: Vec<String> = [came, left].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn list(names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(one.clone()),
        [one, other] => Some(say!("people.two", one = one, other = other)),
        [one, rest @ ..] => Some(count!("people.several", rest.len(), one = one)),
    }
}

#[cfg(test)]
mod tests {
    use embedenv_shared::id::Role;

    use super::*;

    fn people(all: &[(u32, &str)]) -> Vec<Person> {
        let person = |&(member, user): &(u32, &str)| Person {
            member: MemberId(member),
            user: user.to_owned(),
            color: "#000000".to_owned(),
            role: Role::Editor,
            project: None,
            path: None,
            idle: false,
        };
        all.iter().map(person).collect()
    }

    #[test]
    fn who_came_and_left_is_said_and_who_changed_connections_is_not() {
        let said = |before: &[_], after: &[_]| news(&people(before), &people(after), MemberId(1));
        assert_eq!(said(&[], &[(1, "Me")]), None);
        assert_eq!(said(&[(1, "Me")], &[(1, "Me"), (2, "Ada")]).as_deref(), Some("Ada came"));
        assert_eq!(said(&[(1, "Me"), (2, "Ada")], &[(1, "Me"), (3, "Ada")]), None);
        let all = [(2, "Ada"), (3, "Bob"), (4, "Cy")];
        assert_eq!(said(&all, &[(5, "Di")]).as_deref(), Some("Di came, Ada and 2 others left"));
        assert_eq!(said(&[], &all[..2]).as_deref(), Some("Ada and Bob came"));
    }
}
