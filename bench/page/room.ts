import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import type { RosterEvent, RosterLab, RosterLearner } from '#protocol';
import { joinClass, signInAsInstructor } from '../../client-driver/http.ts';
import { startServer } from '../../client-driver/server-process.ts';
import type { Figures } from '../terminal/measures.ts';
import { BenchPage } from './bench-page.ts';
import type { Setting } from './contenders.ts';
import { elementsIn } from './trace.ts';

const LEARNERS = 60;
/** From one learner's tick to the next one's (ms): the server tells of all that changed in so long at once. */
const TICK_MS = 100;
const SECRET = /secret, shown this once: (\S+)/;

/**
 * The instructor's page of a class of {@link LEARNERS} who have all joined the real server, while each of them ticks a
 * step. The hosts of sixty learners fill a machine, and are no part of the page: their ticks are put into the roster's
 * socket on its way, in the form that the server gives them.
 */
export async function measureRoom({ browser, slow, project }: Setting): Promise<Figures> {
  await using room = await openRoom(project);
  await using page = await BenchPage.open(browser, room);
  await page.page
    .locator('tr[data-learner]')
    .nth(LEARNERS - 1)
    .waitFor();
  for (let index = 0; index < LEARNERS; index++) room.tick(index, 0);
  await page.page
    .locator('[data-step="passed"]')
    .nth(LEARNERS - 1)
    .waitFor();
  await page.slowDown(slow);
  const before = await page.metrics();
  let frames = 0;
  const trace = await page.traced(async () => {
    const counted = page.frames(LEARNERS * TICK_MS);
    for (let index = 0; index < LEARNERS; index++) {
      // Some row of the table, not one after the other.
      room.tick((index * 7) % LEARNERS, 1);
      await delay(TICK_MS);
    }
    frames = await counted;
  });
  const after = await page.metrics();
  const each = (name: 'ScriptDuration' | 'RecalcStyleDuration' | 'LayoutDuration') =>
    (1_000 * (after[name] - before[name])) / LEARNERS;
  return {
    'frames a second': frames,
    'elements restyled for a tick': elementsIn(trace, 0, Number.POSITIVE_INFINITY) / LEARNERS,
    'script ms for a tick': each('ScriptDuration'),
    'styles and layout ms for a tick': each('RecalcStyleDuration') + each('LayoutDuration'),
  };
}

interface Room extends AsyncDisposable {
  readonly url: string;
  readonly cookie: string;
  /** A learner passes their first steps up to this one. */
  tick(learner: number, step: number): void;
}

async function openRoom(project: string | undefined): Promise<Room> {
  await using opening = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'quayside-room-'));
  opening.defer(() => rm(data, { recursive: true }));
  const roster = opening.use(await RosterProxy.open());
  const server = opening.use(
    await startServer({
      data,
      project,
      args: ['--clean', '--class', 'Class'],
      log: 'ignore',
      env: { QUAYSIDE_POOL: '0' },
    }),
  );
  roster.target = new URL(server.url).origin;
  const secret = SECRET.exec(server.said.join('\n'))?.[1] ?? '';
  for (let index = 1; index <= LEARNERS; index++) await joinClass(server.url, `Learner ${index}`);
  const { cookie } = await signInAsInstructor(roster.target, secret);
  const opened = opening.move();
  return {
    url: `${roster.origin}/class/`,
    cookie,
    tick: (learner, step) => roster.tick(learner, step),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Stands between the instructor's browser and the server as a proxy does, and adds ticks to what the roster tells. */
class RosterProxy implements AsyncDisposable {
  readonly origin: string;
  target = '';
  readonly #http: ReturnType<typeof createServer>;
  readonly #pages = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  #page: WebSocket | undefined;
  #labs: readonly RosterLab[] = [];
  #learners: readonly RosterLearner[] = [];

  private constructor(http: ReturnType<typeof createServer>) {
    this.#http = http;
    this.origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    http.on('request', (asked, answer) => this.#pass(asked, answer));
    http.on('upgrade', (asked, socket, head) =>
      this.#pages.handleUpgrade(asked, socket, head, (page) => this.#link(page, asked)),
    );
  }

  static async open(): Promise<RosterProxy> {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new RosterProxy(http);
  }

  tick(index: number, step: number): void {
    const [lab] = this.#labs;
    const learner = this.#learners[index];
    if (!lab || !learner) return;
    const now = Date.now();
    const passed = lab.steps.slice(0, step + 1).map(({ id }) => [id, now]);
    const check = lab.steps[step + 1]?.id ?? '';
    const progress = {
      state: 'ready',
      hosts: [],
      passed: Object.fromEntries(passed),
      at: { check, state: 'not-yet', reason: 'Not yet.', since: now },
      helped: {},
      terminals: [],
    } as const;
    const event: RosterEvent = {
      type: 'learner',
      learner: { ...learner, present: true, labs: { [lab.name]: progress } },
    };
    this.#page?.send(JSON.stringify(event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#page?.terminate();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, headers, url = '' } = asked;
    const onward = request(this.target + url, { method, headers: this.#own(headers) }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    onward.on('error', () => asked.socket.destroy());
    asked.pipe(onward);
  }

  /** What a browser would say that had come to the server itself. */
  #own(headers: IncomingHttpHeaders): IncomingHttpHeaders {
    const origin = headers.origin === undefined ? {} : { origin: this.target };
    return { ...headers, host: new URL(this.target).host, ...origin };
  }

  #link(page: WebSocket, { url, headers: { cookie = '' } }: IncomingMessage): void {
    const server = new WebSocket(`${this.target.replace('http', 'ws')}${url}`, {
      headers: { cookie, origin: this.target },
    });
    this.#page = page;
    server.on('message', (data) => {
      const event = JSON.parse(data.toString()) as RosterEvent;
      if (event.type === 'roster') {
        this.#labs = event.labs;
        this.#learners = event.learners;
      }
      page.send(data.toString());
    });
    server.on('error', () => page.terminate());
    page.on('close', () => server.terminate());
  }
}
