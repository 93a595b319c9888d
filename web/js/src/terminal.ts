// A terminal of the page: one xterm.js. Owns its size, its colours, its renderer and its links; what is typed and what
// comes are bytes. Never follows a link itself, never touches the clipboard for a program, never throws into the page.

import { FitAddon } from '@xterm/addon-fit';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal as Xterm } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { coloursAt } from './terminal/colours';
import { clipboardKeys } from './terminal/keys';
import { Renderer } from './terminal/renderer';
import { carry } from './terminal/style';

export interface TerminalOptions {
  parent: HTMLElement;
  label: string;
  dark: boolean;
  /** Style elements of this response must carry it. */
  nonce: string;
  /** The rows are text in the page. */
  screenReader: boolean;
  /** Somebody typed, or the terminal answers its program. */
  onData(bytes: Uint8Array): void;
  onResize(cols: number, rows: number): void;
  /** An http or https link was followed. */
  onLink(url: string): void;
}

/** Lines kept above the screen; the oldest go. */
const SCROLLBACK = 10_000;
const FONT_SIZE = 13;
const LINE_HEIGHT = 1.2;
/** Text is made readable on whatever ground a program gives it (WCAG AA). */
const CONTRAST = 4.5;
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
  /** For each write that was not taken in yet whether it is of the past. */
  readonly #past: boolean[] = [];
  #frame = 0;

  constructor(options: TerminalOptions) {
    const { parent, label, nonce, screenReader, onLink } = options;
    this.#parent = parent;
    const follow = (_event: MouseEvent, url: string) => {
      if (isWeb(url)) onLink(url);
    };
    carry(nonce);
    const xterm = new Xterm({
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
    xterm.textarea?.setAttribute('aria-label', `${label} input`);
    clipboardKeys(xterm);
    const encoder = new TextEncoder();
    xterm.onData((text) => {
      if (!(this.#past[0] && ANSWER.test(text))) options.onData(encoder.encode(text));
    });
    xterm.onBinary((text) => options.onData(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    xterm.onResize(({ cols, rows }) => options.onResize(cols, rows));
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

  /** Takes as many columns and rows as there is room for; nothing while it isn't shown. */
  fit(): void {
    if (this.#parent.clientWidth > 0 && this.#parent.clientHeight > 0) this.#fitter.fit();
  }

  cols(): number {
    return this.#xterm.cols;
  }

  rows(): number {
    return this.#xterm.rows;
  }

  focus(): void {
    this.#xterm.focus();
  }

  /** The page is dark or light now; the colours are the page's either way. */
  setDark(_dark: boolean): void {
    this.#xterm.options.theme = coloursAt(this.#parent);
  }

  setScreenReader(on: boolean): void {
    this.#xterm.options.screenReaderMode = on;
    this.#renderer.useCard(!on);
  }

  selection(): string {
    return this.#xterm.getSelection();
  }

  paste(text: string): void {
    this.#xterm.paste(text);
  }

  destroy(): void {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#renderer.destroy();
    this.#xterm.dispose();
  }

  #fitSoon(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.fit());
  }
}

function isWeb(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
}
