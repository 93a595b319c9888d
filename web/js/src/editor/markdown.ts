// Markdown as a page of its own kind: parsed by `marked`, built of elements one by one. Text of the file never becomes
// markup: what is HTML in it shows as its text. Links lead to http, https and mail addresses or to files of the project;
// pictures come out of the project. Owns the elements that it makes and nothing else.

import { Lexer, type MarkedToken, type Token, type Tokens } from 'marked';
import { said } from '../said';
import { coloured } from './coloured';
import { languageOf } from './languages';

/** Where links and pictures of a file lead. */
export interface Places {
  /** A file of the project is to be shown. */
  open(path: string): void;
  /** The address of a picture of the project; `null` if there is none. */
  picture(path: string): Promise<string | null>;
}

/** A part of the page and the line of the source that it begins at, from 1. */
export interface Block {
  element: HTMLElement;
  line: number;
}

/** Code longer than this, in UTF-16 units, has no colours. */
const LONGEST_CODE = 50_000;

/** Names of languages in fences that are not endings of files. */
const ENDINGS: Record<string, string> = {
  python: 'py', javascript: 'js', typescript: 'ts', rust: 'rs', bash: 'sh', shell: 'sh', console: 'sh', zsh: 'sh',
  'c++': 'cpp', golang: 'go', markdown: 'md', jsonc: 'json',
};

/** A file that is looked at, whose parts are made once for as long as they stay what they are. */
export class MarkdownPage {
  readonly #root: HTMLElement;
  readonly #places: Places;
  /** The folder of the file, in which its links begin. */
  #folder: string;
  #made = new Map<string, HTMLElement[]>();
  blocks: Block[] = [];

  constructor(root: HTMLElement, path: string, places: Places) {
    this.#root = root;
    this.#places = places;
    this.#folder = path.split('/').slice(0, -1).join('/');
  }

  show(text: string): void {
    const before = this.#made;
    this.#made = new Map();
    this.blocks = [];
    let line = 1;
    for (const token of new Lexer({ gfm: true }).lex(text)) {
      const key = `${token.type} ${token.raw}`;
      const element = token.type === 'space' || token.type === 'def' ? null : (before.get(key)?.pop() ?? this.#block(token as MarkedToken));
      if (element) {
        this.#made.set(key, [...(this.#made.get(key) ?? []), element]);
        this.blocks.push({ element, line });
      }
      line += token.raw.split('\n').length - 1;
    }
    const elements = this.blocks.map(({ element }) => element);
    // What stays is not moved, so that neither the place nor a selection is lost.
    for (const child of [...this.#root.children]) if (!elements.includes(child as HTMLElement)) child.remove();
    elements.forEach((element, at) => {
      if (this.#root.children[at] !== element) this.#root.insertBefore(element, this.#root.children[at] ?? null);
    });
  }

  #block(token: MarkedToken): HTMLElement {
    switch (token.type) {
      case 'heading': {
        const heading = make(`h${Math.min(6, Math.max(1, token.depth))}`, this.#inline(token.tokens));
        heading.dataset.anchor = anchor(heading.textContent ?? '');
        return heading;
      }
      case 'paragraph':
        return make('p', this.#inline(token.tokens));
      case 'text':
        return make('p', this.#inline(token.tokens ?? [token]));
      case 'code':
        return this.#code(token);
      case 'blockquote':
        return make('blockquote', this.#blocks(token.tokens));
      case 'list':
        return this.#list(token);
      case 'table':
        return this.#table(token);
      case 'hr':
        return make('hr', []);
      case 'html': {
        const text = make('p', [textOf(token.text)]);
        text.hidden = text.textContent === '';
        return text;
      }
      default:
        return make('p', [token.raw]);
    }
  }

  #blocks(tokens: readonly Token[]): HTMLElement[] {
    return tokens.filter(({ type }) => type !== 'space' && type !== 'def').map((token) => this.#block(token as MarkedToken));
  }

  #code({ text, lang }: Tokens.Code): HTMLElement {
    const code = make('code', [text]);
    const name = (lang ?? '').trim().split(/\s/)[0]?.toLowerCase() ?? '';
    const load = name && text.length <= LONGEST_CODE ? languageOf(`x.${ENDINGS[name] ?? name}`) : null;
    load?.().then(
      (extension) => coloured(code, text, extension),
      (error: unknown) => console.warn(`the colours of ${name} could not be loaded`, error),
    );
    const block = make('pre', [code]);
    // Code that is wider than the page is scrolled, with the keyboard too.
    block.tabIndex = 0;
    return block;
  }

  #list({ ordered, start, items }: Tokens.List): HTMLElement {
    const list = make(ordered ? 'ol' : 'ul', items.map((item) => this.#item(item)));
    if (ordered && typeof start === 'number' && start !== 1) list.setAttribute('start', String(start));
    return list;
  }

  #item({ task, checked, loose, tokens }: Tokens.ListItem): HTMLElement {
    const parts = tokens.flatMap((token): (Node | string)[] => {
      if (token.type === 'checkbox' || token.type === 'space') return [];
      const isLine = token.type === 'text' && !loose;
      return isLine ? this.#inline((token as Tokens.Text).tokens ?? [token]) : [this.#block(token as MarkedToken)];
    });
    if (!task) return make('li', parts);
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.checked = checked === true;
    box.disabled = true;
    box.setAttribute('aria-label', said(checked ? 'markdown.done' : 'markdown.to-do'));
    // In a list with room between its items, each is a paragraph, which begins with its box.
    const first = parts[0];
    if (first instanceof HTMLElement && first.tagName === 'P') first.prepend(box);
    else parts.unshift(box);
    const item = make('li', parts);
    item.className = 'task';
    return item;
  }

  #table({ header, rows, align }: Tokens.Table): HTMLElement {
    const row = (cells: readonly Tokens.TableCell[], kind: 'th' | 'td') =>
      make('tr', cells.map((cell, at) => {
        const element = make(kind, this.#inline(cell.tokens));
        const side = align[at];
        if (side) element.className = `align-${side}`;
        return element;
      }));
    const table = make('table', [
      make('thead', [row(header, 'th')]),
      make('tbody', rows.map((cells) => row(cells, 'td'))),
    ]);
    const wide = make('div', [table]);
    wide.className = 'wide';
    wide.tabIndex = 0;
    return wide;
  }

  #inline(tokens: readonly Token[]): (Node | string)[] {
    return (tokens as MarkedToken[]).flatMap((token): (Node | string)[] => {
      switch (token.type) {
        case 'text':
          return token.tokens ? this.#inline(token.tokens) : [entities(token.text)];
        case 'escape':
          return [entities(token.text)];
        case 'strong':
        case 'em':
        case 'del':
          return [make(token.type, this.#inline(token.tokens))];
        case 'codespan':
          return [make('code', [token.text])];
        case 'br':
          return [document.createElement('br')];
        case 'link':
          return [this.#link(token.href, this.#inline(token.tokens), token.title ?? null)];
        case 'image':
          return [this.#picture(token.href, token.text)];
        case 'html':
          return /^<br\s*\/?>$/i.test(token.raw.trim()) ? [document.createElement('br')] : [];
        default:
          return [token.raw];
      }
    });
  }

  #link(href: string, parts: (Node | string)[], title: string | null): Node {
    const link = make('a', parts) as HTMLAnchorElement;
    if (title) link.title = title;
    if (/^(https?:\/\/|mailto:)/i.test(href)) {
      link.href = href;
      link.target = '_blank';
      link.rel = 'noopener noreferrer';
      return link;
    }
    const [path = '', place = ''] = href.split('#');
    const file = path ? within(this.#folder, path) : null;
    if (path && file === null) return make('span', parts);
    // An address of its own, so that the keyboard finds it; it is never gone to.
    link.href = `#${place}`;
    link.addEventListener('click', (event) => {
      event.preventDefault();
      if (file !== null) this.#places.open(file);
      else this.#goTo(decoded(place));
    });
    return link;
  }

  #goTo(place: string): void {
    const headings = [...this.#root.querySelectorAll<HTMLElement>('[data-anchor]')];
    headings.find(({ dataset }) => dataset.anchor === place.toLowerCase())?.scrollIntoView({ block: 'start' });
  }

  #picture(href: string, text: string): Node {
    const picture = document.createElement('img');
    picture.alt = entities(text);
    if (/^data:image\/(png|jpeg|gif|webp|avif);/i.test(href)) {
      picture.src = href;
      return picture;
    }
    // The page asks no other host for anything: such a picture is a link to it.
    if (/^https?:\/\//i.test(href)) return this.#link(href, [text || href], said('markdown.elsewhere'));
    const path = within(this.#folder, href.split(/[?#]/)[0] ?? '');
    const missing = () => picture.replaceWith(make('span', [said('markdown.missing', { name: text || href })]));
    if (path === null) return make('span', [text || href]);
    this.#places.picture(path).then((address) => {
      if (address === null) missing();
      else picture.src = address;
    }, missing);
    return picture;
  }
}

function make(name: string, parts: readonly (Node | string)[]): HTMLElement {
  const element = document.createElement(name);
  element.append(...parts);
  return element;
}

/** The path in the project that `link` leads to from `folder`; `null` if it leads out or is no path. */
export function within(folder: string, link: string): string | null {
  if (!link || /^[a-z][a-z0-9+.-]*:/i.test(link) || link.startsWith('//')) return null;
  const parts: string[] = link.startsWith('/') ? [] : folder.split('/').filter(Boolean);
  for (const part of decoded(link).split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.length > 0 ? parts.join('/') : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a heading is called in links, as on GitHub. */
function anchor(text: string): string {
  return text.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
}

/** Text with its character references put in. A document that is shown nowhere reads these, and nothing but these. */
function entities(text: string): string {
  return text.replace(
    /&(#\d+|#x[\da-f]+|[a-z][a-z\d]*);/gi,
    (reference) => new DOMParser().parseFromString(reference, 'text/html').body.textContent ?? reference,
  );
}

/** Roughly the text that a piece of HTML shows. Whatever is left of its markup is text as well. */
function textOf(html: string): string {
  return entities(html.replace(/<!--[^]*?-->|<(script|style)\b[^]*?<\/\1\s*>|<\/?[a-z][^<>]*>/gi, '')).trim();
}
