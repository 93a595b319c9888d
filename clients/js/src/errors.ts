// What goes wrong, as classes to catch and codes to match. Owns which code is which class; knows no connection.

/**
 * Something was refused or failed. Every error of this package that the server, the sandbox or the connection caused is
 * one of these.
 */
export class EmbedenvError extends Error {
  /**
   * Why, for programs; it stays the same between versions. The server's codes are listed in `docs/protocol.md`. This
   * package adds `closed`, `command_failed`, `connection_lost`, `no_key_pair`, `not_supported`, `room_ended` and `uncertain`.
   */
  readonly code: string;
  /** The HTTP status, if the answer of a REST call said so. */
  readonly status: number | undefined;

  constructor(code: string, message: string, status?: number) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.status = status;
  }
}

/** What was asked for can't be: a bad path, a value out of range. */
export class InvalidArgumentError extends EmbedenvError {}

/** There is nothing by that name: no such file, command, space or sandbox. */
export class NotFoundError extends EmbedenvError {}

/** The sandbox has ended, with its files. */
export class RoomEndedError extends NotFoundError {}

/** There is something by that name already. */
export class AlreadyExistsError extends EmbedenvError {}

/** A folder where a file is meant, a file where a folder is, or something that is neither. */
export class FileKindError extends EmbedenvError {}

/** The role or the key pair does not allow it. */
export class ForbiddenError extends EmbedenvError {}

/** The key pair or the join key is missing, wrong, revoked or expired. */
export class AuthenticationError extends EmbedenvError {}

/** Credits, disk, memory or another quota is used up. */
export class QuotaExceededError extends EmbedenvError {}

/** It is larger than it may be, or there are as many as there may be; the message names the limit. */
export class LimitError extends EmbedenvError {}

/** Too many requests or failed attempts; wait a minute. */
export class RateLimitError extends EmbedenvError {}

/** Something else happened at the same time. */
export class ConflictError extends EmbedenvError {}

/** The server or the sandbox is not there now, or has failed. */
export class UnavailableError extends EmbedenvError {}

/** There is no connection to the server, and it could not be made again in time; or it was closed here (`closed`). */
export class ConnectionLostError extends UnavailableError {}

/**
 * Nobody can tell whether it was carried out, or what came of it: the server was killed over it, or its answer was lost
 * with the connection. It is not carried out a second time.
 */
export class UncertainError extends EmbedenvError {}

/** It took longer than it may. */
export class TimeoutError extends EmbedenvError {
  /** How far a command came that was ended by its timeout. */
  result: CommandResult | undefined;
}

/** How a command ended. */
export interface CommandResult {
  /** 0 if it went well; 128 and the number of the signal if one ended it. */
  exitCode: number;
  /** The signal that ended it, such as 9, if one did. */
  signal?: number;
  /** Why it failed, for people, if it did. */
  error?: string;
  /** What it printed, up to some 16 MiB of it from the beginning. */
  stdout: string;
  /** What it printed to standard error, up to some 16 MiB of it from the beginning. */
  stderr: string;
  /**
   * Bytes of its output that are in neither: beyond 16 MiB, which callbacks are given all the same; or printed while the
   * connection was broken, beyond the 2 MiB that the server keeps.
   */
  lostBytes: number;
  /** How long it ran, in milliseconds, if that is known. */
  elapsedMs?: number;
  /** The most memory that one of its processes had, in bytes, if that is known. */
  memoryBytes?: number;
  /** Processor time that it used, in milliseconds, if that is known. */
  cpuMs?: number;
}

/** Characters of a command's last words that its error's message shows. */
const SHOWN = 500;

/** A command ended with something else than 0. It holds all that a {@link CommandResult} does. */
export class CommandExitError extends EmbedenvError implements CommandResult {
  /** The whole result. */
  readonly result: CommandResult;

  constructor(result: CommandResult) {
    const last = result.stderr.trim().slice(-SHOWN);
    super('command_failed', `${result.error}${last && ':'} ${last}`.trim());
    this.result = result;
  }

  get exitCode(): number {
    return this.result.exitCode;
  }

  get error(): string {
    return this.message;
  }

  get stdout(): string {
    return this.result.stdout;
  }

  get stderr(): string {
    return this.result.stderr;
  }

  get lostBytes(): number {
    return this.result.lostBytes;
  }
}

type Kind = new (code: string, message: string, status?: number) => EmbedenvError;

/** What each class is called, whatever a minifier calls it, and which codes are its. */
const KINDS: Record<string, readonly [kind: Kind, codes: string]> = {
  InvalidArgumentError: [InvalidArgumentError, 'bad_json bad_request unknown_type bad_path'],
  NotFoundError: [NotFoundError, 'not_found unknown_space'],
  RoomEndedError: [RoomEndedError, 'room_ended'],
  AlreadyExistsError: [AlreadyExistsError, 'already_exists'],
  FileKindError: [FileKindError, 'is_a_folder not_a_folder not_regular not_text'],
  ForbiddenError: [ForbiddenError, 'forbidden forbidden_target'],
  AuthenticationError: [AuthenticationError, 'bad_credentials unknown_join_key no_key_pair'],
  QuotaExceededError: [QuotaExceededError, 'quota_exceeded no_credits'],
  LimitError: [LimitError, 'too_large limit_reached'],
  RateLimitError: [RateLimitError, 'too_many_attempts'],
  ConflictError: [ConflictError, 'conflict'],
  UnavailableError: [UnavailableError, 'unavailable sandbox_unavailable unreachable internal'],
  ConnectionLostError: [ConnectionLostError, 'connection_lost closed'],
  UncertainError: [UncertainError, 'uncertain already_done'],
  TimeoutError: [TimeoutError, 'timed_out handshake_timeout'],
};

const others = { EmbedenvError, CommandExitError };
for (const [name, kind] of [...Object.entries(KINDS).map(([name, [kind]]) => [name, kind] as const), ...Object.entries(others)]) {
  Object.defineProperty(kind, 'name', { value: name });
}

/** The error of a code. @internal */
export function failure(code: string, message: string, status?: number): EmbedenvError {
  if (status === 429) return new RateLimitError(code, message, status);
  const kind = Object.values(KINDS).find(([, codes]) => codes.split(' ').includes(code))?.[0] ?? EmbedenvError;
  return new kind(code, message, status);
}
