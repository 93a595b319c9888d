// Bundles the page's TypeScript: one content-hashed entry for each name below, shared code in chunks, into `dist/`; and beside
// them the script for pages of others. Owns the names of those files; `finish.mjs` tells the page what they are. Never writes
// outside `dist/`.

import { copyFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { policy } from './policy.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, 'dist');

/** What the page loads by name: the editor at once, the rest when it is first needed. */
const entries = {
  editor: 'src/editor.ts',
  terminal: 'src/terminal.ts',
  markdown: 'src/markdown.ts',
  picture: 'src/picture.ts',
  toml: 'src/toml.ts',
  frame: 'src/frame.ts',
  poster: 'src/poster.ts',
};

/** What pages of others load, by a name that stays: each in one piece, and where it finds its own address. */
const forHosts = [
  { name: 'embed.js', entry: 'src/host.global.ts', format: 'iife', address: 'document.currentScript.src' },
  { name: 'embed.mjs', entry: 'src/host.ts', format: 'esm', address: 'import.meta.url' },
];

await rm(out, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: entries,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  target: ['es2022'],
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  plugins: [policy(path.join(here, 'src'))],
  metafile: true,
  logLevel: 'warning',
});

for (const { name, entry, format, address } of forHosts) {
  await build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile: `dist/${name}`,
    bundle: true,
    format,
    platform: 'browser',
    target: ['es2022'],
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    define: { SCRIPT: address },
    logLevel: 'warning',
  });
}
await copyFile(path.join(here, 'src/embed.d.ts'), path.join(out, 'embed.d.ts'));

/** Every chunk that `output` needs before it runs, itself first: static imports, not the ones made by `import()`. */
function closure(output, seen = new Set()) {
  if (seen.has(output)) return seen;
  seen.add(output);
  for (const { path: imported, kind } of metafile.outputs[output].imports) {
    if (kind === 'import-statement') closure(imported, seen);
  }
  return seen;
}

const manifest = { entries: {}, loads: {} };
for (const [output, { entryPoint, cssBundle }] of Object.entries(metafile.outputs)) {
  const name = Object.keys(entries).find((key) => entries[key] === entryPoint);
  if (!name) continue;
  const url = (file) => `/js/${path.basename(file)}`;
  manifest.entries[name] = url(output);
  if (cssBundle) manifest.entries[`${name}.css`] = url(cssBundle);
  manifest.loads[name] = [...closure(output)].map(url);
}
await writeFile(path.join(out, 'manifest.json'), JSON.stringify(manifest, null, 2));
