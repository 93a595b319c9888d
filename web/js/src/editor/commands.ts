// What the page can have an editor do by name. The names are those of the page's table (`web/src/state/commands.rs`), where
// their words and keys stand.

import {
  addCursorAbove,
  addCursorBelow,
  copyLineDown,
  copyLineUp,
  cursorMatchingBracket,
  deleteGroupBackward,
  deleteGroupForward,
  deleteLine,
  indentLess,
  indentMore,
  indentSelection,
  insertBlankLine,
  moveLineDown,
  moveLineUp,
  selectAll,
  selectLine,
  toggleBlockComment,
  toggleComment,
  toggleTabFocusMode,
} from '@codemirror/commands';
import { foldAll, foldCode, getIndentUnit, indentUnit, toggleFold, unfoldAll, unfoldCode } from '@codemirror/language';
import {
  findNext,
  findPrevious,
  gotoLine,
  openSearchPanel,
  selectNextOccurrence,
  selectSelectionMatches,
} from '@codemirror/search';
import { countColumn, EditorSelection } from '@codemirror/state';
import type { Command, EditorView, KeyBinding } from '@codemirror/view';
import { yUndoManagerKeymap } from 'y-codemirror.next';
import { goToChange } from './changes';
import { redoCursor, undoCursor } from './cursors';
import { expand, shrink } from './expansion';
import { replace } from './find';
import { original } from './panes';

const COMMANDS: Record<string, Command> = {
  'add-cursor-above': addCursorAbove,
  'add-cursor-below': addCursorBelow,
  'add-cursors-at-line-ends': addCursorsAtLineEnds,
  'copy-line-down': copyLineDown,
  'copy-line-up': copyLineUp,
  'delete-line': deleteLine,
  'delete-word-left': deleteGroupBackward,
  'delete-word-right': deleteGroupForward,
  'expand-selection': expand,
  find: openSearchPanel,
  'find-next': findNext,
  'find-previous': findPrevious,
  fold: foldCode,
  'fold-all': foldAll,
  'go-to-bracket': cursorMatchingBracket,
  'indent-again': indentSelection,
  'indent-less': indentLess,
  'indent-more': indentMore,
  'insert-line-above': insertLineAbove,
  'insert-line-below': insertBlankLine,
  'join-lines': rewriting('join-lines'),
  'lower-case': rewriting('lower-case'),
  'move-line-down': moveLineDown,
  'move-line-up': moveLineUp,
  'next-change': (view) => goToChange(view, 1),
  'previous-change': (view) => goToChange(view, -1),
  redo: ofDocument('Mod-y'),
  'redo-cursor': redoCursor,
  replace,
  'select-all': selectAll,
  'select-all-occurrences': selectAllOccurrences,
  'select-line': selectLine,
  'select-next-occurrence': selectNextOccurrence,
  'shrink-selection': shrink,
  'sort-lines': rewriting('sort-lines'),
  'sort-lines-backwards': rewriting('sort-lines-backwards'),
  suggest: (view) => {
    import('./completion').then(({ suggest }) => suggest(view), (error: unknown) => console.warn('no completion', error));
    return true;
  },
  'toggle-block-comment': toggleBlockComment,
  'toggle-comment': toggleComment,
  'toggle-fold': toggleFold,
  'toggle-tab-moves': toggleTabFocusMode,
  'trim-lines': rewriting('trim-lines'),
  undo: ofDocument('Mod-z'),
  'undo-cursor': undoCursor,
  unfold: unfoldCode,
  'unfold-all': unfoldAll,
  'upper-case': rewriting('upper-case'),
};

/** One that is loaded when it is first asked for. */
function rewriting(name: string): Command {
  return (view) => {
    import('./rewriting').then(({ rewrite }) => rewrite(view, name, EditorSelection), (error: unknown) => console.warn(`no ${name}`, error));
    return true;
  };
}

/**
 * Undo and redo are the shared document's, so that each person takes back what they typed themselves. They ask nobody
 * whether the editor is read-only, and are the editor's own: a twin has none.
 */
function ofDocument(key: string): Command {
  const run = yUndoManagerKeymap.find((binding) => binding.key === key)?.run;
  return (view) => view.state.readOnly || (run?.(view.state.facet(original) ?? view) ?? false);
}

/** A new line above each one with a cursor, indented as that is. */
function insertLineAbove(view: EditorView): boolean {
  const { state } = view;
  if (state.readOnly) return false;
  const transaction = state.changeByRange(({ from }) => {
    const line = state.doc.lineAt(from);
    const indent = /^[ \t]*/.exec(line.text)?.[0] ?? '';
    return {
      changes: { from: line.from, insert: `${indent}\n` },
      range: EditorSelection.cursor(line.from + indent.length),
    };
  });
  view.dispatch(state.update(transaction, { scrollIntoView: true, userEvent: 'input' }));
  return true;
}

/** Keys of CodeMirror's own without those of commands by name, which are the page's to give away. */
export function withoutNamed(bindings: readonly KeyBinding[]): KeyBinding[] {
  const named = new Set([...Object.values(COMMANDS), gotoLine]);
  return bindings.filter(({ run }) => !run || !named.has(run));
}

/** Returns whether there is such a command; one that finds nothing to do is one. */
export function perform(view: EditorView, name: string): boolean {
  const command = COMMANDS[name];
  command?.(view);
  return command !== undefined;
}

/** Selects every place where the selected text stands, or the word at the cursor. */
function selectAllOccurrences(view: EditorView): boolean {
  const { main } = view.state.selection;
  if (main.empty) {
    const word = view.state.wordAt(main.head);
    if (!word) return false;
    view.dispatch({ selection: word });
  } else if (view.state.selection.ranges.length > 1) {
    view.dispatch({ selection: EditorSelection.single(main.anchor, main.head) });
  }
  return selectSelectionMatches(view);
}

/** A cursor at the end of every line of the selection. */
function addCursorsAtLineEnds(view: EditorView): boolean {
  const { state } = view;
  const ends = new Set<number>();
  for (const { from, to } of state.selection.ranges) {
    const last = state.doc.lineAt(to).number;
    for (let number = state.doc.lineAt(from).number; number <= last; number++) ends.add(state.doc.line(number).to);
  }
  view.dispatch({ selection: EditorSelection.create([...ends].map((end) => EditorSelection.cursor(end))) });
  return true;
}

/** Tab: indents what is selected, and goes to the next step of indentation where nothing is. */
export function tab(view: EditorView): boolean {
  const { state } = view;
  if (state.readOnly) return false;
  if (state.selection.ranges.some((range) => !range.empty)) return indentMore(view);
  const unit = getIndentUnit(state);
  const byTab = state.facet(indentUnit).startsWith('\t');
  view.dispatch(
    state.update(
      state.changeByRange(({ head }) => {
        const line = state.doc.lineAt(head);
        const column = countColumn(line.text, state.tabSize, head - line.from);
        const insert = byTab ? '\t' : ' '.repeat(unit - (column % unit));
        return { changes: { from: head, insert }, range: EditorSelection.cursor(head + insert.length) };
      }),
      { scrollIntoView: true, userEvent: 'input' },
    ),
  );
  return true;
}
