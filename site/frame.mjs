// What stands around every public page: head, bar, foot; and around a page of the documentation its navigation and outline.
// Texts and addresses only; `{{…}}` are filled in by the server.

import { escaped } from './highlight.mjs';
import { addressOf } from './pages.mjs';

/** The server puts its widget's id here, or nothing. */
const WIDGET = '{{WIDGET}}';
const NONCE = '{{__TRUNK_NONCE__}}';

const icon = (name, paths) => `<svg class="icon" data-icon="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${paths}</svg>`;

/** Lucide's (ISC), as the IDE has them. */
export const icons = {
  search: icon('search', '<circle cx="11" cy="11" r="8"/><path d="m21 21-4.3-4.3"/>'),
  menu: icon('menu', '<path d="M4 6h16M4 12h16M4 18h16"/>'),
  left: icon('arrow-left', '<path d="m12 19-7-7 7-7M19 12H5"/>'),
  right: icon('arrow-right', '<path d="m12 5 7 7-7 7M5 12h14"/>'),
};

function bar(here) {
  const link = (href, text, is) => `<a href="${href}"${is ? ' aria-current="page"' : ''}>${text}</a>`;
  return `<header class="bar">
  <a class="brand" href="/"><img src="/favicon.svg" alt="" width="24" height="24">Embedenv</a>
  <nav aria-label="Site">
    ${link('/docs', 'Docs', here === 'docs')}
    ${link('/playground', 'Playground', here === 'playground')}
    ${link('/api', 'API', false)}
  </nav>
  <nav class="bar-end" aria-label="Account">
    <a href="/console">Log in</a>
    <a class="button primary" href="/console">Sign up</a>
  </nav>
</header>`;
}

const foot = `<footer class="foot">
  <p><img src="/favicon.svg" alt="" width="16" height="16"> Embedenv, under MIT or Apache-2.0, as you like. This page is served by the program it is about.</p>
  <nav aria-label="Further">
    <a href="/docs">Docs</a><a href="/docs/security">Security</a><a href="/docs/performance">Performance</a><a href="/docs/changelog">Changelog</a><a href="/api">REST API</a>
  </nav>
</footer>`;

/**
 * A page. `scripts` are addresses of its modules; a `live` one is filled in for each answer, and knows the widget and what the
 * editor is loaded from.
 */
export function page({ title, description, here, body, sheet, scripts, live = false, editor = '', className = '', search = '' }) {
  const told = live ? ` data-widget="${WIDGET}"` : '';
  const nonce = live ? ` nonce="${NONCE}"` : '';
  const metas = [
    editor && `<meta name="embedenv-editor" content="${editor}">`,
    search && `<meta name="embedenv-search" content="${search}">`,
  ].filter(Boolean);
  return `<!doctype html>
<html lang="en"${told}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<meta name="description" content="${escaped(description)}">
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="${sheet}">
${metas.join('\n')}
${scripts.map((script) => `<script type="module" src="${script}"${nonce}></script>`).join('\n')}
</head>
<body class="${className}">
<a class="skip" href="#main">Skip to the content</a>
${bar(here)}
${body}
${foot}
</body>
</html>
`;
}

/** The middle of a page of the documentation. */
export function guide({ sections, current, html, outline }) {
  const all = sections.flatMap(({ pages }) => pages);
  const at = all.indexOf(current);
  const around = (other, way, rel) =>
    other ? `<a rel="${rel}" href="${addressOf(other)}"><span>${way}</span>${escaped(other.title)}</a>` : '<span></span>';
  const nav = sections
    .map(
      ({ title, pages }) => `<h2>${escaped(title)}</h2><ul>${pages
        .map((page) => `<li><a href="${addressOf(page)}"${page === current ? ' aria-current="page"' : ''}>${escaped(page.title)}</a></li>`)
        .join('')}</ul>`,
    )
    .join('');
  const contents = outline
    .map(({ depth, anchor, title }) => `<li class="depth-${depth}"><a href="#${anchor}">${escaped(title)}</a></li>`)
    .join('');
  return `<div class="docs">
<div class="docs-side">
  <button type="button" class="docs-menu" aria-expanded="false" aria-controls="docs-nav">${icons.menu}<span>${escaped(current.title)}</span></button>
  <div class="docs-nav" id="docs-nav">
    <button type="button" class="search-open">${icons.search}<span>Search</span><kbd>/</kbd></button>
    <nav aria-label="Documentation">${nav}</nav>
  </div>
</div>
<main id="main" class="prose">
${html}
<nav class="around" aria-label="Neighbours">${around(all[at - 1], `${icons.left} Before`, 'prev')}${around(all[at + 1], `Next ${icons.right}`, 'next')}</nav>
</main>
<aside class="docs-outline">${contents ? `<nav aria-label="On this page"><h2>On this page</h2><ul>${contents}</ul></nav>` : ''}</aside>
</div>
<dialog class="search" aria-label="Search the documentation">
  <form method="dialog" role="search"><label>${icons.search}<span class="visually-hidden">Search</span><input type="search" name="q" autocomplete="off" spellcheck="false" placeholder="Search the documentation"></label><button type="submit">Close</button></form>
  <ul class="found" aria-label="Found"></ul>
  <p class="search-said" role="status"></p>
</dialog>`;
}
