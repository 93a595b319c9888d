// Code of the guides in its colours, as HTML. The parsers are the editor's own; the colours are the theme's, by classes
// `tok-…`. Owns no text of its own.

import { cpp } from '@codemirror/lang-cpp';
import { css } from '@codemirror/lang-css';
import { go } from '@codemirror/lang-go';
import { html } from '@codemirror/lang-html';
import { java } from '@codemirror/lang-java';
import { javascript } from '@codemirror/lang-javascript';
import { json } from '@codemirror/lang-json';
import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { rust } from '@codemirror/lang-rust';
import { StreamLanguage } from '@codemirror/language';
import { properties } from '@codemirror/legacy-modes/mode/properties';
import { shell } from '@codemirror/legacy-modes/mode/shell';
import { toml } from '@codemirror/legacy-modes/mode/toml';
import { yaml } from '@codemirror/legacy-modes/mode/yaml';
import { highlightCode, tagHighlighter, tags } from '@lezer/highlight';

const of = ({ language }) => language.parser;
const stream = (mode) => StreamLanguage.define(mode).parser;
const sh = stream(shell);
const script = of(javascript({ jsx: true, typescript: true }));

/** What fences call a language, and what reads it. */
const parsers = {
  c: of(cpp()),
  css: of(css()),
  go: of(go()),
  html: of(html()),
  ini: stream(properties),
  java: of(java()),
  js: script,
  jsx: script,
  json: of(json()),
  markdown: of(markdown()),
  python: of(python()),
  rust: of(rust()),
  sh,
  console: sh,
  toml: stream(toml),
  ts: script,
  yaml: stream(yaml),
};

/** Fences of these are left as they are. */
const plain = new Set(['', 'text']);

const classes = tagHighlighter([
  { tag: [tags.keyword, tags.modifier, tags.self, tags.operatorKeyword], class: 'tok-keyword' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character, tags.escape, tags.attributeValue], class: 'tok-string' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], class: 'tok-number' },
  { tag: [tags.comment, tags.quote], class: 'tok-comment' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.standard(tags.variableName)], class: 'tok-function' },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName, tags.angleBracket], class: 'tok-type' },
  { tag: [tags.propertyName, tags.attributeName, tags.heading], class: 'tok-property' },
]);

export function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A text in its colours. A language that is not known is an error of whoever wrote the fence. */
export function highlighted(text, language) {
  if (plain.has(language)) return escaped(text);
  const parser = Object.hasOwn(parsers, language) ? parsers[language] : null;
  if (!parser) throw new Error(`no language is called ${JSON.stringify(language)}; highlight.mjs has those there are`);
  let out = '';
  const put = (part, tokens) => {
    out += tokens ? `<span class="${tokens}">${escaped(part)}</span>` : escaped(part);
  };
  highlightCode(text, parser.parse(text), classes, put, () => {
    out += '\n';
  });
  return out;
}
