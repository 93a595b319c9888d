// The documentation's Markdown as pages: links lead somewhere or end the build, anchors are GitHub's, code is in its colours.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highlighted } from '../highlight.mjs';
import { headingsOf, rendered, resolved } from '../markdown.mjs';
import { arranged } from '../pages.mjs';

const pages = [
  { file: 'README.md', slug: '', title: 'Introduction' },
  { file: 'docs/api.md', slug: 'api', title: 'The REST API' },
];
const site = {
  pages,
  files: new Set(['README.md', 'docs/api.md', 'docs/openapi.json', 'server/src/policy.rs', 'docs/pictures/a.png']),
  pictures: new Map([['docs/pictures/a.png', { url: '/site/a-1.png', width: 10, height: 20 }]]),
  anchors: new Map([['README.md', new Set(['try-it'])], ['docs/api.md', new Set(['errors'])]]),
};

test('links lead to where things are on a server', () => {
  const of = (href, from) => resolved(href, from, site).href;
  assert.equal(of('api.md', 'docs/other.md'), '/docs/api');
  assert.equal(of('docs/api.md#errors', 'README.md'), '/docs/api#errors');
  assert.equal(of('../README.md#try-it', 'docs/api.md'), '/docs#try-it');
  assert.equal(of('#errors', 'docs/api.md'), '#errors');
  assert.equal(of('openapi.json', 'docs/api.md'), '/api/v1/openapi.json');
  assert.equal(of('https://rustup.rs', 'README.md'), 'https://rustup.rs');
  assert.equal(of('../server/src/policy.rs', 'docs/api.md'), null, 'what is nowhere to be had is no link');
  assert.equal(of('server/src', 'README.md'), null);
});

test('a link that leads nowhere ends the build, and says where it stands', () => {
  for (const href of ['gone.md', 'api.md#gone', '#gone', '../shared/gone.rs', 'server/sr']) {
    assert.throws(() => resolved(href, 'docs/api.md', site), (error) => error.message.startsWith(`docs/api.md: ${href}`), href);
  }
  assert.throws(() => rendered('![x](pictures/gone.png)', 'docs/api.md', site), /no picture/);
});

test('anchors are those that links were written for', () => {
  const anchors = headingsOf('# A\n## `init`: what, and *why*?\n## Same\n### Same\n## Über uns\n').map(({ anchor }) => anchor);
  assert.deepEqual(anchors, ['a', 'init-what-and-why', 'same', 'same-1', 'über-uns']);
});

test('a page has its text as HTML, an outline, and pieces for the search', () => {
  const text = '# Title\n\nA *first* line with `a < b`.\n\n## One\n\n| | |\n| --- | --- |\n| `x` | y |\n\n- a\n- b & c\n\n```sh\nls -la\n```\n';
  const { html, outline, description, pieces } = rendered(text, 'docs/api.md', site);
  assert.equal(description, 'A first line with a < b.');
  assert.deepEqual(outline, [{ depth: 2, anchor: 'one', title: 'One' }]);
  assert.match(html, /<h1>Title<\/h1>/);
  assert.match(html, /<h2 id="one">One<a class="anchor" href="#one"/);
  assert.ok(!html.includes('<thead>'), 'a head without words is none');
  assert.deepEqual(pieces, [
    { title: 'Title', anchor: '', text: 'A first line with a < b.' },
    { title: 'One', anchor: 'one', text: 'x y a b & c ls -la' },
  ]);
});

test('a frame that can be sent is marked, and what ends its answer', () => {
  const { html } = rendered('# T\n\n```json run until=end\n{"type": "x"}\n```\n', 'docs/api.md', site);
  assert.match(html, /<div class="step" data-until="end"><pre tabindex="0"><code>/);
});

test('what is written as a link to a file says what the page is called', () => {
  const { html } = rendered('# T\n\nSee [docs/api.md](docs/api.md), or [how](docs/api.md).\n', 'README.md', site);
  assert.match(html, /<a href="\/docs\/api">The REST API<\/a>, or <a href="\/docs\/api">how<\/a>/);
});

test('markup in a text stays text, and a language that nobody knows ends the build', () => {
  assert.equal(highlighted('<b>&"', 'text'), '&lt;b&gt;&amp;&quot;');
  assert.match(highlighted('{"a": 1}', 'json'), /<span class="tok-property">&quot;a&quot;<\/span>/);
  assert.match(highlighted('echo hi # there', 'sh'), /<span class="tok-comment"># there<\/span>/);
  assert.throws(() => highlighted('x', 'klingon'), /no language is called "klingon"/);
  const { html, pieces } = rendered('# T\n\n<!-- made by a program -->\n\ntext\n', 'docs/api.md', site);
  assert.ok(!html.includes('made by') && pieces[0].text === 'text', 'a comment is for who writes');
  assert.throws(() => rendered('<script>alert(1)</script>\n', 'docs/api.md', site), /HTML in Markdown/);
});

test('a page that nobody placed comes last, and one that is not there is left out', () => {
  const sections = arranged(['README.md', 'docs/using.md', 'docs/new-thing.md', 'docs/pictures/a.png', 'other/x.md']);
  assert.deepEqual(
    sections.map(({ title, pages }) => [title, pages.map(({ slug }) => slug)]),
    [['Start', ['']], ['Work in it', ['using']], ['More', ['new-thing']]],
  );
});
