// What the page and its editor tell each other: the shapes, and nothing that runs.

import type { Habits } from './habits';
import type { IndentRules } from './indentation';
import type { TidyRules } from './tidy';

export interface EditorOptions {
  path: string;
  label: string;
  readOnly: boolean;
  dark: boolean;
  /** Style elements of this response must carry it. */
  nonce: string;
  habits: Habits;
  /** Words of the catalogue. */
  words: Record<string, string>;
  /** A message of the sync protocol for the server. */
  onMessage(message: Uint8Array): void;
  /** Where the cursor is, both from 1; the column in UTF-16 units. */
  onCursor(line: number, column: number): void;
  /** It is indented by tabs, or by spaces, and so wide is a step. */
  onIndentation(tabs: boolean, size: number): void;
  /** What the file defines can be told, or told better than before. */
  onReadable(): void;
  /** A person has paused, and what the `.editorconfig` says of the text was put right. */
  onTidied(): void;
  /** The person wants to see what has changed since the file was opened. */
  onCompare(): void;
  /** A person changed the text here; `early` if the server's has not come yet. */
  onEdited(early: boolean): void;
  /** The person at this page goes a way of their own, and follows nobody. */
  onWander(): void;
}

/** What an `.editorconfig` says of the file. */
export interface Rules extends IndentRules, TidyRules {
  /** Where a line ought to end, in columns. */
  ruler?: number;
  /** How lines end is said, too, which is the page's to obey. */
  lineEnding?: boolean;
}

/** What a comparison shows beside the text. */
export interface Comparison {
  /** What it was; without it, the text with which the file was opened first. */
  before?: string | undefined;
  /** What that is called. */
  name: string;
  /** One text under the other instead of side by side. */
  inline: boolean;
}

/** Hears of what the editor shows: its text, and the line at the top. */
export interface Watcher {
  text(text: string): void;
  top(line: number): void;
}
