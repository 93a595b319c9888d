// The keys that are the editor's own, such as the arrows. Those of commands with a name are the page's, which hears them
// first and calls `perform`.

import { defaultKeymap, indentLess } from '@codemirror/commands';
import { foldKeymap } from '@codemirror/language';
import { searchKeymap } from '@codemirror/search';
import { type Extension, Prec } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { tab, withoutNamed } from './commands';

export function keys(): Extension {
  return [
    Prec.high(historyGuard),
    keymap.of([
      ...withoutNamed([...searchKeymap, ...foldKeymap, ...defaultKeymap]),
      // The browser takes back by these, too, whatever keys a person chose for that.
      ...['Mod-z', 'Mod-y', 'Mod-Shift-z'].map((key) => ({ key, run: () => true, preventDefault: true })),
      // Escape, then Tab leaves the editor; CodeMirror sees to that.
      { key: 'Tab', run: tab, shift: indentLess },
    ]),
  ];
}

/** What a browser has in its menus for taking back. */
const historyGuard = EditorView.domEventHandlers({
  beforeinput: (event, view) => view.state.readOnly && event.inputType.startsWith('history'),
});
