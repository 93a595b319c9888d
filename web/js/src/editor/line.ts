// Asks for a line to go to. What is answered holds for the text that is there by then, or as soon as there is one: the text
// may come, and change, while somebody types.

import { gotoLine } from '@codemirror/search';
import { EditorSelection, type EditorState } from '@codemirror/state';
import { EditorView, getDialog, showDialog } from '@codemirror/view';

/** The class of CodeMirror's own question, which is drawn alike. */
const CLASS = 'cm-goto-line';

export function askForLine(view: EditorView, arrived: Promise<void>): void {
  // One that is open gets the keyboard again.
  if (getDialog(view, CLASS)) return void gotoLine(view);
  const { state } = view;
  const { result } = showDialog(view, {
    class: CLASS,
    label: state.phrase('Go to line'),
    input: { type: 'text', name: 'line', value: String(state.doc.lineAt(state.selection.main.head).number) },
    focus: true,
    submitLabel: state.phrase('go'),
  });
  void result.then(async (form) => {
    const field = form?.elements.namedItem('line');
    if (!(field instanceof HTMLInputElement)) return;
    const answer = field.value;
    await arrived;
    const selection = placeOf(view.state, answer);
    if (selection) view.dispatch({ effects: EditorView.scrollIntoView(selection.from, { y: 'center' }), selection });
  });
}

/** Where `12`, `12:5`, `+3`, `-3` and `50%` lead; columns count from 1. */
export function placeOf({ doc, selection }: EditorState, answer: string) {
  const [, sign, number, column, percent] = /^\s*([+-])?(\d+)?(?::(\d+))?(%)?\s*$/.exec(answer) ?? [];
  if (number === undefined && column === undefined) return null;
  const here = doc.lineAt(selection.main.head).number;
  const named = percent ? Math.round((doc.lines * Number(number)) / 100) : Number(number ?? here);
  const wanted = sign ? here + (sign === '-' ? -named : named) : named;
  const line = doc.line(Math.max(1, Math.min(wanted, doc.lines)));
  return EditorSelection.cursor(line.from + Math.min(Math.max(Number(column ?? 1) - 1, 0), line.length));
}
