// The package as such: how large it is, what it is called, and what is written of it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { VERSION } from '../dist/index.js';
import { pages } from '../reference.mjs';
import { root } from './harness.mjs';

/** Bytes that a browser loads of it at most, compressed. */
const MOST = 15_000;

const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

test('a browser loads less than 15 kB, and nothing else with it', () => {
  const script = read('../dist/index.js');
  const size = gzipSync(script, { level: 9 }).length;
  assert.ok(size < MOST, `${size} bytes`);
  assert.deepEqual([...script.matchAll(/\bfrom\s*["']|\bimport\s*["']/g)], []);
});

test('its types are taken by the strictest settings', () => {
  const settings = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2022'];
  const compiled = spawnSync('npx', ['--no-install', 'tsc', ...settings, '--lib', 'es2022,dom', '--types', '', 'test/usage.mts'], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  });
  assert.equal(compiled.status, 0, compiled.stdout + compiled.stderr);
});

test('its version is the one of the workspace', () => {
  const [, version] = /^\[workspace\.package\]\nversion = "(.+)"$/m.exec(readFileSync(`${root}Cargo.toml`, 'utf8'));
  assert.deepEqual([JSON.parse(read('../package.json')).version, VERSION], [version, version]);
});

test('the reference in docs/javascript.md is what the source says', () => {
  const { is, shouldBe } = pages();
  assert.equal(is, shouldBe, 'run `node reference.mjs` in clients/js');
});
