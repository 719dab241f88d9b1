import {
  isWithin,
  notYet,
  passed,
  type RouteView,
  relation,
  sizeOf,
  type Verdict,
  type WayOut,
} from '#lab';
import { OTHER_SERVER, SERVER, SERVER_ADDRESS } from './myapp2.ts';

const OTHER_SERVER_ADDRESS = '10.1.10.12';

/**
 * Whether all of a subnet is sent to server01: by one route for just that subnet, or by narrower ones that together
 * leave nothing out. A wider route would work as well, but takes along what is none of Docker's.
 */
export function routeToBridge(routes: readonly RouteView[], subnet: string): Verdict {
  const inside = routes.filter((route) => isNarrowerOrSame(route, subnet));
  const strays = inside.filter((route) => route.via !== SERVER_ADDRESS);
  const stray = strays[0];
  if (stray) return strayed(stray, subnet);
  if (inside.some((route) => relation(route.destination, subnet) === 'same')) return passed();
  if (withoutNested(inside) === sizeOf(subnet)) return passed();
  if (inside.length > 0) return tooNarrow(inside, subnet);
  const wide = routes.find((route) => relation(route.destination, subnet) === 'wider');
  if (wide) return tooWide(wide, subnet);
  const close = routes.find(
    (route) => route.via !== undefined && route.destination.startsWith('172.'),
  );
  if (close) {
    return notYet(
      `The client has a route to ${close.destination}, but the containers are in ${subnet}.`,
      add(subnet),
    );
  }
  return notYet(`The client has no route to ${subnet} yet.`);
}

/** The gateway that the client's kernel uses for an address (longest prefix first), or `undefined`. */
export function viaFor(address: string, routes: readonly RouteView[]): string | undefined {
  return routes
    .filter((route) => isWithin(address, route.destination))
    .toSorted((a, b) => sizeOf(a.destination) - sizeOf(b.destination))[0]?.via;
}

function isNarrowerOrSame(route: RouteView, subnet: string): boolean {
  const lies = relation(route.destination, subnet);
  return lies === 'same' || lies === 'narrower';
}

/** How many addresses the routes lead to, each counted once. */
function withoutNested(routes: readonly RouteView[]): number {
  return routes
    .filter(
      (route) =>
        !routes.some((other) => relation(other.destination, route.destination) === 'wider'),
    )
    .reduce((sum, route) => sum + sizeOf(route.destination), 0);
}

function strayed(route: RouteView, subnet: string): Verdict {
  const wayOut: WayOut =
    relation(route.destination, subnet) === 'same'
      ? { host: 'client', command: `sudo ip route replace ${subnet} via ${SERVER_ADDRESS}` }
      : { host: 'client', command: `sudo ip route del ${route.destination}` };
  if (route.via === undefined) {
    return notYet(
      `The client’s route to ${route.destination} names no gateway. It has to go via ${SERVER_ADDRESS}.`,
      wayOut,
    );
  }
  const who = route.via === OTHER_SERVER_ADDRESS ? `${OTHER_SERVER} (${route.via})` : route.via;
  return notYet(
    `The client sends ${route.destination} to ${who}. The container is on ${SERVER}: the route has to go via ${SERVER_ADDRESS}.`,
    wayOut,
  );
}

function tooNarrow(inside: readonly RouteView[], subnet: string): Verdict {
  const destinations = inside.map((route) => route.destination).join(' and ');
  return notYet(
    `The mask is too narrow: the route covers ${destinations}, but the containers’ network is all of ${subnet}. Its mask is ${maskOf(subnet)}.`,
    add(subnet),
  );
}

function tooWide(route: RouteView, subnet: string): Verdict {
  if (route.via !== SERVER_ADDRESS) return notYet(`The client has no route to ${subnet} yet.`);
  return notYet(
    `The mask is too wide: the route ${route.destination} takes more to ${SERVER} than the containers’ network ${subnet}. Its mask is ${maskOf(subnet)}.`,
    add(subnet),
  );
}

function add(subnet: string): WayOut {
  const [network] = subnet.split('/');
  return {
    host: 'client',
    command: `route add ${network} mask ${maskOf(subnet)} ${SERVER_ADDRESS}`,
  };
}

/** A subnet's mask in dotted form: `255.255.0.0` for a /16. */
function maskOf(subnet: string): string {
  const mask = 2 ** 32 - sizeOf(subnet);
  return [24, 16, 8, 0].map((shift) => Math.floor(mask / 2 ** shift) % 256).join('.');
}
