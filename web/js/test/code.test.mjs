// The pure parts of editing code: how a text is indented, what is put right when it is saved, which lines have changed, and
// where links in Markdown lead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { applied, detected, lineDifferences, reverted, Text, tidied, within } = await bundled(`
  export { Text } from '@codemirror/state';
  export { applied, lineDifferences, reverted } from './src/editor/diff';
  export { detected } from './src/editor/indentation';
  export { within } from './src/editor/markdown';
  export { tidied } from './src/editor/tidy';
`);

const doc = (text) => Text.of(text.split('\n'));

test('the indentation of a text is the step between its lines', () => {
  assert.deepEqual(detected(doc('a:\n  b:\n    c\n  d:\n    e')), { tabs: false, size: 2 });
  assert.deepEqual(detected(doc('a {\n    b {\n        c\n    }\n}')), { tabs: false, size: 4 });
  assert.deepEqual(detected(doc('a {\n\tb\n\tc\n}')), { tabs: true, size: 4 });
  assert.deepEqual(detected(doc('/*\n * a\n * b\n */\nint a() {\n   b;\n}')), { tabs: false, size: 3 });
  assert.equal(detected(doc('a\nb\n\nc')), null);
});

test('what is put right is no more than what is wrong', () => {
  const after = (text, rules) => applied(text, tidied(doc(text), rules).edits);
  const both = { trim: true, finalNewline: true };
  assert.equal(after('a  \n\tb\t\n  \nc', both), 'a\n\tb\n\nc\n');
  assert.equal(after('a\n\n', both), 'a\n\n');
  assert.equal(after('a \r\nb\r\nc  ', both), 'a\r\nb\r\nc\r\n');
  assert.equal(after('a \n\n\n', { finalNewline: false }), 'a ');
  assert.equal(after('', both), '');
  assert.deepEqual(tidied(doc('fine\n'), both), { edits: [], left: false });
});

test('nothing is taken away from under a cursor', () => {
  const kept = (text, rules, cursors) => {
    const { edits, left } = tidied(doc(text), rules, cursors);
    return [applied(text, edits), left];
  };
  assert.deepEqual(kept('a  \nb\t\n\n  \nc', { trim: true }, [3, 11]), ['a  \nb\n\n\nc', true]);
  assert.deepEqual(kept('a', { finalNewline: true }, [1]), ['a\n', false]);
  assert.deepEqual(kept('a\n\n', { finalNewline: false }, [2]), ['a\n\n', true]);
  assert.deepEqual(kept('a\n\n', { finalNewline: false }, [1]), ['a', false]);
});

test('lines that differ are told in both texts, and each place can be taken back', () => {
  const before = 'one\ntwo\nthree\nfour\n';
  const after = 'zero\none\nthree\nFOUR\nfive\n';
  const places = lineDifferences(before, after);
  assert.deepEqual(places, [
    { before: { first: 1, count: 0 }, now: { first: 1, count: 1 } },
    { before: { first: 2, count: 1 }, now: { first: 3, count: 0 } },
    { before: { first: 4, count: 1 }, now: { first: 4, count: 2 } },
  ]);
  let text = after;
  for (const line of [4, 3, 1]) text = applied(text, [reverted(before, text, line)]);
  assert.equal(text, before);
  assert.equal(reverted(before, after, 2), null);
  assert.deepEqual(lineDifferences(before, before), []);
});

test('a link of a file leads within its project or nowhere', () => {
  assert.equal(within('docs', 'a%20b.md'), 'docs/a b.md');
  assert.equal(within('docs/x', '../../top.md'), 'top.md');
  assert.equal(within('docs', '/top.md'), 'top.md');
  for (const bad of ['../../etc/passwd', 'javascript:alert(1)', 'data:text/html,x', '//host/x', '']) {
    assert.equal(within('docs', bad), null, bad);
  }
});
