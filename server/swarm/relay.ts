import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deadline, sleep } from '../base/deadline.ts';
import { messageOf, QuaysideError } from '../base/errors.ts';
import { Engine } from '../engine/engine.ts';
import { type SwarmTask, tasksOf } from './swarm-api.ts';

/** The stack of swarm.yaml. */
const STACK = 'quayside';
const RELAY = `${STACK}_relay`;
const ENTRANCE = `${STACK}_entrance`;
/** Where the entrances of this machine make a socket for each machine. Short: a socket's path may have 107 characters. */
const DIRECTORIES = '/run/quayside/swarm';
/** So much of a machine's number tells the Swarms of one machine apart. */
const NUMBER_CHARACTERS = 8;
/** What the names of the sockets end with. */
const SOCKET = '.sock';
/** The port of images/relay/relay.conf, inside the overlay network. */
const PORT = 2376;
/** The client waits for the managers only, not for the tasks. */
const DEPLOY_MS = 60_000;
/** A network goes with the last of its tasks, and a relay is given a minute (swarm.yaml). */
const GONE_MS = 120_000;
const LOOK_MS = 100;

const ENTRANCE_HEAD = `; Written by the server (server/swarm/relay.ts), which then has it read again (SIGHUP).
foreground = yes
pid =
debug = warning
client = yes
TIMEOUTidle = 31536000
sslVersionMin = TLSv1.3
cert = /run/secrets/quayside-server
CAfile = /run/secrets/quayside-ca
verifyChain = yes
checkHost = quayside-node

; Without any service it would read no configuration at all.
[none]
accept = /entrance/none${SOCKET}
connect = 127.0.0.1:1
`;

/** The way to the engines of a Swarm's other machines: for each of them a Unix socket on this one. */
export class Relay {
  readonly #engine: Engine;
  readonly #stackFile: string;
  readonly #node: string;
  readonly #directory: string;
  /** The configuration that the entrance has read, and the container that has. */
  #read = '';

  /**
   * @param engine of this machine, which is a manager of the Swarm
   * @param node this machine's number in the Swarm
   */
  constructor(engine: Engine, project: string, node: string) {
    this.#engine = engine;
    this.#node = node;
    // Engines of one machine may be in Swarms of their own.
    this.#directory = join(DIRECTORIES, node.slice(0, NUMBER_CHARACTERS));
    this.#stackFile = join(project, 'swarm.yaml');
  }

  /**
   * Deploys the stack, or brings it up to date.
   *
   * @param image by its id: then no machine asks a registry for it
   * @throws QuaysideError SWARM_UNFIT with what the client said
   */
  async deploy(image: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    if (!existsSync(join(this.#directory, 'entrance.conf'))) await this.#write(ENTRANCE_HEAD);
    const argv = ['stack', 'deploy', '--compose-file', this.#stackFile];
    await this.#client([...argv, '--resolve-image', 'never', STACK], {
      QUAYSIDE_RELAY: image,
      QUAYSIDE_SERVER_NODE: this.#node,
      QUAYSIDE_ENTRANCE: this.#directory,
    });
  }

  /** Removes the stack with its secrets, and the sockets; gone already is success. Settles when its network is gone too. */
  async remove(): Promise<void> {
    await this.#client(['stack', 'rm', STACK]);
    // A removal that finds the network on its way out fails.
    using limit = deadline(GONE_MS);
    while (await this.#hasNetwork(limit.signal)) await sleep(LOOK_MS, limit.signal, { ref: true });
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #hasNetwork(signal: AbortSignal): Promise<boolean> {
    const filters = { label: [`com.docker.stack.namespace=${STACK}`] };
    const options = { filters, abortSignal: signal };
    return (await this.#engine.docker.listNetworks(options)).length > 0;
  }

  /** The machines whose relay runs, each with its address in the relays' network. */
  async addresses(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    // One that is to end still runs for a while, so that its machine can be left in good order.
    const tasks = await tasksOf(this.#engine, RELAY, false, signal);
    const isToEnd = ({ DesiredState }: SwarmTask) => DesiredState !== 'running';
    return new Map(
      // Of two on a machine, the one that is to stay.
      [...tasks.filter(isToEnd), ...tasks.filter((task) => !isToEnd(task))].flatMap(
        ({ NodeID, Status, NetworksAttachments }) => {
          const [address] = NetworksAttachments?.flatMap(({ Addresses }) => Addresses ?? []) ?? [];
          const isUp = Status.State === 'running' && address !== undefined;
          return isUp ? [[NodeID, address.split('/', 1)[0] ?? '']] : [];
        },
      ),
    );
  }

  /** Has the entrance make a socket for each of these machines, and for no other. */
  async open(addresses: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    const sections = [...addresses].map(
      ([node, address]) =>
        `\n[${node}]\naccept = /entrance/${node}${SOCKET}\nconnect = ${address}:${PORT}\n`,
    );
    const text = ENTRANCE_HEAD + sections.toSorted().join('');
    const filters = { label: [`com.docker.swarm.service.name=${ENTRANCE}`] };
    const [entrance] = await this.#engine.docker.listContainers({ filters, abortSignal: signal });
    const wanted = `${entrance?.Id}\n${text}`;
    if (this.#read === wanted) return;
    await this.#write(text);
    if (!entrance) {
      // One that is not there yet reads it as it starts, and cannot start where one that was killed has left its sockets.
      await this.#dropSockets();
      return;
    }
    const container = this.#engine.docker.getContainer(entrance.Id);
    await container.kill({ signal: 'HUP', abortSignal: signal });
    this.#read = wanted;
  }

  /** Whether there is a socket for a machine. */
  isOpen(node: string): boolean {
    return existsSync(this.#socketOf(node));
  }

  /** The engine of a machine, as its socket here leads to it. */
  engineOf(node: string): Engine {
    return new Engine(`unix://${this.#socketOf(node)}`, undefined, { isRelayed: true });
  }

  #socketOf(node: string): string {
    return join(this.#directory, `${node}${SOCKET}`);
  }

  async #dropSockets(): Promise<void> {
    const names = await readdir(this.#directory);
    const sockets = names.filter((name) => name.endsWith(SOCKET));
    await Promise.all(sockets.map((name) => rm(join(this.#directory, name), { force: true })));
  }

  /** Whole at any moment: the entrance may read it in this one. */
  async #write(text: string): Promise<void> {
    const file = join(this.#directory, 'entrance.conf');
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  async #client(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const options = {
      timeout: DEPLOY_MS,
      env: { ...process.env, DOCKER_HOST: this.#engine.address, ...env },
    };
    try {
      await promisify(execFile)('docker', [...argv], options);
    } catch (cause) {
      throw new QuaysideError(
        'SWARM_UNFIT',
        `docker ${argv.join(' ')} failed: ${messageOf(cause)}`,
        'Look at the Swarm with docker node ls and docker stack ps quayside, mend what they show, and start again.',
        { cause },
      );
    }
  }
}
