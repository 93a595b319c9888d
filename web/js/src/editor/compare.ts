// A text beside what it was: side by side, or one under the other where there is no room. The newer side is a twin of the
// editor and can be typed into. Loaded when somebody compares; owns nothing but what it puts into `parent`.

import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState, type EditorStateConfig, type Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { said } from '../said';
import { highlighting } from './theme';

export interface Parts {
  parent: HTMLElement;
  before: string;
  /** What the older side is made of, besides what all have. */
  beside: Extension;
  /** What the newer side begins with. */
  twin: EditorStateConfig;
  inline: boolean;
}

const UNCHANGED = { margin: 3, minSize: 6 };
/** A comparison that takes longer, in milliseconds, is made coarser. */
const DIFF = { timeout: 500 };

export function compare({ parent, before, beside, twin, inline }: Parts): { twin: EditorView; end(): void } {
  const lines: Extension = [EditorState.lineSeparator.of('\n'), highlighting()];
  if (inline) {
    const merging = unifiedMergeView({
      original: before,
      mergeControls: (type, act) => (type === 'reject' ? reverter(act) : document.createElement('span')),
      collapseUnchanged: UNCHANGED,
      diffConfig: DIFF,
    });
    const view = new EditorView({
      parent,
      state: EditorState.create({ ...twin, extensions: [twin.extensions ?? [], merging] }),
    });
    return { twin: view, end: () => view.destroy() };
  }
  const merge = new MergeView({
    parent,
    a: { doc: before, extensions: [lines, lineNumbers(), beside, EditorState.readOnly.of(true)] },
    b: twin,
    revertControls: 'a-to-b',
    renderRevertControl: () => reverter(null),
    collapseUnchanged: UNCHANGED,
    diffConfig: DIFF,
  });
  return { twin: merge.b, end: () => merge.destroy() };
}

function reverter(act: ((event: MouseEvent) => void) | null): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'cm-revert';
  button.textContent = act ? said('change.revert.short') : '→';
  button.title = said('change.revert');
  button.setAttribute('aria-label', said('change.revert'));
  if (act) button.addEventListener('mousedown', act);
  // Pressed by a key, it is what it is by the mouse.
  button.addEventListener('click', ({ detail }) => {
    if (detail === 0) button.dispatchEvent(new MouseEvent('mousedown', { bubbles: true, cancelable: true }));
  });
  return button;
}
