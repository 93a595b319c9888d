// CodeMirror's own words, said from the page's catalogue. Which of its phrases is which key; what is not here stays English.

import { EditorState, type Extension } from '@codemirror/state';
import { said } from '../said';

export const keys: Record<string, string> = {
  Find: 'codemirror.find',
  next: 'codemirror.next',
  previous: 'codemirror.previous',
  all: 'codemirror.all',
  'match case': 'codemirror.case',
  regexp: 'codemirror.regexp',
  'by word': 'codemirror.word',
  Replace: 'codemirror.replace-with',
  replace: 'codemirror.replace',
  'replace all': 'codemirror.replace-all',
  close: 'codemirror.close',
  'current match': 'codemirror.match',
  'on line': 'codemirror.on-line',
  'replaced match on line $': 'codemirror.replaced-one',
  'replaced $ matches': 'codemirror.replaced-all',
  'Go to line': 'codemirror.line',
  go: 'codemirror.go',
  'folded code': 'codemirror.folded',
  unfold: 'codemirror.unfold',
  'Folded lines': 'codemirror.folded-lines',
  'Unfolded lines': 'codemirror.unfolded-lines',
  to: 'codemirror.to',
  'Control character': 'codemirror.control',
  'Selection deleted': 'codemirror.deleted',
  Completions: 'codemirror.completions',
};

/** To be asked for once the page has said its words. */
export function phrases(): Extension {
  return EditorState.phrases.of(Object.fromEntries(Object.entries(keys).map(([phrase, key]) => [phrase, said(key)])));
}
