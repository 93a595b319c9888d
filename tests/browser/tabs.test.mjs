// The tabs of open files: their menu, keys that a browser leaves to the page, and the tree that goes along.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const names = (ide) => ide.openFiles.getByRole('tab').evaluateAll((tabs) => tabs.map((tab) => tab.getAttribute('aria-label')));

async function choose(ide, file, item) {
  await ide.tab(file).click({ button: 'right' });
  await ide.page.getByRole('menu', { name: 'Tab' }).getByRole('menuitem', { name: item, exact: true }).click();
}

scenario('tabs close by their menu and by keys that no browser keeps', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\n', 'd.txt': 'd\n' });
  for (const file of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) {
    await ide.entry(file).dblclick();
    await ide.tab(file).waitFor();
  }
  await choose(ide, 'b.txt', 'Close to the right');
  await ide.tab('d.txt').waitFor({ state: 'detached' });
  assert.deepEqual(await names(ide), ['a.txt', 'b.txt']);

  await ide.hasKeyboard(ide.editor('b.txt'));
  await ide.page.keyboard.press('Alt+PageUp');
  await ide.hasKeyboard(ide.editor('a.txt'));
  await ide.page.keyboard.press('Alt+w');
  await ide.tab('a.txt').waitFor({ state: 'detached' });
  await ide.page.keyboard.press('Alt+Shift+w');
  await ide.tab('a.txt').waitFor();

  await choose(ide, 'b.txt', 'Close others');
  await ide.tab('a.txt').waitFor({ state: 'detached' });
  assert.deepEqual(await names(ide), ['b.txt']);

  await ide.tab('b.txt').click({ button: 'right' });
  const menu = ide.page.getByRole('menu', { name: 'Tab' });
  await menu.waitFor();
  await ide.page.screenshot({ path: 'target/browser/tab-menu.png' });
  await ide.page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  await ide.hasKeyboard(ide.editor('b.txt'));
  await choose(ide, 'b.txt', 'Close all');
  await ide.tab('b.txt').waitFor({ state: 'detached' });
});

scenario('the keyboard goes from a closed tab to what is shown then, and from the last one to the tree', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  for (const file of ['a.txt', 'b.txt']) {
    await ide.entry(file).dblclick();
    await ide.hasKeyboard(ide.editor(file));
  }
  // One that was not shown since the page was loaded has no editor yet.
  await ide.page.reload();
  await ide.ready();
  await ide.editor('b.txt').click();
  await ide.page.keyboard.press('Alt+w');
  await ide.hasKeyboard(ide.editor('a.txt'));
  await ide.tab('a.txt').hover();
  await ide.tab('a.txt').locator('.tab-close').click();
  await ide.tab('a.txt').waitFor({ state: 'detached' });
  await ide.page.waitForFunction(() => document.activeElement.closest('[role=tree]'));
});

scenario('the tree shows where the open file is', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'deep/er/a.txt': 'a\n', 'b.txt': 'b\n' });
  // In a terminal Ctrl+P is the shell's.
  await ide.page.keyboard.press('Control+Shift+E');
  await ide.page.waitForFunction(() => document.activeElement.closest('[role=treeitem]'));
  await ide.page.keyboard.press('Control+p');
  const palette = ide.page.getByRole('dialog').getByRole('combobox');
  await palette.fill('er/a.txt');
  await ide.page.getByRole('option', { name: /a\.txt/ }).first().waitFor();
  await palette.press('Enter');
  await ide.hasKeyboard(ide.editor('deep/er/a.txt'));
  const shown = ide.tree.getByRole('treeitem', { name: 'a.txt', exact: true, selected: true });
  await shown.waitFor();
  await ide.entry('b.txt').dblclick();
  await ide.hasKeyboard(ide.editor('b.txt'));

  // Folders that were closed meanwhile are opened again.
  await ide.entry('deep').click();
  await shown.waitFor({ state: 'detached' });
  await ide.tab('a.txt').click();
  await shown.waitFor();
});

scenario('what is pressed in a list of hits or in a field is not meant for files and programs', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'b.txt': 'zebra\n', 'run.py': 'open("ran", "w")\n' });
  await ide.entry('run.py').dblclick();
  await ide.hasKeyboard(ide.editor('run.py'));
  await ide.page.keyboard.press('Control+Shift+F');
  await ide.page.getByRole('textbox', { name: 'Search in files' }).fill('zebra');
  await ide.page.getByRole('status').filter({ hasText: '1 result in 1 file' }).waitFor();
  await ide.page.keyboard.press('ArrowDown');
  await ide.page.keyboard.press('Delete');
  await ide.page.keyboard.press('F2');
  assert.equal(await ide.page.getByRole('dialog').count(), 0, 'Delete reached the files');
  assert.equal(await ide.page.getByRole('textbox', { name: 'Name', exact: true }).count(), 0, 'F2 reached the files');
  await ide.page.keyboard.press('Control+Shift+E');

  await ide.button('Chat').click();
  const message = ide.page.getByRole('textbox', { name: 'Message' });
  await message.fill('hello');
  const before = await ide.terminals.getByRole('tab').count();
  await message.press('Control+Enter');
  await ide.run('ls');
  assert.equal(await ide.terminals.getByRole('tab').count(), before, 'a program was run');
  assert.equal(await ide.entry('ran').count(), 0);
});

scenario('the chosen tab stays in sight when the window gets narrower', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  for (const number of [2, 3]) {
    await ide.button('New terminal').click();
    await ide.terminals.getByRole('tab', { name: `Terminal ${number}`, exact: true, selected: true }).waitFor();
  }
  await ide.page.setViewportSize({ width: 390, height: 800 });
  await ide.page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Terminal' }).click();
  const chosen = await ide.terminals.getByRole('tab', { selected: true }).elementHandle();
  await ide.page.waitForFunction((tab) => {
    const [own, strip] = [tab, tab.closest('[role="tablist"]')].map((element) => element.getBoundingClientRect());
    return own.width > 0 && own.left >= strip.left - 1 && own.right <= strip.right + 1;
  }, chosen);
});
