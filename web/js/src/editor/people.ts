// The other people in an editor: their cursors with their names, and what they have selected, in the colour of each. Owns
// what is drawn; where somebody is is told from outside ([`setPeople`]), and moves with the text between two tellings.
// Never writes a style attribute as text: the page's content security policy forbids it.

import { EditorSelection, type Extension, StateEffect, StateField } from '@codemirror/state';
import { type EditorView, type LayerMarker, layer, RectangleMarker, type ViewUpdate } from '@codemirror/view';
import type { Person } from './replica';

interface Shown extends Person {
  /** Counts how often the person moved by themselves: with each, the name is shown for a while. */
  moves: number;
}

export const setPeople = StateEffect.define<readonly Person[]>();

const field = StateField.define<readonly Shown[]>({
  create: () => [],
  update(shown, transaction) {
    let now = shown;
    if (transaction.docChanged) {
      const map = (at: number | null) => (at === null ? null : transaction.changes.mapPos(at));
      now = now.map((person) => ({ ...person, anchor: map(person.anchor), head: map(person.head) }));
    }
    for (const effect of transaction.effects) {
      if (effect.is(setPeople)) now = told(now, effect.value, transaction.newDoc.length);
    }
    return now;
  },
});

function told(before: readonly Shown[], people: readonly Person[], length: number): Shown[] {
  const within = (at: number | null) => (at === null ? null : Math.min(at, length));
  return people.map((person) => {
    const [anchor, head] = [within(person.anchor), within(person.head)];
    const known = before.find((other) => other.member === person.member && other.name === person.name);
    const moves = (known?.moves ?? 0) + (known && known.head === head ? 0 : 1);
    return { ...person, anchor, head, moves };
  });
}

/** A rectangle in a person's colour. */
class Area implements LayerMarker {
  constructor(
    readonly rectangle: RectangleMarker,
    readonly person: Shown,
    readonly hasName: boolean,
  ) {}

  eq(other: Area): boolean {
    return this.isLike(other) && this.rectangle.eq(other.rectangle);
  }

  draw(): HTMLElement {
    const element = this.rectangle.draw();
    element.style.setProperty('--person', this.person.color);
    if (this.hasName) {
      const name = element.appendChild(document.createElement('span'));
      name.className = 'cm-personName';
      name.textContent = this.person.name;
      // Above the first line there is no room.
      element.classList.toggle('cm-personFirst', this.rectangle.top < this.rectangle.height);
    }
    return element;
  }

  update(element: HTMLElement, before: Area): boolean {
    // One that moved is drawn anew, and with that its name appears.
    if (!this.isLike(before)) return false;
    return this.rectangle.update(element, before.rectangle);
  }

  private isLike(other: Area): boolean {
    const { name, color, moves } = this.person;
    return name === other.person.name && color === other.person.color && moves === other.person.moves;
  }
}

function isToBeDrawn(update: ViewUpdate): boolean {
  return update.docChanged || update.viewportChanged || update.startState.field(field) !== update.state.field(field);
}

const selections = layer({
  above: false,
  class: 'cm-personSelections',
  update: isToBeDrawn,
  markers: (view) =>
    view.state.field(field).flatMap((person) => {
      const { anchor, head } = person;
      if (anchor === null || head === null || anchor === head) return [];
      const range = EditorSelection.range(anchor, head);
      return RectangleMarker.forRange(view, 'cm-personSelection', range).map((area) => new Area(area, person, false));
    }),
});

const cursors = layer({
  above: true,
  class: 'cm-personCursors',
  update: isToBeDrawn,
  markers: (view) =>
    view.state.field(field).flatMap((person) => {
      if (person.head === null) return [];
      const cursor = EditorSelection.cursor(person.head);
      return RectangleMarker.forRange(view, 'cm-personCursor', cursor).map((area) => new Area(area, person, true));
    }),
});

export function people(): Extension {
  return [field, selections, cursors];
}

/** Where a person is, as far as it was told. */
export function personIn(view: EditorView, member: number): Person | undefined {
  return view.state.field(field).find((person) => person.member === member);
}
