// Where an answer to "Go to line" leads.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { EditorState, placeOf } = await bundled(`
  export { EditorState } from '@codemirror/state';
  export { placeOf } from './src/editor/line';
`);

const state = EditorState.create({ doc: 'one\ntwo\nthree\nfour', selection: { anchor: 5 } });
const at = (answer) => placeOf(state, answer)?.head ?? null;

test('lines, columns, steps and parts of a text are gone to, as near as there are such', () => {
  assert.deepEqual(['3', '3:3', ' 1 ', '+1', '-1', '50%', ':2'].map(at), [8, 10, 0, 8, 0, 4, 5]);
  assert.deepEqual(['0', '99', '2:99', '-9', '1:0'].map(at), [0, 14, 7, 0, 0]);
});

test('what names no place leads nowhere', () => {
  assert.deepEqual(['', 'x', '+', '%', '3:x', '1.5'].map(at), [null, null, null, null, null, null]);
});
