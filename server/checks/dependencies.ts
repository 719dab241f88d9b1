import type { ContainerView, HostView, JournalView, SandboxView, SignalBody } from '#lab';
import { type Dependency, invalidates } from './invalidation.ts';
import type { RoundCache } from './read-cache.ts';

/**
 * A container whose program nobody vouches for counts once it has been up this long: one that exits "after a second"
 * is gone by then, on a busy machine too.
 */
const PROVEN_AFTER_MS = 2_000;
/** Docker itself takes a container for mended once it has been up this long after a restart by its policy. */
const MENDED_AFTER_MS = 10_000;

/** What one run of a question looked at, and so what can change its answer. */
export class Dependencies {
  readonly #read = new Set<Dependency>();
  readonly #waitingFor = new Map<string, number>();
  /** Everything is looked at after this; an answer may be long in coming, and is no younger than the look. */
  readonly since = Date.now();
  #settling: ContainerView | undefined;
  #provenAt = 0;

  /** Whether a signal can have changed what was read. */
  isInvalidatedBy(signal: SignalBody): boolean {
    return invalidates(signal).some((read) => this.#read.has(read));
  }

  /** It asked the journal: its answer speaks of what has happened, which nothing takes back. */
  get ofThePast(): boolean {
    return [...this.#read].some((read) => read.startsWith('journal of '));
  }

  /**
   * The youngest container seen running that might still have been over in a moment, and until when it might: a later
   * look tells.
   */
  get settling(): { readonly name: string; readonly until: number } | undefined {
    return this.#settling && { name: this.#settling.name, until: this.#provenAt };
  }

  /** The hosts that were asked and have not answered. */
  get unanswered(): readonly string[] {
    return [...this.#waitingFor].flatMap(([host, questions]) => (questions > 0 ? host : []));
  }

  add(read: Dependency): void {
    this.#read.add(read);
  }

  /** Notes a read, and that its host has not answered until it has. */
  async ask<T>(read: Dependency, host: string, answer: Promise<T>): Promise<T> {
    this.#read.add(read);
    const count = (change: number) =>
      this.#waitingFor.set(host, (this.#waitingFor.get(host) ?? 0) + change);
    count(1);
    // Not in a `finally`: a question that failed at its deadline has still not been answered.
    const given = await answer;
    count(-1);
    return given;
  }

  see(container: ContainerView): void {
    const at = provenAt(container);
    if (at <= this.since || at <= this.#provenAt) return;
    this.#provenAt = at;
    this.#settling = container;
  }
}

/** From when on a container that still runs is no passing thing (ms since the epoch); 0 for one that never was. */
function provenAt({
  running,
  longRunning: steady,
  networkMode,
  restarts,
  startedAt,
}: ContainerView): number {
  if (!running) return 0;
  if (steady && networkMode !== 'host' && restarts === 0) return 0;
  const age = restarts > 0 ? MENDED_AFTER_MS : PROVEN_AFTER_MS;
  // A remote engine's clock may run ahead of ours; nobody waits longer than the age itself for that.
  return Math.min(startedAt, Date.now()) + age;
}

/** A sandbox that is looked at: what is looked at is noted, and what is known already is not asked again. */
export function trackDependencies(
  sandbox: SandboxView,
  reads: Dependencies,
  known: RoundCache,
): SandboxView {
  return {
    signal: sandbox.signal,
    journal: trackJournal(sandbox.journal, reads),
    host: (name) => trackHost(sandbox.host(name), reads, known),
    get hosts() {
      return sandbox.hosts.map((host) => trackHost(host, reads, known));
    },
  };
}

function trackJournal(journal: JournalView, reads: Dependencies): JournalView {
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

function trackHost(host: HostView, reads: Dependencies, known: RoundCache): HostView {
  const { name } = host;
  const look = <T>(read: Dependency, what: string, ask: () => Promise<T>): Promise<T> =>
    reads.ask(read, name, known.answer(read, what, ask));
  const see = async <T>(
    what: string,
    ask: () => Promise<T>,
    containersIn: (answer: T) => readonly ContainerView[],
  ): Promise<T> => {
    // A container that may be over in a moment is looked at again then, with or without a signal.
    const areProven = (answer: T) =>
      containersIn(answer).every((container) => provenAt(container) <= reads.since);
    const read: Dependency = `containers of ${name}`;
    const answer = await reads.ask(read, name, known.answer(read, what, ask, areProven));
    for (const container of containersIn(answer)) reads.see(container);
    return answer;
  };
  return {
    name,
    aliases: host.aliases,
    hasEngine: host.hasEngine,
    address: host.address,
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
        'all of them',
        () => host.containers(),
        (all) => all,
      ),
    networks: () => look(`networks of ${name}`, '', () => host.networks()),
    routes: () => look(`routes of ${name}`, '', () => host.routes()),
    addressOf: (device) => look(`addresses of ${name}`, device, () => host.addressOf(device)),
    read: (path) => look(`files of ${name}`, path, () => host.read(path)),
  };
}
