// Which lines have changed since the page opened the file first, as marks beside them: a bar for what is new, a dashed one
// for what is different, a wedge where something was taken out. Owns the marks; what they are is told ([`setChanges`]).

import { type Extension, RangeSet, StateEffect, StateField, type Text } from '@codemirror/state';
import { type EditorView, GutterMarker, gutter } from '@codemirror/view';
import { said } from '../said';
import type { Place } from './diff';

/** Longer texts, in UTF-16 units, are not compared as one types. */
export const LONGEST = 1_000_000;
/** How long after an edit the marks are brought into line, in milliseconds. */
export const PAUSE = 200;

class Mark extends GutterMarker {
  constructor(readonly kind: 'added' | 'changed' | 'removed') {
    super();
  }

  override eq(other: Mark): boolean {
    return this.kind === other.kind;
  }

  override toDOM(): Node {
    const element = document.createElement('div');
    element.className = `cm-change cm-change-${this.kind}`;
    element.title = said(NAMES[this.kind]);
    return element;
  }
}

const NAMES = { added: 'change.added', changed: 'change.changed', removed: 'change.removed' };
const [added, changed, removed] = [new Mark('added'), new Mark('changed'), new Mark('removed')];

export const setChanges = StateEffect.define<readonly Place[]>();

const field = StateField.define<RangeSet<GutterMarker>>({
  create: () => RangeSet.empty,
  update(marks, transaction) {
    let now = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setChanges)) now = drawn(effect.value, transaction.newDoc);
    }
    return now;
  },
});

function drawn(places: readonly Place[], doc: Text): RangeSet<GutterMarker> {
  const marks = new Map<number, Mark>();
  for (const { before, now } of places) {
    if (now.count === 0) {
      const at = doc.line(Math.min(Math.max(now.first, 1), doc.lines)).from;
      if (!marks.has(at)) marks.set(at, removed);
      continue;
    }
    for (let number = now.first; number < now.first + now.count && number <= doc.lines; number++) {
      marks.set(doc.line(number).from, before.count === 0 ? added : changed);
    }
  }
  return RangeSet.of([...marks].map(([at, mark]) => mark.range(at)), true);
}

/** Goes to the next place that has changed, or to the one before, around the end. */
export function goToChange(view: EditorView, step: 1 | -1): boolean {
  const { doc, selection } = view.state;
  const lines: number[] = [];
  view.state.field(field).between(0, doc.length, (from) => {
    lines.push(doc.lineAt(from).number);
  });
  // Lines one under the other are one place.
  const starts = lines.filter((line, at) => line !== (lines[at - 1] ?? -1) + 1);
  const here = doc.lineAt(selection.main.head).number;
  const next = step > 0 ? starts.find((line) => line > here) : starts.findLast((line) => line < here);
  const line = next ?? (step > 0 ? starts[0] : starts.at(-1));
  if (line === undefined) return false;
  view.dispatch({ selection: { anchor: doc.line(line).from }, scrollIntoView: true, userEvent: 'select' });
  return true;
}

export function changes(open: (view: EditorView) => void): Extension {
  return [
    field,
    gutter({
      class: 'cm-changes',
      markers: (view) => view.state.field(field),
      domEventHandlers: {
        mousedown: (view, line) => {
          let isMarked = false;
          view.state.field(field).between(line.from, line.from, () => {
            isMarked = true;
          });
          if (isMarked) open(view);
          return isMarked;
        },
      },
    }),
  ];
}
