// Help while typing: brackets that close themselves, and completion, the language's own and words of the open files. Loaded
// once an editor is there, since its package is as large as others; never opens by itself where prose stands.

import {
  acceptCompletion,
  autocompletion,
  closeCompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  selectedCompletion,
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
  const keys = completionKeymap.filter(({ key }) => key !== 'Enter');
  return [
    autocompletion({ icons: true, activateOnTyping: true, defaultKeymap: false, maxRenderedOptions: 60 }),
    EditorState.languageData.of(() => [{ autocomplete: words }]),
    Prec.highest(keymap.of([...keys, { key: 'Enter', run: accept }, { key: 'Tab', run: accept }])),
  ];
}

/** Takes what is offered; what stands there whole already needs nothing, and the key is the text's. */
function accept(view: EditorView): boolean {
  const offered = selectedCompletion(view.state);
  const { head } = view.state.selection.main;
  if (!offered || view.state.sliceDoc(Math.max(0, head - offered.label.length), head) !== offered.label) {
    return acceptCompletion(view);
  }
  closeCompletion(view);
  return false;
}

export function suggest(view: EditorView): boolean {
  return startCompletion(view);
}
