// Terminals: programs on pseudo-terminals, which everybody in the room sees. Owns how one is opened; its handle is that of a
// command.

import { bytesOf, CommandHandle, connected, type Context, killed, Starts } from './commands.js';
import { failure } from './errors.js';
import type { Frame } from './frames.js';
import { placeOf } from './paths.js';

/** Bytes that are typed at once. */
const MOST_TYPED = 64 * 1024;

/** How a terminal is opened. */
export interface PtyOptions {
  /** How wide it is, in columns: 1 to 1,000. 80 without it. */
  cols?: number;
  /** How high it is, in rows: 1 to 1,000. 24 without it. */
  rows?: number;
  /** Is given what is printed on it, as it comes: bytes for a terminal emulator, of which a character may come in pieces. */
  onData?: (bytes: Uint8Array) => void | Promise<void>;
  /** A command line; an interactive shell without it. */
  cmd?: string;
  /** Environment variables, beside those of the sandbox object. Up to 64 KiB in all. */
  envs?: Record<string, string>;
  /** The folder in which it begins: a path in the project, or `/home/user/PROJECT/…`. */
  cwd?: string;
}

/** Opens terminals. */
export class Pty {
  readonly #context: Context;
  readonly #starts: Starts;

  private constructor(context: Context) {
    this.#context = context;
    this.#starts = new Starts(context);
  }

  /** @internal */
  static of(context: Context): Pty {
    return new Pty(context);
  }

  /**
   * Opens a terminal with a shell, or with a command. Its handle's `wait` resolves when that ends.
   *
   * @throws {@link LimitError} if 16 programs run already.
   */
  async create(options: PtyOptions = {}): Promise<CommandHandle> {
    const { connection, project, envs } = this.#context;
    const place = placeOf(options.cwd ?? '', project);
    const frame: Frame = { type: 'terminal-open', project: place.project, cols: options.cols ?? 80, rows: options.rows ?? 24 };
    const environment = { ...envs, ...options.envs };
    if (place.path) frame.folder = place.path;
    if (Object.keys(environment).length > 0) frame.environment = environment;
    if (options.cmd !== undefined) frame.command = options.cmd;
    const kind = options.cmd === undefined ? 'terminal' : 'run';
    let handle: CommandHandle | undefined;
    const take = ({ terminal, isRecovered }: Frame) => {
      this.#starts.add(Number(terminal));
      handle = CommandHandle.follow(this.#context, { terminal: Number(terminal), kind }, options, isRecovered !== true);
    };
    const seek = this.#starts.seeker(kind, place.project);
    const recover = async (): Promise<Frame | undefined> => {
      const found = await seek();
      return found && { type: 'terminal-opened', terminal: found.terminal, isRecovered: true };
    };
    await connection.order(frame, { take, recover });
    if (!handle) throw failure('internal', 'the server gave no number to the terminal');
    return handle;
  }

  /**
   * Comes back to a terminal by its number: its output from the beginning, or from what of it the server still has (2 MiB).
   *
   * @throws {@link NotFoundError} if there is no such terminal.
   */
  async connect(pid: number, options: Pick<PtyOptions, 'onData'> = {}): Promise<CommandHandle> {
    return connected(this.#context, pid, options);
  }

  /**
   * Types into a terminal. Resolves once that is on its way. It arrives once and in order, also if the connection breaks; of
   * what was under way when the server was killed nobody can tell whether it did.
   *
   * @throws {@link NotFoundError} if there is no such terminal.
   */
  async sendInput(pid: number, data: string | Uint8Array): Promise<void> {
    const { connection } = this.#context;
    if (!(await connection.terminal(pid))) throw failure('not_found', `there is no terminal ${pid}`);
    const bytes = bytesOf(data);
    for (let at = 0; at < bytes.length; at += MOST_TYPED) connection.input(pid, bytes.subarray(at, at + MOST_TYPED));
  }

  /** Gives a terminal another size, in columns and rows. It has the size of who typed last into it. */
  async resize(pid: number, size: { cols: number; rows: number }): Promise<void> {
    await this.#context.connection.order({ type: 'terminal-resize', terminal: pid, cols: size.cols, rows: size.rows });
  }

  /** Ends a terminal with what runs in it, and its output is forgotten; `false` if there was none of that number. */
  async kill(pid: number): Promise<boolean> {
    return killed(this.#context, pid);
  }
}
