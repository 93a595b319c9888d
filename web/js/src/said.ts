// Words of the page's catalogue (`web/words/en.txt`) for its scripts: the page hands over those that a module needs when it
// makes something of it. Owns them; holds no words of its own.

const words = new Map<string, string>();

export function speak(given: Record<string, string>): void {
  for (const [key, text] of Object.entries(given)) words.set(key, text);
}

/** The text of a key, with its placeholders filled in. */
export function said(key: string, values: Record<string, string> = {}): string {
  const text = words.get(key) ?? key;
  return text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}
