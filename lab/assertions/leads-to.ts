import { CouldNotCheck, passed, type Verdict } from '../verdict.ts';
import type { HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  hostAt,
  type Messages,
  verdictWith,
} from './assertion.ts';
import { isAddress } from './ipv4.ts';

/** `name` is the address, `found` where the host sends it instead, `wanted` where it is to go. */
export type LeadsToMessage = 'noWay' | 'ownAddress' | 'noGateway' | 'otherGateway';

const MESSAGES: DefaultMessages<LeadsToMessage> = {
  noWay: ({ name, host }) => `${host} has no route that leads to ${name} yet.`,
  ownAddress: ({ name, host }) => `${name} is an address of ${host} itself.`,
  noGateway: ({ name, host, found, wanted }) =>
    `${host} looks for ${name} on its own wire (${found}), where nobody has it. It has to go via ${wanted}.`,
  otherGateway: ({ name, host, found, wanted }) =>
    `${host} sends what is for ${name} to ${found}. It has to go via ${wanted}.`,
};

/** An assertion about the way that a host sends an address. */
export interface LeadsToAssertion<Host extends string = string> extends Assertion<Host> {
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<LeadsToMessage>): LeadsToAssertion<Host>;
}

interface Wanted<Host extends string> {
  readonly address: string;
  readonly host: Host;
  readonly gateway: string;
  readonly messages: Messages<LeadsToMessage>;
}

/**
 * The kernel of a host sends what is for an address to a gateway, by whatever route: one for it alone, for a network or
 * the default one. Where the mask of the route matters, ask for `route`.
 *
 * @example test: leadsTo('10.1.20.11').on('client').via('10.1.10.1')
 */
export function leadsTo(address: string) {
  const wanted = addressed('leadsTo', address);
  return {
    on: <const Host extends string>(host: Host) => ({
      via: (gateway: string): LeadsToAssertion<Host> =>
        build({ address: wanted, host, gateway: addressed('via', gateway), messages: {} }),
    }),
  };
}

function addressed(word: string, address: string): string {
  if (isAddress(address)) return address;
  throw new Error(`${word}("${address}"): an IPv4 address is expected, such as 10.1.20.11`);
}

function build<Host extends string>(wanted: Wanted<Host>): LeadsToAssertion<Host> {
  return assertion([wanted.host], (sandbox: SandboxView<Host>) => judge(wanted, sandbox), {
    withMessages: (more: Messages<LeadsToMessage>) =>
      build({ ...wanted, messages: { ...wanted.messages, ...more } }),
  });
}

async function judge<Host extends string>(
  { address, host, gateway, messages }: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const way = await wayTo(sandbox.host(host), address);
  if (way?.gateway === gateway) return passed();
  const tell = (key: LeadsToMessage, found = '', command?: string) => {
    const facts = { name: address, host, found, wanted: called(sandbox, gateway) };
    return verdictWith(MESSAGES, messages, key, facts, command ? { host, command } : undefined);
  };
  if (!way) return tell('noWay');
  if (way.type === 'local') return tell('ownAddress');
  return way.gateway === undefined
    ? tell('noGateway', way.dev)
    : tell('otherGateway', called(sandbox, way.gateway));
}

/** An address, with the name of its host where it is one of the lab's. */
function called(sandbox: SandboxView, address: string): string {
  const name = hostAt(sandbox, address)?.name;
  return name === undefined ? address : `${name} (${address})`;
}

/** What `ip -j route get` says of an address. */
export interface RouteGot {
  readonly type?: string;
  readonly gateway?: string;
  readonly dev?: string;
}

/** How `ip` ends where the kernel says that there is no way. */
const NO_WAY = 2;

/** The way that a host's kernel sends an address; `undefined` where it knows none. */
export async function wayTo(host: HostView, address: string): Promise<RouteGot | undefined> {
  const { status, output } = await host.ask(['ip', '-j', '-4', 'route', 'get', address]);
  if (status === NO_WAY) return undefined;
  if (status !== 0) throw new CouldNotCheck(`ip does not work on ${host.name}.`);
  return (JSON.parse(output) as readonly RouteGot[])[0];
}
