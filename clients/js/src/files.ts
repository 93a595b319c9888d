// Files and folders of a sandbox. Owns how what is asked in a path's terms becomes frames; watching is `watch`'s, and what is
// longer than a message `transfers`'.

import { type Context, bytesOf } from './commands.js';
import { EmbedenvError, failure, InvalidArgumentError } from './errors.js';
import { type Entry, type Frame, fromBase64, toBase64 } from './frames.js';
import { absolute, entryOf, type Place, placeOf, split, within } from './paths.js';
import type { Transfers } from './transfers.js';
import { type WatchHandle, type WatchOptions, Watches, type FilesystemEvent } from './watch.js';

/** What is written in one message, in bytes; longer files are sent in pieces, so that nothing else has to wait for them. */
const MOST_AT_ONCE = 1024 * 1024;
/** What a frame has around a file's content, in bytes. */
const FRAME = 16 * 1024;
/** Entries that a listing has at most. */
const MOST_LISTED = 100_000;

/** What an entry is. `other` is a device, a socket or a named pipe. */
export type FileType = 'file' | 'dir' | 'symlink' | 'other';

/** An entry that was written. */
export interface WriteInfo {
  /** Its name in its folder. */
  name: string;
  type: FileType;
  /** Where it is: `/home/user/PROJECT/…`. */
  path: string;
}

/** An entry as it is on disk. */
export interface EntryInfo extends WriteInfo {
  /** Bytes; 0 for folders. */
  size: number;
  /** When it was changed last. */
  modifiedTime: Date;
}

/** What can be written. A stream is read to its end first. */
export type FileContent = string | ArrayBuffer | Uint8Array | Blob | ReadableStream<Uint8Array>;

/** One of several files to be written. */
export interface WriteEntry {
  path: string;
  data: FileContent;
}

const TYPES: Record<Entry['kind'], FileType> = { file: 'file', folder: 'dir', link: 'symlink', other: 'other' };

/**
 * Files and folders. Paths are in the sandbox object's project (`main`, if nothing else was said), or
 * `/home/user/PROJECT/…`; anything else is an {@link InvalidArgumentError} with the code `bad_path`: `..`, other absolute
 * paths, names over 255 bytes, and links that lead out of the project.
 */
export class Files {
  readonly #context: Context;
  readonly #transfers: Transfers;
  readonly #watches: Watches;

  private constructor(context: Context, transfers: Transfers) {
    this.#context = context;
    this.#transfers = transfers;
    this.#watches = new Watches(context.connection);
  }

  /** @internal */
  static of(context: Context, transfers: Transfers): Files {
    return new Files(context, transfers);
  }

  /**
   * Reads a file as it is on disk: what people type into it follows within 1.5 s. Bytes that are not UTF-8 become U+FFFD.
   *
   * @throws {@link NotFoundError} if there is none, {@link FileKindError} if it is no file.
   */
  read(path: string, options?: { format?: 'text' }): Promise<string>;
  /** Reads a file as bytes. */
  read(path: string, options: { format: 'bytes' }): Promise<Uint8Array>;
  /** Reads a file as a `Blob`. */
  read(path: string, options: { format: 'blob' }): Promise<Blob>;
  /** Reads a file as a stream; it is fetched while it is read. Take it to its end, or cancel it. */
  read(path: string, options: { format: 'stream' }): Promise<ReadableStream<Uint8Array>>;
  async read(
    path: string,
    { format = 'text' }: { format?: 'text' | 'bytes' | 'blob' | 'stream' } = {},
  ): Promise<string | Uint8Array | Blob | ReadableStream<Uint8Array>> {
    const place = this.#entry(path);
    if (format === 'stream') return (await this.#transfers.download(place)).body ?? new Blob().stream();
    const file = await this.#small(place);
    if (!file) {
      const answer = await this.#transfers.download(place);
      if (format === 'text') return answer.text();
      return format === 'blob' ? answer.blob() : new Uint8Array(await answer.arrayBuffer());
    }
    const content = String(file.content);
    if (format === 'text' && file.encoding === undefined) return content;
    const bytes = file.encoding === undefined ? new TextEncoder().encode(content) : fromBase64(content);
    if (format === 'text') return new TextDecoder().decode(bytes);
    return format === 'blob' ? new Blob([bytes]) : bytes;
  }

  /**
   * Writes a file, and the folders that it needs. It is replaced whole and at once, and whoever has it open sees what changed.
   * Up to 4 GiB: what is long is sent in pieces, and goes on where it was if the connection breaks.
   *
   * @throws {@link QuotaExceededError} if there is no room for it, {@link FileKindError} if a folder is there.
   */
  write(path: string, data: FileContent): Promise<WriteInfo>;
  /** Writes several files. */
  write(files: WriteEntry[]): Promise<WriteInfo[]>;
  write(path: string | WriteEntry[], data?: FileContent): Promise<WriteInfo | WriteInfo[]> {
    if (typeof path !== 'string') return Promise.all(path.map((file) => this.#write(file.path, file.data)));
    return this.#write(path, data ?? '');
  }

  /**
   * What is in a folder: folders first, then by name. With a `depth`, also what is in its folders, so many levels deep, each
   * folder before what is in it.
   *
   * @throws {@link NotFoundError} if there is none, {@link FileKindError} if it is a file, {@link LimitError} if it is more than
   * 100,000 entries.
   */
  async list(path: string, options: { depth?: number } = {}): Promise<EntryInfo[]> {
    const entries: EntryInfo[] = [];
    const list = async (place: Place, levels: number): Promise<void> => {
      for await (const page of this.#pages(place)) {
        for (const entry of page) {
          if (entries.push(infoOf(place, entry)) > MOST_LISTED) throw failure('too_large', `${path} has more than ${MOST_LISTED} entries`);
          if (entry.kind === 'folder' && levels > 1) await list(within(place, entry.name), levels - 1);
        }
      }
    };
    await list(this.#place(path), options.depth ?? 1);
    return entries;
  }

  /** Whether there is a file, a folder or anything else. */
  async exists(path: string): Promise<boolean> {
    const place = this.#place(path);
    if (!place.path) return (await this.#projects()).includes(place.project);
    return (await this.#find(place)) !== undefined;
  }

  /**
   * Tells of a file or a folder.
   *
   * @throws {@link NotFoundError} if there is none.
   */
  async getInfo(path: string): Promise<EntryInfo> {
    const found = await this.#find(this.#entry(path));
    if (!found) throw failure('not_found', `there is no ${path}`);
    return found;
  }

  /**
   * Makes a folder, and those that it is in.
   *
   * @returns `false` if it was there already.
   * @throws {@link AlreadyExistsError} if something else is there.
   */
  async makeDir(path: string): Promise<boolean> {
    const { project, path: whole } = this.#entry(path);
    const parts = whole.split('/');
    let isNew = false;
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const folder = { project, path: parts.slice(0, depth).join('/') };
      isNew = await this.#created(folder);
    }
    if (!isNew && (await this.#find({ project, path: whole }))?.type !== 'dir') {
      throw failure('already_exists', `${path} is there, and is no folder`);
    }
    return isNew;
  }

  /**
   * Gives a file or a folder another name or place in its project, in a folder that exists. Whoever has it open goes with it.
   *
   * @throws {@link AlreadyExistsError} if something is there: nothing is overwritten.
   */
  async rename(oldPath: string, newPath: string): Promise<EntryInfo> {
    const [from, to] = [this.#entry(oldPath), this.#entry(newPath)];
    if (from.project !== to.project) throw failure('bad_path', 'a file can be moved within its project alone');
    await this.#context.connection.order({ type: 'move', project: from.project, path: from.path, to: to.path });
    return this.getInfo(newPath);
  }

  /**
   * Removes a file, or a folder with all that is in it.
   *
   * @throws {@link NotFoundError} if there is none.
   */
  async remove(path: string): Promise<void> {
    await this.#command(this.#entry(path), { type: 'delete' });
  }

  /**
   * Tells of each entry of a folder that comes, goes or is changed, whoever does it. It outlives broken connections: what
   * happened meanwhile is told then. Not what is in folders within it.
   *
   * @throws {@link NotFoundError} if there is no such folder.
   */
  async watchDir(
    path: string,
    onEvent: (event: FilesystemEvent) => void | Promise<void>,
    options: WatchOptions = {},
  ): Promise<WatchHandle> {
    return this.#watches.watch(this.#place(path), onEvent, options);
  }

  #place(path: string): Place {
    return placeOf(path, this.#context.project);
  }

  #entry(path: string): Place {
    return entryOf(path, this.#context.project);
  }

  /** A file in one message; nothing if it is too long for one. */
  async #small({ project, path }: Place): Promise<Frame | null> {
    try {
      return await this.#context.connection.request({ type: 'read', project, path }, { retry: false });
    } catch (error) {
      // A file between what is read at once and what may wait for a client breaks the connection, which comes back.
      if (error instanceof EmbedenvError && (error.code === 'too_large' || error.code === 'connection_lost')) return null;
      throw error;
    }
  }

  async #write(path: string, data: FileContent): Promise<WriteInfo> {
    const place = this.#entry(path);
    const content = data instanceof ReadableStream ? await new Response(data).blob() : data;
    const most = Math.min(MOST_AT_ONCE, this.#context.connection.joined.max_message - FRAME);
    const message = await messageOf(content, most);
    if (message) await this.#command(place, { type: 'write' }, message);
    else await this.#transfers.upload(place, content instanceof Blob ? content : new Blob([partOf(content)]));
    return { name: split(place).name, type: 'file', path: absolute(place) };
  }

  async #created(folder: Place): Promise<boolean> {
    try {
      await this.#command(folder, { type: 'create', item: 'folder' });
      return true;
    } catch (error) {
      if (error instanceof EmbedenvError && error.code === 'already_exists') return false;
      throw error;
    }
  }

  async #find(place: Place): Promise<EntryInfo | undefined> {
    const { folder, name } = split(place);
    try {
      for await (const page of this.#pages(folder)) {
        const entry = page.find((it) => it.name === name);
        if (entry) return infoOf(folder, entry);
      }
    } catch (error) {
      if (!(error instanceof EmbedenvError) || !['not_found', 'not_a_folder'].includes(error.code)) throw error;
    }
    return undefined;
  }

  async *#pages({ project, path }: Place): AsyncGenerator<Entry[]> {
    let after: unknown;
    do {
      const { entries, next } = await this.#context.connection.request({ type: 'list', project, path, after });
      yield entries as Entry[];
      after = next;
    } while (after !== undefined);
  }

  async #projects(): Promise<unknown[]> {
    const { projects } = await this.#context.connection.request({ type: 'projects' });
    return projects as unknown[];
  }

  async #command({ project, path }: Place, command: { type: string; item?: string }, members: object = {}): Promise<void> {
    await this.#context.connection.order({ type: 'cmd', project_name: project, command, path, ...members });
  }
}

/** A content as a message has it, if that has at most so many bytes. */
async function messageOf(content: string | ArrayBuffer | Uint8Array | Blob, most: number): Promise<object | null> {
  if (typeof content === 'string') {
    // JSON takes six bytes at most for each unit.
    const isShort = content.length * 6 <= most || (content.length <= most && bytesOf(JSON.stringify(content)).length <= most);
    return isShort ? { content } : null;
  }
  const size = content instanceof Blob ? content.size : content.byteLength;
  if (size * (4 / 3) + 4 > most) return null;
  const bytes = content instanceof Uint8Array ? content : new Uint8Array(content instanceof Blob ? await content.arrayBuffer() : content);
  return { content: toBase64(bytes), encoding: 'base64' };
}

function partOf(content: string | ArrayBuffer | Uint8Array): BlobPart {
  if (typeof content === 'string' || content instanceof ArrayBuffer || content instanceof Uint8Array) return content as BlobPart;
  throw new InvalidArgumentError('bad_request', 'a file is made of a text, bytes, a Blob or a stream');
}

function infoOf(folder: Place, { name, kind, size, modified }: Entry): EntryInfo {
  return { name, type: TYPES[kind], path: absolute(within(folder, name)), size, modifiedTime: new Date(modified) };
}
