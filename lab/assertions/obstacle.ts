import { notYet, type Verdict } from '../verdict.ts';
import type { ContainerView, HostView } from '../view.ts';
import { isWithin } from './ipv4.ts';

/** Where packets for a container are to arrive. */
export interface Way {
  /** The container's own, on the network that it is reached on. */
  readonly address: string;
  /** The container's own, as Docker writes it: `80/tcp`. */
  readonly port: string;
  /** The port of the host that leads there, where that one was asked for. */
  readonly hostPort?: number;
}

/** In /proc/net/tcp: the state of a socket that listens. */
const LISTENS = '0A';
/** A rule by which whatever passes the host, or arrives at it, may be thrown away. */
const DROPS = /^-A ((?:FORWARD|INPUT|DOCKER-USER) [\w ./:!,=-]*-j (?:DROP|REJECT)[\w -]*)$/;

/**
 * What keeps others from a container that runs, where its host no longer does its part: the bridge, the forwarding,
 * Docker's rules or its docker-proxy; or where its engine lets nobody in but by a published port, as from version 28 on.
 * For a page that does not come; it asks the host four questions.
 *
 * @returns the reason, with the way out; `undefined` where nothing of that kind is found
 */
export async function obstacleTo(
  host: HostView,
  { name }: Pick<ContainerView, 'name'>,
  { address, port, hostPort }: Way,
): Promise<Verdict | undefined> {
  const blocked = (reason: string, command = `${RESTART} && docker start ${name}`) =>
    notYet(reason, { host: host.name, command });
  const routes = await host.routes();
  if (!routes.some(({ destination, via }) => !via && isWithin(address, destination))) {
    return blocked(
      `${host.name} has no way to ${name} any more: the bridge that ${address} is on is gone, or down. ${MADE_ANEW}`,
    );
  }
  if ((await host.read('/proc/sys/net/ipv4/ip_forward')) === '0') {
    return blocked(
      `${host.name} passes nothing on to its containers: its ip_forward is 0.`,
      'sudo sysctl -w net.ipv4.ip_forward=1',
    );
  }
  const rules = await host.firewall();
  const [number = '', protocol = 'tcp'] = port.split('/');
  if (hostPort !== undefined && !leads(rules, hostPort, `${address}:${number}`)) {
    const sockets = await host.read(`/proc/net/${protocol}`);
    if (!listens(sockets ?? '', hostPort)) {
      return blocked(
        `Port ${hostPort} of ${host.name} leads nowhere any more: Docker’s rule for it is gone from the table nat, and so is the docker-proxy that listened there. ${MADE_ANEW}`,
      );
    }
  }
  if (hostPort === undefined && dropsDirect(rules, address)) {
    return blocked(
      `Docker lets nobody to ${name} but through a port of ${host.name}: since version 28 it throws away what other machines send to ${address} itself, unless daemon.json says "allow-direct-routing": true.`,
      `${ALLOW} && ${RESTART} && docker start ${name}`,
    );
  }
  const own = rules.flatMap((rule) => DROPS.exec(rule)?.[1] ?? [])[0];
  if (own !== undefined) {
    return blocked(
      `A rule in the firewall of ${host.name} throws away what is sent to ${name}, or may: iptables -A ${own}.`,
      `sudo iptables -D ${own}`,
    );
  }
  if (rules.includes(':FORWARD DROP') && !accepts(rules, address, number)) {
    return blocked(
      `Docker’s rules for ${name} are gone from the firewall of ${host.name} (iptables -F takes them away as well), so its kernel throws away what it would pass on. ${MADE_ANEW}`,
    );
  }
  return undefined;
}

/**
 * Whether a host's engine throws away what other machines send to the address of a container that runs, before any rule of the
 * table filter is asked. Docker does so since version 28, unless its daemon.json or the network allow it.
 */
export async function isDropped(host: HostView, address: string): Promise<boolean> {
  return dropsDirect(await host.firewall(), address);
}

/** Why a container that hangs on Docker's default bridge cannot be started: there is no bridge. */
export async function bridgeGone(
  host: HostView,
  { name, networkMode }: Pick<ContainerView, 'name' | 'networkMode'>,
): Promise<Verdict | undefined> {
  if (networkMode !== 'bridge' || (await host.addressOf('docker0')) !== undefined) return undefined;
  return notYet(`${host.name} has no docker0 any more, so ${name} cannot start. ${MADE_ANEW}`, {
    host: host.name,
    command: `${RESTART} && docker start ${name}`,
  });
}

const RESTART = 'sudo systemctl restart docker';
const SETTINGS = '/etc/docker/daemon.json';
const ALLOW = `jq '."allow-direct-routing" = true' ${SETTINGS} > /tmp/daemon.json && sudo cp /tmp/daemon.json ${SETTINGS}`;
const MADE_ANEW =
  'Docker makes it anew when it is restarted; the container has to be started then.';

/** The rule is one of the table raw: no other one has an interface that a packet did not come by, and a target. */
function dropsDirect(rules: readonly string[], address: string): boolean {
  return rules.some(
    (rule) => rule.startsWith(`-A PREROUTING -d ${address}/32 ! -i `) && rule.endsWith(' -j DROP'),
  );
}

/** Whether the host turns what arrives at a port into what goes to an address. */
function leads(rules: readonly string[], hostPort: number, to: string): boolean {
  const jumps = rules.some((rule) => /^-A PREROUTING .*-j DOCKER$/.test(rule));
  return jumps && rules.some((rule) => has(rule, `--dport ${hostPort}`, `--to-destination ${to}`));
}

/** Whether what is for a container passes Docker's chain. */
function accepts(rules: readonly string[], address: string, port: string): boolean {
  const jumps = rules.some((rule) => /^-A FORWARD .*-j DOCKER(-FORWARD)?$/.test(rule));
  return (
    jumps && rules.some((rule) => has(rule, `-d ${address}/32`, `--dport ${port}`, '-j ACCEPT'))
  );
}

/** Whether a rule has all of these, each as whole words. */
function has(rule: string, ...parts: readonly string[]): boolean {
  return parts.every((part) => `${rule} `.includes(`${part} `));
}

/** Whether /proc/net/tcp has a listener on a port; of IPv4, on any address. */
function listens(sockets: string, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return sockets
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(([, at = '', , state]) => at.endsWith(local) && state === LISTENS);
}
