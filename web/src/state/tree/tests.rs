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
        Row::Note { depth, text, .. } => line(depth, &format!("({text})")),
    };
    (0..tree.rows().len()).filter_map(|at| tree.rows().get(at)).map(text).collect()
}

fn sample() -> Tree {
    let mut tree = Tree::default();
    list(&mut tree, "", &["b.py", "A.py", "src/", "docs/"]);
    open(&mut tree, "src", &["main.rs", "lib/"]);
    tree
}

#[test]
fn what_is_chosen_in_several_folders_is_in_the_one_above_them() {
    let common = |paths: &[&str]| {
        let paths: Vec<WorkspacePath> = paths.iter().map(|path| WorkspacePath::parse(path).unwrap()).collect();
        common_folder(&paths).to_string()
    };
    assert_eq!(common(&["src/a/x.py", "src/a/y.py"]), "src/a");
    assert_eq!(common(&["src/a/x.py", "src/ab/y.py", "src/a/b/z.py"]), "src");
    assert_eq!(common(&["x.py", "src/y.py"]), "");
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
fn a_folder_of_a_hundred_thousand_is_rows_without_a_text_each() {
    let mut tree = Tree::default();
    let names: Vec<String> = (0..100_000).map(|n| format!("{n:05}")).collect();
    list(&mut tree, "", &names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(tree.rows().len(), 100_000);
    let Some(Row::Entry(row)) = tree.rows().get(99_999) else { panic!("an entry") };
    assert_eq!((row.name.as_str(), row.place), ("99999", (100_000, 100_000)));
    let before = tree.rows().clone();
    tree.reduce(TreeAction::Select(Some(path("50000"))));
    assert!(Rc::ptr_eq(&before, tree.rows()), "a selection changes no row");
    assert_eq!(tree.step(isize::MAX), Some(path("99999")));
}

#[test]
fn several_are_selected_by_toggling_and_by_a_range_and_what_lies_in_one_goes_with_it() {
    let mut tree = sample();
    let chosen = |tree: &Tree| tree.chosen().iter().map(ToString::to_string).collect::<Vec<_>>();
    tree.reduce(TreeAction::Select(Some(path("A.py"))));
    tree.reduce(TreeAction::Toggle(path("docs")));
    assert_eq!(chosen(&tree), ["A.py", "docs"]);
    tree.reduce(TreeAction::Toggle(path("docs")));
    assert_eq!((chosen(&tree), tree.selected.clone()), (vec!["A.py".to_owned()], Some(path("A.py"))));
    tree.reduce(TreeAction::Extend(path("src")));
    assert_eq!(chosen(&tree), ["A.py", "src"], "what lies in src goes with it");
    assert!(tree.is_selected(&path("src/lib")));
    tree.reduce(TreeAction::Extend(path("b.py")));
    assert_eq!(chosen(&tree), ["A.py", "b.py"]);
    tree.reduce(TreeAction::SelectAll);
    assert_eq!(chosen(&tree), ["A.py", "b.py", "docs", "src"]);
    list(&mut tree, "", &["b.py", "src/"]);
    assert_eq!(chosen(&tree), ["b.py", "src"], "what is gone is not selected");
    tree.reduce(TreeAction::Select(Some(path("b.py"))));
    assert_eq!(chosen(&tree), ["b.py"]);
}

#[test]
fn a_filter_shows_what_fits_and_what_it_stands_in() {
    let mut tree = sample();
    tree.reduce(TreeAction::Filter(Some("MAIN".to_owned())));
    assert_eq!(shown(&tree), ["src", " main.rs"]);
    assert_eq!(place_of("domain.rs", "MAIN"), Some(2..6));
    assert_eq!(place_of("é", "\u{c3}"), None);
    tree.reduce(TreeAction::Filter(Some("zzz".to_owned())));
    assert_eq!(shown(&tree), ["(Nothing here has “zzz” in its name.)"]);
    tree.reduce(TreeAction::Filter(None));
    assert_eq!(shown(&tree).len(), 6);
}

#[test]
fn hidden_files_are_counted_only_while_they_are_shown() {
    let mut tree = Tree::default();
    list(&mut tree, "", &[".env", "a", ".git/"]);
    assert_eq!(shown(&tree), [".git", ".env", "a"]);
    tree.reduce(TreeAction::Hide(true));
    assert_eq!(shown(&tree), ["a"]);
    let Some(Row::Entry(row)) = tree.rows().get(0) else { panic!("an entry") };
    assert_eq!(row.place, (1, 1));
}

#[test]
fn what_was_added_or_changed_since_the_folder_was_seen_first_is_marked() {
    let listed = |tree: &mut Tree, folder: &str, entries: &[(&str, u64)]| {
        let entries = entries.iter().map(|(name, modified)| Entry { modified: *modified, ..entry(name) });
        tree.reduce(TreeAction::Listed { path: path(folder), entries: entries.collect(), next: None });
    };
    let mut tree = Tree::default();
    listed(&mut tree, "", &[("a", 1), ("src/", 1)]);
    open(&mut tree, "src", &["x"]);
    assert_eq!(tree.change(&path("a")), None);
    listed(&mut tree, "", &[("a", 2), ("b", 2), ("src/", 9), ("new/", 3)]);
    assert_eq!(tree.change(&path("a")), Some(Change::Modified));
    assert_eq!(tree.change(&path("b")), Some(Change::Added));
    assert_eq!(tree.change(&path("src")), None);
    listed(&mut tree, "src", &[("x", 0), ("y", 5)]);
    assert_eq!(tree.change(&path("src")), Some(Change::Within));
    open(&mut tree, "new", &["in"]);
    assert_eq!(tree.change(&path("new/in")), Some(Change::Added), "all of a new folder is new");
    tree.reduce(TreeAction::Moved { from: path("src"), to: path("lib") });
    assert_eq!(tree.change(&path("lib/y")), Some(Change::Added));
    listed(&mut tree, "", &[("a", 1), ("lib/", 9)]);
    assert_eq!(tree.change(&path("a")), None);
}

#[test]
fn a_later_page_marks_what_the_first_one_would_have() {
    let listed = |tree: &mut Tree, folder: &str, entries: &[(&str, u64)]| {
        let entries = entries.iter().map(|(name, modified)| Entry { modified: *modified, ..entry(name) });
        tree.reduce(TreeAction::Listed { path: path(folder), entries: entries.collect(), next: None });
    };
    let mut before = Tree::default();
    listed(&mut before, "", &[("a", 1), ("src/", 1)]);
    listed(&mut before, "src", &[("x", 1)]);
    let unchanged = before.clone();
    listed(&mut before, "src", &[("x", 2)]);
    assert!(before.is_since_as_in(&before.clone()) && !before.is_since_as_in(&unchanged));
    let kept = serde_json::to_string(&before.since()).unwrap();

    let mut later = Tree::default();
    listed(&mut later, "", &[("a", 3), ("b", 3), ("src/", 1)]);
    assert_eq!(later.change(&path("a")), None);
    later.reduce(TreeAction::GoOn(serde_json::from_str(&kept).unwrap()));
    assert_eq!(later.change(&path("a")), Some(Change::Modified));
    assert_eq!(later.change(&path("b")), Some(Change::Added));
    assert_eq!(later.change(&path("src")), Some(Change::Within), "it is not open yet");
    listed(&mut later, "src", &[("x", 1)]);
    assert_eq!(later.change(&path("src")), None);
}

#[test]
fn what_is_kept_of_a_beginning_has_an_end() {
    let mut tree = Tree::default();
    let names: Vec<String> = (0..4_000).map(|n| format!("{n:05}")).collect();
    list(&mut tree, "many", &names.iter().map(String::as_str).collect::<Vec<_>>());
    list(&mut tree, "", &["many/", "other"]);
    let kept = serde_json::to_string(&tree.since()).unwrap();
    assert!(kept.contains("other") && kept.len() < 200, "{kept}");
}

#[test]
fn a_copy_is_called_after_what_it_is_a_copy_of() {
    assert_eq!(copy_name("main.py", false, 1), "main copy.py");
    assert_eq!(copy_name("main.py", false, 2), "main copy 2.py");
    assert_eq!(copy_name("main copy.py", false, 2), "main copy 2.py");
    assert_eq!(copy_name("main copy 2.py", false, 3), "main copy 3.py");
    assert_eq!(copy_name("v1.2", true, 1), "v1.2 copy");
    assert_eq!(copy_name(".env", false, 1), ".env copy");
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

#[test]
fn nothing_is_done_with_an_entry_that_can_not_be_seen() {
    let mut tree = sample();
    tree.reduce(TreeAction::Select(Some(path("src/main.rs"))));
    assert_eq!(tree.chosen(), [path("src/main.rs")]);
    tree.reduce(TreeAction::Close(path("src")));
    assert!(tree.chosen().iter().all(|chosen| *chosen == path("src")), "{:?}", tree.chosen());
    tree.reduce(TreeAction::Select(None));
    assert_eq!((tree.chosen(), tree.current()), (Vec::new(), None));
    assert!(tree.focused().is_some(), "the keyboard still has a row to come to");
}
