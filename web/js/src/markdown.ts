// The preview of a Markdown file beside its editor: follows the text as it is typed, and keeps to the same place in it.
// Loaded when somebody looks at one. Owns the elements in `parent` and the addresses of its pictures.

import { MarkdownPage } from './editor/markdown';
import { said, speak } from './said';

/** What the preview needs of the editor whose text it shows. */
interface Source {
  watch(watcher: { text(text: string): void; top(line: number): void }): () => void;
  scrollTo(line: number): void;
}

export interface MarkdownOptions {
  parent: HTMLElement;
  path: string;
  /** Words of the catalogue. */
  words: Record<string, string>;
  source: Source;
  /** A file of the project is to be shown. */
  onOpen(path: string): void;
  /** The bytes of a picture of the project and their kind; `null` if there is none. */
  onPicture(path: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; mime: string } | null>;
}

/** For so long after a person scrolled one side, in milliseconds, the other one follows and does not lead. */
const LEAD = 1_000;

export function createMarkdown(options: MarkdownOptions): Preview {
  return new Preview(options);
}

class Preview {
  readonly #root = document.createElement('div');
  readonly #page: MarkdownPage;
  readonly #source: Source;
  readonly #leave: () => void;
  readonly #pictures = new Map<string, Promise<string | null>>();
  /** Until when this side leads. */
  #leads = 0;
  #isDestroyed = false;

  constructor({ parent, path, words, source, onOpen, onPicture }: MarkdownOptions) {
    speak(words);
    this.#source = source;
    this.#root.className = 'markdown';
    this.#root.tabIndex = 0;
    this.#root.setAttribute('role', 'document');
    this.#root.setAttribute('aria-label', said('markdown.name', { path }));
    parent.replaceChildren(this.#root);
    const picture = (picture: string) => {
      let address = this.#pictures.get(picture);
      if (!address) {
        address = onPicture(picture).then((found) => this.#addressOf(found));
        this.#pictures.set(picture, address);
      }
      return address;
    };
    this.#page = new MarkdownPage(this.#root, path, { open: onOpen, picture });
    for (const own of ['wheel', 'touchmove', 'keydown', 'pointerdown'] as const) {
      this.#root.addEventListener(own, () => this.#lead(), { passive: true });
    }
    for (const scrolled of ['scroll', 'scrollend'] as const) {
      this.#root.addEventListener(scrolled, () => this.#scrolled(), { passive: true });
    }
    this.#leave = source.watch({ text: (text) => this.#page.show(text), top: (line) => this.#follow(line) });
  }

  focus(): void {
    this.#root.focus();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#leave();
    for (const address of this.#pictures.values()) {
      address.then((address) => address && URL.revokeObjectURL(address), () => {});
    }
    this.#root.remove();
  }

  #addressOf(found: { bytes: Uint8Array<ArrayBuffer>; mime: string } | null): string | null {
    if (!found || this.#isDestroyed) return null;
    return URL.createObjectURL(new Blob([found.bytes], { type: found.mime }));
  }

  #lead(): void {
    this.#leads = performance.now() + LEAD;
  }

  /** The editor shows this line at the top. */
  #follow(line: number): void {
    if (performance.now() < this.#leads) return;
    const blocks = this.#blocks();
    const at = blocks.findLastIndex((block) => block.line <= line);
    const [here, next] = [blocks[at], blocks[at + 1]];
    if (!here || line <= 1) {
      this.#root.scrollTop = 0;
      return;
    }
    const [begin, end] = [here.element.offsetTop, next?.element.offsetTop ?? this.#root.scrollHeight];
    const share = next ? (line - here.line) / (next.line - here.line) : 0;
    this.#root.scrollTop = begin + (end - begin) * share - 16;
  }

  /** What can be seen of the page: of markup nothing can. */
  #blocks() {
    return this.#page.blocks.filter(({ element }) => element.offsetHeight > 0);
  }

  #scrolled(): void {
    if (performance.now() >= this.#leads) return;
    this.#lead();
    const top = this.#root.scrollTop + 16;
    const blocks = this.#blocks();
    const at = blocks.findLastIndex(({ element }) => element.offsetTop <= top);
    const [here, next] = [blocks[at], blocks[at + 1]];
    if (!here) return this.#source.scrollTo(1);
    const height = (next?.element.offsetTop ?? this.#root.scrollHeight) - here.element.offsetTop;
    const lines = next ? next.line - here.line : 0;
    this.#source.scrollTo(here.line + Math.floor((lines * (top - here.element.offsetTop)) / Math.max(1, height)));
  }
}
