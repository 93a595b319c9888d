// Who draws a terminal: the graphics card where there is one, elements of the page otherwise and for screen readers. Owns
// that choice and its changes; whatever fails on the way ends in elements, which always work.

import type { Terminal } from '@xterm/xterm';

export class Renderer {
  readonly #terminal: Terminal;
  #card: { dispose(): void } | null = null;
  #wanted = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  useCard(wanted: boolean): void {
    this.#wanted = wanted;
    if (!wanted) this.#release();
    else if (!this.#card && hasCard()) void this.#load();
  }

  destroy(): void {
    this.useCard(false);
  }

  async #load(): Promise<void> {
    try {
      const { WebglAddon } = await import('@xterm/addon-webgl');
      if (!this.#wanted || this.#card) return;
      const addon = new WebglAddon();
      addon.onContextLoss(() => this.#release());
      this.#card = addon;
      this.#terminal.loadAddon(addon);
    } catch {
      this.#release();
    }
  }

  #release(): void {
    const card = this.#card;
    this.#card = null;
    try {
      card?.dispose();
    } catch {
      // It never got as far as drawing: there is nothing to take back.
    }
  }
}

/** What draws elements, as far as it concerns us; xterm.js has no name for it to the outside. */
interface Inner {
  _core?: { _renderService?: { _renderer?: { value?: { _rowFactory?: object } } } };
}

/**
 * Colours beyond the palette, and those that are changed to be readable, are written by xterm.js as `style` attributes, which
 * the page's policy forbids. Properties say the same and are allowed. To be called once a terminal is open, before a card draws.
 */
export function colourByProperties(terminal: Terminal): void {
  const rows = (terminal as unknown as Inner)._core?._renderService?._renderer?.value?._rowFactory;
  if (!rows) return;
  Object.assign(Object.getPrototypeOf(rows) as object, {
    _addStyle(element: HTMLElement, style: string) {
      element.style.cssText += `${style};`;
    },
  });
}

let card: boolean | null = null;

/** Whether WebGL is drawn by hardware: by software it is slower than elements are. */
function hasCard(): boolean {
  if (card === null) {
    const context = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
    context?.getExtension('WEBGL_lose_context')?.loseContext();
    card = context !== null;
  }
  return card;
}
