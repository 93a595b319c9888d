// Where something is: a project of the sandbox and a path in it. Owns how paths are read and said; touches no file.

import { failure } from './errors.js';

/** Where projects are. */
const HOME = '/home/user';

/** @internal */
export interface Place {
  project: string;
  /** From the project's folder on; empty for that folder itself. */
  path: string;
}

/**
 * Reads a path: relative ones are of the `project`, `/home/user/P/rest` is `rest` in the project P.
 * @internal
 */
export function placeOf(path: string, project: string): Place {
  if (typeof path !== 'string') throw bad(path, 'a path is a text');
  if (path.includes('\0')) throw bad(path, 'a path has no NUL in it');
  const isAbsolute = path.startsWith('/');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw bad(path, 'a path has no `..` in it');
  if (!isAbsolute) return { project, path: parts.join('/') };
  const [home, user, name, ...rest] = parts;
  if (`/${home}/${user}` !== HOME || name === undefined) {
    throw bad(path, `files are in projects: say \`${HOME}/PROJECT/…\`, or a path in the project \`${project}\``);
  }
  return { project: name, path: rest.join('/') };
}

/** The same, of something within a project. @internal */
export function entryOf(path: string, project: string): Place {
  const place = placeOf(path, project);
  if (!place.path) throw bad(path, "this is a project's own folder, and what is in it is meant");
  return place;
}

/** As programs in the sandbox call it. @internal */
export function absolute({ project, path }: Place): string {
  return path ? `${HOME}/${project}/${path}` : `${HOME}/${project}`;
}

/** The folder that something is in, and its name there. @internal */
export function split({ project, path }: Place): { folder: Place; name: string } {
  const at = path.lastIndexOf('/');
  return { folder: { project, path: path.slice(0, Math.max(at, 0)) }, name: path.slice(at + 1) };
}

/** Something in a folder. @internal */
export function within({ project, path }: Place, name: string): Place {
  return { project, path: path ? `${path}/${name}` : name };
}

function bad(path: string, why: string): Error {
  return failure('bad_path', `${JSON.stringify(path)}: ${why}`);
}
