import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import { AT_ONCE } from '../base/at-once.ts';
import { Background } from '../base/background.ts';
import { QuaysideError } from '../base/errors.ts';
import type { BrowserPane } from '../browser/browser-pane.ts';
import { AdmissionQueue } from '../capacity/admission-queue.ts';
import { hasMemoryFor } from '../capacity/memory.ts';
import { WarmPool } from '../capacity/warm-pool.ts';
import { DiskMonitor, type FullDisk } from '../sandbox/disk-monitor.ts';
import { LABEL } from '../sandbox/labels.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { destroySandbox, liveSandboxes } from '../sandbox/sandbox.ts';
import type { Store } from '../store/store.ts';
import { HostTerminalBackend, type TerminalBackend } from '../terminal/terminal-backend.ts';
import { type Limits, NO_LIMITS } from './expiry.ts';
import { Session } from './session.ts';

/** After the engine has gone away: how long until it is looked for again. */
const ENGINE_RETRY_MS = 250;

/** A lab's images and containers take some MiB; a real image or two, pulled or built, a GiB or two. */
const DISK_BYTES = 4 * 1024 ** 3;

/** Counts for the operator. */
export interface Figures {
  /** How many sessions are in each state. */
  readonly sessions: Readonly<Record<string, number>>;
  /** Sandboxes of learners that exist or are being made. */
  readonly sandboxes: number;
  /** Sandboxes that stand ready in the pool. */
  readonly warm: number;
  readonly terminals: number;
}

/** What all sessions share. */
export interface SessionManagerOptions {
  readonly runtime: SandboxRuntime;
  readonly store: Store;
  readonly labs: ReadonlyMap<string, Lab>;
  /** What the pages of each lab ask for; without them, nothing can be done for a learner. */
  readonly steps?: ReadonlyMap<string, readonly Step[]>;
  readonly sandboxesMost: number;
  /** Sandboxes kept ready ahead, per lab; none if not given. */
  readonly pool?: number;
  /** What one host may write to its disk; {@link DISK_BYTES} if not given. */
  readonly diskBytes?: number;
  /** How long a session may last; without limit if not given. */
  readonly limits?: Limits;
  readonly log: (message: string, error: unknown) => void;
}

/** Every session of every learner, each reached only by its owner and its lab. */
export class SessionManager {
  readonly #options: SessionManagerOptions;
  readonly #labs: Map<string, Lab>;
  readonly #steps: Map<string, readonly Step[]>;
  readonly #sessions = new Map<string, Session>();
  readonly #closed = new AbortController();
  #opened = false;
  #disks: DiskMonitor | undefined;
  readonly #gate: AdmissionQueue;
  readonly #pool: WarmPool;
  readonly #terminalBackend: TerminalBackend;

  constructor(options: SessionManagerOptions) {
    this.#options = options;
    this.#labs = new Map(options.labs);
    this.#steps = new Map(options.steps);
    const { runtime, store, sandboxesMost, log } = options;
    this.#terminalBackend = new HostTerminalBackend({ background: new Background(log) });
    this.#gate = new AdmissionQueue({
      most: sandboxesMost,
      startsAtOnce: AT_ONCE,
      hasMemory: (starting) => hasMemoryFor(starting),
      spare: () => this.#pool.ids.length,
      giveUpSpare: () => this.#pool.evictOne(),
      onQuiet: () => this.#pool.fill(),
    });
    this.#pool = new WarmPool({
      runtime,
      terminalBackend: this.#terminalBackend,
      labs: this.#labs,
      instance: store.instance,
      size: options.pool ?? 0,
      mayFill: () =>
        this.#opened &&
        this.#gate.waiting === 0 &&
        this.#gate.starting === 0 &&
        this.#gate.inside + this.#pool.ids.length < sandboxesMost &&
        hasMemoryFor(1),
      onChange: () => this.#gate.stir(),
      log,
    });
  }

  /** The labs' folder names and titles. */
  get labs(): readonly { readonly name: string; readonly title: string }[] {
    return [...this.#labs].map(([name, { title }]) => ({ name, title }));
  }

  /**
   * Takes up a lab that was written anew, in the sessions that are in it as well: their hosts, terminals, journal and
   * progress stay.
   *
   * @returns what has come of it, in words for the author
   */
  reload(name: string, lab: Lab, steps: readonly Step[] = []): string {
    const known = this.#labs.get(name);
    this.#labs.set(name, lab);
    this.#steps.set(name, steps);
    this.#pool.evict(() => true);
    for (const session of this.#sessions.values()) {
      if (session.labName === name) void session.reload(lab, steps);
    }
    if (Object.keys(lab.images).some((tag) => !(tag in this.#options.runtime.labImages))) {
      return 'it has an image that is not built yet. Start npm run dev again.';
    }
    if (!known) return 'a new lab is there.';
    return isDeepStrictEqual(known.hosts, lab.hosts)
      ? 'its checks are the new ones.'
      : 'its checks are the new ones. Its hosts have changed: Reset the lab to get those.';
  }

  /** Takes up what an earlier server left running, removes what nobody owns any more, and watches the engine. */
  async open(): Promise<void> {
    const { store, runtime } = this.#options;
    for (const { learner, lab } of store.sessionsWithSandbox()) {
      if (this.#labs.has(lab)) this.of(learner, lab).adopt();
    }
    const owned = new Set([...this.#sessions.values()].map(({ sandbox }) => sandbox));
    const orphans = (await liveSandboxes(runtime, store.instance)).filter((id) => !owned.has(id));
    await pLimit(AT_ONCE).map(orphans, (id) => destroySandbox(runtime, id));
    for (const { learner, lab } of store.sessionsInQueue()) {
      if (this.#options.labs.has(lab)) this.of(learner, lab).rejoin();
    }
    this.#disks = await DiskMonitor.start({
      engine: runtime.engine,
      instance: store.instance,
      limitBytes: this.#options.diskBytes ?? DISK_BYTES,
      onFull: (full) => this.#diskFull(full),
      log: this.#options.log,
    });
    this.#opened = true;
    this.#pool.fill();
    void this.#watchEngine();
  }

  /**
   * Lets go of everything. With `clean`, every sandbox of this server is removed first.
   *
   * @param onRemoved told how many of the learners' sandboxes are gone, and of how many
   */
  async close(
    clean: boolean,
    onRemoved: (removed: number, all: number) => void = () => undefined,
  ): Promise<void> {
    this.#closed.abort();
    this.#gate[Symbol.dispose]();
    this.#disks?.[Symbol.dispose]();
    const pooled = this.#pool.close();
    const { runtime, store } = this.#options;
    const ending = [...this.#sessions.values()].filter(({ sandbox }) => clean && sandbox);
    for (const session of this.#sessions.values()) {
      if (!ending.includes(session)) session.detach();
    }
    let removed = 0;
    await pLimit(AT_ONCE).map(ending, async (session) => {
      await session.end('The server was stopped.');
      removed += 1;
      onRemoved(removed, ending.length);
    });
    if (!clean) return;
    await pooled;
    await pLimit(AT_ONCE).map(await liveSandboxes(runtime, store.instance), (id) =>
      destroySandbox(runtime, id),
    );
  }

  /** How many sandboxes learners have, stand ready in the pool, and are waited for. */
  counts(): { readonly running: number; readonly warm: number; readonly waiting: number } {
    return {
      running: this.#gate.inside,
      warm: this.#pool.size,
      waiting: this.#gate.waiting,
    };
  }

  /**
   * A learner's session in a lab: the only way to it.
   *
   * @throws QuaysideError LAB_UNKNOWN
   */
  of(learner: string, labName: string): Session {
    const lab = this.#labs.get(labName);
    if (!lab) {
      throw new QuaysideError(
        'LAB_UNKNOWN',
        `There is no lab named ${labName}.`,
        `The labs are: ${[...this.#labs.keys()].join(', ')}.`,
      );
    }
    const key = `${learner}/${labName}`;
    const known = this.#sessions.get(key);
    if (known) return known;
    const { runtime, store, log } = this.#options;
    const row = store.session(learner, labName);
    const session = new Session({
      runtime,
      store,
      lab,
      labName,
      steps: this.#steps.get(labName) ?? [],
      terminalBackend: this.#terminalBackend,
      row,
      log,
      gate: this.#gate,
      pool: this.#pool,
      limits: this.#options.limits ?? NO_LIMITS,
    });
    this.#sessions.set(key, session);
    return session;
  }

  figures(): Figures {
    const all = [...this.#sessions.values()];
    const sessions: Record<string, number> = {};
    let terminals = 0;
    for (const session of all) {
      const { status, terminals: open } = session.snapshot();
      sessions[status.state] = (sessions[status.state] ?? 0) + 1;
      terminals += open.length;
    }
    const sandboxes = all.filter(({ sandbox }) => sandbox).length;
    return { sessions, terminals, sandboxes, warm: this.#pool.size };
  }

  /** The browser pane with that key. The key alone leads to it, because a sandboxed frame sends no cookie. */
  pane(key: string): BrowserPane | undefined {
    return [...this.#sessions.values()].map(({ pane }) => pane).find((pane) => pane?.key === key);
  }

  async #watchEngine(): Promise<void> {
    const { runtime, store } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const label = `${LABEL.instance}=${store.instance}`;
        for await (const { action, labels } of runtime.engine.events(label, signal)) {
          const host = labels[LABEL.host];
          const session = [...this.#sessions.values()].find(
            ({ sandbox }) => sandbox !== undefined && sandbox === labels[LABEL.sandbox],
          );
          const isSwitch = labels[LABEL.role] === 'switch';
          if (session && host !== undefined) void session.hostChanged(host, action);
          else if (session && isSwitch && action === 'die') void session.switchDied();
          else if (action === 'die') this.#pool.evict((id) => id === labels[LABEL.sandbox]);
        }
      } catch (error) {
        if (!signal.aborted) this.#options.log('the engine went away', error);
      }
      if (signal.aborted) return;
      // A stream that merely broke while the engine lives is opened again at once.
      const away = await runtime.engine.isAway();
      if (away) for (const session of this.#sessions.values()) session.engineAway();
      while (!signal.aborted && (await runtime.engine.isAway())) {
        await delay(ENGINE_RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
      if (signal.aborted) return;
      // Whatever ended with the engine: one look at every sandbox mends it.
      for (const session of this.#sessions.values()) void session.hostChanged('', 'engine-back');
      if (away) this.#pool.evict(() => true);
    }
  }

  #diskFull({ sandbox, host, bytes, limit }: FullDisk): void {
    const size = (count: number) => `${(count / 1024 ** 3).toFixed(1)} GiB`;
    const session = [...this.#sessions.values()].find((each) => each.sandbox === sandbox);
    void session?.end(
      limit === undefined
        ? `The machine’s disk is full, and ${host} held the most of it (${size(bytes)}). Its hosts were removed so that the others can go on.`
        : `${host} wrote ${size(bytes)} to its disk; a host may have ${size(limit)}. Its hosts were removed so that the others can go on.`,
    );
  }
}
