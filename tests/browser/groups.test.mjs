// Groups of editors, and the panes around them: split, moved, folded away, remembered.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** The tabs of a group of several, by its number from 1. */
function tabsOf(ide, number) {
  return ide.page.getByRole('tablist', { name: `Open files, group ${number}`, exact: true });
}

async function namesOf(list) {
  return list.getByRole('tab').evaluateAll((tabs) => tabs.map((tab) => tab.getAttribute('aria-label').replace(', unsaved', '')));
}

scenario('a file in two groups is one text, and each group keeps a place of its own', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.newFile('poem.txt');
  await ide.type('poem.txt', 'roses');
  await ide.page.keyboard.press('Control+\\');
  await tabsOf(ide, 2).waitFor();
  const editors = ide.editor('poem.txt');
  await editors.nth(1).waitFor();
  // The keyboard is in the new one.
  await ide.hasKeyboard(editors.nth(1));
  await ide.page.keyboard.press('Control+End');
  await ide.page.keyboard.type(' are red');
  const lines = (editor) => editor.evaluate((editor) => [...editor.children].map((line) => line.textContent).join('\n'));
  await ide.page.getByText('roses are red').nth(1).waitFor();
  assert.equal(await lines(editors.nth(0)), 'roses are red');

  // What was typed in either is taken back from either.
  await ide.page.keyboard.press('Control+1');
  await ide.hasKeyboard(editors.nth(0));
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.type('dark ');
  await ide.page.keyboard.press('Control+2');
  await ide.hasKeyboard(editors.nth(1));
  assert.equal(await lines(editors.nth(1)), 'dark roses are red');
  await ide.page.keyboard.press('Control+z');
  await ide.page.getByText('dark roses').first().waitFor({ state: 'detached' });
  assert.equal(await lines(editors.nth(1)), 'roses are red');

  // Closing one tab leaves the other with the text; the file is saved once.
  await ide.page.keyboard.press('Control+F4');
  await tabsOf(ide, 2).waitFor({ state: 'detached' });
  await ide.editor('poem.txt').waitFor();
  await ide.newTerminal();
  await ide.answer('cat poem.txt; echo');
  await ide.row('roses are red').waitFor();
});

scenario('tabs move between groups by keys and by dragging, and come back after a reload', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  for (const name of ['one.txt', 'two.txt', 'three.txt']) {
    await ide.newFile(name);
    await ide.type(name, name);
  }
  await ide.page.keyboard.press('Control+PageUp');
  await ide.hasKeyboard(ide.editor('two.txt'));
  await ide.page.keyboard.press('Control+Alt+ArrowRight');
  await tabsOf(ide, 2).waitFor();
  assert.deepEqual(await namesOf(tabsOf(ide, 2)), ['two.txt']);
  await ide.hasKeyboard(ide.editor('two.txt'));

  // Dragged behind the tab of the other group.
  await tabsOf(ide, 1).getByRole('tab', { name: /^one\.txt/ }).dragTo(tabsOf(ide, 2).getByRole('tab').first(), { targetPosition: { x: 60, y: 10 } });
  await tabsOf(ide, 2).getByRole('tab', { name: /^one\.txt/ }).waitFor();
  assert.deepEqual(await namesOf(tabsOf(ide, 2)), ['two.txt', 'one.txt']);

  // Dropped at the lower edge of an editor, a tab gets a group of its own there.
  const editor = ide.editor('three.txt');
  const area = await editor.locator('xpath=ancestor::*[contains(@class,"editor-area")]').boundingBox();
  await tabsOf(ide, 2)
    .getByRole('tab', { name: /^one\.txt/ })
    .dragTo(editor.locator('xpath=ancestor::*[contains(@class,"editor-area")]'), {
      targetPosition: { x: area.width / 2, y: area.height - 10 },
    });
  await tabsOf(ide, 3).waitFor();
  const order = [await namesOf(tabsOf(ide, 1)), await namesOf(tabsOf(ide, 2)), await namesOf(tabsOf(ide, 3))];
  assert.equal(order[1][0], 'one.txt');
  const edge = ide.page.getByRole('separator', { name: 'Height of the editor group' });
  await edge.focus();
  await ide.page.keyboard.press('ArrowUp');
  const share = await edge.getAttribute('aria-valuenow');
  assert.equal(share, '484');
  await ide.page.screenshot({ path: 'target/browser/groups.png' });

  await ide.page.reload();
  await ide.ready();
  await tabsOf(ide, 3).waitFor();
  assert.deepEqual([await namesOf(tabsOf(ide, 1)), await namesOf(tabsOf(ide, 2)), await namesOf(tabsOf(ide, 3))], order);
  assert.equal(await edge.getAttribute('aria-valuenow'), share);
});

scenario('panes are folded away and come back, and zen mode leaves the editors alone', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.newFile('calm.txt');
  await ide.type('calm.txt', 'quiet');
  await ide.page.keyboard.press('Control+b');
  await ide.tree.waitFor({ state: 'hidden' });
  await ide.page.keyboard.press('Control+j');
  await ide.terminals.waitFor({ state: 'hidden' });
  await ide.page.keyboard.press('Control+b');
  await ide.tree.waitFor();
  // Going to a pane brings it back.
  await ide.page.keyboard.press('Control+`');
  await ide.terminals.waitFor();

  await ide.editor('calm.txt').click();
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('z');
  await ide.tree.waitFor({ state: 'hidden' });
  await ide.terminals.waitFor({ state: 'hidden' });
  await ide.hasKeyboard(ide.editor('calm.txt'));
  await ide.editorSays('calm.txt', 'quiet');
  await ide.page.screenshot({ path: 'target/browser/zen.png' });
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('z');
  await ide.tree.waitFor();

  // The pane at the right, as wide as somebody made it.
  await ide.page.keyboard.press('Control+Alt+b');
  await ide.page.getByRole('region', { name: 'Preview' }).waitFor();
  const edge = ide.page.getByRole('separator', { name: 'Width of the pane at the right' });
  await edge.focus();
  await ide.page.keyboard.press('ArrowLeft');
  const width = await edge.getAttribute('aria-valuenow');
  await ide.page.reload();
  await ide.ready();
  await edge.waitFor();
  assert.equal(await edge.getAttribute('aria-valuenow'), width);
});

scenario('who is in the room is told in a pane, from which one goes to them', async (stage) => {
  const ada = await stage.person({ name: 'Ada Lovelace' });
  await ada.ready();
  await ada.newFile('engine.txt');
  await ada.type('engine.txt', 'notes');
  const grace = await stage.person({ name: 'Grace' });
  await grace.ready();
  await grace.page.keyboard.press('F1');
  await grace.page.getByRole('dialog').getByRole('combobox').fill('people in the');
  await grace.page.keyboard.press('Enter');
  const pane = grace.page.getByRole('region', { name: 'People in the room' });
  await pane.getByText('Grace (you)').waitFor();
  await pane.getByText('owns the room, in engine.txt').waitFor();
  await grace.page.screenshot({ path: 'target/browser/people.png' });
  await pane.getByRole('button', { name: 'Go to Ada Lovelace' }).click();
  await grace.editorSays('engine.txt', 'notes');
});

scenario('files are dragged out of the tree into a group, between its tabs, or to a side of it', async (stage) => {
  const ide = await stage.person({ viewport: { width: 1440, height: 900 } });
  await ide.ready();
  await ide.write({ 'one.txt': 'one\n', 'two.txt': 'two\n', 'three.txt': 'three\n' });
  await ide.entry('one.txt').dblclick();
  await ide.editorSays('one.txt', 'one\n');
  const area = (path) => ide.editor(path).locator('xpath=ancestor::*[contains(@class,"editor-area")]');
  // In the middle it is one more tab, and no path is typed into the text.
  await ide.entry('two.txt').dragTo(area('one.txt'));
  await ide.editorSays('two.txt', 'two\n');
  const first = ide.page.getByRole('tablist', { name: 'Open files' }).first();
  const names = (list) => list.getByRole('tab').evaluateAll((tabs) => tabs.map((tab) => tab.getAttribute('aria-label')));
  assert.deepEqual((await names(first)).slice(-2), ['one.txt', 'two.txt']);
  // Between two tabs it stands there.
  await ide.entry('three.txt').dragTo(first.getByRole('tab', { name: /^two\.txt/ }), { targetPosition: { x: 5, y: 10 } });
  await ide.editorSays('three.txt', 'three\n');
  assert.deepEqual((await names(first)).slice(-3), ['one.txt', 'three.txt', 'two.txt']);
  // At a side it gets a group of its own, and the first keeps what it had.
  const box = await area('three.txt').boundingBox();
  await ide.entry('web.py').dragTo(area('three.txt'), { targetPosition: { x: box.width - 20, y: box.height / 2 } });
  await ide.editor('web.py').waitFor();
  const right = ide.page.getByRole('tablist', { name: 'Open files, group 2' });
  assert.deepEqual(await names(right), ['web.py']);
  assert.equal((await names(ide.page.getByRole('tablist', { name: 'Open files, group 1' }))).includes('web.py'), false);
  assert.ok(await ide.editor('three.txt').isVisible());
});

scenario('the menu of the tree opens a file to the side, in one group more and no other', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'left.txt': 'left\n', 'right.txt': 'right\n', 'more.txt': 'more\n' });
  await ide.entry('left.txt').dblclick();
  await ide.hasKeyboard(ide.editor('left.txt'));
  const aside = async (name) => {
    await ide.entry(name).click({ button: 'right' });
    await ide.page.getByRole('menuitem', { name: 'Open to the side', exact: true }).click();
    await ide.hasKeyboard(ide.editor(name));
  };
  await aside('right.txt');
  assert.deepEqual([await namesOf(tabsOf(ide, 1)), await namesOf(tabsOf(ide, 2))], [['left.txt'], ['right.txt']]);
  await ide.page.keyboard.press('Control+1');
  await ide.hasKeyboard(ide.editor('left.txt'));
  await aside('more.txt');
  assert.deepEqual([await namesOf(tabsOf(ide, 1)), await namesOf(tabsOf(ide, 2))], [['left.txt'], ['right.txt', 'more.txt']]);
});
