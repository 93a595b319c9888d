//! Everything the page can do by name: one table of commands with their words, their keys and where these are heard.
//!
//! The palette, the list of shortcuts and the keyboard read this table; what a command does stands in `workbench::keys`.

use super::keys::Place;
use super::settings::Theme;
use crate::words::catalogue::find;

/// Something the page can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Palette,
    GoToFile,
    GoToSymbol,
    FindInFiles,
    ReplaceInFiles,
    Run,
    /// Runs what the Run button is for.
    RunChosen,
    EditRuns,
    Stop,
    Save,
    NewFile,
    NewFolder,
    Upload,
    UploadFolder,
    Download,
    Rename,
    Delete,
    CutEntries,
    CopyEntries,
    PasteEntries,
    DuplicateEntries,
    SelectAllEntries,
    CopyPath,
    FilterFiles,
    FoldFolders,
    RefreshFiles,
    ToggleHidden,
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
    CloseAfter,
    CloseSaved,
    CloseAll,
    Reveal,
    JoinGroups,
    ReopenFile,
    /// Goes to where one was in the files before.
    GoBack,
    GoForward,
    FocusTerminal,
    FindInTerminal,
    ClearTerminal,
    RenameTerminal,
    SplitTerminal,
    TakeOutTerminal,
    NextTerminalPane,
    PreviousTerminalPane,
    NextTerminal,
    PreviousTerminal,
    MoveTerminalLeft,
    MoveTerminalRight,
    CopyFromTerminal,
    /// By its own key the browser does it, which needs no permission for that.
    PasteIntoTerminal,
    SelectAllInTerminal,
    CopyOnSelect,
    ToggleSide,
    TogglePanel,
    ToggleAside,
    Zen,
    Output,
    Ports,
    People,
    Share,
    Preview,
    Chat,
    Settings,
    Shortcuts,
    Help,
    Tour,
    NextPane,
    PreviousPane,
    Theme(Theme),
    Format,
    ToggleWrap,
    ToggleWhitespace,
    ToggleGuides,
    LargerText,
    SmallerText,
    TextAsSet,
    PreviewFile,
    PreviewBeside,
    CompareFirst,
    CompareSaved,
    /// Done by the editor that has the keyboard, which knows it by this name (`web/js/src/editor/commands.ts`).
    Editor(&'static str),
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub command: Command,
    /// What it is called where shortcuts are kept, and in the catalogue of words (`command.ID`). Never changes.
    pub id: &'static str,
    /// Keys that do it, unless a person chose others.
    pub keys: &'static [&'static str],
    /// Where the keyboard must be for its keys.
    pub place: Place,
    /// It changes something in the room, so that a viewer is not offered it.
    pub is_work: bool,
    /// Whether what one types into besides editors and terminals has its keys for itself.
    pub spares_fields: bool,
    /// Its keys are heard in the editor's panel for finding, too.
    pub finds: bool,
    pub only: Only,
}

/// When the keys of a command are heard at all; otherwise they are left to who has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    Always,
    /// Terminals stand beside each other: shells know these keys, too.
    WithPanes,
    /// The open file can be previewed.
    WithPreview,
    /// By another key than this one, by which the browser does the same itself.
    ByKeysBut(&'static str),
}

const fn entry(command: Command, id: &'static str, keys: &'static [&'static str]) -> Entry {
    let (place, only) = (Place::Page, Only::Always);
    Entry { command, id, keys, place, is_work: false, spares_fields: false, finds: false, only }
}

/// A command of the editor's.
const fn editor(id: &'static str, keys: &'static [&'static str]) -> Entry {
    entry(Command::Editor(id), id, keys).at(Place::Editor)
}

impl Entry {
    /// What people read.
    pub fn name(&self) -> &'static str {
        find(&format!("command.{}", self.id)).unwrap_or(self.id)
    }

    const fn work(self) -> Self {
        Self { is_work: true, ..self }
    }

    const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    const fn sparing_fields(self) -> Self {
        Self { spares_fields: true, ..self }
    }

    const fn finding(self) -> Self {
        Self { finds: true, ..self }
    }

    const fn only(self, only: Only) -> Self {
        Self { only, ..self }
    }
}

pub const COMMANDS: &[Entry] = &[
    entry(Command::Palette, "palette", &["Ctrl+Shift+P", "F1"]).at(Place::Everywhere),
    // Forms send with it, and lists of hits open.
    entry(Command::Run, "run", &["Ctrl+Enter"]).work().sparing_fields(),
    entry(Command::RunChosen, "run-chosen", &["F5"]).work().at(Place::Everywhere),
    entry(Command::EditRuns, "edit-runs", &[]).work(),
    entry(Command::Stop, "stop", &["Shift+F5"]).work().at(Place::Everywhere),
    entry(Command::Save, "save", &["Ctrl+S"]).work(),
    entry(Command::GoToFile, "go-to-file", &["Ctrl+P"]),
    entry(Command::GoToSymbol, "go-to-symbol", &["Ctrl+Shift+O"]),
    entry(Command::FindInFiles, "find-in-files", &["Ctrl+Shift+F"]).at(Place::Everywhere),
    entry(Command::ReplaceInFiles, "replace-in-files", &["Ctrl+Shift+H"]).work(),
    entry(Command::NewFile, "new-file", &[]).work(),
    entry(Command::NewFolder, "new-folder", &[]).work(),
    entry(Command::Upload, "upload", &[]).work(),
    entry(Command::UploadFolder, "upload-folder", &[]).work(),
    entry(Command::Download, "download", &[]),
    entry(Command::Rename, "rename", &["F2"]).work().at(Place::Tree),
    entry(Command::Delete, "delete", &["Delete"]).work().at(Place::Tree),
    entry(Command::CutEntries, "cut-entries", &["Ctrl+X"]).work().at(Place::Tree),
    entry(Command::CopyEntries, "copy-entries", &["Ctrl+C"]).work().at(Place::Tree),
    entry(Command::PasteEntries, "paste-entries", &["Ctrl+V"]).work().at(Place::Tree),
    entry(Command::DuplicateEntries, "duplicate-entries", &[]).work(),
    entry(Command::SelectAllEntries, "select-all-entries", &["Ctrl+A"]).at(Place::Tree),
    entry(Command::CopyPath, "copy-path", &["Alt+Shift+C"]).at(Place::Tree),
    entry(Command::FilterFiles, "filter-files", &["Ctrl+F"]).at(Place::Tree),
    entry(Command::FoldFolders, "fold-folders", &[]),
    entry(Command::RefreshFiles, "refresh-files", &[]),
    entry(Command::ToggleHidden, "toggle-hidden", &[]),
    entry(Command::NewTerminal, "new-terminal", &["Ctrl+Shift+`"]).work().at(Place::Everywhere),
    entry(Command::CloseTerminal, "close-terminal", &[]).work(),
    // Those that a browser may keep for its own tabs come second.
    // A switch of the fields for finding.
    entry(Command::CloseFile, "close-file", &["Alt+W", "Ctrl+F4"]).sparing_fields(),
    entry(Command::FocusFiles, "focus-files", &["Ctrl+Shift+E"]).at(Place::Everywhere),
    entry(Command::ReopenFile, "reopen-file", &["Alt+Shift+W", "Ctrl+Shift+F4"]),
    entry(Command::CloseOthers, "close-others", &[]),
    entry(Command::CloseAfter, "close-after", &[]),
    entry(Command::CloseSaved, "close-saved", &["Ctrl+K U"]),
    entry(Command::CloseAll, "close-all", &["Ctrl+K W"]),
    entry(Command::Reveal, "reveal", &["Ctrl+K E"]),
    entry(Command::NextTab, "next-tab", &["Alt+PageDown", "Ctrl+PageDown"]),
    entry(Command::PreviousTab, "previous-tab", &["Alt+PageUp", "Ctrl+PageUp"]),
    entry(Command::MoveTabLeft, "move-tab-left", &["Alt+Shift+PageUp", "Ctrl+Shift+PageUp"]),
    entry(Command::MoveTabRight, "move-tab-right", &["Alt+Shift+PageDown", "Ctrl+Shift+PageDown"]),
    entry(Command::SplitRight, "split-right", &["Ctrl+\\"]),
    entry(Command::SplitDown, "split-down", &["Ctrl+K Ctrl+\\"]),
    entry(Command::MoveToNextGroup, "move-to-next-group", &["Ctrl+Alt+ArrowRight"]),
    entry(Command::MoveToPreviousGroup, "move-to-previous-group", &["Ctrl+Alt+ArrowLeft"]),
    entry(Command::JoinGroups, "join-groups", &[]),
    entry(Command::FocusGroup(0), "focus-editor", &["Ctrl+1"]),
    entry(Command::FocusGroup(1), "focus-group-2", &["Ctrl+2"]),
    entry(Command::FocusGroup(2), "focus-group-3", &["Ctrl+3"]),
    entry(Command::GoBack, "go-back", &["Ctrl+Alt+-", "Alt+ArrowLeft"]).sparing_fields(),
    entry(Command::GoForward, "go-forward", &["Ctrl+Shift+-", "Alt+ArrowRight"]).sparing_fields(),
    entry(Command::FocusTerminal, "focus-terminal", &["Ctrl+`"]).at(Place::Everywhere),
    entry(Command::FindInTerminal, "find-in-terminal", &["Ctrl+F"]).at(Place::Terminal),
    // Ctrl+K is the shell's own; with Shift no program has it.
    entry(Command::ClearTerminal, "clear-terminal", &["Ctrl+Shift+K"]).at(Place::Terminal),
    entry(Command::RenameTerminal, "rename-terminal", &[]).work(),
    entry(Command::SplitTerminal, "split-terminal", &["Ctrl+Shift+5"]).work().at(Place::Terminal),
    entry(Command::TakeOutTerminal, "take-out-terminal", &[]),
    entry(Command::NextTerminalPane, "next-terminal-pane", &["Alt+ArrowRight"])
        .at(Place::Terminal)
        .only(Only::WithPanes),
    entry(Command::PreviousTerminalPane, "previous-terminal-pane", &["Alt+ArrowLeft"])
        .at(Place::Terminal)
        .only(Only::WithPanes),
    entry(Command::NextTerminal, "next-terminal", &["Alt+PageDown", "Ctrl+PageDown"]).at(Place::Terminal),
    entry(Command::PreviousTerminal, "previous-terminal", &["Alt+PageUp", "Ctrl+PageUp"]).at(Place::Terminal),
    entry(Command::MoveTerminalLeft, "move-terminal-left", &["Alt+Shift+PageUp", "Ctrl+Shift+PageUp"])
        .at(Place::Terminal),
    entry(Command::MoveTerminalRight, "move-terminal-right", &["Alt+Shift+PageDown", "Ctrl+Shift+PageDown"])
        .at(Place::Terminal),
    entry(Command::CopyFromTerminal, "copy-from-terminal", &["Ctrl+Shift+C"]).at(Place::Terminal),
    // The browser's own key needs no permission.
    entry(Command::PasteIntoTerminal, "paste-into-terminal", &["Ctrl+Shift+V"])
        .work()
        .at(Place::Terminal)
        .only(Only::ByKeysBut("Ctrl+Shift+V")),
    entry(Command::SelectAllInTerminal, "select-all-in-terminal", &[]),
    entry(Command::CopyOnSelect, "copy-on-select", &[]),
    entry(Command::Share, "share", &[]).work(),
    entry(Command::Preview, "preview", &[]).work(),
    entry(Command::Chat, "chat", &[]),
    entry(Command::People, "people", &[]),
    entry(Command::Output, "output", &["Ctrl+Shift+U"]).at(Place::Everywhere),
    entry(Command::Ports, "ports", &[]),
    entry(Command::ToggleSide, "toggle-side", &["Ctrl+B"]),
    entry(Command::TogglePanel, "toggle-panel", &["Ctrl+J"]),
    entry(Command::ToggleAside, "toggle-aside", &["Ctrl+Alt+B"]),
    entry(Command::Zen, "zen", &["Ctrl+K Z"]),
    entry(Command::Settings, "settings", &["Ctrl+,"]),
    entry(Command::Shortcuts, "shortcuts", &["Ctrl+K Ctrl+S"]),
    entry(Command::Help, "help", &["Ctrl+K Ctrl+H"]),
    entry(Command::Tour, "tour", &[]),
    entry(Command::NextPane, "next-pane", &["F6"]).at(Place::Everywhere),
    entry(Command::PreviousPane, "previous-pane", &["Shift+F6"]).at(Place::Everywhere),
    editor("undo", &["Ctrl+Z"]).work(),
    editor("redo", &["Ctrl+Y", "Ctrl+Shift+Z"]).work(),
    editor("undo-cursor", &["Ctrl+U"]),
    editor("redo-cursor", &["Alt+U"]),
    editor("find", &["Ctrl+F"]).finding(),
    editor("find-next", &["F3"]).finding(),
    editor("find-previous", &["Shift+F3"]).finding(),
    editor("replace", &["Ctrl+H"]).finding().work(),
    editor("go-to-line", &["Ctrl+G"]).finding(),
    editor("toggle-comment", &["Ctrl+/"]).work(),
    editor("toggle-block-comment", &["Alt+Shift+A"]).work(),
    editor("fold", &["Ctrl+Shift+["]),
    editor("unfold", &["Ctrl+Shift+]"]),
    editor("fold-all", &["Ctrl+K Ctrl+0"]),
    editor("unfold-all", &["Ctrl+K Ctrl+J"]),
    editor("select-next-occurrence", &["Ctrl+D"]),
    editor("select-all-occurrences", &["Ctrl+Shift+L", "Ctrl+F2"]),
    editor("add-cursor-above", &["Ctrl+Alt+ArrowUp"]),
    editor("add-cursor-below", &["Ctrl+Alt+ArrowDown"]),
    editor("select-line", &["Ctrl+L"]),
    editor("select-all", &["Ctrl+A"]),
    editor("expand-selection", &["Alt+Shift+ArrowRight", "Ctrl+I"]),
    editor("shrink-selection", &["Alt+Shift+ArrowLeft"]),
    editor("move-line-up", &["Alt+ArrowUp"]).work(),
    editor("move-line-down", &["Alt+ArrowDown"]).work(),
    editor("copy-line-up", &["Alt+Shift+ArrowUp"]).work(),
    editor("copy-line-down", &["Alt+Shift+ArrowDown"]).work(),
    editor("delete-line", &["Ctrl+Shift+K"]).work(),
    editor("delete-word-left", &["Ctrl+Backspace"]).work(),
    editor("delete-word-right", &["Ctrl+Delete"]).work(),
    editor("insert-line-above", &["Ctrl+Shift+Enter"]).work(),
    // Ctrl+Enter runs.
    editor("insert-line-below", &[]).work(),
    editor("join-lines", &[]).work(),
    editor("sort-lines", &[]).work(),
    editor("sort-lines-backwards", &[]).work(),
    editor("upper-case", &[]).work(),
    editor("lower-case", &[]).work(),
    editor("trim-lines", &["Ctrl+K Ctrl+X"]).work(),
    editor("indent-more", &["Ctrl+]"]).work(),
    editor("indent-less", &["Ctrl+["]).work(),
    editor("toggle-tab-moves", &["Ctrl+M"]),
    entry(Command::Theme(Theme::Dark), "theme-dark", &[]),
    entry(Command::Theme(Theme::Light), "theme-light", &[]),
    entry(Command::Theme(Theme::ContrastDark), "theme-contrast-dark", &[]),
    entry(Command::Theme(Theme::ContrastLight), "theme-contrast-light", &[]),
    entry(Command::Theme(Theme::Harbour), "theme-harbour", &[]),
    entry(Command::Theme(Theme::Paper), "theme-paper", &[]),
    entry(Command::Theme(Theme::System), "theme-system", &[]),
    entry(Command::Format, "format", &["Alt+Shift+F"]).work(),
    // Pastes without a format wherever there is nothing to be shown.
    entry(Command::PreviewFile, "preview-file", &["Ctrl+Shift+V"]).sparing_fields().only(Only::WithPreview),
    entry(Command::PreviewBeside, "preview-beside", &["Ctrl+K V"]),
    entry(Command::CompareFirst, "compare-first", &["Ctrl+K D"]),
    entry(Command::CompareSaved, "compare-saved", &["Ctrl+K S"]),
    entry(Command::ToggleWrap, "toggle-wrap", &["Alt+Z"]),
    entry(Command::ToggleWhitespace, "toggle-whitespace", &[]),
    entry(Command::ToggleGuides, "toggle-guides", &[]),
    entry(Command::LargerText, "larger-text", &["Ctrl+K ="]),
    entry(Command::SmallerText, "smaller-text", &["Ctrl+K -"]),
    entry(Command::TextAsSet, "text-size", &["Ctrl+K 0"]),
    editor("suggest", &["Ctrl+Space"]).work(),
    editor("go-to-bracket", &["Ctrl+Shift+\\"]),
    editor("indent-again", &[]).work(),
    editor("revert-change", &[]).work(),
    editor("next-change", &["Alt+F5"]),
    editor("previous-change", &["Alt+Shift+F5"]),
    editor("toggle-fold", &["Ctrl+K Ctrl+L"]),
    editor("add-cursors-at-line-ends", &["Alt+Shift+I"]),
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
                    entry.command != other.command && entry.id != other.id && entry.name() != other.name(),
                    "{entry:?}"
                );
            }
            assert!(find(&format!("command.{}", entry.id)).is_some(), "the catalogue lacks command.{}", entry.id);
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
