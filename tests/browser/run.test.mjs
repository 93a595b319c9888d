// Run configurations, Stop, and what is listed of runs: as a person goes through them.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const kept = `default = "hello"

[[run]]
name = "hello"
command = "echo hello $WHO; exit 3"
env = { WHO = "Ada" }
`;

const stubborn = `import signal, time
for it in (signal.SIGINT, signal.SIGTERM):
    signal.signal(it, lambda *_: print("no", flush=True))
print("here", flush=True)
while True:
    time.sleep(0.1)
`;

/** Writes a file as a program does, by a line in the terminal. */
async function write(ide, path, text) {
  const encoded = Buffer.from(text).toString('base64');
  await ide.answer(`mkdir -p $(dirname ${path}); echo ${encoded} | base64 -d > ${path}; echo wrote ${path}`);
  await ide.row(`wrote ${path}`).waitFor();
}

async function menu(ide) {
  await ide.button('Run configurations').click();
  const menu = ide.page.getByRole('menu', { name: 'Run configurations' });
  await menu.waitFor();
  return menu;
}

/** Waits until the menu offers a configuration, and closes it again. */
async function offers(ide, name) {
  const menu = ide.page.getByRole('menu', { name: 'Run configurations' });
  if (!(await menu.isVisible())) await ide.button('Run configurations').click();
  await menu.getByRole('menuitemradio', { name, exact: true }).waitFor();
  await ide.page.keyboard.press('Escape');
  await menu.waitFor({ state: 'hidden' });
}

scenario('configurations are found, chosen, run by keys and followed', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await write(ide, 'Makefile', 'check:\n\t@echo made $@\n');
  await write(ide, 'package.json', '{"scripts": {"dev": "echo dev"}}');
  await write(ide, 'test_a.py', 'def test_a():\n    pass\n');
  await offers(ide, 'make check');
  await offers(ide, 'npm run dev');
  await offers(ide, 'pytest');

  // By the keyboard alone.
  await ide.button('Run configurations').focus();
  await ide.page.keyboard.press('ArrowDown');
  const items = ide.page.getByRole('menu', { name: 'Run configurations' }).getByRole('menuitemradio');
  await ide.hasKeyboard(items.first());
  await ide.page.screenshot({ path: 'target/browser/run-menu.png' });
  const item = items.and(ide.page.getByRole('menuitemradio', { name: 'make check', exact: true }));
  for (let presses = 0; presses < 20; presses++) {
    if (await item.evaluate((element) => element === document.activeElement)) break;
    await ide.page.keyboard.press('ArrowDown');
  }
  await ide.page.keyboard.press('Enter');
  await ide.row('made check').waitFor();
  const ended = ide.page.getByText(/^Exited with 0 after [\d.]+ (ms|s), \d+ (kB|MB)$/);
  await ended.waitFor();
  await ide.page.getByText(/^make check ended: exit code 0 after/).waitFor();

  // F5 runs it again, in the place of the run before.
  const names = await ide.terminalNames();
  await ide.page.keyboard.press('F5');
  // The new one is there for a moment before the spent one goes.
  await ide.page.waitForFunction((before) => {
    const tabs = [...document.querySelectorAll('[role=tablist][aria-label=Terminals] [role=tab]')];
    return tabs.length === before.length && tabs.at(-1).ariaLabel !== before.at(-1);
  }, names);
  await ended.waitFor();

  // The palette has each of them.
  await ide.page.keyboard.press('Control+Shift+P');
  await ide.page.getByRole('dialog').getByRole('combobox').fill('run: make');
  await ide.page.getByRole('option', { name: 'Run: make check' }).waitFor();
  await ide.page.keyboard.press('Escape');

  // What was chosen is remembered.
  await ide.page.reload();
  await ide.ready();
  const chosen = (await menu(ide)).getByRole('menuitemradio', { name: 'make check', exact: true, checked: true });
  await chosen.waitFor();
});

scenario('a project keeps configurations of its own, and a broken file hurts nothing', async (stage) => {
  const ide = await stage.person({ colorScheme: 'dark' });
  await ide.ready();
  await write(ide, '.embedenv/run.toml', kept);
  await offers(ide, 'hello');
  await ide.button('Run').click();
  await ide.row('hello Ada').waitFor();
  await ide.page.getByText(/^Exited with 3 after/).waitFor();
  await ide.page.getByText(/^hello ended: exit code 3 after/).waitFor();

  await (await menu(ide)).getByRole('menuitem', { name: 'Edit configurations…' }).click();
  const dialog = ide.dialog('Run configurations');
  await dialog.getByRole('textbox', { name: 'Command' }).fill('echo changed in $PWD');
  await dialog.getByRole('button', { name: 'New', exact: true }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('A configuration needs a name.').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('below');
  await dialog.getByRole('textbox', { name: 'Command' }).fill('echo "$PWD" "$A"');
  await dialog.getByRole('textbox', { name: 'Folder' }).fill('.embedenv');
  await dialog.getByRole('textbox', { name: 'Environment' }).fill("A=it's here");
  await ide.page.screenshot({ path: 'target/browser/run-dialog.png' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await (await menu(ide)).getByRole('menuitemradio', { name: 'below', exact: true }).click();
  await ide.terminal.getByText(/\.embedenv it's here$/).first().waitFor();
  // What is typed last is kept, though nothing of it was drawn; and the default one stays that by another name.
  await (await menu(ide)).getByRole('menuitem', { name: 'Edit configurations…' }).click();
  await ide.fillAndEnter(dialog.getByRole('textbox', { name: 'Name' }), 'greeting');
  await dialog.waitFor({ state: 'hidden' });
  await offers(ide, 'greeting');

  await ide.newTerminal();
  await ide.answer('grep default .embedenv/run.toml');
  await ide.row('default = "greeting"').waitFor();
  await write(ide, '.embedenv/run.toml', `${kept}\n[[run]]\nname = "worse"\n`);
  await ide.page.getByRole('alert').filter({ hasText: /mistake on line 8: worse needs a command/ }).waitFor();
  await offers(ide, 'hello');
  await write(ide, '.embedenv/run.toml', 'name = \n');
  await ide.page.getByRole('alert').filter({ hasText: /mistake on line 1/ }).waitFor();
  await offers(ide, 'hello');
  await (await menu(ide)).getByRole('menuitem', { name: 'Edit configurations…' }).click();
  assert.ok(await dialog.getByRole('button', { name: 'Save' }).isDisabled());
  await dialog.getByRole('button', { name: 'Open the file' }).click();
  await ide.editor('.embedenv/run.toml').waitFor();
});

scenario('Stop escalates by itself, a press hurries it, and the same is run anew in its place', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await write(ide, 'stubborn.py', stubborn);
  await ide.entry('stubborn.py').dblclick();
  await ide.editor('stubborn.py').waitFor();
  await ide.button('Run').click();
  await ide.row('here').waitFor();
  await ide.button('Stop').click();
  await ide.row('no').waitFor();
  await ide.page.screenshot({ path: 'target/browser/stopping.png' });
  await ide.button('Stop harder').click();
  await ide.page.waitForFunction(() => document.querySelectorAll('.terminal-host:not([hidden]) .xterm-accessibility-tree')[0]?.textContent.match(/no/g)?.length >= 2);
  await ide.page.getByText(/^Killed \(signal 9\) after/).waitFor();
  await ide.page.getByRole('button', { name: 'Stop', exact: true, disabled: true }).waitFor();

  await ide.button('Run').click();
  // The one before makes room.
  await ide.page.getByText(/^Killed \(signal 9\) after/).waitFor({ state: 'detached' });
  await ide.row('here').waitFor();
  const count = (await ide.terminalNames()).length;
  const before = (await ide.terminalNames()).at(-1);
  await ide.button('Run').click();
  await ide.page.getByRole('region', { name: before, exact: true }).waitFor({ state: 'detached' });
  await ide.row('here').waitFor();
  assert.equal((await ide.terminalNames()).length, count);
});

scenario('Output lists who ran what and how it ended, and what the page said', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  const bob = await stage.person({ link: await ada.share('editor'), name: 'Bob', colorScheme: 'dark' });
  await bob.ready();
  await write(bob, 'bad.sh', 'echo $((1+1)) apples; exit 7\n');
  await bob.entry('bad.sh').dblclick();
  await bob.editor('bad.sh').waitFor();
  await bob.button('Run').click();
  await bob.row('2 apples').waitFor();

  await ada.page.keyboard.press('Control+Shift+U');
  const output = ada.page.getByRole('region', { name: 'Output' });
  const row = output.getByRole('listitem').filter({ hasText: 'bash bad.sh' });
  await row.filter({ hasText: /Exited with 7 after .*Bob, / }).waitFor();
  await ada.page.screenshot({ path: 'target/browser/output.png' });
  await output.getByRole('textbox', { name: 'Filter output' }).fill('nothing like it');
  await output.getByText('No run fits the filter.').waitFor();
  await output.getByRole('textbox', { name: 'Filter output' }).fill('BAD');
  await row.getByRole('button', { name: 'Run again: bash bad.sh' }).click();
  await ada.row('2 apples').waitFor();
  await ada.page.getByText(/^Exited with 7 after/).filter({ visible: true }).waitFor();

  await ada.entry('README.md').dblclick();
  await ada.editor('README.md').waitFor();
  await ada.page.keyboard.press('Control+Enter');
  await ada.page.getByRole('alert').waitFor();
  await ada.page.keyboard.press('Control+Shift+U');
  await output.getByRole('button', { name: /^Messages/ }).click();
  await output.getByRole('textbox', { name: 'Filter output' }).fill('');
  await output.getByRole('listitem').filter({ hasText: 'README.md is not a program' }).waitFor();
  await output.getByRole('button', { name: 'Copy details' }).click();
  const details = await ada.page.evaluate(() => navigator.clipboard.readText());
  assert.match(details, /README\.md is not a program/);
  await ada.page.screenshot({ path: 'target/browser/messages.png' });

  // It is there again after a reload.
  await ada.page.reload();
  await ada.connected();
  await ada.page.getByRole('region', { name: 'Output' }).getByRole('listitem').filter({ hasText: 'bash bad.sh' }).first().waitFor();
});

scenario('what is no program is told for as long as it is shown, beside what can be run instead', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await write(ide, 'Makefile', 'check:\n\t@echo made $@\n');
  await offers(ide, 'make check');
  const why = ide.page.getByRole('alert').filter({ hasText: 'README.md is not a program' });
  const offered = ide.page.getByRole('menu', { name: 'Run configurations' });
  await ide.entry('README.md').dblclick();
  await ide.hasKeyboard(ide.editor('README.md'));
  await ide.page.keyboard.press('Control+Enter');
  await why.waitFor();
  await offered.getByRole('menuitemradio', { name: 'make check', exact: true }).waitFor();
  await ide.page.screenshot({ path: 'target/browser/run-no-program.png' });
  await ide.page.keyboard.press('Escape');
  await offered.waitFor({ state: 'hidden' });
  await ide.entry('ask.py').click();
  await why.waitFor({ state: 'detached' });
});
