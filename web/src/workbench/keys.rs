//! Keys that mean the same wherever the keyboard is, and the palette's commands.

use embedenv_shared::link::files::Item;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent};

use super::Workbench;
use crate::interop::page;
use crate::state::palette::Command;
use crate::state::settings::{Aside, Layout, Pane, Theme};
use crate::state::{Action, Dialog};

impl Workbench {
    /// A key came to the page: first on its way down (`captures`), where only keys are taken that no program in a terminal
    /// and no editor needs, then on its way up, if nobody else took it.
    pub(super) fn key(&self, event: &KeyboardEvent, captures: bool) {
        if event.default_prevented() || event.is_composing() || self.state().me.is_none() {
            return;
        }
        let control = event.ctrl_key() || event.meta_key();
        let in_dialog = is_within(event, "dialog");
        let key = event.key();
        let act: fn(&Self) = match (captures, control, event.shift_key(), key.as_str()) {
            (true, true, true, "P" | "p") => |workbench| workbench.toggle_palette(false),
            (true, true, false, "`") => Self::focus_terminal,
            (false, false, false, "F1") => |workbench| workbench.toggle_palette(false),
            (false, true, false, "p") => |workbench| workbench.toggle_palette(true),
            (false, true, false, "s") => Self::save_active,
            (false, true, false, "Enter") if !in_dialog => Self::run,
            _ => return,
        };
        event.prevent_default();
        if captures {
            event.stop_propagation();
        }
        act(self);
    }

    pub(crate) fn toggle_palette(&self, files: bool) {
        let open = matches!(self.state().dialog, Some(Dialog::Palette { files: shown }) if shown == files);
        self.dispatch(Action::Dialog((!open).then_some(Dialog::Palette { files })));
    }

    pub(crate) fn toggle_preview(&self) {
        let first = self.state().ports.first().copied();
        if let Some(port) = first.filter(|_| self.state().layout.aside != Some(Aside::Preview)) {
            let layout = self.state().layout;
            self.dispatch(Action::Layout(Layout { port, ..layout }));
        }
        self.toggle_aside(Aside::Preview);
    }

    /// Shows or hides what can be beside the editor.
    pub(super) fn toggle_aside(&self, what: Aside) {
        let layout = self.state().layout;
        let aside = (layout.aside != Some(what)).then_some(what);
        self.dispatch(Action::Layout(Layout { aside, ..layout }));
    }

    pub(crate) fn preview_port(&self, port: u16) {
        let layout = self.state().layout;
        self.dispatch(Action::Layout(Layout { aside: Some(Aside::Preview), port, ..layout }));
    }

    /// Does what the palette offers by name.
    pub(crate) fn perform(&self, command: Command) {
        match command {
            Command::Run => self.run(),
            Command::Stop => self.stop(),
            Command::Save => self.save_active(),
            Command::NewFile => self.name_in_tree(Item::File),
            Command::NewFolder => self.name_in_tree(Item::Folder),
            Command::Upload => page::click("#upload"),
            Command::Download => self.download_selected(),
            Command::Rename => {
                self.show_pane(Pane::Files);
                self.rename_selected();
            }
            Command::Delete => self.ask_to_delete_selected(),
            Command::NewTerminal => self.open_terminal(true),
            Command::CloseTerminal => {
                let active = self.state().terminals.active().map(|terminal| terminal.terminal);
                if let Some(id) = active {
                    self.close_terminal(id);
                }
            }
            Command::CloseFile => {
                let active = self.state().files.active;
                if let Some(id) = active {
                    self.close_file(id);
                }
            }
            Command::FocusFiles => {
                self.show_pane(Pane::Files);
                self.focus_tree();
            }
            Command::FocusEditor => {
                self.show_pane(Pane::Editor);
                self.focus_editor();
            }
            Command::FocusTerminal => self.focus_terminal(),
            Command::GoToFile => self.dispatch(Action::Dialog(Some(Dialog::Palette { files: true }))),
            Command::Share => self.dispatch(Action::Dialog(Some(Dialog::Share))),
            Command::Preview => self.toggle_preview(),
            Command::Chat => self.toggle_chat(),
            Command::Settings => self.dispatch(Action::Dialog(Some(Dialog::Settings))),
            Command::DarkTheme => self.set_theme(Theme::Dark),
            Command::LightTheme => self.set_theme(Theme::Light),
            Command::SystemTheme => self.set_theme(Theme::System),
        }
    }

    pub(crate) fn name_in_tree(&self, item: Item) {
        self.show_pane(Pane::Files);
        self.name_new(item);
    }

    pub(crate) fn set_theme(&self, theme: Theme) {
        let mut settings = (*self.state().settings).clone();
        settings.theme = theme;
        self.set(settings);
    }
}

fn is_within(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.closest(selector).ok().flatten().is_some())
}
