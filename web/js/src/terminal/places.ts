// Places in files that programs print: `main.py:3`, `File "main.py", line 3`. What of a text is one, and whether the file is
// there, is asked of the page when the pointer comes to a line. Owns where a text's characters are on the screen.

import type { IBuffer, ILink, ILinkProvider, Terminal } from '@xterm/xterm';

/** A place in a text, by its characters from `start` to before `end`. */
export interface Place {
  start: number;
  end: number;
  path: string;
  /** What is said while the pointer is at it. */
  title: string;
  line: number;
  column: number;
}

/** Finds the places in a text whose files are there. */
export type FindPlaces = (text: string) => Promise<Place[]>;

/** Rows that a long line is followed up and down; beyond them nothing is a link. */
const MOST_ROWS = 16;

interface Cell {
  /** From 1. */
  x: number;
  y: number;
  width: number;
}

export class PlaceLinks implements ILinkProvider {
  readonly #terminal: Terminal;
  readonly #parent: HTMLElement;
  readonly #find: FindPlaces;
  readonly #go: (place: Place) => void;

  constructor(terminal: Terminal, parent: HTMLElement, find: FindPlaces, go: (place: Place) => void) {
    this.#terminal = terminal;
    this.#parent = parent;
    this.#find = find;
    this.#go = go;
  }

  provideLinks(row: number, callback: (links: ILink[] | undefined) => void): void {
    const { text, cells } = lineAt(this.#terminal.buffer.active, row - 1);
    // A line without either names no file.
    if (!/[./]/.test(text)) return callback(undefined);
    this.#find(text).then(
      (places) => callback(places.flatMap((place) => this.#link(place, text, cells) ?? [])),
      () => callback(undefined),
    );
  }

  #link(place: Place, text: string, cells: Cell[]): ILink | null {
    const first = cells[place.start];
    const last = cells[place.end - 1];
    if (!first || !last) return null;
    return {
      text: text.slice(place.start, place.end),
      range: { start: { x: first.x, y: first.y }, end: { x: last.x + last.width - 1, y: last.y } },
      activate: () => this.#go(place),
      hover: () => {
        this.#parent.title = place.title;
      },
      leave: () => this.#parent.removeAttribute('title'),
    };
  }
}

/** The whole line that a row of the buffer is of, from 0, and for each of its UTF-16 units the cell where it stands. */
export function lineAt(buffer: IBuffer, row: number): { text: string; cells: Cell[] } {
  let first = row;
  while (first > Math.max(0, row - MOST_ROWS) && buffer.getLine(first)?.isWrapped) first -= 1;
  let text = '';
  const cells: Cell[] = [];
  for (let y = first; y < row + MOST_ROWS; y += 1) {
    const line = buffer.getLine(y);
    if (!line || (y > first && !line.isWrapped)) break;
    for (let x = 0; x < line.length; x += 1) {
      const cell = line.getCell(x);
      const width = cell?.getWidth() ?? 0;
      // The second half of a wide character.
      if (!cell || width === 0) continue;
      const characters = cell.getChars() || ' ';
      text += characters;
      for (let unit = 0; unit < characters.length; unit += 1) cells.push({ x: x + 1, y: y + 1, width });
    }
  }
  return { text, cells };
}
