import {
  type ContainerView,
  type HostView,
  type JournalView,
  runsImagesProgram,
  type SandboxView,
  type SignalBody,
} from '#lab';
import { type Dependencies, type Dependency, stales } from './dependencies.ts';

/**
 * An engine may tell of a change a moment before each of its answers shows it (its list of containers does so after a
 * `die`). An answer that is asked for so soon is used and not kept.
 */
const SETTLING_MS = 100;
/** A lab's checks ask for some tens of things. A check that asks under ever new names must not fill the memory. */
const KEPT_MOST = 1_000;

/**
 * All that is remembered between a check and the hosts: the answers that no signal has touched since. A signal changes
 * little of what a lab's checks look at. When every round asked for everything, twenty requests followed each event of
 * an engine and the tick waited among them (`npm run bench:checks`).
 */
export class ReadCache {
  readonly #answers = new Map<Dependency, Map<string, unknown>>();
  /** When it was invalidated last, in ms of `performance.now()`. */
  readonly #invalidated = new Map<Dependency, number>();
  #allInvalidated = Number.NEGATIVE_INFINITY;

  /** Something happened: what it can have changed is asked for again. `undefined` stands for anything. */
  invalidate(signal: SignalBody | undefined): void {
    if (!signal) {
      for (const read of this.#answers.keys()) if (!isFixed(read)) this.#answers.delete(read);
      this.#allInvalidated = performance.now();
      return;
    }
    this.drop(stales(signal));
  }

  /** Has changed without a signal, or may have. */
  drop(reads: readonly Dependency[]): void {
    for (const read of reads) {
      this.#answers.delete(read);
      this.#invalidated.set(read, performance.now());
    }
  }

  /** The answers for one round of checks that begins now. The round sees one state of the hosts: it asks nothing twice. */
  forRound(): RoundCache {
    const began = performance.now();
    const asked = new Map<string, Promise<unknown>>();
    return (read, what, ask, isCacheable = () => true) => {
      const key = `${read} ${what}`;
      const answer = asked.get(key) ?? this.#answer(read, what, began, ask, isCacheable);
      asked.set(key, answer);
      return answer as ReturnType<typeof ask>;
    };
  }

  async #answer<T>(
    read: Dependency,
    what: string,
    began: number,
    ask: () => Promise<T>,
    isCacheable: (answer: T) => boolean | Promise<boolean>,
  ): Promise<T> {
    const kept = this.#answers.get(read);
    if (kept?.has(what)) return kept.get(what) as T;
    const answer = frozen(await ask());
    if ((await isCacheable(answer)) && began > this.#lastInvalidated(read) + SETTLING_MS) {
      this.#keep(read, what, answer);
    }
    return answer;
  }

  #lastInvalidated(read: Dependency): number {
    return Math.max(this.#allInvalidated, this.#invalidated.get(read) ?? this.#allInvalidated);
  }

  #keep(read: Dependency, what: string, answer: unknown): void {
    const kept = this.#answers.get(read) ?? new Map<string, unknown>();
    if (kept.size >= KEPT_MOST) kept.clear();
    kept.set(what, answer);
    this.#answers.set(read, kept);
  }
}

/**
 * One round's way to the answers: the one that is known, or a new one. A new one is kept unless a signal has touched it
 * since the round began.
 *
 * @param what tells the answers of one dependency apart
 * @param isCacheable whether an answer stays right until a signal comes; some change with time alone
 */
export type RoundCache = <T>(
  read: Dependency,
  what: string,
  ask: () => Promise<T>,
  isCacheable?: (answer: T) => boolean | Promise<boolean>,
) => Promise<T>;

/** An image is found here by its id, which is made of its content: no time changes it. */
function isFixed(read: Dependency): boolean {
  return read.startsWith('images of ');
}

/** All checks are given the same answer, so none may change it for the others. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

/** The sandbox as a check sees it in a round: what it looks at is noted, and what the round knows is not asked again. */
export function viewThrough(
  known: RoundCache,
  sandbox: SandboxView,
  reads: Dependencies,
): SandboxView {
  return {
    signal: sandbox.signal,
    journal: noteJournal(sandbox.journal, reads),
    host: (name) => hostThrough(known, sandbox.host(name), reads),
    get hosts() {
      return sandbox.hosts.map((host) => hostThrough(known, host, reads));
    },
  };
}

function noteJournal(journal: JournalView, reads: Dependencies): JournalView {
  return {
    all: (kind) => {
      reads.add(`journal of ${kind}`);
      return journal.all(kind);
    },
    last: (kind, fits) => {
      reads.add(`journal of ${kind}`);
      return journal.last(kind, fits);
    },
  };
}

function hostThrough(known: RoundCache, host: HostView, reads: Dependencies): HostView {
  const { name } = host;
  const look: RoundCache = (read, what, ...how) => reads.ask(read, name, known(read, what, ...how));
  const image = (nameOrId: string) =>
    look(
      nameOrId.startsWith(ID_PREFIX) ? `images of ${name}` : `engine of ${name}`,
      nameOrId,
      () => host.image(nameOrId),
      // One that is not there yet may be pulled by the next `docker run`, without a signal.
      (found) => found !== undefined,
    );
  const proven = (container: ContainerView) => provenAt(container, reads.since, { image });
  const see = async <T>(
    what: string,
    ask: () => Promise<T>,
    containersIn: (answer: T) => readonly ContainerView[],
  ): Promise<T> => {
    // A container that may end in a moment is looked at again then, with or without a signal.
    const answer = await look(`containers of ${name}`, what, ask, async (found) =>
      (await Promise.all(containersIn(found).map(proven))).every((at) => at <= reads.since),
    );
    for (const container of containersIn(answer)) reads.see(container, await proven(container));
    return answer;
  };
  return {
    name,
    aliases: host.aliases,
    hasEngine: host.hasEngine,
    address: host.address,
    addresses: host.addresses,
    get docker() {
      reads.add(`engine of ${name}`);
      return host.docker;
    },
    container: (nameOrId) =>
      see(
        nameOrId,
        () => host.container(nameOrId),
        (found) => (found ? [found] : []),
      ),
    containers: () =>
      see(
        '',
        () => host.containers(),
        (all) => all,
      ),
    engineVersion: () => look(`engine of ${name}`, 'version', () => host.engineVersion()),
    image,
    images: () => look(`engine of ${name}`, 'images', () => host.images()),
    imageSteps: (id) => look(`images of ${name}`, `steps of ${id}`, () => host.imageSteps(id)),
    networks: () => look(`networks of ${name}`, '', () => host.networks()),
    routes: () => look(`routes of ${name}`, '', () => host.routes()),
    addressOf: (device) => look(`addresses of ${name}`, device, () => host.addressOf(device)),
    firewall: () => look(`firewall of ${name}`, '', () => host.firewall()),
    read: (path) => look(`files of ${name}`, path, () => host.read(path)),
    ask: async (command) => {
      assertWords(command);
      return await look(
        `${command[0] === 'ip' ? 'routes' : 'system'} of ${name}`,
        command.join(' '),
        () => host.ask(command),
        // What a web server answers, any host may have changed.
        () => command[0] !== 'curl',
      );
    },
    probe: (to, port, from) =>
      look('reachability', [name, from, to, port].join(' '), () => host.probe(to, port, from)),
    script: (lines) => look(`script of ${name}`, lines, () => host.script(lines)),
  };
}

/** A lab whose types nobody looked at may ask with a text. @throws TypeError with what to write */
function assertWords(command: unknown): void {
  if (Array.isArray(command) && command.every((word) => typeof word === 'string')) return;
  const words = typeof command === 'string' ? command.split(' ') : ['ss', '-Hltnp'];
  const list = words.map((word) => `'${word}'`).join(', ');
  throw new TypeError(`ask takes a list of words: ask([${list}])`);
}

/** An image's id is the hash of its content; Docker writes it with the hash's name in front. */
const ID_PREFIX = 'sha256:';

/**
 * A container that may end by itself counts once it has been up this long: one that exits "after a second" is gone by
 * then, on a busy machine too.
 */
const PROVEN_AFTER_MS = 2_000;
/** Docker itself takes a container for mended once it has been up this long after a restart by its policy. */
const MENDED_AFTER_MS = 10_000;

/**
 * From when on (ms since the epoch) a container that still runs will go on running; 0 for one that does not run, and
 * for the own program of an image that the lab brought: that stays up until somebody stops it.
 */
async function provenAt(
  container: ContainerView,
  since: number,
  host: Pick<HostView, 'image'>,
): Promise<number> {
  const { running, networkMode, restarts, startedAt } = container;
  if (!running) return 0;
  const age = restarts > 0 ? MENDED_AFTER_MS : PROVEN_AFTER_MS;
  // A remote engine's clock may run ahead of this one; no container waits longer than the age itself for that.
  const at = Math.min(startedAt, Date.now()) + age;
  // On the host's own network a program's port may be taken, and it ends.
  if (at <= since || restarts > 0 || networkMode === 'host') return at;
  const image = await host.image(container.imageId);
  return image?.isLabs && (await runsImagesProgram(host, container)) ? 0 : at;
}
