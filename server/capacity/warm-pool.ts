import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';

/** After a sandbox for the pool has failed: how long until the next is tried. */
const RETRY_MS = 15_000;
/** A backend has limits of its own. */
const NEVER = new AbortController().signal;

/** A sandbox that runs already and belongs to nobody yet, with a shell open on each host. */
export interface WarmSandbox {
  readonly sandbox: Sandbox;
  /** In the order of the lab's hosts. */
  readonly terminals: readonly Terminal[];
}

/** What the pool goes by. */
export interface WarmPoolOptions {
  readonly runtime: SandboxRuntime;
  readonly terminalBackend: TerminalBackend;
  readonly labs: ReadonlyMap<string, Lab>;
  readonly instance: string;
  /** How many sandboxes are kept ready for each lab. */
  readonly size: number;
  /** Whether this is the moment: nobody waits, nobody is starting, and there is room for one more. */
  readonly mayFill: () => boolean;
  /** A start for the pool is over, so that others may use the machine's time again. */
  readonly onChange: () => void;
  readonly log: (message: string, error: unknown) => void;
}

/**
 * Sandboxes started ahead, so that a learner's prompt is there at once. It fills itself one at a time while the machine
 * has nothing better to do. What it holds carries this server's label like everything else: after a crash the sweep
 * removes it, and a new pool fills itself.
 */
export class WarmPool {
  readonly #options: WarmPoolOptions;
  readonly #ready = new Map<string, WarmSandbox[]>();
  /** The one that is on its way. */
  #filling: Promise<void> | undefined;
  #fillingId: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
  }

  /** Sandboxes that the pool keeps or makes. */
  get ids(): readonly string[] {
    const ready = [...this.#ready.values()].flat().map(({ sandbox }) => sandbox.labels.sandbox);
    return this.#fillingId === undefined ? ready : [...ready, this.#fillingId];
  }

  /** How many stand ready. */
  get size(): number {
    return [...this.#ready.values()].flat().length;
  }

  /** A ready sandbox of this lab, which is the caller's from now on. */
  take(lab: string): WarmSandbox | undefined {
    return this.#ready.get(lab)?.shift();
  }

  /** Whether there is one to take. */
  has(lab: string): boolean {
    return (this.#ready.get(lab)?.length ?? 0) > 0;
  }

  /** Starts the next one where one is missing and the moment is right. */
  fill(): void {
    if (this.#closed || this.#filling || this.#retry || !this.#options.mayFill()) return;
    const { labs, size } = this.#options;
    const short = [...labs].find(([name]) => (this.#ready.get(name)?.length ?? 0) < size);
    if (!short) return;
    this.#filling = this.#make(...short)
      .catch((error: unknown) => {
        this.#options.log('a sandbox for the pool failed', error);
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.fill();
        }, RETRY_MS);
        this.#retry.unref();
      })
      .finally(() => {
        this.#filling = undefined;
        this.#fillingId = undefined;
        this.#options.onChange();
        this.fill();
      });
  }

  /** Gives up one ready sandbox, for whoever needs the room; true where there was one. */
  evictOne(): boolean {
    for (const ready of this.#ready.values()) {
      const warm = ready.pop();
      if (warm) {
        this.#discard(warm);
        return true;
      }
    }
    return false;
  }

  /** A sandbox is no longer as it was made (a host or the engine ended): it is nothing to give to anybody. */
  evict(isSpoilt: (sandbox: string) => boolean): void {
    for (const [lab, ready] of this.#ready) {
      const kept = ready.filter(({ sandbox }) => !isSpoilt(sandbox.labels.sandbox));
      for (const warm of ready) if (!kept.includes(warm)) this.#discard(warm);
      this.#ready.set(lab, kept);
    }
    this.fill();
  }

  /** Lets go of everything. What runs stays for the sweep to remove. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    for (const { terminals } of [...this.#ready.values()].flat()) {
      for (const terminal of terminals) terminal.detach();
    }
    this.#ready.clear();
    await this.#filling;
  }

  async #make(name: string, lab: Lab): Promise<void> {
    const { runtime, terminalBackend, instance } = this.#options;
    const id = randomBytes(4).toString('hex');
    this.#fillingId = id;
    // The session that will take it takes this id as well, for an object's labels cannot be changed.
    const owner = { instance, sandbox: id, session: randomBytes(6).toString('hex') };
    const sandbox = new Sandbox(runtime, lab, owner);
    const opened: Terminal[] = [];
    try {
      await sandbox.reconcile(() => undefined);
      for (const host of lab.hosts) {
        const title = host.name;
        const terminal = { id: randomBytes(6).toString('hex'), title };
        opened.push(await terminalBackend.open(sandbox.host(host.name), terminal, NEVER));
      }
    } catch (error) {
      this.#discard({ sandbox, terminals: opened });
      throw error;
    }
    if (this.#closed) {
      for (const terminal of opened) terminal.detach();
      return;
    }
    this.#ready.set(name, [...(this.#ready.get(name) ?? []), { sandbox, terminals: opened }]);
  }

  #discard({ sandbox, terminals }: WarmSandbox): void {
    for (const terminal of terminals) terminal.detach();
    void sandbox
      .destroy()
      .catch((error: unknown) => this.#options.log(`sandbox ${sandbox.labels.sandbox}`, error))
      .finally(() => this.#options.onChange());
  }
}
