// A terminal of the page: one xterm.js. Owns its size, its colours, its renderer, its links and what is looked for in it;
// what is typed and what comes are bytes. The size is that of this page's place, or somebody else's: then it shows all of it, smaller, and
// leaves it to their page to answer what programs ask a terminal. Never follows a link itself, never touches the clipboard for a program, never throws into the page.

import { FitAddon } from '@xterm/addon-fit';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal as Xterm } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { copy, copyOnSelect, guardPaste, isAskedAbout } from './terminal/clipboard';
import { coloursAt } from './terminal/colours';
import { clipboardKeys } from './terminal/keys';
import { type FindPlaces, PlaceLinks } from './terminal/places';
import { colourByProperties, Renderer } from './terminal/renderer';
import { type OnFound, type Query, Search } from './terminal/search';
import { carry } from './terminal/style';

export interface TerminalOptions {
  parent: HTMLElement;
  /** What its input is called. */
  label: string;
  /** What is said of more output than can be read out. */
  tooMuchOutput: string;
  dark: boolean;
  /** Style elements of this response must carry it. */
  nonce: string;
  /** The rows are text in the page. */
  screenReader: boolean;
  habits: Habits;
  /** Somebody typed, or the terminal answers its program. */
  onData(bytes: Uint8Array): void;
  /** There is room for this many columns and rows here. */
  onRoom(cols: number, rows: number): void;
  /** An http or https link was followed. */
  onLink(url: string): void;
  /** Places in a text whose files are there. */
  findPlaces: FindPlaces;
  /** A place in a file was followed. */
  onPlace(path: string, line: number, column: number): void;
  /** Several lines are to be pasted, which has to be asked about. */
  onPaste(text: string): void;
  /** The program rang. */
  onBell(): void;
  onFound: OnFound;
}

/** What a person set. */
export interface Habits {
  copyOnSelect: boolean;
  /** Several lines are pasted without a question. */
  pasteUnasked: boolean;
}

/** Lines kept above the screen; the oldest go. */
const SCROLLBACK = 10_000;
const FONT_SIZE = 13;
/** Text of somebody else's larger terminal is shown this small at least, in CSS pixels; beyond that it scrolls. */
const SMALLEST = 10;
const LINE_HEIGHT = 1.2;
/** Text is made readable on whatever ground a program gives it (WCAG AA). */
const CONTRAST = 4.5;
/** How long a bell is seen, in milliseconds; how it looks, and whether it moves, is the style sheet's. */
const FLASH = 120;
/** RIS, "reset to initial state": in line with the output, so that what came before it can't come after. */
const RESET = new Uint8Array([0x1b, 0x63]);
/** What the terminal itself tells a program: what it is, where the cursor is, its modes and colours, whether it has the focus. */
const ANSWER = /^\x1b(?:\[[?>]?[\d;]*(?:[cnR]|\$y)|\[[IO]$|\]\d+;|P[01]\$r)/;

export function createTerminal(options: TerminalOptions): Terminal {
  return new Terminal(options);
}

class Terminal {
  readonly #parent: HTMLElement;
  readonly #xterm: Xterm;
  readonly #fitter = new FitAddon();
  readonly #renderer: Renderer;
  readonly #observer: ResizeObserver;
  readonly #search: Search;
  /** Ends every listener. */
  readonly #end = new AbortController();
  #habits: Habits;
  #flash = 0;
  /** For each write that was not taken in yet whether it is of the past. */
  readonly #past: boolean[] = [];
  #frame = 0;
  /** The columns and rows of somebody else, whose terminal this shows. */
  #theirs: { cols: number; rows: number } | null = null;
  #room = '';
  readonly #onRoom: TerminalOptions['onRoom'];

  constructor(options: TerminalOptions) {
    const { parent, label, nonce, screenReader, onLink } = options;
    this.#parent = parent;
    this.#onRoom = options.onRoom;
    this.#habits = options.habits;
    const follow = (_event: MouseEvent, url: string) => {
      if (isWeb(url)) onLink(url);
    };
    carry(nonce);
    Xterm.strings.promptLabel = label;
    Xterm.strings.tooMuchOutput = options.tooMuchOutput;
    const xterm = new Xterm({
      // The marks of a search are not in its settled interface yet.
      allowProposedApi: true,
      fontFamily: getComputedStyle(parent).getPropertyValue('--font-code').trim() || 'monospace',
      fontSize: FONT_SIZE,
      lineHeight: LINE_HEIGHT,
      linkHandler: { activate: follow },
      logLevel: 'off',
      minimumContrastRatio: CONTRAST,
      screenReaderMode: screenReader,
      scrollback: SCROLLBACK,
      theme: coloursAt(parent),
    });
    this.#xterm = xterm;
    xterm.loadAddon(this.#fitter);
    xterm.loadAddon(new WebLinksAddon(follow));
    xterm.open(parent);
    colourByProperties(xterm);
    xterm.textarea?.setAttribute('aria-label', label);
    clipboardKeys(xterm);
    const { signal } = this.#end;
    copyOnSelect(xterm, parent, () => this.#habits.copyOnSelect, signal);
    guardPaste(xterm, parent, () => !this.#habits.pasteUnasked, options.onPaste, signal);
    const places = new PlaceLinks(xterm, parent, options.findPlaces, ({ path, line, column }) => options.onPlace(path, line, column));
    xterm.registerLinkProvider(places);
    this.#search = new Search(xterm, parent, options.onFound);
    xterm.onBell(() => {
      // What rang in the past was heard then.
      if (!this.#past[0]) this.#ring(options.onBell);
    });
    // The page has a menu of its own; xterm.js would take the keyboard from it.
    parent.addEventListener('contextmenu', (event) => event.stopPropagation(), { capture: true, signal });
    // Beside somebody else's smaller terminal there is room that belongs to it, too.
    parent.addEventListener(
      'click',
      (event) => {
        if (event.target === parent) xterm.focus();
      },
      { signal },
    );
    const encoder = new TextEncoder();
    xterm.onData((text) => {
      const isForOthers = this.#past[0] || this.#theirs !== null;
      if (!(isForOthers && ANSWER.test(text))) options.onData(encoder.encode(text));
    });
    xterm.onBinary((text) => options.onData(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    this.#renderer = new Renderer(xterm);
    this.#renderer.useCard(!screenReader);
    this.#observer = new ResizeObserver(() => this.#fitSoon());
    this.#observer.observe(parent);
  }

  /**
   * Shows output; `done` is called when it was taken in. What is asked in output of the `past`, shown once more, gets no
   * answer: it would be typed into whatever program runs by now.
   */
  write(bytes: Uint8Array, done?: () => void, past = false): void {
    this.#past.push(past);
    this.#xterm.write(bytes, () => {
      this.#past.shift();
      done?.();
    });
  }

  /** What is written from now on comes to an empty terminal. */
  reset(): void {
    this.write(RESET);
  }

  /** Takes as many columns and rows as there is room for, or shows somebody else's; nothing while it isn't shown. */
  fit(): void {
    const room = this.#measure();
    if (!room) return;
    if (this.#theirs === null) {
      this.#use(FONT_SIZE, room);
    } else {
      const { cols, rows } = this.#theirs;
      const scale = Math.min(1, room.cols / cols, room.rows / rows);
      this.#use(Math.max(SMALLEST, Math.floor(FONT_SIZE * scale * 2) / 2), this.#theirs);
    }
    const said = `${room.cols}x${room.rows}`;
    if (said === this.#room) return;
    this.#room = said;
    this.#onRoom(room.cols, room.rows);
  }

  /** The terminal is this page's: it has the size that there is room for. */
  lead(): void {
    if (this.#theirs === null) return;
    this.#theirs = null;
    delete this.#parent.dataset.theirs;
    this.fit();
  }

  /** The terminal is somebody else's, and has their columns and rows. */
  follow(cols: number, rows: number): void {
    if (this.#theirs?.cols === cols && this.#theirs.rows === rows) return;
    this.#theirs = { cols, rows };
    this.#parent.dataset.theirs = '';
    this.fit();
  }

  /** The room is joined again: says once more what there is room for. */
  sayRoom(): void {
    this.#room = '';
    this.fit();
  }

  focus(): void {
    this.#xterm.focus();
  }

  /** The page is dark or light now; the colours are the page's either way. */
  setDark(_dark: boolean): void {
    this.#xterm.options.theme = coloursAt(this.#parent);
    this.#search.recolour();
  }

  setScreenReader(on: boolean): void {
    this.#xterm.options.screenReaderMode = on;
    this.#renderer.useCard(!on);
  }

  setHabits(habits: Habits): void {
    this.#habits = habits;
  }

  /** What its input is called by now. */
  setLabel(label: string): void {
    this.#xterm.textarea?.setAttribute('aria-label', label);
  }

  hasSelection(): boolean {
    return this.#xterm.hasSelection();
  }

  copy(): void {
    void copy(this.#xterm);
  }

  selectAll(): void {
    this.#xterm.selectAll();
  }

  /** Pastes without a question. */
  paste(text: string): void {
    this.#xterm.paste(text);
  }

  /** Whether this text, pasted, is one to ask about. */
  isAskedAbout(text: string): boolean {
    return !this.#habits.pasteUnasked && isAskedAbout(text, this.#xterm.modes.bracketedPasteMode);
  }

  /** Forgets all lines but the one of the prompt. */
  clear(): void {
    this.#xterm.clear();
  }

  /** As if somebody had typed it. */
  type(text: string): void {
    this.#xterm.input(text, true);
  }

  /** What is selected in one line, to look for it. */
  selectedLine(): string {
    const text = this.#xterm.getSelection();
    return /[\r\n]/.test(text) ? '' : text;
  }

  find(query: Query, way: 'next' | 'previous' | 'typing'): void {
    void this.#search.find(query, way);
  }

  closeFind(): void {
    void this.#search.close();
  }

  destroy(): void {
    this.#end.abort();
    clearTimeout(this.#flash);
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#renderer.destroy();
    this.#xterm.dispose();
  }

  #ring(tell: () => void): void {
    tell();
    if (this.#flash) return;
    this.#parent.dataset.rings = '';
    this.#flash = window.setTimeout(() => {
      this.#flash = 0;
      delete this.#parent.dataset.rings;
    }, FLASH);
  }

  /** The columns and rows that there is room for with letters of the usual size; `null` while it isn't shown. */
  #measure(): { cols: number; rows: number } | null {
    if (this.#parent.clientWidth === 0 || this.#parent.clientHeight === 0) return null;
    if (this.#xterm.options.fontSize !== FONT_SIZE) this.#xterm.options.fontSize = FONT_SIZE;
    const room = this.#fitter.proposeDimensions();
    return room && Number.isFinite(room.cols) && Number.isFinite(room.rows) ? room : null;
  }

  #use(fontSize: number, { cols, rows }: { cols: number; rows: number }): void {
    if (this.#xterm.options.fontSize !== fontSize) this.#xterm.options.fontSize = fontSize;
    if (this.#xterm.cols !== cols || this.#xterm.rows !== rows) this.#xterm.resize(cols, rows);
  }

  #fitSoon(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.fit());
  }
}

function isWeb(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
}
