// The reference's own JavaScript frontend, unchanged but for address and key, in a page of a foreign origin.

import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scenario } from './scenario.mjs';

const beside = fileURLToPath(new URL('../../../shared', import.meta.url));
const reference = path.join(process.env.EMBEDENV_REFERENCE ?? beside, 'reference/websocket-pipeline.txt');

scenario('the frontend of the reference joins from a page of another origin', async (stage) => {
  try {
    await access(reference);
  } catch {
    if (process.env.EMBEDENV_CI) throw new Error('the reference is not beside the repository');
    console.log('SKIPPED: the reference is not beside the repository');
    return;
  }
  const text = await readFile(reference, 'utf8');
  const from = text.indexOf('// Retrieve the temporary join token');
  const to = text.indexOf('2. Deploy Project Files');
  assert.ok(from > 0 && to > from, 'the example is in the reference');
  const address = stage.server.link.replace(/^http:(.*)\/w#.*$/, 'ws:$1/ws/spaces/defoult/');
  const { public_key, secret_key } = await stage.server.key(1);
  const page = await stage.blankPage();

  const { join } = await page.evaluate(
    ([address, init]) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(address);
        socket.onopen = () => socket.send(JSON.stringify(init));
        socket.onmessage = (event) => resolve(JSON.parse(event.data));
        socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
      }),
    [address, { type: 'init', public_key, secret_key }],
  );

  const said = [];
  page.on('console', (message) => said.push(message));
  const answer = page.waitForEvent('console', (message) => message.text().startsWith('Message received from Bridge:'));
  const example = text.slice(from, to).replace('SECURE_TOKEN_FROM_YOUR_BACKEND', join).replace(/wss:[^"]*/, address);
  await page.addScriptTag({ content: example });
  const [, response] = (await answer).args();
  assert.deepEqual(await response.jsonValue(), {
    type: 'joined',
    user: 'developer_collaborator',
    color: '#6366f1',
    role: 'editor',
  });
  assert.equal(said[0].text(), 'WebSocket secure join handshake dispatched!');
});
