// This page's copy of a document, and the y-protocols messages that keep it and the server's alike: the text by sync
// messages, and who is where in it by awareness. Owns one life of the Yjs document; knows no editor. Never keeps a message
// from being sent: who is connected decides what goes.

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as awareness from 'y-protocols/awareness';
import * as sync from 'y-protocols/sync';
import * as Y from 'yjs';
import type { Edit } from './diff';

/** The name of the one text in a document. */
const ROOT = 'content';
const SYNC = 0;
const AWARENESS = 1;
/** What moved is told this much later, in milliseconds, with what moved meanwhile. */
const GATHER = 50;
/** The origin of changes that nobody made by hand. */
const TIDY = Symbol('tidy');
/** Editors of other makes forget whom they have not heard of for 30 s. */
const RENEW = 15_000;

export interface ReplicaEvents {
  /** Messages for the server. */
  send(message: Uint8Array): void;
  /** A change was made here. */
  edited(): void;
  /** Somebody else came, moved or left. */
  peopleMoved(): void;
}

/** Where a person is, by positions in the text, in UTF-16 units. */
export interface Person {
  /** The number that the room knows the person by; `null` for editors of other makes. */
  member: number | null;
  name: string;
  color: string;
  anchor: number | null;
  head: number | null;
  /** The beginning of the first line the person sees. */
  top: number | null;
}

/** Where this page is, as [`Person`] says it. */
export interface Whereabouts {
  anchor: number | null;
  head: number | null;
  top: number | null;
}

export class Replica {
  readonly text: Y.Text;
  /** A change from the server is being applied. */
  receiving = false;
  readonly #doc = new Y.Doc();
  readonly #awareness = new awareness.Awareness(this.#doc);
  readonly #events: ReplicaEvents;
  readonly #renewal: ReturnType<typeof setInterval>;
  #undo: Y.UndoManager | null = null;
  #telling: ReturnType<typeof setTimeout> | null = null;

  constructor(events: ReplicaEvents) {
    this.text = this.#doc.getText(ROOT);
    this.#events = events;
    this.#doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === this) return;
      this.#message((encoder) => sync.writeUpdate(encoder, update));
      events.edited();
    });
    // The server says who has left; a page that sleeps is not gone.
    clearInterval(this.#awareness._checkInterval);
    this.#awareness.setLocalState({});
    this.#awareness.on('update', (_: unknown, origin: unknown) => {
      if (origin === this) events.peopleMoved();
      else this.#telling ??= setTimeout(() => this.#tell(), GATHER);
    });
    this.#renewal = setInterval(() => this.#renew(), RENEW);
  }

  /** A connection begins: asks the server for what is missing here, and says anew where this page is. */
  ask(): void {
    this.#message((encoder) => sync.writeSyncStep1(encoder, this.#doc));
    this.#forgetOthers();
    this.#renew();
  }

  /** Takes messages of the server's and answers them; whether among them was all that was missing (a step 2). */
  receive(messages: Uint8Array): boolean {
    const decoder = decoding.createDecoder(messages);
    let isWhole = false;
    this.receiving = true;
    try {
      while (decoding.hasContent(decoder)) isWhole = this.#take(decoder) || isWhole;
    } finally {
      this.receiving = false;
    }
    return isWhole;
  }

  /** Changes the text by edits in order, all of them positions in the text as it is. */
  edit(edits: readonly Edit[]): void {
    this.#change(edits, null);
  }

  /** The same with what was put right for the person: it is not theirs to take back. */
  tidy(edits: readonly Edit[]): void {
    this.#change(edits, TIDY);
  }

  #change(edits: readonly Edit[], origin: unknown): void {
    this.#doc.transact(() => {
      for (const { from, to, insert } of edits.toReversed()) {
        if (to > from) this.text.delete(from, to - from);
        if (insert) this.text.insert(from, insert);
      }
    }, origin);
  }

  /** From now on what is changed here can be taken back. */
  startUndo(): Y.UndoManager {
    this.#undo?.destroy();
    this.#undo = new Y.UndoManager(this.text);
    return this.#undo;
  }

  /** The next change is taken back by itself, however soon it comes. */
  endUndoStep(): void {
    this.#undo?.stopCapturing();
  }

  /** This page is here now. */
  moved({ anchor, head, top }: Whereabouts): void {
    const at = (index: number) => Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(this.text, index));
    const cursor = anchor === null || head === null ? null : { anchor: at(anchor), head: at(head) };
    const state = { cursor, top: top === null ? null : at(top) };
    if (JSON.stringify(state) !== JSON.stringify(this.#awareness.getLocalState())) this.#awareness.setLocalState(state);
  }

  /** Where the others are. */
  people(): Person[] {
    const others = [...this.#awareness.getStates()].filter(([client]) => client !== this.#doc.clientID);
    return others.map(([, state]) => {
      const { user, cursor, top } = state as { user?: Record<string, unknown>; cursor?: Record<string, unknown>; top?: unknown };
      return {
        member: typeof user?.member === 'number' ? user.member : null,
        name: String(user?.name ?? 'Guest'),
        color: typeof user?.color === 'string' && /^#[0-9a-f]{6}$/i.test(user.color) ? user.color : '#808080',
        anchor: this.#index(cursor?.anchor),
        head: this.#index(cursor?.head),
        top: this.#index(top),
      };
    });
  }

  destroy(): void {
    clearInterval(this.#renewal);
    if (this.#telling !== null) clearTimeout(this.#telling);
    this.#undo?.destroy();
    this.#awareness.destroy();
    this.#doc.destroy();
  }

  #take(decoder: decoding.Decoder): boolean {
    switch (decoding.readVarUint(decoder)) {
      case SYNC: {
        const answer = encoding.createEncoder();
        encoding.writeVarUint(answer, SYNC);
        const kind = sync.readSyncMessage(decoder, answer, this.#doc, this);
        if (encoding.length(answer) > 1) this.#events.send(encoding.toUint8Array(answer));
        return kind === sync.messageYjsSyncStep2;
      }
      case AWARENESS:
        awareness.applyAwarenessUpdate(this.#awareness, decoding.readVarUint8Array(decoder), this);
        return false;
      default:
        throw new Error('a message of an unknown kind');
    }
  }

  /** What another page says is a position may be anything. */
  #index(said: unknown): number | null {
    if (typeof said !== 'object' || said === null) return null;
    try {
      const position = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(said), this.#doc);
      return position?.type === this.text ? position.index : null;
    } catch {
      return null;
    }
  }

  #renew(): void {
    this.#awareness.setLocalState(this.#awareness.getLocalState());
  }

  /** Whoever is still there is told of by the next connection, with the clocks that are known here. */
  #forgetOthers(): void {
    const others = [...this.#awareness.getStates().keys()].filter((client) => client !== this.#doc.clientID);
    for (const client of this.#awareness.meta.keys()) {
      if (client !== this.#doc.clientID) this.#awareness.meta.delete(client);
    }
    awareness.removeAwarenessStates(this.#awareness, others, this);
  }

  #tell(): void {
    this.#telling = null;
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, AWARENESS);
    encoding.writeVarUint8Array(encoder, awareness.encodeAwarenessUpdate(this.#awareness, [this.#doc.clientID]));
    this.#events.send(encoding.toUint8Array(encoder));
  }

  #message(write: (encoder: encoding.Encoder) => void): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, SYNC);
    write(encoder);
    this.#events.send(encoding.toUint8Array(encoder));
  }
}
