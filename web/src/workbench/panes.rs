//! The keyboard from pane to pane: F6 forwards, Shift+F6 back, out of terminals too.

use super::Workbench;
use crate::interop::page;

/// The panes in their order: where each is, and what of it takes the keyboard, the first that does.
const PANES: [(&str, &[&str]); 6] = [
    (".toolbar", &[".toolbar button:not(:disabled)"]),
    (".side", &["#search-pattern", "[role=tree]", "[role=treeitem][tabindex='0']", ".side button:not(:disabled)"]),
    (".editors", &[".group[data-shown=true] .cm-content", ".group[data-shown=true] [role=tab]", ".editors button"]),
    (
        ".panel",
        &[
            ".terminal-pane[data-used] textarea",
            ".terminal-host:not([hidden]) textarea",
            ".panel-tab[aria-selected=true]",
        ],
    ),
    (".aside", &[".aside :is(input, textarea, button, [tabindex='0'])"]),
    (".tour", &[".tour .primary"]),
];

impl Workbench {
    /// Gives the keyboard to the pane `steps` from the one that has it; one that is not shown is passed over.
    pub(super) fn step_pane(&self, steps: isize) {
        let count = PANES.len() as isize;
        let at = PANES.iter().position(|(pane, _)| page::has_focus_within(pane));
        // From nowhere, forwards comes to the first one.
        let mut at = at.map_or(if steps > 0 { -1 } else { 0 }, |at| at as isize);
        for _ in 0..count {
            at = (at + steps).rem_euclid(count);
            let (_, targets) = PANES[at as usize];
            if targets.iter().any(|target| page::takes_focus(target)) {
                return;
            }
        }
    }
}
