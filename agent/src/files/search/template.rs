//! What stands in the place of a hit: a text in which `$1` and the like stand for what was found.

use grep_matcher::{Captures as _, Matcher as _};
use grep_regex::{RegexCaptures, RegexMatcher};

/// A text with its references to groups. What refers to no group of the expression is a text like any other.
#[derive(Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

impl Template {
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// `$1` to `$99`, `${1}`, `${name}` and `$<name>` are groups, `$&` and `$0` the whole hit, and `$$` is a dollar sign.
    pub fn parse(text: &str, matcher: &RegexMatcher) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            let (length, group) = match reference(&rest[1..], matcher) {
                Some((length, Reference::Group(group))) => (length, Some(group)),
                Some((length, Reference::Dollar)) => (length, None),
                None => (0, None),
            };
            match group {
                Some(group) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Group(group));
                }
                None => plain.push('$'),
            }
            rest = &rest[1 + length..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self(parts)
    }

    /// Writes what replaces the hit with these groups in `line`.
    pub fn fill(&self, line: &[u8], groups: &RegexCaptures, into: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Text(text) => into.extend_from_slice(text.as_bytes()),
                Part::Group(group) => {
                    if let Some(found) = groups.get(*group) {
                        into.extend_from_slice(&line[found]);
                    }
                }
            }
        }
    }
}

enum Reference {
    Group(usize),
    Dollar,
}

/// What follows a dollar sign, and how long that is.
fn reference(rest: &str, matcher: &RegexMatcher) -> Option<(usize, Reference)> {
    let groups = matcher.capture_count();
    let named = |name: &str| match name.parse() {
        Ok(number) => Some(number).filter(|&number: &usize| number < groups),
        Err(_) => matcher.capture_index(name),
    };
    match rest.bytes().next()? {
        b'$' => Some((1, Reference::Dollar)),
        b'&' => Some((1, Reference::Group(0))),
        open @ (b'{' | b'<') => {
            let end = rest.find(if open == b'{' { '}' } else { '>' })?;
            Some((end + 1, Reference::Group(named(&rest[1..end])?)))
        }
        b'0'..=b'9' => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count().min(2);
            // Of two digits that name no group, the first may.
            (1..=digits).rev().find_map(|length| Some((length, Reference::Group(named(&rest[..length])?))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_put_in_and_other_dollars_stay() {
        let matcher = RegexMatcher::new(r"(\w+)-(?<second>\w+)").unwrap();
        let mut groups = matcher.new_captures().unwrap();
        let line = b"one-two";
        assert!(matcher.captures(line, &mut groups).unwrap());
        for (text, expected) in [
            ("$2-$1", "two-one"),
            ("${2}x$1x", "twoxonex"),
            ("$<second>/${second}", "two/two"),
            ("[$&] $0", "[one-two] one-two"),
            ("$12", "one2"),
            ("$3 $x $ ${9} ${no", "$3 $x $ ${9} ${no"),
            ("$$1", "$1"),
            ("", ""),
        ] {
            let mut filled = Vec::new();
            Template::parse(text, &matcher).fill(line, &groups, &mut filled);
            assert_eq!(String::from_utf8(filled).unwrap(), expected, "{text}");
        }
    }
}
