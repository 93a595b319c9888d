// The texts with which this page opened its files first, for as long as the page is there: a file that was closed and is
// opened again still shows what has changed since. Owns those texts and how many they may be.

/** Files whose first text is kept; beyond that the one that was opened longest ago goes, and begins anew. */
const MOST = 100;
/** Longer texts, in UTF-16 units, are kept by their editor alone. */
const LONGEST = 200_000;

const firsts = new Map<string, string>();

/** The text with which the file was opened first, which is `text` if it was not open before. */
export function firstText(path: string, text: string): string {
  const known = firsts.get(path);
  if (known !== undefined) return known;
  if (text.length <= LONGEST) firsts.set(path, text);
  const [oldest] = firsts.keys();
  if (firsts.size > MOST && oldest !== undefined) firsts.delete(oldest);
  return text;
}
