// What is put right when a file is saved: spaces at the ends of lines, and the line feed at the end of the text. Pure; the
// edits are as small as can be, so that cursors stay and nobody else's edit is touched.

import type { Text } from '@codemirror/state';
import type { Edit } from './diff';

export interface TidyRules {
  /** Spaces and tabs at the end of a line go. */
  trim?: boolean;
  /** The text ends with a line feed (`true`), or without one (`false`). */
  finalNewline?: boolean;
}

export interface Tidied {
  /** In order. */
  edits: Edit[];
  /** Somewhere a cursor was in the way. */
  left: boolean;
}

/** What is to be put right, but for the lines with a cursor: nothing is taken away from under one. */
export function tidied(doc: Text, { trim, finalNewline }: TidyRules, cursors: readonly number[] = []): Tidied {
  const edits: Edit[] = [];
  let left = false;
  if (trim) {
    const busy = new Set(cursors.map((at) => doc.lineAt(Math.min(at, doc.length)).number));
    let from = 0;
    let number = 0;
    for (const text of doc.iterLines()) {
      number++;
      // A file with mixed line ends keeps its carriage returns as characters.
      const end = text.endsWith('\r') ? text.length - 1 : text.length;
      const kept = text.slice(0, end).trimEnd().length;
      if (kept < end && busy.has(number)) left = true;
      else if (kept < end) edits.push({ from: from + kept, to: from + end, insert: '' });
      from += text.length + 1;
    }
  }
  if (finalNewline === undefined || doc.length === 0) return { edits, left };
  const { length } = doc;
  const isThere = doc.line(doc.lines).length === 0;
  if (finalNewline && !isThere) {
    const ending = doc.lines > 1 && doc.line(1).text.endsWith('\r') ? '\r\n' : '\n';
    const last = edits.at(-1);
    if (last && last.to === length) last.insert = ending;
    else edits.push({ from: length, to: length, insert: ending });
  } else if (!finalNewline && isThere) {
    let from = length;
    while (from > 0 && /[\r\n]/.test(doc.sliceString(from - 1, from))) from--;
    if (cursors.some((at) => at > from)) left = true;
    else if (from < length) edits.push({ from, to: length, insert: '' });
  }
  return { edits, left };
}
