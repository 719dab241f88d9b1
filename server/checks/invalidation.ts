import type { SignalBody } from '#lab';

/** What of a host a question may look at; `engine` is its engine's raw API. */
const OF_A_HOST = ['containers', 'networks', 'engine', 'routes', 'addresses', 'files'] as const;

/** What a question may look at: a part of a host, and one kind of signal of the journal. */
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

/** What a signal can have changed: questions that look at it are asked again. */
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
 * What a signal casts doubt on: it is not taken as known any more when next somebody wants it. More than is worth asking
 * about at once: a command may have changed what the engine sends no event for.
 */
export function stales(signal: SignalBody): readonly Dependency[] {
  return signal.kind === 'command' ? of(signal.host, OF_A_HOST) : invalidates(signal);
}

function of(host: string, parts: readonly (typeof OF_A_HOST)[number][]): readonly Dependency[] {
  return parts.map((part): Dependency => `${part} of ${host}`);
}
