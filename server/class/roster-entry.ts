import type { ClassStatus, LabProgress, RosterLab, RosterLearner, SessionEvent } from '#protocol';
import { Emitter } from '../base/emitter.ts';
import type { LearnerSession, Sessions } from '../session/sessions.ts';
import type { MemberRow } from '../store/learner-records.ts';

/** One lab of a learner. */
interface LabEntry {
  readonly session: LearnerSession;
  /** Ids of the checks that do not count. */
  readonly extras: readonly string[];
  isReady: boolean;
  /** When their hosts last became ready; 0 where they have not. */
  readyAt: number;
}

/** One learner of the class: how they are in it, and how far they are in its labs. */
export class RosterEntry implements Disposable {
  readonly member: MemberRow;
  /** The learner's pages, each of which is told how they are in the class. They are present while there is one. */
  readonly pages = new Emitter<ClassStatus>();
  /** One for each terminal that the instructor looks at, as often as it is looked at. */
  readonly watching = new Set<{ readonly terminal: string }>();
  handAt: number | undefined;
  /** Whether the instructor may type: the learner's word alone, and forgotten when the server stops. */
  mayType = false;
  readonly #labs = new Map<string, LabEntry>();
  readonly #subscriptions: Disposable[] = [];
  readonly #onChange: () => void;

  /** @param onChange what the roster shows of their sessions has changed */
  constructor(
    member: MemberRow,
    labs: Iterable<Pick<RosterLab, 'name' | 'steps'>>,
    sessions: Sessions,
    onChange: () => void,
  ) {
    this.member = member;
    this.handAt = member.handAt;
    this.#onChange = onChange;
    for (const { name, steps } of labs) {
      const session = sessions.of(member.learner, name);
      const extras = steps.flatMap(({ id, optional }) => (optional ? [id] : []));
      const entry = { session, extras, isReady: false, readyAt: 0 };
      this.#labs.set(name, entry);
      this.#subscriptions.push(session.observe((event) => this.#hear(entry, event)));
    }
  }

  [Symbol.dispose](): void {
    for (const each of this.#subscriptions) each[Symbol.dispose]();
  }

  view(): RosterLearner {
    return {
      id: this.member.learner,
      name: this.member.name,
      joinedAt: this.member.joinedAt,
      ...(this.handAt !== undefined && { handAt: this.handAt }),
      present: this.pages.size > 0,
      mayType: this.mayType,
      labs: Object.fromEntries([...this.#labs].map(([name, entry]) => [name, progress(entry)])),
    };
  }

  #hear(entry: LabEntry, event: SessionEvent): void {
    const status = event.type === 'snapshot' ? event.snapshot.status : undefined;
    const { state } = event.type === 'status' ? event.status : (status ?? {});
    if (state !== undefined) {
      if (state === 'ready' && !entry.isReady) entry.readyAt = Date.now();
      entry.isReady = state === 'ready';
    } else if (event.type !== 'checks' && event.type !== 'terminals') {
      // Values and visits are the learner's own.
      return;
    }
    this.#onChange();
  }
}

function progress({ session, extras, readyAt }: LabEntry): LabProgress {
  const { status, checks, terminals } = session.snapshot();
  const passed = Object.fromEntries(
    checks.flatMap((check) => (check.state === 'passed' ? [[check.id, check.passedAt]] : [])),
  );
  const helped = Object.fromEntries(
    checks.flatMap((check) =>
      check.state === 'passed' && check.help ? [[check.id, check.help]] : [],
    ),
  );
  const counted = checks.filter(({ id }) => !extras.includes(id));
  const next = counted.find((check) => check.state !== 'passed');
  const hosts = 'hosts' in status ? status.hosts : [];
  const isUp = status.state === 'ready';
  return {
    state: status.state,
    hosts: hosts.map(({ name, phase, detail }) => ({ name, phase, detail })),
    ...(status.state === 'stopped' && {
      stopped: { since: status.since, until: status.until },
    }),
    passed,
    helped,
    ...(isUp &&
      next && {
        at: {
          check: next.id,
          state: next.state,
          reason: next.reason,
          since: Math.max(readyAt, ...Object.values(passed)),
        },
      }),
    terminals: isUp ? terminals : [],
  };
}
