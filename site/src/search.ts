// The search of the documentation, in the page: every piece of text that has all the words, the best first. Its index is a file
// that was made with the pages, and is loaded when somebody searches.

interface Piece {
  page: string;
  title: string;
  href: string;
  text: string;
}

interface Hit {
  piece: Piece;
  score: number;
}

/** The most that is shown. */
const MOST = 20;
/** What is shown of a text around its first hit, in characters. */
const AROUND = 120;

/** The pieces that have every word of a query, the best first. */
export function found(pieces: Piece[], query: string): Hit[] {
  const words = wordsOf(query);
  if (words.length === 0) return [];
  const hits: Hit[] = [];
  for (const piece of pieces) {
    const [title, page, text] = [piece.title.toLowerCase(), piece.page.toLowerCase(), piece.text.toLowerCase()];
    let score = 0;
    for (const word of words) {
      const own = weight(title, word) * 12 + weight(page, word) * 4 + weight(text, word);
      if (own === 0) {
        score = 0;
        break;
      }
      score += own;
    }
    if (score > 0) hits.push({ piece, score });
  }
  return hits.sort((one, other) => other.score - one.score).slice(0, MOST);
}

/** More for a word of its own than for the beginning of one, and for that than for what is inside of one. */
function weight(text: string, word: string): number {
  const at = text.indexOf(word);
  if (at < 0) return 0;
  const isPart = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}]/u.test(character);
  let best = 1;
  for (let from = at; from >= 0; from = text.indexOf(word, from + 1)) {
    if (isPart(text[from - 1])) continue;
    if (!isPart(text[from + word.length])) return 4;
    best = 2;
  }
  return best;
}

function wordsOf(query: string): string[] {
  return query.toLowerCase().split(/\s+/).filter(Boolean);
}

export class Search {
  readonly #dialog = document.querySelector<HTMLDialogElement>('dialog.search')!;
  readonly #field = this.#dialog.querySelector<HTMLInputElement>('input')!;
  readonly #list = this.#dialog.querySelector<HTMLElement>('.found')!;
  readonly #said = this.#dialog.querySelector<HTMLElement>('[role="status"]')!;
  #pieces: Promise<Piece[]> | null = null;
  /** The query whose hits are shown; those of an earlier one come too late. */
  #asked = '';

  constructor() {
    for (const button of document.querySelectorAll('.search-open')) button.addEventListener('click', () => this.#open());
    addEventListener('keydown', (event) => {
      const isTyping = event.target instanceof Element && event.target.closest('input, textarea, [contenteditable]');
      const isAsked = event.key === '/' || (event.key === 'k' && (event.ctrlKey || event.metaKey));
      if (!isAsked || isTyping || this.#dialog.open) return;
      event.preventDefault();
      this.#open();
    });
    this.#field.addEventListener('input', () => void this.#search());
    this.#dialog.addEventListener('keydown', (event) => this.#key(event));
    this.#dialog.addEventListener('click', ({ target }) => {
      if (target === this.#dialog) this.#dialog.close();
    });
    // A link to a place of this page closes it.
    this.#list.addEventListener('click', ({ target }) => {
      if (target instanceof Element && target.closest('a')) this.#dialog.close();
    });
  }

  #open(): void {
    this.#dialog.showModal();
    this.#field.select();
    void this.#load().catch(() => undefined);
  }

  #load(): Promise<Piece[]> {
    const address = document.querySelector<HTMLMetaElement>('meta[name="embedenv-search"]')!.content;
    this.#pieces ??= fetch(address)
      .then((response) => {
        if (!response.ok) throw new Error(`the index is answered with ${response.status}`);
        return response.json() as Promise<Piece[]>;
      })
      .catch((error: unknown) => {
        this.#pieces = null;
        throw error;
      });
    return this.#pieces;
  }

  async #search(): Promise<void> {
    const query = this.#field.value;
    this.#asked = query;
    try {
      const pieces = await this.#load();
      if (this.#asked === query) this.#show(found(pieces, query), query);
    } catch {
      this.#said.textContent = 'The index could not be loaded. Try again.';
    }
  }

  #show(hits: Hit[], query: string): void {
    const words = wordsOf(query);
    this.#list.replaceChildren(...hits.map(({ piece }) => line(piece, words)));
    this.#said.textContent = words.length === 0 ? '' : hits.length === 0 ? 'Nothing has all of these words.' : `${hits.length === MOST ? 'The best ' : ''}${hits.length} found`;
  }

  /** Arrows go from the field through what was found; Enter in the field goes to the best. */
  #key(event: KeyboardEvent): void {
    const stops: HTMLElement[] = [this.#field, ...this.#list.querySelectorAll('a')];
    const at = stops.indexOf(document.activeElement as HTMLElement);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      stops[(at + (event.key === 'ArrowDown' ? 1 : -1) + stops.length) % stops.length]!.focus();
    } else if (event.key === 'Enter' && at === 0) {
      event.preventDefault();
      stops[1]?.click();
    }
  }
}

function line({ page, title, href, text }: Piece, words: string[]): HTMLElement {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.href = href;
  const head = document.createElement('b');
  head.append(marked(title, words));
  const where = document.createElement('span');
  where.className = 'found-page';
  where.textContent = page === title ? '' : page;
  const quote = document.createElement('span');
  quote.className = 'found-text';
  quote.append(marked(around(text, words), words));
  link.append(head, where, quote);
  item.append(link);
  return item;
}

/** What stands around the first word that is there. */
function around(text: string, words: string[]): string {
  const lower = text.toLowerCase();
  const at = Math.min(...words.map((word) => lower.indexOf(word)).filter((place) => place >= 0), text.length);
  const from = at === text.length ? 0 : Math.max(0, at - AROUND / 3);
  const cut = from === 0 ? 0 : text.indexOf(' ', from) + 1;
  return `${cut > 0 ? '… ' : ''}${text.slice(cut, cut + AROUND)}${cut + AROUND < text.length ? ' …' : ''}`;
}

function marked(text: string, words: string[]): DocumentFragment {
  const all = document.createDocumentFragment();
  const pattern = new RegExp(words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'gi');
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const mark = document.createElement('mark');
    mark.textContent = match[0];
    all.append(text.slice(from, match.index), mark);
    from = match.index + match[0].length;
  }
  all.append(text.slice(from));
  return all;
}
