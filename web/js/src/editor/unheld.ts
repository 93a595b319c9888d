// What was typed here and the server is not known to hold: kept as the way back to the text without it. Owns that change
// set alone; the text is the editor's.

import type { ChangeSet, Text } from '@codemirror/state';

export class Unheld {
  /** Makes the text that the server holds of the one in the editor. */
  #back: ChangeSet | null = null;

  /** Somebody typed here: `changes` were made to `before`. */
  typed(changes: ChangeSet, before: Text): void {
    const undone = changes.invert(before);
    this.#back = this.#back ? undone.compose(this.#back) : undone;
  }

  /** A change came from the server. */
  came(changes: ChangeSet): void {
    if (this.#back) this.#back = this.#back.map(changes);
  }

  /** The text was brought over from another life: `back` undoes what the server lacks. */
  brought(back: ChangeSet): void {
    this.#back = back;
  }

  /** The server holds everything. */
  clear(): void {
    this.#back = null;
  }

  /** The text as the server held it, given the one in the editor. */
  heldText(text: Text): Text {
    return this.#back ? this.#back.apply(text) : text;
  }
}
