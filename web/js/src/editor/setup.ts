// What every editor of the page is made of, whatever file it shows. Owns no state of its own.

import { bracketMatching, indentOnInput } from '@codemirror/language';
import { highlightSelectionMatches, search } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import {
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  lineNumbers,
  rectangularSelection,
} from '@codemirror/view';
import { cursorHistory } from './cursors';
import { find } from './find';
import { folding } from './folding';
import { cursors } from './habits';
import { phrases } from './phrases';
import { highlighting } from './theme';

export function setup(): Extension {
  return [
    sameOffsets,
    lineNumbers(),
    highlightActiveLineGutter(),
    highlightActiveLine(),
    highlightSpecialChars(),
    drawSelection(),
    dropCursor(),
    rectangularSelection({ eventFilter: (event) => event.altKey && event.shiftKey && event.button === 0 }),
    cursors,
    cursorHistory,
    indentOnInput(),
    bracketMatching(),
    folding(),
    highlighting(),
    highlightSelectionMatches(),
    search({ top: true }),
    find(),
    phrases(),
  ];
}

/**
 * A position in the editor is one in the document. So only a line feed ends a line: a file with mixed endings keeps its
 * carriage returns as characters. What is pasted gets the document's endings.
 */
const sameOffsets: Extension = [
  EditorState.lineSeparator.of('\n'),
  EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, '\n')),
];
