import type { CheckView, SessionEvent, SessionSnapshot, VisitView, WhyStopped } from '#protocol';
import type { LinkState } from './session-link.ts';

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

  /** Resolves once the session is ready; rejects if it fails, ends, or `signal` is aborted. */
  whenReady(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const state = this.#view.snapshot?.status.state;
        const settled = ['ready', 'failed', 'ended', 'stopped'].includes(state ?? '');
        if (!settled && !signal.aborted) return;
        this.#listeners.delete(look);
        if (state === 'ready') resolve();
        else reject(new DOMException('The session did not get ready.', 'AbortError'));
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
