// The examples that are pages, as their readers see them: a lesson by a widget, and a page whose backend hands it a room.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { scenario } from './scenario.mjs';

const example = (name) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

scenario('the blocks of a lesson run, change each other and are tested, without a backend', async (stage) => {
  const site = await stage.host({});
  const { widget: id } = await stage.server.widget(site.origin);
  const page = await readFile(example('course/index.html'), 'utf8');
  const script = `src="SERVER/embed.js" data-widget="WIDGET"`;
  assert.ok(page.includes(script));
  const origin = new URL(stage.server.link).origin;
  site.serve('/', page.replace(script, `src="${origin}/embed.js" data-widget="${id}" data-screenreader="1"`));
  const host = await stage.visit(site.origin, { viewport: { width: 900, height: 1360 } });
  const main = host.frameLocator('iframe[title="main.py"]');
  await main.getByRole('button', { name: 'Run', exact: true }).click();
  await main.getByText('3 by 2 is 6').filter({ visible: true }).first().waitFor();
  const checks = host.frameLocator('iframe[title="block-4.sh"]');
  await checks.getByRole('button', { name: 'Run', exact: true }).click();
  await checks.getByText('all is well').filter({ visible: true }).first().waitFor();
  await host.screenshot({ path: 'target/browser/example-course.png' });
});

scenario('a page runs a program in the room that its backend has opened', async (stage) => {
  const { public_key: publicKey, secret_key: secretKey } = await stage.server.key(2);
  const backend = spawn(process.env.EMBEDENV_PYTHON ?? 'python3', [example('exchange/backend.py'), '0'], {
    env: {
      ...process.env,
      EMBEDENV_URL: new URL(stage.server.link).origin,
      EMBEDENV_PUBLIC_KEY: publicKey,
      EMBEDENV_SECRET_KEY: secretKey,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [address] = await once(createInterface(backend.stdout), 'line');
    stage.know(address);
    const page = await stage.visit(address);
    const run = page.getByRole('button', { name: 'Run' });
    await run.click();
    const output = page.getByRole('log', { name: 'Output' });
    await output.getByText('4 16').waitFor();
    // Again, in the same room.
    await page.getByRole('textbox', { name: 'A Python program' }).fill('print("once more")');
    await run.click();
    await output.getByText('once more').waitFor();
    assert.equal(await stage.server.creditsOf(publicKey), 1);
    await page.screenshot({ path: 'target/browser/example-exchange.png' });
  } finally {
    backend.kill();
  }
});
