import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { hostNamed, type Lab, type LabHost } from '#lab';
import type { HostStatus } from '#protocol';
import { QuaysideError } from '../base/errors.ts';
import type { Dockerode } from '../engine/engine.ts';
import { Host } from './host.ts';
import { LABEL, labelsOf, objectName, type SandboxLabels } from './labels.ts';
import type { SandboxRuntime } from './runtime.ts';
import { SHARED_IN_HOST } from './shared-directory.ts';
import { thaw } from './thaw.ts';

const MIB = 1024 ** 2;

/** Half the machine, and one core at least: no host holds all of it, and an engine still starts as fast as it can. */
const NANO_CPUS = Math.max(1, Math.floor(availableParallelism() / 2)) * 1e9;

/**
 * What one host may take. A host with an engine idles at 40 MiB; a lab's containers are small, so this leaves room for
 * mistakes but not for taking the machine along.
 */
const HOST_LIMITS = {
  Memory: 1024 * MIB,
  MemorySwap: 1024 * MIB,
  PidsLimit: 1024,
  CpuShares: 512,
  NanoCpus: NANO_CPUS,
} as const;
/** A host without an engine runs shells only. */
const PLAIN_HOST_LIMITS = {
  Memory: 256 * MIB,
  MemorySwap: 256 * MIB,
  PidsLimit: 256,
  CpuShares: 512,
  NanoCpus: NANO_CPUS,
} as const;
const SWITCH = 'switch';

/** Told whenever a host gets further. */
export type OnHost = (host: string, phase: HostStatus['phase'], detail: string) => void;

/**
 * One learner's running copy of a lab's hosts and the wires between them. {@link Sandbox.reconcile} makes what is
 * missing and mends what is broken; there is no other way in, so a first start, a restarted host and a server that
 * comes back after a crash are all one path.
 */
export class Sandbox {
  readonly labels: SandboxLabels;
  readonly lab: Lab;
  readonly #runtime: SandboxRuntime;
  readonly #hosts = new Map<string, Host>();
  #reconciling: Promise<void> = Promise.resolve();

  constructor(runtime: SandboxRuntime, lab: Lab, owner: SandboxLabels) {
    this.#runtime = runtime;
    this.lab = lab;
    this.labels = owner;
  }

  /** A host by name or alias. @throws QuaysideError HOST_UNKNOWN, or SESSION_NOT_READY while it is being made */
  host(name: string): Host {
    const spec = hostNamed(this.lab, name);
    if (!spec) {
      throw new QuaysideError(
        'HOST_UNKNOWN',
        `This lab has no host named ${name}.`,
        `Its hosts are ${this.lab.hosts.map((host) => host.name).join(', ')}.`,
      );
    }
    const host = this.#hosts.get(spec.name);
    if (!host) {
      throw new QuaysideError(
        'SESSION_NOT_READY',
        `${spec.name} is not running yet.`,
        'Wait until the lab says that it is ready.',
      );
    }
    return host;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /**
   * Compares the wished-for sandbox with the live one and repairs the difference: makes, starts, wires, waits for the
   * engines, loads the images. Calls never overlap; one that arrives during another runs after it.
   *
   * @throws QuaysideError SANDBOX_FAILED, or whatever the engine said
   */
  reconcile(onHost: OnHost): Promise<void> {
    const next = this.#reconciling.catch(() => undefined).then(() => this.#reconcile(onHost));
    this.#reconciling = next;
    // Whoever asked gets the error; the chain itself must not raise it a second time.
    next.catch(() => undefined);
    return next;
  }

  /** Removes everything that carries this sandbox's label. Gone already is success. */
  async destroy(): Promise<void> {
    await this.#reconciling.catch(() => undefined);
    await destroySandbox(this.#runtime, this.labels.sandbox);
    this.#hosts.clear();
  }

  async #reconcile(onHost: OnHost): Promise<void> {
    await this.#raise(await this.#live(), onHost);
    await Promise.all(
      this.lab.hosts.map(async (spec) => {
        const host = this.host(spec.name);
        if (spec.hasEngine) onHost(spec.name, 'starting', 'engine starting');
        await host.untilEngineAnswers();
        for (const image of spec.images) {
          onHost(spec.name, 'starting', `loading ${image}`);
          const builtAs = this.#runtime.labImages[image];
          if (builtAs === undefined) throw new Error(`image ${image} was not built`);
          await host.ensureImage(image, builtAs, () =>
            this.#runtime.imageArchives.archive(builtAs),
          );
        }
        host.markAvailable();
        onHost(spec.name, 'ready', 'ready');
      }),
    );
  }

  async #raise(live: ReadonlyMap<string, Dockerode.ContainerInfo>, onHost: OnHost): Promise<void> {
    const { engine, links: wirer } = this.#runtime;
    const switchPid = this.#start(live.get(SWITCH)?.Id, () => this.#switchOptions());
    const hosts = this.lab.hosts.map(async (spec) => {
      onHost(spec.name, 'starting', 'machine starting');
      await this.#runtime.sharedDirectories.ensure(this.labels.sandbox, spec.name);
      const started = await this.#start(live.get(spec.name)?.Id, () => this.#hostOptions(spec));
      const outside = this.#runtime.sharedDirectories.pathOf(this.labels.sandbox, spec.name);
      const shared = outside === undefined ? undefined : { outside, inside: SHARED_IN_HOST };
      // One that was merely restarted stays the same, with the ways into it that are open.
      if (this.#hosts.get(spec.name)?.container !== started.id) {
        this.#hosts.set(spec.name, new Host(engine, spec, started.id, shared));
      }
      onHost(spec.name, 'starting', 'being wired up');
      return { host: spec.name, pid: started.pid, address: `${spec.address}/${spec.prefixLength}` };
    });
    const outcomes = await Promise.allSettled([switchPid, ...hosts]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    await wirer.link((await switchPid).pid, await Promise.all(hosts));
  }

  /**
   * Starts a container, making it first where there is none. The engine's list calls one running for a moment after it
   * died; asked for by its id, it tells the truth.
   */
  async #start(
    id: string | undefined,
    options: () => Dockerode.ContainerCreateOptions,
  ): Promise<{ readonly id: string; readonly pid: number }> {
    const { docker } = this.#runtime.engine;
    const container = id ? docker.getContainer(id) : await docker.createContainer(options());
    const before = await container.inspect();
    if (!before.State.Running) await container.start();
    const { State } = before.State.Running ? before : await container.inspect();
    return { id: container.id, pid: State.Pid };
  }

  async #live(): Promise<ReadonlyMap<string, Dockerode.ContainerInfo>> {
    const containers = await this.#runtime.engine.docker.listContainers({
      all: true,
      filters: { label: [`${LABEL.sandbox}=${this.labels.sandbox}`] },
    });
    const live = new Map<string, Dockerode.ContainerInfo>();
    for (const container of containers) {
      const role = container.Labels[LABEL.role];
      if (role === 'host') live.set(container.Labels[LABEL.host] ?? '', container);
      else if (role === 'switch') live.set(SWITCH, container);
    }
    return live;
  }

  #switchOptions(): Dockerode.ContainerCreateOptions {
    return {
      name: objectName(this.labels, SWITCH),
      Image: this.#runtime.hostImage,
      Entrypoint: ['tini', '--', 'sleep', 'infinity'],
      Labels: labelsOf(this.labels, 'switch'),
      NetworkDisabled: true,
      HostConfig: { NetworkMode: 'none', Memory: 32 * MIB, MemorySwap: 32 * MIB, PidsLimit: 16 },
    };
  }

  #hostOptions(spec: LabHost): Dockerode.ContainerCreateOptions {
    const names = this.lab.hosts.map((host) =>
      [host.address, host.name, ...host.aliases].join(' '),
    );
    const outside = this.#runtime.sharedDirectories.pathOf(this.labels.sandbox, spec.name);
    const disk = {
      Type: 'volume' as const,
      Source: objectName(this.labels, `${spec.name}-disk`),
      Target: '/var/lib/docker',
      VolumeOptions: {
        NoCopy: true,
        Labels: labelsOf(this.labels, 'disk', spec.name),
        DriverConfig: { Name: 'local', Options: {} },
      },
    };
    const shared =
      outside === undefined
        ? []
        : [{ Type: 'bind' as const, Source: outside, Target: SHARED_IN_HOST }];
    const hostConfig: Dockerode.HostConfig & { readonly CgroupnsMode: 'private' } = {
      NetworkMode: 'none',
      CapAdd: spec.hasEngine ? ['SYS_ADMIN', 'NET_ADMIN'] : ['NET_ADMIN'],
      // Its profile forbids the mounts that a host's engine makes; engines without AppArmor ignore the option.
      SecurityOpt: ['apparmor=unconfined'],
      CgroupnsMode: 'private',
      Mounts: spec.hasEngine ? [disk, ...shared] : shared,
      ...(spec.hasEngine ? HOST_LIMITS : PLAIN_HOST_LIMITS),
    };
    return {
      name: objectName(this.labels, spec.name),
      Image: this.#runtime.hostImage,
      Hostname: spec.name,
      Labels: labelsOf(this.labels, 'host', spec.name),
      Env: [`QUAYSIDE_ENGINE=${spec.hasEngine ? 1 : 0}`, `QUAYSIDE_HOSTS=${names.join(';')}`],
      // Its network is ours to wire. The engine's own part in it, which comes to nothing, took more time than the rest of
      // the start: 510 ms against 190, and 0.78 s of a core against 0.41 (docs/decisions/0018-a-start.md).
      NetworkDisabled: true,
      HostConfig: hostConfig,
    };
  }
}

/** Another removal of the same object takes well under a second; one that takes longer than this is stuck. */
const REMOVAL_MS = 20_000;
const REMOVAL_RETRY_MS = 100;

/**
 * Removes every container, volume and directory of a sandbox, known or not, and settles when nothing is left of it.
 * Gone already is success; what another removal is just taking away is waited for.
 *
 * @throws QuaysideError SANDBOX_FAILED when something stays
 */
export async function destroySandbox(
  runtime: Pick<SandboxRuntime, 'engine' | 'sharedDirectories'>,
  sandbox: string,
): Promise<void> {
  const { docker } = runtime.engine;
  const filters = { label: [`${LABEL.sandbox}=${sandbox}`] };
  const deadline = Date.now() + REMOVAL_MS;
  for (;;) {
    const containers = await docker.listContainers({ all: true, filters });
    await Promise.all(
      containers.map(async (container) => {
        await thaw(runtime.engine, container);
        await docker.getContainer(container.Id).remove({ force: true, v: true }).catch(unlessGoing);
      }),
    );
    const { Volumes } = await docker.listVolumes({ filters });
    const volumes = Volumes ?? [];
    await Promise.all(
      volumes.map(({ Name }) => docker.getVolume(Name).remove().catch(unlessGoing)),
    );
    if (containers.length === 0 && volumes.length === 0) break;
    if (Date.now() > deadline) {
      throw new QuaysideError(
        'SANDBOX_FAILED',
        `Sandbox ${sandbox} could not be removed.`,
        `Look what holds it: docker ps -a --filter label=${LABEL.sandbox}=${sandbox}`,
      );
    }
    await delay(REMOVAL_RETRY_MS);
  }
  await runtime.sharedDirectories.remove(sandbox);
}

/** The ids of the sandboxes that have anything on the engine or on this machine and belong to this server. */
export async function liveSandboxes(
  runtime: Pick<SandboxRuntime, 'engine' | 'sharedDirectories'>,
  instance: string,
): Promise<readonly string[]> {
  const { docker } = runtime.engine;
  const filters = { label: [`${LABEL.instance}=${instance}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const { Volumes } = await docker.listVolumes({ filters });
  const ids = [
    ...containers.map(({ Labels }) => Labels[LABEL.sandbox]),
    ...(Volumes ?? []).map(({ Labels }) => Labels[LABEL.sandbox]),
    ...(await runtime.sharedDirectories.sandboxes()),
  ];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** HTTP 404 is "gone already"; 409 is "its removal is under way", or "still in use" by what is being removed. */
function unlessGoing(error: unknown): void {
  const status = (error as { statusCode?: number }).statusCode;
  if (status !== 404 && status !== 409) throw error;
}
