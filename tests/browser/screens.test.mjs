// Every main screen and every dialog at the sizes of a laptop, a tablet and a phone, dark and light: nothing is wider than the
// window or cut off, what has the keyboard shows it, axe finds nothing. Leaves a picture of each in `target/browser/screens`.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { findings } from './axe.mjs';
import { scenario } from './scenario.mjs';

const folder = 'target/browser/screens';
const sizes = [
  { size: 'wide', viewport: { width: 1440, height: 900 } },
  { size: 'tablet', viewport: { width: 820, height: 1180 } },
  { size: 'phone', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
];

/** What is wrong with how the page lies in its window. */
function misfits() {
  const wrong = [];
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push(`the page is ${scrollWidth} wide`);
  const scrolls = (style) => /auto|scroll/.test(style.overflowX + style.overflowY);
  const called = (element) =>
    `${element.tagName.toLowerCase()}.${element.className} "${(element.ariaLabel ?? element.textContent).slice(0, 40)}"`;
  // Texts have lines of their own, which are scrolled; what is for screen readers alone is not to be seen.
  const own = '.cm-editor, .terminal-host, .xterm, textarea, input, option, [aria-hidden=true], .visually-hidden, svg';
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest(own) || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1) continue;
    const style = getComputedStyle(element);
    const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const clips = style.overflowX !== 'visible' && !scrolls(style);
    if (says && clips && style.textOverflow !== 'ellipsis' && element.scrollWidth > element.clientWidth + 1) {
      wrong.push(`${called(element)} is cut off`);
    }
    if (!says && !element.matches('button, select, a, [role=tab], [role=menuitem]')) continue;
    let right = innerWidth;
    let left = 0;
    for (let above = element.parentElement; above; above = above.parentElement) {
      const style = getComputedStyle(above);
      // An ellipsis says that there is more, and a bar that one can go there.
      if (scrolls(style) || style.textOverflow === 'ellipsis') {
        [left, right] = [-Infinity, Infinity];
        break;
      }
      if (style.overflowX === 'visible') continue;
      const clip = above.getBoundingClientRect();
      left = Math.max(left, clip.left);
      right = Math.min(right, clip.right);
    }
    if (box.right > right + 1.5 || box.left < left - 1.5) wrong.push(`${called(element)} reaches out of what shows it`);
  }
  return [...new Set(wrong)].slice(0, 8);
}

/** What has the keyboard after a Tab, if that can't be seen. */
function unseen() {
  const element = document.activeElement;
  if (!element || element === document.body || element.closest('.cm-editor, .terminal-host, [role=tree]')) return null;
  const style = getComputedStyle(element);
  const line = getComputedStyle(element, '::after').backgroundColor;
  const isSeen =
    (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) ||
    (element.matches('[role=separator]') && line !== 'rgba(0, 0, 0, 0)') ||
    // A field shows it by its frame.
    (element.matches('input, textarea, select') && style.borderColor !== 'rgba(0, 0, 0, 0)');
  return isSeen ? null : (element.getAttribute('aria-label') ?? element.textContent.slice(0, 40));
}

async function command(ide, name) {
  await ide.page.keyboard.press('F1');
  const field = ide.dialog('Command palette').getByRole('combobox');
  await field.fill(name);
  await ide.page.keyboard.press('Enter');
  await ide.dialog('Command palette').waitFor({ state: 'hidden' });
}

/** Somebody at a page of one size and colour, and what is looked at there. */
async function visit(stage, { size, ...options }, colorScheme) {
  const ide = await stage.person({ ...options, colorScheme, reducedMotion: 'reduce', name: 'Ada Lovelace' });
  const isPhone = size === 'phone';
  const wrong = [];
  const look = async (screen) => {
    const where = `${screen}, ${size}, ${colorScheme}`;
    await mkdir(folder, { recursive: true });
    await ide.page.screenshot({ path: `${folder}/${screen}-${size}-${colorScheme}.png` });
    wrong.push(...(await ide.page.evaluate(misfits)).map((what) => `${where}: ${what}`));
    wrong.push(...(await findings(ide.page, where)));
  };
  const tabs = async (screen) => {
    // Out of what takes Tab for itself.
    await ide.page.keyboard.press('Escape');
    for (let steps = 0; steps < 4; steps += 1) {
      await ide.page.keyboard.press('Tab');
      const what = await ide.page.evaluate(unseen);
      if (what) wrong.push(`${screen}, ${size}, ${colorScheme}: nobody sees that ${what} has the keyboard`);
    }
  };
  const pane = async (name) => {
    if (isPhone) await ide.page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name }).click();
  };
  await ide.connected();
  await ide.page.getByRole('region', { name: 'Tour' }).waitFor();
  await ide.page.keyboard.press('Escape');
  await ide.editor('README.md').waitFor();
  return { ide, isPhone, wrong, look, tabs, pane };
}

const long = 'a rather long name of a file that nobody would give it.txt';

for (const size of sizes) {
  for (const colorScheme of ['dark', 'light']) {
    scenario(`the main screens of a ${size.size} page are whole and can be used by everybody, ${colorScheme}`, async (stage) => {
      const { ide, isPhone, wrong, look, tabs, pane } = await visit(stage, size, colorScheme);
      const region = (name) => ide.page.getByRole('region', { name, exact: true });
      await pane('Files');
      await ide.button('New file').click();
      await ide.page.getByRole('textbox', { name: 'Name', exact: true }).fill(long);
      await ide.page.keyboard.press('Enter');
      await ide.editor(long).waitFor();
      await pane('Files');
      await ide.entry(long).waitFor();
      await look('files');
      await tabs('files');
      await ide.entry('ask.py').dblclick();
      await pane('Editor');
      await ide.editor('ask.py').waitFor();
      await look('editor');
      await tabs('editor');
      await pane('Terminal');
      await ide.clickTerminal();
      await ide.page.keyboard.type('ls\n');
      await look('terminal');
      for (const [name, panel] of [['Output: runs', 'output'], ['Ports that are', 'ports']]) {
        await command(ide, name);
        await look(panel);
        await tabs(panel);
      }
      await pane('Editor');
      await ide.editor('ask.py').click();
      await ide.page.keyboard.press('Control+End');
      await ide.page.keyboard.type('# more\n');
      await command(ide, 'since the file was first opened');
      await ide.page.getByRole('textbox', { name: 'Editor: ask.py' }).filter({ visible: true }).first().waitFor();
      await look('compare');
      await ide.page.keyboard.press('Control+Shift+E');
      await ide.entry('README.md').dblclick();
      await pane('Editor');
      await command(ide, 'Preview the file beside it');
      await ide.tab('Preview README.md').waitFor();
      await look('markdown');
      await command(ide, 'Search in files');
      await ide.page.getByRole('textbox', { name: 'Search in files' }).fill('name');
      await ide.page.getByRole('tree', { name: 'Search results' }).getByRole('treeitem').first().waitFor();
      await look('search');
      await tabs('search');
      for (const [name, shown, screen] of [
        ['Preview', 'Preview', 'requests'],
        ['Chat and activity', 'Chat and activity', 'chat'],
        ['People in the room', 'People in the room', 'people'],
      ]) {
        if (screen === 'requests') await ide.button('Preview').click();
        else await command(ide, name);
        await region(shown).waitFor();
        await look(screen);
        await tabs(screen);
      }
      await command(ide, 'People in the room');
      if (!isPhone) {
        await pane('Editor');
        await command(ide, 'Split the editor to the right');
        await look('groups');
      }
      await ide.button('Run configurations').click();
      await ide.page.getByRole('menu').waitFor();
      await look('run-menu');
      await ide.page.keyboard.press('Escape');
      assert.deepEqual(wrong, []);
    });
  }
}

/** How each dialog of the page's (`Dialog` in `web/src/state.rs`) comes up. Returns what it is called. */
const dialogs = {
  Share: async ({ ide }) => [await command(ide, 'Share'), 'Share'][1],
  Settings: async ({ ide }) => [await command(ide, 'Settings'), 'Settings'][1],
  Shortcuts: async ({ ide }) => [await command(ide, 'Keyboard shortcuts'), 'Keyboard shortcuts'][1],
  Help: async ({ ide }) => [await command(ide, 'Help'), 'Help'][1],
  Runs: async ({ ide }) => [await command(ide, 'Edit run configurations'), 'Run configurations'][1],
  Palette: async ({ ide }) => [await ide.page.keyboard.press('F1'), 'Command palette'][1],
  Delete: async ({ ide, pane }) => {
    await pane('Files');
    await ide.entry('fizz.sh').click({ button: 'right' });
    await ide.page.getByRole('menuitem', { name: /^Delete/ }).click();
    return 'Delete';
  },
  Taken: async ({ ide }) => {
    await ide.page.locator('#upload').setInputFiles({ name: 'ask.py', mimeType: 'text/plain', buffer: Buffer.from('x') });
    return 'Names that are taken';
  },
  ReplaceAll: async ({ ide }) => {
    await command(ide, 'Replace in files');
    await ide.page.getByRole('textbox', { name: 'Search in files' }).fill('name');
    await ide.page.getByRole('textbox', { name: 'Replace with' }).fill('word');
    await ide.page.getByRole('tree', { name: 'Search results' }).getByRole('treeitem').first().waitFor();
    await ide.button('Replace all').click();
    return 'Replace all';
  },
  Paste: async ({ ide, pane }) => {
    await pane('Terminal');
    await ide.clickTerminal();
    await ide.page.keyboard.type('cat\n');
    await ide.row('cat').or(ide.terminal.getByText(/\$ cat$/)).first().waitFor();
    await ide.pasteIntoTerminal('first line\nsecond line\n');
    return 'Paste';
  },
  SharePort: async ({ ide }) => {
    await ide.button('Preview').click();
    await ide.button('Share this port').click();
    return 'Share port';
  },
  Discard: async ({ ide, pane, stage }) => {
    await ide.page.keyboard.press('Control+Shift+E');
    await ide.entry('web.py').dblclick();
    await pane('Editor');
    await ide.editor('web.py').click();
    await ide.hasKeyboard(ide.editor('web.py'));
    stage.server.freeze();
    await ide.page.keyboard.type('#####');
    await ide.editor('web.py').getByText('#####').waitFor();
    await ide.page.keyboard.press('Alt+w');
    return 'Close';
  },
};

for (const size of sizes) {
  for (const colorScheme of ['dark', 'light']) {
    scenario(`every dialog of a ${size.size} page is whole and can be used by everybody, ${colorScheme}`, async (stage) => {
      const state = await readFile(new URL('../../web/src/state.rs', import.meta.url), 'utf8');
      const variants = /pub enum Dialog \{\n(.*?)\n\}/s.exec(state)[1].matchAll(/^ {4}([A-Z]\w*)/gm);
      assert.deepEqual([...variants].map(([, name]) => name).sort(), Object.keys(dialogs).sort());
      const { ide, wrong, look, tabs, pane } = await visit(stage, size, colorScheme);
      for (const [name, open] of Object.entries(dialogs)) {
        const dialog = ide.dialog(await open({ ide, pane, stage }));
        await dialog.waitFor();
        await look(`dialog-${name.toLowerCase()}`);
        await tabs(`dialog ${name}`);
        if (name === 'Discard') stage.server.thaw();
        await ide.page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'hidden' });
      }
      assert.deepEqual(wrong, []);
    });
  }
}
