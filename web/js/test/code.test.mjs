// The pure parts of editing code: how a text is indented, what is put right when it is saved, which lines have changed,
// commands that write lines anew, and where links in Markdown lead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { applied, detected, EditorSelection, EditorState, expand, javascript, lineDifferences, reverted, rewrite, shrink, Text, tidied, within } = await bundled(`
  export { javascript } from '@codemirror/lang-javascript';
  export { EditorSelection, EditorState, Text } from '@codemirror/state';
  export { expand, shrink } from './src/editor/expansion';
  export { rewrite } from './src/editor/rewriting';
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

/** A view without a page, with what stands between `|` and `|` selected. */
function viewOf(text, ...more) {
  const parts = text.split('|');
  const from = parts.length > 1 ? parts[0].length : 0;
  const selection = EditorSelection.range(from, from + (parts.length > 1 ? parts[1].length : 0));
  const view = {
    state: EditorState.create({ doc: parts.join(''), selection, extensions: more }),
    dispatch(...specs) {
      const [first] = specs;
      view.state = (first.state ? first : view.state.update(...specs)).state;
    },
    get text() {
      const { from, to, empty } = view.state.selection.main;
      const all = view.state.doc.toString();
      return empty ? all : `${all.slice(0, from)}|${all.slice(from, to)}|${all.slice(to)}`;
    },
  };
  return view;
}

test('lines and letters are written anew, those that are selected or all that may be meant', () => {
  const after = (name, text) => {
    const view = viewOf(text);
    rewrite(view, name, EditorSelection);
    return view.state.doc.toString();
  };
  assert.equal(after('sort-lines', 'b\na\nc\n'), 'a\nb\nc\n');
  assert.equal(after('sort-lines', 'z\n|b\na\n|c'), 'z\na\nb\nc');
  assert.equal(after('sort-lines-backwards', 'a\nc\nb'), 'c\nb\na');
  assert.equal(after('join-lines', 'one  \n  two\nthree'), 'one two\nthree');
  assert.equal(after('join-lines', '|one\ntwo\n\nthree|'), 'one two three');
  assert.equal(after('join-lines', 'last'), 'last');
  assert.equal(after('trim-lines', 'a \n\tb\t\n  '), 'a\n\tb\n');
  assert.equal(after('trim-lines', 'a \n|b |\nc '), 'a \nb\nc ');
  assert.equal(after('upper-case', 'one two'), 'ONE two');
  assert.equal(after('lower-case', 'ONE |TWO T|HREE'), 'ONE two tHREE');
  const longer = viewOf('|straße| x');
  rewrite(longer, 'upper-case', EditorSelection);
  assert.equal(longer.text, '|STRASSE| x');
  const shown = viewOf('b\na', EditorState.readOnly.of(true));
  rewrite(shown, 'sort-lines', EditorSelection);
  assert.equal(shown.text, 'b\na');
});

test('a selection that was made larger is made smaller again, until something else is selected', () => {
  const view = viewOf('call(one, [two])', javascript());
  view.dispatch({ selection: { anchor: 12 } });
  const sizes = [];
  for (const step of [expand, expand, expand, shrink, shrink, shrink]) {
    step(view);
    sizes.push(view.text);
  }
  assert.deepEqual(sizes.slice(3), [sizes[1], sizes[0], 'call(one, [two])']);
  assert.equal(sizes[0], 'call(one, [|two|])');
  assert.equal(shrink(view), false);
  expand(view);
  view.dispatch({ selection: { anchor: 0 } });
  assert.equal(shrink(view), false);
});
