// A WebSocket wherever this runs: the global one, or that of the package `ws` where there is none (Node before 22).

import { failure } from './errors';

/** @internal */
export type SocketKind = new (address: string) => WebSocket;

/** @internal */
export async function socketKind(): Promise<SocketKind> {
  if (typeof WebSocket === 'function') return WebSocket;
  // Not a literal: bundlers for browsers would look for a package that nobody needs there.
  const name = 'ws';
  try {
    const { WebSocket: kind } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as { WebSocket: SocketKind };
    return kind;
  } catch (cause) {
    const why = failure('not_supported', 'there is no WebSocket here: take Node 22 or newer, or `npm install ws`');
    why.cause = cause;
    throw why;
  }
}
