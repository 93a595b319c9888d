// Completion as one types: the language's own, then words of the open files. Loaded when an editor first has a text; never
// opens by itself where prose stands.

import { acceptCompletion, autocompletion, completionKeymap, startCompletion } from '@codemirror/autocomplete';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import { type EditorView, keymap } from '@codemirror/view';
import { words } from './words';

export function completion(): Extension {
  return [
    autocompletion({ icons: true, activateOnTyping: true, defaultKeymap: false, maxRenderedOptions: 60 }),
    EditorState.languageData.of(() => [{ autocomplete: words }]),
    Prec.highest(keymap.of([...completionKeymap, { key: 'Tab', run: acceptCompletion }])),
  ];
}

export function suggest(view: EditorView): boolean {
  return startCompletion(view);
}
