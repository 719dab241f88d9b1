import type { CheckView, SessionEvent, SessionSnapshot, VisitView, WhyStopped } from '#protocol';
import type { LinkState } from './session-link.ts';

/** From these a session does not get ready by itself; in the first it is. */
const SETTLED: readonly string[] = ['ready', 'failed', 'ended', 'stopped'];

/** All that the page knows of the session. `snapshot` is absent until the server has answered. */
export interface LabView {
  readonly link: LinkState;
  readonly snapshot?: SessionSnapshot;
}

/** What changed between two views, for those who announce rather than paint. */
export interface LabChange {
  readonly view: LabView;
  readonly before: LabView;
  /** A page was opened in the pane. */
  readonly visit?: VisitView;
  /** Why a block was not typed to its end. */
  readonly stopped?: WhyStopped;
}

/** The one place where the page keeps the session: events come in, painters are told. */
export class LabState {
  #view: LabView = { link: { state: 'connecting' } };
  readonly #listeners = new Set<(change: LabChange) => void>();

  get view(): LabView {
    return this.#view;
  }

  /** Calls `listener` with every change. */
  subscribe(listener: (change: LabChange) => void): void {
    this.#listeners.add(listener);
  }

  setLink(link: LinkState): void {
    this.#replace({ ...this.#view, link });
  }

  /**
   * Takes what the server has answered a request. Where the link is live, it has told the same, and what has come of it
   * since: an answer may come after that, and would stay for good.
   */
  answered(snapshot: SessionSnapshot): void {
    if (this.#view.link.state !== 'live') this.apply({ type: 'snapshot', snapshot });
  }

  apply(event: Exclude<SessionEvent, { readonly type: 'windows' }>): void {
    if (event.type === 'snapshot') {
      this.#replace({ ...this.#view, snapshot: event.snapshot });
      return;
    }
    const { snapshot } = this.#view;
    if (!snapshot) return;
    switch (event.type) {
      case 'status':
        this.#replace({ ...this.#view, snapshot: { ...snapshot, status: event.status } });
        return;
      case 'checks':
        this.#replace({
          ...this.#view,
          snapshot: { ...snapshot, checks: merge(snapshot.checks, event.checks) },
        });
        return;
      case 'values':
        this.#replace({
          ...this.#view,
          snapshot: { ...snapshot, values: merge(snapshot.values, event.values) },
        });
        return;
      case 'terminals':
        this.#replace({ ...this.#view, snapshot: { ...snapshot, terminals: event.terminals } });
        return;
      case 'guide':
        this.#replace({ ...this.#view, snapshot: { ...snapshot, guide: event.guide } });
        return;
      case 'runs':
        this.#replace(
          { ...this.#view, snapshot: { ...snapshot, runs: event.runs } },
          event.stopped && { stopped: event.stopped },
        );
        return;
      case 'visit':
        this.#tell({ view: this.#view, before: this.#view, visit: event.visit });
        return;
      case 'ending': {
        const { ending: _, ...rest } = snapshot;
        const { ending } = event;
        this.#replace({ ...this.#view, snapshot: ending ? { ...rest, ending } : rest });
        return;
      }
      default:
        event satisfies never;
    }
  }

  /** Whether the session is ready, once it is, or has failed or ended, or `signal` is aborted. */
  async whenReady(signal: AbortSignal): Promise<boolean> {
    await this.#until(({ status }) => SETTLED.includes(status.state), signal);
    return this.#view.snapshot?.status.state === 'ready';
  }

  /** Resolves once there is a terminal, or `signal` is aborted. */
  whenOpen(terminal: string, signal: AbortSignal): Promise<void> {
    return this.#until(({ terminals }) => terminals.some(({ id }) => id === terminal), signal);
  }

  #until(holds: (snapshot: SessionSnapshot) => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        const { snapshot } = this.#view;
        if (!signal.aborted && !(snapshot && holds(snapshot))) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      signal.addEventListener('abort', look, { once: true });
      look();
    });
  }

  #replace(view: LabView, more?: Pick<LabChange, 'stopped'>): void {
    const before = this.#view;
    this.#view = view;
    this.#tell({ view, before, ...more });
  }

  #tell(change: LabChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** How many of these checks are passed. */
export function countPassed(checks: readonly CheckView[], ids: readonly string[]): number {
  const passed = new Set(checks.filter(({ state }) => state === 'passed').map(({ id }) => id));
  return ids.filter((id) => passed.has(id)).length;
}

function merge<T extends { readonly id: string }>(
  old: readonly T[],
  changed: readonly T[],
): readonly T[] {
  const byId = new Map(old.map((each) => [each.id, each]));
  for (const each of changed) byId.set(each.id, each);
  return [...byId.values()];
}
