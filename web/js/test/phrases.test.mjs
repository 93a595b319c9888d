// The editor's own words: each that is translated is one that CodeMirror says, and is said as the page gave it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { EditorState, keys, phrases, speak } = await bundled(`
  export { EditorState } from '@codemirror/state';
  export { keys, phrases } from './src/editor/phrases';
  export { speak } from './src/said';
`);

test('CodeMirror says what the page gave it', () => {
  speak({ 'codemirror.find': 'Suchen', 'codemirror.replaced-all': '$ Treffer ersetzt' });
  const state = EditorState.create({ extensions: phrases() });
  assert.equal(state.phrase('Find'), 'Suchen');
  assert.equal(state.phrase('replaced $ matches', 3), '3 Treffer ersetzt');
});

test('every phrase is one that CodeMirror has', async () => {
  const packages = ['search', 'language', 'view', 'commands', 'autocomplete'];
  const file = (name) => new URL(`../node_modules/@codemirror/${name}/dist/index.js`, import.meta.url);
  const code = (await Promise.all(packages.map((name) => readFile(file(name), 'utf8')))).join('\n');
  assert.deepEqual(Object.keys(keys).filter((phrase) => !code.includes(`"${phrase}"`)), []);
});

test('every phrase has its word in the English catalogue', async () => {
  const words = await readFile(new URL('../../words/en.txt', import.meta.url), 'utf8');
  assert.deepEqual(Object.values(keys).filter((key) => !words.includes(`\n${key} = `)), []);
});
