// The style elements that xterm.js makes: each carries the response's nonce, without which the page's policy lets none
// take effect. Owns that nonce. `policy.mjs` puts `styleElement` in the place of xterm.js's own.

let nonce = '';

export function carry(value: string): void {
  nonce = value;
}

export function styleElement(): HTMLStyleElement {
  const element = document.createElement('style');
  element.nonce = nonce;
  return element;
}
