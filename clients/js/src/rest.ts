// The REST API: one call after the other, with the key pair. Owns how an answer becomes a value or an error, and that a call
// whose answer was lost is sent again only where that does nothing twice.

import { EmbedenvError, failure } from './errors.js';
import { keysOf, type Settings } from './settings.js';

/** How often a call is sent in all when the server does not answer or is busy. */
const ATTEMPTS = 4;
/** The wait after the first time, in milliseconds; each is twice the last. */
const WAIT = 250;
/** The longest that a `Retry-After` is waited for, in milliseconds. */
const LONGEST_WAIT = 10_000;

/** @internal */
export interface Call {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** From `/api/v1/` on. */
  path: string;
  query?: URLSearchParams;
  body?: unknown;
  /** Names a POST, so that it may be sent twice. */
  idempotencyKey?: string;
}

/** @internal */
export async function call<T>(settings: Settings, { method, path, query, body, idempotencyKey }: Call): Promise<T> {
  const { publicKey, secretKey } = keysOf(settings);
  const headers: Record<string, string> = { authorization: `Basic ${btoa(`${publicKey}:${secretKey}`)}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (idempotencyKey) headers['idempotency-key'] = idempotencyKey;
  const request: RequestInit = { method, headers, redirect: 'error' };
  if (body !== undefined) request.body = JSON.stringify(body);
  const limit = settings.requestTimeoutMs;
  if (limit > 0) request.signal = AbortSignal.timeout(limit);
  const search = query?.size ? `?${query}` : '';
  const mayRepeat = method !== 'POST' || idempotencyKey !== undefined;
  for (let attempt = 1; ; attempt += 1) {
    const { value, error, wait } = await attempted<T>(`${settings.url}/api/v1/${path}${search}`, request, limit);
    if (!error) return value as T;
    if (!mayRepeat || wait === undefined || attempt >= ATTEMPTS) throw error;
    await new Promise((resolve) => setTimeout(resolve, Math.max(wait, WAIT * 2 ** (attempt - 1))));
  }
}

interface Outcome<T> {
  value?: T;
  error?: EmbedenvError;
  /** It may be tried again after so many milliseconds. */
  wait?: number;
}

async function attempted<T>(address: string, request: RequestInit, limit: number): Promise<Outcome<T>> {
  try {
    const answer = await fetch(address, request);
    if (answer.ok) return { value: (answer.status === 204 ? undefined : await answer.json()) as T };
    const error = await problem(answer);
    if (answer.status !== 503) return { error };
    const seconds = Number(answer.headers.get('retry-after') ?? 0);
    return { error, wait: Math.min((seconds || 0) * 1_000, LONGEST_WAIT) };
  } catch (cause) {
    const late = request.signal?.aborted;
    const message = late ? `the server has not answered within ${limit} ms` : `the server can't be reached at ${new URL(address).origin}`;
    const error = failure(late ? 'timed_out' : 'unreachable', message);
    error.cause = cause;
    return late ? { error } : { error, wait: 0 };
  }
}

/** What an answer that is no success says. @internal */
export async function problem(answer: Response): Promise<EmbedenvError> {
  const said = (await answer.json().catch(() => null)) as { code?: unknown; detail?: unknown } | null;
  const code = typeof said?.code === 'string' ? said.code : answer.status >= 500 ? 'unavailable' : 'bad_request';
  const detail = typeof said?.detail === 'string' ? said.detail : `the server answered with ${answer.status}`;
  return failure(code, detail, answer.status);
}
