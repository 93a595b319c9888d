// Writing code: several cursors, folds, brackets, comments, words that are offered, indentation, `.editorconfig`, and how a
// person likes to see it.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** The lines of the shown editor as they are in the text, without what is folded. */
const lines = (ide, path) =>
  ide.editor(path).evaluate((editor) => [...editor.querySelectorAll('.cm-line')].map((line) => line.textContent));

async function place(ide, path, line, column = 1) {
  await ide.editor(path).click();
  await ide.page.keyboard.press('Control+Home');
  for (let n = 1; n < line; n++) await ide.page.keyboard.press('ArrowDown');
  for (let n = 1; n < column; n++) await ide.page.keyboard.press('ArrowRight');
}

/** Where a letter of a line is on the page. */
async function at(ide, path, line, column) {
  return ide.editor(path).evaluate((editor, [line, column]) => {
    const range = document.createRange();
    const walk = document.createTreeWalker(editor.querySelectorAll('.cm-line')[line - 1], NodeFilter.SHOW_TEXT);
    let rest = column - 1;
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      if (rest <= node.length) {
        range.setStart(node, rest);
        const { x, y, height } = range.getBoundingClientRect();
        return { x, y: y + height / 2 };
      }
      rest -= node.length;
    }
    throw new Error('no such place');
  }, [line, column]);
}

scenario('several cursors, columns, brackets and comments work as one is used to', async (stage) => {
  const ide = await stage.person({ name: 'Ada' });
  await ide.ready();
  await ide.write({ 'many.py': 'red = 1\nred = 2\nred = 3\nend = (red + [4])\n' });
  await ide.entry('many.py').dblclick();
  await ide.editorSays('many.py', 'red = 1\nred = 2\nred = 3\nend = (red + [4])\n');
  const grace = await stage.person({ name: 'Grace' });
  await grace.ready();
  await grace.entry('many.py').dblclick();
  await grace.editorSays('many.py', 'red = 1\nred = 2\nred = 3\nend = (red + [4])\n');
  await place(grace, 'many.py', 4, 1);
  await ide.cursorOf('Grace').waitFor();

  // Ctrl+D adds one occurrence after the other.
  await place(ide, 'many.py', 1, 2);
  for (let n = 0; n < 3; n++) await ide.page.keyboard.press('Control+d');
  await ide.page.keyboard.type('blue');
  await ide.editorSays('many.py', 'blue = 1\nblue = 2\nblue = 3\nend = (red + [4])\n');
  await grace.editorSays('many.py', 'blue = 1\nblue = 2\nblue = 3\nend = (red + [4])\n');
  await ide.page.keyboard.press('Escape');
  await ide.page.keyboard.press('Escape');

  // Ctrl+Shift+L takes all of them, from the word at the cursor.
  await place(ide, 'many.py', 2, 2);
  await ide.page.keyboard.press('Control+Shift+l');
  await ide.page.keyboard.type('sea');
  await ide.editorSays('many.py', 'sea = 1\nsea = 2\nsea = 3\nend = (red + [4])\n');
  await ide.page.keyboard.press('Escape');
  await ide.page.keyboard.press('Escape');

  // Alt and a click add a cursor; what somebody else types meanwhile stays.
  await place(ide, 'many.py', 1, 1);
  const second = await at(ide, 'many.py', 2, 1);
  await ide.page.keyboard.down('Alt');
  await ide.page.mouse.click(second.x, second.y);
  await ide.page.keyboard.up('Alt');
  await Promise.all([ide.page.keyboard.type('xy'), grace.page.keyboard.type('# ')]);
  await ide.editorSays('many.py', 'xysea = 1\nxysea = 2\nsea = 3\n# end = (red + [4])\n');
  await grace.editorSays('many.py', 'xysea = 1\nxysea = 2\nsea = 3\n# end = (red + [4])\n');
  await ide.page.keyboard.press('Escape');

  // Ctrl+Alt and an arrow do it by keys.
  await place(ide, 'many.py', 1, 1);
  await ide.page.keyboard.press('Control+Alt+ArrowDown');
  await ide.page.keyboard.press('Delete');
  await ide.page.keyboard.press('Delete');
  await ide.editorSays('many.py', 'sea = 1\nsea = 2\nsea = 3\n# end = (red + [4])\n');
  await ide.page.keyboard.press('Escape');

  // Shift, Alt and a drag select a column.
  const [from, to] = [await at(ide, 'many.py', 1, 1), await at(ide, 'many.py', 3, 4)];
  await ide.page.keyboard.down('Shift');
  await ide.page.keyboard.down('Alt');
  await ide.page.mouse.move(from.x + 1, from.y);
  await ide.page.mouse.down();
  await ide.page.mouse.move(to.x + 1, to.y, { steps: 4 });
  await ide.page.mouse.up();
  await ide.page.keyboard.up('Alt');
  await ide.page.keyboard.up('Shift');
  await ide.page.keyboard.type('n');
  await ide.editorSays('many.py', 'n = 1\nn = 2\nn = 3\n# end = (red + [4])\n');
  await ide.page.keyboard.press('Escape');

  // Comments come and go; in a language without line comments, as block comments.
  await place(ide, 'many.py', 4, 1);
  await ide.page.keyboard.press('Control+/');
  await ide.editorSays('many.py', 'n = 1\nn = 2\nn = 3\nend = (red + [4])\n');
  // A bracket at the cursor shows its fellow, and one goes there.
  await place(ide, 'many.py', 4, 7);
  await ide.page.locator('.cm-matchingBracket').nth(1).waitFor();
  await ide.page.keyboard.press('Control+Shift+\\');
  await ide.page.getByText('Ln 4, Col 18').waitFor();
  await ide.write({ 'style.css': 'p { color: red; }\n' });
  await ide.entry('style.css').dblclick();
  await ide.editorSays('style.css', 'p { color: red; }\n');
  await place(ide, 'style.css', 1);
  await ide.page.keyboard.press('Control+/');
  await ide.editorSays('style.css', '/* p { color: red; } */\n');
});

scenario('code is folded by keys and in the gutter, also where no grammar says how', async (stage) => {
  const ide = await stage.person({ viewport: { width: 1440, height: 900 } });
  await ide.ready();
  const python = 'def one():\n    if True:\n        a = 1\n\n        b = 2\n    return a\n\ndef two():\n    return 2\n';
  await ide.write({ 'fold.py': python, 'deep.yaml': 'top:\n  in: 1\n  on: 2\nlast: 3\n' });
  await ide.entry('fold.py').dblclick();
  await ide.editorSays('fold.py', python);
  await place(ide, 'fold.py', 3, 9);
  // Indentation is drawn as lines, and the block around the cursor is marked.
  await ide.page.locator('.cm-guideActive').waitFor();
  assert.equal(await ide.page.locator('.cm-guide').count(), 3);
  await ide.page.screenshot({ path: 'target/browser/code-guides.png' });
  await place(ide, 'fold.py', 1);
  await ide.page.keyboard.press('Control+Shift+[');
  await ide.page.locator('.cm-folded:visible').waitFor();
  assert.equal((await lines(ide, 'fold.py')).length, 5);
  await ide.page.screenshot({ path: 'target/browser/code-folded.png' });
  await ide.page.keyboard.press('Control+Shift+]');
  assert.equal((await lines(ide, 'fold.py')).length, 10);
  await ide.page.getByTitle('Fold', { exact: true }).and(ide.page.locator(':visible')).first().click();
  assert.equal((await lines(ide, 'fold.py')).length, 5);
  await ide.editor('fold.py').click();
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('Control+j');
  assert.equal((await lines(ide, 'fold.py')).length, 10);

  await ide.entry('deep.yaml').dblclick();
  await ide.editorSays('deep.yaml', 'top:\n  in: 1\n  on: 2\nlast: 3\n');
  await place(ide, 'deep.yaml', 1);
  await ide.page.keyboard.press('Control+Shift+[');
  assert.deepEqual((await lines(ide, 'deep.yaml')).map((line) => line.slice(0, 4)), ['top:', 'last', '']);
});

scenario('words are offered as one types, not in comments, and not to who does not want them', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'words.txt': 'hippopotamus rhinoceros\n', 'zoo.py': 'giraffe = 1\n\n# a comment \n' });
  await ide.entry('words.txt').dblclick();
  await ide.editorSays('words.txt', 'hippopotamus rhinoceros\n');
  await ide.entry('zoo.py').dblclick();
  await ide.editorSays('zoo.py', 'giraffe = 1\n\n# a comment \n');
  const list = ide.page.getByRole('listbox');
  await place(ide, 'zoo.py', 2);
  await ide.page.keyboard.type('gir');
  await list.getByRole('option', { name: 'giraffe' }).waitFor();
  await ide.page.screenshot({ path: 'target/browser/code-completion.png' });
  // What was just drawn may not be taken yet: it takes no key that was meant for the text.
  await ide.page.waitForTimeout(100);
  await ide.page.keyboard.press('Tab');
  await ide.editorSays('zoo.py', 'giraffe = 1\ngiraffe\n# a comment \n');
  await ide.page.keyboard.type(' + hipp');
  await list.getByRole('option', { name: 'hippopotamus' }).waitFor();
  await ide.page.waitForTimeout(100);
  await ide.page.keyboard.press('Enter');
  await ide.editorSays('zoo.py', 'giraffe = 1\ngiraffe + hippopotamus\n# a comment \n');
  // In a comment one asks for them.
  await ide.page.keyboard.press('Control+End');
  await ide.page.keyboard.press('ArrowUp');
  await ide.page.keyboard.press('End');
  await ide.page.keyboard.type('rhi');
  await ide.page.keyboard.press('Control+Space');
  await list.getByRole('option', { name: 'rhinoceros' }).waitFor();
  await ide.page.keyboard.press('Escape');
  await list.waitFor({ state: 'hidden' });
  await ide.editorSays('zoo.py', 'giraffe = 1\ngiraffe + hippopotamus\n# a comment rhi\n');

  await ide.page.keyboard.press('Control+,');
  await ide.dialog('Settings').getByRole('switch', { name: 'Suggest words' }).uncheck();
  await ide.page.keyboard.press('Escape');
  await place(ide, 'zoo.py', 4);
  await ide.page.keyboard.type('gir');
  await ide.editorSays('zoo.py', 'giraffe = 1\ngiraffe + hippopotamus\n# a comment rhi\ngir');
  await ide.page.keyboard.press('Control+Space');
  assert.equal(await list.count(), 0);
});

scenario('an .editorconfig is obeyed and followed, and how a file is indented can be chosen', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({
    '.editorconfig': 'root = true\n[*]\ntrim_trailing_whitespace = true\ninsert_final_newline = true\n[*.c]\nindent_style = tab\ntab_width = 3\nmax_line_length = 40\n',
    'tabs.c': 'int x;  \nint y;',
    'free.txt': 'a\n      b\n      c\n',
  });
  await ide.entry('tabs.c').dblclick();
  await ide.editorSays('tabs.c', 'int x;  \nint y;');
  const choice = ide.page.getByRole('combobox', { name: 'Indentation' });
  const shows = (words) => ide.page.waitForFunction(
    (words) => document.querySelector('select.indentation')?.selectedOptions[0]?.textContent === words, words);
  await shows('Tab size: 3');
  await ide.page.locator('.cm-ruler').waitFor({ state: 'attached' });
  // Saving by hand puts the line of the cursor right, too, and is one step back.
  await place(ide, 'tabs.c', 1, 9);
  await ide.page.keyboard.press('Control+s');
  await ide.editorSays('tabs.c', 'int x;\nint y;\n');
  await ide.page.keyboard.press('Control+z');
  await ide.page.getByText('Ln 1, Col 9').waitFor();
  // What is taken back is put right like what is typed: not under the cursor.
  await ide.editorSays('tabs.c', 'int x;  \nint y;\n');

  // Another rule holds as soon as it is written.
  await ide.write({ '.editorconfig': '[*.c]\nindent_style = space\nindent_size = 8\n' });
  await shows('Spaces: 8');
  await ide.page.locator('.cm-ruler').waitFor({ state: 'detached' });
  await choice.selectOption('Spaces: 2');
  await shows('Spaces: 2');
  await place(ide, 'tabs.c', 2);
  await ide.page.keyboard.press('Tab');
  await ide.editorSays('tabs.c', 'int x;  \n  int y;\n');

  // Where nobody says, the text does.
  await ide.entry('free.txt').dblclick();
  await ide.editorSays('free.txt', 'a\n      b\n      c\n');
  await shows('Spaces: 6');
});

scenario('what is typed is put right by itself, and never under a cursor', async (stage) => {
  const ide = await stage.person({ name: 'Ada' });
  await ide.ready();
  await ide.write({
    '.editorconfig': 'root = true\n[*]\ntrim_trailing_whitespace = true\ninsert_final_newline = true\nend_of_line = crlf\n',
    'draft.txt': 'one\ntwo\nthree',
  });
  await ide.entry('draft.txt').dblclick();
  await ide.editorSays('draft.txt', 'one\ntwo\nthree');
  const grace = await stage.person({ name: 'Grace' });
  await grace.ready();
  await grace.entry('draft.txt').dblclick();
  await grace.editorSays('draft.txt', 'one\ntwo\nthree');
  await place(grace, 'draft.txt', 2);
  await grace.page.keyboard.press('End');
  await grace.page.keyboard.type('  ');
  await ide.editorSays('draft.txt', 'one\ntwo  \nthree\n');
  await ide.cursorOf('Grace').waitFor();

  // The line that is typed in and the one where somebody else is keep their spaces; the cursor stays where it is.
  await place(ide, 'draft.txt', 1);
  await ide.page.keyboard.press('End');
  await ide.page.keyboard.type('   ');
  await ide.page.getByText('Ln 1, Col 7').waitFor();
  await ide.run('while ! grep -q "one   " draft.txt; do sleep 0.1; done; file draft.txt');
  await ide.terminal.getByText('with CRLF line terminators').first().waitFor();
  await ide.editorSays('draft.txt', 'one   \ntwo  \nthree\n');
  await ide.editor('draft.txt').focus();
  await ide.page.keyboard.press('ArrowDown');
  await ide.page.keyboard.press('ArrowDown');
  await ide.editorSays('draft.txt', 'one\ntwo  \nthree\n');
  await grace.page.keyboard.press('Control+Home');
  await ide.editorSays('draft.txt', 'one\ntwo\nthree\n');

  // It is nobody's step to take back: one goes back to what one typed.
  await ide.editor('draft.txt').focus();
  await ide.page.keyboard.press('Control+z');
  await ide.editorSays('draft.txt', 'one\ntwo\nthree\n');
});

scenario('the line below says how lines end and what a file is written in, and both can be chosen', async (stage) => {
  const ide = await stage.person({ viewport: { width: 1440, height: 900 }, name: 'Ada' });
  await ide.ready();
  await ide.write({ 'mixed.txt': 'def a():\r\n    pass\n' });
  await ide.entry('mixed.txt').dblclick();
  const grace = await stage.person({ name: 'Grace' });
  await grace.ready();
  await grace.entry('mixed.txt').dblclick();
  await grace.editor('mixed.txt').waitFor();
  const choice = (who, name) => who.page.getByRole('combobox', { name, exact: true });
  const shows = async (who, name, words) => {
    const select = choice(who, name);
    await select.waitFor();
    await select.locator(`option:checked:text-is("${words}")`).waitFor({ state: 'attached' });
  };
  await shows(ide, 'End of line', 'LF');
  await choice(ide, 'End of line').selectOption('CRLF');
  // For everybody, and in the file.
  await shows(ide, 'End of line', 'CRLF');
  await shows(grace, 'End of line', 'CRLF');
  await ide.run('file mixed.txt');
  await ide.terminal.getByText('with CRLF line terminators').first().waitFor();
  await grace.editorSays('mixed.txt', 'def a():\n    pass\n');

  await shows(ide, 'Language', 'Plain text');
  const word = ide.editor('mixed.txt').locator('.cm-line').first().locator('span').first();
  assert.equal(await word.count(), 0);
  await choice(ide, 'Language').selectOption('Python');
  await word.filter({ hasText: 'def' }).waitFor();
  await shows(ide, 'Language', 'Python');
  await shows(grace, 'Language', 'Plain text');
  await ide.page.screenshot({ path: 'target/browser/code-status.png' });
  await choice(ide, 'Language').selectOption({ index: 0 });
  await shows(ide, 'Language', 'Plain text');
  await word.waitFor({ state: 'detached' });
});

scenario('what has changed is held against what the file was first, for everybody and after a reload', async (stage) => {
  const ide = await stage.person({ name: 'Ada' });
  await ide.ready();
  await ide.write({ 'first.txt': 'one\ntwo\n' });
  await ide.entry('first.txt').dblclick();
  await ide.editorSays('first.txt', 'one\ntwo\n');
  await place(ide, 'first.txt', 2);
  await ide.page.keyboard.type('new ');
  const mark = (who) => who.page.getByTitle('Changed since the file was first opened');
  await mark(ide).waitFor();
  await ide.page.reload();
  await ide.ready();
  await ide.editorSays('first.txt', 'one\nnew two\n');
  await mark(ide).waitFor();
  const grace = await stage.person({ name: 'Grace' });
  await grace.ready();
  await grace.entry('first.txt').dblclick();
  await mark(grace).waitFor();
  await grace.editor('first.txt').click();
  await grace.page.keyboard.press('Control+k');
  await grace.page.keyboard.press('d');
  await grace.page.getByRole('textbox', { name: 'When it was first opened: first.txt' }).getByText('two', { exact: true }).waitFor();
});

scenario('long lines wrap, spaces show, text grows, everywhere and at once', async (stage) => {
  const ide = await stage.person({ viewport: { width: 1440, height: 900 } });
  await ide.ready();
  await ide.write({ 'long.txt': `${'word '.repeat(200)}\n\tshort  \n` });
  await ide.entry('long.txt').dblclick();
  const editor = ide.editor('long.txt');
  await editor.waitFor();
  await ide.page.keyboard.press('Control+\\');
  await editor.nth(1).waitFor();
  const heights = () => editor.evaluateAll((all) => all.map((one) => one.querySelector('.cm-line').offsetHeight));
  const [before] = await heights();
  await ide.page.keyboard.press('Alt+z');
  await ide.page.waitForFunction(
    (before) => [...document.querySelectorAll('.cm-content')].every((one) => one.querySelector('.cm-line').offsetHeight > 3 * before), before);
  await ide.page.keyboard.press('Alt+z');
  await ide.page.keyboard.press('Control+,');
  const settings = ide.dialog('Settings');
  await settings.getByRole('spinbutton', { name: 'Font size of editors' }).fill('20');
  await settings.getByRole('spinbutton', { name: 'Font size of editors' }).press('Enter');
  await settings.getByRole('switch', { name: 'Show spaces and tabs' }).check();
  await ide.page.screenshot({ path: 'target/browser/settings-editor.png' });
  await ide.page.keyboard.press('Escape');
  await ide.page.waitForFunction((before) => [...document.querySelectorAll('.cm-line')].every((one) => one.offsetHeight > before), before);
  assert.equal(await ide.page.locator('.cm-trailingSpace').count() > 0, true);
  await ide.page.screenshot({ path: 'target/browser/code-large.png' });
  await ide.page.reload();
  await ide.ready();
  await ide.page.waitForFunction(() => document.querySelector('.cm-line')?.offsetHeight > 25);
});
