// Looking for something in a terminal: xterm.js's search, loaded when it is first used. Owns the marks at what was found,
// in the colours of the page.

import type { ISearchOptions, SearchAddon } from '@xterm/addon-search';
import type { Terminal } from '@xterm/xterm';
import { colourOf } from './colours';

export interface Query {
  text: string;
  case: boolean;
  word: boolean;
  regex: boolean;
}

/** Which match is shown, from 1 (none is with 0), and how many there are; `-1` if the query is no regular expression. */
export type OnFound = (at: number, count: number) => void;

/** Matches that are counted and marked. */
const MOST = 1000;

export class Search {
  readonly #terminal: Terminal;
  readonly #parent: HTMLElement;
  readonly #onFound: OnFound;
  #addon: Promise<SearchAddon> | null = null;
  #shown: Query | null = null;

  constructor(terminal: Terminal, parent: HTMLElement, onFound: OnFound) {
    this.#terminal = terminal;
    this.#parent = parent;
    this.#onFound = onFound;
  }

  /** Goes to the next match, or to the one before; `typing` stays at the match that is shown while it still is one. */
  async find(query: Query, way: 'next' | 'previous' | 'typing'): Promise<void> {
    const before = this.#shown;
    this.#shown = query;
    const addon = await this.#load();
    // Something else is looked for by now, or nothing.
    if (this.#shown !== query) return;
    if (query.text === '') {
      addon.clearDecorations();
      this.#terminal.clearSelection();
      this.#onFound(0, 0);
      return;
    }
    if (query.regex && !isExpression(query.text)) {
      addon.clearDecorations();
      this.#onFound(0, -1);
      return;
    }
    // The addon marks anew for another text, and not for the same one looked for in another way.
    if (before && isOtherWay(before, query)) addon.clearDecorations();
    const options = this.#options(query);
    if (way === 'previous') addon.findPrevious(query.text, options);
    else addon.findNext(query.text, { ...options, incremental: way === 'typing' });
  }

  /** Takes the marks away. What was found last stays selected. */
  async close(): Promise<void> {
    this.#shown = null;
    if (this.#addon) (await this.#addon).clearDecorations();
  }

  /** The page has other colours: marks anew. */
  recolour(): void {
    const query = this.#shown;
    if (!query) return;
    void this.close().then(() => this.find(query, 'typing'));
  }

  #load(): Promise<SearchAddon> {
    this.#addon ??= import('@xterm/addon-search').then(({ SearchAddon }) => {
      const addon = new SearchAddon({ highlightLimit: MOST });
      this.#terminal.loadAddon(addon);
      addon.onDidChangeResults(({ resultIndex, resultCount }) => {
        if (this.#shown) this.#onFound(resultIndex + 1, resultCount);
      });
      return addon;
    });
    return this.#addon;
  }

  #options(query: Query): ISearchOptions {
    const [match, active, border] = ['--terminal-match', '--terminal-match-active', '--terminal-match-border'].map(
      (property) => colourOf(this.#parent, property) ?? '#888888',
    ) as [string, string, string];
    return {
      caseSensitive: query.case,
      wholeWord: query.word,
      regex: query.regex,
      decorations: {
        matchBackground: match,
        matchBorder: match,
        matchOverviewRuler: match,
        activeMatchBackground: active,
        // Told from the others by more than its colour.
        activeMatchBorder: border,
        activeMatchColorOverviewRuler: active,
      },
    };
  }
}

function isOtherWay(one: Query, other: Query): boolean {
  return one.case !== other.case || one.word !== other.word || one.regex !== other.regex;
}

function isExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
