// Which colour each part of a program has. The colours themselves are custom properties of the page, so that dark and
// light follow it; everything else of the editor's look stands in the page's style sheets.

import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { tags } from '@lezer/highlight';

const property = (name: string) => `var(--syntax-${name})`;

export const style = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.self, tags.operatorKeyword], color: property('keyword') },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character, tags.escape], color: property('string') },
  { tag: tags.number, color: property('number') },
  { tag: tags.comment, color: property('comment'), fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.macroName], color: property('function') },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.labelName], color: property('function') },
  { tag: [tags.typeName, tags.className, tags.namespace], color: property('type') },
  { tag: [tags.variableName, tags.definition(tags.variableName)], color: property('variable') },
  { tag: [tags.bool, tags.null, tags.atom, tags.unit, tags.color], color: property('constant') },
  { tag: [tags.constant(tags.variableName), tags.standard(tags.variableName)], color: property('constant') },
  { tag: [tags.operator, tags.punctuation, tags.separator, tags.bracket], color: property('operator') },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: property('property') },
  { tag: [tags.tagName, tags.angleBracket], color: property('tag') },
  { tag: [tags.attributeName, tags.annotation, tags.meta, tags.processingInstruction], color: property('attribute') },
  { tag: tags.attributeValue, color: property('string') },
  { tag: tags.heading, color: property('heading'), fontWeight: '600' },
  { tag: [tags.link, tags.url], color: property('link') },
  { tag: tags.url, textDecoration: 'underline' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strong, fontWeight: '600' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: tags.monospace, color: property('string') },
  { tag: tags.quote, color: property('comment') },
  { tag: tags.inserted, color: 'var(--ok)' },
  { tag: [tags.deleted, tags.invalid], color: 'var(--danger)' },
]);

export function highlighting(): Extension {
  return syntaxHighlighting(style);
}
