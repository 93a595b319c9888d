//! Pages that programs serve: what may be typed as an address, the sizes of devices, and the lines of a page's console.
//! Pure.

use std::collections::VecDeque;

/// Lines of a console that are kept; the oldest make room.
pub const MAX_LINES: usize = 500;
/// Characters of a line; the rest is cut.
const MAX_TEXT: usize = 2000;

/// A page of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub port: u16,
    /// Begins with `/`; with query and fragment.
    pub path: String,
}

impl Address {
    /// What somebody typed: a path of the port that is shown, or `localhost:PORT/PATH` in any shortness.
    pub fn parse(text: &str, shown: u16) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or(text);
        let own = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"];
        let (rest, names_host) = match own.iter().find_map(|host| text.strip_prefix(host)) {
            Some(rest) if rest.is_empty() || rest.starts_with([':', '/', '?', '#']) => (rest, true),
            _ => (text, false),
        };
        let (port, path) = match rest.strip_prefix(':') {
            Some(rest) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                (rest[..end].parse().ok().filter(|port| *port != 0)?, &rest[end..])
            }
            // A number alone is a port.
            None if !names_host && rest.parse::<u16>().is_ok_and(|port| port != 0) => (rest.parse().ok()?, ""),
            None => (shown, rest),
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { port, path })
    }

    /// As programs in the sandbox know it.
    pub fn shown(&self) -> String {
        format!("localhost:{}{}", self.port, self.path)
    }

    /// The page that an address below `base` is of, which is the port's own origin with a `/` behind it.
    pub fn of(url: &str, base: &str, port: u16) -> Option<Self> {
        let path = url.strip_prefix(base)?;
        Some(Self { port, path: format!("/{path}") })
    }

    /// The path as the value of a query.
    pub fn encoded_path(&self) -> String {
        let mut encoded = String::new();
        for byte in self.path.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        encoded
    }
}

/// Where the preview is to go, and how often it was told so: the same place again is another wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub number: u32,
    pub to: Address,
}

/// The size at which a page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    #[default]
    Fit,
    Phone,
    Tablet,
    Laptop,
}

impl Device {
    pub const ALL: [Self; 4] = [Self::Fit, Self::Phone, Self::Tablet, Self::Laptop];

    pub fn id(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Laptop => "laptop",
        }
    }

    /// Width and height in CSS pixels.
    pub fn size(self) -> Option<(u32, u32)> {
        match self {
            Self::Fit => None,
            Self::Phone => Some((390, 844)),
            Self::Tablet => Some((820, 1180)),
            Self::Laptop => Some((1440, 900)),
        }
    }
}

/// How a line of a console is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Debug,
    Log,
    Info,
    Warn,
    Error,
}

impl Level {
    pub fn parse(text: &str) -> Self {
        match text {
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => Self::Log,
        }
    }

    pub fn id(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Log => "log",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub level: Level,
    pub text: String,
    /// Where an error was, `address:line:column`.
    pub place: Option<String>,
    /// How often it came in a row.
    pub count: u32,
}

impl Line {
    pub fn new(level: &str, text: &str, place: Option<String>) -> Self {
        let cut = |text: &str| text.chars().take(MAX_TEXT).collect();
        Self { level: Level::parse(level), text: cut(text), place: place.as_deref().map(cut), count: 1 }
    }
}

/// What a page's console says, of this page and those before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(VecDeque<Line>);

impl Lines {
    pub fn push(&mut self, line: Line) {
        if let Some(last) = self.0.back_mut()
            && (last.level, &last.text, &last.place) == (line.level, &line.text, &line.place)
        {
            last.count = last.count.saturating_add(1);
            return;
        }
        if self.0.len() >= MAX_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub fn all(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn errors(&self) -> usize {
        self.0.iter().filter(|line| line.level == Level::Error).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_type_them() {
        let parsed = |text: &str| Address::parse(text, 3000).map(|address| address.shown());
        let good = [
            ("", "localhost:3000/"),
            ("/a?b#c", "localhost:3000/a?b#c"),
            ("a/b", "localhost:3000/a/b"),
            ("8000", "localhost:8000/"),
            (":8000/x", "localhost:8000/x"),
            (" http://localhost:5173 ", "localhost:5173/"),
            ("https://127.0.0.1:1/?q", "localhost:1/?q"),
            ("localhost", "localhost:3000/"),
            ("localhost/x", "localhost:3000/x"),
            ("localhosts", "localhost:3000/localhosts"),
            ("?q=1", "localhost:3000/?q=1"),
        ];
        for (text, shown) in good {
            assert_eq!(parsed(text).as_deref(), Some(shown), "{text:?}");
        }
        for bad in [":", ":0", ":99999/x", "localhost:x/"] {
            assert_eq!(parsed(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_page_is_known_by_its_address_and_foreign_ones_are_not() {
        let base = "http://3000-x.localhost:8080/";
        let path = |url: &str| Address::of(url, base, 3000).map(|address| address.path);
        assert_eq!(path("http://3000-x.localhost:8080/a?b#c").as_deref(), Some("/a?b#c"));
        assert_eq!(path("http://3000-x.localhost:8080.evil.example/"), None);
        assert_eq!(Address { port: 1, path: "/a b?c=&d#é".into() }.encoded_path(), "/a%20b%3Fc%3D%26d%23%C3%A9");
    }

    #[test]
    fn lines_that_repeat_are_counted_and_old_ones_make_room() {
        let mut lines = Lines::default();
        for _ in 0..3 {
            lines.push(Line::new("error", "x", None));
        }
        lines.push(Line::new("log", &"x".repeat(2 * MAX_TEXT), None));
        assert_eq!(lines.all().last().map(|line| line.text.len()), Some(MAX_TEXT));
        let counts: Vec<u32> = lines.all().map(|line| line.count).collect();
        assert_eq!((counts, lines.errors()), (vec![3, 1], 1));
        for number in 0..2 * MAX_LINES {
            lines.push(Line::new("log", &number.to_string(), None));
        }
        assert_eq!((lines.all().count(), lines.errors()), (MAX_LINES, 0));
    }
}
