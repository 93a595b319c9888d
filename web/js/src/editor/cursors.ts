// Where the cursors were before, to go back there without changing the text, as one does after one Ctrl+D too many. Owns
// those selections alone; undoing what was typed is the document's.

import { type EditorSelection, type Extension, StateEffect, StateField, Transaction } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';

/** Selections that are remembered; the oldest makes room. */
const MOST = 100;
/** Steps that follow each other within this time, in milliseconds, are one, if they leave as many cursors. */
const ONE_STEP = 500;

interface Past {
  before: readonly EditorSelection[];
  after: readonly EditorSelection[];
  since: number;
}

/** Goes a step back (-1) or forward (1). */
const go = StateEffect.define<-1 | 1>();

const field = StateField.define<Past>({
  create: () => ({ before: [], after: [], since: 0 }),
  update(past, transaction) {
    let { before, after, since } = past;
    const { startState, changes, docChanged } = transaction;
    const was = startState.selection;
    const step = transaction.effects.find((effect) => effect.is(go))?.value;
    if (step === -1) [before, after, since] = [before.slice(0, -1), [...after, was], 0];
    else if (step === 1) [before, after, since] = [[...before, was], after.slice(0, -1), 0];
    else if (!was.eq(transaction.newSelection)) {
      const now = transaction.annotation(Transaction.time) ?? 0;
      const isOne = now - since < ONE_STEP && was.ranges.length === transaction.newSelection.ranges.length;
      // What moves with the text is no step.
      if (transaction.selection && !isOne) before = [...before, was].slice(-MOST);
      if (transaction.selection) [after, since] = [[], now];
    }
    if (docChanged) {
      before = before.map((selection) => selection.map(changes));
      after = after.map((selection) => selection.map(changes));
    }
    return before === past.before && after === past.after && since === past.since ? past : { before, after, since };
  },
});

export const cursorHistory: Extension = field;

export const undoCursor = (view: EditorView): boolean => stepTo(view, -1);
export const redoCursor = (view: EditorView): boolean => stepTo(view, 1);

function stepTo(view: EditorView, step: -1 | 1): boolean {
  const past = view.state.field(field);
  const selection = (step < 0 ? past.before : past.after).at(-1);
  if (!selection) return false;
  view.dispatch({ selection, effects: go.of(step), scrollIntoView: true, userEvent: 'select' });
  return true;
}
