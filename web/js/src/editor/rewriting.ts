// Commands that write selected lines or letters anew. Loaded when one of them is first asked for. Where nothing is selected,
// those for lines take all of them, and those for letters the word at the cursor; joining takes the next line.

import type { ChangeSpec, EditorSelection, EditorState, SelectionRange } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';

/** Makes selections. Handed in: a chunk that shared its module with the editor's would part that in two. */
type Selections = Pick<typeof EditorSelection, 'cursor' | 'range'>;

const REWRITINGS: Record<string, (view: EditorView, selections: Selections) => void> = {
  'join-lines': join,
  'lower-case': (view, selections) => letters(view, selections, (text) => text.toLocaleLowerCase()),
  'sort-lines': (view) => lines(view, (lines) => lines.sort(compare)),
  'sort-lines-backwards': (view) => lines(view, (lines) => lines.sort((one, other) => compare(other, one))),
  'trim-lines': trim,
  'upper-case': (view, selections) => letters(view, selections, (text) => text.toLocaleUpperCase()),
};

export function rewrite(view: EditorView, name: string, selections: Selections): void {
  if (!view.state.readOnly) REWRITINGS[name]?.(view, selections);
}

/** By the numbers of letters, as programs sort. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** The first and last line of each selection, or of the text. */
function stretches(state: EditorState): { from: number; to: number }[] {
  const chosen = state.selection.ranges.filter((range) => !range.empty);
  if (chosen.length === 0) return [{ from: 0, to: state.doc.length }];
  return chosen.map(({ from, to }) => {
    const last = state.doc.lineAt(to);
    // A selection that ends where a line begins has nothing of that.
    const end = last.from === to && to > from ? state.doc.lineAt(to - 1) : last;
    return { from: state.doc.lineAt(from).from, to: end.to };
  });
}

function lines(view: EditorView, order: (lines: string[]) => string[]): void {
  const { state } = view;
  const changes = stretches(state).flatMap(({ from, to }): ChangeSpec[] => {
    const text = state.sliceDoc(from, to);
    const all = text.split('\n');
    // The end of the last line is no line.
    const end = to === state.doc.length && all.at(-1) === '' ? all.splice(-1) : [];
    const insert = [...order(all), ...end].join('\n');
    return insert === text ? [] : [{ from, to, insert }];
  });
  if (changes.length > 0) view.dispatch({ changes, scrollIntoView: true, userEvent: 'input' });
}

function trim(view: EditorView): void {
  const { state } = view;
  const changes: ChangeSpec[] = [];
  for (const { from, to } of stretches(state)) {
    for (let line = state.doc.lineAt(from); ; line = state.doc.line(line.number + 1)) {
      const end = line.text.trimEnd().length;
      if (end < line.length) changes.push({ from: line.from + end, to: line.to });
      if (line.to >= to) break;
    }
  }
  if (changes.length > 0) view.dispatch({ changes, userEvent: 'delete' });
}

function letters(view: EditorView, selections: Selections, change: (text: string) => string): void {
  const { state } = view;
  const rewritten = state.changeByRange((range) => {
    const { from, to } = range.empty ? (state.wordAt(range.head) ?? range) : range;
    const text = state.sliceDoc(from, to);
    const insert = change(text);
    const shift = (at: number) => Math.min(at, from + insert.length);
    const after = range.empty ? selections.cursor(shift(range.head)) : selected(selections, range, from + insert.length);
    return insert === text ? { range } : { changes: { from, to, insert }, range: after };
  });
  view.dispatch(state.update(rewritten, { scrollIntoView: true, userEvent: 'input' }));
}

/** A selection of another length, which looks the same way. */
function selected(selections: Selections, { anchor, head }: SelectionRange, to: number): SelectionRange {
  return anchor <= head ? selections.range(anchor, to) : selections.range(to, head);
}

function join(view: EditorView): void {
  const { doc, selection } = view.state;
  /** The first and the last line of what becomes one. */
  const stretches: { first: number; last: number }[] = [];
  for (const { from, to } of selection.ranges) {
    const first = doc.lineAt(from).number;
    const last = Math.min(Math.max(doc.lineAt(to).number, first + 1), doc.lines);
    const before = stretches.at(-1);
    if (before && first <= before.last) before.last = Math.max(before.last, last);
    else stretches.push({ first, last });
  }
  const changes = stretches.flatMap(({ first, last }): ChangeSpec[] => {
    if (first === last) return [];
    const head = doc.line(first).text.trimEnd();
    const rest: string[] = [];
    for (let number = first + 1; number <= last; number++) {
      const { text } = doc.line(number);
      rest.push(number < last ? text.trim() : text.trimStart());
    }
    const insert = ['', ...rest.filter(Boolean)].join(' ');
    return [{ from: doc.line(first).from + head.length, to: doc.line(last).to, insert: head ? insert : insert.trimStart() }];
  });
  if (changes.length > 0) view.dispatch({ changes, scrollIntoView: true, userEvent: 'input' });
}
