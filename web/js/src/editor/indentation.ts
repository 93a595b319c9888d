// How a file is indented: by tabs or by so many spaces. What a person chose for the file goes first, then what its
// `.editorconfig` says, then what the text itself shows, then the person's setting; the language's own way is the last.
// Pure but for the extension that it ends in.

import { indentUnit } from '@codemirror/language';
import { EditorState, type Extension, type Text } from '@codemirror/state';

/** Indentation by tabs, or by spaces; `size` is how wide one step of it is, in columns. */
export interface Indentation {
  tabs: boolean;
  size: number;
}

/** What an `.editorconfig` says of it; each part may be missing. */
export interface IndentRules {
  tabs?: boolean;
  size?: number;
  /** How wide a tab is. */
  tabWidth?: number;
}

/** Lines that are looked at to find how a text is indented. */
const MOST_LINES = 2000;
/** The widest step that is taken for one. */
const WIDEST = 8;

/** How the text is indented, by the steps between its lines; `null` if it does not say. */
export function detected(doc: Text): Indentation | null {
  let tabs = 0;
  let before = 0;
  const steps = new Map<number, number>();
  const lines = Math.min(doc.lines, MOST_LINES);
  for (let number = 1; number <= lines; number++) {
    const { text } = doc.line(number);
    const blank = /^[ \t]*/.exec(text)?.[0] ?? '';
    // Comments of several lines begin theirs with a space and a star.
    if (blank.length === text.length || /^ \*/.test(text.slice(blank.length - 1))) continue;
    if (blank.includes('\t')) {
      tabs++;
      before = 0;
      continue;
    }
    const step = Math.abs(blank.length - before);
    before = blank.length;
    if (step >= 2 && step <= WIDEST) steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  const spaces = [...steps.values()].reduce((sum, count) => sum + count, 0);
  if (tabs > spaces) return { tabs: true, size: 4 };
  const [most] = [...steps].sort(([a, times], [b, others]) => others - times || a - b);
  return most ? { tabs: false, size: most[0] } : null;
}

/** What all there is to say of a file's indentation comes to; what nobody says is the language's. */
export interface Sources {
  chosen: Indentation | null;
  rules: IndentRules;
  detected: Indentation | null;
  /** The person's setting. */
  setting: number | null;
}

export function indentation({ chosen, rules, detected, setting }: Sources): Extension {
  if (chosen) return of(chosen.tabs, chosen.size, chosen.size);
  const tabs = rules.tabs ?? detected?.tabs;
  const width = rules.tabWidth ?? (rules.tabs ? rules.size : undefined) ?? setting ?? undefined;
  const size = rules.size ?? (tabs ? width : undefined) ?? (detected?.tabs ? undefined : detected?.size) ?? setting ?? undefined;
  return of(tabs, size, width ?? (tabs ? (rules.size ?? detected?.size) : undefined));
}

function of(tabs: boolean | undefined, size: number | undefined, width: number | undefined): Extension {
  const unit = tabs ? '\t' : size ? ' '.repeat(size) : tabs === false ? ' '.repeat(4) : null;
  return [unit ? indentUnit.of(unit) : [], width ? EditorState.tabSize.of(width) : []];
}

/** What the editor goes by now. */
export function shown(state: EditorState): Indentation {
  const unit = state.facet(indentUnit);
  return unit.startsWith('\t') ? { tabs: true, size: state.tabSize } : { tabs: false, size: unit.length };
}
