//! Keys become commands, and commands are carried out. What there is stands in `state::commands`.

use embedenv_shared::link::files::Item;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent};
use yew::Callback;

use super::Workbench;
use crate::interop::page;
use crate::state::commands::{self, Command, Only};
use crate::state::files::FilesAction;
use crate::state::groups::Side;
use crate::state::keys::{self, Meaning, Place, Stroke};
use crate::state::search::Asked;
use crate::state::settings::{Aside, Layout, Pane, PanelTab, SideView};
use crate::state::tree::TreeAction;
use crate::state::views::Against;
use crate::state::{Action, Dialog};

/// The second of two strokes comes within this time of the first, in milliseconds.
const SECOND_STROKE: f64 = 5000.0;
/// What one types into besides editors and terminals, forms with a button to send them, and lists of hits.
const FIELDS: &str = "input, textarea, select, [data-sends], .results";

impl Workbench {
    /// A key came to the page, on its way down: if a command has it where the keyboard is, nobody else gets it.
    pub(super) fn key(&self, event: &KeyboardEvent) {
        if event.default_prevented() || event.is_composing() || self.state().me.is_none() {
            return;
        }
        if self.takes_key_with_control(event) {
            return;
        }
        let Some(control) = keys::control(event.ctrl_key(), event.meta_key(), &event.key()) else { return };
        let modifiers = (control, event.alt_key(), event.shift_key());
        let strokes = Stroke::of_event(modifiers, &event.key(), &event.code());
        if strokes.is_empty() {
            return;
        }
        let hears = self.hears_keys.borrow().clone();
        if let Some(hears) = hears {
            event.prevent_default();
            event.stop_propagation();
            if let Some(stroke) = Stroke::chosen(strokes) {
                hears.emit(stroke);
            }
            return;
        }
        let before = self.first_stroke.take().filter(|(_, since)| page::now() - since < SECOND_STROKE);
        let before = before.as_ref().map(|(stroke, _)| stroke);
        let keymap = self.state().keymap.clone();
        let focus = place(event);
        let meant = strokes.into_iter().map(|stroke| (keymap.meaning(before, &stroke, focus), stroke));
        let meant = meant.into_iter().find(|(meaning, _)| *meaning != Meaning::Nothing);
        if meant.as_ref().is_some_and(|(meaning, stroke)| self.leaves(*meaning, stroke)) {
            return;
        }
        // What follows a first stroke and means nothing is not typed into the text either.
        if meant.is_none() && before.is_none() {
            return;
        }
        event.prevent_default();
        event.stop_propagation();
        match meant {
            Some((Meaning::Begins, stroke)) => *self.first_stroke.borrow_mut() = Some((stroke, page::now())),
            Some((Meaning::Does(command), _)) if self.works() || !commands::of(command).is_work => {
                self.perform(command)
            }
            _ => {}
        }
    }

    /// Whether a key is left to who has the keyboard, though a command has it.
    fn leaves(&self, meaning: Meaning, stroke: &Stroke) -> bool {
        let Meaning::Does(command) = meaning else { return false };
        match commands::of(command).only {
            Only::Always => false,
            Only::WithPanes => !self.has_panes(),
            Only::WithPreview => !self.previews_active(),
            Only::ByKeysBut(browsers) => stroke.to_string() == browsers,
        }
    }

    /// Gives every key to `hears` from now on, and to nobody else; to whom it belongs again with `None`.
    pub(crate) fn hear_keys(&self, hears: Option<Callback<Stroke>>) {
        *self.hears_keys.borrow_mut() = hears;
    }

    pub(crate) fn toggle_palette(&self, files: bool, start: &'static str) {
        let wanted = Dialog::Palette { files, start };
        let open = self.state().dialog.as_ref() == Some(&wanted);
        self.dispatch(Action::Dialog((!open).then_some(wanted)));
    }

    pub(crate) fn toggle_preview(&self) {
        let (listeners, layout) = (self.state().listeners.clone(), self.state().layout);
        let is_there = listeners.iter().any(|listener| listener.port == layout.port);
        let first = listeners.first().map(|listener| listener.port).filter(|_| !is_there);
        // In a frame that has its ways: a port or a path may be named there.
        if let Some(port) = first.filter(|_| layout.aside != Some(Aside::Preview) && !self.state().is_framed) {
            self.change_layout(|layout| Layout { port, ..layout });
        }
        self.toggle_aside(Aside::Preview);
        self.follow_ports();
    }

    /// Shows or hides what can be beside the editor.
    pub(super) fn toggle_aside(&self, what: Aside) {
        self.change_layout(|layout| layout.with_aside((layout.aside != Some(what)).then_some(what)));
    }

    pub(crate) fn change_layout(&self, change: impl FnOnce(Layout) -> Layout) {
        let layout = self.state().layout;
        self.dispatch(Action::Layout(change(layout)));
    }

    pub(crate) fn preview_port(&self, port: u16) {
        self.change_layout(|layout| Layout { port, ..layout.with_aside(Some(Aside::Preview)) });
    }

    /// Does what the palette offers by name.
    pub(crate) fn perform(&self, command: Command) {
        match command {
            Command::Palette => self.toggle_palette(false, ""),
            Command::Run => self.run(),
            Command::RunChosen => self.run_chosen(),
            Command::EditRuns => self.edit_runs(),
            Command::Stop => self.stop(),
            Command::Save => self.save_active(),
            Command::NewFile => self.name_in_tree(Item::File),
            Command::NewFolder => self.name_in_tree(Item::Folder),
            Command::Upload => page::click("#upload"),
            Command::UploadFolder => page::click("#upload-folder"),
            Command::Download => self.download_selected(),
            Command::CutEntries => self.take_chosen(true),
            Command::CopyEntries => self.take_chosen(false),
            Command::PasteEntries => self.paste(),
            Command::DuplicateEntries => self.duplicate(),
            Command::SelectAllEntries => self.dispatch(Action::Tree(TreeAction::SelectAll)),
            Command::CopyPath => self.copy_paths(),
            Command::FilterFiles => {
                self.show_pane(Pane::Files);
                self.filter_files();
            }
            Command::FoldFolders => self.fold_all(),
            Command::RefreshFiles => self.list_all(),
            Command::ToggleHidden => self.toggle_hidden(),
            Command::Rename => {
                self.show_files();
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
                let (active, group) = (self.state().files.active, self.state().files.groups.active);
                if let Some(id) = active {
                    self.close_tab(group, id);
                }
            }
            Command::ReopenFile => self.reopen_file(),
            Command::CloseOthers => self.close_others(),
            Command::CloseAfter => self.close_after(),
            Command::CloseSaved => self.close_saved(),
            Command::CloseAll => self.close_all(),
            Command::Reveal => self.reveal_active(),
            Command::NextTab => self.step_tab(1),
            Command::PreviousTab => self.step_tab(-1),
            Command::MoveTabLeft => self.shift_tab(-1),
            Command::MoveTabRight => self.shift_tab(1),
            Command::SplitRight => self.split_group(Side::Right),
            Command::SplitDown => self.split_group(Side::Down),
            Command::MoveToNextGroup => self.move_to_group(1),
            Command::MoveToPreviousGroup => self.move_to_group(-1),
            Command::JoinGroups => self.dispatch(Action::Files(FilesAction::JoinGroups)),
            Command::FocusFiles => self.show_files(),
            Command::FindInFiles => self.open_search(),
            Command::ReplaceInFiles => {
                self.change_search(|asked| Asked { replaces: true, ..asked });
                self.open_search();
            }
            Command::FocusGroup(at) => {
                self.show_pane(Pane::Editor);
                self.focus_group(at);
            }
            Command::GoBack => self.step_place(-1),
            Command::GoForward => self.step_place(1),
            Command::FocusTerminal => self.focus_terminal(),
            Command::FindInTerminal => self.find_in_terminal(),
            Command::ClearTerminal => self.clear_terminal(),
            Command::RenameTerminal => self.name_active_terminal(),
            Command::SplitTerminal => self.split_terminal(),
            Command::TakeOutTerminal => self.take_out_terminal(),
            Command::NextTerminalPane => self.step_terminal_pane(1),
            Command::PreviousTerminalPane => self.step_terminal_pane(-1),
            Command::NextTerminal => self.step_terminal(1),
            Command::PreviousTerminal => self.step_terminal(-1),
            Command::MoveTerminalLeft => self.shift_terminal(-1),
            Command::MoveTerminalRight => self.shift_terminal(1),
            Command::CopyFromTerminal => self.copy_from_terminal(),
            Command::PasteIntoTerminal => self.paste_into_terminal(),
            Command::SelectAllInTerminal => self.select_all_in_terminal(),
            Command::CopyOnSelect => {
                let copies = self.state().settings.copy_on_select;
                // A switch takes what is true or false.
                let _ = self.change_setting("copy_on_select", (!copies).into());
            }
            Command::ToggleSide => self.change_layout(Layout::toggle_side),
            Command::TogglePanel => {
                self.change_layout(Layout::toggle_panel);
                self.look_at_terminals();
            }
            Command::ToggleAside => {
                self.change_layout(Layout::toggle_aside);
                self.look_at_chat();
            }
            Command::Zen => {
                self.change_layout(|layout| Layout { zen: !layout.zen, ..layout });
                self.focus_editor();
            }
            Command::Output => self.show_panel_tab(PanelTab::Output),
            Command::Ports => self.show_panel_tab(PanelTab::Ports),
            Command::People => self.toggle_aside(Aside::People),
            Command::GoToFile => self.toggle_palette(true, ""),
            Command::GoToSymbol => self.toggle_palette(true, "@"),
            Command::Share => self.dispatch(Action::Dialog(Some(Dialog::Share))),
            Command::Preview => self.toggle_preview(),
            Command::Chat => self.toggle_chat(),
            Command::Settings => self.dispatch(Action::Dialog(Some(Dialog::Settings))),
            Command::Shortcuts => self.dispatch(Action::Dialog(Some(Dialog::Shortcuts))),
            Command::Help => self.dispatch(Action::Dialog(Some(Dialog::Help))),
            Command::Tour => self.start_tour(),
            Command::NextPane => self.step_pane(1),
            Command::PreviousPane => self.step_pane(-1),
            Command::Theme(theme) => self.set_theme(theme),
            Command::Format => self.format_active(),
            Command::ToggleWrap => self.switch_setting("wrap"),
            Command::ToggleWhitespace => self.switch_setting("whitespace"),
            Command::ToggleGuides => self.switch_setting("guides"),
            Command::LargerText => self.size_text(1),
            Command::SmallerText => self.size_text(-1),
            Command::TextAsSet => self.reset_setting("font_size"),
            Command::PreviewFile => self.preview_active(false),
            Command::PreviewBeside => self.preview_active(true),
            Command::CompareFirst => self.compare_active(Against::First),
            Command::CompareSaved => self.compare_active(Against::Saved),
            Command::Editor(name) => {
                let (active, group) = (self.state().files.active, self.state().files.groups.active);
                if let Some(id) = active {
                    self.perform_in_editor(id, group, name);
                }
            }
        }
    }

    pub(crate) fn name_in_tree(&self, item: Item) {
        self.change_layout(|layout| Layout { side_view: SideView::Files, ..layout });
        self.show_pane(Pane::Files);
        self.name_new(item);
    }
}

/// Where the keyboard is.
fn place(event: &KeyboardEvent) -> Place {
    let places = [
        ("dialog", Place::Dialog),
        (".terminal-pane", Place::Terminal),
        (".cm-content", Place::Editor),
        (".cm-search", Place::Find),
        (FIELDS, Place::Field),
        (".tree", Place::Tree),
    ];
    places.into_iter().find(|(selector, _)| is_within(event, selector)).map_or(Place::Page, |(_, place)| place)
}

fn is_within(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|target| target.closest(selector).ok().flatten().is_some())
}
