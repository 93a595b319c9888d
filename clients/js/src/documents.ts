// Open files that several people type in at once. Owns this client's copy of each, a Yjs document, and the messages that keep
// it and the server's alike. `yjs` itself is loaded with the first document; nothing else here or elsewhere needs it.

import { told } from './callbacks.js';
import type { Context } from './commands.js';
import type { Connection } from './connection.js';
import { type EmbedenvError, failure } from './errors.js';
import { type Binary, documentFrame, type Frame } from './frames.js';
import { absolute, entryOf, type Place } from './paths.js';

/** Documents that one client has open at once. */
const MOST_OPEN = 64;
/** The name of the one text in a document. */
const ROOT = 'content';
/** Messages of the y-protocols: synchronising, and within it what each step is. */
const SYNC = 0;
const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;
/** "Who is where?", which has nothing behind it. */
const QUERY = 3;

/** A stretch of a text that is replaced. Offsets are in UTF-16 units, as JavaScript's strings have them. */
export interface TextEdit {
  /** Where it begins. */
  from: number;
  /** Where it ends; the same as `from` to insert. */
  to: number;
  /** What is there instead. */
  insert: string;
}

/** What happened to a document. */
export interface DocumentChange {
  /** The text now. */
  text: string;
  /** What was changed, by offsets in the text before, in order. */
  edits: TextEdit[];
  /** Somebody else did it, or a program. */
  isRemote: boolean;
}

/** As much of Yjs as is used here; `import * as Y from 'yjs'` is one. */
export interface Yjs {
  Doc: new () => YDoc;
  encodeStateVector(doc: YDoc): Uint8Array;
  encodeStateAsUpdate(doc: YDoc, since?: Uint8Array): Uint8Array;
  applyUpdate(doc: YDoc, update: Uint8Array, origin?: unknown): void;
}

/** As much of a `Y.Doc` as is used here. */
export interface YDoc {
  getText(name: string): YText;
  transact(change: () => void, origin?: unknown): void;
  on(event: 'update', then: (update: Uint8Array, origin: unknown) => void): void;
  destroy(): void;
}

/** As much of a `Y.Text` as is used here. */
export interface YText {
  readonly length: number;
  toString(): string;
  insert(at: number, text: string): void;
  delete(at: number, length: number): void;
  observe(then: (event: { delta: unknown; transaction: { origin: unknown } }) => void): void;
}

/** How a document is opened. */
export interface DocumentOptions {
  /** The Yjs to make it with, for who has one: two copies of Yjs in one program do not work together. */
  yjs?: Yjs;
}

/** Somebody who waits until the server holds what was typed. */
interface Unheld {
  /** How many updates of this connection the server has to hold for it. */
  count: number;
  resolve(): void;
  reject(error: EmbedenvError): void;
}

/** A file that is open, with what everybody types into it. */
export class TextDocument {
  /** The text is here. @internal */
  readonly begun: Promise<void>;
  /** How often it was opened here and not closed. @internal */
  opens = 1;
  readonly #connection: Connection;
  readonly #yjs: Yjs;
  readonly #listeners = new Set<(change: DocumentChange) => void>();
  readonly #exits = new Set<(error?: Error) => void>();
  readonly #forget: () => void;
  #begin!: { resolve(): void; reject(error: EmbedenvError): void };
  #place: Place;
  #doc!: YDoc;
  #text!: YText;
  #number = -1;
  #epoch = -1;
  #readOnly: string | null = null;
  /** The server was asked to open it on this connection, and has not answered. */
  #isAsked = false;
  /** The server has been sent what it lacked when the connection began. Until then nothing that is typed goes out by itself. */
  #isAlike = false;
  /** Something was typed that was not sent on this connection, or may not have arrived on the one before. */
  #owes = false;
  /** Updates sent on this connection, and those of them that the server holds. */
  #sent = 0;
  #received = 0;
  #unheld: Unheld[] = [];
  /** The text of the life before, while the document begins anew. */
  #before: string | null = null;
  #ended: EmbedenvError | null = null;

  private constructor(connection: Connection, place: Place, yjs: Yjs, forget: () => void) {
    this.#connection = connection;
    this.#place = place;
    this.#yjs = yjs;
    this.#forget = forget;
    this.begun = new Promise((resolve, reject) => (this.#begin = { resolve, reject }));
    this.begun.catch(() => undefined);
    this.#renew();
  }

  /** @internal */
  static of(connection: Connection, place: Place, yjs: Yjs, forget: () => void): TextDocument {
    return new TextDocument(connection, place, yjs, forget);
  }

  /** Where its file is: `/home/user/PROJECT/…`. It changes when the file is renamed. */
  get path(): string {
    return absolute(this.#place);
  }

  /** The text, with all that people have typed. Its lines end in a line feed. */
  get text(): string {
    return this.#text.toString();
  }

  /** Why it can't be changed: `role`, `not-text`, `too-large` or `binary`; `null` if it can. */
  get readOnly(): string | null {
    return this.#readOnly;
  }

  /**
   * The Yjs document, for editors with a binding to Yjs: its text is the `Y.Text` named `content`. When the document begins
   * anew, which is rare, this is another one, and the last of {@link TextDocument.onChange} tells the text.
   */
  get yDoc(): YDoc {
    return this.#doc;
  }

  /**
   * Changes the text at once, here. Offsets are those of the text as it is; edits don't overlap.
   *
   * @returns a promise that resolves once the server holds the edit, so that it outlives server and client. It fails with a
   * {@link ConflictError} if the document began anew meanwhile, without this edit: look at the text, and make it again.
   * @throws {@link InvalidArgumentError} for offsets that are none, {@link ForbiddenError} if it can't be changed.
   */
  edit(edits: TextEdit | readonly TextEdit[]): Promise<void> {
    if (this.#ended) throw this.#ended;
    if (this.#readOnly) throw failure('forbidden', `${this.path} can't be changed: ${this.#readOnly}`);
    if (this.#before !== null) throw failure('conflict', `${this.path} begins anew just now; look at its text then`);
    const sorted = [edits].flat().sort((one, other) => one.from - other.from);
    let end = 0;
    for (const { from, to } of sorted) {
      if (!Number.isInteger(from) || !Number.isInteger(to) || from < end || to < from || to > this.#text.length) {
        throw failure('bad_request', `an edit from ${from} to ${to} does not fit into ${this.#text.length} characters`);
      }
      end = to;
    }
    this.#doc.transact(() => {
      for (const { from, to, insert } of sorted.toReversed()) {
        if (to > from) this.#text.delete(from, to - from);
        if (insert) this.#text.insert(from, insert);
      }
    }, this);
    return this.#held();
  }

  /** Makes the text another one, by the one edit that does it. See {@link TextDocument.edit}. */
  setText(text: string): Promise<void> {
    return this.edit(difference(this.text, text));
  }

  /** Waits until all of it is in its file. */
  async save(): Promise<void> {
    for (;;) {
      if (this.#ended) throw this.#ended;
      await this.#held();
      try {
        await this.#connection.request({ type: 'save', document: this.#number }, { retry: false });
        return;
      } catch (error) {
        if (this.#ended || (error as EmbedenvError).code !== 'connection_lost') throw error;
      }
    }
  }

  /** Has `then` called after each change, one's own too; returns what ends that. */
  onChange(then: (change: DocumentChange) => void): () => void {
    this.#listeners.add(then);
    return () => this.#listeners.delete(then);
  }

  /** Has `then` called once when it is open no more: after `close`, or with the reason, such as that the file is gone. */
  onClose(then: (error?: Error) => void): () => void {
    this.#exits.add(then);
    return () => this.#exits.delete(then);
  }

  /** Closes it, for this client. What was typed stays and comes into the file. */
  async close(): Promise<void> {
    this.opens -= 1;
    if (this.opens > 0 || this.#ended) return;
    const number = this.#number;
    this.end();
    await this.#connection.request({ type: 'close', document: number }, { retry: false }).catch(() => undefined);
  }

  /** What the server calls it on the connection that stands. @internal */
  get number(): number {
    return this.#number;
  }

  /** Opens it, the first time or again, unless that is under way. @internal */
  open(): void {
    this.#isAlike = false;
    if (this.#isAsked) return;
    this.#isAsked = true;
    const { project, path } = this.#place;
    const take = (frame: Frame) => {
      this.#isAsked = false;
      this.#opened(frame);
    };
    const asking = this.#epoch < 0 ? { take } : { take, timeoutMs: 0 };
    this.#connection.request({ type: 'open', project, path }, asking).catch((error: EmbedenvError) => this.end(error));
  }

  /** A message of the server's about it. @internal */
  frame(frame: Frame): void {
    if (frame.type === 'document-moved') this.#place = { ...this.#place, path: String(frame.path) };
    if (frame.type === 'document') this.#acknowledged(Number(frame.received));
  }

  /** Messages of the y-protocols. @internal */
  take(bytes: Uint8Array): void {
    let at = 0;
    const number = () => {
      let value = 0;
      for (let shift = 1; ; shift *= 128) {
        const byte = bytes[at] ?? 0;
        at += 1;
        value += (byte & 127) * shift;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const kind = number();
      if (kind === QUERY) continue;
      const step = kind === SYNC ? number() : null;
      const length = number();
      const body = bytes.subarray(at, at + length);
      at += length;
      if (step === STEP_1) this.#answer(body);
      // Where others are is nothing to this client.
      else if (step !== null) this.#yjs.applyUpdate(this.#doc, body, this.#connection);
      if (step === STEP_2) this.#isHere();
    }
  }

  /** It is open no more. @internal */
  end(error?: EmbedenvError): void {
    if (this.#ended) return;
    this.#ended = error ?? failure('closed', `the document ${this.path} was closed`);
    this.#forget();
    this.#begin.reject(this.#ended);
    for (const { reject } of this.#unheld.splice(0)) reject(this.#ended);
    for (const then of this.#exits) told('onClose', () => then(error));
    this.#listeners.clear();
    this.#exits.clear();
  }

  #opened({ document, epoch, read_only: readOnly }: Frame): void {
    this.#number = Number(document);
    this.#readOnly = readOnly === undefined ? null : String(readOnly);
    this.#owes ||= this.#received < this.#sent;
    this.#sent = 0;
    this.#received = 0;
    for (const unheld of this.#unheld) unheld.count = Infinity;
    if (this.#epoch !== Number(epoch) && this.#epoch >= 0) this.#beginAnew();
    this.#epoch = Number(epoch);
    if (this.#readOnly === 'binary' || this.#readOnly === 'not-text') this.#isHere();
    this.#send(STEP_1, this.#yjs.encodeStateVector(this.#doc));
  }

  /** The server says what it has: it is sent the rest, and with that all that it does not hold. */
  #answer(stateVector: Uint8Array): void {
    this.#isAlike = true;
    this.#owes = false;
    this.#sent += 1;
    this.#send(STEP_2, this.#yjs.encodeStateAsUpdate(this.#doc, stateVector));
    for (const unheld of this.#unheld) unheld.count = this.#sent;
  }

  /** All that the server had is here. */
  #isHere(): void {
    const before = this.#before;
    this.#before = null;
    const edit = before === null ? null : difference(before, this.text);
    if (edit && (edit.to > edit.from || edit.insert)) this.#changed([edit], true);
    this.#begin.resolve();
  }

  /** The document lives another life: a copy of the one before must not be mixed with it. */
  #beginAnew(): void {
    this.#before ??= this.text;
    this.#owes = false;
    const conflict = failure('conflict', `${this.path} began anew without this edit; look at its text, and make it again`);
    for (const { reject } of this.#unheld.splice(0)) reject(conflict);
    this.#doc.destroy();
    this.#renew();
  }

  #renew(): void {
    const doc = new this.#yjs.Doc();
    this.#doc = doc;
    this.#text = doc.getText(ROOT);
    doc.on('update', (update, origin) => {
      if (origin === this.#connection || doc !== this.#doc) return;
      // What is typed until both are alike goes with the answer to what the server has.
      if (this.#isAlike && this.#send(UPDATE, update)) this.#sent += 1;
      else this.#owes = true;
    });
    this.#text.observe(({ delta, transaction }) => {
      // What comes while it begins anew is told as one change, once it is all there.
      if (doc !== this.#doc || this.#before !== null) return;
      this.#changed(editsOf(delta as Delta), transaction.origin === this.#connection);
    });
  }

  #changed(edits: TextEdit[], isRemote: boolean): void {
    const change = { text: this.text, edits, isRemote };
    for (const then of [...this.#listeners]) told('onChange', () => then(change));
  }

  #send(step: number, body: Uint8Array): boolean {
    return this.#connection.sendBinary(documentFrame(this.#number, messageOf(step, body)));
  }

  /** Until the server holds all that was typed. */
  #held(): Promise<void> {
    const isKnown = this.#isAlike && !this.#owes;
    if (isKnown && this.#received >= this.#sent) return Promise.resolve();
    const held = new Promise<void>((resolve, reject) => {
      this.#unheld.push({ count: isKnown ? this.#sent : Infinity, resolve, reject });
    });
    // Who does not wait for it is told by the text.
    held.catch(() => undefined);
    return held;
  }

  #acknowledged(received: number): void {
    this.#received = received;
    const all = this.#unheld;
    this.#unheld = all.filter(({ count }) => count > received);
    for (const { count, resolve } of all) if (count <= received) resolve();
  }
}

/** Opens files as documents that several people type in at once. */
export class Documents {
  readonly #context: Context;
  readonly #open = new Set<TextDocument>();

  private constructor(context: Context) {
    this.#context = context;
    const { connection } = context;
    const of = (number: unknown) => [...this.#open].find((document) => document.number === Number(number));
    connection.on('binary', (frame: Binary) => {
      if (frame.kind === 'document') of(frame.number)?.take(frame.bytes);
    });
    for (const type of ['document', 'document-moved']) connection.on(type, (frame) => of(frame.document)?.frame(frame));
    connection.on('document-closed', (frame) => of(frame.document)?.open());
    connection.on('joined', () => {
      for (const document of this.#open) document.open();
    });
    connection.on('end', (error) => {
      for (const document of [...this.#open]) document.end(error);
    });
  }

  /** @internal */
  static of(context: Context): Documents {
    return new Documents(context);
  }

  /**
   * Opens a text file that there is. It takes the package `yjs`, which is loaded by this.
   *
   * @throws {@link NotFoundError} if there is none, {@link EmbedenvError} with the code `not_supported` without `yjs`.
   */
  async open(path: string, options: DocumentOptions = {}): Promise<TextDocument> {
    const place = entryOf(path, this.#context.project);
    const yjs = options.yjs ?? (await loaded());
    const known = [...this.#open].find((document) => document.path === absolute(place));
    if (known) {
      known.opens += 1;
      await known.begun;
      return known;
    }
    if (this.#open.size >= MOST_OPEN) throw failure('limit_reached', `${MOST_OPEN} documents are open already`);
    const document = TextDocument.of(this.#context.connection, place, yjs, () => this.#open.delete(document));
    this.#open.add(document);
    document.open();
    await document.begun;
    return document;
  }
}

async function loaded(): Promise<Yjs> {
  try {
    return (await import('yjs')) as unknown as Yjs;
  } catch (cause) {
    const error = failure('not_supported', 'documents take the package yjs: `npm install yjs`');
    error.cause = cause;
    throw error;
  }
}

function messageOf(step: number, body: Uint8Array): Uint8Array {
  const head = [SYNC, step];
  let length = body.length;
  for (; length > 127; length = Math.floor(length / 128)) head.push(128 | length % 128);
  head.push(length);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

type Delta = ({ retain: number } | { insert: string } | { delete: number })[];

/** What Yjs tells of a change, as edits by offsets in the text before. */
function editsOf(delta: Delta): TextEdit[] {
  const edits: TextEdit[] = [];
  let at = 0;
  for (const part of delta) {
    if ('retain' in part) {
      at += part.retain;
      continue;
    }
    const last = edits.at(-1);
    const edit = last?.to === at ? last : { from: at, to: at, insert: '' };
    if (edit !== last) edits.push(edit);
    if ('insert' in part) edit.insert += part.insert;
    else edit.to = at += part.delete;
  }
  return edits;
}

/** The one edit that makes one text of another. It parts no character in two. */
function difference(before: string, after: string): TextEdit {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  if (isHigh(before, start - 1)) start -= 1;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  if (end > 0 && isHigh(before, before.length - end - 1)) end -= 1;
  else if (end > 0 && isHigh(after, after.length - end - 1)) end -= 1;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}

/** Whether a unit is the first of the two of a character. */
function isHigh(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00;
}
