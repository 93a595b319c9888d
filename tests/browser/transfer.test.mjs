// Files into the room and out of it: large ones, whole folders, taken names, and a server that goes away meanwhile.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { scenario } from './scenario.mjs';

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Runs with a folder of this side's own. */
async function withFolder(run) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'embedenv-transfer-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const uploads = (ide) => ide.page.getByRole('region', { name: 'Uploads' });
const saved = async (ide, act) => {
  const [download] = await Promise.all([ide.page.waitForEvent('download'), act()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
};

/** Drops files and folders of this side onto an element, as a person drags them in. */
async function drop(ide, locator, paths) {
  const session = await ide.page.context().newCDPSession(ide.page);
  const box = await locator.boundingBox();
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, ...at, data });
}

scenario('a file of 100 MB goes on by itself after its server went away, and comes back whole', async (stage) => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'large.bin');
    const bytes = randomBytes(100 * 1024 * 1024);
    await writeFile(file, bytes);
    const ide = await stage.person();
    await ide.ready();
    await ide.page.locator('#upload').setInputFiles(file);
    const bar = uploads(ide).getByRole('progressbar', { name: 'large.bin' });
    await bar.waitFor();
    await ide.page.waitForFunction(() => Number(document.querySelector('.transfer [role=progressbar]')?.ariaValueNow) >= 5);
    stage.serverIsGone(true);
    await stage.server.crash();
    await ide.connection.filter({ hasText: /Reconnecting|Offline/ }).waitFor();
    await stage.server.startAgain();
    await ide.connected();
    stage.serverIsGone(false);
    // The page takes what is typed while the file is on its way.
    await ide.answer('echo still""here');
    await ide.row('stillhere').waitFor();
    await uploads(ide).waitFor({ state: 'hidden', timeout: 90_000 });
    await ide.entry('large.bin').click();
    const { name, bytes: back } = await saved(ide, () => ide.button('Download').click());
    assert.deepEqual([name, hash(back)], ['large.bin', hash(bytes)]);
  });
});

scenario('a folder that is dropped comes whole, taken names are asked about once, and a folder goes out as a zip', async (stage) => {
  await withFolder(async (folder) => {
    const site = path.join(folder, 'site');
    await mkdir(path.join(site, 'deep/er'), { recursive: true });
    await mkdir(path.join(site, 'deep/nothing/in it'), { recursive: true });
    for (const name of ['index.html', 'deep/a.css', 'deep/er/b.js', 'deep/er/empty']) {
      await writeFile(path.join(site, name), name.endsWith('empty') ? '' : `this is ${name}\n`);
    }
    const ide = await stage.person();
    await ide.ready();
    await drop(ide, ide.tree, [site]);
    await ide.entry('site').waitFor();
    await uploads(ide).waitFor({ state: 'hidden' });
    await ide.entry('site').click();
    await ide.entry('deep').click();
    await ide.entry('er').click();
    for (const name of ['index.html', 'a.css', 'b.js', 'empty']) await ide.entry(name).waitFor();
    // A folder comes also when nothing is in it.
    await ide.entry('nothing').click();
    await ide.entry('in it').waitFor();

    // Once more: every name is taken, and that is asked once.
    await ide.page.keyboard.press('Home');
    await drop(ide, ide.entry('ask.py'), [site]);
    const dialog = ide.dialog('Names that are taken');
    await dialog.getByRole('button', { name: 'Keep both' }).click();
    await ide.entry('index copy.html').waitFor();
    await ide.entry('b copy.js').waitFor();
    await uploads(ide).waitFor({ state: 'hidden' });
    assert.ok(await dialog.isHidden());

    await ide.entry('site').click({ button: 'right' });
    const { name, bytes } = await saved(ide, () => ide.page.getByRole('menuitem', { name: 'Download' }).click());
    assert.equal(name, 'site.zip');
    assert.ok(bytes.includes('site/deep/er/b copy.js') && bytes.subarray(0, 2).toString() === 'PK');

    // What is selected together goes out together.
    await ide.entry('a.css').click();
    await ide.entry('index.html').click({ modifiers: ['Control'] });
    const both = await saved(ide, () => ide.button('Download').click());
    assert.equal(both.name, 'site.zip');
    const names = ['site/deep/a.css', 'site/index.html', 'site/deep/er/b.js'];
    assert.deepEqual(names.map((name) => both.bytes.includes(name)), [true, true, false]);
  });
});

scenario('an upload is given up, and nothing is left of it', async (stage) => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'huge.bin');
    await writeFile(file, Buffer.alloc(300 * 1024 * 1024));
    const ide = await stage.person();
    await ide.ready();
    await ide.page.locator('#upload').setInputFiles(file);
    await uploads(ide).getByRole('progressbar', { name: 'huge.bin' }).waitFor();
    await ide.button('Cancel huge.bin').click();
    await uploads(ide).waitFor({ state: 'hidden' });
    await ide.answer('ls -A ~/.embedenv-uploads.tmp | wc -l; ls | grep -c huge');
    await ide.row('0').waitFor();
  });
});

scenario('a file dropped on an editor comes into the project, and the page stays', async (stage) => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'dropped.txt');
    await writeFile(file, 'dropped\n');
    const ide = await stage.person();
    await ide.ready();
    await ide.write({ 'notes.txt': 'as it was\n' });
    await ide.entry('notes.txt').dblclick();
    await ide.editorSays('notes.txt', 'as it was\n');
    await drop(ide, ide.editor('notes.txt'), [file]);
    await ide.entry('dropped.txt').dblclick();
    await ide.editorSays('dropped.txt', 'dropped\n');
    await ide.tab('notes.txt').click();
    await ide.editorSays('notes.txt', 'as it was\n');
  });
});
