// Files that are longer than a message: sent in pieces, fetched from an address. Owns how an upload goes on where it was
// after a connection broke. Knows no path of people's.

import type { Connection } from './connection.js';
import { type EmbedenvError, failure } from './errors.js';
import { PIECE_HEADER, pieceFrame } from './frames.js';
import type { Place } from './paths.js';
import { randomKey } from './random.js';
import { problem } from './rest.js';

/** The longest file, in bytes. */
const MOST = 4 * 1024 ** 3;
/** Bytes of a piece. */
const PIECE = 256 * 1024;
/** Pieces that are under way at once. */
const UNDER_WAY = 4;
/** Uploads that are under way at once on a connection; others wait. */
const UPLOADS = 8;

/** What is under way of one upload on the connection that stands. */
interface Standing {
  /** What is before it is in the sandbox. */
  stands: number;
  failed: EmbedenvError | null;
  wake: () => void;
}

/** @internal */
export class Transfers {
  readonly #connection: Connection;
  readonly #url: string;
  readonly #limit: number;
  /** By the numbers of uploads on this connection. */
  readonly #standing = new Map<number, Standing>();
  readonly #queue: (() => void)[] = [];
  #last = 0;

  constructor(connection: Connection, url: string, requestTimeoutMs: number) {
    this.#connection = connection;
    this.#url = url;
    this.#limit = requestTimeoutMs;
    connection.on('upload-stands', ({ upload, offset }) => this.#told(Number(upload), { stands: Number(offset) }));
    connection.on('upload-failed', ({ upload, code, message }) => {
      this.#told(Number(upload), { failed: failure(String(code), String(message)) });
    });
    const broken = () => {
      for (const upload of this.#standing.keys()) this.#told(upload, { failed: broke() });
    };
    connection.on('joined', broken);
    connection.on('end', broken);
  }

  /** Puts a file into its place, whole and at once, over what stands there. */
  async upload({ project, path }: Place, content: Blob): Promise<void> {
    if (content.size > MOST) throw failure('too_large', `a file has ${MOST} bytes at most`);
    const file = { project, path, key: randomKey(), size: content.size, overwrite: true };
    while (this.#standing.size >= UPLOADS) await new Promise<void>((resolve) => this.#queue.push(resolve));
    const upload = (this.#last += 1);
    const standing: Standing = { stands: 0, failed: null, wake: () => undefined };
    this.#standing.set(upload, standing);
    try {
      while (standing.stands < content.size || content.size === 0) {
        const { offset } = await this.#connection.request({ type: 'upload', upload, ...file });
        Object.assign(standing, { stands: Number(offset), failed: null });
        if (await this.#pieces(upload, standing, content)) break;
      }
      await this.#connection.order({ type: 'upload-finish', ...file });
    } catch (error) {
      this.#connection.order({ type: 'upload-abort', key: file.key }).catch(() => undefined);
      throw error;
    } finally {
      this.#standing.delete(upload);
      this.#queue.shift()?.();
    }
  }

  /** A file as an answer to a GET, whose body is still to come. */
  async download({ project, path }: Place): Promise<Response> {
    const { address } = await this.#connection.request({ type: 'download', project, path });
    const stop = new AbortController();
    const timer = this.#limit > 0 ? setTimeout(() => stop.abort(), this.#limit) : undefined;
    let answer: Response;
    try {
      answer = await fetch(this.#url + String(address), { signal: stop.signal, credentials: 'omit' });
    } catch (cause) {
      const error = failure('unreachable', `the file can't be fetched from ${this.#url}`);
      error.cause = cause;
      throw error;
    } finally {
      clearTimeout(timer);
    }
    if (!answer.ok) throw await problem(answer);
    return answer;
  }

  /** Sends what is missing. Returns whether all of it arrived; otherwise it is to be asked where it stands. */
  async #pieces(upload: number, standing: Standing, content: Blob): Promise<boolean> {
    const most = Math.min(PIECE, this.#connection.joined.max_message - PIECE_HEADER);
    let sent = standing.stands;
    while (standing.stands < content.size) {
      if (standing.failed) {
        if (standing.failed.code === 'connection_lost') return false;
        throw standing.failed;
      }
      if (sent < content.size && sent < standing.stands + UNDER_WAY * most) {
        const bytes = new Uint8Array(await content.slice(sent, sent + most).arrayBuffer());
        if (standing.failed) continue;
        if (!this.#connection.sendBinary(pieceFrame(upload, sent, bytes))) standing.failed = broke();
        sent += bytes.length;
        continue;
      }
      await new Promise<void>((resolve) => (standing.wake = resolve));
    }
    return true;
  }

  #told(upload: number, news: Partial<Standing>): void {
    const standing = this.#standing.get(upload);
    if (!standing) return;
    Object.assign(standing, news);
    standing.wake();
  }
}

function broke(): EmbedenvError {
  return failure('connection_lost', 'the connection broke');
}

