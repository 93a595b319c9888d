// The keys of commands: all are shown, found by words and by keys, changed, taken from each other, given back.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

async function openShortcuts(ide) {
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('Control+s');
  const dialog = ide.dialog('Keyboard shortcuts');
  await dialog.waitFor();
  return dialog;
}

const line = (dialog, name) =>
  dialog.getByRole('list', { name: 'Commands' }).getByRole('listitem', { name, exact: true });

scenario('a command gets other keys, which do it at once and after a reload', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const dialog = await openShortcuts(ide);
  await ide.hasKeyboard(dialog.getByRole('searchbox'));
  await ide.page.keyboard.type('people in');
  await line(dialog, 'Save').waitFor({ state: 'detached' });
  const people = line(dialog, 'People in the room');
  await people.getByRole('button', { name: 'Set the keys of People in the room' }).click();
  await dialog.getByText('Press the keys').waitFor();
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('Control+u');
  await people.getByRole('status').filter({ hasText: 'Ctrl+K Ctrl+U' }).waitFor();
  await ide.page.keyboard.press('Enter');
  await people.getByRole('list').getByText('Ctrl+K Ctrl+U').waitFor();
  await ide.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  await ide.page.reload();
  await ide.ready();
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('Control+u');
  await ide.page.getByRole('region', { name: 'People in the room' }).waitFor();
});

scenario('keys that are taken are told, taken anyway, and given back', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const dialog = await openShortcuts(ide);
  const zen = line(dialog, 'Zen mode: nothing but the editors');
  await zen.getByRole('button', { name: /^Change/ }).click();
  await zen.getByText('Press the keys').waitFor();
  await ide.page.keyboard.press('Control+p');
  await zen.getByText('Taken by: Go to file.').waitFor();
  await ide.page.keyboard.press('Enter');
  await zen.getByRole('button', { name: 'Take it anyway' }).click();
  await zen.getByRole('list').getByText('Ctrl+P', { exact: true }).waitFor();
  await line(dialog, 'Go to file').getByRole('list').waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Reset all' }).click();
  await line(dialog, 'Go to file').getByRole('list').getByText('Ctrl+P', { exact: true }).waitFor();
  await zen.getByRole('list').getByText('Ctrl+K Z', { exact: true }).waitFor();
});

scenario('Escape leaves the keys as they were, and keys of the browser are told', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const dialog = await openShortcuts(ide);
  const save = line(dialog, 'Save');
  await save.getByRole('button', { name: /^Change/ }).click();
  await save.getByText('Press the keys').waitFor();
  await ide.page.keyboard.press('Control+Shift+Tab');
  await save.getByText('Browsers keep these keys').waitFor();
  await ide.page.keyboard.press('Escape');
  await save.getByText('Browsers keep').waitFor({ state: 'detached' });
  assert.ok(await dialog.isVisible(), 'the dialog has closed with it');
  await save.getByRole('list').getByText('Ctrl+S', { exact: true }).waitFor();
  await ide.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
});

scenario('commands are found by pressing their keys, and a key is removed', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const dialog = await openShortcuts(ide);
  await dialog.getByRole('button', { name: 'Search by pressing keys' }).click();
  await ide.page.keyboard.press('F1');
  const palette = line(dialog, 'Command palette');
  await palette.waitFor();
  await line(dialog, 'Save').waitFor({ state: 'detached' });
  await ide.page.keyboard.press('Escape');
  await palette.getByRole('button', { name: 'Remove F1 from Command palette' }).click();
  await dialog.getByText('No command is called so or has these keys.').waitFor();
  await dialog.getByRole('searchbox').fill('palette');
  await palette.getByRole('list').getByText('Ctrl+Shift+P').waitFor();
  assert.equal(await palette.getByText('F1', { exact: true }).count(), 0);
});
