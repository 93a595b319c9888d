// Names that nobody guesses and that are taken by nobody else.

/** 32 hexadecimal digits. `crypto.randomUUID` is there on pages of `https` alone. @internal */
export function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
