// Settings: found by words, taken at once, kept for a person and for a room, handed on as a file.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { scenario } from './scenario.mjs';

async function openSettings(ide) {
  await ide.page.keyboard.press('Control+,');
  const dialog = ide.dialog('Settings');
  await dialog.waitFor();
  return dialog;
}

const theme = (ide) => ide.page.evaluate(() => document.documentElement.dataset.theme);

scenario('a setting is found by a word, takes effect at once, is marked, and goes back to its default', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const dialog = await openSettings(ide);
  await ide.hasKeyboard(dialog.getByRole('searchbox', { name: 'Search settings' }));
  await ide.page.keyboard.type('colours');
  const select = dialog.getByRole('combobox', { name: 'Theme' });
  await dialog.getByRole('textbox', { name: 'Your name' }).waitFor({ state: 'detached' });
  assert.equal(await dialog.getByRole('searchbox').inputValue(), 'colours');
  assert.equal(await dialog.getByRole('textbox', { name: 'Your name' }).count(), 0);
  await select.selectOption('Dark');
  await dialog.getByText('Changed', { exact: true }).waitFor();
  assert.equal(await theme(ide), 'dark');
  await dialog.getByRole('button', { name: 'Reset Theme' }).click();
  // As the system, which is light here.
  assert.equal(await theme(ide), 'light');
  assert.equal(await dialog.getByText('Changed', { exact: true }).count(), 0);
  await dialog.getByRole('searchbox').fill('nothing at all');
  await dialog.getByText('No setting is called so.').waitFor();
  await dialog.getByRole('searchbox').fill('');
  await ide.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
});

scenario('a room has a setting of its own, and everything else is as it was for the person', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const dialog = await openSettings(ide);
  await dialog.getByRole('combobox', { name: 'Theme' }).selectOption('Dark');
  await dialog.getByRole('button', { name: 'Theme only in this room' }).click();
  await dialog.getByRole('combobox', { name: 'Theme' }).selectOption('Light');
  await dialog.getByText('Set for this room', { exact: true }).waitFor();
  await dialog.getByText('1 setting is another one in this room.').waitFor();
  await ide.page.reload();
  await ide.ready();
  assert.equal(await theme(ide), 'light');
  const again = await openSettings(ide);
  await again.getByRole('button', { name: 'Use mine here too' }).click();
  assert.equal(await theme(ide), 'dark');
});

scenario('what another tab sets is taken over', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const other = await ide.page.context().newPage();
  await other.goto(stage.server.link);
  await other.getByRole('tree', { name: 'Files' }).getByRole('treeitem').first().waitFor();
  const dialog = await openSettings(ide);
  await dialog.getByRole('combobox', { name: 'Theme' }).selectOption('Dark');
  await other.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  await other.close();
});

scenario('settings go out as a file and come back from it; a file that is wrong says what is wrong', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const dialog = await openSettings(ide);
  await dialog.getByRole('combobox', { name: 'Theme' }).selectOption('Light');
  const [download] = await Promise.all([
    ide.page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Export' }).click(),
  ]);
  const file = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(file.kind, 'embedenv-settings');
  assert.equal(file.settings.theme, 'light');

  const bring = async (content) => {
    const name = path.join(os.tmpdir(), `embedenv-settings-${process.pid}.json`);
    await writeFile(name, content);
    await dialog.locator('#settings-import').setInputFiles(name);
  };
  await bring('{');
  await dialog.getByRole('alert').filter({ hasText: 'The file is not JSON' }).waitFor();
  await bring(JSON.stringify({ ...file, settings: { theme: 'pink', screen_reader: 1 } }));
  const alert = dialog.getByRole('alert').filter({ hasText: 'nothing has changed' });
  await alert.getByText('theme: it has to be one of').waitFor();
  await alert.getByText('screen_reader: it has to be true or false.').waitFor();
  assert.equal(await theme(ide), 'light');
  await bring(JSON.stringify({ ...file, settings: { theme: 'dark', of_a_newer_page: 7 } }));
  await alert.waitFor({ state: 'detached' });
  await ide.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  const kept = await ide.page.evaluate(() => JSON.parse(localStorage.getItem('embedenv.settings')));
  assert.equal(kept.of_a_newer_page, 7);
});

scenario('where storage is blocked, settings last as long as the page', async (stage) => {
  const ide = await stage.person();
  await ide.page.addInitScript(() => {
    const blocked = { get: () => { throw new DOMException('blocked', 'SecurityError'); } };
    Object.defineProperty(window, 'localStorage', blocked);
  });
  await ide.page.reload();
  await ide.ready();
  const dialog = await openSettings(ide);
  await dialog.getByRole('combobox', { name: 'Theme' }).selectOption('Dark');
  assert.equal(await theme(ide), 'dark');
  await dialog.getByRole('switch', { name: 'Screen reader' }).waitFor();
});

scenario('another language is spoken when it is chosen, and the page says which it is', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const address = new URL(ide.page.url());
  address.searchParams.set('lang', 'en-XA');
  await ide.page.goto(address.href);
  await ide.page.getByRole('tree').getByRole('treeitem').first().waitFor();
  assert.equal(await ide.page.evaluate(() => document.documentElement.lang), 'en-XA');
  await ide.page.keyboard.press('Control+,');
  await ide.dialog('⟦Séttíngs⟧').waitFor();

  // Every word is of the catalogue; keys are what is printed on them.
  for (const [keys, name] of [[[], '⟦Séttíngs⟧'], [['k', 's'], '⟦Kéybøárd'], [['k', 'h'], '⟦Hélp⟧']]) {
    for (const key of keys) await ide.page.keyboard.press(`Control+${key}`);
    const dialog = ide.page.getByRole('dialog');
    await dialog.waitFor();
    const strange = await dialog.evaluate((dialog) => {
      const texts = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT);
      const found = [];
      for (let node = texts.nextNode(); node; node = texts.nextNode()) {
        const isOurs = node.textContent.includes('⟦') || node.parentElement.closest('kbd, option');
        if (/\p{L}/u.test(node.textContent) && !isOurs) found.push(node.textContent);
      }
      return found;
    });
    assert.deepEqual(strange, [], name);
    await ide.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  }
});

scenario('a browser that prefers German gets German, and who prefers English sets it', async (stage) => {
  const ide = await stage.person({ locale: 'de-DE' });
  await ide.page.getByRole('status').filter({ hasText: 'Verbunden' }).waitFor();
  assert.equal(await ide.page.evaluate(() => document.documentElement.lang), 'de');
  await ide.page.keyboard.press('Control+,');
  const dialog = ide.dialog('Einstellungen');
  await dialog.getByRole('combobox', { name: 'Sprache' }).selectOption('English');
  await ide.dialog('Settings').waitFor();
  assert.equal(await ide.page.evaluate(() => document.documentElement.lang), 'en');
  await ide.connected();
});
