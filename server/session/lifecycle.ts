import type { Lab } from '#lab';
import type { SessionEvent, SessionStatus } from '#protocol';
import type { Background } from '../base/background.ts';
import { sleep, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import { Timers } from '../base/timers.ts';
import type { QueueEntry, QueuePosition } from '../capacity/admission-queue.ts';
import type { Capacity } from '../capacity/capacity.ts';
import { newSandboxId, type Slot, type Turn } from '../capacity/slot.ts';
import type { WarmSandbox } from '../capacity/warm-pool.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Journal } from '../store/journal.ts';
import type { SessionRow, Store } from '../store/store.ts';
import { type Limits, WHY_ENDED } from './expiry.ts';
import { HostStatuses } from './host-statuses.ts';
import { LiveSandbox } from './live-sandbox.ts';
import { failureOf, messageOf } from './retry.ts';
import type { Terminals } from './terminals.ts';

export const NOT_RUNNING = 'The hosts of this lab are not running.';

/**
 * How often a new sandbox is looked at before its start has failed. Most failures are a machine out of breath. The
 * hosts have not been given to the learner by then, so nothing is lost with them.
 */
const START_LOOKS = 3;
/** A learner whose pages are all closed keeps the place in the queue for so long: a reload, a walk out of the wifi. */
const PLACE_KEPT_MS = 60_000;

/** What is forgotten when a session starts over: all passes, or those of steps that were done for the learner. */
export type Forget = 'all' | 'assisted';

/** What all sessions share. */
export interface LifecycleContext {
  readonly store: Store;
  readonly capacity: Capacity;
  readonly background: Background;
  readonly limits: Limits;
}

/** What a lifecycle is made with. */
export interface LifecycleOptions extends LifecycleContext {
  readonly labName: string;
  readonly row: SessionRow;
  /** The lab, which may be written again. */
  readonly lab: () => Lab;
  readonly terminals: Terminals;
  readonly emit: (event: SessionEvent) => void;
  /** Whether a page is open. */
  readonly hasPage: () => boolean;
  /** Something is being done for the learner: what is passed now is not their own work. */
  readonly isAssisted: () => boolean;
  /** The session ends: nothing more is to be done on its hosts. */
  readonly onEnd: () => void;
  /** All of the session is new: every page gets a snapshot. */
  readonly onChanged: () => void;
}

interface Starting {
  readonly state: 'starting';
  readonly slot: Slot;
  /** Aborted when the session leaves this state for anything but `ready`. */
  readonly stop: AbortController;
  /** Absent while the sandbox before it is removed, and while others start. */
  readonly live?: LiveSandbox;
  /** Why an earlier look has failed. */
  readonly trouble?: string;
}

/** What a session holds. Each state has what it needs and nothing else. */
type Held =
  | { readonly state: 'none' }
  | { readonly state: 'ended'; readonly reason: string }
  | { readonly state: 'failed'; readonly reason: string; readonly remedy: string }
  | {
      readonly state: 'queued';
      readonly entry: QueueEntry;
      /** When it joined (ms since the epoch). */
      readonly since: number;
      readonly position?: QueuePosition;
    }
  | Starting
  | { readonly state: 'ready'; readonly slot: Slot; readonly live: LiveSandbox }
  /** The server stops. */
  | { readonly state: 'closed' };

/**
 * A session's way from the queue to its hosts and on to the end. It has one slot, and in it one sandbox at a time. The
 * sandbox is removed by the learner, the instructor or a limit. A look at the hosts that fails is followed by another.
 */
export class SessionLifecycle {
  readonly #options: LifecycleOptions;
  readonly #timers = new Timers();
  #held: Held = { state: 'none' };
  #id: string;
  #journal: Journal;
  #startedAt: number | undefined;
  #extendedMs: number;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    const { store, row } = options;
    this.#id = row.id;
    this.#journal = store.journal(row.id);
    this.#startedAt = row.startedAt;
    this.#extendedMs = row.extendedMs;
    if (row.ended !== undefined) this.#held = { state: 'ended', reason: row.ended };
  }

  /** Changes when the session takes a sandbox of the pool: the labels there are made already. */
  get id(): string {
    return this.#id;
  }

  get journal(): Journal {
    return this.#journal;
  }

  get status(): SessionStatus {
    const held = this.#held;
    switch (held.state) {
      case 'none':
      case 'closed':
        return { state: 'none' };
      case 'ended':
        return { state: 'ended', reason: held.reason };
      case 'failed':
        return { state: 'failed', reason: held.reason, remedy: held.remedy };
      case 'queued':
        return { state: 'queued', ...(held.position ?? { place: 1, because: 'busy' }) };
      case 'starting':
        return {
          state: 'starting',
          hosts: held.live?.hosts ?? new HostStatuses(this.#options.lab()).views,
          ...(held.trouble !== undefined && { trouble: held.trouble }),
        };
      case 'ready':
        return { state: 'ready', hosts: held.live.hosts };
      default:
        return held satisfies never;
    }
  }

  /** The sandbox's parts, from its first moment to its last. */
  get live(): LiveSandbox | undefined {
    return 'live' in this.#held ? this.#held.live : undefined;
  }

  /** The sandbox's id, from its first moment until it is gone from the engine. */
  get sandbox(): string | undefined {
    return 'slot' in this.#held ? this.#held.slot.sandbox : undefined;
  }

  /** The live sandbox, once the learner is let in. @throws QuaysideError SESSION_NOT_READY */
  ready(): LiveSandbox {
    if (this.#held.state === 'ready') return this.#held.live;
    const isStarting = this.#held.state === 'starting';
    throw new QuaysideError(
      'SESSION_NOT_READY',
      isStarting ? 'The hosts of this lab are still starting.' : NOT_RUNNING,
      isStarting ? 'Wait a moment and try again.' : 'Start the lab.',
    );
  }

  /** Starts the sandbox unless it is there or on its way; where the machine is full, the session waits in the queue. */
  start(): void {
    const { state } = this.#held;
    if (state === 'none' || state === 'ended' || state === 'failed') this.#join(Date.now());
    else this.#keepPlace();
  }

  /** Takes up the sandbox that an earlier server has left running. It is looked at until it is well again. */
  takeUp(): void {
    const { capacity, row, lab, store, terminals, background } = this.#options;
    if (row.sandbox === undefined || this.#held.state !== 'none') return;
    const slot = capacity.queue.takeUp();
    const labels = { instance: store.instance, sandbox: row.sandbox, session: row.id };
    const sandbox = slot.make(lab(), labels);
    terminals.expect();
    const stop = new AbortController();
    this.#begin({ slot, stop });
    const work = async (): Promise<void> => {
      const found = await withAbort(stop.signal, () => capacity.found);
      // One that is gone from the engine is made again under its id, and waits for room as a new one does.
      const makes = !found.has(sandbox.labels.sandbox);
      using turn = await slot.turn(makes, stop.signal);
      stop.signal.throwIfAborted();
      await this.#bringUp({ slot, stop, live: this.#newLive(sandbox, turn) }, turn);
    };
    background.run('take-up of a sandbox', work, stop.signal);
  }

  /** Takes its place in the queue again after the server was away. */
  rejoin(): void {
    const { queuedAt } = this.#options.row;
    if (queuedAt === undefined || this.#held.state !== 'none') return;
    this.#join(queuedAt);
  }

  /**
   * Fresh hosts in the place of these. Settles when that is kept; the removal and the start follow.
   *
   * @throws QuaysideError DISK_FULL: nothing has changed then
   */
  async startOver(forget: Forget): Promise<void> {
    const { store } = this.#options;
    if (this.#isClosed) return;
    const before = this.#held;
    const id = this.#id;
    const queuedAt = before.state === 'queued' ? before.since : Date.now();
    try {
      await store.startOver(id, { queuedAt, forget });
    } catch (error) {
      // What was kept in the same moment is taken up first.
      await sleep(0);
      // The learner was removed meanwhile, and the session with them.
      if (this.#isClosed) return;
      // A sandbox of the pool was taken meanwhile, and its session id with it.
      if (this.#id !== id) return this.startOver(forget);
      throw error;
    }
    this.#journal = store.journal(this.#id);
    const held = this.#held;
    // An end that was asked for meanwhile is the last word.
    if (this.#isClosed || (held.state === 'ended' && held !== before)) return;
    switch (held.state) {
      case 'none':
      case 'ended':
      case 'failed':
        return this.#join(queuedAt);
      case 'starting':
      case 'ready':
        this.#letGo(held);
        return this.#startIn(held.slot);
    }
  }

  /** Removes the sandbox; settles when it is gone. A server that stops meanwhile leaves it to the next one's sweep. */
  async end(reason: string): Promise<void> {
    const held = this.#held;
    if (held.state === 'closed') return;
    this.#options.store.setEnded(this.#id, reason);
    this.#options.onEnd();
    this.#become({ state: 'ended', reason });
    const gone = this.#leave(held);
    this.#options.onChanged();
    await gone.catch(() => undefined);
  }

  /** The server stops: everything here is closed, the hosts and their shells live on. */
  close(): void {
    const held = this.#held;
    this.#timers[Symbol.dispose]();
    this.#held = { state: 'closed' };
    if (held.state === 'queued') this.#options.capacity.queue.leave(held.entry);
    if (held.state === 'starting' || held.state === 'ready') this.#letGo(held);
  }

  /** A page was opened. */
  pageOpened(): void {
    this.#timers.clear('place');
  }

  /** The last page was closed. */
  noPageOpen(): void {
    this.#keepPlace();
  }

  /** More time before it ends by itself. */
  extend(): void {
    const milliseconds = this.live?.extend();
    if (milliseconds === undefined) return;
    this.#extendedMs = milliseconds;
    this.#options.store.setExtended(this.#id, milliseconds);
  }

  get #isClosed(): boolean {
    return this.#held.state === 'closed';
  }

  #join(since: number): void {
    const { store, capacity, labName } = this.#options;
    const entry: QueueEntry = {
      lab: labName,
      onSlot: (slot, turn) => this.#startIn(slot, turn),
      onWarm: (warm) => this.#takeWarm(warm),
      onPosition: (position) => this.#become({ state: 'queued', entry, since, position }),
    };
    store.setQueued(this.#id, since);
    this.#held = { state: 'queued', entry, since };
    capacity.queue.join(entry);
    this.#keepPlace();
  }

  /** A place in the queue is kept for a while where no page is open: by a new start, by a reload, until it is given up. */
  #keepPlace(): void {
    if (this.#held.state !== 'queued' || this.#options.hasPage()) return;
    const giveUp = this.#options.background.guard('a place in the queue', () => {
      const held = this.#held;
      if (held.state !== 'queued') return;
      this.#options.store.setQueued(this.#id, undefined);
      this.#become({ state: 'none' });
      this.#options.capacity.queue.leave(held.entry);
    });
    this.#timers.set('place', PLACE_KEPT_MS, giveUp);
  }

  /** Starts a new sandbox in a slot, once what is in it from before is gone. */
  #startIn(slot: Slot, given?: Turn): void {
    const { store, lab } = this.#options;
    const stop = new AbortController();
    const { signal } = stop;
    this.#begin({ slot, stop });
    this.#start({ slot, stop }, async () => {
      using turn: Turn = given ?? (await slot.clear().then(() => slot.turn(true, signal)));
      signal.throwIfAborted();
      const sandbox = newSandboxId();
      const at = Date.now();
      // The row first: after a crash it finds whatever the next lines made.
      await store.beginSandbox(this.#id, { sandbox, at }, signal);
      signal.throwIfAborted();
      this.#begun(this.#id, at);
      const labels = { instance: store.instance, sandbox, session: this.#id };
      const live = this.#newLive(slot.make(lab(), labels), turn, START_LOOKS);
      await this.#bringUp({ slot, stop, live }, turn);
    });
  }

  /** Takes a sandbox of the pool, which runs already. */
  #takeWarm({ slot, sandbox, terminals }: WarmSandbox): void {
    const { store } = this.#options;
    const stop = new AbortController();
    this.#begin({ slot, stop });
    this.#start({ slot, stop }, async () => {
      using left = new DisposableStack();
      for (const terminal of terminals) left.defer(() => terminal.detach());
      const { session: id, sandbox: name } = sandbox.labels;
      const at = Date.now();
      await store.takeSandbox(this.#id, { id, sandbox: name, at }, stop.signal);
      this.#begun(id, at);
      stop.signal.throwIfAborted();
      const live = this.#newLive(sandbox);
      live.allReady();
      left.move();
      this.#options.terminals.take(terminals);
      this.#up({ slot, live });
      this.#options.onChanged();
    });
  }

  /** The start is kept: the session's time runs from now, and what happens is about these hosts. */
  #begun(id: string, at: number): void {
    this.#id = id;
    this.#startedAt = at;
    this.#extendedMs = 0;
    this.#journal = this.#options.store.journal(id);
  }

  #begin(starting: Omit<Starting, 'state'>): void {
    this.#timers.clear('place');
    this.#become({ state: 'starting', ...starting });
  }

  /** Does the work of a start. One that fails gives up its slot: its hosts were never the learner's. */
  #start({ slot, stop }: Pick<Starting, 'slot' | 'stop'>, work: () => Promise<void>): void {
    const { background, store } = this.#options;
    const attempt = async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        // Whoever has stopped it has taken care of the slot.
        if (stop.signal.aborted) return;
        store.sandboxGone(this.#id);
        this.#letGo(this.#held);
        this.#become({ state: 'failed', ...failureOf(error) });
        background.fail('start of a session', error);
        await slot.release();
      }
    };
    background.run('start of a session', attempt, stop.signal);
  }

  /** Looks at the hosts until they are as they should be, and lets the learner in. */
  async #bringUp(
    starting: Omit<Starting, 'state'> & { live: LiveSandbox },
    turn: Turn,
  ): Promise<void> {
    this.#begin(starting);
    await starting.live.reconcile();
    turn[Symbol.dispose]();
    starting.stop.signal.throwIfAborted();
    this.#up(starting);
  }

  /** @param turn of a take-up: given back at its first failure, so that no other start waits for it */
  #newLive(sandbox: Sandbox, turn?: Turn, mostLooks = Number.POSITIVE_INFINITY): LiveSandbox {
    const { lab, background, emit, isAssisted } = this.#options;
    const live: LiveSandbox = new LiveSandbox({
      lab: lab(),
      sandbox,
      journal: this.#journal,
      background,
      emit,
      isAssisted,
      prepare: (signal) => this.#prepareTerminals(sandbox, signal),
      onHosts: () => this.live === live && emit({ type: 'status', status: this.status }),
      onFailure: (error, failures) => {
        background.fail('a look at the hosts', error);
        const held = this.#held;
        if (held.state === 'starting' && held.live === live) {
          if (failures >= mostLooks) return false;
          if (mostLooks === Number.POSITIVE_INFINITY) turn?.[Symbol.dispose]();
          const attempt = mostLooks < 9 ? ` (attempt ${failures + 1} of ${mostLooks})` : '';
          this.#become({ ...held, trouble: `${messageOf(error)} Trying again${attempt}.` });
        }
        return true;
      },
      onExpired: (because) => {
        background.run('end of a session', () => this.end(WHY_ENDED[because]), live.signal);
      },
    });
    return live;
  }

  /** The shells that an earlier server has left, and where there is none, one on each host. */
  async #prepareTerminals(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
    const { terminals, lab } = this.#options;
    await terminals.adopt((name) => sandbox.host(name), signal);
    if (terminals.views.length > 0) return;
    // Each takes its place at once, so the tabs stand in the lab's order whichever shell is there first.
    const hosts = lab().hosts.map(({ name }) => sandbox.host(name));
    await Promise.all(hosts.map((host) => terminals.open(host, signal)));
  }

  /** The hosts and their shells are there: the learner is let in. */
  #up({ slot, live }: { readonly slot: Slot; readonly live: LiveSandbox }): void {
    const { limits, terminals } = this.#options;
    this.#become({ state: 'ready', slot, live });
    live.up({
      limits,
      startedAt: this.#startedAt ?? Date.now(),
      extendedMs: this.#extendedMs,
      lastOutput: () => terminals.lastActivity,
    });
  }

  /** Leaves the queue, or gives up the slot. Settles when nothing of the sandbox is left. */
  async #leave(held: Held): Promise<void> {
    if (held.state === 'queued') this.#options.capacity.queue.leave(held.entry);
    if (held.state !== 'starting' && held.state !== 'ready') return;
    this.#letGo(held);
    await held.slot.release();
  }

  /** Closes what belongs to the sandbox; the sandbox itself stays in its slot. */
  #letGo(held: Held): void {
    if (held.state !== 'starting' && held.state !== 'ready') return;
    if (held.state === 'starting') held.stop.abort(new Error('the session no longer starts'));
    held.live?.[Symbol.dispose]();
    this.#options.terminals.detach();
  }

  #become(held: Held): void {
    this.#held = held;
    this.#options.emit({ type: 'status', status: this.status });
  }
}
