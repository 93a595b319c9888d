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
const IN_DOCS = new Set(['work-wide-dark', 'work-wide-light', 'groups-wide-dark', 'search-wide-light', 'palette-wide-dark', 'requests-wide-dark', 'settings-wide-light', 'work-phone-dark', 'terminal-phone-dark']);

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
  await page.getByRole('region', { name: 'Preview' }).waitFor();
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
  await ide.answer(`echo ${Buffer.from(PROGRAM).toString('base64')} | base64 -d > words.py; clear`);
  await ide.entry('words.py').waitFor();
  await page.context().close();
  for (const size of SIZES) for (const colorScheme of ['dark', 'light']) await take(browser, server, size, colorScheme);
} finally {
  await browser.close();
  await server.stop();
}
