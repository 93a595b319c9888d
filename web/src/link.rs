//! The link that opens the page: `#join=KEY&user=NAME&color=%23rrggbb&project=P&file=PATH`. Reads it; never keeps or sends it.

use embedenv_shared::command::{Guest, Join, MAX_USER, Visit};
use embedenv_shared::path::{ProjectName, WorkspacePath};
use serde::{Deserialize, Serialize};

/// What a frame's fragment calls the project that somebody chose there.
pub const CHOSEN: &str = "chosen";

/// Whom to join as, and where.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RoomLink {
    pub join: String,
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub color: Option<String>,
    #[serde(default)]
    pub project: Option<ProjectName>,
    /// The file that is shown to who comes for the first time.
    #[serde(default)]
    pub file: Option<WorkspacePath>,
}

impl std::fmt::Debug for RoomLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoomLink").field("user", &self.user).field("project", &self.project).finish_non_exhaustive()
    }
}

impl RoomLink {
    /// Reads an address's fragment, with or without `#`. `None` when it names no key. What can't be used beside the
    /// key is left out: a link with a bad colour still opens.
    pub fn parse(fragment: &str) -> Option<Self> {
        Some(Self::read(fragment)).filter(|link| !link.join.is_empty())
    }

    /// The same, with an empty key when it names none: a page that opens a room by a widget is told the rest.
    pub fn read(fragment: &str) -> Self {
        let mut link = Self::default();
        for pair in fragment.trim_start_matches('#').split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            match name {
                "join" => link.join = value,
                "user" => link.user = usable_name(&value),
                "color" => link.color = is_color(&value).then_some(value),
                "project" => link.project = ProjectName::parse(&value).ok(),
                "file" => link.file = WorkspacePath::parse(&value).ok().filter(|path| !path.is_root()),
                _ => {}
            }
        }
        link
    }

    /// The project that somebody chose in a frame, in the fragment with which that is loaded anew.
    pub fn chosen(fragment: &str) -> Option<ProjectName> {
        let chosen = fragment.rsplit('&').find_map(|pair| pair.strip_prefix(CHOSEN)?.strip_prefix('='))?;
        ProjectName::parse(&decoded(chosen)).ok()
    }

    /// The first frame of a connection; `name` is what the settings say, and goes before the link's.
    /// `instance` names this page, and `resume` is what the server gave it the last time.
    pub fn join_frame(&self, name: Option<&str>, instance: &str, resume: Option<String>) -> Join {
        Join { join: self.join.clone(), resume, guest: self.guest(name, instance) }
    }

    /// The first frame of a page that has no key, and opens a room by a widget.
    pub fn visit_frame(&self, widget: &str, name: Option<&str>, instance: &str) -> Visit {
        Visit { widget: widget.to_owned(), guest: self.guest(name, instance) }
    }

    fn guest(&self, name: Option<&str>, instance: &str) -> Guest {
        Guest {
            user: name.and_then(usable_name).or_else(|| self.user.clone()),
            color: self.color.clone(),
            instance: Some(instance.to_owned()),
            protocol: Some(embedenv_shared::PROTOCOL),
        }
    }
}

/// A name as the server takes it, or none.
pub fn usable_name(name: &str) -> Option<String> {
    let name: String = name.trim().chars().take(MAX_USER).collect();
    (!name.is_empty()).then_some(name)
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Percent-decoding as in a query (`application/x-www-form-urlencoded`).
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => match after.get(..2).and_then(hex) {
                Some(byte) => {
                    rest = &after[2..];
                    byte
                }
                None => b'%',
            },
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_that_was_chosen_last_in_a_frame_is_read() {
        let chosen = |fragment| RoomLink::chosen(fragment).map(|project| project.to_string());
        assert_eq!(chosen("#join=k&chosen=a&chosen=b%20c").as_deref(), Some("b c"));
        assert_eq!((chosen("#join=k"), chosen("#chosen=a/b"), chosen("#chosenx=a")), (None, None, None));
    }

    #[test]
    fn a_link_may_name_a_file_and_none_outside() {
        let file = |fragment| RoomLink::read(fragment).file.map(|path| path.to_string());
        assert_eq!(file("#join=k&project=rust&file=src%2Fmain.rs").as_deref(), Some("src/main.rs"));
        assert_eq!((file("#join=k&file="), file("#join=k&file=../a"), file("#join=k&file=/etc")), (None, None, None));
    }

    #[test]
    fn who_comes_by_a_widget_may_have_a_name() {
        let link = RoomLink::read("#user=Ana&color=%2300aaff&project=demo");
        assert_eq!((RoomLink::parse("#user=Ana"), link.join.as_str()), (None, ""));
        let Visit { guest, .. } = link.visit_frame("w_1", None, "page");
        assert_eq!((guest.user.as_deref(), guest.color.as_deref()), (Some("Ana"), Some("#00aaff")));
        assert_eq!(
            link.visit_frame("w_1", Some("Bo"), "page").guest.user.as_deref(),
            Some("Bo"),
            "the settings' goes first"
        );
    }

    #[test]
    fn a_full_link_is_read() {
        let link = RoomLink::parse("#join=abc-_1&user=Ana+Mar%C3%ADa&color=%2300aaff&project=demo").unwrap();
        assert_eq!(link.join, "abc-_1");
        assert_eq!(link.user.as_deref(), Some("Ana María"));
        assert_eq!(link.color.as_deref(), Some("#00aaff"));
        assert_eq!(link.project.as_ref().map(ProjectName::as_str), Some("demo"));
    }

    #[test]
    fn what_cannot_be_used_is_left_out_and_a_link_without_a_key_is_none() {
        let link = RoomLink::parse("join=k&color=red&project=..%2Fx&user=%20&x=%zz").unwrap();
        assert_eq!(link, RoomLink { join: "k".into(), user: None, color: None, project: None, file: None });
        assert_eq!(RoomLink::parse(""), None);
        assert_eq!(RoomLink::parse("#user=x"), None);
    }

    #[test]
    fn the_key_is_not_in_debug_output() {
        let link = RoomLink::parse("#join=secret").unwrap();
        assert!(!format!("{link:?}").contains("secret"));
    }

    #[test]
    fn the_name_in_the_settings_goes_before_the_links() {
        let link = RoomLink::parse("#join=k&user=Link").unwrap();
        assert_eq!(link.join_frame(Some(" Mine "), "i", None).guest.user.as_deref(), Some("Mine"));
        assert_eq!(link.join_frame(Some(""), "i", None).guest.user.as_deref(), Some("Link"));
        assert_eq!(link.join_frame(None, "i", None).guest.protocol, Some(2));
    }
}
