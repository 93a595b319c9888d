// Which language a file is written in, by its name, and how to get what the editor knows of that language. Each is loaded
// when a file first needs it: nothing here may be imported but by `import()`.

import type { StreamParser } from '@codemirror/language';
import { indentUnit, StreamLanguage } from '@codemirror/language';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';

type Load = () => Promise<Extension>;

const FOUR = '    ';
const TWO = '  ';
const TAB = '\t';

const indented = (unit: string): Extension => [indentUnit.of(unit), EditorState.tabSize.of(unit === TWO ? 2 : 4)];
const stream = <State>(parser: StreamParser<State>, unit: string): Extension => [
  StreamLanguage.define(parser),
  indented(unit),
];

const script = (options: { jsx?: boolean; typescript?: boolean }): Load => async () => {
  const { javascript } = await import('@codemirror/lang-javascript');
  return [javascript(options), indented(TWO)];
};
const python: Load = async () => [(await import('@codemirror/lang-python')).python(), indented(FOUR)];
const rust: Load = async () => [(await import('@codemirror/lang-rust')).rust(), indented(FOUR)];
const cpp: Load = async () => [(await import('@codemirror/lang-cpp')).cpp(), indented(FOUR)];
const go: Load = async () => [(await import('@codemirror/lang-go')).go(), indented(TAB)];
const java: Load = async () => [(await import('@codemirror/lang-java')).java(), indented(FOUR)];
const html: Load = async () => [(await import('@codemirror/lang-html')).html(), indented(TWO)];
const css: Load = async () => [(await import('@codemirror/lang-css')).css(), indented(TWO)];
const json: Load = async () => [(await import('@codemirror/lang-json')).json(), indented(TWO)];
const markdown: Load = async () => {
  const { markdown, markdownLanguage } = await import('@codemirror/lang-markdown');
  return [markdown({ base: markdownLanguage }), indented(TWO), EditorView.lineWrapping];
};
const shell: Load = async () => stream((await import('@codemirror/legacy-modes/mode/shell')).shell, TWO);
const yaml: Load = async () => stream((await import('@codemirror/legacy-modes/mode/yaml')).yaml, TWO);
const toml: Load = async () => stream((await import('@codemirror/legacy-modes/mode/toml')).toml, FOUR);
const docker: Load = async () => stream((await import('@codemirror/legacy-modes/mode/dockerfile')).dockerFile, FOUR);

const byExtension: Record<string, Load> = {
  py: python, pyi: python, pyw: python,
  js: script({ jsx: true }), mjs: script({}), cjs: script({}), jsx: script({ jsx: true }),
  ts: script({ typescript: true }), mts: script({ typescript: true }), cts: script({ typescript: true }),
  tsx: script({ jsx: true, typescript: true }),
  rs: rust,
  c: cpp, h: cpp, cc: cpp, cpp: cpp, cxx: cpp, hh: cpp, hpp: cpp, hxx: cpp, ino: cpp,
  go,
  java,
  html, htm: html, xhtml: html, svg: html, xml: html, vue: html,
  css,
  json, jsonc: json, webmanifest: json, ipynb: json, map: json,
  md: markdown, markdown,
  sh: shell, bash: shell, zsh: shell, ksh: shell,
  yaml, yml: yaml,
  toml,
};

const byName: Record<string, Load> = {
  '.bashrc': shell, '.bash_profile': shell, '.bash_aliases': shell, '.profile': shell, '.zshrc': shell, '.env': shell,
  '.prettierrc': json, '.babelrc': json,
  'cargo.lock': toml, 'poetry.lock': toml, 'uv.lock': toml,
  dockerfile: docker, containerfile: docker,
};

/** Of a file that is written in nothing that is known here. */
export const PLAIN: Extension = [];

/** What is here, by what loaded it. */
const loaded = new Map<Load, Extension>();

/** The language of the file at `path`, if it is here; plain text if not. */
export function loadedLanguage(path: string): Extension {
  const load = languageOf(path);
  return (load && loaded.get(load)) ?? PLAIN;
}

/** The language of the file at `path`, once it is here. */
export async function loadLanguage(path: string): Promise<Extension> {
  const load = languageOf(path);
  if (!load) return PLAIN;
  const language = loaded.get(load) ?? (await load());
  // Who asked at the same time gets the same.
  if (!loaded.has(load)) loaded.set(load, language);
  return loaded.get(load) ?? language;
}

/** What loads the language of the file at `path`; `null` for plain text. */
export function languageOf(path: string): Load | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const extension = name.slice(name.lastIndexOf('.') + 1);
  const load = own(byName, name) ?? (name.includes('.') ? own(byExtension, extension) : undefined);
  return load ?? null;
}

function own<Value>(record: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
