// The frames of the protocol that this package sends and takes, as `docs/protocol.md` has them. Owns the layout of binary
// ones; sends nothing.

/** A text frame. Members are those that the protocol names for its type. @internal */
export interface Frame {
  type: string;
  id?: number;
  [member: string]: unknown;
}

/** An entry of a folder. @internal */
export interface Entry {
  name: string;
  kind: 'folder' | 'file' | 'link' | 'other';
  size: number;
  modified: number;
}

/** How a program ended. @internal */
export interface Exit {
  code?: number;
  signal?: number;
  elapsed?: number;
  memory?: number;
  cpu?: number;
  timed_out?: boolean;
}

/** A terminal, a process or the log of a process's errors. @internal */
export interface Terminal {
  terminal: number;
  title: string;
  kind: 'terminal' | 'run' | 'shell' | 'process' | 'errors';
  project: string;
  errors?: number;
  opener?: number;
  exit?: Exit;
}

/** What `joined` says to a full client. @internal */
export interface Joined {
  room: string;
  member: number;
  role: Role;
  terminals: Terminal[];
  sandbox: 'starting' | 'ready' | 'gone';
  sandbox_epoch: number;
  max_message: number;
  resume: string;
  resumed?: boolean;
  executed: number;
  uncertain?: number;
}

/** What somebody in a room may do: a viewer looks on, an editor changes and runs things, an owner also hands out owners' keys. */
export type Role = 'viewer' | 'editor' | 'owner';

const OUTPUT = 1;
const DOCUMENT = 3;
const SNAPSHOT = 4;
const INPUT = 5;
const PIECE = 6;

/** What is before the bytes of frames 1 and 4, 3, 5 and 6. */
const LOG_HEADER = 13;
const DOCUMENT_HEADER = 5;
/** @internal */
export const PIECE_HEADER = 13;

/** A binary frame of the server's. @internal */
export type Binary =
  | { kind: 'output' | 'snapshot'; number: number; offset: number; bytes: Uint8Array }
  | { kind: 'document'; number: number; bytes: Uint8Array };

/** Reads a binary frame; `null` for one that this package does not know. @internal */
export function readBinary(data: ArrayBuffer): Binary | null {
  const view = new DataView(data);
  const kind = data.byteLength > 0 ? view.getUint8(0) : 0;
  if ((kind === OUTPUT || kind === SNAPSHOT) && data.byteLength >= LOG_HEADER) {
    const offset = Number(view.getBigUint64(5, true));
    const bytes = new Uint8Array(data, LOG_HEADER);
    return { kind: kind === OUTPUT ? 'output' : 'snapshot', number: view.getUint32(1, true), offset, bytes };
  }
  if (kind === DOCUMENT && data.byteLength >= DOCUMENT_HEADER) {
    return { kind: 'document', number: view.getUint32(1, true), bytes: new Uint8Array(data, DOCUMENT_HEADER) };
  }
  return null;
}

/** Numbered input for a terminal. @internal */
export function inputFrame(terminal: number, seq: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return binary(INPUT, terminal, seq, bytes);
}

/** A piece of an upload. @internal */
export function pieceFrame(upload: number, offset: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return binary(PIECE, upload, offset, bytes);
}

/** Messages of the Yjs protocols. @internal */
export function documentFrame(document: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(DOCUMENT_HEADER + bytes.length);
  frame[0] = DOCUMENT;
  new DataView(frame.buffer).setUint32(1, document, true);
  frame.set(bytes, DOCUMENT_HEADER);
  return frame;
}

function binary(kind: number, number: number, long: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(LOG_HEADER + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, number, true);
  view.setBigUint64(5, BigInt(long), true);
  frame.set(bytes, LOG_HEADER);
  return frame;
}

/** Bytes in Base64. @internal */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  // As many arguments as every engine takes.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** @internal */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
