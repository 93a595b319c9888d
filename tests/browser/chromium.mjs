// How Chromium is started wherever the page is looked at by a program.

export const flags = [
  // The tests may be run by root, for whom Chromium has no sandbox.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
