import type { ClassView, NodeView, RosterEvent, RosterLab, RosterLearner } from '#protocol';
import { withBase } from '../base-path.ts';
import { keepLive } from '../event-link.ts';
import { ApiError, request } from '../request.ts';
import { set, setText } from '../set.ts';
import { copyBox } from './copy.ts';
import { LearnerCard } from './learner-card.ts';
import { make } from './make.ts';
import type { NodeTable } from './node-table.ts';
import { busiestLab, crowds, duration, type Order } from './roster-order.ts';
import { RosterTable } from './roster-table.ts';
import { Watching } from './watching.ts';

/** "12 min" is true for a minute; nobody needs it to the second. */
const CLOCK_MS = 15_000;
const ORDERS: readonly Order[] = ['stuck', 'progress', 'name'];
/** More would be a list, not a look. */
const CROWDS_SHOWN = 3;

/** The instructor's page: signs in, then shows the room as it is. */
class InstructorPage {
  readonly #page: HTMLElement;
  readonly #learners = new Map<string, RosterLearner>();
  readonly #card: LearnerCard;
  readonly #watching: Watching;
  readonly #table: RosterTable;
  readonly #sure: HTMLDialogElement;
  #nodes: Promise<NodeTable | undefined> | undefined;
  #leaving = new AbortController();
  #labs: readonly RosterLab[] = [];
  #order: Order = 'stuck';
  #lab: RosterLab | undefined;
  /** The instructor has chosen the lab; until then it is the one that the class is at. */
  #isChosen = false;
  #waiting = false;

  constructor(page: HTMLElement) {
    this.#page = page;
    const dialog = (name: string) =>
      page.querySelector(`[data-dialog="${name}"]`) as HTMLDialogElement;
    this.#watching = new Watching(dialog('watch'));
    this.#sure = dialog('sure');
    this.#card = new LearnerCard(dialog('learner'), this.#sure, this.#watching);
    this.#table = new RosterTable(this.#part('table') as HTMLTableElement);
    this.#listen();
    setInterval(() => this.#paintSoon(), CLOCK_MS);
  }

  async open(): Promise<void> {
    try {
      const view = await request<ClassView>('GET', '/api/class');
      if (view.mode === 'single') return this.#show('none');
      this.#part('class-name').textContent = view.name;
      if (!view.instructor) {
        this.#show('sign-in');
        (this.#part('secret') as HTMLInputElement).focus();
        return;
      }
      this.#begin();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#show('none');
      this.#part('none-text').textContent = `${error.message} ${error.remedy}`;
    }
  }

  #begin(): void {
    this.#show('room');
    const showLost = (lost: boolean) => {
      this.#part('link').hidden = !lost;
    };
    keepLive<RosterEvent>(
      '/api/class/roster/events',
      {
        onEvent: (event) => this.#hear(event),
        onLive: () => showLost(false),
        onLost: () => showLost(true),
        onRefused: async () => {
          showLost(true);
          return this.#isStillIn();
        },
      },
      this.#leaving.signal,
    );
  }

  /** The server knows whether this browser is the instructor's still; where it is not, there is nothing to ask for. */
  async #isStillIn(): Promise<boolean> {
    const view = await request<ClassView>('GET', '/api/class');
    if (view.mode === 'class' && view.instructor) return true;
    this.#leaving.abort();
    this.#leaving = new AbortController();
    this.#show('sign-in');
    this.#part('secret-error').textContent =
      'This browser is not signed in as the instructor any more. Sign in with the newest secret.';
    return false;
  }

  #hear(event: RosterEvent): void {
    switch (event.type) {
      case 'roster': {
        // Those of a Swarm follow, where the server has one still.
        void this.#nodes?.then((table) => table?.paint([]));
        this.#learners.clear();
        for (const learner of event.learners) this.#learners.set(learner.id, learner);
        this.#labs = event.labs;
        this.#lab = event.labs.find(({ name }) => name === this.#lab?.name) ?? event.labs[0];
        this.#part('code').textContent = event.code;
        const origin = originFor(event.origin);
        this.#card.origin = origin;
        this.#showAddress('join-link', `${origin}${withBase('/join/')}#code=${event.code}`);
        this.#showAddress('check-link', origin + withBase('/check/'));
        this.#paintLabs();
        break;
      }
      case 'learner': {
        const before = this.#learners.get(event.learner.id);
        this.#learners.set(event.learner.id, event.learner);
        if (event.learner.handAt !== undefined && before?.handAt === undefined) {
          this.#announce(`${event.learner.name} has raised a hand.`);
        }
        this.#watching.update(event.learner);
        if (this.#lab) this.#card.update(event.learner, this.#lab);
        break;
      }
      case 'left':
        this.#learners.delete(event.id);
        this.#card.gone(event.id);
        break;
      case 'nodes':
        return void this.#showNodes(event.nodes);
    }
    if (!this.#isChosen) this.#follow();
    this.#paintSoon();
  }

  /** Without a Swarm none of it is loaded. */
  async #showNodes(nodes: readonly NodeView[]): Promise<void> {
    this.#nodes ??= import('./node-table.ts')
      .then(
        ({ NodeTable }) =>
          new NodeTable(this.#part('counts').parentElement as HTMLElement, this.#sure),
      )
      // Where it cannot be fetched, the next event asks again.
      .catch(() => (this.#nodes = undefined));
    (await this.#nodes)?.paint(nodes);
  }

  #follow(): void {
    const lab = busiestLab(this.#learners.values(), this.#labs, this.#lab);
    if (lab === this.#lab) return;
    this.#lab = lab;
    this.#paintLabs();
  }

  /** Once a frame, however much happens. */
  #paintSoon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#paint();
    });
  }

  #paint(): void {
    const lab = this.#lab;
    if (!lab) return;
    const now = Date.now();
    const learners = [...this.#learners.values()];
    this.#table.paint(learners, lab, this.#order, now);
    set(this.#part('empty'), 'hidden', learners.length > 0);
    set(this.#part('grid'), 'hidden', learners.length === 0);
    const here = learners.filter(({ present }) => present).length;
    const hands = learners.filter(({ handAt }) => handAt !== undefined).length;
    setText(
      this.#part('counts'),
      `${learners.length} ${learners.length === 1 ? 'learner' : 'learners'}, ${here} here` +
        (hands > 0 ? `, ${hands} ${hands === 1 ? 'hand' : 'hands'} up` : ''),
    );
    this.#paintCrowds(lab, now);
  }

  #paintCrowds(lab: RosterLab, now: number): void {
    const stuck = crowds(this.#learners.values(), lab, now).slice(0, CROWDS_SHOWN);
    set(this.#part('stuck'), 'hidden', stuck.length === 0);
    const list = this.#part('stuck-list');
    while (list.childElementCount > stuck.length) list.lastElementChild?.remove();
    for (const [index, { step, learners, since }] of stuck.entries()) {
      const line =
        list.children[index] ?? list.appendChild(make('li', {}, make('strong'), make('span')));
      const [where = null, who = null] = line.children;
      setText(where, `${step.section}: ${step.title}`);
      setText(
        who,
        ` — ${learners} ${learners === 1 ? 'learner' : 'learners'}, longest ${duration(now - since)}`,
      );
    }
  }

  #paintLabs(): void {
    const select = this.#part('lab') as HTMLSelectElement;
    select.replaceChildren(
      ...this.#labs.map(({ name, title }) =>
        make('option', { value: name, selected: name === this.#lab?.name }, title),
      ),
    );
    for (const item of this.#page.querySelectorAll<HTMLElement>('[data-notes-of]')) {
      item.hidden = !this.#labs.some(({ name }) => name === item.dataset.notesOf);
    }
    // One lab is no choice, but its name says what the table is about.
    this.#part('lab-choice').hidden = this.#labs.length === 0;
  }

  #listen(): void {
    const on = (name: string, kind: string, action: (event: Event) => void) =>
      this.#part(name).addEventListener(kind, action);
    on('sign-in-form', 'submit', (event) => {
      event.preventDefault();
      void this.#signIn();
    });
    on('sign-out', 'click', () => {
      void request('DELETE', '/api/class/instructor').then(() => location.reload());
    });
    on('copy-join', 'click', () => {
      void copyBox(this.#part('join-link'), this.#part('copied'));
    });
    on('lab', 'change', ({ target }) => {
      this.#isChosen = true;
      this.#lab = this.#labs.find(({ name }) => name === (target as HTMLSelectElement).value);
      this.#paint();
    });
    on('order', 'change', ({ target }) => {
      const wanted = (target as HTMLSelectElement).value;
      this.#order = ORDERS.find((order) => order === wanted) ?? 'stuck';
      this.#paint();
    });
    on('say-form', 'submit', (event) => {
      event.preventDefault();
      void this.#sayToAll();
    });
    on('table', 'click', ({ target }) => {
      const id = (target as Element).closest<HTMLElement>('[data-open]')?.dataset.open;
      const learner = id === undefined ? undefined : this.#learners.get(id);
      if (learner && this.#lab) this.#card.open(learner, this.#lab);
    });
  }

  async #signIn(): Promise<void> {
    const box = this.#part('secret') as HTMLInputElement;
    this.#part('secret-error').textContent = '';
    try {
      await request('POST', '/api/class/instructor', { secret: box.value });
      box.value = '';
      this.#begin();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#part('secret-error').textContent = `${error.message} ${error.remedy}`;
      box.focus();
    }
  }

  async #sayToAll(): Promise<void> {
    const box = this.#part('say-text') as HTMLInputElement;
    if (box.value.trim() === '') return box.focus();
    try {
      await request('POST', '/api/class/messages', { text: box.value });
      box.value = '';
      this.#announce('Sent to everybody.');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#announce(`${error.message} ${error.remedy}`);
    }
  }

  #announce(text: string): void {
    this.#part('says').textContent = text;
  }

  #showAddress(part: string, address: string): void {
    const link = this.#part(part) as HTMLAnchorElement;
    link.href = address;
    link.textContent = address;
  }

  #show(part: 'none' | 'sign-in' | 'room'): void {
    this.#page.dataset.shows = part;
  }

  #part(name: string): HTMLElement {
    return this.#page.querySelector(`[data-room="${name}"]`) as HTMLElement;
  }
}

/** Where learners find the server: by the address of this page, unless only this machine finds that. */
function originFor(told: string | undefined): string {
  const isHereAlone = ['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname);
  return isHereAlone && told !== undefined ? told : location.origin;
}

const page = document.querySelector<HTMLElement>('[data-page="instructor"]');
if (page) void new InstructorPage(page).open();
