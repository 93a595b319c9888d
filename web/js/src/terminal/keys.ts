// Copying from a terminal by Ctrl+C and pasting into it by key. Everything else that is typed is the program's: the page's
// own commands took their keys before. Never reads the clipboard: pasting is left to the browser, which needs no
// permission for it.

import type { Terminal } from '@xterm/xterm';
import { copy } from './clipboard';

export function clipboardKeys(terminal: Terminal): void {
  let isCopying = false;
  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || event.altKey || event.metaKey) return true;
    const key = event.key.toLowerCase();
    // With something selected it copies, as in VS Code on Windows: people who select want that, and the selection goes
    // with it, so that the next Ctrl+C interrupts, also while the clipboard is not done yet.
    if (key === 'c' && !event.shiftKey && terminal.hasSelection() && !isCopying) {
      if (event.type === 'keydown') {
        event.preventDefault();
        isCopying = true;
        void copy(terminal).then(() => {
          isCopying = false;
          terminal.clearSelection();
        });
      }
      return false;
    }
    // The browser pastes, if the terminal leaves the key alone.
    return !(key === 'v' && event.shiftKey);
  });
}
