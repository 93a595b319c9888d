//! How a widget's frame looks, where its owner has decided: parameters of the page's address, by the names that they have
//! there. Owns which of them an owner may set and what each may be. What a page makes of them is the page's.

use std::fmt;

/// The most bytes of a look as text.
pub const MAX_LOOK: usize = 1024;

/// Names of the themes.
pub const THEMES: [&str; 7] = ["system", "dark", "light", "contrast-dark", "contrast-light", "harbour", "paper"];
/// What of the page is in sight.
pub const VIEWS: [&str; 6] = ["default", "editor", "preview", "both", "terminal", "split"];
/// When the page joins its room.
pub const LOADINGS: [&str; 3] = ["eager", "lazy", "click"];
/// Size of code in CSS pixels, least and most.
pub const FONT_SIZES: (u32, u32) = (8, 32);

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Word(&'static [&'static str]),
    Number(u32, u32),
    Flag,
}

impl Value {
    fn takes(self, text: &str) -> bool {
        match self {
            Self::Word(words) => words.contains(&text),
            Self::Number(least, most) => text.parse().is_ok_and(|number| (least..=most).contains(&number)),
            Self::Flag => text == "0" || text == "1",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(words) => write!(f, "one of {}", words.join(", ")),
            Self::Number(least, most) => write!(f, "a number from {least} to {most}"),
            Self::Flag => f.write_str("0 or 1"),
        }
    }
}

const PARAMETERS: [(&str, Value); 8] = [
    ("theme", Value::Word(&THEMES)),
    ("view", Value::Word(&VIEWS)),
    ("hideExplorer", Value::Flag),
    ("hideNavigation", Value::Flag),
    ("terminalHeight", Value::Number(0, 100)),
    ("fontsize", Value::Number(FONT_SIZES.0, FONT_SIZES.1)),
    ("loading", Value::Word(&LOADINGS)),
    ("readonly", Value::Flag),
];

/// What a widget's owner has set, such as `theme=dark&hideExplorer=1`; empty if nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look(String);

/// Why a text is no look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    #[error("a look has at most {MAX_LOOK} bytes")]
    TooLong,
    #[error("a look has no parameter {0:?}; there are {names}", names = PARAMETERS.map(|(name, _)| name).join(", "))]
    Unknown(String),
    #[error("a look says {0} once")]
    Twice(&'static str),
    #[error("{name} has to be {wants}")]
    Value { name: &'static str, wants: String },
}

impl Look {
    /// Reads `name=value` pairs with `&` between them.
    pub fn parse(text: &str) -> Result<Self, LookError> {
        if text.len() > MAX_LOOK {
            return Err(LookError::TooLong);
        }
        let mut said = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = PARAMETERS.iter().find(|(known, _)| *known == name);
            let (name, wants) = known.ok_or_else(|| LookError::Unknown(name.to_owned()))?;
            if said.contains(name) {
                return Err(LookError::Twice(name));
            }
            if !wants.takes(value) {
                return Err(LookError::Value { name, wants: wants.to_string() });
            }
            said.push(name);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it stands in an address: words of letters, digits and hyphens, so that nothing of it needs quoting.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_known_parameters_with_values_that_they_may_have() {
        for fine in ["", "theme=dark", "theme=paper&hideExplorer=1&terminalHeight=0&fontsize=32&loading=click"] {
            assert_eq!(Look::parse(fine).unwrap().as_str(), fine);
        }
        let wrong = |text| Look::parse(text).unwrap_err().to_string();
        assert!(wrong("join=k").contains("no parameter \"join\"") && wrong("join=k").contains("hideExplorer"));
        assert_eq!(wrong("theme=pink").split(',').next(), Some("theme has to be one of system"));
        assert_eq!(wrong("fontsize=7"), "fontsize has to be a number from 8 to 32");
        assert_eq!(wrong("readonly"), "readonly has to be 0 or 1");
        assert_eq!(wrong("theme=dark&theme=light"), "a look says theme once");
        assert_eq!(Look::parse(&"&".repeat(MAX_LOOK + 1)), Err(LookError::TooLong));
        assert!(Look::parse("theme=dark\"><script>").is_err());
    }
}
