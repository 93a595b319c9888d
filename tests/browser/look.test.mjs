// The themes' colours, as the browser computes them: text can be read on every ground it stands on, in each of them.

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

/** With high contrast it is 7 for text (1.4.6), and borders can be read like text elsewhere. */
const strong = [
  ...pairs.map(([front, back, least]) => [front, back, least === 4.5 ? 7 : Math.max(least, front === 'border-strong' ? 4.5 : 3)]),
  ...['bg', 'bg-side', 'bg-raised'].map((ground) => ['border', ground, 4.5]),
];

const code = '# A comment\nimport math\n\n\nclass Circle:\n    def __init__(self, radius: float):\n        self.radius = radius\n\n    def area(self):\n        return math.pi * self.radius ** 2\n\n\nprint(f"area: {Circle(3).area():.2f}", None, True)\n';

scenario('every colour of every theme can be read where it stands', async (stage) => {
  const ide = await stage.person({ colorScheme: 'dark', viewport: { width: 1440, height: 900 } });
  await ide.ready();
  await ide.write({ 'circle.py': code });
  await ide.run("for n in 0 1 2 3 4 5 6 7; do printf '\\e[3%dmcolour %d \\e[9%dmbright\\e[0m\\n' $n $n $n; done");
  await ide.entry('circle.py').dblclick();
  await ide.editorSays('circle.py', code);
  for (const theme of ['Dark', 'Light', 'High contrast dark', 'High contrast light', 'Harbour', 'Paper']) {
    await ide.page.keyboard.press('Control+,');
    await ide.dialog('Settings').getByRole('combobox', { name: 'Theme' }).selectOption(theme);
    await ide.page.keyboard.press('Escape');
    const poor = await ide.page.evaluate(tooPoor, theme.startsWith('High') ? strong : pairs);
    assert.deepEqual(poor, [], theme);
    await ide.page.screenshot({ path: `target/browser/theme-${theme.toLowerCase().replaceAll(' ', '-')}.png` });
  }
});

scenario('the theme follows the system, in its darkness and in its contrast', async (stage) => {
  const ide = await stage.person({ colorScheme: 'dark' });
  await ide.ready();
  const shows = (theme) => ide.page.waitForFunction((theme) => document.documentElement.dataset.theme === theme, theme);
  await shows('dark');
  await ide.page.emulateMedia({ colorScheme: 'light' });
  await shows('light');
  await ide.page.emulateMedia({ contrast: 'more' });
  await shows('contrast-light');
  await ide.page.emulateMedia({ colorScheme: 'dark' });
  await shows('contrast-dark');
});

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
