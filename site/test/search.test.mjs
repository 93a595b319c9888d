// What the search finds and what it shows first. Its module is TypeScript for browsers, bundled here.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../src/search.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  write: false,
});
const { found } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);

const pieces = [
  { page: 'Protocol', title: 'Roles', href: '/docs/protocol#roles', text: 'what a viewer may do' },
  { page: 'Embedding', title: 'Widgets', href: '/docs/embedding#widgets', text: 'an id of a page' },
  { page: 'Operating', title: 'Credits', href: '/docs/operating#credits', text: 'a widget takes one, and the viewer none' },
];
const titles = (query) => found(pieces, query).map(({ piece }) => piece.title);

test('what has all the words is found, wherever they stand', () => {
  assert.deepEqual(titles('viewer'), ['Roles', 'Credits']);
  assert.deepEqual(titles('VIEWER  widget'), ['Credits']);
  assert.deepEqual(titles('credits viewer'), ['Credits']);
  assert.deepEqual(titles('viewer nothing'), []);
  assert.deepEqual(titles('  '), []);
});

test('a heading goes before a text, and a whole word before a part', () => {
  assert.deepEqual(titles('widget'), ['Widgets', 'Credits']);
  assert.deepEqual(found([{ page: 'A', title: 'a', href: '', text: 'runner' }, { page: 'A', title: 'b', href: '', text: 'run' }], 'run').map(({ piece }) => piece.title), ['b', 'a']);
});

test('what means something in a pattern is a word like any other', () => {
  assert.deepEqual(titles('(.*'), []);
});
