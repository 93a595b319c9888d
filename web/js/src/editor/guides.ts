// Lines down the page: one for each step of indentation, the one around the cursor marked, and a ruler where a line ought
// to end. Drawn behind the text as a layer of their own; the text and its elements are never touched.

import { getIndentUnit, language } from '@codemirror/language';
import { countColumn, type EditorState, type Extension, type Text } from '@codemirror/state';
import { EditorView, type LayerMarker, layer, type ViewUpdate } from '@codemirror/view';

/** Guides deeper than this are not drawn. */
const DEEPEST = 40;
/** Lines beyond the visible ones that are looked at for how deep an empty line or the cursor's block is. */
const FAR = 400;

/** One upright line, in pixels from the corner of the text's own plane. */
class Upright implements LayerMarker {
  constructor(
    readonly kind: string,
    readonly left: number,
    readonly top: number,
    readonly height: number,
  ) {}

  eq(other: Upright): boolean {
    return this.kind === other.kind && this.left === other.left && this.top === other.top && this.height === other.height;
  }

  draw(): HTMLElement {
    const element = document.createElement('div');
    this.#place(element);
    return element;
  }

  update(element: HTMLElement): boolean {
    this.#place(element);
    return true;
  }

  #place(element: HTMLElement): void {
    element.className = this.kind;
    element.style.left = `${this.left}px`;
    element.style.top = `${this.top}px`;
    element.style.height = `${this.height}px`;
  }
}

/** Columns that a line is indented by; `null` for one without text. */
function depthOf(doc: Text, number: number, tabSize: number): number | null {
  const { text } = doc.line(number);
  const end = text.search(/\S/);
  return end < 0 ? null : countColumn(text, tabSize, end);
}

/**
 * How deep each line from `first` to `last` is, in columns. An empty one is as deep as what follows it; behind a block that
 * ends with a line of its own, such as a brace, it is still in that.
 */
function depths(state: EditorState, first: number, last: number): number[] {
  const { doc, tabSize } = state;
  const endsByLine = !/^(python|yaml)$/.test(state.facet(language)?.name ?? '');
  /** The nearest line with text in one direction, a few hundred lines at most. */
  const beyond = (number: number, step: 1 | -1): number => {
    for (let far = 0; far < FAR && number >= 1 && number <= doc.lines; far++, number += step) {
      const depth = depthOf(doc, number, tabSize);
      if (depth !== null) return depth;
    }
    return 0;
  };
  const raw = Array.from({ length: last - first + 1 }, (_, at) => depthOf(doc, first + at, tabSize));
  let above = raw[0] === null ? beyond(first, -1) : 0;
  const out: number[] = [];
  for (let at = 0; at < raw.length; at++) {
    const depth = raw[at] ?? null;
    if (depth !== null) {
      out.push(depth);
      above = depth;
      continue;
    }
    let end = at;
    while (end < raw.length && raw[end] === null) end++;
    const below = end < raw.length ? (raw[end] ?? 0) : beyond(last + 1, 1);
    const between = above > below && endsByLine && (end < raw.length || last < doc.lines) ? below + 1 : below;
    for (; at < end; at++) out.push(between);
    at--;
  }
  return out;
}

/** The block around the cursor: which guide, from 0, and its first and last line. */
function active(state: EditorState, unit: number): { level: number; first: number; last: number } | null {
  const { doc } = state;
  const line = doc.lineAt(state.selection.main.head).number;
  const [from, to] = [Math.max(1, line - FAR), Math.min(doc.lines, line + FAR)];
  const all = depths(state, from, to);
  const at = (number: number) => all[number - from] ?? 0;
  const opens = line < to && at(line + 1) > at(line);
  const level = opens ? Math.floor(at(line) / unit) : Math.ceil(at(line) / unit) - 1;
  if (level < 0) return null;
  const inside = (number: number) => at(number) > level * unit;
  let first = opens ? line + 1 : line;
  let last = first;
  if (!inside(first)) return null;
  while (first > from && inside(first - 1)) first--;
  while (last < to && inside(last + 1)) last++;
  return { level, first, last };
}

/** Where the text's plane and the first column of a line are. */
function plane(view: EditorView): { left: number; column: (column: number) => number } {
  const scroller = view.scrollDOM.getBoundingClientRect();
  const content = view.contentDOM.getBoundingClientRect();
  const line = view.contentDOM.querySelector('.cm-line');
  const padding = line ? Number.parseFloat(getComputedStyle(line).paddingLeft) : 0;
  const left = content.left - scroller.left + view.scrollDOM.scrollLeft + padding;
  return { left, column: (column) => Math.round(left + column * view.defaultCharacterWidth) };
}

function markers(view: EditorView): Upright[] {
  const { state } = view;
  const { doc } = state;
  const unit = Math.max(1, getIndentUnit(state));
  const top = view.documentTop - view.scrollDOM.getBoundingClientRect().top + view.scrollDOM.scrollTop;
  const { column } = plane(view);
  const around = active(state, unit);
  const out: Upright[] = [];
  for (const { from, to } of view.visibleRanges) {
    const [first, last] = [doc.lineAt(from).number, doc.lineAt(to).number];
    const all = depths(state, first, last);
    const most = Math.min(DEEPEST, Math.ceil(Math.max(0, ...all) / unit));
    for (let level = 0; level < most; level++) {
      let begin: number | null = null;
      for (let number = first; number <= last + 1; number++) {
        const inside = number <= last && (all[number - first] ?? 0) > level * unit;
        if (inside) begin ??= number;
        if (inside || begin === null) continue;
        const [above, below] = [view.lineBlockAt(doc.line(begin).from), view.lineBlockAt(doc.line(number - 1).to)];
        const isActive = around !== null && around.level === level && around.first <= number - 1 && around.last >= begin;
        const kind = isActive ? 'cm-guide cm-guideActive' : 'cm-guide';
        out.push(new Upright(kind, column(level * unit), top + above.top, below.bottom - above.top));
        begin = null;
      }
    }
  }
  return out;
}

function isToBeDrawn(update: ViewUpdate): boolean {
  return update.docChanged || update.viewportChanged || update.selectionSet || update.geometryChanged || update.transactions.length > 0;
}

export function guides(): Extension {
  return layer({ above: false, class: 'cm-guides', update: isToBeDrawn, markers });
}

/** A ruler behind the column `at`. */
export function ruler(at: number): Extension {
  return layer({
    above: false,
    class: 'cm-rulers',
    update: (update) => update.geometryChanged || update.viewportChanged || update.docChanged,
    markers: (view) => {
      const height = Math.max(view.contentHeight, view.scrollDOM.clientHeight);
      return [new Upright('cm-ruler', plane(view).column(at), 0, height)];
    },
  });
}
