// Two copies of a document and the messages between them, as a server carries them; and what is kept as not yet held.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bundled } from './bundle.mjs';

const { ChangeSet, Replica, Text, Unheld } = await bundled(`
  export { Replica } from './src/editor/replica';
  export { Unheld } from './src/editor/unheld';
  export { ChangeSet, Text } from '@codemirror/state';
`);

/** A replica, and what it wants to have sent. */
function page() {
  const sent = [];
  const counts = { edits: 0, moves: 0 };
  const replica = new Replica({
    send: (message) => sent.push(message),
    edited: () => counts.edits++,
    peopleMoved: () => counts.moves++,
  });
  after(() => replica.destroy());
  return { replica, sent, counts, type: (at, insert) => replica.edit([{ from: at, to: at, insert }]) };
}

/** Carries everything until nobody has more to say. */
function carry(one, other) {
  while (one.sent.length + other.sent.length > 0) {
    for (const message of one.sent.splice(0)) other.replica.receive(message);
    for (const message of other.sent.splice(0)) one.replica.receive(message);
  }
}

const kinds = (messages) => messages.map(([type, kind]) => `${type}.${kind}`);

test('copies that were changed apart become alike, whole characters and carriage returns included', () => {
  const [a, b] = [page(), page()];
  a.type(0, 'one\r\ntwo\r');
  b.type(0, '😀');
  a.sent.length = b.sent.length = 0;
  a.replica.ask();
  b.replica.ask();
  carry(a, b);
  assert.equal(a.replica.text.toString(), b.replica.text.toString());
  assert.ok(a.replica.text.toString().includes('one\r\ntwo\r') && a.replica.text.toString().includes('😀'));
  a.replica.edit([{ from: 0, to: 1, insert: 'X' }, { from: 3, to: 4, insert: '' }]);
  carry(a, b);
  assert.equal(a.replica.text.toString(), b.replica.text.toString());
});

test('messages have the bytes that the server reads', () => {
  const a = page();
  a.replica.ask();
  assert.deepEqual([...a.sent[0]], [0, 0, 1, 0], 'step 1 of who has nothing');
  assert.equal(a.replica.receive(new Uint8Array([0, 0, 1, 0])), false);
  assert.deepEqual([...a.sent[1]], [0, 1, 2, 0, 0], 'step 2 of who has nothing');
  a.type(0, 'x');
  assert.deepEqual(kinds(a.sent), ['0.0', '0.1', '0.2']);
});

test('only a step 2 says that all is here; awareness says nothing', () => {
  const a = page();
  assert.equal(a.replica.receive(new Uint8Array([0, 1, 2, 0, 0])), true);
  assert.equal(a.replica.receive(new Uint8Array([0, 2, 2, 0, 0])), false);
  assert.equal(a.replica.receive(new Uint8Array([1, 1, 0])), false);
  assert.deepEqual(a.sent, []);
  assert.throws(() => a.replica.receive(new Uint8Array([0])));
  assert.equal(a.replica.receiving, false);
});

test('several messages in one frame are all taken', () => {
  const [a, b] = [page(), page()];
  for (const [at, text] of [...'one two'].entries()) a.type(at, text);
  const whole = new Uint8Array([0, 1, 2, 0, 0]);
  assert.equal(b.replica.receive(Uint8Array.from([...a.sent.flatMap((message) => [...message]), ...whole])), true);
  assert.equal(b.replica.text.toString(), 'one two');
  assert.throws(() => b.replica.receive(Uint8Array.from([...whole, 9])));
});

test('people are where they say, whatever others say, and come back with a connection', async () => {
  const [a, b] = [page(), page()];
  a.type(0, 'some text');
  for (const message of a.sent.splice(0)) b.replica.receive(message);
  a.replica.moved({ anchor: 2, head: 5, top: 0 });
  const [whereabouts] = await waitFor(() => a.sent.filter(([type]) => type === 1));
  b.replica.receive(whereabouts);
  assert.deepEqual(b.replica.people().map(({ anchor, head, top }) => [anchor, head, top]), [[2, 5, 0]]);
  b.type(0, 'and ');
  assert.equal(b.replica.people()[0].head, 9);
  b.replica.ask();
  assert.deepEqual(b.replica.people(), []);
  // The server tells again what it knows, with the clock it had.
  b.replica.receive(whereabouts);
  assert.equal(b.replica.people().length, 1);
  for (const [clock, wild] of ['{"cursor":{"anchor":5,"head":{"type":{}}}}', '{"cursor":7,"user":9}', '{"top":{"item":{"client":3}}}'].entries()) {
    const state = new TextEncoder().encode(wild);
    const update = [1, 99, clock + 1, state.length, ...state];
    b.replica.receive(Uint8Array.from([1, update.length, ...update]));
    assert.deepEqual(b.replica.people().map(({ head }) => head), [9, null]);
  }
});

async function waitFor(found) {
  while (found().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  return found();
}

test('what comes from the server is no edit and is not sent back', () => {
  const [a, b] = [page(), page()];
  a.type(0, 'typed');
  for (const message of a.sent.splice(0)) b.replica.receive(message);
  assert.deepEqual([a.counts.edits, b.counts.edits, b.sent.length], [1, 0, 0]);
});

test('the text that the server holds is known under typing from both sides', () => {
  const unheld = new Unheld();
  let text = Text.of(['held']);
  let held = 'held';
  const typed = (from, to, insert) => {
    const changes = ChangeSet.of({ from, to, insert }, text.length);
    unheld.typed(changes, text);
    text = changes.apply(text);
  };
  const came = (from, to, insert) => {
    const changes = ChangeSet.of({ from, to, insert }, text.length);
    unheld.came(changes);
    text = changes.apply(text);
  };
  assert.equal(unheld.heldText(text).toString(), held);
  typed(4, 4, ' mine');
  came(0, 0, 'their ');
  held = 'their held';
  assert.equal(unheld.heldText(text).toString(), held);
  typed(0, 6, '');
  assert.equal(text.toString(), 'held mine');
  assert.equal(unheld.heldText(text).toString(), held);
  unheld.clear();
  assert.equal(unheld.heldText(text).toString(), 'held mine');
});
