import { availableParallelism } from 'node:os';
import { hostNamed, type Lab, type LabHost } from '#lab';
import type { HostStatus } from '#protocol';
import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Dockerode, Engine } from '../engine/engine.ts';
import { engineCall } from '../engine/engine-call.ts';
import { Host } from './host.ts';
import { LABEL, labelsOf, objectName, type SandboxLabels } from './labels.ts';
import type { LinkEndpoint } from './links.ts';
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

/** Called whenever a host's status changes. */
export type OnHost = (host: string, phase: HostStatus['phase'], detail: string) => void;

/** A sandbox is made and mended while it is live, and never again once its removal was asked for. */
type SandboxState =
  | {
      readonly kind: 'live';
      /** Aborted by the removal. */
      readonly live: AbortController;
    }
  | { readonly kind: 'destroyed' };

/** The sandbox was removed, or its removal is under way: nothing of it is made any more. */
export class SandboxDestroyedError extends QuaysideError {
  constructor(sandbox: string) {
    super('SANDBOX_FAILED', `Sandbox ${sandbox} has been removed.`, 'Start the lab again.');
    this.name = 'SandboxDestroyedError';
  }
}

/**
 * One learner's running copy of a lab's hosts and the links between them. {@link Sandbox.reconcile} makes what is
 * missing and repairs what is broken. A first start, a restarted host and a server that comes back after a crash all take
 * this one path.
 */
export class Sandbox {
  readonly labels: SandboxLabels;
  readonly lab: Lab;
  readonly #runtime: SandboxRuntime;
  readonly #hosts = new Map<string, Host>();
  #state: SandboxState = { kind: 'live', live: new AbortController() };
  /** The last reconcile or removal that was asked for. Each begins when the one before it is over. */
  #last: Promise<void> = Promise.resolve();

  constructor(runtime: SandboxRuntime, lab: Lab, labels: SandboxLabels) {
    this.#runtime = runtime;
    this.lab = lab;
    this.labels = labels;
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
   * Compares the sandbox with what the lab defines and repairs the difference: makes, starts, links, waits for the
   * engines, loads the images. Calls never overlap; one that arrives during another runs after it.
   *
   * @param signal ends this call; what it has made by then stays, and the next one takes it up
   * @throws SandboxDestroyedError where the sandbox is destroyed, before or meanwhile; the signal's reason; QuaysideError
   *   SANDBOX_FAILED; whatever the engine said
   */
  async reconcile(onHost: OnHost, signal?: AbortSignal): Promise<void> {
    if (this.#state.kind === 'destroyed') throw new SandboxDestroyedError(this.labels.sandbox);
    const { signal: live } = this.#state.live;
    const either = signal ? AbortSignal.any([live, signal]) : live;
    await withAbort(either, () => this.#next(() => this.#reconcile(onHost, either)));
  }

  /**
   * Removes everything that carries this sandbox's label. Gone already is success. A reconcile under way is ended, and
   * none begins any more. May be called again, also after it failed.
   *
   * @throws the signal's reason; QuaysideError SANDBOX_FAILED when something stays
   */
  async destroy(signal = new AbortController().signal): Promise<void> {
    if (this.#state.kind === 'live') {
      this.#state.live.abort(new SandboxDestroyedError(this.labels.sandbox));
      this.#state = { kind: 'destroyed' };
    }
    await withAbort(signal, () =>
      this.#next(async () => {
        await destroySandbox(this.#runtime, this.labels.sandbox, signal);
        this.#hosts.clear();
      }),
    );
  }

  /** Runs a work when the one before it is over, however that went. */
  #next(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #reconcile(onHost: OnHost, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const found = await this.#containers(signal);
    await this.#raise(found, onHost, signal);
    await allDone(
      this.lab.hosts.map(async (spec) => {
        const host = this.host(spec.name);
        if (spec.hasEngine) onHost(spec.name, 'starting', 'engine starting');
        await host.untilEngineAnswers(signal);
        for (const image of spec.images) {
          onHost(spec.name, 'starting', `loading ${image}`);
          const builtAs = this.#runtime.labImages[image];
          if (builtAs === undefined) throw new Error(`image ${image} was not built`);
          const archive = () => this.#runtime.imageArchives.archive(builtAs);
          await host.ensureImage(image, builtAs, archive, signal);
        }
        signal.throwIfAborted();
        host.markAvailable();
        onHost(spec.name, 'ready', 'ready');
      }),
    );
  }

  async #raise(
    found: ReadonlyMap<string, Dockerode.ContainerInfo>,
    onHost: OnHost,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, links, sharedDirectories } = this.#runtime;
    const { sandbox } = this.labels;
    const hosts = this.lab.hosts.map(async (spec): Promise<LinkEndpoint> => {
      onHost(spec.name, 'starting', 'machine starting');
      await sharedDirectories.ensure(sandbox, spec.name);
      const id = found.get(spec.name)?.Id;
      const started = await this.#start(id, () => this.#hostOptions(spec), signal);
      const outside = sharedDirectories.pathOf(sandbox, spec.name);
      const shared = outside === undefined ? undefined : { outside, inside: SHARED_IN_HOST };
      // One that was merely restarted stays the same, with the ways into it that are open.
      if (this.#hosts.get(spec.name)?.container !== started.id) {
        this.#hosts.set(spec.name, new Host(engine, spec, started.id, shared));
      }
      onHost(spec.name, 'starting', 'being wired up');
      return { host: spec.name, pid: started.pid, address: `${spec.address}/${spec.prefixLength}` };
    });
    const ofSwitch = this.#start(found.get(SWITCH)?.Id, () => this.#switchOptions(), signal);
    await allDone<unknown>([ofSwitch, ...hosts]);
    await links.link((await ofSwitch).pid, await Promise.all(hosts), signal);
  }

  /**
   * Starts a container, making it first where there is none. The engine's list calls one running for a moment after it
   * died; inspecting it by its id gives the true state.
   */
  async #start(
    id: string | undefined,
    options: () => Dockerode.ContainerCreateOptions,
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly pid: number }> {
    const { docker } = this.#runtime.engine;
    signal.throwIfAborted();
    // A creation is never broken off: the engine may still finish it, after the removal has looked.
    const container = id
      ? docker.getContainer(id)
      : await engineCall(undefined, (abortSignal) =>
          docker.createContainer({ ...options(), abortSignal }),
        );
    const inspect = () =>
      engineCall(signal, (abortSignal) => container.inspect({ abortSignal })).then(
        ({ State }) => State,
      );
    const before = await inspect();
    if (before.Running && !before.Paused) return { id: container.id, pid: before.Pid };
    await engineCall(signal, (abortSignal) =>
      before.Paused ? container.unpause({ abortSignal }) : container.start({ abortSignal }),
    );
    return { id: container.id, pid: (await inspect()).Pid };
  }

  async #containers(signal: AbortSignal): Promise<ReadonlyMap<string, Dockerode.ContainerInfo>> {
    const containers = await engineCall(signal, (abortSignal) =>
      this.#runtime.engine.docker.listContainers({
        all: true,
        filters: { label: [`${LABEL.sandbox}=${this.labels.sandbox}`] },
        abortSignal,
      }),
    );
    const found = new Map<string, Dockerode.ContainerInfo>();
    for (const container of containers) {
      const role = container.Labels[LABEL.role];
      if (role === 'host') found.set(container.Labels[LABEL.host] ?? '', container);
      else if (role === 'switch') found.set(SWITCH, container);
    }
    return found;
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
      // Its network is made by {@link LinkManager}. The engine's own part in it, which comes to nothing, took more time than the rest of
      // the start: 510 ms against 190, and 0.78 s of a core against 0.41 (docs/decisions/0018-a-start.md).
      NetworkDisabled: true,
      HostConfig: hostConfig,
    };
  }
}

/** Settles when all works are over. @throws what the first of them that failed has thrown */
async function allDone<T>(works: readonly Promise<T>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

/** Another removal of the same object takes well under a second; one that takes longer than this is stuck. */
const REMOVAL_MS = 20_000;
const REMOVAL_RETRY_MS = 100;

/**
 * Removes every container, volume and directory of a sandbox, known or not, and settles when nothing is left of it.
 * Gone already is success; what another removal is just taking away is waited for. What cannot be removed does not keep
 * the rest, and is tried again for 20 s.
 *
 * @throws the signal's reason; QuaysideError SANDBOX_FAILED naming what stays
 */
export async function destroySandbox(
  runtime: Pick<SandboxRuntime, 'engine' | 'sharedDirectories'>,
  sandbox: string,
  signal?: AbortSignal,
): Promise<void> {
  using limit = deadline(REMOVAL_MS, signal);
  let stays: readonly string[] = [];
  let cause: unknown;
  for (;;) {
    try {
      const left = await removeObjects(runtime.engine, sandbox, limit.signal);
      if (left.stays.length === 0) break;
      ({ stays, cause } = left);
    } catch (error) {
      cause = error;
    }
    await sleep(REMOVAL_RETRY_MS, limit.signal, { ref: true }).catch(() => undefined);
    if (!limit.signal.aborted) continue;
    signal?.throwIfAborted();
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `Sandbox ${sandbox} could not be removed: ${stays.join(', ') || 'the engine does not list what is left of it'}.`,
      `Look what holds it: docker ps -a --filter label=${LABEL.sandbox}=${sandbox}`,
      { cause },
    );
  }
  await runtime.sharedDirectories.remove(sandbox);
}

/** Tries to remove each of a sandbox's objects once. @returns what there was, and why the last one may have stayed */
async function removeObjects(
  engine: Engine,
  sandbox: string,
  signal: AbortSignal,
): Promise<{ readonly stays: readonly string[]; readonly cause: unknown }> {
  const { docker } = engine;
  const filters = { label: [`${LABEL.sandbox}=${sandbox}`] };
  let cause: unknown;
  const attempt = async (remove: (abortSignal: AbortSignal) => Promise<unknown>) => {
    await engineCall(signal, remove).catch((error: unknown) => {
      if (!isGoing(error)) cause = error;
    });
  };
  const containers = await engineCall(signal, (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  );
  await Promise.all(
    containers.map(async (container) => {
      await thaw(engine, container, signal);
      const removal = { force: true, v: true };
      await attempt((abortSignal) =>
        docker.getContainer(container.Id).remove({ ...removal, abortSignal }),
      );
    }),
  );
  const { Volumes } = await engineCall(signal, (abortSignal) =>
    docker.listVolumes({ filters, abortSignal }),
  );
  const volumes = Volumes ?? [];
  await Promise.all(
    volumes.map(({ Name }) =>
      attempt((abortSignal) => docker.getVolume(Name).remove({ abortSignal })),
    ),
  );
  const names = containers.map(({ Names, Id }) => Names?.[0]?.slice(1) ?? Id);
  return { stays: [...names, ...volumes.map(({ Name }) => Name)], cause };
}

/**
 * The ids of the sandboxes that have anything on the engine or on this machine and belong to this server.
 *
 * @throws the signal's reason; whatever the engine said
 */
export async function liveSandboxes(
  runtime: Pick<SandboxRuntime, 'engine' | 'sharedDirectories'>,
  instance: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { docker } = runtime.engine;
  const filters = { label: [`${LABEL.instance}=${instance}`] };
  const containers = await engineCall(signal, (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  );
  const { Volumes } = await engineCall(signal, (abortSignal) =>
    docker.listVolumes({ filters, abortSignal }),
  );
  const ids = [
    ...containers.map(({ Labels }) => Labels[LABEL.sandbox]),
    ...(Volumes ?? []).map(({ Labels }) => Labels[LABEL.sandbox]),
    ...(await runtime.sharedDirectories.sandboxes()),
  ];
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** HTTP 404 is "gone already"; 409 is "its removal is under way", or "still in use" by what is being removed. */
function isGoing(error: unknown): boolean {
  const status = (error as { statusCode?: number }).statusCode;
  return status === 404 || status === 409;
}
