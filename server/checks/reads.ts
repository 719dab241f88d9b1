import type { ContainerView, HostView, JournalView, SandboxView, SignalBody } from '#lab';

/**
 * A container whose program nobody vouches for counts once it has been up this long: one that exits "after a second"
 * is gone by then, on a busy machine too.
 */
const PROVEN_AFTER_MS = 2_000;
/** Docker itself takes a container for mended once it has been up this long after a restart by its policy. */
const MENDED_AFTER_MS = 10_000;

/** Actions that the journal tells of and that leave every container as it was. */
const CHANGES_NO_CONTAINER = new Set(['exec_start', 'kill']);

/**
 * What a question may look at: a host's containers and networks, its engine's raw API, its routes, its addresses and
 * files, and one kind of signal of the journal.
 */
type Read =
  | `${'containers' | 'engine' | 'routes' | 'files'} of ${string}`
  | `journal of ${SignalBody['kind']}`;

/** What one run of a question looked at, and so what can change its answer. */
export class Reads {
  readonly #read = new Set<Read>();
  readonly #waitingFor = new Map<string, number>();
  /** Everything is looked at after this; an answer may be long in coming, and is no younger than the look. */
  readonly #since = Date.now();
  #unproven: ContainerView | undefined;
  #provenAt = 0;

  /** Whether a signal can have changed what was read. */
  touchedBy(signal: SignalBody): boolean {
    return touches(signal).some((read) => this.#read.has(read));
  }

  /** It asked the journal: its answer speaks of what has happened, which nothing takes back. */
  get ofThePast(): boolean {
    return [...this.#read].some((read) => read.startsWith('journal of '));
  }

  /**
   * The youngest container seen running that might still have been over in a moment, and until when it might: a later
   * look tells.
   */
  get unproven(): { readonly name: string; readonly until: number } | undefined {
    return this.#unproven && { name: this.#unproven.name, until: this.#provenAt };
  }

  /** The hosts that were asked and have not answered. */
  get unanswered(): readonly string[] {
    return [...this.#waitingFor].flatMap(([host, questions]) => (questions > 0 ? host : []));
  }

  add(read: Read): void {
    this.#read.add(read);
  }

  /** Notes a read, and that its host has not answered until it has. */
  async ask<T>(read: Read, host: string, answer: Promise<T>): Promise<T> {
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
    if (!container.running) return;
    const proven = container.steady && container.networkMode !== 'host';
    if (proven && container.restarts === 0) return;
    const age = container.restarts > 0 ? MENDED_AFTER_MS : PROVEN_AFTER_MS;
    // A remote engine's clock may run ahead of ours; nobody waits longer than the age itself for that.
    const at = Math.min(container.startedAt, Date.now()) + age;
    if (at <= this.#since || at <= this.#provenAt) return;
    this.#provenAt = at;
    this.#unproven = container;
  }
}

/** A sandbox that is looked at, and what is looked at noted. */
export function trackReads(sandbox: SandboxView, reads: Reads): SandboxView {
  return {
    signal: sandbox.signal,
    journal: trackJournal(sandbox.journal, reads),
    host: (name) => trackHost(sandbox.host(name), reads),
    get hosts() {
      return sandbox.hosts.map((host) => trackHost(host, reads));
    },
  };
}

function trackJournal(journal: JournalView, reads: Reads): JournalView {
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

function trackHost(host: HostView, reads: Reads): HostView {
  const { name } = host;
  const see = <T extends ContainerView | undefined>(container: T): T => {
    if (container) reads.see(container);
    return container;
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
    container: async (nameOrId) =>
      see(await reads.ask(`containers of ${name}`, name, host.container(nameOrId))),
    containers: async () =>
      (await reads.ask(`containers of ${name}`, name, host.containers())).map(see),
    networks: () => reads.ask(`containers of ${name}`, name, host.networks()),
    routes: () => reads.ask(`routes of ${name}`, name, host.routes()),
    addressOf: (device) => reads.ask(`files of ${name}`, name, host.addressOf(device)),
    read: (path) => reads.ask(`files of ${name}`, name, host.read(path)),
  };
}

/** What a signal may have changed. */
function touches(signal: SignalBody): readonly Read[] {
  const journal: Read = `journal of ${signal.kind}`;
  switch (signal.kind) {
    case 'container':
    case 'network':
      return CHANGES_NO_CONTAINER.has(signal.action)
        ? [journal]
        : [
            journal,
            `containers of ${signal.host}`,
            `engine of ${signal.host}`,
            // A network brings an interface with an address of its own.
            `files of ${signal.host}`,
          ];
    case 'route':
      return [journal, `routes of ${signal.host}`, `files of ${signal.host}`];
    case 'command':
      // Images and volumes send no signal of their own; a command that finished may have changed them.
      return [
        journal,
        `engine of ${signal.host}`,
        `routes of ${signal.host}`,
        `files of ${signal.host}`,
      ];
    case 'host':
      return [
        journal,
        `containers of ${signal.host}`,
        `engine of ${signal.host}`,
        `routes of ${signal.host}`,
        `files of ${signal.host}`,
      ];
    case 'visit':
    case 'answer':
    case 'pass':
      return [journal];
  }
}
