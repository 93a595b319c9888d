// What a client is told about its server: options first, then the environment. Owns their names and defaults.

import { failure } from './errors.js';

/** Where the server is, who asks, and how long answers may take. */
export interface ConnectionOptions {
  /** The server's address, such as `https://ide.example.com`. Without it, `EMBEDENV_URL` of the environment. */
  url?: string;
  /** The key pair's public key. Without it, `EMBEDENV_PUBLIC_KEY`. Never in a browser. */
  publicKey?: string;
  /** The key pair's secret key. Without it, `EMBEDENV_SECRET_KEY`. Never in a browser. */
  secretKey?: string;
  /** How long an answer may take, in milliseconds, with all that is tried anew for it; 0 for any time. 60,000 without it. */
  requestTimeoutMs?: number;
}

/** How long an answer may take, in milliseconds. */
const REQUEST_TIMEOUT = 60_000;
/** What a timer takes, in milliseconds: some 24 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** @internal */
export interface Settings {
  url: string;
  requestTimeoutMs: number;
  keys: { publicKey: string; secretKey: string } | null;
}

/** @internal */
export function settingsOf(options: ConnectionOptions): Settings {
  const url = options.url ?? environment('EMBEDENV_URL');
  if (!url) throw failure('bad_request', 'the server is not known: say `url`, or set EMBEDENV_URL');
  const publicKey = options.publicKey ?? environment('EMBEDENV_PUBLIC_KEY');
  const secretKey = options.secretKey ?? environment('EMBEDENV_SECRET_KEY');
  return {
    url: base(url),
    requestTimeoutMs: milliseconds('requestTimeoutMs', options.requestTimeoutMs ?? REQUEST_TIMEOUT),
    keys: publicKey && secretKey ? { publicKey, secretKey } : null,
  };
}

/** The key pair, where something takes one. @internal */
export function keysOf({ keys }: Settings): { publicKey: string; secretKey: string } {
  if (keys) return keys;
  const message = 'this takes a key pair: say `publicKey` and `secretKey`, or set EMBEDENV_PUBLIC_KEY and EMBEDENV_SECRET_KEY';
  throw failure('no_key_pair', message);
}

/** A time that was given, as a timer takes it. @internal */
export function milliseconds(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= LONGEST_TIMER) return value;
  throw failure('bad_request', `${name} must be a whole number of milliseconds from 0 to ${LONGEST_TIMER}`);
}

function base(url: string): string {
  let read: URL;
  try {
    read = new URL(url);
  } catch {
    throw failure('bad_request', `the server's address is not one: ${JSON.stringify(url)}`);
  }
  if (!/^https?:$/.test(read.protocol)) throw failure('bad_request', "the server's address begins with http:// or https://");
  return read.origin + read.pathname.replace(/\/+$/, '');
}

function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  try {
    return process?.env?.[name];
  } catch {
    // Deno, without leave to read it.
    return undefined;
  }
}
