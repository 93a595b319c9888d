// Which of the page's functions are needed until a file can be typed into: those that ran until then when it was last
// looked, by `cargo xtask early`, which writes `early.txt`. What is missing there is waited for once, which a browser test
// notices; what is there in vain is loaded too soon, which `cargo xtask size` notices.

import { readFileSync } from 'node:fs';

const early = new Set(readFileSync(new URL('early.txt', import.meta.url), 'utf8').split('\n'));

/** What is the project's own in a name. */
const OWN = /embedenv_(?:web|shared)::(?:\w+::)*\w+/g;
/** As much as is looked at of names that are all types. */
const LONGEST = 160;

/**
 * What a function is known by from build to build: its last word and what of the project it is about, or else its name.
 * Closures of one function are the same.
 */
export function keyOf(name) {
  const plain = name
    .replaceAll(/\[[0-9a-f]{8,}\]/g, '')
    .replaceAll(/::\{[^}]*\}/g, '')
    .replace(/\.\d+$/, '');
  const own = [...new Set(plain.match(OWN) ?? [])].map((path) => path.replace(/^embedenv_/, '')).sort();
  if (own.length === 0) return plain.slice(0, LONGEST);
  const last = /(\w+)[^\w]*$/.exec(withoutTypes(plain))?.[1] ?? '';
  return `${last} ${own.join(' ')}`.slice(0, LONGEST);
}

/** A path without what stands in angle brackets. */
function withoutTypes(name) {
  let depth = 0;
  let kept = '';
  for (const letter of name) {
    if (letter === '<') depth += 1;
    else if (letter === '>') depth -= 1;
    else if (depth === 0) kept += letter;
  }
  return kept;
}

export function isLate(name) {
  return !early.has(keyOf(name));
}
