// Who draws a terminal: the graphics card, and elements of the page wherever that fails.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { rm } from 'node:fs/promises';
import { bundled } from './bundle.mjs';

// Stands for the addon: says what became of it, and loses its context when told.
const addon = path.join(os.tmpdir(), `page-test-addon-${process.pid}.mjs`);
await writeFile(addon, `
export class WebglAddon {
  constructor() { globalThis.addons.push(this); if (globalThis.breaks) throw new Error('no shader'); }
  onContextLoss(lost) { this.lose = lost; }
  dispose() { this.disposed = true; }
}
`);
after(() => rm(addon));

globalThis.addons = [];
let context = null;
globalThis.document = { createElement: () => ({ getContext: () => context }) };

const renderer = () => bundled(`export { Renderer } from './src/terminal/renderer';`, { '@xterm/addon-webgl': addon });
const settled = () => new Promise((resolve) => setTimeout(resolve));

test('without a card nothing is loaded', async () => {
  const { Renderer } = await renderer();
  new Renderer({ loadAddon: () => assert.fail('nothing to load') }).useCard(true);
  await settled();
  assert.deepEqual(globalThis.addons, []);
});

test('a card that is lost, that breaks, or that is not wanted any more leaves the elements', async () => {
  context = { getExtension: () => null };
  const { Renderer } = await renderer();
  const loaded = [];
  const one = new Renderer({ loadAddon: (addon) => loaded.push(addon) });
  one.useCard(true);
  await settled();
  assert.equal(loaded.length, 1);
  loaded[0].lose();
  assert.equal(loaded[0].disposed, true);
  // It may be had again later.
  one.useCard(true);
  await settled();
  assert.equal(loaded.length, 2);
  one.useCard(false);
  assert.equal(loaded[1].disposed, true);

  const broken = new Renderer({
    loadAddon: () => {
      throw new Error('WebGL2 not supported');
    },
  });
  broken.useCard(true);
  await settled();
  assert.equal(globalThis.addons.at(-1).disposed, true);
  globalThis.breaks = true;
  new Renderer({ loadAddon: () => assert.fail('it was never made') }).useCard(true);
  await settled();
});
