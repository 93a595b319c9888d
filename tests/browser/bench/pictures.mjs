// `cargo xtask pictures`: each main screen of the page at three sizes, dark and light, into `target/pictures`, to be looked
// at; those that the documentation shows go into `docs/pictures`, too. Asserts nothing.

import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { flags } from '../chromium.mjs';
import { Ide } from '../ide.mjs';
import { Server } from '../server.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = path.join(root, 'target/pictures');
const shown = path.join(root, 'docs/pictures');
const program = process.env.EMBEDENV_BIN ?? path.join(root, 'target/release/embedenv');
const executablePath = process.env.EMBEDENV_CHROMIUM ?? '/usr/bin/chromium';

const SIZES = [
  { name: 'wide', viewport: { width: 1440, height: 900 } },
  { name: 'tablet', viewport: { width: 820, height: 1180 } },
  { name: 'phone', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
];
/** What the documentation shows: the screen, the size and the colours. */
const IN_DOCS = new Set([
  'work-wide-dark', 'work-wide-light', 'groups-wide-dark', 'search-wide-light', 'palette-wide-dark', 'requests-wide-dark',
  'settings-wide-light', 'work-phone-dark', 'terminal-phone-dark', 'compare-wide-dark', 'markdown-wide-light',
  'run-menu-wide-dark', 'error-wide-light',
]);

const PROGRAM = `"""Counts the words of a text, the most frequent first."""

from collections import Counter
import sys


def count(text: str) -> Counter[str]:
    """Words are told apart by spaces, whatever their case."""
    return Counter(text.lower().split())


def main() -> None:
    words = count(sys.stdin.read() if not sys.stdin.isatty() else "to be or not to be")
    for word, times in words.most_common(5):
        print(f"{times:>3}  {word}")


if __name__ == "__main__":
    main()
`;

/** What somebody made of the program since it was opened first. */
const CHANGED = PROGRAM.replace('most_common(5)', 'most_common(3)').replace(
  '    """Words are told apart by spaces, whatever their case."""\n',
  '    """Words are told apart by spaces and commas."""\n    text = text.replace(",", " ")\n',
);

const NOTES = `# Notes on words

The **most frequent** words of a text say little of it. What is left to do:

- [x] count them
- [x] whatever their case
- [ ] leave out the *usual* ones, such as "the"

| word | times |
| :--- | ----: |
| be   |     2 |
| to   |     2 |

\`\`\`python
count("To be or not to be")["be"]
\`\`\`
`;

/** Files of the project, written by a program. */
const WRITTEN = {
  'words.py': PROGRAM,
  'notes.md': NOTES,
  Makefile: 'words:\n\tpython words.py\n\ntest:\n\tpython -m pytest -q\n',
  'package.json': '{ "scripts": { "dev": "python -m http.server 3000", "lint": "ruff check ." } }\n',
};

async function palette(ide, name) {
  await ide.page.keyboard.press('F1');
  await ide.dialog('Command palette').getByRole('combobox').fill(name);
  await ide.page.keyboard.press('Enter');
}

/** The screens of one size in one colour. */
async function take(browser, server, size, colorScheme) {
  const { name, ...options } = size;
  const context = await browser.newContext({ ...options, colorScheme, deviceScaleFactor: 1 });
  context.setDefaultTimeout(20_000);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const ide = new Ide(page);
  await page.goto(`${server.link}&user=Ada%20Lovelace`);
  const isPhone = Boolean(size.isMobile);
  const picture = async (what) => {
    const file = path.join(folder, `${what}-${name}-${colorScheme}.png`);
    await page.screenshot({ path: file, animations: 'disabled' });
    if (IN_DOCS.has(path.basename(file, '.png'))) await copyFile(file, path.join(shown, path.basename(file)));
  };
  const pane = async (which) => {
    if (isPhone) await page.getByRole('navigation', { name: 'Panes' }).getByRole('button', { name: which }).click();
  };
  await ide.connected();
  await page.getByRole('region', { name: 'Tour' }).waitFor();
  await picture('tour');
  await page.keyboard.press('Escape');

  await pane('Files');
  await ide.entry('words.py').waitFor();
  await picture('files');
  await ide.entry('words.py').dblclick();
  await ide.editor('words.py').waitFor();
  await ide.button('Run').click();
  await pane('Terminal');
  await page.getByText(/^Exited with 0/).filter({ visible: true }).first().waitFor();
  if (isPhone) await picture('terminal');
  await pane('Editor');
  await picture('work');
  await palette(ide, 'Settings');
  await ide.dialog('Settings').waitFor();
  await picture('settings');
  await page.keyboard.press('Escape');
  await palette(ide, 'Keyboard shortcuts');
  await ide.dialog('Keyboard shortcuts').waitFor();
  await picture('shortcuts');
  await page.keyboard.press('Escape');
  await page.keyboard.press('F1');
  await ide.dialog('Command palette').getByRole('combobox').fill('split');
  await picture('palette');
  await page.keyboard.press('Escape');
  await ide.button('Share').click();
  await ide.dialog('Share').waitFor();
  await picture('share');
  await page.keyboard.press('Escape');
  await palette(ide, 'Chat and activity');
  await page.getByRole('region', { name: 'Chat and activity' }).waitFor();
  await picture('chat');
  await palette(ide, 'People in the room');
  await page.getByRole('region', { name: 'People in the room' }).waitFor();
  await picture('people');
  await ide.button('Preview').click();
  const preview = page.getByRole('region', { name: 'Preview' });
  await preview.getByText('Request', { exact: true }).click();
  await preview.getByRole('button', { name: 'Send', exact: true }).click();
  await preview.getByText(/^200/).first().waitFor();
  await picture('requests');
  if (!isPhone) {
    await palette(ide, 'Show or close the pane at the right');
    await ide.editor('words.py').click();
    await page.keyboard.press('Control+\\');
    await ide.entry('README.md').dblclick();
    await ide.editor('README.md').waitFor();
    await picture('groups');
  }
  if (name === 'wide') {
    await palette(ide, 'Join all groups');
    await ide.button('Run configurations').click();
    await page.getByRole('menu').waitFor();
    await picture('run-menu');
    await page.keyboard.press('Escape');
    await ide.entry('notes.md').dblclick();
    await ide.hasKeyboard(ide.editor('notes.md'));
    await palette(ide, 'Preview the file beside it');
    await page.getByRole('document', { name: 'Preview: notes.md' }).getByText('times').waitFor();
    await picture('markdown');
    await palette(ide, 'Join all groups');
    await ide.entry('words.py').dblclick();
    await ide.hasKeyboard(ide.editor('words.py'));
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(CHANGED);
    await palette(ide, 'since the file was first opened');
    await page.getByRole('textbox', { name: 'When it was first opened: words.py' }).waitFor();
    await page.locator('.cm-changedLine').first().waitFor();
    await picture('compare');
    await page.keyboard.press('Alt+w');
    await ide.entry('words.py').dblclick();
    await ide.hasKeyboard(ide.editor('words.py'));
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(PROGRAM.replace('most_common', 'most_comon'));
    await ide.button('Run').click();
    await page.getByText(/^Exited with 1/).filter({ visible: true }).first().waitFor();
    await picture('error');
    await ide.editor('words.py').click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(PROGRAM);
    await ide.button('Search in files').click();
    await page.getByRole('textbox', { name: 'Search in files' }).fill('word');
    await page.getByRole('tree', { name: 'Search results' }).getByRole('treeitem').first().waitFor();
    await picture('search');
  }
  await context.close();
}

await mkdir(folder, { recursive: true });
await mkdir(shown, { recursive: true });
const server = await Server.start(program);
const browser = await chromium.launch({ executablePath, args: flags });
try {
  const page = await browser.newPage();
  const ide = new Ide(page);
  await ide.open(server.link);
  await ide.ready();
  await ide.write(WRITTEN);
  await ide.run('(python3 -m http.server 8000 > /dev/null 2>&1 &)');
  // Somebody in the room opens the program; what changes from then on is shown to all.
  await ide.entry('words.py').dblclick();
  await ide.editorSays('words.py', PROGRAM);
  await page.context().close();
  for (const size of SIZES) for (const colorScheme of ['dark', 'light']) await take(browser, server, size, colorScheme);
} finally {
  await browser.close();
  await server.stop();
}
