// For everybody: axe-core finds nothing on any screen, in any theme and size; the main job is done without a mouse; nothing
// holds the keyboard.

import assert from 'node:assert/strict';
import { findings } from './axe.mjs';
import { scenario } from './scenario.mjs';

const sizes = [
  { width: 1440, height: 900 },
  { width: 820, height: 1180 },
  { width: 390, height: 844 },
];

/** The themes, as the settings offer them. */
async function themes(ide) {
  await ide.page.keyboard.press('Control+,');
  const select = ide.dialog('Settings').getByRole('combobox', { name: 'Theme' });
  const values = await select.locator('option').evaluateAll((options) => options.map((option) => option.value));
  await ide.page.keyboard.press('Escape');
  await ide.dialog('Settings').waitFor({ state: 'hidden' });
  return values.filter((value) => value !== 'system');
}

async function setTheme(ide, theme) {
  // By the button: in a terminal, keys are the program's.
  await ide.button('Settings').click();
  await ide.dialog('Settings').getByRole('combobox', { name: 'Theme' }).selectOption(theme);
  await ide.page.keyboard.press('Escape');
  await ide.dialog('Settings').waitFor({ state: 'hidden' });
}

/** Opens what is named, by the palette, and waits for it. */
async function command(ide, name, dialog) {
  await ide.page.keyboard.press('F1');
  await ide.page.getByRole('combobox', { name: /command/i }).fill(name);
  await ide.page.keyboard.press('Enter');
  if (dialog) await ide.dialog(dialog).waitFor();
}

/** Waits until the files have the keyboard, the tree itself or one of its rows. */
function inTree(ide) {
  return ide.page.waitForFunction(() => document.activeElement.closest('[role=tree]'));
}

for (const viewport of sizes) {
  scenario(`axe finds nothing on a page of ${viewport.width} by ${viewport.height}, in any theme`, async (stage) => {
    // Colours on their way from one theme to another are of none.
    const ide = await stage.person({ viewport, reducedMotion: 'reduce' });
    await ide.connected();
    await ide.page.getByRole('region', { name: 'Tour' }).waitFor();
    const found = await findings(ide.page, 'the tour');
    await ide.page.keyboard.press('Escape');
    // The first file is shown by itself.
    await ide.editor('README.md').waitFor();
    const narrow = viewport.width <= 720;
    for (const theme of await themes(ide)) {
      await setTheme(ide, theme);
      const look = async (where) => found.push(...(await findings(ide.page, `${theme}, ${where}`)));
      await look('editor');
      for (const pane of narrow ? ['Files', 'Terminal', 'Editor'] : []) {
        await ide.page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: pane }).click();
        await look(pane);
      }
      for (const [name, dialog] of [
        ['Share', 'Share'],
        ['Settings', 'Settings'],
        ['Keyboard shortcuts', 'Keyboard shortcuts'],
        ['Help', 'Help'],
        ['Edit run configurations', 'Run configurations'],
        ['Go to file', 'Go to file'],
      ]) {
        await command(ide, name, dialog);
        await look(`dialog ${dialog}`);
        await ide.page.keyboard.press('Escape');
        await ide.dialog(dialog).waitFor({ state: 'hidden' });
      }
      await ide.page.keyboard.press('F1');
      await ide.dialog('Command palette').waitFor();
      await look('palette');
      await ide.page.keyboard.press('Escape');
      await command(ide, 'Stop what runs');
      const alert = ide.page.getByRole('alert').filter({ hasText: 'could be stopped' });
      await alert.waitFor();
      await look('message');
      await alert.getByRole('button', { name: 'Dismiss' }).click();
      for (const name of ['Output: runs', 'Ports that are', 'Go to the terminal']) {
        await command(ide, name);
        await look(`panel ${name}`);
      }
      if (narrow) await ide.page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: 'Files' }).click();
      await ide.entry('ask.py').click({ button: 'right' });
      await ide.page.getByRole('menu').waitFor();
      await look('menu');
      await ide.page.getByRole('menuitem', { name: /^Delete/ }).click();
      await ide.dialog('Delete').waitFor();
      await look('dialog Delete');
      await ide.page.keyboard.press('Escape');
      await ide.dialog('Delete').waitFor({ state: 'hidden' });
      await command(ide, 'Find in the terminal');
      await ide.page.getByRole('textbox', { name: 'Find in the terminal' }).waitFor();
      await look('find in the terminal');
      await ide.page.keyboard.press('Escape');
      await ide.button('More of the terminal').click();
      await ide.page.getByRole('menu', { name: 'Terminal' }).waitFor();
      await look('menu of the terminal');
      await ide.page.keyboard.press('Escape');
      for (const [name, region] of [
        ['Preview', 'Preview'],
        ['Chat and activity', 'Chat and activity'],
        ['People in the room', 'People in the room'],
      ]) {
        await command(ide, name);
        await ide.page.getByRole('region', { name: region, exact: true }).waitFor();
        await look(`pane ${region}`);
      }
      await command(ide, 'People in the room');
    }
    assert.deepEqual(found, []);
  });
}

scenario('axe finds nothing on the page of a link that does not work', async (stage) => {
  const ide = await stage.person({ link: stage.server.link.replace(/join=.*/, 'join=nothing') });
  await ide.page.getByRole('heading', { name: 'This link does not work' }).waitFor();
  assert.deepEqual(await findings(ide.page, 'failure'), []);
});

scenario('from load to run to share without the mouse', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const keyboard = ide.page.keyboard;
  await keyboard.press('Control+Shift+E');
  await inTree(ide);
  await keyboard.type('fizz');
  await ide.page.getByRole('treeitem', { name: 'fizz.sh', selected: true }).waitFor();
  await keyboard.press('Enter');
  await ide.hasKeyboard(ide.editor('fizz.sh'));
  await ide.editor('fizz.sh').getByText('# Counts').waitFor();
  await keyboard.press('Control+End');
  await keyboard.type('echo done-$((40 + 2))\n');
  await keyboard.press('Control+Enter');
  await ide.row('done-42').waitFor();
  // What ran is said, once, where screen readers hear it.
  await ide.page.getByText(/^fizz.sh ended: exit code 0/).waitFor();

  await keyboard.press('F1');
  await ide.hasKeyboard(ide.page.getByRole('dialog').getByRole('combobox'));
  await keyboard.type('share');
  await keyboard.press('Enter');
  const share = ide.dialog('Share');
  await ide.hasKeyboard(share.getByRole('combobox', { name: 'Role' }));
  for (let steps = 0; steps < 3; steps += 1) await keyboard.press('Tab');
  await ide.hasKeyboard(share.getByRole('button', { name: 'Create link' }));
  await keyboard.press('Enter');
  assert.match(await share.getByRole('textbox', { name: 'Link' }).inputValue(), /#join=/);
  await keyboard.press('Escape');
  await share.waitFor({ state: 'hidden' });
});

scenario('Escape and then Tab leave the editor, F6 leaves the terminal, and focus comes back after a dialog', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const keyboard = ide.page.keyboard;
  await ide.newFile('tabs.txt');
  await ide.type('tabs.txt', 'a');
  await keyboard.press('Tab');
  await ide.hasKeyboard(ide.editor('tabs.txt'));
  await keyboard.press('Escape');
  await keyboard.press('Tab');
  const left = await ide.page.evaluate(() => !document.activeElement.closest('.cm-editor'));
  assert.ok(left, 'the editor holds the keyboard');

  await keyboard.press('Control+`');
  await ide.page.waitForFunction(() => document.activeElement.closest('.terminal-host'));
  await keyboard.press('Shift+F6');
  await ide.hasKeyboard(ide.editor('tabs.txt'));
  await keyboard.press('F6');
  await ide.page.waitForFunction(() => document.activeElement.closest('.terminal-host'));
  await keyboard.press('F6');
  await ide.page.waitForFunction(() => !document.activeElement.closest('.terminal-host'));

  await keyboard.press('Control+1');
  await ide.hasKeyboard(ide.editor('tabs.txt'));
  for (const [keys, name] of [[['Control+,'], 'Settings'], [['Control+k', 'Control+s'], 'Keyboard shortcuts'], [['F1'], 'Command palette']]) {
    for (const key of keys) await keyboard.press(key);
    await ide.dialog(name).waitFor();
    await keyboard.press('Escape');
    await ide.dialog(name).waitFor({ state: 'hidden' });
    await ide.hasKeyboard(ide.editor('tabs.txt'));
  }
});

scenario('whatever has the keyboard shows it, and Tab goes all around the page', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  const keyboard = ide.page.keyboard;
  await keyboard.press('Control+Shift+E');
  await inTree(ide);
  const unseen = new Set();
  let came = 0;
  // More than there are stops; Escape lets Tab out of what takes it for itself.
  for (let steps = 0; steps < 80; steps += 1) {
    await keyboard.press('Escape');
    if (await ide.page.evaluate(() => !!document.activeElement.closest('.terminal-host'))) await keyboard.press('F6');
    else await keyboard.press('Tab');
    const focus = await ide.page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return { none: true };
      const shows = (element) => {
        const style = getComputedStyle(element);
        // An edge between panes is a line, which becomes a thick one.
        const line = getComputedStyle(element, '::after').backgroundColor;
        if (element.matches('[role=separator]')) return line !== 'rgba(0, 0, 0, 0)';
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
      };
      const own = element.closest('.cm-editor, .terminal-host, [role=tree]');
      const name = element.getAttribute('aria-label') ?? element.textContent.slice(0, 40);
      return { seen: shows(element) || !!own, name, tree: !!element.closest('[role=tree]') };
    });
    if (!focus.none && !focus.seen) unseen.add(focus.name);
    came += focus.tree ? 1 : 0;
  }
  assert.deepEqual([...unseen], []);
  assert.ok(came > 0, 'Tab never came back to the files');
});

scenario('who asks for less motion gets none', async (stage) => {
  const ide = await stage.person({ reducedMotion: 'reduce' });
  await ide.ready();
  const moving = await ide.page.evaluate(() =>
    [...document.querySelectorAll('*')].filter((element) => {
      const style = getComputedStyle(element);
      const lasts = (times) => times.split(',').some((time) => parseFloat(time) > 0);
      return (style.animationName !== 'none' && lasts(style.animationDuration)) || lasts(style.transitionDuration);
    }).map((element) => element.className),
  );
  assert.deepEqual(moving, []);
});

scenario('in forced colours what is chosen and what is pressed can be told', async (stage) => {
  const ide = await stage.person({ forcedColors: 'active' });
  await ide.ready();
  await ide.entry('ask.py').click();
  for (const file of ['ask.py', 'fizz.sh']) {
    await ide.entry(file).dblclick();
    await ide.tab(file).waitFor();
  }
  await ide.newTerminal();
  const alike = await ide.page.evaluate(() => {
    const look = (element) => {
      const { backgroundColor, color, outlineStyle, borderBottomColor } = getComputedStyle(element);
      return [backgroundColor, color, outlineStyle, borderBottomColor].join();
    };
    // What carries the look of a row is within it.
    const face = (element) => element.querySelector('.entry-row') ?? element;
    const kinds = ['[role=treeitem]', '.group [role=tab]', '.panel .tab', '.panel-tab'];
    return kinds.filter((kind) => {
      const all = [...document.querySelectorAll(kind)];
      const of = (chosen) => all.find((element) => (element.getAttribute('aria-selected') === 'true') === chosen);
      if (!of(true) || !of(false)) throw new Error(`${kind}: ${all.length} of them`);
      return look(face(of(true))) === look(face(of(false)));
    });
  });
  assert.deepEqual(alike, [], 'what is chosen looks like the others');
});
