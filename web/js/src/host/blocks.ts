// A page whose blocks of code can be edited and run: each `data-embed` becomes a frame, and all of them share one room, which
// is joined by the first that somebody runs. Where a frame can't be had, the block stays as it was.

import type { EmbedOptions, Files, Project, VM } from '../embed';

/** What a block's frame is told besides a project. */
export interface Block extends Project {
  /** Files of other blocks, written where there are none of their names. */
  seeds: Files;
  block: true;
}

type Embed = (element: Element, block: Block, options: EmbedOptions) => Promise<VM>;

/** Endings of files by what languages are called in classes. */
const ENDINGS: Record<string, string> = {
  python: 'py', javascript: 'js', typescript: 'ts', bash: 'sh', shell: 'sh', console: 'sh', rust: 'rs', ruby: 'rb', perl: 'pl',
  'c++': 'cpp', default: 'py', markdown: 'md', text: 'txt',
};
/** Heights in CSS pixels: of a line, of what is around the lines, of what a program prints; and the most of a block. */
const LINE = 20.15;
const AROUND = 58;
const OUTPUT = 200;
const MOST = 560;

export function embedBlocks(embed: Embed, root: ParentNode, options: EmbedOptions): Promise<VM>[] {
  const blocks = [...root.querySelectorAll<HTMLElement>('[data-embed]')].flatMap((marked) => {
    const own = marked.closest('pre');
    const all = own ? [own] : [...marked.querySelectorAll('pre')];
    return all.map((pre) => ({ pre, data: marked.dataset, text: textOf(pre), file: '' }));
  });
  const named: Files = {};
  for (const [index, block] of blocks.entries()) {
    const { pre, data, text } = block;
    const classes = [data['language'], pre.querySelector('code')?.className, pre.className];
    const around = pre.closest('[class*="language-"], [class*="highlight-"]')?.className;
    const language = `${[...classes, around].join(' ')}`.match(/(?:language|highlight)-(?!source)([\w+#-]+)/)?.[1] ?? data['language'] ?? 'text';
    block.file = data['file'] ?? `block-${index + 1}.${Object.hasOwn(ENDINGS, language) ? ENDINGS[language] : language}`;
    named[block.file] = text;
  }
  return blocks.flatMap(({ pre, data, text, file }) => {
    if ('hidden' in data) {
      pre.hidden = true;
      pre.style.display = 'none';
      return [];
    }
    const place = document.createElement('div');
    place.className = 'embedenv-block';
    place.style.margin = '1em 0';
    pre.after(place);
    const { display } = pre.style;
    pre.style.display = 'none';
    const { [file]: _, ...seeds } = named;
    const run = data['run'] || undefined;
    const height = Math.min(text.split('\n').length * LINE + AROUND, MOST);
    const own = { file, height, view: 'editor', hideExplorer: true, loading: 'click', title: file, ...(run ? { run } : {}) } as const;
    const vm = embed(place, { files: { [file]: text }, seeds, block: true }, { ...options, ...own });
    vm.then(
      ({ frame }) => {
        frame.style.height = `${height + OUTPUT}px`;
      },
      () => {
        place.remove();
        pre.style.display = display;
      },
    );
    return [vm];
  });
}

function textOf(pre: HTMLElement): string {
  // Some pages have a break instead of the end of a line, which only what is drawn knows.
  const text = (pre.querySelector('br') ? pre.innerText : pre.textContent) ?? '';
  return `${text.replaceAll('\u00a0', ' ').replace(/\n+$/, '')}\n`;
}
