//! What an embedded page is to be, as its address says: `/embed?file=…&view=…#join=KEY`. The names are StackBlitz's where
//! the thing is the same.
//!
//! Parameters stand in the query or in the fragment, which goes before it. What can't be used is left out and named, so
//! that a page of somebody else's never fails over one. The room's key is none of these: see [`crate::link`].

use embedenv_shared::path::WorkspacePath;

use super::editing::FONT_SIZE;
use super::groups::{Flow, Kept, MAX_GROUPS, WHOLE};
use super::settings::stored::Values;
use super::settings::{ASIDE, Aside, Layout, PANEL, PanelTab, Theme};
use crate::link::decoded;

/// Files that are opened at first; what is named beyond is left out.
pub const MAX_FILES: usize = 20;
/// Stretches of lines that are marked; what is named beyond is left out.
pub const MAX_HIGHLIGHTS: usize = 100;
/// The longest text that a poster shows, in bytes; a longer one is left out.
pub const MAX_CODE: usize = 64 * 1024;
/// The longest command line that is run at first, in bytes.
pub const MAX_RUN: usize = 4096;
/// Bounds of what names a handshake, in characters.
const NONCE: (usize, usize) = (16, 64);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Embed {
    /// The files that are opened: a list of tabs for each pane beside another.
    pub panes: Vec<Vec<Place>>,
    pub view: View,
    pub theme: Option<Theme>,
    pub hides_explorer: bool,
    /// The preview has no address bar.
    pub hides_navigation: bool,
    /// Of the frame's height, in hundredths.
    pub terminal_height: Option<u32>,
    /// The address that the preview begins with, from its `/` on.
    pub initial_path: Option<String>,
    pub loading: Loading,
    pub is_read_only: bool,
    /// A command line, or the path of a file, that is run once; empty for the first file.
    pub run: Option<String>,
    /// The port that the preview shows.
    pub port: Option<u16>,
    /// Lines of the first file that are marked, first and last.
    pub highlights: Vec<(u32, u32)>,
    pub font_size: Option<u32>,
    pub takes_focus: bool,
    /// What the first file says, for the poster.
    pub code: Option<String>,
    /// It is one of several blocks of the page around: an editor, and what it prints.
    pub is_block: bool,
    /// The page around this one, if it wants to talk.
    pub host: Option<Host>,
}

/// A file, and the lines of it that are to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub path: WorkspacePath,
    pub lines: Option<(u32, u32)>,
}

impl Place {
    /// `main.py`, `main.py:L5` or `main.py:L5-L9`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('/');
        let (path, lines) = match text.rsplit_once(":L") {
            Some((path, lines)) => (path, Some(stretch(&lines.replace('L', ""))?)),
            None => (text, None),
        };
        let path = WorkspacePath::parse(path).ok().filter(|path| !path.is_root())?;
        Some(Self { path, lines })
    }
}

/// What of the page is in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// The editors over the terminals.
    #[default]
    Whole,
    Editor,
    Preview,
    /// The editors beside the preview.
    Both,
    Terminal,
    /// The editors beside the terminals.
    Split,
}

impl View {
    pub fn parse(text: &str) -> Option<Self> {
        let known = [Self::Editor, Self::Preview, Self::Both, Self::Terminal, Self::Split, Self::Whole];
        known.into_iter().find(|view| view.name() == text)
    }

    /// What it is called in addresses, and the value of `data-view`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "default",
            Self::Editor => "editor",
            Self::Preview => "preview",
            Self::Both => "both",
            Self::Terminal => "terminal",
            Self::Split => "split",
        }
    }
}

/// When the page joins its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loading {
    #[default]
    Eager,
    /// When the frame is seen.
    Lazy,
    /// When somebody asks for it.
    Click,
}

/// The page around this one, and the number that both know this frame by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub origin: String,
    pub nonce: String,
}

/// A parameter that can't be used, and what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusable {
    pub name: &'static str,
    pub wants: &'static str,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the parameter `{}` of this embed is left out: it has to be {}", self.name, self.wants)
    }
}

impl Embed {
    /// Reads an address's query and fragment, each with or without the character before it, and what the owner of a widget
    /// has chosen ([`embedenv_shared::look`]), which goes before both.
    pub fn parse(query: &str, fragment: &str, look: &str) -> (Self, Vec<Unusable>) {
        let mut reading = Reading::default();
        for pairs in [query.trim_start_matches('?'), fragment.trim_start_matches('#'), look] {
            for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                reading.take(name, decoded(value));
            }
        }
        reading.finished()
    }

    /// The file that is shown first.
    pub fn first(&self) -> Option<&Place> {
        self.panes.first()?.first()
    }
}

/// Whether an address says something that a page has to know before it joins its room.
pub fn may_wait(address: &str) -> bool {
    ["ctl", "loading=", "nonce="].iter().any(|name| address.contains(name))
}

/// What a block's program prints has this height, in CSS pixels: the page around makes room for it (`web/js/src/host/blocks.ts`).
const BLOCK_OUTPUT: i32 = 200;
/// Width of the file tree in a frame at first, in CSS pixels.
const SIDE: i32 = 200;
/// A frame has no room for the file tree besides its editors if it is narrower, in CSS pixels.
pub const ROOM_FOR_SIDE: i32 = 640;

impl Embed {
    /// How the panes stand in a frame of this width and height in CSS pixels.
    pub fn layout(&self, layout: Layout, (width, height): (i32, i32)) -> Layout {
        let has_preview = matches!(self.view, View::Preview | View::Both);
        let has_terminal = match self.view {
            View::Editor | View::Preview | View::Both => false,
            View::Terminal | View::Split => true,
            View::Whole => self.terminal_height != Some(0),
        };
        let percent = self.terminal_height.filter(|height| *height > 0).unwrap_or(40);
        let part = height * i32::try_from(percent).unwrap_or(40) / 100;
        let panel = if self.is_block { BLOCK_OUTPUT } else { part };
        Layout {
            side: SIDE,
            side_folded: self.hides_explorer || width < ROOM_FOR_SIDE,
            panel: panel.clamp(PANEL.0, PANEL.2),
            panel_folded: !has_terminal,
            panel_tab: PanelTab::Terminals,
            aside: has_preview.then_some(Aside::Preview),
            aside_width: (width / 2).clamp(ASIDE.0, ASIDE.2),
            port: self.port.unwrap_or(layout.port),
            zen: false,
            ..layout
        }
    }

    /// What is set in this frame whatever a person has set elsewhere.
    pub fn settings(&self) -> Values {
        let theme = self.theme.map(|theme| ("theme".to_owned(), theme.attribute().into()));
        let size = self.font_size.map(|size| ("font_size".to_owned(), size.into()));
        theme.into_iter().chain(size).collect()
    }

    /// The lines of the first file that are marked.
    pub fn marked(&self) -> Vec<(u32, u32)> {
        let named = self.first().and_then(|place| place.lines);
        self.highlights.iter().copied().chain(named).collect()
    }

    /// The files as they are opened, a group for each pane.
    pub fn groups(&self) -> Option<Kept<WorkspacePath>> {
        let group = |tabs: &Vec<Place>| Kept::Group {
            tabs: tabs.iter().map(|place| place.path.clone()).collect(),
            active: tabs.first().map(|place| place.path.clone()),
            in_use: self.panes.first() == Some(tabs),
        };
        match self.panes.as_slice() {
            [] => None,
            [only] => Some(group(only)),
            several => {
                let share = WHOLE / u32::try_from(several.len()).unwrap_or(WHOLE);
                let parts = several.iter().map(|tabs| (group(tabs), share)).collect();
                Some(Kept::Split { flow: Flow::Row, parts })
            }
        }
    }
}

#[derive(Default)]
struct Reading {
    embed: Embed,
    bad: Vec<Unusable>,
    origin: Option<String>,
    nonce: Option<String>,
}

impl Reading {
    fn take(&mut self, name: &str, value: String) {
        let embed = &mut self.embed;
        let wrong = match name {
            "file" => return self.files(&value),
            "highlights" => return self.highlights(&value),
            "view" => put(&mut embed.view, View::parse(&value), "view", "editor, preview, both, terminal or split"),
            "theme" => put_some(&mut embed.theme, theme(&value), "theme", "light, dark or the name of a theme"),
            "hideExplorer" => put(&mut embed.hides_explorer, flag(&value), "hideExplorer", "0 or 1"),
            "hideNavigation" => put(&mut embed.hides_navigation, flag(&value), "hideNavigation", "0 or 1"),
            "terminalHeight" => {
                let height = number(&value, 0, 100);
                put_some(&mut embed.terminal_height, height, "terminalHeight", "a number from 0 to 100")
            }
            "initialpath" => {
                let path = Some(format!("/{}", value.trim_start_matches('/')));
                let path = path.filter(|path| !path.contains(char::is_control));
                put_some(&mut embed.initial_path, path, "initialpath", "a path such as /about")
            }
            "ctl" => match flag(&value) {
                Some(true) => put(&mut embed.loading, Some(Loading::Click), "ctl", ""),
                Some(false) => None,
                None => Some(Unusable { name: "ctl", wants: "0 or 1" }),
            },
            "loading" => put(&mut embed.loading, loading(&value), "loading", "lazy, click or eager"),
            "readonly" => put(&mut embed.is_read_only, flag(&value), "readonly", "0 or 1"),
            "run" => {
                let run = Some(value).filter(|run| run.len() <= MAX_RUN && !run.contains('\0'));
                put_some(&mut embed.run, run, "run", "a command line or the path of a file")
            }
            "port" => {
                let port = number(&value, 1, u32::from(u16::MAX)).and_then(|port| u16::try_from(port).ok());
                put_some(&mut embed.port, port, "port", "a number from 1 to 65535")
            }
            "fontsize" => {
                let size = number(&value, FONT_SIZE.0, FONT_SIZE.2);
                put_some(&mut embed.font_size, size, "fontsize", "a number from 8 to 32")
            }
            "autofocus" => put(&mut embed.takes_focus, flag(&value), "autofocus", "0 or 1"),
            "code" => {
                let code = Some(value).filter(|code| code.len() <= MAX_CODE);
                put_some(&mut embed.code, code, "code", "a text of at most 64 KiB")
            }
            "host" => put_some(&mut self.origin, origin(value), "host", "the origin of the page around the frame"),
            "nonce" => put_some(&mut self.nonce, nonce(value), "nonce", "16 to 64 letters and digits"),
            // The key, the link's own members, and what others add to every address.
            _ => None,
        };
        self.bad.extend(wrong);
    }

    fn files(&mut self, value: &str) {
        let wanted: Vec<&str> = value.split(',').filter(|file| !file.trim().is_empty()).collect();
        let count: usize = self.embed.panes.iter().map(Vec::len).sum();
        let places: Vec<Place> = wanted.iter().filter_map(|file| Place::parse(file)).take(MAX_FILES - count).collect();
        let is_surplus = self.embed.panes.len() >= MAX_GROUPS;
        if wanted.is_empty() || places.len() < wanted.len() || is_surplus {
            self.bad.push(Unusable { name: "file", wants: "paths in the project, with commas between them" });
        }
        if !places.is_empty() && !is_surplus {
            self.embed.panes.push(places);
        }
    }

    fn highlights(&mut self, value: &str) {
        let wanted: Vec<&str> = value.split(',').collect();
        let marked: Vec<(u32, u32)> =
            wanted.iter().filter_map(|lines| stretch(lines.trim())).take(MAX_HIGHLIGHTS).collect();
        if marked.len() < wanted.len() {
            self.bad.push(Unusable { name: "highlights", wants: "lines such as 3,5-7" });
        }
        self.embed.highlights = marked;
    }

    fn finished(self) -> (Embed, Vec<Unusable>) {
        let Self { mut embed, bad, origin, nonce } = self;
        embed.host = origin.zip(nonce).map(|(origin, nonce)| Host { origin, nonce });
        (embed, bad)
    }
}

fn put<T>(place: &mut T, value: Option<T>, name: &'static str, wants: &'static str) -> Option<Unusable> {
    match value {
        Some(value) => {
            *place = value;
            None
        }
        None => Some(Unusable { name, wants }),
    }
}

fn put_some<T>(place: &mut Option<T>, value: Option<T>, name: &'static str, wants: &'static str) -> Option<Unusable> {
    if value.is_none() {
        return Some(Unusable { name, wants });
    }
    *place = value;
    None
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "" | "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

fn number(value: &str, least: u32, most: u32) -> Option<u32> {
    value.parse().ok().filter(|number| (least..=most).contains(number))
}

/// A theme by its name.
pub fn theme(value: &str) -> Option<Theme> {
    Theme::ALL.into_iter().find(|theme| theme.attribute() == value)
}

fn loading(value: &str) -> Option<Loading> {
    match value {
        "eager" => Some(Loading::Eager),
        "lazy" => Some(Loading::Lazy),
        "click" => Some(Loading::Click),
        _ => None,
    }
}

/// `5` or `5-7`, from 1.
fn stretch(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first, 1, u32::MAX)?, number(last, 1, u32::MAX)?);
    (first <= last).then_some((first, last))
}

/// An origin as browsers write it: no path, no name of a user.
fn origin(text: String) -> Option<String> {
    let (scheme, host) = text.split_once("://")?;
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
    (matches!(scheme, "http" | "https") && is_plain && !host.is_empty()).then_some(text)
}

fn nonce(text: String) -> Option<String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_plain && (NONCE.0..=NONCE.1).contains(&text.len())).then_some(text)
}

#[cfg(test)]
mod tests {
    use embedenv_shared::look;

    use super::*;

    fn names(bad: &[Unusable]) -> Vec<&str> {
        bad.iter().map(|bad| bad.name).collect()
    }

    fn files(embed: &Embed) -> Vec<Vec<&str>> {
        embed.panes.iter().map(|tabs| tabs.iter().map(|place| place.path.as_str()).collect()).collect()
    }

    #[test]
    fn every_parameter_is_read() {
        let query = "?file=src/a.py,b.txt&file=c%20d.md&view=split&theme=harbour&hideExplorer=1&hideNavigation=true\
            &terminalHeight=40&initialpath=about&loading=lazy&readonly&run=make+all&port=8080&highlights=3,5-7\
            &fontsize=16&autofocus=1&code=print(1)%0A";
        let (embed, bad) = Embed::parse(query, "#join=k&host=https://a.example:8443&nonce=0123456789abcdef", "");
        assert_eq!(names(&bad), [""; 0]);
        assert_eq!(files(&embed), [vec!["src/a.py", "b.txt"], vec!["c d.md"]]);
        assert_eq!((embed.view, embed.theme, embed.loading), (View::Split, Some(Theme::Harbour), Loading::Lazy));
        assert!(embed.hides_explorer && embed.hides_navigation && embed.is_read_only && embed.takes_focus);
        assert_eq!((embed.terminal_height, embed.port, embed.font_size), (Some(40), Some(8080), Some(16)));
        assert_eq!(embed.initial_path.as_deref(), Some("/about"));
        assert_eq!(embed.run.as_deref(), Some("make all"));
        assert_eq!(embed.highlights, [(3, 3), (5, 7)]);
        assert_eq!(embed.code.as_deref(), Some("print(1)\n"));
        let host = Host { origin: "https://a.example:8443".into(), nonce: "0123456789abcdef".into() };
        assert_eq!(embed.host, Some(host));
    }

    #[test]
    fn without_parameters_it_is_the_whole_page_at_once_and_takes_no_focus() {
        let (embed, bad) = Embed::parse("", "#join=k&user=Ana&utm_source=x", "");
        assert_eq!((embed, bad), (Embed::default(), Vec::new()));
        assert!(!Embed::default().takes_focus);
    }

    #[test]
    fn what_can_t_be_used_is_left_out_and_named() {
        let query = "view=all&theme=pink&hideExplorer=maybe&hideNavigation=2&terminalHeight=101&ctl=x&loading=now\
            &readonly=no&port=0&highlights=0,7-5,x&fontsize=99&autofocus=please&file=../etc/passwd&file=";
        let (embed, bad) = Embed::parse(query, "host=javascript:alert(1)&nonce=short", "");
        let all = [
            "view",
            "theme",
            "hideExplorer",
            "hideNavigation",
            "terminalHeight",
            "ctl",
            "loading",
            "readonly",
            "port",
            "highlights",
            "fontsize",
            "autofocus",
            "file",
            "file",
            "host",
            "nonce",
        ];
        assert_eq!(names(&bad), all);
        assert_eq!(embed, Embed::default());
        assert!(bad[0].to_string().contains("`view`"));
    }

    #[test]
    fn the_fragment_goes_before_the_query_and_files_of_both_are_opened() {
        let (embed, _) = Embed::parse("?view=editor&file=a", "#view=terminal&file=b", "");
        assert_eq!((embed.view, files(&embed)), (View::Terminal, vec![vec!["a"], vec!["b"]]));
    }

    #[test]
    fn what_a_widgets_owner_has_chosen_goes_before_the_address_and_is_what_a_look_may_say() {
        let (embed, _) = Embed::parse("?view=both&theme=paper", "#theme=light&fontsize=20", "theme=dark&readonly=1");
        assert_eq!((embed.view, embed.theme, embed.is_read_only), (View::Both, Some(Theme::Dark), true));
        assert_eq!(embed.font_size, Some(20), "left open");
        assert_eq!(look::THEMES, Theme::ALL.map(Theme::attribute));
        assert!(look::VIEWS.iter().all(|view| View::parse(view).is_some()));
        assert!(look::LOADINGS.iter().all(|name| loading(name).is_some()));
        assert_eq!(look::FONT_SIZES, (FONT_SIZE.0, FONT_SIZE.2));
    }

    #[test]
    fn ctl_is_click_to_load_and_a_later_word_goes_before_it() {
        assert_eq!(Embed::parse("ctl=1", "", "").0.loading, Loading::Click);
        assert_eq!(Embed::parse("ctl", "loading=lazy", "").0.loading, Loading::Lazy);
        assert_eq!(Embed::parse("ctl=0&loading=click", "", "").0.loading, Loading::Click);
    }

    #[test]
    fn a_file_may_name_its_lines() {
        let place = |text| Place::parse(text).map(|place| (place.path.as_str().to_owned(), place.lines));
        assert_eq!(place("src/a.py:L5"), Some(("src/a.py".into(), Some((5, 5)))));
        assert_eq!(place("/a.py:L5-L9"), Some(("a.py".into(), Some((5, 9)))));
        assert_eq!(place("a:b.py"), Some(("a:b.py".into(), None)));
        for bad in ["", "/", "a.py:L0", "a.py:Lx", "a/../../b"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }

    #[test]
    fn too_much_is_left_out() {
        let many = (0..30).map(|at| format!("f{at}")).collect::<Vec<_>>().join(",");
        let (embed, bad) = Embed::parse(&format!("file={many}"), "", "");
        assert_eq!((embed.panes[0].len(), names(&bad)), (MAX_FILES, vec!["file"]));
        let (embed, bad) = Embed::parse(&format!("code={}", "x".repeat(MAX_CODE + 1)), "", "");
        assert_eq!((embed.code, names(&bad)), (None, vec!["code"]));
        let panes = "file=a&".repeat(MAX_GROUPS + 1);
        let (embed, bad) = Embed::parse(&panes, "", "");
        assert_eq!((embed.panes.len(), names(&bad)), (MAX_GROUPS, vec!["file"]));
    }

    #[test]
    fn each_view_has_its_panes() {
        let panes = |address: &str, width| {
            let layout = Embed::parse(address, "", "").0.layout(Layout::default(), (width, 400));
            (!layout.side_folded, !layout.panel_folded, layout.aside.is_some())
        };
        assert_eq!(panes("", 900), (true, true, false));
        assert_eq!(panes("", 400), (false, true, false));
        assert_eq!(panes("hideExplorer=1&terminalHeight=0", 900), (false, false, false));
        assert_eq!(panes("view=editor", 900), (true, false, false));
        assert_eq!(panes("view=split", 900), (true, true, false));
        assert_eq!(panes("view=both", 900), (true, false, true));
        let layout = Embed::parse("terminalHeight=50&port=5173", "", "").0.layout(Layout::default(), (900, 400));
        assert_eq!((layout.panel, layout.port), (200, 5173));
    }

    #[test]
    fn files_of_several_panes_are_groups_beside_each_other() {
        let Some(Kept::Split { flow: Flow::Row, parts }) = Embed::parse("file=a,b&file=c", "", "").0.groups() else {
            panic!("two panes are a split");
        };
        assert_eq!(parts.len(), 2);
        assert!(matches!(&parts[0].0, Kept::Group { tabs, in_use: true, .. } if tabs.len() == 2));
        assert!(matches!(Embed::parse("file=a", "", "").0.groups(), Some(Kept::Group { .. })));
        assert_eq!(Embed::default().groups(), None);
    }

    #[test]
    fn lines_of_the_first_file_are_marked_wherever_they_are_named() {
        assert_eq!(Embed::parse("file=a:L9,b:L4&highlights=2", "", "").0.marked(), [(2, 2), (9, 9)]);
    }

    #[test]
    fn an_origin_is_no_more_than_that() {
        for good in ["https://a.example", "http://localhost:3000", "http://[::1]:80"] {
            assert!(origin(good.to_owned()).is_some(), "{good}");
        }
        for bad in ["*", "null", "https://", "https://a/b", "https://a@b", "file://a", "https://a?b", "//a"] {
            assert!(origin(bad.to_owned()).is_none(), "{bad}");
        }
    }
}
