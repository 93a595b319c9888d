// Moving about in files: back to where one was and forward again, cursors that are taken back, lines that are put in, and
// that all of these have keys that can be changed.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const numbered = (count) => Array.from({ length: count }, (_, at) => `line${at + 1}`).join('\n');

scenario('one goes back to where one was in the files, and forward again', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'long.txt': numbered(120), 'other.txt': numbered(60) });
  const at = (line, column = 1) => ide.page.getByText(`Ln ${line}, Col ${column}`, { exact: true }).waitFor();
  const goTo = async (line) => {
    await ide.page.keyboard.press('Control+g');
    await ide.hasKeyboard(ide.page.getByRole('textbox', { name: 'Go to line' }));
    await ide.page.keyboard.type(String(line));
    await ide.page.keyboard.press('Enter');
    await at(line);
  };
  await ide.entry('long.txt').dblclick();
  await ide.hasKeyboard(ide.editor('long.txt'));
  await ide.editor('long.txt').getByText('line1', { exact: true }).waitFor();
  await at(1);
  await goTo(100);
  await ide.entry('other.txt').dblclick();
  await ide.hasKeyboard(ide.editor('other.txt'));
  await ide.editor('other.txt').getByText('line2', { exact: true }).waitFor();
  await goTo(40);

  await ide.page.keyboard.press('Control+Alt+-');
  await at(1);
  await ide.hasKeyboard(ide.editor('other.txt'));
  await ide.page.keyboard.press('Alt+ArrowLeft');
  await at(100);
  await ide.hasKeyboard(ide.editor('long.txt'));
  await ide.page.keyboard.press('Alt+ArrowLeft');
  await at(1);
  // The page begins with a file; before that there is nothing, and the browser does not leave the page.
  await ide.page.keyboard.press('Alt+ArrowLeft');
  await ide.hasKeyboard(ide.editor('README.md'));
  await ide.page.keyboard.press('Alt+ArrowLeft');
  await ide.page.keyboard.press('Alt+ArrowRight');
  await ide.hasKeyboard(ide.editor('long.txt'));
  await ide.page.keyboard.press('Alt+ArrowRight');
  await at(100);
  await ide.page.keyboard.press('Control+Shift+-');
  await at(1);
  await ide.page.keyboard.press('Control+Shift+-');
  await at(40);
  await ide.hasKeyboard(ide.editor('other.txt'));

  // A file that was closed meanwhile is opened again.
  await ide.entry('long.txt').dblclick();
  await ide.hasKeyboard(ide.editor('long.txt'));
  await ide.page.keyboard.press('Alt+w');
  await ide.tab('long.txt').waitFor({ state: 'detached' });
  await ide.page.keyboard.press('Alt+ArrowLeft');
  await ide.editor('long.txt').waitFor();
});

scenario('a move of the cursor is taken back, and a line goes in above or below', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'a.py': 'red = 1\n    red = 2\nred = 3\n' });
  await ide.entry('a.py').dblclick();
  await ide.hasKeyboard(ide.editor('a.py'));
  await ide.editorSays('a.py', 'red = 1\n    red = 2\nred = 3\n');
  await ide.page.keyboard.press('Control+d');
  await ide.page.keyboard.press('Control+d');
  await ide.page.keyboard.press('Control+d');
  // One too many.
  await ide.page.keyboard.press('Control+u');
  await ide.page.keyboard.type('sea');
  await ide.editorSays('a.py', 'sea = 1\n    sea = 2\nred = 3\n');
  await ide.page.keyboard.press('Escape');
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.press('ArrowDown');
  await ide.page.keyboard.press('End');
  await ide.page.keyboard.press('Control+Shift+Enter');
  await ide.page.keyboard.type('x');
  await ide.editorSays('a.py', 'sea = 1\n    x\n    sea = 2\nred = 3\n');
  await ide.page.keyboard.press('Control+z');
  await ide.page.keyboard.press('Control+y');
  await ide.editorSays('a.py', 'sea = 1\n    x\n    sea = 2\nred = 3\n');
});

scenario("the editor's own keys stand in the list of shortcuts, and can be others", async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('Control+s');
  const dialog = ide.dialog('Keyboard shortcuts');
  const line = (name) => dialog.getByRole('list', { name: 'Commands' }).getByRole('listitem', { name, exact: true });
  for (const [name, keys] of [['Undo', 'Ctrl+Z'], ['Redo', 'Ctrl+Y'], ['Find the next one', 'F3']]) {
    await line(name).getByRole('list').getByText(keys, { exact: true }).waitFor();
  }
  await line('Undo').getByRole('button', { name: /^Change/ }).first().click();
  await dialog.getByText('Press the keys').waitFor();
  await ide.page.keyboard.press('Control+Shift+Backspace');
  await line('Undo').getByRole('status').filter({ hasText: 'Ctrl+Shift+Backspace' }).waitFor();
  await ide.page.keyboard.press('Enter');
  await line('Undo').getByRole('list').getByText('Ctrl+Shift+Backspace').waitFor();
  await ide.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await ide.write({ 'u.txt': 'one two one\n' });
  await ide.entry('u.txt').dblclick();
  await ide.hasKeyboard(ide.editor('u.txt'));
  await ide.editorSays('u.txt', 'one two one\n');
  await ide.page.keyboard.type('new ');
  await ide.editorSays('u.txt', 'new one two one\n');
  await ide.page.keyboard.press('Control+z');
  await ide.editorSays('u.txt', 'new one two one\n');
  await ide.page.keyboard.press('Control+Shift+Backspace');
  await ide.editorSays('u.txt', 'one two one\n');
  // What is looked for is gone through without the panel.
  await ide.page.keyboard.press('Control+f');
  await ide.page.keyboard.type('one');
  await ide.page.keyboard.press('Escape');
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.press('F3');
  await ide.page.keyboard.press('F3');
  await ide.page.getByText('Ln 1, Col 12', { exact: true }).waitFor();
  await ide.page.keyboard.press('Shift+F3');
  await ide.page.getByText('Ln 1, Col 4', { exact: true }).waitFor();
  assert.equal(await ide.page.getByRole('alert').count(), 0);
});
