import { QuaysideError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { HostShellChannel } from './host-shell-channel.ts';
import { LABEL, type Role } from './labels.ts';

/** One host's place on the wire. */
export interface LinkEndpoint {
  readonly host: string;
  /** The host's first process, as the engine's machine numbers it. */
  readonly pid: number;
  /** Address with prefix length. */
  readonly address: string;
}

/** The script that makes the wires (images/lab-host/wire). */
const WIRE = '/opt/quayside/wire';
/** Wiring takes well under a second; an engine that hangs must not hold a session for ever. */
const WIRING_MS = 20_000;

/**
 * One small container for all of a server's sandboxes, which may reach into the network namespaces of their hosts.
 * It lives as long as this process holds its stdin, and the engine removes it then: also when the process is killed.
 */
export class LinkManager implements AsyncDisposable {
  readonly #asker: HostShellChannel;
  readonly #inUse = new AbortController();

  constructor(engine: Engine, image: string, instance: string) {
    this.#asker = new HostShellChannel((argv) =>
      engine.attend({
        // The next server of this instance may start before the last one's is gone.
        name: `quayside-wirer-${crypto.randomUUID().slice(0, 8)}`,
        Image: image,
        Entrypoint: ['tini', '--', ...argv],
        Labels: { [LABEL.instance]: instance, [LABEL.role]: 'wirer' satisfies Role },
        NetworkDisabled: true,
        HostConfig: {
          NetworkMode: 'none',
          PidMode: 'host',
          CapAdd: ['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE'],
          SecurityOpt: ['apparmor=unconfined'],
        },
      }),
    );
  }

  /**
   * Joins every host to the switch by a veth pair, one end named eth1 in the host. What is joined already stays as it is.
   *
   * @param switchPid the switch's first process, as the engine's machine numbers it
   * @throws QuaysideError SANDBOX_FAILED with what the tools said
   */
  async link(
    switchPid: number,
    wires: readonly LinkEndpoint[],
    outer?: AbortSignal,
  ): Promise<void> {
    outer?.throwIfAborted();
    const specs = wires.map(
      (wire, index) => `${wire.pid},${wire.address},${macOf(wire.address)},port${index + 1}`,
    );
    const signal = AbortSignal.any([this.#inUse.signal, AbortSignal.timeout(WIRING_MS)]);
    const { status, output } = await this.#asker
      .exec([WIRE, String(switchPid), ...specs], signal)
      .catch((cause: Error) => ({ status: -1, output: cause.message }));
    if (status === 0) return;
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `The hosts could not be wired together: ${output || `status ${status}`}`,
      'Try again. If it happens again, look at the engine: docker ps --filter label=quayside.role',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inUse.abort(new Error('the server stops'));
    await this.#asker[Symbol.asyncDispose]();
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
