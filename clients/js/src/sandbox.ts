// A sandbox as one object: opened over REST with a key pair or joined with a key, and then spoken to over one WebSocket. Owns
// who is asked for what; what is done in it is done by its parts.

import { told } from './callbacks.js';
import { Commands, type Context } from './commands.js';
import { Connection, roomEnded } from './connection.js';
import { Documents } from './documents.js';
import { EmbedenvError, failure } from './errors.js';
import { Files } from './files.js';
import type { Role } from './frames.js';
import { Logs } from './logs.js';
import { placeOf } from './paths.js';
import { Pty } from './pty.js';
import { randomKey } from './random.js';
import { call } from './rest.js';
import { type ConnectionOptions, keysOf, milliseconds, type Settings, settingsOf } from './settings.js';
import { Transfers } from './transfers.js';

/** The project that paths are in, if nothing else is said. */
const PROJECT = 'main';
/** How long it is tried to come back to the server, in milliseconds, if nothing else is said. */
const RECONNECT = 120_000;
/** For how many seconds the owner's key that this client joins with is good; it joins at once, and comes back without it. */
const OWN_KEY = 300;
/** For how many seconds anybody sees a port, if nothing else is said. */
const PORT_TTL = 86_400;

/** What stays the same for a sandbox object. */
export interface SandboxOptions extends ConnectionOptions {
  /** The project that relative paths and commands are in. `main` without it. */
  project?: string;
  /** Environment variables of every command and terminal that this object starts. */
  envs?: Record<string, string>;
  /** What the others see this client as: 1 to 64 characters. */
  user?: string;
  /** Its colour, `#rrggbb`. */
  color?: string;
  /** How long it is tried to come back to the server after the connection broke, in milliseconds. 120,000 without it. */
  reconnectTimeoutMs?: number;
}

/** How a sandbox is opened. */
export interface CreateOptions extends SandboxOptions {
  /** The space of the server's configuration, which says what is in it. `default` without it. */
  space?: string;
  /** When it ends with its files, in milliseconds from now, used or not: 1 s to 30 days. When the server ends it without it. */
  timeoutMs?: number;
  /** Texts by which {@link Sandbox.list} finds it: up to 32 of them, 4 KiB in all. */
  metadata?: Record<string, string>;
  /** Opened again by the same key within 48 hours it is the same sandbox, and costs nothing more. Up to 256 characters. */
  idempotencyKey?: string;
}

/** How a sandbox is joined with a join key, as in a browser. An {@link OpenedRoom} is one. */
export interface JoinOptions extends Omit<SandboxOptions, 'publicKey' | 'secretKey'> {
  /** The join key. */
  join: string;
}

/** What a join key grants, and for how long. */
export interface JoinKeyOptions {
  /** What whoever comes by it may do. `editor` without it. */
  role?: Role;
  /** For how many seconds somebody may come by it; who is in stays. As long as the sandbox lives without it. */
  ttl?: number;
  /** How many may come by it; who comes back takes none. Any number without it. */
  uses?: number;
}

/** How a sandbox is opened for somebody's browser. */
export interface OpenOptions extends CreateOptions, JoinKeyOptions {
  /** Texts by their paths, which are in the project from the beginning: 1 MiB in all. */
  files?: Record<string, string>;
}

/** A sandbox that was opened for somebody's browser. Hand it on as it is, to {@link Sandbox.connect} there. */
export interface OpenedRoom {
  /** The sandbox's id. */
  sandboxId: string;
  /** The server's address. */
  url: string;
  /** A join key. Whoever has it may come in. */
  join: string;
  /** What it grants. */
  role: Role;
  /** The address of the IDE on this sandbox, for a browser or a frame. */
  shareUrl: string;
}

/** A join key that was made. */
export interface JoinKey extends OpenedRoom {
  /** Its number in the sandbox, by which it is revoked. */
  number: number;
  /** Until when somebody may come by it, if there is an end. */
  expiresAt?: Date;
  /** How many may come by it, if that is bounded. */
  uses?: number;
}

/** How a sandbox stands. */
export interface SandboxInfo {
  sandboxId: string;
  space: string;
  metadata: Record<string, string>;
  /** When it was opened. */
  startedAt: Date;
  /** When somebody was there last. */
  lastUsedAt: Date;
  /** When it ends with its files, if it was given an end. */
  endAt?: Date;
  /** `gone`: nobody was there for a while, or it broke down; its files are there, and whoever joins wakes it. */
  state: 'starting' | 'ready' | 'gone';
  /** How many are connected. */
  connections: number;
}

/** Which sandboxes are listed. */
export interface ListOptions extends ConnectionOptions {
  /** Those alone whose metadata has all of these. */
  query?: { metadata?: Record<string, string> };
  /** How many come at once, 1 to 100. 50 without it. */
  limit?: number;
  /** Where the list goes on: {@link SandboxPaginator.nextToken} of another one. */
  nextToken?: string;
}

interface RoomBody {
  room: string;
  space: string;
  metadata?: Record<string, string>;
  created: number;
  last_used: number;
  ends_at?: number | null;
  sandbox: 'starting' | 'ready' | 'gone';
  connections: number;
}

interface OpenedBody {
  room: string;
  join: string;
  owner: string;
}

interface KeyBody {
  join: string;
  number: number;
  role: Role;
  expires?: number | null;
  uses?: number | null;
}

/**
 * A sandbox: files, commands, terminals and documents on a machine of its own, which several people and programs may be in at
 * once. It lives on the server, whatever becomes of this object.
 *
 * ```ts
 * const sandbox = await Sandbox.create();
 * await sandbox.files.write('main.py', 'print(6 * 7)');
 * const { stdout } = await sandbox.commands.run('python3 main.py');
 * await sandbox.kill();
 * ```
 */
export class Sandbox {
  /** Its id. */
  readonly sandboxId: string;
  /** Its files and folders. */
  readonly files: Files;
  /** What runs in it without a terminal. */
  readonly commands: Commands;
  /** What runs in it on terminals. */
  readonly pty: Pty;
  /** Its open files, which several people type in at once. */
  readonly documents: Documents;
  readonly #settings: Settings;
  readonly #connection: Connection;

  private constructor(settings: Settings, connection: Connection, context: Context) {
    this.sandboxId = connection.joined.room;
    this.#settings = settings;
    this.#connection = connection;
    const transfers = new Transfers(connection, settings.url, settings.requestTimeoutMs);
    this.files = Files.of(context, transfers);
    this.commands = Commands.of(context);
    this.pty = Pty.of(context);
    this.documents = Documents.of(context);
  }

  /**
   * Opens a sandbox, for one credit, and joins it as its owner. Takes a key pair.
   *
   * @throws {@link AuthenticationError} for a key pair that is not valid, {@link QuotaExceededError} without credits,
   * {@link NotFoundError} for a space that there is not, {@link UnavailableError} if it can't be started now.
   */
  static async create(options?: CreateOptions): Promise<Sandbox>;
  /** The same in a space. */
  static async create(space: string, options?: CreateOptions): Promise<Sandbox>;
  static async create(first: string | CreateOptions = {}, more: CreateOptions = {}): Promise<Sandbox> {
    const options = typeof first === 'string' ? { ...more, space: first } : first;
    const settings = settingsOf(options);
    const { owner } = await opened(settings, options);
    return Sandbox.#join(settings, options, owner);
  }

  /**
   * Joins a sandbox that lives, by its id and as its owner, which takes its key pair; or with a join key, which takes nothing
   * else, as in a browser. One that is gone wakes, with its files.
   *
   * @throws {@link NotFoundError} if there is none, {@link AuthenticationError} if a key is not good.
   */
  static async connect(sandboxId: string, options?: SandboxOptions & Pick<CreateOptions, 'timeoutMs'>): Promise<Sandbox>;
  static async connect(options: JoinOptions): Promise<Sandbox>;
  static async connect(
    first: string | JoinOptions,
    more: SandboxOptions & Pick<CreateOptions, 'timeoutMs'> = {},
  ): Promise<Sandbox> {
    if (typeof first === 'object') {
      const settings = { ...settingsOf(first), keys: null };
      return Sandbox.#join(settings, first, first.join);
    }
    const settings = settingsOf(more);
    if (more.timeoutMs !== undefined) await setTimeoutOf(settings, first, more.timeoutMs);
    const key = await minted(settings, first, { role: 'owner', ttl: OWN_KEY, uses: 1 });
    return Sandbox.#join(settings, more, key.join);
  }

  /**
   * Opens a sandbox for somebody's browser, for one credit, without joining it: all that a backend has to do, in one call. Takes
   * a key pair, which the browser never sees.
   *
   * ```ts
   * app.post('/workspace', async (request, response) => response.json(await Sandbox.openRoom()));
   * // and in the page
   * const sandbox = await Sandbox.connect(await (await fetch('/workspace', { method: 'POST' })).json());
   * ```
   */
  static async openRoom(options: OpenOptions = {}): Promise<OpenedRoom> {
    const settings = settingsOf(options);
    const { role = 'editor', ttl, uses, files, project = PROJECT } = options;
    const { room, join } = await opened(settings, options);
    if (files) await call(settings, { method: 'POST', path: `rooms/${room}/projects`, body: { name: project, files } });
    const isOrdinary = role === 'editor' && ttl === undefined && uses === undefined;
    const key = isOrdinary ? join : (await minted(settings, room, options)).join;
    return roomOf(settings, room, key, role);
  }

  /** The sandboxes that live, of all key pairs of the account. Takes a key pair. */
  static list(options: ListOptions = {}): SandboxPaginator {
    return SandboxPaginator.of(settingsOf(options), options);
  }

  /** Ends a sandbox, with its files; `false` if there is none. Takes its key pair. */
  static async kill(sandboxId: string, options: ConnectionOptions = {}): Promise<boolean> {
    return ended(settingsOf(options), sandboxId);
  }

  /** Gives a sandbox another end, `timeoutMs` from now, or with `null` none of its own. Takes its key pair. */
  static async setTimeout(sandboxId: string, timeoutMs: number | null, options: ConnectionOptions = {}): Promise<void> {
    await setTimeoutOf(settingsOf(options), sandboxId, timeoutMs);
  }

  /**
   * Tells how a sandbox stands. Takes its key pair.
   *
   * @throws {@link NotFoundError} if there is none.
   */
  static async getInfo(sandboxId: string, options: ConnectionOptions = {}): Promise<SandboxInfo> {
    return getInfoOf(settingsOf(options), sandboxId);
  }

  /** What this client may do. */
  get role(): Role {
    return this.#connection.joined.role;
  }

  /** Whether the connection stands now. While it does not, what is asked for waits. */
  get isConnected(): boolean {
    return this.#connection.isUp;
  }

  /**
   * Has `then` called once when this object is of no use any more, or soon if it is already: after `close`, when the sandbox has
   * ended, when the join key was revoked, or when the server could not be reached again. Returns what ends that.
   */
  onClose(then: (reason: EmbedenvError) => void): () => void {
    const { ended } = this.#connection;
    if (ended) queueMicrotask(() => then(ended));
    return this.#connection.on('end', (reason) => told('onClose', () => then(reason)));
  }

  /** Ends the sandbox, with its files; `false` if it had ended. Takes its key pair. */
  async kill(): Promise<boolean> {
    const isEnded = await ended(this.#settings, this.sandboxId);
    this.#connection.close(roomEnded());
    return isEnded;
  }

  /** Leaves. The sandbox and what runs in it go on; a program of Node's that is at its end can end. */
  close(): void {
    this.#connection.close();
  }

  /** Gives it another end, `timeoutMs` from now, or with `null` none of its own. Takes its key pair. */
  async setTimeout(timeoutMs: number | null): Promise<void> {
    await setTimeoutOf(this.#settings, this.sandboxId, timeoutMs);
  }

  /** Tells how it stands. Takes its key pair. */
  async getInfo(): Promise<SandboxInfo> {
    return getInfoOf(this.#settings, this.sandboxId);
  }

  /** Starts it again, with its files, if it broke down. */
  async start(): Promise<void> {
    await this.#connection.order({ type: 'sandbox-start' });
  }

  /**
   * Makes a join key, of a role up to one's own.
   *
   * @throws {@link LimitError} if there are 256 by which somebody may come.
   */
  async createJoinKey(options: JoinKeyOptions = {}): Promise<JoinKey> {
    const { role = 'editor', ttl, uses } = options;
    const made = (await this.#connection.order({ type: 'key-mint', role, ttl, uses })) as unknown as KeyBody;
    const key: JoinKey = { ...roomOf(this.#settings, this.sandboxId, made.join, made.role), number: made.number };
    if (made.expires != null) key.expiresAt = new Date(made.expires);
    if (made.uses != null) key.uses = made.uses;
    return key;
  }

  /** Has nobody come by a join key any more, and sends away who did. It is named by its number, or by itself. */
  async revokeJoinKey(key: number | string): Promise<void> {
    await this.#connection.order(typeof key === 'number' ? { type: 'key-revoke', number: key } : { type: 'key-revoke', join: key });
  }

  /** The address of the IDE on this sandbox, with a join key in it: for a browser, or for a frame in a page. */
  async shareUrl(options: JoinKeyOptions = {}): Promise<string> {
    return (await this.createJoinKey(options)).shareUrl;
  }

  /**
   * The host at which anybody sees what listens on a port, for `ttl` seconds from now. Takes the owner's role. The scheme is
   * the server's own: {@link Sandbox.getUrl} has it.
   *
   * @throws {@link EmbedenvError} with the code `not_supported` if the server has no host names for ports: `getUrl` may have
   * an address.
   */
  async getHost(port: number, ttl: number = PORT_TTL): Promise<string> {
    const { host, pathname } = new URL(await this.getUrl(port, ttl));
    if (pathname !== '/') throw failure('not_supported', 'the server has no host name for each port; take getUrl');
    return host;
  }

  /**
   * The address at which anybody sees what listens on a port, for `ttl` seconds from now: 1 to 2,592,000, a day without it. Where
   * the server has no host names for ports, its path holds a secret, and it is good for 12 hours.
   */
  async getUrl(port: number, ttl: number = PORT_TTL): Promise<string> {
    await this.#connection.order({ type: 'port-open', port, ttl });
    return String((await this.#connection.request({ type: 'preview', port })).url);
  }

  /** A port that {@link Sandbox.getHost} or {@link Sandbox.getUrl} has opened is the sandbox's own again. For owners. */
  async closePort(port: number): Promise<void> {
    await this.#connection.order({ type: 'port-close', port });
  }

  static async #join(settings: Settings, options: SandboxOptions, join: string): Promise<Sandbox> {
    const { project = PROJECT, envs = {}, user, color, reconnectTimeoutMs = RECONNECT } = options;
    if (placeOf(`/home/user/${project}`, PROJECT).path) throw failure('bad_path', `a project's name has no slash in it: ${project}`);
    const connection = await Connection.open({
      url: settings.url,
      join,
      user,
      color,
      requestTimeoutMs: settings.requestTimeoutMs,
      reconnectTimeoutMs: milliseconds('reconnectTimeoutMs', reconnectTimeoutMs),
    });
    const context: Context = { connection, logs: new Logs(connection), project, envs };
    return new Sandbox(settings, connection, context);
  }
}

/** Sandboxes, page by page. */
export class SandboxPaginator {
  readonly #settings: Settings;
  readonly #options: ListOptions;
  #next: string | undefined;
  #hasNext = true;

  private constructor(settings: Settings, options: ListOptions) {
    keysOf(settings);
    this.#settings = settings;
    this.#options = options;
    this.#next = options.nextToken;
  }

  /** @internal */
  static of(settings: Settings, options: ListOptions): SandboxPaginator {
    return new SandboxPaginator(settings, options);
  }

  /** Whether there is another page. */
  get hasNext(): boolean {
    return this.#hasNext;
  }

  /** Where the next page begins, for another {@link Sandbox.list}. */
  get nextToken(): string | undefined {
    return this.#next;
  }

  /** The next page. */
  async nextItems(): Promise<SandboxInfo[]> {
    const { limit, query } = this.#options;
    const search = new URLSearchParams();
    if (limit !== undefined) search.set('limit', String(limit));
    if (this.#next !== undefined) search.set('after', this.#next);
    for (const [name, value] of Object.entries(query?.metadata ?? {})) search.append('metadata', `${name}=${value}`);
    const page = await call<{ rooms: RoomBody[]; next?: string | null }>(this.#settings, { method: 'GET', path: 'rooms', query: search });
    this.#next = page.next ?? undefined;
    this.#hasNext = this.#next !== undefined;
    return page.rooms.map(infoOf);
  }
}

async function opened(settings: Settings, { space, timeoutMs, metadata, idempotencyKey }: CreateOptions): Promise<OpenedBody> {
  const timeout = timeoutMs === undefined ? undefined : seconds(timeoutMs);
  // Its own key lets the call be sent again when its answer was lost, for one credit.
  const key = idempotencyKey ?? randomKey();
  return call<OpenedBody>(settings, { method: 'POST', path: 'rooms', body: { space, timeout, metadata }, idempotencyKey: key });
}

async function minted(settings: Settings, room: string, { role = 'editor', ttl, uses }: JoinKeyOptions): Promise<KeyBody> {
  return call<KeyBody>(settings, { method: 'POST', path: `rooms/${encodeURIComponent(room)}/keys`, body: { role, ttl, uses } });
}

async function ended(settings: Settings, room: string): Promise<boolean> {
  try {
    await call(settings, { method: 'DELETE', path: `rooms/${encodeURIComponent(room)}` });
    return true;
  } catch (error) {
    if (error instanceof EmbedenvError && error.status === 404) return false;
    throw error;
  }
}

async function setTimeoutOf(settings: Settings, room: string, timeoutMs: number | null): Promise<void> {
  const timeout = timeoutMs === null ? null : seconds(timeoutMs);
  await call(settings, { method: 'PATCH', path: `rooms/${encodeURIComponent(room)}`, body: { timeout } });
}

async function getInfoOf(settings: Settings, room: string): Promise<SandboxInfo> {
  return infoOf(await call<RoomBody>(settings, { method: 'GET', path: `rooms/${encodeURIComponent(room)}` }));
}

function roomOf({ url }: Settings, sandboxId: string, join: string, role: Role): OpenedRoom {
  return { sandboxId, url, join, role, shareUrl: `${url}/w#join=${encodeURIComponent(join)}` };
}

function infoOf(room: RoomBody): SandboxInfo {
  const info: SandboxInfo = {
    sandboxId: room.room,
    space: room.space,
    metadata: room.metadata ?? {},
    startedAt: new Date(room.created),
    lastUsedAt: new Date(room.last_used),
    state: room.sandbox,
    connections: room.connections,
  };
  if (room.ends_at != null) info.endAt = new Date(room.ends_at);
  return info;
}

/** Whole seconds, as the API takes them. */
function seconds(timeoutMs: number): number {
  return Math.ceil(milliseconds('timeoutMs', timeoutMs) / 1_000);
}
