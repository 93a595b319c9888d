// A page of somebody else's whose blocks of code are edited and run in place, all in one room.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const keyOf = (stage) => new URL(stage.server.link).hash.slice('#join='.length).split('&')[0];
const originOf = (stage) => new URL(stage.server.link).origin;

const blocks = `
  <h1>Squares</h1>
  <p>A function that the page needs:</p>
  <pre><code class="language-python" data-embed data-file="squares.py" data-hidden>def square(n):
    return n * n
</code></pre>
  <pre><code class="language-python" data-embed data-file="main.py">from squares import square

print([square(n) for n in range(5)])
</code></pre>
  <p>And in a shell:</p>
  <pre><code class="language-bash" data-embed>echo "files: $(ls *.py | wc -w)"</code></pre>
  <p>By another command:</p>
  <div data-embed data-file="notes.txt" data-run="wc -l notes.txt"><pre><code class="language-text">one &lt;b&gt;
two</code></pre></div>
  <p>This one stays as it is:</p>
  <pre><code class="language-python">print("static")</code></pre>`;

scenario('every marked block of a page is edited at once, runs in one room, and is reset', async (stage) => {
  const site = await stage.host({
    '/': `<!doctype html><html><head><link rel="icon" href="data:,"></head><body style="max-width: 700px; margin: 24px auto; font: 16px system-ui">
      ${blocks}<script src="${originOf(stage)}/embed.js" data-join="${keyOf(stage)}" data-theme="light" data-screenreader="1"></script></body></html>`,
  });
  const sockets = [];
  const host = await stage.visit(site.origin, {
    viewport: { width: 900, height: 1360 },
    before: (page) => page.on('websocket', (socket) => sockets.push(socket.url())),
  });
  const frames = host.locator('iframe');
  const main = host.frameLocator('iframe[title="main.py"]');
  const draft = main.getByRole('textbox', { name: 'Editor: main.py' });
  await draft.getByText('square').first().waitFor();
  assert.equal(await frames.count(), 3);
  assert.deepEqual(sockets, [], 'nothing runs yet');
  assert.ok(await host.getByText('print("static")').isVisible());
  assert.ok(!(await host.locator('body').innerText()).includes('return n * n'), 'what is hidden is not shown');
  await host.screenshot({ path: 'target/browser/blocks.png' });

  // What is edited before there is a room is what runs in it.
  await draft.click();
  await host.keyboard.press('Control+End');
  await host.keyboard.type('print("mine")');
  await host.keyboard.press('Control+Enter');
  await main.getByText('[0, 1, 4, 9, 16]').filter({ visible: true }).first().waitFor();
  await main.getByText('[0, 1, 4, 9, 16]').filter({ visible: true }).first().waitFor();
  await main.getByText('mine', { exact: true }).first().waitFor();
  await main.getByText(/^Exited with 0/).filter({ visible: true }).waitFor();
  assert.equal(sockets.length, 1, 'one block is in the room');

  const shell = host.frameLocator('iframe[title="block-3.sh"]');
  await shell.getByRole('button', { name: 'Run', exact: true }).click();
  await shell.getByText(/^files: [3-9]/).first().waitFor();
  const notes = host.frameLocator('iframe[title="notes.txt"]');
  await notes.getByRole('button', { name: 'Run', exact: true }).click();
  await notes.getByText('2 notes.txt').first().waitFor();
  await notes.getByText('one <b>').waitFor();
  await host.screenshot({ path: 'target/browser/blocks-run.png' });
  // What others print is none of a block's, also where its tabs are not shown.
  for (const block of [main, shell, notes]) {
    const tabs = block.locator('[role=tablist][aria-label=Terminals] [role=tab]');
    assert.equal(await tabs.count(), 1);
  }

  await main.getByRole('button', { name: 'Reset' }).click();
  await main.getByRole('textbox', { name: 'Editor: main.py' }).getByText('mine').waitFor({ state: 'detached' });
  await main.getByRole('button', { name: 'Run', exact: true }).click();
  await main.getByText(/^Exited with 0/).filter({ visible: true }).waitFor();
  await main.getByText('[0, 1, 4, 9, 16]').filter({ visible: true }).first().waitFor();
  assert.match(await main.getByRole('link', { name: 'Open in the IDE' }).getAttribute('href'), /\/w#join=/);
});

scenario('a page without a key has its blocks run by a widget, in one room, and a copy of it elsewhere does not', async (stage) => {
  const pages = {};
  const site = await stage.host(pages);
  const { widget, key } = await stage.server.widget(site.origin);
  pages['/'] = `<!doctype html><html><head><link rel="icon" href="data:,"></head><body>
    ${blocks}<script src="${originOf(stage)}/embed.js" data-widget="${widget}" data-screenreader="1"></script></body></html>`;
  const host = await stage.visit(site.origin);
  const main = host.frameLocator('iframe[title="main.py"]');
  await main.getByRole('textbox', { name: 'Editor: main.py' }).getByText('square').first().waitFor();
  assert.equal(await stage.server.creditsOf(key), 10, 'to look at a page costs nothing');
  await main.getByRole('button', { name: 'Run', exact: true }).click();
  await main.getByText('[0, 1, 4, 9, 16]').filter({ visible: true }).first().waitFor();
  const shell = host.frameLocator('iframe[title="block-3.sh"]');
  await shell.getByRole('button', { name: 'Run', exact: true }).click();
  await shell.getByText(/^files: 2/).first().waitFor();
  assert.equal(await stage.server.creditsOf(key), 9, 'one room for all blocks');

  stage.expect(/frame-ancestors/);
  const thief = await stage.host(pages);
  const copy = await stage.visit(thief.origin, { before: (page) => page.clock.install() });
  await copy.locator('iframe').first().waitFor();
  await copy.waitForLoadState('load');
  // A frame that stays silent is given up, and the block is what it was.
  await copy.clock.fastForward(30_000);
  await copy.getByText('from squares import square').waitFor();
  await copy.close();
  assert.equal(await stage.server.creditsOf(key), 9);
});
