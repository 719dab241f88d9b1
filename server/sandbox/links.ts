import pLimit from 'p-limit';
import { withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { type ExecResult, HostShellChannel } from './host-shell-channel.ts';
import { LABEL, type Role } from './labels.ts';
import { UNCONFINED } from './security-options.ts';

/** The end of a link to the switch: a host's, or the gateway's. */
export interface LinkEndpoint {
  /** The host's first process, as the engine's machine numbers it. */
  readonly pid: number;
  /** Its name in the host: `eth1`. */
  readonly interface: string;
  /** Address with prefix length. */
  readonly address: string;
  /** The bridge of its network in the switch: `br0`. */
  readonly bridge: string;
  /** The address, beyond that wire, of its way out; none, where it has none. */
  readonly gateway?: string | undefined;
}

/** The script that makes the links (images/lab-host/wire). */
const SCRIPT = '/opt/quayside/wire';
/** Linking takes 0.3 s; on a machine full of starts it takes seconds. The script is ended then, and its shell is kept. */
const LINK_SECONDS = 20;
/** An engine that hangs with the shell must not hold a session for ever. */
const LINK_MS = (LINK_SECONDS + 5) * 1_000;
/** The status of a script that timeout(1) has ended. */
const TIMED_OUT = 124;
/** So that one link that hangs does not hold up all others. Each keeps a core busy. */
const LINKS_AT_ONCE = 2;

/**
 * A small container or two for all of a server's sandboxes, which may reach into the network namespaces of their hosts.
 * They live as long as this process holds their stdin, and the engine removes them then: also when it is killed.
 */
export class LinkManager implements AsyncDisposable {
  readonly #channels: readonly HostShellChannel[];
  readonly #free: HostShellChannel[];
  readonly #queue = pLimit(LINKS_AT_ONCE);
  readonly #inUse = new AbortController();

  constructor(engine: Engine, image: string, instance: string) {
    this.#channels = Array.from({ length: LINKS_AT_ONCE }, () => channel(engine, image, instance));
    this.#free = [...this.#channels];
  }

  /**
   * Joins hosts to the switch by a veth pair for each endpoint. What is joined already stays as it is.
   * One that has begun goes on when the signal is aborted: what it shares with others is not broken off.
   *
   * @param switchPid the switch's first process, as the engine's machine numbers it
   * @throws the signal's reason; QuaysideError SANDBOX_FAILED with what the tools said
   */
  async link(
    switchPid: number,
    endpoints: readonly LinkEndpoint[],
    signal = this.#inUse.signal,
  ): Promise<void> {
    const specs = endpoints.map(({ pid, address, interface: name, bridge, gateway }, index) => {
      const end = [pid, address, macOf(address), `port${index + 1}`, name, bridge];
      return [...end, ...(gateway === undefined ? [] : [gateway])].join(',');
    });
    const argv = ['timeout', '-k', '1', String(LINK_SECONDS), SCRIPT, String(switchPid), ...specs];
    const { status, output } = await withAbort(signal, () =>
      this.#queue(async () => {
        signal.throwIfAborted();
        return await this.#exec(argv);
      }),
    );
    if (status === 0) return;
    const why = status === TIMED_OUT ? `not done after ${LINK_SECONDS} s` : `status ${status}`;
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `The hosts could not be wired together: ${output || why}`,
      'Try again. If it happens again, look at the engine: docker ps --filter label=quayside.role',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inUse.abort(new Error('the server stops'));
    await Promise.all(this.#channels.map((each) => each[Symbol.asyncDispose]()));
  }

  async #exec(argv: readonly string[]): Promise<ExecResult> {
    // The last one used is the first to be used again: the second is started only where two links meet.
    const shell = this.#free.pop();
    if (!shell) throw new Error('more links are under way than there are shells');
    try {
      return await shell.exec(argv, this.#inUse.signal, LINK_MS);
    } catch (error) {
      return { status: -1, output: (error as Error).message };
    } finally {
      this.#free.push(shell);
    }
  }
}

function channel(engine: Engine, image: string, instance: string): HostShellChannel {
  return new HostShellChannel((argv, signal) =>
    engine.attend(
      {
        // The next server of this instance may start before the last one's is gone.
        name: `quayside-links-${crypto.randomUUID().slice(0, 8)}`,
        Image: image,
        Entrypoint: ['tini', '--', ...argv],
        Labels: { [LABEL.instance]: instance, [LABEL.role]: 'wirer' satisfies Role },
        NetworkDisabled: true,
        HostConfig: {
          NetworkMode: 'none',
          PidMode: 'host',
          CapAdd: ['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE'],
          SecurityOpt: UNCONFINED,
        },
      },
      signal,
    ),
  );
}

/**
 * A hardware address made from the IPv4 address: a host that was restarted keeps it, so its neighbours, who remember
 * it for half a minute, reach it at once. 02 marks it as locally administered (IEEE 802).
 */
function macOf(address: string): string {
  const octets = (address.split('/', 1)[0] ?? '').split('.').map(Number);
  return ['02', '00', ...octets.map((octet) => octet.toString(16).padStart(2, '0'))].join(':');
}
