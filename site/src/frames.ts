// Frames as they are shown: JSON in its colours, on one line or as it was written.

const PARTS = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/g;

/** A text in JSON, in its colours. */
export function coloured(text: string): DocumentFragment {
  const all = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(PARTS)) {
    const [whole, quoted, colon] = match;
    all.append(text.slice(from, match.index));
    const part = document.createElement('span');
    part.className = quoted === undefined ? 'tok-number' : colon === undefined ? 'tok-string' : 'tok-property';
    part.textContent = quoted ?? whole;
    all.append(part, colon ?? '');
    from = match.index + whole.length;
  }
  all.append(text.slice(from));
  return all;
}
