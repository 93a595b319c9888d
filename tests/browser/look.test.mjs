// The theme's colours, as the browser computes them: text can be read on every ground it stands on, in both themes.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const grounds = ['bg', 'bg-side', 'bg-raised', 'bg-hover', 'bg-active'];
const syntax = ['keyword', 'string', 'number', 'comment', 'function', 'type', 'variable', 'constant', 'operator', 'property', 'tag', 'attribute', 'heading', 'link'];

/** What stands on what, and the least contrast (WCAG 2.2: 1.4.3 for text, 1.4.11 for the rest). */
const pairs = [
  ...grounds.flatMap((ground) => [['fg', ground, 4.5], ['fg-dim', ground, 4.5], ['focus', ground, 3]]),
  ...['bg', 'bg-side', 'bg-raised'].flatMap((ground) => [
    ['border-strong', ground, 3],
    ...['accent', 'danger', 'ok', 'warn'].map((text) => [text, ground, 4.5]),
  ]),
  ['accent-fg', 'accent', 4.5],
  ['accent-fg', 'accent-hover', 4.5],
  ['danger-fg', 'danger', 4.5],
  ['fg', 'selection', 4.5],
  ['terminal-fg', 'terminal-bg', 4.5],
  ['terminal-fg', 'terminal-selection', 4.5],
  ...syntax.map((kind) => [`syntax-${kind}`, 'bg', 4.5]),
  // Black is a ground more often than a text.
  ...Array.from({ length: 16 }, (_, number) => [`ansi-${number}`, 'terminal-bg', number === 0 ? 3 : 4.5]),
];

for (const colorScheme of ['dark', 'light']) {
  scenario(`every colour of the ${colorScheme} theme can be read where it stands`, async (stage) => {
    const ide = await stage.person({ colorScheme });
    await ide.ready();
    const poor = await ide.page.evaluate(tooPoor, pairs);
    assert.deepEqual(poor, []);
  });
}

/** Runs in the page: the pairs with less contrast than they need. */
function tooPoor(pairs) {
  const probe = document.body.appendChild(document.createElement('i'));
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const luminance = (name) => {
    probe.style.setProperty('color', `var(--${name})`);
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const poor = [];
  for (const [front, back, least] of pairs) {
    if (!getComputedStyle(document.documentElement).getPropertyValue(`--${front}`)) poor.push(`there is no --${front}`);
    const [dark, light] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < least) poor.push(`${front} on ${back}: ${contrast.toFixed(2)}, not ${least}`);
  }
  probe.remove();
  return poor;
}
