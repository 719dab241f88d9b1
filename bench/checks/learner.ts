import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import type { SessionEvent } from '#protocol';
import type { Dockerode, Engine } from '../../server/engine/engine.ts';
import { jsonLines } from '../../server/engine/lines.ts';
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

/** Milliseconds since the epoch, finer than `Date.now()`; the same clock as the engine's `timeNano`. */
const now = (): number => performance.timeOrigin + performance.now();

/** One learner at work: a session over HTTP and the event socket, and the engine of their server01. */
export class BenchLearner implements Disposable {
  readonly cookie: { readonly name: string; readonly value: string };
  /** Check id to when its engine told of the container, and when the tick came over the socket. */
  readonly made = new Map<string, number>();
  readonly told = new Map<string, number>();
  readonly #server: RunningServer;
  readonly #bell = new EventTarget();
  #socket: WebSocket | undefined;
  #state = '';

  constructor(server: RunningServer, cookie: string) {
    const [name = '', value = ''] = cookie.split(';', 1)[0]?.split('=') ?? [];
    this.#server = server;
    this.cookie = { name, value };
  }

  static async signIn(server: RunningServer): Promise<BenchLearner> {
    const answer = await fetch(`${server.origin}/sign-in?token=${server.token}`, {
      redirect: 'manual',
    });
    return new BenchLearner(server, answer.headers.get('set-cookie') ?? '');
  }

  /** Starts the sandbox, waits for it, and gives its id. */
  async start(): Promise<void> {
    const headers = {
      cookie: `${this.cookie.name}=${this.cookie.value}`,
      origin: this.#server.origin,
    };
    await fetch(`${this.#server.origin}/api/labs/${LAB}/session`, { method: 'POST', headers });
    const url = `${this.#server.origin.replace('http', 'ws')}/api/labs/${LAB}/events`;
    this.#socket = new WebSocket(url, { headers });
    this.#socket.on('message', (data) => this.#hear(JSON.parse(String(data)) as SessionEvent));
    await this.#until(() => this.#state === 'ready', READY_MS);
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
      await this.#until(() => this.told.has(name) && this.made.has(name), TICK_MS);
      await made.remove();
      await delay(pauseMs * (0.5 + Math.random()));
    }
    stop.abort();
    await watching;
  }

  [Symbol.dispose](): void {
    this.#socket?.terminate();
  }

  async #watch(events: AsyncIterable<unknown>): Promise<void> {
    for await (const event of jsonLines<{
      timeNano: number;
      Actor: { Attributes: { name: string } };
    }>(events)) {
      this.made.set(event.Actor.Attributes.name, event.timeNano / 1e6);
      this.#bell.dispatchEvent(new Event('change'));
    }
  }

  #hear(event: SessionEvent): void {
    const at = now();
    if (event.type === 'snapshot') this.#state = event.snapshot.status.state;
    if (event.type === 'status') this.#state = event.status.state;
    if (event.type === 'checks') {
      for (const { id, state } of event.checks) {
        if (state === 'passed' && !this.told.has(id)) this.told.set(id, at);
      }
    }
    this.#bell.dispatchEvent(new Event('change'));
  }

  #until(fits: () => boolean, limit: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#bell.removeEventListener('change', look);
        reject(new Error(`nothing came in ${limit} ms (session ${this.#state})`));
      }, limit);
      const look = () => {
        if (!fits()) return;
        clearTimeout(timer);
        this.#bell.removeEventListener('change', look);
        resolve();
      };
      this.#bell.addEventListener('change', look);
      look();
    });
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
