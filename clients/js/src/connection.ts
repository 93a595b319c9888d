// The one WebSocket of a sandbox: joins, sends, matches answers to requests, notices death, comes back by itself as who it
// was. Owns the numbers of commands, so that nothing is done twice, and what is sent again. Knows nothing of what frames mean
// beyond that.
//
// One loop, `#run`, carries one connection after the other until it ends for good. What is sent never waits here: what has
// no connection yet is kept, up to a bound, in the order it was sent.

import { type EmbedenvError, failure } from './errors.js';
import { type Binary, type Frame, inputFrame, type Joined, readBinary, type Terminal } from './frames.js';
import { randomKey } from './random.js';
import { type SocketKind, socketKind } from './socket.js';

/** How often the server is asked whether it is there, in milliseconds. */
const PING = 15_000;
/** Pings in a row that may stay unanswered, and with them everything else; then the connection is dead. */
const MISSED = 2;
/** How long it may take to reach the server, in milliseconds. */
const REACH = 10_000;
/** How long the server may take to answer `join`, in milliseconds: it may have to start a sandbox. */
const JOIN = 75_000;
/** The first wait before the connection is tried again, in milliseconds; each is twice the last, up to the longest. */
const SHORTEST_WAIT = 250;
const LONGEST_WAIT = 5_000;
/** Frames that may wait for an answer or a connection, and bytes that they may have together; more is a `limit_reached`. */
const MOST_WAITING = 10_000;
const MOST_BYTES = 64 * 1024 * 1024;

const PING_FRAME = '{"type":"ping"}';

/** @internal */
export interface ConnectionSettings {
  /** The server's address, without a slash at its end. */
  url: string;
  join: string;
  user?: string | undefined;
  color?: string | undefined;
  requestTimeoutMs: number;
  /** How long it is tried to come back, in milliseconds. */
  reconnectTimeoutMs: number;
}

/** @internal */
export interface Asking {
  /** Whether it is sent again on the next connection if its answer does not come on this one; with orders always. */
  retry?: boolean;
  /** How long the answer may take, in milliseconds; 0 for any time. */
  timeoutMs?: number;
  /** Is given the answer before the next frame is looked at. */
  take?: (answer: Frame) => void;
  /**
   * Finds out the answer of a command whose own was lost with the connection: one that was carried out for `certain`, or maybe.
   * Nothing if it can't.
   */
  recover?: (certain: boolean) => Frame | undefined | Promise<Frame | undefined>;
}

/** A frame that waits for an answer, or for a connection. */
interface Waiting {
  message: string | Uint8Array<ArrayBuffer>;
  seq: number | undefined;
  /** It was handed to the connection that stands, or to one before and may have arrived. */
  isSent: boolean;
  /** Its answer was lost, and it is being found out what that was. */
  isSought: boolean;
  /** It has no answer: it is over once it was carried out. */
  isQuiet: boolean;
  asking: Asking;
  timer: ReturnType<typeof setTimeout> | undefined;
  resolve(answer: Frame): void;
  reject(error: EmbedenvError): void;
}

/** How one connection ended. */
interface End {
  code: number;
  error: EmbedenvError | undefined;
  opened: boolean;
  joined: boolean;
}

/** @internal */
export class Connection {
  /** What the server said when the room was joined last. */
  joined!: Joined;
  /** Every terminal and process in the room, as the server told of it last. */
  readonly terminals = new Map<number, Terminal>();
  readonly #settings: ConnectionSettings;
  readonly #kind: SocketKind;
  readonly #instance = randomKey();
  readonly #waiting = new Map<number, Waiting>();
  readonly #handlers = new Map<string, Set<(frame: never) => void>>();
  #socket: WebSocket | null = null;
  #last = 0;
  #seq = 0;
  #bytes = 0;
  #unanswered = 0;
  /** Ends the connection that stands or is made, as closed with a code. */
  #abandon: ((code?: number) => void) | null = null;
  /** Ends the wait for the next attempt. */
  #hurry: (() => void) | null = null;
  #ended: EmbedenvError | null = null;

  private constructor(settings: ConnectionSettings, kind: SocketKind) {
    this.#settings = settings;
    this.#kind = kind;
  }

  /** Joins. Fails if that does not succeed at once. */
  static async open(settings: ConnectionSettings): Promise<Connection> {
    const connection = new Connection(settings, await socketKind());
    await new Promise<void>((resolve, reject) => {
      connection.on('joined', () => resolve());
      connection.on('end', reject);
      void connection.#run();
    });
    return connection;
  }

  /** Why it is over, if it is. */
  get ended(): EmbedenvError | null {
    return this.#ended;
  }

  /** Whether it stands now. */
  get isUp(): boolean {
    return this.#socket !== null;
  }

  /** Has `then` called with each frame of a type that answers nothing; returns what ends that. */
  on(type: 'joined', then: (joined: Joined) => void): () => void;
  on(type: 'binary', then: (frame: Binary) => void): () => void;
  on(type: 'end', then: (error: EmbedenvError) => void): () => void;
  on(type: string, then: (frame: Frame) => void): () => void;
  on(type: string, then: (frame: never) => void): () => void {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers.add(then));
    return () => handlers.delete(then);
  }

  /** A terminal or process by its number, also one that the server has told others of already and this client not yet. */
  async terminal(number: number): Promise<Terminal | undefined> {
    if (!this.terminals.has(number)) await this.heard();
    return this.terminals.get(number);
  }

  /** Until everything that the server has told so far is here. */
  async heard(): Promise<void> {
    await this.request({ type: 'ping' });
  }

  /**
   * Looks for something once all that was begun on the connection before is over, which may still have been at work when this
   * one came: a numbered frame waits for that.
   */
  async found<T>(look: () => T): Promise<T> {
    let found: T | undefined;
    await this.order({ type: 'ping' }, { timeoutMs: 0, take: () => (found = look()) });
    return found as T;
  }

  /** Asks for something that changes nothing. */
  request(frame: Frame, asking: Asking = {}): Promise<Frame> {
    return this.#send(asking, (id) => JSON.stringify({ ...frame, id }));
  }

  /** Asks for something to be done, once. */
  order(frame: Frame, asking: Asking = {}): Promise<Frame> {
    const recover = (certain: boolean) => (certain ? { type: 'done' } : undefined);
    return this.#send({ recover, ...asking }, (id) => JSON.stringify({ ...frame, id, seq: this.#seq + 1 }), this.#seq + 1);
  }

  /** Types into a terminal, once. Throws if that can't be kept; what becomes of it is seen in the terminal. */
  input(terminal: number, bytes: Uint8Array): void {
    const seq = this.#seq + 1;
    const frame = inputFrame(terminal, seq, bytes);
    this.#admit(frame);
    this.#send({ timeoutMs: 0 }, () => frame, seq, true).catch(() => undefined);
  }

  /** Sends a binary frame that is not kept; returns whether there was a connection for it. */
  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    this.#socket?.send(frame);
    return this.#socket !== null;
  }

  /** Leaves. What still waits for an answer is told so. */
  close(reason: EmbedenvError = failure('closed', 'this sandbox object was closed')): void {
    this.#end(reason);
  }

  #send(
    asking: Asking,
    make: (id: number) => string | Uint8Array<ArrayBuffer>,
    seq?: number,
    isQuiet = false,
  ): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const id = this.#last + 1;
      const message = make(id);
      this.#admit(message);
      this.#last = id;
      if (seq !== undefined) this.#seq = seq;
      const limit = asking.timeoutMs ?? this.#settings.requestTimeoutMs;
      const timer = limit > 0 ? setTimeout(() => this.#late(id, limit), limit) : undefined;
      const isSent = this.#socket !== null;
      this.#waiting.set(id, { message, seq, isSent, isSought: false, isQuiet, asking, timer, resolve, reject });
      this.#bytes += message.length;
      this.#socket?.send(message);
    });
  }

  /** Throws if a message can't be sent or kept. */
  #admit(message: string | Uint8Array): void {
    if (this.#ended) throw this.#ended;
    const most = this.joined.max_message;
    if (bytesOf(message, most) > most) {
      throw failure('too_large', `this is more than the ${most} bytes that the server takes at once`);
    }
    if (this.#waiting.size >= MOST_WAITING || this.#bytes + message.length > MOST_BYTES) {
      throw failure('limit_reached', 'more waits to be carried out than this client keeps; wait for some of it first');
    }
  }

  /** Hands the connection what waits for one, in order. */
  #flush(): void {
    if (!this.#socket) return;
    for (const waiting of this.#waiting.values()) {
      if (waiting.isSent) continue;
      waiting.isSent = true;
      this.#socket.send(waiting.message);
    }
  }

  #settle(id: number, outcome: Frame | EmbedenvError): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    this.#bytes -= waiting.message.length;
    clearTimeout(waiting.timer);
    if (outcome instanceof Error) return waiting.reject(outcome);
    waiting.asking.take?.(outcome);
    waiting.resolve(outcome);
  }

  #late(id: number, limit: number): void {
    const isSent = this.#waiting.get(id)?.isSent;
    const rest = isSent ? 'it may be carried out all the same' : 'there is no connection, and it was not sent';
    this.#settle(id, failure('timed_out', `there was no answer within ${limit} ms; ${rest}`));
  }

  async #run(): Promise<void> {
    let failures = 0;
    let lost: number | null = null;
    while (!this.#ended) {
      const end = await this.#carry();
      this.#lose();
      if (end.joined) [failures, lost] = [0, Date.now()];
      const final = finalOf(end);
      if (this.#ended) return;
      if (final || lost === null) return this.#end(final ?? end.error ?? unreachable(this.#settings.url));
      if (Date.now() - lost >= this.#settings.reconnectTimeoutMs) {
        const message = `the connection is lost, and the server could not be reached again within ${this.#settings.reconnectTimeoutMs} ms`;
        return this.#end(failure('connection_lost', message));
      }
      const least = Math.min(SHORTEST_WAIT * 2 ** Math.min(failures, 16), LONGEST_WAIT) / 2;
      failures += 1;
      // By chance up to twice as long, so that not everybody comes back at once.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, least * (1 + Math.random()));
        this.#hurry = () => (clearTimeout(timer), resolve());
      });
    }
  }

  /** One connection from its first byte to its last. */
  #carry(): Promise<End> {
    return new Promise((resolve) => {
      const end: End = { code: 1006, error: undefined, opened: false, joined: false };
      let socket: WebSocket;
      try {
        socket = new this.#kind(`${this.#settings.url.replace(/^http/, 'ws')}/ws/spaces/default/`);
      } catch {
        return resolve(end);
      }
      socket.binaryType = 'arraybuffer';
      let patience = setTimeout(() => over(), REACH);
      let pings: ReturnType<typeof setInterval> | undefined;
      const over = (code = 1006) => {
        clearTimeout(patience);
        clearInterval(pings);
        socket.onmessage = socket.onopen = socket.onclose = null;
        // A peer that is gone answers no close: whoever can cuts the connection.
        if (code === 1006 && 'terminate' in socket) (socket as unknown as { terminate(): void }).terminate();
        else socket.close();
        end.code = code;
        resolve(end);
      };
      this.#abandon = over;
      // Node 22 tells of a server that can't be reached by nothing else.
      socket.onerror = () => end.opened || over();
      socket.onclose = ({ code }) => over(code);
      socket.onopen = () => {
        end.opened = true;
        clearTimeout(patience);
        patience = setTimeout(() => over(), JOIN);
        socket.send(this.#joinFrame());
      };
      socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
        this.#unanswered = 0;
        if (typeof data !== 'string') {
          const frame = readBinary(data);
          return frame && this.#tell('binary', frame);
        }
        const frame = read(data);
        if (!frame) return;
        if (end.joined) return this.#frame(frame);
        if (frame.type === 'error') end.error = failure(String(frame.code), String(frame.message));
        if (frame.type !== 'joined') return;
        clearTimeout(patience);
        end.joined = true;
        pings = setInterval(() => this.#ping(socket), PING);
        this.#join(frame as unknown as Joined, socket);
      };
    });
  }

  #joinFrame(): string {
    const { join, user, color } = this.#settings;
    const resume = this.joined?.resume;
    return JSON.stringify({ type: 'join', protocol: 2, join, user, color, instance: this.#instance, resume });
  }

  /** The room is joined: settles what was sent before, and sends what has to be sent again. */
  #join(joined: Joined, socket: WebSocket): void {
    this.joined = joined;
    this.#seq = Math.max(this.#seq, joined.executed);
    this.terminals.clear();
    for (const terminal of joined.terminals) this.terminals.set(terminal.terminal, terminal);
    for (const [id, waiting] of [...this.#waiting]) {
      const { seq, isSent, isSought } = waiting;
      if (isSought) continue;
      if (seq === undefined || !isSent) waiting.isSent = false;
      else if (!joined.resumed || seq === joined.uncertain) void this.#settleUnanswered(id, waiting, false);
      else if (seq <= joined.executed) void this.#settleUnanswered(id, waiting, true);
      else waiting.isSent = false;
    }
    this.#socket = socket;
    this.#tell('joined', joined);
    this.#flush();
  }

  /** What is known of a command whose answer was lost with the connection. */
  async #settleUnanswered(id: number, waiting: Waiting, certain: boolean): Promise<void> {
    // It is not sent again, whatever is found out, and however long that takes.
    this.#bytes -= waiting.message.length;
    waiting.message = '';
    waiting.isSought = true;
    const error = certain
      ? failure('already_done', 'it was carried out, or refused, and its answer was lost with the connection')
      : failure('uncertain', 'the server was interrupted over it: it was carried out, or in part, or not');
    try {
      this.#settle(id, (await waiting.asking.recover?.(certain)) ?? error);
    } catch {
      this.#settle(id, error);
    }
  }

  #frame(frame: Frame): void {
    if (frame.type === 'executed') return this.#executed(Number(frame.seq));
    if (frame.type === 'terminal') this.terminals.set(Number(frame.terminal), frame as unknown as Terminal);
    if (frame.type === 'terminal-closed') this.terminals.delete(Number(frame.terminal));
    if (typeof frame.id !== 'number') return this.#tell(frame.type, frame);
    const isRefused = frame.type === 'error';
    this.#settle(frame.id, isRefused ? failure(String(frame.code), String(frame.message)) : frame);
  }

  #executed(seq: number): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.seq === undefined || waiting.seq > seq) continue;
      if (waiting.isQuiet) {
        this.#settle(id, { type: 'done' });
        continue;
      }
      // It is not sent again: its answer alone is waited for.
      this.#bytes -= waiting.message.length;
      waiting.message = '';
    }
  }

  #tell(type: string, frame: unknown): void {
    for (const then of [...(this.#handlers.get(type) ?? [])]) then(frame as never);
  }

  #ping(socket: WebSocket): void {
    if (this.#unanswered >= MISSED) return this.#abandon?.();
    this.#unanswered += 1;
    socket.send(PING_FRAME);
  }

  /** The connection is gone: who asked for something that is not asked again is told so. */
  #lose(): void {
    this.#socket = null;
    this.#unanswered = 0;
    for (const [id, { seq, isSent, asking }] of [...this.#waiting]) {
      if (seq === undefined && isSent && asking.retry === false) {
        this.#settle(id, failure('connection_lost', 'the connection broke before the answer came'));
      }
    }
  }

  #end(error: EmbedenvError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#socket = null;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, error);
    this.#abandon?.(1000);
    this.#hurry?.();
    this.#tell('end', error);
  }
}

/** Why there is no use in trying again, if there is none. */
function finalOf({ code, error }: End): EmbedenvError | undefined {
  switch (code) {
    case 4404:
      return error ?? failure('unknown_join_key', 'the join key was revoked, or its minutes are used up');
    case 4410:
      return roomEnded();
    case 1009:
      return failure('too_large', 'the server takes no message that long');
    case 1008:
      return error?.code === 'unavailable' ? undefined : (error ?? failure('bad_request', 'the server refused what it was sent'));
    case 4401:
    case 4429:
    case 4503:
      return error ?? failure('unavailable', `the server has closed the connection (${code})`);
    default:
      return undefined;
  }
}

/** @internal */
export function roomEnded(): EmbedenvError {
  return failure('room_ended', 'the sandbox has ended, with its files');
}

/** A text frame; nothing for what can't be read. */
function read(data: string): Frame | null {
  try {
    return JSON.parse(data) as Frame;
  } catch {
    return null;
  }
}

function unreachable(url: string): EmbedenvError {
  return failure('unreachable', `the server can't be reached at ${url}`);
}

/** The length of a message in bytes, or at least that it is no more than `most`. */
function bytesOf(message: string | Uint8Array, most: number): number {
  if (typeof message !== 'string') return message.length;
  // UTF-8 takes three bytes at most for each unit.
  return message.length * 3 <= most ? message.length : new TextEncoder().encode(message).length;
}
