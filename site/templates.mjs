// The templates of the playground: folders with a `template.toml`, as what the page is told of them. Holds each to what the
// page and the server can take; reads nothing but those folders.

import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'smol-toml';

/** What says what a template is; it is no file of the room. */
const ABOUT = 'template.toml';
/** Names that are projects' too. */
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
/** The most bytes of all files of a template. */
const MOST = 64 * 1024;

const KEYS = { title: 'string', about: 'string', order: 'number', mark: 'string', open: 'string', setup: 'string', run: 'string', port: 'number', needs: 'object' };
const OPTIONAL = new Set(['port', 'needs', 'setup']);

export async function templates(folder) {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const all = await Promise.all(names.map((name) => template(folder, name)));
  return all.sort((one, other) => one.order - other.order);
}

async function template(folder, name) {
  const wrong = (what) => new Error(`templates/${name}: ${what}`);
  if (!NAME.test(name)) throw wrong('its name has to be small letters, digits and -');
  const about = parse(await readFile(path.join(folder, name, ABOUT), 'utf8'));
  for (const key of Object.keys(about)) if (!Object.hasOwn(KEYS, key)) throw wrong(`${ABOUT} knows no ${key}`);
  for (const [key, type] of Object.entries(KEYS)) {
    if (about[key] === undefined && OPTIONAL.has(key)) continue;
    if (typeof about[key] !== type) throw wrong(`${key} of ${ABOUT} has to be a ${type}`);
  }
  for (const need of about.needs ?? []) {
    if (typeof need.name !== 'string' || typeof need.check !== 'string') throw wrong('each of needs has a name and a check');
  }
  const files = await filesBelow(path.join(folder, name));
  delete files[ABOUT];
  if (!Object.hasOwn(files, about.open)) throw wrong(`there is no ${about.open} to open`);
  // The IDE's Run is for this.
  const command = about.setup ? `{ ${about.setup}; } && ${about.run}` : about.run;
  files['.embedenv/run.toml'] = `default = "run"\n\n[[run]]\nname = "run"\ncommand = ${JSON.stringify(command)}\n`;
  const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > MOST) throw wrong(`${bytes} bytes, ${MOST} at most`);
  return { name, ...about, needs: about.needs ?? [], files };
}

async function filesBelow(folder, prefix = '') {
  const files = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) Object.assign(files, await filesBelow(at, `${prefix}${entry.name}/`));
    else files[`${prefix}${entry.name}`] = await readFile(at, 'utf8');
  }
  return files;
}
