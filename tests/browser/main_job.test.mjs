// What the product is for: someone opens the printed link and runs code.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const greeting = 'name = input("Who are you? ")\nprint("Hello, " + name)\n';

scenario('a person opens the link, runs a program and finds everything after a reload', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  for (const name of ['README.md', 'ask.py', 'fizz.sh', 'web.py']) await ide.entry(name).waitFor();
  assert.ok(!ide.page.url().includes('join='), 'the key stays in the address bar');

  await ide.newFile('greet.py');
  await ide.type('greet.py', greeting);
  await ide.editorSays('greet.py', greeting);

  await ide.button('Run').click();
  await ide.row('Who are you?').waitFor();
  await ide.answer('Ada');
  await ide.row('Hello, Ada').waitFor();

  await ide.entry('web.py').dblclick();
  await ide.editor('web.py').waitFor();
  await ide.button('Run').click();
  await ide.row('Serving on port 3000').waitFor();
  await ide.clickTerminal();
  await ide.page.keyboard.press('Control+c');
  await ide.row('Stopped.').waitFor();
  const tabs = await ide.terminalNames();

  await ide.page.reload();
  await ide.ready();
  await ide.entry('greet.py').waitFor();
  await ide.tab('greet.py').waitFor();
  await ide.tab('web.py').waitFor();
  await ide.row('Stopped.').waitFor();
  assert.deepEqual(await ide.terminalNames(), tabs);
  await ide.tab('greet.py').click();
  await ide.editorSays('greet.py', greeting);
  await ide.terminals.getByRole('tab', { name: tabs.at(-2), exact: true }).click();
  await ide.row('Hello, Ada').waitFor();
});

scenario('Stop ends a program that does not end by itself', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.entry('web.py').dblclick();
  await ide.editor('web.py').waitFor();
  await ide.button('Run').click();
  await ide.row('Serving on port 3000').waitFor();
  await ide.button('Stop').click();
  await ide.row('Stopped.').waitFor();
  await ide.page.getByRole('button', { name: 'Stop', exact: true, disabled: true }).waitFor();
});

scenario('what is typed is saved by itself, and a program sees it', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.newFile('notes.txt');
  await ide.type('notes.txt', 'first');
  // The name loses its mark once the text is in the file.
  await ide.openFiles.getByRole('tab', { name: 'notes.txt', exact: true }).waitFor();
  await ide.newTerminal();
  await ide.answer('cat notes.txt; echo " <end>"');
  await ide.row('first <end>').waitFor();

  await ide.answer('echo second > notes.txt');
  await ide.editorSays('notes.txt', 'second\n');
  await ide.editor('notes.txt').click();
  await ide.page.keyboard.press('Control+End');
  await ide.page.keyboard.type('third');
  await ide.page.keyboard.press('Control+s');
  await ide.openFiles.getByRole('tab', { name: 'notes.txt', exact: true }).waitFor();
  await ide.answer('tail -n 1 notes.txt; echo " <end>"');
  await ide.row('third <end>').waitFor();
});

scenario('several terminals are shells of their own, as large as they are shown', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.newTerminal();
  await ide.answer('kept=one; echo "is $kept"');
  await ide.row('is one').waitFor();
  await ide.newTerminal();
  await ide.answer('echo "is ${kept:-nothing}"');
  await ide.row('is nothing').waitFor();
  assert.equal(await ide.terminals.getByRole('tab').count(), 3);

  await ide.answer('echo "columns: $(tput cols)"');
  const wide = await number(ide, 'columns');
  await ide.page.setViewportSize({ width: 900, height: 700 });
  await ide.answer(`until [ $(tput cols) -lt ${wide} ]; do :; done; echo "narrower: $(tput cols)"`);
  const narrow = await number(ide, 'narrower');
  assert.ok(narrow > 20 && narrow < wide, `${wide} columns became ${narrow}`);

  await ide.button('Close terminal').click();
  await ide.row('is one').waitFor();
});

/** The number that a program in the shown terminal gave under a name. */
async function number(ide, name) {
  const row = ide.terminal.getByText(new RegExp(`^${name}: \\d+$`)).first();
  return Number((await row.innerText()).match(/\d+/)[0]);
}
