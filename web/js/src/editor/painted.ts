// When what was shown last is painted.

/** A page that can't be seen paints nothing, and goes on after this many milliseconds. */
const UNSEEN = 500;

/** Kept once what is shown now is painted. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    const unseen = setTimeout(resolve, UNSEEN);
    requestAnimationFrame(() => {
      clearTimeout(unseen);
      setTimeout(resolve);
    });
  });
}
