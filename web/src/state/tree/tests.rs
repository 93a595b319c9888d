//! What the tree shows after what happened to it.

use super::*;

fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse_or_root(text).unwrap()
}

fn entry(name: &str) -> Entry {
    let (name, kind) = match name.strip_suffix('/') {
        Some(name) => (name, EntryKind::Folder),
        None => (name, EntryKind::File),
    };
    Entry { name: name.to_owned(), kind, size: 0, modified: 0 }
}

fn list(tree: &mut Tree, folder: &str, names: &[&str]) {
    let entries = names.iter().map(|name| entry(name)).collect();
    tree.reduce(TreeAction::Listed { path: path(folder), entries, next: None });
}

fn open(tree: &mut Tree, folder: &str, names: &[&str]) {
    tree.reduce(TreeAction::Open(path(folder)));
    list(tree, folder, names);
}

/// The rows as text, a space for each level.
fn shown(tree: &Tree) -> Vec<String> {
    let line = |depth: usize, text: &str| format!("{}{text}", " ".repeat(depth));
    let text = |row: Row| match row {
        Row::Entry(row) => line(row.depth, &row.name),
        Row::Naming { depth, renames, .. } => line(depth, if renames.is_some() { "[rename]" } else { "[new]" }),
        Row::More { depth, .. } => line(depth, "[more]"),
        Row::Note { depth, text, .. } => line(depth, &format!("({text})")),
    };
    tree.rows().into_iter().map(text).collect()
}

fn sample() -> Tree {
    let mut tree = Tree::default();
    list(&mut tree, "", &["b.py", "A.py", "src/", "docs/"]);
    open(&mut tree, "src", &["main.rs", "lib/"]);
    tree
}

#[test]
fn folders_stand_first_and_names_in_order_whatever_their_case() {
    assert_eq!(shown(&Tree::default()), ["(Loading…)"]);
    assert_eq!(shown(&sample()), ["docs", "src", " lib", " main.rs", "A.py", "b.py"]);
}

#[test]
fn an_open_folder_says_that_it_is_empty_or_not_here_yet() {
    let mut tree = sample();
    tree.reduce(TreeAction::Open(path("docs")));
    assert_eq!(shown(&tree)[..2], ["docs", " (Loading…)"]);
    list(&mut tree, "docs", &[]);
    assert_eq!(shown(&tree)[..2], ["docs", " (Empty)"]);
}

#[test]
fn closing_a_folder_selects_it_if_the_selection_was_inside() {
    let mut tree = sample();
    tree.reduce(TreeAction::Select(Some(path("src/main.rs"))));
    tree.reduce(TreeAction::Close(path("src")));
    assert_eq!(tree.selected, Some(path("src")));
    assert_eq!(shown(&tree), ["docs", "src", "A.py", "b.py"]);
}

#[test]
fn what_is_gone_is_neither_open_nor_selected() {
    let mut tree = sample();
    open(&mut tree, "src/lib", &["x.rs"]);
    tree.reduce(TreeAction::Select(Some(path("src/lib/x.rs"))));
    list(&mut tree, "", &["A.py"]);
    assert_eq!(shown(&tree), ["A.py"]);
    assert_eq!((tree.open.len(), &tree.selected), (0, &None));
}

#[test]
fn a_renamed_folder_stays_open_with_all_it_holds() {
    let mut tree = sample();
    open(&mut tree, "src/lib", &["x.rs"]);
    tree.reduce(TreeAction::Select(Some(path("src/lib/x.rs"))));
    tree.reduce(TreeAction::Moved { from: path("src"), to: path("source") });
    assert_eq!(tree.selected, Some(path("source/lib/x.rs")));
    assert_eq!(shown(&tree)[..4], ["docs", "source", " lib", "  x.rs"]);
}

#[test]
fn a_new_entry_is_named_in_the_selected_folder_or_beside_the_selected_file() {
    let mut tree = sample();
    assert_eq!(tree.place_for_new(), path(""));
    tree.reduce(TreeAction::Select(Some(path("src/main.rs"))));
    assert_eq!(tree.place_for_new(), path("src"));
    tree.reduce(TreeAction::Select(Some(path("docs"))));
    assert_eq!(tree.place_for_new(), path("docs"));
    tree.reduce(TreeAction::Name(Some(Naming::New { folder: path("docs"), item: Item::File })));
    assert_eq!(shown(&tree)[..2], ["docs", " [new]"]);
    tree.reduce(TreeAction::Name(Some(Naming::Rename { path: path("src/main.rs") })));
    assert_eq!(shown(&tree)[4], " [rename]");
}

#[test]
fn a_long_folder_shows_more_when_asked() {
    let mut tree = Tree::default();
    let names: Vec<String> = (0..SHOWN + 20).map(|n| format!("{n:05}")).collect();
    list(&mut tree, "", &names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(shown(&tree).len(), SHOWN + 1);
    assert_eq!(shown(&tree).last().map(String::as_str), Some("[more]"));
    tree.reduce(TreeAction::ShowMore(path("")));
    assert_eq!(shown(&tree).len(), SHOWN + 20);
}

#[test]
fn the_keyboard_steps_through_what_is_shown() {
    let mut tree = sample();
    assert_eq!(tree.step(1), Some(path("src")), "with nothing selected, the first entry has the keyboard");
    tree.reduce(TreeAction::Select(Some(path("src/main.rs"))));
    assert_eq!(tree.step(1), Some(path("A.py")));
    assert_eq!(tree.step(-2), Some(path("src")));
    assert_eq!(tree.step(isize::MAX), Some(path("b.py")));
    assert_eq!(tree.step(isize::MIN + 1), Some(path("docs")));
}

#[test]
fn typing_finds_the_next_entry_that_begins_so() {
    let mut tree = sample();
    tree.reduce(TreeAction::Select(Some(path("src"))));
    assert_eq!(tree.find_by_typing("m"), Some(path("src/main.rs")));
    assert_eq!(tree.find_by_typing("d"), Some(path("docs")));
    assert_eq!(tree.find_by_typing("SR"), Some(path("src")));
    assert_eq!(tree.find_by_typing("zz"), None);
}

#[test]
fn the_palette_knows_the_files_of_listed_folders() {
    let files: Vec<String> = sample().known_files().iter().map(ToString::to_string).collect();
    assert_eq!(files, ["A.py", "b.py", "src/main.rs"]);
}
