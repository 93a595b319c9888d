// Selecting what is around, step by step, and back again. Remembers the way for each view, for as long as nothing else was
// selected or changed.

import { selectParentSyntax } from '@codemirror/commands';
import type { EditorSelection, EditorState, Text } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';

interface Step {
  doc: Text;
  before: EditorSelection;
  after: EditorSelection;
}

const ways = new WeakMap<EditorView, Step[]>();

/** The steps that led to what is selected now. */
function wayTo(view: EditorView): Step[] {
  const way = ways.get(view) ?? [];
  return isAt(way.at(-1), view.state) ? way : [];
}

function isAt(step: Step | undefined, { doc, selection }: EditorState): boolean {
  return step !== undefined && step.doc.eq(doc) && step.after.eq(selection);
}

export function expand(view: EditorView): boolean {
  const way = wayTo(view);
  const before = view.state.selection;
  if (!selectParentSyntax(view)) return false;
  const { doc, selection: after } = view.state;
  ways.set(view, [...way, { doc, before, after }]);
  return true;
}

export function shrink(view: EditorView): boolean {
  const way = wayTo(view);
  const last = way.at(-1);
  if (!last) return false;
  ways.set(view, way.slice(0, -1));
  view.dispatch({ selection: last.before, scrollIntoView: true, userEvent: 'select' });
  return true;
}
