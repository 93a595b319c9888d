// What the editor does besides holding text: colours for each language, search, and an undo of one's own.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** A file of each language that the editor knows, with something in it that has a colour. */
const samples = {
  'a.py': 'def answer():\n    return 42\n',
  'a.js': 'const answer = () => 42;\n',
  'a.ts': 'const answer: number = 42;\n',
  'a.tsx': 'const answer = <b>42</b>;\n',
  'a.rs': 'fn main() { let answer = 42; }\n',
  'a.c': 'int main(void) { return 42; }\n',
  'a.go': 'package main\n\nfunc main() {}\n',
  'a.java': 'class A { int answer = 42; }\n',
  'a.html': '<p class="x">42</p>\n',
  'a.css': 'p { color: red; }\n',
  'a.json': '{ "answer": 42 }\n',
  'a.md': '# Answer\n\n[link](https://example.com)\n',
  'a.sh': 'if true; then echo "$HOME"; fi\n',
};

scenario('every language has its colours, loaded when its first file is opened', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const write = Object.entries(samples).map(([name, text]) => `echo ${Buffer.from(text).toString('base64')} | base64 -d > ${name}`);
  await ide.pasteIntoTerminal(write.join('; '));
  await ide.page.keyboard.press('Enter');
  const scripts = () => ide.page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).length);
  const before = await scripts();
  for (const [name, text] of Object.entries(samples)) {
    await ide.entry(name).click();
    await ide.editorSays(name, text);
    const editor = await ide.editor(name).elementHandle();
    await ide.page.waitForFunction((editor) => {
      const colours = [...editor.querySelectorAll('span')].map((word) => getComputedStyle(word).color);
      return colours.some((colour) => colour !== getComputedStyle(editor).color);
    }, editor);
  }
  assert.ok((await scripts()) > before, 'the languages were there from the start');
});

scenario('undo takes back what was typed here and leaves what others typed', async (stage) => {
  const ada = await stage.person();
  await ada.ready();
  await ada.newFile('list.txt');
  await ada.type('list.txt', 'one\n');
  const grace = await stage.person();
  await grace.ready();
  await grace.entry('list.txt').dblclick();
  await grace.editorSays('list.txt', 'one\n');
  await grace.editor('list.txt').click();
  await grace.page.keyboard.press('Control+End');
  await grace.page.keyboard.type('two');
  await ada.editorSays('list.txt', 'one\ntwo');
  await ada.editor('list.txt').click();
  await ada.page.keyboard.press('Control+z');
  await ada.editorSays('list.txt', 'two');
  await ada.page.keyboard.press('Control+y');
  await ada.editorSays('list.txt', 'one\ntwo');
});

scenario('search finds, counts its way through and replaces', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.newFile('verse.txt');
  await ide.type('verse.txt', 'rose is a rose is a rose');
  await ide.page.keyboard.press('Control+f');
  const find = ide.page.getByRole('textbox', { name: 'Find' });
  await find.pressSequentially('rose');
  const count = ide.page.getByRole('status').filter({ hasText: /result| of / });
  await count.filter({ hasText: '3 results' }).waitFor();
  await find.press('Enter');
  await count.filter({ hasText: '1 of 3' }).waitFor();
  await find.press('Enter');
  await count.filter({ hasText: '2 of 3' }).waitFor();
  await find.press('Alt+c');
  await find.fill('');
  await find.pressSequentially('Rose');
  await ide.page.getByText('No results', { exact: true }).waitFor();
  await find.press('Alt+c');
  await count.filter({ hasText: '3 results' }).or(count.filter({ hasText: ' of 3' })).first().waitFor();
  await find.press('Escape');
  await ide.page.keyboard.press('Control+h');
  const replacement = ide.page.getByRole('textbox', { name: 'Replace' });
  await ide.hasKeyboard(replacement);
  await replacement.fill('tulip');
  await ide.page.getByRole('button', { name: 'replace all' }).click();
  await ide.editorSays('verse.txt', 'tulip is a tulip is a tulip');
  await find.press('Escape');
  await find.waitFor({ state: 'hidden' });
  await ide.page.keyboard.type('!');
  assert.match(await ide.editor('verse.txt').innerText(), /!/, 'the keyboard did not come back to the text');
});

scenario('in the panel for finding, keys that were changed are heard, and those of before no more', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.newFile('verse.txt');
  await ide.type('verse.txt', 'rose is a rose is a rose');
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('Control+s');
  const dialog = ide.dialog('Keyboard shortcuts');
  const next = dialog.getByRole('list', { name: 'Commands' }).getByRole('listitem', { name: 'Find the next one', exact: true });
  await next.getByRole('button', { name: /^Change/ }).click();
  await next.getByText('Press the keys').waitFor();
  await ide.page.keyboard.press('Control+Alt+n');
  await ide.page.keyboard.press('Enter');
  await next.getByRole('list').getByText('Ctrl+Alt+N').waitFor();
  await ide.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  await ide.editor('verse.txt').click();
  await ide.page.keyboard.press('Control+f');
  const find = ide.page.getByRole('textbox', { name: 'Find' });
  await find.pressSequentially('rose');
  const count = (text) => ide.page.getByRole('status').filter({ hasText: text }).waitFor();
  await count(/3 results| of 3/);
  await find.press('Enter');
  await count('1 of 3');
  await find.press('Control+Alt+n');
  await count('2 of 3');
  await ide.hasKeyboard(find);
  // It is no key of the page's any more; what comes after it shows that it has done nothing.
  await find.press('F3');
  await find.press('Control+Alt+n');
  await count('3 of 3');
  await find.press('Shift+F3');
  await count('2 of 3');
  await find.press('Control+h');
  await ide.hasKeyboard(ide.page.getByRole('textbox', { name: 'Replace' }));
  await ide.page.keyboard.press('Control+g');
  await ide.hasKeyboard(ide.page.getByRole('textbox', { name: 'Go to line' }));
});

scenario('lines are sorted and joined by name, trimmed by keys, and a selection grows and shrinks', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'lines.js': 'c(1);  \nb([2, 3]);\na();\n' });
  await ide.entry('lines.js').dblclick();
  await ide.hasKeyboard(ide.editor('lines.js'));
  const command = async (name) => {
    await ide.page.keyboard.press('F1');
    await ide.dialog('Command palette').getByRole('combobox').fill(name);
    await ide.page.keyboard.press('Enter');
    await ide.hasKeyboard(ide.editor('lines.js'));
  };
  await command('Sort the lines');
  await ide.editorSays('lines.js', 'a();\nb([2, 3]);\nc(1);  \n');
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('Control+x');
  await ide.editorSays('lines.js', 'a();\nb([2, 3]);\nc(1);\n');
  await ide.page.keyboard.press('Control+Home');
  await command('Join the lines');
  await ide.editorSays('lines.js', 'a(); b([2, 3]);\nc(1);\n');

  // The cursor is before the 2.
  await ide.page.keyboard.press('Control+Home');
  for (let step = 0; step < 'a(); b(['.length; step += 1) await ide.page.keyboard.press('ArrowRight');
  const selected = () => ide.page.evaluate(() => getSelection().toString());
  const sizes = [];
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft']) {
    await ide.page.keyboard.press(`Alt+Shift+${key}`);
    sizes.push(await selected());
  }
  assert.equal(sizes[0], '2');
  assert.ok(sizes[1].includes('[2, 3]'), sizes[1]);
  assert.equal(sizes[2], '2');
});

scenario('the panel for finding is one row until something is to be replaced', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.entry('ask.py').dblclick();
  await ide.hasKeyboard(ide.editor('ask.py'));
  await ide.page.keyboard.press('Control+f');
  const find = ide.page.getByRole('textbox', { name: 'Find' });
  const replacement = ide.page.getByRole('textbox', { name: 'Replace' });
  await ide.hasKeyboard(find);
  await find.pressSequentially('name');
  await ide.page.getByRole('status').filter({ hasText: '3 results' }).waitFor();
  assert.equal(await replacement.isVisible(), false);
  await ide.page.screenshot({ path: 'target/browser/find.png' });
  // The switches stand at the field, and Tab goes through them as they stand.
  for (const name of ['Match case', 'By word', 'Regular expression', 'Previous', 'Next', 'All']) {
    await ide.page.keyboard.press('Tab');
    await ide.hasKeyboard(ide.page.getByRole('checkbox', { name }).or(ide.page.getByRole('button', { name, exact: true })));
  }
  await ide.page.getByRole('button', { name: 'Replace', exact: true, expanded: false }).click();
  await replacement.waitFor();
  await ide.page.screenshot({ path: 'target/browser/find-replace.png' });
});
