// What this package is, seen from outside.

export { type CommandOptions, CommandHandle, Commands, type ProcessInfo } from './commands.js';
export {
  type DocumentChange,
  type DocumentOptions,
  Documents,
  TextDocument,
  type TextEdit,
  type YDoc,
  type Yjs,
  type YText,
} from './documents.js';
export {
  AlreadyExistsError,
  AuthenticationError,
  CommandExitError,
  type CommandResult,
  ConflictError,
  ConnectionLostError,
  EmbedenvError,
  FileKindError,
  ForbiddenError,
  InvalidArgumentError,
  LimitError,
  NotFoundError,
  QuotaExceededError,
  RateLimitError,
  RoomEndedError,
  TimeoutError,
  UnavailableError,
  UncertainError,
} from './errors.js';
export { type EntryInfo, type FileContent, Files, type FileType, type WriteEntry, type WriteInfo } from './files.js';
export type { Role } from './frames.js';
export { Pty, type PtyOptions } from './pty.js';
export {
  type CreateOptions,
  type JoinKey,
  type JoinKeyOptions,
  type JoinOptions,
  type ListOptions,
  type OpenedRoom,
  type OpenOptions,
  Sandbox,
  type SandboxInfo,
  type SandboxOptions,
  SandboxPaginator,
} from './sandbox.js';
export type { ConnectionOptions } from './settings.js';
export { type FilesystemEvent, WatchHandle, type WatchOptions } from './watch.js';

declare const VERSION_OF_PACKAGE: string;

/** This package's version, which is the server's that it was made with. */
export const VERSION: string = VERSION_OF_PACKAGE;
