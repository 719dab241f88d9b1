import type { GuidePurpose, RosterLab, RosterLearner } from '#protocol';
import { countText, set, setText } from '../set.ts';
import { clock, make } from './make.ts';
import {
  duration,
  type Order,
  ordered,
  passedOf,
  STUCK_AFTER_MS,
  stateWord,
} from './roster-order.ts';

/** How a step was passed that was not passed by hand. */
const HELPED: Readonly<Record<GuidePurpose, string>> = {
  step: 'shown by Do it for me',
  start: 'done by Start from here',
};

/** The grid of learners and steps. Of what is there already, only what has changed is written. */
export class RosterTable {
  readonly #table: HTMLTableElement;
  #lab: RosterLab | undefined;
  #order: Order | undefined;
  #rows: ReadonlyMap<string, LearnerRow> = new Map();

  /** @param table with a head and a body */
  constructor(table: HTMLTableElement) {
    this.#table = table;
  }

  paint(all: Iterable<RosterLearner>, lab: RosterLab, order: Order, now: number): void {
    if (lab !== this.#lab) {
      this.#table.tHead?.replaceWith(headOf(lab));
      this.#table.tBodies[0]?.replaceChildren();
      this.#rows = new Map();
    }
    const isNewOrder = order !== this.#order;
    this.#lab = lab;
    this.#order = order;
    const learners = ordered(all, lab, order);
    const rows = new Map<string, LearnerRow>();
    const movable = new Set<Element>();
    for (const learner of learners) {
      const row = this.#rows.get(learner.id) ?? new LearnerRow(lab);
      if (isNewOrder || row.learner !== learner) movable.add(row.element);
      row.paint(learner, now);
      rows.set(learner.id, row);
    }
    for (const [id, { element }] of this.#rows) if (!rows.has(id)) element.remove();
    this.#rows = rows;
    this.#arrange(movable);
  }

  /** @param movable rows whose place may be another; all others are in the order in which they were */
  #arrange(movable: ReadonlySet<Element>): void {
    const body = this.#table.tBodies[0];
    const focused = document.activeElement;
    // From the last to the first: what a row is put before is in its place already.
    let next: Element | null = null;
    for (const { element } of [...this.#rows.values()].reverse()) {
      const isPlaced = element.isConnected && element.nextElementSibling === next;
      if (movable.has(element) && !isPlaced) body?.insertBefore(element, next);
      next = element;
    }
    // A row that moves loses the focus that is in it.
    if (!(focused instanceof HTMLElement) || focused === document.activeElement) return;
    if (body?.contains(focused)) focused.focus();
  }
}

/** One learner's row. */
class LearnerRow {
  readonly element: HTMLTableRowElement;
  readonly #lab: RosterLab;
  readonly #open = make('button', { type: 'button', className: 'roster-open' });
  readonly #hand = make('span', { className: 'roster-hand' });
  readonly #away = make('span', { className: 'roster-away' });
  readonly #state = make('td', { className: 'roster-state' });
  readonly #cells: readonly HTMLTableCellElement[];
  readonly #passed = make('td', { className: 'roster-passed' });
  readonly #atStep = make('span', { className: 'roster-at-step' });
  readonly #since = make('span', { className: 'roster-since' });
  #learner: RosterLearner | undefined;

  constructor(lab: RosterLab) {
    this.#lab = lab;
    this.#cells = lab.steps.map(() => make('td', { className: 'roster-cell' }));
    this.element = make(
      'tr',
      {},
      make('th', { scope: 'row', className: 'roster-name' }, this.#open, this.#hand, this.#away),
      this.#state,
      ...this.#cells,
      this.#passed,
      make('td', { className: 'roster-at' }, this.#atStep, this.#since),
    );
  }

  /** Whom it shows, as last painted. */
  get learner(): RosterLearner | undefined {
    return this.#learner;
  }

  paint(learner: RosterLearner, now: number): void {
    if (learner !== this.#learner) {
      this.#learner = learner;
      this.#paintLearner(learner);
    }
    this.#paintTimes(learner, now);
  }

  #paintLearner(learner: RosterLearner): void {
    const { name: lab, steps } = this.#lab;
    const progress = learner.labs[lab];
    set(this.element.dataset, 'learner', learner.id);
    set(this.#open.dataset, 'open', learner.id);
    setText(this.#open, learner.name);
    set(this.#hand, 'hidden', learner.handAt === undefined);
    set(this.#away, 'hidden', learner.present);
    setText(this.#away, learner.present ? '' : 'away');
    const word = stateWord(progress);
    const state = word.endsWith('down') ? 'failed' : (progress?.state ?? 'none');
    set(this.#state.dataset, 'state', state);
    setText(this.#state, word);
    const passed = passedOf(learner, this.#lab);
    const extra = passedOf(learner, this.#lab, true);
    const counted = steps.filter(({ optional }) => !optional).length;
    setText(this.#passed, countText(passed, counted, extra));
    for (const [index, { id, optional }] of steps.entries()) {
      const passedAt = progress?.passed[id];
      if (passedAt !== undefined) {
        const help = progress?.helped[id];
        const words = `passed ${clock(passedAt)}${help ? `, ${HELPED[help]}` : ''}`;
        this.#paintStep(index, 'passed', words, help);
      } else if (progress?.at?.check === id) this.#paintStep(index, 'here', 'at it');
      else this.#paintStep(index, 'open', optional ? 'optional' : 'open');
    }
    const at = steps.findIndex(({ id }) => id === progress?.at?.check);
    const isDone = counted > 0 && passed === counted;
    setText(
      this.#atStep,
      progress?.at ? `${at + 1}. ${steps[at]?.title ?? progress.at.check}` : isDone ? 'Done' : '',
    );
  }

  #paintStep(
    index: number,
    state: 'passed' | 'here' | 'open',
    words: string,
    help: GuidePurpose | 'none' = 'none',
  ): void {
    const cell = this.#cells[index];
    if (!cell) return;
    set(cell.dataset, 'step', state);
    set(cell.dataset, 'help', help);
    set(cell, 'title', words);
    setText(cell, words);
  }

  #paintTimes({ handAt, labs }: RosterLearner, now: number): void {
    const since = labs[this.#lab.name]?.at?.since;
    setText(this.#hand, handAt === undefined ? '' : `Hand up, ${duration(now - handAt)}`);
    setText(this.#since, since === undefined ? '' : `for ${duration(now - since)}`);
    const isStuck = since !== undefined && now - since >= STUCK_AFTER_MS;
    set(this.#since.dataset, 'stuck', String(isStuck));
  }
}

/** The head: sections over their steps, each step a number with its title behind it. */
function headOf(lab: RosterLab): HTMLTableSectionElement {
  const sections: { title: string; steps: number }[] = [];
  for (const { section } of lab.steps) {
    const last = sections.at(-1);
    if (last?.title === section) last.steps += 1;
    else sections.push({ title: section, steps: 1 });
  }
  const upper = make('tr', {}, column('Learner', { rowSpan: 2 }), column('Hosts', { rowSpan: 2 }));
  for (const { title, steps } of sections) {
    const head = make(
      'th',
      { scope: 'colgroup', colSpan: steps, className: 'roster-section' },
      title,
    );
    head.title = title;
    upper.append(head);
  }
  upper.append(column('Passed', { rowSpan: 2 }), column('At', { rowSpan: 2 }));
  const lower = make('tr');
  lab.steps.forEach(({ title: own, optional }, index) => {
    const title = optional ? `${own} (optional)` : own;
    const number = make('span', { ariaHidden: 'true' }, String(index + 1));
    const head = make(
      'th',
      { scope: 'col', className: 'roster-step', title },
      number,
      make('span', { className: 'sr-only' }, title),
    );
    lower.append(head);
  });
  return make('thead', {}, upper, lower);
}

function column(text: string, properties: { readonly rowSpan?: number }): HTMLTableCellElement {
  return make('th', { scope: 'col', ...properties }, text);
}
