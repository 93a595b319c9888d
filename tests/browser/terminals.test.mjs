// Terminals that several people look at: whose size they have, who answers programs, who may type.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** Shows the other's newest terminal. */
async function show(from, to) {
  const name = (await from.terminalNames()).at(-1);
  await to.terminals.getByRole('tab', { name, exact: true }).click();
}

scenario('a presenter keeps their size while others look on, and it passes to who types', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  await ada.newTerminal();
  await ada.answer(`printf '%0100d\\n' 7; stty size > size.txt; cat size.txt`);
  const size = await ada.terminal.getByText(/^\d+ \d+$/).first().textContent();
  assert.ok(Number(size.split(' ')[1]) > 100, size);

  const phone = await stage.person({
    name: 'Grace',
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await phone.connected();
  await phone.button('Terminal').tap();
  await show(ada, phone);
  // The whole line, in one piece, on a screen of a third of that.
  await phone.row('0'.repeat(99) + '7').waitFor();
  await phone.page.getByText('Ada’s size').waitFor();
  await ada.answer('echo "still $(stty size)"');
  await ada.row(`still ${size}`).waitFor();
  await phone.page.screenshot({ path: 'target/browser/presented-on-a-phone.png' });

  // A program's question is answered once, by the page of who types.
  await ada.answer(String.raw`read -rst 2 -d c -p $'\e[c' one; read -rst 1 -d c two; echo "${'$'}{#two} left"`);
  await ada.row('0 left').waitFor();

  await phone.answer('echo mine');
  await phone.row('mine').waitFor();
  await ada.page.getByText('Grace’s size').waitFor();
  await ada.answer('echo "back $(stty size)"');
  await ada.row(`back ${size}`).waitFor();

  // What has ended has nobody's size any more.
  await phone.page.getByText('Ada’s size').waitFor();
  await ada.answer('exit 3');
  await phone.page.getByText(/^Exited with 3/).first().waitFor();
  assert.equal(await phone.page.getByText('Ada’s size').count(), 0);
});

scenario('who opened a terminal may let the others look on alone', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  await ada.newTerminal();
  await ada.answer('echo before');
  const link = await ada.share('editor');
  const bob = await stage.person({ link, name: 'Bob', colorScheme: 'dark' });
  await bob.ready();
  await show(ada, bob);
  await bob.row('before').waitFor();
  await ada.button('Lock terminal').click();
  await bob.page.getByText('Locked by Ada').waitFor();
  assert.equal(await bob.button('Unlock terminal').count(), 0);
  await bob.answer('echo by bob');
  await ada.answer('echo by ada');
  await bob.row('by ada').waitFor();
  assert.equal(await ada.terminal.getByText('by bob').count(), 0);
  await bob.page.screenshot({ path: 'target/browser/locked-terminal.png' });
  await ada.button('Unlock terminal').click();
  await bob.page.getByText('Ada’s size').waitFor();
  await bob.answer('echo by bob');
  await ada.row('by bob').waitFor();
});

scenario('a graphics card that can not draw a terminal leaves that to the page', async (stage) => {
  const ide = await stage.person({
    before: (page) =>
      page.addInitScript(() => {
        // It is there when it is asked for, and gone when it is to draw.
        const own = HTMLCanvasElement.prototype.getContext;
        let asked = false;
        HTMLCanvasElement.prototype.getContext = function (kind, ...options) {
          if (kind !== 'webgl2') return own.call(this, kind, ...options);
          const context = asked ? null : { getExtension: () => null };
          asked = true;
          return context;
        };
      }),
  });
  // Not in the mode for screen readers, which takes no card.
  await ide.page.goto(stage.server.link);
  await ide.ready();
  await ide.answer('echo drawn""by-hand');
  await ide.page.locator('.xterm-rows').getByText('drawnby-hand').waitFor();
  // Also in colours that are in no palette.
  await ide.answer(`printf '\\033[38;2;200;30;40;48;2;250;240;230mcolour%s\\033[0m\\n' ful`);
  const coloured = ide.page.locator('.xterm-rows').getByText('colourful', { exact: true });
  await coloured.waitFor();
  assert.deepEqual(
    await coloured.evaluate((element) => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor]),
    ['rgb(200, 30, 40)', 'rgb(250, 240, 230)'],
  );
  assert.equal(await ide.page.getByRole('alert').count(), 0);
});

scenario('who comes to a room that sleeps finds one terminal in it', async (stage) => {
  await stage.server.says('an empty room fell asleep');
  const ide = await stage.person();
  await ide.ready();
  await ide.answer('echo awake');
  await ide.row('awake').waitFor();
  assert.equal(await ide.terminals.getByRole('tab', { name: /^Terminal \d/ }).count(), 1);
}, { env: () => ({ EMBEDENV_ROOMS__SLEEP_AFTER: '1s', EMBEDENV_LOG__FILTER: 'embedenv=debug' }) });
