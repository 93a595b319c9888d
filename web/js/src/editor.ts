// The page's editor: one CodeMirror on one document that it shares with the server. Owns the view and which life of the
// document it shows, and sees that nothing typed is lost between two lives. Never sends by itself but through `onMessage`,
// and never throws into the page: what goes wrong is told in the console.

import { Annotation, ChangeSet, Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { yCollab } from 'y-codemirror.next';
import { perform } from './editor/commands';
import { diff } from './editor/diff';
import { keys } from './editor/keys';
import { languageOf } from './editor/languages';
import { merge } from './editor/merge';
import { Panes } from './editor/panes';
import { people, personIn, setPeople } from './editor/people';
import { Replica } from './editor/replica';
import { setup } from './editor/setup';
import { symbolsOf } from './editor/symbols';
import { Unheld } from './editor/unheld';

export interface EditorOptions {
  path: string;
  label: string;
  readOnly: boolean;
  dark: boolean;
  /** Style elements of this response must carry it. */
  nonce: string;
  /** A message of the sync protocol for the server. */
  onMessage(message: Uint8Array): void;
  /** Where the cursor is, both from 1; the column in UTF-16 units. */
  onCursor(line: number, column: number): void;
  /** A person changed the text here. */
  onEdited(): void;
  /** The person at this page goes a way of their own, and follows nobody. */
  onWander(): void;
}

/** What a view begins with. */
interface State {
  readOnly: boolean;
  dark: boolean;
  label: string;
  language: Extension;
}

/** A change that brings the view to what the document holds. */
const fromDocument = Annotation.define<boolean>();

export function createEditor(options: EditorOptions): Editor {
  return new Editor(options);
}

class Editor {
  readonly #options: EditorOptions;
  /** The editor whose text is the document's. */
  readonly #view: EditorView;
  /** Where it is shown. */
  readonly #panes: Panes;
  readonly #shared = new Compartment();
  readonly #language = new Compartment();
  readonly #access = new Compartment();
  readonly #shade = new Compartment();
  readonly #name = new Compartment();

  #path: string;
  #replica: Replica | null = null;
  /** The view shows `#replica`, and typing goes into it. */
  #bound = false;
  #unheld = new Unheld();
  /** The text that the server held last in the life before, while that of the next is not here. */
  #base: string | null = null;
  /** Edits of an earlier life that could not be brought over, since the file was read-only by then. */
  #left: { base: string; local: string } | null = null;
  #cursor = '';
  /** The person at this page has been in the text: from then on the others see where. */
  #isHere = false;
  /** Whose view this one keeps to. */
  #followed: number | null = null;
  /** Who is to be found as soon as it is known where they are. */
  #sought: number | null = null;
  /** Where the cursor is to be as soon as the text is here. */
  #wanted: { line: number; column: number; length: number } | null = null;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#path = options.path;
    const parts = (state: State): Extension => [
      EditorView.cspNonce.of(options.nonce),
      this.#access.of(access(state.readOnly)),
      this.#shade.of(EditorView.darkTheme.of(state.dark)),
      this.#name.of(named(state.label)),
      keys(),
      setup(),
      people(),
      this.#language.of(state.language),
      EditorView.updateListener.of((update) => this.#moved(update)),
      ViewPlugin.define(({ scrollDOM }) => {
        scrollDOM.addEventListener('scroll', () => this.#tellWhereabouts(), { passive: true });
        for (const ownWay of ['wheel', 'touchmove'] as const) {
          scrollDOM.addEventListener(ownWay, () => this.#wander(), { passive: true });
        }
        return {};
      }),
    ];
    this.#view = new EditorView({
      state: EditorState.create({
        extensions: [
          parts({ ...options, language: [] }),
          this.#shared.of([]),
          EditorView.updateListener.of((update) => this.#updated(update)),
        ],
      }),
    });
    this.#panes = new Panes(this.#view, () => {
      const { state } = this.#view;
      return parts({
        readOnly: state.readOnly,
        dark: state.facet(EditorView.darkTheme),
        label: `Editor: ${this.#path}`,
        language: this.#language.get(state) ?? [],
      });
    });
    this.#loadLanguage();
  }

  /** Messages of the sync protocol from the server. */
  receive(messages: Uint8Array): void {
    const replica = this.#replica;
    if (!replica) return;
    try {
      const isWhole = replica.receive(messages);
      if (isWhole && !this.#bound) this.#bind(replica);
    } catch (error) {
      console.warn('a message for a document could not be used', error);
    }
  }

  /** The document is open again, in the life that this editor has a copy of. */
  connected(): void {
    if (this.#replica) this.#replica.ask();
    else this.renewed();
  }

  /** The document is open in another life: all of it is asked for. Until it comes, the text stays and can be edited. */
  renewed(): void {
    if (this.#bound) {
      this.#base = this.#unheld.heldText(this.#view.state.doc).toString();
      this.#bound = false;
      this.#view.dispatch({ effects: this.#shared.reconfigure([]) });
    }
    this.#replica?.destroy();
    this.#panes.everywhere({ effects: setPeople.of([]) });
    const replica: Replica = new Replica({
      send: (message) => this.#options.onMessage(message),
      edited: () => this.#options.onEdited(),
      peopleMoved: () => this.#peopleMoved(replica),
    });
    this.#replica = replica;
    this.#replica.ask();
  }

  /** Whether the text is the document's. */
  synced(): boolean {
    return this.#bound;
  }

  /** The server holds everything that was typed here. */
  acknowledged(): void {
    if (this.#bound) this.#unheld.clear();
  }

  setReadOnly(readOnly: boolean): void {
    if (this.#view.state.readOnly !== readOnly) {
      this.#panes.everywhere({ effects: this.#access.reconfigure(access(readOnly)) });
      this.#bringLeft();
    }
  }

  setDark(dark: boolean): void {
    this.#panes.everywhere({ effects: this.#shade.reconfigure(EditorView.darkTheme.of(dark)) });
  }

  /** The file has another path: perhaps another language. */
  setPath(path: string): void {
    this.#path = path;
    this.#panes.everywhere({ effects: this.#name.reconfigure(named(`Editor: ${path}`)) });
    this.#loadLanguage();
  }

  /** Shows it at one more place. */
  attach(pane: number, parent: HTMLElement): void {
    this.#panes.attach(pane, parent);
  }

  /** Shows it no more at a place. */
  detach(pane: number): void {
    this.#panes.detach(pane);
  }

  focus(pane: number): void {
    this.#panes.at(pane).focus();
  }

  /**
   * Selects so much at a line and column, from 1, or puts the cursor there, as near as there is one, and shows it, once the
   * text is here.
   */
  goTo(line: number, column: number, length: number): void {
    if (!this.#bound) {
      this.#wanted = { line, column, length };
      return;
    }
    const { doc } = this.#view.state;
    const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const anchor = Math.min(from + Math.max(column, 1) - 1, to);
    const head = Math.min(anchor + length, to);
    const effects = EditorView.scrollIntoView(anchor, { y: 'center' });
    this.#panes.front.dispatch({ selection: { anchor, head }, effects });
  }

  /** What the file defines, as JSON: names with their kinds and places. */
  symbols(): string {
    return JSON.stringify(symbolsOf(this.#view.state));
  }

  /** Does something by its name in the page's table of commands. */
  perform(pane: number, command: string): void {
    const view = this.#panes.at(pane);
    view.focus();
    if (!perform(view, command)) console.warn(`the editor knows no command ${command}`);
  }

  /** Keeps to the view of a person, until told otherwise. */
  follow(member: number | undefined): void {
    this.#followed = member ?? null;
    this.#keepTo();
  }

  /** Shows where a person is, as soon as that is known. */
  seek(member: number): void {
    this.#sought = member;
    this.#find();
  }

  text(): string {
    return this.#view.state.doc.toString();
  }

  destroy(): void {
    this.#bound = false;
    this.#panes.destroy();
    this.#replica?.destroy();
    this.#replica = null;
  }

  /** The document is here whole: brings over what only this page has, and shows it. */
  #bind(replica: Replica): void {
    const local = this.text();
    const remote = replica.text.toString();
    const base = this.#base;
    this.#base = null;
    // Before anything was there to be seen, typing stands at the beginning.
    const edits = base === null ? (local ? [{ from: 0, to: 0, insert: local }] : []) : merge(base, local, remote);
    if (this.#view.state.readOnly) this.#left ??= edits.length > 0 ? { base: base ?? '', local } : null;
    else replica.edit(edits);
    const after = replica.text.toString();
    this.#view.dispatch({
      changes: diff(local, after),
      effects: this.#shared.reconfigure(yCollab(replica.text, null, { undoManager: replica.startUndo() })),
      annotations: fromDocument.of(true),
    });
    this.#bound = true;
    this.#unheld.brought(ChangeSet.of(diff(after, remote), after.length, '\n'));
    this.#bringLeft();
    this.#peopleMoved(replica);
    this.#tellWhereabouts();
    if (this.#wanted) this.goTo(this.#wanted.line, this.#wanted.column, this.#wanted.length);
    this.#wanted = null;
  }

  #bringLeft(): void {
    if (!this.#left || !this.#replica || !this.#bound || this.#view.state.readOnly) return;
    const { base, local } = this.#left;
    this.#left = null;
    this.#replica.edit(merge(base, local, this.text()));
  }

  #updated(update: ViewUpdate): void {
    this.#panes.changed(update);
    for (const transaction of update.transactions) {
      if (!transaction.docChanged || transaction.annotation(fromDocument)) continue;
      if (this.#replica?.receiving) this.#unheld.came(transaction.changes);
      else this.#unheld.typed(transaction.changes, transaction.startState.doc);
      if (!this.#bound) this.#options.onEdited();
    }
  }

  /** Something has changed at one of the places. */
  #moved(update: ViewUpdate): void {
    const { view } = update;
    if (!this.#panes.isFront(update)) return;
    if (update.docChanged || update.selectionSet || (update.focusChanged && view.hasFocus)) {
      this.#tellCursor(update.state, update.focusChanged);
      this.#tellWhereabouts();
    }
    // What is typed somewhere else is taken back by itself.
    if (update.selectionSet && !update.docChanged) this.#replica?.endUndoStep();
    const isOwn = (event: string) => update.transactions.some((transaction) => transaction.isUserEvent(event));
    if (['input', 'delete', 'select', 'move', 'undo', 'redo'].some(isOwn)) this.#wander();
  }

  #tellWhereabouts(): void {
    if (!this.#replica || !this.#bound) return;
    const view = this.#panes.front;
    this.#isHere ||= view.hasFocus;
    const { anchor, head } = view.state.selection.main;
    const top = view.lineBlockAtHeight(view.scrollDOM.scrollTop).from;
    this.#replica.moved(this.#isHere ? { anchor, head, top } : { anchor: null, head: null, top });
  }

  #peopleMoved(replica: Replica): void {
    if (replica !== this.#replica || !this.#bound) return;
    this.#panes.everywhere({ effects: setPeople.of(replica.people()) });
    this.#find();
    this.#keepTo();
  }

  #find(): void {
    const view = this.#panes.front;
    if (this.#sought === null) return;
    const head = personIn(view, this.#sought)?.head ?? null;
    if (head === null) return;
    this.#sought = null;
    view.dispatch({ effects: EditorView.scrollIntoView(head, { y: 'center' }) });
  }

  #keepTo(): void {
    const view = this.#panes.front;
    if (this.#followed === null) return;
    const person = personIn(view, this.#followed);
    const { doc } = view.state;
    if (!person || person.top === null) return;
    const top = Math.min(person.top, doc.length);
    if (view.lineBlockAtHeight(view.scrollDOM.scrollTop).from !== doc.lineAt(top).from) {
      view.dispatch({ effects: EditorView.scrollIntoView(top, { y: 'start', yMargin: 0 }) });
    }
  }

  #wander(): void {
    this.#sought = null;
    if (this.#followed !== null) this.#options.onWander();
  }

  #tellCursor(state: EditorState, again: boolean): void {
    const { head } = state.selection.main;
    const line = state.doc.lineAt(head);
    const column = head - line.from + 1;
    const cursor = `${line.number}:${column}`;
    if (cursor === this.#cursor && !again) return;
    this.#cursor = cursor;
    this.#options.onCursor(line.number, column);
  }

  #loadLanguage(): void {
    const path = this.#path;
    const use = (language: Extension) => {
      if (this.#path === path) this.#panes.everywhere({ effects: this.#language.reconfigure(language) });
    };
    const load = languageOf(path);
    if (!load) return use([]);
    load().then(use, (error: unknown) => console.warn(`the language of ${path} could not be loaded`, error));
  }
}

function access(readOnly: boolean): Extension {
  return EditorState.readOnly.of(readOnly);
}

function named(label: string): Extension {
  return EditorView.contentAttributes.of({ 'aria-label': label });
}
