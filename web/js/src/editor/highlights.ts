// Lines that whoever shows the file wants to be seen. They go with the text as it is edited.

import { StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

/** First and last lines, from 1. */
export type Stretches = readonly (readonly [number, number])[];

const set = StateEffect.define<Stretches>();
const line = Decoration.line({ class: 'cm-highlighted' });

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marked, { changes, effects, state }) => {
    for (const effect of effects) if (effect.is(set)) return decorations(effect.value, state.doc);
    return marked.map(changes);
  },
  provide: (marked) => EditorView.decorations.from(marked),
});

/** What has a view mark these lines, and no others. */
export function highlighted(stretches: Stretches): StateEffect<unknown>[] {
  return [StateEffect.appendConfig.of(field), set.of(stretches)];
}

function decorations(stretches: Stretches, doc: Text): DecorationSet {
  const numbers = new Set<number>();
  for (const [first, last] of stretches) {
    for (let number = first; number <= Math.min(last, doc.lines); number++) numbers.add(number);
  }
  const sorted = [...numbers].sort((one, other) => one - other);
  return Decoration.set(sorted.map((number) => line.range(doc.line(number).from)));
}
