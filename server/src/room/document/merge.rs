//! What a program did to a file, as edits of the document: small ones, so that cursors stay where they are, and
//! three-way, so that edits of people that aren't in the file yet survive. Works on texts alone.
//!
//! Where both changed the same place, both texts stay, the document's first; what both did alike is done once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// Looking for the smallest edits between two texts stops after this long; then larger ones do.
const SEARCH: Duration = Duration::from_millis(40);
/// Changed lines up to this many characters are compared character by character.
const MAX_FINE: usize = 4096;
/// Edits with fewer bytes in between than this become one: letters that two words share by chance are no structure.
const MIN_GAP: usize = 4;
/// Edits of one merge; with more, those nearest to each other become one.
const MAX_EDITS: usize = 2000;

/// In place of `delete` bytes at byte `at`, this text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) at: usize,
    pub(super) delete: usize,
    pub(super) insert: String,
}

impl Edit {
    fn end(&self) -> usize {
        self.at + self.delete
    }
}

/// The text after the edits, which are in order and do not overlap.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.at]);
        out.push_str(&edit.insert);
        at = edit.end();
    }
    out.push_str(&text[at..]);
    out
}

/// The edits that bring what happened from `base` to `new` into `current`, which came from `base` as well.
pub(super) fn merge(base: &str, current: &str, new: &str) -> Vec<Edit> {
    if current == new {
        return Vec::new();
    }
    let theirs = diff(base, new);
    if current == base { theirs } else { rebase(&theirs, &diff(base, current)) }
}

/// The edits that make `new` of `old`.
pub(super) fn diff(old: &str, new: &str) -> Vec<Edit> {
    diff_within(SEARCH, old, new)
}

fn diff_within(search: Duration, old: &str, new: &str) -> Vec<Edit> {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let mut numbers = HashMap::new();
    let mut number = |line| {
        let next = numbers.len() as u32;
        *numbers.entry(line).or_insert(next)
    };
    let old_numbers: Vec<u32> = old_lines.iter().map(|line| number(line.text)).collect();
    let new_numbers: Vec<u32> = new_lines.iter().map(|line| number(line.text)).collect();
    let mut edits = Edits { old, list: Vec::new() };
    let deadline = Instant::now() + search;
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old_numbers, &new_numbers, Some(deadline)) {
        let (_, old_range, new_range) = op.as_tag_tuple();
        if !matches!(op, DiffOp::Equal { .. }) {
            let (from, to) = (start(&old_lines, old_range.start, old), start(&old_lines, old_range.end, old));
            let (new_from, new_to) = (start(&new_lines, new_range.start, new), start(&new_lines, new_range.end, new));
            edits.fine(from, &old[from..to], &new[new_from..new_to], deadline);
        }
    }
    edits.joined()
}

#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    at: usize,
    text: &'a str,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|text| {
            let line = Line { at, text };
            at += text.len();
            line
        })
        .collect()
}

fn start(lines: &[Line<'_>], index: usize, text: &str) -> usize {
    lines.get(index).map_or(text.len(), |line| line.at)
}

struct Edits<'a> {
    old: &'a str,
    list: Vec<Edit>,
}

impl Edits<'_> {
    /// Adds the edits that make `new` of `old`, which stands at `at`.
    fn fine(&mut self, at: usize, old: &str, new: &str, deadline: Instant) {
        let before = common_prefix(old, new);
        let (at, old, new) = (at + before, &old[before..], &new[before..]);
        let after = common_suffix(old, new);
        let (old, new) = (&old[..old.len() - after], &new[..new.len() - after]);
        if old.is_empty() && new.is_empty() {
            return;
        }
        if old.is_empty() || new.is_empty() || old.len() > MAX_FINE || new.len() > MAX_FINE || Instant::now() > deadline
        {
            self.list.push(Edit { at, delete: old.len(), insert: new.to_owned() });
            return;
        }
        let (old_places, new_places) = (places(old), places(new));
        let (old_chars, new_chars): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
        for op in capture_diff_slices_deadline(Algorithm::Myers, &old_chars, &new_chars, Some(deadline)) {
            let (_, old_range, new_range) = op.as_tag_tuple();
            if !matches!(op, DiffOp::Equal { .. }) {
                let (from, to) = (old_places[old_range.start], old_places[old_range.end]);
                let insert = new[new_places[new_range.start]..new_places[new_range.end]].to_owned();
                self.list.push(Edit { at: at + from, delete: to - from, insert });
            }
        }
    }

    /// The edits in order, those close to each other as one.
    fn joined(mut self) -> Vec<Edit> {
        let mut gap = MIN_GAP;
        loop {
            let mut joined: Vec<Edit> = Vec::with_capacity(self.list.len());
            for edit in self.list {
                match joined.last_mut() {
                    Some(last) if edit.at - last.end() < gap => {
                        last.insert.push_str(&self.old[last.end()..edit.at]);
                        last.insert.push_str(&edit.insert);
                        last.delete = edit.end() - last.at;
                    }
                    _ => joined.push(edit),
                }
            }
            if joined.len() <= MAX_EDITS {
                return joined;
            }
            self.list = joined;
            gap *= 4;
        }
    }
}

/// Where each character begins, and the end.
fn places(text: &str) -> Vec<usize> {
    text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
}

fn common_prefix(a: &str, b: &str) -> usize {
    let mut length = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    while !a.is_char_boundary(length) {
        length -= 1;
    }
    length
}

fn common_suffix(a: &str, b: &str) -> usize {
    let mut length = a.bytes().rev().zip(b.bytes().rev()).take_while(|(a, b)| a == b).count();
    while !a.is_char_boundary(a.len() - length) {
        length -= 1;
    }
    length
}

/// Turns edits of the base into edits of what `ours` made of the base.
fn rebase(theirs: &[Edit], ours: &[Edit]) -> Vec<Edit> {
    let ours = Moved::by(ours);
    let mut out = Vec::new();
    for edit in theirs {
        push(&mut out, ours.place(edit.at), 0, ours.not_done(edit));
        for (at, length) in ours.left_of(edit) {
            push(&mut out, at, length, "");
        }
    }
    out
}

fn push(out: &mut Vec<Edit>, at: usize, delete: usize, insert: &str) {
    match out.last_mut() {
        Some(last) if last.end() == at => {
            last.delete += delete;
            last.insert.push_str(insert);
        }
        _ if delete > 0 || !insert.is_empty() => out.push(Edit { at, delete, insert: insert.to_owned() }),
        _ => {}
    }
}

/// Where the places of a text are after edits.
struct Moved<'a> {
    edits: &'a [Edit],
    /// For each number of edits, the bytes that the first so many inserted and deleted.
    inserted: Vec<usize>,
    deleted: Vec<usize>,
}

impl<'a> Moved<'a> {
    fn by(edits: &'a [Edit]) -> Self {
        let sums = |size: fn(&Edit) -> usize| {
            let sums = edits.iter().scan(0, |sum, edit| {
                *sum += size(edit);
                Some(*sum)
            });
            [0].into_iter().chain(sums).collect()
        };
        Self { edits, inserted: sums(|edit| edit.insert.len()), deleted: sums(|edit| edit.delete) }
    }

    /// A place after what was inserted at it.
    fn place(&self, at: usize) -> usize {
        let count = self.edits.partition_point(|edit| edit.at <= at);
        let beyond = self.edits[..count].last().map_or(0, |last| last.end().saturating_sub(at));
        at + self.inserted[count] - (self.deleted[count] - beyond)
    }

    /// The insertion of `edit`, less what was inserted there already.
    fn not_done<'e>(&self, edit: &'e Edit) -> &'e str {
        let first = self.edits.partition_point(|ours| ours.at < edit.at);
        match self.edits.get(first).filter(|ours| ours.at == edit.at) {
            Some(ours) if ours.insert.starts_with(&edit.insert) => "",
            Some(ours) => edit.insert.strip_prefix(ours.insert.as_str()).unwrap_or(&edit.insert),
            None => &edit.insert,
        }
    }

    /// Where what `edit` deletes is, as far as it's there: in pieces, between which is what was inserted.
    fn left_of(&self, edit: &Edit) -> Vec<(usize, usize)> {
        let mut pieces = Vec::new();
        let mut from = edit.at;
        let mut piece = |from: usize, to: usize| {
            if from < to {
                pieces.push((self.place(from), to - from));
            }
        };
        let first = self.edits.partition_point(|ours| ours.end() < edit.at);
        for ours in self.edits[first..].iter().take_while(|ours| ours.at < edit.end()) {
            piece(from, ours.at);
            from = from.max(ours.end());
        }
        piece(from, edit.end());
        pieces
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// So long that a busy machine makes no difference.
    const UNHURRIED: Duration = Duration::from_secs(60);

    use super::*;

    fn merged(base: &str, current: &str, new: &str) -> String {
        apply(current, &merge(base, current, new))
    }

    #[test]
    fn edits_of_both_sides_survive() {
        assert_eq!(merged("a\nb\nc\n", "a\nb2\nc\n", "a\nb\nc\nd\n"), "a\nb2\nc\nd\n");
        assert_eq!(merged("one two", "one two three", "zero one two"), "zero one two three");
        assert_eq!(merged("print(1)\n", "print(1)  # one\n", "print(2)\n"), "print(2)  # one\n");
    }

    #[test]
    fn insertions_at_one_place_stand_in_order_and_what_both_did_is_done_once() {
        assert_eq!(merged("x", "xA", "xB"), "xAB");
        assert_eq!(merged("x", "xA", "xA"), "xA");
        assert_eq!(merged("", "hello world", "hello"), "hello world");
        assert_eq!(merged("f(1)", "f(2)", "f(2)"), "f(2)");
    }

    #[test]
    fn text_inserted_into_a_deleted_range_survives() {
        assert_eq!(merged("abcdef", "abcXdef", ""), "X");
        assert_eq!(merged("keep\nold line\n", "keep\nold new line\n", "keep\n"), "keep\nnew ");
    }

    #[test]
    fn one_changed_word_is_one_small_edit() {
        let old: String = (0..1000).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 500\n", "line five hundred\n");
        let edits = diff(&old, &new);
        assert_eq!(edits.len(), 1);
        assert!(edits[0].delete <= 3 && edits[0].insert.len() <= 12, "{edits:?}");
    }

    #[test]
    fn two_megabytes_with_scattered_edits_are_compared_line_by_line() {
        let old: String = (0..40_000).map(|n| format!("line {n} of a file that is rather long {n}\n")).collect();
        let new: String = old
            .lines()
            .enumerate()
            .map(|(n, line)| format!("{line}{}\n", if n % 97 == 0 { "!" } else { "" }))
            .collect();
        let started = Instant::now();
        let edits = diff_within(UNHURRIED, &old, &new);
        println!("{} edits of {} bytes in {:?}", edits.len(), old.len(), started.elapsed());
        assert_eq!(apply(&old, &edits), new);
        assert_eq!(edits.len(), 413);
        let unlike: String = (0..40_000).map(|n| format!("{}\n", n * 7919 % 40_009)).collect();
        let edits = diff(&old, &unlike);
        assert!(edits.len() <= MAX_EDITS);
        assert_eq!(apply(&old, &edits), unlike);
    }

    fn texts() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            prop_oneof!["[ab]{0,4}", "[a-c ]{0,8}", Just("é😀".to_owned()), Just("\n".to_owned())],
            0..12,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn edits_make_the_new_text_of_the_old(old in texts(), new in texts()) {
            let edits = diff(&old, &new);
            prop_assert_eq!(apply(&old, &edits), new);
            for pair in edits.windows(2) {
                prop_assert!(pair[0].end() < pair[1].at);
            }
        }

        #[test]
        fn a_side_that_did_nothing_changes_nothing(base in texts(), other in texts()) {
            prop_assert_eq!(merged(&base, &base, &other), other.clone());
            prop_assert_eq!(merged(&base, &other, &base), other.clone());
            prop_assert_eq!(merged(&base, &other, &other), other);
        }

        #[test]
        fn what_people_typed_is_always_there_afterwards(base in texts(), new in texts(), at in 0..64usize, typed in "[xyz]{1,9}") {
            let places: Vec<usize> = places(&base);
            let at = places[at % places.len()];
            let current = format!("{}{typed}{}", &base[..at], &base[at..]);
            let merged = merged(&base, &current, &new);
            prop_assert!(merged.contains(&typed));
            prop_assert_eq!(merged.replacen(&typed, "", 1), new);
        }

        #[test]
        fn any_three_texts_merge(base in texts(), current in texts(), new in texts()) {
            merged(&base, &current, &new);
        }
    }
}
