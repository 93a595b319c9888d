// People on one room seeing each other: cursors, places, comings and goings; and one who is away for a while.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const LINES = Array.from({ length: 200 }, (_, n) => `line ${n + 1}`).join('\n');

scenario('two browsers see each other type, and one that was offline comes back with what it typed', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  await ada.newFile('poem.txt');
  await ada.type('poem.txt', 'roses');
  const grace = await stage.person({ name: 'Grace Hopper', otherBrowser: true });
  await grace.ready();
  await ada.person('Grace Hopper').waitFor();
  await grace.entry('poem.txt').dblclick();
  await grace.editorSays('poem.txt', 'roses');
  await grace.cursorOf('Ada').waitFor();
  await grace.editor('poem.txt').click();
  await grace.page.keyboard.press('Control+End');
  await grace.page.keyboard.type(' are');
  await ada.editorSays('poem.txt', 'roses are');
  await ada.cursorOf('Grace Hopper').waitFor();

  // Somebody who may only watch sees both, and what they press reaches nobody.
  const vic = await stage.person({ name: 'Vic', link: await ada.share('viewer') });
  await vic.connected();
  await vic.entry('poem.txt').dblclick();
  await vic.editorSays('poem.txt', 'roses are');
  await vic.cursorOf('Ada').waitFor();
  await vic.cursorOf('Grace Hopper').waitFor();
  await ada.person('Vic').waitFor();
  await vic.editor('poem.txt').click();
  await vic.page.keyboard.type('weeds');

  // Each takes back what they typed themselves.
  await ada.type('poem.txt', '');
  await ada.page.keyboard.press('Control+Home');
  await ada.page.keyboard.type('red ');
  await grace.editorSays('poem.txt', 'red roses are');
  await vic.editorSays('poem.txt', 'red roses are');
  await grace.page.keyboard.press('Control+z');
  await ada.editorSays('poem.txt', 'red roses');
  await grace.page.keyboard.press('Control+y');
  await ada.editorSays('poem.txt', 'red roses are');

  stage.serverIsGone(true);
  await grace.page.context().setOffline(true);
  await grace.connection.filter({ hasText: 'Offline' }).waitFor();
  await grace.page.keyboard.press('Control+End');
  await grace.page.keyboard.type(' from far');
  await ada.page.keyboard.press('Control+Home');
  await ada.page.keyboard.type('dark ');
  // A connection whose end can't be told is noticed within 45 s.
  await ada.person('Grace Hopper').waitFor({ state: 'detached', timeout: 60_000 });
  await ada.cursorOf('Grace Hopper').waitFor({ state: 'detached' });
  await grace.page.context().setOffline(false);
  await grace.connected();
  const both = 'dark red roses are from far';
  await ada.editorSays('poem.txt', both);
  await grace.editorSays('poem.txt', both);
  await vic.editorSays('poem.txt', both);
  await ada.person('Grace Hopper').waitFor();
  await ada.cursorOf('Grace Hopper').waitFor();
  await grace.cursorOf('Ada').waitFor();
});

scenario('what is ordered while the server is gone waits, is counted, and happens once', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  await ada.newFile('count.sh');
  await ada.type('count.sh', '');
  await ada.answer('echo typed > by-hand.txt');
  await ada.entry('by-hand.txt').waitFor();
  const before = (await ada.terminalNames()).length;

  stage.serverIsGone(true);
  await stage.server.crash();
  await ada.connection.filter({ hasText: 'Reconnecting' }).waitFor();
  await ada.type('count.sh', 'echo ran >> ran.txt; cat ran.txt');
  await ada.page.getByText(/^since .*1 file waits$/).waitFor();
  await ada.button('New folder').click();
  const field = ada.page.getByRole('textbox', { name: 'Name', exact: true });
  await field.fill('made offline');
  await field.press('Enter');
  await ada.answer('echo offline >> by-hand.txt');
  await ada.tab('count.sh').click();
  await ada.button('Run').click();
  // A folder, a line of 28 keys, which is one thing, and the run.
  await ada.page.getByText(/^since .*1 file and 3 commands wait$/).waitFor();
  await ada.page.screenshot({ path: 'target/browser/what-waits.png' });
  await stage.server.startAgain();
  await ada.connected();
  stage.serverIsGone(false);

  await ada.entry('made offline').waitFor();
  await ada.row('ran').waitFor();
  assert.equal((await ada.terminalNames()).length, before + 1);
  await ada.entry('by-hand.txt').dblclick();
  await ada.editorSays('by-hand.txt', 'typed\noffline\n');
  await ada.entry('ran.txt').dblclick();
  await ada.editorSays('ran.txt', 'ran\n');
});

scenario('going to somebody and following them', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  await ada.newFile('long.txt');
  await ada.type('long.txt', '');
  await ada.page.keyboard.insertText(LINES);
  await ada.newFile('other.txt');
  await ada.editor('other.txt').waitFor();

  const grace = await stage.person({ name: 'Grace' });
  await grace.ready();
  await ada.tab('long.txt').click();
  await ada.editor('long.txt').click();
  await ada.page.keyboard.press('Control+End');
  await grace.person('Ada').getByTitle('Ada, in long.txt').waitFor();
  await grace.withPerson('Ada', 'Go to Ada');
  await grace.editor('long.txt').getByText('line 200', { exact: true }).waitFor();
  await grace.cursorOf('Ada').waitFor();

  await grace.withPerson('Ada', 'Follow Ada');
  await grace.page.getByText('Following Ada').waitFor();
  await ada.page.keyboard.press('Control+Home');
  await grace.editor('long.txt').getByText('line 1', { exact: true }).waitFor();
  await ada.tab('other.txt').click();
  await grace.editor('other.txt').waitFor();
  await ada.tab('long.txt').click();
  await grace.editor('long.txt').waitFor();

  // Whoever types goes a way of their own.
  await grace.editor('long.txt').click();
  await grace.page.keyboard.type('x');
  await grace.page.getByText('Following Ada').waitFor({ state: 'detached' });
  await ada.tab('other.txt').click();
  await grace.person('Ada').getByTitle('Ada, in other.txt').waitFor();
  assert.ok(await grace.editor('long.txt').isVisible());

  await ada.page.goto('about:blank');
  await grace.page.getByText('Ada left').waitFor();
  await grace.person('Ada').waitFor({ state: 'detached' });
});
