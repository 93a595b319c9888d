// The page's editor: one CodeMirror on one document that it shares with the server. Owns the view and which life of the
// document it shows, and sees that nothing typed is lost between two lives. Never sends by itself but through `onMessage`,
// and never throws into the page: what goes wrong is told in the console.

import { Annotation, ChangeSet, Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { yCollab } from 'y-codemirror.next';
import { changes, LONGEST, PAUSE, setChanges } from './editor/changes';
import { perform } from './editor/commands';
import { diff, type Edit, lineDifferences, reverted } from './editor/diff';
import { findsFromPanel } from './editor/find';
import { ruler } from './editor/guides';
import { type Habits, habits } from './editor/habits';
import type { Stretches } from './editor/highlights';
import { detected, type Indentation, indentation, shown } from './editor/indentation';
import { keys } from './editor/keys';
import { loadedLanguage, loadLanguage, PLAIN } from './editor/languages';
import { askForLine } from './editor/line';
import { merge } from './editor/merge';
import type { Comparison, EditorOptions, Rules, Watcher } from './editor/options';
import { painted } from './editor/painted';
import { Panes } from './editor/panes';
import { people, personIn, setPeople } from './editor/people';
import { Replica } from './editor/replica';
import { setup } from './editor/setup';
import { tidied } from './editor/tidy';
import { symbolsOf } from './editor/symbols';
import { Unheld } from './editor/unheld';
import { opened } from './editor/words';
import { speak } from './said';

/** What a view begins with. */
interface State {
  readOnly: boolean;
  dark: boolean;
  label: string;
  language: Extension;
}

/** What is typed is put right when it has paused this long, in milliseconds: a little before the server writes the file. */
const TIDY = 250;

/** A change that brings the view to what the document holds. */
const fromDocument = Annotation.define<boolean>();

/** Loads what an editor for the file at `path` will need besides this module. */
export function prepare(path: string): void {
  // What can't be loaded is told of once an editor wants it.
  loadLanguage(path).catch(() => {});
}

export function createEditor(options: EditorOptions): Editor {
  speak(options.words);
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
  readonly #manner = new Compartment();
  readonly #indent = new Compartment();
  readonly #assisting = new Compartment();
  readonly #watchers = new Set<Watcher>();

  #habits: Habits;
  #rules: Rules = {};
  /** How a person said that this file is indented. */
  #chosen: Indentation | null = null;
  /** How the text is indented by the looks of it. */
  #detected: Indentation | null = null;
  #indentation = '';
  /** Help while typing, once it is loaded, and whether that offers words. */
  #assistance: Extension = [];
  #completes: boolean | null = null;
  /** What has changed since a text was handed out to be formatted. */
  #since: ChangeSet | null = null;
  /** The text with which the file was opened first in the room, once that is known. */
  #first: string | null = null;
  /** The text with which this page opened the file, until the first one is known. */
  #opened: string | null = null;
  /** It is the first one. */
  #isFirst = false;
  #comparing: ReturnType<typeof setTimeout> | null = null;
  readonly #closed: () => void;

  /** A text that ought to be put right once the person pauses, or has left the line. */
  #untidy = false;
  #tidying: ReturnType<typeof setTimeout> | null = null;

  #path: string;
  /** The name of a file whose language this one is taken to be written in. */
  #example: string | null = null;
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
  /** Who waits for the text. */
  #waiting: (() => void)[] = [];
  /** It is known what the file is written in, and that is loaded, if it can be. */
  #hasLanguage = false;
  /** Lines that are to be marked as soon as the text is here. */
  #highlights: Stretches | null = null;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#path = options.path;
    this.#habits = options.habits;
    const language = loadedLanguage(options.path);
    const parts = (state: State): Extension => [
      EditorView.cspNonce.of(options.nonce),
      this.#access.of(access(state.readOnly)),
      this.#shade.of(EditorView.darkTheme.of(state.dark)),
      this.#name.of(named(state.label)),
      this.#assisting.of(this.#assistance),
      keys(),
      setup(),
      changes(() => options.onCompare()),
      people(),
      this.#manner.of(this.#ways()),
      this.#indent.of(this.#indents()),
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
          parts({ ...options, language }),
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
    this.#closed = opened(() => this.#view.state.doc);
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
      edited: () => this.#options.onEdited(false),
      peopleMoved: () => this.#peopleMoved(replica),
    });
    this.#replica = replica;
    this.#replica.ask();
  }

  /** Kept once what it shows now is painted. */
  painted(): Promise<void> {
    return painted();
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

  /** What the person has set for all editors. */
  setHabits(habits: Habits): void {
    this.#habits = habits;
    this.#panes.everywhere({ effects: this.#manner.reconfigure(this.#ways()) });
    this.#indentAnew();
    this.#loadAssistance();
    // The size of the text may be another.
    for (const view of this.#panes.all) view.requestMeasure();
  }

  /** What the file's `.editorconfig` says. */
  setRules(rules: Rules): void {
    if (JSON.stringify(rules) === JSON.stringify(this.#rules)) return;
    this.#rules = rules;
    this.#panes.everywhere({ effects: this.#manner.reconfigure(this.#ways()) });
    this.#indentAnew();
  }

  /** How this file is indented from now on; with a size of 0, as the text itself shows. */
  setIndentation(tabs: boolean, size: number): void {
    this.#chosen = size > 0 ? { tabs, size } : null;
    this.#detected = detected(this.#view.state.doc);
    this.#indentAnew();
  }

  /** What the file is written in, by the name of another one; by its own without. */
  setLanguage(example: string | undefined): void {
    this.#example = example ?? null;
    this.#loadLanguage();
  }

  /** The text with which the file was opened first in the room; without one, that with which this page did. */
  setFirst(text: string | undefined): void {
    this.#isFirst = text === undefined;
    if (text !== undefined) this.#first = text;
    else if (this.#bound) this.#first ??= this.#opened;
    if (this.#bound) this.#opened = null;
    this.#compareSoon();
  }

  /** Puts right what the `.editorconfig` says of ends of lines and of the text, but where somebody else is. */
  tidy(): void {
    const others = this.#replica ? cursorsOf(this.#replica) : [];
    this.#edit(tidied(this.#view.state.doc, this.#rules, others).edits, 'delete.tidy');
  }

  /** The text to be formatted. What is typed until [`formatted`] is kept. */
  toFormat(): string {
    const text = this.text();
    this.#since = ChangeSet.empty(text.length);
    return text;
  }

  /** The text of [`toFormat`], which was `before`, is to be `after`. */
  formatted(before: string, after: string): void {
    const since = this.#since;
    this.#since = null;
    if (!since || since.length !== before.length) return;
    this.#edit(ChangeSet.of(diff(before, after), before.length, '\n').map(since), 'input.format');
  }

  /** Shows it at a place beside, or under, what it was. */
  async compare(pane: number, parent: HTMLElement, comparison: Comparison): Promise<void> {
    const { compare } = await import('./editor/compare');
    if (!parent.isConnected) return;
    const before = comparison.before ?? this.#first ?? this.text();
    const beside: Extension = [
      EditorView.cspNonce.of(this.#options.nonce),
      EditorView.darkTheme.of(this.#view.state.facet(EditorView.darkTheme)),
      this.#language.get(this.#view.state) ?? [],
      named(`${comparison.name}: ${this.#path}`),
    ];
    this.#panes.host(pane, (twin) => compare({ parent, before, beside, twin, inline: comparison.inline }));
  }

  /** Tells somebody of the text from now on, until the function that comes back is called. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    watcher.text(this.text());
    watcher.top(this.#topLine());
    return () => this.#watchers.delete(watcher);
  }

  /** Brings a line, from 1, to the top. */
  scrollTo(line: number): void {
    const view = this.#panes.front;
    const { doc } = view.state;
    const { from } = doc.line(Math.min(Math.max(line, 1), doc.lines));
    // From afar, the heights of the lines above are guesses; the beginning is none.
    if (from === 0) view.scrollDOM.scrollTop = 0;
    else view.dispatch({ effects: EditorView.scrollIntoView(from, { y: 'start', yMargin: 0 }) });
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

  /** Brings the cursor into view, once there is as much room as there will be. */
  showCursor(): void {
    const view = this.#panes.front;
    requestAnimationFrame(() => view.dispatch({ effects: EditorView.scrollIntoView(view.state.selection.main.head) }));
  }

  /** Marks lines, once the text is here. */
  highlight(stretches: Stretches): void {
    if (!this.#bound) {
      this.#highlights = stretches;
      return;
    }
    import('./editor/highlights').then(
      ({ highlighted }) => this.#panes.everywhere({ effects: highlighted(stretches) }),
      (error: unknown) => console.warn('lines could not be marked', error),
    );
  }

  /** What the file defines, as JSON: names with their kinds and places. */
  symbols(): string {
    return JSON.stringify(symbolsOf(this.#view.state));
  }

  /** Does something by its name in the page's table of commands. */
  perform(pane: number, command: string): void {
    const view = this.#panes.at(pane);
    if (!findsFromPanel(view, command)) view.focus();
    if (command === 'revert-change') return this.#revert(view);
    if (command === 'go-to-line') return askForLine(view, this.#arrived());
    // Until the text is the document's, there is nothing to take back.
    if ((command === 'undo' || command === 'redo') && !this.#bound) return;
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
    if (this.#comparing !== null) clearTimeout(this.#comparing);
    if (this.#tidying !== null) clearTimeout(this.#tidying);
    this.#closed();
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
    const changes = ChangeSet.of(diff(local, after), local.length, '\n');
    this.#detected = detected(changes.apply(this.#view.state.doc));
    // All in one, since each takes the editor long.
    const everywhere = [this.#indent.reconfigure(this.#indents()), setPeople.of(replica.people())];
    const shared = this.#shared.reconfigure(yCollab(replica.text, null, { undoManager: replica.startUndo() }));
    this.#view.dispatch({ changes, effects: [shared, ...everywhere], annotations: fromDocument.of(true) });
    this.#panes.elsewhere({ effects: everywhere });
    this.#bound = true;
    this.#loadAssistance();
    this.#unheld.brought(ChangeSet.of(diff(after, remote), after.length, '\n'));
    this.#bringLeft();
    if (this.#isFirst) this.#first ??= remote;
    else if (this.#first === null) this.#opened ??= remote;
    this.#compareSoon();
    this.#tellIndentation();
    this.#find();
    this.#keepTo();
    this.#tellWhereabouts();
    if (this.#wanted) this.goTo(this.#wanted.line, this.#wanted.column, this.#wanted.length);
    this.#wanted = null;
    if (this.#highlights) this.highlight(this.#highlights);
    this.#highlights = null;
    for (const go of this.#waiting.splice(0)) go();
    this.#tellReadable();
  }

  /** Kept once the text is here. */
  #arrived(): Promise<void> {
    return this.#bound ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Both are here that symbols are found by: the text, and the language. */
  #tellReadable(): void {
    if (this.#bound && this.#hasLanguage) this.#options.onReadable();
  }

  #bringLeft(): void {
    if (!this.#left || !this.#replica || !this.#bound || this.#view.state.readOnly) return;
    const { base, local } = this.#left;
    this.#left = null;
    this.#replica.edit(merge(base, local, this.text()));
  }

  #updated(update: ViewUpdate): void {
    this.#panes.changed(update);
    if (update.docChanged) {
      this.#since = this.#since?.compose(update.changes) ?? null;
      this.#compareSoon();
    }
    for (const transaction of update.transactions) {
      if (!transaction.docChanged || transaction.annotation(fromDocument)) continue;
      if (this.#replica?.receiving) this.#unheld.came(transaction.changes);
      else {
        this.#unheld.typed(transaction.changes, transaction.startState.doc);
        this.#untidy = true;
        this.#tidySoon();
      }
      if (!this.#bound) this.#options.onEdited(true);
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
    if (update.selectionSet && this.#untidy) this.#tidySoon();
    // What is typed somewhere else is taken back by itself.
    if (update.selectionSet && !update.docChanged) this.#replica?.endUndoStep();
    const isOwn = (event: string) => update.transactions.some((transaction) => transaction.isUserEvent(event));
    if (['input', 'delete', 'select', 'move', 'undo', 'redo'].some(isOwn)) this.#wander();
  }

  /** What is typed is put right once the person pauses, before the server writes it to the file. */
  #tidySoon(): void {
    const { trim, finalNewline, lineEnding } = this.#rules;
    if (!trim && finalNewline === undefined && !lineEnding) return;
    if (this.#tidying !== null) clearTimeout(this.#tidying);
    this.#tidying = setTimeout(() => this.#tidyUp(), TIDY);
  }

  #tidyUp(): void {
    this.#tidying = null;
    if (!this.#untidy || !this.#replica || !this.#bound || this.#view.state.readOnly) return;
    const front = this.#panes.front;
    if (front.composing) return this.#tidySoon();
    const own = front.state.selection.ranges.flatMap(({ anchor, head }) => [anchor, head]);
    const { edits, left } = tidied(this.#view.state.doc, this.#rules, [...own, ...cursorsOf(this.#replica)]);
    if (edits.length > 0) this.#replica.tidy(edits);
    this.#untidy = left;
    this.#options.onTidied();
  }

  #topLine(): number {
    const view = this.#panes.front;
    return view.state.doc.lineAt(view.lineBlockAtHeight(view.scrollDOM.scrollTop).from).number;
  }

  /** Tells the others, and who watches, where this page is: once it is drawn, since asking earlier lays it out twice. */
  #tellWhereabouts(): void {
    const view = this.#panes.front;
    this.#isHere ||= view.hasFocus;
    view.requestMeasure({
      key: this,
      read: ({ scrollDOM }) => view.lineBlockAtHeight(scrollDOM.scrollTop).from,
      write: (top) => {
        const { doc, selection } = view.state;
        if (top > doc.length) return;
        if (this.#watchers.size > 0) {
          const line = doc.lineAt(top).number;
          for (const watcher of this.#watchers) watcher.top(line);
        }
        if (!this.#replica || !this.#bound) return;
        const { anchor, head } = selection.main;
        this.#replica.moved(this.#isHere ? { anchor, head, top } : { anchor: null, head: null, top });
      },
    });
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

  /** Edits of the page's own, which are taken back in one step. */
  #edit(edits: readonly Edit[] | ChangeSet, userEvent: string): void {
    const { doc, readOnly } = this.#view.state;
    const made = edits instanceof ChangeSet ? edits : ChangeSet.of([...edits], doc.length, '\n');
    if (readOnly || made.empty) return;
    this.#replica?.endUndoStep();
    this.#view.dispatch({ changes: made, userEvent });
    this.#replica?.endUndoStep();
  }

  /** Takes back the change at the cursor, to what was there when the file was opened. */
  #revert(view: EditorView): void {
    if (this.#first === null) return;
    const line = view.state.doc.lineAt(view.state.selection.main.head).number;
    const edit = reverted(this.#first, this.text(), line);
    if (edit) this.#edit([edit], 'revert');
  }

  #ways(): Extension {
    return [habits(this.#habits), this.#rules.ruler ? ruler(this.#rules.ruler) : []];
  }

  #indents(): Extension {
    const { tabSize: setting } = this.#habits;
    return indentation({ chosen: this.#chosen, rules: this.#rules, detected: this.#detected, setting });
  }

  #indentAnew(): void {
    this.#panes.everywhere({ effects: this.#indent.reconfigure(this.#indents()) });
    this.#tellIndentation();
  }

  #tellIndentation(): void {
    const { tabs, size } = shown(this.#view.state);
    const said = `${tabs} ${size}`;
    if (said === this.#indentation) return;
    this.#indentation = said;
    this.#options.onIndentation(tabs, size);
  }

  /** Tells who watches the text, and marks what has changed in it, once nobody has typed for a moment. */
  #compareSoon(): void {
    if (this.#comparing !== null) return;
    this.#comparing = setTimeout(() => {
      this.#comparing = null;
      const text = this.text();
      for (const watcher of this.#watchers) watcher.text(text);
      if (this.#first === null || text.length > LONGEST || this.#first.length > LONGEST) return;
      this.#panes.everywhere({ effects: setChanges.of(lineDifferences(this.#first, text)) });
    }, PAUSE);
  }

  #loadAssistance(): void {
    import('./editor/completion').then(
      ({ assistance }) => {
        const { completion } = this.#habits;
        if (this.#completes === completion) return;
        this.#completes = completion;
        this.#assistance = assistance(completion);
        this.#panes.everywhere({ effects: this.#assisting.reconfigure(this.#assistance) });
      },
      (error: unknown) => console.warn('help while typing could not be loaded', error),
    );
  }

  #loadLanguage(): void {
    const path = this.#example ?? this.#path;
    const use = (language: Extension) => {
      if ((this.#example ?? this.#path) !== path) return;
      if (this.#language.get(this.#view.state) !== language) {
        this.#panes.everywhere({ effects: this.#language.reconfigure(language) });
      }
      this.#hasLanguage = true;
      this.#tellIndentation();
      this.#tellReadable();
    };
    loadLanguage(path).then(use, (error: unknown) => {
      console.warn(`the language of ${path} could not be loaded`, error);
      use(PLAIN);
    });
  }
}

/** Where others are. */
function cursorsOf(replica: Replica): number[] {
  return replica.people().flatMap(({ anchor, head }) => [anchor, head].filter((at) => at !== null));
}

function access(readOnly: boolean): Extension {
  return EditorState.readOnly.of(readOnly);
}

function named(label: string): Extension {
  return EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' });
}
