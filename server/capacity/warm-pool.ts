import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { Background } from '../base/background.ts';
import { Timers } from '../base/timers.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';
import { newSandboxId, type Slot } from './slot.ts';

/** After a sandbox for the pool has failed: how long until the next is tried. */
const RETRY_MS = 15_000;

/** A sandbox that runs already and belongs to no session yet, with a shell open on each host. */
export interface WarmSandbox {
  /** The folder of its lab. */
  readonly lab: string;
  readonly slot: Slot;
  readonly sandbox: Sandbox;
  /** In the order of the lab's hosts. */
  readonly terminals: readonly Terminal[];
}

/** A warm sandbox on its way to a session. */
export interface TakenSandbox extends WarmSandbox {
  /** The session listens for itself from now on. @returns whether all of it is still as it was made */
  readonly arrive: () => boolean;
}

/** What is listened for while it is neither ready in the pool nor a session's. */
interface InTransit {
  readonly slot: Slot;
  /** Something of it has ended meanwhile, or its lab was written again. */
  isStale: boolean;
}

export interface WarmPoolOptions {
  readonly labs: ReadonlyMap<string, Lab>;
  /** Of each lab. */
  readonly size: number;
  /** Whether no sandbox of a lab may be made here. */
  readonly isRefused?: (lab: Lab) => boolean;
  /** A slot, where this is the moment: no session waits or starts, and there is room. */
  readonly takeSlot: () => Slot | undefined;
  /** A sandbox is ready, or has failed. */
  readonly onChange: () => void;
  readonly terminals: TerminalBackend;
  readonly background: Background;
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
}

/**
 * Sandboxes started ahead, so that a learner's prompt is there at once. It fills itself one at a time while the machine
 * has nothing else to do. What it holds carries this server's label: after a crash the sweep removes it.
 */
export class WarmPool {
  readonly #options: WarmPoolOptions;
  /** Oldest first. */
  #ready: readonly WarmSandbox[] = [];
  readonly #timers = new Timers();
  /** The slots it holds: of what is ready, being made or being removed. */
  readonly #slots = new Set<Slot>();
  #filling: Promise<void> | undefined;
  /** What is being made, and what is on its way to a session. */
  readonly #inTransit = new Set<InTransit>();
  #evicting: Slot | undefined;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
    options.closing.addEventListener('abort', () => this.#close(), { once: true });
  }

  get size(): number {
    return this.#ready.length;
  }

  /** Whether a slot is the pool's: of what is ready, being made or being removed. */
  holds(slot: Slot): boolean {
    return this.#slots.has(slot);
  }

  /** A ready sandbox of this lab with its slot, which are the caller's from now on. */
  take(lab: string): TakenSandbox | undefined {
    const warm = this.#ready.find((each) => each.lab === lab);
    if (!warm) return undefined;
    this.#ready = this.#ready.filter((each) => each !== warm);
    this.#slots.delete(warm.slot);
    const inTransit = { slot: warm.slot, isStale: false };
    this.#inTransit.add(inTransit);
    const arrive = () => {
      this.#inTransit.delete(inTransit);
      return !inTransit.isStale;
    };
    return { ...warm, arrive };
  }

  /** Starts the next one where one is missing and a slot is to be had. */
  fill(): void {
    const { labs, size, background, closing, isRefused = () => false } = this.#options;
    if (closing.aborted || this.#filling || this.#timers.has('retry')) return;
    const standing = (name: string) => this.#ready.filter(({ lab }) => lab === name).length;
    const short = [...labs].find(([name, lab]) => standing(name) < size && !isRefused(lab));
    const slot = short && this.#options.takeSlot();
    if (!slot) return;
    this.#slots.add(slot);
    const making = this.#make(slot, ...short);
    this.#filling = making.catch(() => undefined);
    background.run('a sandbox for the pool', () => making, closing);
  }

  /** Begins to remove one ready sandbox, unless one is being removed already. */
  evictOne(): void {
    const warm = this.#ready.at(-1);
    if (this.#evicting || !warm) return;
    this.#evicting = warm.slot;
    this.#ready = this.#ready.slice(0, -1);
    this.#discard(warm.slot, warm.terminals);
  }

  /** Removes what is no longer as it was made: a host or the engine ended, or the lab was written again. */
  evict(isStale: (sandbox: string | undefined) => boolean): void {
    for (const each of this.#inTransit) if (isStale(each.slot.sandbox)) each.isStale = true;
    const stale = this.#ready.filter(({ slot }) => isStale(slot.sandbox));
    this.#ready = this.#ready.filter((warm) => !stale.includes(warm));
    for (const { slot, terminals } of stale) this.#discard(slot, terminals);
    this.fill();
  }

  /** Settles when no sandbox is being made any more. */
  async settled(): Promise<void> {
    await this.#filling;
  }

  async #make(slot: Slot, name: string, lab: Lab): Promise<void> {
    const { terminals, closing, background } = this.#options;
    const opened: Terminal[] = [];
    const making = { slot, isStale: false };
    this.#inTransit.add(making);
    try {
      // The session that takes it takes this session id as well: the labels of a container cannot be changed.
      const session = randomBytes(6).toString('hex');
      const sandbox = slot.make(lab, { sandbox: newSandboxId(), session });
      await sandbox.reconcile(() => undefined, closing);
      for (const host of lab.hosts) {
        const identity = { id: randomBytes(6).toString('hex'), title: host.name };
        opened.push(await terminals.open(sandbox.host(host.name), identity, closing));
      }
      closing.throwIfAborted();
      if (making.isStale) this.#discard(slot, opened);
      else this.#ready = [...this.#ready, { lab: name, slot, sandbox, terminals: opened }];
    } catch (error) {
      for (const terminal of opened) terminal.detach();
      closing.throwIfAborted();
      this.#discard(slot, []);
      this.#timers.set(
        'retry',
        RETRY_MS,
        background.guard('warm pool', () => this.fill()),
      );
      throw error;
    } finally {
      this.#filling = undefined;
      this.#inTransit.delete(making);
      if (!closing.aborted) this.#options.onChange();
    }
  }

  #discard(slot: Slot, terminals: readonly Terminal[]): void {
    const { background, closing } = this.#options;
    for (const terminal of terminals) terminal.detach();
    const removal = slot.release().finally(() => {
      this.#slots.delete(slot);
      if (this.#evicting === slot) this.#evicting = undefined;
      if (!closing.aborted) this.#options.onChange();
    });
    background.run('removal of a warm sandbox', () => removal, closing);
  }

  /** What runs stays for the next server's sweep. */
  #close(): void {
    this.#timers[Symbol.dispose]();
    for (const terminal of this.#ready.flatMap(({ terminals }) => terminals)) terminal.detach();
    this.#ready = [];
  }
}
