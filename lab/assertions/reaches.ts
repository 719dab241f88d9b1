import { CouldNotCheck, passed, type Verdict } from '../verdict.ts';
import type { CommandAnswer, HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  hostAt,
  type Messages,
  verdictWith,
} from './assertion.ts';
import type { ContainerAssertion } from './container.ts';
import { findContainer } from './container-search.ts';
import { isAddress } from './ipv4.ts';
import { type RouteGot, wayTo } from './leads-to.ts';

/**
 * `name` is what is to be reached, `host` from where, `wanted` the port, `found` whoever on the way has answered instead.
 */
export type ReachesMessage =
  | 'noRoute'
  | 'unknownName'
  | 'refused'
  | 'rejected'
  | 'turnedBack'
  | 'inCircles'
  | 'noAnswer';

const MESSAGES: DefaultMessages<ReachesMessage> = {
  noRoute: ({ name, host }) => `No route leads from ${host} to ${name}.`,
  unknownName: ({ name, host }) => `Nobody tells ${host} which address ${name} has.`,
  refused: ({ name, host, wanted }) =>
    `${host} reaches ${name} and is refused: nothing listens on port ${wanted} there, or a firewall rejects it.`,
  rejected: ({ name, host, found }) =>
    `A rule in the firewall of ${found} rejects what ${host} sends to ${name}.`,
  turnedBack: ({ name, host, found }) =>
    `What ${host} sends to ${name} comes as far as ${found}, which knows no way on.`,
  inCircles: ({ name, host }) =>
    `What ${host} sends to ${name} goes in circles: two hosts each hold the other for the way.`,
  noAnswer: ({ name, host }) =>
    `${host} gets no answer from ${name}: what it sends, or what comes back, is lost on the way.`,
};

/** An assertion that something can be reached. */
export interface ReachesAssertion<Host extends string = string> extends Assertion<Host> {
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<ReachesMessage>): ReachesAssertion<Host>;
}

/** Where a probe goes. */
interface Target {
  /** As it was written. */
  readonly name: string;
  readonly to: string;
  readonly port: number | undefined;
}

/** Where it comes from: a host's network, or that of a container of it. */
type Source<Host extends string> =
  | { readonly kind: 'host'; readonly host: Host }
  | {
      readonly kind: 'container';
      readonly host: Host;
      readonly container: ContainerAssertion<Host>;
    };

interface Wanted<Host extends string> {
  readonly target: Target;
  readonly source: Source<Host>;
  readonly messages: Messages<ReachesMessage>;
}

/**
 * An address or a name answers now: to a ping, or, with a port, to a connection. It is asked from the network of a host or
 * of a container, where it waits a second; it is no visit, and nobody has to have typed anything.
 *
 * @example
 * test: reaches('10.1.20.11').from('client')
 * test: reaches('app:80').from(container('web').on('server01'))
 */
export function reaches(address: string) {
  const target = parsed(address);
  return {
    from: <const Host extends string>(
      source: Host | ContainerAssertion<Host>,
    ): ReachesAssertion<Host> =>
      build({
        target,
        source:
          typeof source === 'string'
            ? { kind: 'host', host: source }
            : { kind: 'container', host: source.wanted.host, container: source },
        messages: {},
      }),
  };
}

/** An address or a name, with a port or without. The first character is none that a command takes for an option. */
const TARGET = /^([a-z\d][\w.-]{0,252})(?::(\d{1,5}))?$/i;
const LAST_PORT = 65_535;

function parsed(name: string): Target {
  const [, to, port] = TARGET.exec(name) ?? [];
  const number = port === undefined ? undefined : Number(port);
  if (to === undefined || number === 0 || (number ?? 0) > LAST_PORT) {
    throw new Error(
      `reaches("${name}"): an address or a name is expected, and a port where one is asked for, such as 10.1.10.11 or web:80`,
    );
  }
  return { name, to, port: number };
}

function build<Host extends string>(wanted: Wanted<Host>): ReachesAssertion<Host> {
  return assertion([wanted.source.host], (sandbox: SandboxView<Host>) => judge(wanted, sandbox), {
    withMessages: (more: Messages<ReachesMessage>) =>
      build({ ...wanted, messages: { ...wanted.messages, ...more } }),
  });
}

async function judge<Host extends string>(
  { target, source, messages }: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const { name, to, port } = target;
  const here = sandbox.host(source.host);
  let from: string | undefined;
  let called: string = source.host;
  if (source.kind === 'container') {
    const finding = await findContainer(source.container.runs().wanted, sandbox);
    if (!finding.found) return finding.verdict;
    from = finding.container.id;
    called = finding.container.name;
  }
  const end = endOf(await here.probe(to, port, from), port !== undefined);
  if (end.kind === 'answered') return passed();
  if (end.kind === 'unknown') {
    throw new CouldNotCheck(`${here.name} could not send anything to ${name} (${end.said}).`);
  }
  const way = end.kind === 'noAnswer' ? await wayWrong(sandbox, here, to, from !== undefined) : end;
  const by = 'by' in way ? (hostAt(sandbox, way.by)?.name ?? way.by) : '';
  const facts = { name, host: called, found: by, wanted: String(port ?? '') };
  return verdictWith(MESSAGES, messages, way.kind, facts);
}

/**
 * Why no answer comes, where the routes of the lab's hosts tell: one on the way knows no way on, or the way leads back to
 * where it has been. What they send back themselves says so as well, but a kernel sends it only now and then.
 */
async function wayWrong(
  sandbox: SandboxView,
  first: HostView,
  to: string,
  isForwarded: boolean,
): Promise<Exclude<End, { readonly kind: 'answered' | 'unknown' }>> {
  if (!isAddress(to)) return { kind: 'noAnswer' };
  const been: string[] = [];
  let at: HostView | undefined = first;
  while (at) {
    if (been.includes(at.name)) return { kind: 'inCircles' };
    been.push(at.name);
    const way: RouteGot | undefined = await wayTo(at, to);
    const isOn = isForwarded || been.length > 1;
    if (!way) return isOn ? { kind: 'turnedBack', by: at.name } : { kind: 'noRoute' };
    const next = way.gateway === undefined ? undefined : hostAt(sandbox, way.gateway);
    at = next && sandbox.host(next.name);
  }
  return { kind: 'noAnswer' };
}

/** How a probe ended, as a message has it. */
type End =
  | { readonly kind: 'answered' }
  | { readonly kind: Exclude<ReachesMessage, 'rejected' | 'turnedBack'> }
  | { readonly kind: 'rejected' | 'turnedBack'; readonly by: string }
  | { readonly kind: 'unknown'; readonly said: string };

/** How `timeout` ends where it had to end the probe: a name is still being asked for. */
const TIMED_OUT = 124;
/** So much is repeated of what a probe has said that nobody expects. */
const SAID_CHARACTERS = 120;
/** How ping(8) and nc(1) end where it was not they who failed. */
const WENT_WRONG_MOST = 2;

/** What a firewall sends back, or a router. */
const SENT_BACK = /^From (\S{1,64}) icmp_seq=\d+ (.*)$/m;
const REJECTED = /Port Unreachable|filtered|Prohibited/i;

/**
 * What ping or nc have said, by its words: their exit status is the same for most of these. That a host or a network is
 * “unreachable” is said now and then for what is silence else, so that is no answer as well.
 */
function endOf({ status, output }: CommandAnswer, isPort: boolean): End {
  if (status === 0) return { kind: 'answered' };
  if (status === TIMED_OUT) return { kind: 'unknownName' };
  if (status > WENT_WRONG_MOST) return { kind: 'unknown', said: output.slice(0, SAID_CHARACTERS) };
  if (/name resolution|Name or service|address associated/.test(output)) {
    return { kind: 'unknownName' };
  }
  if (/refused/.test(output)) return { kind: 'refused' };
  const [, by = '', said = ''] = SENT_BACK.exec(output) ?? [];
  if (REJECTED.test(said)) return { kind: 'rejected', by };
  const isOwn = isPort
    ? /Network is unreachable|Invalid argument|Permission denied/.test(output)
    : /^ping: (connect|Do you want)/m.test(output);
  return { kind: isOwn ? 'noRoute' : 'noAnswer' };
}
