// A Markdown file as a page: HTML with anchors at its headings, links to where things are on this server, code in its colours;
// its outline; and its text in pieces for the search. A link that leads nowhere is an error. Touches no disk.

import { Marked, Renderer } from 'marked';
import path from 'node:path/posix';
import { escaped, highlighted } from './highlight.mjs';
import { addressOf } from './pages.mjs';

const lexer = new Marked({ gfm: true });

/** Files that have an address of their own on every server. */
const SERVED = { 'docs/openapi.json': '/api/v1/openapi.json' };

/** The words after a fence's language that mean something: a frame that can be sent, and what ends the answer to it. */
const RUN = 'run';

/** Every heading of a text; its anchor is made in GitHub's way. */
export function headingsOf(text) {
  const seen = new Map();
  return lexer.lexer(text)
    .filter(({ type }) => type === 'heading')
    .map((token) => ({ depth: token.depth, title: plainText(token.tokens), anchor: anchorOf(token, seen) }));
}

function anchorOf(token, seen) {
  const base = plainText(token.tokens)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
  const count = seen.get(base) ?? 0;
  seen.set(base, count + 1);
  return count === 0 ? base : `${base}-${count}`;
}

/** What a link of `from` leads to, in a repository with these pages and files. */
export function resolved(href, from, { pages, files, pictures, anchors }) {
  if (/^https?:\/\//.test(href)) return { href, isForeign: true };
  const [to, anchor] = href.split('#');
  const file = to ? path.join(path.dirname(from), to) : from;
  const page = pages.find((page) => page.file === file);
  if (page) {
    if (anchor && !anchors.get(file).has(anchor)) throw new Error(`${from}: ${href}: ${file} has no heading of that name`);
    const own = file === from ? '' : addressOf(page);
    return { href: anchor ? `${own}#${anchor}` : addressOf(page), title: page.title };
  }
  if (pictures.has(file)) return { href: pictures.get(file).url };
  if (Object.hasOwn(SERVED, file)) return { href: SERVED[file] };
  const isThere = files.has(file) || [...files].some((other) => other.startsWith(`${file}/`));
  if (!isThere) throw new Error(`${from}: ${href} leads nowhere`);
  // It is in the repository, and nowhere that a browser gets to.
  return { href: null };
}

/** A page: `html`, the `outline` of its second headings, a `description`, and `pieces` for the search. */
export function rendered(text, from, site) {
  const seen = new Map();
  const outline = [];
  const pieces = [];
  let piece = null;
  const begin = (title, anchor) => pieces.push((piece = { title, anchor, text: '' }));

  const renderer = {
    heading(token) {
      const anchor = anchorOf(token, seen);
      const inner = this.parser.parseInline(token.tokens);
      if (token.depth === 1) return `<h1>${inner}</h1>\n`;
      if (token.depth <= 3) outline.push({ depth: token.depth, anchor, title: plainText(token.tokens) });
      return `<h${token.depth} id="${anchor}">${inner}<a class="anchor" href="#${anchor}" aria-label="Link to ${escaped(plainText(token.tokens))}"></a></h${token.depth}>\n`;
    },
    link({ href, tokens }) {
      const to = resolved(href, from, site);
      // A link that says its own file's name says here what the page is called.
      const isName = plainText(tokens).endsWith('.md') && href.endsWith(plainText(tokens).replace(/^.*\//, ''));
      const inner = isName && to.title ? escaped(to.title) : this.parser.parseInline(tokens);
      if (to.href === null) return inner;
      return to.isForeign ? `<a href="${escaped(to.href)}" rel="noreferrer">${inner}</a>` : `<a href="${escaped(to.href)}">${inner}</a>`;
    },
    image({ href, text }) {
      const picture = site.pictures.get(path.join(path.dirname(from), href));
      if (!picture) throw new Error(`${from}: there is no picture ${href}`);
      const { url, width, height } = picture;
      return `<img src="${url}" alt="${escaped(text)}" width="${width}" height="${height}" loading="lazy">`;
    },
    code({ text: code, lang = '' }) {
      const [language, ...words] = lang.split(/\s+/);
      const body = highlighted(code, language ?? '');
      if (words[0] !== RUN) return `<pre tabindex="0"><code>${body}</code></pre>\n`;
      const until = words.find((word) => word.startsWith('until='))?.slice('until='.length) ?? '';
      return `<div class="step" data-until="${escaped(until)}"><pre tabindex="0"><code>${body}</code></pre></div>\n`;
    },
    table(token) {
      const table = Renderer.prototype.table.call(this, token);
      // A head without words is none.
      const isBare = token.header.every(({ tokens }) => tokens.length === 0);
      return `<div class="table" tabindex="0" role="group" aria-label="Table">${isBare ? table.replace(/<thead>[^]*?<\/thead>/, '') : table}</div>\n`;
    },
    html({ text: markup }) {
      // What is for those who write it.
      if (/^\s*(<!--[^]*?-->\s*)+$/.test(markup)) return '';
      throw new Error(`${from}: HTML in Markdown is not carried over: ${markup.trim()}`);
    },
  };
  const tokens = lexer.lexer(text);
  const marked = new Marked({ gfm: true, renderer });
  const html = marked.parser(tokens);

  const anchors = new Map();
  for (const token of tokens) {
    if (token.type === 'heading') begin(plainText(token.tokens), token.depth === 1 ? (anchorOf(token, anchors), '') : anchorOf(token, anchors));
    else if (piece) piece.text += ` ${textOf(token)}`;
  }
  for (const each of pieces) each.text = each.text.replaceAll(/\s+/g, ' ').trim();
  const first = tokens.find(({ type }) => type === 'paragraph');
  const description = first ? plainText(first.tokens).replaceAll(/\s+/g, ' ') : '';
  return { html, outline, description, pieces };
}

/** The words of inline tokens. */
export function plainText(tokens = []) {
  return tokens.map((token) => (token.tokens ? plainText(token.tokens) : unescaped(token.text ?? token.raw))).join('');
}

function textOf(token) {
  switch (token.type) {
    case 'space':
    case 'html':
    case 'hr':
      return '';
    case 'list':
      return token.items.map((item) => item.tokens.map(textOf).join(' ')).join(' ');
    case 'table':
      return [token.header, ...token.rows].map((row) => row.map(({ tokens }) => plainText(tokens)).join(' ')).join(' ');
    case 'blockquote':
      return token.tokens.map(textOf).join(' ');
    case 'code':
      return token.text;
    default:
      return token.tokens ? plainText(token.tokens) : (token.text ?? '');
  }
}

function unescaped(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}

