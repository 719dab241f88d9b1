import type { SignalOf } from '../signal.ts';
import { passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { hostAt } from './assertion.ts';
import type { ContainerAssertion } from './container.ts';
import { candidates } from './container-search.ts';
import { portKey } from './container-spec.ts';
import { obstacleTo } from './obstacle.ts';
import { formerPorts, startBefore, startsOf } from './starts.ts';

type Visit = SignalOf<'visit'>;

/** Somewhere that a page can be opened. It may move: a container's port changes with every restart. */
export interface VisitTarget<Host extends string = string> {
  readonly hosts: readonly Host[];
  /** What has to be done before there is anything to open. */
  ready(sandbox: SandboxView<Host>): Promise<Verdict>;
  /** Where it is now, to be typed into the browser pane; `undefined` while it is nowhere. */
  url(sandbox: SandboxView<Host>): Promise<string | undefined>;
  /** Looks up what is the same for all visits. A learner's hour may have thousands of them. */
  resolve(sandbox: SandboxView<Host>): Promise<ResolvedTarget>;
  /** Why its page may not come although it is there: what is missing on the host in between. */
  obstacle?(sandbox: SandboxView<Host>): Promise<Verdict | undefined>;
}

/** A target with everything looked up that its visits are compared with. */
export interface ResolvedTarget {
  /** Whether a visit went there, at the time of the visit. */
  fits(visit: Visit): boolean;
  /** What a visit hit instead, as a whole sentence; `undefined` where that is not known. */
  instead(visit: Visit): string | undefined;
}

/** A fixed address. A host may be written as its address, its name or an alias. */
export function fixedPlace(url: string): VisitTarget<never> {
  const wanted = new URL(url);
  const port = Number(wanted.port || 80);
  return {
    hosts: [],
    ready: async () => passed(),
    url: async () => url.replace(/\/$/, ''),
    resolve: async (sandbox) => {
      const place = placeAt(sandbox, wanted.hostname);
      return {
        fits: (visit) =>
          visit.port === port &&
          place.has(visit.hostname) &&
          (wanted.pathname === '/' || pathOf(visit) === wanted.pathname),
        instead: (visit) => place.elsewhere(visit),
      };
    },
  };
}

/** The page of a container through the port of the host that leads to one of its own. */
export function throughPort<Host extends string>(
  container: ContainerAssertion<Host>,
  port: number | string = 80,
): VisitTarget<Host> {
  const { host, name } = container.wanted;
  const key = portKey(port);
  const called = name ?? 'the container';
  const portNow = portOf(container, key);
  return {
    hosts: [host],
    ready: container,
    obstacle: async (sandbox) => {
      const [address] = (await addressesOf(container, sandbox)) ?? [];
      const hostPort = await portNow(sandbox);
      return address === undefined || hostPort === undefined
        ? undefined
        : await obstacleTo(sandbox.host(host), { name: called }, { address, port: key, hostPort });
    },
    url: async (sandbox) => {
      const now = await portNow(sandbox);
      return now === undefined ? undefined : urlOf(sandbox.host(host).address, now);
    },
    resolve: async (sandbox) => {
      const place = placeAt(sandbox, host);
      const starts = startsOf(sandbox.journal, host, name);
      const now = await portNow(sandbox);
      return {
        fits: (visit) =>
          place.has(visit.hostname) &&
          startBefore(starts, visit.seq)?.ports[key]?.includes(visit.port) === true,
        instead: (visit) => {
          const other = place.elsewhere(visit);
          if (other !== undefined || visit.port === now) return other;
          return starts.some(({ ports }) => ports[key]?.includes(visit.port))
            ? `Port ${visit.port} was ${called}’s until it was restarted.`
            : `Port ${visit.port} does not lead to ${called}.`;
        },
      };
    },
  };
}

/** A port of the host that led to a container until it was restarted. For `refused`: nothing listens there any more. */
export function throughFormerPort<Host extends string>(
  container: ContainerAssertion<Host>,
  port: number | string = 80,
): VisitTarget<Host> {
  const { host, name } = container.wanted;
  const key = portKey(port);
  const called = name ?? 'The container';
  const portNow = portOf(container, key);
  return {
    hosts: [host],
    ready: container,
    url: async (sandbox) => {
      const starts = startsOf(sandbox.journal, host, name);
      const newest = starts.at(-1);
      const former = newest && formerPorts(starts, key).before(newest).at(-1);
      return former === undefined ? undefined : urlOf(sandbox.host(host).address, former);
    },
    resolve: async (sandbox) => {
      const place = placeAt(sandbox, host);
      const starts = startsOf(sandbox.journal, host, name);
      const former = formerPorts(starts, key);
      const now = await portNow(sandbox);
      return {
        fits: (visit) => {
          const start = place.has(visit.hostname) ? startBefore(starts, visit.seq) : undefined;
          return start !== undefined && former.includes(start, visit.port);
        },
        instead: (visit) => {
          const other = place.elsewhere(visit);
          if (other !== undefined) return other;
          return visit.port === now
            ? `${visit.port} is the port of now.`
            : `Port ${visit.port} was never ${called}’s.`;
        },
      };
    },
  };
}

/** The page of a container at its own address on a network, without a published port. */
export function atItsAddress<Host extends string>(
  container: ContainerAssertion<Host>,
  { network = 'bridge', port = 80 }: { readonly network?: string; readonly port?: number } = {},
): VisitTarget<Host> {
  const address = container.addressOn(network);
  const called = container.wanted.name ?? 'the container';
  return {
    hosts: [container.wanted.host],
    ready: container,
    obstacle: async (sandbox) => {
      const now = await address(sandbox);
      const host = sandbox.host(container.wanted.host);
      const way = now && { address: now, port: portKey(port) };
      return way ? await obstacleTo(host, { name: called }, way) : undefined;
    },
    url: async (sandbox) => {
      const now = await address(sandbox);
      return now === undefined ? undefined : urlOf(now, port);
    },
    resolve: async (sandbox) => {
      const now = await address(sandbox);
      return {
        fits: (visit) => visit.port === port && visit.hostname === now,
        instead: (visit) => {
          if (visit.hostname !== now) return `${typed(visit)} is not ${called}.`;
          return visit.port === port
            ? undefined
            : `Port ${visit.port} is not the container’s own, which listens on ${port}.`;
        },
      };
    },
  };
}

/** The addresses of a container on its networks. */
async function addressesOf<Host extends string>(
  { wanted }: ContainerAssertion<Host>,
  sandbox: SandboxView<Host>,
): Promise<readonly string[]> {
  const [found] = await candidates(wanted, sandbox.host(wanted.host));
  return Object.values(found?.addresses ?? {}).filter((address) => address !== '');
}

function portOf<Host extends string>(container: ContainerAssertion<Host>, key: string) {
  const read = container.hostPort(key);
  return async (sandbox: SandboxView<Host>): Promise<number | undefined> => {
    const text = await read(sandbox);
    return text === undefined ? undefined : Number(text);
  };
}

/** The address of a visit as a learner would type it. */
export function typed({ hostname, port }: Visit): string {
  return urlOf(hostname, port);
}

function urlOf(hostname: string, port: number): string {
  return `http://${hostname}${port === 80 ? '' : `:${port}`}`;
}

function pathOf(visit: Visit): string {
  return URL.canParse(visit.url) ? new URL(visit.url).pathname : '/';
}

/** Where visits to a host go, whichever of its names or its address is typed. */
function placeAt(sandbox: SandboxView, wanted: string) {
  const host = hostAt(sandbox, wanted);
  const names = new Set([wanted.toLowerCase()]);
  if (host) for (const each of [host.name, host.address, ...host.aliases]) names.add(each);
  const has = (hostname: string): boolean => names.has(hostname.toLowerCase());
  return {
    has,
    /** The sentence for a visit that went to another host. */
    elsewhere: (visit: Visit): string | undefined => {
      if (has(visit.hostname)) return undefined;
      const right = host?.name ?? wanted;
      const other = hostAt(sandbox, visit.hostname);
      return other ? `That was ${other.name}, not ${right}.` : `${typed(visit)} is not ${right}.`;
    },
  };
}
