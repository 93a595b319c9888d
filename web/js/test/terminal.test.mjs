// What is asked about before it is pasted, and where the characters of a long line are on the screen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { isAskedAbout, lineAt } = await bundled(`
  export { isAskedAbout } from './src/terminal/clipboard.ts';
  export { lineAt } from './src/terminal/places.ts';
`);

test('several lines are asked about, but for programs that know pasting from typing', () => {
  for (const text of ['a\nb', 'a\r\nb\r\n', 'a\n\n', 'a\rb']) {
    assert.ok(isAskedAbout(text, false), JSON.stringify(text));
    assert.ok(!isAskedAbout(text, true), JSON.stringify(text));
  }
  for (const text of ['', 'a', 'a\n', 'a\r\n', 'a\n  ']) assert.ok(!isAskedAbout(text, false), JSON.stringify(text));
});

/** A buffer of rows: each a text, with a '>' in front of those that go on from the one above. */
function buffer(...rows) {
  const cell = (character, width) => ({ getChars: () => character, getWidth: () => width });
  const line = (row) => {
    const isWrapped = row.startsWith('>');
    const cells = [...row.slice(isWrapped ? 1 : 0)].flatMap((character) =>
      /\p{Script=Han}/u.test(character) ? [cell(character, 2), cell('', 0)] : [cell(character, 1)],
    );
    return { isWrapped, length: cells.length, getCell: (x) => cells[x] };
  };
  const lines = rows.map(line);
  return { getLine: (y) => lines[y] };
}

test('a line that goes on in the next row is one, and wide characters take two cells', () => {
  const rows = buffer('first', 'see 漢', '>字.py:3', 'last');
  for (const row of [1, 2]) {
    const { text, cells } = lineAt(rows, row);
    assert.equal(text, 'see 漢字.py:3');
    assert.deepEqual(cells[4], { x: 5, y: 2, width: 2 });
    assert.deepEqual(cells[5], { x: 1, y: 3, width: 2 });
    assert.deepEqual(cells[6], { x: 3, y: 3, width: 1 });
  }
  assert.equal(lineAt(rows, 3).text, 'last');
});
