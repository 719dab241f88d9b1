import type { Engine } from '../engine/engine.ts';
import { QuaysideError } from '../errors.ts';
import { labelsOf, type Owner, objectName } from './labels.ts';

/** One host's place on the wire. */
export interface Wire {
  readonly host: string;
  /** The host's first process, as the engine's machine numbers it. */
  readonly pid: number;
  /** Address with prefix length. */
  readonly address: string;
}

/**
 * Joins every host to the switch by a veth pair, one end named eth1 in the host. Idempotent: a host that has its eth1
 * keeps it, if the other end is in this switch; that of a switch that died stays for a moment longer. `ip link add …
 * netns … peer … netns …` makes both ends in their places at once, so nothing of ours is ever on the machine's own
 * network. The lab's network is one of IPv4 alone, as the class had it.
 */
const SCRIPT = `
set -e
# The runtime mounts it read-only.
mount -o remount,bind,rw /proc/sys || :
switch=$1; shift
ipv6=/proc/sys/net/ipv6/conf/all/disable_ipv6
nsenter -t "$switch" -n sh -c 'ip link show br0 >/dev/null 2>&1 || { ip link add br0 type bridge; ip link set br0 up; }'
for wire in "$@"; do
  IFS=, read -r pid address mac port <<EOF
$wire
EOF
  if nsenter -t "$pid" -n ip link show eth1 >/dev/null 2>&1; then
    nsenter -t "$switch" -n ip link show "$port" >/dev/null 2>&1 && continue
    nsenter -t "$pid" -n ip link del eth1 2>/dev/null || :
  fi
  nsenter -t "$switch" -n ip link del "$port" 2>/dev/null || :
  ip link add eth1 address "$mac" netns "$pid" type veth peer name "$port" netns "$switch"
  nsenter -t "$switch" -n ip link set "$port" master br0 up
  nsenter -t "$pid" -n sh -c "[ ! -w $ipv6 ] || echo 1 > $ipv6; ip link set lo up; ip addr add $address brd + dev eth1; ip link set eth1 up"
done
`;

/** Wiring takes well under a second; an engine that hangs must not hold a session for ever. */
const WIRING_MS = 20_000;

/**
 * A short-lived container that may reach into the network namespaces of the others. Start it while the hosts start,
 * so that it costs no time of its own; dispose it when the wires are in place.
 */
export class Wirer implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #container: string;

  private constructor(engine: Engine, container: string) {
    this.#engine = engine;
    this.#container = container;
  }

  static async start(engine: Engine, owner: Owner, image: string): Promise<Wirer> {
    const container = await engine.docker.createContainer({
      // Several may stand side by side when two repairs meet.
      name: objectName(owner, `wirer-${crypto.randomUUID().slice(0, 8)}`),
      Image: image,
      Entrypoint: ['tini', '--', 'sleep', '120'],
      Labels: labelsOf(owner, 'wirer'),
      HostConfig: {
        NetworkMode: 'host',
        PidMode: 'host',
        CapAdd: ['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE'],
        SecurityOpt: ['apparmor=unconfined'],
        AutoRemove: true,
      },
    });
    await container.start();
    return new Wirer(engine, container.id);
  }

  /** @throws QuaysideError SANDBOX_FAILED with what the tools said */
  async wire(switchPid: number, wires: readonly Wire[]): Promise<void> {
    const specs = wires.map(
      (wire, index) => `${wire.pid},${wire.address},${macOf(wire.address)},port${index + 1}`,
    );
    const { status, stderr } = await this.#engine.run(
      this.#container,
      ['sh', '-c', SCRIPT, 'wire', String(switchPid), ...specs],
      { signal: AbortSignal.timeout(WIRING_MS) },
    );
    if (status === 0) return;
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `The hosts could not be wired together: ${stderr.trim() || `status ${status}`}`,
      'Try again. If it happens again, look at the engine: docker ps --filter label=quayside.sandbox',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.docker
      .getContainer(this.#container)
      .remove({ force: true })
      .catch(() => undefined); // Gone already is success.
  }
}

/**
 * A hardware address made from the IPv4 address: a host that was restarted keeps it, so its neighbours, who remember
 * it for half a minute, reach it at once. 02 marks it as locally administered (IEEE 802).
 */
function macOf(address: string): string {
  const octets = (address.split('/', 1)[0] ?? '').split('.').map(Number);
  return ['02', '00', ...octets.map((octet) => octet.toString(16).padStart(2, '0'))].join(':');
}
