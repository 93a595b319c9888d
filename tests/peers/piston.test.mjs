// The client of Piston from npm, unchanged: a key in the server's address is all that it needs.

import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import piston from 'piston-client';
import { Server } from '../browser/server.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = process.env.EMBEDENV_BIN ?? path.join(root, 'target/release/embedenv');

test('a program runs by a key that stands in the address', { timeout: 60_000 }, async () => {
  const server = await Server.start(program);
  try {
    const { public_key: publicKey, secret_key: secretKey } = await server.key(1, '--execute-only');
    const client = piston({ server: `${new URL(server.link).origin}/k/${publicKey}:${secretKey}` });
    const runtimes = await client.runtimes();
    assert.ok(runtimes.some(({ language }) => language === 'python'), JSON.stringify(runtimes));
    const done = await client.execute('python', 'import sys\nprint(sys.argv[1:])', { args: ['a'] });
    assert.equal(done.run?.stdout, "['a']\n", JSON.stringify(done));
    const refused = await client.execute('python', 'print(1)');
    assert.equal(refused.code, 'no_credits', JSON.stringify(refused));
  } finally {
    await server.stop();
  }
});
