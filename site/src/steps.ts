// The steps of the wire, each with a button that sends its frame to a room of the visitor's own, and the frames that fly then.

import { coloured } from './frames';
import { type Frame, Room, told, widget } from './room';

/** The frames that are shown of one step at most; what comes beyond is counted. */
const MOST = 200;
/** How long a frame without an answer of its own is waited for, in milliseconds: an error comes sooner than that. */
const QUIET = 150;
/** How long a step may take until the next one is not waited for any more, in milliseconds. */
const LATE = 20_000;

const PROJECT = 'unified_workspace';
/** What the answer is known by to what is done between the steps. */
const CLEAN = 'clean';

class Step {
  readonly #log: HTMLOListElement;
  readonly #button: HTMLButtonElement;
  readonly frame: Frame;
  /** The kind of frame that ends the answer; empty if there is none. */
  readonly until: string;
  #began = 0;
  #count = 0;

  constructor(
    place: HTMLElement,
    readonly title: string,
    onRun: (step: Step) => void,
  ) {
    this.until = place.dataset['until'] ?? '';
    this.frame = JSON.parse(place.querySelector('code')!.textContent!) as Frame;
    if (this.frame.type === 'visit') {
      this.frame['widget'] = widget;
      place.querySelector('code')!.replaceChildren(coloured(JSON.stringify(this.frame)));
    }
    this.#button = document.createElement('button');
    this.#button.type = 'button';
    this.#button.className = 'button step-run';
    this.#button.textContent = 'Run';
    this.#button.setAttribute('aria-label', `Run step ${title}`);
    this.#button.addEventListener('click', () => onRun(this));
    this.#log = document.createElement('ol');
    this.#log.className = 'frames';
    this.#log.setAttribute('aria-label', `Frames of step ${title}`);
    this.#log.setAttribute('aria-live', 'polite');
    this.#log.tabIndex = 0;
    this.#log.hidden = true;
    place.append(this.#button, this.#log);
  }

  begin(): void {
    this.#log.replaceChildren();
    this.#log.hidden = false;
    this.#count = 0;
    this.#began = performance.now();
    this.#button.ariaBusy = 'true';
  }

  end(): void {
    this.#button.ariaBusy = 'false';
    this.#button.textContent = 'Run again';
  }

  show(way: 'sent' | 'received', text: string): void {
    this.#count += 1;
    const took = `${Math.round(performance.now() - this.#began)} ms`;
    if (this.#count > MOST) {
      this.note(`${this.#count - MOST} more`);
      return;
    }
    const line = document.createElement('li');
    line.className = way;
    const arrow = document.createElement('span');
    arrow.className = 'way';
    arrow.textContent = way === 'sent' ? 'sent' : 'received';
    const code = document.createElement('code');
    code.append(coloured(text));
    const at = document.createElement('time');
    at.textContent = took;
    line.append(arrow, code, at);
    this.#log.append(line);
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  note(text: string): void {
    const last = this.#log.lastElementChild;
    const line = last?.classList.contains('note') ? last : document.createElement('li');
    line.className = 'note';
    line.textContent = text;
    this.#log.append(line);
  }
}

class Walk {
  readonly #steps: Step[] = [];
  readonly #room = new Room({
    sent: (_, text) => this.#now?.show('sent', text),
    received: (frame, text) => this.#received(frame, text),
    lost: () => {
      this.#heard?.('lost');
      this.#cleaned?.();
    },
  });
  readonly #said = document.createElement('p');
  readonly #open = document.createElement('a');
  readonly #buttons: HTMLButtonElement[];
  /** The step that frames are shown at: the last one that was run. */
  #now: Step | null = null;
  #heard: ((type: string) => void) | null = null;
  #cleaned: (() => void) | null = null;
  /** How many steps have been run, in their order. */
  #done = 0;
  #isBusy = false;

  constructor() {
    for (const place of document.querySelectorAll<HTMLElement>('.step')) {
      let above: Element | null = place;
      while (above && above.tagName !== 'H2') above = above.previousElementSibling;
      const title = above?.firstChild?.textContent ?? '';
      this.#steps.push(new Step(place, title, (step) => void this.#press(step)));
    }
    const bar = document.createElement('div');
    bar.className = 'steps-bar';
    const all = button('Run all fourteen', () => void this.#press(this.#steps.at(-1)!));
    all.classList.add('primary');
    const again = button('Start over', () => void this.#startOver());
    this.#buttons = [all, again];
    this.#said.setAttribute('role', 'status');
    this.#said.textContent = 'Your room opens with the first step.';
    this.#open.className = 'button';
    this.#open.textContent = 'Open it in the IDE';
    this.#open.target = '_blank';
    this.#open.hidden = true;
    bar.append(all, again, this.#open, this.#said);
    document.querySelector('main h2')!.before(bar);
  }

  /** Runs a step, and before it those that it needs. */
  async #press(step: Step): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (const button of this.#buttons) button.disabled = true;
    const at = this.#steps.indexOf(step);
    const todo = at < this.#done ? [step] : this.#steps.slice(this.#done, at + 1);
    try {
      for (const each of todo) {
        this.#said.textContent = `Step ${each.title}`;
        await this.#run(each);
        this.#done = Math.max(this.#done, this.#steps.indexOf(each) + 1);
      }
      this.#said.textContent = this.#done === this.#steps.length ? 'All of it has run.' : `Next is step ${this.#steps[this.#done]!.title}.`;
      this.#open.hidden = false;
      this.#open.href = this.#room.address(PROJECT, 'project/main.py');
    } catch (error) {
      this.#now?.end();
      this.#said.textContent = told(error);
    } finally {
      this.#isBusy = false;
      for (const button of this.#buttons) button.disabled = false;
    }
  }

  async #run(step: Step): Promise<void> {
    this.#now = step;
    step.begin();
    const isHandshake = step.frame.type === 'visit';
    const isKept = this.#room.key !== null;
    if (isHandshake) this.#room.close();
    const answered = this.#answer(step);
    if (isHandshake) await this.#room.open();
    else await this.#room.send(step.frame);
    const outcome = await answered;
    if (isHandshake && isKept) await this.#clean();
    if (outcome === 'lost') throw new Error('the connection broke; run the step again');
    if (outcome === 'quiet') step.note('no answer of its own');
    if (outcome === 'late') step.note('the answer is still under way');
    step.end();
  }

  /** How the answer to a step ended. */
  #answer(step: Step): Promise<string> {
    return new Promise((resolve) => {
      const done = (outcome: string) => {
        clearTimeout(timer);
        this.#heard = null;
        resolve(outcome);
      };
      const timer = step.until ? setTimeout(() => done('late'), LATE) : setTimeout(() => done('quiet'), QUIET);
      this.#heard = (type) => {
        if (type === step.until || type === 'error' || type === 'lost') done(type);
      };
    });
  }

  #received(frame: Frame, text: string): void {
    this.#now?.show('received', text);
    this.#heard?.(frame.type);
    if (frame['id'] === CLEAN) this.#cleaned?.();
  }

  /** Has the room as it was before the second step, in the same room. */
  async #startOver(): Promise<void> {
    if (this.#isBusy) return;
    try {
      if (this.#room.key) await this.#clean();
      this.#done = 0;
      this.#said.textContent = 'What the steps made is gone. Begin with the first.';
    } catch (error) {
      this.#said.textContent = told(error);
    }
  }

  /** Ends and removes what the steps made before. None of it is shown. */
  async #clean(): Promise<void> {
    this.#now = null;
    const cleaned = new Promise<void>((resolve) => {
      this.#cleaned = resolve;
    });
    await this.#room.send({ type: 'cmd', project_name: PROJECT, command: { type: 'kill' } });
    await this.#room.send({ type: 'cmd', project_name: PROJECT, command: { type: 'delete' }, path: 'project', id: CLEAN });
    await cleaned;
  }
}

function button(text: string, onPress: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'button';
  made.textContent = text;
  made.addEventListener('click', onPress);
  return made;
}

if (widget) new Walk();
else {
  const note = document.createElement('p');
  note.className = 'callout';
  note.append('Nothing runs here yet: this server has no widget for its pages. ');
  const link = document.createElement('a');
  link.href = '/docs/operating#the-public-pages';
  link.textContent = 'Its operator can set one';
  note.append(link, '.');
  document.querySelector('main h2')!.before(note);
}
