import type { WebSocket } from 'ws';
import type {
  Beat,
  CheckView,
  SessionEvent,
  SessionSnapshot,
  SessionStatus,
  TerminalView,
} from '#protocol';
import { type Awaited, Changes, type Patience } from './changes.ts';
import { type HttpClient, opened } from './http.ts';

/** The event socket of one learner's session of one lab: the session as a page knows it, and every event as it comes. */
export class SessionEvents implements Disposable {
  readonly #socket: WebSocket;
  readonly #changes = new Changes();
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  readonly #passedAt = new Map<string, number>();
  #snapshot: SessionSnapshot;
  #statusesHeard = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#snapshot = NOTHING_YET;
    socket.on('message', (data: Buffer) => {
      const said = JSON.parse(data.toString()) as SessionEvent | Beat;
      if (said.type !== 'beat') this.#take(said);
    });
    socket.on('close', (code, reason) =>
      this.#changes.close(`the event socket closed: ${code} ${reason}`),
    );
  }

  /** Settles when the server has told how the session stands. */
  static async open(http: HttpClient, lab: string, patience: Patience): Promise<SessionEvents> {
    const socket = http.socket(`/api/labs/${lab}/events`);
    // Listening before it is open: the server speaks first.
    const events = new SessionEvents(socket);
    await opened(socket, patience);
    await events.until({
      ...patience,
      what: 'a first snapshot',
      look: () => events.#statusesHeard > 0,
      seen: () => 'nothing',
    });
    return events;
  }

  /** The session as it is now. */
  get snapshot(): SessionSnapshot {
    return this.#snapshot;
  }

  get status(): SessionStatus {
    return this.#snapshot.status;
  }

  get terminals(): readonly TerminalView[] {
    return this.#snapshot.terminals;
  }

  /** How many times the server has told the session's status: a later count is a later look. */
  get statusesHeard(): number {
    return this.#statusesHeard;
  }

  check(id: string): CheckView {
    const known = this.#snapshot.checks.find((check) => check.id === id);
    return known ?? { id, state: 'unknown', reason: 'never shown' };
  }

  /** Ids of the checks that are passed. */
  get passed(): readonly string[] {
    return this.#snapshot.checks.filter(({ state }) => state === 'passed').map(({ id }) => id);
  }

  /** When a check was first heard to have passed, by `performance.now()`. */
  passedAt(check: string): number | undefined {
    return this.#passedAt.get(check);
  }

  /** A value's text as the page shows it. */
  value(id: string): string | undefined {
    return this.#snapshot.values.find((value) => value.id === id)?.text;
  }

  /** Tells everything that comes from now on. */
  onEvent(listener: (event: SessionEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /**
   * What `look` finds, asked again after everything that the server tells.
   *
   * @throws ExpectationFailed when the time is over, or the socket is closed
   */
  until<T>(awaited: Awaited<T>): Promise<T> {
    return this.#changes.until(awaited);
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #take(event: SessionEvent): void {
    this.#snapshot = applied(this.#snapshot, event);
    if (event.type === 'snapshot' || event.type === 'status') this.#statusesHeard += 1;
    if (event.type === 'snapshot') this.#notePasses(event.snapshot.checks);
    if (event.type === 'checks') this.#notePasses(event.checks);
    for (const listener of [...this.#listeners]) listener(event);
    this.#changes.emit();
  }

  #notePasses(checks: readonly CheckView[]): void {
    const now = performance.now();
    for (const { id, state } of checks) {
      if (state !== 'passed') this.#passedAt.delete(id);
      else if (!this.#passedAt.has(id)) this.#passedAt.set(id, now);
    }
  }
}

const NOTHING_YET: SessionSnapshot = {
  lab: '',
  status: { state: 'none' },
  checks: [],
  values: [],
  terminals: [],
  answers: {},
  runs: [],
  guide: { state: 'idle' },
};

/** The session after an event. */
export function applied(before: SessionSnapshot, event: SessionEvent): SessionSnapshot {
  switch (event.type) {
    case 'snapshot':
      return event.snapshot;
    case 'status':
      return { ...before, status: event.status };
    case 'runs':
      return { ...before, runs: event.runs };
    case 'checks':
      return { ...before, checks: merged(before.checks, event.checks) };
    case 'values':
      return { ...before, values: merged(before.values, event.values) };
    case 'terminals':
      return { ...before, terminals: event.terminals };
    case 'guide':
      return { ...before, guide: event.guide };
    case 'ending': {
      const { ending: _, ...rest } = before;
      return event.ending ? { ...rest, ending: event.ending } : rest;
    }
    default:
      return before;
  }
}

function merged<T extends { readonly id: string }>(
  known: readonly T[],
  changed: readonly T[],
): readonly T[] {
  const byId = new Map(known.map((each) => [each.id, each]));
  for (const each of changed) byId.set(each.id, each);
  return [...byId.values()];
}
