//! Everything the page can do by name: one table of commands with their words, their keys and where these are heard.
//!
//! The palette, the list of shortcuts and the keyboard read this table; what a command does stands in `workbench::keys`.

use super::keys::Place;

/// Something the page can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Palette,
    GoToFile,
    Run,
    Stop,
    Save,
    NewFile,
    NewFolder,
    Upload,
    Download,
    Rename,
    Delete,
    NewTerminal,
    CloseTerminal,
    CloseFile,
    FocusFiles,
    /// Goes to the group of editors at a place, from 0; behind the last one, a new one is made.
    FocusGroup(usize),
    SplitRight,
    SplitDown,
    NextTab,
    PreviousTab,
    MoveTabLeft,
    MoveTabRight,
    MoveToNextGroup,
    MoveToPreviousGroup,
    CloseOthers,
    JoinGroups,
    ReopenFile,
    FocusTerminal,
    ToggleSide,
    TogglePanel,
    ToggleAside,
    Zen,
    People,
    Share,
    Preview,
    Chat,
    Settings,
    DarkTheme,
    LightTheme,
    SystemTheme,
    /// Done by the editor that has the keyboard, which knows it by this name (`web/js/src/editor/commands.ts`).
    Editor(&'static str),
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub command: Command,
    /// What it is called where shortcuts are kept. Never changes.
    pub id: &'static str,
    pub name: &'static str,
    /// Keys that do it, unless a person chose others.
    pub keys: &'static [&'static str],
    /// Where the keyboard must be for its keys.
    pub place: Place,
    /// It changes something in the room, so that a viewer is not offered it.
    pub is_work: bool,
}

const fn entry(command: Command, id: &'static str, name: &'static str, keys: &'static [&'static str]) -> Entry {
    Entry { command, id, name, keys, place: Place::Page, is_work: false }
}

/// A command of the editor's.
const fn editor(id: &'static str, name: &'static str, keys: &'static [&'static str]) -> Entry {
    entry(Command::Editor(id), id, name, keys).at(Place::Editor)
}

impl Entry {
    const fn work(self) -> Self {
        Self { is_work: true, ..self }
    }

    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

pub const COMMANDS: &[Entry] = &[
    entry(Command::Palette, "palette", "Command palette", &["Ctrl+Shift+P", "F1"]).at(Place::Everywhere),
    entry(Command::Run, "run", "Run the open file", &["Ctrl+Enter"]).work(),
    entry(Command::Stop, "stop", "Stop what runs", &["Shift+F5"]).work(),
    entry(Command::Save, "save", "Save", &["Ctrl+S"]).work(),
    entry(Command::GoToFile, "go-to-file", "Go to file", &["Ctrl+P"]),
    entry(Command::NewFile, "new-file", "New file", &[]).work(),
    entry(Command::NewFolder, "new-folder", "New folder", &[]).work(),
    entry(Command::Upload, "upload", "Upload files", &[]).work(),
    entry(Command::Download, "download", "Download the selected file", &[]),
    entry(Command::Rename, "rename", "Rename the selected entry", &["F2"]).work().at(Place::Tree),
    entry(Command::Delete, "delete", "Delete the selected entry", &["Delete"]).work().at(Place::Tree),
    entry(Command::NewTerminal, "new-terminal", "New terminal", &["Ctrl+Shift+`"]).work().at(Place::Everywhere),
    entry(Command::CloseTerminal, "close-terminal", "Close terminal", &[]).work(),
    entry(Command::CloseFile, "close-file", "Close file", &["Ctrl+F4"]),
    entry(Command::FocusFiles, "focus-files", "Go to the files", &["Ctrl+Shift+E"]).at(Place::Everywhere),
    entry(Command::ReopenFile, "reopen-file", "Open the file that was closed last", &["Ctrl+Shift+F4"]),
    entry(Command::CloseOthers, "close-others", "Close the other files of the group", &[]),
    entry(Command::NextTab, "next-tab", "Next file", &["Ctrl+PageDown"]),
    entry(Command::PreviousTab, "previous-tab", "Previous file", &["Ctrl+PageUp"]),
    entry(Command::MoveTabLeft, "move-tab-left", "Move the tab to the left", &["Ctrl+Shift+PageUp"]),
    entry(Command::MoveTabRight, "move-tab-right", "Move the tab to the right", &["Ctrl+Shift+PageDown"]),
    entry(Command::SplitRight, "split-right", "Split the editor to the right", &["Ctrl+\\"]),
    entry(Command::SplitDown, "split-down", "Split the editor downwards", &["Ctrl+K Ctrl+\\"]),
    entry(Command::MoveToNextGroup, "move-to-next-group", "Move the file to the next group", &["Ctrl+Alt+ArrowRight"]),
    entry(
        Command::MoveToPreviousGroup,
        "move-to-previous-group",
        "Move the file to the previous group",
        &["Ctrl+Alt+ArrowLeft"],
    ),
    entry(Command::JoinGroups, "join-groups", "Join all groups of editors", &[]),
    entry(Command::FocusGroup(0), "focus-editor", "Go to the editor", &["Ctrl+1"]),
    entry(Command::FocusGroup(1), "focus-group-2", "Go to the second group of editors", &["Ctrl+2"]),
    entry(Command::FocusGroup(2), "focus-group-3", "Go to the third group of editors", &["Ctrl+3"]),
    entry(Command::FocusTerminal, "focus-terminal", "Go to the terminal", &["Ctrl+`"]).at(Place::Everywhere),
    entry(Command::Share, "share", "Share", &[]).work(),
    entry(Command::Preview, "preview", "Preview", &[]).work(),
    entry(Command::Chat, "chat", "Chat and activity", &[]),
    entry(Command::People, "people", "People in the room", &[]),
    entry(Command::ToggleSide, "toggle-side", "Show or fold the files", &["Ctrl+B"]),
    entry(Command::TogglePanel, "toggle-panel", "Show or fold the terminals", &["Ctrl+J"]),
    entry(Command::ToggleAside, "toggle-aside", "Show or close the pane at the right", &["Ctrl+Alt+B"]),
    entry(Command::Zen, "zen", "Zen mode: nothing but the editors", &["Ctrl+K Z"]),
    entry(Command::Settings, "settings", "Settings", &["Ctrl+,"]),
    editor("find", "Find in the file", &["Ctrl+F"]),
    editor("go-to-line", "Go to line", &["Ctrl+G"]),
    editor("toggle-comment", "Toggle line comment", &["Ctrl+/"]).work(),
    editor("toggle-block-comment", "Toggle block comment", &["Alt+Shift+A"]).work(),
    editor("fold", "Fold", &["Ctrl+Shift+["]),
    editor("unfold", "Unfold", &["Ctrl+Shift+]"]),
    editor("fold-all", "Fold all", &["Ctrl+K Ctrl+0"]),
    editor("unfold-all", "Unfold all", &["Ctrl+K Ctrl+J"]),
    editor("select-next-occurrence", "Add the next occurrence to the selection", &["Ctrl+D"]),
    editor("select-all-occurrences", "Select all occurrences", &["Ctrl+Shift+L"]),
    editor("add-cursor-above", "Add a cursor above", &["Ctrl+Alt+ArrowUp"]),
    editor("add-cursor-below", "Add a cursor below", &["Ctrl+Alt+ArrowDown"]),
    editor("select-line", "Select the line", &["Ctrl+L"]),
    editor("move-line-up", "Move the line up", &["Alt+ArrowUp"]).work(),
    editor("move-line-down", "Move the line down", &["Alt+ArrowDown"]).work(),
    editor("copy-line-up", "Copy the line up", &["Alt+Shift+ArrowUp"]).work(),
    editor("copy-line-down", "Copy the line down", &["Alt+Shift+ArrowDown"]).work(),
    editor("delete-line", "Delete the line", &["Ctrl+Shift+K"]).work(),
    entry(Command::DarkTheme, "theme-dark", "Theme: dark", &[]),
    entry(Command::LightTheme, "theme-light", "Theme: light", &[]),
    entry(Command::SystemTheme, "theme-system", "Theme: as the system", &[]),
];

/// The row of a command.
pub fn of(command: Command) -> &'static Entry {
    COMMANDS.iter().find(|entry| entry.command == command).expect("each command has its row, as a test holds")
}

#[cfg(test)]
mod tests {
    use super::super::keys::Chord;
    use super::*;

    #[test]
    fn every_command_id_and_name_stands_there_once() {
        for (at, entry) in COMMANDS.iter().enumerate() {
            for other in &COMMANDS[..at] {
                assert!(
                    entry.command != other.command && entry.id != other.id && entry.name != other.name,
                    "{entry:?}"
                );
            }
        }
    }

    #[test]
    fn no_two_commands_have_one_key_at_one_place() {
        let mut taken: Vec<(Chord, Place)> = Vec::new();
        for entry in COMMANDS {
            for keys in entry.keys {
                let chord = Chord::parse(keys).expect(keys);
                assert_eq!(chord.to_string(), **keys);
                let is_taken = |(other, place): &(Chord, Place)| {
                    let begins =
                        chord.strokes().starts_with(other.strokes()) || other.strokes().starts_with(chord.strokes());
                    begins && (*place == entry.place || *place == Place::Everywhere || entry.place == Place::Everywhere)
                };
                assert!(!taken.iter().any(is_taken), "{keys}");
                taken.push((chord, entry.place));
            }
        }
    }
}
