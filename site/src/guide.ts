// A page of the documentation: its navigation on narrow screens, buttons that copy code, the place in the outline, the search.

import { Search } from './search';

/** How long a button says that something was copied, in milliseconds. */
const COPIED = 1_500;

function menu(): void {
  const button = document.querySelector<HTMLButtonElement>('.docs-menu')!;
  const nav = document.querySelector<HTMLElement>('.docs-nav')!;
  button.addEventListener('click', () => {
    const isOpen = nav.classList.toggle('is-open');
    button.ariaExpanded = String(isOpen);
  });
}

function copying(): void {
  for (const pre of document.querySelectorAll<HTMLElement>('.prose pre')) {
    const around = document.createElement('div');
    around.className = 'code';
    pre.before(around);
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy the code');
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(pre.textContent!);
      button.textContent = 'Copied';
      setTimeout(() => (button.textContent = 'Copy'), COPIED);
    });
    around.append(pre, button);
  }
}

/** Marks in the outline what is being read. */
function following(): void {
  const links = new Map(
    [...document.querySelectorAll<HTMLAnchorElement>('.docs-outline a')].map((link) => [decodeURIComponent(link.hash.slice(1)), link]),
  );
  const headings = [...document.querySelectorAll<HTMLElement>('.prose :is(h2, h3)[id]')].filter(({ id }) => links.has(id));
  if (headings.length === 0) return;
  const mark = () => {
    const here = headings.findLast((heading) => heading.getBoundingClientRect().top < innerHeight / 4) ?? headings[0]!;
    for (const [id, link] of links) {
      if (id === here.id) link.setAttribute('aria-current', 'location');
      else link.removeAttribute('aria-current');
    }
    const link = links.get(here.id)!;
    const aside = link.closest<HTMLElement>('.docs-outline')!;
    const { top, bottom } = link.getBoundingClientRect();
    if (top < 64 || bottom > innerHeight) aside.scrollTop += top - innerHeight / 2;
  };
  let isAsked = false;
  addEventListener(
    'scroll',
    () => {
      if (isAsked) return;
      isAsked = true;
      requestAnimationFrame(() => {
        isAsked = false;
        mark();
      });
    },
    { passive: true },
  );
  mark();
}

menu();
copying();
following();
new Search();
