//! Groups of tabs: splitting, moving, closing, sizes.

use super::*;

const A: FileId = FileId(1);
const B: FileId = FileId(2);
const C: FileId = FileId(3);

fn with(files: &[FileId]) -> Groups {
    let mut groups = Groups::default();
    for file in files {
        groups.show(groups.active, *file);
    }
    groups
}

fn tabs(groups: &Groups) -> Vec<Vec<FileId>> {
    groups.in_order().into_iter().map(|id| groups.get(id).unwrap().tabs.clone()).collect()
}

fn area(left: f64, top: f64, width: f64, height: f64) -> Area {
    Area { left, top, width, height }
}

#[test]
fn a_file_is_shown_twice_and_closed_once() {
    let mut groups = with(&[A, B]);
    let first = groups.active;
    let second = groups.split(first, Side::Right, Some(B)).unwrap();
    assert_eq!(tabs(&groups), [vec![A, B], vec![B]]);
    assert_eq!(groups.active, second);
    groups.close_tab(second, B);
    assert_eq!(tabs(&groups), [vec![A, B]]);
    assert_eq!(groups.active, first);
    assert!(groups.has(B));
}

#[test]
fn the_only_group_stays_when_it_is_empty() {
    let mut groups = with(&[A]);
    groups.close(A);
    assert_eq!(tabs(&groups), [Vec::<FileId>::new()]);
    assert_eq!(groups.active().active, None);
}

#[test]
fn splits_of_one_flow_are_parts_of_one_and_others_are_within() {
    let mut groups = with(&[A]);
    let first = groups.active;
    let second = groups.split(first, Side::Right, Some(A)).unwrap();
    let third = groups.split(second, Side::Down, Some(A)).unwrap();
    let fourth = groups.split(first, Side::Left, Some(A)).unwrap();
    assert_eq!(groups.in_order(), [fourth, first, second, third]);
    let (areas, edges) = groups.areas();
    assert_eq!(
        areas,
        [
            (first, area(0.25, 0.0, 0.25, 1.0)),
            (second, area(0.5, 0.0, 0.5, 0.5)),
            (third, area(0.5, 0.5, 0.5, 0.5)),
            (fourth, area(0.0, 0.0, 0.25, 1.0)),
        ]
    );
    assert_eq!(
        edges.iter().map(|edge| (edge.flow, edge.share)).collect::<Vec<_>>(),
        [(Flow::Row, 500), (Flow::Row, 333), (Flow::Column, 500),]
    );
    // What was beside them takes their place.
    groups.close_tab(second, A);
    groups.close_tab(first, A);
    let (areas, _) = groups.areas();
    assert_eq!(areas, [(third, area(0.5, 0.0, 0.5, 1.0)), (fourth, area(0.0, 0.0, 0.5, 1.0))]);
}

#[test]
fn an_edge_is_moved_and_neither_side_vanishes() {
    let mut groups = with(&[A]);
    let first = groups.active;
    groups.split(first, Side::Down, Some(A)).unwrap();
    let edge = groups.areas().1.remove(0);
    groups.resize(&edge.at, 700);
    assert_eq!(groups.areas().0[0].1, area(0.0, 0.0, 1.0, 0.7));
    groups.resize(&edge.at, 5000);
    assert_eq!(groups.areas().0[0].1, area(0.0, 0.0, 1.0, 0.9));
    groups.resize(&[7, 7, 7], 500);
    groups.resize(&[], 500);
}

#[test]
fn a_tab_moves_within_its_group_and_to_another_and_an_empty_group_goes() {
    let mut groups = with(&[A, B, C]);
    let first = groups.active;
    groups.move_tab(A, first, first, 3);
    assert_eq!(tabs(&groups), [vec![B, C, A]]);
    groups.move_tab(A, first, first, 0);
    assert_eq!(tabs(&groups), [vec![A, B, C]]);
    let second = groups.split(first, Side::Right, Some(C)).unwrap();
    groups.move_tab(A, first, second, 0);
    assert_eq!(tabs(&groups), [vec![B, C], vec![A, C]]);
    assert_eq!(groups.get(first).unwrap().active, Some(B));
    // It had a tab there already.
    groups.move_tab(C, first, second, 0);
    assert_eq!(tabs(&groups), [vec![B], vec![C, A]]);
    groups.move_tab(B, first, second, 9);
    assert_eq!(tabs(&groups), [vec![C, A, B]]);
    assert_eq!(groups.active, second);
}

#[test]
fn all_groups_become_one_with_each_file_once() {
    let mut groups = with(&[A, B]);
    let first = groups.active;
    groups.split(first, Side::Right, Some(B)).unwrap();
    groups.show(groups.active, C);
    groups.join();
    assert_eq!(tabs(&groups), [vec![A, B, C]]);
    assert_eq!(groups.active().active, Some(C));
}

#[test]
fn there_is_a_most_of_groups() {
    let mut groups = with(&[A]);
    while groups.split(groups.active, Side::Right, Some(A)).is_some() {}
    assert_eq!(groups.list().len(), MAX_GROUPS);
}

#[test]
fn what_is_remembered_comes_back_and_what_is_gone_leaves_no_hole() {
    let mut groups = with(&[A, B]);
    let first = groups.active;
    let second = groups.split(first, Side::Right, Some(C)).unwrap();
    groups.split(second, Side::Down, Some(A)).unwrap();
    groups.resize(&[0], 300);
    groups.active = second;
    let name = |file: FileId| Some(file.0.to_string());
    let kept = groups.kept(&name);
    let kept: Kept<String> = serde_json::from_value(serde_json::to_value(&kept).unwrap()).unwrap();
    let mut by_name = |name: &String| FileId(name.parse().unwrap());
    let again = Groups::restored(&kept, &mut by_name);
    assert_eq!(again.kept(&name), kept);
    assert_eq!(again.active().tabs, [C]);

    let without_c = groups.kept(&|file| (file != C).then(|| file.0.to_string()));
    let again = Groups::restored(&without_c, &mut by_name);
    assert_eq!(tabs(&again), [vec![A, B], vec![A]]);
    assert_eq!(again.areas().0[0].1, area(0.0, 0.0, 0.3, 1.0));
    let nothing = Kept::Split::<String> { flow: Flow::Row, parts: Vec::new() };
    assert_eq!(Groups::restored(&nothing, &mut by_name), Groups::default());
}
