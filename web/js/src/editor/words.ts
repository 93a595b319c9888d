// Words of the open files as completions, those of the file itself first. Owns the list of texts that are open; never
// offers anything by itself inside a comment or a string.

import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { Text } from '@codemirror/state';

/** Characters around the cursor, and of every other file, that are looked at. */
const MOST_TEXT = 200_000;
/** Words offered at once. */
const MOST_WORDS = 2_000;
/** Shorter ones are typed faster than chosen. */
const SHORTEST = 3;
/** Longer ones are not words. */
const LONGEST = 60;

const open = new Set<() => Text>();

/** A text is open from now on until the function that comes back is called. */
export function opened(text: () => Text): () => void {
  open.add(text);
  return () => open.delete(text);
}

const known = new WeakMap<Text, Set<string>>();

function wordsIn(text: string): Set<string> {
  const words = text.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [];
  return new Set(words.filter(({ length }) => length >= SHORTEST && length <= LONGEST));
}

function wordsOf(doc: Text): Set<string> {
  let words = known.get(doc);
  if (!words) {
    words = wordsIn(doc.sliceString(0, MOST_TEXT));
    known.set(doc, words);
  }
  return words;
}

export function words(context: CompletionContext): CompletionResult | null {
  const before = context.matchBefore(/[\p{L}_$][\p{L}\p{N}_$]*/u);
  if (!context.explicit && (!before || isAside(context))) return null;
  const { doc } = context.state;
  const [from, to] = [before?.from ?? context.pos, context.pos];
  const [begin, end] = [Math.max(0, from - MOST_TEXT / 2), Math.min(doc.length, to + MOST_TEXT / 2)];
  // The word that is being typed is none yet, unless it stands elsewhere, too.
  const after = doc.sliceString(to, end).replace(/^[\p{L}\p{N}_$]+/u, '');
  const here = new Set([...wordsIn(doc.sliceString(begin, from)), ...wordsIn(after)]);
  const options: Completion[] = [];
  const offer = (found: Iterable<string>) => {
    for (const label of found) {
      if (options.length >= MOST_WORDS) return;
      // Without a kind or a weight, it is one with the language's own of that name.
      options.push({ label });
    }
  };
  offer(here);
  for (const text of open) {
    const other = text();
    if (other !== doc) offer([...wordsOf(other)].filter((word) => !here.has(word)));
  }
  const unique = [...new Map(options.map((option) => [option.label, option])).values()];
  return unique.length > 0 ? { from, options: unique, validFor: /^[\p{L}\p{N}_$]*$/u } : null;
}

/** Whether the cursor is in a comment or a string, where words are prose. */
function isAside({ state, pos }: CompletionContext): boolean {
  for (let node = syntaxTree(state).resolveInner(pos, -1); ; ) {
    if (/comment|string(?!.*(interpolation|expression))/i.test(node.name)) return true;
    if (!node.parent) return false;
    node = node.parent;
  }
}
