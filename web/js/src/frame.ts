// A page in a frame of somebody else's: takes neither the keyboard nor the scroll of the page around it, knows when it is
// seen, and speaks with the script of that page (`embed.ts`) if the two have shaken hands. Owns the port between them.
// Decides nothing of what is asked there, and never answers to anybody but the one page around it.

import { bring } from './frame/bring';

/** The longest thing that is heard of the page around, in characters; a longer one is left out, which the console tells. */
const LONGEST = 8 * 1024 * 1024;

/** So long after a press in this frame the keyboard is wanted here, in milliseconds. */
const PRESS = 500;

export interface FrameOptions {
  /** The page may take the keyboard by itself. */
  takesFocus: boolean;
  /** The page around, and the number by which both know this frame; empty where nobody wants to speak with it. */
  host: string;
  nonce: string;
  /** The page around has answered: what it gives, as JSON. */
  onHello(text: string): void;
  /** The page around asks for something, as JSON. */
  onAsk(text: string): void;
}

export function createFrame(options: FrameOptions): Frame {
  keepStill(options.takesFocus);
  return new Frame(options);
}

class Frame {
  readonly #options: FrameOptions;
  readonly #decoders = new Map<number, TextDecoder>();
  readonly #ended = new Set<number>();
  #port: MessagePort | null = null;

  constructor(options: FrameOptions) {
    this.#options = options;
  }

  /** Offers its hand to the page around, once, and takes no other than that page's. */
  hello(): void {
    const { host, nonce, onHello, onAsk } = this.#options;
    if (!host || window.parent === window) return;
    const heard = (event: MessageEvent) => {
      const port = this.#port ? null : portOf(event, host, nonce);
      if (!port) return;
      window.removeEventListener('message', heard);
      this.#port = port;
      port.onmessage = ({ data }: MessageEvent) => {
        const text = textOf(data);
        if (text !== null) onAsk(text);
      };
      onHello(textOf((event.data as { hello: unknown }).hello) ?? '{}');
    };
    window.addEventListener('message', heard);
    window.parent.postMessage({ embedenv: 'hello', nonce }, host);
  }

  /** Until somebody can see it. */
  async seen(): Promise<void> {
    return new Promise((resolve) => {
      const observer = new IntersectionObserver((entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        resolve();
      });
      observer.observe(document.documentElement);
    });
  }

  /** Tells the page around something, if it is there. */
  say(text: string): void {
    this.#port?.postMessage(text);
  }

  /** A program has printed something; characters may come in pieces. */
  output(terminal: number, bytes: Uint8Array): void {
    if (!this.#port) return;
    let decoder = this.#decoders.get(terminal);
    if (!decoder) this.#decoders.set(terminal, (decoder = new TextDecoder()));
    const text = decoder.decode(bytes, { stream: true });
    if (text) this.say(JSON.stringify({ event: 'stdout', data: { terminal, text } }));
  }

  /** Nothing more comes of a program, which ended so, in JSON. Told once, however often it is heard. */
  ended(terminal: number, how: string): void {
    this.#decoders.delete(terminal);
    if (this.#ended.has(terminal)) return;
    this.#ended.add(terminal);
    this.say(how);
  }
}

/** The port that a message brings, if it is the answer of the page around. */
function portOf(event: MessageEvent, host: string, nonce: string): MessagePort | null {
  if (event.source !== window.parent || event.origin !== host || event.ports.length !== 1) return null;
  const data: unknown = event.data;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const own = (name: string) => (Object.hasOwn(data, name) ? (data as Record<string, unknown>)[name] : undefined);
  return own('embedenv') === 'port' && own('nonce') === nonce ? (event.ports[0] ?? null) : null;
}

function textOf(data: unknown): string | null {
  if (typeof data !== 'string') return null;
  if (data.length <= LONGEST) return data;
  console.warn('what the page around asked for is too long, and was left out');
  return null;
}

/**
 * The keyboard stays where it is until somebody has gone into this frame; and whatever comes into sight here, the page
 * around is not moved for it. Both are browsers' own ways, through which every part of the page goes.
 */
function keepStill(takesFocus: boolean): void {
  const { focus } = HTMLElement.prototype;
  let pressed = -PRESS;
  for (const press of ['pointerdown', 'mousedown', 'touchend'] as const) {
    window.addEventListener(press, ({ isTrusted, timeStamp }) => isTrusted && (pressed = timeStamp), { capture: true, passive: true });
  }
  HTMLElement.prototype.focus = function (options) {
    // Where somebody presses, the keyboard comes after what is made of the press.
    const isHere = takesFocus || document.hasFocus() || performance.now() - pressed < PRESS;
    if (isHere) focus.call(this, { ...options, preventScroll: true });
  };
  Element.prototype.scrollIntoView = function () {
    bring(this);
  };
}
