// This page's copy of a document, and the y-protocols sync messages that keep it and the server's alike. Owns one life of
// the Yjs document; knows no editor. Never keeps a message from being sent: who is connected decides what goes.

import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as sync from 'y-protocols/sync';
import * as Y from 'yjs';
import type { Edit } from './diff';

/** The name of the one text in a document. */
const ROOT = 'content';
/** The message type of the sync protocol; awareness, the other one, is not spoken here yet. */
const SYNC = 0;

export class Replica {
  readonly text: Y.Text;
  /** A change from the server is being applied. */
  receiving = false;
  readonly #doc = new Y.Doc();
  readonly #send: (message: Uint8Array) => void;

  /** `send` is called with each message for the server, `edited` after each change that was made here. */
  constructor(send: (message: Uint8Array) => void, edited: () => void) {
    this.text = this.#doc.getText(ROOT);
    this.#send = send;
    this.#doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === this) return;
      this.#message((encoder) => sync.writeUpdate(encoder, update));
      edited();
    });
  }

  /** Asks the server for what is missing here. */
  ask(): void {
    this.#message((encoder) => sync.writeSyncStep1(encoder, this.#doc));
  }

  /** Takes a message of the server's and answers it; whether it was all that was missing (a step 2). */
  receive(message: Uint8Array): boolean {
    const decoder = decoding.createDecoder(message);
    if (decoding.readVarUint(decoder) !== SYNC) return false;
    const answer = encoding.createEncoder();
    encoding.writeVarUint(answer, SYNC);
    this.receiving = true;
    let kind: number;
    try {
      kind = sync.readSyncMessage(decoder, answer, this.#doc, this);
    } finally {
      this.receiving = false;
    }
    if (encoding.length(answer) > 1) this.#send(encoding.toUint8Array(answer));
    return kind === sync.messageYjsSyncStep2;
  }

  /** Changes the text by edits in order, all of them positions in the text as it is. */
  edit(edits: readonly Edit[]): void {
    this.#doc.transact(() => {
      for (const { from, to, insert } of edits.toReversed()) {
        if (to > from) this.text.delete(from, to - from);
        if (insert) this.text.insert(from, insert);
      }
    });
  }

  destroy(): void {
    this.#doc.destroy();
  }

  #message(write: (encoder: encoding.Encoder) => void): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, SYNC);
    write(encoder);
    this.#send(encoding.toUint8Array(encoder));
  }
}
