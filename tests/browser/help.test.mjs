// Help that is there: the tour, the help dialog, and failures that can be told to somebody.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const tour = (ide) => ide.page.getByRole('region', { name: 'Tour' });

scenario('who comes for the first time is offered a tour, and whoever acts is not asked again', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await tour(ide).getByRole('heading', { name: 'New here?' }).waitFor();
  // It stands in nobody's way: any action of one's own sends it away.
  await ide.entry('ask.py').click();
  await tour(ide).waitFor({ state: 'detached' });
  await ide.page.reload();
  await ide.ready();
  assert.equal(await tour(ide).count(), 0);
});

scenario('the tour goes from card to card with the keyboard, and comes back from the palette', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await tour(ide).getByRole('button', { name: 'Show me around' }).click();
  for (const title of ['Files', 'Editor', 'Run', 'Terminals', 'Share', 'Command palette']) {
    await tour(ide).getByRole('heading', { name: title, exact: true }).waitFor();
    await tour(ide).getByRole('button', { name: /^(Next|Done)$/ }).press('Enter');
  }
  await tour(ide).waitFor({ state: 'detached' });

  await ide.page.keyboard.press('F1');
  await ide.page.getByRole('dialog').getByRole('combobox').fill('show me around');
  await ide.page.keyboard.press('Enter');
  await ide.hasKeyboard(tour(ide).getByRole('button', { name: 'Next' }));
  await ide.page.keyboard.press('Escape');
  await tour(ide).waitFor({ state: 'detached' });
});

scenario('a tour is not offered in a frame', async (stage) => {
  const ide = await stage.person({ link: stage.server.link.replace('/w#', '/embed#') });
  await ide.tree.getByRole('treeitem').first().waitFor();
  await ide.page.evaluate(() => globalThis.embedenvWhole);
  assert.equal(await tour(ide).count(), 0);
});

scenario('help leads to the tour and the keys, and says which version this is', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.button('Help').click();
  const help = ide.dialog('Help');
  await help.getByText(/Embedenv \d+\.\d+\.\d+$/).waitFor();
  await help.getByText('Leave the editor with the keyboard').waitFor();
  await help.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await ide.dialog('Keyboard shortcuts').waitFor();
  await ide.page.keyboard.press('Escape');
  await ide.dialog('Keyboard shortcuts').waitFor({ state: 'hidden' });
  await ide.hasKeyboard(ide.button('Help'));
});

scenario('a failure has its details, without the key that opens the room', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.answer('chmod a-w . && echo sealed-$((6 * 7))');
  await ide.row('sealed-42').waitFor();
  await ide.button('New file').click();
  const field = ide.page.getByRole('textbox', { name: 'Name', exact: true });
  await field.fill('late.txt');
  await field.press('Enter');
  const alert = ide.page.getByRole('alert').filter({ hasText: 'late.txt could not be made' });
  await alert.getByRole('button', { name: 'Copy details' }).click();
  await alert.getByRole('button', { name: 'Copied' }).waitFor();
  const details = await ide.page.evaluate(() => navigator.clipboard.readText());
  assert.match(details, /^what: late.txt could not be made/);
  for (const part of [/^code: \w+$/m, /^time: \d{4}-/m, /^connection: connected$/m, /^version: \d/m]) {
    assert.match(details, part);
  }
  assert.ok(!details.includes(new URL(stage.server.link).hash.slice('#join='.length)));
  await alert.getByRole('button', { name: 'Dismiss' }).click();
  await alert.waitFor({ state: 'detached' });
});

scenario('a link that does not work says what to do, and has its details', async (stage) => {
  const ide = await stage.person({ link: stage.server.link.replace(/join=.*/, 'join=nothing') });
  const failure = ide.page.getByRole('alert');
  await failure.getByRole('heading', { name: 'This link does not work' }).waitFor();
  await failure.getByRole('button', { name: 'Copy details' }).click();
  await failure.getByRole('button', { name: 'Copied' }).waitFor();
  assert.match(await ide.page.evaluate(() => navigator.clipboard.readText()), /connection: failed/);
});

scenario('a message of before covers nothing of a dialog that is opened after it', async (stage) => {
  const ide = await stage.person({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ide.connected();
  await ide.editor('README.md').waitFor();
  await ide.button('Run').tap();
  const alert = ide.page.getByRole('alert').filter({ hasText: 'is not a program' });
  await alert.waitFor();
  await ide.button('Share').tap();
  const dialog = ide.dialog('Share');
  await dialog.getByRole('combobox', { name: 'Role' }).waitFor();
  assert.equal(await dialog.getByRole('alert').count(), 0);
  await ide.page.screenshot({ path: 'target/browser/message-and-dialog.png' });
  await ide.page.keyboard.press('Escape');
  // What is typed into can be reached.
  await alert.waitFor();
  await ide.page.getByRole('toolbar', { name: 'Keys' }).getByRole('button', { name: 'Tab' }).tap({ trial: true });
  await ide.button('Chat').tap();
  await ide.page.getByRole('textbox', { name: 'Message' }).tap({ trial: true });
  await alert.getByRole('button', { name: 'Dismiss' }).tap();
  await alert.waitFor({ state: 'detached' });
});
