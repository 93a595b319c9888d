// What the page can have an editor do by name. The names are those of the page's table (`web/src/state/commands.rs`), where
// their words and keys stand.

import {
  addCursorAbove,
  addCursorBelow,
  copyLineDown,
  copyLineUp,
  deleteLine,
  moveLineDown,
  moveLineUp,
  selectLine,
  toggleBlockComment,
  toggleLineComment,
} from '@codemirror/commands';
import { foldAll, foldCode, unfoldAll, unfoldCode } from '@codemirror/language';
import { gotoLine, openSearchPanel, selectNextOccurrence, selectSelectionMatches } from '@codemirror/search';
import type { Command, EditorView } from '@codemirror/view';

const COMMANDS: Record<string, Command> = {
  'add-cursor-above': addCursorAbove,
  'add-cursor-below': addCursorBelow,
  'copy-line-down': copyLineDown,
  'copy-line-up': copyLineUp,
  'delete-line': deleteLine,
  find: openSearchPanel,
  fold: foldCode,
  'fold-all': foldAll,
  'go-to-line': gotoLine,
  'move-line-down': moveLineDown,
  'move-line-up': moveLineUp,
  'select-all-occurrences': selectSelectionMatches,
  'select-line': selectLine,
  'select-next-occurrence': selectNextOccurrence,
  'toggle-block-comment': toggleBlockComment,
  'toggle-comment': toggleLineComment,
  unfold: unfoldCode,
  'unfold-all': unfoldAll,
};

/** Returns whether there is such a command; one that finds nothing to do is one. */
export function perform(view: EditorView, name: string): boolean {
  const command = COMMANDS[name];
  command?.(view);
  return command !== undefined;
}
