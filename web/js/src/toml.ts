// Reads TOML for the page: run configurations, Cargo.toml, pyproject.toml. Owns nothing; never writes a file, and never
// throws: what is wrong comes back with its line. Loaded when a project has such a file.

import { parse, TomlError } from 'smol-toml';

/** JSON text: `{"value":…}`, or `{"line":LINE,"what":WHAT}` if it is no TOML. */
export function parseToml(text: string): string {
  try {
    return JSON.stringify({ value: parse(text) });
  } catch (error) {
    const line = error instanceof TomlError ? error.line : 1;
    const message = error instanceof Error ? error.message : String(error);
    // Below the first line, the parser draws the place.
    const what = (message.split('\n')[0] ?? message).replace(/^Invalid TOML document: /, '');
    return JSON.stringify({ line, what });
  }
}
