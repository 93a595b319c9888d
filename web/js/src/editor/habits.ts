// What a person has set for all editors, as the extensions that make it so. Owns no state; the completion is loaded late and
// handed in once it is here.

import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, highlightTrailingWhitespace, highlightWhitespace } from '@codemirror/view';
import { guides } from './guides';

export interface Habits {
  /** Long lines are wrapped. */
  wrap: boolean;
  /** Words are offered as one types. */
  completion: boolean;
  /** Indentation is drawn as lines. */
  guides: boolean;
  /** Spaces and tabs are shown. */
  whitespace: boolean;
  /** Columns of a step of indentation, where nothing else says; `null` for the language's own. */
  tabSize: number | null;
}

export const DEFAULT: Habits = { wrap: false, completion: true, guides: true, whitespace: false, tabSize: null };

export function habits({ wrap, guides: lines, whitespace }: Habits): Extension {
  return [
    wrap ? EditorView.lineWrapping : [],
    lines ? guides() : [],
    whitespace ? [highlightWhitespace(), highlightTrailingWhitespace()] : [],
  ];
}

/** Cursors as in VS Code: Alt and a click add one, Shift, Alt and a drag select a column. */
export const cursors: Extension = [
  EditorState.allowMultipleSelections.of(true),
  EditorView.clickAddsSelectionRange.of((event) => event.altKey && !event.shiftKey),
];
