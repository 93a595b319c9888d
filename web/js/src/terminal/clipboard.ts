// What goes from a terminal to the clipboard, and what comes from there: several lines are asked about first. Never reads
// the clipboard, and says nothing of one that takes nothing.

import type { Terminal } from '@xterm/xterm';

/** Copies what is selected. */
export async function copy(terminal: Terminal): Promise<void> {
  const text = terminal.getSelection();
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not allowed in some frames, and absent without https; the terminal answers the older way.
    document.execCommand('copy');
  }
}

/** Copies what the pointer selects, while `wanted` says so. What a search selects is nobody's choice, and stays. */
export function copyOnSelect(terminal: Terminal, parent: HTMLElement, wanted: () => boolean, signal: AbortSignal): void {
  parent.addEventListener(
    'mousedown',
    (event) => {
      if (event.button !== 0 || !wanted()) return;
      // The selection is made by the time the event has come to the window.
      addEventListener('mouseup', () => setTimeout(() => void quietly(terminal)), { once: true, signal });
    },
    { capture: true, signal },
  );
}

async function quietly(terminal: Terminal): Promise<void> {
  const text = terminal.getSelection();
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Nobody asked for it in so many words.
  }
}

/** Several lines that are pasted go to `ask` instead, while `wanted` says so. */
export function guardPaste(
  terminal: Terminal,
  parent: HTMLElement,
  wanted: () => boolean,
  ask: (text: string) => void,
  signal: AbortSignal,
): void {
  parent.addEventListener(
    'paste',
    (event) => {
      const text = event.clipboardData?.getData('text/plain') ?? '';
      if (!wanted() || !isAskedAbout(text, terminal.modes.bracketedPasteMode)) return;
      event.preventDefault();
      event.stopPropagation();
      ask(text);
    },
    { capture: true, signal },
  );
}

/**
 * Whether pasting this might run more than one looks at. A program that knows pasting from typing runs nothing by itself,
 * and one line with its end is what a copied command is.
 */
export function isAskedAbout(text: string, bracketed: boolean): boolean {
  return !bracketed && /[\r\n]/.test(text.replace(/\r?\n[ \t]*$/, ''));
}
