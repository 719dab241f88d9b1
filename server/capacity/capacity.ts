import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import type { Lab } from '#lab';
import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import { messageOf, QuaysideError } from '../base/errors.ts';
import { refusalOf } from '../sandbox/gateway.ts';
import { destroySandbox, liveSandboxes, type SandboxPlace } from '../sandbox/removal.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { runningSandboxes } from '../sandbox/stop.ts';
import type { Store } from '../store/store.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';
import { AdmissionQueue } from './admission-queue.ts';
import { hasMemoryFor } from './memory.ts';
import { WarmPool } from './warm-pool.ts';

/**
 * What a request left on the engine after this server gave it up carries no owner's id. Nothing tells of it, so it is
 * looked for this often.
 */
const SWEEP_EVERY_MS = 5 * 60_000;
/** After a sweep that the engine did not answer. */
const SWEEP_RETRY_MS = 2_000;

/**
 * How many starts or removals of sandboxes run side by side on one machine. Each keeps about one core busy; with one more
 * than there are cores, none is idle while an engine waits for something.
 */
export const AT_ONCE = availableParallelism() + 1;

export interface CapacityOptions {
  readonly runtime: SandboxRuntime;
  readonly store: Store;
  readonly labs: ReadonlyMap<string, Lab>;
  readonly terminals: TerminalBackend;
  readonly background: Background;
  /** How many sandboxes there may be at once, those of the pool included. */
  readonly sandboxesMost: number;
  /** Sandboxes kept ready ahead, per lab; none if not given. */
  readonly pool?: number;
  /** Starts that run side by side; as many as the machines have processors for, if not given. */
  readonly startsAtOnce?: number;
  /** Whether the machine has memory for one more sandbox while so many start; asked of the kernel if not given. */
  readonly hasMemory?: (starting: number) => boolean;
}

/** Who a sandbox belongs to: `kept` is a session's that is stopped, `stop` one that is being stopped. */
export type Owner = 'session' | 'kept' | 'stop' | 'pool' | 'removal';

/** The owner of every sandbox of this server: it gives out the right to have one, and removes what has no owner. */
export class Capacity {
  readonly queue: AdmissionQueue;
  readonly pool: WarmPool;
  readonly #options: CapacityOptions;
  readonly #closing = new AbortController();
  readonly #poolClosing = new AbortController();
  readonly #found = Promise.withResolvers<ReadonlySet<string>>();

  constructor(options: CapacityOptions) {
    this.#options = options;
    const { runtime, background, labs, terminals, store } = options;
    // With several machines, what decides where a sandbox goes knows whether there is room.
    const hasRoom = runtime.placement && (() => runtime.placement?.hasRoom() ?? true);
    const hasMemory = options.hasMemory ?? hasRoom ?? hasMemoryFor;
    const closing = this.#closing.signal;
    this.queue = new AdmissionQueue({
      ...{ runtime, background, closing, hasMemory, instance: store.instance },
      most: options.sandboxesMost,
      startsAtOnce: () => options.startsAtOnce ?? startsAtOnce(runtime),
    });
    this.pool = new WarmPool({
      ...{ background, labs, terminals },
      closing: this.#poolClosing.signal,
      size: options.pool ?? 0,
      isRefused: (lab) => this.refusalOf(lab) !== undefined,
      takeSlot: () => this.queue.takeSpare(),
      onChange: () => this.queue.reevaluate(),
    });
  }

  /** Why no sandbox of a lab is made here; `undefined` where it is. */
  refusalOf(lab: Lab): QuaysideError | undefined {
    return refusalOf(lab, this.#options.runtime.internet);
  }

  /** How many sandboxes sessions have, are stopped and kept, stand ready in the pool, and are waited for. */
  counts(): Readonly<Record<'running' | 'stopped' | 'warm' | 'waiting', number>> {
    const owned = [...this.owners().values()];
    const of = (owner: Owner) => owned.filter((each) => each === owner).length;
    const stopped = of('kept') + of('stop');
    return {
      running: of('session'),
      stopped,
      warm: this.pool.size,
      waiting: this.queue.waiting,
    };
  }

  /** Settles when no stop of this sandbox is under way. @throws the reason of the server's stop */
  async whenStopped(id: string): Promise<void> {
    for (const { sandbox, stopping } of this.queue.slots) if (sandbox === id) await stopping;
  }

  /** Removes a sandbox that was kept without a slot. Settles when it is gone. @throws the reason of the server's stop */
  discard(id: string): Promise<void> {
    return this.queue.takeUp().sweep(id);
  }

  /**
   * Begins to sweep. Every sandbox that is to be taken up must have its slot by now. Slots are given out once the engine
   * has said what else is there: what an earlier server was about to remove still takes room.
   */
  open(): void {
    const { background } = this.#options;
    const closing = this.#closing.signal;
    this.queue.spares = this.pool;
    background.run('sweep', () => this.#sweepOn(closing), closing);
  }

  /** What an earlier server has left on the engine, as soon as the engine has said so. */
  get found(): Promise<ReadonlySet<string>> {
    return this.#found.promise;
  }

  /** Every sandbox that has an owner, and who that is. */
  owners(): ReadonlyMap<string, Owner> {
    const owners = new Map<string, Owner>();
    for (const { row } of this.#options.store.stoppedSessions()) {
      if (row.sandbox !== undefined) owners.set(row.sandbox, 'kept');
    }
    for (const slot of this.queue.slots) {
      if (slot.sandbox === undefined) continue;
      const owner = this.pool.holds(slot) ? 'pool' : slot.stopping ? 'stop' : 'session';
      owners.set(slot.sandbox, slot.isClearing ? 'removal' : owner);
    }
    return owners;
  }

  /**
   * Gives every sandbox of this server that has no owner a slot, in which it is removed: until it is gone, it counts
   * against the limit. One that is kept stopped, and runs, is stopped: a server that was killed, or somebody by hand, may
   * have left it so.
   *
   * @throws what the engine said
   */
  async sweep(signal: AbortSignal): Promise<void> {
    const { runtime, store } = this.#options;
    const live = await liveSandboxes(runtime, store.instance, signal);
    const areRunning = await runningSandboxes(runtime, store.instance, signal);
    this.#found.resolve(new Set(live));
    // Read after the list: a sandbox has its slot before its first container is made. One that the store knows is left
    // alone, also where its lab is not served at the moment.
    const kept = store.sessionsWithSandbox().map(({ row }) => row.sandbox);
    const owners = this.owners();
    const owned = new Set([...kept, ...owners.keys()]);
    for (const id of live) if (!owned.has(id)) this.discard(id).catch(() => undefined);
    for (const id of areRunning) if (owners.get(id) === 'kept') this.queue.takeUp().stop(id);
    this.queue.open();
  }

  /** Makes nothing for the pool any more, whoever leaves room for it. Sessions may still end as always. */
  closePool(): void {
    this.#poolClosing.abort(new Error('the server stops'));
  }

  /** Gives out nothing any more. What runs stays, unless it is removed first. */
  close(): void {
    this.closePool();
    this.queue[Symbol.dispose]();
    this.#closing.abort(new Error('the server stops'));
  }

  /** Removes every sandbox of this server, whoever owned it. To be called after `close`. @throws what stays, and why */
  async removeAll(): Promise<void> {
    const { runtime, store } = this.#options;
    await this.pool.settled();
    // The engine may make a container after the list of what is to be removed.
    await Promise.all([...this.queue.slots].map((slot) => slot.settled()));
    assertAllRemoved(await removeSandboxes(runtime, store.instance));
  }

  async #sweepOn(closing: AbortSignal): Promise<never> {
    for (;;) {
      let wait = SWEEP_EVERY_MS;
      try {
        await this.sweep(closing);
      } catch (error) {
        closing.throwIfAborted();
        this.#options.background.fail('sweep', error);
        wait = SWEEP_RETRY_MS;
      }
      await sleep(wait, closing);
    }
  }
}

/** How many starts run side by side. With several machines, each of them is kept busy: a start's work is done where it runs. */
function startsAtOnce({ placement }: SandboxRuntime): number {
  const machines = placement?.machines() ?? [];
  return Math.max(
    AT_ONCE,
    machines.reduce((sum, { runtime }) => sum + runtime.processors + 1, 0),
  );
}

/** What has become of sandboxes that were to be removed. */
export interface Removal {
  readonly removed: readonly string[];
  /** Each that stays, and why. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/**
 * Removes every sandbox of a server that does not run, or gives out none any more. One that stays keeps none of the others.
 *
 * @param options.milliseconds how long each removal may take; as long as any, if not given
 * @param options.onRemoved told how many are gone, and of how many
 * @throws why the engine does not say which there are
 */
export async function removeSandboxes(
  runtime: SandboxPlace,
  instance: string,
  options: {
    readonly milliseconds?: number;
    readonly onRemoved?: (removed: number, all: number) => void;
  } = {},
): Promise<Removal> {
  const all = await liveSandboxes(runtime, instance);
  const removed: string[] = [];
  const failures = new Map<string, unknown>();
  await pLimit(AT_ONCE).map(all, async (id) => {
    try {
      await destroySandbox(runtime, id, undefined, options.milliseconds);
      removed.push(id);
      options.onRemoved?.(removed.length, all.length);
    } catch (error) {
      failures.set(id, error);
    }
  });
  return { removed, failures };
}

/** @throws QuaysideError SANDBOX_FAILED naming all that stays, and how to go on */
export function assertAllRemoved({ removed, failures }: Removal): void {
  if (failures.size === 0) return;
  const reasons = [...failures.values()].map((error) => {
    const { cause } = error as { readonly cause?: unknown };
    return `  ${messageOf(error)}${cause === undefined ? '' : ` The engine says: ${messageOf(cause)}`}`;
  });
  throw new QuaysideError(
    'SANDBOX_FAILED',
    `Of ${removed.length + failures.size} sandboxes ${failures.size} could not be removed:\n${reasons.join('\n')}`,
    'Wait until the machine is less busy and remove them with npm run clean. If they stay: restart the Docker Engine, and then again.',
  );
}
