import type { ContainerView } from '../view.ts';
import type { Messages } from './assertion.ts';
import type { ContainerMessage } from './container-messages.ts';
import type { Moment } from './moment.ts';

/** The host's side of a published port. */
export type HostSide =
  | { readonly kind: 'any' }
  | { readonly kind: 'ephemeral' }
  | { readonly kind: 'fixed'; readonly port: number };

/** A port of the container that is to be published. */
export interface WantedPort {
  /** As Docker writes it: `80/tcp`. */
  readonly port: string;
  readonly hostSide: HostSide;
}

/** All that a container assertion asks for, gathered by its chain. */
export interface ContainerSpec<Host extends string = string> {
  /** Absent where any container will do. */
  readonly name: string | undefined;
  readonly host: Host;
  readonly image: string | undefined;
  /** Made from what the image's name stands for now. */
  readonly newest: boolean;
  readonly runs: boolean;
  readonly imagesCommand: boolean;
  readonly network: string | undefined;
  readonly ports: readonly WantedPort[];
  /** It was started after this. */
  readonly earlier?: Moment<Host>;
  /** A command that makes the container just as it is wanted; the author's, or put together from the rest. */
  readonly made: string | undefined;
  readonly messages: Messages<ContainerMessage>;
}

/** `80` or `53/udp` as Docker writes it: `80/tcp`, `53/udp`. */
export function portKey(port: number | string): string {
  return String(port).includes('/') ? String(port) : `${port}/tcp`;
}

/** What stands behind `-p` for a port: `:80`, or `8080:80`. */
export function published({ port, hostSide }: WantedPort): string {
  const own = port.replace(/\/tcp$/, '');
  return hostSide.kind === 'fixed' ? `${hostSide.port}:${own}` : `:${own}`;
}

/**
 * Whether a container can be connected to another network: one on `none`, on `host` or in another container's network
 * cannot, whatever runs in it.
 */
export function isConnectable({ networkMode }: Pick<ContainerView, 'networkMode'>): boolean {
  return networkMode !== 'none' && networkMode !== 'host' && !networkMode.startsWith('container:');
}

/** The host's port that leads to a port of a container; of several, one that Docker picked. */
export function hostPortOf(
  { ports, requestedPorts }: Pick<ContainerView, 'ports' | 'requestedPorts'>,
  port: string,
): number | undefined {
  const bound = ports[port] ?? [];
  return bound.find((each) => !requestedPorts[port]?.includes(String(each))) ?? bound[0];
}

/** Linux's own range for ports of no particular number (net.ipv4.ip_local_port_range), from which Docker picks. */
const EPHEMERAL = { first: 32_768, last: 60_999 } as const;

/**
 * What was written as the host's side of a port where that kept Docker from picking as it does by itself: a number or a
 * range. Docker tries a range from its lower end on, so one that goes beyond its own may do as well, by the port it gave.
 */
export function writtenHostSide(
  container: Pick<ContainerView, 'ports' | 'requestedPorts'>,
  port: string,
): string | undefined {
  const asked = container.requestedPorts[port];
  const bound = hostPortOf(container, port) ?? EPHEMERAL.first;
  const isEphemeral = bound >= EPHEMERAL.first && bound <= EPHEMERAL.last;
  const isFree = (each: string) =>
    each === '' || each === '0' || (isEphemeral && coversEphemeral(each));
  return asked?.some(isFree) ? undefined : asked?.[0];
}

function coversEphemeral(written: string): boolean {
  const [first = Number.NaN, last = Number.NaN] = written.split('-').map(Number);
  return first <= EPHEMERAL.first && last >= EPHEMERAL.last;
}

/** Addresses that lead nowhere but to the host itself. */
const LOOPBACK = /^(127\.|::1$)/;

/** The host's loopback address that a port of a container is published on, where it is published nowhere else. */
export function loopbackOnly(
  { requestedAddresses }: Pick<ContainerView, 'requestedAddresses'>,
  port: string,
): string | undefined {
  const addresses = requestedAddresses[port] ?? [];
  return addresses.every((address) => LOOPBACK.test(address)) ? addresses[0] : undefined;
}

/** What the learner reads for the container: its name, or "container". */
export function titleOf(wanted: ContainerSpec): string {
  if (wanted.name !== undefined) return `container named ${wanted.name}`;
  if (wanted.network !== undefined) return `container on the network ${wanted.network}`;
  return wanted.image === undefined ? 'container' : `container of ${wanted.image}`;
}

/** A command that makes the container as it is wanted, or `undefined` where the image is not known. */
export function runCommand(wanted: ContainerSpec): string | undefined {
  if (wanted.made !== undefined) return wanted.made;
  if (wanted.image === undefined) return undefined;
  return [
    'docker run -d',
    ...(wanted.name === undefined ? [] : [`--name ${wanted.name}`]),
    ...(wanted.network === undefined || wanted.network === 'bridge'
      ? []
      : [`--network ${wanted.network}`]),
    ...wanted.ports.map((port) => `-p ${published(port)}`),
    wanted.image,
  ].join(' ');
}
