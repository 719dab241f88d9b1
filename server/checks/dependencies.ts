import type { ContainerView, SignalBody } from '#lab';

/**
 * What of a host a check may look at; `engine` is its engine's raw API, and what an image's name stands for. `system` is
 * what its commands tell: sockets, processes, users, the modes of files. `script` is what an author's own command tells,
 * which may look at anything there.
 */
const OF_A_HOST = [
  'containers',
  'networks',
  'engine',
  'images',
  'routes',
  'addresses',
  'firewall',
  'files',
  'system',
  'script',
] as const;

/**
 * What a check may look at: a part of a host, one kind of signal of the journal, and who reaches whom, in which every host
 * on the way has a part.
 */
export type Dependency =
  | 'reachability'
  | `${(typeof OF_A_HOST)[number]} of ${string}`
  | `journal of ${SignalBody['kind']}`;

/** What an action on a container can have changed, where that is not everything about containers and networks. */
const CHANGES: Readonly<Record<string, readonly (typeof OF_A_HOST)[number][]>> = {
  exec_start: [],
  exec_die: [],
  kill: [],
  // It is on its networks from its start to its end.
  create: ['containers', 'engine'],
  destroy: ['containers', 'engine'],
  pause: ['containers', 'engine'],
  unpause: ['containers', 'engine'],
};

/** What a signal can have changed: checks that look at it are asked again. */
export function invalidates(signal: SignalBody): readonly Dependency[] {
  const [journal, ...parts] = noticed(signal);
  if (!('host' in signal) || parts.length === 0) return [journal];
  return [journal, ...parts, `script of ${signal.host}`, 'reachability'];
}

/** The journal, and the parts of the host that the signal speaks of. */
function noticed(signal: SignalBody): readonly [Dependency, ...Dependency[]] {
  const journal: Dependency = `journal of ${signal.kind}`;
  switch (signal.kind) {
    case 'container':
      return [
        journal,
        ...of(
          signal.host,
          CHANGES[signal.action] ?? [
            'containers',
            'networks',
            'engine',
            'firewall',
            'files',
            'system',
          ],
        ),
      ];
    case 'network':
      // A network brings an interface with an address of its own.
      return [
        journal,
        ...of(signal.host, ['containers', 'networks', 'engine', 'addresses', 'firewall', 'files']),
      ];
    case 'image': {
      const gone = signal.action === 'delete';
      return [journal, ...of(signal.host, gone ? ['engine', 'images'] : ['engine'])];
    }
    case 'route':
      // An address that comes or goes takes its route along.
      return [journal, ...of(signal.host, ['routes', 'addresses', 'files'])];
    case 'command':
    // An image without a name and a volume send no signal; a command that finished may have made one.
    case 'file':
      // A service may read its settings again, and a routing daemon be one of them: as after a command.
      return [
        journal,
        ...of(signal.host, ['engine', 'routes', 'addresses', 'firewall', 'files', 'system']),
      ];
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
  const parts = OF_A_HOST.filter((part) => part !== 'images');
  return [...of(signal.host, parts), 'reachability'];
}

function of(host: string, parts: readonly (typeof OF_A_HOST)[number][]): readonly Dependency[] {
  return parts.map((part): Dependency => `${part} of ${host}`);
}

/** What one run of a check looked at, and so what can change its answer. */
export class Dependencies {
  readonly #read = new Set<Dependency>();
  readonly #waitingFor = new Map<string, number>();
  /** Everything is looked at after this; an answer may take long to come, and is no younger than the look. */
  readonly since = Date.now();
  #settling: { readonly name: string; readonly until: number } | undefined;

  get all(): readonly Dependency[] {
    return [...this.#read];
  }

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
