import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '#lab';
import type { HostStatus, SessionStatus } from '#protocol';
import { Background } from '../base/background.ts';
import { QuaysideError } from '../base/errors.ts';
import type { AdmissionQueue } from '../capacity/admission-queue.ts';
import { Room } from '../capacity/slot.ts';
import type { WarmPool, WarmSandbox } from '../capacity/warm-pool.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import type { Journal } from '../store/journal.ts';
import type { SessionRow, Store } from '../store/store.ts';
import { type Limits, WHY_ENDED } from './expiry.ts';
import { HostStatuses } from './host-statuses.ts';
import { LiveSandbox, type LiveSandboxListener } from './live-sandbox.ts';
import { failureOf, nextAttempt } from './retry.ts';
import type { Terminals } from './terminals.ts';

export const NOT_RUNNING = 'The hosts of this lab are not running.';

/** What a stay tells its session, besides what its run tells. */
export interface LifecycleListener extends Omit<LiveSandboxListener, 'onHosts' | 'onEnd'> {
  onStatus(status: SessionStatus): void;
  /** It ends: nothing more is to be done on its hosts. */
  onEnd(): void;
  /** All of it is new: a sandbox from the pool was taken, or the end has come. */
  onAnew(): void;
  /** The hosts have failed, and others are being started in their place. */
  onStartedOver(): void;
}

/** What a stay is made with. */
export interface LifecycleOptions {
  readonly runtime: SandboxRuntime;
  readonly store: Store;
  readonly labName: string;
  readonly row: SessionRow;
  /** Where room on the machine is asked for. */
  readonly gate: AdmissionQueue;
  readonly pool: WarmPool;
  readonly limits: Limits;
  /** Keeps a note of what went wrong, for the operator. */
  readonly log: (message: string, error: unknown) => void;
  /** The lab, which may be written anew. */
  readonly lab: () => Lab;
  /** Whether something is being done for the learner just now. */
  readonly isAssisted: () => boolean;
  readonly terminals: Terminals;
  /** Whether a page is open, where somebody waits. */
  readonly isAwaited: () => boolean;
  readonly listener: LifecycleListener;
}

/**
 * A learner's stay on the machine: through the queue to a sandbox and its hosts, from failed starts to the next, and
 * on to the end. It has one sandbox at a time, and clears it away before it gives back its room.
 */
export class SessionLifecycle {
  readonly #options: LifecycleOptions;
  readonly #room: Room;
  #id: string;
  #status: SessionStatus = { state: 'none' };
  #journal: Journal;
  /** Present from `starting` on; each start makes its own. */
  #run: LiveSandbox | undefined;
  /** What is being written before a sandbox may be made. */
  #writing = new AbortController();
  /** The server stops: nothing is begun any more. */
  #detached = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    const { store, gate, pool, labName, row, isAwaited } = options;
    this.#id = row.id;
    if (row.ended !== undefined) this.#status = { state: 'ended', reason: row.ended };
    this.#journal = store.journal(row.id);
    this.#room = new Room({
      gate,
      isReady: () => pool.has(labName),
      isAwaited,
      onAdmitted: () => this.#admitted(),
      onPlace: (place) => this.#setStatus({ state: 'queued', ...place }),
      onGivenUp: () => {
        store.setQueued(this.#id, undefined);
        this.#setStatus({ state: 'none' });
      },
    });
  }

  /** Changes when it takes a sandbox from the pool: the labels there are made already. */
  get id(): string {
    return this.#id;
  }

  get status(): SessionStatus {
    return this.#status;
  }

  /** Of the present sandbox. Held here: the store only knows those that somebody holds. */
  get journal(): Journal {
    this.#journal = this.#options.store.journal(this.#id);
    return this.#journal;
  }

  get run(): LiveSandbox | undefined {
    return this.#run;
  }

  /** The run, once the learner is let in. @throws QuaysideError SESSION_NOT_READY */
  ready(): LiveSandbox {
    if (this.#run && this.#status.state === 'ready') return this.#run;
    const isStarting = this.#status.state === 'starting';
    throw new QuaysideError(
      'SESSION_NOT_READY',
      isStarting ? 'The hosts of this lab are still starting.' : NOT_RUNNING,
      isStarting ? 'Wait a moment and try again.' : 'Start the lab.',
    );
  }

  /** Starts the sandbox unless it is running or on its way; where the machine is full, it waits in the queue. */
  start(): void {
    const { state } = this.#status;
    if (state === 'starting' || state === 'ready' || state === 'queued') return;
    this.#join(Date.now());
  }

  /** Takes up the sandbox that an earlier server has left running. */
  adopt(): void {
    const { row, terminals } = this.#options;
    if (row.sandbox === undefined || this.#run) return;
    this.#room.occupy();
    terminals.expect();
    this.#launch(row.sandbox);
  }

  /** Takes its place in the queue again after the server was away. */
  rejoin(): void {
    const { queuedAt } = this.#options.row;
    if (queuedAt === undefined || this.#run) return;
    this.#join(queuedAt);
    this.noPageOpen();
  }

  /** A fresh sandbox in the place of this one. @param forget which passes are not to be kept */
  renew(forget: 'all' | 'assisted'): void {
    const { store } = this.#options;
    const wasQueued = this.#status.state === 'queued';
    const queuedAt = (wasQueued ? this.#row.queuedAt : undefined) ?? Date.now();
    const hadRoom = this.#room.release(this.#letGo(true));
    // It has its room already: the old sandbox's, which is being cleared.
    if (hadRoom) this.#room.occupy();
    if (!wasQueued) this.#starting();
    const { signal } = this.#writing;
    this.#once(store.startOver(this.#id, { queuedAt, forget }, signal), signal, () => {
      if (hadRoom) this.#admitted();
      else if (!wasQueued) this.#room.ask();
    });
  }

  /** Removes the sandbox; settles when it is gone. */
  end(reason: string): Promise<void> {
    this.#options.listener.onEnd();
    const gone = this.#letGo(true);
    this.#room.leave(gone);
    this.#options.store.setEnded(this.#id, reason);
    this.#setStatus({ state: 'ended', reason });
    this.#options.listener.onAnew();
    return gone;
  }

  /** The server stops: everything is closed, the hosts and their shells live on. */
  detach(): void {
    this.#detached = true;
    this.#room[Symbol.dispose]();
    void this.#letGo(false);
  }

  /** A page was opened: somebody waits. */
  pageOpened(): void {
    this.#room.awaited();
  }

  /** The last page was closed. */
  noPageOpen(): void {
    if (this.#status.state === 'queued') this.#room.keep();
  }

  /** More time before it ends by itself. */
  extend(): void {
    const milliseconds = this.#run?.extend();
    if (milliseconds !== undefined) this.#options.store.setExtended(this.#id, milliseconds);
  }

  /** A host of the sandbox started or ended outside of our own doing: mend what is broken. */
  hostChanged(host: string, action: string): Promise<void> {
    return this.#mending((run, isEngineAway) => run.hostChanged(host, action, isEngineAway));
  }

  /** The sandbox's switch has died. */
  switchDied(): Promise<void> {
    return this.#mending((run, isEngineAway) => run.switchDied(isEngineAway));
  }

  async #mending(
    work: (run: LiveSandbox, isEngineAway: () => Promise<boolean>) => Promise<void>,
  ): Promise<void> {
    const run = this.#run;
    if (!run?.isUp) return;
    const { engine } = this.#options.runtime;
    try {
      await work(run, () => engine.isAway());
    } catch (error) {
      // Nothing is lost yet: when the engine is back, its hosts are mended like any other.
      if (await engine.isAway()) run.engineAway();
      else await this.#failed(run, error);
    }
  }

  #join(since: number): void {
    this.#options.store.setQueued(this.#id, since);
    this.#room.ask();
  }

  /** There is room: with a sandbox from the pool where one is ready, else with a new one. */
  #admitted(): void {
    const warm = this.#options.pool.take(this.#options.labName);
    if (warm) this.#takeUp(warm);
    else this.#begin(Date.now());
  }

  #takeUp({ sandbox, terminals }: WarmSandbox): void {
    const { store, pool, log } = this.#options;
    const { session, sandbox: id } = sandbox.labels;
    this.#starting();
    const { signal } = this.#writing;
    const taken = store.takeSandbox(this.#id, { id: session, sandbox: id, at: Date.now() }, signal);
    // Out of the pool and in no session: nobody else would remove it.
    taken.catch(() => sandbox.destroy().catch((error: unknown) => log(`sandbox ${id}`, error)));
    this.#once(taken, signal, () => {
      this.#id = session;
      const run = this.#newRun(sandbox);
      run.allReady();
      this.#options.terminals.take(terminals);
      this.#up(run);
      this.#options.listener.onAnew();
      pool.fill();
    });
  }

  /** The row first: after a crash it finds whatever is made then. @param at when the session's time begins */
  #begin(at: number, attempt = 0, trouble?: string): void {
    const sandbox = newSandboxId();
    this.#starting(trouble);
    const { signal } = this.#writing;
    const begun = this.#options.store.beginSandbox(this.#id, { sandbox, at }, signal);
    this.#once(begun, signal, () => this.#launch(sandbox, attempt, trouble));
  }

  /** Goes on when it is on disk, unless the session has gone another way. What cannot be written is given up. */
  #once(written: Promise<void>, signal: AbortSignal, next: () => void): void {
    void written
      .then(() => {
        if (!signal.aborted) next();
      })
      .catch((error: unknown) => {
        if (!signal.aborted) this.#giveUp(error);
      });
  }

  #launch(id: string, attempt = 0, trouble?: string): void {
    const { runtime, store, lab } = this.#options;
    const owner = { instance: store.instance, sandbox: id, session: this.#id };
    const run = this.#newRun(new Sandbox(runtime, lab(), owner), attempt);
    this.#starting(trouble);
    void this.#raise(run).catch((error: unknown) => this.#failed(run, error));
  }

  #starting(trouble?: string): void {
    const { hosts } = this.#run ?? { hosts: new HostStatuses(this.#options.lab()).views };
    this.#setStatus({ state: 'starting', hosts, ...(trouble ? { trouble } : {}) });
  }

  get #row(): SessionRow {
    const { store, row } = this.#options;
    return store.session(row.learner, row.lab);
  }

  #newRun(sandbox: Sandbox, attempt = 0): LiveSandbox {
    const { lab, isAssisted, listener } = this.#options;
    const run = new LiveSandbox({
      lab: lab(),
      sandbox,
      attempt,
      journal: this.journal,
      isAssisted,
      background: new Background(this.#options.log),
      listener: {
        ...listener,
        onHosts: (hosts) => this.#setHosts(hosts),
        onEnd: (because) => void this.end(WHY_ENDED[because]),
      },
    });
    this.#run = run;
    return run;
  }

  async #raise(run: LiveSandbox): Promise<void> {
    const { lab, terminals } = this.#options;
    await run.reconcile();
    if (this.#run !== run) return;
    await terminals.adopt((name) => run.sandbox.host(name));
    if (terminals.views.length === 0) {
      // Each takes its place at once, so the tabs stand in the lab's order whichever shell is there first.
      await Promise.all(lab().hosts.map(({ name }) => terminals.open(run.sandbox.host(name))));
    }
    if (this.#run === run) this.#up(run);
  }

  /** The hosts and their shells are there: let the learner in. */
  #up(run: LiveSandbox): void {
    const { limits, terminals } = this.#options;
    this.#room.started();
    const { startedAt = Date.now(), extendedMs } = this.#row;
    run.up({ limits, startedAt, extendedMs, lastOutput: () => terminals.lastActivity });
    this.#setStatus({ state: 'ready', hosts: run.hosts });
    run.wake();
  }

  /** Tries again by itself while that may help, then says why it could not be done. */
  async #failed(run: LiveSandbox, error: unknown): Promise<void> {
    if (this.#run !== run) return;
    const { log, store, listener } = this.#options;
    log(`session ${this.#id}: its sandbox failed`, error);
    const next = nextAttempt(run.attempt, error);
    if (!next) {
      store.sandboxGone(this.#id);
      this.#giveUp(error);
      return;
    }
    listener.onStartedOver();
    const gone = this.#letGo(true);
    store.sandboxGone(this.#id);
    this.#setStatus({ state: 'starting', hosts: run.hosts, trouble: next.trouble });
    const status = this.#status;
    await gone;
    await delay(next.afterMs, undefined, { ref: false });
    // The learner may have ended or reset it meanwhile, or the server may be stopping.
    if (this.#run || this.#status !== status || this.#detached) return;
    this.#begin(this.#row.startedAt ?? Date.now(), run.attempt + 1, next.trouble);
  }

  #giveUp(error: unknown): void {
    this.#room.leave(this.#letGo(true));
    this.#setStatus({ state: 'failed', ...failureOf(error) });
  }

  /** Closes all that belongs to the present run; with `destroy`, removes its sandbox as well. */
  async #letGo(destroy: boolean): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#writing.abort();
    this.#writing = new AbortController();
    run?.[Symbol.dispose]();
    this.#options.terminals.detach();
    if (!run || !destroy) return;
    const { log } = this.#options;
    await run.sandbox
      .destroy()
      .catch((error: unknown) => log(`sandbox ${run.sandbox.labels.sandbox}`, error));
  }

  #setHosts(hosts: readonly HostStatus[]): void {
    const status = this.#status;
    if (status.state === 'starting' || status.state === 'ready') {
      this.#setStatus({ ...status, hosts });
    }
  }

  #setStatus(status: SessionStatus): void {
    this.#status = status;
    this.#options.listener.onStatus(status);
  }
}

function newSandboxId(): string {
  return randomBytes(4).toString('hex');
}
