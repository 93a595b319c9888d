// The stock provider of y-websocket as a client: any Yjs editor can open a file of a room.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { Server } from '../browser/server.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = process.env.EMBEDENV_BIN ?? path.join(root, 'target/release/embedenv');
/** The longest a test may take. */
const TEST = 60_000;

/** A full client: requests with their answers. */
class Member {
  #socket;
  #waiting = new Map();
  #last = 0;

  static async join(t, server) {
    const member = new Member();
    const url = new URL(server.link);
    const join = new URLSearchParams(url.hash.slice(1)).get('join');
    member.#socket = new WebSocket(`ws://${url.host}/ws/spaces/default/`);
    await new Promise((resolve) => member.#socket.once('open', resolve));
    const joined = new Promise((resolve) => member.#waiting.set('joined', resolve));
    member.#socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const frame = JSON.parse(data);
      const key = frame.type === 'joined' ? 'joined' : frame.id;
      member.#waiting.get(key)?.(frame);
    });
    member.#socket.send(JSON.stringify({ type: 'join', join, protocol: 2, user: 'Ada' }));
    const { projects } = await joined;
    member.project = projects[0];
    t.after(() => member.#socket.terminate());
    return member;
  }

  ask(frame) {
    const id = ++this.#last;
    this.#socket.send(JSON.stringify({ ...frame, id }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  create(file) {
    return this.ask({ type: 'cmd', project_name: this.project, command: { type: 'create', item: 'file', path: file } });
  }

  token(file) {
    return this.ask({ type: 'document-token', project: this.project, path: file });
  }
}

/** An editor of another make. */
function editor(t, server, member, file, { token, epoch }) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(`ws://${new URL(server.link).host}/ws/docs/${member.project}`, file, doc, {
    params: { token, epoch: String(epoch) },
    WebSocketPolyfill: WebSocket,
    disableBc: true,
    maxBackoffTime: 200,
  });
  t.after(() => {
    provider.destroy();
    doc.destroy();
  });
  return { provider, doc, text: doc.getText('content') };
}

async function until(condition, what) {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > TEST / 2) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const closed = (provider) => new Promise((resolve) => provider.once('connection-close', (event) => resolve(event.code)));

test('stock providers edit a file together, see each other, and lose nothing with the server', { timeout: TEST }, async (t) => {
  const server = await Server.start(program);
  try {
    const member = await Member.join(t, server);
    const file = 'notes of today.txt';
    await member.create(file);
    const token = await member.token(file);
    assert.equal(token.type, 'document-token');
    const one = editor(t, server, member, file, token);
    const two = editor(t, server, member, file, token);
    one.text.insert(0, 'hello');
    await until(() => two.text.toString() === 'hello', 'the other has the text');
    for (let n = 0; n < 500; n++) one.text.insert(one.text.length, ` ${n}`);
    two.text.insert(0, '> ');
    await until(() => one.text.toString() === two.text.toString() && two.text.toString().endsWith(' 499'), 'the same text');

    one.provider.awareness.setLocalState({ user: { name: 'Somebody else' }, cursor: { anchor: 1, head: 2 } });
    const seen = () => two.provider.awareness.getStates().get(one.doc.clientID);
    await until(() => seen()?.cursor, 'a cursor');
    assert.equal(seen().user.name, 'Ada');

    await server.crash();
    two.text.insert(two.text.length, ' written meanwhile');
    await server.startAgain();
    await until(() => one.text.toString().endsWith(' written meanwhile'), 'what was written without a server');
    assert.equal(one.text.toString().match(/meanwhile/g).length, 1);

    const again = await Member.join(t, server);
    const opened = await again.ask({ type: 'open', project: again.project, path: file });
    await again.ask({ type: 'save', document: opened.document });
    const { content } = await again.ask({ type: 'read', project: again.project, path: file });
    assert.equal(content, one.text.toString());

    // An editor that is gone is not shown any more.
    one.provider.destroy();
    await until(() => !two.provider.awareness.getStates().has(one.doc.clientID), 'the other has left');
  } finally {
    await server.stop();
  }
});

test('a token opens one document in one life of it, and nothing else', { timeout: TEST }, async (t) => {
  const server = await Server.start(program);
  try {
    const member = await Member.join(t, server);
    await member.create('a.txt');
    await member.create('b.txt');
    const token = await member.token('a.txt');
    const stale = editor(t, server, member, 'a.txt', { ...token, epoch: token.epoch - 1 });
    stale.text.insert(0, 'of another life');
    assert.equal(await closed(stale.provider), 4409);
    const foreign = editor(t, server, member, 'b.txt', token);
    assert.equal(await closed(foreign.provider), 4404);
    const forged = editor(t, server, member, 'a.txt', { ...token, token: `${token.token.slice(0, -2)}AA` });
    assert.equal(await closed(forged.provider), 4404);
    const fine = editor(t, server, member, 'a.txt', token);
    await until(() => fine.provider.synced, 'the right one');
    assert.equal(fine.text.toString(), '');

    // Deleted under the editor: its connection ends, and it is told why.
    const end = closed(fine.provider);
    await member.ask({ type: 'cmd', project_name: member.project, command: { type: 'delete', item: 'file', path: 'a.txt' } });
    assert.equal(await end, 4409);
    assert.equal((await member.token('a.txt')).code, 'not_found');
    assert.ok(!server.log.includes(token.token), 'the token stands in the log');
  } finally {
    await server.stop();
  }
});
