import { type Fix, notYet, passed } from '../verdict.ts';
import type { RouteView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  hostAt,
  type Messages,
  type Reading,
  verdictWith,
} from './assertion.ts';
import { isWithin, maskOf, relation, sizeOf, sizeOfAll } from './ipv4.ts';

/** Every common way for a route not to be what the lab asks for. `wanted` is the mask where one is spoken of. */
export type RouteMessage =
  | 'missing'
  | 'noGateway'
  | 'wrongGateway'
  | 'tooNarrow'
  | 'tooWide'
  | 'elsewhere';

const MESSAGES: DefaultMessages<RouteMessage> = {
  missing: ({ name, host }) => `${host} has no route to ${name} yet.`,
  noGateway: ({ host, found, wanted }) =>
    `The route of ${host} to ${found} names no gateway. It has to go via ${wanted}.`,
  wrongGateway: ({ name, host, found, wanted }) =>
    `${host} sends ${name} to ${found}. The route has to go via ${wanted}.`,
  tooNarrow: ({ name, found, wanted }) =>
    `The mask is too narrow: the route covers ${found}, but the network is all of ${name}. Its mask is ${wanted}.`,
  tooWide: ({ name, found, wanted }) =>
    `The mask is too wide: the route ${found} takes more than ${name} with it. Its mask is ${wanted}.`,
  elsewhere: ({ name, host, found }) =>
    `${host} has a route to ${found}, but the one asked for is to ${name}.`,
};

/** An assertion about a host's routes: all of a subnet is sent to a gateway, and not much more. */
export interface RouteAssertion<Host extends string = string> extends Assertion<Host> {
  /** The command that adds the route, for the fix; `sudo ip route add …` unless given. */
  addedBy(command: (subnet: string, mask: string, gateway: string) => string): RouteAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<RouteMessage>): RouteAssertion<Host>;
}

interface Wanted<Host extends string> {
  readonly subnet: string | Reading;
  readonly host: Host;
  readonly gateway: string;
  readonly add: (subnet: string, mask: string, gateway: string) => string;
  readonly messages: Messages<RouteMessage>;
}

/**
 * A route to a subnet, such as `172.17.0.0/16`, or to what a reading brings.
 *
 * Passes with one route for just that subnet, or with narrower ones that together leave nothing out. A wider one would
 * work as well, but takes along what it should not.
 *
 * @example test: route('172.17.0.0/16').on('client').via('10.1.10.11')
 */
export function route(subnet: string | Reading) {
  return {
    on: <const Host extends string>(host: Host) => ({
      via: (gateway: string): RouteAssertion<Host> =>
        build({
          subnet,
          host,
          gateway,
          add: (to, _mask, via) => `sudo ip route add ${to} via ${via}`,
          messages: {},
        }),
    }),
  };
}

/** The gateway that a host's kernel uses for an address (longest prefix first), or `undefined`. */
export function gatewayFor(address: string, routes: readonly RouteView[]): string | undefined {
  return routes
    .filter((each) => isWithin(address, each.destination))
    .toSorted((a, b) => sizeOf(a.destination) - sizeOf(b.destination))[0]?.via;
}

function build<Host extends string>(wanted: Wanted<Host>): RouteAssertion<Host> {
  const { host, messages } = wanted;
  return assertion([host], (sandbox: SandboxView<Host>) => judge(wanted, sandbox), {
    addedBy: (add: Wanted<Host>['add']) => build({ ...wanted, add }),
    withMessages: (more: Messages<RouteMessage>) =>
      build({ ...wanted, messages: { ...messages, ...more } }),
  });
}

async function judge<Host extends string>(wanted: Wanted<Host>, sandbox: SandboxView<Host>) {
  const { host, gateway } = wanted;
  const subnet = typeof wanted.subnet === 'string' ? wanted.subnet : await wanted.subnet(sandbox);
  if (subnet === undefined) return notYet('There is no network yet that the route could lead to.');
  const mask = maskOf(subnet);
  const tell = (key: RouteMessage, name: string, found: string, right: string, command?: string) =>
    verdictWith(
      MESSAGES,
      wanted.messages,
      key,
      { name, host, found, wanted: right },
      command === undefined ? undefined : { host, command },
    );
  const add = wanted.add(subnet, mask, gateway);
  const routes = await sandbox.host(host).routes();
  const inside = routes.filter(({ destination }) =>
    ['same', 'narrower'].includes(relation(destination, subnet)),
  );
  const stray = inside.find(({ via }) => via !== gateway);
  if (stray) {
    const { destination, via } = stray;
    const { command }: Fix = {
      host,
      command:
        relation(destination, subnet) === 'same'
          ? `sudo ip route replace ${subnet} via ${gateway}`
          : `sudo ip route del ${destination}`,
    };
    if (via === undefined) return tell('noGateway', subnet, destination, gateway, command);
    const who = hostAt(sandbox, via)?.name;
    const found = who === undefined ? via : `${who} (${via})`;
    return tell('wrongGateway', destination, found, gateway, command);
  }
  if (inside.some(({ destination }) => relation(destination, subnet) === 'same')) return passed();
  const covered = inside.map(({ destination }) => destination);
  if (sizeOfAll(covered) === sizeOf(subnet)) return passed();
  if (inside.length > 0) {
    return tell('tooNarrow', subnet, covered.join(' and '), mask, add);
  }
  const wide = routes.find(
    ({ destination, via }) => via === gateway && relation(destination, subnet) === 'wider',
  );
  if (wide) return tell('tooWide', subnet, wide.destination, mask, add);
  const close = routes.find(
    ({ destination, via }) => via !== undefined && begins(destination, subnet),
  );
  if (close) return tell('elsewhere', subnet, close.destination, mask, add);
  return tell('missing', subnet, '', gateway);
}

/** Whether a route was probably meant for a subnet: both begin with the same number. */
function begins(destination: string, subnet: string): boolean {
  return destination.split('.')[0] === subnet.split('.')[0];
}
