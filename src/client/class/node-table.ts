import type { NodeView } from '#protocol';
import { ApiError, request } from '../request.ts';
import { set, setText } from '../set.ts';
import { make } from './make.ts';
import styles from './node-table.css?inline';
import { drainText, learnersText, roomText, STATE_MARKS, STATE_WORDS } from './node-words.ts';
import { isSure } from './sure.ts';

// With the code, for the build would put it into the page of every class.
document.head.append(make('style', {}, styles));

/** On a phone a row is no row to the browser's layout; it stays one to those who hear the page. */
const CELL = { role: 'cell' } as const;

/** The machines of a Swarm: who is on each, what room is left, and the way to take one out of service. */
export class NodeTable {
  readonly #section = make('section', { className: 'room-nodes' });
  readonly #body = make('tbody');
  readonly #says = make('p', { role: 'status' });
  readonly #sure: HTMLDialogElement;
  readonly #rows = new Map<string, NodeRow>();
  #nodes: readonly NodeView[] = [];

  /**
   * @param next what it is put before
   * @param sure the dialog that asks
   */
  constructor(next: HTMLElement, sure: HTMLDialogElement) {
    this.#sure = sure;
    const title = make('h2', { id: 'room-nodes-title' }, 'Machines');
    const heads = ['Machine', 'Learners', 'Room', 'State'].map((text) =>
      make('th', { scope: 'col' }, text),
    );
    const action = make('th', { scope: 'col' }, make('span', { className: 'sr-only' }, 'Action'));
    const table = make(
      'table',
      {},
      make('thead', {}, make('tr', {}, ...heads, action)),
      this.#body,
    );
    table.setAttribute('aria-labelledby', title.id);
    this.#section.append(title, table, this.#says);
    next.before(this.#section);
  }

  /** Shows the nodes as they are now. */
  paint(nodes: readonly NodeView[]): void {
    this.#nodes = nodes.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    set(this.#section, 'hidden', nodes.length === 0);
    const elements = this.#nodes.map((node) => this.#row(node.id).paint(node));
    const isSame =
      elements.length === this.#body.childElementCount &&
      elements.every((element, at) => element === this.#body.children[at]);
    // A row that is put in again loses the focus that is in it.
    if (!isSame) this.#body.replaceChildren(...elements);
  }

  #row(id: string): NodeRow {
    const row = this.#rows.get(id) ?? new NodeRow(() => void this.#press(id));
    this.#rows.set(id, row);
    return row;
  }

  async #press(id: string): Promise<void> {
    const node = this.#nodes.find((each) => each.id === id);
    if (!node) return;
    const { name, state } = node;
    this.#says.textContent = '';
    const isOut = state === 'drained';
    const elsewhere = this.#nodes.filter((each) => each.id !== id && each.state === 'ready');
    const room = elsewhere.reduce((sum, each) => sum + each.room, 0);
    const ask = () => isSure(this.#sure, `Drain ${name}?`, drainText(node, room), 'Drain it');
    if (!isOut && !(await ask())) return;
    try {
      await request('POST', `/api/class/nodes/${id}/${isOut ? 'activate' : 'drain'}`);
      this.#says.textContent = isOut
        ? `${name} was taken back into service.`
        : `${name} was taken out of service.`;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#says.textContent = `${error.message} ${error.remedy}`;
    }
  }
}

/** One machine's row. */
class NodeRow {
  readonly #name = make('th', { scope: 'row', role: 'rowheader' });
  readonly #learners = make('td', CELL);
  readonly #room = make('td', CELL);
  readonly #state = make('td', { ...CELL, className: 'roster-state' });
  readonly #does = make('span');
  readonly #whom = make('span', { className: 'sr-only' });
  readonly #element: HTMLTableRowElement;

  constructor(press: () => void) {
    const button = make('button', { type: 'button', className: 'button' }, this.#does, this.#whom);
    button.addEventListener('click', press);
    const cells = [this.#learners, this.#room, this.#state];
    const last = make('td', CELL, button);
    this.#element = make('tr', { role: 'row' }, this.#name, ...cells, last);
  }

  paint({ name, state, learners, room }: NodeView): HTMLTableRowElement {
    setText(this.#name, name);
    setText(this.#learners, learnersText(learners));
    setText(this.#room, roomText(room));
    setText(this.#state, STATE_WORDS[state]);
    set(this.#state.dataset, 'state', STATE_MARKS[state]);
    setText(this.#does, state === 'drained' ? 'Take back into service' : 'Drain…');
    setText(this.#whom, ` ${name}`);
    return this.#element;
  }
}
