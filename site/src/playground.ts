// The playground: a template is written into a room of the visitor's own, which opens in the IDE. What the room lacks for it is
// said before.

import { type Frame, Room, RoomError, told, widget } from './room';

interface Template {
  name: string;
  open: string;
  needs: { name: string; check: string }[];
  files: Record<string, string>;
}

/** The first answer's number. */
const FIRST = 1;

class Playground {
  readonly #waiting = new Map<number, { resolve(frame: Frame): void; reject(error: Error): void }>();
  readonly #room = new Room({ received: (frame) => this.#received(frame), lost: () => this.#lost() }, { full: true });
  #last = FIRST - 1;
  #templates: Promise<Template[]> | null = null;
  #isBusy = false;

  constructor() {
    for (const card of document.querySelectorAll<HTMLElement>('[data-template]')) {
      card.querySelector('.card-open')!.addEventListener('click', () => void this.#choose(card));
    }
  }

  async #choose(card: HTMLElement): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const said = card.querySelector('.card-said')!;
    card.ariaBusy = 'true';
    said.textContent = this.#room.key ? 'Writing its files…' : 'Opening a room of your own…';
    try {
      const template = await this.#template(card.dataset['template']!);
      await this.#room.open();
      const isNew = await this.#plant(template);
      const lacks = await this.#lacks(template);
      if (lacks.length === 0) {
        said.textContent = isNew ? 'Opening…' : 'It is there already. Opening it as you left it…';
        location.assign(this.#room.address(template.name, template.open));
      } else {
        this.#tell(said, template, lacks);
      }
    } catch (error) {
      said.textContent = told(error);
    } finally {
      this.#isBusy = false;
      card.ariaBusy = 'false';
    }
  }

  /** Says what is missing, and leaves the way in open. */
  #tell(said: Element, { name, open: file }: Template, lacks: string[]): void {
    const open = document.createElement('a');
    open.className = 'button';
    open.href = this.#room.address(name, file);
    open.textContent = 'Open it all the same';
    said.replaceChildren(`The sandboxes of this server lack ${lacks.join(', and ')}. It can be read and changed; Run will fail. `, open);
  }

  async #template(name: string): Promise<Template> {
    this.#templates ??= fetch('/playground/templates.json').then((response) => {
      if (!response.ok) throw new RoomError('unreachable', 'The templates could not be loaded. Try again.');
      return response.json() as Promise<Template[]>;
    });
    try {
      return (await this.#templates).find((template) => template.name === name)!;
    } catch (error) {
      this.#templates = null;
      throw error;
    }
  }

  /** Writes the template, unless it is there already with what its visitor has made of it. */
  async #plant({ name, files }: Template): Promise<boolean> {
    const { projects } = (await this.#ask({ type: 'projects' })) as Frame & { projects: string[] };
    if (projects.includes(name)) return false;
    const write = ([path, content]: [string, string]) =>
      this.#ask({ type: 'cmd', project_name: name, command: { type: 'write' }, path, content });
    await Promise.all(Object.entries(files).map(write));
    return true;
  }

  async #lacks({ name, needs }: Template): Promise<string[]> {
    const lacks = [];
    for (const need of needs) {
      const { code } = await this.#ask({ type: 'pipe', project: name, command: `{ ${need.check}; } > /dev/null 2>&1` });
      if (code !== 0) lacks.push(need.name);
    }
    return lacks;
  }

  async #ask(frame: Frame): Promise<Frame> {
    const id = ++this.#last;
    const answer = new Promise<Frame>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    await this.#room.send({ ...frame, id });
    return answer;
  }

  #received(frame: Frame): void {
    const id = Number(frame['id']);
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    if (frame.type === 'error') waiting.reject(new RoomError(String(frame['code']), String(frame['message'])));
    else waiting.resolve(frame);
  }

  #lost(): void {
    for (const { reject } of this.#waiting.values()) reject(new RoomError('lost', 'The connection broke. Try again.'));
    this.#waiting.clear();
  }
}

if (widget) new Playground();
else {
  for (const button of document.querySelectorAll<HTMLButtonElement>('.card-open')) button.disabled = true;
  for (const place of document.querySelectorAll('[data-origin]')) place.textContent = location.origin;
}
