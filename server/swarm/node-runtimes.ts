import { createHash } from 'node:crypto';
import type { Background } from '../base/background.ts';
import { deadline, sleep } from '../base/deadline.ts';
import { messageOf } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Engine } from '../engine/engine.ts';
import { infoOf } from '../engine/info.ts';
import { LinkManager } from '../sandbox/links.ts';
import { imagesOf, type Machine, type SandboxRuntime } from '../sandbox/runtime.ts';
import { NO_SHARED_DIRECTORIES } from '../sandbox/shared-directory.ts';
import { WakeTurns } from '../sandbox/wake-turns.ts';
import { sendImages } from './node-images.ts';
import type { Relay } from './relay.ts';
import { labelNode, nodeName, nodesOf } from './swarm-api.ts';

/** The operator's label: sandboxes may go there. */
export const ALLOWED_LABEL = 'quayside';
/**
 * Ours: the machine has these images, and sandboxes go there. One label for each set of them: a Swarm moves a task whose
 * machine loses a label that it was placed by.
 */
const IMAGES_LABEL = 'quayside-images-';
/** A Swarm takes twelve seconds to call a machine lost; the server notices within this. */
const LOOK_MS = 1_000;
/** The entrance makes a socket within a tenth of a second of being told. */
const SOCKET_MS = 100;
/** An answer takes milliseconds; one that went into a relay that has just ended may never come. */
const PING_MS = 10_000;
/** After a machine's engine did not answer, though its relay runs. */
const RETRY_MS = 5_000;

/** A machine of the Swarm that can be reached. */
interface Opened {
  readonly name: string;
  /** Of its relay; none for this machine. */
  readonly address: string | undefined;
  readonly gone: AbortController;
  /** Absent until it has its images. */
  runtime?: SandboxRuntime;
}

export interface NodeRuntimesOptions {
  /** Of this machine, with its own engine. */
  readonly own: SandboxRuntime;
  /** This machine's number in the Swarm. */
  readonly ownNode: string;
  readonly instance: string;
  readonly relay: Relay;
  readonly background: Background;
  readonly progress: Progress;
}

/** What sandboxes are made with on each machine of the Swarm, as machines come and go. */
export class NodeRuntimes implements AsyncDisposable {
  readonly #options: NodeRuntimesOptions;
  readonly #nodes = new Map<string, Opened>();
  readonly #listeners = new Set<(machine: Machine) => void>();
  readonly #closed = new AbortController();
  /** The label of machines that have this server's images. */
  readonly imagesLabel: string;

  constructor(options: NodeRuntimesOptions) {
    this.#options = options;
    this.imagesLabel = `${IMAGES_LABEL}${digestOf(imagesOf(options.own))}`;
  }

  /** Follows the Swarm from now on. */
  open(): void {
    const { signal } = this.#closed;
    this.#options.background.run('the Swarm’s machines', () => this.#follow(signal), signal);
  }

  /** A machine by its number; `undefined` where it cannot be reached, or has no images yet. */
  of(node: string): Machine | undefined {
    const opened = this.#nodes.get(node);
    return opened && machineOf(opened);
  }

  get all(): readonly Machine[] {
    return [...this.#nodes.values()].flatMap((opened) => machineOf(opened) ?? []);
  }

  /** Settles when every machine that sandboxes may be on can be reached, or is lost. @throws the signal's reason */
  async untilReached(signal: AbortSignal): Promise<void> {
    for (;;) {
      const nodes = await nodesOf(this.#options.own.engine, signal);
      const wanted = nodes.filter(
        ({ Status, Spec }) => Status.State === 'ready' && Spec.Labels[ALLOWED_LABEL] === 'true',
      );
      if (wanted.every(({ ID }) => this.of(ID))) return;
      await sleep(LOOK_MS, signal, { ref: true });
    }
  }

  watch(listener: (machine: Machine) => void): Disposable {
    this.#listeners.add(listener);
    for (const machine of this.all) listener(machine);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error('the server stops'));
    const { own } = this.#options;
    const others = this.all.map(({ runtime }) => runtime).filter((each) => each !== own);
    for (const { gone } of this.#nodes.values()) gone.abort(this.#closed.signal.reason);
    await Promise.all(others.map((runtime) => runtime[Symbol.asyncDispose]()));
  }

  async #follow(signal: AbortSignal): Promise<never> {
    const { own, relay, background } = this.#options;
    // What goes on is said once: without a leader of the Swarm every look fails.
    let said = '';
    for (;;) {
      try {
        const nodes = await nodesOf(own.engine, signal);
        const addresses = await relay.addresses(signal);
        const up = nodes.filter(
          ({ ID, Status }) => Status.State === 'ready' && this.#leads(ID, addresses),
        );
        await relay.open(
          new Map([...addresses].filter(([id]) => id !== this.#options.ownNode)),
          signal,
        );
        for (const [id, { gone, address }] of this.#nodes) {
          // Another relay is another way: what went by the one before may never be answered.
          if (up.some(({ ID }) => ID === id) && addresses.get(id) === address) continue;
          this.#nodes.delete(id);
          gone.abort(new Error('this machine is lost'));
        }
        for (const { ID, Description } of up) {
          if (this.#nodes.has(ID)) continue;
          this.#begin(ID, Description.Hostname, addresses.get(ID));
        }
        said = '';
      } catch (error) {
        signal.throwIfAborted();
        const message = messageOf(error);
        if (message !== said) background.fail('a look at the Swarm', error);
        said = message;
      }
      await sleep(LOOK_MS, signal);
    }
  }

  /** Whether a machine's engine can be asked: this one's always, for what is left there after it was drained. */
  #leads(node: string, addresses: ReadonlyMap<string, string>): boolean {
    return node === this.#options.ownNode || addresses.has(node);
  }

  #begin(node: string, hostname: string, address: string | undefined): void {
    const name = nodeName(node, hostname);
    const opened: Opened = { name, address, gone: new AbortController() };
    this.#nodes.set(node, opened);
    const open = () => this.#open(node, opened);
    this.#options.background.run('a machine of the Swarm', open, opened.gone.signal);
  }

  /** Gives a machine its images, and tells of it. Tried again until it has gone. */
  async #open(node: string, opened: Opened): Promise<void> {
    const { own, ownNode, relay, instance, background, progress } = this.#options;
    const { signal } = opened.gone;
    for (;;) {
      try {
        const engine = node === ownNode ? own.engine : relay.engineOf(node);
        if (node !== ownNode) {
          while (!relay.isOpen(node)) await sleep(SOCKET_MS, signal);
          using limit = deadline(PING_MS, signal);
          await engine.ping(limit.signal);
          await sendImages(own.engine, engine, imagesOf(own), opened.name, progress, signal);
        }
        await labelNode(own.engine, node, this.imagesLabel, 'true');
        const runtime = node === ownNode ? own : await runtimeAt(own, engine, instance);
        signal.throwIfAborted();
        opened.runtime = runtime;
        if (runtime !== own) {
          const dispose = () =>
            background.run('the end of a machine', () => runtime[Symbol.asyncDispose]());
          signal.addEventListener('abort', dispose, { once: true });
        }
        const machine = { name: opened.name, runtime, lost: signal };
        for (const listener of this.#listeners) listener(machine);
        return;
      } catch (error) {
        signal.throwIfAborted();
        background.fail('a machine of the Swarm', error);
        await sleep(RETRY_MS, signal);
      }
    }
  }
}

/** `undefined` where it has no images yet. */
function machineOf({ name, gone, runtime }: Opened): Machine | undefined {
  return runtime && { name, runtime, lost: gone.signal };
}

/** The same as on this machine, on another one's engine. No directory is shared with its hosts. */
async function runtimeAt(
  own: SandboxRuntime,
  engine: Engine,
  instance: string,
): Promise<SandboxRuntime> {
  const links = new LinkManager(engine, own.hostImage, instance);
  const { NCPU: processors } = await infoOf(engine);
  return {
    ...own,
    engine,
    processors,
    wakes: new WakeTurns(processors),
    sharedDirectories: NO_SHARED_DIRECTORIES,
    links,
    [Symbol.asyncDispose]: () => links[Symbol.asyncDispose](),
  };
}

function digestOf(names: readonly string[]): string {
  return createHash('sha256').update(names.toSorted().join('\n')).digest('hex').slice(0, 12);
}
