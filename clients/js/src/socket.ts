// A WebSocket wherever this runs: the global one, or that of the package `ws` where there is none (Node before 22).

import { failure } from './errors.js';

/** @internal */
export type SocketKind = new (address: string) => WebSocket;

/** @internal */
export async function socketKind(): Promise<SocketKind> {
  if (typeof WebSocket === 'function') return WebSocket;
  try {
    // `browser` in package.json keeps bundlers for browsers from looking for it.
    const { WebSocket: kind } = (await import('ws')) as { WebSocket: SocketKind };
    return kind;
  } catch (cause) {
    const why = failure('not_supported', 'there is no WebSocket here: take Node 22 or newer, or `npm install ws`');
    why.cause = cause;
    throw why;
  }
}
