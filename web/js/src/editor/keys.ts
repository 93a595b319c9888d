// The keys that are the editor's own, such as the arrows. Those of commands with a name are the page's, which hears them
// first and calls `perform`. Undo and redo are the shared document's, so that each person takes back what they typed
// themselves.

import { defaultKeymap, indentLess } from '@codemirror/commands';
import { foldKeymap } from '@codemirror/language';
import { searchKeymap } from '@codemirror/search';
import { type Extension, Prec } from '@codemirror/state';
import { EditorView, type KeyBinding, keymap } from '@codemirror/view';
import { yUndoManagerKeymap } from 'y-codemirror.next';
import { tab, withoutNamed } from './commands';
import { replace } from './find';
import { original } from './panes';

export function keys(): Extension {
  return [
    Prec.high(historyGuard),
    keymap.of([
      ...history,
      ...withoutNamed([...searchKeymap, ...foldKeymap, ...defaultKeymap]),
      { key: 'Mod-h', run: replace, scope: 'search-panel' },
      // Escape, then Tab leaves the editor; CodeMirror sees to that.
      { key: 'Tab', run: tab, shift: indentLess },
    ]),
  ];
}

/** The document's undo asks nobody whether the editor is read-only, and is the editor's own: a twin has none. */
const history: KeyBinding[] = yUndoManagerKeymap.map((binding) => ({
  ...binding,
  run: (view) => view.state.readOnly || (binding.run?.(view.state.facet(original) ?? view) ?? false),
}));

const historyGuard = EditorView.domEventHandlers({
  beforeinput: (event, view) => view.state.readOnly && event.inputType.startsWith('history'),
});
