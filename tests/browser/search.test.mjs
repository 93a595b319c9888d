// Finding in files, replacing, and going to a file, by keyboard but for where a test says otherwise.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const results = (ide) => ide.page.getByRole('tree', { name: 'Search results' });
const field = (ide) => ide.page.getByRole('textbox', { name: 'Search in files' });
const says = (ide, text) => ide.page.getByRole('status').filter({ hasText: text }).waitFor();

/** Writes a file by a program in the terminal, so that nothing of the page's own has made it. */
async function write(ide, command) {
  await ide.answer(`${command}; echo do''ne`);
  await ide.row('done').waitFor();
}

scenario('hits come while one types, are walked by keyboard and open at their place', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await write(ide, String.raw`mkdir -p deep/er; printf 'one\ntwo zebra\nzebra three Zebra\n' > deep/er/a.txt; echo zebra > b.txt; echo 'zebra' > c.log; echo '*.log' > .gitignore`);
  await ide.page.keyboard.press('Control+Shift+F');
  await ide.hasKeyboard(field(ide));
  await ide.page.keyboard.type('zebra');
  await says(ide, '4 results in 2 files');

  await ide.page.keyboard.press('Alt+c');
  await says(ide, '3 results in 2 files');
  await ide.page.keyboard.press('Alt+c');
  await says(ide, '4 results in 2 files');

  await ide.page.keyboard.press('ArrowDown');
  const row = (name) => results(ide).getByRole('treeitem', { name });
  await ide.hasKeyboard(row(/^b\.txt, 1 result/));
  await ide.page.keyboard.press('ArrowDown');
  await ide.page.keyboard.press('ArrowDown');
  await ide.hasKeyboard(row(/^deep\/er\/a\.txt, 3 results/));
  await ide.page.keyboard.press('ArrowLeft');
  await row(/two zebra/).waitFor({ state: 'hidden' });
  await ide.page.keyboard.press('ArrowRight');
  await ide.page.keyboard.press('ArrowDown');
  await ide.hasKeyboard(row(/Line 2: two zebra/));
  await ide.page.keyboard.press('Enter');
  await ide.hasKeyboard(ide.editor('deep/er/a.txt'));
  await ide.page.getByText('Ln 2, Col 10').waitFor();

  // What is selected is looked for.
  await field(ide).fill('zebra three');
  await says(ide, '1 result in 1 file');
  await ide.editor('deep/er/a.txt').focus();
  await ide.page.keyboard.press('Control+Shift+F');
  await ide.hasKeyboard(field(ide));
  assert.equal(await field(ide).inputValue(), 'zebra');
  await ide.page.keyboard.press('Control+Shift+E');
  await ide.tree.waitFor();
});

scenario('a bad expression is told, and globs say where to look', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.page.keyboard.press('Control+Shift+F');
  await ide.hasKeyboard(field(ide));
  await ide.page.keyboard.press('Alt+r');
  await ide.page.keyboard.type('print(');
  await says(ide, "can't be read: unclosed group");
  await field(ide).fill('print|echo');
  await says(ide, /results? in/);
  await ide.button('Files to include and exclude').click();
  await ide.page.getByRole('textbox', { name: /Files to include/ }).fill('*.sh');
  await says(ide, /in 1 file\./);
  await field(ide).fill('nothing of the kind');
  await says(ide, 'Nothing was found.');
});

scenario('what replaces is shown before it is done, and one hit, a file or everything is replaced', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await write(ide, String.raw`printf 'zebra 1\nzebra 2\n' > a.txt; printf 'zebra 3\n' > b.txt`);
  await ide.entry('a.txt').dblclick();
  await ide.editorSays('a.txt', 'zebra 1\nzebra 2\n');
  await ide.page.keyboard.press('Control+Shift+H');
  await ide.hasKeyboard(field(ide));
  await ide.page.keyboard.press('Alt+r');
  await field(ide).fill('zebra (\\d)');
  await ide.page.getByRole('textbox', { name: 'Replace with' }).fill('horse [$1]');
  await results(ide).getByRole('treeitem', { name: /Line 2: .*zebra 2 becomes horse \[2\]/ }).waitFor();

  const hit = results(ide).getByRole('treeitem', { name: /Line 2: / });
  await hit.hover();
  await hit.getByRole('button', { name: 'Replace this one' }).click();
  await ide.editorSays('a.txt', 'zebra 1\nhorse [2]\n');
  await says(ide, '2 results in 2 files');

  // By the keyboard, everything in the file that is chosen.
  await field(ide).press('ArrowDown');
  await ide.hasKeyboard(results(ide).getByRole('treeitem', { name: /^a\.txt, 1 result/ }));
  await ide.page.keyboard.press('Control+Enter');
  await ide.editorSays('a.txt', 'horse [1]\nhorse [2]\n');
  await says(ide, '1 result in 1 file');

  await ide.button('Replace all').click();
  const dialog = ide.dialog('Replace all');
  await dialog.getByText('1 result in 1 file will be replaced').waitFor();
  await dialog.getByRole('button', { name: 'Replace all' }).click();
  await says(ide, 'Nothing was found.');
  await ide.answer('cat b.txt');
  await ide.row('horse [3]').waitFor();
});

scenario('a file is gone to by some of its letters, and to a line of it', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await write(ide, String.raw`mkdir -p src/parts; printf 'a\nb\nc d\n' > src/parts/long_name_of_it.txt`);
  // In a terminal, Ctrl+P is the shell's.
  await ide.entry('src').click();
  await ide.page.keyboard.press('Control+P');
  const dialog = ide.dialog('Go to file');
  await dialog.waitFor();
  await ide.page.keyboard.type('lnoi:3:2');
  const option = dialog.getByRole('option', { name: /long_name_of_it\.txt/ });
  await option.waitFor();
  assert.equal(await option.locator('mark').first().textContent(), 'l');
  await ide.page.keyboard.press('Enter');
  await ide.hasKeyboard(ide.editor('src/parts/long_name_of_it.txt'));
  await ide.page.getByText('Ln 3, Col 2').waitFor();

  await ide.page.keyboard.press('Control+P');
  await ide.page.getByRole('dialog').getByRole('combobox').fill(':2');
  await dialog.getByRole('option', { name: 'Go to line 2' }).waitFor();
  await ide.page.keyboard.press('Enter');
  await ide.page.getByText('Ln 2, Col 1').waitFor();

  await ide.page.keyboard.press('Control+P');
  await ide.page.getByRole('dialog').getByRole('combobox').fill('>search in');
  await dialog.getByRole('option', { name: /Search in files/ }).waitFor();
  await ide.page.keyboard.press('Enter');
  await ide.hasKeyboard(field(ide));
});

scenario('a symbol of the open file is gone to', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await write(ide, String.raw`printf 'class Zoo:\n    def feed(self):\n        pass\n\ndef visit():\n    pass\n' > zoo.py`);
  await ide.entry('zoo.py').dblclick();
  await ide.hasKeyboard(ide.editor('zoo.py'));
  await ide.editor('zoo.py').getByText('class Zoo').waitFor();
  await ide.page.keyboard.press('Control+Shift+O');
  const dialog = ide.dialog('Go to file');
  await dialog.getByRole('option', { name: /Zoo/ }).waitFor();
  await ide.page.keyboard.type('fe');
  await dialog.getByRole('option', { name: /feed/, selected: true }).waitFor();
  await ide.page.keyboard.press('Enter');
  await ide.page.getByText('Ln 2, Col 9').waitFor();
});

/** In the page: what the socket brings besides texts waits while `late.waits`, and comes by `late.come()`. */
function holdBytes() {
  const { addEventListener } = WebSocket.prototype;
  const kept = [];
  window.late = {
    waits: false,
    come() {
      this.waits = false;
      for (const hear of kept.splice(0)) hear();
    },
  };
  WebSocket.prototype.addEventListener = function (kind, listener, ...rest) {
    const hear = (event) => {
      const waits = kind === 'message' && typeof event.data !== 'string' && window.late.waits;
      if (waits) kept.push(() => listener.call(this, event));
      else listener.call(this, event);
    };
    addEventListener.call(this, kind, hear, ...rest);
  };
}

scenario('a symbol and a line are asked for before the text is here, and found when it comes', async (stage) => {
  const ide = await stage.person({ before: (page) => page.addInitScript(holdBytes) });
  await ide.ready();
  const text = 'x = 1\n\n\nclass Boat:\n    def sail(self):\n        pass\n';
  await ide.write({ 'boat.py': text, 'other.py': text });
  const late = (what) => ide.page.evaluate(`late.${what}`);
  await late('waits = true');
  await ide.entry('boat.py').dblclick();
  await ide.hasKeyboard(ide.editor('boat.py'));
  await ide.page.keyboard.press('Control+Shift+o');
  const dialog = ide.dialog('Go to file');
  await dialog.getByRole('status').filter({ hasText: 'The text of the file is on its way.' }).waitFor();
  await late('come()');
  await dialog.getByRole('option', { name: /^sail/ }).waitFor();
  await ide.page.keyboard.type('sa');
  await ide.page.keyboard.press('Enter');
  await ide.page.getByText('Ln 5, Col 9', { exact: true }).waitFor();

  await late('waits = true');
  await ide.entry('other.py').dblclick();
  await ide.hasKeyboard(ide.editor('other.py'));
  await ide.page.keyboard.press('Control+g');
  await ide.hasKeyboard(ide.page.getByRole('textbox', { name: 'Go to line' }));
  await ide.page.keyboard.type('4:7');
  await ide.page.keyboard.press('Enter');
  await ide.hasKeyboard(ide.editor('other.py'));
  await late('come()');
  await ide.page.getByText('Ln 4, Col 7', { exact: true }).waitFor();
  assert.equal(await ide.saved('other.py').count(), 1, 'nothing was typed');
});

scenario('the menu of a folder looks in it alone, and a hit far into its line is seen', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'in/a.txt': `${'some words that stand before '.repeat(3)}zebra\n`, 'out.txt': 'zebra\n' });
  await ide.entry('in').click({ button: 'right' });
  await ide.page.getByRole('menuitem', { name: 'Find in the folder', exact: true }).click();
  await ide.hasKeyboard(field(ide));
  await ide.page.keyboard.type('zebra');
  await says(ide, '1 result in 1 file');
  const row = results(ide).getByRole('treeitem', { name: /^Line 1: some words that stand before .* zebra/ });
  const [mark, edge] = [await row.locator('mark').boundingBox(), await row.boundingBox()];
  assert.ok(mark.x + mark.width <= edge.x + edge.width, 'the hit is cut off');
  // A second look goes on from there, and what replaces stands under what is looked for.
  await ide.page.keyboard.press('Control+Shift+H');
  const places = ['Search in files', 'Replace with', 'Files to include'].map((name) => ide.page.getByRole('textbox', { name }));
  await places[1].waitFor();
  const tops = await Promise.all(places.map(async (place) => (await place.boundingBox()).y));
  assert.deepEqual(tops, [...tops].sort((one, other) => one - other));
});

scenario('the file before is one key away, and commands that were used come first', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  for (const name of ['ask.py', 'fizz.sh', 'web.py', 'ask.py']) {
    await ide.entry(name).dblclick();
    await ide.hasKeyboard(ide.editor(name));
  }
  const first = (dialog) => dialog.getByRole('option').first();
  for (const name of ['web.py', 'ask.py']) {
    await ide.page.keyboard.press('Control+P');
    await first(ide.dialog('Go to file')).filter({ hasText: name }).waitFor();
    await ide.page.keyboard.press('Enter');
    await ide.hasKeyboard(ide.editor(name));
  }
  // What is closed uncovers what was used before it.
  await ide.page.keyboard.press('Alt+w');
  await ide.hasKeyboard(ide.editor('web.py'));

  const palette = ide.dialog('Command palette');
  await ide.page.keyboard.press('F1');
  await palette.getByRole('combobox').fill('sort the lines backwards');
  await ide.page.keyboard.press('Enter');
  await palette.waitFor({ state: 'hidden' });
  for (const again of ['here', 'after a reload']) {
    await ide.page.keyboard.press('F1');
    await first(palette).filter({ hasText: 'Sort the lines backwards' }).waitFor();
    await ide.page.screenshot({ path: 'target/browser/palette-used.png' });
    await ide.page.keyboard.press('Escape');
    await palette.waitFor({ state: 'hidden' });
    if (again === 'here') {
      await ide.page.reload();
      await ide.ready();
    }
  }
});
