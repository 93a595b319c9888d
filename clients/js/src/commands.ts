// Commands and what is told of them. Owns handles: what a command has printed, how it ended, and what is sent to it. Output
// comes from `logs`; nothing here knows offsets.

import { called } from './callbacks.js';
import type { Connection } from './connection.js';
import { CommandExitError, type CommandResult, EmbedenvError, failure, InvalidArgumentError, TimeoutError } from './errors.js';
import { type Exit, type Frame, type Terminal, toBase64 } from './frames.js';
import type { LogSink, Logs } from './logs.js';
import { placeOf } from './paths.js';
import { milliseconds } from './settings.js';

/** How long a command that is waited for may run, in milliseconds, if nothing else is said. */
const COMMAND_TIMEOUT = 60_000;
/** Bytes of output that a handle keeps, of each of the two, and what came in one piece with the last of them. */
const MOST_KEPT = 16 * 1024 * 1024;
/** Bytes of input that are sent at once: 256 KiB in Base64. */
const MOST_INPUT = 192 * 1024;
/** Numbers of what was started that are known before those of what is gone are forgotten. */
const MOST_KNOWN = 64;
/** Waits before a piece of input is sent again that there was no room for, in milliseconds; each is twice the last. */
const SHORTEST_WAIT = 20;
const LONGEST_WAIT = 1_000;

/** What a sandbox object gives to its parts. @internal */
export interface Context {
  connection: Connection;
  logs: Logs;
  project: string;
  envs: Record<string, string>;
}

/** How a command runs. */
export interface CommandOptions {
  /** Return at once, with a handle, instead of waiting for the end. */
  background?: boolean;
  /** Is given what it prints, as it comes. */
  onStdout?: (text: string) => void | Promise<void>;
  /** Is given what it prints to standard error, as it comes. */
  onStderr?: (text: string) => void | Promise<void>;
  /**
   * How long it may run, in milliseconds; then it is ended, in the sandbox itself. 0 for any time. Without it, 60,000 if it is
   * waited for, and any time in the background.
   */
  timeoutMs?: number;
  /** Environment variables, beside those of the sandbox object. Up to 64 KiB in all. */
  envs?: Record<string, string>;
  /** The folder in which it begins: a path in the project, or `/home/user/PROJECT/…`. The project's own without it. */
  cwd?: string;
  /**
   * What it reads: `true` has its input open for {@link CommandHandle.sendStdin}; a text or bytes are all of it. Without
   * it, its input is at its end from the beginning.
   */
  stdin?: boolean | string | Uint8Array;
}

/** Something that runs in the sandbox. */
export interface ProcessInfo {
  /** Its number in the sandbox, for {@link Commands.connect} and the like. It is not the kernel's. */
  pid: number;
  /** What it is called in lists; of a command, the beginning of its line. */
  cmd: string;
  /**
   * `process` for commands of {@link Commands.run}; `terminal`, `run` and `shell` for shells and commands that somebody opened
   * on terminals.
   */
  kind: 'process' | 'terminal' | 'run' | 'shell';
  /** Its project. */
  project: string;
}

/** What is told of a command's output, beside what its handle keeps. @internal */
export interface Watching {
  onStdout?: CommandOptions['onStdout'];
  onStderr?: CommandOptions['onStderr'];
  onData?: ((bytes: Uint8Array) => void | Promise<void>) | undefined;
}

/** A command that was started. It goes on in the sandbox whatever becomes of this object. */
export class CommandHandle {
  /** Its number in the sandbox. It is not the kernel's. */
  readonly pid: number;
  readonly #context: Context;
  readonly #watching: Watching;
  readonly #isPty: boolean;
  readonly #logs: readonly number[];
  readonly #done: Promise<CommandResult>;
  readonly #kept = { stdout: '', stderr: '' };
  #finish!: (outcome: CommandResult | Error) => void;
  #open: number;
  #lost = 0;
  #exit: Exit | null = null;
  #result: CommandResult | null = null;
  #failed: Error | null = null;
  #input: Promise<unknown> = Promise.resolve();

  private constructor(context: Context, { terminal, errors, kind }: StartedProcess, watching: Watching) {
    this.pid = terminal;
    this.#context = context;
    this.#watching = watching;
    this.#isPty = kind !== 'process';
    this.#logs = errors === undefined ? [terminal] : [terminal, errors];
    this.#open = this.#logs.length;
    this.#done = new Promise((resolve, reject) => {
      this.#finish = (outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
    });
    // Who does not wait for it is not told.
    this.#done.catch(() => undefined);
  }

  /** @internal */
  static follow(context: Context, process: StartedProcess, watching: Watching, isAttached: boolean): CommandHandle {
    const handle = new CommandHandle(context, process, watching);
    for (const [at, log] of handle.#logs.entries()) {
      context.logs.read(log, handle.#sink(at === 0 ? 'stdout' : 'stderr'), isAttached);
    }
    return handle;
  }

  /** What it has printed so far, up to some 16 MiB from the beginning. Empty for terminals. */
  get stdout(): string {
    return this.#kept.stdout;
  }

  /** What it has printed to standard error so far, up to some 16 MiB from the beginning. */
  get stderr(): string {
    return this.#kept.stderr;
  }

  /** What it ended with; `undefined` while it runs. */
  get exitCode(): number | undefined {
    return this.#result?.exitCode;
  }

  /** Why it failed, for people; `undefined` while it runs, and if it did not. */
  get error(): string | undefined {
    return this.#result?.error;
  }

  /**
   * Waits for its end.
   *
   * @throws {@link CommandExitError} if it ended with something else than 0, {@link TimeoutError} if its `timeoutMs` was
   * over, {@link UnavailableError} if the connection or the sandbox was lost for good, and whatever one of its callbacks
   * has thrown.
   */
  wait(): Promise<CommandResult> {
    return this.#done;
  }

  /** Ends it at once, with SIGKILL; `false` if it had ended before. */
  async kill(): Promise<boolean> {
    return this.#result === null && killed(this.#context, this.pid);
  }

  /**
   * Writes to its input; it was started with `stdin: true`. Resolves once it has taken nearly all of it, and waits as long as
   * that takes.
   *
   * @throws {@link NotFoundError} or {@link ConflictError} if it has ended, or reads no more.
   */
  async sendStdin(data: string | Uint8Array): Promise<void> {
    await this.#send(bytesOf(data), false);
  }

  /** Has its input end, behind what was written to it. */
  async closeStdin(): Promise<void> {
    await this.#send(new Uint8Array(), true);
  }

  /**
   * Hears no more of it; it goes on. {@link CommandHandle.wait} fails from here on, and {@link Commands.connect} comes back
   * to it.
   */
  async disconnect(): Promise<void> {
    for (const log of this.#logs) this.#context.logs.leave(log);
    this.#finish(failure('closed', 'this handle was disconnected from its command'));
  }

  /** It is of no use any more: ends it, and has `wait` fail. @internal */
  async fail(error: Error): Promise<void> {
    this.#failed ??= error;
    await this.kill().catch(() => undefined);
  }

  #send(bytes: Uint8Array, end: boolean): Promise<unknown> {
    const all = this.#input.then(() => feed(this.#context.connection, this.pid, bytes, end));
    this.#input = all.catch(() => undefined);
    return all;
  }

  #sink(of: 'stdout' | 'stderr'): LogSink {
    const decoder = new TextDecoder();
    const onText = of === 'stdout' ? this.#watching.onStdout : this.#watching.onStderr;
    let taken = 0;
    const text = (said: string) => {
      if (!said) return;
      if (taken <= MOST_KEPT) this.#kept[of] += said;
      this.#call(onText, said);
    };
    return {
      bytes: (bytes) => {
        if (this.#isPty) return this.#call(this.#watching.onData, bytes);
        if (taken < MOST_KEPT) taken += bytes.length;
        else [taken, this.#lost] = [Infinity, this.#lost + bytes.length];
        text(decoder.decode(bytes, { stream: true }));
      },
      lost: (count, screen) => {
        this.#lost += count;
        if (this.#isPty) this.#call(this.#watching.onData, redrawn(screen));
        else text(decoder.decode());
      },
      ended: (exit) => {
        text(decoder.decode());
        if (of === 'stdout') this.#exit = exit;
        this.#open -= 1;
        if (this.#open === 0) this.#end();
      },
      failed: (error) => {
        for (const log of this.#logs) this.#context.logs.leave(log);
        this.#finish(error);
      },
    };
  }

  #end(): void {
    const result = resultOf(this.#exit ?? {}, this.#kept, this.#lost);
    this.#result = result;
    if (this.#failed) return this.#finish(this.#failed);
    if (this.#exit?.timed_out) {
      const late = new TimeoutError('timed_out', 'the command ran longer than it may, and was ended');
      late.result = result;
      return this.#finish(late);
    }
    this.#finish(result.exitCode === 0 ? result : new CommandExitError(result));
  }

  /** Calls a callback; what it throws is told by `wait`. */
  #call<T>(callback: ((value: T) => void | Promise<void>) | undefined, value: T): void {
    called(
      () => callback?.(value),
      (error) => (this.#failed ??= error instanceof Error ? error : new Error(String(error))),
    );
  }
}

/** What is known of a program that runs. @internal */
export interface StartedProcess {
  terminal: number;
  errors?: number | undefined;
  kind: Terminal['kind'];
}

/** Runs commands. */
export class Commands {
  readonly #context: Context;
  readonly #starts: Starts;

  private constructor(context: Context) {
    this.#context = context;
    this.#starts = new Starts(context);
  }

  /** @internal */
  static of(context: Context): Commands {
    return new Commands(context);
  }

  /**
   * Runs a command line in bash, without a terminal, and waits for its end. Open documents are saved before.
   *
   * @throws {@link CommandExitError} if it ends with something else than 0, {@link TimeoutError} if it takes longer than
   * `timeoutMs`, {@link LimitError} if 16 programs run already.
   */
  run(cmd: string, options?: CommandOptions & { background?: false }): Promise<CommandResult>;
  /** Starts a command line and returns at once, with a handle. */
  run(cmd: string, options: CommandOptions & { background: true }): Promise<CommandHandle>;
  run(cmd: string, options?: CommandOptions): Promise<CommandResult | CommandHandle>;
  async run(cmd: string, options: CommandOptions = {}): Promise<CommandResult | CommandHandle> {
    const handle = await this.#start(cmd, options);
    const { stdin } = options;
    if (stdin !== undefined && typeof stdin !== 'boolean') {
      feed(this.#context.connection, handle.pid, bytesOf(stdin), true).catch((error: EmbedenvError) => {
        // A command may end without reading it all. One that was given a part of it would wait for the rest.
        if (!isOver(error)) void handle.fail(error);
      });
    }
    return options.background ? handle : handle.wait();
  }

  /** What runs in the sandbox, commands and terminals, whoever started it. */
  async list(): Promise<ProcessInfo[]> {
    const running: ProcessInfo[] = [];
    await this.#context.connection.heard();
    for (const { terminal, title, kind, project, exit } of this.#context.connection.terminals.values()) {
      if (kind !== 'errors' && !exit) running.push({ pid: terminal, cmd: title, kind, project });
    }
    return running;
  }

  /**
   * Comes back to a command by its number: its output from the beginning, or from what of it the server still has (2 MiB).
   *
   * @throws {@link NotFoundError} if there is no such command.
   */
  async connect(pid: number, options: Pick<CommandOptions, 'onStdout' | 'onStderr'> = {}): Promise<CommandHandle> {
    return connected(this.#context, pid, options);
  }

  /** Ends a command at once, with SIGKILL; `false` if there is none of that number, or it had ended before. */
  async kill(pid: number): Promise<boolean> {
    return killed(this.#context, pid);
  }

  /** Writes to the input of a command by its number; see {@link CommandHandle.sendStdin}. */
  async sendStdin(pid: number, data: string | Uint8Array): Promise<void> {
    await feed(this.#context.connection, pid, bytesOf(data), false);
  }

  /** Has the input of a command end. */
  async closeStdin(pid: number): Promise<void> {
    await feed(this.#context.connection, pid, new Uint8Array(), true);
  }

  async #start(cmd: string, options: CommandOptions): Promise<CommandHandle> {
    const { connection, envs, project } = this.#context;
    const place = placeOf(options.cwd ?? '', project);
    const timeout = milliseconds('timeoutMs', options.timeoutMs ?? (options.background ? 0 : COMMAND_TIMEOUT));
    if (!cmd.trim()) throw new InvalidArgumentError('bad_request', 'the command is empty');
    let handle: CommandHandle | undefined;
    const take = ({ process, errors, isRecovered }: Frame) => {
      this.#starts.add(Number(process));
      const started: StartedProcess = { terminal: Number(process), errors: Number(errors), kind: 'process' };
      handle = CommandHandle.follow(this.#context, started, options, isRecovered !== true);
    };
    const frame: Frame = { type: 'process-start', project: place.project, command: cmd };
    const environment = { ...envs, ...options.envs };
    if (place.path) frame.folder = place.path;
    if (Object.keys(environment).length > 0) frame.environment = environment;
    if (timeout > 0) frame.timeout = timeout;
    if (options.stdin !== undefined && options.stdin !== false) frame.stdin = true;
    const seek = this.#starts.seeker('process', place.project, cmd);
    const recover = async (): Promise<Frame | undefined> => {
      const found = await seek();
      return found && { type: 'process-started', process: found.terminal, errors: found.errors, isRecovered: true };
    };
    await connection.order(frame, { take, recover });
    if (!handle) throw failure('internal', 'the server gave no number to the command');
    void this.#closed(handle);
    return handle;
  }

  /** Who started it and has read it to its end has the server forget it. */
  async #closed(handle: CommandHandle): Promise<void> {
    await handle.wait().catch(() => undefined);
    if (handle.exitCode === undefined) return;
    await this.#context.connection.order({ type: 'terminal-close', terminal: handle.pid }).catch(() => undefined);
  }
}

/**
 * What this client has started and knows of, of one kind: so that, when the answer to a start was lost with the connection, what
 * was started is found among all that runs. @internal
 */
export class Starts {
  readonly #context: Context;
  readonly #known = new Set<number>();
  #last = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Something was started. */
  add(number: number): void {
    this.#last = Math.max(this.#last, number);
    if (this.#known.size > MOST_KNOWN) {
      for (const known of this.#known) if (!this.#context.connection.terminals.has(known)) this.#known.delete(known);
    }
    this.#known.add(number);
  }

  /**
   * Finds, once it is asked, what was started after now and is not known: the first, since numbers are given in the order of
   * what was asked for.
   */
  seeker(kind: Terminal['kind'], project: string, cmd?: string): () => Promise<Terminal | undefined> {
    const before = this.#last;
    const { connection } = this.#context;
    const fits = (it: Terminal) =>
      it.kind === kind &&
      it.terminal > before &&
      it.opener === connection.joined.member &&
      it.project === project &&
      (cmd === undefined || cmd.startsWith(it.title)) &&
      !this.#known.has(it.terminal);
    return () =>
      connection.found(() => {
        const [first] = [...connection.terminals.values()].filter(fits).sort((one, other) => one.terminal - other.terminal);
        if (first) this.add(first.terminal);
        return first;
      });
  }
}

/** A handle of something that runs already. @internal */
export async function connected(context: Context, pid: number, watching: Watching): Promise<CommandHandle> {
  const process = await context.connection.terminal(pid);
  if (!process || process.kind === 'errors') throw failure('not_found', `there is no command ${pid}`);
  if (context.logs.has(pid)) throw failure('conflict', `this client follows command ${pid} already; disconnect that handle first`);
  return CommandHandle.follow(context, process, watching, false);
}

/** Ends a program; `false` if it had ended before. @internal */
export async function killed({ connection }: Context, pid: number): Promise<boolean> {
  const process = await connection.terminal(pid);
  if (!process || process.exit) return false;
  const isPiped = process.kind === 'process';
  const frame: Frame = isPiped ? { type: 'terminal-signal', terminal: pid, signal: 'kill' } : { type: 'terminal-close', terminal: pid };
  try {
    await connection.order(frame);
    return true;
  } catch (error) {
    if (isOver(error)) return false;
    throw error;
  }
}

/** Whether something failed because the program has ended, or reads no more. */
function isOver(error: unknown): boolean {
  return error instanceof EmbedenvError && (error.code === 'not_found' || error.code === 'conflict');
}

/** Writes to the input of a process, one piece after the other. */
async function feed(connection: Connection, process: number, bytes: Uint8Array, end: boolean): Promise<void> {
  let at = 0;
  do {
    const piece = bytes.subarray(at, at + MOST_INPUT);
    at += piece.length;
    const frame: Frame = { type: 'process-input', process, data: toBase64(piece), encoding: 'base64' };
    if (end && at >= bytes.length) frame.end = true;
    await taken(connection, frame);
  } while (at < bytes.length);
}

/** Until a program has taken a piece of input, which it reads when it likes. */
async function taken(connection: Connection, frame: Frame): Promise<void> {
  for (let wait = SHORTEST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      await connection.order(frame, { timeoutMs: 0 });
      return;
    } catch (error) {
      // The piece before, whose answer was lost with a connection, is not taken yet.
      if (!(error instanceof EmbedenvError) || error.code !== 'limit_reached') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** @internal */
export function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}

/** What draws a screen anew on a terminal: a reset, and the screen. */
function redrawn(screen: Uint8Array): Uint8Array {
  return Uint8Array.of(0x1b, 0x63, ...screen);
}

function resultOf(exit: Exit, kept: { stdout: string; stderr: string }, lostBytes: number): CommandResult {
  const exitCode = exit.code ?? 128 + (exit.signal ?? 0);
  const result: CommandResult = { exitCode, ...kept, lostBytes };
  if (exit.signal !== undefined) result.signal = exit.signal;
  if (exit.signal !== undefined) result.error = `the command was ended by signal ${exit.signal}`;
  else if (exitCode !== 0) result.error = `the command ended with ${exitCode}`;
  if (exit.elapsed !== undefined) result.elapsedMs = exit.elapsed;
  if (exit.memory !== undefined) result.memoryBytes = exit.memory;
  if (exit.cpu !== undefined) result.cpuMs = exit.cpu;
  return result;
}
