// Code in its colours without an editor: as pieces of text in elements, which is all that a preview or a poster needs.

import { language } from '@codemirror/language';
import { EditorState, type Extension } from '@codemirror/state';
import { highlightCode } from '@lezer/highlight';
import { style } from './theme';

/** Fills `code` with a text as it is written in a language; one that is not known leaves it as it is. */
export function coloured(code: HTMLElement, text: string, extension: Extension): void {
  const known = EditorState.create({ extensions: extension }).facet(language);
  if (!known) return;
  const parts: (Node | string)[] = [];
  const put = (part: string, classes: string) => {
    if (!classes) return parts.push(part);
    const span = document.createElement('span');
    span.append(part);
    span.className = classes;
    return parts.push(span);
  };
  highlightCode(text, known.parser.parse(text), style, put, () => parts.push('\n'));
  code.replaceChildren(...parts);
}
