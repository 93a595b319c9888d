// Output of terminals and processes, which the server keeps as logs: bytes with offsets. Owns where each reader stands, so
// that after a connection broke it goes on with the next byte: no hole and no duplicate. Knows no text.

import type { Connection } from './connection.js';
import { type EmbedenvError, failure } from './errors.js';
import type { Binary, Exit, Frame, Joined, Terminal } from './frames.js';

/** Who reads a log. @internal */
export interface LogSink {
  bytes(bytes: Uint8Array): void;
  /** So many bytes are lost to this reader; what draws the screen as it is then, if there is such a thing. */
  lost(count: number, screen: Uint8Array): void;
  /** The program has ended, and its output before. */
  ended(exit: Exit): void;
  /** Nothing more comes, and how the program ended can't be told. */
  failed(error: EmbedenvError): void;
}

interface Reader {
  sink: LogSink;
  /** The offset of the byte that comes next. */
  at: number;
  /** Whether the server sends it on the connection that stands, or was asked to. */
  attached: 'no' | 'asked' | 'yes';
  /** The offset up to which there was output when the server began to send it: all of that comes. */
  until: number;
  /** How its program ended, if that is known. */
  exit: Exit | null;
}

/** Every log that this client reads. @internal */
export class Logs {
  readonly #connection: Connection;
  readonly #readers = new Map<number, Reader>();
  #epoch: number;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#epoch = connection.joined.sandbox_epoch;
    connection.on('joined', (joined) => this.#join(joined));
    connection.on('binary', (frame) => this.#binary(frame));
    connection.on('terminal', (frame) => this.#told(frame as unknown as Terminal));
    connection.on('terminal-closed', ({ terminal }) => this.#fail(Number(terminal), failure('not_found', 'it was closed')));
    connection.on('sandbox', ({ state }) => {
      if (state === 'ready') this.#attachAll();
    });
    connection.on('end', (error) => {
      for (const log of [...this.#readers.keys()]) this.#fail(log, error);
    });
  }

  /** Reads a log from its beginning, or from an offset on. It `isAttached` if the server sends it already. */
  read(log: number, sink: LogSink, isAttached = false, from = 0): void {
    const reader: Reader = { sink, at: from, attached: isAttached ? 'yes' : 'no', until: 0, exit: null };
    this.#readers.set(log, reader);
    if (!isAttached) this.#attach(log, reader);
  }

  has(log: number): boolean {
    return this.#readers.has(log);
  }

  /** Hears no more of a log. */
  leave(log: number): void {
    if (!this.#readers.delete(log)) return;
    this.#connection.request({ type: 'terminal-detach', terminal: log }, { retry: false }).catch(() => undefined);
  }

  #attach(log: number, reader: Reader): void {
    if (!this.#connection.isUp) return;
    reader.attached = 'asked';
    const take = ({ from, head }: Frame) => {
      reader.attached = 'yes';
      reader.until = Number(head);
      this.#skip(reader, Number(from));
    };
    this.#connection
      .request({ type: 'terminal-attach', terminal: log, from: reader.at }, { retry: false, timeoutMs: 0, take })
      .catch((error: EmbedenvError) => {
        if (this.#readers.get(log) !== reader) return;
        // The next connection brings it, or a sandbox that is there again.
        if (error.code === 'connection_lost') return;
        if (error.code === 'unavailable' || error.code === 'sandbox_unavailable') reader.attached = 'no';
        else this.#fail(log, error);
      });
  }

  #attachAll(): void {
    for (const [log, reader] of this.#readers) if (reader.attached === 'no') this.#attach(log, reader);
  }

  #join({ sandbox_epoch: epoch, sandbox }: Joined): void {
    for (const [log, reader] of [...this.#readers]) {
      reader.attached = 'no';
      reader.exit = null;
      if (epoch !== this.#epoch || sandbox === 'gone') {
        this.#fail(log, failure('sandbox_unavailable', 'the sandbox that it ran in has ended'));
      }
    }
    this.#epoch = epoch;
    this.#attachAll();
  }

  #binary(frame: Binary): void {
    if (frame.kind === 'document') return;
    const { kind, number, offset, bytes } = frame;
    const reader = this.#readers.get(number);
    if (!reader) return;
    this.#skip(reader, offset, kind === 'snapshot' ? bytes : undefined);
    if (kind === 'snapshot') return;
    const missing = bytes.subarray(reader.at - offset);
    reader.at += missing.length;
    if (missing.length > 0) reader.sink.bytes(missing);
    this.#end(number, reader);
  }

  /** What is before an offset and has not come is lost. */
  #skip(reader: Reader, to: number, screen: Uint8Array = new Uint8Array()): void {
    const count = to - reader.at;
    if (count <= 0) return;
    reader.at = to;
    reader.sink.lost(count, screen);
  }

  #told({ terminal, exit }: Terminal): void {
    const reader = this.#readers.get(terminal);
    if (!exit || reader?.attached !== 'yes') return;
    reader.exit = exit;
    this.#end(terminal, reader);
  }

  /** Who reads is told the end after the last of the output, but for what there was before they were attached. */
  #end(log: number, reader: Reader): void {
    if (!reader.exit || reader.at < reader.until) return;
    this.#readers.delete(log);
    reader.sink.ended(reader.exit);
  }

  #fail(log: number, error: EmbedenvError): void {
    const reader = this.#readers.get(log);
    this.#readers.delete(log);
    reader?.sink.failed(error);
  }
}
