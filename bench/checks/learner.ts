import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Changes } from '../../client-driver/changes.ts';
import { signIn } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import type { Dockerode, Engine } from '../../server/engine/engine.ts';
import { jsonLines } from '../../server/engine/output-limit.ts';
import { ENGINE_SOCKET } from '../../server/sandbox/host.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { SHARED_IN_HOST } from '../../server/sandbox/shared-directory.ts';
import { LAB, TICKS, tickOf } from './lab.ts';
import type { RunningServer } from './running-server.ts';

/** A sandbox is there in seconds; on a machine that runs ten of them it takes longer. */
const READY_MS = 120_000;
/** An event that has no tick by now will have none. */
const TICK_MS = 20_000;
const IMAGE = 'mycontainer:5.6';

/** One learner at work: a session as a page has it, and the engine of their server01. */
export class BenchLearner implements Disposable {
  readonly learner: Learner;
  readonly #made = new Map<string, number>();
  readonly #events = new Changes();

  private constructor(learner: Learner) {
    this.learner = learner;
  }

  /** Signs in, starts the sandbox and waits for it. */
  static async start({ origin, token }: RunningServer): Promise<BenchLearner> {
    const learner = await Learner.open(await signIn(`${origin}/sign-in?token=${token}`), LAB);
    await learner.start({ ms: READY_MS });
    return new BenchLearner(learner);
  }

  /**
   * Check id to when its engine told of the container: milliseconds since the epoch, finer than `Date.now()`. It is the
   * engine's own `timeNano`, and the same clock as `performance.timeOrigin`.
   */
  get made(): ReadonlyMap<string, number> {
    return this.#made;
  }

  /** When a check's tick came over the socket, by the same clock. */
  told(check: string): number | undefined {
    const at = this.learner.events.passedAt(check);
    return at === undefined ? undefined : performance.timeOrigin + at;
  }

  /** Makes one container after the other and waits for the tick of each; `pauseMs` lies between two, on the average. */
  async work(docker: Dockerode, pauseMs: number): Promise<void> {
    const stop = new AbortController();
    // Open before the first event, so that none is missed.
    const events = await docker.getEvents({
      filters: { type: ['container'], event: ['create'] },
      abortSignal: stop.signal,
    });
    const watching = this.#watch(events).catch(() => undefined);
    // No two people begin in the same millisecond.
    await delay(pauseMs * Math.random());
    for (let index = 0; index < TICKS; index++) {
      const name = tickOf(index);
      const made = await docker.createContainer({ name, Image: IMAGE });
      await this.#ticked(name);
      await made.remove();
      await delay(pauseMs * (0.5 + Math.random()));
    }
    stop.abort();
    await watching;
  }

  [Symbol.dispose](): void {
    this.learner[Symbol.dispose]();
  }

  async #ticked(name: string): Promise<void> {
    const { events } = this.learner;
    await events.until({
      ms: TICK_MS,
      what: `${name} to be ticked`,
      look: () => events.passedAt(name) !== undefined,
      seen: () => JSON.stringify(events.check(name)),
    });
    await this.#events.until({
      ms: TICK_MS,
      what: `the engine to tell of ${name}`,
      look: () => this.#made.has(name),
      seen: () => 'nothing of it',
    });
  }

  async #watch(events: AsyncIterable<unknown>): Promise<void> {
    for await (const event of jsonLines<{
      timeNano: number;
      Actor: { Attributes: { name: string } };
    }>(events)) {
      this.#made.set(event.Actor.Attributes.name, event.timeNano / 1e6);
      this.#events.emit();
    }
  }
}

/** The server01 of the newest sandbox. */
export interface NewHost {
  readonly container: string;
  /** Its engine, asked as a client in the host would: by its socket, with nothing in between that takes its share. */
  readonly docker: Dockerode;
}

/** The host of the newest sandbox whose container is not among `known`. */
export async function newHost(
  engine: Engine,
  instance: string,
  known: readonly string[],
): Promise<NewHost> {
  const hosts = await engine.docker.listContainers({
    filters: { label: [`${LABEL.instance}=${instance}`, `${LABEL.host}=server01`] },
  });
  const found = hosts.find(({ Id }) => !known.includes(Id));
  if (!found) throw new Error('the sandbox has no server01');
  const shared = found.Mounts.find(({ Destination }) => Destination === SHARED_IN_HOST)?.Source;
  const socket = shared && join(shared, ENGINE_SOCKET);
  return { container: found.Id, docker: engine.nested(found.Id, socket) };
}
