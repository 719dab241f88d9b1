import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { ClassStatus, MessageView, RosterEvent, RosterLab } from '#protocol';
import type { Background } from '../base/background.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Store } from '../store/store.ts';
import type { Class } from './class.ts';
import { RosterEntry } from './roster-entry.ts';

/** Ten hosts' states and some checks change within a moment; the roster is told once. Less than anybody sees (ms). */
const TOGETHER_MS = 100;
/** A page that is opened later than this has no use for what was said (ms). */
const MESSAGE_LIVES_MS = 60 * 60 * 1_000;
const MESSAGES_KEPT = 50;

export interface RosterOptions {
  readonly classroom: Class;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly background: Background;
  readonly labs: ReadonlyMap<string, Lab>;
}

interface Message extends MessageView {
  /** The one learner that it is for, or everybody. */
  readonly to: string | undefined;
}

/** Everybody in the room, live: what the instructor sees of the learners, and what each learner sees of the instructor. */
export class Roster implements Disposable {
  readonly #options: RosterOptions;
  readonly #labs: readonly RosterLab[];
  readonly #seats = new Map<string, RosterEntry>();
  readonly #listeners = new Set<(event: RosterEvent) => void>();
  readonly #places = new Map<string, Set<(place: ClassStatus) => void>>();
  readonly #changed = new Set<string>();
  #messages: readonly Message[] = [];
  #telling: NodeJS.Timeout | undefined;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#labs = [...options.labs].map(([name, lab]) => ({
      name,
      title: lab.title,
      steps: lab.sections.flatMap((section) =>
        section.checks.map(({ id, title }) => ({ id, title, section: section.title })),
      ),
    }));
  }

  /** Seats whoever has joined before. Sessions that an earlier server left must be known by now. */
  open(): void {
    for (const { learner } of this.#options.classroom.members) this.entry(learner);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#telling);
    for (const seat of this.#seats.values()) seat[Symbol.dispose]();
    this.#seats.clear();
    this.#listeners.clear();
    this.#places.clear();
  }

  get classroom(): Class {
    return this.#options.classroom;
  }

  get labs(): readonly RosterLab[] {
    return this.#labs;
  }

  get entries(): readonly RosterEntry[] {
    return [...this.#seats.values()];
  }

  /** @throws QuaysideError LEARNER_UNKNOWN */
  entry(learner: string): RosterEntry {
    const known = this.#seats.get(learner);
    if (known) return known;
    const { classroom: room, sessions, labs } = this.#options;
    const member = room.members.find((each) => each.learner === learner);
    if (!member) throw learnerUnknown();
    const seat = new RosterEntry({ member, labs, sessions, onChange: () => this.#change(learner) });
    this.#seats.set(learner, seat);
    this.#change(learner);
    return seat;
  }

  /** Calls `listener` with the whole roster at once, then with every change, until disposed. */
  subscribe(listener: (event: RosterEvent) => void): Disposable {
    const { classroom: room } = this.#options;
    this.#listeners.add(listener);
    listener({
      type: 'roster',
      className: room.name,
      code: room.code,
      labs: this.#labs,
      learners: this.entries.map((seat) => seat.view()),
    });
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
      },
    };
  }

  /** Calls `listener` with the learner's own place at once and after every change; meanwhile they are present. */
  subscribeStatus(learner: string, listener: (place: ClassStatus) => void): Disposable {
    const attending = this.entry(learner).attend();
    const listeners = this.#places.get(learner) ?? new Set();
    this.#places.set(learner, listeners.add(listener));
    listener(this.#place(learner));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        attending[Symbol.dispose]();
      },
    };
  }

  setHand(learner: string, raised: boolean): void {
    const seat = this.entry(learner);
    if (raised === (seat.handAt !== undefined)) return;
    const at = raised ? Date.now() : undefined;
    this.#options.store.classes.setHand(learner, at);
    seat.handAt = at;
    this.#tellPlace(learner);
  }

  setMayType(learner: string, allowed: boolean): void {
    this.entry(learner).mayType = allowed;
    this.#tellPlace(learner);
  }

  /** The instructor looks at a terminal of theirs until disposed; they are told before anything of it is shown. */
  watch(learner: string, terminal: string): Disposable {
    const watching = this.entry(learner).watch(terminal);
    this.#tellPlace(learner);
    return {
      [Symbol.dispose]: () => {
        watching[Symbol.dispose]();
        this.#tellPlace(learner);
      },
    };
  }

  /** Says something to everybody, or to one. */
  sendMessage(text: string, to?: string): void {
    if (to !== undefined) this.entry(to);
    const message = { id: randomBytes(6).toString('hex'), at: Date.now(), text, to };
    this.#messages = [...this.#messages, message].slice(-MESSAGES_KEPT);
    for (const learner of to === undefined ? this.#places.keys() : [to]) this.#tellPlace(learner);
  }

  /** The learner leaves the class for good, with everything that is kept of them. */
  remove(learner: string): void {
    const seat = this.entry(learner);
    const { sessions, store } = this.#options;
    sessions.forget(learner, 'You were removed from this class.');
    seat[Symbol.dispose]();
    this.#seats.delete(learner);
    this.#places.delete(learner);
    this.#changed.delete(learner);
    store.removeLearner(learner);
    this.#tell({ type: 'left', id: learner });
  }

  #place(learner: string): ClassStatus {
    const seat = this.entry(learner);
    const since = Date.now() - MESSAGE_LIVES_MS;
    return {
      name: seat.member.name,
      className: this.#options.classroom.name,
      ...(seat.handAt !== undefined && { handAt: seat.handAt }),
      mayType: seat.mayType,
      watched: seat.watched,
      messages: this.#messages
        .filter(({ to, at }) => (to === undefined || to === learner) && at >= since)
        .filter(({ to, at }) => to !== undefined || at >= seat.member.joinedAt)
        .map(({ id, at, text }) => ({ id, at, text })),
    };
  }

  #tellPlace(learner: string): void {
    const listeners = this.#places.get(learner);
    if (!listeners || listeners.size === 0) return;
    const place = this.#place(learner);
    for (const listener of listeners) listener(place);
  }

  #change(learner: string): void {
    this.#changed.add(learner);
    this.#telling ??= setTimeout(
      this.#options.background.guard('the roster', () => this.#tellChanged()),
      TOGETHER_MS,
    );
  }

  #tellChanged(): void {
    this.#telling = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const each of changed) {
      const seat = this.#seats.get(each);
      if (seat) this.#tell({ type: 'learner', learner: seat.view() });
    }
  }

  #tell(event: RosterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function learnerUnknown(): QuaysideError {
  return new QuaysideError(
    'LEARNER_UNKNOWN',
    'There is no such learner in this class, or no more.',
    'Look at the roster; it is always as it is now.',
  );
}
