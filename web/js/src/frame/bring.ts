// Brings an element into sight within this document alone. A browser's own way goes on in the page around a frame.

/** Scrolls what is around an element no further than it takes. */
export function bring(element: Element): void {
  for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
    const [inner, outer] = [element.getBoundingClientRect(), around.getBoundingClientRect()];
    if (around.scrollHeight > around.clientHeight) around.scrollTop += missing(inner.top, inner.bottom, outer.top, outer.bottom);
    if (around.scrollWidth > around.clientWidth) around.scrollLeft += missing(inner.left, inner.right, outer.left, outer.right);
  }
}

/** How far a stretch is out of another one; of one that is too long, its beginning comes into sight. */
export function missing(from: number, to: number, first: number, last: number): number {
  if (from < first) return from - first;
  return to > last ? Math.min(to - last, from - first) : 0;
}
