import type { Lab } from '#lab';
import type { SessionEvent, SessionStatus } from '#protocol';
import type { Background } from '../base/background.ts';
import { withAbort } from '../base/deadline.ts';
import { messageOf, QuaysideError, wordsFor } from '../base/errors.ts';
import { Timers } from '../base/timers.ts';
import type { QueueEntry, QueuePosition } from '../capacity/admission-queue.ts';
import type { Capacity } from '../capacity/capacity.ts';
import { newSandboxId, type Slot, type Turn } from '../capacity/slot.ts';
import type { TakenSandbox } from '../capacity/warm-pool.ts';
import { HostCannotRunError } from '../sandbox/host-cannot-run.ts';
import { SandboxMovedError } from '../sandbox/moved.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Assisted } from '../store/journal.ts';
import type { Forget, StoredSession } from '../store/stored-session.ts';
import { type Expiry, type Limits, WHY_ENDED } from './expiry.ts';
import { hostsWaiting, LiveSandbox } from './live-sandbox.ts';
import { type Retention, whyStopped } from './retention.ts';
import type { Terminals } from './terminals.ts';

export const NOT_RUNNING = 'The hosts of this lab are not running.';
export const STOPPED = 'The hosts of this lab are stopped.';

/**
 * How often a new sandbox is looked at before its start has failed. Most failures are a machine out of breath. The
 * hosts have not been given to the learner by then, so nothing is lost with them.
 */
const START_LOOKS = 3;
/** A learner whose pages are all closed keeps the place in the queue for so long: a reload, a walk out of the wifi. */
const PLACE_KEPT_MS = 60_000;

/** What the learner is told of a start that failed for good. */
const START_FAILED = {
  reason: 'The hosts could not be started',
  remedy: 'Try again. If it fails again, the server’s log says more.',
};

export interface LifecycleContext {
  readonly capacity: Capacity;
  readonly background: Background;
  readonly limits: Limits;
  readonly retention: Retention;
  /** The path of another site that this server is below; empty for none. */
  readonly basePath: string;
  /** The folder of the session's lab. */
  readonly labName: string;
  readonly stored: StoredSession;
}

export interface LifecycleOptions extends LifecycleContext {
  /** The lab, which may be written again. */
  readonly lab: () => Lab;
  readonly terminals: Terminals;
  readonly emit: (event: SessionEvent) => void;
  readonly hasPage: () => boolean;
  /** What is being done for the learner, if anything: what is passed now is not their own work. */
  readonly assisted: () => Assisted;
  /** The hosts are lost with their machine, and fresh ones are to be made. */
  readonly onMoved: () => void;
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
  /** Why an earlier look has failed, or why there are fresh hosts that nobody has asked for. */
  readonly trouble?: string;
}

/** The states in which there is no sandbox in a slot, and none on its way. */
const STARTABLE: readonly Held['state'][] = ['none', 'ended', 'failed', 'stopped'];

/** What a session holds. Each state has what it needs and nothing else. */
type Held =
  | { readonly state: 'none' }
  | { readonly state: 'ended'; readonly reason: string }
  /** A sandbox that is stopped, or about to be: its row says since when, and why. It has no slot. */
  | { readonly state: 'stopped'; readonly kept: string }
  | {
      readonly state: 'failed';
      readonly reason: string;
      readonly remedy: string;
      readonly kept: string | undefined;
    }
  | {
      readonly state: 'queued';
      /** The stopped sandbox that the session comes back to, if it has one. */
      readonly kept: string | undefined;
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
  /** A stop is being written. */
  #isStopping = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    const { ended, sandbox, stoppedAt } = options.stored.row;
    if (ended !== undefined) this.#held = { state: 'ended', reason: ended };
    else if (sandbox !== undefined && stoppedAt !== undefined) {
      this.#held = { state: 'stopped', kept: sandbox };
    }
  }

  get status(): SessionStatus {
    const held = this.#held;
    switch (held.state) {
      case 'none':
      case 'closed':
        return { state: 'none' };
      case 'ended':
        return held;
      case 'failed':
        return { state: 'failed', reason: held.reason, remedy: held.remedy };
      case 'stopped':
        return this.#stoppedStatus();
      case 'queued':
        return { state: 'queued', ...(held.position ?? { place: 1, because: 'busy' }) };
      case 'starting':
        return {
          state: 'starting',
          hosts: held.live?.hosts ?? hostsWaiting(this.#options.lab()),
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
    return 'slot' in this.#held ? this.#held.slot.sandbox : keptBy(this.#held);
  }

  /** The live sandbox, once the learner is let in. @throws QuaysideError SESSION_NOT_READY */
  ready(): LiveSandbox {
    if (this.#held.state === 'ready') return this.#held.live;
    const { state } = this.#held;
    const [message, remedy] =
      state === 'starting'
        ? ['The hosts of this lab are still starting.', 'Wait a moment and try again.']
        : state === 'stopped'
          ? [STOPPED, 'Press Go on.']
          : [NOT_RUNNING, 'Start the lab.'];
    throw new QuaysideError('SESSION_NOT_READY', message, remedy);
  }

  /** Starts the sandbox unless it is there or on its way; where the machine is full, the session waits in the queue. */
  start(): void {
    const { state } = this.#held;
    if (STARTABLE.includes(state)) this.#join(Date.now());
    else this.keepPlace();
  }

  /** Goes on where an earlier server has left off: with its sandbox, or its place in the queue. */
  resume(): void {
    const { sandbox, queuedAt } = this.#options.stored.row;
    const { state } = this.#held;
    if (state === 'none' && sandbox !== undefined) this.#takeUp(sandbox);
    else if ((state === 'none' || state === 'stopped') && queuedAt !== undefined) {
      this.#join(queuedAt);
    }
  }

  /**
   * Fresh hosts in the place of these. Settles when that is kept; the removal and the start follow.
   *
   * @param trouble why, where the learner has not asked for it; shown while they start
   * @throws QuaysideError DISK_FULL, INTERNET_REFUSED: nothing has changed then
   */
  async startOver(forget: Forget, trouble?: string): Promise<void> {
    const { stored, capacity, lab } = this.#options;
    if (this.#isClosed) return;
    const refusal = capacity.refusalOf(lab());
    if (refusal) throw refusal;
    const before = this.#held;
    const queuedAt = before.state === 'queued' ? before.since : Date.now();
    try {
      await stored.startOver({ queuedAt, forget });
    } catch (error) {
      // The learner was removed meanwhile, and the session with them.
      if (this.#isClosed) return;
      throw error;
    }
    const held = this.#held;
    // An end that was asked for meanwhile is the last word.
    if (this.#isClosed || (held.state === 'ended' && held !== before)) return;
    this.#discardKept(held)?.catch(() => undefined);
    switch (held.state) {
      case 'none':
      case 'ended':
      case 'failed':
      case 'stopped':
        this.#held = { state: 'none' };
        return this.#join(queuedAt);
      case 'queued':
        if (held.kept !== undefined) this.#become({ ...held, kept: undefined });
        return;
      case 'starting':
      case 'ready':
        this.#leave(held);
        return this.#startIn(held.slot, undefined, trouble);
    }
  }

  /** Removes the sandbox; settles when it is gone. A server that stops meanwhile leaves it to the next one's sweep. */
  async end(reason: string): Promise<void> {
    const held = this.#held;
    if (held.state === 'closed') return;
    this.#options.stored.setEnded(reason);
    this.#options.onEnd();
    this.#become({ state: 'ended', reason });
    this.#leave(held);
    const gone = 'slot' in held ? held.slot.release() : this.#discardKept(held);
    this.#options.onChanged();
    await gone?.catch(() => undefined);
  }

  /** The server stops: everything here is closed, the hosts and their shells live on. */
  close(): void {
    const held = this.#held;
    this.#timers[Symbol.dispose]();
    this.#held = { state: 'closed' };
    this.#leave(held);
  }

  /** More time before it ends by itself. */
  extend(): void {
    const milliseconds = this.live?.extend();
    if (milliseconds !== undefined) this.#options.stored.setExtended(milliseconds);
  }

  /**
   * A place in the queue is kept for a while where no page is open. Called whenever one is opened or closed, and when the
   * session is wanted.
   */
  keepPlace(): void {
    this.#timers.clear('place');
    if (this.#held.state !== 'queued' || this.#options.hasPage()) return;
    const giveUp = this.#options.background.guard('a place in the queue', () => {
      const held = this.#held;
      if (held.state !== 'queued') return;
      this.#options.stored.setQueued(undefined);
      this.#become(
        held.kept === undefined ? { state: 'none' } : { state: 'stopped', kept: held.kept },
      );
      this.#leave(held);
    });
    this.#timers.set('place', PLACE_KEPT_MS, giveUp);
  }

  get #isClosed(): boolean {
    return this.#held.state === 'closed';
  }

  #join(since: number): void {
    const { stored, capacity, labName, lab } = this.#options;
    const refusal = capacity.refusalOf(lab());
    const kept = keptBy(this.#held);
    if (refusal) {
      stored.setQueued(undefined);
      this.#become({ state: 'failed', ...wordsFor(refusal, START_FAILED), kept });
      return;
    }
    // A session that waits may start over meanwhile, and wants a new sandbox then.
    const wanted = () => keptBy(this.#held);
    const entry: QueueEntry = {
      get lab() {
        return wanted() === undefined ? labName : undefined;
      },
      onSlot: (slot, turn) => {
        const sandbox = wanted();
        if (sandbox === undefined) this.#startIn(slot, turn);
        else this.#goOn(sandbox, slot, turn);
      },
      onWarm: (warm) => this.#takeWarm(warm),
      onPosition: (position) =>
        this.#become({ state: 'queued', entry, since, position, kept: wanted() }),
    };
    stored.setQueued(since);
    this.#held = { state: 'queued', entry, since, kept };
    capacity.queue.join(entry);
    this.keepPlace();
  }

  /** Takes up the sandbox that an earlier server has left running. It is looked at until it is well again. */
  #takeUp(id: string): void {
    const { capacity, stored, lab, terminals, background } = this.#options;
    const slot = capacity.queue.takeUp();
    const sandbox = slot.make(lab(), { sandbox: id, session: stored.id });
    terminals.expect();
    const stop = this.#begin(slot);
    const work = async (): Promise<void> => {
      const found = await withAbort(stop.signal, () => capacity.found);
      // One that is gone from the engine is made again under its id, and waits for room as a new one does.
      using turn = await slot.turn(!found.has(id), stop.signal);
      stop.signal.throwIfAborted();
      const live = this.#newLive(sandbox, turn);
      await this.#bringUp({ slot, stop, live }, turn);
    };
    background.run('take-up of a sandbox', work, stop.signal);
  }

  /** Starts a sandbox again that was stopped. It is looked at until it is well again, as after {@link #takeUp}. */
  #goOn(id: string, slot: Slot, given: Turn): void {
    const { capacity, stored, lab, terminals, background } = this.#options;
    const sandbox = slot.make(lab(), { sandbox: id, session: stored.id });
    terminals.expect();
    const stop = this.#begin(slot);
    const { signal } = stop;
    const work = async (): Promise<void> => {
      using turn = given;
      // It may have been asked for while its hosts were still being stopped.
      await withAbort(signal, () => capacity.whenStopped(id));
      signal.throwIfAborted();
      await this.#bringUp({ slot, stop, live: this.#newLive(sandbox, turn) }, turn);
    };
    background.run('return to a sandbox', work, signal);
  }

  /** A limit is reached: the hosts are stopped and kept, or removed where nothing is kept. */
  async #expire(because: Expiry['because']): Promise<void> {
    const { stored, retention, onEnd, onChanged } = this.#options;
    if (retention.keepMs === 0) return await this.end(WHY_ENDED[because]);
    const held = this.#held;
    if (held.state !== 'ready' || this.#isStopping) return;
    const id = held.live.sandbox.labels.sandbox;
    this.#isStopping = true;
    try {
      await stored.stop(id, Date.now(), because);
    } finally {
      this.#isStopping = false;
    }
    // Ended, reset or closed meanwhile: that is the last word.
    if (this.#held !== held) return;
    onEnd();
    this.#become({ state: 'stopped', kept: id });
    this.#leave(held);
    held.slot.stop();
    onChanged();
  }

  #stoppedStatus(): SessionStatus {
    const { stored, retention } = this.#options;
    const { stoppedAt: since = 0, stoppedBecause = 'idle' } = stored.row;
    const until = since + retention.keepMs;
    return { state: 'stopped', reason: whyStopped(stoppedBecause, until), since, until };
  }

  /** Removes the stopped sandbox of a state that is left, where it has one. Settles when it is gone. */
  #discardKept(held: Held): Promise<void> | undefined {
    const kept = keptBy(held);
    return kept === undefined ? undefined : this.#options.capacity.discard(kept);
  }

  /** Starts a new sandbox in a slot, once what is in it from before is gone. */
  #startIn(slot: Slot, given?: Turn, trouble?: string): void {
    const { stored, lab } = this.#options;
    const shown = trouble === undefined ? {} : { trouble };
    const work = async (stop: AbortController): Promise<void> => {
      const { signal } = stop;
      using turn: Turn = given ?? (await slot.clear().then(() => slot.turn(true, signal)));
      signal.throwIfAborted();
      const sandbox = newSandboxId();
      // The row first: after a crash it finds whatever the next lines made.
      const made = lab();
      await stored.begin({ sandbox, at: Date.now(), version: made.version }, signal);
      signal.throwIfAborted();
      const live = this.#newLive(slot.make(made, { sandbox, session: stored.id }));
      await this.#bringUp({ slot, stop, live, ...shown }, turn);
    };
    this.#start(slot, work, trouble);
  }

  #takeWarm({ slot, sandbox, terminals, arrive }: TakenSandbox): void {
    const { stored, lab } = this.#options;
    this.#start(slot, async (stop) => {
      const { signal } = stop;
      using left = new DisposableStack();
      left.defer(arrive);
      for (const terminal of terminals) left.defer(() => terminal.detach());
      const { session: id, sandbox: name } = sandbox.labels;
      const { version } = lab();
      await stored.begin({ id, sandbox: name, at: Date.now(), version }, signal);
      signal.throwIfAborted();
      left.move();
      this.#options.terminals.take(terminals);
      if (arrive()) {
        this.#up({ slot, live: this.#newLive(sandbox) });
      } else {
        using turn = await slot.turn(false, signal);
        signal.throwIfAborted();
        await this.#bringUp({ slot, stop, live: this.#newLive(sandbox) }, turn);
      }
      this.#options.onChanged();
    });
  }

  #begin(slot: Slot, trouble?: string): AbortController {
    const stop = new AbortController();
    this.#become({ state: 'starting', slot, stop, ...(trouble !== undefined && { trouble }) });
    return stop;
  }

  /** Does the work of a start. One that fails gives up its slot: its hosts were never the learner's. */
  #start(slot: Slot, work: (stop: AbortController) => Promise<void>, trouble?: string): void {
    const { background, stored } = this.#options;
    const stop = this.#begin(slot, trouble);
    const attempt = async (): Promise<void> => {
      try {
        await work(stop);
      } catch (error) {
        // Whoever has stopped it has taken care of the slot.
        if (stop.signal.aborted) return;
        stored.sandboxGone();
        this.#leave(this.#held);
        this.#become({ state: 'failed', ...wordsFor(error, START_FAILED), kept: undefined });
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
    this.#become({ state: 'starting', ...starting });
    await starting.live.reconcile();
    turn[Symbol.dispose]();
    starting.stop.signal.throwIfAborted();
    this.#up(starting);
  }

  /**
   * @param takeUp the turn of a take-up, which ends at its first failure, so that no other start waits for it
   */
  #newLive(sandbox: Sandbox, takeUp?: Turn): LiveSandbox {
    const { lab, background, emit, hasPage, assisted, limits, stored, terminals, basePath } =
      this.#options;
    const { retention } = this.#options;
    const { startedAt = Date.now(), extendedMs, stoppedAt } = stored.row;
    // Whoever comes back to stopped hosts has the whole time again.
    const span =
      stoppedAt === undefined
        ? { startedAt, extendedMs }
        : { startedAt: Date.now(), extendedMs: 0 };
    const live: LiveSandbox = new LiveSandbox({
      lab: lab(),
      sandbox,
      journal: stored.journal,
      background,
      emit,
      hasPage,
      assisted,
      terminals,
      basePath,
      span: { limits, ...span },
      isKept: retention.keepMs > 0,
      stoppedAt,
      onHosts: () => this.live === live && emit({ type: 'status', status: this.status }),
      onFailure: (error, failures) => {
        if (error instanceof SandboxMovedError) {
          this.#options.onMoved();
          return false;
        }
        background.fail('a look at the hosts', error);
        const held = this.#held;
        if (held.state !== 'starting' || held.live !== live) return true;
        const isFinal = failures >= START_LOOKS || error instanceof HostCannotRunError;
        if (!takeUp && isFinal) return false;
        takeUp?.[Symbol.dispose]();
        const attempt = takeUp ? '' : ` (attempt ${failures + 1} of ${START_LOOKS})`;
        this.#become({ ...held, trouble: `${messageOf(error)} Trying again${attempt}.` });
        return true;
      },
      onExpired: (because) => {
        background.run('end of a session', () => this.#expire(because), live.signal);
      },
    });
    return live;
  }

  /** The hosts and their shells are there: the learner is let in. */
  #up({ slot, live }: { readonly slot: Slot; readonly live: LiveSandbox }): void {
    const { stored } = this.#options;
    if (stored.row.stoppedAt !== undefined) stored.setRunning(Date.now());
    live.up();
    this.#become({ state: 'ready', slot, live });
  }

  /** Leaves the queue, or closes what belongs to the sandbox; the sandbox itself stays in its slot. */
  #leave(held: Held): void {
    if (held.state === 'queued') this.#options.capacity.queue.leave(held.entry);
    if (held.state === 'starting') held.stop.abort(new Error('the session no longer starts'));
    if (!('slot' in held)) return;
    held.live?.[Symbol.dispose]();
    this.#options.terminals.detach();
  }

  #become(held: Held): void {
    this.#held = held;
    this.#options.emit({ type: 'status', status: this.status });
  }
}

/** The stopped sandbox that belongs to a state, without a slot. */
function keptBy(held: Held): string | undefined {
  return 'kept' in held ? held.kept : undefined;
}
