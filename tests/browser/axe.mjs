// What axe-core finds on a page, by the rules of WCAG 2.2 AA. Owns which rules these are and nothing of the page.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe finds on the page as it is shown now, each said to be `where`. */
export async function findings(page, where) {
  // By the browser's own protocol, since the page's policy lets no script in.
  await page.evaluate(axe);
  const found = await page.evaluate(async (tags) => {
    // Drawn by the terminal for its own measuring, and never shown.
    const context = { exclude: [['.xterm-helpers']] };
    const { violations } = await globalThis.axe.run(context, { runOnly: tags, resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary}`),
    }));
  }, tags);
  return found.map(({ id, nodes }) => `${where}: ${id}\n    ${nodes.slice(0, 4).join('\n    ')}`);
}
