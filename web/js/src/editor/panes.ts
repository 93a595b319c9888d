// The places where one file is shown. The first is the editor itself, whose text is the document's; each of the others is
// a twin that passes on what is typed into it and repeats what the editor does. Never lets two of them differ.

import {
  Annotation,
  EditorState,
  type EditorStateConfig,
  type Extension,
  Facet,
  Transaction,
  type TransactionSpec,
} from '@codemirror/state';
import { EditorView, type ViewUpdate } from '@codemirror/view';

/** The editor whose twin a view is; of the editor itself, nothing. */
export const original = Facet.define<EditorView, EditorView | null>({ combine: (views) => views[0] ?? null });

/** A change that another place of the same file made, and which one that was. */
const from = Annotation.define<EditorView>();

export class Panes {
  readonly #main: EditorView;
  /** What a twin is made of. */
  readonly #parts: () => Extension;
  readonly #twins = new Map<number, EditorView>();
  /** Twins that stand in something else, such as a comparison, which makes and ends them. */
  readonly #guests = new Map<EditorView, () => void>();
  /** Where the editor itself is; `null` while it is nowhere. */
  #home: number | null = null;
  #wasShown = false;
  #front: EditorView;

  constructor(main: EditorView, parts: () => Extension) {
    this.#main = main;
    this.#parts = parts;
    this.#front = main;
  }

  /** The place that had the keyboard last. */
  get front(): EditorView {
    return this.#front;
  }

  /** The view at a place; the editor itself if there is none. */
  at(pane: number): EditorView {
    return this.#twins.get(pane) ?? this.#main;
  }

  get all(): EditorView[] {
    return [this.#main, ...this.#twins.values()];
  }

  /** Shows the file at one more place. */
  attach(pane: number, parent: HTMLElement): void {
    if (this.#home === null) {
      this.#move(pane, parent);
      return;
    }
    const twin = new EditorView({ parent, state: EditorState.create(this.#twin()) });
    twin.dispatch({ effects: this.#front.scrollSnapshot() });
    this.#twins.set(pane, twin);
  }

  /** Shows it within something that is made of the twin's beginnings, and can be ended. */
  host(pane: number, make: (twin: EditorStateConfig) => { twin: EditorView; end(): void }): void {
    this.detach(pane);
    const { twin, end } = make(this.#twin());
    this.#twins.set(pane, twin);
    this.#guests.set(twin, end);
  }

  /** What a twin begins with. */
  #twin(): EditorStateConfig {
    return {
      doc: this.#main.state.doc,
      selection: this.#front.state.selection,
      extensions: [original.of(this.#main), this.#parts(), EditorView.updateListener.of((update) => this.#typed(update))],
    };
  }

  /** The file is not shown there any more. The editor itself goes to where a twin was, or waits. */
  detach(pane: number): void {
    const twin = this.#twins.get(pane);
    if (twin) {
      this.#twins.delete(pane);
      this.#forget(twin);
      return;
    }
    if (pane !== this.#home) return;
    const next = [...this.#twins].find(([, twin]) => !this.#guests.has(twin));
    if (!next) {
      this.#home = null;
      this.#main.dom.remove();
      return;
    }
    const [other, replaced] = next;
    const parent = replaced.dom.parentElement;
    const { selection } = replaced.state;
    const scroll = replaced.scrollSnapshot();
    const hadFocus = replaced.hasFocus;
    this.#twins.delete(other);
    this.#forget(replaced);
    if (parent) this.#move(other, parent);
    this.#main.dispatch({ selection, effects: scroll });
    if (hadFocus) this.#main.focus();
  }

  /** Says the same to every place. */
  everywhere(spec: TransactionSpec): void {
    for (const view of this.all) view.dispatch(spec);
  }

  /** Says it to every place but the editor itself. */
  elsewhere(spec: TransactionSpec): void {
    for (const view of this.#twins.values()) view.dispatch(spec);
  }

  /** The editor itself has changed. */
  changed(update: ViewUpdate): void {
    for (const transaction of update.transactions) {
      if (!transaction.docChanged) continue;
      for (const twin of this.#twins.values()) {
        if (transaction.annotation(from) !== twin) repeat(transaction, twin, this.#main);
      }
    }
  }

  /** Something has happened at a place. Returns whether it is the one in front. */
  isFront({ view, focusChanged }: ViewUpdate): boolean {
    if (focusChanged && view.hasFocus) this.#front = view;
    return view === this.#front;
  }

  /** A twin has changed. */
  #typed({ view, transactions }: ViewUpdate): void {
    for (const transaction of transactions) {
      if (transaction.docChanged && !transaction.annotation(from)) repeat(transaction, this.#main, view);
    }
  }

  destroy(): void {
    for (const twin of this.#twins.values()) this.#forget(twin);
    this.#twins.clear();
    this.#main.destroy();
  }

  #forget(twin: EditorView): void {
    if (this.#front === twin) this.#front = this.#main;
    const end = this.#guests.get(twin);
    this.#guests.delete(twin);
    if (end) end();
    else twin.destroy();
  }

  /** An element that is moved forgets how far it was scrolled. */
  #move(pane: number, parent: HTMLElement): void {
    const scroll = this.#wasShown ? this.#main.scrollSnapshot() : null;
    this.#home = pane;
    this.#wasShown = true;
    parent.append(this.#main.dom);
    if (scroll) this.#main.dispatch({ effects: scroll });
  }
}

function repeat(transaction: Transaction, view: EditorView, author: EditorView): void {
  const event = transaction.annotation(Transaction.userEvent);
  const annotations = [from.of(author)];
  view.dispatch({ changes: transaction.changes, annotations, ...(event ? { userEvent: event } : {}) });
}
