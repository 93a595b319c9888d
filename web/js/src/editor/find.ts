// What finding in a file has beyond CodeMirror's own panel: how many places there are and which one is selected, keys for its
// switches, and a row for what replaces that is folded away. Owns the words that say so; never changes the text.

import { getSearchQuery, openSearchPanel, type SearchQuery, searchPanelOpen } from '@codemirror/search';
import type { EditorState, Extension } from '@codemirror/state';
import { type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { said } from '../said';

/** More places than these are not counted. */
const MOST = 10_000;
/** Counted this long after the last change, in milliseconds. */
const PAUSE = 100;

/** Keys with Alt, where they are on the keyboard, and the switch that each turns. */
const SWITCHES: Record<string, string> = { KeyC: 'case', KeyW: 'word', KeyR: 're' };

/** What stands at the field, in this order. */
const SIGNS = ['case', 'word', 're', 'prev', 'next', 'select'];

/** Whether the row for what replaces is open, in every editor of the page. */
let replaces = false;

export interface Places {
  count: number;
  /** The one that is selected, from 1; 0 if none is. */
  at: number;
}

/** Where a query's places are in the text; `null` for a query that finds nothing by what it is. */
export function places(state: EditorState, query: SearchQuery): Places | null {
  if (!query.search || !query.valid) return null;
  const { from, to } = state.selection.main;
  const found: Places = { count: 0, at: 0 };
  const cursor = query.getCursor(state);
  for (let next = cursor.next(); !next.done && found.count < MOST; next = cursor.next()) {
    found.count += 1;
    if (next.value.from === from && next.value.to === to) found.at = found.count;
  }
  return found;
}

function told(found: Places | null): string {
  if (!found) return '';
  if (found.count === 0) return said('find.none');
  const count = found.count < MOST ? String(found.count) : `${MOST}+`;
  return found.at > 0 ? said('find.at', { at: String(found.at), count }) : said('find.count', { count });
}

const counter = ViewPlugin.fromClass(
  class {
    #due: ReturnType<typeof setTimeout> | null = null;
    #query: SearchQuery | null = null;

    constructor(readonly view: EditorView) {
      view.dom.addEventListener('keydown', this.#turn);
    }

    /** A key in the panel turns its switch. */
    #turn = (event: KeyboardEvent): void => {
      const name = event.altKey && !event.ctrlKey && !event.metaKey ? SWITCHES[event.code] : undefined;
      const panel = event.target instanceof Element ? event.target.closest('.cm-search') : null;
      const button = name && panel?.querySelector<HTMLInputElement>(`input[name=${name}]`);
      if (!button) return;
      event.preventDefault();
      button.click();
    };

    update(update: ViewUpdate): void {
      // The panel is there when all have heard of it.
      if (searchPanelOpen(update.state) && !searchPanelOpen(update.startState)) queueMicrotask(() => dress(update.view));
      if (!searchPanelOpen(update.state)) {
        this.#query = null;
        return;
      }
      const query = getSearchQuery(update.state);
      if (query === this.#query && !update.docChanged && !update.selectionSet) return;
      this.#query = query;
      if (this.#due !== null) clearTimeout(this.#due);
      this.#due = setTimeout(() => this.#tell(query), PAUSE);
    }

    #tell(query: SearchQuery): void {
      const panel = this.view.dom.querySelector('.cm-search');
      if (!panel) return;
      let line = panel.querySelector('.cm-search-count');
      if (!line) {
        line = document.createElement('span');
        line.className = 'cm-search-count';
        line.setAttribute('role', 'status');
        panel.querySelector('label:has([name=re])')?.after(line);
      }
      line.textContent = told(places(this.view.state, query));
    }

    destroy(): void {
      this.view.dom.removeEventListener('keydown', this.#turn);
      if (this.#due !== null) clearTimeout(this.#due);
    }
  },
);

/** Puts switches and arrows beside the field, says what each is, and puts the button there that opens the row for what replaces. */
function dress({ dom, state }: EditorView): void {
  const panel = dom.querySelector<HTMLElement>('.cm-search');
  const field = panel?.querySelector('[name=search]');
  if (!panel || !field || panel.querySelector('.cm-search-more')) return;
  const box = (name: string) => panel.querySelector(`label:has([name=${name}]), button[name=${name}]`);
  field.after(...SIGNS.map(box).filter((box) => box !== null));
  for (const element of panel.querySelectorAll<HTMLElement>('label, button')) {
    element.title = element.getAttribute('aria-label') ?? element.textContent ?? '';
  }
  if (state.readOnly) return;
  const more = document.createElement('button');
  more.type = 'button';
  more.className = 'cm-search-more';
  more.title = said('codemirror.replace-with');
  more.setAttribute('aria-label', more.title);
  more.addEventListener('click', () => showReplacing(panel, !replaces));
  field.before(more);
  showReplacing(panel, replaces);
}

function showReplacing(panel: HTMLElement, shows: boolean): void {
  replaces = shows;
  panel.dataset.replaces = String(shows);
  panel.querySelector('.cm-search-more')?.setAttribute('aria-expanded', String(shows));
}

export function find(): Extension {
  return counter;
}

/** Whether a command of these is given from the panel, where the keyboard then stays. */
export function findsFromPanel(view: EditorView, command: string): boolean {
  const isOfPanel = ['find', 'find-next', 'find-previous', 'replace'].includes(command);
  return isOfPanel && (view.dom.querySelector('.cm-search')?.contains(view.root.activeElement) ?? false);
}

/** Opens the panel with the keyboard in the field for what replaces. */
export function replace(view: EditorView): boolean {
  replaces = true;
  openSearchPanel(view);
  const panel = view.dom.querySelector<HTMLElement>('.cm-search');
  if (panel) showReplacing(panel, true);
  panel?.querySelector<HTMLInputElement>('[name=replace]')?.select();
  return true;
}
