import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { ClassStatus, MessageView, RosterEvent, RosterLab } from '#protocol';
import type { Background } from '../base/background.ts';
import { Emitter } from '../base/emitter.ts';
import { QuaysideError } from '../base/errors.ts';
import { Timers } from '../base/timers.ts';
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

/** The learners of a class, live: what the instructor sees of them, and what each of them sees of the instructor. */
export class Roster implements Disposable {
  readonly classroom: Class;
  readonly labs: readonly RosterLab[];
  /** Where learners' browsers find this server; known once it listens. */
  origin: string | undefined;
  readonly #options: RosterOptions;
  readonly #entries = new Map<string, RosterEntry>();
  readonly #instructors = new Emitter<RosterEvent>();
  readonly #changed = new Set<string>();
  readonly #timers = new Timers();
  #messages: readonly Message[] = [];

  constructor(options: RosterOptions) {
    this.#options = options;
    this.classroom = options.classroom;
    this.labs = [...options.labs].map(([name, lab]) => ({
      name,
      title: lab.title,
      steps: lab.sections.flatMap((section) =>
        section.checks.map(({ id, title, optional }) => ({
          ...{ id, title, section: section.title },
          ...(optional && { optional }),
        })),
      ),
    }));
  }

  /** Takes in whoever has joined before. Sessions that an earlier server left must be known by now. */
  open(): void {
    for (const { learner } of this.classroom.members) this.entry(learner);
  }

  [Symbol.dispose](): void {
    this.#timers[Symbol.dispose]();
    for (const entry of this.#entries.values()) entry[Symbol.dispose]();
    this.#entries.clear();
  }

  get entries(): readonly RosterEntry[] {
    return [...this.#entries.values()];
  }

  /** @throws QuaysideError LEARNER_UNKNOWN */
  entry(learner: string): RosterEntry {
    const known = this.#entries.get(learner);
    if (known) return known;
    const { sessions } = this.#options;
    const member = this.classroom.members.find((each) => each.learner === learner);
    if (!member) throw learnerUnknown();
    const entry = new RosterEntry(member, this.labs, sessions, () => this.#change(learner));
    this.#entries.set(learner, entry);
    this.#change(learner);
    return entry;
  }

  /**
   * Calls `listener` with the whole roster at once, then with every change, until disposed. Of a Swarm's nodes it is told
   * as well.
   */
  subscribe(listener: (event: RosterEvent) => void): Disposable {
    const { name: className, code } = this.classroom;
    const learners = this.entries.map((entry) => entry.view());
    const listening = this.#instructors.on(listener);
    const { origin, labs } = this;
    listener({ type: 'roster', className, code, ...(origin && { origin }), labs, learners });
    const { nodeWatch } = this.#options.sessions;
    const nodes = nodeWatch?.subscribe((all) => listener({ type: 'nodes', nodes: all }));
    return {
      [Symbol.dispose]: () => {
        listening[Symbol.dispose]();
        nodes?.[Symbol.dispose]();
      },
    };
  }

  /** Calls `listener` with how the learner is in the class, now and after every change; meanwhile they are present. */
  subscribeStatus(learner: string, listener: (status: ClassStatus) => void): Disposable {
    const entry = this.entry(learner);
    const page = entry.pages.on(listener);
    this.#change(learner);
    listener(this.#status(entry));
    return {
      [Symbol.dispose]: () => {
        page[Symbol.dispose]();
        this.#change(learner);
      },
    };
  }

  setHand(learner: string, raised: boolean): void {
    const entry = this.entry(learner);
    if (raised === (entry.handAt !== undefined)) return;
    const at = raised ? Date.now() : undefined;
    this.#options.store.learners.setHand(learner, at);
    entry.handAt = at;
    this.#change(learner);
    this.#tellStatus(entry);
  }

  setMayType(learner: string, allowed: boolean): void {
    const entry = this.entry(learner);
    entry.mayType = allowed;
    this.#change(learner);
    this.#tellStatus(entry);
  }

  /** The instructor looks at a terminal of theirs until disposed; they are told before anything of it is shown. */
  watch(learner: string, terminal: string): Disposable {
    const entry = this.entry(learner);
    const watching = { terminal };
    entry.watching.add(watching);
    this.#tellStatus(entry);
    return {
      [Symbol.dispose]: () => {
        if (entry.watching.delete(watching)) this.#tellStatus(entry);
      },
    };
  }

  /** Says something to everybody, or to one. */
  sendMessage(text: string, to?: string): void {
    const meant = to === undefined ? this.entries : [this.entry(to)];
    const message = { id: randomBytes(6).toString('hex'), at: Date.now(), text, to };
    this.#messages = [...this.#messages, message].slice(-MESSAGES_KEPT);
    for (const entry of meant) this.#tellStatus(entry);
  }

  /** The learner leaves the class for good, with everything that is kept of them. */
  remove(learner: string): void {
    const entry = this.entry(learner);
    const { sessions, store } = this.#options;
    sessions.forget(learner, 'You were removed from this class.');
    entry[Symbol.dispose]();
    this.#entries.delete(learner);
    store.removeLearner(learner);
    this.#instructors.emit({ type: 'left', id: learner });
  }

  #status({ member, handAt, mayType, watching }: RosterEntry): ClassStatus {
    const oldest = Date.now() - MESSAGE_LIVES_MS;
    const isFor = ({ to, at }: Message) =>
      at >= oldest && (to === undefined ? at >= member.joinedAt : to === member.learner);
    return {
      name: member.name,
      className: this.classroom.name,
      ...(handAt !== undefined && { handAt }),
      mayType,
      watched: [...new Set([...watching].map(({ terminal }) => terminal))],
      messages: this.#messages.filter(isFor).map(({ id, at, text }) => ({ id, at, text })),
    };
  }

  #tellStatus(entry: RosterEntry): void {
    if (entry.pages.size > 0) entry.pages.emit(this.#status(entry));
  }

  #change(learner: string): void {
    this.#changed.add(learner);
    const tell = this.#options.background.guard('the roster', () => this.#tellChanged());
    this.#timers.setOnce('tell', TOGETHER_MS, tell);
  }

  #tellChanged(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    // Whoever opens the roster later gets all of it.
    if (this.#instructors.size === 0) return;
    for (const learner of changed) {
      const entry = this.#entries.get(learner);
      if (entry) this.#instructors.emit({ type: 'learner', learner: entry.view() });
    }
  }
}

function learnerUnknown(): QuaysideError {
  return new QuaysideError(
    'LEARNER_UNKNOWN',
    'There is no such learner in this class, or no more.',
    'Look at the roster; it is always as it is now.',
  );
}
