// `cargo xtask early`: opens a page whose functions say that they run, as people open it, and writes down which ran until a
// file could be typed into: `web/js/early.txt`. Asserts nothing.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { keyOf } from '../../../web/js/early.mjs';
import { flags } from '../chromium.mjs';
import { Server } from '../server.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const executablePath = process.env.EMBEDENV_CHROMIUM ?? '/usr/bin/chromium';
const names = JSON.parse(await readFile(path.join(root, 'target/embed/web/names.json'), 'utf8'));
const keys = new Set();

/** Keeps in a page what ran until a file could be typed into and that had been drawn, and nothing of what timers do later. */
function keepUntilTyped() {
  const observer = new MutationObserver(() => {
    if (!document.querySelector('.cm-content[contenteditable=true]')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (globalThis.ranUntilTyped = [...embedenvRan])));
  });
  observer.observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ['contenteditable'] });
}

/** Adds what ran in a page. */
async function note(page) {
  const ran = await (await page.waitForFunction(() => globalThis.ranUntilTyped)).jsonValue();
  for (const number of ran) keys.add(keyOf(names[number] ?? ''));
}

const server = await Server.start(process.env.EMBEDENV_BIN ?? path.join(root, 'target/debug/embedenv'));
const browser = await chromium.launch({ executablePath, args: flags });
try {
  const screens = [{ viewport: { width: 1440, height: 900 } }, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }];
  for (const screen of screens) {
    const context = await browser.newContext(screen);
    const page = await context.newPage();
    await page.addInitScript(keepUntilTyped);
    await page.goto(server.link);
    await note(page);
    // Somebody comes back: what was open, and kept open, is opened.
    if (!screen.isMobile) {
      await page.getByRole('treeitem', { name: 'ask.py', exact: true }).dblclick();
      await page.getByRole('textbox', { name: 'Editor: ask.py' }).waitFor();
    }
    await page.reload();
    await note(page);
    await context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}
await writeFile(path.join(root, 'web/js/early.txt'), `${[...keys].sort().join('\n')}\n`);
console.log(`${keys.size} early functions`);
