// Copying from a terminal and pasting into it by key. Everything else that is typed is the program's. Never reads the
// clipboard: pasting is left to the browser, which needs no permission for it.

import type { Terminal } from '@xterm/xterm';

export function clipboardKeys(terminal: Terminal): void {
  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || event.altKey || event.metaKey) return true;
    const key = event.key.toLowerCase();
    if (key === 'c' && (event.shiftKey || terminal.hasSelection())) {
      if (event.type === 'keydown') {
        // Ctrl+Shift+C is a browser's key too.
        event.preventDefault();
        void copy(terminal);
      }
      return false;
    }
    // The browser pastes, if the terminal leaves the key alone.
    return !(key === 'v' && event.shiftKey);
  });
}

async function copy(terminal: Terminal): Promise<void> {
  const text = terminal.getSelection();
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Not allowed in some frames, and absent without https; the terminal answers the older way.
    document.execCommand('copy');
  }
  terminal.clearSelection();
}
