// The editor's keys. What they do to the page is told by callbacks; undo and redo are the shared document's, so that each
// person takes back what they typed themselves.

import { closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { foldKeymap } from '@codemirror/language';
import { searchKeymap } from '@codemirror/search';
import { type Extension, Prec } from '@codemirror/state';
import { EditorView, type KeyBinding, keymap } from '@codemirror/view';
import { yUndoManagerKeymap } from 'y-codemirror.next';

export interface KeyEvents {
  onSave(): void;
  onRun(): void;
}

export function keys({ onSave, onRun }: KeyEvents): Extension {
  const told = (key: string, tell: () => void): KeyBinding => ({
    key,
    preventDefault: true,
    run: () => {
      tell();
      return true;
    },
  });
  return [
    Prec.highest(keymap.of([told('Mod-s', onSave), told('Mod-Enter', onRun)])),
    Prec.high(historyGuard),
    keymap.of([
      ...closeBracketsKeymap,
      ...history,
      ...searchKeymap,
      ...foldKeymap,
      ...defaultKeymap,
      // Escape, then Tab leaves the editor; CodeMirror sees to that.
      indentWithTab,
    ]),
  ];
}

/** The document's undo asks nobody whether the editor is read-only. */
const history: KeyBinding[] = yUndoManagerKeymap.map((binding) => ({
  ...binding,
  run: (view) => view.state.readOnly || (binding.run?.(view) ?? false),
}));

const historyGuard = EditorView.domEventHandlers({
  beforeinput: (event, view) => view.state.readOnly && event.inputType.startsWith('history'),
});
