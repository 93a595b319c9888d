// The terminal's colours, read from the custom properties of the page. Any notation that CSS knows comes out as the one
// that the terminal's renderers know.

import type { ITheme } from '@xterm/xterm';

const ANSI = [
  'black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white',
  'brightBlack', 'brightRed', 'brightGreen', 'brightYellow', 'brightBlue', 'brightMagenta', 'brightCyan', 'brightWhite',
] as const satisfies readonly (keyof ITheme)[];

/** The colours as they are at `element` now. A property that the page lacks leaves the terminal's own. */
export function coloursAt(element: Element): ITheme {
  const computed = getComputedStyle(element);
  const theme: ITheme = {};
  const put = (name: (typeof ANSI)[number] | 'background' | 'foreground' | 'cursor' | 'cursorAccent' | 'selectionBackground', property: string) => {
    const colour = hexadecimal(computed.getPropertyValue(property));
    if (colour) theme[name] = colour;
  };
  put('background', '--terminal-bg');
  put('foreground', '--terminal-fg');
  put('cursor', '--terminal-cursor');
  put('cursorAccent', '--terminal-bg');
  put('selectionBackground', '--terminal-selection');
  ANSI.forEach((name, index) => put(name, `--ansi-${index}`));
  return theme;
}

/** A colour of the page as `#rrggbb`; `null` for a property that the page lacks. */
export function colourOf(element: Element, property: string): string | null {
  return hexadecimal(getComputedStyle(element).getPropertyValue(property))?.slice(0, 7) ?? null;
}

let canvas: CanvasRenderingContext2D | null = null;

function hexadecimal(colour: string): string | null {
  if (!colour.trim()) return null;
  canvas ??= document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (!canvas) return null;
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const channels = canvas.getImageData(0, 0, 1, 1).data;
  return `#${Array.from(channels, (channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
