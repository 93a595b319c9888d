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

/** The words of a leaf of a text, some dozens of lines: leaves that an edit leaves alone are not read again. */
const known = new WeakMap<Text, string[]>();

function wordsIn(text: string): string[] {
  const words = text.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [];
  return [...new Set(words.filter(({ length }) => length >= SHORTEST && length <= LONGEST))];
}

function wordsOf(leaf: Text): string[] {
  let words = known.get(leaf);
  if (!words) {
    words = wordsIn(leaf.toString());
    known.set(leaf, words);
  }
  return words;
}

/** The leaves of `text` between two positions, each with where it begins; a line is never in two of them. */
function* leaves(text: Text, from: number, to: number, begin = 0): Generator<[number, Text]> {
  if (!text.children) {
    yield [begin, text];
    return;
  }
  for (const child of text.children) {
    if (begin > to) return;
    if (begin + child.length >= from) yield* leaves(child, from, to, begin);
    begin += child.length + 1;
  }
}

export function words(context: CompletionContext): CompletionResult | null {
  const before = context.matchBefore(/[\p{L}_$][\p{L}\p{N}_$]*/u);
  if (!context.explicit && (!before || isAside(context))) return null;
  const { doc } = context.state;
  const [from, to] = [before?.from ?? context.pos, context.pos];
  const found = new Set<string>();
  for (const [begin, leaf] of leaves(doc, from - MOST_TEXT / 2, to + MOST_TEXT / 2)) {
    if (begin + leaf.length < from || begin > to) {
      for (const word of wordsOf(leaf)) found.add(word);
      continue;
    }
    // The word that is being typed is none yet, unless it stands elsewhere, too.
    const text = leaf.toString();
    for (const word of wordsIn(text.slice(0, from - begin))) found.add(word);
    for (const word of wordsIn(text.slice(to - begin).replace(/^[\p{L}\p{N}_$]+/u, ''))) found.add(word);
  }
  for (const text of open) {
    const other = text();
    if (other === doc || found.size >= MOST_WORDS) continue;
    for (const [, leaf] of leaves(other, 0, MOST_TEXT)) for (const word of wordsOf(leaf)) found.add(word);
  }
  // Without a kind or a weight, it is one with the language's own of that name.
  const options: Completion[] = Array.from(found, (label) => ({ label })).slice(0, MOST_WORDS);
  return options.length > 0 ? { from, options, validFor: /^[\p{L}\p{N}_$]*$/u } : null;
}

/** Whether the cursor is in a comment or a string, where words are prose. */
function isAside({ state, pos }: CompletionContext): boolean {
  for (let node = syntaxTree(state).resolveInner(pos, -1); ; ) {
    if (/comment|string(?!.*(interpolation|expression))/i.test(node.name)) return true;
    if (!node.parent) return false;
    node = node.parent;
  }
}
