// The package in a real Chromium, on a page of another origin than the server's, with nothing but a join key.

import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { flags } from '../../../tests/browser/chromium.mjs';
import { Sandbox } from '../dist/index.js';
import { served, TEST } from './harness.mjs';

const browsers = [process.env.EMBEDENV_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** A browser; without one the test is skipped, unless it is CI's duty to have one. */
async function launched(t) {
  for (const executablePath of browsers.filter(Boolean)) {
    if (!(await access(executablePath).then(() => true, () => false))) continue;
    const browser = await chromium.launch({ executablePath, args: flags });
    t.after(() => browser.close());
    return browser;
  }
  if (process.env.EMBEDENV_CI) throw new Error('there is no Chromium');
  console.log('SKIPPED: there is no Chromium; name one in EMBEDENV_CHROMIUM');
  return null;
}

/** A site with a page that has the package, and Yjs for when it is needed. Returns its origin. */
async function site(t) {
  const file = (name) => readFile(fileURLToPath(new URL(name, import.meta.url)));
  const stdin = { contents: 'export * from "yjs"', resolveDir: fileURLToPath(new URL('.', import.meta.url)) };
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', write: false });
  const page = '<!doctype html><script type="importmap">{"imports":{"embedenv":"/embedenv.js","yjs":"/yjs.js"}}</script>';
  const asked = [];
  const server = createServer(async ({ url }, response) => {
    asked.push(url);
    const isScript = url.endsWith('.js');
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(url === '/yjs.js' ? outputFiles[0].text : isScript ? await file('../dist/index.js') : page);
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  t.after(() => server.close());
  return { origin: `http://localhost:${server.address().port}`, asked };
}

const { server, options } = await served();

test('a page joins with a key, works, and goes on when the server was killed', { timeout: TEST }, async (t) => {
  const browser = await launched(t);
  if (!browser) return;
  const { origin, asked } = await site(t);
  const room = await Sandbox.openRoom(options);
  const owner = await Sandbox.connect(room.sandboxId, options);
  t.after(() => owner.close());
  await owner.files.write('long.bin', new Uint8Array(17 * 1024 * 1024).fill(7));
  await owner.files.write('text.txt', 'text');

  const page = await browser.newPage();
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  await page.goto(origin);
  const first = await page.evaluate(async (room) => {
    const { Sandbox } = await import('embedenv');
    const sandbox = (globalThis.sandbox = await Sandbox.connect(room));
    await sandbox.files.write('main.sh', 'read name; echo "Hello $name"');
    const { stdout } = await sandbox.commands.run('sh main.sh', { stdin: 'Ada\n' });
    globalThis.printed = '';
    const script = 'i=0; while [ ! -e stop ]; do i=$((i+1)); echo $i; sleep 0.01; done';
    globalThis.running = await sandbox.commands.run(script, { background: true, onStdout: (text) => (globalThis.printed += text) });
    const long = await sandbox.files.read('long.bin', { format: 'bytes' });
    return { stdout, long: long.length, role: sandbox.role };
  }, room);
  assert.deepEqual(first, { stdout: 'Hello Ada\n', long: 17 * 1024 * 1024, role: 'editor' });
  assert.ok(!asked.includes('/yjs.js'), 'nothing but documents loads Yjs');

  await page.evaluate(async () => {
    globalThis.opened = await globalThis.sandbox.documents.open('text.txt');
  });
  assert.ok(asked.includes('/yjs.js'));
  await page.waitForFunction(() => globalThis.printed.includes('\n10\n'));
  await server.crash();
  await page.waitForFunction(() => !globalThis.sandbox.isConnected);
  await page.evaluate(() => {
    globalThis.edited = globalThis.opened.edit({ from: 4, to: 4, insert: ' of a page' });
  });
  await server.startAgain();
  await page.evaluate(async () => {
    await globalThis.edited;
    await globalThis.opened.save();
  });
  assert.equal(await owner.files.read('text.txt'), 'text of a page');
  await owner.files.write('stop', '');
  const { stdout, printed } = await page.evaluate(async () => ({ ...(await globalThis.running.wait()), printed: globalThis.printed }));
  const count = stdout.split('\n').length - 1;
  assert.equal(stdout, Array.from({ length: count }, (_, at) => `${at + 1}\n`).join(''));
  assert.equal(printed, stdout);
  assert.deepEqual(troubles, []);
});
