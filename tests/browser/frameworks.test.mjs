// Servers that people know, in the preview: Vite with modules that are replaced while the page stays, and Express.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scenario } from './scenario.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

const vite = {
  'index.html': `<!doctype html><title>Vite</title><h1></h1><input aria-label="typed"><script type="module" src="/main.js"></script>\n`,
  'main.js': `import { word } from './word.js';
const show = (word) => (document.querySelector('h1').textContent = word);
show(word);
import.meta.hot.accept('./word.js', (next) => show(next.word));
`,
  'word.js': `export const word = 'First word';\n`,
};

const express = `const express = require('express');
const app = express();
app.use(express.urlencoded({ extended: false }));
app.get('/', (asked, answer) => {
  const seen = Number(/seen=(\\d+)/.exec(asked.headers.cookie ?? '')?.[1] ?? 0) + 1;
  answer.cookie('seen', seen);
  answer.send(\`<!doctype html><h1>Seen \${seen}</h1><form method="post" action="/said"><input name="what" aria-label="what"><button>Say</button></form>\`);
});
app.post('/said', (asked, answer) => answer.redirect('/heard?' + new URLSearchParams({ what: asked.body.what })));
app.get('/heard', (asked, answer) => answer.type('html').send('<!doctype html><h1></h1><script>document.querySelector("h1").textContent = "Heard " + new URLSearchParams(location.search).get("what")</script>'));
app.listen(3000);
`;

/** Brings the packages of these tests into the project, but for those that drive the browser. */
async function bringPackages(ide) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'embedenv-packages-'));
  try {
    const archive = path.join(folder, 'packages.tgz');
    const without = ['playwright-core', 'axe-core', '.bin'].map((name) => `--exclude=node_modules/${name}`);
    execFileSync('tar', ['-czf', archive, ...without, '-C', here, 'node_modules']);
    await ide.page.locator('#upload').setInputFiles(archive);
    await ide.entry('packages.tgz').waitFor();
    await ide.run('until gzip -t packages.tgz 2> /dev/null; do sleep 0.1; done; tar xzf packages.tgz; rm packages.tgz');
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function open(ide, port) {
  const told = ide.page.getByRole('status', { name: 'New port' }).filter({ hasText: String(port) });
  await told.getByRole('button', { name: 'Open', exact: true }).click();
  return ide.page.getByRole('region', { name: 'Preview' }).frameLocator('iframe');
}

scenario('Vite replaces modules in the preview, and Express takes forms and cookies', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await bringPackages(ide);
  await ide.write({ ...vite, 'server.cjs': express });
  await ide.answer('node node_modules/vite/bin/vite.js --port 5173 < /dev/null &');
  const page = await open(ide, 5173);
  await page.getByRole('heading', { name: 'First word' }).waitFor();
  await page.getByRole('textbox', { name: 'typed' }).fill('kept');
  await ide.page.screenshot({ path: 'target/browser/preview-vite.png' });
  // What is written in the editor is saved by itself, noticed by Vite, and sent to the page.
  await ide.entry('word.js').dblclick();
  await ide.editor('word.js').click();
  await ide.page.keyboard.press('Control+a');
  await ide.page.keyboard.press('Delete');
  await ide.page.keyboard.type(`export const word = 'Second word';`);
  await page.getByRole('heading', { name: 'Second word' }).waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'typed' }).inputValue(), 'kept', 'the page was not loaded anew');

  await ide.answer('node server.cjs < /dev/null &');
  const app = await open(ide, 3000);
  await app.getByRole('heading', { name: 'Seen 1' }).waitFor();
  await ide.page.getByRole('region', { name: 'Preview' }).getByRole('button', { name: 'Reload' }).click();
  await app.getByRole('heading', { name: 'Seen 2' }).waitFor();
  await app.getByRole('textbox', { name: 'what' }).fill('a & b');
  await app.getByRole('button', { name: 'Say' }).click();
  await app.getByRole('heading', { name: 'Heard a & b' }).waitFor();
});
