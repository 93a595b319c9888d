// The pure parts of bringing two lives of a document together: what changed between texts, and both sides' changes at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundled } from './bundle.mjs';

const { applied, diff, merge } = await bundled(`
  export { applied, diff } from './src/editor/diff';
  export { merge } from './src/editor/merge';
`);

const brought = (base, local, remote) => applied(remote, merge(base, local, remote));

/** Numbers that look random and are the same in every run. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pieces = ['a', 'b', '\n', '\n', 'line\n', '😀', '😁', '\r\n', 'é'];

function someText(random, length) {
  return Array.from({ length: random(length) }, () => pieces[random(pieces.length)]).join('');
}

/** A text near another, whole characters changed. */
function near(random, text) {
  const characters = [...text];
  for (let changes = random(4); changes > 0; changes--) {
    characters.splice(random(characters.length + 1), random(3), ...someText(random, 4));
  }
  return characters.join('');
}

test('a diff makes the second text of the first, cuts no character, and is in order', () => {
  const random = numbers(1);
  for (let round = 0; round < 3000; round++) {
    const before = someText(random, 30);
    const after = round % 3 ? near(random, before) : someText(random, 30);
    const edits = diff(before, after);
    assert.equal(applied(before, edits), after);
    let end = -1;
    for (const { from, to, insert } of edits) {
      assert.ok(from > end && to >= from && (to > from || insert), JSON.stringify({ before, after, edits }));
      end = to;
      for (const part of [before.slice(0, from), before.slice(0, to), insert]) assert.ok(part.isWellFormed(), part);
    }
  }
});

test('a diff names what changed and no more', () => {
  assert.deepEqual(diff('same', 'same'), []);
  assert.deepEqual(diff('one\ntwo\nthree\n', 'one\ntwo!\nthree\n'), [{ from: 7, to: 7, insert: '!' }]);
  const text = Array.from({ length: 2000 }, (_, line) => `line ${line}\n`).join('');
  const changed = text.replace('line 3\n', '').replace('line 1990\n', 'line 1990 and more\n');
  assert.deepEqual(diff(text, changed), [
    { from: text.indexOf('line 3\n'), to: text.indexOf('line 4\n'), insert: '' },
    { from: text.indexOf('\nline 1991'), to: text.indexOf('\nline 1991'), insert: ' and more' },
  ]);
});

test('texts that have nothing in common take no time to speak of', () => {
  const old = Array.from({ length: 40_000 }, (_, line) => `${line} old\n`).join('');
  const now = Array.from({ length: 40_000 }, (_, line) => `${line} new\n`).join('');
  assert.equal(applied(old, diff(old, now)), now);
});

test('what was typed here comes on top of what the server has', () => {
  assert.equal(brought('a\nb\nc\n', 'a\nb!\nc\n', '#\na\nb\nc\n'), '#\na\nb!\nc\n');
  assert.equal(brought('a\nb\n', 'a\n', 'a\nb\nc\n'), 'a\nc\n');
  assert.equal(brought('', 'typed', ''), 'typed');
});

test('what the server got after all does not come twice', () => {
  assert.equal(brought('x = \n', 'x = 12\n', 'x = 12\n'), 'x = 12\n');
  assert.equal(brought('x = \n', 'x = 12\n', '# new\nx = 12\n'), '# new\nx = 12\n');
  assert.equal(brought('x = \n', 'x = 123\n', '# new\nx = 12\n'), '# new\nx = 123\n', 'it got the beginning');
  assert.equal(brought('x = \n', 'x = 12\n', 'x = 123\n'), 'x = 123\n', 'someone went on');
  assert.equal(brought('a\nb\nc\nd\n', 'a1\nb\nc\nd2\n', 'a1\nb\nc\nd\n'), 'a1\nb\nc\nd2\n', 'it got the first of two');
});

test('what both typed at one place is there, each once', () => {
  const both = brought('x\n', 'x mine\n', 'x theirs\n');
  assert.ok(both.includes('mine') && both.includes('theirs') && both.split('x').length === 2, both);
  assert.equal(brought('one two\n', 'one two three\n', ''), ' three', 'what I added to is deleted');
});

test('whoever changed alone gets their text, and bringing over twice changes nothing', () => {
  const random = numbers(2);
  for (let round = 0; round < 2000; round++) {
    const base = someText(random, 25);
    const [local, remote] = [near(random, base), near(random, base)];
    assert.equal(brought(base, local, base), local);
    assert.equal(brought(base, base, remote), remote);
    assert.equal(brought(base, local, local), local);
    const both = brought(base, local, remote);
    assert.ok(both.isWellFormed());
  }
});
