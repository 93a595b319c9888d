// Help while typing: brackets that close themselves, and completion, the language's own and words of the open files. Loaded
// once an editor is there, since its package is as large as others; never opens by itself where prose stands.

import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  startCompletion,
} from '@codemirror/autocomplete';
import { EditorState, type Extension, Prec } from '@codemirror/state';
import { type EditorView, keymap } from '@codemirror/view';
import { words } from './words';

/** `completes`: words are offered, too. */
export function assistance(completes: boolean): Extension {
  return [closeBrackets(), Prec.high(keymap.of([...closeBracketsKeymap])), completes ? completion() : []];
}

function completion(): Extension {
  return [
    autocompletion({ icons: true, activateOnTyping: true, defaultKeymap: false, maxRenderedOptions: 60 }),
    EditorState.languageData.of(() => [{ autocomplete: words }]),
    Prec.highest(keymap.of([...completionKeymap, { key: 'Tab', run: acceptCompletion }])),
  ];
}

export function suggest(view: EditorView): boolean {
  return startCompletion(view);
}
