import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import { countedIn } from '../../lab/counted.ts';
import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { BrowserPane } from '../browser/browser-pane.ts';
import { AT_ONCE, Capacity, type CapacityOptions } from '../capacity/capacity.ts';
import type { Engine, EngineEvent } from '../engine/engine.ts';
import { engineDiskFill } from '../sandbox/disk-fill.ts';
import { type FullDisk, monitorDisks } from '../sandbox/disk-monitor.ts';
import { hostSource } from '../sandbox/host-images.ts';
import { imageSource } from '../sandbox/image-name.ts';
import { LABEL } from '../sandbox/labels.ts';
import type { Placement, SandboxRuntime } from '../sandbox/runtime.ts';
import type { StoredSession } from '../store/stored-session.ts';
import type { Limits } from './expiry.ts';
import { NodeWatch } from './node-watch.ts';
import { keepWithin, NOTHING_KEPT, type Retention } from './retention.ts';
import { Session } from './session.ts';

/** After the engine has gone away: how long until it is looked for again. */
const ENGINE_RETRY_MS = 250;

/** A removal takes a second or two; a stuck one must not hold a server that stops. */
const REMOVAL_MS = 30_000;

/** A lab's images and containers take some MiB; a real image or two, pulled or built, a GiB or two. */
const DISK_BYTES = 4 * 1024 ** 3;

/** Counts for the operator. */
export interface Figures {
  /** By state. */
  readonly sessions: Readonly<Record<string, number>>;
  /** Sandboxes of learners that exist or are being made. */
  readonly sandboxes: number;
  /** Sandboxes that are stopped and kept. */
  readonly stopped: number;
  /** Sandboxes that stand ready in the pool. */
  readonly warm: number;
  readonly terminals: number;
  /** Sandboxes of learners on each machine, where there are several. */
  readonly nodes?: Readonly<Record<string, number>>;
}

export interface SessionManagerOptions extends CapacityOptions {
  /** What the pages of each lab ask for; without them, nothing can be done for a learner. */
  readonly steps?: ReadonlyMap<string, readonly Step[]>;
  /** What one host may write to its disk; {@link DISK_BYTES} if not given. */
  readonly diskBytes?: number;
  /** How long a session may last; without limit if not given. */
  readonly limits?: Limits;
  /** How long sandboxes that a limit has stopped are kept; not at all if not given. */
  readonly retention?: Retention;
  /** How full the disk is on which they are kept (percent); asked of this machine if not given. */
  readonly diskFill?: (signal: AbortSignal) => Promise<number | undefined>;
  /** The path of another site that this server is below; none, if not given. */
  readonly basePath?: string;
}

/** How a server is stopped. */
export interface CloseOptions {
  /** Remove every sandbox of this server first. Otherwise the hosts run on, and the next server takes them up. */
  readonly clean: boolean;
  /** Told how many of the learners' sandboxes are removed, and of how many. */
  readonly onRemoved?: (removed: number, all: number) => void;
}

/** Every session of every learner, each reached only by its owner and its lab. */
export class SessionManager {
  readonly #options: SessionManagerOptions;
  readonly #labs: Map<string, Lab>;
  readonly #steps: Map<string, readonly Step[]>;
  readonly #sessions = new Map<string, Session>();
  readonly #closed = new AbortController();
  readonly capacity: Capacity;
  /** The nodes of the Swarm, where there is one. */
  readonly nodeWatch: Pick<NodeWatch, keyof NodeWatch> | undefined;

  constructor(options: SessionManagerOptions) {
    this.#options = options;
    const { background, runtime } = options;
    const { placement } = runtime;
    this.nodeWatch =
      placement &&
      new NodeWatch({
        ...{ placement, background },
        // A learner may have a sandbox in several labs.
        learners: () =>
          new Map(
            this.#byNode(placement, (keys) => new Set(keys.map((key) => key.split('/')[0])).size),
          ),
        signal: this.#closed.signal,
      });
    this.#labs = new Map(options.labs);
    this.#steps = new Map(options.steps);
    this.capacity = new Capacity({ ...options, labs: this.#labs });
  }

  /** The labs' folder names and titles. */
  get labs(): readonly {
    readonly name: string;
    readonly title: string;
    /** Ids of the checks that count. */
    readonly counted: readonly string[];
  }[] {
    return [...this.#labs].map(([name, lab]) => ({
      name,
      title: lab.title,
      counted: countedIn(lab),
    }));
  }

  /** Shows the labs in another order; what is not named comes last. */
  reorder(names: readonly string[]): void {
    for (const name of [...names, ...this.#labs.keys()].filter(
      (each, at, all) => all.indexOf(each) === at,
    )) {
      const lab = this.#labs.get(name);
      if (!lab) continue;
      this.#labs.delete(name);
      this.#labs.set(name, lab);
    }
  }

  /**
   * Takes up a lab that was written again, in the sessions that are in it as well: their hosts, terminals, journal and
   * progress stay.
   *
   * @returns what has come of it, in words for the author
   */
  reload(name: string, lab: Lab, steps: readonly Step[] = []): string {
    const known = this.#labs.get(name);
    this.#labs.set(name, lab);
    this.#steps.set(name, steps);
    this.capacity.pool.evict(() => true);
    for (const session of this.#sessions.values()) {
      if (session.labName !== name) continue;
      this.#options.background.run('reload of a lab', () => session.reload(lab, steps));
    }
    const { labImages, hostImages } = this.#options.runtime;
    const isBuilt =
      Object.entries(lab.images).every((each) => imageSource(...each) in labImages) &&
      lab.hosts
        .map((host) => hostSource(host, lab))
        .every((source) => source === undefined || source in hostImages);
    if (!isBuilt) {
      return 'it has an image that is not built yet. Start npm run dev again.';
    }
    if (!known) return 'a new lab is there.';
    return isDeepStrictEqual(known.hosts, lab.hosts)
      ? 'its checks are the new ones.'
      : 'its checks are the new ones. Its hosts have changed: Reset the lab to get those.';
  }

  /**
   * Takes up what an earlier server left running, and begins to watch the engine. It waits for nothing: what the engine
   * does not answer now is asked again.
   */
  open(): void {
    const { runtime, store, background, diskBytes } = this.#options;
    const { signal } = this.#closed;
    // Sandboxes first, so that each has its slot before others are admitted.
    const running = store.sessionsWithSandbox().filter(({ row }) => row.stoppedAt === undefined);
    for (const { row } of [...running, ...store.sessionsInQueue()]) {
      if (this.#labs.has(row.lab)) this.of(row.learner, row.lab).resume();
    }
    this.capacity.open();
    const follow = ({ engine }: SandboxRuntime, until: AbortSignal): void => {
      const disks = {
        ...{ engine, instance: store.instance, background },
        limitBytes: diskBytes ?? DISK_BYTES,
        onFull: (full: FullDisk) => this.#diskFull(full),
      };
      background.run('disk monitor', () => monitorDisks(disks, until), until);
      background.run('engine events', () => this.#watchEngine(engine, until), until);
    };
    const keeping = {
      retention: this.#options.retention ?? NOTHING_KEPT,
      stopped: () => store.stoppedSessions().filter(({ row }) => row.queuedAt === undefined),
      remove: (stored: StoredSession, reason: string) => this.#removeKept(stored, reason),
      fill: this.#options.diskFill ?? ((signal: AbortSignal) => engineDiskFill(runtime, signal)),
      background,
    };
    background.run('stopped sandboxes', () => keepWithin(keeping, signal), signal);
    if (!runtime.placement) {
      follow(runtime, signal);
      return;
    }
    const watching = runtime.placement.watch(({ runtime: there, lost }) => {
      follow(there, AbortSignal.any([signal, lost]));
      // What sandboxes have left there that moved while it was out of reach.
      background.run('sweep', () => this.capacity.sweep(signal), signal);
      const onLost = background.guard('a machine is lost', () => this.#machineLost(there.engine));
      lost.addEventListener('abort', onLost, { once: true });
    });
    signal.addEventListener('abort', () => watching[Symbol.dispose](), { once: true });
  }

  /** Lets go of everything. */
  async close({ clean, onRemoved }: CloseOptions): Promise<void> {
    this.#closed.abort(new Error('the server stops'));
    this.capacity.closePool();
    const sessions = [...this.#sessions.values()];
    const ending = sessions.filter(({ sandbox }) => clean && sandbox !== undefined);
    for (const session of sessions) if (!ending.includes(session)) session.close();
    let removed = 0;
    await pLimit(AT_ONCE).map(ending, async (session) => {
      using limit = deadline(REMOVAL_MS);
      // What stays is tried once more below, and then said.
      await withAbort(limit.signal, () => session.end('The server was stopped.')).catch(() => {});
      session.close();
      removed += 1;
      onRemoved?.(removed, ending.length);
    });
    this.capacity.close();
    if (clean) await this.capacity.removeAll();
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
    const { store, terminals, background } = this.#options;
    const { limits = { idleMs: 0, totalMs: 0 }, basePath = '' } = this.#options;
    const { retention = NOTHING_KEPT } = this.#options;
    const session = new Session({
      ...{ lab, labName, terminals, background, limits, retention, basePath },
      steps: this.#steps.get(labName) ?? [],
      stored: store.session(learner, labName),
      capacity: this.capacity,
    });
    this.#sessions.set(key, session);
    return session;
  }

  /** Ends every session of a learner and lets go of them. What is kept of the learner is the caller's to remove. */
  forget(learner: string, reason: string): void {
    for (const [key, session] of this.#sessions) {
      if (!key.startsWith(`${learner}/`)) continue;
      this.#sessions.delete(key);
      this.#options.background.run('end of a session', () => session.end(reason));
      // Whoever still holds it can start nothing in it any more.
      session.close();
    }
  }

  figures(): Figures {
    const sessions: Record<string, number> = {};
    let terminals = 0;
    for (const session of this.#sessions.values()) {
      const { status, terminals: open } = session.snapshot();
      sessions[status.state] = (sessions[status.state] ?? 0) + 1;
      terminals += open.length;
    }
    const { running, stopped, warm } = this.capacity.counts();
    const { placement } = this.#options.runtime;
    const nodes = placement && this.#byNode(placement, (keys) => keys.length);
    return {
      ...{ sessions, terminals, sandboxes: running, stopped, warm },
      ...(nodes && { nodes: Object.fromEntries(nodes) }),
    };
  }

  /** A figure for each node, by its name: of the keys of the sessions whose sandboxes are on it. */
  #byNode(
    placement: Placement,
    figure: (keys: readonly string[]) => number,
  ): readonly (readonly [string, number])[] {
    const all = [...this.#sessions];
    return placement.machines().map(({ name, runtime: { engine } }) => {
      const there = all.filter(([, { live }]) => live?.sandbox.isOn(engine));
      return [name, figure(there.map(([key]) => key))] as const;
    });
  }

  /** The browser pane with that key. The key alone leads to it, because a sandboxed frame sends no cookie. */
  pane(key: string): BrowserPane | undefined {
    return [...this.#sessions.values()]
      .map(({ live }) => live?.pane)
      .find((pane) => pane?.key === key);
  }

  async #removeKept(stored: StoredSession, reason: string): Promise<void> {
    const { row } = stored;
    if (this.#labs.has(row.lab)) return await this.of(row.learner, row.lab).end(reason);
    // Its lab is not served at the moment.
    stored.setEnded(reason);
    if (row.sandbox !== undefined) await this.capacity.discard(row.sandbox);
  }

  /** Whatever was on it is made anew elsewhere. */
  #machineLost(engine: Engine): void {
    if (this.#closed.signal.aborted) return;
    for (const { live } of this.#sessions.values()) {
      if (!live?.sandbox.isOn(engine)) continue;
      live.engineAway();
      this.#options.background.run('move of a sandbox', () => live.repair(), this.#closed.signal);
    }
    this.capacity.pool.evict(() => true);
  }

  async #watchEngine(engine: Engine, signal: AbortSignal): Promise<void> {
    const { store, background } = this.#options;
    const here = () =>
      [...this.#sessions.values()].filter(({ live }) => live?.sandbox.isOn(engine));
    for (;;) {
      try {
        const label = `${LABEL.instance}=${store.instance}`;
        for await (const event of engine.events(label, signal)) this.#onEngineEvent(event);
      } catch (error) {
        signal.throwIfAborted();
        background.fail('the engine went away', error);
      }
      signal.throwIfAborted();
      // A stream that merely broke while the engine lives is opened again at once.
      const isAway = await engine.isAway(signal);
      if (isAway) for (const session of here()) session.live?.engineAway();
      do await sleep(ENGINE_RETRY_MS, signal);
      while (await engine.isAway(signal));
      // Whatever ended with the engine, or while nothing was heard of it, is found by a look at every sandbox.
      for (const session of here()) {
        background.run('repair after the engine was away', () => session.live?.repair(), signal);
      }
      this.capacity.pool.evict(() => true);
    }
  }

  #onEngineEvent({ action, labels }: EngineEvent): void {
    const { background } = this.#options;
    const { signal } = this.#closed;
    const host = labels[LABEL.host];
    const session = this.#withSandbox(labels[LABEL.sandbox]);
    const role = labels[LABEL.role];
    if (session && host !== undefined) {
      background.run('repair of a host', () => session.live?.hostChanged(host, action), signal);
    } else if (session && role === 'switch' && action === 'die') {
      background.run('repair of a switch', () => session.live?.switchDied(), signal);
    } else if (session && role === 'gateway' && action === 'die') {
      background.run('repair of a gateway', () => session.live?.repair(), signal);
    }
    // Always: a sandbox on its way from the pool to a session has the pool alone to hear of it.
    if (action === 'die') {
      this.capacity.pool.evict((sandbox) => sandbox === labels[LABEL.sandbox]);
    }
  }

  #diskFull({ sandbox, host, bytes, limit }: FullDisk): void {
    const size = (count: number) => `${(count / 1024 ** 3).toFixed(1)} GiB`;
    const reason =
      limit === undefined
        ? `The machine’s disk is full, and ${host} held the most of it (${size(bytes)}). Its hosts were removed so that the others can go on.`
        : `${host} wrote ${size(bytes)} to its disk; a host may have ${size(limit)}. Its hosts were removed so that the others can go on.`;
    this.#options.background.run('end of a session', () => this.#withSandbox(sandbox)?.end(reason));
  }

  #withSandbox(id: string | undefined): Session | undefined {
    if (id === undefined) return undefined;
    return [...this.#sessions.values()].find(({ sandbox }) => sandbox === id);
  }
}
