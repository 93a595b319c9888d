// The reference in `docs/javascript.md`, made from the types in `dist/` and what is said beside them. `node reference.mjs` writes
// it anew, and a test notices when that was not done. Owns what stands between its two marks in that page, and nothing else.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../../docs/javascript.md', import.meta.url));
const BEGIN = '<!-- reference: made by clients/js/reference.mjs -->\n';
const END = '<!-- end of the reference -->\n';
/** In this order, with the files that they are in. */
const SECTIONS = [
  ['sandbox', ['Sandbox', 'SandboxPaginator']],
  ['files', ['Files']],
  ['watch', ['WatchHandle']],
  ['commands', ['Commands', 'CommandHandle']],
  ['pty', ['Pty']],
  ['documents', ['Documents', 'TextDocument']],
];

/** What stands in a comment, as a paragraph of Markdown, and what is thrown. */
function said(comment) {
  const text = comment.replace(/^\s*\*? ?/gm, '').replaceAll(/\{@link (\S+?)\}/g, '`$1`').replace(/```ts[\s\S]*?```/g, '');
  const [about, ...tags] = text.split(/^@/m).map((part) => part.replaceAll(/\s+/g, ' ').trim());
  const returns = tags.filter((tag) => tag.startsWith('returns ')).map((tag) => `Returns ${tag.slice(8)}`);
  const throws = tags.filter((tag) => tag.startsWith('throws ')).map((tag) => tag.slice(7));
  return { about: [about, ...returns].join(' ').trim(), throws };
}

/** Every declaration of a file with its comment: what is exported, and within braces its members. */
function* declarations(text) {
  const comment = /(?:\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\s*)?/;
  const code = /^(?<indent> *)(?<code>(?!\s|[}*]|\/\*|import|#private|private).*?[;{])$/;
  // A type that is written out in place comes on one line, the innermost first.
  const inPlace = (type) => type.replace(/;?\s*\}$/, ' }').replaceAll(/\s+/g, ' ');
  const flat = text.replaceAll(/(?<=[:&] )\{\n[^{}]*\}/g, inPlace).replaceAll(/(?<=[:&] )\{\n[^{}]*\{.*\}[^{}]*\}/g, inPlace);
  for (const { groups } of flat.matchAll(new RegExp(comment.source + code.source, 'gm'))) {
    const { comment = '', indent, code } = groups;
    yield { ...said(comment), depth: indent.length / 4, code: code.replace(/ ?[;{]$/, '') };
  }
}

/** The names that the package exports: kinds of things by their names. */
function exported(types) {
  const all = new Map();
  for (const name of new Set([...types('index').matchAll(/from '\.\/(\w+)\.js'/g)].map(([, file]) => file))) {
    let current = null;
    for (const declaration of declarations(types(name))) {
      const [, kind, called] = /^export (?:declare )?(class|interface|type) (\w+)/.exec(declaration.code) ?? [];
      if (declaration.depth === 0) current = kind ? { ...declaration, kind, file: name, members: [] } : null;
      if (declaration.depth === 0 && kind) all.set(called, current);
      else if (declaration.depth === 1) current?.members.push(declaration);
    }
  }
  const lists = [...types('index').matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names]) => names.split(','));
  const listed = new Set(lists.map((name) => name.replace('type ', '').trim()));
  return new Map([...all].filter(([name]) => listed.has(name)));
}

function memberLines({ members }) {
  return members.flatMap(({ code, about, throws }) => {
    const plain = code.replace(/^readonly |^get /, '').replace(/^(\w+)\(\): (?!Promise|void|\(|Sandbox)/, '$1: ');
    return [`- **\`${plain}\`** ${about}`.trim(), ...throws.map((what) => `    - throws ${what}`)];
  });
}

export function reference() {
  const types = (name) => readFileSync(new URL(`dist/${name}.d.ts`, import.meta.url), 'utf8');
  const all = exported(types);
  const lines = [];
  const done = new Set(SECTIONS.flatMap(([, names]) => names));
  for (const name of done) lines.push(`### ${name}`, '', all.get(name).about, '', ...memberLines(all.get(name)), '');
  const values = [...all].filter(([name, { kind, file }]) => !done.has(name) && kind !== 'class' && file !== 'errors');
  lines.push('### Options and values', '');
  for (const [name, declaration] of [...values, ['CommandResult', all.get('CommandResult')]]) {
    const { about, code, members } = declaration;
    const more = / extends (.*)$/.exec(code)?.[1];
    lines.push(`- **\`${name}\`** ${about}${more ? ` It has what is in \`${more}\`, too.` : ''}`);
    if (code.includes('=')) lines[lines.length - 1] += ` \`${code.replace(/^.*? = /, '')}\``;
    lines.push(...members.map((member) => `    - \`${member.code.replace(/^readonly /, '')}\` ${member.about}`.trimEnd()));
  }
  lines.push('', '### Errors', '');
  for (const [name, { kind, file, about, members }] of all) {
    if (kind !== 'class' || file !== 'errors') continue;
    lines.push(`- **\`${name}\`** ${about}`);
    const own = members.filter((member) => member.about && !member.code.startsWith('constructor'));
    lines.push(...own.map((member) => `    - \`${member.code.replace(/^readonly /, '')}\` ${member.about}`));
  }
  return `${lines.join('\n')}\n`;
}

/** The page with the reference as it is to be, and as it is. */
export function pages() {
  const is = readFileSync(page, 'utf8');
  const [from, to] = [is.indexOf(BEGIN), is.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${page} lacks the marks of its reference`);
  return { is, shouldBe: `${is.slice(0, from + BEGIN.length)}\n${reference()}\n${is.slice(to)}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, pages().shouldBe);
