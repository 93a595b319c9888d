//! Everything the page shows, and how it changes: [`State`], [`Action`], [`State::reduce`].
//!
//! Pure: no socket, no element, no clock. Parts that are drawn by components of their own stand behind an [`Rc`], so that
//! a change of one leaves the others the same.

pub mod answer;
pub mod asked;
pub mod chat;
pub mod commands;
pub mod editing;
pub mod editorconfig;
pub mod embed;
pub mod extra_keys;
pub mod files;
pub mod formatters;
pub mod go_to;
pub mod groups;
pub mod keys;
pub mod languages;
pub mod output;
pub mod palette;
pub mod people;
pub mod preview;
pub mod request;
pub mod runs;
pub mod search;
pub mod settings;
pub mod shortcuts;
pub mod terminals;
pub mod tour;
pub mod trail;
pub mod transfers;
pub mod tree;
pub mod views;

use std::rc::Rc;

use embedenv_shared::code::Failure;
use embedenv_shared::frame::{Joined, Listener, Person, SandboxState, Terminal};
use embedenv_shared::id::{MemberId, Role, RoomId, SessionId};
use embedenv_shared::path::{ProjectName, WorkspacePath};

use crate::words::Notice;
use chat::{Chat, ChatAction};
use embed::{Embed, View};
use files::{FileId, Files, FilesAction};
use go_to::AllFiles;
use groups::GroupId;
use keys::Keymap;
use output::{Output, OutputAction};
use people::News;
use preview::{Address, Wish};
use runs::{Runs, RunsAction};
use search::{Search, SearchAction};
use settings::stored::Values;
use settings::{Aside, Layout, Pane, PanelTab, Settings};
use terminals::{Terminals, TerminalsAction};
use tour::Tour;
use transfers::{Transfers, TransfersAction};
use tree::{Tree, TreeAction};

/// Messages shown at once; an older one makes room.
pub const MAX_ALERTS: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub connection: Connection,
    /// All of the page's code is here; until then no more is drawn than a file needs.
    pub is_whole: bool,
    /// The page is in a frame of another one.
    pub is_framed: bool,
    /// What it is to be there, once that is known.
    pub embed: Option<Rc<Embed>>,
    /// It waits to be asked for, and no room is joined until then.
    pub is_asleep: bool,
    /// Who this page is in the room; `None` until it has joined.
    pub me: Option<Rc<Me>>,
    pub projects: Rc<Vec<ProjectName>>,
    pub tree: Rc<Tree>,
    pub transfers: Rc<Transfers>,
    pub files: Rc<Files>,
    pub terminals: Rc<Terminals>,
    pub people: Rc<Vec<Person>>,
    /// Whose place in the files is shown here, too.
    pub following: Option<MemberId>,
    /// What is to be said of comings and goings, and of what runs.
    pub news: Option<Rc<News>>,
    pub chat: Rc<Chat>,
    pub search: Rc<Search>,
    /// What can be gone to; as it was listed last.
    pub all_files: Rc<AllFiles>,
    pub listeners: Rc<Vec<Listener>>,
    /// A port that somebody may want to hear of: it is listened on since this page came.
    pub new_port: Option<u16>,
    /// Where the preview was told to go last.
    pub preview_wish: Option<Rc<Wish>>,
    pub runs: Rc<Runs>,
    pub output: Rc<Output>,
    pub sandbox: Sandbox,
    pub alerts: Rc<Vec<Alert>>,
    pub dialog: Option<Dialog>,
    pub tour: Option<Tour>,
    pub menu: Option<Menu>,
    pub terminal_menu: Option<TerminalMenu>,
    pub tab_menu: Option<TabMenu>,
    /// Ctrl is held for the next key, by the button of a touch screen.
    pub control: bool,
    /// What is set here: a person's own settings, and what this room has instead.
    pub settings: Rc<Settings>,
    pub own: Rc<Settings>,
    pub here: Rc<Values>,
    pub keymap: Rc<Keymap>,
    pub layout: Layout,
    last_alert: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    pub member: MemberId,
    pub user: String,
    pub role: Role,
    pub project: ProjectName,
    pub room: RoomId,
    /// The longest message the server takes, in bytes.
    pub max_message: u64,
}

impl Me {
    /// Whether this page may change anything.
    pub fn works(&self) -> bool {
        self.role > Role::Viewer
    }
}

/// How the page stands to the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Connection {
    /// Not joined yet; with what came in the way of it, if anything did.
    #[default]
    Joining,
    JoiningAgain(Notice),
    Connected,
    /// Since a time of day.
    Reconnecting(String),
    /// The browser itself says that there is no network.
    Offline(String),
    /// It is no use to try again by itself.
    Failed(Notice),
}

/// The sandbox as the server tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    pub state: SandboxState,
    pub message: Option<String>,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { state: SandboxState::Starting, message: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub number: u32,
    pub text: String,
    /// What the server said, where something was asked of it.
    pub failure: Option<Failure>,
    /// When it goes by itself, if ever.
    until: Option<Occasion>,
}

/// After which a message has nothing to say any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The page is connected again.
    Connected,
    /// A program was run, or another file is shown.
    Ran,
}

/// The dialog that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialog {
    Share,
    /// Who else may see a port.
    SharePort(u16),
    Settings,
    /// Which keys do what.
    Shortcuts,
    Help,
    /// The run configurations that the project keeps.
    Runs,
    /// The command palette; with `files`, it offers files alone. `start` stands in its field at first.
    Palette {
        files: bool,
        start: &'static str,
    },
    /// These entries, and all they hold, are to be deleted.
    Delete(Vec<WorkspacePath>),
    /// Names of files that are uploaded are taken.
    Taken,
    /// Everything that was found is to be replaced.
    ReplaceAll,
    /// A file is to be closed whose last edits the server does not hold.
    Discard(FileId),
    /// Several lines are to be pasted into a terminal.
    Paste {
        terminal: SessionId,
        text: String,
    },
}

/// A context menu, opened at a place of the window in CSS pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// The entry it is for; `None` for the project itself.
    pub path: Option<WorkspacePath>,
    pub x: i32,
    pub y: i32,
}

/// The menu of a terminal, opened at a place of the window in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalMenu {
    pub id: SessionId,
    /// There is something to copy.
    pub has_selection: bool,
    pub x: i32,
    pub y: i32,
}

/// The menu of an open file's tab, opened at a place of the window in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TabMenu {
    pub group: GroupId,
    pub file: FileId,
    pub x: i32,
    pub y: i32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Connection(Connection),
    /// All of the page's code is here.
    Whole,
    Embedded(Embed),
    /// Shows another part of the page in its frame.
    View(View),
    Asleep(bool),
    Joined {
        joined: Box<Joined>,
        project: ProjectName,
    },
    People(Vec<Person>),
    Follow(Option<MemberId>),
    Listeners(Vec<Listener>),
    /// Tells of a port, or no longer.
    NewPort(Option<u16>),
    /// Shows a page that a program serves.
    Preview(Address),
    Runs(RunsAction),
    Output(OutputAction),
    Sandbox(Sandbox),
    Tree(TreeAction),
    Transfers(TransfersAction),
    Files(FilesAction),
    Terminals(TerminalsAction),
    Chat(ChatAction),
    Search(SearchAction),
    AllFiles(AllFiles),
    Alert(String),
    /// Something that was asked of the server has failed.
    Failed {
        text: String,
        failure: Failure,
    },
    CloseAlert(u32),
    /// A message that is over when this comes.
    AlertUntil(Occasion, String),
    Dialog(Option<Dialog>),
    Tour(Option<Tour>),
    Menu(Option<Menu>),
    TerminalMenu(Option<TerminalMenu>),
    TabMenu(Option<TabMenu>),
    /// What was said in the line below has been there long enough.
    NewsOver(u32),
    Control(bool),
    /// A person's own settings, and what this room has instead.
    Settings {
        own: Settings,
        here: Values,
    },
    Layout(Layout),
}

impl State {
    /// Applies an action.
    pub fn reduce(&mut self, action: Action) {
        match action {
            Action::Connection(connection) => self.connection = connection,
            Action::Whole => self.is_whole = true,
            Action::Embedded(embed) => self.embed = Some(Rc::new(embed)),
            Action::View(view) => {
                if let Some(embed) = &mut self.embed {
                    Rc::make_mut(embed).view = view;
                }
            }
            Action::Asleep(is_asleep) => self.is_asleep = is_asleep,
            Action::Joined { joined, project } => self.joined(*joined, project),
            Action::People(people) => self.people_are(people),
            Action::Follow(member) => self.following = member,
            Action::Listeners(listeners) => {
                self.new_port = self.new_port.filter(|port| listeners.iter().any(|listener| listener.port == *port));
                self.listeners = Rc::new(listeners);
            }
            Action::NewPort(port) => self.new_port = port,
            Action::Preview(to) => {
                self.layout = Layout { port: to.port, ..self.layout.with_aside(Some(Aside::Preview)) };
                let number = self.preview_wish.as_ref().map_or(1, |wish| wish.number + 1);
                self.preview_wish = Some(Rc::new(Wish { number, to }));
            }
            Action::Runs(action) => Rc::make_mut(&mut self.runs).reduce(action),
            Action::Output(action) => Rc::make_mut(&mut self.output).reduce(action),
            Action::Sandbox(sandbox) => self.sandbox = sandbox,
            Action::Tree(action) => Rc::make_mut(&mut self.tree).reduce(action),
            Action::Transfers(action) => Rc::make_mut(&mut self.transfers).reduce(action),
            Action::Files(action) => {
                if matches!(action, FilesAction::Show { .. } | FilesAction::Activate(_) | FilesAction::ActivateIn(..)) {
                    self.layout.pane = Pane::Editor;
                }
                let before = self.files.active;
                Rc::make_mut(&mut self.files).reduce(action);
                if self.files.active != before {
                    self.came(Occasion::Ran);
                }
            }
            Action::Terminals(action) => {
                let Some(action) = self.own(action) else { return };
                match &action {
                    TerminalsAction::Ran(_) => self.came(Occasion::Ran),
                    TerminalsAction::Changed(terminal) if terminal.exit.is_some() => {
                        Rc::make_mut(&mut self.output).heard(terminal);
                    }
                    TerminalsAction::Listed(list) if list.is_empty() => Rc::make_mut(&mut self.output).forget_ends(),
                    _ => {}
                }
                if matches!(action, TerminalsAction::Ran(_) | TerminalsAction::Activate(_)) {
                    self.layout.panel_tab = PanelTab::Terminals;
                }
                if let Some(text) = self.terminals.news(&action) {
                    self.say(text);
                }
                Rc::make_mut(&mut self.terminals).reduce(action);
            }
            Action::Chat(action) => {
                let me = self.me.as_ref().map(|me| me.member);
                let open = self.layout.aside == Some(Aside::Chat);
                Rc::make_mut(&mut self.chat).reduce(action, me, open);
            }
            Action::Search(action) => Rc::make_mut(&mut self.search).reduce(action),
            Action::AllFiles(files) => self.all_files = Rc::new(files),
            Action::Alert(text) => self.alert(text, None, None),
            Action::Failed { text, failure } => self.alert(text, Some(failure), None),
            Action::AlertUntil(occasion, text) => self.alert(text, None, Some(occasion)),
            Action::CloseAlert(number) => Rc::make_mut(&mut self.alerts).retain(|alert| alert.number != number),
            Action::Dialog(dialog) => self.dialog = dialog,
            Action::Tour(tour) => self.tour = tour,
            Action::Menu(menu) => self.menu = menu,
            Action::TerminalMenu(menu) => self.terminal_menu = menu,
            Action::TabMenu(menu) => self.tab_menu = menu,
            Action::NewsOver(number) => self.news = self.news.take().filter(|news| news.number != number),
            Action::Control(held) => self.control = held,
            Action::Settings { own, here } => {
                let settings = own.with_all(&here);
                if settings.keys != self.settings.keys {
                    self.keymap = Rc::new(Keymap::new(&settings.keys));
                }
                self.settings = Rc::new(settings);
                self.own = Rc::new(own);
                self.here = Rc::new(here);
            }
            Action::Layout(layout) => {
                self.layout = layout;
                if layout.aside == Some(Aside::Preview) {
                    // Who sees it needs no word of it.
                    self.new_port = self.new_port.filter(|port| *port != layout.port);
                }
            }
        }
    }

    /// Whether this page may change anything in the room.
    pub fn works(&self) -> bool {
        let is_read_only = self.embed.as_ref().is_some_and(|embed| embed.is_read_only);
        !is_read_only && self.me.as_ref().is_some_and(|me| me.works())
    }

    fn joined(&mut self, joined: Joined, project: ProjectName) {
        let Joined { user, role, full, .. } = joined;
        self.connection = Connection::Connected;
        self.came(Occasion::Connected);
        let Some(full) = full else { return };
        self.following = None;
        self.me = Some(Rc::new(Me {
            member: full.member,
            user,
            role,
            project,
            room: full.room,
            max_message: full.max_message,
        }));
        self.projects = Rc::new(full.projects);
        self.people = Rc::new(full.people);
        self.listeners = Rc::new(full.listeners);
        self.sandbox = Sandbox { state: full.sandbox, message: None };
        full.terminals.iter().for_each(|terminal| Rc::make_mut(&mut self.output).heard(terminal));
        if let Some(listed) = self.own(TerminalsAction::Listed(full.terminals)) {
            Rc::make_mut(&mut self.terminals).reduce(listed);
        }
    }

    /// What is told of terminals, without those of others where this page is one of several blocks of a page.
    fn own(&self, action: TerminalsAction) -> Option<TerminalsAction> {
        let is_block = self.embed.as_ref().is_some_and(|embed| embed.is_block);
        let me = self.me.as_ref().map(|me| me.member);
        // Who comes back after a break may be somebody else for the server.
        let is_known = |terminal: &Terminal| self.terminals.get(terminal.terminal).is_some();
        let is_own = |terminal: &Terminal| !is_block || terminal.opener == me || is_known(terminal);
        match action {
            TerminalsAction::Listed(mut list) => {
                list.retain(is_own);
                Some(TerminalsAction::Listed(list))
            }
            TerminalsAction::Changed(terminal) => is_own(&terminal).then_some(TerminalsAction::Changed(terminal)),
            other => Some(other),
        }
    }

    fn people_are(&mut self, people: Vec<Person>) {
        if let Some(me) = &self.me
            && let Some(text) = people::news(&self.people, &people, me.member)
        {
            self.say(text);
        }
        self.people = Rc::new(people);
    }

    /// Says something in the line below, where screen readers hear it too.
    fn say(&mut self, text: String) {
        let number = self.news.as_ref().map_or(0, |news| news.number + 1);
        self.news = Some(Rc::new(News { number, text }));
    }

    /// Takes away the messages that were shown until this.
    fn came(&mut self, occasion: Occasion) {
        if self.alerts.iter().any(|alert| alert.until == Some(occasion)) {
            Rc::make_mut(&mut self.alerts).retain(|alert| alert.until != Some(occasion));
        }
    }

    /// Shows a message; the same one twice is shown once.
    fn alert(&mut self, text: String, failure: Option<Failure>, until: Option<Occasion>) {
        let alerts = Rc::make_mut(&mut self.alerts);
        alerts.retain(|alert| alert.text != text);
        self.last_alert += 1;
        alerts.push(Alert { number: self.last_alert, text, failure, until });
        let surplus = alerts.len().saturating_sub(MAX_ALERTS);
        alerts.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_is_shown_once_and_the_oldest_make_room() {
        let mut state = State::default();
        for text in ["a", "b", "a", "c", "d", "e"] {
            state.reduce(Action::Alert(text.to_owned()));
        }
        let texts: Vec<&str> = state.alerts.iter().map(|alert| alert.text.as_str()).collect();
        assert_eq!(texts, ["a", "c", "d", "e"]);
        let number = state.alerts[0].number;
        state.reduce(Action::CloseAlert(number));
        assert_eq!(state.alerts.len(), 3);
    }

    #[test]
    fn what_was_true_while_away_is_not_said_afterwards() {
        let mut state = State::default();
        state.reduce(Action::AlertUntil(Occasion::Connected, "away".to_owned()));
        state.reduce(Action::AlertUntil(Occasion::Ran, "stays".to_owned()));
        let joined = Joined { user: "u".into(), color: "#000000".into(), role: Role::Editor, full: None };
        let project = ProjectName::parse("p").unwrap();
        state.reduce(Action::Joined { joined: Box::new(joined), project });
        assert_eq!(state.alerts.iter().map(|alert| alert.text.as_str()).collect::<Vec<_>>(), ["stays"]);
    }

    #[test]
    fn a_port_is_told_of_no_longer_once_its_page_is_seen() {
        let mut state = State::default();
        state.reduce(Action::NewPort(Some(8000)));
        let seen = |port| Layout { port, ..Layout::default().with_aside(Some(Aside::Preview)) };
        state.reduce(Action::Layout(seen(3000)));
        assert_eq!(state.new_port, Some(8000), "another one is");
        state.reduce(Action::Layout(seen(8000)));
        assert_eq!(state.new_port, None);
    }

    #[test]
    fn a_block_of_a_page_knows_its_own_terminals_alone() {
        let terminal = |id: u32, opener: u32| Terminal {
            terminal: SessionId(id),
            title: String::new(),
            kind: embedenv_shared::frame::TerminalKind::Run,
            project: ProjectName::parse("p").unwrap(),
            cols: 80,
            rows: 24,
            driver: None,
            opener: Some(MemberId(opener)),
            locked: false,
            errors: None,
            exit: None,
        };
        let known = |is_block| {
            let me = Me {
                member: MemberId(1),
                user: String::new(),
                role: Role::Editor,
                project: ProjectName::parse("p").unwrap(),
                room: RoomId([0; _]),
                max_message: 0,
            };
            let mut state = State { me: Some(Rc::new(me)), ..State::default() };
            state.reduce(Action::Embedded(Embed { is_block, ..Embed::default() }));
            let listed = vec![terminal(1, 2), terminal(2, 1)];
            state.reduce(Action::Terminals(TerminalsAction::Listed(listed)));
            state.reduce(Action::Terminals(TerminalsAction::Changed(terminal(3, 2))));
            // After a break the server may know this page as another member.
            state.reduce(Action::Terminals(TerminalsAction::Changed(terminal(2, 9))));
            state.terminals.list.iter().map(|terminal| terminal.terminal.0).collect::<Vec<_>>()
        };
        assert_eq!((known(true), known(false)), (vec![2], vec![1, 2, 3]));
    }

    #[test]
    fn what_one_action_does_not_touch_stays_the_same_value() {
        let mut state = State::default();
        let before = state.clone();
        state.reduce(Action::NewPort(Some(8000)));
        assert!(Rc::ptr_eq(&before.tree, &state.tree) && Rc::ptr_eq(&before.files, &state.files));
    }
}
