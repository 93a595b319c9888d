// A visitor's room, as a plain client knows it: opened by the page's widget when something is first asked of it, and kept for
// the other pages of the tab. Owns the socket and the key; draws nothing.

export type Frame = { type: string } & Record<string, unknown>;

export interface Watcher {
  /** A frame goes out, or came in. */
  sent?(frame: Frame, text: string): void;
  received(frame: Frame, text: string): void;
  /** The connection is gone; the next thing that is asked makes another one. */
  lost?(): void;
}

/** What went wrong, with the server's code. */
export class RoomError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Where the tab keeps its room's key. */
const KEPT = 'embedenv-room';
/** The space in the address: a widget's own goes before it. */
const WAY = '/ws/spaces/default/';
/** The longest that the server may take to open a room, in milliseconds. */
const OPENING = 70_000;

/** The widget that the server has for its pages; empty for none. */
export const widget = document.documentElement.dataset['widget'] ?? '';

export class Room {
  readonly #watcher: Watcher;
  readonly #protocol: object;
  #socket: WebSocket | null = null;
  #opening: Promise<WebSocket> | null = null;

  /** A full client is answered with ids, which a plain one does without. */
  constructor(watcher: Watcher, { full = false } = {}) {
    this.#watcher = watcher;
    this.#protocol = full ? { protocol: 2 } : {};
  }

  /** The room's key, once it is open. */
  get key(): string | null {
    return sessionStorage.getItem(KEPT);
  }

  /** Where the IDE has this room, with a file of it open. */
  address(project: string, file: string): string {
    return `/w#${new URLSearchParams({ join: this.key ?? '', project, file })}`;
  }

  async open(): Promise<void> {
    await this.#ready();
  }

  async send(frame: Frame): Promise<void> {
    const socket = await this.#ready();
    this.#say(socket, frame);
  }

  /** Ends the connection, and not the room. */
  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #say(socket: WebSocket, frame: Frame): void {
    const text = JSON.stringify(frame);
    socket.send(text);
    this.#watcher.sent?.(frame, text);
  }

  async #ready(): Promise<WebSocket> {
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#socket;
    this.#opening ??= this.#shake().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #shake(): Promise<WebSocket> {
    const { key } = this;
    if (key) {
      try {
        return await this.#connect({ type: 'join', join: key, user: 'visitor', ...this.#protocol });
      } catch (error) {
        // The room has ended since.
        if (!(error instanceof RoomError) || error.code !== 'unknown_join_key') throw error;
        sessionStorage.removeItem(KEPT);
      }
    }
    if (!widget) throw new RoomError('no_widget', 'This server has no widget for its pages.');
    return this.#connect({ type: 'visit', widget, user: 'visitor', ...this.#protocol });
  }

  #connect(hello: Frame): Promise<WebSocket> {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${WAY}`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new RoomError('timed_out', 'The server took too long to open a room.'));
        socket.close();
      }, OPENING);
      let refused: RoomError | null = null;
      socket.onopen = () => this.#say(socket, hello);
      socket.onmessage = ({ data }) => {
        if (typeof data !== 'string') return;
        const frame = JSON.parse(data) as Frame;
        if (frame.type === 'visited') sessionStorage.setItem(KEPT, frame['join'] as string);
        this.#watcher.received(frame, data);
        if (frame.type === 'joined') {
          clearTimeout(late);
          this.#socket = socket;
          resolve(socket);
        } else if (frame.type === 'error' && this.#socket !== socket) {
          refused = new RoomError(String(frame['code']), String(frame['message']));
        }
      };
      socket.onclose = () => {
        clearTimeout(late);
        reject(refused ?? new RoomError('unreachable', 'The server is out of reach.'));
        if (this.#socket !== socket) return;
        this.#socket = null;
        this.#watcher.lost?.();
      };
    });
  }
}

/** What a visitor is told of a failure. */
export function told(error: unknown): string {
  if (!(error instanceof RoomError)) return `Something failed: ${error}`;
  switch (error.code) {
    case 'quota_exceeded':
      return 'As many rooms were opened here in the last hour as there may be. Try again later.';
    case 'no_credits':
      return 'This server’s widget has no credits left. Its operator can grant some.';
    case 'no_widget':
    case 'not_found':
      return 'Nothing runs here: this server has no widget that is good. Its operator can set one.';
    default:
      return error.message;
  }
}
