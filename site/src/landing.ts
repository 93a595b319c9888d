// The first page: a program that can be changed at once and runs in a room of the visitor's own, and what it prints.

import { type Frame, Room, told, widget } from './room';

/** What the IDE's module for texts gives (`web/js/src/poster.ts`). */
interface Editor {
  edit(parent: HTMLElement, path: string, text: string, label: string, nonce: string, onRun: () => void): Draft;
}
interface Draft {
  text(): string;
  reset(): void;
}

/** The folder of the room that the programs are in. */
const PROJECT = 'hello';
/** What is kept of what a program prints, in characters; earlier ones make room. */
const OUTPUT = 64 * 1024;
/** Escape sequences of terminals (ECMA-48): this page has no colours for them. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-_])/g;

const element = <Kind extends HTMLElement>(selector: string) => document.querySelector<Kind>(selector)!;

class Try {
  readonly #output = element('.try-output');
  readonly #said = element('.try-said');
  readonly #run = element<HTMLButtonElement>('.try-run');
  readonly #reset = element<HTMLButtonElement>('.try-reset');
  readonly #input = element<HTMLInputElement>('.try-input input');
  readonly #open = element<HTMLAnchorElement>('.try-open');
  readonly #tabs = [...document.querySelectorAll<HTMLElement>('.try-tabs [role="tab"]')];
  readonly #drafts = new Map<HTMLElement, Draft>();
  readonly #room = new Room({ received: (frame) => this.#received(frame), lost: () => this.#lost() });
  #printed = 0;
  /** When the run that is on began; null while there is none. */
  #began: number | null = null;

  constructor() {
    for (const [at, tab] of this.#tabs.entries()) {
      tab.addEventListener('click', () => this.#show(tab));
      tab.addEventListener('keydown', ({ key }) => {
        const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
        if (step === 0) return;
        const next = this.#tabs[(at + step + this.#tabs.length) % this.#tabs.length]!;
        this.#show(next);
        next.focus();
      });
    }
    this.#run.addEventListener('click', () => void this.#press());
    this.#reset.addEventListener('click', () => this.#drafts.get(this.#shown)?.reset());
    element<HTMLFormElement>('.try-input').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#answer();
    });
    this.#set(false);
  }

  async load(): Promise<void> {
    const address = document.querySelector<HTMLMetaElement>('meta[name="embedenv-editor"]')!.content;
    const editor = (await import(address)) as Editor;
    const { nonce } = document.querySelector<HTMLScriptElement>('script[nonce]')!;
    for (const tab of this.#tabs) {
      const place = this.#panel(tab);
      const code = place.querySelector('pre')!;
      const text = `${code.textContent!.trimEnd()}\n`;
      const held = document.createElement('div');
      held.className = 'try-editor';
      const draft = editor.edit(held, tab.dataset['file']!, text, `Program: ${tab.dataset['file']}`, nonce, () => void this.#press());
      code.replaceWith(held);
      // So that it is reached by the keyboard where the browser does not count what can be edited.
      held.querySelector<HTMLElement>('.cm-content')!.tabIndex = 0;
      this.#drafts.set(tab, draft);
    }
  }

  get #shown(): HTMLElement {
    return this.#tabs.find((tab) => tab.getAttribute('aria-selected') === 'true')!;
  }

  #panel(tab: HTMLElement): HTMLElement {
    return document.getElementById(tab.getAttribute('aria-controls')!)!;
  }

  #show(shown: HTMLElement): void {
    for (const tab of this.#tabs) {
      tab.setAttribute('aria-selected', String(tab === shown));
      tab.tabIndex = tab === shown ? 0 : -1;
      this.#panel(tab).hidden = tab !== shown;
    }
  }

  /** Runs what is shown, or stops what runs. */
  async #press(): Promise<void> {
    try {
      if (this.#began !== null) return await this.#shell('Ctrl+C');
      const tab = this.#shown;
      const { file, command } = tab.dataset;
      const content = this.#drafts.get(tab)?.text() ?? this.#panel(tab).textContent!;
      this.#output.replaceChildren();
      this.#printed = 0;
      this.#began = performance.now();
      this.#set(true);
      this.#said.textContent = this.#room.key ? 'Running…' : 'Opening a room of your own…';
      await this.#room.send({ type: 'cmd', project_name: PROJECT, command: { type: 'write' }, path: file!, content });
      await this.#shell(command!);
      this.#said.textContent = 'Running…';
      this.#open.hidden = false;
      this.#open.href = this.#room.address(PROJECT, file!);
    } catch (error) {
      this.#end(told(error));
    }
  }

  async #answer(): Promise<void> {
    const line = this.#input.value;
    this.#input.value = '';
    this.#print(`${line}\n`, 'try-typed');
    try {
      await this.#shell(line);
    } catch (error) {
      this.#end(told(error));
    }
  }

  #shell(command: string): Promise<void> {
    return this.#room.send({ type: 'cmd', project_name: PROJECT, command: { type: 'shell', command } });
  }

  #received(frame: Frame): void {
    if (this.#began === null) return;
    if (frame.type === 'terminal-data') this.#print(String(frame['data']).replaceAll(ESCAPES, ''));
    else if (frame.type === 'terminal-newline') this.#print('\n');
    else if (frame.type === 'error') this.#end(String(frame['message']));
    else if (frame.type === 'terminal-data-end') {
      const took = (performance.now() - this.#began) / 1000;
      this.#end(`Ended ${took < 10 ? took.toFixed(2) : took.toFixed(0)} s after the click.`);
    }
  }

  #lost(): void {
    if (this.#began !== null) this.#end('The connection broke. The room is still there: run it again.');
  }

  #print(text: string, className = ''): void {
    const part = className ? Object.assign(document.createElement('span'), { className, textContent: text }) : text;
    this.#output.append(part);
    this.#printed += text.length;
    while (this.#printed > OUTPUT) {
      this.#printed -= this.#output.firstChild!.textContent!.length;
      this.#output.firstChild!.remove();
    }
    this.#output.scrollTop = this.#output.scrollHeight;
  }

  #end(said: string): void {
    this.#began = null;
    this.#said.textContent = said;
    this.#set(false);
  }

  #set(runs: boolean): void {
    this.#run.textContent = runs ? 'Stop' : 'Run';
    this.#run.classList.toggle('primary', !runs);
    this.#input.disabled = !runs;
    if (runs) this.#input.focus({ preventScroll: true });
  }
}

if (widget) {
  await new Try().load();
} else {
  for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;
}
