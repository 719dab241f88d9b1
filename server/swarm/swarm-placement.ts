import { sleep } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import { LABEL, labelsOf, objectName, type SandboxLabels } from '../sandbox/labels.ts';
import type {
  Machine,
  Place,
  Placement,
  PlacementNode,
  SandboxRuntime,
} from '../sandbox/runtime.ts';
import { NANOS, nodesWithRoom, type Reservation } from './node-room.ts';
import { ALLOWED_LABEL, type NodeRuntimes } from './node-runtimes.ts';
import {
  changeService,
  removeService,
  type ServiceSpec,
  serviceSpec,
  servicesOf,
} from './services.ts';
import {
  isLeaderless,
  nodesOf,
  runningTasks,
  type SwarmNode,
  type SwarmTask,
  setAvailability,
  tasksOf,
} from './swarm-api.ts';

const MIB = 1024 ** 2;
/** A service that was just made has its machine within half a second. */
const LOOK_MS = 250;
/** As a Swarm says it: "no suitable node (insufficient resources on 2 nodes; …)". */
const NO_ROOM = 'insufficient resources';
const NO_NODE = 'no suitable node';
/** The constraint of a sandbox that was stopped: its disks are on that machine. */
const PIN = 'node.id==';

/** As one machine reckons it (server/capacity/memory.ts), and a core for each dozen learners at work (docs/benchmarks.md). */
export const RESERVATION: Reservation = { memoryBytes: 160 * MIB, processors: 0.08 };

export interface SwarmPlacementOptions {
  /** Of this machine, a manager of the Swarm. */
  readonly own: SandboxRuntime;
  /** The image of the switches, by its id: then no machine asks a registry for it. */
  readonly image: string;
  readonly nodes: NodeRuntimes;
  readonly instance: string;
  readonly reservation: Reservation;
}

/** Each sandbox is one service: its task is the sandbox's switch, and where that runs, its hosts are made. */
export class SwarmPlacement implements Placement {
  readonly #options: SwarmPlacementOptions;
  /** The sandboxes for which no machine has room. */
  readonly #waiting = new Set<string>();

  constructor(options: SwarmPlacementOptions) {
    this.#options = options;
  }

  async place(
    labels: SandboxLabels,
    onWaiting: (why: string) => void,
    signal: AbortSignal,
  ): Promise<Place> {
    const { engine } = this.#options.own;
    const name = objectName(labels, 'switch');
    let isMade = false;
    try {
      for (;;) {
        try {
          const tasks = await tasksOf(engine, name, true, signal);
          const place = this.#placeOf(tasks);
          if (place) return place;
          if (!isMade) {
            await this.#ensureService(name, labels);
            isMade = true;
            continue;
          }
          onWaiting(await this.#whyNone(tasks, name, labels, signal));
        } catch (error) {
          if (!isLeaderless(error)) throw error;
          onWaiting('waiting until the Swarm has a leader');
        }
        await sleep(LOOK_MS, signal);
      }
    } finally {
      this.#waiting.delete(labels.sandbox);
    }
  }

  async suspend(sandbox: string, signal: AbortSignal): Promise<void> {
    const { engine } = this.#options.own;
    for (const { ID } of await servicesOf(engine, `${LABEL.sandbox}=${sandbox}`, signal)) {
      const [task] = await tasksOf(engine, ID, true, signal);
      await changeService(engine, ID, (spec) => ({
        ...(task?.NodeID ? pinned(spec, task.NodeID) : spec),
        Mode: { Replicated: { Replicas: 0 } },
      }));
    }
  }

  async release(sandbox: string, signal?: AbortSignal): Promise<void> {
    const { engine } = this.#options.own;
    for (const { ID } of await servicesOf(engine, `${LABEL.sandbox}=${sandbox}`, signal)) {
      await removeService(engine, ID);
    }
  }

  machines(): readonly Machine[] {
    return this.#options.nodes.all;
  }

  async sandboxes(signal?: AbortSignal): Promise<readonly string[]> {
    const { own, instance } = this.#options;
    const services = await servicesOf(own.engine, `${LABEL.instance}=${instance}`, signal);
    return services.flatMap(({ Spec }) => Spec.Labels[LABEL.sandbox] ?? []);
  }

  watch(onMachine: (machine: Machine) => void): Disposable {
    return this.#options.nodes.watch(onMachine);
  }

  hasRoom(): boolean {
    return this.#waiting.size === 0;
  }

  async nodes(signal: AbortSignal): Promise<readonly PlacementNode[]> {
    const { own, nodes, reservation } = this.#options;
    const found = (await nodesOf(own.engine, signal)).filter(isAllowed);
    const tasks = await runningTasks(own.engine, signal);
    return nodesWithRoom(found, tasks, reservation, (node) => nodes.of(node) !== undefined);
  }

  async setInService(node: string, isInService: boolean): Promise<void> {
    const { engine } = this.#options.own;
    // Machines that no sandbox may be on are not Quayside's to take out of service.
    if (!(await nodesOf(engine)).some((each) => each.ID === node && isAllowed(each))) {
      throw new QuaysideError(
        'NODE_UNKNOWN',
        'The Swarm has no such node for sandboxes, or no more.',
        'See which it has: docker node ls --filter node.label=quayside=true',
      );
    }
    await setAvailability(engine, node, isInService ? 'active' : 'drain');
  }

  async #ensureService(name: string, labels: SandboxLabels): Promise<void> {
    const { own, image, nodes, reservation } = this.#options;
    const all = labelsOf(labels, 'switch');
    const spec = {
      Name: name,
      Labels: all,
      TaskTemplate: {
        ContainerSpec: {
          Image: image,
          Command: ['tini', '--', 'sh', '-c', ALONE],
          Labels: all,
          CapabilityAdd: ['CAP_NET_ADMIN'],
          // What comes in at one link goes out at no other but over a bridge.
          Sysctls: { 'net.ipv4.ip_forward': '0' },
        },
        Resources: {
          Limits: { MemoryBytes: 32 * MIB, Pids: 16 },
          Reservations: {
            MemoryBytes: reservation.memoryBytes,
            NanoCPUs: reservation.processors * NANOS,
          },
        },
        RestartPolicy: { Condition: 'any', Delay: 0 },
        Placement: {
          Constraints: [
            `node.labels.${ALLOWED_LABEL}==true`,
            `node.labels.${nodes.imagesLabel}==true`,
          ],
        },
        LogDriver: { Name: 'none' },
      },
      Mode: { Replicated: { Replicas: 1 } },
    };
    try {
      // A creation is never broken off: the engine may still finish it, after the removal has looked.
      await own.engine.docker.createService(spec as never);
    } catch (error) {
      // It is there already, perhaps suspended.
      if ((error as { readonly statusCode?: number }).statusCode !== 409) throw error;
      await changeService(own.engine, name, (found) =>
        found.Mode?.Replicated?.Replicas === 0
          ? { ...found, Mode: { Replicated: { Replicas: 1 } } }
          : undefined,
      );
    }
  }

  /** Why a sandbox has no machine yet. One that is bound to a machine which is out of service is let go from it. */
  async #whyNone(
    tasks: readonly SwarmTask[],
    name: string,
    { sandbox }: SandboxLabels,
    signal: AbortSignal,
  ): Promise<string> {
    const errors = tasks.map(({ Status }) => Status.Err).join();
    const pin = errors.includes(NO_NODE) ? await this.#pinOf(name, signal) : undefined;
    // Where its disks are, others may have all the room; elsewhere there may be some.
    if (errors.includes(NO_ROOM) && pin === undefined) this.#waiting.add(sandbox);
    else this.#waiting.delete(sandbox);
    if (pin !== undefined && !(await this.#isInService(pin, signal))) {
      await changeService(this.#options.own.engine, name, (spec) => pinned(spec, undefined));
    }
    return wordsFor(errors, pin !== undefined);
  }

  #placeOf(tasks: readonly SwarmTask[]): Place | undefined {
    for (const { NodeID, Status } of tasks) {
      const machine = this.#options.nodes.of(NodeID);
      const container = Status.ContainerStatus?.ContainerID;
      if (Status.State === 'running' && machine && container) {
        return { ...machine, switch: container };
      }
    }
    return undefined;
  }

  /** The machine that a service has to be on, since its disks are there. */
  async #pinOf(name: string, signal: AbortSignal): Promise<string | undefined> {
    const spec = await serviceSpec(this.#options.own.engine, name, signal);
    const pin = constraintsOf(spec).find((each) => each.startsWith(PIN));
    return pin?.slice(PIN.length);
  }

  /** Whether a machine is there and may have sandboxes, now or when it has its images. */
  async #isInService(node: string, signal: AbortSignal): Promise<boolean> {
    const all = await nodesOf(this.#options.own.engine, signal);
    const found = all.find(({ ID }) => ID === node);
    return (
      found !== undefined &&
      isAllowed(found) &&
      found.Spec.Availability === 'active' &&
      found.Status.State !== 'down'
    );
  }
}

/** Whether the operator lets sandboxes go to a machine. */
function isAllowed({ Spec }: SwarmNode): boolean {
  return Spec.Labels[ALLOWED_LABEL] === 'true';
}

/** The same service, which has to be on a machine, or may be on any. */
function pinned(spec: ServiceSpec, node: string | undefined): ServiceSpec {
  const others = constraintsOf(spec).filter((each) => !each.startsWith(PIN));
  const Constraints = node === undefined ? others : [...others, `${PIN}${node}`];
  const { TaskTemplate } = spec;
  const Placement = { ...TaskTemplate.Placement, Constraints };
  return { ...spec, TaskTemplate: { ...TaskTemplate, Placement } };
}

function constraintsOf({ TaskTemplate }: ServiceSpec): readonly string[] {
  return TaskTemplate.Placement?.Constraints ?? [];
}

/** What a Swarm says of a service that has no machine, for its learner. */
function wordsFor(errors: string, isPinned: boolean): string {
  if (errors.includes(NO_ROOM)) {
    return isPinned
      ? 'waiting until the machine with its disk has room'
      : 'waiting until a machine has room';
  }
  return errors.includes(NO_NODE) ? 'waiting until a machine is ready' : 'finding a machine';
}

/**
 * A task that names no network gets the machine's bridge where there is one. It is taken away before the task's links are
 * made, and so is every way from a lab to the machine's network.
 */
const ALONE = `
for each in /sys/class/net/eth*; do [ ! -e "$each" ] || ip link del "\${each##*/}" || exit 1; done
exec sleep infinity
`;
