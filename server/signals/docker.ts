import { setImmediate as immediately } from 'node:timers/promises';
import { jsonLines } from '../engine/json-lines.ts';
import type { Host } from '../sandbox/host.ts';
import { publishedPorts } from '../sandbox/host-view.ts';
import type { OnSignal } from './on-signal.ts';

interface DockerEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
  /** Nanoseconds since the epoch. */
  readonly timeNano?: number;
}

/** The actions that can change an answer. `top`, `attach`, `resize` and their like cannot. */
const CONTAINER_ACTIONS = new Set([
  'create',
  'start',
  'die',
  'stop',
  'restart',
  'kill',
  'pause',
  'unpause',
  'rename',
  'destroy',
  'exec_start',
]);
const NETWORK_ACTIONS = new Set(['create', 'connect', 'disconnect', 'destroy']);

const NANOSECONDS_A_MS = 1e6;
/** An engine keeps its last 256 events; there is never more to tell again. */
const TOLD_KEPT = 512;
/**
 * An engine that does not describe a container in this time tells of its start without the details, and no visit to its
 * ports can be known for one. On two cores that 25 learners kept full, two seconds were not enough.
 */
const DETAILS_MS = 20_000;

/**
 * The events of one host's engine, each told once and in order, whatever happens to the stream: a new stream begins
 * where the last one ended, and what was told before is left out.
 */
export class DockerSignals {
  readonly #host: Host;
  readonly #onSignal: OnSignal;
  /** When the newest event that was told happened, ms since the epoch. */
  #since: number;
  /** What was told last, each by its time and what it says; a new stream begins with some of it. */
  readonly #told = new Set<string>();
  /** The event that is being passed on: a start waits for its details. */
  #telling: Promise<void> | undefined;

  /** @param since ms since the epoch; nothing from before is told */
  constructor(host: Host, since: number, onSignal: OnSignal) {
    this.#host = host;
    this.#onSignal = onSignal;
    this.#since = since;
  }

  /** Passes events on until the stream ends. `onOpen` is called once it listens. */
  async listen(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const stream = await this.#host.docker.getEvents({
      filters: { type: ['container', 'network'] },
      since: Math.floor(this.#since) / 1000,
      abortSignal: signal,
    });
    onOpen();
    for await (const event of jsonLines<DockerEvent>(stream)) {
      if (!this.#isNew(event)) continue;
      this.#telling = this.#passOn(event, signal);
      try {
        await this.#telling;
      } finally {
        this.#telling = undefined;
      }
    }
  }

  /** Settles when everything that the engine has said until now is told. */
  async told(): Promise<void> {
    while (this.#telling) {
      await this.#telling.catch(() => undefined);
      // What came with it is taken up in the same turn of the event loop.
      await immediately();
    }
  }

  #isNew({ Type, Action, Actor, timeNano }: DockerEvent): boolean {
    const event = `${timeNano} ${Type} ${Action} ${Actor?.ID}`;
    if (this.#told.has(event)) return false;
    this.#told.add(event);
    if (this.#told.size > TOLD_KEPT) this.#told.delete(this.#told.values().next().value ?? '');
    if (timeNano !== undefined) this.#since = timeNano / NANOSECONDS_A_MS;
    return true;
  }

  async #passOn(event: DockerEvent, signal: AbortSignal): Promise<void> {
    // An exec's action carries its command: "exec_start: ip addr".
    const [action = '', command] = (event.Action ?? '').split(/: (.*)/s, 2);
    const id = event.Actor?.ID ?? '';
    const { name = '', image = '' } = event.Actor?.Attributes ?? {};
    const host = this.#host.name;
    if (event.Type === 'network' && NETWORK_ACTIONS.has(action)) {
      this.#onSignal({ kind: 'network', host, action, id, name });
    }
    if (event.Type !== 'container' || !CONTAINER_ACTIONS.has(action)) return;
    this.#onSignal({
      kind: 'container',
      host,
      action,
      id,
      name,
      image,
      ...(command === undefined ? {} : { command: command.trim() }),
      ...(action === 'start' ? await startDetails(this.#host, id, event, signal) : {}),
    });
  }
}

/**
 * What only the engine knows at this moment and nobody can ask later: the ports of this very start. Under quick restarts
 * the container may have been stopped, or started once more, before it could be looked at: then its ports are those of
 * no start or of the next one, and are left out.
 */
async function startDetails(host: Host, id: string, event: DockerEvent, signal: AbortSignal) {
  try {
    const { NetworkSettings, HostConfig, Config, State } = await host.docker
      .getContainer(id)
      .inspect({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(DETAILS_MS)]) });
    const at = (event.timeNano ?? Number.POSITIVE_INFINITY) / NANOSECONDS_A_MS;
    const isThisStart = State.Running && Date.parse(State.StartedAt) <= at;
    return {
      ...(isThisStart ? { ports: publishedPorts(NetworkSettings.Ports) } : {}),
      networkMode: (HostConfig.NetworkMode ?? 'bridge').replace(/^default$/, 'bridge'),
      command: [...[Config.Entrypoint ?? []].flat(), ...(Config.Cmd ?? [])].join(' '),
    };
  } catch {
    // Gone again already, or no answer; the start itself still happened.
    return {};
  }
}
