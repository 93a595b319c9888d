// As much of the package `ws` as is used here.

declare module 'ws' {
  export const WebSocket: unknown;
}
