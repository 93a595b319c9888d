// What changed between two texts, as few edits as it takes: by lines first, then by words, then the ends of
// each changed place are trimmed. Owns nothing; never cuts a surrogate pair in two, since halves can't be written as UTF-8.

/** Replace what stands at `from..to` of the old text, in UTF-16 units, by `insert`. */
export interface Edit {
  from: number;
  to: number;
  insert: string;
}

/** Texts with more changed parts than this between them count as changed from the first such part to the last. */
const MOST_CHANGES = 1000;
/** Changed places longer than this, in UTF-16 units, are not looked at word by word. */
const LONGEST_PLACE = 20_000;

/** The edits that make `after` of `before`, in order, none touching the next. */
export function diff(before: string, after: string): Edit[] {
  if (before === after) return [];
  const places = differences(lines(before), lines(after), 0);
  return joined(places.flatMap((place) => refined(before, place)));
}

/** Lines of a text: the first of them, from 1, and how many. */
export interface Lines {
  first: number;
  count: number;
}

/** A place where lines differ: those of before, and those that are there now. */
export interface Place {
  before: Lines;
  now: Lines;
}

/** Where the lines of two texts differ, in order. */
export function lineDifferences(before: string, after: string): Place[] {
  if (before === after) return [];
  let [line, at, shift] = [1, 0, 0];
  return differences(lines(before), lines(after), 0).map(({ from, to, insert }) => {
    line += feeds(before, at, from);
    at = from;
    const [old, fresh] = [lines(before.slice(from, to)).length, lines(insert).length];
    const place = { before: { first: line, count: old }, now: { first: line + shift, count: fresh } };
    shift += fresh - old;
    return place;
  });
}

/** The edit of `after` that takes back what differs from `before` at a line, from 1; `null` if nothing does. */
export function reverted(before: string, after: string, line: number): Edit | null {
  const isThere = ({ now: { first, count } }: Place) => line >= first && line < first + Math.max(count, 1);
  const place = lineDifferences(before, after).find(isThere);
  if (!place) return null;
  const part = (text: string, { first, count }: Lines): [number, number] => {
    const all = lines(text);
    return [length(all, 0, first - 1), length(all, 0, first - 1 + count)];
  };
  const [from, to] = part(after, place.now);
  return { from, to, insert: before.slice(...part(before, place.before)) };
}

function feeds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function refined(text: string, place: Edit): Edit[] {
  if (place.to - place.from > LONGEST_PLACE || place.insert.length > LONGEST_PLACE) return [trimmed(text, place)];
  const edits = differences(words(text.slice(place.from, place.to)), words(place.insert), place.from);
  return edits.map((edit) => trimmed(text, edit));
}

/** What differs between texts that are given in parts; the first begins at `at`. */
function differences(old: readonly string[], now: readonly string[], at: number): Edit[] {
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (
    tail < Math.min(old.length, now.length) - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  ) {
    tail++;
  }
  const [oldEnd, nowEnd] = [old.length - tail, now.length - tail];
  const kept = matches(old.slice(head, oldEnd), now.slice(head, nowEnd));
  const edits: Edit[] = [];
  let [from, i, j] = [at + length(old, 0, head), head, head];
  for (const [a, b] of [...kept.map(([a, b]) => [head + a, head + b] as const), [oldEnd, nowEnd] as const]) {
    const to = from + length(old, i, a);
    if (a > i || b > j) edits.push({ from, to, insert: now.slice(j, b).join('') });
    from = to + (old[a]?.length ?? 0);
    [i, j] = [a + 1, b + 1];
  }
  return edits;
}

/** The text with the edits made, which are in order. */
export function applied(text: string, edits: readonly Edit[]): string {
  let out = '';
  let at = 0;
  for (const { from, to, insert } of edits) {
    out += text.slice(at, from) + insert;
    at = to;
  }
  return out + text.slice(at);
}

function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

/** Words, and every other character for itself. */
function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|[^]/gu) ?? [];
}

function length(parts: readonly string[], from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += parts[i]?.length ?? 0;
  return sum;
}

/** Pairs of equal parts, as many as there can be (E. W. Myers, "An O(ND) Difference Algorithm and Its Variations"). */
function matches(old: readonly string[], now: readonly string[]): (readonly [number, number])[] {
  if (old.length === 0 || now.length === 0) return [];
  const most = Math.min(old.length + now.length, MOST_CHANGES);
  // The furthest part of `old` reached on each diagonal; the diagonals go from -most to most.
  const reached = new Int32Array(2 * most + 3);
  const history: Int32Array[] = [];
  const fromAbove = (d: number, k: number, row: Int32Array) =>
    k === -d || (k !== d && (row[most + k] ?? 0) < (row[most + k + 2] ?? 0));
  for (let d = 0; d <= most; d++) {
    history.push(reached.slice(most - d, most + d + 3));
    for (let k = -d; k <= d; k += 2) {
      let x = fromAbove(d, k, reached) ? (reached[most + k + 2] ?? 0) : (reached[most + k] ?? 0) + 1;
      while (x < old.length && x - k < now.length && old[x] === now[x - k]) x++;
      reached[most + k + 1] = x;
      if (x >= old.length && x - k >= now.length) return walked(history, old.length, now.length);
    }
  }
  return [];
}

/** Goes back from the end over what was reached after each change, and collects the equal parts on the way. */
function walked(history: readonly Int32Array[], oldLength: number, nowLength: number): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let [x, y] = [oldLength, nowLength];
  for (let d = history.length - 1; d >= 0; d--) {
    const row = history[d] ?? new Int32Array();
    const reached = (k: number) => row[k + d + 1] ?? 0;
    const k = x - y;
    const above = k === -d || (k !== d && reached(k - 1) < reached(k + 1));
    const fromX = d === 0 ? 0 : above ? reached(k + 1) : reached(k - 1);
    const fromY = d === 0 ? 0 : fromX - (above ? k + 1 : k - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0) pairs.push([--x, --y]);
    [x, y] = [fromX, fromY];
  }
  return pairs.reverse();
}

/** The edit without what is the same at its ends. */
function trimmed(text: string, { from, to, insert }: Edit): Edit {
  let head = 0;
  while (head < to - from && head < insert.length && text[from + head] === insert[head]) head++;
  if (head > 0 && isHigh(insert.charCodeAt(head - 1))) head--;
  let tail = 0;
  while (
    tail < Math.min(to - from, insert.length) - head &&
    text[to - 1 - tail] === insert[insert.length - 1 - tail]
  ) {
    tail++;
  }
  if (tail > 0 && isLow(insert.charCodeAt(insert.length - tail))) tail--;
  return { from: from + head, to: to - tail, insert: insert.slice(head, insert.length - tail) };
}

/** Edits that touch become one. */
function joined(edits: readonly Edit[]): Edit[] {
  const out: Edit[] = [];
  for (const edit of edits) {
    const last = out.at(-1);
    if (last && last.to === edit.from) {
      out[out.length - 1] = { from: last.from, to: edit.to, insert: last.insert + edit.insert };
    } else {
      out.push(edit);
    }
  }
  return out;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
