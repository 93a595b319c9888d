//! One entry of the tree, as it looks. What is done with it the tree hears itself.

use embedenv_shared::link::files::EntryKind;
use yew::prelude::*;

use super::icon::{Icon, IconName};
use super::tree::depth_class;
use crate::interop::page;
use crate::state::tree::{Change, EntryRow, Tree, place_of};
use crate::words::catalogue::say;

/// How a row stands to what goes on around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Standing {
    /// The one row that the Tab key reaches.
    pub(super) is_focusable: bool,
    /// Its file is in the shown editor.
    pub(super) is_active: bool,
    /// What is dragged would go here.
    pub(super) is_target: bool,
    /// It may be dragged.
    pub(super) works: bool,
}

pub(super) fn entry_row(row: &EntryRow, tree: &Tree, standing: Standing) -> Html {
    let Standing { is_focusable, is_active, is_target, works } = standing;
    let change = tree.change(&row.path);
    let (mark, description) = match change {
        None => ("", None),
        Some(Change::Added) => ("A", Some(say!("tree.added"))),
        Some(Change::Modified) => ("M", Some(say!("tree.modified"))),
        Some(Change::Within) => ("•", Some(say!("tree.changed-inside"))),
    };
    let class = classes!(
        "entry",
        depth_class(row.depth),
        is_active.then_some("active"),
        is_target.then_some("drop"),
        tree.is_cut(&row.path).then_some("cut"),
        row.name.starts_with('.').then_some("dim"),
        change.map(|change| match change {
            Change::Added => "added",
            Change::Modified | Change::Within => "modified",
        }),
    );
    let icon = match (row.kind, row.open) {
        (_, Some(true)) => IconName::FolderOpen,
        (_, Some(false)) => IconName::Folder,
        (EntryKind::Link, None) => IconName::Link,
        (EntryKind::Other, None) => IconName::Circle,
        (_, None) => icon_of(&row.name),
    };
    html! {
        <div
            {class}
            role="treeitem"
            aria-label={row.name.clone()}
            aria-description={description}
            aria-level={(row.depth + 1).to_string()}
            aria-posinset={row.place.0.to_string()}
            aria-setsize={row.place.1.to_string()}
            aria-expanded={row.open.map(|open| open.to_string())}
            aria-selected={tree.is_selected(&row.path).to_string()}
            tabindex={if is_focusable { "0" } else { "-1" }}
            // A finger that stays asks for the menu.
            draggable={(works && !page::is_touched()).to_string()}
        >
            <div class="entry-row">
                <span class="twisty">
                    if let Some(open) = row.open {
                        <Icon name={if open { IconName::ChevronDown } else { IconName::ChevronRight }} />
                    }
                </span>
                <span class="entry-icon"><Icon name={icon} /></span>
                <span class="entry-name" title={row.path.to_string()}>{ name(row, tree) }</span>
                if let Some(description) = description {
                    // Drawn by the style sheet: the entry is called by its name alone.
                    <span class="entry-change" title={description} data-face={mark}></span>
                }
            </div>
        </div>
    }
}

/// The name, with what was looked for in it.
fn name(row: &EntryRow, tree: &Tree) -> Html {
    match tree.filter.as_deref().and_then(|filter| place_of(&row.name, filter)) {
        None => html! { { &row.name } },
        Some(place) => html! {
            <>{ &row.name[..place.start] }<mark>{ &row.name[place.clone()] }</mark>{ &row.name[place.end..] }</>
        },
    }
}

/// The drawing for a file, by its name.
pub(super) fn icon_of(name: &str) -> IconName {
    let lower = name.to_ascii_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    if lower.starts_with(".git") {
        return IconName::GitBranch;
    }
    match (stem, lower.rsplit_once('.').map(|(_, extension)| extension)) {
        ("readme" | "changelog" | "contributing", _) => IconName::BookOpen,
        ("license" | "licence" | "copying" | "notice", _) => IconName::FileText,
        ("makefile" | "dockerfile" | "justfile" | "procfile", _) => IconName::Settings,
        (_, Some("lock")) => IconName::Lock,
        (_, Some("md" | "txt" | "markdown" | "log" | "rst" | "adoc" | "tex" | "pdf")) => IconName::FileText,
        (_, Some("json" | "jsonc" | "json5" | "ipynb")) => IconName::Braces,
        (_, Some("toml" | "yaml" | "yml" | "ini" | "cfg" | "conf" | "env" | "editorconfig" | "properties")) => {
            IconName::Settings
        }
        (_, Some("sh" | "bash" | "zsh" | "fish" | "bat" | "ps1")) => IconName::Terminal,
        (_, Some("sql" | "db" | "sqlite" | "sqlite3" | "csv" | "tsv" | "parquet")) => IconName::Database,
        (_, Some("html" | "htm" | "xhtml")) => IconName::Globe,
        (_, Some("png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "avif" | "ico" | "bmp")) => IconName::Image,
        (_, Some("mp3" | "ogg" | "wav" | "flac" | "mp4" | "webm" | "mov")) => IconName::Music,
        (_, Some("zip" | "tar" | "gz" | "tgz" | "bz2" | "xz" | "zst" | "7z" | "jar" | "whl")) => IconName::Archive,
        (
            _,
            Some(
                "py" | "pyi" | "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" | "rs" | "c" | "h" | "cc" | "cpp" | "hpp"
                | "go" | "java" | "kt" | "swift" | "cs" | "css" | "scss" | "less" | "rb" | "php" | "lua" | "r" | "jl"
                | "hs" | "ml" | "ex" | "erl" | "zig" | "vue" | "svelte" | "xml" | "wat",
            ),
        ) => IconName::FileCode,
        _ => IconName::File,
    }
}
