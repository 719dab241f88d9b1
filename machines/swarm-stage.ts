import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Engine } from '../server/engine/engine.ts';

/** Where the stage's machines are to each other. Nothing outside of their namespaces knows it. */
const SUBNET = '10.99.0';
const SWARM_PORT = 2377;
/** An engine answers within a second or two. */
const START_MS = 60_000;
/** It stops its containers first, all at once: ten seconds each, and a relay a minute (swarm.yaml). */
const STOP_MS = 90_000;
const POLL_MS = 50;

/**
 * What each engine has of `/run` is its own, as on a machine of its own; what Quayside shares with its hosts stays to be
 * seen, for the first machine is the server's.
 */
const OWN_RUN = `
set -e
mkdir -p /run/quayside "$1/keep" "$1/run"
mount --rbind /run/quayside "$1/keep"
mount -t tmpfs tmpfs /run
mkdir -p /run/quayside
mount --rbind "$1/keep" /run/quayside
exec $2 dockerd --host unix:///run/docker.sock --host "unix://$1/docker.sock" --data-root "$1/data" --exec-root "$1/exec" \\
  --pidfile "$1/pid" --bridge none --iptables=false --ip-forward=false
`;

/** One machine of the stage: an engine in a network namespace of its own. */
export interface StageNode {
  /** As on that machine itself. */
  readonly engine: Engine;
  /** Its number in the Swarm. */
  readonly id: string;
  /** Takes it off the network: to the others it is as one whose power has failed. */
  cut(): void;
  /** Puts it back. */
  mend(): void;
  /** Takes it down. What it had stays for {@link start}. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

/** Machines joined to one Swarm; the first is its manager. Disposing it removes all of it. */
export interface SwarmStage extends AsyncDisposable {
  readonly nodes: readonly StageNode[];
}

/**
 * Raises engines in network namespaces of this machine, joined by a bridge in another, and makes them one Swarm.
 *
 * @param isPinned gives each machine one processor, and all that runs on it; where there are more machines, they share
 */
export async function openSwarmStage(count = 3, isPinned = false): Promise<SwarmStage> {
  // Short: a Unix socket's path may have 107 characters.
  const room = await mkdtemp(join(tmpdir(), 'qs-'));
  const prefix = room.slice(room.lastIndexOf('/') + 1);
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(room, { recursive: true, force: true }));
  const hub = `${prefix}-hub`;
  opened.use(namespace(hub));
  within(hub, 'ip link add br0 type bridge; ip link set br0 up');
  const machines: Machine[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `${prefix}-${number}`;
    opened.use(namespace(name));
    run('ip', ['link', 'add', `n${number}`, 'netns', hub, ...veth('eth0', name)]);
    within(hub, `ip link set n${number} master br0; ip link set n${number} up`);
    const address = `${SUBNET}.${number}`;
    // An engine looks for the interface of its default route.
    const route = `ip route add default via ${SUBNET}.254`;
    const up = 'ip link set eth0 up; ip link set lo up';
    within(name, `ip addr add ${address}/24 dev eth0; ${up}; ${route}`);
    const processor = isPinned ? (number - 1) % cpus().length : undefined;
    const place = { room: join(room, String(number)), name, hub, address, processor };
    machines.push(opened.use(new Machine(place)));
  }
  await Promise.all(machines.map((each) => each.start()));
  const [first, ...others] = machines;
  if (!first) throw new Error('a stage has one machine at least');
  const listen = { ListenAddr: `0.0.0.0:${SWARM_PORT}` };
  await first.engine.docker.swarmInit({ AdvertiseAddr: first.address, ...listen });
  const { JoinTokens } = (await first.engine.docker.swarmInspect()) as unknown as {
    readonly JoinTokens: { readonly Worker: string };
  };
  for (const each of others) {
    await each.engine.docker.swarmJoin({
      RemoteAddrs: [`${first.address}:${SWARM_PORT}`],
      JoinToken: JoinTokens.Worker,
      AdvertiseAddr: each.address,
      ...listen,
    });
  }
  for (const each of machines) await each.learnId();
  const all = opened.move();
  return {
    nodes: machines,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(machines.map((each) => each[Symbol.asyncDispose]()));
      await all.disposeAsync();
    },
  };
}

/** Changes what the Swarm is told of a machine, as `docker node update` does. */
export async function changeNode({ engine }: StageNode, id: string, spec: object): Promise<void> {
  const node = engine.docker.getNode(id);
  const { Version, Spec } = await node.inspect();
  await node.update({ version: Version.Index, ...Spec, ...spec });
}

/** Where a machine is. */
interface Place {
  /** The folder of all that it has. */
  readonly room: string;
  /** Its network namespace. */
  readonly name: string;
  /** The network namespace that joins them. */
  readonly hub: string;
  readonly address: string;
  /** The only one that it has; all, if not given. */
  readonly processor: number | undefined;
}

class Machine implements StageNode, AsyncDisposable {
  readonly engine: Engine;
  readonly address: string;
  id = '';
  readonly #room: string;
  readonly #name: string;
  readonly #hub: string;
  readonly #processor: number | undefined;

  constructor({ room, name, hub, address, processor }: Place) {
    this.engine = new Engine(`unix://${room}/docker.sock`);
    this.address = address;
    this.#room = room;
    this.#name = name;
    this.#hub = hub;
    this.#processor = processor;
  }

  async start(): Promise<void> {
    await mkdir(this.#room, { recursive: true });
    await rm(join(this.#room, 'pid'), { force: true });
    const log = openSync(join(this.#room, 'log'), 'a');
    const inNamespace = [`--net=/var/run/netns/${this.#name}`, 'unshare', '-m'];
    // What an engine starts keeps to the processors that it has itself.
    const pinned = this.#processor === undefined ? '' : `taskset -c ${this.#processor}`;
    const slave = ['--propagation', 'slave', 'sh', '-c', OWN_RUN, 'sh', this.#room, pinned];
    const stdio = ['ignore', log, log] as const;
    spawn('nsenter', [...inNamespace, ...slave], { detached: true, stdio: [...stdio] }).unref();
    closeSync(log);
    const until = Date.now() + START_MS;
    while (await this.engine.isAway()) {
      if (Date.now() > until) throw new Error(`No engine: ${await this.#log()}`);
      await wait(POLL_MS);
    }
  }

  async learnId(): Promise<void> {
    const { Swarm } = (await this.engine.docker.info()) as {
      readonly Swarm: { readonly NodeID: string };
    };
    this.id = Swarm.NodeID;
  }

  cut(): void {
    within(this.#hub, `ip link set n${this.address.split('.').at(-1)} down`);
  }

  mend(): void {
    within(this.#hub, `ip link set n${this.address.split('.').at(-1)} up`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const pid = Number(await readFile(join(this.#room, 'pid'), 'utf8').catch(() => ''));
    if (!pid || !isAlive(pid)) return;
    process.kill(pid, signal);
    const until = Date.now() + STOP_MS;
    while (isAlive(pid)) {
      if (Date.now() > until) throw new Error(`The engine does not end: ${await this.#log()}`);
      await wait(POLL_MS);
    }
  }

  /** Nothing of it is needed any more: no container is given its time to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = await this.engine.docker.listContainers().catch(() => []);
    const kills = all.map(({ Id }) => this.engine.docker.getContainer(Id).kill());
    await Promise.allSettled(kills);
    await this.stop();
  }

  async #log(): Promise<string> {
    return (await readFile(join(this.#room, 'log'), 'utf8')).slice(-2000);
  }
}

function namespace(name: string): Disposable {
  run('ip', ['netns', 'add', name]);
  return { [Symbol.dispose]: () => run('ip', ['netns', 'del', name]) };
}

function veth(peer: string, netns: string): readonly string[] {
  return ['type', 'veth', 'peer', 'name', peer, 'netns', netns];
}

function within(name: string, script: string): void {
  run('nsenter', [`--net=/var/run/netns/${name}`, 'sh', '-ec', script]);
}

function run(file: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
