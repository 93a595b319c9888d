// What the build leaves of this repository: every page with its links, no request to another host, templates that can be used.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { made } from '../build.mjs';

const idePage = `<meta name="embedenv-js" content='{"poster":"/js/poster-x.js"}'>`;
const files = await made(idePage);
const pages = [...files].filter(([name]) => name.endsWith('.html'));
const html = (name) => files.get(name);

/** Addresses that the server has besides. */
const served = new Set(['/', '/docs', '/playground', '/api', '/console', '/favicon.svg', '/api/v1/openapi.json', '/js/poster-x.js']);

test('every address in every page is there, to its anchor', () => {
  const anchors = (text) => new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  const pageAt = (path) => {
    if (path === '/') return html('live/index.html');
    if (path === '/playground') return html('live/playground.html');
    const slug = path === '/docs' ? 'index' : path.replace(/^\/docs\//, '');
    return html(`docs/${slug}.html`) ?? html(`live/docs-${slug}.html`);
  };
  let count = 0;
  for (const [name, text] of pages) {
    for (const [, attribute, address] of text.matchAll(/ (href|src|srcset|content)="((?:\/|#)[^"]*)"/g)) {
      const [path, anchor] = address.split('#');
      count += 1;
      if (path.startsWith('/site/')) assert.ok(files.has(path.slice('/site/'.length)), `${name}: ${attribute} ${address}`);
      else if (path) assert.ok(served.has(path) || pageAt(path), `${name}: ${address}`);
      if (anchor) assert.ok(anchors(path ? pageAt(path) : text).has(anchor), `${name}: ${address}`);
    }
  }
  assert.ok(count > 500, `${count} addresses`);
});

test('no page asks another host for anything, and none has a script or a style inside', () => {
  for (const [name, text] of pages) {
    assert.doesNotMatch(text, /(src|srcset)="https?:/, name);
    assert.doesNotMatch(text, /<link[^>]+href="https?:/, name);
    assert.doesNotMatch(text, /<style|style="|<script(?![^>]* src=)|\son\w+="/, name);
  }
});

test('pages that are filled in say where, and the others are the same for everybody', () => {
  const isLive = (name) => name.startsWith('live/');
  assert.deepEqual(pages.map(([name]) => name).filter(isLive).sort(), ['live/docs-steps.html', 'live/index.html', 'live/playground.html']);
  for (const [name, text] of pages) {
    assert.equal(text.includes('{{WIDGET}}'), isLive(name), name);
    assert.equal(/\{\{[A-Z_]+\}\}/.test(text), isLive(name), name);
    assert.match(text, /<title>[^<]+<\/title>\n<meta name="description" content="[^"]+">/, name);
    assert.equal(text.match(/<h1/g)?.length, 1, name);
  }
});

test('the steps are fourteen, each with a frame that can be sent', () => {
  const text = html('live/docs-steps.html');
  const steps = [...text.matchAll(/<div class="step" data-until="([^"]*)"><pre tabindex="0"><code>([^]*?)<\/code>/g)];
  assert.equal(steps.length, 14);
  const plain = (code) => code.replaceAll(/<[^>]+>/g, '').replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  const types = steps.map(([, , code]) => JSON.parse(plain(code))).map(({ type, command }) => command?.type ?? type);
  assert.deepEqual(types, ['visit', 'project', 'create', 'write', 'rename', 'delete', 'shell', 'write', 'shell', 'shell', 'shell', 'curl', 'shell', 'shell']);
});

test('the search has every page', () => {
  const name = [...files.keys()].find((name) => /^search-.*\.json$/.test(name));
  const pieces = JSON.parse(files.get(name));
  assert.ok(pieces.some(({ href, text }) => href === '/docs/configuration#settings' && text.includes('site.widget')));
  const documented = pages.filter(([name]) => /docs/.test(name)).length;
  assert.equal(new Set(pieces.map(({ href }) => href.split('#')[0])).size, documented);
});

test('templates are there, and each says how it is run', async () => {
  const all = JSON.parse(files.get('data/templates.json'));
  const names = all.map(({ name }) => name);
  assert.deepEqual(names, ['python', 'node', 'rust', 'c', 'go', 'java', 'bash', 'static', 'flask', 'express', 'vite']);
  for (const { name, run, files } of all) {
    assert.ok(files['.embedenv/run.toml'].includes(run), name);
    assert.ok(!('template.toml' in files), name);
    for (const path of Object.keys(files).filter((path) => path !== '.embedenv/run.toml')) {
      assert.equal(files[path], await readFile(new URL(`../../templates/${name}/${path}`, import.meta.url), 'utf8'));
    }
  }
  const playground = html('live/playground.html');
  for (const name of names) assert.ok(playground.includes(`data-template="${name}"`), name);
});
