import type { Lab } from '#lab';
import type {
  CheckView,
  LabProgress,
  RosterLearner,
  SessionEvent,
  SessionStatus,
  TerminalView,
} from '#protocol';
import type { Sessions } from '../session/sessions.ts';
import type { MemberRow } from '../store/classes.ts';

/** What is known of one lab of a learner. */
interface LabState {
  readonly lab: Lab;
  status: SessionStatus;
  checks: Map<string, CheckView>;
  terminals: readonly TerminalView[];
  /** When their hosts last became ready; 0 where that was before this server started. */
  readyAt: number;
}

export interface RosterEntryOptions {
  readonly member: MemberRow;
  readonly labs: ReadonlyMap<string, Lab>;
  readonly sessions: Sessions;
  /** What the roster shows of them has changed. */
  readonly onChange: () => void;
}

/** One learner in the room: listens to their sessions and keeps what the roster shows of them. */
export class RosterEntry implements Disposable {
  readonly member: MemberRow;
  readonly #labs = new Map<string, LabState>();
  readonly #subscriptions: readonly Disposable[];
  readonly #onChange: () => void;
  readonly #watched = new Map<string, number>();
  #handAt: number | undefined;
  #mayType = false;
  #pages = 0;

  constructor({ member, labs, sessions, onChange }: RosterEntryOptions) {
    this.member = member;
    this.#handAt = member.handAt;
    this.#onChange = onChange;
    for (const [name, lab] of labs) {
      this.#labs.set(name, {
        lab,
        status: { state: 'none' },
        checks: new Map(),
        terminals: [],
        readyAt: 0,
      });
    }
    this.#subscriptions = [...this.#labs].map(([name, state]) =>
      sessions.of(member.learner, name).observe((event) => this.#hear(state, event)),
    );
  }

  [Symbol.dispose](): void {
    for (const each of this.#subscriptions) each[Symbol.dispose]();
  }

  get handAt(): number | undefined {
    return this.#handAt;
  }

  set handAt(at: number | undefined) {
    this.#handAt = at;
    this.#onChange();
  }

  /** Whether the instructor may type: the learner's word alone, and forgotten when the server stops. */
  get mayType(): boolean {
    return this.#mayType;
  }

  set mayType(allowed: boolean) {
    this.#mayType = allowed;
    this.#onChange();
  }

  /** The terminals that the instructor looks at. */
  get watched(): readonly string[] {
    return [...this.#watched.keys()];
  }

  /** The instructor looks at a terminal, until disposed. */
  watch(terminal: string): Disposable {
    this.#watched.set(terminal, (this.#watched.get(terminal) ?? 0) + 1);
    let over = false;
    return {
      [Symbol.dispose]: () => {
        if (over) return;
        over = true;
        const left = (this.#watched.get(terminal) ?? 1) - 1;
        if (left > 0) this.#watched.set(terminal, left);
        else this.#watched.delete(terminal);
      },
    };
  }

  /** One of their pages is open, until disposed. */
  attend(): Disposable {
    this.#pages += 1;
    if (this.#pages === 1) this.#onChange();
    return {
      [Symbol.dispose]: () => {
        this.#pages -= 1;
        if (this.#pages === 0) this.#onChange();
      },
    };
  }

  view(): RosterLearner {
    return {
      id: this.member.learner,
      name: this.member.name,
      joinedAt: this.member.joinedAt,
      ...(this.#handAt !== undefined && { handAt: this.#handAt }),
      present: this.#pages > 0,
      mayType: this.#mayType,
      labs: Object.fromEntries([...this.#labs].map(([name, state]) => [name, progress(state)])),
    };
  }

  #hear(state: LabState, event: SessionEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.#becomes(state, event.snapshot.status);
        state.checks = new Map(event.snapshot.checks.map((check) => [check.id, check]));
        state.terminals = event.snapshot.terminals;
        break;
      case 'status':
        this.#becomes(state, event.status);
        break;
      case 'checks':
        for (const check of event.checks) state.checks.set(check.id, check);
        break;
      case 'terminals':
        state.terminals = event.terminals;
        break;
      default:
        // Values and visits are the learner's own.
        return;
    }
    this.#onChange();
  }

  #becomes(state: LabState, status: SessionStatus): void {
    const wasReady = state.status.state === 'ready';
    if (status.state === 'ready' && !wasReady) state.readyAt = Date.now();
    state.status = status;
  }
}

function progress({ lab, status, checks, terminals, readyAt }: LabState): LabProgress {
  const passed: Record<string, number> = {};
  for (const check of checks.values())
    if (check.state === 'passed') passed[check.id] = check.passedAt;
  const next = lab.checks
    .map(({ id }) => checks.get(id))
    .find((check) => check !== undefined && check.state !== 'passed');
  const isUp = status.state === 'ready';
  return {
    state: status.state,
    hosts: 'hosts' in status ? status.hosts.map(hostLine) : [],
    passed,
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

function hostLine({
  name,
  phase,
  detail,
}: {
  name: string;
  phase: LabProgress['hosts'][number]['phase'];
  detail: string;
}) {
  return { name, phase, detail };
}
