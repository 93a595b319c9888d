// Servers that people know, in the preview: Vite with modules that are replaced while the page stays, Express and Flask.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
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

const flask = `from flask import Flask, redirect, request, session
app = Flask(__name__)
app.secret_key = "of a test"
@app.get("/")
def home():
    session["seen"] = session.get("seen", 0) + 1
    return f'<!doctype html><h1>Flask {session["seen"]}</h1><form method=post action=/said><input name=what aria-label=what><button>Say</button></form>'
@app.post("/said")
def said():
    session["what"] = request.form["what"]
    return redirect("/heard")
@app.get("/heard")
def heard():
    return f'<!doctype html><h1>Heard {session["what"]}</h1>'
`;

/** Brings what `tar` is told to pack into the project. */
async function bring(ide, ...packed) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'embedenv-packages-'));
  try {
    const archive = path.join(folder, 'packages.tgz');
    execFileSync('tar', ['-czf', archive, ...packed]);
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
  // All but what drives the browser.
  const without = ['playwright-core', 'axe-core', '.bin'].map((name) => `--exclude=node_modules/${name}`);
  await bring(ide, ...without, '-C', here, 'node_modules');
  await ide.write({ ...vite, 'server.cjs': express });
  await ide.answer('node node_modules/vite/bin/vite.js --port 5173 < /dev/null &');
  const page = await open(ide, 5173);
  await page.getByRole('heading', { name: 'First word' }).waitFor();
  await page.getByRole('textbox', { name: 'typed' }).fill('kept');
  await ide.page.screenshot({ path: 'target/browser/preview-vite.png' });
  // What is written in the editor is saved by itself, noticed by Vite, and sent to the page.
  await ide.entry('word.js').dblclick();
  await ide.editor('word.js').getByText('First word').click();
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

scenario('Flask takes forms and keeps sessions', async (stage) => {
  const python = process.env.EMBEDENV_PYTHON;
  if (!python) {
    if (process.env.EMBEDENV_CI) throw new Error('there is no Python with Flask');
    console.log('SKIPPED: there is no Python with Flask; name one in EMBEDENV_PYTHON');
    return;
  }
  const ide = await stage.person();
  await ide.ready();
  const where = 'import flask, os; print(os.path.dirname(os.path.dirname(flask.__file__)), end="")';
  const packages = ['flask', 'werkzeug', 'jinja2', 'markupsafe', 'itsdangerous', 'click', 'blinker'];
  const folder = execFileSync(python, ['-c', where], { encoding: 'utf8' });
  // With what says which versions they are.
  const of = (name) => packages.some((own) => name === own || name.toLowerCase().startsWith(`${own}-`));
  await bring(ide, '-C', folder, ...readdirSync(folder).filter(of));
  await ide.write({ 'shop.py': flask });
  await ide.answer('python3 -m flask --app shop.py --debug run --port 5000');
  const app = await open(ide, 5000);
  await app.getByRole('heading', { name: 'Flask 1' }).waitFor();
  await ide.page.getByRole('region', { name: 'Preview' }).getByRole('button', { name: 'Reload' }).click();
  await app.getByRole('heading', { name: 'Flask 2' }).waitFor();
  await app.getByRole('textbox', { name: 'what' }).fill('once');
  await app.getByRole('button', { name: 'Say' }).click();
  await app.getByRole('heading', { name: 'Heard once' }).waitFor();
});
