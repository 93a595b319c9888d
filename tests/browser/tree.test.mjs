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
