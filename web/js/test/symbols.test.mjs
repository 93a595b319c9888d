// What a file defines, by the syntax trees that the editor's languages make.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { EditorState, symbolsOf, languageOf } = await bundled(`
  export { EditorState } from '@codemirror/state';
  export { symbolsOf } from './src/editor/symbols';
  export { languageOf } from './src/editor/languages';
`);

async function symbols(path, doc) {
  const language = await languageOf(path)?.();
  const state = EditorState.create({ doc, extensions: language ?? [] });
  return symbolsOf(state).map(({ name, kind, line, column, depth }) => `${kind} ${name} ${line}:${column} ${depth}`);
}

test('functions and types are told with where they are and what they stand in', async () => {
  assert.deepEqual(await symbols('a.py', 'x = 1\nclass A:\n    def b(self):\n        pass\ndef c(): pass\n'), [
    'class A 2:7 0',
    'function b 3:9 1',
    'function c 5:5 0',
  ]);
  assert.deepEqual(await symbols('a.ts', 'interface I {}\nclass A { b() {} }\nfunction c() {}\ntype T = 1;\n'), [
    'interface I 1:11 0',
    'class A 2:7 0',
    'method b 2:11 1',
    'function c 3:10 0',
    'type T 4:6 0',
  ]);
  assert.deepEqual(await symbols('a.rs', 'mod m { struct S; impl S { fn f() {} } }\nfn main() {}\n'), [
    'module m 1:5 0',
    'struct S 1:16 1',
    'impl S 1:24 1',
    'function f 1:31 2',
    'function main 2:4 0',
  ]);
  assert.deepEqual(await symbols('a.go', 'package p\ntype T struct{}\nfunc (t T) m() {}\nfunc f() {}\n'), [
    'type T 2:6 0',
    'method m 3:12 0',
    'function f 4:6 0',
  ]);
  assert.deepEqual(await symbols('a.cpp', 'namespace n { class A {}; }\nint main(int c) { return 0; }\n'), [
    'namespace n 1:11 0',
    'class A 1:21 1',
    'function main 2:5 0',
  ]);
  assert.deepEqual(await symbols('A.java', 'class A { int b() { return 1; } }\n'), ['class A 1:7 0', 'method b 1:15 1']);
});

test('headings are told, and a file without a language has nothing', async () => {
  assert.deepEqual(await symbols('a.md', '# One\n\ntext\n\n## Two ##\n'), ['heading One 1:1 0', 'heading Two 5:1 0']);
  assert.deepEqual(await symbols('a.txt', 'function no() {}\n'), []);
});
