// What a file defines, by its syntax tree: functions, types, headings, for whoever wants to go to one. Pure, and never more
// than a few thousand of them; a language whose tree has no such nodes has none.

import { ensureSyntaxTree, type syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';

type SyntaxNode = ReturnType<typeof syntaxTree>['topNode'];

export interface Symbol {
  name: string;
  /** What it is, in a word: `function`, `class`, `heading` … */
  kind: string;
  /** Both from 1; the column in UTF-16 units. */
  line: number;
  column: number;
  /** How many others it stands in. */
  depth: number;
}

/** Symbols of one file that are told. */
const MAX_SYMBOLS = 5000;
/** How long the rest of a file may be parsed for it, in milliseconds. */
const PARSE = 200;
/** How far within its definition a name is looked for. */
const REACH = 4;

/** Nodes that define something, over all languages of the editor: what they define and how the nodes of names are called. */
const definitions: Record<string, [kind: string, names: readonly string[]]> = {
  // Python, JavaScript and TypeScript, Java, C++.
  FunctionDefinition: ['function', ['VariableName', 'Identifier', 'FieldIdentifier', 'ScopedIdentifier']],
  ClassDefinition: ['class', ['VariableName']],
  FunctionDeclaration: ['function', ['VariableDefinition']],
  ClassDeclaration: ['class', ['VariableDefinition', 'TypeDefinition', 'Definition']],
  MethodDeclaration: ['method', ['PropertyDefinition', 'PrivatePropertyDefinition', 'Definition']],
  ConstructorDeclaration: ['method', ['Definition']],
  InterfaceDeclaration: ['interface', ['TypeDefinition', 'Definition']],
  TypeAliasDeclaration: ['type', ['TypeDefinition']],
  EnumDeclaration: ['enum', ['TypeDefinition', 'Definition']],
  ClassSpecifier: ['class', ['TypeIdentifier']],
  StructSpecifier: ['struct', ['TypeIdentifier']],
  EnumSpecifier: ['enum', ['TypeIdentifier']],
  NamespaceDefinition: ['namespace', ['Identifier']],
  // Rust.
  FunctionItem: ['function', ['BoundIdentifier']],
  StructItem: ['struct', ['TypeIdentifier']],
  EnumItem: ['enum', ['TypeIdentifier']],
  UnionItem: ['union', ['TypeIdentifier']],
  TraitItem: ['trait', ['TypeIdentifier']],
  ImplItem: ['impl', ['TypeIdentifier']],
  TypeItem: ['type', ['TypeIdentifier']],
  ModItem: ['module', ['BoundIdentifier']],
  ConstItem: ['constant', ['BoundIdentifier']],
  StaticItem: ['constant', ['BoundIdentifier']],
  // Go.
  FunctionDecl: ['function', ['DefName']],
  MethodDecl: ['method', ['FieldName']],
  TypeSpec: ['type', ['DefName']],
};

/** What the file that is edited defines, in its order. */
export function symbolsOf(state: EditorState): Symbol[] {
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE);
  const symbols: Symbol[] = [];
  if (!tree) return symbols;
  let depth = 0;
  tree.iterate({
    enter: (ref) => {
      if (symbols.length >= MAX_SYMBOLS) return false;
      const found = defined(ref.name, ref.node, state);
      if (!found) return true;
      const line = state.doc.lineAt(found.from);
      symbols.push({ name: found.name, kind: found.kind, line: line.number, column: found.from - line.from + 1, depth });
      depth += 1;
      return true;
    },
    leave: (ref) => {
      if (ref.name in definitions && defined(ref.name, ref.node, state)) depth = Math.max(0, depth - 1);
      if (heading(ref.name)) depth = 0;
    },
  });
  return symbols;
}

function defined(type: string, node: SyntaxNode, state: EditorState): { name: string; kind: string; from: number } | null {
  const level = heading(type);
  if (level) {
    const text = state.sliceDoc(node.from, node.to).split('\n', 1)[0] ?? '';
    return { name: text.replace(/^#+\s*|\s*#+\s*$/g, ''), kind: 'heading', from: node.from };
  }
  const definition = Object.hasOwn(definitions, type) ? definitions[type] : undefined;
  if (!definition) return null;
  const [kind, names] = definition;
  const name = named(node, names, REACH);
  return name && { name: state.sliceDoc(name.from, name.to), kind, from: name.from };
}

/** The first node that is called so, at most so deep. */
function named(node: SyntaxNode, names: readonly string[], reach: number): SyntaxNode | null {
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (names.includes(child.name)) return child;
    // What is in a body or among parameters is something else's name.
    if (reach > 1 && /Declarator$/.test(child.name)) {
      const found = named(child, names, reach - 1);
      if (found) return found;
    }
  }
  return null;
}

/** The level of a heading of Markdown; 0 for anything else. */
function heading(type: string): number {
  return Number(/^(?:ATX|Setext)Heading(\d)$/.exec(type)?.[1] ?? 0);
}
