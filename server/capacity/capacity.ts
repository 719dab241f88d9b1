import pLimit from 'p-limit';
import type { Lab } from '#lab';
import { AT_ONCE } from '../base/at-once.ts';
import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { destroySandbox, liveSandboxes } from '../sandbox/sandbox.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';
import { AdmissionQueue } from './admission-queue.ts';
import { WarmPool } from './warm-pool.ts';

/**
 * What a request left on the engine after this server gave it up carries no owner's id. Nothing tells of it, so it is
 * looked for this often.
 */
const SWEEP_EVERY_MS = 5 * 60_000;
/** After a sweep that the engine did not answer. */
const SWEEP_RETRY_MS = 2_000;

/** What a server's capacity is made of. */
export interface CapacityOptions {
  readonly runtime: SandboxRuntime;
  readonly instance: string;
  readonly labs: ReadonlyMap<string, Lab>;
  /** How many sandboxes there may be at once, those of the pool included. */
  readonly most: number;
  /** Sandboxes kept ready ahead, per lab. */
  readonly poolSize: number;
  readonly hasMemory: (starting: number) => boolean;
  readonly terminals: TerminalBackend;
  readonly background: Background;
  /** Sandboxes that the store knows: the sweep leaves them alone, also where their lab is not served at the moment. */
  readonly kept: () => Iterable<string>;
}

/** The owner of every sandbox of this server: it gives out the right to have one, and removes what has no owner. */
export class Capacity {
  readonly queue: AdmissionQueue;
  readonly pool: WarmPool;
  readonly #options: CapacityOptions;
  readonly #closing = new AbortController();

  constructor(options: CapacityOptions) {
    this.#options = options;
    const { runtime, background } = options;
    const closing = this.#closing.signal;
    this.queue = new AdmissionQueue({
      ...{ runtime, background, closing },
      most: options.most,
      startsAtOnce: AT_ONCE,
      hasMemory: options.hasMemory,
    });
    this.pool = new WarmPool({
      ...{ background, closing },
      labs: options.labs,
      instance: options.instance,
      size: options.poolSize,
      terminals: options.terminals,
      takeSlot: () => this.queue.takeSpare(),
      onChange: () => this.queue.reevaluate(),
    });
  }

  /** How many sandboxes sessions have, stand ready in the pool, and are waited for. */
  counts(): { readonly running: number; readonly warm: number; readonly waiting: number } {
    const { slots, waiting } = this.queue;
    return { running: slots.size - this.pool.slotCount, warm: this.pool.size, waiting };
  }

  /** Begins to fill the pool and to sweep. Every sandbox that an earlier server left must have its slot by now. */
  open(): void {
    const { background } = this.#options;
    const closing = this.#closing.signal;
    this.queue.spares = this.pool;
    background.run('sweep', () => this.#sweepOn(closing), closing);
    this.queue.reevaluate();
  }

  /** Removes every sandbox of this server that has no owner. @throws what the engine said */
  async sweep(signal: AbortSignal): Promise<void> {
    const { runtime, instance, kept } = this.#options;
    const live = await liveSandboxes(runtime, instance, signal);
    // Read after the list: a sandbox has its slot before its first container is made.
    const owned = new Set<string | undefined>([
      ...kept(),
      ...[...this.queue.slots].map(({ sandbox }) => sandbox),
    ]);
    const removal = pLimit(AT_ONCE);
    const orphans = live.filter((id) => !owned.has(id));
    await removal.map(orphans, (id) => destroySandbox(runtime, id, signal));
  }

  /** Gives out nothing any more. What runs stays, unless it is removed first. */
  close(): void {
    this.queue[Symbol.dispose]();
    this.#closing.abort(new Error('the server stops'));
  }

  /** Removes every sandbox of this server, whoever owned it. To be called after `close`. @throws what stays, and why */
  async removeAll(): Promise<void> {
    const { runtime, instance } = this.#options;
    await this.pool.settled();
    const all = await liveSandboxes(runtime, instance);
    await pLimit(AT_ONCE).map(all, (id) => destroySandbox(runtime, id));
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
