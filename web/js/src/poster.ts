// The code on a poster: what a frame shows before it is asked for, to be looked at or, in a block of somebody's page, to be
// edited already. Loaded with the poster alone; owns the editor that it makes, and sends nothing anywhere.

import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from '@codemirror/commands';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { Compartment } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { StyleModule } from 'style-mod';
import { coloured } from './editor/coloured';
import { languageOf } from './editor/languages';
import { highlighting, style } from './editor/theme';

/** Colours the text in an element as the file at `path` is written. Until then, and if that fails, it is plain. */
export async function paint(code: HTMLElement, path: string, nonce: string): Promise<void> {
  const language = languageOf(path);
  if (!language) return;
  if (style.module) StyleModule.mount(document, style.module, { nonce });
  coloured(code, code.textContent ?? '', await language());
}

/** Puts an editor of a text into `parent`; `onRun` is for who wants it run by the keyboard. */
export function edit(parent: HTMLElement, path: string, text: string, label: string, nonce: string, onRun: () => void): Draft {
  return new Draft(parent, path, text, label, nonce, onRun);
}

class Draft {
  readonly #view: EditorView;
  readonly #first: string;

  constructor(parent: HTMLElement, path: string, text: string, label: string, nonce: string, onRun: () => void) {
    const language = new Compartment();
    const run = () => {
      onRun();
      return true;
    };
    this.#first = text;
    this.#view = new EditorView({
      parent,
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        lineNumbers(),
        history(),
        indentOnInput(),
        bracketMatching(),
        highlighting(),
        language.of([]),
        keymap.of([
          { key: 'Mod-Enter', run },
          ...historyKeymap,
          ...defaultKeymap,
          // Escape, then Tab leaves the editor; CodeMirror sees to that.
          { key: 'Tab', run: indentMore, shift: indentLess },
        ]),
      ],
    });
    languageOf(path)?.().then(
      (known) => this.#view.dispatch({ effects: language.reconfigure(known) }),
      (error: unknown) => console.warn(`the language of ${path} could not be loaded`, error),
    );
  }

  text(): string {
    return this.#view.state.doc.toString();
  }

  /** Has the text be what it was at first. */
  reset(): void {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: this.#first } });
  }

  destroy(): void {
    this.#view.destroy();
  }
}
