// TOML as the page reads it: values as JSON, and what is wrong with its line.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { parseToml } = await bundled(`export { parseToml } from './src/toml';`);

test('tables, arrays of tables and dates become JSON', () => {
  const text = 'default = "a"\n[[run]]\nname = "a"\nenv = { PORT = 1, X = true }\n[d]\nat = 2026-01-02\n';
  assert.deepEqual(JSON.parse(parseToml(text)), {
    value: { default: 'a', run: [{ name: 'a', env: { PORT: 1, X: true } }], d: { at: '2026-01-02' } },
  });
});

test('what is wrong is told with its line and in one line', () => {
  for (const [text, line] of [['a = 1\nb = \n', 2], ['[run\n', 1], ['a = 1\n\na = 2\n', 3]]) {
    const told = JSON.parse(parseToml(text));
    assert.equal(told.line, line, text);
    assert.match(told.what, /^[^\n]+$/);
  }
});
