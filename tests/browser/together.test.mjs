// Several pages on one room: the same text everywhere, and links that let people do less.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

scenario('two pages edit one file, each seeing the other at once', async (stage) => {
  const ada = await stage.person();
  await ada.ready();
  await ada.newFile('poem.txt');
  await ada.type('poem.txt', 'roses are red');

  const grace = await stage.person();
  await grace.ready();
  await grace.entry('poem.txt').dblclick();
  await grace.editorSays('poem.txt', 'roses are red');
  await grace.editor('poem.txt').click();
  await grace.page.keyboard.press('Control+End');
  await grace.page.keyboard.type('\nviolets are blue');
  await ada.editorSays('poem.txt', 'roses are red\nviolets are blue');

  await ada.page.keyboard.press('Control+Home');
  await Promise.all([ada.page.keyboard.type('dark '), grace.page.keyboard.type(' indeed')]);
  const both = 'dark roses are red\nviolets are blue indeed';
  await ada.editorSays('poem.txt', both);
  await grace.editorSays('poem.txt', both);

  await ada.newFile('another.txt');
  await grace.entry('another.txt').waitFor();
  await ada.newTerminal();
  await ada.answer('echo seen by both');
  const name = (await ada.terminalNames()).at(-1);
  await grace.terminals.getByRole('tab', { name, exact: true }).click();
  await grace.row('seen by both').waitFor();
});

scenario('a page that comes later does not answer what a program asked before', async (stage) => {
  const ada = await stage.person();
  await ada.ready();
  await ada.newTerminal();
  // "Device attributes": the terminal's answer goes to `read`, and would be seen if another came.
  await ada.answer(String.raw`read -rsd c -p $'\e[c'; echo asked; cat -v`);
  await ada.row('asked').last().waitFor();

  const grace = await stage.person();
  await grace.ready();
  const name = (await ada.terminalNames()).at(-1);
  await grace.terminals.getByRole('tab', { name, exact: true }).click();
  await grace.row('asked').last().waitFor();
  await grace.answer('nothing else');
  await ada.row('nothing else').last().waitFor();
  assert.doesNotMatch(await ada.terminal.textContent(), /\?1;2/);
});

scenario('a link for viewers shows everything and changes nothing', async (stage) => {
  const host = await stage.person();
  await host.ready();
  await host.newFile('notes.txt');
  await host.type('notes.txt', 'look, do not touch');

  const link = await host.share('viewer');
  assert.match(link, /\/w#join=/);
  assert.notEqual(new URL(link).hash, new URL(stage.server.link).hash);

  const viewer = await stage.person({ link });
  await viewer.ready();
  await viewer.entry('notes.txt').dblclick();
  await viewer.editorSays('notes.txt', 'look, do not touch');
  assert.equal(await viewer.editor('notes.txt').getAttribute('aria-readonly'), 'true');
  await viewer.editor('notes.txt').click();
  await viewer.page.keyboard.type('scribble');
  for (const name of ['Run', 'New file', 'New folder', 'New terminal']) {
    const usable = await viewer.button(name).evaluateAll((buttons) => buttons.filter((button) => !button.disabled).length);
    assert.equal(usable, 0, `a viewer may press ${name}`);
  }

  // What the host types next arrives, and nothing of the viewer's is in it.
  await host.type('notes.txt', '!');
  await viewer.editorSays('notes.txt', 'look, do not touch!');
  await host.editorSays('notes.txt', 'look, do not touch!');
});

scenario('a link that is not right says so in words', async (stage) => {
  const wrong = new URL(stage.server.link);
  wrong.hash = 'join=jk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  const stranger = await stage.person({ link: wrong.href });
  await stranger.page.getByRole('heading', { name: 'This link does not work' }).waitFor();

  wrong.hash = '';
  const lost = await stage.person({ link: wrong.href });
  await lost.page.getByRole('heading', { name: 'This link is not complete' }).waitFor();
});
