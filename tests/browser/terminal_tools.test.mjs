// What can be done with a terminal besides typing: finding, following places, pasting with care, splitting, ordering,
// naming, clearing, and hearing a bell.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** The terminal with this title. */
const terminal = (ide, title) => ide.page.getByRole('region', { name: title, exact: true });
const tab = (ide, name) => ide.terminals.getByRole('tab', { name, exact: true });
const menuitem = (ide, name) => ide.page.getByRole('menuitem', { name, exact: true });

/** Where a text stands in a terminal's rows, which lie over what is drawn. */
async function spot(within, text) {
  const row = within.getByText(text).last();
  await row.waitFor();
  const box = await row.evaluate((row, text) => {
    const at = row.textContent.indexOf(text);
    const range = document.createRange();
    range.setStart(row.firstChild, at);
    range.setEnd(row.firstChild, at + text.length);
    const { x, y, width, height } = range.getBoundingClientRect();
    return { x, y, width, height };
  }, text);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

scenario('something is found in a terminal by key, and Escape gives the keyboard back', async (stage) => {
  const ide = await stage.person({ colorScheme: 'dark' });
  await ide.ready();
  await ide.answer(`clear; printf 'apple %s\\n' pie Apple pineapple`);
  await ide.row('apple pineapple').waitFor();
  await ide.page.keyboard.press('Control+F');
  const field = ide.page.getByRole('textbox', { name: 'Find in the terminal' });
  await ide.hasKeyboard(field);
  await ide.page.keyboard.type('apple pi');
  const bar = ide.page.getByRole('search', { name: 'Find in the terminal' });
  await bar.getByText('of 2', { exact: false }).waitFor();
  await field.fill('apple');
  await bar.getByText('of 5').waitFor();
  await ide.button('Match case').click();
  await bar.getByText('of 4').waitFor();
  await ide.button('Whole word').click();
  await bar.getByText('of 3').waitFor();
  await ide.page.screenshot({ path: 'target/browser/terminal-find.png' });
  await ide.page.emulateMedia({ colorScheme: 'light' });
  await ide.page.screenshot({ path: 'target/browser/terminal-find-light.png' });
  const before = await bar.getByRole('status').textContent();
  await ide.button('Next match').click();
  assert.notEqual(await bar.getByRole('status').textContent(), before);
  await field.press('Shift+Enter');
  await bar.getByText(before, { exact: true }).waitFor();
  await ide.button('Regular expression').click();
  await field.fill('(');
  await bar.getByText('Not an expression').waitFor();
  await field.fill('^apple \\w+');
  await bar.getByText('of 3').waitFor();
  await field.fill('pear');
  await bar.getByText('No results').waitFor();
  await field.press('Escape');
  await bar.waitFor({ state: 'detached' });
  await ide.page.waitForFunction(() => document.activeElement.closest('.terminal-host'));
  await ide.page.keyboard.type('echo back');
  await ide.page.keyboard.press('Enter');
  await ide.row('back').waitFor();
});

/**
 * Moves the mouse to a text and away from it, as a hand does, until the terminal says what is there; the text is looked for
 * anew each time, since what is printed moves it. Returns where it is.
 */
async function pointAt(ide, text, title) {
  const host = await ide.terminal.elementHandle();
  for (let tries = 0; tries < 20; tries += 1) {
    const at = await spot(ide.terminal, text);
    await ide.page.mouse.move(at.x, at.y + 60);
    await ide.page.mouse.move(at.x, at.y);
    const said = await ide.page
      .waitForFunction(([host, title]) => host.title === title, [host, title], { timeout: 1000 })
      .catch(() => null);
    if (said) return at;
  }
  assert.fail(`the terminal does not say “${title}”`);
}

scenario('a place that a program prints is shown in the editor when it is pressed', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.answer(`mkdir -p deep/er && printf 'one\\ntwo\\nthree\\n' > deep/er/x.py && printf 'a = 1\\nb = 2\\nraise ValueError\\n' > fails.py`);
  await ide.entry('fails.py').waitFor();
  await ide.answer('clear; python3 fails.py; echo deep/er/x.py:2:3 gone.py:4');
  await ide.row(/deep\/er\/x.py:2:3 gone/).waitFor();

  // A folder that nobody has opened in the tree.
  const at = await pointAt(ide, 'deep/er/x.py:2:3', 'Show deep/er/x.py in the editor');
  await ide.page.mouse.click(at.x, at.y);
  await ide.editor('deep/er/x.py').waitFor();
  await ide.page.getByText('Ln 2, Col 3').waitFor();

  const gone = await spot(ide.terminal, 'gone.py:4');
  await ide.page.mouse.move(gone.x, gone.y);
  await ide.page.mouse.click(gone.x, gone.y);
  const traceback = await pointAt(ide, 'line 3', 'Show fails.py in the editor');
  await ide.page.mouse.click(traceback.x, traceback.y);
  await ide.editor('fails.py').waitFor();
  await ide.page.getByText('Ln 3, Col 1').waitFor();
  assert.equal(await ide.tab('gone.py').count(), 0);
});

scenario('several lines are pasted after a question, unless the program knows pasting from typing', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  // The shell knows pasting from typing, and it is `cat` that does not: what is printed before comes when the shell has gone.
  await ide.answer('clear; echo $((40 + 2)); cat');
  await ide.row('42').waitFor();
  await ide.pasteIntoTerminal('first line\nsecond line\n');
  const dialog = ide.dialog('Paste');
  await dialog.getByText('first line').waitFor();
  await ide.page.screenshot({ path: 'target/browser/paste-guard.png' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await ide.pasteIntoTerminal('one line\n');
  await ide.row('one line').waitFor();
  assert.equal(await ide.terminal.getByText('first line').count(), 0);

  await ide.pasteIntoTerminal('first line\nsecond line\n');
  await dialog.getByText('Don’t ask again').click();
  await dialog.getByRole('button', { name: 'Paste', exact: true }).click();
  await ide.row('second line').waitFor();
  await ide.pasteIntoTerminal('third line\nfourth line\n');
  await ide.row('fourth line').waitFor();
  await ide.page.keyboard.press('Control+C');

  await ide.button('Settings').click();
  const unasked = ide.dialog('Settings').getByRole('switch', { name: 'Paste several lines without asking' });
  assert.ok(await unasked.isChecked());
  await unasked.uncheck();
  await ide.page.keyboard.press('Escape');
  // The shell's own line editor holds what is pasted until Enter.
  await ide.answer('clear; bind "set enable-bracketed-paste on"');
  await ide.answer('echo ready');
  await ide.row('ready').waitFor();
  await ide.pasteIntoTerminal('echo fifth\necho sixth\n');
  await ide.page.keyboard.press('Enter');
  await ide.row('sixth').waitFor();
});

scenario('what is selected in a terminal is copied by key, by menu, and at once if one likes', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const clipboard = () => ide.page.evaluate(() => navigator.clipboard.readText());
  // What is typed is not what is printed: nothing is looked for before the terminal was cleared.
  await ide.answer(`clear; echo copied'word'; echo other'word'`);
  let at = await spot(ide.terminal, 'copiedword');
  await ide.page.mouse.dblclick(at.x, at.y);
  await ide.page.keyboard.press('Control+Shift+C');
  await ide.page.waitForFunction(async () => (await navigator.clipboard.readText()) === 'copiedword');

  at = await spot(ide.terminal, 'otherword');
  await ide.page.mouse.dblclick(at.x, at.y);
  await ide.page.mouse.click(at.x, at.y, { button: 'right' });
  await ide.page.screenshot({ path: 'target/browser/terminal-menu.png' });
  await menuitem(ide, 'Copy').click();
  await ide.page.waitForFunction(async () => (await navigator.clipboard.readText()) === 'otherword');

  at = await spot(ide.terminal, 'copiedword');
  await ide.page.mouse.dblclick(at.x, at.y);
  assert.equal(await clipboard(), 'otherword', 'selecting alone copies nothing');
  await ide.button('Settings').click();
  await ide.dialog('Settings').getByRole('switch', { name: 'Copy on select' }).check();
  await ide.page.keyboard.press('Escape');
  await ide.page.mouse.dblclick(at.x, at.y);
  await ide.page.waitForFunction(async () => (await navigator.clipboard.readText()) === 'copiedword');

  // Ctrl+C copies while something is selected, and interrupts after that.
  await ide.page.evaluate(() => navigator.clipboard.writeText('echo under"way"; sleep 1000'));
  await ide.page.mouse.click(at.x, at.y, { button: 'right' });
  await menuitem(ide, 'Paste').click();
  await ide.terminal.getByText('echo under"way"; sleep 1000').first().waitFor();
  await ide.page.keyboard.press('Enter');
  await ide.row('underway').waitFor();
  at = await spot(ide.terminal, 'otherword');
  await ide.page.mouse.dblclick(at.x, at.y);
  await ide.page.keyboard.press('Control+C');
  await ide.page.waitForFunction(async () => (await navigator.clipboard.readText()) === 'otherword');
  await ide.page.keyboard.press('Control+C');
  await ide.answer('echo interrupted');
  await ide.row('interrupted').waitFor();
});

scenario('terminals stand side by side, have names, and stand so again after a reload', async (stage) => {
  const ada = await stage.person({ name: 'Ada', colorScheme: 'dark' });
  await ada.ready();
  const link = await ada.share('editor');
  const bob = await stage.person({ link, name: 'Bob' });
  await bob.ready();

  await ada.clickTerminal();
  await ada.page.keyboard.press('Control+Shift+5');
  await tab(ada, 'Terminal 2').waitFor();
  await terminal(ada, 'Terminal 2').waitFor();
  assert.ok(await terminal(ada, 'Terminal 1').isVisible());
  await ada.page.keyboard.type('echo together', { delay: 5 });
  await ada.page.keyboard.press('Enter');
  await terminal(ada, 'Terminal 2').getByText('together', { exact: true }).first().waitFor();

  // The keyboard goes to the left and there is heard.
  await ada.page.keyboard.press('Alt+ArrowLeft');
  await ada.page.getByRole('tab', { name: 'Terminal 1', selected: true }).waitFor();
  const edge = ada.page.getByRole('separator', { name: 'Width of the terminal' });
  const box = await edge.boundingBox();
  await edge.focus();
  await ada.page.keyboard.press('ArrowLeft');
  await ada.page.keyboard.press('ArrowLeft');
  assert.ok((await edge.boundingBox()).x < box.x);

  await tab(ada, 'Terminal 1').focus();
  await ada.page.keyboard.press('F2');
  const name = ada.terminals.getByRole('textbox', { name: 'Name' });
  await ada.hasKeyboard(name);
  await name.fill('server');
  await name.press('Enter');
  for (const ide of [ada, bob]) await tab(ide, 'server').waitFor();
  await terminal(bob, 'server').waitFor();

  await ada.newTerminal();
  await tab(ada, 'Terminal 3').dragTo(tab(ada, 'server'), { targetPosition: { x: 5, y: 10 } });
  assert.deepEqual(await ada.terminalNames(), ['Terminal 3', 'server', 'Terminal 2']);
  assert.deepEqual(await bob.terminalNames(), ['server', 'Terminal 2', 'Terminal 3'], 'an order is one’s own');
  await terminal(ada, 'Terminal 3').click();
  await ada.page.keyboard.press('Control+Shift+PageDown');
  await ada.page.waitForFunction(
    (list) => list.querySelector('[role=tab]').getAttribute('aria-label') === 'server',
    await ada.terminals.elementHandle(),
  );
  await tab(ada, 'server').click();
  await ada.page.screenshot({ path: 'target/browser/terminals-side-by-side.png' });
  const width = (await edge.boundingBox()).x;
  await ada.page.waitForFunction(() => sessionStorage.getItem('embedenv.page')?.includes('[[[1,'));
  await ada.page.reload();
  await ada.connected();
  await terminal(ada, 'server').waitFor();
  await terminal(ada, 'Terminal 2').waitFor();
  assert.deepEqual(await ada.terminalNames(), ['server', 'Terminal 2', 'Terminal 3']);
  assert.ok(Math.abs((await edge.boundingBox()).x - width) < 2);

  await tab(ada, 'server').click({ button: 'right' });
  await menuitem(ada, 'Show by itself').click();
  await terminal(ada, 'Terminal 2').waitFor({ state: 'hidden' });
  assert.ok(await terminal(ada, 'server').isVisible());
});

scenario('a bell is marked on the tab until somebody looks, and clearing leaves the prompt', async (stage) => {
  const ide = await stage.person({ colorScheme: 'dark' });
  await ide.ready();
  await ide.answer('echo before; (while ! [ -e ring ]; do sleep 0.05; done; printf "\\a"; touch rang) &');
  await ide.row('before').waitFor();
  await ide.newTerminal();
  await ide.answer('touch ring');
  await tab(ide, 'Terminal 1, rang').waitFor();
  await ide.page.screenshot({ path: 'target/browser/terminal-rang.png' });
  await tab(ide, 'Terminal 1, rang').click();
  await tab(ide, 'Terminal 1').waitFor();

  await ide.clickTerminal();
  await ide.page.keyboard.type('echo still');
  await ide.page.keyboard.press('Control+Shift+K');
  // Of the rows: what was read out is not on the screen.
  const row = (text) => ide.terminal.getByRole('listitem').filter({ hasText: text });
  await row('before').first().waitFor({ state: 'detached' });
  await ide.page.keyboard.press('Enter');
  await ide.row('still').waitFor();
  await ide.answer('echo once more');
  await ide.row('once more').waitFor();
  await ide.button('Clear terminal').click();
  await row('once more').first().waitFor({ state: 'detached' });
});

scenario('on a phone a row of keys stands for those that its keyboard lacks', async (stage) => {
  const ide = await stage.person({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: 'dark' });
  await ide.connected();
  await ide.button('Terminal').tap();
  // Only the shell's own line takes arrows.
  await ide.row('~/sample$').waitFor();
  await ide.terminal.tap();
  await ide.page.keyboard.type('echo fir');
  await ide.button('Left').tap();
  await ide.button('Left').tap();
  await ide.button('Left').tap();
  await ide.page.keyboard.type('x');
  await ide.page.keyboard.press('Enter');
  await ide.row('xfir').waitFor();
  await ide.button('Up').tap();
  await ide.button('Pipe').tap();
  await ide.page.keyboard.type('tr f F');
  await ide.page.keyboard.press('Enter');
  await ide.row('xFir').waitFor();
  await ide.page.keyboard.type('sleep 1000');
  await ide.page.keyboard.press('Enter');
  await ide.button('Ctrl').tap();
  await ide.page.getByRole('button', { name: 'Ctrl', pressed: true }).waitFor();
  await ide.page.keyboard.type('c');
  await ide.page.getByRole('button', { name: 'Ctrl', pressed: false }).waitFor();
  await ide.answer('echo again');
  await ide.row('again').waitFor();
  await ide.page.screenshot({ path: 'target/browser/extra-keys-terminal.png' });
  await ide.button('More of the terminal').tap();
  await menuitem(ide, 'Find').waitFor();
  await ide.page.screenshot({ path: 'target/browser/terminal-menu-on-a-phone.png' });
  await menuitem(ide, 'Find').tap();
  await ide.page.getByRole('textbox', { name: 'Find in the terminal' }).fill('again');
  await ide.page.screenshot({ path: 'target/browser/terminal-find-on-a-phone.png' });
  await ide.button('Close find').tap();

  await ide.button('Files').tap();
  await ide.entry('ask.py').tap();
  await ide.button('Editor').tap();
  await ide.editor('ask.py').tap();
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.type('ab');
  await ide.button('Left').tap();
  await ide.button('Slash').tap();
  await ide.button('Tilde').tap();
  await ide.page.getByText('a/~b', { exact: false }).waitFor();
  await ide.hasKeyboard(ide.editor('ask.py'));
  await ide.button('Ctrl').tap();
  await ide.page.keyboard.press('z');
  await ide.page.getByText('a/~b', { exact: false }).waitFor({ state: 'detached' });
  await ide.page.screenshot({ path: 'target/browser/extra-keys-editor.png' });
});
