// The code on a poster: what a frame shows before it is asked for. Loaded with the poster alone, and owns nothing.

import { StyleModule } from 'style-mod';
import { coloured } from './editor/coloured';
import { languageOf } from './editor/languages';
import { style } from './editor/theme';

/** Colours the text in an element as the file at `path` is written. Until then, and if that fails, it is plain. */
export async function paint(code: HTMLElement, path: string, nonce: string): Promise<void> {
  const language = languageOf(path);
  if (!language) return;
  if (style.module) StyleModule.mount(document, style.module, { nonce });
  coloured(code, code.textContent ?? '', await language());
}
