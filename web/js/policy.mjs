// Makes xterm.js obey the page's policy, which knows no style but with a nonce: its style elements come from
// `src/terminal/style.ts`, and what it wrote into style attributes it sets by script. Changes what is bundled, never the
// package; a version in which these places look otherwise ends the build.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

const changes = [
  { from: /\b[\w.]+\.createElement\("style"\)/g, to: () => 'styleElement()', times: 3 },
  {
    from: /(\w+)\.setAttribute\("style",`\$\{\1\.getAttribute\("style"\)\|\|""\}\$\{(\w+)\};`\)/g,
    to: (_, element, style) => `${element}.style.cssText+=${style}+";"`,
    times: 1,
  },
];

/** The bundler's part of it; `source` is the folder of the page's own modules. */
export function policy(source) {
  return {
    name: 'policy',
    setup(build) {
      build.onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.mjs$/ }, async ({ path: file }) => {
        let contents = await readFile(file, 'utf8');
        for (const { from, to, times } of changes) {
          const found = contents.match(from)?.length ?? 0;
          if (found !== times) throw new Error(`${file}: ${from} stands there ${found} times, not ${times}`);
          contents = contents.replace(from, to);
        }
        if (/createElement\(["']style|setAttribute\(["']style/.test(contents)) {
          throw new Error(`${file}: writes styles in a way that the page's policy forbids`);
        }
        const module = JSON.stringify(path.join(source, 'terminal/style.ts'));
        return { contents: `import{styleElement}from${module};${contents}`, loader: 'js' };
      });
    },
  };
}
