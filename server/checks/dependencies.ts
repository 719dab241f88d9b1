import {
  type ContainerView,
  type HostView,
  type JournalView,
  runsImagesProgram,
  type SandboxView,
  type SignalBody,
} from '#lab';
import type { RoundCache } from './read-cache.ts';

/** What of a host a check may look at; `engine` is its engine's raw API, and what an image's name stands for. */
const OF_A_HOST = [
  'containers',
  'networks',
  'engine',
  'images',
  'routes',
  'addresses',
  'files',
] as const;

/** What a check may look at: a part of a host, and one kind of signal of the journal. */
export type Dependency =
  | `${(typeof OF_A_HOST)[number]} of ${string}`
  | `journal of ${SignalBody['kind']}`;

/** What an action on a container can have changed, where that is not everything about containers and networks. */
const CHANGES: Readonly<Record<string, readonly (typeof OF_A_HOST)[number][]>> = {
  exec_start: [],
  kill: [],
  // It is on its networks from its start to its end.
  create: ['containers', 'engine'],
  destroy: ['containers', 'engine'],
  pause: ['containers', 'engine'],
  unpause: ['containers', 'engine'],
};

/** What a signal can have changed: checks that look at it are asked again. */
export function invalidates(signal: SignalBody): readonly Dependency[] {
  const journal: Dependency = `journal of ${signal.kind}`;
  switch (signal.kind) {
    case 'container':
      return [
        journal,
        ...of(signal.host, CHANGES[signal.action] ?? ['containers', 'networks', 'engine', 'files']),
      ];
    case 'network':
      // A network brings an interface with an address of its own.
      return [
        journal,
        ...of(signal.host, ['containers', 'networks', 'engine', 'addresses', 'files']),
      ];
    case 'route':
      // An address that comes or goes takes its route along.
      return [journal, ...of(signal.host, ['routes', 'addresses', 'files'])];
    case 'command':
      // Images and volumes send no signal of their own; a command that finished may have changed them.
      return [journal, ...of(signal.host, ['engine', 'routes', 'addresses', 'files'])];
    case 'host':
      return [journal, ...of(signal.host, OF_A_HOST)];
    case 'visit':
    case 'answer':
    case 'pass':
      return [journal];
  }
}

/**
 * What a signal makes doubtful: the cache drops it. That is more than is worth asking for at once: a command may have
 * changed what the engine sends no event for.
 */
export function stales(signal: SignalBody): readonly Dependency[] {
  if (signal.kind !== 'command') return invalidates(signal);
  return of(
    signal.host,
    OF_A_HOST.filter((part) => part !== 'images'),
  );
}

function of(host: string, parts: readonly (typeof OF_A_HOST)[number][]): readonly Dependency[] {
  return parts.map((part): Dependency => `${part} of ${host}`);
}

/**
 * A container that may end by itself counts once it has been up this long: one that exits "after a second" is gone by
 * then, on a busy machine too.
 */
const PROVEN_AFTER_MS = 2_000;
/** Docker itself takes a container for mended once it has been up this long after a restart by its policy. */
const MENDED_AFTER_MS = 10_000;

/** What one run of a check looked at, and so what can change its answer. */
export class Dependencies {
  readonly #read = new Set<Dependency>();
  readonly #waitingFor = new Map<string, number>();
  /** Everything is looked at after this; an answer may take long to come, and is no younger than the look. */
  readonly since = Date.now();
  #settling: { readonly name: string; readonly until: number } | undefined;

  /** Whether a signal can have changed what was read. */
  isInvalidatedBy(signal: SignalBody): boolean {
    return invalidates(signal).some((read) => this.#read.has(read));
  }

  /** It asked the journal: its answer speaks of what has happened, which nothing takes back. */
  get ofThePast(): boolean {
    return [...this.#read].some((read) => read.startsWith('journal of '));
  }

  /** The youngest container seen running that may still end in a moment, and until when it may: a later look tells. */
  get settling(): { readonly name: string; readonly until: number } | undefined {
    return this.#settling;
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

  /** Notes a container that was seen running, and from when on it counts (ms since the epoch). */
  see({ name }: ContainerView, provenAt: number): void {
    if (provenAt <= this.since || provenAt <= (this.#settling?.until ?? 0)) return;
    this.#settling = { name, until: provenAt };
  }
}

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

/** A sandbox that notes what a check looks at, and asks its hosts for nothing that the round knows. */
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
  const look = <T>(
    read: Dependency,
    what: string,
    ask: () => Promise<T>,
    isCacheable?: (answer: T) => boolean | Promise<boolean>,
  ): Promise<T> => reads.ask(read, name, known.answer(read, what, ask, isCacheable));
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
    image,
    networks: () => look(`networks of ${name}`, '', () => host.networks()),
    routes: () => look(`routes of ${name}`, '', () => host.routes()),
    addressOf: (device) => look(`addresses of ${name}`, device, () => host.addressOf(device)),
    read: (path) => look(`files of ${name}`, path, () => host.read(path)),
  };
}

/** An image's id is the hash of its content; Docker writes it with the hash's name in front. */
const ID_PREFIX = 'sha256:';
