// The file tree, by keyboard alone but for where a test says otherwise.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

scenario('the tree is walked, folded, renamed and emptied by keyboard', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const press = (key) => ide.page.keyboard.press(key);
  const selected = (name) => ide.tree.getByRole('treeitem', { name, exact: true, selected: true }).waitFor();

  await ide.newFolder('src');
  await ide.entry('src').click();
  await ide.newFile('inner.py');
  assert.equal(await ide.entry('src').getAttribute('aria-expanded'), 'true');

  // Folded, its file is gone from view; unfolded, it is back.
  await ide.entry('inner.py').click();
  await press('ArrowLeft');
  await selected('src');
  await press('ArrowLeft');
  await ide.entry('inner.py').waitFor({ state: 'hidden' });
  assert.equal(await ide.entry('src').getAttribute('aria-expanded'), 'false');
  await press('ArrowRight');
  await ide.entry('inner.py').waitFor();
  await press('ArrowDown');
  await selected('inner.py');
  await press('End');
  await selected('web.py');
  await press('Home');
  await selected('src');

  await press('ArrowDown');
  await selected('inner.py');
  await press('F2');
  await ide.name('outer.py');
  await ide.entry('inner.py').waitFor({ state: 'hidden' });
  await selected('outer.py');
  await press('Enter');
  await ide.editor('src/outer.py').waitFor();
  await ide.hasKeyboard(ide.editor('src/outer.py'));
  await ide.page.keyboard.type('kept');

  await ide.entry('outer.py').click();
  await press('ArrowLeft');
  await selected('src');
  await press('F2');
  await ide.name('lib');
  await ide.entry('src').waitFor({ state: 'hidden' });
  await ide.editorSays('lib/outer.py', 'kept');

  await selected('lib');
  await press('Delete');
  const dialog = ide.dialog('Delete');
  await dialog.waitFor();
  await press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await selected('lib');
  await ide.hasKeyboard(ide.entry('lib'));
  await press('Delete');
  await dialog.getByRole('button', { name: 'Delete' }).press('Enter');
  await ide.entry('lib').waitFor({ state: 'hidden' });
});

scenario('the keyboard stays in the tree when somebody moves the entry that it is on', async (stage) => {
  const [ide, other] = [await stage.person(), await stage.person()];
  await Promise.all([ide.ready(), other.ready()]);
  await ide.entry('fizz.sh').click();
  await ide.hasKeyboard(ide.entry('fizz.sh'));

  await other.answer('mv fizz.sh buzz.sh');
  await ide.entry('fizz.sh').waitFor({ state: 'hidden' });
  await ide.entry('buzz.sh').waitFor();
  await ide.hasKeyboard(ide.entry('ask.py'));
  await ide.page.keyboard.press('ArrowDown');
  await ide.hasKeyboard(ide.entry('buzz.sh'));
});

scenario('a click selects and shows a file, a double click opens it for good', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.entry('ask.py').click();
  await ide.tab('ask.py').waitFor();
  assert.ok(await ide.tree.evaluate((tree) => tree.contains(document.activeElement)), 'the click left the tree');
  await ide.entry('fizz.sh').click();
  await ide.tab('fizz.sh').waitFor();
  await ide.tab('ask.py').waitFor({ state: 'hidden' });
  await ide.entry('fizz.sh').dblclick();
  await ide.editor('fizz.sh').waitFor();
  await ide.entry('web.py').click();
  await ide.tab('web.py').waitFor();
  assert.ok(await ide.tab('fizz.sh').isVisible(), 'a file that was opened for good was replaced');
});

scenario('a name that is taken is refused in words, and nothing changes', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.entry('ask.py').click();
  await ide.page.keyboard.press('F2');
  const field = ide.page.getByRole('textbox', { name: 'Name', exact: true });
  await field.fill('web.py');
  await field.press('Enter');
  await ide.page.getByRole('alert').filter({ hasText: 'already' }).waitFor();
  await ide.entry('ask.py').waitFor();
  assert.equal(await ide.entry('web.py').count(), 1);
});

scenario('a folder of a hundred thousand entries is shown at once and holds only the rows in view', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.answer("mkdir big && cd big && seq -f 'f%06.0f' 1 100000 | xargs touch && cd .. && echo ma''de");
  await ide.row('made').waitFor({ timeout: 60_000 });
  await ide.entry('big').click();
  await ide.entry('f000001').waitFor();
  const last = ide.tree.locator('[aria-setsize="100000"]').first();
  await last.waitFor({ timeout: 60_000 });
  await ide.entry('big').click();
  await ide.entry('f000001').waitFor({ state: 'hidden' });
  await ide.entry('big').click();
  await last.waitFor({ timeout: 60_000 });
  await ide.page.keyboard.press('End');
  await ide.page.keyboard.press('Home');
  await ide.entry('f000001').click();
  for (let n = 0; n < 3; n += 1) await ide.page.keyboard.press('PageDown');
  const down = ide.entry('f000037');
  await down.and(ide.page.getByRole('treeitem', { selected: true })).waitFor();
  assert.equal(await down.getAttribute('aria-posinset'), '37');
  await ide.hasKeyboard(down);
  // Far away, and only what is in view is there.
  await ide.tree.evaluate((tree) => tree.scrollTo(0, tree.scrollHeight / 2));
  await ide.tree.getByRole('treeitem', { name: /^f0500/ }).first().waitFor();
  const count = await ide.tree.getByRole('treeitem').count();
  assert.ok(count < 150, `${count} rows are in the page`);
  // The keyboard goes on where it was.
  await ide.page.keyboard.press('ArrowDown');
  await ide.entry('f000038').waitFor();
  await ide.hasKeyboard(ide.entry('f000038'));
});

scenario('several entries are selected, dragged, cut, copied, duplicated and deleted', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const { page } = ide;
  const selected = () => ide.tree.getByRole('treeitem', { selected: true }).evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label')));
  await ide.newFolder('box');
  await ide.entry('ask.py').click();
  await ide.entry('web.py').click({ modifiers: ['Control'] });
  assert.deepEqual((await selected()).sort(), ['ask.py', 'web.py']);

  // Both go where one is dragged, and an open file's tab goes with it.
  await ide.entry('ask.py').dragTo(ide.entry('box'));
  await ide.page.locator('[aria-level="2"]').filter({ hasText: 'web.py' }).waitFor();
  assert.equal(await ide.entry('box').getAttribute('aria-expanded'), 'true');
  await ide.editor('box/ask.py').waitFor();

  // With Ctrl held, a copy.
  await page.keyboard.down('Control');
  await ide.entry('web.py').dragTo(ide.entry('README.md'));
  await page.keyboard.up('Control');
  await ide.tree.locator('[aria-level="1"]').filter({ hasText: 'web.py' }).waitFor();

  await ide.entry('fizz.sh').click();
  await page.keyboard.press('Control+x');
  await ide.entry('box').click();
  await ide.entry('box').click();
  await page.keyboard.press('Control+v');
  await ide.tree.locator('[aria-level="2"]').filter({ hasText: 'fizz.sh' }).waitFor();
  await page.keyboard.press('Control+c');
  await page.keyboard.press('Control+v');
  await ide.entry('fizz copy.sh').waitFor();
  await ide.entry('fizz copy.sh').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Duplicate' }).click();
  await ide.entry('fizz copy 2.sh').waitFor();

  await ide.entry('fizz copy.sh').click();
  await page.keyboard.press('Shift+ArrowUp');
  assert.equal((await selected()).length, 2);
  await page.keyboard.press('Delete');
  const dialog = ide.dialog('Delete');
  await dialog.getByText('Delete 2 entries?').waitFor();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await ide.entry('fizz copy.sh').waitFor({ state: 'hidden' });
  await page.keyboard.press('Control+a');
  assert.ok((await selected()).length > 4);
});

scenario('the tree is narrowed by typing, hides hidden files and marks what has changed', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const { page } = ide;
  await ide.newFile('.hidden');
  await ide.newFile('fresh.txt');
  await ide.tree.locator('[aria-description="added"]').filter({ hasText: 'fresh.txt' }).waitFor();
  await ide.type('fresh.txt', 'x');
  await ide.answer('echo "# more" >> web.py');
  await ide.tree.locator('[aria-description="modified"]').filter({ hasText: 'web.py' }).waitFor();
  // So it is after the page was loaded anew, and for one that comes later.
  await ide.newFolder('drawer');
  await page.reload();
  await ide.ready();
  const isMarked = async (as, name) => {
    await ide.tree.locator(`[aria-description="${as}"]`).filter({ hasText: name }).waitFor();
  };
  for (const [as, name] of [['added', 'fresh.txt'], ['added', 'drawer'], ['modified', 'web.py']]) await isMarked(as, name);
  await page.goto('about:blank');
  await ide.open(stage.server.link);
  await ide.ready();
  for (const [as, name] of [['added', 'fresh.txt'], ['modified', 'web.py']]) await isMarked(as, name);

  await ide.entry('web.py').click();
  await page.keyboard.press('Control+f');
  const field = page.getByRole('textbox', { name: 'Filter files' });
  await field.fill('PY');
  await ide.entry('fresh.txt').waitFor({ state: 'hidden' });
  assert.equal(await ide.entry('web.py').locator('mark').innerText(), 'py');
  await field.press('Escape');
  await ide.entry('fresh.txt').waitFor();

  // Folders that are closed are looked into, and closed again.
  await ide.answer('mkdir -p far/away; touch far/away/needle.txt');
  await ide.entry('far').waitFor();
  await ide.entry('web.py').click();
  await page.keyboard.press('Control+f');
  await field.fill('needle');
  await ide.entry('needle.txt').waitFor();
  await field.press('Escape');
  await ide.entry('needle.txt').waitFor({ state: 'hidden' });
  await ide.entry('far').waitFor();

  await ide.button('More for the files').click();
  await page.getByRole('menuitem', { name: 'Hide hidden files' }).click();
  await ide.entry('.hidden').waitFor({ state: 'hidden' });
});

scenario('a viewer can look at everything in the tree and change nothing', async (stage) => {
  const owner = await stage.person();
  await owner.ready();
  const link = await owner.share('viewer');
  const viewer = await stage.person({ link, name: 'Vi' });
  await viewer.connected();
  await viewer.entry('ask.py').click({ button: 'right' });
  const items = await viewer.page.getByRole('menuitem').locator('.menu-text').allInnerTexts();
  assert.deepEqual(items, ['Open', 'Open to the side', 'Download', 'Copy path']);
  await viewer.page.keyboard.press('Escape');
  assert.equal(await viewer.button('New file').count(), 0);
  assert.equal(await viewer.entry('ask.py').getAttribute('draggable'), 'false');
});
