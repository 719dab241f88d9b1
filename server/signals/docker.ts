import type { SignalBody } from '#lab';
import { deadline, withAbort } from '../base/deadline.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import { engineCall } from '../engine/engine-call.ts';
import { jsonLines } from '../engine/output-limit.ts';
import type { Host } from '../sandbox/host.ts';
import { publishedPorts } from '../sandbox/host-view.ts';

/** Receives every signal of a host. */
export type OnSignal = (signal: SignalBody) => void;

interface DockerEvent {
  readonly Type?: unknown;
  readonly Action?: unknown;
  readonly Actor?: {
    readonly ID?: unknown;
    readonly Attributes?: Readonly<Record<string, unknown>>;
  };
  /** Nanoseconds since the epoch. */
  readonly timeNano?: unknown;
}

/** A signal that an engine's event makes. */
type EngineSignal = Extract<SignalBody, { kind: 'container' | 'network' | 'image' }>;

/** The actions that can change an answer. `top`, `attach`, `resize` and such cannot. */
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
  'exec_die',
]);
const NETWORK_ACTIONS = new Set(['create', 'connect', 'disconnect', 'destroy']);
const IMAGE_ACTIONS = new Set(['tag', 'untag', 'delete', 'pull', 'push', 'load', 'import']);

const NANOSECONDS_A_MS = 1e6;
/** An engine keeps its last 256 events, and repeats no more than those to a new stream. */
const IDENTITIES_KEPT = 512;
/**
 * Where an engine does not describe a container in this time, its start is emitted without the details, and a visit to
 * its ports cannot be recognised. On two cores that 25 learners kept full, two seconds were not enough.
 */
const DETAILS_MS = 20_000;
/** Longer than a start waits for its details. An engine may emit events without end. */
const SETTLED_MS = 25_000;
/**
 * A command makes one to five events, and a script that sets up a lab some hundred. What comes faster is emitted at this
 * pace, later: each event is journalled, wakes checks, and may ask for a container's details.
 */
const EVENTS_AT_ONCE = 200;
const EVENTS_PER_SECOND = 10;
/** The journal keeps these texts, and the engine may be a learner's own program. An id has 64 characters. */
const LONGEST_NAME = 255;
const LONGEST_COMMAND = 2_000;
const MOST_PORTS = 64;
/** How a process ended, as an engine writes it. */
const STATUS = /^\d{1,3}$/;

/**
 * The events of one host's engine as signals, each emitted once and in order, whatever happens to the stream or the
 * server: a new stream begins where the last one ended, and what was emitted before is left out.
 */
export class DockerSignals {
  readonly #host: Host;
  readonly #onSignal: OnSignal;
  readonly #pace = new TokenBucket(EVENTS_AT_ONCE, EVENTS_PER_SECOND);
  /** When the newest emitted event happened (ms since the epoch). */
  #since: number;
  /** The newest signals by identity: a new stream repeats some of them. */
  readonly #emitted = new Set<string>();
  /** The event that is being emitted: a start waits for its details. */
  #emitting: Promise<void> | undefined;

  /**
   * @param since nothing from before is emitted (ms since the epoch); `known` goes before it
   * @param known the signals of this engine that were emitted before, by an earlier server perhaps, up to the newest
   */
  constructor(
    host: Host,
    since: number,
    onSignal: OnSignal,
    known: readonly (EngineSignal & { readonly at: number })[] = [],
  ) {
    this.#host = host;
    this.#onSignal = onSignal;
    // Journals of older servers have no `engineAt`.
    const times = known.map(({ engineAt, at }) => engineAt ?? at);
    this.#since = times.reduce((newest, at) => Math.max(newest, at), 0) || since;
    const from = Math.floor(this.#since);
    for (const signal of known) {
      if ((signal.engineAt ?? 0) >= from) this.#emitted.add(identityOf(signal));
    }
  }

  /** Nothing from before is emitted (ms since the epoch). */
  skipUntil(moment: number): void {
    this.#since = Math.max(this.#since, moment);
  }

  /** Emits signals until the stream ends. `onOpen` is called once it listens. */
  async listen(signal: AbortSignal, onOpen: () => void): Promise<void> {
    const stream = await this.#host.docker.getEvents({
      filters: { type: ['container', 'network', 'image'] },
      since: Math.floor(this.#since) / 1000,
      abortSignal: signal,
    });
    onOpen();
    for await (const event of jsonLines<DockerEvent>(stream)) {
      const body = signalOf(event, this.#host.name);
      if (!body || !this.#isNew(body)) continue;
      this.#emitting = this.#emit(body, signal).finally(() => {
        this.#emitting = undefined;
      });
      await this.#emitting;
    }
  }

  /** Settles when all events that have arrived are emitted, or after 25 s. */
  async settled(): Promise<void> {
    using limit = deadline(SETTLED_MS);
    while (this.#emitting && !limit.signal.aborted) {
      await withAbort(limit.signal, () => this.#emitting).catch(() => undefined);
      // What came with it is taken up in the same turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #isNew(signal: EngineSignal): boolean {
    const { engineAt } = signal;
    if (engineAt === undefined) return true;
    const identity = identityOf(signal);
    if (this.#emitted.has(identity)) return false;
    this.#emitted.add(identity);
    const [oldest = ''] = this.#emitted;
    if (this.#emitted.size > IDENTITIES_KEPT) this.#emitted.delete(oldest);
    this.#since = engineAt;
    return true;
  }

  async #emit(body: EngineSignal, signal: AbortSignal): Promise<void> {
    await this.#pace.turn(signal);
    const isStart = body.kind === 'container' && body.action === 'start';
    this.#onSignal(isStart ? { ...body, ...(await startDetails(this.#host, body, signal)) } : body);
  }
}

function identityOf({ engineAt, kind, action, id }: EngineSignal): string {
  return `${engineAt} ${kind} ${action} ${id}`;
}

/** The signal that an event makes, where it can change an answer. The engine may be a learner's own program. */
function signalOf(
  { Type, Action, Actor, timeNano }: DockerEvent,
  host: string,
): EngineSignal | undefined {
  // An exec's action carries its command: "exec_start: ip addr".
  const [action = '', command] = textOf(Action, LONGEST_COMMAND).split(/: (.*)/s, 2);
  const id = textOf(Actor?.ID, LONGEST_NAME);
  const name = textOf(Actor?.Attributes?.name, LONGEST_NAME);
  const engineAt = typeof timeNano === 'number' ? timeNano / NANOSECONDS_A_MS : undefined;
  const common = { host, action, id, name, ...(engineAt === undefined ? {} : { engineAt }) };
  if (Type === 'network' && NETWORK_ACTIONS.has(action)) return { kind: 'network', ...common };
  if (Type === 'image' && IMAGE_ACTIONS.has(action)) return { kind: 'image', ...common };
  if (Type !== 'container' || !CONTAINER_ACTIONS.has(action)) return undefined;
  const image = textOf(Actor?.Attributes?.image, LONGEST_NAME);
  const exec = textOf(Actor?.Attributes?.execID, LONGEST_NAME);
  const status = textOf(Actor?.Attributes?.exitCode, LONGEST_NAME);
  const more = {
    ...(command !== undefined && { command: command.trim() }),
    ...(exec !== '' && { exec }),
    ...(STATUS.test(status) && { status: Number(status) }),
  };
  return { kind: 'container', ...common, image, ...more };
}

function textOf(value: unknown, longest: number): string {
  return typeof value === 'string' ? value.slice(0, longest) : '';
}

/**
 * What can be read only now: the ports of this very start. Under quick restarts the container may have been stopped, or
 * started once more, before it could be looked at: then its ports are those of no start or of the next one, and are left
 * out.
 */
async function startDetails(
  host: Host,
  { id, engineAt = Number.POSITIVE_INFINITY }: EngineSignal,
  signal: AbortSignal,
) {
  try {
    const { NetworkSettings, HostConfig, Config, State } = await engineCall(
      signal,
      (abortSignal) => host.docker.getContainer(id).inspect({ abortSignal }),
      DETAILS_MS,
    );
    const isThisStart = State.Running && Date.parse(State.StartedAt) <= engineAt;
    const ports = Object.entries(publishedPorts(NetworkSettings.Ports)).slice(0, MOST_PORTS);
    const command = [...[Config.Entrypoint ?? []].flat(), ...(Config.Cmd ?? [])].join(' ');
    return {
      ...(isThisStart ? { ports: Object.fromEntries(ports) } : {}),
      networkMode: textOf(HostConfig.NetworkMode ?? 'bridge', LONGEST_NAME).replace(
        /^default$/,
        'bridge',
      ),
      command: command.slice(0, LONGEST_COMMAND),
    };
  } catch {
    // Gone again already, or no answer; the start itself still happened.
    return {};
  }
}
