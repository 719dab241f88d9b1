import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import type { NodeView } from '#protocol';
import type { Background } from '../base/background.ts';
import { deadline, sleep } from '../base/deadline.ts';
import { Emitter } from '../base/emitter.ts';
import type { Placement } from '../sandbox/runtime.ts';

/** A node that is drained or lost changes within seconds; a manager answers in milliseconds. */
const LOOK_MS = 3_000;
/** A manager that has lost the others may never answer. */
const ANSWER_MS = 10_000;

export interface NodeWatchOptions {
  readonly placement: Pick<Placement, 'nodes' | 'setInService'>;
  /** How many learners have a sandbox on each node, by its name. */
  readonly learners: () => ReadonlyMap<string, number>;
  readonly background: Background;
  /** The end of the server. */
  readonly signal: AbortSignal;
}

/** The nodes of a Swarm for whoever looks on: they are asked for while somebody does. */
export class NodeWatch {
  readonly #options: NodeWatchOptions;
  readonly #listeners = new Emitter<readonly NodeView[]>();
  /** A look that began before a change tells nothing after one that began later. */
  readonly #oneByOne = pLimit(1);
  #watching: AbortController | undefined;
  #last: readonly NodeView[] | undefined;

  constructor(options: NodeWatchOptions) {
    this.#options = options;
  }

  /** Calls `listener` with all nodes as soon as they are known, then after every change, until disposed. */
  subscribe(listener: (nodes: readonly NodeView[]) => void): Disposable {
    const listening = this.#listeners.on(listener);
    if (this.#last) listener(this.#last);
    if (!this.#watching) this.#begin();
    return {
      [Symbol.dispose]: () => {
        listening[Symbol.dispose]();
        if (this.#listeners.size === 0) this.#stop();
      },
    };
  }

  /**
   * Takes a node out of service, or back into it.
   *
   * @throws QuaysideError NODE_UNKNOWN; whatever the engine said
   */
  async setInService(node: string, isInService: boolean): Promise<void> {
    const { placement, background } = this.#options;
    await placement.setInService(node, isInService);
    const signal = this.#watching?.signal;
    if (signal) background.run('a look at the nodes', () => this.#look(signal), signal);
  }

  #begin(): void {
    const { background, signal: end } = this.#options;
    const watching = new AbortController();
    this.#watching = watching;
    const signal = AbortSignal.any([end, watching.signal]);
    background.run('the nodes', () => this.#follow(signal), signal);
  }

  #stop(): void {
    this.#watching?.abort(new Error('nobody looks at the nodes any more'));
    this.#watching = undefined;
    this.#last = undefined;
  }

  async #follow(signal: AbortSignal): Promise<never> {
    for (;;) {
      try {
        await this.#look(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.background.fail('a look at the nodes', error);
      }
      await sleep(LOOK_MS, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    await this.#oneByOne(async () => {
      const { placement, learners } = this.#options;
      using limit = deadline(ANSWER_MS, signal);
      const found = await placement.nodes(limit.signal);
      signal.throwIfAborted();
      const counts = learners();
      const nodes = found.map((node) => ({ ...node, learners: counts.get(node.name) ?? 0 }));
      if (isDeepStrictEqual(nodes, this.#last)) return;
      this.#last = nodes;
      this.#listeners.emit(nodes);
    });
  }
}
