import type { SignalOf } from '../signal.ts';
import { passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { hostAt } from './assertion.ts';
import type { ContainerAssertion } from './container.ts';
import { portKey } from './container-spec.ts';
import { portsLostAt, startBefore, startsOf } from './starts.ts';

type Visit = SignalOf<'visit'>;

/** Somewhere that a page can be opened. It may move: a container's port changes with every restart. */
export interface VisitTarget<Host extends string = string> {
  readonly hosts: readonly Host[];
  /** What has to be done before there is anything to open. */
  ready(sandbox: SandboxView<Host>): Promise<Verdict>;
  /** Where it is now, to be typed into the browser pane; `undefined` while it is nowhere. */
  url(sandbox: SandboxView<Host>): Promise<string | undefined>;
  /** Whether a visit went there, at the time of the visit. */
  fits(visit: Visit, sandbox: SandboxView<Host>): Promise<boolean>;
  /** What a visit that missed it hit instead, as a whole sentence; `undefined` where there is nothing to say. */
  instead(visit: Visit, sandbox: SandboxView<Host>): Promise<string | undefined>;
}

/** A fixed address. A host may be written as its address, its name or an alias. */
export function fixedPlace(url: string): VisitTarget<never> {
  const wanted = new URL(url);
  const port = Number(wanted.port || 80);
  return {
    hosts: [],
    ready: async () => passed(),
    url: async () => url.replace(/\/$/, ''),
    fits: async (visit, sandbox) =>
      visit.port === port &&
      isSameHost(sandbox, visit.hostname, wanted.hostname) &&
      (wanted.pathname === '/' || pathOf(visit) === wanted.pathname),
    instead: async (visit, sandbox) => elsewhere(sandbox, visit, wanted.hostname),
  };
}

/** The page of a container through the port of the host that leads to one of its own. */
export function throughPort<Host extends string>(
  container: ContainerAssertion<Host>,
  port: number | string = 80,
): VisitTarget<Host> {
  const { host, name } = container.wanted;
  const key = portKey(port);
  const portNow = async (sandbox: SandboxView<Host>) => {
    const text = await container.hostPort(key)(sandbox);
    return text === undefined ? undefined : Number(text);
  };
  const starts = async (sandbox: SandboxView<Host>) => {
    const now = name === undefined ? undefined : await sandbox.host(host).container(name);
    return startsOf(sandbox.journal, host, name, now?.id);
  };
  return {
    hosts: [host],
    ready: container,
    url: async (sandbox) => {
      const now = await portNow(sandbox);
      return now === undefined ? undefined : urlOf(sandbox.host(host).address, now);
    },
    fits: async (visit, sandbox) =>
      isSameHost(sandbox, visit.hostname, host) &&
      startBefore(await starts(sandbox), visit.seq)?.ports[key]?.includes(visit.port) === true,
    instead: async (visit, sandbox) => {
      const called = name ?? 'the container';
      const other = elsewhere(sandbox, visit, host);
      if (other !== undefined) return other;
      if (visit.port === (await portNow(sandbox))) return undefined;
      const had = (await starts(sandbox)).some(({ ports }) => ports[key]?.includes(visit.port));
      return had
        ? `Port ${visit.port} was ${called}’s until it was restarted.`
        : `Port ${visit.port} does not lead to ${called}.`;
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
  const lost = async (sandbox: SandboxView<Host>, seq: number) => {
    const now = name === undefined ? undefined : await sandbox.host(host).container(name);
    const starts = startsOf(sandbox.journal, host, name, now?.id);
    const start = startBefore(starts, seq);
    return start ? portsLostAt(starts, start, key) : [];
  };
  return {
    hosts: [host],
    ready: container,
    url: async (sandbox) => {
      const old = (await lost(sandbox, Number.POSITIVE_INFINITY)).at(-1);
      return old === undefined ? undefined : urlOf(sandbox.host(host).address, old);
    },
    fits: async (visit, sandbox) =>
      isSameHost(sandbox, visit.hostname, host) &&
      (await lost(sandbox, visit.seq)).includes(visit.port),
    instead: async (visit, sandbox) => {
      const other = elsewhere(sandbox, visit, host);
      if (other !== undefined) return other;
      return String(visit.port) === (await container.hostPort(key)(sandbox))
        ? `${visit.port} is the port of now.`
        : `Port ${visit.port} was never ${called}’s.`;
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
    url: async (sandbox) => {
      const now = await address(sandbox);
      return now === undefined ? undefined : urlOf(now, port);
    },
    fits: async (visit, sandbox) =>
      visit.port === port && visit.hostname === (await address(sandbox)),
    instead: async (visit, sandbox) => {
      if (visit.hostname !== (await address(sandbox))) return `${typed(visit)} is not ${called}.`;
      return visit.port === port
        ? undefined
        : `Port ${visit.port} is not the container’s own, which listens on ${port}.`;
    },
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

/** Whether two names or addresses mean the same host. */
function isSameHost(sandbox: SandboxView, one: string, other: string): boolean {
  if (one.toLowerCase() === other.toLowerCase()) return true;
  // By name: the same host may be looked at through several views.
  const known = hostAt(sandbox, one)?.name;
  return known !== undefined && known === hostAt(sandbox, other)?.name;
}

function elsewhere(sandbox: SandboxView, visit: Visit, wanted: string): string | undefined {
  if (isSameHost(sandbox, visit.hostname, wanted)) return undefined;
  const right = hostAt(sandbox, wanted)?.name ?? wanted;
  const other = hostAt(sandbox, visit.hostname);
  return other ? `That was ${other.name}, not ${right}.` : `${typed(visit)} is not ${right}.`;
}
