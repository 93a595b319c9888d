// Two people's changes to one text, brought together: what a person typed and the server never held, on top of what the
// server has now. Pure; nothing that either side typed is ever left out, and what both have alike comes once.

import { ChangeSet } from '@codemirror/state';
import { diff, type Edit } from './diff';

/** The edits that bring what changed from `base` to `local` into `remote`, which came of `base` too; in order. */
export function merge(base: string, local: string, remote: string): Edit[] {
  if (local === base || local === remote) return [];
  const theirs = diff(base, remote);
  const mine = diff(base, local).flatMap((edit) => rest(edit, theirs));
  const length = base.length;
  const others = ChangeSet.of(theirs, length, '\n');
  const changes = ChangeSet.of(mine, length, '\n').map(others);
  const edits: Edit[] = [];
  changes.iterChanges((from, to, _fromB, _toB, insert) => {
    edits.push({ from, to, insert: insert.sliceString(0, insert.length, '\n') });
  });
  return edits;
}

/** What of my edit the others don't have yet: the same place may already hold all of it, or its beginning. */
function rest(mine: Edit, theirs: readonly Edit[]): Edit[] {
  const same = theirs.find(({ from, to }) => from === mine.from && to === mine.to);
  if (!same) return [mine];
  if (same.insert.startsWith(mine.insert)) return [];
  if (!mine.insert.startsWith(same.insert)) return [mine];
  return [{ from: mine.to, to: mine.to, insert: mine.insert.slice(same.insert.length) }];
}
