// A picture in a tab: as large as there is room for, as it is, or as large as one likes, by wheel, keys and buttons. Owns
// its elements and the address of its bytes; the bytes come from outside and are shown as a picture, never as markup.

import { said, speak } from './said';

/** Shares of its own size, least and most. */
const LEAST = 0.05;
const MOST = 32;
const STEP = 1.25;

export interface PictureOptions {
  parent: HTMLElement;
  /** What it is called. */
  label: string;
  /** Words of the catalogue. */
  words: Record<string, string>;
}

export function createPicture(options: PictureOptions): Picture {
  return new Picture(options);
}

export class Picture {
  readonly #frame = document.createElement('div');
  readonly #image = document.createElement('img');
  readonly #facts = document.createElement('span');
  readonly #scale = document.createElement('span');
  #address: string | null = null;
  #bytes = 0;
  /** It can't be shown as a picture. */
  #isBroken = false;
  /** Its size as a share of its own; `null` while it fits itself in. */
  #zoom: number | null = null;

  constructor({ parent, label, words }: PictureOptions) {
    speak(words);
    const bar = document.createElement('div');
    bar.className = 'picture-bar';
    bar.setAttribute('role', 'toolbar');
    bar.setAttribute('aria-label', said('picture.toolbar'));
    this.#facts.className = 'picture-facts';
    this.#scale.className = 'picture-scale';
    this.#scale.setAttribute('role', 'status');
    bar.append(
      this.#facts,
      button(said('picture.smaller'), '−', () => this.#by(1 / STEP)),
      this.#scale,
      button(said('picture.larger'), '+', () => this.#by(STEP)),
      button(said('picture.fit'), said('picture.fit'), () => this.#to(null)),
      button(said('picture.actual'), '100 %', () => this.#to(1)),
    );
    this.#frame.className = 'picture';
    this.#frame.tabIndex = 0;
    this.#frame.setAttribute('role', 'group');
    this.#frame.setAttribute('aria-label', label);
    this.#image.alt = label;
    this.#image.draggable = false;
    this.#frame.append(this.#image);
    parent.replaceChildren(bar, this.#frame);
    this.#image.addEventListener('load', () => this.#draw());
    this.#image.addEventListener('error', () => {
      if (!this.#address) return;
      this.#isBroken = true;
      this.#image.hidden = true;
      this.#facts.textContent = said('picture.broken');
      this.#scale.textContent = '';
    });
    this.#frame.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#frame.addEventListener('keydown', (event) => this.#key(event));
    this.#drag();
    new ResizeObserver(() => this.#draw()).observe(this.#frame);
  }

  /** Other bytes of the same file, of a kind that browsers know. */
  show(bytes: Uint8Array<ArrayBuffer>, mime: string): void {
    const before = this.#address;
    this.#bytes = bytes.length;
    this.#isBroken = false;
    this.#image.hidden = false;
    this.#address = URL.createObjectURL(new Blob([bytes], { type: mime }));
    this.#image.src = this.#address;
    if (before) URL.revokeObjectURL(before);
  }

  /** There is nothing to be shown, and this is why. */
  fail(why: string): void {
    this.#facts.textContent = why;
  }

  focus(): void {
    this.#frame.focus();
  }

  destroy(): void {
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = null;
    this.#frame.parentElement?.replaceChildren();
  }

  /** What an SVG without a size of its own has. */
  get #size(): { width: number; height: number } {
    return { width: this.#image.naturalWidth || 300, height: this.#image.naturalHeight || 150 };
  }

  get #fit(): number {
    const { width, height } = this.#size;
    const { clientWidth, clientHeight } = this.#frame;
    return Math.max(LEAST, Math.min(1, (clientWidth - 32) / width, (clientHeight - 32) / height));
  }

  #draw(): void {
    if (!this.#address || this.#isBroken || !this.#image.complete) return;
    const { width, height } = this.#size;
    const scale = this.#zoom ?? this.#fit;
    this.#image.style.width = `${Math.max(1, Math.round(width * scale))}px`;
    this.#image.style.height = `${Math.max(1, Math.round(height * scale))}px`;
    this.#image.classList.toggle('coarse', scale >= 3);
    this.#facts.textContent = `${width} × ${height} · ${amount(this.#bytes)}`;
    this.#scale.textContent = `${Math.round(scale * 100)} %`;
  }

  #to(zoom: number | null, at?: { x: number; y: number }): void {
    const before = this.#zoom ?? this.#fit;
    const frame = this.#frame;
    const { left, top, width, height } = frame.getBoundingClientRect();
    const point = at ?? { x: left + width / 2, y: top + height / 2 };
    const image = this.#image.getBoundingClientRect();
    const [x, y] = [(point.x - image.left) / before, (point.y - image.top) / before];
    this.#zoom = zoom === null ? null : Math.min(MOST, Math.max(LEAST, zoom));
    this.#draw();
    // What was under the pointer stays there.
    const now = this.#zoom ?? this.#fit;
    const moved = this.#image.getBoundingClientRect();
    frame.scrollLeft += moved.left + x * now - point.x;
    frame.scrollTop += moved.top + y * now - point.y;
  }

  #by(factor: number, at?: { x: number; y: number }): void {
    this.#to((this.#zoom ?? this.#fit) * factor, at);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    this.#by(event.deltaY < 0 ? STEP : 1 / STEP, { x: event.clientX, y: event.clientY });
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act: Record<string, () => void> = {
      '+': () => this.#by(STEP),
      '=': () => this.#by(STEP),
      '-': () => this.#by(1 / STEP),
      '0': () => this.#to(null),
      '1': () => this.#to(1),
    };
    const chosen = act[event.key];
    if (!chosen) return;
    event.preventDefault();
    chosen();
  }

  /** Pulled with the mouse, it moves. A finger scrolls it by itself. */
  #drag(): void {
    const frame = this.#frame;
    frame.addEventListener('pointerdown', (event) => {
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      frame.setPointerCapture(event.pointerId);
      const from = { x: event.clientX + frame.scrollLeft, y: event.clientY + frame.scrollTop };
      const move = (moved: PointerEvent) => frame.scrollTo(from.x - moved.clientX, from.y - moved.clientY);
      frame.addEventListener('pointermove', move);
      frame.addEventListener('lostpointercapture', () => frame.removeEventListener('pointermove', move), { once: true });
    });
  }
}

function button(name: string, text: string, act: () => void): HTMLElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  element.setAttribute('aria-label', name);
  element.title = name;
  element.addEventListener('click', act);
  return element;
}

/** Bytes as people say them. */
function amount(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  let value = bytes / 1000;
  let at = 0;
  for (; value >= 1000 && at < units.length - 1; at++) value /= 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}
