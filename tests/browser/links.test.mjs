// The Share dialog: links for a time and a number of people, who came by them, and ending one.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

scenario('a link for one person lets one in, names them, and ends with its revocation', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  await ada.button('Share').click();
  const dialog = ada.dialog('Share');
  await dialog.getByRole('combobox', { name: 'Role' }).selectOption('viewer');
  await dialog.getByRole('combobox', { name: 'Expires' }).selectOption('after a day');
  await dialog.getByRole('combobox', { name: 'Uses' }).selectOption('1');
  await dialog.getByRole('button', { name: 'Create link' }).click();
  const field = dialog.getByRole('textbox', { name: 'Link' });
  await field.waitFor();
  const link = await field.inputValue();
  const row = dialog.getByRole('list', { name: 'Links' }).getByRole('listitem');
  await row.getByText('Viewer for 23 hours, for one more').waitFor();
  await row.getByText('nobody here by it').waitFor();

  const vic = await stage.person({ link, name: 'Vic', colorScheme: 'dark' });
  await vic.connected();
  await row.getByText('here: Vic').waitFor();
  await row.getByText('is used up').waitFor();
  assert.ok(await vic.button('Run').isDisabled());
  await ada.page.screenshot({ path: 'target/browser/links-light.png' });
  const late = await stage.person({ link, name: 'Late' });
  await late.page.getByRole('heading', { name: 'This link does not work' }).waitFor();

  // Losing the connection for a moment takes no other use.
  await vic.page.reload();
  await vic.connected();

  await row.getByRole('button', { name: 'Revoke link' }).click();
  await vic.page.getByRole('heading', { name: 'Your access has ended' }).waitFor();
  await ada.person('Vic').waitFor({ state: 'detached' });
  await row.waitFor({ state: 'detached' });
});

scenario('whoever ends the link they came by is asked first', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  const link = await ada.share('editor');
  const bob = await stage.person({ link, name: 'Bob', colorScheme: 'dark', viewport: { width: 390, height: 844 } });
  await bob.connected();
  await bob.button('Share').click();
  const row = bob.dialog('Share').getByRole('listitem');
  await row.getByText('here: Bob').waitFor();
  await row.getByRole('button', { name: 'Revoke link' }).click();
  await row.getByText('You came by this link').waitFor();
  await bob.page.screenshot({ path: 'target/browser/links-phone-dark.png' });
  await row.getByRole('button', { name: 'Revoke link' }).click();
  await bob.page.getByRole('heading', { name: 'Your access has ended' }).waitFor();
});
