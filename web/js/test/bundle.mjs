// Gives a test one of the page's TypeScript modules, as the bundler makes it. Owns a folder that goes with the process.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The module made of `code`, which imports from `./src/…`. All it names share one copy of every package. `alias` names files
 * in place of packages.
 */
export async function bundled(code, alias = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'page-test-'));
  after(() => rm(folder, { recursive: true }));
  const outfile = path.join(folder, 'bundle.mjs');
  const stdin = { contents: code, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning', alias });
  return import(pathToFileURL(outfile).href);
}
