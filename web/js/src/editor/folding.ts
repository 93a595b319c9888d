// Folding: a gutter to fold by, and what can be folded where the language's grammar does not say: what is indented deeper.
// Owns no state.

import { codeFolding, foldGutter, foldService, language, StreamLanguage } from '@codemirror/language';
import { countColumn, type EditorState, type Extension } from '@codemirror/state';
import { said } from '../said';

/** Lines that are looked at for the end of what is indented deeper. */
const FAR = 5_000;

function depth(text: string, tabSize: number): number | null {
  const end = text.search(/\S/);
  return end < 0 ? null : countColumn(text, tabSize, end);
}

/** The lines below that are indented deeper than this one. */
function deeper(state: EditorState, _from: number, end: number): { from: number; to: number } | null {
  const known = state.facet(language);
  if (known && !(known instanceof StreamLanguage)) return null;
  const { doc, tabSize } = state;
  const line = doc.lineAt(end);
  const own = depth(line.text, tabSize);
  if (own === null) return null;
  let last = end;
  for (let number = line.number + 1; number <= Math.min(doc.lines, line.number + FAR); number++) {
    const next = doc.line(number);
    const its = depth(next.text, tabSize);
    if (its === null) continue;
    if (its <= own) break;
    last = next.to;
  }
  return last > end ? { from: end, to: last } : null;
}

function marker(open: boolean): HTMLElement {
  const element = document.createElement('span');
  element.className = open ? 'cm-fold' : 'cm-fold cm-folded';
  element.title = said(open ? 'command.fold' : 'command.unfold');
  return element;
}

export function folding(): Extension {
  return [codeFolding(), foldService.of(deeper), foldGutter({ markerDOM: marker })];
}
