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

/** The edits, in order. */
export function tidied(doc: Text, { trim, finalNewline }: TidyRules): Edit[] {
  const edits: Edit[] = [];
  if (trim) {
    for (let number = 1; number <= doc.lines; number++) {
      const line = doc.line(number);
      // A file with mixed line ends keeps its carriage returns as characters.
      const end = line.text.endsWith('\r') ? line.to - 1 : line.to;
      const kept = line.text.slice(0, end - line.from).trimEnd().length;
      if (line.from + kept < end) edits.push({ from: line.from + kept, to: end, insert: '' });
    }
  }
  if (finalNewline === undefined || doc.length === 0) return edits;
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
    if (from < length) edits.push({ from, to: length, insert: '' });
  }
  return edits;
}
