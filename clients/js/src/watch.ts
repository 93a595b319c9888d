// Watched folders. Owns what each held when it was looked at last, and makes events of what differs. The server says which
// folder changed, and not how.

import { told } from './callbacks.js';
import type { Connection } from './connection.js';
import { EmbedenvError, failure } from './errors.js';
import type { Entry } from './frames.js';
import type { Place } from './paths.js';

/** Folders that one client watches at once. */
const MOST_WATCHED = 256;
/** Entries of a watched folder that are told apart; of larger ones the others are not told. */
const MOST_ENTRIES = 100_000;

/** Something that happened to an entry of a watched folder. */
export interface FilesystemEvent {
  /** Its name in the folder. */
  name: string;
  /** `create`: it came, by another name before or not. `remove`: it went. `write`: it was changed. */
  type: 'create' | 'remove' | 'write';
}

/** How a folder is watched. */
export interface WatchOptions {
  /** Is called once when it is watched no more: after `stop`, or with the reason, such as that the folder was removed. */
  onExit?: (error?: Error) => void | Promise<void>;
}

/** A folder that is watched. */
export class WatchHandle {
  readonly #stop: () => void;

  private constructor(stop: () => void) {
    this.#stop = stop;
  }

  /** @internal */
  static of(stop: () => void): WatchHandle {
    return new WatchHandle(stop);
  }

  /** Watches it no more. */
  async stop(): Promise<void> {
    this.#stop();
  }
}

interface Listener {
  onEvent: (event: FilesystemEvent) => void | Promise<void>;
  onExit: WatchOptions['onExit'];
}

/** @internal */
export class Watches {
  readonly #connection: Connection;
  readonly #folders = new Map<string, Folder>();

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on('changed', ({ project, path, names }) => {
      this.#folders.get(`${String(project)}/${String(path)}`)?.look(names as string[]);
    });
    connection.on('joined', () => {
      for (const folder of this.#folders.values()) folder.look([]);
    });
    connection.on('end', (error) => {
      for (const folder of [...this.#folders.values()]) folder.end(error);
    });
  }

  async watch(place: Place, onEvent: Listener['onEvent'], { onExit }: WatchOptions): Promise<WatchHandle> {
    const key = `${place.project}/${place.path}`;
    let folder = this.#folders.get(key);
    if (!folder) {
      if (this.#folders.size >= MOST_WATCHED) throw failure('limit_reached', `${MOST_WATCHED} folders are watched already`);
      folder = new Folder(this.#connection, place, () => this.#folders.delete(key));
      this.#folders.set(key, folder);
    }
    const listener = { onEvent, onExit };
    folder.listeners.add(listener);
    await folder.begun;
    return WatchHandle.of(() => folder.leave(listener));
  }
}

class Folder {
  readonly listeners = new Set<Listener>();
  /** It was looked at for the first time. */
  readonly begun: Promise<void>;
  readonly #connection: Connection;
  readonly #place: Place;
  readonly #forget: () => void;
  #known = new Map<string, Entry>();
  /** What has changed since it was looked at; nothing for nothing, and no names if they are not known. */
  #changed: Set<string> | null = null;
  #isLooking = false;

  constructor(connection: Connection, place: Place, forget: () => void) {
    this.#connection = connection;
    this.#place = place;
    this.#forget = forget;
    this.begun = this.#begin();
    this.begun.catch(() => undefined);
  }

  /** Something has changed, maybe these names. */
  look(names: readonly string[]): void {
    this.#changed = new Set([...(this.#changed ?? []), ...names]);
    if (!this.#isLooking) void this.#lookAll();
  }

  leave(listener: Listener): void {
    if (!this.listeners.delete(listener)) return;
    told('watchDir', () => listener.onExit?.());
    if (this.listeners.size > 0) return;
    this.#forget();
    this.#connection.request({ type: 'unwatch', ...this.#place }, { retry: false }).catch(() => undefined);
  }

  end(error: Error): void {
    this.#forget();
    for (const { onExit } of this.listeners) told('watchDir', () => onExit?.(error));
    this.listeners.clear();
  }

  async #begin(): Promise<void> {
    this.#isLooking = true;
    try {
      this.#known = await this.#list();
    } catch (error) {
      this.#forget();
      throw error;
    } finally {
      this.#isLooking = false;
    }
    if (this.#changed) void this.#lookAll();
  }

  async #lookAll(): Promise<void> {
    this.#isLooking = true;
    try {
      while (this.#changed && this.listeners.size > 0) {
        const names = this.#changed;
        this.#changed = null;
        const now = await this.#list();
        for (const event of differences(this.#known, now, names)) {
          for (const { onEvent } of this.listeners) told('watchDir', () => onEvent(event));
        }
        this.#known = now;
      }
    } catch (error) {
      this.end(error instanceof EmbedenvError ? error : failure('internal', String(error)));
    } finally {
      this.#isLooking = false;
    }
  }

  async #list(): Promise<Map<string, Entry>> {
    const all = new Map<string, Entry>();
    let after: unknown;
    do {
      const { entries, next } = await this.#connection.request({ type: 'list', ...this.#place, after, watch: true });
      for (const entry of entries as Entry[]) all.set(entry.name, entry);
      after = next;
    } while (after !== undefined && all.size < MOST_ENTRIES);
    return all;
  }
}

function* differences(
  before: ReadonlyMap<string, Entry>,
  now: ReadonlyMap<string, Entry>,
  names: ReadonlySet<string>,
): Generator<FilesystemEvent> {
  for (const name of before.keys()) if (!now.has(name)) yield { name, type: 'remove' };
  for (const [name, entry] of now) {
    const was = before.get(name);
    if (!was) yield { name, type: 'create' };
    else if (names.has(name) || was.size !== entry.size || was.modified !== entry.modified || was.kind !== entry.kind) {
      yield { name, type: 'write' };
    }
  }
}
