// What the tests share: a server of their own, a key pair for it, and waiting for what must come. Owns nothing that outlives a
// test file.

import { connect, createServer } from 'node:net';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Server } from '../../../tests/browser/server.mjs';
import { Sandbox } from '../dist/index.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
/** The longest a test may take, far beyond what one does. */
export const TEST = 60_000;
/** How long a test waits for what must come. */
const WITHIN = 20_000;

/** A server for the tests of one file, with what a client is told of it. */
export async function served(credits = 20) {
  const server = await Server.start(process.env.EMBEDENV_BIN ?? path.join(root, 'target/release/embedenv'));
  let end = () => server.stop();
  after(() => end());
  const { public_key: publicKey, secret_key: secretKey } = await server.key(credits);
  const options = { url: new URL(server.link).origin, publicKey, secretKey };
  // Sandboxes outlive a server that was killed, and so they would outlive the tests.
  end = () => endAll(options).finally(() => server.stop());
  return { server, options };
}

async function endAll(options) {
  for (;;) {
    const rooms = await Sandbox.list({ ...options, limit: 100 }).nextItems();
    if (rooms.length === 0) return;
    await Promise.all(rooms.map(({ sandboxId }) => Sandbox.kill(sandboxId, options)));
  }
}

/** A way to a server that can be cut, with all connections on it. */
export async function cuttable(t, { url }) {
  const { hostname, port } = new URL(url);
  const sockets = new Set();
  const way = createServer((near) => {
    const far = connect(port, hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one) && other.destroy());
    }
  });
  await new Promise((resolve) => way.listen(0, hostname, resolve));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  t.after(() => {
    way.close();
    cut();
  });
  return { url: `http://${hostname}:${way.address().port}`, cut };
}

/** A sandbox for one test. */
export async function opened(t, options) {
  const sandbox = await Sandbox.create(options);
  t.after(() => sandbox.close());
  return sandbox;
}

/** Gathers what is told, texts or bytes or anything else, and waits for what must be told. */
export class Told {
  all = [];
  #wake = () => undefined;

  push = (it) => {
    this.all.push(it);
    this.#wake();
  };

  /** Until what was told so far is as `isEnough` wants it. */
  async until(isEnough) {
    let isLate = false;
    const slow = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, WITHIN);
    try {
      while (!isEnough(this.all)) {
        if (isLate) throw new Error(`this alone was told in ${WITHIN} ms: ${this.text.slice(-2_000)}`);
        await new Promise((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(slow);
    }
  }

  get text() {
    return this.all.map((it) => (it instanceof Uint8Array ? Buffer.from(it) : typeof it === 'string' ? it : JSON.stringify(it))).join('');
  }
}

/** What an error is known by. */
export const is = (kind, code) => (error) => error instanceof kind && error.code === code;
