// Makes `dist/` of `src/`: one ES module for browsers, Node, Deno and Bun, and its types. Owns the list of what stays outside
// of it: optional packages, which are loaded when they are needed. Never writes outside `dist/`.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const { version } = JSON.parse(readFileSync(path.join(here, 'package.json'), 'utf8'));

await rm(path.join(here, 'dist'), { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  bundle: true,
  external: ['ws', 'yjs'],
  format: 'esm',
  platform: 'neutral',
  target: ['es2022'],
  minify: true,
  sourcemap: true,
  charset: 'utf8',
  legalComments: 'none',
  define: { VERSION_OF_PACKAGE: JSON.stringify(version) },
  logLevel: 'warning',
});
execFileSync('npx', ['--no-install', 'tsc', '--emitDeclarationOnly'], { cwd: here, stdio: 'inherit' });
