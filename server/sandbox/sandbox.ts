import pLimit from 'p-limit';
import { hostNamed, type Lab } from '#lab';
import type { HostStatus } from '#protocol';
import { needsInternet } from '../../lab/internet.ts';
import { withAbort } from '../base/deadline.ts';
import { asSentence, messageOf, QuaysideError } from '../base/errors.ts';
import type { Dockerode, Engine } from '../engine/engine.ts';
import { hostOptions, SWITCH, switchOptions } from './containers.ts';
import { GATEWAY, gatewayEndpoints, gatewayOn, gatewayOptions, gatewayReady } from './gateway.ts';
import { ENGINE_DOWN, Host } from './host.ts';
import { hostSource } from './host-images.ts';
import { imagesOf } from './image-name.ts';
import { LABEL, type Role, type SandboxLabels } from './labels.ts';
import type { LinkEndpoint } from './links.ts';
import { SandboxMovedError } from './moved.ts';
import { destroySandbox } from './removal.ts';
import type { Place, SandboxRuntime } from './runtime.ts';
import { stopSandbox } from './stop.ts';

/** A host ends its engine within a second or two (images/lab-host/init). */
const STOP_SECONDS = 5;

/** Called whenever a host's status changes. */
export type OnHost = (host: string, phase: HostStatus['phase'], detail: string) => void;

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
  /** What it was asked to be made with. Where there are several machines, it knows which one. */
  readonly #asked: SandboxRuntime;
  /** What it is made with, on the machine where it is. */
  #runtime: SandboxRuntime;
  readonly #hosts = new Map<string, Host>();
  /** The containers that were made here, and not by an earlier server: fresh hosts, also in a sandbox that is not. */
  readonly #made = new Set<string>();
  /** Aborted by the removal: nothing of the sandbox is made or repaired from then on. */
  readonly #removal = new AbortController();
  /** Each reconcile or removal begins when the one before it is over. */
  readonly #queue = pLimit(1);

  constructor(runtime: SandboxRuntime, lab: Lab, labels: SandboxLabels) {
    this.#asked = runtime;
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

  /** Whether it is on that engine now. */
  isOn(engine: Engine): boolean {
    return this.#runtime.engine === engine;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /**
   * Compares the sandbox with what the lab defines and repairs the difference: makes, starts, links, waits for the
   * engines, loads the images, sets them up. Calls never overlap; one that arrives during another runs after it.
   *
   * @param signal ends this call; what it has made by then stays, and the next one takes it up
   * @param areGiven whether the hosts have been the learner's already: they are given all at once. An engine that the
   *   learner has stopped or broken keeps nobody from its host, and nothing is set up again, whatever they have made of a
   *   host's own note of it.
   * @throws SandboxMovedError; SandboxDestroyedError where the sandbox is destroyed, before or meanwhile; the signal's reason; QuaysideError
   *   SANDBOX_FAILED; whatever the engine said
   */
  async reconcile(onHost: OnHost, signal?: AbortSignal, areGiven = false): Promise<void> {
    const removed = this.#removal.signal;
    const either = signal ? AbortSignal.any([removed, signal]) : removed;
    await withAbort(either, () => this.#queue(() => this.#reconcile(onHost, either, areGiven)));
  }

  /**
   * Starts a host anew; its files, images and containers stay. What it needs from outside comes with the next reconcile.
   *
   * @throws SandboxDestroyedError; the signal's reason; QuaysideError SANDBOX_FAILED where it does not start again
   */
  async restart(host: Host, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([this.#removal.signal, signal]);
    const container = this.#runtime.engine.docker.getContainer(host.container);
    try {
      await withAbort(either, () =>
        this.#queue(() => {
          either.throwIfAborted();
          // Not broken off, as a start is not ({@link #start}).
          return container.restart({ t: STOP_SECONDS });
        }),
      );
    } catch (cause) {
      either.throwIfAborted();
      throw new QuaysideError(
        'SANDBOX_FAILED',
        asSentence(`${host.name} could not be restarted: ${messageOf(cause)}`),
        'Try again. If it fails again, Reset gives you fresh hosts.',
        { cause },
      );
    }
  }

  /**
   * Stops everything of it and keeps it, once a reconcile under way is over. What is to go on with it is another object.
   *
   * @throws SandboxDestroyedError; as {@link stopSandbox}
   */
  async stop(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([this.#removal.signal, signal]);
    await withAbort(either, () =>
      this.#queue(() => stopSandbox(this.#asked, this.labels.sandbox, either)),
    );
  }

  /** Settles when nothing that was asked of it is under way any more: a creation goes on after its call was ended. */
  settled(): Promise<void> {
    return this.#queue(() => undefined);
  }

  /**
   * Removes everything that carries this sandbox's label. Gone already is success. A reconcile under way is ended, and
   * none begins any more. May be called again, also after it failed.
   *
   * @throws the signal's reason; QuaysideError SANDBOX_FAILED when something stays
   */
  async destroy(signal = new AbortController().signal): Promise<void> {
    this.#removal.abort(new SandboxDestroyedError(this.labels.sandbox));
    await withAbort(signal, () =>
      this.#queue(async () => {
        await destroySandbox(this.#asked, this.labels.sandbox, signal);
        this.#hosts.clear();
      }),
    );
  }

  async #reconcile(told: OnHost, outer: AbortSignal, areGiven: boolean): Promise<void> {
    outer.throwIfAborted();
    const unavailable = this.hosts.map(({ availability }) => availability).filter(isAborted);
    // A host that was paused, or that the engine took with it, since this look began: what the look finds is older than that.
    const isLost = (host: Host | undefined) =>
      host?.availability.aborted && !unavailable.includes(host.availability);
    const onHost: OnHost = (name, ...status) => {
      if (!isLost(this.#hosts.get(name))) told(name, ...status);
    };
    const place = await this.#place(onHost, outer);
    const signal = place ? AbortSignal.any([outer, place.lost]) : outer;
    const found = new Map(await this.#containers(signal));
    if (place) {
      if (areGiven && !this.lab.hosts.some(({ name }) => found.has(name))) {
        throw new SandboxMovedError();
      }
      // An earlier one may still be listed.
      found.set(SWITCH, place.switch);
    }
    await this.#raise(found, onHost, signal);
    await allDone(
      this.lab.hosts.map(async (spec) => {
        const host = this.host(spec.name);
        if (spec.hasEngine) onHost(spec.name, 'starting', 'engine starting');
        if (areGiven) {
          const down = await host.engineDown(signal);
          if (down) {
            if (!isLost(host)) host.markAvailable();
            return onHost(spec.name, 'down', ENGINE_DOWN[down.kind]);
          }
        }
        await host.untilEngineAnswers(signal, this.lab.source);
        // One that sleeps loads them by itself, when it is first used.
        for (const [image, builtAs] of host.isAsleep ? [] : host.images) {
          onHost(spec.name, 'starting', `loading ${image}`);
          const archive = () => this.#runtime.imageArchive(builtAs);
          await host.ensureImage(image, builtAs, archive, signal);
        }
        if (!areGiven || this.#made.has(host.container)) {
          const doing = () => onHost(spec.name, 'starting', 'being set up');
          await host.begin(this.lab.source, doing, signal);
          // What it was set up with may have used its engine.
          await host.noticeWake(signal);
        }
        signal.throwIfAborted();
        if (isLost(host)) return;
        host.markAvailable();
        onHost(spec.name, 'ready', 'ready');
      }),
    );
  }

  /** The machine where it is now; another one than before has none of its hosts yet. */
  async #place(onHost: OnHost, signal: AbortSignal): Promise<Place | undefined> {
    const waiting = (why: string): void => {
      for (const { name } of this.lab.hosts) onHost(name, 'waiting', why);
    };
    const place = await this.#asked.placement?.place(this.labels, waiting, signal);
    if (place && place.runtime !== this.#runtime) {
      this.#hosts.clear();
      this.#runtime = place.runtime;
    }
    return place;
  }

  /** Makes and starts what is missing, and links all of it. */
  async #raise(
    found: ReadonlyMap<string, string>,
    onHost: OnHost,
    signal: AbortSignal,
  ): Promise<void> {
    const { engine, hostImage, hostImages, labImages, links, sharedDirectories, wakes } =
      this.#runtime;
    const { labels, lab } = this;
    const hosts = lab.hosts.map(async (spec): Promise<number> => {
      const { name } = spec;
      onHost(name, 'starting', 'machine starting');
      const shared = await sharedDirectories.ensure(labels.sandbox, name);
      const source = hostSource(spec, lab);
      const image = source === undefined ? hostImage : hostImages[source];
      if (image === undefined) throw new Error(`image ${source} was not built`);
      const options = () => hostOptions(labels, image, lab, spec, shared, this.#runtime);
      const { id, pid } = await this.#start(found.get(name), options, signal);
      // One that was merely restarted stays the same, with the ways into it that are open.
      if (this.#hosts.get(name)?.container !== id) {
        const images = imagesOf(spec, lab, labImages);
        this.#hosts.set(name, new Host(engine, spec, id, shared, wakes, images));
      }
      onHost(name, 'starting', 'being wired up');
      return pid;
    });
    const options = () => switchOptions(labels, hostImage);
    const ofSwitch = this.#start(found.get(SWITCH), options, signal).catch(async (error) => {
      await this.#dropSwitch(found.get(SWITCH), signal);
      throw error;
    });
    const ofGateway = this.#gateway(found.get(GATEWAY), signal);
    await allDone<unknown>([ofSwitch, ofGateway, ...hosts]);
    const gateway = await ofGateway;
    const endpoints = endpointsOf(lab, await Promise.all(hosts), gateway?.pid);
    await links.link((await ofSwitch).pid, endpoints, signal);
    if (gateway) await gatewayReady(engine, gateway.id, signal, lab);
  }

  /** Starts the gateway of a lab that has one, and settles when it may be linked: its namespace is not there at once. */
  async #gateway(id: string | undefined, signal: AbortSignal) {
    const { engine, internet } = this.#runtime;
    if (!internet || !needsInternet(this.lab)) return undefined;
    const gateway = await this.#start(id, () => gatewayOptions(this.labels, internet), signal);
    await gatewayReady(engine, gateway.id, signal);
    return gateway;
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
    // Neither a creation nor a start is broken off: the engine may still finish it, after a removal or a stop has looked.
    const container = id ? docker.getContainer(id) : await docker.createContainer(options());
    if (!id) this.#made.add(container.id);
    // Each call its own: the client takes the signal out of what it is given.
    const { State: before } = await container.inspect({ abortSignal: signal });
    if (before.Running && !before.Paused) return { id: container.id, pid: before.Pid };
    signal.throwIfAborted();
    if (before.Paused) await container.unpause();
    else await container.start();
    const { State: after } = await container.inspect({ abortSignal: signal });
    return { id: container.id, pid: after.Pid };
  }

  /**
   * A switch that could not be started is made anew by the next look; it holds nothing. One whose start an engine's
   * containerd did not survive can never be started again ("task … already exists", until that engine ends). The engine
   * refuses to remove one that runs, so a look that failed for another reason, or whose answer was lost, cuts nobody off.
   */
  async #dropSwitch(id: string | undefined, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const container = id !== undefined && this.#runtime.engine.docker.getContainer(id);
    // Where the engine is away or refuses, all that can be said is why the start failed.
    if (container) await container.remove({ abortSignal: signal }).catch(() => {});
  }

  /** The ids of the containers that there are, by host, {@link SWITCH} or {@link GATEWAY}. */
  async #containers(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const containers = await this.#runtime.engine.docker.listContainers({
      all: true,
      filters: { label: [`${LABEL.sandbox}=${this.labels.sandbox}`] },
      abortSignal: signal,
    });
    const isGateway = (role: string | undefined) => role === ('gateway' satisfies Role);
    return new Map(
      containers.map((each) => {
        const { [LABEL.host]: host, [LABEL.role]: role } = each.Labels;
        return [host ?? (isGateway(role) ? GATEWAY : SWITCH), each.Id];
      }),
    );
  }
}

/**
 * What is to be linked: first the first interface of each host, so that their ports keep their numbers, and the gateway last.
 * Each network has a bridge.
 *
 * @param pids of the hosts' first processes, in the lab's order
 * @param gatewayPid the same of the gateway, where there is one
 */
function endpointsOf(
  lab: Lab,
  pids: readonly number[],
  gatewayPid: number | undefined,
): readonly LinkEndpoint[] {
  const all = lab.hosts.flatMap(({ interfaces, hasInternet }, host) =>
    interfaces.map((each, index) => ({
      ...each,
      index,
      pid: pids[host] ?? 0,
      gateway: hasInternet && index === 0 ? gatewayOn(lab, each.network) : undefined,
    })),
  );
  const networks = [...new Set(all.map(({ network }) => network))];
  const bridgeOf = (network: string) => `br${networks.indexOf(network)}`;
  const ofHosts = all
    .toSorted((one, other) => one.index - other.index)
    .map(({ pid, index, address, prefixLength, network, gateway }) => ({
      pid,
      interface: `eth${index + 1}`,
      address: `${address}/${prefixLength}`,
      bridge: bridgeOf(network),
      gateway,
    }));
  if (gatewayPid === undefined) return ofHosts;
  return [...ofHosts, ...gatewayEndpoints(lab, gatewayPid, bridgeOf)];
}

const isAborted = ({ aborted }: AbortSignal) => aborted;

/** Settles when all works are over. @throws what the first of them that failed has thrown */
async function allDone<T>(works: readonly Promise<T>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
